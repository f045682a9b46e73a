//! Sums over examples and positions, one a channel: the statistics of batch norm and the gradients of factors and addends
//! that stand for a channel.
//!
//! Values are `[B, C, positions]`. A channel's numbers are added in (example, position) order, in blocks of 1,024, one
//! chain a block, blocks in order. The chains of neighbouring channels run side by side, so the order costs little.

use glassnet_kernels::product::BLOCK;
use glassnet_kernels::{Kernel, vectorized};

use super::row_norm::PART;
use crate::shape::Shape;
use crate::{Real, Team};

/// Channels whose chains run side by side.
const TILE: usize = 16;

/// Positions that one channel takes at a time.
const STRETCH: usize = 8;

/// How a batch of `[B, channels, positions]` lies in memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Channels of a row.
    pub channels: usize,
    /// Positions of a channel.
    pub positions: usize,
}

impl Layout {
    /// Channels first: `[C]`, `[C, L]`, `[C, H, W]`.
    pub fn of(shape: &Shape) -> Self {
        let channels = shape.0.first().copied().unwrap_or(1).max(1);
        Layout { channels, positions: (shape.len() / channels).max(1) }
    }

    /// Numbers of a row.
    pub fn width(self) -> usize {
        self.channels * self.positions
    }
}

/// What is added for each number.
pub(crate) trait Term<T>: Copy + Sync {
    /// What belongs to a channel of an example: a mean and a factor.
    fn about(&self, example: usize, channel: usize) -> (T, T);
    /// The chain with the number x, and the number g that stands in its place in the second array.
    fn add(&self, chain: T, x: T, g: T, about: (T, T)) -> T;
}

/// `sum x`.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl<T: Real> Term<T> for Plain {
    #[inline(always)]
    fn about(&self, _example: usize, _channel: usize) -> (T, T) {
        (T::ZERO, T::ONE)
    }

    #[inline(always)]
    fn add(&self, chain: T, x: T, _g: T, _about: (T, T)) -> T {
        chain + x
    }
}

/// `sum (x - mean)^2`.
#[derive(Clone, Copy)]
pub(crate) struct Squares<'a, T> {
    /// One mean a channel.
    pub means: &'a [T],
}

impl<T: Real> Term<T> for Squares<'_, T> {
    #[inline(always)]
    fn about(&self, _example: usize, channel: usize) -> (T, T) {
        (self.means[channel], T::ONE)
    }

    #[inline(always)]
    fn add(&self, chain: T, x: T, _g: T, about: (T, T)) -> T {
        let apart = x - about.0;
        apart.mul_add(apart, chain)
    }
}

/// `sum g (x - mean)`.
#[derive(Clone, Copy)]
pub(crate) struct Along<'a, T> {
    /// One mean a channel.
    pub means: &'a [T],
}

impl<T: Real> Term<T> for Along<'_, T> {
    #[inline(always)]
    fn about(&self, _example: usize, channel: usize) -> (T, T) {
        (self.means[channel], T::ONE)
    }

    #[inline(always)]
    fn add(&self, chain: T, x: T, g: T, about: (T, T)) -> T {
        g.mul_add(x - about.0, chain)
    }
}

/// `sum g (x - mean) inverse`, with mean and inverse of the channel's group in the example.
#[derive(Clone, Copy)]
pub(crate) struct AlongGroups<'a, T> {
    /// Mean and inverse deviation, two numbers a group, examples first.
    pub moments: &'a [T],
    /// Groups of an example.
    pub groups: usize,
    /// Channels of a group.
    pub channels: usize,
}

impl<T: Real> Term<T> for AlongGroups<'_, T> {
    #[inline(always)]
    fn about(&self, example: usize, channel: usize) -> (T, T) {
        let at = 2 * (example * self.groups + channel / self.channels);
        (self.moments[at], self.moments[at + 1])
    }

    #[inline(always)]
    fn add(&self, chain: T, x: T, g: T, about: (T, T)) -> T {
        g.mul_add((x - about.0) * about.1, chain)
    }
}

/// What is read.
#[derive(Clone, Copy)]
struct Numbers<'a, T, F> {
    layout: Layout,
    x: &'a [T],
    g: &'a [T],
    term: F,
}

struct Sums<'a, T, F> {
    of: Numbers<'a, T, F>,
    first: usize,
    sums: &'a mut [T],
}

