//! Softmax over a row: `p_i = exp(z_i - m) / sum_j exp(z_j - m)`, `m = max z`.
//!
//! Shapes: `[B, C]` -> `[B, C]`. Gradient: `dz_i = p_i (g_i - sum_j g_j p_j)`. Shift-invariant (adding a number to all logits
//! changes nothing), not scale-invariant. Source: Bridle 1989.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::softmax::Softmax};
//!
//! let mut graph = Graph::new();
//! let z = graph.input("z", [3]);
//! let p = graph.push("0", Op::Softmax(Softmax), &[z])?;
//! let request =
//!     Request { purpose: Purpose::Predict, rows: 1, backward_from: None, outputs: vec![p], training: false, checkpoint: false };
//! let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(z).copy_from_slice(&[2.0, 1.0, 0.1]);
//! runner.forward(&[], &StepInfo::default());
//! let printed: Vec<String> = runner.value(p).unwrap_or_default().iter().map(|p| format!("{p:.3}")).collect();
//! assert_eq!(printed, ["0.659", "0.242", "0.099"]);
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use glassnet_kernels::reduce::{self, max_inlined};
use glassnet_kernels::{Kernel, vectorized};

use super::row_norm::tree;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, same_shape};
use crate::Real;
use crate::shape::Shape;

/// `p_i = exp(z_i) / sum_j exp(z_j)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Softmax;

struct Row<'a, T> {
    logits: &'a [T],
    p: &'a mut [T],
}

impl<T: Real> Kernel for Row<'_, T> {
    type Output = (T, T);

    #[inline(always)]
    fn run(self) -> (T, T) {
        let Row { logits, p } = self;
        let top = max_inlined(logits);
        for (p, &z) in p.iter_mut().zip(logits) {
            *p = (z - top).exp();
        }
        let sum = tree(p, p, p, |sum, p, _, _| sum + p);
        for p in p.iter_mut() {
            *p /= sum;
        }
        (top, sum.ln())
    }
}

/// Writes the softmax of `logits` to `p` and returns `(max, ln of the sum of exp(z - max))`: what the losses share.
pub(crate) fn softmax_row<T: Real>(logits: &[T], p: &mut [T]) -> (T, T) {
    vectorized(Row { logits, p })
}

/// Writes the softmax of `logits` to `p`: a model's scores.
///
/// ```
/// let mut scores = [0.0; 2];
/// glassnet_core::ops::softmax::scores(&[1.0, 1.0], &mut scores);
/// assert_eq!(scores, [0.5, 0.5]);
/// ```
pub fn scores<T: Real>(logits: &[T], p: &mut [T]) {
    softmax_row(logits, p);
}

struct InPlace<'a, T>(&'a mut [T]);

impl<T: Real> Kernel for InPlace<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let z = self.0;
        let top = max_inlined(z);
        for z in z.iter_mut() {
            *z = (*z - top).exp();
        }
        let sum = tree(z, z, z, |sum, e, _, _| sum + e);
        for e in z.iter_mut() {
            *e /= sum;
        }
    }
}

/// As [`scores`], in the place of the logits.
pub fn scores_in_place<T: Real>(logits: &mut [T]) {
    vectorized(InPlace(logits));
}

impl Operation for Softmax {
    fn card(&self) -> Card {
        Card {
            name: "softmax",
            family: Family::Row,
            formula: "p_i = exp(z_i) / sum_j exp(z_j)",
            derivative: "dz_i = p_i (g_i - sum_j g_j p_j)",
            range: "(0, 1), a row sums to 1",
            used: "scores of classes; attention",
            source: "Bridle 1989",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        super::one_axis("softmax", inputs[0])?;
        same_shape("softmax", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { output: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 14 * output.len() as u64, backward: 4 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let width = io.output.len() / io.rows.max(1);
        for (z, p) in io.inputs[0].chunks(width.max(1)).zip(io.output.chunks_mut(width.max(1))) {
            softmax_row(z, p);
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let width = (io.output.len() / io.rows.max(1)).max(1);
        for ((dz, p), g) in dz.chunks_mut(width).zip(io.output.chunks(width)).zip(io.upstream.chunks(width)) {
            let mean = reduce::dot(g, p);
            for ((dz, &p), &g) in dz.iter_mut().zip(p).zip(g) {
                *dz = p * (g - mean);
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let mut out = Vec::new();
        for z in operands.inputs[0].chunks(operands.inputs[0].len() / operands.rows) {
            let sum: f64 = z.iter().map(|&z| Real::exp(z)).sum();
            out.extend(z.iter().map(|&z| Real::exp(z) / sum));
        }
        out
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1), (3, 7), (4, 33)].map(|(rows, width)| Sample::new(Softmax, rows, [Shape::row(width)])).into()
    }
}
