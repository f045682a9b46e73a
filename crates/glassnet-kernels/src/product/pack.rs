//! Panels: columns of the right operand copied side by side, `[k, width]`, padded with zeros.

use super::driver::{Left, heights};
use super::tile::{MAX_WIDTH, Tiles};
use super::turn::Out;
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
pub(super) fn copy_rows<T: Real>(
    tiles: &Tiles<T>,
    b: &[T],
    row_len: usize,
    columns: usize,
    width: usize,
    panel: &mut [T],
) {
    let k = panel.len() / width;
    assert!(columns <= width && (k == 0 || (k - 1) * row_len + columns <= b.len()));
    // SAFETY: b has k rows of `columns`, as asserted, and the panel k of `width`; the processor has the tiles' instructions.
    unsafe { (tiles.copy)(b.as_ptr(), row_len, k, columns, panel.as_mut_ptr(), width) };
}

/// `panel[p, j] = b[j, p]` for rows of `b` that are `row_len` apart; `columns` (rows of b) of `width` are there.
pub(super) fn turn_rows<T: Real>(
    tiles: &Tiles<T>,
    b: &[T],
    row_len: usize,
    columns: usize,
    width: usize,
    panel: &mut [T],
) {
    let (k, side) = (panel.len() / width, tiles.side);
    assert!(columns <= width && panel.len() == k * width);
    assert!(columns == 0 || (columns - 1) * row_len + k <= b.len());
    let whole = width - width % side;
    for first in (0..whole).step_by(side) {
        let rows = columns.saturating_sub(first).min(side);
        let from = b.as_ptr().wrapping_add(first * row_len);
        // SAFETY: rows first..first + rows of b have k elements, as asserted; the panel has k rows of `width`.
        unsafe { (tiles.turn)(from, row_len, rows, k, panel.as_mut_ptr().add(first), width, Out::Padded) };
    }
    // A panel of a product is whole; other users have columns left over.
    for j in whole..width {
        for (p, out) in panel.chunks_exact_mut(width).enumerate() {
            out[j] = if j < columns { b[j * row_len + p] } else { T::ZERO };
        }
    }
}

/// Elements by which rows of `depth` are apart in a copy of a left operand: an odd number of cache lines, so that rows side
/// by side do not push each other out of the cache.
fn left_row<T: Real>(depth: usize) -> usize {
    let line = size_of::<Line>() / T::BYTES;
    (depth.div_ceil(line) | 1) * line
}

/// Elements of the room for a copy of a left operand: whole lines.
pub(super) fn left_room<T: Real>(rows: usize, depth: usize) -> usize {
    rows * left_row::<T>(depth) + MAX_WIDTH
}

/// Copies `rows` rows of `depth`, `from_row` apart, to `room`; how they lie there.
///
/// # Safety
/// All of that must be there.
pub(super) unsafe fn copy_left<T: Real>(
    tiles: &Tiles<T>,
    from: *const T,
    from_row: usize,
    rows: usize,
    depth: usize,
    room: &mut [T],
) -> Left<T> {
    let row = left_row::<T>(depth);
    assert!(room.len() >= left_room::<T>(rows, depth));
    // SAFETY: the caller promises the rows; the room has them, `row` apart.
    unsafe {
        for i in 0..rows {
            (tiles.copy)(from.add(i * from_row), 0, 1, depth, room.as_mut_ptr().add(i * row), depth);
        }
    }
    copied_left(depth, room)
}

/// How rows of `depth` lie in a room that [`copy_left`] has filled.
pub(super) fn copied_left<T: Real>(depth: usize, room: &[T]) -> Left<T> {
    Left { at: room.as_ptr(), row: left_row::<T>(depth), step: 1, tiled: false }
}

/// Copies a transposed left operand, `depth` rows `from_row` apart of `rows` columns, tile by tile: the columns of a tile
/// side by side, one row of the operand after the other.
///
/// # Safety
/// All of that must be there.
pub(super) unsafe fn tile_left<T: Real>(
    tiles: &Tiles<T>,
    from: *const T,
    from_row: usize,
    rows: usize,
    depth: usize,
    room: &mut [T],
) -> Left<T> {
    assert!(room.len() >= rows * depth);
    heights(tiles.most, 0..rows, |row, height| {
        // SAFETY: the caller promises columns row..row + height of the operand; the room has a place for each.
        unsafe {
            let to = room.as_mut_ptr().add(row * depth);
            (tiles.copy)(from.add(row), from_row, depth, height, to, height);
        }
    });
    Left { at: room.as_ptr(), row: 1, step: 0, tiled: true }
}
