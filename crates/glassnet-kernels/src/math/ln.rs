//! ln x and ln(1 + x).
//!
//! x = 2^k m with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f), ln m = 2 atanh(s)
//! = f - f^2/2 + s (f^2/2 + s^2 R(s^2)). The arrangement is that of FreeBSD's `e_log.c` (Sun Microsystems, 1993).

const LN2_HIGH64: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW64: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const LN2_HIGH32: f32 = f32::from_bits(0x3f31_7180);
const LN2_LOW32: f32 = 9.058_001e-6;
const HALF_ROOT64: u64 = 0x3fe6_a09e_667f_3bcd; // sqrt(1/2)
const HALF_ROOT32: u32 = 0x3f35_04f3;

/// Normal positive x as (k, m).
#[inline(always)]
pub(crate) fn split64(x: f64) -> (f64, f64) {
    let shifted = x.to_bits().wrapping_add(0x3ff0_0000_0000_0000 - HALF_ROOT64);
    // The exponent put into the low bits of 2^52: a conversion to floating point by a subtraction.
    let k = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - (4_503_599_627_370_496.0 + 1023.0);
    (k, f64::from_bits((shifted & 0x000f_ffff_ffff_ffff).wrapping_add(HALF_ROOT64)))
}

#[inline(always)]
fn split32(x: f32) -> (f32, f32) {
    let shifted = x.to_bits().wrapping_add(0x3f80_0000 - HALF_ROOT32);
    let k = f32::from_bits((shifted >> 23) | 0x4b00_0000) - (8_388_608.0 + 127.0);
    (k, f32::from_bits((shifted & 0x007f_ffff).wrapping_add(HALF_ROOT32)))
}

/// k ln 2 + ln(1 + f) + c.
#[inline(always)]
fn joined64(k: f64, f: f64, c: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z
        * poly!(z; 0.666666666666667, 0.39999999999899444, 0.2857142862600327, 0.22222211130259878, 0.18182889455674947, 0.15331710618210773, 0.14616585424888623);
    let half = 0.5 * f * f;
    let low = s.mul_add(half + r, k.mul_add(LN2_LOW64, c));
    k.mul_add(LN2_HIGH64, low - half + f)
}

#[inline(always)]
fn joined32(k: f32, f: f32, c: f32) -> f32 {
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly!(z; 0.6666667, 0.40000123, 0.28550816, 0.23330583);
    let half = 0.5 * f * f;
    let low = s.mul_add(half + r, k.mul_add(LN2_LOW32, c));
    k.mul_add(LN2_HIGH32, low - half + f)
}

/// ln x; error below 1 ulp. ln(0) = -inf, ln(x < 0) = NaN.
#[inline(always)]
pub(crate) fn ln64(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let (k, m) = split64(if tiny { x * 18_014_398_509_481_984.0 } else { x });
    let y = joined64(if tiny { k - 54.0 } else { k }, m - 1.0, 0.0);
    let y = if x <= f64::MAX { y } else { x };
    let y = if x < 0.0 { f64::NAN } else { y };
    if x == 0.0 { f64::NEG_INFINITY } else { y }
}

/// ln x; error below 1 ulp. ln(0) = -inf, ln(x < 0) = NaN.
#[inline(always)]
pub(crate) fn ln32(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let (k, m) = split32(if tiny { x * 33_554_432.0 } else { x });
    let y = joined32(if tiny { k - 25.0 } else { k }, m - 1.0, 0.0);
    let y = if x <= f32::MAX { y } else { x };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x == 0.0 { f32::NEG_INFINITY } else { y }
}

/// ln(1 + x); error below 1.5 ulp. ln_1p(-1) = -inf, NaN below.
#[inline(always)]
pub(crate) fn ln_1p64(x: f64) -> f64 {
    let u = 1.0 + x;
    let (k, m) = split64(u);
    // What the sum 1 + x lost, as a share of it; where k = 0 nothing is needed, f is x itself.
    let lost = if x > 1.0 { 1.0 - (u - x) } else { x - (u - 1.0) };
    let near = k == 0.0;
    let y = joined64(k, if near { x } else { m - 1.0 }, if near { 0.0 } else { lost / u });
    let y = if x <= f64::MAX { y } else { x };
    let y = if x < -1.0 { f64::NAN } else { y };
    let y = if x == -1.0 { f64::NEG_INFINITY } else { y };
    if x == 0.0 { x } else { y }
}

/// ln(1 + x); error below 1.5 ulp. ln_1p(-1) = -inf, NaN below.
#[inline(always)]
pub(crate) fn ln_1p32(x: f32) -> f32 {
    let u = 1.0 + x;
    let (k, m) = split32(u);
    let lost = if x > 1.0 { 1.0 - (u - x) } else { x - (u - 1.0) };
    let near = k == 0.0;
    let y = joined32(k, if near { x } else { m - 1.0 }, if near { 0.0 } else { lost / u });
    let y = if x <= f32::MAX { y } else { x };
    let y = if x < -1.0 { f32::NAN } else { y };
    let y = if x == -1.0 { f32::NEG_INFINITY } else { y };
    if x == 0.0 { x } else { y }
}
