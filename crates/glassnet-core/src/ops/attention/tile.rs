//! What is done on one tile: heads are copied into contiguous tiles, scores become weights, weights become gradients.

use glassnet_kernels::{Kernel, vectorized};

use super::{Attention, Sizes};
use crate::Real;

/// Keys of a tile, and queries of a tile.
pub(super) const TILE: usize = 64;

/// Lanes of a sum along a row: an element's lane is its number mod 16.
const LANES: usize = 16;

/// Columns of a tile with `live` keys: whole lanes, so that loops have no rest. Columns without a key have weight 0.
#[inline(always)]
pub(super) fn columns(live: usize) -> usize {
    live.next_multiple_of(LANES)
}

/// A head's slice of a matrix whose rows are `width` apart, starting in column `at`.
#[derive(Clone, Copy)]
pub(super) struct Head<'a, T> {
    pub matrix: &'a [T],
    pub width: usize,
    pub at: usize,
}

impl<T: Real> Head<'_, T> {
    /// Copies rows `first..first + count` into a tile of rows of `d`; the tile's rows after that are 0.
    pub fn load(&self, first: usize, count: usize, d: usize, tile: &mut [T]) {
        let (live, rest) = tile.split_at_mut(count * d);
        let rows = self.matrix[first * self.width..].chunks(self.width);
        for (out, row) in live.chunks_exact_mut(d).zip(rows) {
            out.copy_from_slice(&row[self.at..self.at + d]);
        }
        rest.fill(T::ZERO);
    }
}

/// `x *= factor`.
pub(super) fn scale<T: Real>(factor: T, x: &mut [T]) {
    struct Scale<'a, T>(T, &'a mut [T]);
    impl<T: Real> Kernel for Scale<'_, T> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            for x in self.1 {
                *x *= self.0;
            }
        }
    }
    vectorized(Scale(factor, x));
}

/// Which of a tile's keys each query may see.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a, T> {
    /// For each query one past the last column.
    pub limits: &'a [usize; TILE],
    /// The given mask from the tile's first query and key on, its rows `keys` apart.
    pub given: Option<&'a [T]>,
    pub keys: usize,
}

impl<T: Real> Sight<'_, T> {
    /// Columns of query `r` that hold a key it may see, in whole lanes. Their scores of other keys become -inf; the columns
    /// after them are for the caller to make 0, which is what the exponential would.
    #[inline(always)]
    fn hide(&self, r: usize, scores: &mut [T]) -> usize {
        let hidden = T::from_f64(f64::NEG_INFINITY);
        let limit = self.limits[r];
        let seen = columns(limit);
        if let Some(given) = self.given {
            for (score, &seen) in scores[..limit].iter_mut().zip(&given[r * self.keys..]) {
                *score = if seen == T::ZERO { hidden } else { *score };
            }
        }
        for score in &mut scores[limit..seen] {
            *score = hidden;
        }
        seen
    }
}

/// The limits of `count` queries from `first` on (at positions `time + first..`) within the tile that starts at key `start`
/// and has `live` keys; `None` where no query may see any of them.
pub(super) fn limits(
    op: &Attention,
    (first, count, time): (usize, usize, usize),
    (start, live): (usize, usize),
    length: Option<i32>,
) -> Option<[usize; TILE]> {
    let mut limits = [0; TILE];
    for (r, limit) in limits.iter_mut().enumerate().take(count) {
        *limit = op.limit(time + first + r, start + live, length).saturating_sub(start);
    }
    // A later query never sees less.
    if limits[count - 1] > 0 { Some(limits) } else { None }
}

/// exp(x), with 0 for -inf taken instead of computed: underflow is slow on many processors, and half of a tile on the
/// diagonal is hidden.
#[inline(always)]
fn weight<T: Real>(x: T) -> T {
    let hidden = x == T::from_f64(f64::NEG_INFINITY);
    let weight = if hidden { T::ZERO } else { x }.exp();
    if hidden { T::ZERO } else { weight }
}

/// Running maximum, running sum and output so far of a tile of queries, and the scores of the next tile of keys.
pub(super) struct Soften<'a, T> {
    pub columns: usize,
    /// In: scores. Out: weights, not divided by their sum.
    pub scores: &'a mut [T],
    pub sight: Sight<'a, T>,
    pub top: &'a mut [T; TILE],
    pub sum: &'a mut [T; TILE],
    /// Rescaled to the new maximum.
    pub output: &'a mut [T],
    pub dv: usize,
}

