//! A right operand in panels that are made once and used many times: what a recurrent layer multiplies by at every time
//! step. The arithmetic is that of the other products, so the bytes are theirs.

use super::driver::{Left, sweep};
use super::pack;
use super::tile::{Ends, MAX_WIDTH, Tile, Tiles, WIDE, tiles};
use crate::Real;
use crate::lanes::{Isa, current};

/// Bytes of a cache line; panels start at one.
const LINE: usize = 64;

/// Elements of the room that an operand of `k` rows and `n` columns is packed into, for every instruction set.
pub fn packed_len<T: Real>(n: usize, k: usize) -> usize {
    let columns = n.div_ceil(MAX_WIDTH).saturating_mul(MAX_WIDTH);
    columns.saturating_mul(k).saturating_add(LINE / T::BYTES)
}

/// A packed right operand, `[k, n]` as the product sees it.
pub struct Packed<'a, T> {
    panels: &'a [T],
    n: usize,
    k: usize,
    tiles: &'a Tiles<T>,
}

impl<T: Real> std::fmt::Debug for Packed<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("n", &self.n).field("k", &self.k).finish_non_exhaustive()
    }
}

impl<'a, T: Real> Packed<'a, T> {
    /// Packs `b[n, k]`, transposed: for `c = a b^T`.
    ///
    /// # Panics
    /// Where `b` has fewer than n k elements or `room` fewer than [`packed_len`].
    pub fn transposed(n: usize, k: usize, b: &[T], room: &'a mut [T]) -> Self {
        Self::with(current(), n, k, room, |tiles, first, there, width, panel| {
            pack::turn_rows(tiles, &b[first * k..n * k], k, there, width, panel);
        })
    }

    /// Packs `b[k, n]` as it is: for `c = a b`.
    ///
    /// # Panics
    /// Where `b` has fewer than n k elements or `room` fewer than [`packed_len`].
    pub fn straight(n: usize, k: usize, b: &[T], room: &'a mut [T]) -> Self {
        Self::with(current(), n, k, room, |tiles, first, there, width, panel| {
            pack::copy_rows(tiles, &b[first..k * n], n, there, width, panel);
        })
    }

    /// Calls `fill(tiles, first column, columns that are there, width, panel)` for each panel.
    fn with(
        isa: Isa,
        n: usize,
        k: usize,
        room: &'a mut [T],
        fill: impl Fn(&Tiles<T>, usize, usize, usize, &mut [T]),
    ) -> Self {
        assert!(room.len() >= packed_len::<T>(n, k), "the room is too small for an operand of {k} x {n}");
        let tiles = tiles::<T>(isa);
        let skip = room.as_ptr().align_offset(LINE).min(LINE / T::BYTES);
        let room = &mut room[skip..];
        if k > 0 {
            let mut column = 0;
            while column < n {
                let (there, width) = panel_of(tiles, n - column);
                fill(tiles, column, there, width, &mut room[column * k..][..width * k]);
                column += there;
            }
        }
        Packed { panels: room, n, k, tiles }
    }

    /// `c[m, n] = a[m, k] b`, or `c += ...` (the finished chain added once) where `accumulate`. Rows of `a` are `a_row`
    /// apart and rows of `c` are `c_row` apart. An element is one chain of fused multiply-adds from +0 in increasing k.
    ///
    /// # Panics
    /// Where the slices hold fewer elements than that.
    pub fn multiply(&self, m: usize, a: &[T], a_row: usize, c: &mut [T], c_row: usize, accumulate: bool) {
        let (n, k, tiles) = (self.n, self.k, self.tiles);
        if m == 0 || n == 0 {
            return;
        }
        let reach = |row: usize, width: usize| (m - 1).saturating_mul(row).saturating_add(width);
        assert!(a.len() >= reach(a_row, k), "the left operand has fewer elements than {m} rows, {a_row} apart, of {k}");
        assert!(c.len() >= reach(c_row, n), "the result has fewer elements than {m} rows, {c_row} apart, of {n}");
        assert!(m == 1 || c_row >= n, "rows of the result overlap: {c_row} apart, {n} columns");
        let ends = if accumulate { Ends::Add } else { Ends::Store };
        let mut column = 0;
        while column < n {
            let (there, width) = panel_of(tiles, n - column);
            let panel = if k > 0 { &self.panels[column * k..] } else { &[] };
            let tile = Tile {
                a: a.as_ptr(),
                a_row,
                a_step: 1,
                b: panel.as_ptr(),
                b_step: width,
                c: c.as_mut_ptr().wrapping_add(column),
                c_row,
                columns: there,
                k,
                ends,
                ahead: std::ptr::null_mut(),
            };
            let wide = WIDE * tiles.lanes;
            if m <= tiles.wide_rows && n - column >= wide {
                // SAFETY: as below; the panels of a wide tile are one after the other, width x k each.
                unsafe { tiles.wide[m - 1](&Tile { columns: wide, ..tile }, width * k) };
                column += wide;
                continue;
            }
            let left = Left { at: a.as_ptr(), row: a_row, step: 1, tiled: false };
            // SAFETY: `tiles` are of an instruction set that the processor has. a's rows have k elements and c's have n, as
            // asserted above; the panel has k x width.
            unsafe { sweep(tiles, &left, &tile, 0..m) };
            column += there;
        }
    }
}

