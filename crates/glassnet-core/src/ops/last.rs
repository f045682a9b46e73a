//! Last: the vector at a sequence's last live position, `[B, T, C]` -> `[B, C]`.
//!
//! With `lengths` (whole numbers `[B]`) that is position length - 1, else T - 1; a row of length 0 gives zeros. The gradient
//! goes to that position. What a network reads off a recurrent layer; off a reversed one, read [`super::first`].

use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::{DType, Shape};

/// The vector at the last live position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Last {
    /// Whether an integer input gives each row's length.
    pub lengths: bool,
}

/// The shape rule of what reduces a sequence to a vector.
pub(crate) fn over_time(name: &str, lengths: bool, inputs: &[&Shape]) -> Result<Shape, String> {
    let &[time, width] = inputs[0].0.as_slice() else {
        return Err(format!("{name} reads a sequence of vectors, [B, T, C], but its input is {}", inputs[0]));
    };
    if time == 0 || width == 0 {
        return Err(format!("{name} needs at least one position and one channel, but its input is {}", inputs[0]));
    }
    if lengths && !inputs[1].0.is_empty() {
        return Err(format!("{name} reads one length a row, [B], but the lengths are {}", inputs[1]));
    }
    Ok(Shape::row(width))
}

/// Live positions of a row: its length, within 0..=`time`; `time` where there are no lengths.
pub(crate) fn live(lengths: &[i32], row: usize, time: usize) -> usize {
    lengths.get(row).map_or(time, |&length| usize::try_from(length).unwrap_or(0).min(time))
}

impl Last {
    fn labels<'a>(&self, labels: &'a [i32]) -> &'a [i32] {
        if self.lengths { labels } else { &[] }
    }

    fn pick<T: Real>(&self, x: &[T], shape: &Shape, labels: &[i32], y: &mut [T]) {
        let (time, width) = (shape.0[0], shape.last());
        for (row, (x, y)) in x.chunks_exact(time * width).zip(y.chunks_exact_mut(width)).enumerate() {
            match live(self.labels(labels), row, time).checked_sub(1) {
                Some(last) => y.copy_from_slice(&x[last * width..][..width]),
                None => y.fill(T::ZERO),
            }
        }
    }
}

impl Operation for Last {
    fn card(&self) -> Card {
        Card {
            name: "last",
            family: Family::Sequence,
            formula: "y = x at position length - 1",
            derivative: "dx = g there, 0 elsewhere",
            range: "(-inf, inf)",
            used: "what a recurrent layer has read in all",
            source: "-",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        over_time("last", self.lengths, inputs)
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
        Cost { forward: 0, backward: inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        self.pick(io.inputs[0], &io.shapes[0], io.labels, io.output);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (time, width) = (io.shapes[0].0[0], io.shapes[0].last());
        dx.fill(T::ZERO);
        for (row, (dx, g)) in dx.chunks_exact_mut(time * width).zip(io.upstream.chunks_exact(width)).enumerate() {
            if let Some(last) = live(self.labels(io.labels), row, time).checked_sub(1) {
                dx[last * width..][..width].copy_from_slice(g);
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (time, width) = (operands.shapes[0].0[0], operands.shapes[0].last());
        let mut y = Vec::new();
        for row in 0..operands.rows {
            let length = if self.lengths { operands.labels[row].clamp(0, time as i32) as usize } else { time };
            for j in 0..width {
                y.push(if length == 0 { 0.0 } else { operands.inputs[0][(row * time + length - 1) * width + j] });
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let all = [(1, 1, 1), (3, 5, 7), (2, 1, 4)]
            .map(|(rows, time, width)| Sample::new(Last { lengths: false }, rows, [Shape::from([time, width])]));
        let some = [(1, 4, 2), (7, 5, 3), (9, 3, 1)].map(|(rows, time, width)| {
            Sample::new(Last { lengths: true }, rows, [Shape::from([time, width]), Shape::default()])
                .integers(0, time + 2)
        });
        all.into_iter().chain(some).collect()
    }
}
