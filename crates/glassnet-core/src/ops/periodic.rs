//! Periodic numerical embedding (PBLD): a number becomes a few waves of itself, mixed, and itself:
//! `e_i = [W_i cos(2 pi f_i x_i + p_i) + b_i, x_i]`, with weights of its own for each feature i.
//!
//! Shapes: `x [B, n]`; frequencies `f [n, K]` and phases `p [n, K]` (K = [`Periodic::frequencies`]), `W [n, width - 1, K]`,
//! `b [n, width - 1]`; `y [B, n width]`, feature by feature, the number itself last.
//! Gradients, with the angle `t = 2 pi f x + p` and `v_k = -sin(t_k) sum_o g_o W_ok`: `dp = sum v`, `df = sum 2 pi x v`,
//! `dW_ok = sum g_o cos(t_k)`, `db_o = sum g_o` (sums over examples), `dx = g_last + sum_k 2 pi f_k v_k`.
//!
//! An output is one chain of fused multiply-adds in increasing k, the bias after it. Rows are worked on sixteen at a time, each in
//! a lane of its own, so a row alone has the bytes of the row in a batch. A sum over examples runs in blocks of 1,024 rows; in
//! a block row j goes to lane j mod 16, and the lanes are joined by the tree 8-4-2-1. Threads share out rows for values and
//! features for sums. Nothing is kept for backward: cosines and sines are computed again there.
//!
//! Cost of one row: n K cosines and 2 n K (width - 1) for the products; backward both functions and twice the products.
//! Source: the PBLD embeddings of RealMLP (Holzmueller et al. 2024), after Gorishniy, Rubachev & Babenko 2022.

use std::f64::consts::TAU;

use glassnet_kernels::angles::{cos_into, sin_into};
use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::row_norm::tree;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Most waves of a feature, and most numbers that it becomes: what is worked on at once has this room.
pub const MOST_FREQUENCIES: usize = 32;
/// See [`MOST_FREQUENCIES`].
pub const MOST_WIDTH: usize = 8;

/// Rows that are worked on side by side.
const LANES: usize = 16;
/// With fewer rows than this, each is worked on alone: the waves then lie side by side.
const FEW: usize = 4;
/// Angles that are worth a thread.
const PART: usize = 1 << 12;

/// `e_i = [W_i cos(2 pi f_i x_i + p_i) + b_i, x_i]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Periodic {
    /// Waves of each feature.
    pub frequencies: usize,
    /// Numbers that a feature becomes, itself included.
    pub width: usize,
}

/// The parameters of all features.
#[derive(Clone, Copy)]
struct Weights<'a, T> {
    /// K.
    waves: usize,
    /// Numbers that a feature becomes.
    width: usize,
    frequency: &'a [T],
    phase: &'a [T],
    weight: &'a [T],
    bias: &'a [T],
}

impl<'a, T: Real> Weights<'a, T> {
    fn new(op: &Periodic, parameters: &'a [&'a [T]]) -> Self {
        Weights {
            waves: op.frequencies,
            width: op.width,
            frequency: parameters[0],
            phase: parameters[1],
            weight: parameters[2],
            bias: parameters[3],
        }
    }

    fn features(&self) -> usize {
        self.frequency.len() / self.waves
    }

    /// The row of W for output `o` of a feature.
    #[inline(always)]
    fn row(&self, feature: usize, o: usize) -> &'a [T] {
        &self.weight[(feature * (self.width - 1) + o) * self.waves..][..self.waves]
    }

    /// The angles of a feature for R numbers, wave by wave.
    #[inline(always)]
    fn angles<const R: usize>(&self, feature: usize, x: &[T; R], angles: &mut [T]) {
        let part = feature * self.waves..(feature + 1) * self.waves;
        let turn = T::from_f64(TAU);
        let (angles, _) = angles.as_chunks_mut::<R>();
        for ((angles, &f), &p) in angles.iter_mut().zip(&self.frequency[part.clone()]).zip(&self.phase[part]) {
            let f = turn * f;
            for r in 0..R {
                angles[r] = f.mul_add(x[r], p);
            }
        }
    }
}

/// Column `column` of up to R rows of a matrix, 0 where there is no row.
#[inline(always)]
fn gather<T: Real, const R: usize>(matrix: &[T], width: usize, column: usize) -> [T; R] {
    let mut out = [T::ZERO; R];
    for (out, row) in out.iter_mut().zip(matrix.chunks_exact(width)) {
        *out = row[column];
    }
    out
}

/// Room for what R rows of one feature have of each wave.
struct Room<T> {
    angles: [T; MOST_FREQUENCIES * LANES],
    waves: [T; MOST_FREQUENCIES * LANES],
}

