//! What the processor can do at most: independent chains in registers.

use super::number::halves;
use super::{Way, step};
use crate::lanes::{Isa, Kernel, vectorized_with};
use std::hint::black_box;

/// Independent chains of [`step`] that never leave the registers, to be timed: the most that a product can reach.
#[derive(Debug)]
pub struct Peak;

/// Vectors of 16 chains: more than latency times throughput of any processor known.
const VECTORS: usize = 24;

struct Chains<'a>(&'a mut [f32; 16 * VECTORS], usize);

impl Kernel for Chains<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, y) = (halves(black_box(0x3f7f_3f7f)), halves(black_box(0x3a80_3a80)));
        for _ in 0..self.1 {
            for chain in self.0.iter_mut() {
                *chain = step(x, y, *chain);
            }
        }
    }
}

impl Peak {
    /// Runs `turns` steps of every chain with the widest instructions that the processor has, whatever `GLASSNET_ISA` says; the floating-point operations that this took (a multiply-add counts as two).
    pub fn run(turns: usize) -> u64 {
        match Way::of(Isa::widest()) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: this way is only chosen where the processor has the instruction.
            Way::Instruction => unsafe { x86::chains(turns) },
            _ => {
                let mut chains = [1.0f32; 16 * VECTORS];
                vectorized_with(Isa::widest(), Chains(&mut chains, turns));
                black_box(&chains);
            }
        }
        4 * 16 * (VECTORS * turns) as u64
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::VECTORS;
    use std::arch::x86_64::*;
    use std::hint::black_box;

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) fn chains(turns: usize) {
        let pairs = |x: i32| {
            let x = _mm512_set1_epi32(black_box(x));
            // SAFETY: both are 512 bits, and any bits are bfloat16 numbers.
            unsafe { std::mem::transmute::<__m512i, __m512bh>(x) }
        };
        let (x, y) = (pairs(0x3f7f_3f7f), pairs(0x3a80_3a80));
        let mut chains = [_mm512_set1_ps(1.0); VECTORS];
        for _ in 0..turns {
            for chain in &mut chains {
                *chain = _mm512_dpbf16_ps(*chain, x, y);
            }
        }
        black_box(&chains);
    }
}
