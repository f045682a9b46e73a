//! The fused multiply-add of f32 where the processor has none, inline: exact in f64.

use crate::Real;

/// `a b + c` with one rounding, whatever the processor has: two roundings, which are as good as one unless the first comes to lie
/// in the middle between two f32, or below f32's normal numbers. For loops that are not vectorised.
#[inline(always)]
pub(crate) fn fused_in_f64(a: f32, b: f32, c: f32) -> f32 {
    let (product, addend) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = product + addend;
    let bits = sum.to_bits();
    let middle = bits & 0x1fff_ffff == 0x1000_0000;
    // Without its sign, and 0 as the largest of all.
    let small = (bits << 1).wrapping_sub(1) < (SMALL << 1) - 1;
    if middle | small { once(product, addend) } else { sum as f32 }
}

/// The bits of 2^-126, f32's least normal number, as f64.
const SMALL: u64 = 0x3810_0000_0000_0000;

/// The sum of two numbers with one rounding to f32.
#[cold]
#[inline(never)]
fn once(product: f64, addend: f64) -> f32 {
    rounded_to_odd(product, addend) as f32
}

/// `a b + c` with one rounding: [`Real::mul_add`], the same bytes, without a call of the system's function where f64 will do.
#[inline(always)]
pub(super) fn fused<T: Real>(a: T, b: T, c: T) -> T {
    if cfg!(any(target_arch = "aarch64", target_arch = "wasm32", target_feature = "fma")) || T::BYTES != 4 {
        return a.mul_add(b, c);
    }
    T::from_f64(rounded_to_odd(a.to_f64() * b.to_f64(), c.to_f64()))
}

/// The sum of two numbers, rounded to odd: towards 0, and the last bit set where anything is lost. The product of two f32 is
/// exact in f64, and a sum so rounded still knows on which side of any f32, and of the middle between two, it was: rounding
/// it to f32 gives what one rounding of the exact sum gives (Boldo & Melquiond 2008).
#[inline(always)]
fn rounded_to_odd(product: f64, addend: f64) -> f64 {
    let sum = product + addend;
    // What the sum lost, exactly (Knuth's TwoSum); NaN where the sum is not finite.
    let taken = sum - product;
    let lost = (product - (sum - taken)) + (addend - taken);
    let bits = sum.to_bits();
    let inexact = u64::from(lost.abs() > 0.0);
    let inwards = (lost.to_bits() ^ bits) >> 63;
    f64::from_bits(bits.wrapping_sub(inexact & inwards) | inexact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_below_the_normal_numbers_is_rounded_once() {
        // c and half of its last place, less a bit that f64 loses: one rounding gives c, two go up to the even neighbour.
        let (a, b) = ((1.0 + f32::EPSILON) * 2f32.powi(-75), (1.0 - f32::EPSILON) * 2f32.powi(-75));
        let c = 2f32.powi(-127) + f32::from_bits(1);
        let twice = (f64::from(a) * f64::from(b) + f64::from(c)) as f32;
        assert_eq!(twice.to_bits(), c.to_bits() + 1);
        assert_eq!(fused_in_f64(a, b, c).to_bits(), c.to_bits());
        assert_eq!(fused(a, b, c).to_bits(), c.to_bits());
        assert_eq!(fused_in_f64(-a, b, -c).to_bits(), (-c).to_bits());
    }

    #[test]
    fn a_sum_in_double_precision_is_the_fused_multiply_add() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        let (mut ties, mut denormal) = (0, 0);
        for turn in 0..2_000_000 {
            let (mut a, mut b) = (f32::from_bits(next()), f32::from_bits(next()));
            let mut c = f32::from_bits(next());
            match turn % 4 {
                // The addend near the product, or just at the edge of what it can change.
                0 => c = -(a * b) * (1.0 + (next() % 5) as f32 * f32::EPSILON),
                1 => c = a * b * 2f32.powi(next() as i32 % 52 - 26),
                // A product in the middle between two numbers, and so little beside it that a sum in f64 loses it.
                2 => {
                    a = 1.0 + (2 * (next() % 32) + 1) as f32 / 4096.0;
                    b = 1.0 + (2 * (next() % 32) + 1) as f32 / 4096.0;
                    c = 2f32.powi(-60 - (next() % 60) as i32) * if next() % 2 == 0 { 1.0 } else { -1.0 };
                }
                _ => {}
            }
            let expected = a.mul_add(b, c);
            let got = rounded_to_odd(f64::from(a) * f64::from(b), f64::from(c)) as f32;
            let other = fused_in_f64(a, b, c);
            for got in [got, other] {
                assert!(
                    got.to_bits() == expected.to_bits() || (got.is_nan() && expected.is_nan()),
                    "{a:e} {b:e} {c:e}"
                );
            }
            let plain = (f64::from(a) * f64::from(b) + f64::from(c)) as f32;
            ties += usize::from(plain.to_bits() != expected.to_bits() && !expected.is_nan());
            denormal += usize::from(expected.is_subnormal());
        }
        assert!(ties > 1000 && denormal > 1000, "{ties} sums that two roundings get wrong, {denormal} denormal");
    }
}
