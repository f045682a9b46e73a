//! Transpose: two axes of a row change places.
//!
//! Shapes: with axes 0 and 1, `[B, C, T]` -> `[B, T, C]`. Axes count from 0, without the batch axis. The gradient is the
//! upstream one with the axes changed back.

use super::row_norm::PART;
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::shape::Shape;
use crate::{Real, Team};

/// Two axes of a row change places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transpose {
    /// The axes, from 0, without the batch axis.
    pub axes: [usize; 2],
}

/// A side of the square that is turned at once, so that both sides' lines stay in the cache.
const SQUARE: usize = 16;

/// A row as `[outer, first, middle, second, inner]`; first and second change places.
#[derive(Clone, Copy)]
struct Turn {
    outer: usize,
    first: usize,
    middle: usize,
    second: usize,
    inner: usize,
}

impl Turn {
    fn of(shape: &Shape, axes: [usize; 2]) -> Self {
        let (low, high) = (axes[0].min(axes[1]), axes[0].max(axes[1]));
        let size = |axes: &[usize]| axes.iter().product::<usize>();
        if low == high {
            // Nothing changes places.
            return Turn { outer: 1, first: 1, middle: 1, second: 1, inner: shape.len() };
        }
        Turn {
            outer: size(&shape.0[..low]),
            first: shape.0[low],
            middle: size(&shape.0[low + 1..high]),
            second: shape.0[high],
            inner: size(&shape.0[high + 1..]),
        }
    }

    fn back(self) -> Self {
        Turn { first: self.second, second: self.first, ..self }
    }

    fn len(self) -> usize {
        self.outer * self.first * self.middle * self.second * self.inner
    }

    fn row<T: Copy>(self, x: &[T], y: &mut [T]) {
        let Turn { first, middle, second, inner, .. } = self;
        let block = first * middle * second * inner;
        for (x, y) in x.chunks_exact(block).zip(y.chunks_exact_mut(block)) {
            for m in 0..middle {
                for top in (0..second).step_by(SQUARE) {
                    for left in (0..first).step_by(SQUARE) {
                        for b in top..(top + SQUARE).min(second) {
                            for a in left..(left + SQUARE).min(first) {
                                let from = ((a * middle + m) * second + b) * inner;
                                let to = ((b * middle + m) * first + a) * inner;
                                if inner == 1 {
                                    y[to] = x[from];
                                } else {
                                    y[to..to + inner].copy_from_slice(&x[from..from + inner]);
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn run<T: Real>(self, team: &Team, x: &[T], y: &mut [T]) {
        let width = self.len();
        team.split_rows(y, width, PART.div_ceil(width), &|start, rows| {
            for (x, y) in x[start * width..].chunks_exact(width).zip(rows.chunks_exact_mut(width)) {
                self.row(x, y);
            }
        });
    }
}

impl Operation for Transpose {
    fn card(&self) -> Card {
        Card {
            name: "transpose",
            family: Family::Shape,
            formula: "y[.., j, .., i, ..] = x[.., i, .., j, ..]",
            derivative: "g with the axes changed back",
            range: "as the input",
            used: "channels first or last",
            source: "a matter of indices",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [a, b] = self.axes;
        let mut axes = inputs[0].0.clone();
        if a >= axes.len() || b >= axes.len() {
            return Err(format!(
                "transpose changes axes {a} and {b}, but its input {} has {} after the batch axis (they count from 0)",
                inputs[0],
                axes.len()
            ));
        }
        if inputs[0].is_empty() {
            return Err(format!("transpose needs at least one number a row, but its input is {}", inputs[0]));
        }
        axes.swap(a, b);
        Ok(Shape(axes))
    }

    fn cost(&self, _inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost::default()
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        Turn::of(&io.shapes[0], self.axes).run(io.context.team, io.inputs[0], io.output);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if let Some(dx) = &mut io.input_gradients[0] {
            Turn::of(&io.shapes[0], self.axes).back().run(io.context.team, io.upstream, dx);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        // Element by element, by its indices.
        let shape = &operands.shapes[0].0;
        let mut swapped = shape.clone();
        swapped.swap(self.axes[0], self.axes[1]);
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(operands.shapes[0].len()) {
            for place in 0..x.len() {
                let mut index: Vec<usize> = vec![0; shape.len()];
                let mut rest = place;
                for axis in (0..shape.len()).rev() {
                    index[axis] = rest % swapped[axis];
                    rest /= swapped[axis];
                }
                index.swap(self.axes[0], self.axes[1]);
                y.push(x[index.iter().zip(shape).fold(0, |at, (index, size)| at * size + index)]);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [
            (1, vec![1], [0, 0]),
            (3, vec![3, 5], [0, 1]),
            (2, vec![19, 33], [1, 0]),
            (2, vec![2, 3, 4], [0, 2]),
            (2, vec![3, 4, 5], [0, 1]),
            (3, vec![2, 3, 5], [1, 2]),
            (2, vec![2, 3, 2, 3], [1, 3]),
            (2, vec![4, 3], [1, 1]),
        ];
        shapes.into_iter().map(|(rows, shape, axes)| Sample::new(Transpose { axes }, rows, [Shape(shape)])).collect()
    }
}
