//! The number format and the one step that every chain is made of.

/// The sixteen bits of the bfloat16 number nearest to `x`, ties to even. What is below the normal numbers becomes zero of
/// its sign, what is beyond the largest becomes infinite, a NaN stays one. The same as VCVTNEPS2BF16 (all 2^32 f32 were
/// compared, NaNs by being one).
#[inline(always)]
pub(super) fn bits(x: f32) -> u32 {
    let b = x.to_bits();
    let magnitude = b & 0x7fff_ffff;
    let rounded = b.wrapping_add(0x7fff + ((b >> 16) & 1)) >> 16;
    let zero = (b >> 16) & 0x8000;
    let quiet = (b >> 16) | 0x40;
    let finite = if magnitude < 0x0080_0000 { zero } else { rounded };
    if magnitude > 0x7f80_0000 { quiet } else { finite }
}

/// `x` as bfloat16, as an f32: 8 significant bits, rounded to nearest even; zero where `x` is below the normal numbers.
#[inline(always)]
pub fn round(x: f32) -> f32 {
    f32::from_bits(bits(x) << 16)
}

/// Two elements of k side by side, the even one in the low half.
#[inline(always)]
pub(super) fn pair(even: f32, odd: f32) -> u32 {
    bits(even) | (bits(odd) << 16)
}

/// The elements of a pair.
#[inline(always)]
pub(super) fn halves(pair: u32) -> (f32, f32) {
    (f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000))
}

/// Takes exponents out of the reach of denormals.
const SCALE: f32 = 18_446_744_073_709_551_616.0;

/// `a b + c` for a and b that are bfloat16 and no denormal; zero of its sign where the result, rounded to 24 bits as if
/// exponents had no end, is below the normal numbers.
#[inline(always)]
fn flushed(a: f32, b: f32, c: f32) -> f32 {
    let sum = a.mul_add(b, c);
    // A sum just below the least normal number may be rounded up to it where the ulp is that of denormals, and not where
    // it is half as large. Scaled by 2^64 the same sum is far from there. (Only looked at where |sum| is tiny: then a b
    // and c are small too, or cancel exactly.)
    let scaled = (a * SCALE).mul_add(b, c * SCALE);
    let tiny = (sum.abs() <= f32::MIN_POSITIVE) & (scaled.abs() < f32::MIN_POSITIVE * SCALE);
    if tiny { 0.0f32.copysign(sum) } else { sum }
}

