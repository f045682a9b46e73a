//! Tiles for WebAssembly's SIMD128, which has no fused multiply-add: a chain of f32 in two lanes of f64, rounded to f32 at
//! every step, with the bytes of the fused one.
//!
//! The product of two f32 is exact in f64, and the sum is rounded to 53 bits, then to f32's 24. The second rounding goes
//! wrong in one case only: where the first one came to lie in the middle between two f32, for nothing else hides on which
//! side the exact sum was (rounding keeps the order, and a middle is a number of f64). So a quick step rounds in the bits,
//! by adding half of the last place that stays and cutting off the rest, and gathers whether any sum was in the middle, or
//! so small or so large that f32 has fewer bits there. Some steps later it asks, and where there was one takes them again with
//! care. Ordinary numbers are in the middle once in 2^29 sums. Two terms of full length and nearly the same size (a weight
//! times an input of 1) are so often: from there on the tile goes with care to its end.

use super::{CopyFn, Ends, MAX_ROWS, Tile, Tiles, WIDE_ROWS, copy, narrow, no_wide};
use crate::product::turn;
use std::arch::wasm32::*;

/// Columns of a vector of f64.
const PAIR: usize = 2;

/// Vectors of f64 in a row of one vector of f32.
const PAIRS: usize = 2;

/// Most rows. With two vectors of f32 these are 16 chains, more than x86 has registers; with fewer, converting what they
/// share costs more than keeping some of them in memory (docs/measurements/products.md).
const MOST: usize = 4;

/// Vectors of f64 that a single row takes at once: as many chains as hide the time of a step.
const ROW_PAIRS: usize = 8;

/// Steps between two questions.
const STEPS: usize = 64;

/// Half of what is the last place of an f32, in the bits of an f64.
const HALF: v128 = i64x2(0x1000_0000, 0x1000_0000);

/// The bits of an f64 that an f32 has too.
const KEPT: v128 = i64x2(!0x1fff_ffff, !0x1fff_ffff);

/// The others in the low words; in the high words all but the sign.
const REST: v128 = i32x4(0x1fff_ffff, 0x7fff_ffff, 0x1fff_ffff, 0x7fff_ffff);

/// High word of 2^-126, below which f32 has fewer bits.
const SMALL: i32 = 0x3810_0000;

/// High word of 2^128, which f32 has not.
const LARGE: i32 = 0x47f0_0000;

/// What moves the words so that those of a sum that is in the middle or too small are the least of all, and 0 is none of these:
/// added after [`HALF`], and without it.
const MOVED: v128 = i32x4(i32::MIN, i32::MAX, i32::MIN, i32::MAX);
const MOVED_ALONE: v128 = i32x4(0x7000_0000, i32::MAX, 0x7000_0000, i32::MAX);

/// The least words of sums for which two roundings will do.
const LEAST: v128 = i32x4(i32::MIN + 1, i32::MIN + (SMALL - 1), i32::MIN + 1, i32::MIN + (SMALL - 1));

/// Rounded to f32, ties to even.
#[inline(always)]
fn rounded(sum: v128) -> v128 {
    f64x2_promote_low_f32x4(f32x4_demote_f64x2_zero(sum))
}

/// `product + addend`, rounded to odd and then to f32: one rounding, as in `fused.rs`.
#[inline(always)]
fn exact(product: v128, addend: v128) -> v128 {
    let sum = f64x2_add(product, addend);
    let taken = f64x2_sub(sum, product);
    let lost = f64x2_add(f64x2_sub(product, f64x2_sub(sum, taken)), f64x2_sub(addend, taken));
    // All ones are -1. Not for NaN, which is what an infinite sum has lost.
    let inexact = f64x2_gt(f64x2_abs(lost), f64x2_splat(0.0));
    let inwards = i64x2_lt(v128_xor(lost, sum), i64x2_splat(0));
    rounded(v128_or(i64x2_add(sum, v128_and(inwards, inexact)), u64x2_shr(inexact, 63)))
}

