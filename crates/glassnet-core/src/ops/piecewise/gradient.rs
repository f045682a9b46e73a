//! The gradients of numbers by parts: by the numbers themselves, and by the weights of the bins, the line and the bias.

use glassnet_kernels::Kernel;
use glassnet_kernels::product::BLOCK;

use super::{Bins, KEPT, MOST_WIDTH, Weights};
use crate::Real;

/// `a . b` in one chain.
#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).fold(T::ZERO, |chain, (&a, &b)| a.mul_add(b, chain))
}

/// Whole rows of the input's gradient.
pub(super) struct InputGradient<'a, T> {
    pub of: Weights<'a, T>,
    pub x: &'a [T],
    pub upstream: &'a [T],
    pub dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let InputGradient { of, x, upstream, dx } = self;
        let (features, width) = (of.features(), of.width);
        for feature in 0..features {
            let bins = of.of(feature);
            let line = &of.line[feature * width..][..width];
            let rows = x.chunks_exact(features).zip(upstream.chunks_exact(features * width));
            for ((x, g), dx) in rows.zip(dx.chunks_exact_mut(features)) {
                let g = &g[feature * width..][..width];
                let mut sum = dot(g, line);
                for bin in bins.asked_slopes(x[feature]) {
                    let slope = bins.slope(bin, x[feature]);
                    if slope != T::ZERO {
                        sum = slope.mul_add(dot(g, of.row(feature, bin)), sum);
                    }
                }
                dx[feature] = sum;
            }
        }
    }
}

/// The gradients of some features' weights, added.
pub(super) struct Sums<'a, T> {
    pub of: Weights<'a, T>,
    pub first: usize,
    pub x: &'a [T],
    pub upstream: &'a [T],
    pub weight: &'a mut [T],
    pub line: &'a mut [T],
    pub bias: &'a mut [T],
}

impl<T: Real> Sums<'_, T> {
    /// Adds `sum over rows of g factor(x)`, in blocks.
    #[inline(always)]
    pub fn add(&self, feature: usize, factor: impl Fn(T) -> T, sums: &mut [T]) {
        let (features, width) = (self.of.features(), self.of.width);
        let whole = features * width;
        for (x, g) in self.x.chunks(BLOCK * features).zip(self.upstream.chunks(BLOCK * whole)) {
            let mut chains = [T::ZERO; MOST_WIDTH];
            let chains = &mut chains[..width];
            for (x, g) in x.chunks_exact(features).zip(g.chunks_exact(whole)) {
                let factor = factor(x[feature]);
                if factor != T::ZERO {
                    for (chain, &g) in chains.iter_mut().zip(&g[feature * width..][..width]) {
                        *chain = factor.mul_add(g, *chain);
                    }
                }
            }
            for (sum, &chain) in sums.iter_mut().zip(&*chains) {
                *sum += chain;
            }
        }
    }

    /// Adds `sum over rows of g part_k(x)` for all bins of a feature, in the same blocks and chains: a row adds g to each bin that lies
    /// wholly below it. `bins` is a ladder and no x a NaN.
    #[inline(always)]
    pub fn add_parts(&self, feature: usize, bins: Bins<'_, T>, sums: &mut [T]) {
        let (features, width) = (self.of.features(), self.of.width);
        let whole = features * width;
        // g again and again, so that several bins are added at once.
        let mut again = [T::ZERO; MOST_WIDTH];
        let period = MOST_WIDTH / width * width;
        let mut table = [T::ZERO; KEPT];
        let table = &mut table[..bins.live() * width];
        for (x, g) in self.x.chunks(BLOCK * features).zip(self.upstream.chunks(BLOCK * whole)) {
            table.fill(T::ZERO);
            for (x, g) in x.chunks_exact(features).zip(g.chunks_exact(whole)) {
                let (x, g) = (x[feature], &g[feature * width..][..width]);
                for out in again[..period].chunks_exact_mut(width) {
                    out.copy_from_slice(g);
                }
                let bin = bins.place(x);
                let (below, rest) = table.split_at_mut(bin * width);
                for below in below.chunks_mut(period) {
                    for (chain, &g) in below.iter_mut().zip(&again) {
                        *chain = T::ONE.mul_add(g, *chain);
                    }
                }
                let part = bins.part(bin, x);
                if part != T::ZERO {
                    for (chain, &g) in rest.iter_mut().zip(g) {
                        *chain = part.mul_add(g, *chain);
                    }
                }
            }
            for (sum, &chain) in sums.iter_mut().zip(&*table) {
                *sum += chain;
            }
        }
    }
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (bins, width, features) = (self.of.bins, self.of.width, self.of.features());
        let (weight, line, bias) =
            (std::mem::take(&mut self.weight), std::mem::take(&mut self.line), std::mem::take(&mut self.bias));
        let parts = weight.chunks_exact_mut(bins * width).zip(line.chunks_exact_mut(width));
        for (at, ((weight, line), bias)) in parts.zip(bias.chunks_exact_mut(width)).enumerate() {
            let feature = self.first + at;
            let own = self.of.of(feature);
            let known = || self.x.iter().skip(feature).step_by(features).all(|x| !x.is_nan());
            if own.live() > 0 && own.live() * width <= KEPT && known() {
                self.add_parts(feature, own, weight);
            } else {
                for (bin, sums) in weight.chunks_exact_mut(width).enumerate() {
                    self.add(feature, |x| own.part(bin, x), sums);
                }
            }
            self.add(feature, |x| x, line);
            self.add(feature, |_| T::ONE, bias);
        }
    }
}
