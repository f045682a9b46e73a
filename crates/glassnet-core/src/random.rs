//! Randomness as a function: of (seed, purpose, epoch, place), by the counter-based generator Philox4x32-10.
//!
//! Nothing is saved and nothing is raced for: the same draw has the same place under accumulation, recomputation and
//! any number of threads. Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011);
//! tested against Random123's known answers.

use glassnet_kernels::{Kernel, Real, vectorized};

/// What a draw is for; each purpose is a stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Initial weights.
    Init = 1,
    /// Order of the rows in an epoch.
    Shuffle = 2,
    /// Dropout masks.
    Dropout = 3,
    /// Training and validation parts.
    Split = 4,
    /// Which parameters or rows an inspector samples.
    Inspect = 5,
    /// Data made up for tests, benchmarks and examples.
    Synthetic = 6,
    /// Flips, shifts and cut-outs of training images.
    Augment = 7,
    /// Which token a text goes on with.
    Sample = 8,
}

/// A stream of draws: place `i` of stream `(seed, purpose, stream, epoch)` is always the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws {
    key: [u32; 2],
    purpose: u32,
    epoch: u32,
}

impl Draws {
    /// The stream of a purpose. `stream` keeps users of one purpose apart (a slot's number, a layer's number).
    pub fn new(seed: u64, purpose: Purpose, stream: u32, epoch: u32) -> Self {
        // Philox's counter has 128 bits: 64 for the place, 32 for the epoch, 32 for purpose (8 bits) and stream (24 bits).
        Draws {
            key: [seed as u32, (seed >> 32) as u32],
            purpose: (purpose as u32) << 24 | (stream & 0x00ff_ffff),
            epoch,
        }
    }

    /// Four 32-bit words of block `block`.
    #[inline]
    pub fn block(&self, block: u64) -> [u32; 4] {
        philox4x32_10([block as u32, (block >> 32) as u32, self.epoch, self.purpose], self.key)
    }

    /// 32 bits at place `place`.
    #[inline]
    pub fn bits(&self, place: u64) -> u32 {
        self.block(place / 4)[(place % 4) as usize]
    }

    /// Uniform in [0, 1), 32 bits of resolution, at place `place`.
    #[inline]
    pub fn uniform(&self, place: u64) -> f64 {
        f64::from(self.bits(place)) / 4_294_967_296.0
    }

    /// Standard normal at place `place` (Box-Muller on a block of its own half).
    pub fn normal(&self, place: u64) -> f64 {
        let words = self.block(place / 2);
        let pair = if place.is_multiple_of(2) { [words[0], words[1]] } else { [words[2], words[3]] };
        let u = (f64::from(pair[0]) + 1.0) / 4_294_967_297.0;
        let angle = f64::from(pair[1]) / 4_294_967_296.0 * std::f64::consts::TAU;
        Real::sqrt(-2.0 * Real::ln(u)) * Real::cos(angle)
    }

    /// An unbiased whole number in [0, bound) from 64 bits at place `place`.
    pub fn below(&self, place: u64, bound: u64) -> u64 {
        let words = self.block(place);
        let wide = u64::from(words[0]) << 32 | u64::from(words[1]);
        // Multiply-shift; the bias is below bound / 2^64.
        ((u128::from(wide) * u128::from(bound)) >> 64) as u64
    }

    /// Puts `items` in the order that this stream says (Fisher-Yates): from the last place i down, the item there changes
    /// places with that at [`Draws::below`] `(i, i + 1)`.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        let mut last = items.len();
        while last > 1 {
            // The draws of sixteen places at once: they do not depend on one another.
            let first = last.saturating_sub(DRAWN).max(1);
            let words = vectorized(Sixteen { draws: self, first: first as u64 });
            for i in (first..last).rev() {
                let wide = words[i - first];
                let j = ((u128::from(wide) * (i as u128 + 1)) >> 64) as usize;
                items.swap(i, j);
            }
            last = first;
        }
    }
}

/// Draws that are made at once.
pub(crate) const DRAWN: usize = 16;

/// The lower word of a lane.
const LOW: u64 = 0xffff_ffff;

/// The first two words of blocks `first..first + 16`, as one number each.
struct Sixteen<'a> {
    draws: &'a Draws,
    first: u64,
}

