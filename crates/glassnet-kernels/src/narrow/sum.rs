//! Sums over examples of small products, `c += a^T b`, and of the rows of `a` in the same pass: the gradients of a small layer's weight and bias.

use super::{LANES, MOST_WORK};
use crate::Real;
use crate::lanes::{Kernel, vectorized};
use crate::product::BLOCK;

/// Columns of a sum over examples that are gathered in one pass over the rows.
const GROUP: usize = 4;

/// Whether [`sum_of_products`] is for `[k, m]^T` times `[k, n]`.
pub fn fits_sum(m: usize, n: usize, k: usize) -> bool {
    m.max(n) <= LANES && m.min(n).saturating_mul(LANES).saturating_mul(k) <= MOST_WORK
}

/// Whose rows are summed in the same pass: nobody's, those of the operand in lanes, those of the other.
const SUM_NONE: u8 = 0;
const SUM_LANES: u8 = 1;
const SUM_OTHER: u8 = 2;

struct SumOfProducts<'a, T> {
    /// The operand whose columns are lanes, `[k, lanes]`.
    wide: &'a [T],
    lanes: usize,
    /// The other, `[k, others]`.
    other: &'a [T],
    others: usize,
    /// Steps between the results of neighbouring lanes, and of neighbouring columns of the other.
    steps: [usize; 2],
    /// The operand whose rows are summed, and where to.
    summed: u8,
    sums: &'a mut [T],
    c: &'a mut [T],
}

/// The chains of `G` columns of the other operand, from column `first` on, over a block of rows; to `sums` (at first 0) go those of the
/// rows that are summed: of the lanes, or of those `G` columns. Not as a part of what is returned: the chains would then lie in memory.
#[inline(always)]
fn chains<T: Real, const G: usize, const SUM: u8>(
    wide: &[T],
    lanes: usize,
    other: &[T],
    others: usize,
    first: usize,
    sums: &mut [T; LANES],
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
            also::<T, G, SUM>(x, other, sums);
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
        // There are so many: the caller passes no more columns than are left.
        let Some(other) = other[first..].first_chunk::<G>() else { continue };
        for g in 0..G {
            for j in 0..LANES {
                chains[g][j] = other[g].mul_add(x[j], chains[g][j]);
            }
        }
        also::<T, G, SUM>(&x, other, sums);
    }
    chains
}

/// Adds a row to the sums.
#[inline(always)]
fn also<T: Real, const G: usize, const SUM: u8>(x: &[T; LANES], other: &[T; G], sums: &mut [T; LANES]) {
    if SUM == SUM_LANES {
        for j in 0..LANES {
            sums[j] += x[j];
        }
    }
    if SUM == SUM_OTHER {
        for g in 0..G {
            sums[g] += other[g];
        }
    }
}

impl<T: Real> SumOfProducts<'_, T> {
    #[inline(always)]
    fn group<const G: usize, const SUM: u8>(&mut self, wide: &[T], other: &[T], first: usize) {
        let (lanes, others) = (self.lanes, self.others);
        let mut sums = [T::ZERO; LANES];
        let chains = chains::<T, G, SUM>(wide, lanes, other, others, first, &mut sums);
        if SUM == SUM_LANES && first == 0 {
            add(self.sums, &sums);
        }
        if SUM == SUM_OTHER {
            add(&mut self.sums[first..][..G], &sums);
        }
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
        if let (true, Some(c)) = (lanes == LANES && step == G, self.c.as_chunks_mut::<G>().0.first_chunk_mut::<LANES>())
        {
            // All of the result at once, turned by shuffles.
            for j in 0..LANES {
                for g in 0..G {
                    c[j][g] += chains[g][j];
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

impl<T: Real> SumOfProducts<'_, T> {
    #[inline(always)]
    fn all<const SUM: u8>(mut self) {
        let (all, other) = (self.wide, self.other);
        for (wide, other) in all.chunks(BLOCK * self.lanes).zip(other.chunks(BLOCK * self.others)) {
            let mut first = 0;
            while first < self.others {
                match self.others - first {
                    1 => self.group::<1, SUM>(wide, other, first),
                    2 => self.group::<2, SUM>(wide, other, first),
                    3 => self.group::<3, SUM>(wide, other, first),
                    _ => self.group::<GROUP, SUM>(wide, other, first),
                }
                first += GROUP;
            }
        }
    }
}

impl<T: Real> Kernel for SumOfProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.summed {
            SUM_LANES => self.all::<SUM_LANES>(),
            SUM_OTHER => self.all::<SUM_OTHER>(),
            _ => self.all::<SUM_NONE>(),
        }
    }
}

/// `c[m,n] += a[k,m]^T b[k,n]`, k summed in blocks of [`BLOCK`], one chain a block from +0, blocks added in order; where `sums` are given,
/// also `sums[m] += sum over rows of a`, with the bytes of [`crate::product::sum_rows`]: the gradients of a weight and its bias.
///
/// # Panics
/// Where [`fits_sum`] says no, or a slice has another size than the shapes say.
pub fn sum_of_products<T: Real>(m: usize, n: usize, k: usize, a: &[T], b: &[T], c: &mut [T], sums: Option<&mut [T]>) {
    assert!(fits_sum(m, n, k) && m > 0 && n > 0, "{m} x {k} times {k} x {n} is no narrow sum");
    assert!(
        a.len() == k.saturating_mul(m) && b.len() == k.saturating_mul(n) && c.len() == m.saturating_mul(n),
        "the slices do not hold {m} x {k} x {n}"
    );
    let (asked, sums) = (sums.is_some(), sums.unwrap_or_default());
    assert!(!asked || sums.len() == m, "the sums are {}, not {m}", sums.len());
    let summed = |operand| if asked { operand } else { SUM_NONE };
    vectorized(if m >= n {
        SumOfProducts { wide: a, lanes: m, other: b, others: n, steps: [n, 1], summed: summed(SUM_LANES), sums, c }
    } else {
        SumOfProducts { wide: b, lanes: n, other: a, others: m, steps: [1, n], summed: summed(SUM_OTHER), sums, c }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::reference;

    fn numbers<T: Real>(len: usize, seed: f64) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i as f64 * 1.7 + seed).sqrt() % 1.0 - 0.4)).collect()
    }

    /// To tell -0 from +0; an f32 is the same number in f64.
    fn bits<T: Real>(x: &[T]) -> Vec<u64> {
        x.iter().map(|x| x.to_f64().to_bits()).collect()
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
                    let start = wanted.clone();
                    reference::product_tn(m, n, k, &a, &b, &mut wanted);
                    let mut c = start.clone();
                    sum_of_products(m, n, k, &a, &b, &mut c, None);
                    assert!(bits(&c) == bits(&wanted), "{m} {n} {k}");
                    // With the sums of the rows beside it.
                    let (mut c, mut sums) = (start, numbers::<T>(m, 7.0));
                    let mut wanted_sums = sums.clone();
                    crate::product::sum_rows(m, &a, &mut wanted_sums);
                    sum_of_products(m, n, k, &a, &b, &mut c, Some(&mut sums));
                    assert!(bits(&c) == bits(&wanted) && bits(&sums) == bits(&wanted_sums), "{m} {n} {k}");
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
