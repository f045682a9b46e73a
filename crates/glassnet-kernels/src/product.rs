//! Matrix products in canonical order. Matrices are row-major slices.
//!
//! An element of a product over columns (`product_nt`, `product_nn`) is one chain of fused multiply-adds from +0 in
//! increasing k. A sum over examples (`product_tn`, `sum_rows`) runs in blocks of [`BLOCK`] rows, one chain a block
//! from +0, blocks added in order to what the destination holds.

use crate::{Real, Team};

/// Rows of a block in a sum over examples.
pub const BLOCK: usize = 1024;

/// What to do with finished rows of a product (bias, activation): called with the number of the first row and whole rows.
pub type Finish<'a, T> = dyn Fn(usize, &mut [T]) + Sync + 'a;

/// `c[m,n] = a[m,k] b[n,k]^T`, then `finish` once on every row: a linear layer's forward pass.
#[allow(clippy::too_many_arguments)]
pub fn product_nt<T: Real>(
    _team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &[T],
    c: &mut [T],
    finish: Option<&Finish<T>>,
) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::ZERO;
            for p in 0..k {
                sum = a[i * k + p].mul_add(b[j * k + p], sum);
            }
            c[i * n + j] = sum;
        }
    }
    if let Some(finish) = finish {
        finish(0, &mut c[..m * n]);
    }
}

/// `c[m,n] = a[m,k] b[k,n]`, or `c += ...` (the finished chain added once) where `accumulate`: the gradient of a linear layer's input.
#[allow(clippy::too_many_arguments)]
pub fn product_nn<T: Real>(
    _team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &[T],
    c: &mut [T],
    accumulate: bool,
) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::ZERO;
            for p in 0..k {
                sum = a[i * k + p].mul_add(b[p * n + j], sum);
            }
            c[i * n + j] = if accumulate { c[i * n + j] + sum } else { sum };
        }
    }
}

/// `c[m,n] += a[k,m]^T b[k,n]`, k summed in blocks of [`BLOCK`]: the gradient of a linear layer's weight.
pub fn product_tn<T: Real>(_team: &Team, m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
    for start in (0..k).step_by(BLOCK) {
        let end = (start + BLOCK).min(k);
        for i in 0..m {
            for j in 0..n {
                let mut sum = T::ZERO;
                for p in start..end {
                    sum = a[p * m + i].mul_add(b[p * n + j], sum);
                }
                c[i * n + j] += sum;
            }
        }
    }
}

/// `sums[j] += sum over rows of a[rows, n]`, in blocks of [`BLOCK`]: the gradient of a bias.
pub fn sum_rows<T: Real>(n: usize, a: &[T], sums: &mut [T]) {
    if n == 0 {
        return;
    }
    for block in a.chunks(BLOCK * n) {
        for (j, sum) in sums.iter_mut().enumerate() {
            let mut chain = T::ZERO;
            for row in block.chunks_exact(n) {
                chain += row[j];
            }
            *sum += chain;
        }
    }
}
