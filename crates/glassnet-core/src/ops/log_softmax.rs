//! Log-softmax over a row: `y_i = z_i - m - ln sum_j exp(z_j - m)`, `m = max z`.
//!
//! Shapes: `[B, C]` -> `[B, C]`. Gradient: `dz_i = g_i - exp(y_i) sum_j g_j`. Finite where the logarithm of softmax is not.

use glassnet_kernels::reduce;

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, same_shape};
use crate::Real;
use crate::shape::Shape;

/// `y_i = z_i - ln sum_j exp(z_j)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogSoftmax;

impl Operation for LogSoftmax {
    fn card(&self) -> Card {
        Card {
            name: "log_softmax",
            family: Family::Row,
            formula: "y_i = z_i - ln sum_j exp(z_j)",
            derivative: "dz_i = g_i - exp(y_i) sum_j g_j",
            range: "(-inf, 0]",
            used: "log-probabilities without underflow",
            source: "Bridle 1989",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        super::one_axis("log_softmax", inputs[0])?;
        same_shape("log_softmax", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { output: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 14 * output.len() as u64, backward: 14 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let width = (io.output.len() / io.rows.max(1)).max(1);
        for (z, y) in io.inputs[0].chunks(width).zip(io.output.chunks_mut(width)) {
            let top = reduce::max(z);
            for (y, &z) in y.iter_mut().zip(z) {
                *y = (z - top).exp();
            }
            let shift = reduce::sum(y).ln();
            for (y, &z) in y.iter_mut().zip(z) {
                *y = z - top - shift;
            }
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let width = (io.output.len() / io.rows.max(1)).max(1);
        for ((dz, y), g) in dz.chunks_mut(width).zip(io.output.chunks(width)).zip(io.upstream.chunks(width)) {
            let total = reduce::sum(g);
            for ((dz, &y), &g) in dz.iter_mut().zip(y).zip(g) {
                *dz = (-y.exp()).mul_add(total, g);
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let mut out = Vec::new();
        for z in operands.inputs[0].chunks(operands.inputs[0].len() / operands.rows) {
            let sum: f64 = z.iter().map(|&z| Real::exp(z)).sum();
            out.extend(z.iter().map(|&z| z - Real::ln(sum)));
        }
        out
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1), (3, 7), (4, 33)].map(|(rows, width)| Sample::new(LogSoftmax, rows, [Shape::row(width)])).into()
    }
}
