//! Flatten: a row of any shape as one axis.
//!
//! Shapes: `[B, ...]` -> `[B, n]`, the last axis fastest. The gradient is the upstream one under the input's shape. A plan
//! takes it out: value and input stand in one place.

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// A row as one axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flatten;

impl Operation for Flatten {
    fn card(&self) -> Card {
        Card {
            name: "flatten",
            family: Family::Shape,
            formula: "the same numbers in the same order, one axis",
            derivative: "g, in the input's shape",
            range: "as the input",
            used: "between the maps of an image network and its head; costs nothing",
            source: "a matter of indices",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs[0].is_empty() {
            return Err(format!("flatten needs at least one number a row, but its input is {}", inputs[0]));
        }
        Ok(Shape::row(inputs[0].len()))
    }

    fn is_view(&self) -> bool {
        true
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost::default()
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        io.output.copy_from_slice(io.inputs[0]);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if let Some(dx) = &mut io.input_gradients[0] {
            dx.copy_from_slice(io.upstream);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        operands.inputs[0].to_vec()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes =
            [(1, vec![]), (3, vec![7]), (2, vec![3, 5]), (2, vec![2, 3, 7]), (4, vec![1, 1, 3]), (3, vec![2, 1, 2, 3])];
        shapes.into_iter().map(|(rows, shape)| Sample::new(Flatten, rows, [Shape(shape)])).collect()
    }
}
