//! First: the vector at a sequence's first position, `[B, T, C]` -> `[B, C]`: what a reversed recurrent layer has read in
//! all. Lengths do not matter to it. The gradient goes to that position.

use super::last::over_time;
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// The vector at the first position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct First;

impl Operation for First {
    fn card(&self) -> Card {
        Card {
            name: "first",
            family: Family::Sequence,
            formula: "y = x at position 0",
            derivative: "dx = g there, 0 elsewhere",
            range: "(-inf, inf)",
            used: "what a reversed recurrent layer has read in all",
            source: "-",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        over_time("first", false, inputs)
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 0, backward: inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let width = io.shapes[0].last();
        for (x, y) in io.inputs[0].chunks_exact(io.shapes[0].len()).zip(io.output.chunks_exact_mut(width)) {
            y.copy_from_slice(&x[..width]);
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let width = io.shapes[0].last();
        for (dx, g) in dx.chunks_exact_mut(io.shapes[0].len()).zip(io.upstream.chunks_exact(width)) {
            dx[..width].copy_from_slice(g);
            dx[width..].fill(T::ZERO);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (len, width) = (operands.shapes[0].len(), operands.shapes[0].last());
        (0..operands.rows * width).map(|i| operands.inputs[0][i / width * len + i % width]).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        [(1, 1, 1), (3, 5, 7), (2, 1, 4), (1, 4, 2), (7, 5, 3), (9, 3, 1)]
            .map(|(rows, time, width)| Sample::new(First, rows, [Shape::from([time, width])]))
            .into()
    }
}
