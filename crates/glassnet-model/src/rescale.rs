//! x' = f(s (x - median)): the robust scale and the smooth clip of tables' numbers.
//!
//! - s = 1 / (q75 - q25), quantiles by linear interpolation (NumPy's default);
//! - where that difference is 0: s = 2 / (max - min); where all numbers are the same: s = 0;
//! - f(z) = z / sqrt(1 + (z / 3)^2), which leaves small numbers as they are and no number beyond 3 in size:
//!   f(1) = 0.94868, f(3) = 2.12132, f(10) = 2.87348.
//!
//! Source: RealMLP, arXiv 2407.04491, section 3 ("robust scale, smooth clip").

use crate::value::Fault;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// How a number becomes an input: `f(factor * (x - shift))`, f the smooth clip or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescale {
    /// What is taken off: the median of the training rows.
    pub shift: f64,
    /// What is multiplied by: s.
    pub factor: f64,
    /// What a missing value counts as: the mean of the training rows.
    pub fill: f64,
    /// Whether the smooth clip follows.
    pub clip: bool,
}

/// `z / sqrt(1 + (z / 3)^2)`; 3 with z's sign where the square is beyond f64.
#[inline]
pub fn smooth_clip(z: f64) -> f64 {
    let third = z / 3.0;
    let squared = third * third;
    if squared < f64::INFINITY {
        z / (1.0 + squared).sqrt()
    } else if z.is_nan() {
        z
    } else {
        3f64.copysign(z)
    }
}

impl Rescale {
    /// Numbers as they are.
    pub fn none(fill: f64) -> Self {
        Rescale { shift: 0.0, factor: 1.0, fill, clip: false }
    }

    /// Whether a number's input follows from its being finite, and a missing one's too.
    pub(crate) fn is_sound(&self) -> bool {
        let finite = self.shift.is_finite() && self.fill.is_finite() && self.factor.is_finite();
        finite && self.factor >= 0.0 && self.apply::<f32>(self.fill).is_ok()
    }

    /// The input of a number, worked in f64 and rounded once to `T`.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] for an infinite number, and where `T` cannot hold an unclipped result.
    #[inline]
    pub fn apply<T: Real>(&self, x: f64) -> Result<T, Fault> {
        if !x.is_finite() {
            return Err(Fault::NotFinite);
        }
        // 0 takes a constant column away whatever comes later, even where the difference is beyond f64.
        let z = if self.factor == 0.0 { 0.0 } else { self.factor * (x - self.shift) };
        let z = T::from_f64(if self.clip { smooth_clip(z) } else { z });
        if z.is_finite() { Ok(z) } else { Err(Fault::NotFinite) }
    }

    /// The input of a missing value.
    #[inline]
    pub fn missing<T: Real>(&self) -> T {
        self.apply(self.fill).unwrap_or(T::ZERO)
    }
}

#[cfg(feature = "fit")]
pub(crate) use fitted::mean_within;
#[cfg(feature = "fit")]
pub use fitted::{quantile, robust};

#[cfg(feature = "fit")]
mod fitted {
    use super::Rescale;
    use crate::standardise::{Moments, Standardise};

    /// The q-quantile of n > 0 ascending numbers, `at(i)` the i-th: linear interpolation at (n - 1) q, rounded as NumPy does.
    pub fn quantile(n: usize, at: impl Fn(usize) -> f64, q: f64) -> f64 {
        let last = n.saturating_sub(1);
        let place = q * last as f64;
        let below = (place.floor() as usize).min(last);
        let (a, b, t) = (at(below), at((below + 1).min(last)), place - place.floor());
        let step = b - a;
        if step == f64::INFINITY {
            return a * (1.0 - t) + b * t;
        }
        if t >= 0.5 { b - step * (1.0 - t) } else { a + step * t }
    }

