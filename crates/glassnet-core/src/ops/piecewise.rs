//! Numbers by parts: each becomes a few numbers that are straight lines between the edges of its bins,
//! `y_i = b_i + l_i x_i + sum_k part_ik(x_i) W_ik`.
//!
//! Shapes: `x [B, F]`, edges `[F, bins + 1]`, `W [F, bins, D]`, `l [F, D]`, `b [F, D]`, `y [B, F D]`, the numbers of a feature side by
//! side. `part_k(x) = (x - edge_k) / (edge_k+1 - edge_k)`, at least 0 and at most 1: how much of the bin lies below x. The first bin
//! has no least and the last no most, so that numbers outside of all bins go on as lines. A bin whose edges are not in increasing order
//! has no part: where a feature has fewer distinct edges, the last is repeated, and those bins have no effect.
//! Edges are state ([`Role::Edges`]): quantiles of the training rows, not trained.
//!
//! Gradients: `dW_k = sum g part_k`, `dl = sum g x`, `db = sum g` (sums over examples: blocks of 1,024 rows), and
//! `dx = g . l + sum over the bins that x is in of (g . W_k) / (edge_k+1 - edge_k)`. An element of y is one chain of fused
//! multiply-adds in increasing bin; line and bias come after it.
//! Source: Gorishniy et al. 2022, version "B" of rtdl_num_embeddings (with the line, and W = 0 at the start).

use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;
use bins::Bins;
use gradient::{InputGradient, Sums};

mod bins;
mod gradient;

/// Most bins of a number.
pub const MOST_BINS: usize = 256;
/// Most numbers that one becomes.
pub const MOST_WIDTH: usize = 64;
/// Fused multiply-adds that are worth a thread.
const PART: usize = 1 << 15;
/// Rows from which on the chains of whole bins are made once for all of them.
const MANY_ROWS: usize = 16;
/// Most numbers of a feature that are kept on the stack: 48 bins of 16 numbers, and what comes before the first.
const KEPT: usize = 1024;

/// `y_i = b_i + l_i x_i + sum_k part_ik(x_i) W_ik`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piecewise {
    /// Bins of each number, 1 to [`MOST_BINS`].
    pub bins: usize,
    /// Numbers that each becomes, 1 to [`MOST_WIDTH`].
    pub width: usize,
}

/// The four slots and their sizes.
#[derive(Clone, Copy)]
struct Weights<'a, T> {
    edges: &'a [T],
    weight: &'a [T],
    line: &'a [T],
    bias: &'a [T],
    bins: usize,
    width: usize,
}

impl<'a, T: Real> Weights<'a, T> {
    fn new(op: &Piecewise, slots: &[&'a [T]]) -> Self {
        let (bins, width) = (op.bins, op.width);
        Weights { edges: slots[0], weight: slots[1], line: slots[2], bias: slots[3], bins, width }
    }

    #[inline(always)]
    fn features(&self) -> usize {
        self.line.len() / self.width
    }

    #[inline(always)]
    fn of(&self, feature: usize) -> Bins<'a, T> {
        Bins::new(&self.edges[feature * (self.bins + 1)..][..self.bins + 1])
    }

    /// `x line + bias + chain`, element by element.
    #[inline(always)]
    fn finish(&self, feature: usize, x: T, chains: &[T], y: &mut [T]) {
        let (line, bias) = (&self.line[feature * self.width..], &self.bias[feature * self.width..]);
        for (((y, &chain), &line), &bias) in y.iter_mut().zip(chains).zip(line).zip(bias) {
            *y = x.mul_add(line, bias) + chain;
        }
    }

    /// The row of W of a feature's bin.
    #[inline(always)]
    fn row(&self, feature: usize, bin: usize) -> &'a [T] {
        &self.weight[(feature * self.bins + bin) * self.width..][..self.width]
    }
}

