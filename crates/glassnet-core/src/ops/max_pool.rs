//! Max pooling: the largest element under a window that moves over each channel.
//!
//! `y[c, i, j] = max over p, q of x[c, i stride + p dilation - padding, j stride + q dilation - padding]`; what lies outside of the
//! image does not take part. Of equal ones the first in the order (p, q) wins; a NaN wins over everything, as in PyTorch.
//!
//! Shapes: `[B, C, H, W]` -> `[B, C, H', W']` with H' = floor((H + 2 padding - dilation (kh - 1) - 1) / stride) + 1; `[B, C, L]` is an
//! image of one row. Backward: each output's gradient goes to the element that won; where windows overlap they
//! are added in the order of outputs. The winner's place in its window (p kw + q) is saved.
//!
//! Source: Ranzato et al. 2007, Unsupervised Learning of Invariant Feature Hierarchies.

use glassnet_kernels::{Kernel, vectorized};

use super::pooling::{Axis, Image, PART, Window};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::Shape;

/// The largest element of a window; pairs are height, width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxPool {
    /// Rows and columns of the window.
    pub kernel: [usize; 2],
    /// Rows and columns from a window to the next.
    pub stride: [usize; 2],
    /// Rows and columns around the image, at most half of the window.
    pub padding: [usize; 2],
    /// Rows and columns from an element of the window to the next.
    pub dilation: [usize; 2],
}

impl MaxPool {
    /// Windows side by side.
    pub fn new(kernel: [usize; 2]) -> Self {
        MaxPool { kernel, stride: kernel, padding: [0, 0], dilation: [1, 1] }
    }

    fn over(&self, input: &Shape) -> Result<(Image, [Axis; 2]), String> {
        let &MaxPool { kernel, stride, padding, dilation } = self;
        if kernel[0].saturating_mul(kernel[1]) > 1 << 24 {
            return Err(format!(
                "max_pool's window of {} x {} on {input} has more than 2^24 elements; use a smaller one",
                kernel[0], kernel[1]
            ));
        }
        Window { kernel, stride, padding, dilation }.over("max_pool", input)
    }
}

/// Some channels.
struct Best<'a, T> {
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a mut [T],
    /// Place of the winner in its window; empty where nobody asks.
    places: &'a mut [T],
}

/// `best` and `place` against what one tap sees: `x[j * stride]`.
#[inline(always)]
fn contest<T: Real, const STRIDE: usize>(stride: usize, tap: T, x: &[T], best: &mut [T], places: &mut [T]) {
    let stride = if STRIDE > 0 { STRIDE } else { stride };
    for ((x, best), place) in x.chunks(stride).zip(best).zip(places) {
        let wins = x[0] > *best || x[0].is_nan();
        *best = if wins { x[0] } else { *best };
        *place = if wins { tap } else { *place };
    }
}

