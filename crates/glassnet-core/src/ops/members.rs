//! One row for each member of a network of many: `y_k = r_k x`, with factors of the member's own.
//!
//! Shapes: `x [B, d]`, `r [K, d]`, `y [B, K, d]`. Gradients: `dx = sum_k g_k r_k` (one chain of fused multiply-adds in the members'
//! order), `dr_k = sum over rows of g_k x` (a sum over examples: blocks of 1,024 rows).
//! Source: the first adapter of TabM (Gorishniy et al. 2024), after BatchEnsemble (Wen, Tran & Ba 2020).

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Most members of a network.
pub const MOST_MEMBERS: usize = 1024;
/// Elements that are worth a thread.
const PART: usize = 1 << 15;
/// Columns whose chains stay near.
const COLUMNS: usize = 256;

/// `y_k = r_k x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Members {
    /// K.
    pub members: usize,
}

struct Value<'a, T> {
    width: usize,
    factors: &'a [T],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.x.chunks_exact(self.width).zip(self.y.chunks_exact_mut(self.factors.len()));
        for (x, y) in rows {
            for (y, r) in y.chunks_exact_mut(self.width).zip(self.factors.chunks_exact(self.width)) {
                for ((y, &x), &r) in y.iter_mut().zip(x).zip(r) {
                    *y = x * r;
                }
            }
        }
    }
}

struct InputGradient<'a, T> {
    width: usize,
    factors: &'a [T],
    upstream: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for InputGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let rows = self.upstream.chunks_exact(self.factors.len()).zip(self.dx.chunks_exact_mut(self.width));
        for (g, dx) in rows {
            dx.fill(T::ZERO);
            for (g, r) in g.chunks_exact(self.width).zip(self.factors.chunks_exact(self.width)) {
                for ((dx, &g), &r) in dx.iter_mut().zip(g).zip(r) {
                    *dx = g.mul_add(r, *dx);
                }
            }
        }
    }
}

/// The gradients of some members' factors, added.
struct Sums<'a, T> {
    width: usize,
    whole: usize,
    first: usize,
    x: &'a [T],
    upstream: &'a [T],
    sums: &'a mut [T],
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Sums { width, whole, first, x, upstream, sums } = self;
        for (x, g) in x.chunks(BLOCK * width).zip(upstream.chunks(BLOCK * whole)) {
            for (member, sums) in sums.chunks_exact_mut(width).enumerate() {
                for (tile, sums) in sums.chunks_mut(COLUMNS).enumerate() {
                    let (from, live) = (tile * COLUMNS, sums.len());
                    let mut chains = [T::ZERO; COLUMNS];
                    let chains = &mut chains[..live];
                    for (x, g) in x.chunks_exact(width).zip(g.chunks_exact(whole)) {
                        let g = &g[(first + member) * width + from..][..live];
                        for ((chain, &x), &g) in chains.iter_mut().zip(&x[from..from + live]).zip(g) {
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

impl Operation for Members {
    fn card(&self) -> Card {
        Card {
            name: "members",
            family: Family::Arithmetic,
            formula: "y_k = r_k x",
            derivative: "dx = sum_k g_k r_k, dr_k = sum g_k x",
            range: "(-inf, inf)",
            used: "many networks in one: lets each see the row in its own way",
            source: "Wen, Tran & Ba 2020; Gorishniy et al. 2024 (TabM)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [width] = inputs[0].0[..] else {
            return Err(format!("members read a row of numbers, [B, d], but the input is {}", inputs[0]));
        };
        if width == 0 {
            return Err("members need at least one number a row, but the input has none".into());
        }
        if !(1..=MOST_MEMBERS).contains(&self.members) {
            return Err(format!("a network has 1 to {MOST_MEMBERS} members, but this one has {}", self.members));
        }
        Ok(Shape::from([self.members, width]))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "scale", shape: vec![self.members, inputs[0].last()], role: Role::Scale }]
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: output.len() as u64, backward: 4 * output.len() as u64 }
    }

    fn input_cost(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        2 * output.len() as u64
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, factors) = (io.inputs[0], io.parameters[0]);
        let (whole, width) = (factors.len(), factors.len() / self.members);
        io.context.team.split_rows(io.output, whole, PART.div_ceil(whole), &|first, y| {
            let rows = y.len() / whole;
            vectorized(Value { width, factors, x: &x[first * width..][..rows * width], y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (x, factors, upstream, team) = (io.inputs[0], io.parameters[0], io.upstream, io.context.team);
        let (whole, width) = (factors.len(), factors.len() / self.members);
        if let Some(dx) = &mut io.input_gradients[0] {
            team.split_rows(dx, width, PART.div_ceil(whole), &|first, dx| {
                let rows = dx.len() / width;
                vectorized(InputGradient { width, factors, upstream: &upstream[first * whole..][..rows * whole], dx });
            });
        }
        let least = PART.div_ceil(x.len().max(1));
        team.split_rows(io.parameter_gradients[0], width, least, &|first, sums| {
            vectorized(Sums { width, whole, first, x, upstream, sums });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let factors = operands.parameters[0];
        let width = factors.len() / self.members;
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(width) {
            for k in 0..self.members {
                for j in 0..width {
                    y.push(factors[k * width + j] * x[j]);
                }
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1, 1), (3, 7, 4), (5, 270, 2), (1030, 2, 3)]
            .map(|(rows, width, members)| Sample::new(Members { members }, rows, [Shape::row(width)]))
            .into()
    }
}