/// Whole rows of the output.
struct Value<'a, T> {
    of: Weights<'a, T>,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Value<'_, T> {
    /// One feature of all rows, every bin asked.
    #[inline(always)]
    fn each(&mut self, feature: usize, bins: Bins<'_, T>) {
        let (features, width) = (self.of.features(), self.of.width);
        for (x, y) in self.x.chunks_exact(features).zip(self.y.chunks_exact_mut(features * width)) {
            let x = x[feature];
            let mut chains = [T::ZERO; MOST_WIDTH];
            let chains = &mut chains[..width];
            let (asked, ladder) = (bins.asked(x), bins.live() > 0 && !x.is_nan());
            for bin in asked.clone() {
                // In a ladder only the last that is asked is not whole.
                let whole = ladder && bin + 1 < asked.end;
                let part = if whole { T::ONE } else { bins.part(bin, x) };
                // A chain from +0 stays as it is.
                if part != T::ZERO {
                    for (chain, &w) in chains.iter_mut().zip(self.of.row(feature, bin)) {
                        *chain = part.mul_add(w, *chain);
                    }
                }
            }
            self.of.finish(feature, x, chains, &mut y[feature * width..][..width]);
        }
    }

    /// The same, with the chains of whole bins kept in `below`, for many rows.
    #[inline(always)]
    fn kept(&mut self, feature: usize, bins: Bins<'_, T>, below: &mut [T]) {
        let (features, width) = (self.of.features(), self.of.width);
        below[..width].fill(T::ZERO);
        for bin in 0..bins.live() {
            let (done, next) = below.split_at_mut((bin + 1) * width);
            for ((next, &done), &w) in next.iter_mut().zip(&done[bin * width..]).zip(self.of.row(feature, bin)) {
                *next = T::ONE.mul_add(w, done);
            }
        }
        for (x, y) in self.x.chunks_exact(features).zip(self.y.chunks_exact_mut(features * width)) {
            let x = x[feature];
            let bin = bins.place(x);
            let part = bins.part(bin, x);
            let mut chains = [T::ZERO; MOST_WIDTH];
            let chains = &mut chains[..width];
            chains.copy_from_slice(&below[bin * width..][..width]);
            if part != T::ZERO {
                for (chain, &w) in chains.iter_mut().zip(self.of.row(feature, bin)) {
                    *chain = part.mul_add(w, *chain);
                }
            }
            self.of.finish(feature, x, chains, &mut y[feature * width..][..width]);
        }
    }
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let (features, width) = (self.of.features(), self.of.width);
        let rows = self.x.len() / features;
        let mut below = [T::ZERO; KEPT];
        for feature in 0..features {
            let bins = self.of.of(feature);
            let known = || self.x.iter().skip(feature).step_by(features).all(|x| !x.is_nan());
            if rows >= MANY_ROWS && bins.live() > 0 && (bins.live() + 1) * width <= KEPT && known() {
                self.kept(feature, bins, &mut below);
            } else {
                self.each(feature, bins);
            }
        }
    }
}

/// Rows that are worth a thread: each number is compared with the edges and makes `width` numbers.
fn least(features: usize, op: &Piecewise) -> usize {
    PART.div_ceil(features * (op.bins + 4 * op.width)).max(MANY_ROWS)
}

