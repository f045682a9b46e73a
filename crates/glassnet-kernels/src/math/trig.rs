//! sin x and cos x.
//!
//! x = n pi/2 + r with |r| <= pi/4, r kept as two numbers: pi/2 in three parts below 2^20, the whole product with the
//! bits of 2/pi (Payne and Hanek, 1983) above. Then a polynomial in r. f32 goes through f64.

use super::exp::MAGIC64;

const PI_2_1: f64 = f64::from_bits(0x3ff9_21fb_5440_0000); // first 33 bits of pi/2: n times it is exact
const PI_2_2: f64 = f64::from_bits(0x3dd0_b461_1a62_6331); // the next 53
const PI_2_3: f64 = 3.5215598651832e-27;
const PI_2_HIGH: f64 = std::f64::consts::FRAC_PI_2;
const PI_2_LOW: f64 = 6.123_233_995_736_766e-17;

/// The bits of 2/pi after the binary point.
const TWO_OVER_PI: [u64; 20] = [
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// Below this the reduction needs no branch, so that a loop of it is vectorised.
pub(crate) const NEAR: f64 = 1_048_576.0;

/// (n mod 4, r, what r lost) for |x| < [`NEAR`].
#[inline(always)]
fn reduced_near(x: f64) -> (u64, f64, f64) {
    let shifted = x.mul_add(std::f64::consts::FRAC_2_PI, MAGIC64);
    let n = shifted - MAGIC64;
    let first = n.mul_add(-PI_2_1, x);
    let second = n * PI_2_2;
    let second_low = n.mul_add(PI_2_2, -second);
    let r = first - second;
    // Two-sum: `first` may be smaller than `second` near a multiple of pi/2.
    let back = r - first;
    let lost = (first - (r - back)) - (second + back);
    let low = n.mul_add(-PI_2_3, lost - second_low);
    let high = r + low;
    (shifted.to_bits() & 3, high, low - (high - r))
}

/// (n mod 4, r, what r lost).
#[inline(always)]
fn reduced(x: f64) -> (u64, f64, f64) {
    if x.abs() < NEAR {
        reduced_near(x)
    } else if x.abs() <= f64::MAX {
        reduced_large(x)
    } else {
        (0, f64::NAN, f64::NAN)
    }
}

/// x = mantissa 2^e from 2^20 on: only 192 bits of 2/pi matter to the quadrant and the fraction.
#[cold]
fn reduced_large(x: f64) -> (u64, f64, f64) {
    let bits = x.to_bits();
    let mantissa = (bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000;
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1075;
    // The window starts at the bit of 2/pi that the mantissa's last bit takes to 2^1: those before it give multiples of 4.
    let start = exponent - 2;
    let (word, shift) = (start.div_euclid(64), start.rem_euclid(64) as u32);
    let at = |i: i64| usize::try_from(i).ok().and_then(|i| TWO_OVER_PI.get(i)).copied().unwrap_or(0);
    let window = |i: i64| {
        let (high, low) = (at(word + i) as u128, at(word + i + 1) as u128);
        (((high << 64 | low) << shift) >> 64) as u64
    };
    // mantissa * window mod 2^192, most significant word first: 2 bits of quadrant, 190 of fraction.
    let low = mantissa as u128 * window(2) as u128;
    let middle = mantissa as u128 * window(1) as u128 + (low >> 64);
    let high = mantissa.wrapping_mul(window(0)).wrapping_add((middle >> 64) as u64);
    let (middle, low) = (middle as u64, low as u64);
    let mut quadrant = high >> 62;
    // The fraction with its binary point before the first bit, rounded to the nearest quadrant.
    let mut fraction = [high << 2 | middle >> 62, middle << 2 | low >> 62, low << 2];
    let over = fraction[0] >> 63 == 1;
    if over {
        quadrant += 1;
        let rest = (!(((fraction[1] as u128) << 64) | fraction[2] as u128)).wrapping_add(1);
        let carry = u64::from(rest == 0);
        fraction = [(!fraction[0]).wrapping_add(carry), (rest >> 64) as u64, rest as u64];
    }
    let mut zeros = 0;
    while fraction[0] >> 63 == 0 && zeros < 128 {
        fraction = [fraction[0] << 1 | fraction[1] >> 63, fraction[1] << 1 | fraction[2] >> 63, fraction[2] << 1];
        zeros += 1;
    }
    let scale = f64::from_bits((1023 - 53 - zeros) << 52);
    let first = (fraction[0] >> 11) as f64 * scale;
    let second = ((fraction[0] << 53 | fraction[1] >> 11) >> 11) as f64 * scale * f64::from_bits((1023 - 53) << 52);
    let r = first * PI_2_HIGH;
    let lost = first.mul_add(PI_2_HIGH, -r) + first.mul_add(PI_2_LOW, second * PI_2_HIGH);
    let sign = if (bits >> 63 == 1) != over { -1.0 } else { 1.0 };
    (if bits >> 63 == 1 { quadrant.wrapping_neg() & 3 } else { quadrant & 3 }, sign * r, sign * lost)
}

/// sin(r + low) for |r| <= pi/4.
#[inline(always)]
fn sin_near(r: f64, low: f64) -> f64 {
    let z = r * r;
    r + (z * r).mul_add(poly!(z; -0.16666666666666666, 0.008333333333330946, -0.0001984126983675497, 2.755731610068303e-06, -2.5051131455427946e-08, 1.591810123027412e-10), (-0.5 * z).mul_add(low, low))
}

/// cos(r + low) for |r| <= pi/4.
#[inline(always)]
fn cos_near(r: f64, low: f64) -> f64 {
    let z = r * r;
    let half = 0.5 * z;
    let w = 1.0 - half;
    w + (((1.0 - w) - half) + (z * z).mul_add(poly!(z; 0.041666666666666664, -0.0013888888888887395, 2.4801587298763433e-05, -2.7557317270560326e-07, 2.0876146024689747e-09, -1.1382614868556325e-11), -(r * low)))
}

/// The sine from a reduced argument. Both polynomials and a choice: a loop of it has no branch.
#[inline(always)]
fn sin_of(x: f64, (n, r, low): (u64, f64, f64)) -> f64 {
    let (sin, cos) = (sin_near(r, low), cos_near(r, low));
    let y = if n & 1 == 0 { sin } else { cos };
    let y = if n & 2 == 0 { y } else { -y };
    // -0 loses its sign on the way.
    if x == 0.0 { x } else { y }
}

/// The cosine from a reduced argument.
#[inline(always)]
fn cos_of((n, r, low): (u64, f64, f64)) -> f64 {
    let (sin, cos) = (sin_near(r, low), cos_near(r, low));
    let y = if n & 1 == 0 { cos } else { sin };
    if (n + 1) & 2 == 0 { y } else { -y }
}

/// sin x; error below 1 ulp at any size.
#[inline(always)]
pub(crate) fn sin64(x: f64) -> f64 {
    sin_of(x, reduced(x))
}

/// cos x; error below 1 ulp at any size.
#[inline(always)]
pub(crate) fn cos64(x: f64) -> f64 {
    cos_of(reduced(x))
}

/// sin x for |x| < [`NEAR`]: the bytes of [`sin64`], without a branch.
#[inline(always)]
pub(crate) fn sin64_near(x: f64) -> f64 {
    sin_of(x, reduced_near(x))
}

/// cos x for |x| < [`NEAR`]: the bytes of [`cos64`], without a branch.
#[inline(always)]
pub(crate) fn cos64_near(x: f64) -> f64 {
    cos_of(reduced_near(x))
}
