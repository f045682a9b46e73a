//! Reshape: the same numbers of a row in the same order under another shape.
//!
//! Shapes: `[B, ...]` -> `[B, shape]`, with as many numbers. The gradient is the upstream one under the input's shape. A plan
//! takes it out: value and input stand in one place.

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// The same numbers under another shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Reshape {
    /// The new shape of a row, without the batch axis.
    pub shape: Vec<usize>,
}

impl Operation for Reshape {
    fn card(&self) -> Card {
        Card {
            name: "reshape",
            family: Family::Shape,
            formula: "the same numbers in the same order, another shape",
            derivative: "g, in the input's shape",
            range: "as the input",
            used: "between layers that read different shapes; costs nothing",
            source: "a matter of indices",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let shape = Shape(self.shape.clone());
        let wanted = self.shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
        if wanted != Some(inputs[0].len()) {
            let wanted = wanted.map_or("more than any row holds".to_string(), |wanted| wanted.to_string());
            return Err(format!(
                "reshape keeps the number of elements, but its input {} has {} a row and {shape} has {wanted}",
                inputs[0],
                inputs[0].len()
            ));
        }
        Ok(shape)
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
        let shapes: [(usize, Vec<usize>, &[usize]); 6] = [
            (1, vec![1], &[]),
            (3, vec![6], &[2, 3]),
            (2, vec![3, 5], &[5, 3]),
            (2, vec![2, 3, 7], &[6, 7]),
            (4, vec![3, 4], &[12]),
            (5, vec![9], &[1, 9, 1]),
        ];
        let sample = |(rows, input, shape): (usize, Vec<usize>, &[usize])| {
            Sample::new(Reshape { shape: shape.to_vec() }, rows, [Shape(input)])
        };
        shapes.into_iter().map(sample).collect()
    }
}
