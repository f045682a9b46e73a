//! Panels: columns of the right operand copied side by side, `[k, width]`, padded with zeros.

use super::turn::Strip;
use crate::Real;
use std::cell::RefCell;

/// A cache line, so that panels start at one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

thread_local! {
    /// Each thread's panel, grown once.
    static PANEL: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with this thread's panel of at least `len` elements, what they hold left from before (zeros at first).
pub(super) fn with_panel<T: Real>(len: usize, f: impl FnOnce(&mut [T])) {
    PANEL.with_borrow_mut(|lines| {
        let needed = (len * size_of::<T>()).div_ceil(size_of::<Line>());
        if lines.len() < needed {
            lines.resize(needed, Line([0; 64]));
        }
        // SAFETY: the lines hold len elements' bytes, aligned to 64, initialised; Real is f32 or f64, for which all
        // bytes are valid; the borrow lasts as long as the slice.
        f(unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast::<T>(), len) });
    });
}

/// `panel[p, j] = b[p, j]` for rows of `b` that are `row_len` apart; `columns` of `width` are there.
pub(super) fn copy_rows<T: Real>(b: &[T], row_len: usize, columns: usize, width: usize, panel: &mut [T]) {
    for (p, out) in panel.chunks_exact_mut(width).enumerate() {
        let row = &b[p * row_len..][..columns];
        out[..columns].copy_from_slice(row);
        out[columns..].fill(T::ZERO);
    }
}

/// `panel[p, j] = b[j, p]` for rows of `b` that are `row_len` apart; `columns` (rows of b) of `width` are there.
/// The processor must have the strip's instructions.
pub(super) fn turn_rows<T: Real>(
    strip: Option<Strip<T>>,
    b: &[T],
    row_len: usize,
    columns: usize,
    width: usize,
    panel: &mut [T],
) {
    let k = panel.len() / width;
    assert!(columns <= width && panel.len() == k * width && columns * row_len <= b.len() + row_len - k);
    let mut done = 0;
    if let Some(Strip { side, turn }) = strip {
        let whole = k - k % side;
        while done + side <= columns {
            let rows = &b[done * row_len..];
            // SAFETY: rows done..done + side of b have k elements, as asserted; the panel has k rows of `width`.
            unsafe { turn(rows.as_ptr(), row_len, whole, panel.as_mut_ptr().add(done), width) };
            for j in 0..side {
                for p in whole..k {
                    panel[p * width + done + j] = rows[j * row_len + p];
                }
            }
            done += side;
        }
    }
    for j in done..width {
        let row = if j < columns { Some(&b[j * row_len..][..k]) } else { None };
        for (p, out) in panel.chunks_exact_mut(width).enumerate() {
            out[j] = row.map_or(T::ZERO, |row| row[p]);
        }
    }
}