impl<T: Real> Room<T> {
    fn new() -> Self {
        Room { angles: [T::ZERO; MOST_FREQUENCIES * LANES], waves: [T::ZERO; MOST_FREQUENCIES * LANES] }
    }
}

/// Whole rows of the output.
struct Value<'a, T> {
    of: Weights<'a, T>,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Value<'_, T> {
    /// Up to R rows.
    #[inline(always)]
    fn rows<const R: usize>(of: Weights<'_, T>, x: &[T], y: &mut [T], room: &mut Room<T>) {
        let (features, width) = (of.features(), of.width);
        for feature in 0..features {
            let own = gather::<T, R>(x, features, feature);
            let (angles, waves) = (&mut room.angles[..of.waves * R], &mut room.waves[..of.waves * R]);
            of.angles(feature, &own, angles);
            cos_into(angles, waves);
            for o in 0..width - 1 {
                let mut chains = [T::ZERO; R];
                for (waves, &w) in waves.as_chunks::<R>().0.iter().zip(of.row(feature, o)) {
                    for r in 0..R {
                        chains[r] = w.mul_add(waves[r], chains[r]);
                    }
                }
                let bias = of.bias[feature * (width - 1) + o];
                for (y, chain) in y.chunks_exact_mut(features * width).zip(chains) {
                    y[feature * width + o] = chain + bias;
                }
            }
            for (y, own) in y.chunks_exact_mut(features * width).zip(own) {
                y[feature * width + width - 1] = own;
            }
        }
    }
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let features = self.of.features();
        let mut room = Room::new();
        let tiles = self.x.chunks(LANES * features).zip(self.y.chunks_mut(LANES * features * self.of.width));
        for (x, y) in tiles {
            if x.len() >= FEW * features {
                Self::rows::<LANES>(self.of, x, y, &mut room);
                continue;
            }
            for (x, y) in x.chunks_exact(features).zip(y.chunks_exact_mut(features * self.of.width)) {
                Self::rows::<1>(self.of, x, y, &mut room);
            }
        }
    }
}

/// `-sin(t) sum_o g_o W_ok` of R rows for each wave k of a feature, where the sines stand.
#[inline(always)]
fn fall<T: Real, const R: usize>(of: Weights<'_, T>, feature: usize, g: &[[T; R]], sines: &mut [T]) {
    for (k, sines) in sines.as_chunks_mut::<R>().0.iter_mut().enumerate() {
        let mut chains = [T::ZERO; R];
        for (o, g) in g.iter().enumerate() {
            let w = of.row(feature, o)[k];
            for r in 0..R {
                chains[r] = w.mul_add(g[r], chains[r]);
            }
        }
        for r in 0..R {
            sines[r] = T::ZERO - sines[r] * chains[r];
        }
    }
}

/// Whole rows of the input's gradient.
struct InputGradient<'a, T> {
    of: Weights<'a, T>,
    x: &'a [T],
    upstream: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> InputGradient<'_, T> {
    #[inline(always)]
    fn rows<const R: usize>(of: Weights<'_, T>, x: &[T], upstream: &[T], dx: &mut [T], room: &mut Room<T>) {
        let (features, width) = (of.features(), of.width);
        let turn = T::from_f64(TAU);
        for feature in 0..features {
            let own = gather::<T, R>(x, features, feature);
            let mut g = [[T::ZERO; R]; MOST_WIDTH];
            for (o, g) in g.iter_mut().take(width).enumerate() {
                *g = gather(upstream, features * width, feature * width + o);
            }
            let (angles, sines) = (&mut room.angles[..of.waves * R], &mut room.waves[..of.waves * R]);
            of.angles(feature, &own, angles);
            sin_into(angles, sines);
            fall(of, feature, &g[..width - 1], sines);
            let mut chains = [T::ZERO; R];
            let frequency = &of.frequency[feature * of.waves..][..of.waves];
            for (fall, &f) in sines.as_chunks::<R>().0.iter().zip(frequency) {
                let f = turn * f;
                for r in 0..R {
                    chains[r] = f.mul_add(fall[r], chains[r]);
                }
            }
            for ((dx, chain), g) in dx.chunks_exact_mut(features).zip(chains).zip(g[width - 1]) {
                dx[feature] = chain + g;
            }
        }
    }
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let features = self.of.features();
        let whole = features * self.of.width;
        let mut room = Room::new();
        let tiles = self.x.chunks(LANES * features).zip(self.upstream.chunks(LANES * whole));
        for ((x, g), dx) in tiles.zip(self.dx.chunks_mut(LANES * features)) {
            if x.len() >= FEW * features {
                Self::rows::<LANES>(self.of, x, g, dx, &mut room);
                continue;
            }
            let rows = x.chunks_exact(features).zip(g.chunks_exact(whole)).zip(dx.chunks_exact_mut(features));
            for ((x, g), dx) in rows {
                Self::rows::<1>(self.of, x, g, dx, &mut room);
            }
        }
    }
}