impl Kernel for Sixteen<'_> {
    type Output = [u64; DRAWN];

    #[inline(always)]
    fn run(self) -> [u64; DRAWN] {
        let [high, low, ..] = self.draws.lanes(self.first);
        std::array::from_fn(|lane| high[lane] << 32 | low[lane] & LOW)
    }
}

impl Draws {
    /// [`Draws::block`] of `first..first + 16` at once: word, then block, each in the lower 32 bits of its lane; what stands above them
    /// means nothing. To be inlined into a [`Kernel`].
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "a lane is a place in several arrays")]
    pub(crate) fn lanes(&self, first: u64) -> [[u64; DRAWN]; 4] {
        let Draws { mut key, purpose, epoch } = *self;
        // Words of 32 bits in lanes of 64; what stands above them is never read.
        let mut counter = [[0u64; DRAWN], [0; DRAWN], [u64::from(epoch); DRAWN], [u64::from(purpose); DRAWN]];
        for lane in 0..DRAWN {
            let block = first.wrapping_add(lane as u64);
            counter[0][lane] = block;
            counter[1][lane] = block >> 32;
        }
        for _ in 0..10 {
            let mut next = [[0u64; DRAWN]; 4];
            let (first, second) = (u64::from(key[0]), u64::from(key[1]));
            for lane in 0..DRAWN {
                let a = (counter[0][lane] & LOW) * 0xD251_1F53;
                let b = (counter[2][lane] & LOW) * 0xCD9E_8D57;
                next[0][lane] = (b >> 32) ^ counter[1][lane] ^ first;
                next[1][lane] = b;
                next[2][lane] = (a >> 32) ^ counter[3][lane] ^ second;
                next[3][lane] = a;
            }
            counter = next;
            key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
        }
        counter
    }
}

/// Philox4x32 with ten rounds.
#[inline]
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let a = u64::from(counter[0]) * 0xD251_1F53;
        let b = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [(b >> 32) as u32 ^ counter[1] ^ key[0], b as u32, (a >> 32) as u32 ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123 (kat_vectors, philox4x32 10).
    #[test]
    fn philox_known_answers() {
        assert_eq!(philox4x32_10([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox4x32_10([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox4x32_10([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn sixteen_blocks_at_once_are_those_blocks() {
        for first in [0, 5, u64::from(u32::MAX) - 7, u64::MAX - 20] {
            let draws = Draws::new(0x1234_5678_9abc_def0, Purpose::Dropout, 77, 3);
            let lanes = draws.lanes(first);
            let [a, b, c, d] = lanes.map(|lane| lane.map(|word| word as u32));
            for (lane, (((&a, &b), &c), &d)) in a.iter().zip(&b).zip(&c).zip(&d).enumerate() {
                assert_eq!(draws.block(first + lane as u64), [a, b, c, d]);
            }
        }
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_depends_on_the_epoch() {
        let mut a: Vec<u32> = (0..1000).collect();
        let mut b = a.clone();
        Draws::new(7, Purpose::Shuffle, 0, 0).shuffle(&mut a);
        Draws::new(7, Purpose::Shuffle, 0, 1).shuffle(&mut b);
        assert_ne!(a, b);
        a.sort_unstable();
        assert!(a.iter().enumerate().all(|(i, &x)| i == x as usize));
    }

    #[test]
    fn a_shuffle_takes_one_draw_a_place() {
        for (n, seed) in [(0, 1), (1, 2), (2, 3), (16, 4), (17, 5), (18, 6), (33, 7), (1000, 1 << 40)] {
            let draws = Draws::new(seed, Purpose::Shuffle, 3, 9);
            let mut fast: Vec<usize> = (0..n).collect();
            draws.shuffle(&mut fast);
            let mut slow: Vec<usize> = (0..n).collect();
            for i in (1..n).rev() {
                slow.swap(i, draws.below(i as u64, i as u64 + 1) as usize);
            }
            assert_eq!(fast, slow, "{n}");
        }
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let draws = Draws::new(1, Purpose::Init, 3, 0);
        let n = 100_000;
        let mean = (0..n).map(|i| draws.normal(i)).sum::<f64>() / n as f64;
        let variance = (0..n).map(|i| draws.normal(i).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }
}
