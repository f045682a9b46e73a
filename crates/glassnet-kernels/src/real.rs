//! The two types of computation, `f32` for work and `f64` for proof, behind one short trait.

use crate::math;
use std::fmt::{Debug, Display, LowerExp};
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point type that networks compute in: `f32` or `f64`, and no other (the kernels count on it).
///
/// The transcendental functions are glassnet's own: written from IEEE-exact primitives, so that every processor gives
/// the same bytes. Their errors are in ulp, distances between neighbouring numbers of the type, from the exact value.
pub trait Real:
    Copy
    + Default
    + Debug
    + Display
    + LowerExp
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + sealed::Sealed
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// Size in bytes.
    const BYTES: usize;

    /// Nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The value as `f64` (exact).
    fn to_f64(self) -> f64;
    /// `self * a + b` with one rounding.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// Square root, correctly rounded.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Not a number.
    fn is_nan(self) -> bool;
    /// e^x, within 1.1 ulp (1.6 where the result is denormal); exp(0) = 1 and exp(-inf) = 0 exactly.
    fn exp(self) -> Self;
    /// e^x - 1, accurate near 0, within 2 ulp.
    fn exp_m1(self) -> Self;
    /// Natural logarithm, within 1 ulp; -inf at 0, NaN below.
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0, within 1.5 ulp; -inf at -1, NaN below.
    fn ln_1p(self) -> Self;
    /// Hyperbolic tangent, within 1.5 ulp; +-1 at +-inf.
    fn tanh(self) -> Self;
    /// Sine of an angle in radians of any size, within 1 ulp.
    fn sin(self) -> Self;
    /// Cosine of an angle in radians of any size, within 1 ulp.
    fn cos(self) -> Self;
    /// The sine where |self| < 2^20: the bytes of [`Real::sin`] there, without a branch, for loops ([`crate::angles`]).
    /// Elsewhere the value has no meaning.
    fn sin_near(self) -> Self;
    /// The cosine where |self| < 2^20, as [`Real::sin_near`].
    fn cos_near(self) -> Self;
    /// Error function, within 1.5 ulp.
    fn erf(self) -> Self;
    /// self^y, within 1.5 ulp (2 where the result is denormal); NaN for self < 0 unless y is an integer. Special cases as
    /// in IEEE 754.
    fn pow(self, y: Self) -> Self;
    /// The same slice where this type is `f32`: the way into what is made for `f32` alone.
    fn as_f32(x: &[Self]) -> Option<&[f32]>;
    /// As [`Real::as_f32`], to write to.
    fn as_f32_mut(x: &mut [Self]) -> Option<&mut [f32]>;
    /// The way back.
    fn of_f32_mut(x: &mut [f32]) -> Option<&mut [Self]>;
}

mod sealed {
    /// Keeps other types out.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NAME: &'static str = "f32";
    const BYTES: usize = size_of::<f32>();
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as f64
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        // WebAssembly has no such instruction; what the standard library calls instead is not inlined, and may round small sums twice.
        if cfg!(target_arch = "wasm32") { crate::product::fused_in_f64(self, a, b) } else { f32::mul_add(self, a, b) }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f32::abs(self)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp::exp32(self)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        math::exp::exp_m1_32(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln::ln32(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        math::ln::ln_1p32(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh::tanh32(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        math::trig::sin64(self as f64) as f32
    }
    #[inline(always)]
    fn cos(self) -> Self {
        math::trig::cos64(self as f64) as f32
    }
    #[inline(always)]
    fn sin_near(self) -> Self {
        math::trig::sin64_near(self as f64) as f32
    }
    #[inline(always)]
    fn cos_near(self) -> Self {
        math::trig::cos64_near(self as f64) as f32
    }
    #[inline(always)]
    fn erf(self) -> Self {
        math::erf::erf32(self)
    }
    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        math::pow::pow64(self as f64, y as f64) as f32
    }
    #[inline(always)]
    fn as_f32(x: &[Self]) -> Option<&[f32]> {
        Some(x)
    }
    #[inline(always)]
    fn as_f32_mut(x: &mut [Self]) -> Option<&mut [f32]> {
        Some(x)
    }
    #[inline(always)]
    fn of_f32_mut(x: &mut [f32]) -> Option<&mut [Self]> {
        Some(x)
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const NAME: &'static str = "f64";
    const BYTES: usize = size_of::<f64>();
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        f64::mul_add(self, a, b)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        f64::abs(self)
    }
    #[inline(always)]
    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp::exp64(self)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        math::exp::exp_m1_64(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln::ln64(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        math::ln::ln_1p64(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh::tanh64(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        math::trig::sin64(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        math::trig::cos64(self)
    }
    #[inline(always)]
    fn sin_near(self) -> Self {
        math::trig::sin64_near(self)
    }
    #[inline(always)]
    fn cos_near(self) -> Self {
        math::trig::cos64_near(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        math::erf::erf64(self)
    }
    #[inline(always)]
    fn pow(self, y: Self) -> Self {
        math::pow::pow64(self, y)
    }
    #[inline(always)]
    fn as_f32(_: &[Self]) -> Option<&[f32]> {
        None
    }
    #[inline(always)]
    fn as_f32_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
    #[inline(always)]
    fn of_f32_mut(_: &mut [f32]) -> Option<&mut [Self]> {
        None
    }
}
