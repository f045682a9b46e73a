//! One row times a weight matrix that was copied once into the order in which a row needs it.
//!
//! A weight `[n, k]` lies row by row, so that the n chains of one row's product would each run along another line of memory.
//! The copy has panels of up to 128 columns, `[k, width]`: one number of the row meets the weights of all columns of a panel
//! at once, and memory is read from front to back. An element is one chain of fused multiply-adds from +0 in increasing k,
//! the bias after it: the bytes of [`crate::product::product_nt`].

use std::ops::Range;

use crate::lanes::{Kernel, vectorized};
use crate::product::row_chains;
use crate::team::{Shared, share};
use crate::{Real, Team};

/// Widths of panels, the widest first: as many chains as hide the time of a multiply-add, then what is left.
const WIDTHS: [usize; 4] = [128, 64, 32, 16];

/// Bytes of a cache line; the panels start at one.
const LINE: usize = 64;

/// Multiply-adds that are worth a thread: as much as the products say.
const PART_WORK: usize = 1 << 18;

/// A weight `[n, k]`, and perhaps a bias `[n]`, copied for products with one row.
#[derive(Debug)]
pub struct RowWeights<T> {
    n: usize,
    k: usize,
    /// The panels, from `skip` on.
    panels: Vec<T>,
    skip: usize,
    bias: Option<Vec<T>>,
}

/// Columns of the panel that begins where `left` columns are left.
fn width(left: usize) -> usize {
    WIDTHS.into_iter().find(|&width| left >= width).unwrap_or(WIDTHS[WIDTHS.len() - 1])
}

/// The panels of `n` columns: first column and width.
fn panels(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut column = 0;
    std::iter::from_fn(move || {
        let first = column;
        let width = width(n.checked_sub(first).filter(|&left| left > 0)?);
        column += width;
        Some((first, width))
    })
}

impl<T: Real> RowWeights<T> {
    /// Copies a weight and its bias.
    ///
    /// # Panics
    /// Where `weight` has not n k elements or the bias not n.
    pub fn new(n: usize, k: usize, weight: &[T], bias: Option<&[T]>) -> Self {
        assert!(weight.len() == n.saturating_mul(k), "the weight has {} elements, not {n} x {k}", weight.len());
        assert!(bias.is_none_or(|bias| bias.len() == n), "the bias has another length than {n}");
        let mut room = vec![T::ZERO; n.next_multiple_of(WIDTHS[WIDTHS.len() - 1]) * k + LINE / T::BYTES];
        let skip = room.as_ptr().align_offset(LINE).min(LINE / T::BYTES);
        for (first, width) in panels(n) {
            let panel = &mut room[skip + first * k..][..width * k];
            let there = width.min(n - first);
            // Eight rows of the panel at a time: the lines of the weight are then read whole.
            for start in (0..k).step_by(8) {
                let end = (start + 8).min(k);
                for j in 0..there {
                    let row = &weight[(first + j) * k..][..k];
                    for p in start..end {
                        panel[p * width + j] = row[p];
                    }
                }
            }
        }
        RowWeights { n, k, panels: room, skip, bias: bias.map(<[T]>::to_vec) }
    }

    /// Numbers that it gives.
    pub fn outputs(&self) -> usize {
        self.n
    }

    /// Numbers that it reads.
    pub fn inputs(&self) -> usize {
        self.k
    }

    /// Bytes of the copy.
    pub fn bytes(&self) -> usize {
        (self.panels.len() + self.bias.as_ref().map_or(0, Vec::len)) * T::BYTES
    }

    /// `y = W x + b`, split over the team where it is large.
    ///
    /// # Panics
    /// Where `x` has not [`RowWeights::inputs`] elements or `y` not [`RowWeights::outputs`].
    #[inline]
    pub fn multiply(&self, team: &Team, x: &[T], y: &mut [T]) {
        assert!(x.len() == self.k, "the row has {} elements, not {}", x.len(), self.k);
        assert!(y.len() == self.n, "the result has {} elements, not {}", y.len(), self.n);
        let parts = (self.n.saturating_mul(self.k) / PART_WORK).clamp(1, team.threads());
        if parts == 1 {
            return vectorized(Columns { weights: self, x, columns: 0..self.n, y });
        }
        let widest = WIDTHS[0];
        let pieces = self.n.div_ceil(widest);
        let out = Shared::new(y);
        team.fork(parts, &|part| {
            let pieces = share(pieces, parts, part);
            let columns = (pieces.start * widest).min(self.n)..(pieces.end * widest).min(self.n);
            // SAFETY: the shares of the columns are disjoint and within y, which is borrowed until the fork returns.
            let y = unsafe { std::slice::from_raw_parts_mut(out.pointer().add(columns.start), columns.len()) };
            vectorized(Columns { weights: self, x, columns, y });
        });
    }
}