impl<T: Real, F: Term<T>> Kernel for Sums<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let of = self.of;
        let Layout { channels, positions } = of.layout;
        let total = of.x.len() / channels;
        for (tile, sums) in self.sums.chunks_mut(TILE).enumerate() {
            let channel = self.first + tile * TILE;
            for block in (0..total).step_by(BLOCK) {
                let end = (block + BLOCK).min(total);
                let mut chains = [T::ZERO; TILE];
                let mut at = block;
                while at < end {
                    let (example, position) = (at / positions, at % positions);
                    let count = (positions - position).min(end - at);
                    let start = example * channels * positions + channel * positions + position;
                    if positions == 1 {
                        of.one_position(example, channel, start, sums.len(), &mut chains);
                    } else {
                        of.stretch(example, channel, start, count, &mut chains[..sums.len()]);
                    }
                    at += count;
                }
                for (sum, &chain) in sums.iter_mut().zip(&chains) {
                    *sum += chain;
                }
            }
        }
    }
}

impl<T: Real, F: Term<T>> Numbers<'_, T, F> {
    /// One number of each channel, which stand side by side.
    #[inline(always)]
    fn one_position(&self, example: usize, channel: usize, start: usize, count: usize, chains: &mut [T; TILE]) {
        let (x, g) = (&self.x[start..], &self.g[start..]);
        match (x.first_chunk::<TILE>(), g.first_chunk::<TILE>(), count == TILE) {
            (Some(x), Some(g), true) => {
                for j in 0..TILE {
                    chains[j] = self.term.add(chains[j], x[j], g[j], self.term.about(example, channel + j));
                }
            }
            _ => {
                for (j, ((chain, &x), &g)) in chains.iter_mut().zip(x).zip(g).take(count).enumerate() {
                    *chain = self.term.add(*chain, x, g, self.term.about(example, channel + j));
                }
            }
        }
    }

    /// `count` numbers of each channel: a few of one, then of the next, so that their chains run at the same time.
    #[inline(always)]
    fn stretch(&self, example: usize, channel: usize, start: usize, count: usize, chains: &mut [T]) {
        let positions = self.layout.positions;
        for from in (0..count).step_by(STRETCH) {
            let len = STRETCH.min(count - from);
            for (j, chain) in chains.iter_mut().enumerate() {
                let about = self.term.about(example, channel + j);
                let at = start + j * positions + from;
                let (x, g) = (&self.x[at..][..len], &self.g[at..][..len]);
                let mut sum = *chain;
                match (x.first_chunk::<STRETCH>(), g.first_chunk::<STRETCH>()) {
                    (Some(x), Some(g)) => {
                        for i in 0..STRETCH {
                            sum = self.term.add(sum, x[i], g[i], about);
                        }
                    }
                    _ => {
                        for (&x, &g) in x.iter().zip(g) {
                            sum = self.term.add(sum, x, g, about);
                        }
                    }
                }
                *chain = sum;
            }
        }
    }
}

/// Adds to `sums`, one number a channel, the sum of `term` over all examples and positions of x and g (x again where the
/// term reads one array).
pub(crate) fn channel_sums<T: Real, F: Term<T>>(
    team: &Team,
    layout: Layout,
    x: &[T],
    g: &[T],
    term: F,
    sums: &mut [T],
) {
    let each = (x.len() / layout.channels).max(1);
    team.split_rows(sums, 1, PART.div_ceil(each).max(TILE / 2), &|first, sums| {
        vectorized(Sums { of: Numbers { layout, x, g, term }, first, sums });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition in plain loops.
    fn plainly(layout: Layout, x: &[f32], means: &[f32]) -> Vec<f32> {
        let each = x.len() / layout.channels;
        let one = |channel: usize| {
            let value = |at: usize| {
                x[at / layout.positions * layout.width() + channel * layout.positions + at % layout.positions]
            };
            (0..each).step_by(BLOCK).fold(0.0, |sum, block| {
                let chain = (block..(block + BLOCK).min(each)).fold(0.0_f32, |chain, at| {
                    let apart = value(at) - means[channel];
                    apart.mul_add(apart, chain)
                });
                sum + chain
            })
        };
        (0..layout.channels).map(one).collect()
    }

    #[test]
    fn chains_side_by_side_have_the_bytes_of_one_after_the_other() {
        for (rows, channels, positions) in
            [(1, 1, 1), (1100, 3, 1), (2100, 35, 1), (3, 5, 7), (7, 21, 333), (3, 2, 1500)]
        {
            let layout = Layout { channels, positions };
            let x: Vec<f32> = (0..rows * layout.width()).map(|i| (i as f32 * 0.37).sqrt() % 1.0 - 0.4).collect();
            let means: Vec<f32> = (0..channels).map(|c| c as f32 * 0.01).collect();
            for team in [Team::single(), Team::new(3)] {
                let mut sums = vec![0.0; channels];
                channel_sums(&team, layout, &x, &x, Squares { means: &means }, &mut sums);
                assert_eq!(sums, plainly(layout, &x, &means), "{rows} x {channels} x {positions}");
            }
        }
    }
}
