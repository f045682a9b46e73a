//! A linear layer of each member's own: `y_k = W_k x_k + b_k`.
//!
//! Shapes: `x [B, K, d]`, `W [K, C, d]`, `b [K, C]`, `y [B, K, C]`. Gradients: `dx_k = g_k W_k`, `dW_k = g_k^T x_k` and
//! `db_k = sum over rows of g_k` (sums over examples: blocks of 1,024 rows). An element of y is one chain of fused multiply-adds in increasing
//! input number; the bias comes after the chain. Meant for few outputs: the members' last layer.
//! Source: the heads of TabM (Gorishniy et al. 2024).

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::reduce::LANES;
use glassnet_kernels::{Kernel, vectorized};

use super::member_affine::check_members;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Fused multiply-adds that are worth a thread.
const PART: usize = 1 << 15;
/// Inputs that are turned at a time.
const INPUTS: usize = 128;
/// Outputs whose chains go on side by side.
const OUTPUTS: usize = 8;
/// Columns whose chains stay near.
const COLUMNS: usize = 512;
/// Rows from which it pays to turn them.
const FEW: usize = 4;

/// `y_k = W_k x_k + b_k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heads {
    /// Outputs of each member.
    pub units: usize,
}

/// Sizes of a row.
#[derive(Clone, Copy)]
struct Sizes {
    members: usize,
    width: usize,
    units: usize,
}

/// Whole rows of the output.
struct Value<'a, T> {
    sizes: Sizes,
    weight: &'a [T],
    bias: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Value<'_, T> {
    /// Up to R rows, one in each lane.
    #[inline(always)]
    fn rows<const R: usize>(&self, x: &[T], y: &mut [T]) {
        let Sizes { members, width, units } = self.sizes;
        let mut turned = [[T::ZERO; R]; INPUTS];
        for member in 0..members {
            for from in (0..units).step_by(OUTPUTS) {
                let live = OUTPUTS.min(units - from);
                let mut chains = [[T::ZERO; R]; OUTPUTS];
                for start in (0..width).step_by(INPUTS) {
                    let inputs = INPUTS.min(width - start);
                    for (row, x) in x.chunks_exact(members * width).enumerate().take(R) {
                        for (turned, &x) in turned.iter_mut().zip(&x[member * width + start..][..inputs]) {
                            turned[row] = x;
                        }
                    }
                    for (at, chain) in chains[..live].iter_mut().enumerate() {
                        let weight = &self.weight[(member * units + from + at) * width + start..][..inputs];
                        for (x, &w) in turned.iter().zip(weight) {
                            for r in 0..R {
                                chain[r] = w.mul_add(x[r], chain[r]);
                            }
                        }
                    }
                }
                for (row, y) in y.chunks_exact_mut(members * units).enumerate().take(R) {
                    let place = member * units + from;
                    let out = y[place..place + live].iter_mut().zip(&self.bias[place..place + live]);
                    for ((y, &bias), chain) in out.zip(&chains) {
                        *y = chain[row] + bias;
                    }
                }
            }
        }
    }
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let Sizes { members, width, units } = self.sizes;
        let (wide, narrow) = (members * width, members * units);
        let y = std::mem::take(&mut self.y);
        for (x, y) in self.x.chunks(LANES * wide).zip(y.chunks_mut(LANES * narrow)) {
            if x.len() >= FEW * wide {
                self.rows::<LANES>(x, y);
                continue;
            }
            for (x, y) in x.chunks_exact(wide).zip(y.chunks_exact_mut(narrow)) {
                self.rows::<1>(x, y);
            }
        }
    }
}

/// Whole rows of the input's gradient.
struct InputGradient<'a, T> {
    sizes: Sizes,
    weight: &'a [T],
    upstream: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Sizes { members, width, units } = self.sizes;
        let rows = self.upstream.chunks_exact(members * units).zip(self.dx.chunks_exact_mut(members * width));
        for (g, dx) in rows {
            let own = g.chunks_exact(units).zip(self.weight.chunks_exact(units * width));
            for (dx, (g, weight)) in dx.chunks_exact_mut(width).zip(own) {
                dx.fill(T::ZERO);
                for (&g, weight) in g.iter().zip(weight.chunks_exact(width)) {
                    for (dx, &w) in dx.iter_mut().zip(weight) {
                        *dx = g.mul_add(w, *dx);
                    }
                }
            }
        }
    }
}

