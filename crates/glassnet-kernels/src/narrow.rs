//! Products of small matrices of at most 16 columns, without panels: for them the way into a panel costs more than the
//! product. The chains are those of [`crate::product`], so the bytes are the same.

mod sum;

pub use sum::{fits_sum, sum_of_products};

use crate::Real;
use crate::lanes::{Kernel, vectorized};

/// Most columns: the chains of a row fill one register of 16 lanes.
const LANES: usize = 16;

/// Most terms of a chain.
const DEPTH: usize = 64;

/// Most multiply-adds; above it the ways that use more threads are worth their start.
const MOST_WORK: usize = 1 << 17;

/// Rows whose chains run side by side.
const ROWS: usize = 4;

/// The same where the number of terms is known: a fused multiply-add takes four cycles and two begin in each, so that eight
/// chains keep the units busy.
const MORE_ROWS: usize = 8;

/// Whether [`product`] is for `[m, k]` times `[k, n]`. With few columns and many rows most lanes would be idle.
pub fn fits(m: usize, n: usize, k: usize) -> bool {
    n <= LANES && k <= DEPTH && (n > LANES / 2 || m <= 64) && m.saturating_mul(LANES).saturating_mul(k) <= MOST_WORK
}

/// How the right operand lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `[k, n]`.
    Straight,
    /// `[n, k]`: a weight `[out, in]`.
    Turned,
}

struct Product<'a, T> {
    n: usize,
    k: usize,
    a: &'a [T],
    right: Right,
    b: &'a [T],
    bias: Option<&'a [T]>,
    c: &'a mut [T],
}

impl<T: Real> Product<'_, T> {
    /// With room for chains of `D` terms.
    #[inline(always)]
    fn deep<const D: usize>(self) {
        let Product { n, k, a, right, b, bias, c } = self;
        let mut panel = [[T::ZERO; LANES]; D];
        match right {
            Right::Straight => {
                for (out, row) in panel.iter_mut().zip(b.chunks_exact(n)) {
                    for (out, &x) in out.iter_mut().zip(row) {
                        *out = x;
                    }
                }
            }
            Right::Turned => {
                for (j, row) in b.chunks_exact(k).enumerate().take(LANES) {
                    for (out, &x) in panel.iter_mut().zip(row) {
                        out[j] = x;
                    }
                }
            }
        }
        let panel = &panel[..k];
        let bias = wide(bias);
        let groups = a.chunks_exact(ROWS * k);
        let (rest, mut at) = (groups.remainder(), 0);
        for a in groups {
            let (first, second) = a.split_at(2 * k);
            let ((a0, a1), (a2, a3)) = (first.split_at(k), second.split_at(k));
            let mut chains = [[T::ZERO; LANES]; ROWS];
            let [c0, c1, c2, c3] = &mut chains;
            for ((((weights, &x0), &x1), &x2), &x3) in panel.iter().zip(a0).zip(a1).zip(a2).zip(a3) {
                step(x0, weights, c0);
                step(x1, weights, c1);
                step(x2, weights, c2);
                step(x3, weights, c3);
            }
            for chain in chains {
                put(n, chain, bias, &mut c[at..]);
                at += n;
            }
        }
        for a in rest.chunks_exact(k) {
            let mut chain = [T::ZERO; LANES];
            for (weights, &x) in panel.iter().zip(a) {
                step(x, weights, &mut chain);
            }
            put(n, chain, bias, &mut c[at..]);
            at += n;
        }
    }

    /// The right operand turned, chains of exactly `K` terms, which need no counting.
    #[inline(always)]
    fn turned<const K: usize>(self) {
        let Product { n, a, b, bias, c, .. } = self;
        let mut panel = [[T::ZERO; LANES]; K];
        let columns = b.as_chunks::<K>().0;
        if let Some(columns) = columns.first_chunk::<LANES>() {
            for t in 0..K {
                for j in 0..LANES {
                    panel[t][j] = columns[j][t];
                }
            }
        } else {
            for (j, column) in columns.iter().enumerate().take(LANES) {
                for t in 0..K {
                    panel[t][j] = column[t];
                }
            }
        }
        let bias = wide(bias);
        let (groups, rest) = a.as_chunks::<K>().0.as_chunks::<MORE_ROWS>();
        let mut at = 0;
        for rows in groups {
            let mut chains = [[T::ZERO; LANES]; MORE_ROWS];
            // Written out, as otherwise the chains lie in memory.
            let [c0, c1, c2, c3, c4, c5, c6, c7] = &mut chains;
            for (t, weights) in panel.iter().enumerate() {
                step(rows[0][t], weights, c0);
                step(rows[1][t], weights, c1);
                step(rows[2][t], weights, c2);
                step(rows[3][t], weights, c3);
                step(rows[4][t], weights, c4);
                step(rows[5][t], weights, c5);
                step(rows[6][t], weights, c6);
                step(rows[7][t], weights, c7);
            }
            for chain in chains {
                put(n, chain, bias, &mut c[at..]);
                at += n;
            }
        }
        for row in rest {
            let mut chain = [T::ZERO; LANES];
            for t in 0..K {
                step(row[t], &panel[t], &mut chain);
            }
            put(n, chain, bias, &mut c[at..]);
            at += n;
        }
    }
}

