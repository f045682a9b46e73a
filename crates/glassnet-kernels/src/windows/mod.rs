//! Products with the windows of an image, read where the image lies: a convolution without a matrix of patches.
//!
//! A window's element for tap k and position p stands at `taps[k] + place(p)` of the image, where positions run along rows:
//! `place(p) = p / across * row_step + p % across`. So sixteen neighbouring positions are a vector made of a few runs of
//! neighbouring elements, and a tap moves all of them together.
//!
//! [`product`]: `y[i, p] = chain over k of weight[i, k] x[taps[k] + place(p)]`, then the bias: the order of
//! [`crate::product::product_nn`]. [`add_upstream`]: `sums[k, o] += chain over p of g[p, o] x[taps[k] + place(p)]`, in blocks of
//! [`crate::product::BLOCK`] positions: the order of [`crate::product::product_nt_filled`]. The same bytes as those give.
//!
//! Only f32 with AVX-512 has this path ([`ready`]); elsewhere a product with patches does the same.

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop, reason = "registers by number")]
mod avx512;

use std::any::TypeId;
use std::cell::RefCell;

use crate::Real;
use crate::lanes::{Isa, current};

/// Rows of the left operand that are packed side by side.
pub const ROWS: usize = 8;

/// Lanes of a vector; the upstream gradient's channels are padded to a multiple of it.
pub const LANES: usize = 16;

/// Most runs that a vector may be made of.
const MAX_RUNS: usize = 4;

/// Whether this processor and type have the path, for positions that lie `row_step` apart from row to row.
pub fn ready<T: Real>([_, across]: [usize; 2], row_step: usize) -> bool {
    // Sixteen positions begin anywhere in a row and cross this many ends of rows.
    let runs = if row_step == across { 1 } else { 1 + (LANES - 1).div_ceil(across.max(1)) };
    cfg!(target_arch = "x86_64")
        && TypeId::of::<T>() == TypeId::of::<f32>()
        && runs <= MAX_RUNS
        && current() == Isa::Avx512
}

thread_local! {
    /// Each thread's table of taps, grown once.
    static TABLE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with room for `len` taps on this thread, whatever an earlier call left in it.
pub fn with_table<R>(len: usize, f: impl FnOnce(&mut [u32]) -> R) -> R {
    TABLE.with_borrow_mut(|table| {
        if table.len() < len {
            table.resize(len, 0);
        }
        f(&mut table[..len])
    })
}

/// An image and the windows over it.
#[derive(Debug, Clone, Copy)]
pub struct Windows<'a, T> {
    image: &'a [T],
    taps: &'a [u32],
    furthest: usize,
    positions: [usize; 2],
    row_step: usize,
}

impl<'a, T: Real> Windows<'a, T> {
    /// The windows of `taps` at `positions` (rows, columns); what lies `row_step` further is seen from the next row.
    ///
    /// # Panics
    /// Where a window reaches beyond the image.
    pub fn new(image: &'a [T], taps: &'a [u32], positions: [usize; 2], row_step: usize) -> Self {
        let furthest = taps.iter().fold(0, |most, &tap| most.max(tap)) as usize;
        Windows { image, taps, furthest, positions, row_step }.checked()
    }

    /// The same windows of another image.
    ///
    /// # Panics
    /// As [`Windows::new`].
    pub fn of(&self, image: &'a [T]) -> Self {
        Windows { image, ..*self }.checked()
    }

    fn checked(self) -> Self {
        let [down, across] = self.positions;
        let last = down.saturating_sub(1).saturating_mul(self.row_step).saturating_add(across.saturating_sub(1));
        let seen = down > 0 && across > 0 && !self.taps.is_empty();
        assert!(
            !seen || last.saturating_add(self.furthest) < self.image.len(),
            "a window reaches beyond the image's {} elements",
            self.image.len()
        );
        self
    }
}

/// Elements of a packed left operand `[m, k]`.
pub fn packed_len(m: usize, k: usize) -> usize {
    m.div_ceil(ROWS) * ROWS * k
}

/// Packs `weight [m, k]` for [`product`]: eight rows side by side, zeros below the last.
///
/// # Panics
/// Where a slice is too short.
pub fn pack<T: Real>(m: usize, k: usize, weight: &[T], packed: &mut [T]) {
    let packed = &mut packed[..packed_len(m, k)];
    if k == 0 {
        return;
    }
    for (rows, out) in weight[..m * k].chunks(ROWS * k).zip(packed.chunks_exact_mut(ROWS * k)) {
        if !rows.len().is_multiple_of(ROWS * k) {
            out.fill(T::ZERO);
        }
        for (i, row) in rows.chunks_exact(k).enumerate() {
            for (out, &w) in out.iter_mut().skip(i).step_by(ROWS).zip(row) {
                *out = w;
            }
        }
    }
}

/// `y[i, p] = chain over k of weight[i, k] x[taps[k] + place(p)]`, plus `bias[i]` where there is one; the weight is packed.
///
/// # Panics
/// Without [`ready`], and where a slice is too short.
pub fn product<T: Real>(m: usize, packed: &[T], windows: &Windows<'_, T>, bias: Option<&[T]>, y: &mut [T]) {
    let [down, across] = windows.positions;
    let positions = down.saturating_mul(across);
    assert!(ready::<T>(windows.positions, windows.row_step), "no windows path here");
    assert!(packed.len() >= packed_len(m, windows.taps.len()), "the weight has fewer elements than its shape says");
    assert!(y.len() >= m.saturating_mul(positions), "the result has fewer elements than {m} x {positions}");
    assert!(bias.is_none_or(|bias| bias.len() >= m), "the bias has fewer than {m} elements");
    #[cfg(target_arch = "x86_64")]
    if m > 0 && positions > 0 {
        // SAFETY: `ready` has found AVX-512 and that T is f32; the sizes are checked above and in `Windows`.
        unsafe {
            avx512::product(
                m,
                packed.as_ptr().cast(),
                &avx512::View::of(windows),
                bias.map_or(std::ptr::null(), |bias| bias.as_ptr().cast()),
                y.as_mut_ptr().cast(),
            );
        }
    }
}

/// `sums[k, o] += chain over p of upstream[p, o] x[taps[k] + place(p)]`, positions in blocks of 1,024, for the taps of the
/// windows; rows of `sums` and `upstream` are `outputs` long, a multiple of [`LANES`].
///
/// # Panics
/// Without [`ready`], where `outputs` is no multiple of [`LANES`], and where a slice is too short.
pub fn add_upstream<T: Real>(outputs: usize, upstream: &[T], windows: &Windows<'_, T>, sums: &mut [T]) {
    let [down, across] = windows.positions;
    let positions = down.saturating_mul(across);
    assert!(ready::<T>(windows.positions, windows.row_step), "no windows path here");
    assert!(outputs.is_multiple_of(LANES), "{outputs} outputs are no multiple of {LANES}");
    assert!(upstream.len() >= positions.saturating_mul(outputs), "the upstream gradient is too short");
    assert!(sums.len() >= windows.taps.len().saturating_mul(outputs), "the sums are too short");
    #[cfg(target_arch = "x86_64")]
    if positions > 0 {
        // SAFETY: as in `product`.
        unsafe {
            avx512::add_upstream(
                outputs,
                upstream.as_ptr().cast(),
                &avx512::View::of(windows),
                sums.as_mut_ptr().cast(),
            );
        }
    }
}
