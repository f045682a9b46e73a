//! x^y = e^(y ln x), with ln x as the sum of two numbers (68 bits together) because e^ multiplies its error by up to 745.
//! f32 goes through f64.

use super::exp::exp_with_tail64;
use super::ln::split64;

const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
const TWO_THIRDS: f64 = 0.666_666_666_666_666_6;
const TWO_THIRDS_LOW: f64 = 3.700_743_415_417_188e-17;

/// a + b exactly, as a rounded sum and what it lost (Knuth).
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let back = sum - a;
    (sum, (a - (sum - back)) + (b - back))
}

/// a b exactly, as a rounded product and what it lost.
#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// ln x for positive finite x, as two numbers.
#[inline(always)]
fn ln_twice(x: f64) -> (f64, f64) {
    let tiny = x < f64::MIN_POSITIVE;
    let (k, m) = split64(if tiny { x * 18_014_398_509_481_984.0 } else { x });
    let k = if tiny { k - 54.0 } else { k };
    // s = f / (2 + f); ln m = 2s + 2/3 s^3 + s^5 T(s^2).
    let f = m - 1.0;
    let (d, d_low) = two_sum(1.0, m);
    let s = f / d;
    let s_low = ((-s).mul_add(d, f) - s * d_low) / d;
    let (z, z_low) = two_product(s, s);
    let z_low = (2.0 * s).mul_add(s_low, z_low);
    let (cube, cube_low) = two_product(s, z);
    let cube_low = s.mul_add(z_low, s_low.mul_add(z, cube_low));
    let (third, third_low) = two_product(cube, TWO_THIRDS);
    let third_low = cube.mul_add(TWO_THIRDS_LOW, cube_low.mul_add(TWO_THIRDS, third_low));
    let rest = cube
        * z
        * poly!(z; 0.4, 0.28571428571429364, 0.22222222221655885, 0.18181818335392802, 0.1538459496251843, 0.1333480469384731, 0.11706236339491206, 0.11723178623876518);
    let (sum, lost) = two_sum(k * LN2_HIGH, 2.0 * s);
    let (sum, lost_again) = two_sum(sum, third);
    let low = lost + (lost_again + (2.0 * s_low + (third_low + k.mul_add(LN2_LOW, rest))));
    let high = sum + low;
    (high, low - (high - sum))
}

/// x^y; error below 1.5 ulp (2 ulp where the result is denormal). The special cases are IEEE 754's `pow`.
#[inline(always)]
pub(crate) fn pow64(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let size = x.abs();
    let whole = y.abs() >= 9_007_199_254_740_992.0 || (y as i64) as f64 == y;
    let odd = whole && y.abs() < 9_007_199_254_740_992.0 && (y as i64) & 1 == 1;
    if x < 0.0 && size <= f64::MAX && !whole {
        return f64::NAN;
    }
    let y_infinite = y.abs() > f64::MAX;
    let positive = if size == 1.0 {
        1.0
    } else if y_infinite || size == 0.0 || size > f64::MAX {
        if (size > 1.0) == (y > 0.0) { f64::INFINITY } else { 0.0 }
    } else {
        let (high, low) = ln_twice(size);
        let product = y * high;
        if product > 710.0 {
            f64::INFINITY
        } else if product < -746.0 {
            0.0
        } else {
            exp_with_tail64(product, y.mul_add(low, y.mul_add(high, -product)))
        }
    };
    if x.is_sign_negative() && odd { -positive } else { positive }
}