/// The bias in as many lanes as there are.
#[inline(always)]
fn wide<T: Real>(bias: Option<&[T]>) -> Option<[T; LANES]> {
    let bias = bias?;
    Some(match bias.first_chunk::<LANES>() {
        Some(bias) => *bias,
        None => {
            let mut own = [T::ZERO; LANES];
            for (own, &given) in own.iter_mut().zip(bias) {
                *own = given;
            }
            own
        }
    })
}

/// Writes a row with all lanes where there is room: what stands past its columns are places of rows that come later.
#[inline(always)]
fn put<T: Real>(n: usize, mut chain: [T; LANES], bias: Option<[T; LANES]>, c: &mut [T]) {
    if let Some(bias) = bias {
        for j in 0..LANES {
            chain[j] += bias[j];
        }
    }
    match c.first_chunk_mut::<LANES>() {
        Some(out) => *out = chain,
        None => {
            for (out, &x) in c.iter_mut().zip(&chain[..n]) {
                *out = x;
            }
        }
    }
}

/// `chain += x weights`, lane by lane.
#[inline(always)]
fn step<T: Real>(x: T, weights: &[T; LANES], chain: &mut [T; LANES]) {
    for j in 0..LANES {
        chain[j] = x.mul_add(weights[j], chain[j]);
    }
}

impl<T: Real> Kernel for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match (self.right, self.k) {
            (Right::Turned, 4) => self.turned::<4>(),
            (Right::Turned, 16) => self.turned::<16>(),
            (_, ..=4) => self.deep::<4>(),
            (_, 5..=16) => self.deep::<16>(),
            _ => self.deep::<DEPTH>(),
        }
    }
}

/// `c[m,n] = a[m,k] b + bias`: one chain of fused multiply-adds an element, from +0 in increasing k, the bias after it.
///
/// # Panics
/// Where [`fits`] says no, or a slice has another size than the shapes say.
#[allow(clippy::too_many_arguments)]
pub fn product<T: Real>(m: usize, n: usize, k: usize, a: &[T], right: Right, b: &[T], bias: Option<&[T]>, c: &mut [T]) {
    assert!(fits(m, n, k) && n > 0 && k > 0, "{m} x {k} times {k} x {n} is no narrow product");
    assert!(
        a.len() == m.saturating_mul(k) && b.len() == k.saturating_mul(n) && c.len() == m.saturating_mul(n),
        "the slices do not hold {m} x {k} x {n}"
    );
    assert!(bias.is_none_or(|bias| bias.len() == n), "the bias has another length than {n}");
    vectorized(Product { n, k, a, right, b, bias, c });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::reference;

    fn numbers<T: Real>(len: usize, seed: f64) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i as f64 * 1.7 + seed).sqrt() % 1.0 - 0.4)).collect()
    }

    fn same_as_the_reference<T: Real>() {
        let mut compared = 0;
        for n in 1..=16 {
            for (m, k) in
                [(0, 3), (1, 1), (1, 64), (2, 4), (3, 5), (4, 16), (5, 17), (32, 4), (33, 16), (64, 20), (100, 7)]
            {
                if !fits(m, n, k) {
                    continue;
                }
                let (a, b, bias) = (numbers::<T>(m * k, 0.0), numbers::<T>(n * k, 3.0), numbers::<T>(n, 9.0));
                let straight: Vec<T> = (0..k * n).map(|i| b[(i % n) * k + i / n]).collect();
                for bias in [None, Some(&bias[..])] {
                    let mut wanted = vec![T::ZERO; m * n];
                    reference::product_nt(m, n, k, &a, &b, &mut wanted);
                    for row in wanted.chunks_exact_mut(n) {
                        row.iter_mut().zip(bias.unwrap_or(&[])).for_each(|(y, &b)| *y += b);
                    }
                    for (right, b) in [(Right::Turned, &b), (Right::Straight, &straight)] {
                        let mut c = vec![T::ONE; m * n];
                        product(m, n, k, &a, right, b, bias, &mut c);
                        assert!(c == wanted, "{m} {n} {k} {right:?} {}", bias.is_some());
                        compared += c.len();
                    }
                }
            }
        }
        assert!(compared > 10_000, "only {compared} numbers were compared");
    }

    #[test]
    fn a_narrow_product_gives_the_bytes_of_the_reference() {
        same_as_the_reference::<f32>();
        same_as_the_reference::<f64>();
    }
}
