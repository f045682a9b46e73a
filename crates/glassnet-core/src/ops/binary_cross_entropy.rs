//! Binary cross-entropy on logits; of one row the mean over its K outputs.
//!
//! With target t in [0, 1] and weight w of the positive class, `v = 1 + (w - 1) t`:
//! `l = (1 - t) z + v (ln(1 + exp(-|z|)) + max(-z, 0))`, as PyTorch's `binary_cross_entropy_with_logits`; for w = 1 it is
//! `-t ln s(z) - (1 - t) ln(1 - s(z))`, finite for every logit. Shapes: `z [B, K]`, `t [B, K]`, `l [B]`.
//! Gradient: `dz = g ((1 - t) - v s(-z)) / K`; for w = 1 that is `g (s(z) - t) / K`.

use super::sigmoid::logistic;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// Binary cross-entropy on logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryCrossEntropy {
    /// Weight of the positive class (PyTorch's `pos_weight`); 1 by default.
    pub positive_weight: f64,
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        BinaryCrossEntropy { positive_weight: 1.0 }
    }
}

impl BinaryCrossEntropy {
    #[inline(always)]
    fn positive<T: Real>(&self, t: T) -> T {
        T::from_f64(self.positive_weight - 1.0).mul_add(t, T::ONE)
    }
}

impl Operation for BinaryCrossEntropy {
    fn card(&self) -> Card {
        Card {
            name: "binary_cross_entropy",
            family: Family::Loss,
            formula: "l = -t ln s(z) - (1 - t) ln(1 - s(z))",
            derivative: "dz = (s(z) - t) / K",
            range: "[0, inf)",
            used: "two classes with one logit; several labels at once",
            source: "Good 1952",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !(self.positive_weight >= 0.0 && self.positive_weight.is_finite()) {
            return Err(format!("the positive class's weight must be at least 0, but it is {}", self.positive_weight));
        }
        super::regression_shape("binary_cross_entropy", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 25 * inputs[0].len() as u64, backward: 15 * inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        super::mean_of_terms(io, |z, t| {
            let below = if z < T::ZERO { -z } else { T::ZERO };
            self.positive(t).mul_add((-z.abs()).exp().ln_1p() + below, (T::ONE - t) * z)
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        super::gradient_of_terms(io, |z, t| {
            if self.positive_weight == 1.0 { logistic(z) - t } else { (T::ONE - t) - self.positive(t) * logistic(-z) }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let outputs = operands.inputs[0].len() / operands.rows;
        let term = |(&z, &t): (&f64, &f64)| {
            let s = 1.0 / (1.0 + Real::exp(-z));
            -self.positive_weight * t * Real::ln(s) - (1.0 - t) * Real::ln(1.0 - s)
        };
        let rows = operands.inputs[0].chunks(outputs).zip(operands.inputs[1].chunks(outputs));
        rows.map(|(z, t)| z.iter().zip(t).map(term).sum::<f64>() / outputs as f64).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let sample = |positive_weight: f64, (rows, width): (usize, usize)| {
            Sample::new(BinaryCrossEntropy { positive_weight }, rows, [Shape::row(width), Shape::row(width)])
                .domain(1, 0.0, 1.0)
        };
        [1.0, 2.5].into_iter().flat_map(|weight| [(1, 1), (5, 1), (3, 7)].map(|shape| sample(weight, shape))).collect()
    }
}
