//! Adaptive average pooling: an image of any size to one of a given size, each output the mean of its share.
//!
//! Output i of O along an axis of n looks at the elements from floor(i n / O) to ceil((i + 1) n / O), as PyTorch has it; shares may
//! overlap. `y[c, i, j]` is the mean of rows i times columns j.
//!
//! Shapes: `[B, C, H, W]` -> `[B, C, output]`; `[B, C, L]` -> `[B, C, output[1]]` with output\[0\] 1. Backward: each element of a
//! share of n gets g / n. The sum is one chain, row by row; overlapping gradients are added in the order of outputs.
//!
//! Source: He et al. 2014, Spatial Pyramid Pooling.

use super::pooling::{PART, adapt, share};
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// Means of shares of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveAvgPool {
    /// Rows and columns of the output.
    pub output: [usize; 2],
}

impl Operation for AdaptiveAvgPool {
    fn card(&self) -> Card {
        Card {
            name: "adaptive_avg_pool",
            family: Family::Image,
            formula: "y = mean of a share of x",
            derivative: "g / n to each of its n elements",
            range: "that of x",
            used: "images of any size before a linear layer",
            source: "He et al. 2014",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(adapt("adaptive_avg_pool", inputs[0], self.output)?.shape(self.output))
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        let sums = (inputs[0].len() + output.len()) as u64;
        Cost { forward: sums, backward: sums }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let Ok(image) = adapt("adaptive_avg_pool", &io.shapes[0], self.output) else { return };
        let ([height, width], [down, across]) = (image.size, self.output);
        let (plane, out, x) = (image.plane(), down * across, io.inputs[0]);
        io.context.team.split_rows(io.output, out, PART.div_ceil(plane), &|first, y| {
            for (channel, y) in y.chunks_exact_mut(out).enumerate() {
                let x = &x[(first + channel) * plane..][..plane];
                for (place, y) in y.iter_mut().enumerate() {
                    let (rows, columns) = (share(height, down, place / across), share(width, across, place % across));
                    let count = rows.len() * columns.len();
                    let sum = rows.flat_map(|row| &x[row * width..][columns.clone()]).fold(T::ZERO, |sum, &x| sum + x);
                    *y = sum / T::from_f64(count as f64);
                }
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Ok(image) = adapt("adaptive_avg_pool", &io.shapes[0], self.output) else { return };
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let ([height, width], [down, across]) = (image.size, self.output);
        let (plane, out, upstream) = (image.plane(), down * across, io.upstream);
        io.context.team.split_rows(dx, plane, PART.div_ceil(plane), &|first, dx| {
            dx.fill(T::ZERO);
            for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
                for (place, &g) in upstream[(first + channel) * out..][..out].iter().enumerate() {
                    let (rows, columns) = (share(height, down, place / across), share(width, across, place % across));
                    let each = g / T::from_f64((rows.len() * columns.len()) as f64);
                    for row in rows {
                        dx[row * width..][columns.clone()].iter_mut().for_each(|dx| *dx += each);
                    }
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let Ok(image) = adapt("adaptive_avg_pool", &operands.shapes[0], self.output) else { return Vec::new() };
        let ([height, width], [down, across]) = (image.size, self.output);
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(height * width) {
            for (i, j) in (0..down).flat_map(|i| (0..across).map(move |j| (i, j))) {
                let (mut sum, mut count) = (0.0, 0.0);
                for row in i * height / down..((i + 1) * height).div_ceil(down) {
                    for column in j * width / across..((j + 1) * width).div_ceil(across) {
                        sum += x[row * width + column];
                        count += 1.0;
                    }
                }
                y.push(sum / count);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let of = |output| AdaptiveAvgPool { output };
        vec![
            Sample::new(of([1, 1]), 3, [Shape::from([2, 4, 5])]),
            Sample::new(of([2, 3]), 2, [Shape::from([2, 5, 7])]),
            Sample::new(of([7, 7]), 2, [Shape::from([1, 3, 4])]),
            Sample::new(of([3, 2]), 2, [Shape::from([3, 3, 8])]),
            Sample::new(of([4, 1]), 1, [Shape::from([1, 9, 3])]),
            Sample::new(of([1, 4]), 3, [Shape::from([2, 11])]),
        ]
    }
}