/// Columns that are there and the width of the panel that holds them, where `left` columns are left.
fn panel_of<T>(tiles: &Tiles<T>, left: usize) -> (usize, usize) {
    let width = if left > tiles.lanes { 2 * tiles.lanes } else { tiles.lanes };
    (left.min(width), width)
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;

    fn numbers<T: Real>(len: usize) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i as f64 * 1.7).sqrt() % 1.0 - 0.4)).collect()
    }

    fn same_as_the_reference<T: Real>() {
        let mut compared = 0;
        for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
            for (m, n, k) in [(1, 1, 1), (3, 7, 5), (16, 64, 33), (19, 77, 300), (5, 16, 0), (8, 33, 17)] {
                let (a_row, c_row) = (k + 3, n + 2);
                let (a, b) = (numbers::<T>(m * a_row), numbers::<T>(n * k));
                let tight: Vec<T> = (0..m).flat_map(|i| a[i * a_row..][..k].to_vec()).collect();
                for (straight, accumulate) in [(true, true), (true, false), (false, false), (false, true)] {
                    let mut expected = numbers::<T>(m * n);
                    let mut c: Vec<T> = vec![T::ONE; m * c_row];
                    for i in 0..m {
                        c[i * c_row..][..n].copy_from_slice(&expected[i * n..][..n]);
                    }
                    let turned: Vec<T> = (0..k * n).map(|i| b[(i % n) * k + i / n]).collect();
                    reference::product_nn(m, n, k, &tight, &turned, &mut expected, accumulate);
                    let mut room = vec![T::ONE; packed_len::<T>(n, k)];
                    let packed = Packed::with(isa, n, k, &mut room, |tiles, first, there, width, panel| {
                        if straight {
                            pack::copy_rows(tiles, &turned[first..], n, there, width, panel);
                        } else {
                            pack::turn_rows(tiles, &b[first * k..], k, there, width, panel);
                        }
                    });
                    packed.multiply(m, &a, a_row, &mut c, c_row, accumulate);
                    for i in 0..m {
                        assert!(c[i * c_row..][..n] == expected[i * n..][..n], "{isa:?} {m} {n} {k} {straight}");
                        assert!(c[i * c_row + n..(i + 1) * c_row].iter().all(|&x| x == T::ONE), "between the rows");
                        compared += n;
                    }
                }
            }
        }
        assert!(compared > 10_000, "only {compared} numbers were compared");
    }

    #[test]
    fn a_packed_operand_gives_the_bytes_of_the_reference() {
        same_as_the_reference::<f32>();
        same_as_the_reference::<f64>();
    }

    #[test]
    fn both_ways_to_pack_agree() {
        let (m, n, k) = (9, 45, 21);
        let (a, b) = (numbers::<f32>(m * k), numbers::<f32>(n * k));
        let turned: Vec<f32> = (0..k * n).map(|i| b[(i % n) * k + i / n]).collect();
        let (mut room, mut other) = (vec![0.0; packed_len::<f32>(n, k)], vec![0.0; packed_len::<f32>(n, k)]);
        let (mut c, mut d) = (vec![0.0; m * n], vec![1.0; m * n]);
        Packed::transposed(n, k, &b, &mut room).multiply(m, &a, k, &mut c, n, false);
        Packed::straight(n, k, &turned, &mut other).multiply(m, &a, k, &mut d, n, false);
        assert_eq!(c, d);
    }

    #[test]
    #[should_panic(expected = "the room is too small")]
    fn a_room_that_is_too_small_is_refused() {
        Packed::transposed(4, 4, &[0.0f32; 16], &mut [0.0; 16]);
    }

    #[test]
    #[should_panic(expected = "the result has fewer elements")]
    fn a_result_that_is_too_small_is_refused() {
        let mut room = vec![0.0; packed_len::<f64>(4, 4)];
        Packed::straight(4, 4, &[0.0f64; 16], &mut room).multiply(2, &[0.0; 8], 4, &mut [0.0; 7], 4, false);
    }
}
