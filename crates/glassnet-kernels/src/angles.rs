//! Sines and cosines of many angles at once.
//!
//! Angles below 2^20 radians are reduced without a branch, so that the loop over them is vectorised; larger ones need the
//! bits of 2/pi and are taken one by one. The bytes are those of [`Real::sin`] and [`Real::cos`], whatever stands beside an
//! angle.
//!
//! ```
//! use glassnet_kernels::angles::{cos_into, sin_into};
//! let (mut sines, mut cosines) = ([0.0; 3], [0.0; 3]);
//! sin_into(&[0.0, 1.0, 100.0], &mut sines);
//! cos_into(&[0.0, 1.0, 100.0], &mut cosines);
//! assert_eq!(sines, [0.0, 0.8414709848078965, -0.5063656411097588]);
//! assert_eq!(cosines, [1.0, 0.5403023058681398, 0.8623188722876839]);
//! ```

use crate::Real;
use crate::lanes::{Kernel, vectorized};
use std::marker::PhantomData;

/// Angles that are looked at together.
const RUN: usize = 64;
/// Where [`Real::sin_near`] ends.
const NEAR: f64 = crate::math::trig::NEAR;

/// A function of an angle, both ways.
trait Angle {
    /// Where the angle is near.
    fn near<T: Real>(x: T) -> T;
    /// For any angle.
    fn any<T: Real>(x: T) -> T;
}

struct Sine;

impl Angle for Sine {
    #[inline(always)]
    fn near<T: Real>(x: T) -> T {
        x.sin_near()
    }
    #[inline(always)]
    fn any<T: Real>(x: T) -> T {
        x.sin()
    }
}

struct Cosine;

impl Angle for Cosine {
    #[inline(always)]
    fn near<T: Real>(x: T) -> T {
        x.cos_near()
    }
    #[inline(always)]
    fn any<T: Real>(x: T) -> T {
        x.cos()
    }
}

struct Loop<'a, T, A> {
    angle: PhantomData<A>,
    x: &'a [T],
    out: &'a mut [T],
}

impl<T: Real, A: Angle> Kernel for Loop<'_, T, A> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let limit = T::from_f64(NEAR);
        for (out, x) in self.out.chunks_mut(RUN).zip(self.x.chunks(RUN)) {
            // A NaN is not near.
            let near = x.iter().fold(0, |near, x| near + u32::from(x.abs() < limit));
            if near as usize == x.len() {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = A::near(x);
                }
            } else {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = A::any(x);
                }
            }
        }
    }
}

/// `out[i] = sin x[i]`, x in radians, within 1 ulp. Lengths must agree; where they do not, a debug build panics and a
/// release build stops at the shorter one.
pub fn sin_into<T: Real>(x: &[T], out: &mut [T]) {
    debug_assert_eq!(x.len(), out.len());
    vectorized(Loop { angle: PhantomData::<Sine>, x, out });
}

/// `out[i] = cos x[i]`, as [`sin_into`].
pub fn cos_into<T: Real>(x: &[T], out: &mut [T]) {
    debug_assert_eq!(x.len(), out.len());
    vectorized(Loop { angle: PhantomData::<Cosine>, x, out });
}
