//! One loop for the three products: blocks of rows, panels of k, panels of columns, tiles of rows.

use super::BLOCK;
use super::filled::Filled;
use super::pack;
use super::tile::{Ahead, Ends, LINE, MAX_ROWS, Tile, Tiles, WIDE, WIDE_ROWS, tiles};
use super::tiny;
use super::turned;
use crate::Real;
use crate::lanes::Isa;
use crate::team::{Shared, Team, share};
use std::ops::Range;

/// How an operand lies in memory, seen as `[rows, k]` on the left and `[k, columns]` on the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// Row-major as seen.
    Rows,
    /// Transposed.
    Columns,
}

/// The right operand, `[k, columns]`.
pub(super) enum Right<'a, T> {
    /// It lies in memory.
    There(&'a [T], Operand),
    /// Matrix number so and so of those that are made panel by panel.
    Made(&'a dyn Filled<T>, usize),
}

/// Chains of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    /// One along k: the result.
    Store,
    /// One along k, added to what is there.
    Add,
    /// One for each [`BLOCK`] of k, added in order to what is there.
    AddBlocks,
}

/// `c[m, n] <- left[m, k] right[k, n]`.
pub(super) struct Product<'a, T> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: &'a [T],
    pub left: Operand,
    pub right: Right<'a, T>,
    pub chain: Chain,
}

/// Multiply-adds that are worth a thread: some microseconds of AVX-512, several times what a fork costs.
pub(super) const PART_WORK: usize = 1 << 18;

/// Depth of a panel where a chain may be put down and taken up: 32 columns of f32 are then 32 KiB, within the L1 cache.
pub(super) const DEPTH: usize = 256;

/// Rows of a block: of f32 and a panel's depth, half a megabyte, within the L2 cache.
const ROWS: usize = 504;

/// Up to so many rows a row-major right operand is read where it lies: a copy would cost as much as the product.
const ROWS_IN_PLACE: usize = 2 * MAX_ROWS;

/// Up to so many elements along k the result takes longer to write than to compute: it is written in long pieces of rows.
const SHALLOW: usize = 12;

/// Bytes of a right operand that the L2 cache keeps.
const IN_CACHE: usize = 1 << 19;

/// Panels of a row-major right operand that are asked for together.
const GROUP: usize = 4;

/// Elements along k from which on unfinished chains are kept in a room of their own: rows of c are far apart, and all columns
/// of c between two takings up are more than the L2 cache holds.
const LONG: usize = 3 * DEPTH;

/// Columns of such a room: with [`ROWS`] / 2 rows, a quarter of a megabyte.
const NEAR: usize = 256;

/// Fewest rows for which it pays.
const NEAR_ROWS: usize = 64;

/// Most elements of a left operand that each thread copies whole.
const MOST_COPIED: usize = 1 << 21;

/// Panels of columns from which on a copy of the left operand pays, where it lies badly.
const PANELS_FOR_A_COPY: usize = 3;

/// Computes the product; the number of parts that it was split in.
pub(super) fn run<T: Real>(isa: Isa, team: &Team, product: &Product<T>, c: &mut [T]) -> usize {
    let &Product { m, n, k, .. } = product;
    // Saturating: a product of sizes that overflows must not pass for a small one.
    assert!(product.a.len() >= m.saturating_mul(k), "the left operand has fewer elements than {m} x {k}");
    if let Right::There(b, _) = product.right {
        assert!(b.len() >= n.saturating_mul(k), "the right operand has fewer elements than {k} x {n}");
    }
    assert!(c.len() >= m.saturating_mul(n), "the result has fewer elements than {m} x {n}");
    if m == 0 || n == 0 {
        return 1;
    }
    let tiles = tiles::<T>(isa);
    if k > 0 && tiny::run(tiles, product, c.as_mut_ptr()) {
        return 1;
    }
    let c = Shared::new(c);
    let work = m.saturating_mul(n).saturating_mul(k);
    let parts = if work < 2 * PART_WORK { 1 } else { (work / PART_WORK).min(team.threads()) };
    if let (1, Right::There(b, Operand::Columns), Chain::Store, Some(row)) =
        (m, &product.right, product.chain, tiles.row)
    {
        return each(team, parts, n, 2 * tiles.lanes, |columns| {
            let b = b.as_ptr().wrapping_add(columns.start * k);
            // SAFETY: the sizes have been checked, the processor has the instructions, and these columns are this thread's.
            unsafe { row(product.a.as_ptr(), b, k, columns.len(), k, c.pointer().add(columns.start)) };
        });
    }
    if turned::better(tiles, product) {
        return each(team, parts, m, tiles.lanes, |rows| turned::part(tiles, product, rows, &c));
    }
    // By columns where that is even: no two threads make the same panel.
    let uneven = |units: usize| units.div_ceil(parts) * parts * 16 > units * 18;
    let (across, down) = (n.div_ceil(tiles.lanes), m.div_ceil(tiles.most));
    if uneven(across) && !uneven(down) {
        each(team, parts, m, tiles.most, |rows| part(tiles, product, rows, 0..n, &c))
    } else {
        each(team, parts, n, tiles.lanes, |columns| part(tiles, product, 0..m, columns, &c))
    }
}

