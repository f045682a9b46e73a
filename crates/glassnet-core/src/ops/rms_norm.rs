//! RMS norm: every run of the last axis is divided by its root mean square, then scaled.
//!
//! `y = x / sqrt(mean(x^2) + eps) * weight`, the mean over the C numbers of the last axis. Shapes: `x [B, ..., C]`, `weight
//! [C]`, `y` as x. With `h = x / sqrt(mean(x^2) + eps)` and g = dL/dy: `dx = (g w - h mean(g w h)) / sqrt(mean(x^2) +
//! eps)`, `dw = sum g h` (over examples and positions, in blocks of 1,024). As layer norm without the mean and the bias:
//! cheaper, and as good in transformers. Source: Zhang & Sennrich 2019.

use super::layer_norm::last_axis;
use super::row_norm::{LastAxis, check_eps};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = x / sqrt(mean(x^2) + eps) * weight` over the last axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmsNorm {
    /// Added to the mean square, > 0; 1e-5 or 1e-6 is usual.
    pub eps: f64,
}

impl Operation for RmsNorm {
    fn card(&self) -> Card {
        Card {
            name: "rms_norm",
            family: Family::Normalisation,
            formula: "y = x / sqrt(mean(x^2) + eps) * w over the last axis",
            derivative: "dx = (g w - h mean(g w h)) / sqrt(mean(x^2) + eps), h = the normalised x",
            range: "(-inf, inf)",
            used: "transformers of today",
            source: "Zhang & Sennrich 2019",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        check_eps("rms_norm", self.eps)?;
        last_axis("rms_norm", inputs[0])
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        vec![SlotSpec { name: "weight", shape: vec![inputs[0].last()], role: Role::Scale }]
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, saved: 2 * inputs[0].len() / inputs[0].last().max(1), ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 4 * output.len() as u64, backward: 13 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let of = LastAxis { x: io.inputs[0], weight: io.parameters[0], bias: &[], centred: false, eps: self.eps };
        of.forward(io.context.team, io.output, io.saved);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let team = io.context.team;
        let of = LastAxis { x: io.inputs[0], weight: io.parameters[0], bias: &[], centred: false, eps: self.eps };
        if let Some(dx) = &mut io.input_gradients[0] {
            of.input_gradient(team, io.saved, io.upstream, dx);
        }
        of.weight_gradient(team, io.saved, io.upstream, io.parameter_gradients[0]);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let weight = operands.parameters[0];
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(weight.len()) {
            let square = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
            y.extend(x.iter().zip(weight).map(|(x, w)| x / (square + self.eps).sqrt() * w));
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, Shape::row(1), 0.5),
            (3, Shape::row(7), 1e-5),
            (5, Shape::row(33), 1e-3),
            (2, Shape::from([3, 17]), 1e-6),
            (2, Shape::from([2, 3, 5]), 0.5),
            (1030, Shape::row(3), 0.5),
        ];
        shapes.into_iter().map(|(rows, shape, eps)| Sample::new(RmsNorm { eps }, rows, [shape])).collect()
    }
}
