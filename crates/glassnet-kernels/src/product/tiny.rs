//! Products so small that finding out how to cut them would take longer than they do: tiles are laid over the result from its
//! first corner on, panels lie on the stack.

use std::mem::MaybeUninit;

use super::BLOCK;
use super::driver::{Chain, Operand, Product, Right};
use super::tile::{Ends, MAX_ROWS, MAX_WIDTH, Tile, Tiles};
use super::turn::Out;
use crate::Real;

/// Most multiply-adds.
const WORK: usize = 1 << 13;
/// Most elements along k: a panel of that depth is 8 KiB of f32.
const DEPTH: usize = 64;
const _: () = assert!(DEPTH <= BLOCK);

/// Computes the product if it is one of these; false, and nothing done, if not. The operands' sizes have been checked; m, n and
/// k are not 0.
#[inline]
pub(super) fn run<T: Real>(tiles: &Tiles<T>, product: &Product<T>, c: *mut T) -> bool {
    let &Product { m, n, k, a, left, ref right, chain } = product;
    let Right::There(b, right) = *right else { return false };
    let width = 2 * tiles.lanes;
    if k > DEPTH || m.saturating_mul(n).saturating_mul(k) > WORK {
        return false;
    }
    if left == Operand::Columns && right == Operand::Rows && n <= 2 && m > n && tiles.edge_in_place {
        across(tiles, product, b, c);
        return true;
    }
    if n > width || (right == Operand::Rows && !tiles.edge_in_place) {
        return false;
    }
    let mut panel = [const { MaybeUninit::<T>::uninit() }; MAX_WIDTH * DEPTH];
    let (b, b_step) = match right {
        Operand::Rows => (b.as_ptr(), n),
        Operand::Columns => {
            let b_step = if n > tiles.lanes { width } else { tiles.lanes };
            let to = panel.as_mut_ptr().cast::<T>();
            let mut first = 0;
            while first < b_step {
                let rows = n.saturating_sub(first).min(tiles.side);
                let from = b.as_ptr().wrapping_add(first * k);
                // SAFETY: rows first..first + rows of b have k elements; the panel has room for k rows of b_step, and every
                // element of them is written.
                unsafe { (tiles.turn)(from, k, rows, k, to.add(first), b_step, Out::Padded) };
                first += tiles.side;
            }
            (to.cast_const(), b_step)
        }
    };
    let (a_row, a_step) = if left == Operand::Rows { (k, 1) } else { (1, m) };
    let ends = if chain == Chain::Store { Ends::Store } else { Ends::Add };
    let mut row = 0;
    while row < m {
        // Two halves rather than a high tile and a low one, which would wait for its few chains.
        let left = m - row;
        let rows = if left <= tiles.most { left } else { tiles.most.min(left.div_ceil(2)) };
        let tile = Tile {
            a: a.as_ptr().wrapping_add(row * a_row),
            a_row,
            a_step,
            b,
            b_step,
            c: c.wrapping_add(row * n),
            c_row: n,
            columns: n,
            k,
            ends,
            ahead: std::ptr::null_mut(),
        };
        // SAFETY: the processor has the instructions; the operands' sizes have been checked; b is a panel or, with edges that
        // keep to their columns, in place.
        unsafe { tiles.run(rows, &tile) };
        row += rows;
    }
    true
}

/// Both operands have k outermost, and c is higher than it is wide: lanes along its rows, turned when they are stored.
#[inline]
fn across<T: Real>(tiles: &Tiles<T>, product: &Product<T>, b: &[T], c: *mut T) {
    let &Product { m, n, k, a, chain, .. } = product;
    let width = 2 * tiles.lanes;
    let mut result = [const { MaybeUninit::<T>::uninit() }; MAX_ROWS * MAX_WIDTH];
    let result = result.as_mut_ptr().cast::<T>();
    let out = if chain == Chain::Store { Out::Exact } else { Out::Added };
    let mut row = 0;
    while row < m {
        let columns = (m - row).min(width);
        let tile = Tile {
            a: b.as_ptr(),
            a_row: 1,
            a_step: n,
            b: a.as_ptr().wrapping_add(row),
            b_step: m,
            c: result,
            c_row: width,
            columns,
            k,
            ends: Ends::Store,
            ahead: std::ptr::null_mut(),
        };
        // SAFETY: the processor has the instructions and edges that keep to their columns; the operands' sizes have been
        // checked; the result has room for n rows of `width`, and what is read of it has been written.
        unsafe {
            tiles.run(n, &tile);
            let mut j = 0;
            while j < n {
                (tiles.turn)(
                    result.add(j * width),
                    width,
                    (n - j).min(tiles.side),
                    columns,
                    c.add(row * n + j),
                    n,
                    out,
                );
                j += tiles.side;
            }
        }
        row += columns;
    }
}
