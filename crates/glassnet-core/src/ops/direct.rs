//! The product with patches where a group has few output channels (depthwise convolutions): to make a panel would cost more than
//! the product, so each row of positions is computed where the framed image lies. The same chains, so the same bytes.

use glassnet_kernels::{Kernel, vectorized};

use super::patches::Patches;
use crate::Real;

/// With fewer output channels in a group than this, this way is the faster one.
pub(super) const FEW: usize = 4;

/// Positions whose chains run side by side.
const WIDE: usize = 32;

struct Rows<'a, 'b, T> {
    patches: &'a Patches<'b, T>,
    first: usize,
    weight: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> Rows<'_, '_, T> {
    /// `y` from the chains of positions that begin at `from` in the framed image, for the tap at 0.
    #[inline(always)]
    fn chains<const W: usize>(&self, weight: &[T], from: usize, y: &mut [T]) {
        let patches = self.patches;
        let [down, across] = patches.taps;
        let (deal, dealt) = (patches.frame.deal as isize, patches.frame.dealt() as isize);
        let row_len = patches.frame.row_len() as isize;
        let mut chains = [T::ZERO; W];
        for (channel, kernel) in weight.chunks_exact((down * across).max(1)).enumerate() {
            let channel = from + channel * patches.frame.plane();
            for (tap, &w) in kernel.iter().enumerate() {
                let (i, j) = (tap / across, tap % across);
                let (up, x) = (i as isize * patches.tap_step[0], j as isize * patches.tap_step[1]);
                let x = if deal == 1 { x } else { x % deal * dealt + x / deal };
                let at = channel.wrapping_add_signed(up * row_len + x);
                if let Some(x) = patches.images.get(at..at + W) {
                    for (chain, &x) in chains.iter_mut().zip(x) {
                        *chain = w.mul_add(x, *chain);
                    }
                } else {
                    for (chain, &x) in chains.iter_mut().zip(&patches.images[at..at + y.len()]) {
                        *chain = w.mul_add(x, *chain);
                    }
                }
            }
        }
        y.copy_from_slice(&chains[..y.len()]);
    }
}

impl<T: Real> Kernel for Rows<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let patches = self.patches;
        let [down, across] = patches.positions;
        let depth = patches.channels * patches.taps[0] * patches.taps[1];
        let step = patches.row_step * patches.frame.row_len();
        let y = std::mem::take(&mut self.y);
        for (output, y) in y.chunks_exact_mut(down * across).enumerate() {
            let weight = &self.weight[output * depth..][..depth];
            for (i, y) in y.chunks_exact_mut(across).enumerate() {
                for (piece, y) in y.chunks_mut(WIDE).enumerate() {
                    let from = self.first + i * step + piece * WIDE;
                    if y.len() > WIDE / 2 {
                        self.chains::<WIDE>(weight, from, y);
                    } else {
                        self.chains::<{ WIDE / 2 }>(weight, from, y);
                    }
                }
            }
        }
    }
}

/// `y[channels, positions] = weight[channels, K] patches[K, positions]` for group `group` of the first term.
pub(super) fn product<T: Real>(weight: &[T], patches: &Patches<'_, T>, group: usize, y: &mut [T]) {
    let first = group * patches.channels * patches.frame.plane() + patches.origin;
    vectorized(Rows { patches, first, weight, y });
}