/// Splits 0..total, in units of so many, over at most `parts` threads.
fn each(team: &Team, parts: usize, total: usize, unit: usize, f: impl Fn(Range<usize>) + Sync) -> usize {
    if parts == 1 {
        f(0..total);
        return 1;
    }
    let units = total.div_ceil(unit);
    let parts = parts.min(units);
    team.fork(parts, &|number| {
        let share = share(units, parts, number);
        f(share.start * unit..(share.end * unit).min(total));
    });
    parts
}

/// Whether rows so long fall on the same place of the cache, so that a few of them push each other out.
fn collide<T: Real>(row: usize) -> bool {
    row > 0 && (row * T::BYTES).is_multiple_of(2048)
}

/// How a left operand lies: element (i, p) at `at + i row + p step`, or tile by tile, element (i, p) of a tile of r rows
/// that begins with row s at `at + s depth + p r + i`.
#[derive(Clone, Copy)]
pub(super) struct Left<T> {
    pub at: *const T,
    pub row: usize,
    pub step: usize,
    pub tiled: bool,
}

/// Cuts rows into tiles of nearly the same height, none above `most`.
#[inline(always)]
pub(super) fn heights(most: usize, rows: Range<usize>, mut f: impl FnMut(usize, usize)) {
    let count = rows.len().div_ceil(most);
    if count == 0 {
        return;
    }
    let (height, higher) = (rows.len() / count, rows.len() % count);
    let mut row = rows.start;
    for number in 0..count {
        let height = height + usize::from(number < higher);
        f(row, height);
        row += height;
    }
}

