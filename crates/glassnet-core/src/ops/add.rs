//! Sum of two values of one shape: `y = a + b`; `da = g`, `db = g`. The skip connection of a residual block.

use glassnet_kernels::lanes::{Binary, map2};

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample, same_shape};
use crate::Real;
use crate::shape::Shape;

/// Elements that are worth a thread.
const PART: usize = 1 << 15;

/// `y = a + b`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Add;

impl<T: Real> Binary<T> for Add {
    #[inline(always)]
    fn f(&self, a: T, b: T) -> T {
        a + b
    }
}

impl Operation for Add {
    fn card(&self) -> Card {
        Card {
            name: "add",
            family: Family::Arithmetic,
            formula: "y = a + b",
            derivative: "da = g, db = g",
            range: "(-inf, inf)",
            used: "residual connections",
            source: "He et al. 2015 (residual learning)",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        same_shape("add", inputs)
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: output.len() as u64, backward: 0 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (a, b) = (io.inputs[0], io.inputs[1]);
        io.context.team.split_rows(io.output, 1, PART, &|first, y| {
            map2(*self, &a[first..][..y.len()], &b[first..][..y.len()], y);
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        for gradient in io.input_gradients.iter_mut().flatten() {
            io.context.team.split_rows(gradient, 1, PART, &|first, gradient| {
                gradient.copy_from_slice(&io.upstream[first..][..gradient.len()]);
            });
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        operands.inputs[0].iter().zip(operands.inputs[1]).map(|(a, b)| a + b).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1), (3, 7), (4, 33)]
            .map(|(rows, width)| Sample::new(Add, rows, [Shape::row(width), Shape::row(width)]))
            .into()
    }
}
