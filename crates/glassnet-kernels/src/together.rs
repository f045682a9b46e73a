//! Several slices split by rows together: row i of each goes to the same thread.

use std::ops::Range;

use crate::Team;
use crate::team::{Shared, share};

/// What to do with a run of rows: its numbers, and its part of each slice.
pub type Rows<'a, T, const N: usize> = dyn Fn(Range<usize>, [&mut [T]; N]) + Sync + 'a;

impl Team {
    /// Splits `rows` rows into runs of at least `min_rows` and calls `f(run, pieces)` on each, on the team's threads. A
    /// slice comes with the elements of one of its rows (0 for one that is not there); a piece is that slice's part of the
    /// run. `f` must compute each row independently of the split.
    ///
    /// # Panics
    /// Where a slice has fewer than `rows` rows.
    pub fn split_together<T: Send, const N: usize>(
        &self,
        rows: usize,
        min_rows: usize,
        slices: [(&mut [T], usize); N],
        f: &Rows<'_, T, N>,
    ) {
        for (slice, row_len) in &slices {
            assert!(slice.len() >= rows.saturating_mul(*row_len), "a slice has fewer than {rows} rows of {row_len}");
        }
        if rows == 0 {
            return;
        }
        let parts = (rows / min_rows.max(1)).clamp(1, self.threads());
        if parts == 1 {
            return f(0..rows, slices.map(|(slice, row_len)| &mut slice[..rows * row_len]));
        }
        let starts = slices.map(|(slice, row_len)| (Shared::new(slice), row_len));
        self.fork(parts, &|part| {
            let run = share(rows, parts, part);
            let pieces = starts.each_ref().map(|(start, row_len)| {
                // SAFETY: the shares of 0..rows are disjoint and within the slice, as asserted above; it is borrowed until
                // the fork returns.
                unsafe { std::slice::from_raw_parts_mut(start.pointer().add(run.start * row_len), run.len() * row_len) }
            });
            f(run, pieces);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_every_slice_is_given_once() {
        for threads in [1, 2, 3] {
            let team = Team::new(threads);
            for rows in [0, 1, 2, 7, 20] {
                let (mut narrow, mut wide, mut none) = (vec![0; rows], vec![0; 3 * rows + 1], []);
                team.split_together(rows, 2, [(&mut narrow, 1), (&mut wide, 3), (&mut none, 0)], &|run, pieces| {
                    let [narrow, wide, none] = pieces;
                    assert_eq!((narrow.len(), wide.len(), none.len()), (run.len(), 3 * run.len(), 0));
                    for (i, row) in run.enumerate() {
                        narrow[i] += row + 1;
                        wide[3 * i..][..3].iter_mut().for_each(|x| *x += row + 1);
                    }
                });
                assert_eq!(narrow, (1..=rows).collect::<Vec<_>>());
                assert_eq!(wide[..3 * rows], (0..3 * rows).map(|i| i / 3 + 1).collect::<Vec<_>>());
                assert_eq!(wide[3 * rows], 0, "what is past the rows is left alone");
            }
        }
    }

    #[test]
    #[should_panic(expected = "fewer than 3 rows of 2")]
    fn a_short_slice_is_refused() {
        Team::single().split_together(3, 1, [(&mut [0; 5], 2)], &|_, _| {});
    }
}