/// The rows and columns of one thread. Distinct parts must not overlap.
fn part<T: Real>(tiles: &Tiles<T>, product: &Product<T>, rows: Range<usize>, columns: Range<usize>, c: &Shared<T>) {
    let &Product { m, n, k, .. } = product;
    if product.chain == Chain::AddBlocks && k == 0 {
        return;
    }
    let most_depth = match product.chain {
        Chain::Store => DEPTH,
        Chain::Add => k,
        Chain::AddBlocks => BLOCK,
    }
    .min(k);
    let width = 2 * tiles.lanes;
    let copied = k > SHALLOW
        && columns.len() > PANELS_FOR_A_COPY * width
        && match product.left {
            Operand::Rows => collide::<T>(k),
            Operand::Columns => true,
        };
    let block = if copied { rows.len().min(ROWS) } else { rows.len() };
    // A long chain is put down and taken up many times: near the processor, a group of columns at a time.
    let near = product.chain == Chain::Store
        && k >= LONG
        && (NEAR_ROWS..=ROWS).contains(&block)
        && columns.len() > NEAR
        && matches!(product.right, Right::There(_, Operand::Columns))
        && (!copied || block * k <= MOST_COPIED);
    let group = if near { NEAR } else { columns.len() };
    let near_room = if near { block * NEAR } else { 0 };
    let one_room = if copied { pack::left_room::<T>(block, most_depth) } else { 0 };
    // Copied once for all groups.
    let left_room = if near { one_room * k.div_ceil(most_depth.max(1)) } else { one_room };
    let large = n.saturating_mul(k) * T::BYTES > IN_CACHE;
    let in_place = match product.right {
        Right::There(b, Operand::Rows) if rows.len() <= ROWS_IN_PLACE || k <= SHALLOW => Some(b),
        _ => None,
    };
    let apart_room = match product.right {
        Right::There(_, Operand::Columns) if collide::<T>(k) => pack::left_room::<T>(width, most_depth),
        _ => 0,
    };
    pack::with_panel(near_room + left_room + apart_room + most_depth * width, |room| {
        let (near_room, room) = room.split_at_mut(near_room);
        let (left_room, room) = room.split_at_mut(left_room);
        let (apart_room, panel) = room.split_at_mut(apart_room);
        let groups = columns.clone().step_by(group);
        for (top, first) in rows.clone().step_by(block).flat_map(|top| groups.clone().map(move |first| (top, first))) {
            let rows = top..(top + block).min(rows.end);
            let (whole, columns) = (columns.clone(), first..(first + group).min(columns.end));
            let mut start = 0;
            // At least once: the chain of nothing is +0.
            loop {
                let depth = most_depth.min(k - start);
                let ends = match product.chain {
                    Chain::Store if start > 0 => Ends::Continue,
                    Chain::Store => Ends::Store,
                    Chain::Add | Chain::AddBlocks => Ends::Add,
                };
                let (at, row, step) = match product.left {
                    Operand::Rows => (rows.start * k + start, k, 1),
                    Operand::Columns => (start * m + rows.start, 1, m),
                };
                let at = product.a.as_ptr().wrapping_add(at);
                let left_room =
                    if near { &mut left_room[start / DEPTH * one_room..][..one_room] } else { &mut *left_room };
                // SAFETY: `run` has checked that a has its rows and columns; the processor has the instructions.
                let left = unsafe {
                    match product.left {
                        _ if !copied => Left { at, row, step, tiled: false },
                        Operand::Rows if first > whole.start => pack::copied_left(depth, left_room),
                        Operand::Rows => pack::copy_left(tiles, at, row, rows.len(), depth, left_room),
                        Operand::Columns => pack::tile_left(tiles, at, step, rows.len(), depth, left_room),
                    }
                };
                // What the tiles of one panel can ask for, a cache line's worth of k at a time.
                let times = rows.len().div_ceil(tiles.most) * depth.div_ceil(LINE / T::BYTES);
                let mut ahead = Ahead::nothing();
                // What comes after the panels before a column: start and depth along k, and columns.
                let after = |column: usize| match start + depth {
                    _ if column < columns.end => (start, depth, column..columns.end),
                    next if next < k => (next, most_depth.min(k - next), columns.clone()),
                    _ => (0, most_depth, columns.end..(columns.end + group).min(whole.end)),
                };
                let mut column = columns.start;
                while column < columns.end {
                    let there = (columns.end - column).min(width);
                    let (c, c_row) = match near {
                        true => (near_room.as_mut_ptr().wrapping_add((column - first) * rows.len()), there),
                        false => (c.pointer().wrapping_add(rows.start * n + column), n),
                    };
                    let tile = Tile {
                        a: left.at,
                        a_row: row,
                        a_step: step,
                        b: panel.as_ptr(),
                        b_step: 0,
                        c,
                        c_row,
                        columns: there,
                        k: depth,
                        ends,
                        ahead: std::ptr::null_mut(),
                    };
                    if let Some(b) = in_place.filter(|_| depth > 0) {
                        let b = b.as_ptr().wrapping_add(start * n + column);
                        let wide = WIDE * tiles.lanes;
                        let few = rows.len() <= tiles.wide_rows || (k <= SHALLOW && tiles.wide_rows == WIDE_ROWS);
                        if few && !left.tiled && columns.end - column >= wide {
                            let tile = Tile { b, b_step: n, columns: wide, ..tile };
                            heights(tiles.wide_rows, 0..rows.len(), |row, height| {
                                let a = left.at.wrapping_add(row * left.row);
                                let tile = Tile { a, c: tile.c.wrapping_add(row * n), ..tile };
                                // SAFETY: as below; a wide tile's columns are all there.
                                unsafe { tiles.wide[height - 1](&tile, width) };
                            });
                            column += wide;
                            continue;
                        }
                        if tiles.edge_in_place || there.is_multiple_of(tiles.lanes) {
                            // SAFETY: as below, with columns of the operand in place.
                            unsafe { sweep(tiles, &left, &Tile { b, b_step: n, ..tile }, 0..rows.len()) };
                            column += there;
                            continue;
                        }
                    }
                    let b_step = there.next_multiple_of(tiles.lanes);
                    let panel = &mut panel[..depth * b_step];
                    match product.right {
                        _ if depth == 0 => {}
                        Right::There(b, Operand::Rows) => {
                            pack::copy_rows(tiles, &b[start * n + column..], n, there, b_step, panel);
                            // Some panels at once: rows of the operand may be far apart.
                            if large && (column - columns.start).is_multiple_of(GROUP * width) {
                                let (start, depth, columns) = after((column + GROUP * width).min(columns.end));
                                let at = b.as_ptr().wrapping_add(start * n + columns.start);
                                ahead = Ahead::new(at, n, depth, columns.len().min(GROUP * width), GROUP * times);
                            }
                        }
                        Right::There(b, Operand::Columns) => {
                            if apart_room.is_empty() {
                                pack::turn_rows(tiles, &b[column * k + start..], k, there, b_step, panel);
                            } else {
                                let from = b.as_ptr().wrapping_add(column * k + start);
                                // SAFETY: `run` has checked that b has its rows; the processor has the instructions.
                                let row = unsafe { pack::copy_left(tiles, from, k, there, depth, apart_room) }.row;
                                pack::turn_rows(tiles, apart_room, row, there, b_step, panel);
                            }
                            if large {
                                let (start, depth, columns) = after(column + there);
                                let at = b.as_ptr().wrapping_add(columns.start * k + start);
                                ahead = Ahead::new(at, k, columns.len().min(width), depth, times);
                            }
                        }
                        Right::Made(b, number) => {
                            b.fill(number, start..start + depth, column..column + there, panel, b_step);
                        }
                    }
                    // SAFETY: `tiles` are of an instruction set that the processor has. `run` has checked the operands' sizes:
                    // a's elements [rows, start..start + depth] are there; b is a panel of depth x b_step; the c part is
                    // this thread's own.
                    unsafe {
                        sweep(
                            tiles,
                            &left,
                            &Tile { b: panel.as_ptr(), b_step, ahead: &raw mut ahead, ..tile },
                            0..rows.len(),
                        )
                    };
                    column += there;
                }
                start += depth;
                if start >= k {
                    break;
                }
            }
            if near {
                for (number, values) in near_room[..rows.len() * columns.len()].chunks(rows.len() * width).enumerate() {
                    let there = values.len() / rows.len();
                    for (row, values) in rows.clone().zip(values.chunks_exact(there)) {
                        let c = c.pointer().wrapping_add(row * n + first + number * width);
                        // SAFETY: the row and these columns are this thread's.
                        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), c, there) };
                    }
                }
            }
        }
    });
}

/// The tiles of `rows`, one below the other, on one panel of columns. `at` is the tile that would begin at row 0; `left`
/// says where its rows are.
///
/// # Safety
/// The processor must have the tiles' instructions; a must have `rows` x k, and b and c what [`super::tile::TileFn`] asks for.
#[inline]
pub(super) unsafe fn sweep<T: Real>(tiles: &Tiles<T>, left: &Left<T>, at: &Tile<T>, rows: Range<usize>) {
    heights(tiles.most, rows, |row, height| {
        let (a, a_row, a_step) = if left.tiled {
            (left.at.wrapping_add(row * at.k), 1, height)
        } else {
            (left.at.wrapping_add(row * left.row), left.row, left.step)
        };
        let tile = Tile { a, a_row, a_step, c: at.c.wrapping_add(row * at.c_row), ..*at };
        // SAFETY: as the caller promises.
        unsafe { tiles.run(height, &tile) };
    });
}