impl<T: Real> Kernel for Best<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Best { axes: [down, across], x, y, places } = self;
        let row = across.positions;
        let mut unasked = [T::ZERO; 64];
        let channels = x.chunks_exact(down.size * across.size).zip(y.chunks_exact_mut(down.positions * row));
        for (channel, (x, y)) in channels.enumerate() {
            for (i, best) in y.chunks_exact_mut(row).enumerate() {
                best.fill(T::from_f64(f64::NEG_INFINITY));
                let start = (channel * down.positions + i) * row;
                let first = down.first_tap(i) * across.kernel;
                if !places.is_empty() {
                    for (j, place) in places[start..start + row].iter_mut().enumerate() {
                        *place = T::from_f64((first + across.first_tap(j)) as f64);
                    }
                }
                for p in 0..down.kernel {
                    let Some(from) = down.element(i, p) else { continue };
                    let from = &x[from * across.size..][..across.size];
                    for q in 0..across.kernel {
                        let seen = across.seen(q);
                        if seen.is_empty() {
                            continue;
                        }
                        let tap = T::from_f64((p * across.kernel + q) as f64);
                        let from = &from[seen.start * across.stride + q * across.dilation - across.padding..];
                        // In pieces only where there is nowhere to put the places.
                        let piece = if places.is_empty() { unasked.len() } else { row };
                        for begin in seen.clone().step_by(piece) {
                            let end = seen.end.min(begin + piece);
                            let from = &from[(begin - seen.start) * across.stride..];
                            let best = &mut best[begin..end];
                            let places = if places.is_empty() {
                                &mut unasked[..]
                            } else {
                                &mut places[start + begin..start + end]
                            };
                            match across.stride {
                                1 => contest::<T, 1>(1, tap, from, best, places),
                                2 => contest::<T, 2>(2, tap, from, best, places),
                                stride => contest::<T, 0>(stride, tap, from, best, places),
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Longest row of windows whose winners' places can be thrown away without memory for them.
const LONGEST_UNASKED: usize = 512;

/// Windows of 2 x 2 side by side, which most networks have.
struct BestOfFour<'a, T> {
    axes: &'a [Axis; 2],
    x: &'a [T],
    y: &'a mut [T],
    places: &'a mut [T],
}

impl<T: Real> Kernel for BestOfFour<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let BestOfFour { axes: [down, across], x, y, places } = self;
        let (row, plane) = (across.positions, down.size * across.size);
        let names = [0.0, 1.0, 2.0, 3.0].map(T::from_f64);
        let mut unasked = [T::ZERO; LONGEST_UNASKED];
        for (number, y) in y.chunks_exact_mut(row).enumerate() {
            let places = if places.is_empty() { &mut unasked[..row] } else { &mut places[number * row..][..row] };
            let (channel, i) = (number / down.positions, number % down.positions);
            let two = &x[channel * plane + 2 * i * across.size..][..2 * across.size];
            let (upper, lower) = two.split_at(across.size);
            let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
            for (((y, place), a), b) in y.iter_mut().zip(places).zip(upper).zip(lower) {
                let (mut best, mut winner) = (a[0], names[0]);
                for (x, name) in [(a[1], names[1]), (b[0], names[2]), (b[1], names[3])] {
                    let wins = (x > best) | x.is_nan();
                    best = if wins { x } else { best };
                    winner = if wins { name } else { winner };
                }
                (*y, *place) = (best, winner);
            }
        }
    }
}

/// The gradient of some channels under windows of 2 x 2 side by side.
struct BackToFour<'a, T> {
    axes: &'a [Axis; 2],
    upstream: &'a [T],
    places: &'a [T],
    dx: &'a mut [T],
}

impl<T: Real> Kernel for BackToFour<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let BackToFour { axes: [down, across], upstream, places, dx } = self;
        let (row, out) = (across.positions, down.positions * across.positions);
        let names = [0.0, 1.0, 2.0, 3.0].map(T::from_f64);
        let channels = upstream.chunks_exact(out).zip(places.chunks_exact(out));
        for (dx, (g, places)) in dx.chunks_exact_mut(down.size * across.size).zip(channels) {
            if across.size > 2 * row || down.size > 2 * down.positions {
                // What no window sees.
                dx.fill(T::ZERO);
            }
            let rows = dx.chunks_exact_mut(2 * across.size).zip(g.chunks_exact(row).zip(places.chunks_exact(row)));
            for (two, (g, places)) in rows {
                let (upper, lower) = two.split_at_mut(across.size);
                let (upper, lower) = (upper.as_chunks_mut::<2>().0, lower.as_chunks_mut::<2>().0);
                for (((&g, &place), a), b) in g.iter().zip(places).zip(upper).zip(lower) {
                    let given = names.map(|name| if place == name { g } else { T::ZERO });
                    (*a, *b) = ([given[0], given[1]], [given[2], given[3]]);
                }
            }
        }
    }
}

impl MaxPool {
    /// Whether the windows are 2 x 2, side by side.
    fn of_four(&self) -> bool {
        *self == MaxPool::new([2, 2])
    }
}

