//! NEON tiles.

use super::{CopyFn, Ends, MAX_ROWS, Tile, Tiles, WIDE, WIDE_ROWS, copy, narrow};
use crate::product::turn;
use std::arch::aarch64::*;

macro_rules! tile {
    ($name:ident, $edge:ident, $wide:ident, $type:ty, $lanes:literal, $load:ident, $store:ident, $all:ident, $fma:ident,
     $add:ident) => {
        /// `R` rows, `V` vectors of columns.
        ///
        /// # Safety
        /// All elements of the tile must be there.
        unsafe fn $name<const R: usize, const V: usize>(t: &Tile<$type>) {
            // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < V lanes, p < k; every aarch64 has NEON.
            unsafe {
                let mut chains = [[$all(0.0); V]; R];
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..V {
                            chains[i][v] = $load(t.c.add(i * t.c_row + v * $lanes));
                        }
                    }
                }
                let (mut a, mut b) = (t.a, t.b);
                for _ in 0..t.k {
                    let mut columns = [$all(0.0); V];
                    for v in 0..V {
                        columns[v] = $load(b.add(v * $lanes));
                    }
                    for i in 0..R {
                        let x = $all(*a.add(i * t.a_row));
                        for v in 0..V {
                            chains[i][v] = $fma(chains[i][v], x, columns[v]);
                        }
                    }
                    a = a.wrapping_add(t.a_step);
                    b = b.wrapping_add(t.b_step);
                }
                for i in 0..R {
                    for v in 0..V {
                        let c = t.c.add(i * t.c_row + v * $lanes);
                        let chain = chains[i][v];
                        $store(c, if t.ends == Ends::Add { $add($load(c), chain) } else { chain });
                    }
                }
            }
        }

        /// # Safety
        /// As for [`narrow`].
        unsafe fn $edge<const R: usize, const V: usize>(t: &Tile<$type>) {
            // SAFETY: as the caller promises.
            unsafe { narrow(t, $name::<R, V>, R) }
        }

        /// `R` rows, eight vectors of columns.
        ///
        /// # Safety
        /// All elements of the tile must be there.
        unsafe fn $wide<const R: usize>(t: &Tile<$type>, distance: usize) {
            // SAFETY: as for the other tiles, with b's vectors where `WideFn` says.
            unsafe {
                let mut chains = [[$all(0.0); WIDE]; R];
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..WIDE {
                            chains[i][v] = $load(t.c.add(i * t.c_row + v * $lanes));
                        }
                    }
                }
                let (mut a, mut b) = (t.a, t.b);
                for _ in 0..t.k {
                    let mut x = [$all(0.0); R];
                    for i in 0..R {
                        x[i] = $all(*a.add(i * t.a_row));
                    }
                    for v in 0..WIDE {
                        let columns = $load(b.add(v / 2 * distance + v % 2 * $lanes));
                        for i in 0..R {
                            chains[i][v] = $fma(chains[i][v], x[i], columns);
                        }
                    }
                    a = a.wrapping_add(t.a_step);
                    b = b.wrapping_add(t.b_step);
                }
                for i in 0..R {
                    for v in 0..WIDE {
                        let c = t.c.add(i * t.c_row + v * $lanes);
                        let chain = chains[i][v];
                        $store(c, if t.ends == Ends::Add { $add($load(c), chain) } else { chain });
                    }
                }
            }
        }
    };
}

tile!(neon_f32, neon_f32_edge, wide_neon_f32, f32, 4, vld1q_f32, vst1q_f32, vdupq_n_f32, vfmaq_f32, vaddq_f32);
tile!(neon_f64, neon_f64_edge, wide_neon_f64, f64, 2, vld1q_f64, vst1q_f64, vdupq_n_f64, vfmaq_f64, vaddq_f64);

macro_rules! tiles {
    ($type:ty, $lanes:literal, $name:ident, $edge:ident, $wide:ident) => {
        Tiles {
            lanes: $lanes,
            most: MAX_ROWS,
            wide_rows: WIDE_ROWS,
            edge_in_place: false,
            full: [by_rows!($name, [], [, 1], 12), by_rows!($name, [], [, 2], 12)],
            edge: [by_rows!($edge, [], [, 1], 12), by_rows!($edge, [], [, 2], 12)],
            wide: [$wide::<1>, $wide::<2>, $wide::<3>],
            copy: copy::<$type, $lanes> as CopyFn<$type>,
            side: $lanes,
            turn: turn::plain::<$type, $lanes>,
            row: None,
        }
    };
}

// 12 x 2 chains, two vectors of b and one of a fill 27 of the 32 registers.
pub(super) static NEON_F32: Tiles<f32> = tiles!(f32, 4, neon_f32, neon_f32_edge, wide_neon_f32);
pub(super) static NEON_F64: Tiles<f64> = tiles!(f64, 2, neon_f64, neon_f64_edge, wide_neon_f64);
