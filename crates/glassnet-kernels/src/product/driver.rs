//! One loop for the three products: panels of k, panels of columns, tiles of rows.

use super::BLOCK;
use super::filled::Filled;
use super::pack;
use super::tile::{Ends, MAX_ROWS, MAX_WIDTH, Tile, Tiles, tiles};
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
const DEPTH: usize = 256;

/// Up to so many rows a row-major right operand is read where it lies: a copy would cost as much as the product.
const ROWS_IN_PLACE: usize = MAX_ROWS;

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
    let width = 2 * tiles.lanes;
    let c = Shared::new(c);
    let work = m.saturating_mul(n).saturating_mul(k);
    let parts = (work / PART_WORK).clamp(1, team.threads());
    let panels = n.div_ceil(width);
    if parts == 1 {
        part(&tiles, product, 0..m, 0..n, &c);
    } else if panels >= parts {
        // By columns: no two threads pack the same panel.
        team.fork(parts, &|number| {
            let share = share(panels, parts, number);
            part(&tiles, product, 0..m, share.start * width..(share.end * width).min(n), &c);
        });
    } else {
        let groups = m.div_ceil(tiles.rows[0]);
        let parts = parts.min(groups);
        team.fork(parts, &|number| {
            let share = share(groups, parts, number);
            part(&tiles, product, share.start * tiles.rows[0]..(share.end * tiles.rows[0]).min(m), 0..n, &c);
        });
    }
    parts
}

/// The rows and columns of one thread. Distinct parts must not overlap.
fn part<T: Real>(tiles: &Tiles<T>, product: &Product<T>, rows: Range<usize>, columns: Range<usize>, c: &Shared<T>) {
    let &Product { m, n, k, .. } = product;
    let depth = match product.chain {
        Chain::Store => DEPTH,
        Chain::Add => k,
        Chain::AddBlocks => BLOCK,
    };
    let in_place = match product.right {
        Right::There(b, Operand::Rows) if rows.len() <= ROWS_IN_PLACE => Some(b),
        _ => None,
    };
    if product.chain == Chain::AddBlocks && k == 0 {
        return;
    }
    pack::with_panel(depth.min(k) * 2 * tiles.lanes, |panel| {
        let mut start = 0;
        // At least once: the chain of nothing is +0.
        loop {
            let depth = depth.min(k - start);
            let ends = match product.chain {
                Chain::Store if start > 0 => Ends::Continue,
                Chain::Store => Ends::Store,
                Chain::Add | Chain::AddBlocks => Ends::Add,
            };
            let mut column = columns.start;
            while column < columns.end {
                let left = columns.end - column;
                let (width, tile_fns) =
                    if left > tiles.lanes { (2 * tiles.lanes, &tiles.double) } else { (tiles.lanes, &tiles.single) };
                let there = left.min(width);
                let (b, b_step) = match in_place {
                    Some(b) if there == width && depth > 0 => (b[start * n + column..].as_ptr(), n),
                    _ => {
                        let panel = &mut panel[..depth * width];
                        match product.right {
                            Right::There(b, Operand::Rows) if depth > 0 => {
                                pack::copy_rows(&b[start * n + column..], n, there, width, panel);
                            }
                            Right::There(b, Operand::Columns) if depth > 0 => {
                                pack::turn_rows(tiles.strip, &b[column * k + start..], k, there, width, panel);
                            }
                            Right::Made(b, number) if depth > 0 => {
                                b.fill(number, start..start + depth, column..column + there, panel, width);
                            }
                            _ => {}
                        }
                        (panel.as_ptr(), width)
                    }
                };
                let (a, a_row, a_step) = match product.left {
                    Operand::Rows => (start, k, 1),
                    Operand::Columns => (start * m, 1, m),
                };
                let a = product.a.as_ptr().wrapping_add(a);
                let c = c.pointer().wrapping_add(column);
                // SAFETY: `tiles` are of an instruction set that the processor has. `run` has checked the operands' sizes:
                // a's elements [rows, start..start + depth] are there; b is a panel of depth x width, or that many
                // columns of the operand in place; the c part is this thread's own.
                unsafe {
                    let tile = Tile { a, a_row, a_step, b, b_step, c, c_row: n, k: depth, ends };
                    sweep(&tiles.rows, tile_fns, tile, rows.clone(), there, width);
                }
                column += there;
            }
            start += depth;
            if start >= k {
                break;
            }
        }
    });
}

/// The tiles of `rows`, one below the other, on one panel of `width` columns of which `there` are there in c. `at` is the
/// tile that would begin at row 0.
///
/// # Safety
/// The processor must have the tiles' instructions; a must have `rows` x k, b k x `width`, c `rows` x `there`.
pub(super) unsafe fn sweep<T: Real>(
    heights: &[usize; 4],
    tile_fns: &[super::tile::TileFn<T>; 4],
    at: Tile<T>,
    rows: Range<usize>,
    there: usize,
    width: usize,
) {
    let mut row = rows.start;
    for (&height, &tile_fn) in heights.iter().zip(tile_fns) {
        while row + height <= rows.end {
            let a = at.a.wrapping_add(row * at.a_row);
            let c = at.c.wrapping_add(row * at.c_row);
            let tile = Tile { a, c, ..at };
            // SAFETY: as the caller promises; where the tile is wider than c, `narrow` stands between.
            unsafe {
                if there == width {
                    tile_fn(&tile);
                } else {
                    narrow(tile, tile_fn, height, there);
                }
            }
            row += height;
        }
    }
}

/// A tile of which only the first `columns` are there in c.
///
/// # Safety
/// As for the tile, but c needs only `rows` x `columns`.
pub(super) unsafe fn narrow<T: Real>(tile: Tile<T>, tile_fn: super::tile::TileFn<T>, rows: usize, columns: usize) {
    let mut own = [T::ZERO; MAX_ROWS * MAX_WIDTH];
    let (c, c_row) = (tile.c, tile.c_row);
    // SAFETY: c has rows x columns; `own` has room for the largest tile.
    unsafe {
        if tile.ends != Ends::Store {
            for i in 0..rows {
                std::ptr::copy_nonoverlapping(c.add(i * c_row), own.as_mut_ptr().add(i * MAX_WIDTH), columns);
            }
        }
        tile_fn(&Tile { c: own.as_mut_ptr(), c_row: MAX_WIDTH, ..tile });
        for i in 0..rows {
            std::ptr::copy_nonoverlapping(own.as_ptr().add(i * MAX_WIDTH), c.add(i * c_row), columns);
        }
    }
}
