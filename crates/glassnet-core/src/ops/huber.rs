//! Huber loss: of one row the mean over its outputs of `e^2 / 2` for `|e| <= delta`, else `delta (|e| - delta / 2)`,
//! `e = y - t`, as PyTorch's `huber_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `e` clipped to +-delta, over K. Source: Huber 1964.

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// l = mean of e^2/2 for |e| <= delta, else delta (|e| - delta/2)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Huber {
    /// Where the parabola becomes a line; positive.
    pub delta: f64,
}

impl Huber {
    /// Loss of one output with error e = y - t.
    #[inline(always)]
    fn term<T: Real>(&self, e: T) -> T {
        let (size, delta) = (e.abs(), T::from_f64(self.delta));
        let half = T::from_f64(0.5);
        if size <= delta { half * e * e } else { delta * (size - half * delta) }
    }

    /// Its derivative.
    #[inline(always)]
    fn slope<T: Real>(&self, e: T) -> T {
        let delta = T::from_f64(self.delta);
        if e > delta {
            delta
        } else if e < -delta {
            -delta
        } else {
            e
        }
    }
}

impl Operation for Huber {
    fn card(&self) -> Card {
        Card {
            name: "huber",
            family: Family::Loss,
            formula: "l = mean of e^2/2 for |e| <= delta, else delta (|e| - delta/2)",
            derivative: "clip(e, -delta, delta) / K",
            range: "[0, inf)",
            used: "regression with some outliers",
            source: "Huber 1964",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !(self.delta > 0.0 && self.delta.is_finite()) {
            return Err(format!("huber's delta must be positive, but it is {}", self.delta));
        }
        super::regression_shape("huber", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 4 * inputs[0].len() as u64, backward: 4 * inputs[0].len() as u64 }
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
        let term = |(y, t): (&f64, &f64)| {
            let (e, delta) = ((y - t).abs(), self.delta);
            if e <= delta { e * e / 2.0 } else { delta * (e - delta / 2.0) }
        };
        rows.map(|(y, t)| y.iter().zip(t).map(term).sum::<f64>() / outputs as f64).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let instances = [Huber { delta: 1.0 }, Huber { delta: 0.5 }];
        let shapes = [(1, 1), (3, 7), (5, 2)];
        let sample = |op: Self, (rows, width)| {
            Sample::new(op, rows, [Shape::row(width), Shape::row(width)]).kinks(&[-op.delta, op.delta])
        };
        instances.into_iter().flat_map(|op| shapes.map(|shape| sample(op, shape))).collect()
    }
}
