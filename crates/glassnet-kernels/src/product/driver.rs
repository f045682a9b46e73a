//! One loop for the three products: panels of k, panels of columns, tiles of rows.

use super::BLOCK;
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
    pub b: &'a [T],
    pub left: Operand,
    pub right: Operand,
    pub chain: Chain,
}

/// Multiply-adds that are worth a thread: some microseconds of AVX-512, several times what a fork costs.
const PART_WORK: usize = 1 << 18;

/// Depth of a panel where a chain may be put down and taken up: 32 columns of f32 are then 32 KiB, within the L1 cache.
const DEPTH: usize = 256;

/// Up to so many rows a row-major right operand is read where it lies: a copy would cost as much as the product.
const ROWS_IN_PLACE: usize = MAX_ROWS;

/// Computes the product; the number of parts that it was split in.
pub(super) fn run<T: Real>(isa: Isa, team: &Team, product: &Product<T>, c: &mut [T]) -> usize {
    let &Product { m, n, k, .. } = product;
    // Saturating: a product of sizes that overflows must not pass for a small one.
    assert!(product.a.len() >= m.saturating_mul(k), "the left operand has fewer elements than {m} x {k}");
    assert!(product.b.len() >= n.saturating_mul(k), "the right operand has fewer elements than {k} x {n}");
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
    let in_place = product.right == Operand::Rows && rows.len() <= ROWS_IN_PLACE;
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
                let (b, b_step) = if in_place && there == width && depth > 0 {
                    (product.b[start * n + column..].as_ptr(), n)
                } else {
                    let panel = &mut panel[..depth * width];
                    match product.right {
                        Operand::Rows if depth > 0 => {
                            pack::copy_rows(&product.b[start * n + column..], n, there, width, panel);
                        }
                        Operand::Columns if depth > 0 => {
                            pack::turn_rows(tiles.strip, &product.b[column * k + start..], k, there, width, panel);
                        }
                        _ => {}
                    }
                    (panel.as_ptr(), width)
                };
                let mut row = rows.start;
                for (&tile_rows, &tile_fn) in tiles.rows.iter().zip(tile_fns) {
                    while row + tile_rows <= rows.end {
                        let (a, a_row, a_step) = match product.left {
                            Operand::Rows => (row * k + start, k, 1),
                            Operand::Columns => (start * m + row, 1, m),
                        };
                        let c = c.pointer().wrapping_add(row * n + column);
                        let a = product.a.as_ptr().wrapping_add(a);
                        let tile = Tile { a, a_row, a_step, b, b_step, c, c_row: n, k: depth, ends };
                        // SAFETY: `tiles` are of an instruction set that the processor has. `run` has checked the
                        // operands' sizes: a's elements [row..row + tile_rows, start..start + depth] are there; b is
                        // a panel of depth x width, or that many columns of the operand in place; the c part
                        // is this thread's own, and where the tile is wider than it, `narrow` stands between.
                        unsafe {
                            if there == width {
                                tile_fn(&tile);
                            } else {
                                narrow(tile, tile_fn, tile_rows, there);
                            }
                        }
                        row += tile_rows;
                    }
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
