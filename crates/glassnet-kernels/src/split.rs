//! More ways to split work over a team: two results of a row, or one result and room to work in.

use crate::Team;
use crate::team::{Shared, share};

/// A part's work: the number of its first row, and its share of two slices.
type Part<'a, A, B> = dyn Fn(usize, &mut [A], &mut [B]) + Sync + 'a;

/// Run `range` of rows of `row_len` elements each.
///
/// # Safety
/// The rows must be there, and nobody else may use them while the slice lives.
unsafe fn rows_of<'a, T>(start: &Shared<T>, range: &std::ops::Range<usize>, row_len: usize) -> &'a mut [T] {
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts_mut(start.pointer().add(range.start * row_len), range.len() * row_len) }
}

impl Team {
    /// Splits two results together: `f(first_row, rows of a, rows of b)` on runs of at least `min_rows` of `rows` rows.
    /// `f` must compute each row independently of the split.
    ///
    /// # Panics
    /// If a or b has fewer than `rows` rows.
    #[allow(clippy::too_many_arguments)]
    pub fn split_two<A: Send, B: Send>(
        &self,
        rows: usize,
        min_rows: usize,
        a: &mut [A],
        a_len: usize,
        b: &mut [B],
        b_len: usize,
        f: &Part<'_, A, B>,
    ) {
        assert!(a.len() >= rows.saturating_mul(a_len), "the first result has fewer than {rows} rows of {a_len}");
        assert!(b.len() >= rows.saturating_mul(b_len), "the second result has fewer than {rows} rows of {b_len}");
        if rows == 0 {
            return;
        }
        let parts = (rows / min_rows.max(1)).clamp(1, self.threads());
        let (a, b) = (Shared::new(a), Shared::new(b));
        self.fork(parts, &|part| {
            let range = share(rows, parts, part);
            // SAFETY: the shares of 0..rows are disjoint and within a and b, which are borrowed until the fork returns.
            let (a, b) = unsafe { (rows_of(&a, &range, a_len), rows_of(&b, &range, b_len)) };
            f(range.start, a, b);
        });
    }

    /// Splits `out` (whole rows of `row_len`) and gives each part `room` elements of `scratch` of its own:
    /// `f(first_row, rows, scratch)`. At most as many parts as rooms; with too little for one room `f` gets what there is.
    /// `f` must compute each row independently of the split.
    pub fn split_with_room<T: Send>(
        &self,
        out: &mut [T],
        row_len: usize,
        scratch: &mut [T],
        room: usize,
        f: &Part<'_, T, T>,
    ) {
        let rows = out.len().checked_div(row_len).unwrap_or(0);
        if rows == 0 {
            return;
        }
        let rooms = scratch.len().checked_div(room).unwrap_or(usize::MAX).max(1);
        let parts = rows.min(self.threads()).min(rooms);
        if parts == 1 {
            let room = room.min(scratch.len());
            return f(0, &mut out[..rows * row_len], &mut scratch[..room]);
        }
        let (out, scratch) = (Shared::new(out), Shared::new(scratch));
        self.fork(parts, &|part| {
            let range = share(rows, parts, part);
            // SAFETY: the shares of 0..rows are disjoint and within `out`; there are at least as many rooms as parts. Both are
            // borrowed until the fork returns.
            let (rows, room) = unsafe { (rows_of(&out, &range, row_len), rows_of(&scratch, &(part..part + 1), room)) };
            f(range.start, rows, room);
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::Team;

    #[test]
    fn two_results_are_cut_at_the_same_rows() {
        for threads in 1..=4 {
            for rows in [0, 1, 3, 10] {
                let (mut a, mut b) = (vec![0usize; rows * 3], vec![0u32; rows * 2 + 1]);
                Team::new(threads).split_two(rows, 1, &mut a, 3, &mut b, 2, &|first, a, b| {
                    for (i, (a, b)) in a.chunks_exact_mut(3).zip(b.chunks_exact_mut(2)).enumerate() {
                        a.fill(first + i + 1);
                        b.fill((first + i + 1) as u32);
                    }
                });
                assert!(a.iter().enumerate().all(|(i, &x)| x == i / 3 + 1));
                assert!(b[..rows * 2].iter().enumerate().all(|(i, &x)| x as usize == i / 2 + 1));
                assert_eq!(b[rows * 2], 0);
            }
        }
    }

    #[test]
    fn every_part_has_room_of_its_own() {
        for threads in 1..=4 {
            for (rows, rooms) in [(0, 4), (1, 4), (7, 4), (7, 2), (7, 0)] {
                let (mut out, mut scratch) = (vec![0usize; rows * 2], vec![0usize; rooms * 5]);
                Team::new(threads).split_with_room(&mut out, 2, &mut scratch, 5, &|first, rows, room| {
                    assert_eq!(room.len(), if rooms == 0 { 0 } else { 5 });
                    for (i, row) in rows.chunks_exact_mut(2).enumerate() {
                        room.fill(first + i);
                        row.fill(room.first().map_or(first + i, |&x| x) + 1);
                    }
                });
                assert!(out.iter().enumerate().all(|(i, &x)| x == i / 2 + 1));
            }
        }
    }

    #[test]
    #[should_panic(expected = "the second result has fewer than 3 rows of 2")]
    fn a_result_that_is_too_short_is_refused() {
        Team::single().split_two(3, 1, &mut [0; 3], 1, &mut [0; 5], 2, &|_, _, _| {});
    }
}
