//! The products' definition: slow references in plain loops, which the fast ones match to the byte.

use super::{BLOCK, round, step};

/// One chain from +0 over `k` elements.
fn chain(k: usize, a: impl Fn(usize) -> f32, b: impl Fn(usize) -> f32) -> f32 {
    let at = |x: &dyn Fn(usize) -> f32, p: usize| if p < k { round(x(p)) } else { 0.0 };
    (0..k).step_by(2).fold(0.0, |sum, p| step((at(&a, p), at(&a, p + 1)), (at(&b, p), at(&b, p + 1)), sum))
}

/// Slow reference of [`super::product_nt`], without `finish`.
pub fn product_nt(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = chain(k, |p| a[i * k + p], |p| b[j * k + p]);
        }
    }
}

/// Slow reference of [`super::product_nn`].
pub fn product_nn(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = chain(k, |p| a[i * k + p], |p| b[p * n + j]);
        }
    }
}

/// Slow reference of [`super::product_tn`].
pub fn product_tn(m: usize, n: usize, k: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    for start in (0..k).step_by(BLOCK) {
        let block = BLOCK.min(k - start);
        for i in 0..m {
            for j in 0..n {
                c[i * n + j] += chain(block, |p| a[(start + p) * m + i], |p| b[(start + p) * n + j]);
            }
        }
    }
}
