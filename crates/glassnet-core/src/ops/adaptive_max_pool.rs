//! Adaptive max pooling: an image of any size to one of a given size, each output the largest element of its share.
//!
//! Shares and shapes as in [`super::adaptive_avg_pool`]. Of equal elements the first, row by row, wins; a NaN wins over everything.
//! Backward: each output's gradient goes to the element that won, in the order of outputs. The winner's place in its share is saved.
//!
//! Source: He et al. 2014, Spatial Pyramid Pooling.

use super::pooling::{Image, PART, adapt, share};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// Largest elements of shares of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveMaxPool {
    /// Rows and columns of the output.
    pub output: [usize; 2],
}

impl AdaptiveMaxPool {
    fn over(&self, input: &Shape) -> Result<Image, String> {
        let image = adapt("adaptive_max_pool", input, self.output)?;
        // A place must be exact in f32.
        if image.plane() > 1 << 24 {
            return Err(format!(
                "adaptive_max_pool's input {input} has more than 2^24 elements a channel; make it smaller"
            ));
        }
        Ok(image)
    }
}

impl Operation for AdaptiveMaxPool {
    fn card(&self) -> Card {
        Card {
            name: "adaptive_max_pool",
            family: Family::Image,
            formula: "y = max of a share of x",
            derivative: "g to the element that won",
            range: "that of x",
            used: "images of any size before a linear layer",
            source: "He et al. 2014",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(self.over(inputs[0])?.shape(self.output))
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        let saved = self.over(inputs[0]).map_or(0, |image| image.channels * self.output[0] * self.output[1]);
        Needs { saved, ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: inputs[0].len() as u64, backward: output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let Ok(image) = self.over(&io.shapes[0]) else { return };
        let ([height, width], [down, across]) = (image.size, self.output);
        let (plane, out, x) = (image.plane(), down * across, io.inputs[0]);
        let saved = if io.saved.is_empty() { 0 } else { out };
        let channels = io.rows * image.channels;
        let min = PART.div_ceil(plane);
        io.context.team.split_two(channels, min, io.output, out, io.saved, saved, &|first, y, places| {
            for (channel, y) in y.chunks_exact_mut(out).enumerate() {
                let x = &x[(first + channel) * plane..][..plane];
                for (place, y) in y.iter_mut().enumerate() {
                    let (rows, columns) = (share(height, down, place / across), share(width, across, place % across));
                    let (mut best, mut winner) = (T::from_f64(f64::NEG_INFINITY), 0);
                    for (at, &x) in rows.flat_map(|row| &x[row * width..][columns.clone()]).enumerate() {
                        if x > best || x.is_nan() {
                            (best, winner) = (x, at);
                        }
                    }
                    *y = best;
                    if let Some(saved) = places.get_mut(channel * out + place) {
                        *saved = T::from_f64(winner as f64);
                    }
                }
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Ok(image) = self.over(&io.shapes[0]) else { return };
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let ([height, width], [down, across]) = (image.size, self.output);
        let (plane, out, upstream, saved) = (image.plane(), down * across, io.upstream, io.saved);
        io.context.team.split_rows(dx, plane, PART.div_ceil(plane), &|first, dx| {
            dx.fill(T::ZERO);
            for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
                let start = (first + channel) * out;
                for (place, (&g, winner)) in upstream[start..start + out].iter().zip(&saved[start..]).enumerate() {
                    let (rows, columns) = (share(height, down, place / across), share(width, across, place % across));
                    let winner = winner.to_f64() as u32 as usize;
                    let (row, column) = (rows.start + winner / columns.len(), columns.start + winner % columns.len());
                    dx[row * width + column] += g;
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let Ok(image) = self.over(&operands.shapes[0]) else { return Vec::new() };
        let ([height, width], [down, across]) = (image.size, self.output);
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(height * width) {
            for (i, j) in (0..down).flat_map(|i| (0..across).map(move |j| (i, j))) {
                let mut best = f64::NEG_INFINITY;
                for row in i * height / down..((i + 1) * height).div_ceil(down) {
                    for column in j * width / across..((j + 1) * width).div_ceil(across) {
                        best = best.max(x[row * width + column]);
                    }
                }
                y.push(best);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let of = |output| AdaptiveMaxPool { output };
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
