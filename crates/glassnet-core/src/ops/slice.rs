//! Slice: a stretch of one axis of a row.
//!
//! Shapes: `x [B, ..., n, ...]` -> `[B, ..., end - start, ...]`. Axes count from 0, without the batch axis. The gradient is the
//! upstream one in its place, 0 elsewhere.

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// `x[start..end]` along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slice {
    /// The axis, from 0, without the batch axis.
    pub axis: usize,
    /// The first place that is taken.
    pub start: usize,
    /// The first place after it that is not.
    pub end: usize,
}

impl Slice {
    /// Numbers of one place of the axis, and of the whole axis.
    fn sizes(&self, shape: &Shape) -> (usize, usize) {
        let inner: usize = shape.0[self.axis + 1..].iter().product();
        (inner, (inner * shape.0[self.axis]).max(1))
    }
}

impl Operation for Slice {
    fn card(&self) -> Card {
        Card {
            name: "slice",
            family: Family::Shape,
            formula: "y = x[start..end] along an axis",
            derivative: "g in its place, 0 elsewhere",
            range: "as the input",
            used: "the last step of a sequence; parts of a row",
            source: "a matter of indices",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let Slice { axis, start, end } = *self;
        let mut axes = inputs[0].0.clone();
        let count = axes.len();
        let Some(size) = axes.get_mut(axis) else {
            return Err(format!(
                "slice cuts axis {axis}, but its input {} has {count} after the batch axis (they count from 0)",
                inputs[0]
            ));
        };
        if start >= end || end > *size {
            return Err(format!(
                "slice takes {start}..{end} of axis {axis}, but its input {} has {size} there; start must be below end, and end at most {size}",
                inputs[0]
            ));
        }
        *size = end - start;
        let shape = Shape(axes);
        if shape.is_empty() {
            return Err(format!("slice needs at least one number a row, but its input is {}", inputs[0]));
        }
        Ok(shape)
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost::default()
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (inner, whole) = self.sizes(&io.shapes[0]);
        let (from, to) = (self.start * inner, self.end * inner);
        for (x, y) in io.inputs[0].chunks_exact(whole).zip(io.output.chunks_exact_mut(to - from)) {
            y.copy_from_slice(&x[from..to]);
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (inner, whole) = self.sizes(&io.shapes[0]);
        let (from, to) = (self.start * inner, self.end * inner);
        for (g, dx) in io.upstream.chunks_exact(to - from).zip(dx.chunks_exact_mut(whole)) {
            dx[..from].fill(T::ZERO);
            dx[from..to].copy_from_slice(g);
            dx[to..].fill(T::ZERO);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (inner, whole) = self.sizes(&operands.shapes[0]);
        let inside = |place: &usize| (self.start..self.end).contains(&(place % whole / inner));
        (0..operands.inputs[0].len()).filter(inside).map(|place| operands.inputs[0][place]).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, vec![1], 0, 0, 1),
            (3, vec![7], 0, 2, 5),
            (2, vec![5, 3], 0, 4, 5),
            (2, vec![3, 5], 1, 0, 2),
            (2, vec![2, 5, 3], 1, 1, 4),
            (3, vec![2, 3, 7], 2, 6, 7),
        ];
        let sample = |(rows, shape, axis, start, end)| Sample::new(Slice { axis, start, end }, rows, [Shape(shape)]);
        shapes.into_iter().map(sample).collect()
    }
}
