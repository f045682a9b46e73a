//! Numbers most of which are the same, and the values among the others that many rows share.
//!
//! A capital gain is 0 for nine people of ten; the others have 7298, 7688, 15024: amounts that stand for a kind of case. As a size
//! such a number says little (its quartiles are equal, so the robust scale has to fall back to the whole range, and the amounts
//! come to lie side by side), as a name a lot. So it gets both: its number, and a code for each value that enough rows share.
//!
//! The rule: 100 or more rows have a number; the quartiles are equal (three quarters of the rows have one value where it is the least or
//! the greatest, half of them where it lies between others); three or more values are shared by a thousandth of the rows (2 at least, 10
//! are enough), the one in the middle included. Of more than 256 the most frequent count. How it was found, and what it
//! brings, is in docs/measurements/tables.md.

use super::MAX_PEAKS;
use crate::levels::{Levels, number_text};
use crate::rescale::quantile;

/// Below this many rows nothing is said about how often a value occurs.
const FEWEST_ROWS: usize = 100;

/// Fewer levels than this are no more than the number tells.
const FEWEST_LEVELS: usize = 3;

/// The levels of a number that gets a code too, the value that most rows have, and how many of `present` rows the levels stand for;
/// `None` where the rule says no. Sorts the numbers.
pub(super) fn peaks(present: &mut [f64]) -> Option<(Levels, f64, usize)> {
    let n = present.len();
    if n < FEWEST_ROWS {
        return None;
    }
    present.sort_unstable_by(f64::total_cmp);
    let [q25, median, q75] = [0.25, 0.5, 0.75].map(|q| quantile(n, |i| present[i], q));
    if q25 != q75 {
        return None;
    }
    let fewest = (n / 1000).clamp(2, 10);
    let mut shared: Vec<(f64, usize)> = present
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() >= fewest)
        .filter_map(|run| Some((*run.first()?, run.len())))
        .collect();
    if shared.len() > MAX_PEAKS {
        // A stable sort of numbers in order: the most frequent first, ties by size.
        shared.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        shared.truncate(MAX_PEAKS);
    }
    let rows = shared.iter().map(|(_, count)| count).sum();
    let levels = Levels::new(shared.iter().map(|(number, _)| number_text(*number)));
    (levels.len() >= FEWEST_LEVELS).then_some((levels, median, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: &[(f64, usize)]) -> Option<(Vec<String>, f64, usize)> {
        let mut present: Vec<f64> = numbers.iter().flat_map(|&(number, count)| vec![number; count]).collect();
        peaks(&mut present).map(|(levels, median, rows)| (levels.names().to_vec(), median, rows))
    }

    #[test]
    fn most_are_the_same_and_some_of_the_others_repeat() {
        // 7 is in one row only, -0 is 0.
        let numbers = [(7298.0, 3), (0.0, 90), (-0.0, 2), (7.0, 1), (15024.5, 4)];
        let names = ["0", "7298", "15024.5"].map(str::to_owned).to_vec();
        assert_eq!(found(&numbers), Some((names, 0.0, 99)));
    }

    #[test]
    fn what_spreads_or_is_rare_or_has_two_values_is_a_number_only() {
        // 26 of 100 above the median: the quartiles differ.
        assert_eq!(found(&[(0.0, 74), (1.0, 13), (2.0, 13)]), None);
        assert!(found(&[(0.0, 76), (1.0, 12), (2.0, 12)]).is_some());
        assert_eq!(found(&[(0.0, 80), (1.0, 20)]), None);
        assert_eq!(found(&[(0.0, 79), (1.0, 10), (2.0, 10)]), None, "99 rows");
        let mut lone: Vec<(f64, usize)> = (1..=20).map(|i| (f64::from(i), 1)).collect();
        lone.push((0.0, 80));
        assert_eq!(found(&lone), None);
    }

    #[test]
    fn the_share_of_the_rows_that_a_level_needs_grows_to_ten_rows() {
        // A thousandth of 5,000 rows is 5, of 50,000 it would be 50: 10 are enough.
        let few = found(&[(0.0, 4_981), (1.0, 5), (2.0, 10), (3.0, 4)]);
        assert_eq!(few.map(|(names, ..)| names.len()), Some(3));
        let many = found(&[(0.0, 49_967), (1.0, 9), (2.0, 10), (3.0, 14)]);
        assert_eq!(many.map(|(names, ..)| names.len()), Some(3));
    }
}
