//! Products of small matrices of at most 16 columns, without panels: for them the way into a panel costs more than the
//! product. The chains are those of [`crate::product`], so the bytes are the same.

use crate::Real;
use crate::lanes::{Kernel, vectorized};
use crate::product::BLOCK;

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

/// Columns of a sum over examples that are gathered in one pass over the rows.
const GROUP: usize = 4;

/// Whether [`product`] is for `[m, k]` times `[k, n]`. With few columns and many rows most lanes would be idle.
pub fn fits(m: usize, n: usize, k: usize) -> bool {
    n <= LANES && k <= DEPTH && (n > LANES / 2 || m <= 64) && m.saturating_mul(LANES).saturating_mul(k) <= MOST_WORK
}

/// Whether [`sum_of_products`] is for `[k, m]^T` times `[k, n]`.
pub fn fits_sum(m: usize, n: usize, k: usize) -> bool {
    m.max(n) <= LANES && m.min(n).saturating_mul(LANES).saturating_mul(k) <= MOST_WORK
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

struct SumOfProducts<'a, T> {
    /// The operand whose columns are lanes, `[k, lanes]`.
    wide: &'a [T],
    lanes: usize,
    /// The other, `[k, others]`.
    other: &'a [T],
    others: usize,
    /// Steps between the results of neighbouring lanes, and of neighbouring columns of the other.
    steps: [usize; 2],
    c: &'a mut [T],
}

/// The chains of `G` columns of the other operand, from column `first` on, over a block of rows.
#[inline(always)]
fn chains<T: Real, const G: usize>(
    wide: &[T],
    lanes: usize,
    other: &[T],
    others: usize,
    first: usize,
) -> [[T; LANES]; G] {
    let mut chains = [[T::ZERO; LANES]; G];
    if lanes == LANES && others == G {
        // Rows without a bound to look at.
        for (x, other) in wide.as_chunks::<LANES>().0.iter().zip(other.as_chunks::<G>().0) {
            for g in 0..G {
                for j in 0..LANES {
                    chains[g][j] = other[g].mul_add(x[j], chains[g][j]);
                }
            }
        }
        return chains;
    }
    for (row, other) in other.chunks_exact(others).enumerate() {
        let wide = &wide[row * lanes..];
        let x = match wide.first_chunk::<LANES>() {
            Some(x) => *x,
            None => {
                let mut x = [T::ZERO; LANES];
                for (x, &there) in x.iter_mut().zip(&wide[..lanes]) {
                    *x = there;
                }
                x
            }
        };
        let other = &other[first..][..G];
        for g in 0..G {
            for j in 0..LANES {
                chains[g][j] = other[g].mul_add(x[j], chains[g][j]);
            }
        }
    }
    chains
}

impl<T: Real> SumOfProducts<'_, T> {
    #[inline(always)]
    fn group<const G: usize>(&mut self, wide: &[T], other: &[T], first: usize) {
        let chains = chains::<T, G>(wide, self.lanes, other, self.others, first);
        let [step, step_of_other] = self.steps;
        if step == 1 {
            // Lanes stand side by side, all of them before those of the next column.
            for (c, chain) in self.c[first * step_of_other..].chunks_mut(self.lanes).zip(&chains) {
                match c.first_chunk_mut::<LANES>() {
                    Some(c) => add(c, chain),
                    None => add(c, chain),
                }
            }
            return;
        }
        let mut turned = [[T::ZERO; G]; LANES];
        for j in 0..LANES {
            for g in 0..G {
                turned[j][g] = chains[g][j];
            }
        }
        for (c, chains) in self.c.chunks_mut(step).zip(&turned) {
            if let Some(c) = c[first..].first_chunk_mut::<G>() {
                add(c, chains);
            }
        }
    }
}

#[inline(always)]
fn add<T: Real>(c: &mut [T], more: &[T]) {
    for (c, &more) in c.iter_mut().zip(more) {
        *c += more;
    }
}

impl<T: Real> Kernel for SumOfProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (all, other) = (self.wide, self.other);
        for (wide, other) in all.chunks(BLOCK * self.lanes).zip(other.chunks(BLOCK * self.others)) {
            let mut first = 0;
            while first < self.others {
                match self.others - first {
                    1 => self.group::<1>(wide, other, first),
                    2 => self.group::<2>(wide, other, first),
                    3 => self.group::<3>(wide, other, first),
                    _ => self.group::<GROUP>(wide, other, first),
                }
                first += GROUP;
            }
        }
    }
}

/// `c[m,n] += a[k,m]^T b[k,n]`, k summed in blocks of [`BLOCK`], one chain a block from +0, blocks added in order.
///
/// # Panics
/// Where [`fits_sum`] says no, or a slice has another size than the shapes say.
pub fn sum_of_products<T: Real>(m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T]) {
    assert!(fits_sum(m, n, k) && m > 0 && n > 0, "{m} x {k} times {k} x {n} is no narrow sum");
    assert!(
        a.len() == k.saturating_mul(m) && b.len() == k.saturating_mul(n) && c.len() == m.saturating_mul(n),
        "the slices do not hold {m} x {k} x {n}"
    );
    vectorized(if m >= n {
        SumOfProducts { wide: a, lanes: m, other: b, others: n, steps: [n, 1], c }
    } else {
        SumOfProducts { wide: b, lanes: n, other: a, others: m, steps: [1, n], c }
    });
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

    fn same_sums<T: Real>() {
        for m in [1, 2, 3, 4, 5, 9, 16] {
            for n in [1, 2, 3, 4, 6, 15, 16] {
                for k in [0, 1, 3, 32, 1024, 1025, 2100] {
                    if !fits_sum(m, n, k) {
                        continue;
                    }
                    let (a, b) = (numbers::<T>(m * k, 1.0), numbers::<T>(n * k, 2.0));
                    let mut wanted = numbers::<T>(m * n, 5.0);
                    let mut c = wanted.clone();
                    reference::product_tn(m, n, k, &a, &b, &mut wanted);
                    sum_of_products(m, n, k, &a, &b, &mut c);
                    assert!(c == wanted, "{m} {n} {k}");
                }
            }
        }
    }

    #[test]
    fn a_narrow_sum_gives_the_bytes_of_the_reference() {
        same_sums::<f32>();
        same_sums::<f64>();
    }
}