/// The gradients of the weights of some features, added.
struct Sums<'a, T> {
    of: Weights<'a, T>,
    first: usize,
    x: &'a [T],
    upstream: &'a [T],
    frequency: &'a mut [T],
    phase: &'a mut [T],
    weight: &'a mut [T],
    bias: &'a mut [T],
}

/// Lanes of the sums of one wave: df, dp, and dW for each output.
type Lanes<T> = [[T; LANES]; MOST_WIDTH + 1];

#[inline(always)]
fn add<T: Real>(lanes: &[T; LANES], sum: &mut T) {
    *sum += tree(lanes, lanes, lanes, |sum, lane, _, _| sum + lane);
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let of = self.of;
        let (features, waves, outputs) = (of.features(), of.waves, of.width - 1);
        let whole = features * of.width;
        let turn = T::from_f64(TAU);
        let mut room = Room::new();
        let mut cosines = [T::ZERO; MOST_FREQUENCIES * LANES];
        let mut sums: [Lanes<T>; MOST_FREQUENCIES] = [[[T::ZERO; LANES]; MOST_WIDTH + 1]; MOST_FREQUENCIES];
        for at in 0..self.bias.len() / outputs {
            let feature = self.first + at;
            for (x, g) in self.x.chunks(BLOCK * features).zip(self.upstream.chunks(BLOCK * whole)) {
                let mut bias = [[T::ZERO; LANES]; MOST_WIDTH];
                for sums in &mut sums[..waves] {
                    sums[..outputs + 2].fill([T::ZERO; LANES]);
                }
                for (x, g) in x.chunks(LANES * features).zip(g.chunks(LANES * whole)) {
                    let own = gather::<T, LANES>(x, features, feature);
                    let mut upstream = [[T::ZERO; LANES]; MOST_WIDTH];
                    for o in 0..outputs {
                        upstream[o] = gather(g, whole, feature * of.width + o);
                        for r in 0..LANES {
                            bias[o][r] += upstream[o][r];
                        }
                    }
                    let (angles, falls) = (&mut room.angles[..waves * LANES], &mut room.waves[..waves * LANES]);
                    let cosines = &mut cosines[..waves * LANES];
                    of.angles(feature, &own, angles);
                    cos_into(angles, cosines);
                    sin_into(angles, falls);
                    fall(of, feature, &upstream[..outputs], falls);
                    let waves = falls.as_chunks::<LANES>().0.iter().zip(cosines.as_chunks::<LANES>().0);
                    for ((fall, cosine), sums) in waves.zip(&mut sums) {
                        for r in 0..LANES {
                            sums[0][r] = fall[r].mul_add(own[r], sums[0][r]);
                            sums[1][r] += fall[r];
                        }
                        for (sums, g) in sums[2..].iter_mut().zip(&upstream[..outputs]) {
                            for r in 0..LANES {
                                sums[r] = g[r].mul_add(cosine[r], sums[r]);
                            }
                        }
                    }
                }
                for (o, lanes) in bias[..outputs].iter().enumerate() {
                    add(lanes, &mut self.bias[at * outputs + o]);
                }
                for (k, sums) in sums[..waves].iter().enumerate() {
                    let mut frequency = T::ZERO;
                    add(&sums[0], &mut frequency);
                    self.frequency[at * waves + k] += turn * frequency;
                    add(&sums[1], &mut self.phase[at * waves + k]);
                    for (o, lanes) in sums[2..outputs + 2].iter().enumerate() {
                        add(lanes, &mut self.weight[(at * outputs + o) * waves + k]);
                    }
                }
            }
        }
    }
}

