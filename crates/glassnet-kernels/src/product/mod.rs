//! Matrix products in canonical order. Matrices are row-major slices.
//!
//! An element of a product over columns (`product_nt`, `product_nn`) is one chain of fused multiply-adds from +0 in
//! increasing k. A sum over examples (`product_tn`, `sum_rows`) runs in blocks of [`BLOCK`] rows, one chain a block
//! from +0, blocks added in order to what the destination holds.
//!
//! The lanes of a vector are different elements, never parts of one chain, and a chain that is stored and taken up again
//! is the same chain: so tiles, panels, threads and instruction sets leave the bytes alone. [`mod@reference`] has the
//! definition in plain loops.
//!
//! In every function the slices must hold at least the stated shapes (the function panics where they do not); k = 0
//! gives sums of nothing.

mod driver;
mod filled;
mod fused;
pub mod given;
mod pack;
pub mod packed;
#[cfg(test)]
mod proofs;
pub mod reference;
mod sums;
mod tile;
mod tiny;
mod turn;
mod turned;

use crate::lanes::current;
use crate::{Real, Team};
use driver::{Chain, Operand, Product, Right};
pub use filled::{Filled, product_nn_filled, product_nt_filled};
pub(crate) use fused::fused_in_f64;
pub use sums::{sum_rows, sum_rows_by};
pub(crate) use tile::row_chains;

/// Rows of a block in a sum over examples.
pub const BLOCK: usize = 1024;

/// Elements of finished rows that are worth a thread.
const FINISH_PART: usize = 1 << 14;

/// Elements of the rows that are finished at once: 16 KiB of f32.
const FINISH_AT_ONCE: usize = 1 << 12;

/// What to do with finished rows of a product (bias, activation): called with the number of the first row and whole rows.
pub type Finish<'a, T> = dyn Fn(usize, &mut [T]) + Sync + 'a;

/// `c[m,n] = a[m,k] b[n,k]^T`, then `finish` once on every row: a linear layer's forward pass.
#[allow(clippy::too_many_arguments)]
pub fn product_nt<T: Real>(
    team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &[T],
    c: &mut [T],
    finish: Option<&Finish<T>>,
) {
    let right = Right::There(b, Operand::Columns);
    let product = Product { m, n, k, a, left: Operand::Rows, right, chain: Chain::Store };
    let parts = driver::run(current(), team, &product, c);
    let Some(finish) = finish else { return };
    let c = &mut c[..m * n];
    if c.is_empty() {
        return;
    }
    // Some rows at a time, so that what a finish does in several passes stays in the cache.
    let rows = FINISH_AT_ONCE.div_ceil(n);
    let some = |first: usize, part: &mut [T]| {
        for (number, part) in part.chunks_mut(rows * n).enumerate() {
            finish(first + number * rows, part);
        }
    };
    if parts > 1 {
        team.split_rows(c, n, FINISH_PART.div_ceil(n), &some);
    } else {
        some(0, c);
    }
}

/// `c[m,n] = a[m,k] b[k,n]`, or `c += ...` (the finished chain added once) where `accumulate`: the gradient of a linear
/// layer's input.
#[allow(clippy::too_many_arguments)]
pub fn product_nn<T: Real>(team: &Team, m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T], accumulate: bool) {
    let chain = if accumulate { Chain::Add } else { Chain::Store };
    let product = Product { m, n, k, a, left: Operand::Rows, right: Right::There(b, Operand::Rows), chain };
    driver::run(current(), team, &product, c);
}

/// `c[m,n] += a[k,m]^T b[k,n]`, k summed in blocks of [`BLOCK`]: the gradient of a linear layer's weight.
pub fn product_tn<T: Real>(team: &Team, m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
    let right = Right::There(b, Operand::Rows);
    let product = Product { m, n, k, a, left: Operand::Columns, right, chain: Chain::AddBlocks };
    driver::run(current(), team, &product, c);
}

/// `out[p, j] = b[j, p]` for `columns` rows of `b`, `row_len` apart; rows of `out` are `width` long, with zeros behind.
pub fn turn<T: Real>(b: &[T], row_len: usize, columns: usize, width: usize, out: &mut [T]) {
    pack::turn_rows(tile::tiles::<T>(current()), b, row_len, columns, width, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Isa;

    fn same_in_every_instruction_set<T: Real>() {
        let (m, n, k) = (23, 77, 1100);
        let numbers = |len: usize| -> Vec<T> { (0..len).map(|i| T::from_f64((i as f64).sqrt() % 1.0 - 0.4)).collect() };
        let (a, b) = (numbers(m * k), numbers(n * k));
        for (left, right, chain) in [
            (Operand::Rows, Operand::Columns, Chain::Store),
            (Operand::Rows, Operand::Rows, Chain::Add),
            (Operand::Columns, Operand::Rows, Chain::AddBlocks),
        ] {
            let product = Product { m, n, k, a: &a, left, right: Right::There(&b, right), chain };
            let mut scalar = vec![T::ONE; m * n];
            driver::run(Isa::Scalar, &Team::single(), &product, &mut scalar);
            for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
                let mut c = vec![T::ONE; m * n];
                driver::run(isa, &Team::new(2), &product, &mut c);
                assert!(c == scalar, "{isa:?} {chain:?}");
            }
        }
    }

    #[test]
    fn every_instruction_set_gives_the_same_bytes() {
        same_in_every_instruction_set::<f32>();
        same_in_every_instruction_set::<f64>();
    }
}
