//! Factors, and perhaps biases, of each member's own: `y_k = s_k x_k + b_k`, element by element.
//!
//! Shapes: `x [B, K, d]`, `s [K, d]`, `b [K, d]`, `y [B, K, d]`. Gradients: `dx = g s`, `ds = sum over rows of g x`,
//! `db = sum over rows of g` (sums over examples: blocks of 1,024 rows). Before and behind a linear layer that all members share it makes
//! K layers of one, `y_k = s_k (W (r_k x_k)) + b_k`, whose matrices `s_k r_k^T * W` differ by a factor of rank 1.
//! Source: BatchEnsemble (Wen, Tran & Ba 2020), TabM (Gorishniy et al. 2024).

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::members::MOST_MEMBERS;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// Elements that are worth a thread.
const PART: usize = 1 << 15;
/// Columns whose chains stay near: a page of memory in one go.
const COLUMNS: usize = 1024;

/// `y_k = s_k x_k + b_k`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberAffine {
    /// Whether there are biases.
    pub bias: bool,
}

/// The row of each member is `[K, d]`, with at least one number.
pub(super) fn check_members(name: &str, input: &Shape) -> Result<(usize, usize), String> {
    match input.0[..] {
        [members, width] if width > 0 && (1..=MOST_MEMBERS).contains(&members) => Ok((members, width)),
        _ => Err(format!(
            "{name} reads a row for each of 1 to {MOST_MEMBERS} members, [B, K, d], but its input is {input}"
        )),
    }
}

struct Value<'a, T> {
    scale: &'a [T],
    bias: Option<&'a [T]>,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Value<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let width = self.scale.len();
        for (x, y) in self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)) {
            match self.bias {
                Some(bias) => {
                    for (((y, &x), &s), &b) in y.iter_mut().zip(x).zip(self.scale).zip(bias) {
                        *y = x.mul_add(s, b);
                    }
                }
                None => {
                    for ((y, &x), &s) in y.iter_mut().zip(x).zip(self.scale) {
                        *y = x * s;
                    }
                }
            }
        }
    }
}

/// The gradients of some columns' factors and biases, added; where `bias` is empty there are none.
struct Sums<'a, T> {
    width: usize,
    first: usize,
    x: &'a [T],
    upstream: &'a [T],
    scale: &'a mut [T],
    bias: &'a mut [T],
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Sums { width, first, x, upstream, scale, bias } = self;
        for (tile, scale) in scale.chunks_mut(COLUMNS).enumerate() {
            let (from, live) = (first + tile * COLUMNS, scale.len());
            let bias = bias.get_mut(tile * COLUMNS..tile * COLUMNS + live);
            let mut sums = bias;
            for (x, g) in x.chunks(BLOCK * width).zip(upstream.chunks(BLOCK * width)) {
                let (mut factors, mut plain) = ([T::ZERO; COLUMNS], [T::ZERO; COLUMNS]);
                for (x, g) in x.chunks_exact(width).zip(g.chunks_exact(width)) {
                    let (x, g) = (&x[from..from + live], &g[from..from + live]);
                    for (((factor, plain), &x), &g) in factors.iter_mut().zip(&mut plain).zip(x).zip(g) {
                        *factor = g.mul_add(x, *factor);
                        *plain += g;
                    }
                }
                for (sum, &chain) in scale.iter_mut().zip(&factors) {
                    *sum += chain;
                }
                for (sum, &chain) in sums.iter_mut().flat_map(|sums| sums.iter_mut()).zip(&plain) {
                    *sum += chain;
                }
            }
        }
    }
}

impl Operation for MemberAffine {
    fn card(&self) -> Card {
        Card {
            name: "member_affine",
            family: Family::Arithmetic,
            formula: "y_k = s_k x_k + b_k, element by element; without biases y_k = s_k x_k",
            derivative: "dx = g s, ds = sum g x, db = sum g",
            range: "(-inf, inf)",
            used: "before and behind a linear layer that the members of a network share",
            source: "Wen, Tran & Ba 2020; Gorishniy et al. 2024 (TabM)",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        check_members("shared", inputs[0])?;
        Ok(inputs[0].clone())
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let slot = |name, role| SlotSpec { name, shape: inputs[0].0.clone(), role };
        let mut slots = vec![slot("scale", Role::Scale)];
        if self.bias {
            slots.push(slot("bias", Role::Bias));
        }
        slots
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn fuses_curve(&self) -> bool {
        true
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        let elements = output.len() as u64;
        let bias = u64::from(self.bias);
        Cost { forward: elements * (1 + bias), backward: elements * (3 + bias) }
    }

    fn input_cost(&self, _inputs: &[&Shape], output: &Shape) -> u64 {
        output.len() as u64
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (x, scale) = (io.inputs[0], io.parameters[0]);
        let bias = if self.bias { Some(io.parameters[1]) } else { None };
        let width = scale.len();
        io.context.team.split_rows(io.output, width, PART.div_ceil(width), &|first, y| {
            // The curve while the row is in the cache.
            for (at, y) in y.chunks_exact_mut(width).enumerate() {
                vectorized(Value { scale, bias, x: &x[(first + at) * width..][..width], y });
                if let Some(curve) = io.curve {
                    curve.apply_in_place(y);
                }
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (x, scale, upstream, team) = (io.inputs[0], io.parameters[0], io.upstream, io.context.team);
        let width = scale.len();
        if let Some(dx) = &mut io.input_gradients[0] {
            team.split_rows(dx, width, PART.div_ceil(width), &|first, dx| {
                vectorized(Value { scale, bias: None, x: &upstream[first * width..][..dx.len()], y: dx });
            });
        }
        let least = PART.div_ceil((x.len() / width).max(1)).next_multiple_of(COLUMNS);
        match io.parameter_gradients {
            [scale, bias] => {
                team.split_together(width, least, [(&mut **scale, 1), (&mut **bias, 1)], &|run, [scale, bias]| {
                    vectorized(Sums { width, first: run.start, x, upstream, scale, bias });
                });
            }
            [scale] => team.split_rows(scale, 1, least, &|first, scale| {
                vectorized(Sums { width, first, x, upstream, scale, bias: &mut [] });
            }),
            _ => {}
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let scale = operands.parameters[0];
        let bias = |j: usize| if self.bias { operands.parameters[1][j] } else { 0.0 };
        let place = |i: usize| i % scale.len();
        operands.inputs[0].iter().enumerate().map(|(i, x)| scale[place(i)] * x + bias(place(i))).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [(1, [1, 1]), (3, [4, 7]), (2, [3, 700]), (1030, [2, 3])];
        let sample =
            |bias: bool| shapes.map(|(rows, row)| Sample::new(MemberAffine { bias }, rows, [Shape::from(row)]));
        [true, false].into_iter().flat_map(sample).collect()
    }
}