impl Operation for Periodic {
    fn card(&self) -> Card {
        Card {
            name: "periodic",
            family: Family::Arithmetic,
            formula: "e_i = [W_i cos(2 pi f_i x_i + p_i) + b_i, x_i]",
            derivative: "with t = 2 pi f x + p, v = -sin(t) W^T g: dp = sum v, df = sum 2 pi x v, dW = sum g cos(t)^T, dx = g_last + 2 pi f v",
            range: "(-inf, inf)",
            used: "numbers in tables: lets a network bend often along one of them",
            source: "Gorishniy et al. 2022; Holzmueller et al. 2024 (RealMLP)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [features] = inputs[0].0[..] else {
            return Err(format!("periodic reads a row of numbers, [B, n], but its input is {}", inputs[0]));
        };
        if features == 0 {
            return Err("periodic needs at least one number a row, but its input has none".into());
        }
        if !(1..=MOST_FREQUENCIES).contains(&self.frequencies) {
            return Err(format!("periodic has 1 to {MOST_FREQUENCIES} frequencies, but it has {}", self.frequencies));
        }
        if !(2..=MOST_WIDTH).contains(&self.width) {
            return Err(format!(
                "periodic makes 2 to {MOST_WIDTH} numbers of each, itself included, but its width is {}",
                self.width
            ));
        }
        features.checked_mul(self.width).map(Shape::row).ok_or_else(|| "periodic gives too many numbers".into())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let (features, waves, outputs) = (inputs[0].last(), self.frequencies, self.width.saturating_sub(1));
        vec![
            SlotSpec { name: "frequency", shape: vec![features, waves], role: Role::Weight },
            SlotSpec { name: "phase", shape: vec![features, waves], role: Role::Bias },
            SlotSpec { name: "weight", shape: vec![features, outputs, waves], role: Role::Weight },
            SlotSpec { name: "bias", shape: vec![features, outputs], role: Role::Bias },
        ]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        // A sine or a cosine is some twenty operations.
        let angles = inputs[0].len() as u64 * self.frequencies as u64;
        let products = angles * (self.width as u64 - 1);
        Cost {
            forward: 22 * angles + 2 * products + output.len() as u64,
            backward: 2 * (22 * angles + 2 * products) + 5 * angles + 2 * products + output.len() as u64,
        }
    }

    fn input_cost(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        let angles = inputs[0].len() as u64 * self.frequencies as u64;
        (24 + 2 * (self.width as u64 - 1)) * angles
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let of = Weights::new(self, io.parameters);
        let (x, features) = (io.inputs[0], of.features());
        let least = PART.div_ceil(features * self.frequencies).next_multiple_of(LANES);
        io.context.team.split_rows(io.output, features * self.width, least, &|first, y| {
            let rows = y.len() / (features * self.width);
            vectorized(Value { of, x: &x[first * features..][..rows * features], y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let of = Weights::new(self, io.parameters);
        let (x, upstream, team) = (io.inputs[0], io.upstream, io.context.team);
        let (features, waves, outputs) = (of.features(), self.frequencies, self.width - 1);
        if let Some(dx) = &mut io.input_gradients[0] {
            let least = PART.div_ceil(features * waves).next_multiple_of(LANES);
            team.split_rows(dx, features, least, &|first, dx| {
                let rows = dx.len() / features;
                let upstream = &upstream[first * features * self.width..][..rows * features * self.width];
                vectorized(InputGradient { of, x: &x[first * features..][..rows * features], upstream, dx });
            });
        }
        let [frequency, phase, weight, bias] = io.parameter_gradients else { return };
        let slices = [
            (&mut **frequency, waves),
            (&mut **phase, waves),
            (&mut **weight, outputs * waves),
            (&mut **bias, outputs),
        ];
        let least = PART.div_ceil((x.len() / features * waves).max(1));
        team.split_together(features, least, slices, &|run, [frequency, phase, weight, bias]| {
            vectorized(Sums { of, first: run.start, x, upstream, frequency, phase, weight, bias });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (waves, outputs) = (self.frequencies, self.width - 1);
        let features = operands.parameters[0].len() / waves;
        let [frequency, phase, weight, bias] = [0, 1, 2, 3].map(|slot| operands.parameters[slot]);
        let mut y = Vec::new();
        for (place, &x) in operands.inputs[0].iter().enumerate() {
            let i = place % features;
            for o in 0..outputs {
                let mut sum = bias[i * outputs + o];
                for k in 0..waves {
                    let angle = TAU * frequency[i * waves + k] * x + phase[i * waves + k];
                    sum += weight[(i * outputs + o) * waves + k] * Real::cos(angle);
                }
                y.push(sum);
            }
            y.push(x);
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        // Frequencies are drawn up to 1: with numbers up to 0.5 the curves bend no faster than differences can follow.
        [(1, 1, 1, 2), (2, 3, 16, 4), (5, 2, 16, 4), (33, 1, 5, 3), (18, 2, 3, 5), (1030, 1, 2, 2)]
            .map(|(rows, features, frequencies, width)| {
                Sample::new(Periodic { frequencies, width }, rows, [Shape::row(features)]).domain(0, -0.5, 0.5)
            })
            .into()
    }
}
