//! What layer norm, RMS norm and group norm share: mean and inverse deviation of each run of `width` numbers, and the
//! products that follow from them.
//!
//! Sums along a run are the 16-lane tree of [`glassnet_kernels::reduce`], written here once more so that it is inlined in a
//! loop over many runs; the variance takes a second pass.

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use crate::{Real, Team};

/// Elements that are worth a thread.
pub(crate) const PART: usize = 1 << 14;

const LANES: usize = 16;

/// Sum of `add(0, a, b, c)` along three slices of one length: element j in lane j mod 16, lanes joined by the tree 8-4-2-1.
#[inline(always)]
pub(crate) fn tree<T: Real>(a: &[T], b: &[T], c: &[T], add: impl Fn(T, T, T, T) -> T) -> T {
    let mut lanes = [T::ZERO; LANES];
    let ((a, a_rest), (b, b_rest), (c, c_rest)) =
        (a.as_chunks::<LANES>(), b.as_chunks::<LANES>(), c.as_chunks::<LANES>());
    for ((a, b), c) in a.iter().zip(b).zip(c) {
        for j in 0..LANES {
            lanes[j] = add(lanes[j], a[j], b[j], c[j]);
        }
    }
    for (((lane, &a), &b), &c) in lanes.iter_mut().zip(a_rest).zip(b_rest).zip(c_rest) {
        *lane = add(*lane, a, b, c);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            lanes[j] += lanes[j + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Mean (0 where it is not subtracted) and `1 / sqrt(var + eps)` of a run.
#[inline(always)]
pub(crate) fn moments<T: Real>(x: &[T], centred: bool, eps: T) -> (T, T) {
    let n = T::from_f64(x.len() as f64);
    let mean = if centred { tree(x, x, x, |sum, x, _, _| sum + x) / n } else { T::ZERO };
    let squares = tree(x, x, x, |sum, x, _, _| {
        let apart = x - mean;
        apart.mul_add(apart, sum)
    });
    (mean, T::ONE / (squares / n + eps).sqrt())
}

struct Moments<'a, T> {
    x: &'a [T],
    width: usize,
    centred: bool,
    eps: T,
    out: &'a mut [T],
}

impl<T: Real> Kernel for Moments<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (x, out) in self.x.chunks_exact(self.width).zip(self.out.chunks_exact_mut(2)) {
            let (mean, inverse) = moments(x, self.centred, self.eps);
            out[0] = mean;
            out[1] = inverse;
        }
    }
}

/// Mean and inverse deviation of every run of `width` numbers of `x`, two numbers a run.
pub(crate) fn all_moments<T: Real>(team: &Team, x: &[T], width: usize, centred: bool, eps: f64, out: &mut [T]) {
    let eps = T::from_f64(eps);
    team.split_rows(out, 2, PART.div_ceil(width), &|first, out| {
        let x = &x[first * width..][..out.len() / 2 * width];
        vectorized(Moments { x, width, centred, eps, out });
    });
}

/// What is normalised over the last axis: layer norm (centred) and RMS norm.
#[derive(Clone, Copy)]
pub(crate) struct LastAxis<'a, T> {
    /// The input, whole runs.
    pub x: &'a [T],
    /// One factor an element of a run; its length is the run's.
    pub weight: &'a [T],
    /// One addend an element of a run, or nothing.
    pub bias: &'a [T],
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// Added to the variance.
    pub eps: f64,
}

struct Normalise<'a, T> {
    of: LastAxis<'a, T>,
    first: usize,
    /// Two numbers a run of the whole input; empty: to be computed here.
    moments: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let LastAxis { x, weight, bias, centred, eps } = self.of;
        let (width, eps) = (weight.len(), T::from_f64(eps));
        let runs = x[self.first * width..].chunks_exact(width).zip(self.y.chunks_exact_mut(width));
        for (run, (x, y)) in runs.enumerate() {
            let (mean, inverse) = match self.moments.get(2 * (self.first + run)..2 * (self.first + run) + 2) {
                Some(pair) => (pair[0], pair[1]),
                None => moments(x, centred, eps),
            };
            if bias.is_empty() {
                for ((y, &x), &w) in y.iter_mut().zip(x).zip(weight) {
                    *y = (x - mean) * inverse * w;
                }
            } else {
                for (((y, &x), &w), &b) in y.iter_mut().zip(x).zip(weight).zip(bias) {
                    *y = ((x - mean) * inverse).mul_add(w, b);
                }
            }
        }
    }
}

