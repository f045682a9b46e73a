//! Concat: two to four inputs one behind the other along an axis of the row.
//!
//! Shapes: along axis 0, `[B, 3, H, W]` and `[B, 5, H, W]` -> `[B, 8, H, W]`; the other axes are equal. Axes count from 0,
//! without the batch axis. Each input's gradient is its piece of the upstream one.

use super::{Backward, Card, Cost, Family, Forward, MAX_INPUTS, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// Inputs one behind the other along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concat {
    /// The axis, from 0, without the batch axis.
    pub axis: usize,
    /// Number of inputs, 2 to 4.
    pub parts: usize,
}

/// Numbers of one input that stand together in the output: its axis and all behind it.
fn run(shape: &Shape, axis: usize) -> usize {
    shape.0[axis.min(shape.0.len())..].iter().product()
}

impl Concat {
    /// Place and length of each input's piece in each run of the output, and the length of such a run.
    fn pieces(&self, shapes: &[Shape]) -> ([(usize, usize); MAX_INPUTS], usize) {
        let mut pieces = [(0, 0); MAX_INPUTS];
        let mut at = 0;
        for (piece, shape) in pieces.iter_mut().zip(shapes) {
            *piece = (at, run(shape, self.axis));
            at += piece.1;
        }
        (pieces, at.max(1))
    }
}

impl Operation for Concat {
    fn card(&self) -> Card {
        Card {
            name: "concat",
            family: Family::Shape,
            formula: "y = [a, b, ...] along an axis",
            derivative: "da, db, ... = the pieces of g",
            range: "as the inputs",
            used: "branches that come together; skip connections",
            source: "Huang et al. 2017 (DenseNet)",
        }
    }

    fn arity(&self) -> usize {
        self.parts
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if !(2..=MAX_INPUTS).contains(&self.parts) {
            return Err(format!("concat takes 2 to {MAX_INPUTS} inputs, but is given {}", self.parts));
        }
        let first = inputs[0];
        if self.axis >= first.0.len() {
            return Err(format!(
                "concat runs along axis {}, but its first input {first} has {} after the batch axis (they count from 0)",
                self.axis,
                first.0.len()
            ));
        }
        let mut axes = first.0.clone();
        for (number, other) in inputs.iter().enumerate().skip(1) {
            let fits = other.0.len() == axes.len()
                && other.0.iter().zip(&first.0).enumerate().all(|(axis, (a, b))| axis == self.axis || a == b);
            if !fits {
                return Err(format!(
                    "concat along axis {} needs inputs that agree in all other axes, but input 0 is {first} and input {number} is {other}",
                    self.axis
                ));
            }
            axes[self.axis] += other.0[self.axis];
        }
        let shape = Shape(axes);
        if shape.is_empty() {
            return Err(format!("concat needs at least one number a row, but its inputs give {shape}"));
        }
        Ok(shape)
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost::default()
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (pieces, whole) = self.pieces(io.shapes);
        for (&(at, len), x) in pieces.iter().zip(io.inputs) {
            for (y, x) in io.output.chunks_exact_mut(whole).zip(x.chunks_exact(len.max(1))) {
                y[at..at + len].copy_from_slice(x);
            }
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let (pieces, whole) = self.pieces(io.shapes);
        for (&(at, len), dx) in pieces.iter().zip(io.input_gradients.iter_mut()) {
            let Some(dx) = dx else { continue };
            for (g, dx) in io.upstream.chunks_exact(whole).zip(dx.chunks_exact_mut(len.max(1))) {
                dx.copy_from_slice(&g[at..at + len]);
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let shapes = operands.shapes;
        let outer: usize = shapes[0].0[..self.axis].iter().product();
        let mut y = Vec::new();
        for run_number in 0..operands.rows * outer {
            for (x, shape) in operands.inputs.iter().zip(shapes) {
                let len = shape.0[self.axis..].iter().product::<usize>();
                y.extend_from_slice(&x[run_number * len..(run_number + 1) * len]);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        fn sample<const N: usize>(rows: usize, axis: usize, shapes: [Shape; N]) -> Sample<Concat> {
            Sample::new(Concat { axis, parts: N }, rows, shapes)
        }
        vec![
            sample(1, 0, [Shape::row(1), Shape::row(1)]),
            sample(3, 0, [Shape::row(7), Shape::row(2), Shape::row(5)]),
            sample(2, 0, [Shape::from([2, 5]), Shape::from([3, 5])]),
            sample(2, 1, [Shape::from([3, 2]), Shape::from([3, 5])]),
            sample(2, 1, [Shape::from([2, 1, 3]), Shape::from([2, 4, 3]), Shape::from([2, 2, 3])]),
            sample(
                3,
                2,
                [Shape::from([2, 3, 1]), Shape::from([2, 3, 1]), Shape::from([2, 3, 2]), Shape::from([2, 3, 3])],
            ),
        ]
    }
}
