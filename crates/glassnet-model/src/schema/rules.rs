//! Columns that tell one row from another and nothing else: keys, row numbers, names, free text.
//!
//! | rule | a column is left out where |
//! |---|---|
//! | key | numbers, all whole, more than nine of ten of 20 or more rows have a new one, and its name says so: one of its words is id, uuid, guid, key, pk, index, idx, rowid, rownum, rownumber, serial |
//! | row number | whole numbers, no two of 100 or more rows the same, that fill at least half of the range between the least and the most; but not where all are years (1500 to 2200) |
//! | free text | 5 words or more a value on average, and more than half of 20 or more rows have a new one |
//! | names or identifiers | text, more than nine of ten of 20 or more rows have a new one |
//!
//! Fractions are never keys. Whole numbers that are spread out (incomes, times in seconds) are none either, were they all
//! different: n draws from a range of 2 n numbers agree somewhere with a chance of 1 - e^(-n / 4) and more, which is 1 - 1e-11
//! for 100 rows.

use std::collections::BTreeMap;

/// Below this many rows with a value nobody can say that a column holds identifiers.
pub(super) const FEWEST_FOR_IDS: usize = 20;

/// Below this many rows whole numbers that fill a range may do so by chance.
const FEWEST_FOR_ROW_NUMBERS: usize = 100;

/// Words that a text has on average from which on it is free text.
const FREE_TEXT_WORDS: usize = 5;

const KEY_WORDS: [&str; 11] =
    ["id", "uuid", "guid", "key", "pk", "index", "idx", "rowid", "rownum", "rownumber", "serial"];

/// Whether one of the words of a column's name (`customer_id`, `customerId`, `Row ID`) is a word for a key.
pub(crate) fn names_a_key(name: &str) -> bool {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower_before = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (letter.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        lower_before = letter.is_lowercase();
    }
    words.iter().any(|word| KEY_WORDS.contains(&word.as_str()))
}

/// Why a column of numbers is a key; `None` where it is none. Sorts the numbers.
pub(super) fn key(name: &str, present: &mut [f64]) -> Option<String> {
    let n = present.len();
    if n < FEWEST_FOR_IDS || present.iter().any(|number| number.fract() != 0.0) {
        return None;
    }
    present.sort_unstable_by(f64::total_cmp);
    let distinct = 1 + present.windows(2).filter(|pair| pair[0] != pair[1]).count();
    if names_a_key(name) && distinct * 10 > n * 9 {
        return Some(format!("a key by its name: {distinct} different whole numbers in {n} rows"));
    }
    let (least, most) = (*present.first()?, *present.last()?);
    let years = least >= 1500.0 && most <= 2200.0;
    if n >= FEWEST_FOR_ROW_NUMBERS && distinct == n && most - least < 2.0 * n as f64 && !years {
        return Some(format!("row numbers or a key: {n} rows, no two the same, whole numbers from {least} to {most}"));
    }
    None
}

/// Why a column of text is left out; `None` where it is a category.
pub(super) fn text(counts: &BTreeMap<String, usize>, present: usize) -> Option<String> {
    let distinct = counts.len();
    if present < FEWEST_FOR_IDS {
        return None;
    }
    if distinct * 2 > present {
        let words: usize = counts.iter().map(|(text, count)| text.split_whitespace().count() * count).sum();
        if words >= FREE_TEXT_WORDS * present {
            let average = (words as f64 / present as f64).round();
            return Some(format!("free text: {average} words a value, {distinct} different in {present} rows"));
        }
    }
    (distinct * 10 > present * 9).then(|| format!("{distinct} different texts in {present} rows: names or identifiers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["id", "customer_id", "customerId", "Row ID", "order-key", "UUID", "Unnamed index"] {
            assert!(names_a_key(name), "{name}");
        }
        for name in ["humid", "paid", "grid", "width", "monkey", "identity", "", "Idea"] {
            assert!(!names_a_key(name), "{name}");
        }
    }

    #[test]
    fn numbers() {
        let whole = |n: usize, step: usize| (0..n).map(|i| (i * step) as f64).collect::<Vec<f64>>();
        assert!(key("x", &mut whole(100, 1)).unwrap().starts_with("row numbers"));
        assert!(key("x", &mut whole(100, 2)).is_some());
        assert!(key("x", &mut whole(100, 3)).is_none());
        assert!(key("x", &mut whole(99, 1)).is_none());
        assert!(key("x_id", &mut whole(20, 1000)).unwrap().starts_with("a key by its name"));
        assert!(key("x_id", &mut whole(19, 1)).is_none());
        // Fractions, years, a repeated number.
        assert!(key("x_id", &mut (0..200).map(|i| f64::from(i) + 0.5).collect::<Vec<f64>>()).is_none());
        assert!(key("year", &mut (1900..2020).map(f64::from).collect::<Vec<f64>>()).is_none());
        let mut twice = whole(200, 1);
        twice[7] = 8.0;
        assert!(key("x", &mut twice).is_none());
        let mut halves: Vec<f64> = (0..100).map(|i| f64::from(i / 2)).collect();
        assert!(key("customer_id", &mut halves).is_none());
    }
}
