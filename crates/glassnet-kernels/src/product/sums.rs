//! Sums over rows: the gradient of a bias.

use super::BLOCK;
use crate::lanes::{Kernel, vectorized};
use crate::{Real, Team};

/// Columns whose chains stay in registers.
const WIDE: usize = 64;

/// Up to so many columns one register holds all chains.
const NARROW: usize = 16;

struct SumRows<'a, T> {
    n: usize,
    a: &'a [T],
    /// The column of the first sum.
    first: usize,
    sums: &'a mut [T],
}

/// The chains of a block of rows of at most [`NARROW`] columns. A row is read together with what follows it: the lanes past
/// its end hold chains of other numbers, which nobody looks at.
#[inline(always)]
fn narrow<T: Real>(n: usize, block: &[T]) -> [T; NARROW] {
    let mut chains = [T::ZERO; NARROW];
    let rows = block.len() / n;
    // Rows that have so much behind them.
    let full = (block.len() + n).saturating_sub(NARROW) / n;
    for row in 0..full.min(rows) {
        if let Some(row) = block[row * n..].first_chunk::<NARROW>() {
            for j in 0..NARROW {
                chains[j] += row[j];
            }
        }
    }
    for row in block.chunks_exact(n).skip(full) {
        for (chain, &x) in chains.iter_mut().zip(row) {
            *chain += x;
        }
    }
    chains
}

impl<T: Real> Kernel for SumRows<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        if self.n <= NARROW {
            for block in self.a.chunks(BLOCK * self.n) {
                for (sum, chain) in self.sums.iter_mut().zip(narrow(self.n, block)) {
                    *sum += chain;
                }
            }
            return;
        }
        for block in self.a.chunks(BLOCK * self.n) {
            for (c, sums) in self.sums.chunks_mut(WIDE).enumerate() {
                let mut chains = [T::ZERO; WIDE];
                for row in block.chunks_exact(self.n) {
                    let row = &row[self.first + c * WIDE..];
                    if let (Some(row), true) = (row.first_chunk::<WIDE>(), sums.len() == WIDE) {
                        for j in 0..WIDE {
                            chains[j] += row[j];
                        }
                    } else {
                        for (chain, &x) in chains.iter_mut().zip(row).take(sums.len()) {
                            *chain += x;
                        }
                    }
                }
                for (sum, &chain) in sums.iter_mut().zip(&chains) {
                    *sum += chain;
                }
            }
        }
    }
}

/// `sums[j] += sum over rows of a[rows, n]`, in blocks of [`BLOCK`]: the gradient of a bias.
pub fn sum_rows<T: Real>(n: usize, a: &[T], sums: &mut [T]) {
    if n > 0 {
        vectorized(SumRows { n, a, first: 0, sums: &mut sums[..n] });
    }
}

/// Elements of the operand of [`sum_rows_by`] that are worth a thread.
const SUM_PART: usize = 1 << 15;

/// The same on the team's threads: each takes columns of its own.
pub fn sum_rows_by<T: Real>(team: &Team, n: usize, a: &[T], sums: &mut [T]) {
    let rows = a.len().checked_div(n).unwrap_or(0);
    // Whole vectors of columns: a thread's part of a row begins where a cache line does, if the row does.
    let min = SUM_PART.div_ceil(rows.max(1)).next_multiple_of(WIDE);
    if n > 0 {
        team.split_rows(&mut sums[..n], 1, min, &|first, sums| vectorized(SumRows { n, a, first, sums }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One chain a block and column, in plain loops.
    fn plain(n: usize, a: &[f32], sums: &mut [f32]) {
        for block in a.chunks(BLOCK * n) {
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum += block.chunks_exact(n).fold(0.0, |chain, row| chain + row[j]);
            }
        }
    }

    #[test]
    fn every_width_gives_the_bytes_of_plain_chains() {
        for n in (1..=20).chain([63, 64, 65, 130]) {
            for rows in [0, 1, 2, 5, 31, 1023, 1024, 1025, 2050] {
                let a: Vec<f32> = (0..rows * n).map(|i| ((i * 37 % 101) as f32 - 50.3) / 7.0).collect();
                let (mut fast, mut slow) = (vec![0.25; n], vec![0.25; n]);
                sum_rows(n, &a, &mut fast);
                plain(n, &a, &mut slow);
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&fast), bits(&slow), "{rows} rows of {n}");
            }
        }
    }

    #[test]
    fn a_number_that_is_not_finite_stays_in_its_column() {
        let mut a = vec![1.0_f32; 3 * 40];
        a[3 * 7 + 1] = f32::NAN;
        let mut sums = [0.0; 3];
        sum_rows(3, &a, &mut sums);
        assert!(sums[0] == 40.0 && sums[1].is_nan() && sums[2] == 40.0);
    }
}
