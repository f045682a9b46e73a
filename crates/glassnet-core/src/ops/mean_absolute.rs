//! Absolute error: of one row, `l = (1/K) sum_k |y_k - t_k|`, as PyTorch's `l1_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `g sign(y_k - t_k) / K`, 0 where they are equal. Source: Laplace 1774.

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// l = (1/K) sum_k |y_k - t_k|
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAbsolute;

impl MeanAbsolute {
    /// Loss of one output with error e = y - t.
    #[inline(always)]
    fn term<T: Real>(&self, e: T) -> T {
        e.abs()
    }

    /// Its derivative.
    #[inline(always)]
    fn slope<T: Real>(&self, e: T) -> T {
        if e > T::ZERO {
            T::ONE
        } else if e < T::ZERO {
            -T::ONE
        } else {
            // 0 stays 0 and NaN stays NaN.
            e
        }
    }
}

impl Operation for MeanAbsolute {
    fn card(&self) -> Card {
        Card {
            name: "mean_absolute",
            family: Family::Loss,
            formula: "l = (1/K) sum_k |y_k - t_k|",
            derivative: "sign(y_k - t_k) / K, 0 at 0",
            range: "[0, inf)",
            used: "regression with outliers; predicts the median",
            source: "Laplace 1774",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        super::regression_shape("mean_absolute", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 2 * inputs[0].len() as u64, backward: 2 * inputs[0].len() as u64 }
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
        rows.map(|(y, t)| y.iter().zip(t).map(|(y, t)| (y - t).abs()).sum::<f64>() / outputs as f64).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let instances = [MeanAbsolute];
        let shapes = [(1, 1), (3, 7), (5, 2)];
        let sample =
            |op: Self, (rows, width)| Sample::new(op, rows, [Shape::row(width), Shape::row(width)]).kinks(&[0.0]);
        instances.into_iter().flat_map(|op| shapes.map(|shape| sample(op, shape))).collect()
    }
}
