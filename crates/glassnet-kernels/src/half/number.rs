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
