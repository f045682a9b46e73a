//! AVX-512 and AVX2 tiles.

use super::{CopyFn, Ends, LINE, MAX_ROWS, Tile, Tiles, WIDE, WIDE_ROWS, copy, narrow};
use crate::product::turn::x86 as turn;
use std::arch::x86_64::*;

/// The end of a tile: chains to c. One vector.
macro_rules! end {
    ($t:ident, $c:expr, $chain:expr, $load:ident, $store:ident, $add:ident) => {{
        let c = $c;
        $store(c, if $t.ends == Ends::Add { $add($load(c), $chain) } else { $chain });
    }};
}

/// Where every third row of the left operand begins: rows are then at a base plus no, one or two row lengths. The compiler
/// is not to know how the bases hang together: it would compute each row's address from the one before, twelve additions
/// one after the other for every p, as long as the multiply-adds take.
#[inline(always)]
fn bases<T>(t: &Tile<T>) -> [*const T; MAX_ROWS / 3] {
    let mut bases = [t.a; MAX_ROWS / 3];
    for (i, base) in bases.iter_mut().enumerate() {
        let mut address = t.a.wrapping_add(3 * i * t.a_row);
        // SAFETY: no instruction at all.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) address, options(pure, nomem, nostack, preserves_flags)) };
        *base = address;
    }
    bases
}

macro_rules! tile {
    ($name:ident, $wide:ident, $type:ty, $lanes:literal, $features:literal, $zero:ident, $load:ident,
     $store:ident, $all:ident, $fma:ident, $add:ident) => {
        /// `R` rows, `V` vectors of columns.
        ///
        /// # Safety
        /// All elements of the tile must be there.
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize, const V: usize>(t: &Tile<$type>) {
            let mut chains = [[$zero(); V]; R];
            // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < V lanes, p < k; loads and stores
            // are the unaligned ones.
            unsafe {
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..V {
                            chains[i][v] = $load(t.c.add(i * t.c_row + v * $lanes));
                        }
                    }
                }
                let (mut a, mut b) = (bases(t), t.b);
                let (mut left, mut asked) = (t.k, 0);
                while left > 0 {
                    let now = left.min(LINE / size_of::<$type>());
                    left -= now;
                    if t.a_step == 1 {
                        // Rows of the left operand are too short for the processor to see where they go: the line after
                        // the next, and near the end the first ones of the next tile's rows.
                        let next = (R * t.a_row + 2 * now).wrapping_sub(t.k);
                        let ahead = if left >= 2 * now { 2 * now } else { next };
                        for i in 0..R {
                            let line = a[i / 3].wrapping_add(i % 3 * t.a_row).wrapping_add(ahead);
                            _mm_prefetch::<_MM_HINT_T0>(line.cast());
                        }
                    }
                    // Lines of c, so that they are there when the tile ends.
                    for _ in 0..2 {
                        if asked < R {
                            let c = t.c.wrapping_add(asked * t.c_row).cast_const().cast::<i8>();
                            _mm_prefetch::<_MM_HINT_T0>(c);
                            _mm_prefetch::<_MM_HINT_T0>(c.wrapping_add((V * $lanes * size_of::<$type>()) - 1));
                            asked += 1;
                        }
                    }
                    if let Some(ahead) = t.ahead.as_mut() {
                        ahead.ask();
                    }
                    for _ in 0..now {
                        let mut columns = [$zero(); V];
                        for v in 0..V {
                            columns[v] = $load(b.add(v * $lanes));
                        }
                        for i in 0..R {
                            let x = $all(*a[i / 3].add(i % 3 * t.a_row));
                            for v in 0..V {
                                chains[i][v] = $fma(x, columns[v], chains[i][v]);
                            }
                        }
                        for base in &mut a[..R.div_ceil(3)] {
                            *base = base.wrapping_add(t.a_step);
                        }
                        b = b.wrapping_add(t.b_step);
                    }
                }
                for i in 0..R {
                    for v in 0..V {
                        end!(t, t.c.add(i * t.c_row + v * $lanes), chains[i][v], $load, $store, $add);
                    }
                }
            }
        }

        /// `R` rows, eight vectors of columns.
        ///
        /// # Safety
        /// All elements of the tile must be there.
        #[target_feature(enable = $features)]
        unsafe fn $wide<const R: usize>(t: &Tile<$type>, distance: usize) {
            let mut chains = [[$zero(); WIDE]; R];
            // SAFETY: as for the other tiles, with b's vectors where `WideFn` says.
            unsafe {
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..WIDE {
                            chains[i][v] = $load(t.c.add(i * t.c_row + v * $lanes));
                        }
                    }
                }
                let (mut a, mut b) = (t.a, t.b);
                for _ in 0..t.k {
                    let mut x = [$zero(); R];
                    for i in 0..R {
                        x[i] = $all(*a.add(i * t.a_row));
                    }
                    for v in 0..WIDE {
                        let columns = $load(b.add(v / 2 * distance + v % 2 * $lanes));
                        for i in 0..R {
                            chains[i][v] = $fma(x[i], columns, chains[i][v]);
                        }
                    }
                    a = a.wrapping_add(t.a_step);
                    b = b.wrapping_add(t.b_step);
                }
                for i in 0..R {
                    for v in 0..WIDE {
                        end!(t, t.c.add(i * t.c_row + v * $lanes), chains[i][v], $load, $store, $add);
                    }
                }
            }
        }
    };
}

