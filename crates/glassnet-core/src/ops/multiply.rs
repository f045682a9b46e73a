//! Product of two values of one shape, element by element: `y = a b`; `da = g b`, `db = g a`. The gate of SwiGLU.

use glassnet_kernels::lanes::{Binary, map2};

use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample, same_shape};
use crate::Real;
use crate::shape::Shape;

/// `y = a b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiply;

impl<T: Real> Binary<T> for Multiply {
    #[inline(always)]
    fn f(&self, a: T, b: T) -> T {
        a * b
    }
}

impl Operation for Multiply {
    fn card(&self) -> Card {
        Card {
            name: "multiply",
            family: Family::Arithmetic,
            formula: "y = a b",
            derivative: "da = g b, db = g a",
            range: "(-inf, inf)",
            used: "gates",
            source: "Dauphin et al. 2016; Shazeer 2020",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        same_shape("multiply", inputs)
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: output.len() as u64, backward: 2 * output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        map2(*self, io.inputs[0], io.inputs[1], io.output);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        for (index, gradient) in io.input_gradients.iter_mut().enumerate() {
            if let Some(gradient) = gradient {
                map2(*self, io.upstream, io.inputs[1 - index], gradient);
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        operands.inputs[0].iter().zip(operands.inputs[1]).map(|(a, b)| a * b).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1), (3, 7), (4, 33)]
            .map(|(rows, width)| Sample::new(Multiply, rows, [Shape::row(width), Shape::row(width)]))
            .into()
    }
}