impl<T: Real> Kernel for Soften<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let lowest = T::from_f64(f64::NEG_INFINITY);
        let rows = self.scores.chunks_exact_mut(self.columns).zip(self.output.chunks_exact_mut(self.dv));
        for (r, (scores, output)) in rows.enumerate() {
            let seen = self.sight.hide(r, scores);
            let (scores, unseen) = scores.split_at_mut(seen);
            unseen.fill(T::ZERO);
            let (chunks, _) = scores.as_chunks_mut::<LANES>();
            let mut lanes = [lowest; LANES];
            for chunk in chunks.iter() {
                for j in 0..LANES {
                    lanes[j] = if chunk[j] > lanes[j] { chunk[j] } else { lanes[j] };
                }
            }
            let mut top = self.top[r];
            for lane in lanes {
                top = if lane > top { lane } else { top };
            }
            // Where nothing has been seen yet, weights are exp(-inf - 0) = 0.
            let base = if top == lowest { T::ZERO } else { top };
            let mut sums = [T::ZERO; LANES];
            for chunk in chunks.iter_mut() {
                for j in 0..LANES {
                    let weight = weight(chunk[j] - base);
                    chunk[j] = weight;
                    sums[j] += weight;
                }
            }
            let mut width = LANES / 2;
            while width > 0 {
                for j in 0..width {
                    sums[j] += sums[j + width];
                }
                width /= 2;
            }
            let before = self.top[r];
            let factor = if before == top { T::ONE } else { (before - base).exp() };
            self.sum[r] = self.sum[r] * factor + sums[0];
            self.top[r] = top;
            if factor != T::ONE {
                for o in output {
                    *o *= factor;
                }
            }
        }
    }
}

/// What backward knows of a tile of queries.
#[derive(Clone)]
pub(super) struct Known<T> {
    /// The maximum of each query's scores.
    pub top: [T; TILE],
    /// One over the sum of its weights.
    pub inverse: [T; TILE],
    /// `D = g . o`.
    pub dot: [T; TILE],
}

/// Scores and `g . v` of a tile become weights p and the scores' gradients ds.
pub(super) struct Harden<'a, T> {
    pub columns: usize,
    /// In: scores. Out: weights.
    pub scores: &'a mut [T],
    /// In: `g . v`. Out: `p (g . v - D)`.
    pub slopes: &'a mut [T],
    pub sight: Sight<'a, T>,
    pub known: &'a Known<T>,
}

impl<T: Real> Kernel for Harden<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.scores.chunks_exact_mut(self.columns).zip(self.slopes.chunks_exact_mut(self.columns));
        for (r, (scores, slopes)) in rows.enumerate() {
            let seen = self.sight.hide(r, scores);
            scores[seen..].fill(T::ZERO);
            slopes[seen..].fill(T::ZERO);
            let (top, inverse, dot) = (self.known.top[r], self.known.inverse[r], self.known.dot[r]);
            for (score, slope) in scores[..seen].iter_mut().zip(slopes) {
                let weight = weight(*score - top) * inverse;
                *score = weight;
                *slope = weight * (*slope - dot);
            }
        }
    }
}

/// A matrix of the row with the columns of one head.
pub(super) fn head<'a, T>(matrix: &'a [T], row: usize, rows: usize, width: usize, at: usize) -> Head<'a, T> {
    Head { matrix: &matrix[row * rows * width..][..rows * width], width, at }
}

/// Adds or stores a tile of rows of `d` into one head's columns of `matrix`.
pub(super) fn put<T: Real>(tile: &[T], d: usize, matrix: &mut [T], width: usize, at: usize, add: bool) {
    for (row, tile) in matrix.chunks_exact_mut(width).zip(tile.chunks_exact(d)) {
        let row = &mut row[at..at + d];
        if add {
            for (sum, &more) in row.iter_mut().zip(tile) {
                *sum += more;
            }
        } else {
            row.copy_from_slice(tile);
        }
    }
}

/// Columns of the given mask that start at (`query`, `key`).
pub(super) fn given<'a, T>(mask: Option<&'a [T]>, sizes: &Sizes, query: usize, key: usize) -> Option<&'a [T]> {
    mask.and_then(|mask| mask.get(query * sizes.keys + key..))
}