impl Operation for Piecewise {
    fn card(&self) -> Card {
        Card {
            name: "piecewise",
            family: Family::Arithmetic,
            formula: "y_i = b_i + l_i x_i + sum_k part_ik(x_i) W_ik, part_ik how much of bin k lies below x_i",
            derivative: "dW_k = sum g part_k, dl = sum g x, db = sum g, dx = g l + (g W_k) / width_k in bin k",
            range: "(-inf, inf)",
            used: "numbers in tables: a curve of straight pieces for each",
            source: "Gorishniy et al. 2022",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [features] = inputs[0].0[..] else {
            return Err(format!("piecewise reads a row of numbers, [B, n], but its input is {}", inputs[0]));
        };
        if features == 0 {
            return Err("piecewise needs at least one number a row, but its input has none".into());
        }
        if !(1..=MOST_BINS).contains(&self.bins) {
            return Err(format!("piecewise has 1 to {MOST_BINS} bins, but it has {}", self.bins));
        }
        if !(1..=MOST_WIDTH).contains(&self.width) {
            return Err(format!("piecewise makes 1 to {MOST_WIDTH} numbers of each, but its width is {}", self.width));
        }
        features.checked_mul(self.width).map(Shape::row).ok_or_else(|| "piecewise gives too many numbers".into())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let features = inputs[0].last();
        vec![
            SlotSpec { name: "edges", shape: vec![features, self.bins + 1], role: Role::Edges },
            SlotSpec { name: "weight", shape: vec![features, self.bins, self.width], role: Role::Weight },
            SlotSpec { name: "line", shape: vec![features, self.width], role: Role::Scale },
            SlotSpec { name: "bias", shape: vec![features, self.width], role: Role::Bias },
        ]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        // A comparison with each edge, one part; two multiply-adds and a sum for each number. Backward, half of the bins are below x on
        // average, and what is added counts as two operations.
        let (parts, outputs) = ((inputs[0].len() * (self.bins + 3)) as u64, output.len() as u64);
        Cost { forward: parts + 5 * outputs, backward: parts + (self.bins as u64 + 5) * outputs }
    }

    fn input_cost(&self, inputs: &[&Shape], output: &Shape) -> u64 {
        (inputs[0].len() * (self.bins + 4) + 6 * output.len()) as u64
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let of = Weights::new(self, io.parameters);
        let (x, features) = (io.inputs[0], of.features());
        let whole = features * self.width;
        io.context.team.split_rows(io.output, whole, least(features, self), &|first, y| {
            let rows = y.len() / whole;
            vectorized(Value { of, x: &x[first * features..][..rows * features], y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let of = Weights::new(self, io.parameters);
        let (x, upstream, team) = (io.inputs[0], io.upstream, io.context.team);
        let (features, width) = (of.features(), self.width);
        let whole = features * width;
        if let Some(dx) = &mut io.input_gradients[0] {
            team.split_rows(dx, features, least(features, self), &|first, dx| {
                let rows = dx.len() / features;
                let upstream = &upstream[first * whole..][..rows * whole];
                vectorized(InputGradient { of, x: &x[first * features..][..rows * features], upstream, dx });
            });
        }
        let [_, weight, line, bias] = io.parameter_gradients else { return };
        let slices = [(&mut **weight, self.bins * width), (&mut **line, width), (&mut **bias, width)];
        // A row adds g to half of the bins, on average.
        let work = x.len() / features * (self.bins / 2 + 4) * width;
        team.split_together(features, PART.div_ceil(work.max(1)), slices, &|run, [weight, line, bias]| {
            vectorized(Sums { of, first: run.start, x, upstream, weight, line, bias });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (bins, width) = (self.bins, self.width);
        let [edges, weight, line, bias] = [0, 1, 2, 3].map(|slot| operands.parameters[slot]);
        let features = line.len() / width;
        let mut y = Vec::new();
        for (place, &x) in operands.inputs[0].iter().enumerate() {
            let i = place % features;
            let edges = &edges[i * (bins + 1)..][..bins + 1];
            let live: Vec<usize> = (0..bins).filter(|&k| edges[k + 1] > edges[k]).collect();
            for o in 0..width {
                let mut sum = bias[i * width + o] + line[i * width + o] * x;
                for &k in &live {
                    let mut part = (x - edges[k]) / (edges[k + 1] - edges[k]);
                    if Some(&k) != live.first() {
                        part = part.max(0.0);
                    }
                    if Some(&k) != live.last() {
                        part = part.min(1.0);
                    }
                    sum += part * weight[(i * bins + k) * width + o];
                }
                y.push(sum);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1, 1, 1), (2, 3, 5, 4), (5, 2, 12, 16), (33, 1, 3, 3), (18, 2, 4, 5), (17, 1, 70, 16), (1030, 1, 2, 2)]
            .map(|(rows, features, bins, width)| {
                Sample::new(Piecewise { bins, width }, rows, [Shape::row(features)]).domain(0, -1.5, 1.5)
            })
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Draws, Purpose};

    /// To compare bytes: -0 is not +0, and a NaN is a NaN.
    fn bits(x: &[f32]) -> Vec<u32> {
        x.iter().map(|x| if x.is_nan() { u32::MAX } else { x.to_bits() }).collect()
    }

    /// Edges as no rows tell them, from a file: many rows at once give what each gives alone, and nothing ends the program.
    #[test]
    fn edges_of_any_kind_give_many_rows_what_one_has() {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        for edges in [
            [0.0, 1.0, 0.5, 2.0],
            [nan, 0.0, 1.0, 2.0],
            [-inf, 0.0, 1.0, inf],
            [1.0, 1.0, 1.0, 1.0],
            [-3e38, 0.0, 1.0, 3e38],
        ] {
            let (weight, line, bias) = ([0.3_f32, -0.7, 2.0], [0.5_f32], [-0.25_f32]);
            let of = Weights { edges: &edges, weight: &weight, line: &line, bias: &bias, bins: 3, width: 1 };
            let x: Vec<f32> = (0..40).map(|row| row as f32 / 8.0 - 2.0).chain([inf, -inf, nan, -0.0]).collect();
            let value = |x: &[f32]| {
                let mut y = vec![0.0; x.len()];
                Value { of, x, y: &mut y }.run();
                y
            };
            let alone: Vec<f32> = x.iter().flat_map(|x| value(std::slice::from_ref(x))).collect();
            assert_eq!(bits(&value(&x)), bits(&alone), "{edges:?}");
            let slopes = |x: &[f32]| {
                let mut dx = vec![0.0; x.len()];
                InputGradient { of, x, upstream: &vec![1.5; x.len()], dx: &mut dx }.run();
                dx
            };
            let alone: Vec<f32> = x.iter().flat_map(|x| slopes(std::slice::from_ref(x))).collect();
            assert_eq!(bits(&slopes(&x)), bits(&alone), "{edges:?}");
        }
    }

    /// Many rows at once, by the chains of whole bins, give the bytes of every row and every bin asked alone.
    #[test]
    fn kept_chains_are_those_of_every_bin_asked() {
        for (rows, features, bins, width) in
            [(16, 1, 1, 1), (40, 3, 48, 4), (1500, 2, 48, 16), (33, 2, 9, 7), (70, 1, 200, 5)]
        {
            let number = |stream: u32, count: usize| -> Vec<f32> {
                let draws = Draws::new(9, Purpose::Synthetic, stream, 0);
                (0..count).map(|i| draws.normal(i as u64) as f32).collect()
            };
            let mut x = number(0, rows * features);
            let mut edges = number(1, features * (bins + 1));
            edges.chunks_mut(bins + 1).for_each(|edges| edges.sort_by(f32::total_cmp));
            // The last edge repeated, and numbers that are edges.
            let repeated = bins / 3;
            let top = edges[bins - repeated];
            edges[bins - repeated..=bins].fill(top);
            x.iter_mut().step_by(5).enumerate().for_each(|(i, x)| *x = edges[i % (bins + 1)]);
            let (weight, line) = (number(2, features * bins * width), number(3, features * width));
            let (bias, g) = (number(4, features * width), number(5, rows * features * width));
            let of = Weights { edges: &edges, weight: &weight, line: &line, bias: &bias, bins, width };
            let value = |x: &[f32]| {
                let mut y = vec![0.0; x.len() * width];
                Value { of, x, y: &mut y }.run();
                y
            };
            // Among many rows one that is not finite.
            for strange in [0.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                let mut x = x.clone();
                x[features] = strange;
                let alone: Vec<f32> = x.chunks(features).flat_map(value).collect();
                assert_eq!(
                    bits(&value(&x)),
                    bits(&alone),
                    "{rows} rows, {features} features, {bins} bins, width {width}"
                );
            }
            let sums = Sums { of, first: 0, x: &x, upstream: &g, weight: &mut [], line: &mut [], bias: &mut [] };
            for feature in 0..features {
                let own = of.of(feature);
                let mut asked = vec![0.0; bins * width];
                for (bin, asked) in asked.chunks_exact_mut(width).enumerate() {
                    sums.add(feature, |x| own.part(bin, x), asked);
                }
                let mut kept = vec![0.0; bins * width];
                sums.add_parts(feature, own, &mut kept);
                assert_eq!(bits(&kept), bits(&asked), "{rows} rows, feature {feature}, {bins} bins, width {width}");
            }
        }
    }
}