/// An edge tile with masks: the last vector has only some columns.
macro_rules! masked_tile {
    ($name:ident, $type:ty, $mask:ty, $lanes:literal, $zero:ident, $load:ident, $store:ident, $all:ident, $fma:ident,
     $add:ident, $load_some:ident, $store_some:ident) => {
        /// `R` rows, `V` vectors of columns, of the last only some.
        ///
        /// # Safety
        /// The columns of b and c that are there must be.
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        unsafe fn $name<const R: usize, const V: usize>(t: &Tile<$type>) {
            let mut chains = [[$zero(); V]; R];
            let some: $mask = ((1u32 << (t.columns - (V - 1) * $lanes)) - 1) as $mask;
            // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < columns, p < k; lanes that are masked
            // out are not touched.
            unsafe {
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..V {
                            let c = t.c.add(i * t.c_row + v * $lanes);
                            chains[i][v] = if v + 1 < V { $load(c) } else { $load_some(some, c) };
                        }
                    }
                }
                let (mut a, mut b) = (bases(t), t.b);
                for _ in 0..t.k {
                    let mut columns = [$zero(); V];
                    for v in 0..V {
                        let b = b.add(v * $lanes);
                        columns[v] = if v + 1 < V { $load(b) } else { $load_some(some, b) };
                    }
                    for i in 0..R {
                        let x = $all(*a[i / 3].add(i % 3 * t.a_row));
                        for v in 0..V {
                            chains[i][v] = $fma(x, columns[v], chains[i][v]);
                        }
                    }
                    for base in &mut a[..R.div_ceil(3)] {
                        *base = base.wrapping_add(t.a_step);
                    }
                    b = b.wrapping_add(t.b_step);
                }
                for i in 0..R {
                    for v in 0..V {
                        let c = t.c.add(i * t.c_row + v * $lanes);
                        if v + 1 < V {
                            end!(t, c, chains[i][v], $load, $store, $add);
                        } else {
                            let before = if t.ends == Ends::Add { $load_some(some, c) } else { $zero() };
                            let chain = chains[i][v];
                            $store_some(c, some, if t.ends == Ends::Add { $add(before, chain) } else { chain });
                        }
                    }
                }
            }
        }
    };
}

tile!(
    avx512_f32,
    wide_avx512_f32,
    f32,
    16,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps
);
tile!(
    avx512_f64,
    wide_avx512_f64,
    f64,
    8,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd
);
tile!(
    avx2_f32,
    wide_avx2_f32,
    f32,
    8,
    "avx2,fma",
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps
);
tile!(
    avx2_f64,
    wide_avx2_f64,
    f64,
    4,
    "avx2,fma",
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_set1_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd
);
masked_tile!(
    avx512_f32_edge,
    f32,
    __mmask16,
    16,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps
);
masked_tile!(
    avx512_f64_edge,
    f64,
    __mmask8,
    8,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_set1_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    _mm512_maskz_loadu_pd,
    _mm512_mask_storeu_pd
);

macro_rules! avx2_copy {
    ($name:ident, $type:ty, $lanes:literal) => {
        /// # Safety
        /// As for [`CopyFn`].
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $name(
            from: *const $type,
            from_row: usize,
            rows: usize,
            columns: usize,
            to: *mut $type,
            width: usize,
        ) {
            // SAFETY: as the caller promises.
            unsafe { copy::<$type, $lanes>(from, from_row, rows, columns, to, width) }
        }
    };
}

