//! Layer norm: every run of the last axis is brought to mean 0 and variance 1, then scaled and shifted.
//!
//! `y = (x - mean) / sqrt(var + eps) * weight + bias`, mean and (biased) variance over the C numbers of the last axis.
//! Shapes: `x [B, ..., C]`, `weight [C]`, `bias [C]` or absent, `y` as x. With `h = (x - mean) / sqrt(var + eps)` and g =
//! dL/dy: `dx = (g w - mean(g w) - h mean(g w h)) / sqrt(var + eps)`, `dw = sum g h`, `db = sum g`; the last two are
//! sums over examples and positions in blocks of 1,024. Means are 16-lane trees, the variance a second pass.
//! Source: Ba, Kiros & Hinton 2016.

use glassnet_kernels::product::sum_rows;

use super::row_norm::{LastAxis, check_eps};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;
use crate::slots::Role;

/// `y = (x - mean) / sqrt(var + eps) * weight + bias` over the last axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNorm {
    /// Added to the variance, > 0; 1e-5 is usual.
    pub eps: f64,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Operation for LayerNorm {
    fn card(&self) -> Card {
        Card {
            name: "layer_norm",
            family: Family::Normalisation,
            formula: "y = (x - mean) / sqrt(var + eps) * w + b over the last axis",
            derivative: "dx = (g w - mean(g w) - h mean(g w h)) / sqrt(var + eps), h = the normalised x",
            range: "(-inf, inf)",
            used: "transformers; recurrent networks",
            source: "Ba, Kiros & Hinton 2016",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        check_eps("layer_norm", self.eps)?;
        last_axis("layer_norm", inputs[0])
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let mut slots = vec![SlotSpec { name: "weight", shape: vec![inputs[0].last()], role: Role::Scale }];
        if self.bias {
            slots.push(SlotSpec { name: "bias", shape: vec![inputs[0].last()], role: Role::Bias });
        }
        slots
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, saved: 2 * inputs[0].len() / inputs[0].last().max(1), ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: 8 * output.len() as u64, backward: 18 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let bias = if self.bias { io.parameters[1] } else { &[] };
        let of = LastAxis { x: io.inputs[0], weight: io.parameters[0], bias, centred: true, eps: self.eps };
        of.forward(io.context.team, io.output, io.saved);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let team = io.context.team;
        let of = LastAxis { x: io.inputs[0], weight: io.parameters[0], bias: &[], centred: true, eps: self.eps };
        if let Some(dx) = &mut io.input_gradients[0] {
            of.input_gradient(team, io.saved, io.upstream, dx);
        }
        of.weight_gradient(team, io.saved, io.upstream, io.parameter_gradients[0]);
        if self.bias {
            sum_rows(io.parameters[0].len(), io.upstream, io.parameter_gradients[1]);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let weight = operands.parameters[0];
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(weight.len()) {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / x.len() as f64;
            for (j, x) in x.iter().enumerate() {
                let bias = if self.bias { operands.parameters[1][j] } else { 0.0 };
                y.push((x - mean) / (variance + self.eps).sqrt() * weight[j] + bias);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, Shape::row(1), 1e-5, true),
            (3, Shape::row(7), 1e-5, true),
            (5, Shape::row(33), 1e-3, false),
            (2, Shape::from([3, 17]), 1e-5, true),
            (2, Shape::from([2, 3, 5]), 0.5, true),
            (1030, Shape::row(3), 0.5, true),
            (4, Shape::row(50), 1e-6, true),
        ];
        let sample = |(rows, shape, eps, bias)| Sample::new(LayerNorm { eps, bias }, rows, [shape]);
        shapes.into_iter().map(sample).collect()
    }
}

/// The shape rule of what normalises the last axis: the input's own shape.
pub(crate) fn last_axis(name: &str, input: &Shape) -> Result<Shape, String> {
    if input.0.is_empty() || input.is_empty() {
        return Err(format!(
            "{name} runs over the last axis, [B, ..., C], but its input is {input}; give it a row of numbers"
        ));
    }
    Ok(input.clone())
}