/// Two numbers, as f64.
///
/// # Safety
/// They must be there.
#[inline(always)]
unsafe fn two(from: *const f32) -> v128 {
    // SAFETY: as the caller promises; the load asks for no alignment.
    f64x2_promote_low_f32x4(unsafe { v128_load64_zero(from.cast()) })
}

/// One number twice, as f64.
///
/// # Safety
/// It must be there.
#[inline(always)]
unsafe fn twice(from: *const f32) -> v128 {
    // SAFETY: as the caller promises; the load asks for no alignment.
    f64x2_promote_low_f32x4(unsafe { v128_load32_splat(from.cast()) })
}

/// Steps along k of a tile of `R` rows and `P` vectors of f64.
struct Steps {
    a: *const f32,
    a_row: usize,
    a_step: usize,
    b: *const f32,
    b_step: usize,
    count: usize,
}

impl Steps {
    /// Takes them as if two roundings were one. Where they were not, it says false and the chains are as before.
    ///
    /// # Safety
    /// a\[i, p\] and b\[p, j\] must be there for i < R, j < P pairs, p < count.
    #[inline(always)]
    unsafe fn quick<const R: usize, const P: usize>(&self, chains: &mut [[v128; P]; R]) -> bool {
        let (mut a, mut b) = (self.a, self.b);
        let mut now = *chains;
        let (mut least, mut largest) = (i32x4_splat(i32::MAX), i32x4_splat(0));
        for _ in 0..self.count {
            let mut columns = [f64x2_splat(0.0); P];
            for (v, columns) in columns.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                *columns = unsafe { two(b.add(v * PAIR)) };
            }
            for (i, row) in now.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                let x = unsafe { twice(a.add(i * self.a_row)) };
                for (chain, &columns) in row.iter_mut().zip(&columns) {
                    let sum = i64x2_add(f64x2_add(f64x2_mul(x, columns), *chain), HALF);
                    *chain = v128_and(sum, KEPT);
                    let words = v128_and(sum, REST);
                    least = i32x4_min(least, i32x4_add(words, MOVED));
                    largest = i32x4_max(largest, words);
                }
            }
            a = a.wrapping_add(self.a_step);
            b = b.wrapping_add(self.b_step);
        }
        // The low words of `largest` are at most 2^29, far below.
        let wrong = v128_or(i32x4_lt(least, LEAST), i32x4_gt(largest, i32x4_splat(LARGE - 1)));
        let right = !v128_any_true(wrong);
        if right {
            *chains = now;
        }
        right
    }

    /// Takes them, and asks of every row at every step whether two roundings will do.
    ///
    /// # Safety
    /// As for [`Steps::quick`].
    #[inline(always)]
    unsafe fn careful<const R: usize, const P: usize>(&self, chains: &mut [[v128; P]; R]) {
        let (mut a, mut b) = (self.a, self.b);
        for _ in 0..self.count {
            let mut columns = [f64x2_splat(0.0); P];
            for (v, columns) in columns.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                *columns = unsafe { two(b.add(v * PAIR)) };
            }
            for (i, row) in chains.iter_mut().enumerate() {
                // SAFETY: as the caller promises.
                let x = unsafe { twice(a.add(i * self.a_row)) };
                let mut sums = columns;
                let mut least = i32x4_splat(i32::MAX);
                for (sum, &chain) in sums.iter_mut().zip(&*row) {
                    *sum = f64x2_add(f64x2_mul(x, *sum), chain);
                    least = i32x4_min(least, i32x4_add(v128_and(*sum, REST), MOVED_ALONE));
                }
                if v128_any_true(i32x4_lt(least, LEAST)) {
                    for (chain, &columns) in row.iter_mut().zip(&columns) {
                        *chain = exact(f64x2_mul(x, columns), *chain);
                    }
                } else {
                    for (chain, &sum) in row.iter_mut().zip(&sums) {
                        *chain = rounded(sum);
                    }
                }
            }
            a = a.wrapping_add(self.a_step);
            b = b.wrapping_add(self.b_step);
        }
    }
}