macro_rules! masked_copy {
    ($name:ident, $type:ty, $mask:ty, $lanes:literal, $load:ident, $store:ident, $load_some:ident, $store_some:ident) => {
        /// # Safety
        /// As for [`CopyFn`].
        #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
        unsafe fn $name(
            from: *const $type,
            from_row: usize,
            rows: usize,
            columns: usize,
            to: *mut $type,
            width: usize,
        ) {
            let whole = columns - columns % $lanes;
            let some = ((1u32 << (columns - whole)) - 1) as $mask;
            // What there is of the last vector's width, but no more than the vector.
            let last = ((1u32 << (width - whole).min($lanes)) - 1) as $mask;
            // SAFETY: the caller promises rows x columns at `from` and rows x width at `to`; lanes that are masked out are
            // not touched.
            unsafe {
                for p in 0..rows {
                    let (from, to) = (from.add(p * from_row), to.add(p * width));
                    for j in (0..whole).step_by($lanes) {
                        $store(to.add(j), $load(from.add(j)));
                    }
                    if whole < width {
                        $store_some(to.add(whole), last, $load_some(some, from.wrapping_add(whole)));
                    }
                    for j in (whole + $lanes).min(width)..width {
                        *to.add(j) = 0.0;
                    }
                }
            }
        }
    };
}

avx2_copy!(copy_avx2_f32, f32, 8);
avx2_copy!(copy_avx2_f64, f64, 4);
masked_copy!(
    copy_avx512_f32,
    f32,
    __mmask16,
    16,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_maskz_loadu_ps,
    _mm512_mask_storeu_ps
);
masked_copy!(
    copy_avx512_f64,
    f64,
    __mmask8,
    8,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_maskz_loadu_pd,
    _mm512_mask_storeu_pd
);

/// # Safety
/// As for [`narrow`].
unsafe fn avx2_f32_edge<const R: usize, const V: usize>(t: &Tile<f32>) {
    // SAFETY: as the caller promises.
    unsafe { narrow(t, avx2_f32::<R, V>, R) }
}

/// # Safety
/// As for [`narrow`].
unsafe fn avx2_f64_edge<const R: usize, const V: usize>(t: &Tile<f64>) {
    // SAFETY: as the caller promises.
    unsafe { narrow(t, avx2_f64::<R, V>, R) }
}

macro_rules! tiles {
    ($type:ty, $lanes:literal, $most:tt, $name:ident, $edge:ident, $wide:expr, $wide_rows:literal, $in_place:literal,
     $copy:ident, $side:literal, $turn:path, $row:expr) => {
        Tiles {
            lanes: $lanes,
            most: $most,
            wide_rows: $wide_rows,
            edge_in_place: $in_place,
            full: [by_rows!($name, [], [, 1], $most), by_rows!($name, [], [, 2], $most)],
            edge: [by_rows!($edge, [], [, 1], $most), by_rows!($edge, [], [, 2], $most)],
            wide: $wide,
            copy: $copy as CopyFn<$type>,
            side: $side,
            turn: $turn,
            row: $row,
        }
    };
}

// 12 x 2 chains, two vectors of b and one of a fill 27 of AVX-512's 32 registers; 6 x 2 fill 15 of AVX2's 16.
pub(super) static AVX512_F32: Tiles<f32> = tiles!(
    f32,
    16,
    12,
    avx512_f32,
    avx512_f32_edge,
    [wide_avx512_f32::<1>, wide_avx512_f32::<2>, wide_avx512_f32::<3>],
    3,
    true,
    copy_avx512_f32,
    16,
    turn::avx512_f32,
    Some(turn::row_avx512_f32)
);
pub(super) static AVX512_F64: Tiles<f64> = tiles!(
    f64,
    8,
    12,
    avx512_f64,
    avx512_f64_edge,
    [wide_avx512_f64::<1>, wide_avx512_f64::<2>, wide_avx512_f64::<3>],
    3,
    true,
    copy_avx512_f64,
    8,
    turn::avx512_f64,
    Some(turn::row_avx512_f64)
);
pub(super) static AVX2_F32: Tiles<f32> = tiles!(
    f32,
    8,
    6,
    avx2_f32,
    avx2_f32_edge,
    [wide_avx2_f32::<1>; WIDE_ROWS],
    1,
    false,
    copy_avx2_f32,
    8,
    turn::avx2_f32,
    None
);
pub(super) static AVX2_F64: Tiles<f64> = tiles!(
    f64,
    4,
    6,
    avx2_f64,
    avx2_f64_edge,
    [wide_avx2_f64::<1>; WIDE_ROWS],
    1,
    false,
    copy_avx2_f64,
    4,
    turn::avx2_f64,
    None
);

const _: () = assert!(MAX_ROWS == 12);
