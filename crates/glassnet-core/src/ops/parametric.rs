//! A curve that each neuron bends for itself: `y = x + a_j (sigma(x) - x)` with one learned `a_j` a column, 1 at the start: at
//! 1 it is the curve, at 0 the identity.
//!
//! Shapes: `x [B, d]`, `a [d]`, `y [B, d]`; leading axes of a row are carried along. Gradients:
//! `dx_j = g_j (1 + a_j (sigma'(x_j) - 1))`, `da_j = sum over rows of g_j (sigma(x_j) - x_j)` (a sum over examples: blocks of
//! 1,024 rows). One pass makes both, and the curve is evaluated a second time in it: nothing is kept from forward. Source: the parametric activations of RealMLP (Holzmueller et al. 2024).

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::curve::Curve;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec, same_shape};
use super::{gelu::Gelu, mish::Mish, relu::Relu, selu::Selu, silu::Silu, tanh::Tanh};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Elements that are worth a thread.
const PART: usize = 1 << 15;
/// Columns whose chains stay in registers.
const COLUMNS: usize = 64;

/// The curve that is bent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sigma {
    /// [`super::relu`].
    Relu,
    /// [`super::selu`].
    Selu,
    /// [`super::gelu`].
    Gelu,
    /// [`super::silu`].
    Silu,
    /// [`super::mish`].
    Mish,
    /// [`super::tanh`].
    Tanh,
}

impl Sigma {
    /// All of them.
    pub const ALL: [Sigma; 6] = [Sigma::Relu, Sigma::Selu, Sigma::Gelu, Sigma::Silu, Sigma::Mish, Sigma::Tanh];

    /// Its name: `selu`.
    pub fn name(self) -> &'static str {
        match self {
            Sigma::Relu => "relu",
            Sigma::Selu => "selu",
            Sigma::Gelu => "gelu",
            Sigma::Silu => "silu",
            Sigma::Mish => "mish",
            Sigma::Tanh => "tanh",
        }
    }
}

/// `y = x + a_j (sigma(x) - x)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parametric {
    /// The curve.
    pub sigma: Sigma,
}

/// Runs `$body` with `$curve` bound to the curve itself, so that each has a loop of its own.
macro_rules! with_curve {
    ($sigma:expr, $curve:ident => $body:expr) => {
        match $sigma {
            Sigma::Relu => {
                let $curve = Relu;
                $body
            }
            Sigma::Selu => {
                let $curve = Selu;
                $body
            }
            Sigma::Gelu => {
                let $curve = Gelu;
                $body
            }
            Sigma::Silu => {
                let $curve = Silu;
                $body
            }
            Sigma::Mish => {
                let $curve = Mish;
                $body
            }
            Sigma::Tanh => {
                let $curve = Tanh;
                $body
            }
        }
    };
}

struct Value<'a, T, C> {
    curve: C,
    factors: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real, C: Curve> Kernel for Value<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.factors.len();
        for (x, y) in self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)) {
            for ((y, &x), &a) in y.iter_mut().zip(x).zip(self.factors) {
                *y = a.mul_add(self.curve.value(x) - x, x);
            }
        }
    }
}

/// What the gradients read, whole rows.
#[derive(Clone, Copy)]
struct Known<'a, T, C> {
    curve: C,
    factors: &'a [T],
    x: &'a [T],
    upstream: &'a [T],
}

/// `g (1 + a (sigma' - 1))`
#[inline(always)]
fn bent<T: Real>(g: T, a: T, derivative: T) -> T {
    g * a.mul_add(derivative - T::ONE, T::ONE)
}

/// Both gradients in one pass over the rows, some columns at a time: chains and factors of these stand in arrays of their own, which the
/// compiler knows to overlap with nothing.
struct Both<'a, T, C> {
    of: Known<'a, T, C>,
    dx: &'a mut [T],
    sums: &'a mut [T],
}

impl<T: Real, C: Curve> Kernel for Both<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Known { curve, factors, x, upstream } = self.of;
        let width = factors.len();
        let size = BLOCK * width;
        for ((x, g), dx) in x.chunks(size).zip(upstream.chunks(size)).zip(self.dx.chunks_mut(size)) {
            for (tile, sums) in self.sums.chunks_mut(COLUMNS).enumerate() {
                let (from, live) = (tile * COLUMNS, sums.len());
                let (mut chains, mut own) = ([T::ZERO; COLUMNS], [T::ZERO; COLUMNS]);
                own[..live].copy_from_slice(&factors[from..from + live]);
                let rows = x.chunks_exact(width).zip(g.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
                for ((x, g), dx) in rows {
                    let (x, g, dx) = (&x[from..from + live], &g[from..from + live], &mut dx[from..from + live]);
                    for ((((dx, &x), &g), &a), chain) in dx.iter_mut().zip(x).zip(g).zip(&own).zip(&mut chains) {
                        let (value, derivative) = curve.both(x);
                        *dx = bent(g, a, derivative);
                        *chain = g.mul_add(value - x, *chain);
                    }
                }
                for (sum, &chain) in sums.iter_mut().zip(&chains) {
                    *sum += chain;
                }
            }
        }
    }
}