/// `R` rows, `P` vectors of f64.
///
/// # Safety
/// All elements of the tile must be there.
#[inline(always)]
unsafe fn tile<const R: usize, const P: usize>(t: &Tile<f32>) {
    let mut chains = [[f64x2_splat(0.0); P]; R];
    // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < P pairs, p < k.
    unsafe {
        if t.ends == Ends::Continue {
            for (i, row) in chains.iter_mut().enumerate() {
                for (v, chain) in row.iter_mut().enumerate() {
                    *chain = two(t.c.add(i * t.c_row + v * PAIR));
                }
            }
        }
        let (mut done, mut with_care) = (0, false);
        while done < t.k {
            let count = STEPS.min(t.k - done);
            let (a, b) = (t.a.wrapping_add(done * t.a_step), t.b.wrapping_add(done * t.b_step));
            let steps = Steps { a, a_row: t.a_row, a_step: t.a_step, b, b_step: t.b_step, count };
            with_care = with_care || !steps.quick(&mut chains);
            if with_care {
                steps.careful(&mut chains);
            }
            done += count;
        }
        for (i, row) in chains.iter().enumerate() {
            for (v, &chain) in row.iter().enumerate() {
                let c = t.c.add(i * t.c_row + v * PAIR);
                let chain = f32x4_demote_f64x2_zero(chain);
                let end = if t.ends == Ends::Add { f32x4_add(v128_load64_zero(c.cast()), chain) } else { chain };
                v128_store64_lane::<0>(end, c.cast());
            }
        }
    }
}

/// # Safety
/// All elements of the tile must be there.
unsafe fn wasm_f32<const R: usize, const V: usize>(t: &Tile<f32>) {
    // SAFETY: as the caller promises.
    unsafe {
        match V {
            1 => tile::<R, PAIRS>(t),
            _ => tile::<R, { 2 * PAIRS }>(t),
        }
    }
}

/// # Safety
/// As for [`narrow`].
unsafe fn wasm_f32_edge<const R: usize, const V: usize>(t: &Tile<f32>) {
    // SAFETY: as the caller promises.
    unsafe { narrow(t, wasm_f32::<R, V>, R) }
}

/// `chains[j] = chain over p of x[p] panel[p, j]`, from +0.
///
/// # Panics
/// Where the panel is not as long as the row and as wide as the chains, whose number is a multiple of 16.
pub(super) fn row_f32(x: &[f32], panel: &[f32], chains: &mut [f32]) {
    const COLUMNS: usize = ROW_PAIRS * PAIR;
    let width = chains.len();
    assert!(width.is_multiple_of(COLUMNS) && panel.len() == x.len() * width, "the panel has another shape");
    for (number, chains) in chains.chunks_exact_mut(COLUMNS).enumerate() {
        let tile = Tile {
            a: x.as_ptr(),
            a_row: 0,
            a_step: 1,
            b: panel.as_ptr().wrapping_add(number * COLUMNS),
            b_step: width,
            c: chains.as_mut_ptr(),
            c_row: COLUMNS,
            columns: COLUMNS,
            k: x.len(),
            ends: Ends::Store,
            ahead: std::ptr::null_mut(),
        };
        // SAFETY: the row, the panel's columns from there on and the chains are there, as asserted.
        unsafe { self::tile::<1, ROW_PAIRS>(&tile) };
    }
}

const _: () = assert!(MOST <= MAX_ROWS);

pub(super) static WASM_F32: Tiles<f32> = Tiles {
    lanes: PAIRS * PAIR,
    most: MOST,
    wide_rows: 0,
    edge_in_place: false,
    full: [by_rows!(wasm_f32, [], [, 1], 4), by_rows!(wasm_f32, [], [, 2], 4)],
    edge: [by_rows!(wasm_f32_edge, [], [, 1], 4), by_rows!(wasm_f32_edge, [], [, 2], 4)],
    wide: [no_wide::<f32>; WIDE_ROWS],
    copy: copy::<f32, 4> as CopyFn<f32>,
    side: 4,
    turn: turn::plain::<f32, 4>,
    row: None,
};