    /// Median and s of n > 0 ascending numbers.
    pub fn robust(n: usize, at: impl Fn(usize) -> f64) -> (f64, f64) {
        let [q25, median, q75] = [0.25, 0.5, 0.75].map(|q| quantile(n, &at, q));
        // A difference so small that its reciprocal is beyond f64 counts as none.
        let usable = |factor: f64| (factor > 0.0 && factor.is_finite()).then_some(factor);
        let spread = at(n.saturating_sub(1)) - at(0);
        let factor = usable(1.0 / (q75 - q25)).or_else(|| usable(2.0 / spread)).unwrap_or(0.0);
        (median, factor)
    }

    /// The mean of n > 0 ascending numbers, kept within the least and the greatest of them; the median where their sum is beyond f64.
    pub(crate) fn mean_within(ascending: &[f64], first: f64, last: f64) -> f64 {
        let mean = ascending.iter().sum::<f64>() / ascending.len() as f64;
        if mean.is_finite() { mean.max(first).min(last) } else { quantile(ascending.len(), |i| ascending[i], 0.5) }
    }

    impl Rescale {
        /// The robust scale and clip of a column's numbers (finite); `None` where there are none. Sorts them.
        pub fn robust(numbers: &mut [f64]) -> Option<Rescale> {
            numbers.sort_unstable_by(f64::total_cmp);
            let n = numbers.len();
            let (first, last) = (numbers.first()?, numbers.last()?);
            let (shift, factor) = robust(n, |i| numbers[i]);
            let fill = mean_within(numbers, *first, *last);
            Some(Rescale { shift, factor, fill, clip: true })
        }

        /// The scale that `standardise` asks for in the plain style; `None` where the numbers have no mean and deviation.
        pub fn plain(numbers: &[f64], standardise: Standardise) -> Option<Rescale> {
            let moments = Moments::of(numbers.iter().copied())?;
            let factor = if moments.constant { 0.0 } else { 1.0 / moments.deviation };
            Some(match standardise {
                Standardise::Yes => Rescale { shift: moments.mean, factor, fill: moments.mean, clip: false },
                Standardise::No => Rescale::none(moments.mean),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of the recipe.
    #[test]
    fn check_values() {
        for (z, wanted) in [(1.0, 0.94868), (3.0, 2.12132), (10.0, 2.87348), (-3.0, -2.12132), (0.0, 0.0)] {
            assert!((smooth_clip(z) - wanted).abs() < 5e-6, "{z}");
        }
        assert_eq!(smooth_clip(1e300), 3.0);
        assert_eq!(smooth_clip(f64::NEG_INFINITY), -3.0);
        assert!(smooth_clip(f64::NAN).is_nan());
    }

    #[test]
    fn no_finite_number_is_refused_and_nothing_is_nan() {
        for factor in [0.0, 1.0, 1e-300, 1e300] {
            for shift in [0.0, -1e308, 1e308] {
                let scale = Rescale { shift, factor, fill: 0.0, clip: true };
                for x in [0.0, 1e308, -1e308, 5e-324] {
                    let z = scale.apply::<f32>(x).unwrap();
                    assert!(z.abs() <= 3.0, "{factor} {shift} {x}: {z}");
                }
                assert_eq!(scale.apply::<f32>(f64::INFINITY), Err(Fault::NotFinite));
            }
        }
    }

    #[cfg(feature = "fit")]
    #[test]
    fn robust_by_hand() {
        // Quartiles of 0..=4 are 1, 2, 3.
        let scale = Rescale::robust(&mut [4.0, 0.0, 3.0, 1.0, 2.0]).unwrap();
        assert_eq!((scale.shift, scale.factor, scale.fill), (2.0, 0.5, 2.0));
        // More than three quarters are the same: 2 / (max - min).
        let scale = Rescale::robust(&mut [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]).unwrap();
        assert_eq!((scale.shift, scale.factor, scale.fill), (0.0, 0.25, 1.0));
        assert_eq!(Rescale::robust(&mut [7.0; 3]).unwrap().factor, 0.0);
        assert_eq!(Rescale::robust(&mut []), None);
        assert!(Rescale::robust(&mut [1e308, -1e308, 1.7e308, 1.7e308]).unwrap().is_sound());
        assert!(Rescale::robust(&mut [0.0, 5e-324, 5e-324]).unwrap().is_sound());
    }
}
