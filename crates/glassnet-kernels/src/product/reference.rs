//! The products' definition: slow references in plain loops, which the fast ones match to the byte.

use super::BLOCK;
use crate::Real;

/// Slow reference of [`super::product_nt`], without `finish`.
pub fn product_nt<T: Real>(m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::ZERO;
            for p in 0..k {
                sum = a[i * k + p].mul_add(b[j * k + p], sum);
            }
            c[i * n + j] = sum;
        }
    }
}

/// Slow reference of [`super::product_nn`].
pub fn product_nn<T: Real>(m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T], accumulate: bool) {
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

/// Slow reference of [`super::product_tn`].
pub fn product_tn<T: Real>(m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
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

/// Slow reference of [`super::sum_rows`].
pub fn sum_rows<T: Real>(n: usize, a: &[T], sums: &mut [T]) {
    if n == 0 {
        return;
    }
    for block in a.chunks(BLOCK * n) {
        for (j, sum) in sums.iter_mut().take(n).enumerate() {
            let mut chain = T::ZERO;
            for row in block.chunks_exact(n) {
                chain += row[j];
            }
            *sum += chain;
        }
    }
}
