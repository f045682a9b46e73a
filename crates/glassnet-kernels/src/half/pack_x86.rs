//! The packing of [`super::pack`] with AVX512-BF16: the same bits, but for the payload of a NaN.

use super::pack::{Block, Panels};
use super::tile::STRIDE;
use std::arch::x86_64::*;

/// Lanes 0..count of 16.
#[inline(always)]
fn lanes(count: usize) -> __mmask16 {
    ((1u32 << count.min(16)) - 1) as __mmask16
}

/// Thirty-two numbers as bfloat16: the first sixteen in the low half.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn rounded(first: __m512, second: __m512) -> __m512i {
    let both = _mm512_cvtne2ps_pbh(second, first);
    // SAFETY: both are 512 bits, and any bits are whole numbers.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(both) }
}

/// Numbers `at..at + 32` of the `len` that lie at `row`, in pairs; zeros beyond the last.
///
/// # Safety
/// `row` must have `len` elements.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn pairs_of_row(row: *const f32, at: usize, len: usize) -> __m512i {
    let left = len - at;
    // SAFETY: the masks keep to the elements that are there.
    unsafe {
        let x = row.add(at);
        if left >= 32 {
            return rounded(_mm512_loadu_ps(x), _mm512_loadu_ps(x.add(16)));
        }
        let first = _mm512_maskz_loadu_ps(lanes(left), x);
        let second = _mm512_maskz_loadu_ps(lanes(left.saturating_sub(16)), x.wrapping_add(16));
        rounded(first, second)
    }
}

/// # Safety
/// The block must be there; `out` must have `rows` x [`STRIDE`], and `columns` be at most two strides.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn along_rows(block: Block, out: &mut [u32]) {
    for i in 0..block.rows {
        for at in (0..block.columns).step_by(32) {
            // SAFETY: the row has `columns` elements; a row of `out` has room for whole vectors, as STRIDE is a multiple.
            unsafe {
                let x = pairs_of_row(block.x.as_ptr().add(i * block.row_len), at, block.columns);
                _mm512_storeu_si512(out.as_mut_ptr().add(i * STRIDE + at / 2).cast(), x);
            }
        }
    }
}

/// # Safety
/// The block must be there, with at most 16 rows; `out` must have 16 places for each pair of columns, `width` apart.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) unsafe fn rows_to_columns(block: Block, width: usize, out: &mut [u32]) {
    let Block { x, row_len, rows, columns } = block;
    for at in (0..columns).step_by(32) {
        let pairs = (columns - at).div_ceil(2).min(16);
        let mut square = [_mm512_setzero_si512(); 16];
        for (j, row) in square.iter_mut().enumerate().take(rows) {
            // SAFETY: row j is there, with `columns` elements.
            *row = unsafe { pairs_of_row(x.as_ptr().add(j * row_len), at, columns) };
        }
        let turned = turn(square);
        for (p, &column) in turned.iter().enumerate().take(pairs) {
            // SAFETY: pair at / 2 + p is there, and has sixteen places.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().add((at / 2 + p) * width).cast(), column) };
        }
    }
}

/// Rows of a square to columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn turn(rows: [__m512i; 16]) -> [__m512i; 16] {
    let (mut a, mut b) = (rows, rows);
    for i in 0..8 {
        b[2 * i] = _mm512_unpacklo_epi32(a[2 * i], a[2 * i + 1]);
        b[2 * i + 1] = _mm512_unpackhi_epi32(a[2 * i], a[2 * i + 1]);
    }
    // Now b[4 i + ...] holds columns in quarters; four rows make columns 0 to 3 of each quarter.
    for i in 0..4 {
        a[4 * i] = _mm512_unpacklo_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 1] = _mm512_unpackhi_epi64(b[4 * i], b[4 * i + 2]);
        a[4 * i + 2] = _mm512_unpacklo_epi64(b[4 * i + 1], b[4 * i + 3]);
        a[4 * i + 3] = _mm512_unpackhi_epi64(b[4 * i + 1], b[4 * i + 3]);
    }
    // a[4 i + c]: rows 4 i .. 4 i + 4 of columns c, 4 + c, 8 + c, 12 + c, a quarter each.
    for c in 0..4 {
        let (low, high) = (a[c], a[4 + c]);
        let (low2, high2) = (a[8 + c], a[12 + c]);
        b[c] = _mm512_shuffle_i32x4::<0x88>(low, high);
        b[4 + c] = _mm512_shuffle_i32x4::<0xdd>(low, high);
        b[8 + c] = _mm512_shuffle_i32x4::<0x88>(low2, high2);
        b[12 + c] = _mm512_shuffle_i32x4::<0xdd>(low2, high2);
    }
    for c in 0..4 {
        a[c] = _mm512_shuffle_i32x4::<0x88>(b[c], b[8 + c]);
        a[8 + c] = _mm512_shuffle_i32x4::<0xdd>(b[c], b[8 + c]);
        a[4 + c] = _mm512_shuffle_i32x4::<0x88>(b[4 + c], b[12 + c]);
        a[12 + c] = _mm512_shuffle_i32x4::<0xdd>(b[4 + c], b[12 + c]);
    }
    a
}

/// Rows that are called for ahead of those that are read: rows far apart are not foreseen by the processor.
const AHEAD: usize = 16;

/// # Safety
/// The block must be there; `out` must have room for the panels, which must hold all columns.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn along_columns(block: Block, panels: Panels, out: &mut [u32]) {
    let Block { x, row_len, rows, columns } = block;
    let pairs = rows.div_ceil(2);
    // Lane j of the low half, then lane j of the high one.
    let order: [u16; 32] = std::array::from_fn(|i| (i / 2 + i % 2 * 16) as u16);
    // SAFETY: thirty-two whole numbers of 16 bits.
    let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
    for p in 0..pairs {
        let both = 2 * p + 1 < rows;
        let row = x.as_ptr().wrapping_add(2 * p * row_len);
        for first in (0..columns).step_by(panels.step()) {
            let width = panels.width(columns, first);
            let panel = out.as_mut_ptr().wrapping_add(panels.at(p, first, width));
            for at in (0..width).step_by(16) {
                let there = lanes(columns.saturating_sub(first + at));
                let even = row.wrapping_add(first + at);
                let odd = even.wrapping_add(row_len);
                // SAFETY: the masks keep to the columns and places that are there; row 2p is, and row 2p + 1 where `both`. A
                // call for a line may point anywhere.
                unsafe {
                    _mm_prefetch::<_MM_HINT_T1>(even.wrapping_add(AHEAD * row_len).cast());
                    _mm_prefetch::<_MM_HINT_T1>(odd.wrapping_add(AHEAD * row_len).cast());
                    let odd = _mm512_maskz_loadu_ps(if both { there } else { 0 }, odd);
                    let x = rounded(_mm512_maskz_loadu_ps(there, even), odd);
                    let x = _mm512_permutexvar_epi16(order, x);
                    let out = panel.add(at);
                    if width - at >= 16 {
                        _mm512_storeu_si512(out.cast(), x);
                    } else {
                        _mm512_mask_storeu_epi32(out.cast(), lanes(width - at), x);
                    }
                }
            }
        }
    }
}
