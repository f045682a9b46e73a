//! Inputs: values that the caller puts into the graph before a step (features, targets, row weights).

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// A value that the caller provides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Input;

impl Operation for Input {
    fn card(&self) -> Card {
        Card {
            name: "input",
            family: Family::Input,
            formula: "x",
            derivative: "1",
            range: "that of the data",
            used: "features, targets, row weights",
            source: "-",
        }
    }

    fn arity(&self) -> usize {
        0
    }

    fn shape(&self, _inputs: &[&Shape]) -> Result<Shape, String> {
        Err("an input's shape is given, not derived".into())
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost::default()
    }

    fn forward<T: Real>(&self, _io: Forward<'_, T>) {}

    fn backward<T: Real>(&self, _io: Backward<'_, '_, T>) {}

    fn reference(&self, _operands: &Operands<'_>) -> Vec<f64> {
        Vec::new()
    }

    fn samples() -> Vec<Sample<Self>> {
        Vec::new()
    }
}