/// One step of a chain: `sum + a1 b1`, then `+ a0 b0`, for pairs (a0, a1) and (b0, b1) that were rounded by [`round`].
/// Each is a fused multiply-add, rounded to nearest even, flushed to zero where it is below the normal numbers.
/// VDPBF16PS by definition, which the tests check.
#[inline(always)]
pub fn step(a: (f32, f32), b: (f32, f32), sum: f32) -> f32 {
    flushed(a.0, b.0, flushed(a.1, b.1, sum))
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::{bits, halves, step};
    use std::arch::x86_64::*;

    struct Draws(u64);

    impl Draws {
        fn next(&mut self) -> u32 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
        }

        /// Two bfloat16 numbers and a sum of one of four kinds: any bits; sums and products of exponents that meet just
        /// above the denormals; the same with few bits, where ties are; exponents near 1.
        fn case(&mut self, kind: u32) -> (u32, u32, u32) {
            let (x, y, sum) = (self.next(), self.next(), self.next());
            let exponents = |x: u32, low: u32, high: u32| (x & 0x807f_807f) | (low << 7) | (high << 23);
            match kind {
                0 => (x, y, sum),
                1 => {
                    let e = 1 + self.next() % 126;
                    (exponents(x, e, e + 1), exponents(y, 127 - e, 126 - e + 1), (sum & 0x80ff_ffff) | 0x0080_0000)
                }
                2 => {
                    let e = 60 + self.next() % 40;
                    let other = (104 + self.next() % 60).saturating_sub(e).min(254);
                    let x = (x & 0x807f_0000) | (e << 23) | ((self.next() & 1) * (x & 0xffff));
                    let y = (y & 0x807f_0000) | (other << 23) | ((self.next() & 1) * (y & 0xffff));
                    (x, y, (sum & 0x8000_0000) | 0x0080_0000 | (self.next() % 4))
                }
                _ => (
                    (x & 0x8fff_8fff) | 0x3000_3000,
                    (y & 0x8fff_8fff) | 0x3000_3000,
                    (sum & 0x8fff_ffff) | 0x3000_0000,
                ),
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn by_instruction(x: [u32; 16], y: [u32; 16], sum: [f32; 16]) -> [f32; 16] {
        // SAFETY: all are 512 bits, any of which are numbers.
        unsafe {
            let (x, y) = (std::mem::transmute::<[u32; 16], __m512bh>(x), std::mem::transmute::<[u32; 16], __m512bh>(y));
            let sum = std::mem::transmute::<[f32; 16], __m512>(sum);
            std::mem::transmute::<__m512, [f32; 16]>(_mm512_dpbf16_ps(sum, x, y))
        }
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    fn rounded_by_instruction(x: [f32; 16]) -> [u16; 16] {
        // SAFETY: the sizes agree, and any bits are numbers.
        unsafe {
            let x = std::mem::transmute::<[f32; 16], __m512>(x);
            std::mem::transmute::<__m256bh, [u16; 16]>(_mm512_cvtneps_pbh(x))
        }
    }

    #[test]
    fn a_step_is_vdpbf16ps() {
        if !crate::half::has_instruction() {
            println!("skipped: this processor has no AVX512-BF16, so there is nothing to compare with");
            return;
        }
        let mut draws = Draws(0x1234_5678_9abc_def1);
        let mut at_the_edge = 0;
        for turn in 0..250_000u32 {
            let (mut x, mut y, mut sum) = ([0; 16], [0; 16], [0.0f32; 16]);
            for lane in 0..16 {
                let (a, b, c) = draws.case(turn % 4);
                // What is below the normal numbers never gets there: operands are rounded, sums are flushed.
                let normal = |x: u32| if x & 0x7f80_0000 == 0 { x & 0x8000_0000 } else { x };
                let pair = |x: u32| normal(x & 0xffff_0000) | (normal(x << 16) >> 16);
                (x[lane], y[lane], sum[lane]) = (pair(a), pair(b), f32::from_bits(normal(c)));
            }
            // SAFETY: the processor has the instruction.
            let expected = unsafe { by_instruction(x, y, sum) };
            for lane in 0..16 {
                let (a, b) = (halves(x[lane]), halves(y[lane]));
                let found = step(a, b, sum[lane]);
                let same = found.to_bits() == expected[lane].to_bits() || (found.is_nan() && expected[lane].is_nan());
                assert!(same, "{:08x} {:08x} {:e}: {found:e}, but {:e}", x[lane], y[lane], sum[lane], expected[lane]);
                // Cases that decide whether the flush looks at the right exponent.
                let plain = a.1.mul_add(b.1, sum[lane]);
                at_the_edge += u32::from(plain.abs() == f32::MIN_POSITIVE);
            }
        }
        assert!(at_the_edge > 1000, "{at_the_edge}");
    }

    #[test]
    fn rounding_is_vcvtneps2bf16() {
        if !crate::half::has_instruction() {
            println!("skipped: this processor has no AVX512-BF16, so there is nothing to compare with");
            return;
        }
        // Every upper half, with lower halves around the ties.
        for high in 0..=u16::MAX {
            let lows = [
                0, 1, 2, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0x8002, 0xfffe, 0xffff, 3, 0x1234, 0x4321, 0x5a5a, 0xa5a5,
                0xc000,
            ];
            let x: [f32; 16] = lows.map(|low| f32::from_bits(u32::from(high) << 16 | low));
            // SAFETY: the processor has the instruction.
            let expected = unsafe { rounded_by_instruction(x) };
            for (&x, expected) in x.iter().zip(expected) {
                let found = bits(x);
                let nan = |b: u32| b & 0x7fff > 0x7f80;
                assert!(found == u32::from(expected) || (nan(found) && nan(u32::from(expected))), "{x:e}");
            }
        }
    }
}