/// The gradient of some rows of the input.
struct InputGradient<'a, T, C> {
    of: Known<'a, T, C>,
    dx: &'a mut [T],
}

impl<T: Real, C: Curve> Kernel for InputGradient<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Known { curve, factors, x, upstream } = self.of;
        let width = factors.len();
        let rows = x.chunks_exact(width).zip(upstream.chunks_exact(width)).zip(self.dx.chunks_exact_mut(width));
        for ((x, g), dx) in rows {
            for (((dx, &x), &g), &a) in dx.iter_mut().zip(x).zip(g).zip(factors) {
                *dx = bent(g, a, curve.both(x).1);
            }
        }
    }
}

/// The gradient of some of the factors.
struct FactorGradient<'a, T, C> {
    of: Known<'a, T, C>,
    first: usize,
    sums: &'a mut [T],
}

impl<T: Real, C: Curve> Kernel for FactorGradient<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Known { curve, factors, x, upstream } = self.of;
        let width = factors.len();
        for (x, g) in x.chunks(BLOCK * width).zip(upstream.chunks(BLOCK * width)) {
            for (tile, sums) in self.sums.chunks_mut(COLUMNS).enumerate() {
                let from = self.first + tile * COLUMNS;
                let mut chains = [T::ZERO; COLUMNS];
                for (x, g) in x.chunks_exact(width).zip(g.chunks_exact(width)) {
                    let (x, g) = (&x[from..from + sums.len()], &g[from..from + sums.len()]);
                    for ((chain, &x), &g) in chains.iter_mut().zip(x).zip(g) {
                        *chain = g.mul_add(curve.value(x) - x, *chain);
                    }
                }
                for (sum, &chain) in sums.iter_mut().zip(&chains) {
                    *sum += chain;
                }
            }
        }
    }
}

impl Operation for Parametric {
    fn card(&self) -> Card {
        Card {
            name: "parametric",
            family: Family::Activation,
            formula: "y_j = x_j + a_j (sigma(x_j) - x_j)",
            derivative: "dx_j = g_j (1 + a_j (sigma'(x_j) - 1)), da_j = sum g_j (sigma(x_j) - x_j)",
            range: "as the curve's, for a = 1",
            used: "tables: lets each neuron choose how bent it is",
            source: "Holzmueller et al. 2024 (RealMLP)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs[0].is_empty() || inputs[0].0.is_empty() {
            return Err(format!("parametric needs a row of numbers, but its input is {}", inputs[0]));
        }
        same_shape("parametric", inputs)
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "bend", shape: vec![inputs[0].last()], role: Role::Scale }]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        let flops = with_curve!(self.sigma, curve => curve.flops());
        let elements = output.len() as u64;
        Cost { forward: elements * (flops + 3), backward: elements * (2 * flops + 7) }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, factors) = (io.inputs[0], io.parameters[0]);
        let width = factors.len();
        with_curve!(self.sigma, curve => {
            io.context.team.split_rows(io.output, width, PART.div_ceil(width), &|first, y| {
                vectorized(Value { curve, factors, x: &x[first * width..][..y.len()], y });
            });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (x, factors, upstream, team) = (io.inputs[0], io.parameters[0], io.upstream, io.context.team);
        let width = factors.len();
        let rows = x.len() / width;
        with_curve!(self.sigma, curve => {
            let of = Known { curve, factors, x, upstream };
            let sums = &mut *io.parameter_gradients[0];
            let alone = team.threads() == 1 || x.len() < 2 * PART;
            match &mut io.input_gradients[0] {
                Some(dx) if alone => vectorized(Both { of, dx, sums }),
                dx => {
                    // Rows for the one, columns for the other: a thread owns what it writes.
                    if let Some(dx) = dx {
                        team.split_rows(dx, width, PART.div_ceil(width), &|first, dx| {
                            let part = first * width..first * width + dx.len();
                            let of = Known { x: &x[part.clone()], upstream: &upstream[part], ..of };
                            vectorized(InputGradient { of, dx });
                        });
                    }
                    team.split_rows(sums, 1, PART.div_ceil(rows.max(1)).max(COLUMNS), &|first, sums| {
                        vectorized(FactorGradient { of, first, sums });
                    });
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (x, factors) = (operands.inputs[0], operands.parameters[0]);
        with_curve!(self.sigma, curve => {
            x.iter().enumerate().map(|(i, &x)| x + factors[i % factors.len()] * (curve.textbook(x) - x)).collect()
        })
    }

    fn samples() -> Vec<Sample<Self>> {
        let mut samples = Vec::new();
        for sigma in Sigma::ALL {
            let kinks = with_curve!(sigma, curve => curve.kinks());
            for (rows, shape) in [(1, Shape::row(1)), (3, Shape::row(37)), (2, Shape::from([3, 5]))] {
                samples.push(Sample::new(Parametric { sigma }, rows, [shape]).kinks(kinks));
            }
        }
        samples.push(Sample::new(Parametric { sigma: Sigma::Mish }, 1030, [Shape::row(3)]));
        samples
    }
}
