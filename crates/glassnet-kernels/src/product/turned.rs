//! Products whose lanes lie along the rows of the result: where it has few columns, or a number of them that fills no
//! vectors. `c^T = right^T left^T` is computed panel by panel of rows of c, and turned when it is stored.

use super::BLOCK;
use super::driver::{Chain, DEPTH, Left, Operand, Product, Right, sweep};
use super::pack;
use super::tile::{Ends, Tile, Tiles};
use super::turn::Out;
use crate::Real;
use crate::team::Shared;
use std::ops::Range;

/// Most columns: 32 rows of so many f32, before they are turned, are 32 KiB.
const COLUMNS: usize = 256;

/// Half cycles that the tiles take: multiply-adds, loads or a chain's latency, whichever is most.
fn tile_cost<T>(tiles: &Tiles<T>, rows: usize, lanes: usize, k: usize) -> usize {
    let vectors = lanes.div_ceil(tiles.lanes);
    let count = rows.div_ceil(tiles.most);
    let double = (2 * rows).max(8 * count);
    let single = (rows + count).max(8 * count);
    k * (vectors / 2 * double + vectors % 2 * single)
}

/// Whether the product is cheaper this way. Counts half cycles: a tile's multiply-adds, loads or latency; a quarter of a cycle
/// for each element that is turned, a sixteenth for each that is copied (AVX-512, `cargo run --example products`).
pub(super) fn better<T: Real>(tiles: &Tiles<T>, product: &Product<T>) -> bool {
    let &Product { m, n, k, left, ref right, .. } = product;
    let Right::There(_, right) = right else { return false };
    if n > COLUMNS || k == 0 {
        return false;
    }
    let packing = |operand: Operand, turned: Operand, len: usize| if operand == turned { len / 2 } else { len / 8 };
    let straight = tile_cost(tiles, m, n, k) + packing(*right, Operand::Columns, n * k);
    let across = tile_cost(tiles, n, m, k) + packing(left, Operand::Rows, m * k) + m * n / 2;
    across < straight
}

/// The rows of one thread. Distinct parts must not overlap.
pub(super) fn part<T: Real>(tiles: &Tiles<T>, product: &Product<T>, rows: Range<usize>, c: &Shared<T>) {
    let &Product { m, n, k, a, left, ref right, chain } = product;
    let Right::There(b, right) = *right else { return };
    let width = 2 * tiles.lanes;
    let most_depth = k.min(DEPTH);
    let block = if chain == Chain::AddBlocks { BLOCK } else { k };
    pack::with_panel((n + most_depth) * width, |room| {
        let (result, panel) = room.split_at_mut(n * width);
        for row in rows.clone().step_by(width) {
            let there = (rows.end - row).min(width);
            let b_step = there.next_multiple_of(tiles.lanes);
            for first in (0..k).step_by(block) {
                let end = k.min(first + block);
                for start in (first..end).step_by(DEPTH) {
                    let depth = DEPTH.min(end - start);
                    let panel = &mut panel[..depth * b_step];
                    let in_place = left == Operand::Columns && there == b_step && n <= 2 * tiles.most;
                    match left {
                        Operand::Columns if in_place => {}
                        Operand::Columns => pack::copy_rows(tiles, &a[start * m + row..], m, there, b_step, panel),
                        Operand::Rows => pack::turn_rows(tiles, &a[row * k + start..], k, there, b_step, panel),
                    }
                    let (lanes_at, lanes_step) =
                        if in_place { (a[start * m + row..].as_ptr(), m) } else { (panel.as_ptr(), b_step) };
                    let (at, a_row, a_step) = match right {
                        Operand::Columns => (start, k, 1),
                        Operand::Rows => (start * n, 1, n),
                    };
                    let at = b.as_ptr().wrapping_add(at);
                    let tile = Tile {
                        a: at,
                        a_row,
                        a_step,
                        b: lanes_at,
                        b_step: lanes_step,
                        c: result.as_mut_ptr(),
                        c_row: width,
                        columns: b_step,
                        k: depth,
                        ends: if start == first { Ends::Store } else { Ends::Continue },
                        ahead: std::ptr::null_mut(),
                    };
                    // SAFETY: the processor has the tiles' instructions. `run` has checked the operands' sizes; the lanes are a
                    // panel of depth x b_step, or that many of the operand in place; the result has n rows of `width`.
                    unsafe {
                        let left = Left { at, row: a_row, step: a_step, tiled: false };
                        sweep(tiles, &left, &tile, 0..n);
                    }
                }
                let out = if chain == Chain::Store { Out::Exact } else { Out::Added };
                for j in (0..n).step_by(tiles.side) {
                    let from = result[j * width..].as_ptr();
                    let to = c.pointer().wrapping_add(row * n + j);
                    // SAFETY: the result has rows j.. up to n; c's rows row..row + there are this thread's own.
                    unsafe { (tiles.turn)(from, width, (n - j).min(tiles.side), there, to, n, out) };
                }
            }
        }
    });
}