/// Some columns of the product; they begin at a panel.
struct Columns<'a, T> {
    weights: &'a RowWeights<T>,
    x: &'a [T],
    columns: Range<usize>,
    y: &'a mut [T],
}

/// The chains of one panel.
#[inline(always)]
fn chains<T: Real, const W: usize>(x: &[T], panel: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let mut chains = [T::ZERO; W];
    if !row_chains(x, panel, &mut chains) {
        for (&x, weights) in x.iter().zip(panel.as_chunks::<W>().0) {
            for j in 0..W {
                chains[j] = x.mul_add(weights[j], chains[j]);
            }
        }
    }
    match (bias, y.as_mut_array::<W>(), bias.and_then(|bias| bias.as_array::<W>())) {
        (Some(_), Some(y), Some(bias)) => {
            for j in 0..W {
                y[j] = chains[j] + bias[j];
            }
        }
        (Some(bias), _, _) => {
            for ((y, &chain), &bias) in y.iter_mut().zip(&chains).zip(bias) {
                *y = chain + bias;
            }
        }
        (None, Some(y), _) => *y = chains,
        (None, None, _) => {
            for (y, &chain) in y.iter_mut().zip(&chains) {
                *y = chain;
            }
        }
    }
}

impl<T: Real> Kernel for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let RowWeights { n, k, panels, skip, bias } = self.weights;
        let mut column = self.columns.start;
        let mut y = self.y;
        while column < self.columns.end {
            let width = width(n - column);
            let there = width.min(n - column);
            let panel = &panels[skip + column * k..][..width * k];
            let bias = bias.as_ref().map(|bias| &bias[column..column + there]);
            let (own, rest) = y.split_at_mut(there);
            match width {
                128 => chains::<T, 128>(self.x, panel, bias, own),
                64 => chains::<T, 64>(self.x, panel, bias, own),
                32 => chains::<T, 32>(self.x, panel, bias, own),
                _ => chains::<T, 16>(self.x, panel, bias, own),
            }
            y = rest;
            column += width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::reference;

    fn numbers<T: Real>(len: usize) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i as f64 * 1.7).sqrt() % 1.0 - 0.4)).collect()
    }

    fn same_as_the_reference<T: Real>(threads: usize) {
        let team = Team::new(threads);
        for n in [1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 100, 128, 130, 191, 300, 2100] {
            for k in [0, 1, 3, 16, 129, 300] {
                let (x, weight, bias) = (numbers::<T>(k), numbers::<T>(n * k), numbers::<T>(n + 7)[7..].to_vec());
                for bias in [None, Some(&bias[..])] {
                    let mut wanted = vec![T::ZERO; n];
                    reference::product_nt(1, n, k, &x, &weight, &mut wanted);
                    for (y, &b) in wanted.iter_mut().zip(bias.unwrap_or(&[])) {
                        *y += b;
                    }
                    let mut y = vec![T::ONE; n];
                    RowWeights::new(n, k, &weight, bias).multiply(&team, &x, &mut y);
                    assert!(y == wanted, "{n} {k} {threads} {}", bias.is_some());
                }
            }
        }
    }

    #[test]
    fn one_row_gives_the_bytes_of_the_reference() {
        same_as_the_reference::<f32>(1);
        same_as_the_reference::<f64>(1);
        same_as_the_reference::<f32>(3);
    }

    #[test]
    fn panels_cover_every_column_once() {
        for n in 1..400 {
            let mut next = 0;
            for (first, width) in panels(n) {
                assert_eq!(first, next);
                next += width;
            }
            assert_eq!(next, n.next_multiple_of(16));
        }
    }
}
