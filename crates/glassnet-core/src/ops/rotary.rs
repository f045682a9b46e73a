//! Rotary positions: pairs of a head's numbers, turned by an angle that grows with the position.
//!
//! Shapes: `[B, T, heads * d]` -> the same, d even; no parameters. In each head the pairs are `(j, j + d/2)`, j < d/2 (the halves'
//! convention of GPT-NeoX and LLaMA; the paper's own pairs neighbours, which is the same with the columns in another order):
//! `y_j = x_j cos a - x_(j+d/2) sin a`, `y_(j+d/2) = x_(j+d/2) cos a + x_j sin a` with the angle
//! `a = (time + t) base^(-2j/d)` in radians, computed in f64. The product of a turned query and a turned key depends on
//! the distance of their positions only. Gradient: the turn back, `-a`.
//!
//! Cost of one row: 3 T heads d, either way, besides the angles. Source: Su et al. 2021.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::rotary::Rotary};
//!
//! let mut graph = Graph::new();
//! let x = graph.input("x", [2, 2]);
//! let y = graph.push("0", Op::Rotary(Rotary { heads: 1, base: 10_000.0 }), &[x])?;
//! let (purpose, outputs) = (Purpose::Predict, vec![y]);
//! let request = Request { purpose, rows: 1, backward_from: None, outputs, training: false, checkpoint: false };
//! let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(x).copy_from_slice(&[1.0, 0.0, 1.0, 0.0]);
//! runner.forward(&[], &StepInfo::default());
//! // The first step stays; the second is turned by one radian.
//! let printed: Vec<String> = runner.value(y).unwrap_or_default().iter().map(|y| format!("{y:.3}")).collect();
//! assert_eq!(printed, ["1.000", "0.000", "0.540", "0.841"]);
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use glassnet_kernels::{Kernel, vectorized};

use super::{Backward, Card, Context, Cost, Family, Forward, Operands, Operation, Pass, Sample};
use crate::Real;
use crate::shape::Shape;

/// Numbers that are worth a thread.
const PART: usize = 1 << 14;

/// Turns pairs of a head's numbers by an angle that grows with the position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rotary {
    /// Number of heads that a row's width is cut in.
    pub heads: usize,
    /// Base of the angles' geometric sequence: 10,000 in the paper.
    pub base: f64,
}

/// One row, `[T, heads * d]`, turned.
struct Turn<'a, T> {
    heads: usize,
    /// Cosines of each step, then its sines: `[T, 2, d/2]`.
    table: &'a [T],
    half: usize,
    /// The gradient's way.
    back: bool,
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Turn<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (half, width) = (self.half, self.heads * self.half * 2);
        let steps =
            self.x.chunks_exact(width).zip(self.y.chunks_exact_mut(width)).zip(self.table.chunks_exact(2 * half));
        for ((x, y), angles) in steps {
            let (cosines, sines) = angles.split_at(half);
            for (x, y) in x.chunks_exact(2 * half).zip(y.chunks_exact_mut(2 * half)) {
                let ((x1, x2), (y1, y2)) = (x.split_at(half), y.split_at_mut(half));
                for j in 0..half {
                    let (c, s) = (cosines[j], if self.back { -sines[j] } else { sines[j] });
                    let (a, b) = (x1[j], x2[j]);
                    y1[j] = a * c - b * s;
                    y2[j] = b * c + a * s;
                }
            }
        }
    }
}

impl Rotary {
    /// Turns all rows of `x` into `y`.
    fn turn<T: Real>(&self, shape: &Shape, context: &Context<'_>, scratch: &mut [T], x: &[T], y: &mut [T], back: bool) {
        let (row_len, half) = (shape.len(), shape.last() / self.heads / 2);
        if x.is_empty() {
            return;
        }
        let table = &mut scratch[..row_len / self.heads];
        for j in 0..half {
            let rate = Real::pow(self.base, -((2 * j) as f64) / (2 * half) as f64);
            for (t, row) in table.chunks_exact_mut(2 * half).enumerate() {
                let angle = (context.time + t) as f64 * rate;
                row[j] = T::from_f64(Real::cos(angle));
                row[half + j] = T::from_f64(Real::sin(angle));
            }
        }
        let table = &*table;
        context.team.split_rows(y, row_len, PART.div_ceil(row_len), &|first, rows| {
            for (row, y) in rows.chunks_exact_mut(row_len).enumerate() {
                let x = &x[(first + row) * row_len..][..row_len];
                vectorized(Turn { heads: self.heads, table, half, back, x, y });
            }
        });
    }
}

impl Operation for Rotary {
    fn card(&self) -> Card {
        Card {
            name: "rotary",
            family: Family::Sequence,
            formula: "(x_j, x_(j+d/2)) turned by t base^(-2j/d)",
            derivative: "g turned back",
            range: "(-inf, inf)",
            used: "queries and keys before attention",
            source: "Su et al. 2021",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [steps, width] = inputs[0].0[..] else {
            return Err(format!(
                "rotary positions need a sequence of vectors, [B, T, C], but the input is {}",
                inputs[0]
            ));
        };
        if steps == 0 || width == 0 || self.heads == 0 || !width.is_multiple_of(self.heads) {
            return Err(format!(
                "{} heads do not divide the width {width} of the input {}; choose heads that divide it",
                self.heads, inputs[0]
            ));
        }
        if !(width / self.heads).is_multiple_of(2) {
            return Err(format!(
                "rotary positions turn pairs, so a head's width must be even, but the input {} in {} heads has {} a head; \
                 choose another width or number of heads",
                inputs[0],
                self.heads,
                width / self.heads
            ));
        }
        if !(self.base > 0.0 && self.base.is_finite()) {
            return Err(format!("the base of rotary positions must be positive, but it is {}", self.base));
        }
        Ok(inputs[0].clone())
    }

    fn scratch(&self, inputs: &[&Shape], _pass: Pass) -> usize {
        inputs[0].len() / self.heads.max(1)
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 3 * output.len() as u64, backward: 3 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        self.turn(&io.shapes[0], io.context, io.scratch, io.inputs[0], io.output, false);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dx) = &mut io.input_gradients[0] else { return };
        self.turn(&io.shapes[0], io.context, io.scratch, io.upstream, dx, true);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (row_len, width) = (operands.shapes[0].len(), operands.shapes[0].last());
        let d = width / self.heads;
        let x = operands.inputs[0];
        let value = |i: usize| {
            let (t, j) = (i % row_len / width + operands.context.time, i % d);
            let angle = t as f64 * Real::pow(self.base, -2.0 * (j % (d / 2)) as f64 / d as f64);
            let across = if j < d / 2 { -x[i + d / 2] } else { x[i - d / 2] };
            x[i] * Real::cos(angle) + across * Real::sin(angle)
        };
        (0..x.len()).map(value).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [(1, 1, 1, 2), (3, 5, 2, 4), (2, 7, 3, 6), (4, 3, 1, 34), (1, 33, 2, 2), (5, 2, 5, 10)];
        shapes
            .map(|(rows, steps, heads, d)| {
                let base = if d == 6 { 500.0 } else { 10_000.0 };
                Sample::new(Rotary { heads, base }, rows, [Shape::from([steps, heads * d])])
            })
            .into()
    }
}
