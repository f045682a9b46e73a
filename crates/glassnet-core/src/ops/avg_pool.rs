//! Average pooling: the mean of a window that moves over each channel.
//!
//! `y[c, i, j] = sum over p, q of x[c, i stride + p - padding, j stride + q - padding] / n`, where n is kh kw, or, without
//! `count_padding`, the number of those elements that lie within the image.
//!
//! Shapes as in [`super::max_pool`]. Backward: each element of a window gets g / n. The sum is one chain in the order (p, q); where
//! windows overlap, gradients are added in the order of outputs.
//!
//! Source: LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition (subsampling).

use glassnet_kernels::{Kernel, vectorized};

use super::pooling::{Axis, Image, PART, Window};
use super::{Backward, Card, Cost, Family, Forward, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// The mean of a window; pairs are height, width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvgPool {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Rows and columns from a window to the next.
    pub stride: [usize; 2],
    /// Zeros around the image, at most half of the window.
    pub padding: [usize; 2],
    /// Whether zeros of the padding count as elements.
    pub count_padding: bool,
}

impl AvgPool {
    /// Windows side by side.
    pub fn new(kernel: [usize; 2]) -> Self {
        AvgPool { kernel, stride: kernel, padding: [0, 0], count_padding: true }
    }

    fn over(&self, input: &Shape) -> Result<(Image, [Axis; 2]), String> {
        let &AvgPool { kernel, stride, padding, .. } = self;
        if kernel[0].saturating_mul(kernel[1]) > 1 << 24 {
            return Err(format!(
                "avg_pool's window of {} x {} on {input} has more than 2^24 elements; use a smaller one",
                kernel[0], kernel[1]
            ));
        }
        Window { kernel, stride, padding, dilation: [1, 1] }.over("avg_pool", input)
    }

    /// Elements of the window at a position of an axis.
    fn count(&self, axis: &Axis, position: usize) -> usize {
        if self.count_padding {
            return axis.kernel;
        }
        let start = position * axis.stride;
        (start + axis.kernel).min(axis.padding + axis.size) - start.max(axis.padding)
    }
}

/// Sums of the windows of some channels, divided.
struct Means<'a, T> {
    pool: &'a AvgPool,
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Kernel for Means<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Means { pool, axes: [down, across], x, y } = self;
        let row = across.positions;
        for (x, y) in x.chunks_exact(down.size * across.size).zip(y.chunks_exact_mut(down.positions * row)) {
            for (i, sums) in y.chunks_exact_mut(row).enumerate() {
                sums.fill(T::ZERO);
                for from in (0..down.kernel).filter_map(|p| down.element(i, p)) {
                    let from = &x[from * across.size..][..across.size];
                    for q in 0..across.kernel {
                        let seen = across.seen(q);
                        if seen.is_empty() {
                            continue;
                        }
                        let from = &from[seen.start * across.stride + q - across.padding..];
                        let sums = &mut sums[seen];
                        if across.stride == 2 {
                            for (sum, x) in sums.iter_mut().zip(from.chunks(2)) {
                                *sum += x[0];
                            }
                        } else {
                            for (sum, x) in sums.iter_mut().zip(from.chunks(across.stride)) {
                                *sum += x[0];
                            }
                        }
                    }
                }
                let rows = pool.count(down, i);
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum /= T::from_f64((rows * pool.count(across, j)) as f64);
                }
            }
        }
    }
}

impl Operation for AvgPool {
    fn card(&self) -> Card {
        Card {
            name: "avg_pool",
            family: Family::Image,
            formula: "y = mean of a window of x",
            derivative: "g / n to each of its n elements",
            range: "that of x",
            used: "smaller, smoother images",
            source: "LeCun et al. 1998",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (image, [down, across]) = self.over(inputs[0])?;
        Ok(image.shape([down.positions, across.positions]))
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        let sums = (output.len() * self.kernel[0] * self.kernel[1]) as u64;
        Cost { forward: sums + output.len() as u64, backward: sums + output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let Ok((image, axes)) = self.over(&io.shapes[0]) else { return };
        let (plane, out) = (image.plane(), axes[0].positions * axes[1].positions);
        let x = io.inputs[0];
        io.context.team.split_rows(io.output, out, PART.div_ceil(out), &|first, y| {
            let x = &x[first * plane..][..y.len() / out * plane];
            vectorized(Means { pool: self, axes: &axes, x, y });
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Ok((image, [down, across])) = self.over(&io.shapes[0]) else { return };
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (plane, out) = (image.plane(), down.positions * across.positions);
        let upstream = io.upstream;
        io.context.team.split_rows(dx, plane, PART.div_ceil(plane), &|first, dx| {
            dx.fill(T::ZERO);
            for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
                let g = &upstream[(first + channel) * out..][..out];
                for (i, g) in g.chunks_exact(across.positions).enumerate() {
                    for (j, &g) in g.iter().enumerate() {
                        let each = g / T::from_f64((self.count(&down, i) * self.count(&across, j)) as f64);
                        for y in (0..down.kernel).filter_map(|p| down.element(i, p)) {
                            for x in (0..across.kernel).filter_map(|q| across.element(j, q)) {
                                dx[y * across.size + x] += each;
                            }
                        }
                    }
                }
            }
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let Ok((image, [down, across])) = self.over(&operands.shapes[0]) else { return Vec::new() };
        let mut y = Vec::new();
        for x in operands.inputs[0].chunks(image.plane()) {
            for (i, j) in (0..down.positions).flat_map(|i| (0..across.positions).map(move |j| (i, j))) {
                let (mut sum, mut inside) = (0.0, 0);
                for (p, q) in (0..down.kernel).flat_map(|p| (0..across.kernel).map(move |q| (p, q))) {
                    if let (Some(row), Some(column)) = (down.element(i, p), across.element(j, q)) {
                        sum += x[row * across.size + column];
                        inside += 1;
                    }
                }
                let count = if self.count_padding { self.kernel[0] * self.kernel[1] } else { inside };
                y.push(sum / count as f64);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let of = AvgPool::new;
        let inside = |pool| AvgPool { count_padding: false, ..pool };
        vec![
            Sample::new(of([2, 2]), 3, [Shape::from([2, 4, 6])]),
            Sample::new(of([2, 2]), 2, [Shape::from([1, 5, 7])]),
            Sample::new(AvgPool { stride: [2, 2], padding: [1, 1], ..of([3, 3]) }, 2, [Shape::from([2, 7, 9])]),
            Sample::new(inside(AvgPool { stride: [2, 2], padding: [1, 1], ..of([3, 3]) }), 2, [Shape::from([2, 7, 9])]),
            Sample::new(inside(AvgPool { stride: [1, 3], padding: [0, 1], ..of([2, 3]) }), 2, [Shape::from([2, 5, 5])]),
            Sample::new(AvgPool { stride: [1, 2], padding: [0, 1], ..of([1, 3]) }, 3, [Shape::from([3, 11])]),
        ]
    }
}
