//! Global pooling: one number a channel, the mean or the largest of all its elements.
//!
//! Shapes: `[B, C, ...]` -> `[B, C]`. The mean's sum is a reduction along a row (16 lanes joined by the tree 8-4-2-1). Backward:
//! the mean gives g / n to each of the n elements; the maximum gives g to the first of the largest, a NaN before all others (its place is
//! found again from input and output).
//!
//! Source: Lin et al. 2014, Network In Network.

use glassnet_kernels::reduce;

use super::pooling::PART;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// What is taken of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The mean.
    Average,
    /// The largest element.
    Max,
}

/// One number a channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlobalPool {
    /// Which number.
    pub kind: Kind,
}

/// Elements of a channel.
fn plane(input: &Shape) -> usize {
    input.0.iter().skip(1).product()
}

impl Operation for GlobalPool {
    fn card(&self) -> Card {
        Card {
            name: "global_pool",
            family: Family::Image,
            formula: "y_c = mean or max of channel c",
            derivative: "g / n to each, or g to the element that won",
            range: "that of x",
            used: "from feature maps to classes",
            source: "Lin et al. 2014",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        if inputs[0].0.len() < 2 || inputs[0].is_empty() {
            return Err(format!(
                "global_pool needs channels of at least one element, [B, C, ...], but its input is {}; reshape it to channels, \
                 height and width first",
                inputs[0]
            ));
        }
        Ok(Shape::row(inputs[0].0[0]))
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        let max = self.kind == Kind::Max;
        Needs { inputs: max, output: max, saved: 0 }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: inputs[0].len() as u64, backward: inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (plane, x) = (plane(&io.shapes[0]), io.inputs[0]);
        let count = T::from_f64(plane as f64);
        io.context.team.split_rows(io.output, 1, PART.div_ceil(plane), &|first, y| {
            for (y, x) in y.iter_mut().zip(x[first * plane..].chunks_exact(plane)) {
                *y = match self.kind {
                    Kind::Average => reduce::sum(x) / count,
                    Kind::Max => reduce::max(x),
                };
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let plane = plane(&io.shapes[0]);
        let count = T::from_f64(plane as f64);
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (upstream, x, y) = (io.upstream, io.inputs[0], io.output);
        io.context.team.split_rows(dx, plane, PART.div_ceil(plane), &|first, dx| {
            for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
                let (channel, g) = (first + channel, upstream[first + channel]);
                if self.kind == Kind::Average {
                    dx.fill(g / count);
                    continue;
                }
                let (x, best) = (&x[channel * plane..][..plane], y[channel]);
                dx.fill(T::ZERO);
                let winner = x.iter().position(|x| if best.is_nan() { x.is_nan() } else { *x == best });
                if let Some(winner) = winner {
                    dx[winner] = g;
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let plane = plane(&operands.shapes[0]);
        let channels = operands.inputs[0].chunks(plane);
        channels
            .map(|x| match self.kind {
                Kind::Average => x.iter().sum::<f64>() / plane as f64,
                Kind::Max => x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            })
            .collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let shapes = [vec![2, 4, 5], vec![3, 7], vec![1, 1, 1], vec![5, 33, 1], vec![2, 2, 3, 3]];
        let sample = |kind, shape| Sample::new(GlobalPool { kind }, 3, [Shape(shape)]);
        shapes
            .into_iter()
            .flat_map(|shape| [Kind::Average, Kind::Max].map(|kind| sample(kind, shape.clone())))
            .collect()
    }
}