impl Operation for MaxPool {
    fn card(&self) -> Card {
        Card {
            name: "max_pool",
            family: Family::Image,
            formula: "y = max of a window of x",
            derivative: "g to the element that won",
            range: "that of x",
            used: "smaller images that keep what was found",
            source: "Ranzato et al. 2007",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (image, [down, across]) = self.over(inputs[0])?;
        Ok(image.shape([down.positions, across.positions]))
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        let saved = self
            .over(inputs[0])
            .map_or(0, |(image, [down, across])| image.channels * down.positions * across.positions);
        Needs { saved, ..Needs::default() }
    }

    fn cost(&self, _inputs: &[&Shape], output: &Shape) -> Cost {
        Cost { forward: (output.len() * self.kernel[0] * self.kernel[1]) as u64, backward: output.len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let Ok((image, axes)) = self.over(&io.shapes[0]) else { return };
        let (plane, out) = (image.plane(), axes[0].positions * axes[1].positions);
        let x = io.inputs[0];
        let saved = if io.saved.is_empty() { 0 } else { out };
        let channels = io.rows * image.channels;
        let min = PART.div_ceil(out);
        io.context.team.split_two(channels, min, io.output, out, io.saved, saved, &|first, y, places| {
            let x = &x[first * plane..][..y.len() / out * plane];
            if self.of_four() && (!places.is_empty() || axes[1].positions <= LONGEST_UNASKED) {
                vectorized(BestOfFour { axes: &axes, x, y, places });
            } else {
                vectorized(Best { axes: &axes, x, y, places });
            }
        });
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Ok((image, axes)) = self.over(&io.shapes[0]) else { return };
        let [down, across] = &axes;
        let Some(dx) = &mut io.input_gradients[0] else { return };
        let (plane, out) = (image.plane(), down.positions * across.positions);
        let (upstream, saved) = (io.upstream, io.saved);
        io.context.team.split_rows(dx, plane, PART.div_ceil(plane), &|first, dx| {
            if self.of_four() {
                let (upstream, places) = (&upstream[first * out..], &saved[first * out..]);
                return vectorized(BackToFour { axes: &axes, upstream, places, dx });
            }
            dx.fill(T::ZERO);
            for (channel, dx) in dx.chunks_exact_mut(plane).enumerate() {
                let start = (first + channel) * out;
                let rows = upstream[start..start + out].chunks_exact(across.positions);
                let places = saved[start..start + out].chunks_exact(across.positions);
                for (i, (g, places)) in rows.zip(places).enumerate() {
                    for (j, (&g, place)) in g.iter().zip(places).enumerate() {
                        let place = place.to_f64() as u32 as usize;
                        let (p, q) = (place / across.kernel, place % across.kernel);
                        if let (Some(y), Some(x)) = (down.element(i, p), across.element(j, q)) {
                            dx[y * across.size + x] += g;
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
                let mut best = f64::NEG_INFINITY;
                for (p, q) in (0..down.kernel).flat_map(|p| (0..across.kernel).map(move |q| (p, q))) {
                    if let (Some(row), Some(column)) = (down.element(i, p), across.element(j, q)) {
                        best = best.max(x[row * across.size + column]);
                    }
                }
                y.push(best);
            }
        }
        y
    }

    fn samples() -> Vec<Sample<Self>> {
        let of = MaxPool::new;
        vec![
            Sample::new(of([2, 2]), 3, [Shape::from([2, 4, 6])]),
            Sample::new(of([2, 2]), 2, [Shape::from([1, 5, 7])]),
            Sample::new(MaxPool { stride: [2, 2], padding: [1, 1], ..of([3, 3]) }, 2, [Shape::from([2, 7, 9])]),
            Sample::new(MaxPool { stride: [1, 1], ..of([3, 2]) }, 2, [Shape::from([2, 5, 5])]),
            Sample::new(MaxPool { stride: [3, 1], padding: [0, 1], ..of([2, 3]) }, 2, [Shape::from([1, 8, 5])]),
            Sample::new(
                MaxPool { stride: [1, 2], dilation: [2, 3], padding: [1, 1], ..of([2, 2]) },
                2,
                [Shape::from([1, 6, 9])],
            ),
            Sample::new(MaxPool { stride: [1, 2], ..of([1, 3]) }, 3, [Shape::from([3, 11])]),
            Sample::new(MaxPool { stride: [1, 1], ..of([1, 2]) }, 2, [Shape::from([1, 150])]),
        ]
    }
}