/// The gradients of some members' weights and biases, added.
struct Sums<'a, T> {
    sizes: Sizes,
    first: usize,
    x: &'a [T],
    upstream: &'a [T],
    weight: &'a mut [T],
    bias: &'a mut [T],
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Sizes { members, width, units } = self.sizes;
        let (wide, narrow) = (members * width, members * units);
        for (at, sum) in self.bias.iter_mut().enumerate() {
            // Output `at` of the members here.
            let place = self.first * units + at;
            let sums = &mut self.weight[at * width..][..width];
            let from = (self.first + at / units) * width;
            for (x, g) in self.x.chunks(BLOCK * wide).zip(self.upstream.chunks(BLOCK * narrow)) {
                *sum += g.chunks_exact(narrow).fold(T::ZERO, |chain, g| chain + g[place]);
                for (tile, sums) in sums.chunks_mut(COLUMNS).enumerate() {
                    let (from, live) = (from + tile * COLUMNS, sums.len());
                    let mut chains = [T::ZERO; COLUMNS];
                    let chains = &mut chains[..live];
                    for (x, g) in x.chunks_exact(wide).zip(g.chunks_exact(narrow)) {
                        let g = g[place];
                        for (chain, &x) in chains.iter_mut().zip(&x[from..from + live]) {
                            *chain = g.mul_add(x, *chain);
                        }
                    }
                    for (sum, &chain) in sums.iter_mut().zip(&*chains) {
                        *sum += chain;
                    }
                }
            }
        }
    }
}

impl Operation for Heads {
    fn card(&self) -> Card {
        Card {
            name: "heads",
            family: Family::Arithmetic,
            formula: "y_k = W_k x_k + b_k",
            derivative: "dx_k = g_k W_k, dW_k = g_k^T x_k, db_k = sum g_k",
            range: "(-inf, inf)",
            used: "many networks in one: the last layer of each",
            source: "Gorishniy et al. 2024 (TabM)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (members, _) = check_members("heads", inputs[0])?;
        if self.units == 0 {
            return Err("heads need at least one output each, but they have 0".into());
        }
        Ok(Shape::from([members, self.units]))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let [members, width] = inputs[0].0[..] else { return Vec::new() };
        vec![
            SlotSpec { name: "weight", shape: vec![members, self.units, width], role: Role::Weight },
            SlotSpec { name: "bias", shape: vec![members, self.units], role: Role::Bias },
        ]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        let (product, bias) = (2 * (inputs[0].len() * self.units) as u64, output.len() as u64);
        Cost { forward: product + bias, backward: 2 * product + bias }
    }

    fn input_cost(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        2 * (inputs[0].len() * self.units) as u64
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, weight, bias) = (io.inputs[0], io.parameters[0], io.parameters[1]);
        let sizes = self.sizes(io.shapes);
        let (wide, narrow) = (sizes.members * sizes.width, sizes.members * sizes.units);
        let least = PART.div_ceil(wide * self.units).next_multiple_of(LANES);
        io.context.team.split_rows(io.output, narrow, least, &|first, y| {
            let rows = y.len() / narrow;
            vectorized(Value { sizes, weight, bias, x: &x[first * wide..][..rows * wide], y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (x, weight, upstream, team) = (io.inputs[0], io.parameters[0], io.upstream, io.context.team);
        let sizes = self.sizes(io.shapes);
        let (wide, narrow) = (sizes.members * sizes.width, sizes.members * sizes.units);
        if let Some(dx) = &mut io.input_gradients[0] {
            team.split_rows(dx, wide, PART.div_ceil(wide * self.units), &|first, dx| {
                let rows = dx.len() / wide;
                vectorized(InputGradient { sizes, weight, upstream: &upstream[first * narrow..][..rows * narrow], dx });
            });
        }
        let [weight, bias] = io.parameter_gradients else { return };
        let slices = [(&mut **weight, self.units * sizes.width), (&mut **bias, self.units)];
        let least = PART.div_ceil((x.len() / sizes.members * self.units).max(1));
        team.split_together(sizes.members, least, slices, &|run, [weight, bias]| {
            vectorized(Sums { sizes, first: run.start, x, upstream, weight, bias });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let Sizes { members, width, units } = self.sizes(operands.shapes);
        let (weight, bias) = (operands.parameters[0], operands.parameters[1]);
        let mut y = Vec::new();
        for row in operands.inputs[0].chunks(members * width) {
            for k in 0..members {
                for unit in 0..units {
                    let products = (0..width).map(|i| row[k * width + i] * weight[(k * units + unit) * width + i]);
                    y.push(products.sum::<f64>() + bias[k * units + unit]);
                }
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1, 1, 1), (3, 4, 7, 2), (21, 2, 5, 3), (2, 2, 131, 11), (1030, 2, 2, 1)]
            .map(|(rows, members, width, units)| {
                Sample::new(Heads { units }, rows, [Shape::from([members, width])]).domain(0, -1.0, 1.0)
            })
            .into()
    }
}

impl Heads {
    fn sizes(&self, shapes: &[Shape]) -> Sizes {
        let (members, width) = match shapes[0].0[..] {
            [members, width] => (members, width),
            _ => (1, 1),
        };
        Sizes { members, width, units: self.units }
    }
}
