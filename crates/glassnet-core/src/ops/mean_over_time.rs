//! Mean over time: the mean of a sequence's live positions, `[B, T, C]` -> `[B, C]`.
//!
//! With `lengths` (whole numbers `[B]`) over the positions below a row's length, else over all; a row of length 0 gives zeros.
//! Each channel is one sum from +0 in increasing position, times 1 / length. Gradient: `dx = g / length` at live positions, 0
//! elsewhere.

use glassnet_kernels::{Kernel, vectorized};

use super::last::{live, over_time};
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::{DType, Shape};

/// The mean of the live positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOverTime {
    /// Whether an integer input gives each row's length.
    pub lengths: bool,
}

/// `y` = the sum of the vectors in `x`, times `factor`.
struct Sum<'a, T> {
    x: &'a [T],
    factor: T,
    y: &'a mut [T],
}

impl<T: Real> Kernel for Sum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.y.fill(T::ZERO);
        for x in self.x.chunks_exact(self.y.len()) {
            for (y, &x) in self.y.iter_mut().zip(x) {
                *y += x;
            }
        }
        for y in self.y {
            *y *= self.factor;
        }
    }
}

/// `dx` = `g` times `factor` at every position.
struct Spread<'a, T> {
    g: &'a [T],
    factor: T,
    dx: &'a mut [T],
}

impl<T: Real> Kernel for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for dx in self.dx.chunks_exact_mut(self.g.len()) {
            for (dx, &g) in dx.iter_mut().zip(self.g) {
                *dx = g * self.factor;
            }
        }
    }
}

impl MeanOverTime {
    /// Live positions of a row and 1 / that (0 where there is none).
    fn of<T: Real>(&self, labels: &[i32], row: usize, time: usize) -> (usize, T) {
        let length = live(if self.lengths { labels } else { &[] }, row, time);
        (length, if length == 0 { T::ZERO } else { T::ONE / T::from_f64(length as f64) })
    }
}

impl Operation for MeanOverTime {
    fn card(&self) -> Card {
        Card {
            name: "mean_over_time",
            family: Family::Sequence,
            formula: "y = sum of x over live positions / their number",
            derivative: "dx = g / length at live positions, else 0",
            range: "(-inf, inf)",
            used: "a bag of what a sequence holds",
            source: "-",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        over_time("mean over time", self.lengths, inputs)
    }

    fn arity(&self) -> usize {
        1 + usize::from(self.lengths)
    }

    fn input_dtype(&self, index: usize) -> DType {
        if index == 1 { DType::I32 } else { DType::Real }
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        let elements = inputs[0].len() as u64;
        Cost { forward: elements, backward: elements }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (time, width) = (io.shapes[0].0[0], io.shapes[0].last());
        let rows = io.inputs[0].chunks_exact(time * width).zip(io.output.chunks_exact_mut(width));
        for (row, (x, y)) in rows.enumerate() {
            let (length, factor) = self.of(io.labels, row, time);
            vectorized(Sum { x: &x[..length * width], factor, y });
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (time, width) = (io.shapes[0].0[0], io.shapes[0].last());
        for (row, (dx, g)) in dx.chunks_exact_mut(time * width).zip(io.upstream.chunks_exact(width)).enumerate() {
            let (length, factor) = self.of(io.labels, row, time);
            let (live, padding) = dx.split_at_mut(length * width);
            vectorized(Spread { g, factor, dx: live });
            padding.fill(T::ZERO);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (time, width) = (operands.shapes[0].0[0], operands.shapes[0].last());
        let mut y = Vec::new();
        for row in 0..operands.rows {
            let length = if self.lengths { operands.labels[row].clamp(0, time as i32) as usize } else { time };
            for j in 0..width {
                let sum: f64 = (0..length).map(|t| operands.inputs[0][(row * time + t) * width + j]).sum();
                y.push(sum / length.max(1) as f64);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let all = [(1, 1, 1), (3, 5, 7), (2, 1, 4)].map(|(rows, time, width)| {
            Sample::new(MeanOverTime { lengths: false }, rows, [Shape::from([time, width])])
        });
        let some = [(1, 4, 2), (7, 5, 3), (9, 3, 17)].map(|(rows, time, width)| {
            Sample::new(MeanOverTime { lengths: true }, rows, [Shape::from([time, width]), Shape::default()])
                .integers(0, time + 2)
        });
        all.into_iter().chain(some).collect()
    }
}
