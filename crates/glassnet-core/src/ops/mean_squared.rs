//! Squared error: of one row, `l = (1/K) sum_k (y_k - t_k)^2` over its K outputs; the mean over all elements once the rows
//! are averaged, as PyTorch's `mse_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `dy_k = g 2 (y_k - t_k) / K`. Source: Gauss 1809.

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// l = (1/K) sum_k (y_k - t_k)^2
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSquared;

impl MeanSquared {
    /// Loss of one output with error e = y - t.
    #[inline(always)]
    fn term<T: Real>(&self, e: T) -> T {
        e * e
    }

    /// Its derivative.
    #[inline(always)]
    fn slope<T: Real>(&self, e: T) -> T {
        T::from_f64(2.0) * e
    }
}

impl Operation for MeanSquared {
    fn card(&self) -> Card {
        Card {
            name: "mean_squared",
            family: Family::Loss,
            formula: "l = (1/K) sum_k (y_k - t_k)^2",
            derivative: "2 (y_k - t_k) / K",
            range: "[0, inf)",
            used: "regression",
            source: "Gauss 1809",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        super::regression_shape("mean_squared", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 3 * inputs[0].len() as u64, backward: 3 * inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        super::mean_of_terms(io, |y, t| self.term(y - t));
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        super::gradient_of_terms(io, |y, t| self.slope(y - t));
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let outputs = operands.inputs[0].len() / operands.rows;
        let rows = operands.inputs[0].chunks(outputs).zip(operands.inputs[1].chunks(outputs));
        rows.map(|(y, t)| y.iter().zip(t).map(|(y, t)| (y - t) * (y - t)).sum::<f64>() / outputs as f64).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let instances = [MeanSquared];
        let shapes = [(1, 1), (3, 7), (5, 2)];
        let sample = |op: Self, (rows, width)| Sample::new(op, rows, [Shape::row(width), Shape::row(width)]);
        instances.into_iter().flat_map(|op| shapes.map(|shape| sample(op, shape))).collect()
    }
}
