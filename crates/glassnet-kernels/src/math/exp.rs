//! e^x and e^x - 1.
//!
//! x = n ln 2 + r with |r| <= ln 2 / 2 (ln 2 in two parts, the first short enough that n times it is exact);
//! e^r - 1 = r + r^2 g(r) with a polynomial g; e^x = 2^n (1 + (e^r - 1)). Adding 1.5 * 2^52 rounds to an integer and
//! leaves it in the low bits, where a shift turns it into the exponent of 2^n.

/// Adding it rounds an f64 to the nearest integer and leaves that in the low bits.
pub(crate) const MAGIC64: f64 = 6_755_399_441_055_744.0;
const LN2_HIGH64: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW64: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// The same for f32: 1.5 * 2^23.
const MAGIC32: f32 = 12_582_912.0;
const LN2_HIGH32: f32 = f32::from_bits(0x3f31_8000);
const LN2_LOW32: f32 = -2.121_944_4e-4;

/// `x + tail` as (e^r - 1, n); `tail` is far smaller than x's last place times 2^10.
#[inline(always)]
fn reduced64(x: f64, tail: f64) -> (f64, f64) {
    let n = x.mul_add(std::f64::consts::LOG2_E, MAGIC64) - MAGIC64;
    let r = n.mul_add(-LN2_LOW64, n.mul_add(-LN2_HIGH64, x) + tail);
    let g = poly!(r; 0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883878, 0.00019841269874815834, 2.4801587325298217e-05, 2.7557255406285044e-06, 2.7557273852312544e-07, 2.5105214474751413e-08, 2.091462315017499e-09);
    ((r * r).mul_add(g, r), n)
}

#[inline(always)]
fn reduced32(x: f32) -> (f32, f32) {
    let n = x.mul_add(std::f32::consts::LOG2_E, MAGIC32) - MAGIC32;
    let r = n.mul_add(-LN2_LOW32, n.mul_add(-LN2_HIGH32, x));
    let g = poly!(r; 0.5, 0.16666667, 0.041666467, 0.0083333105, 0.0013933647, 0.00019890988);
    ((r * r).mul_add(g, r), n)
}

/// 2^n for an integer n in [-1023, 1024]: 0 and infinity at the ends.
#[inline(always)]
fn power_of_two64(n: f64) -> f64 {
    f64::from_bits((n + MAGIC64).to_bits().wrapping_add(1023) << 52)
}

/// 2^n for an integer n in [-127, 128]: 0 and infinity at the ends.
#[inline(always)]
fn power_of_two32(n: f32) -> f32 {
    f32::from_bits((n + MAGIC32).to_bits().wrapping_add(127) << 23)
}

/// e^(x + tail); error below 1.1 ulp.
#[inline(always)]
pub(crate) fn exp_with_tail64(x: f64, tail: f64) -> f64 {
    let c = if x > 710.0 { 710.0 } else { x };
    let c = if c < -746.0 { -746.0 } else { c };
    let (p, n) = reduced64(c, tail);
    // 2^n in two halves, so that a denormal or nearly infinite result needs no special case.
    let half = n.mul_add(0.5, MAGIC64) - MAGIC64;
    (1.0 + p) * power_of_two64(half) * power_of_two64(n - half)
}

/// e^x; error below 1.1 ulp (1.6 ulp where the result is denormal).
#[inline(always)]
pub(crate) fn exp64(x: f64) -> f64 {
    exp_with_tail64(x, 0.0)
}

/// e^x; error below 1.1 ulp (1.6 ulp where the result is denormal).
#[inline(always)]
pub(crate) fn exp32(x: f32) -> f32 {
    let c = if x > 89.0 { 89.0 } else { x };
    let c = if c < -105.0 { -105.0 } else { c };
    let (p, n) = reduced32(c);
    let half = n.mul_add(0.5, MAGIC32) - MAGIC32;
    (1.0 + p) * power_of_two32(half) * power_of_two32(n - half)
}

/// e^x for x in [-700, 700] or NaN: one scaling instead of two.
#[inline(always)]
pub(crate) fn exp_inside64(x: f64) -> f64 {
    let (p, n) = reduced64(x, 0.0);
    (1.0 + p) * power_of_two64(n)
}

/// e^x for x in [-87, 88] or NaN: one scaling instead of two.
#[inline(always)]
pub(crate) fn exp_inside32(x: f32) -> f32 {
    let (p, n) = reduced32(x);
    (1.0 + p) * power_of_two32(n)
}

/// e^x - 1; error below 2 ulp (largest found: 1.7).
#[inline(always)]
pub(crate) fn exp_m1_64(x: f64) -> f64 {
    let c = if x > 710.0 { 710.0 } else { x };
    let c = if c < -40.0 { -40.0 } else { c };
    let (p, n) = reduced64(c, 0.0);
    // 2^n p + (2^n - 1), at half size so that 2^1024 is never needed.
    let half = power_of_two64(n - 1.0);
    let y = 2.0 * half.mul_add(p, half - 0.5);
    let y = if n == 0.0 { p } else { y };
    if x == 0.0 { x } else { y }
}

/// e^x - 1; error below 2 ulp (largest found: 1.7).
#[inline(always)]
pub(crate) fn exp_m1_32(x: f32) -> f32 {
    let c = if x > 89.0 { 89.0 } else { x };
    let c = if c < -20.0 { -20.0 } else { c };
    let (p, n) = reduced32(c);
    let half = power_of_two32(n - 1.0);
    let y = 2.0 * half.mul_add(p, half - 0.5);
    let y = if n == 0.0 { p } else { y };
    if x == 0.0 { x } else { y }
}