struct InputGradient<'a, T> {
    of: LastAxis<'a, T>,
    first: usize,
    moments: &'a [T],
    upstream: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let LastAxis { x, weight, centred, .. } = self.of;
        let width = weight.len();
        let n = T::from_f64(width as f64);
        let at = self.first * width;
        let runs = x[at..].chunks_exact(width).zip(self.upstream[at..].chunks_exact(width));
        let runs = runs.zip(self.moments[2 * self.first..].chunks_exact(2)).zip(self.dx.chunks_exact_mut(width));
        for (((x, g), pair), dx) in runs {
            let (mean, inverse) = (pair[0], pair[1]);
            let along = tree(g, weight, x, |sum, g, w, x| (g * w).mul_add((x - mean) * inverse, sum)) / n;
            let whole = if centred { tree(g, weight, x, |sum, g, w, _| g.mul_add(w, sum)) / n } else { T::ZERO };
            for (((dx, &x), &g), &w) in dx.iter_mut().zip(x).zip(g).zip(weight) {
                *dx = (g * w - whole - (x - mean) * inverse * along) * inverse;
            }
        }
    }
}

/// Columns whose chains of a weight gradient stay in registers.
const COLUMNS: usize = 32;

struct WeightGradient<'a, T> {
    of: LastAxis<'a, T>,
    first: usize,
    moments: &'a [T],
    upstream: &'a [T],
    sums: &'a mut [T],
}

impl<T: Real> Kernel for WeightGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.of.weight.len();
        let blocks = self.of.x.chunks(BLOCK * width).zip(self.upstream.chunks(BLOCK * width));
        for ((x, g), moments) in blocks.zip(self.moments.chunks(2 * BLOCK)) {
            for (tile, sums) in self.sums.chunks_mut(COLUMNS).enumerate() {
                let from = self.first + tile * COLUMNS;
                let mut chains = [T::ZERO; COLUMNS];
                for ((x, g), pair) in x.chunks_exact(width).zip(g.chunks_exact(width)).zip(moments.chunks_exact(2)) {
                    let (mean, inverse) = (pair[0], pair[1]);
                    let (x, g) = (&x[from..], &g[from..]);
                    match (x.first_chunk::<COLUMNS>(), g.first_chunk::<COLUMNS>(), sums.len() == COLUMNS) {
                        (Some(x), Some(g), true) => {
                            for j in 0..COLUMNS {
                                chains[j] = g[j].mul_add((x[j] - mean) * inverse, chains[j]);
                            }
                        }
                        _ => {
                            for ((chain, &x), &g) in chains.iter_mut().zip(x).zip(g).take(sums.len()) {
                                *chain = g.mul_add((x - mean) * inverse, *chain);
                            }
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

impl<T: Real> LastAxis<'_, T> {
    /// `y = (x - mean) / sqrt(var + eps) * weight + bias`; keeps mean and inverse deviation where there is room for them.
    pub fn forward(self, team: &Team, y: &mut [T], saved: &mut [T]) {
        let width = self.weight.len();
        if !saved.is_empty() {
            all_moments(team, self.x, width, self.centred, self.eps, saved);
        }
        let moments = &*saved;
        team.split_rows(y, width, PART.div_ceil(width), &|first, y| {
            vectorized(Normalise { of: self, first, moments, y });
        });
    }

    /// The gradient of the input.
    pub fn input_gradient(self, team: &Team, moments: &[T], upstream: &[T], dx: &mut [T]) {
        let width = self.weight.len();
        team.split_rows(dx, width, PART.div_ceil(width), &|first, dx| {
            vectorized(InputGradient { of: self, first, moments, upstream, dx });
        });
    }

    /// The gradient of the factors, added in blocks of 1,024 runs.
    pub fn weight_gradient(self, team: &Team, moments: &[T], upstream: &[T], sums: &mut [T]) {
        let runs = self.x.len() / self.weight.len();
        team.split_rows(sums, 1, PART.div_ceil(runs.max(1)).max(COLUMNS), &|first, sums| {
            vectorized(WeightGradient { of: self, first, moments, upstream, sums });
        });
    }
}

/// `eps` keeps the division possible.
pub(crate) fn check_eps(name: &str, eps: f64) -> Result<(), String> {
    if eps > 0.0 && eps.is_finite() {
        return Ok(());
    }
    Err(format!("{name} adds eps to the variance: it must be greater than 0, but it is {eps}; 1e-5 is usual"))
}

#[cfg(test)]
mod tests {
    use glassnet_kernels::reduce;

    use super::*;

    #[test]
    fn the_tree_has_the_bytes_of_the_kernels_reductions() {
        for n in [0_usize, 1, 7, 15, 16, 17, 33, 130] {
            let a: Vec<f32> = (0..n).map(|i| (i as f32 * 0.7).sqrt() - 2.0).collect();
            let b: Vec<f32> = (0..n).map(|i| (i as f32 * 1.3).sqrt() - 3.0).collect();
            assert_eq!(tree(&a, &a, &a, |sum, a, _, _| sum + a).to_bits(), reduce::sum(&a).to_bits(), "{n}");
            assert_eq!(tree(&a, &b, &a, |sum, a, b, _| a.mul_add(b, sum)).to_bits(), reduce::dot(&a, &b).to_bits());
        }
    }
}
