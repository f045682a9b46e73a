//! z = (x - shift) / scale, and the mean and deviation behind it.

use crate::value::Fault;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// Whether numbers are standardised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standardise {
    /// By the mean and the population deviation of the training rows.
    #[default]
    Yes,
    /// Not at all: numbers are fed as they are, which the doctor reports where columns differ much in scale.
    No,
}

/// How a column of numbers becomes inputs: `(x - shift) / scale`, a missing value as if it were `fill`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// What is taken off: the mean of the training rows; 0 without standardising.
    pub shift: f64,
    /// What is divided by: their population deviation; 1 without standardising.
    pub scale: f64,
    /// What a missing value counts as: the mean of the training rows.
    pub fill: f64,
    /// Whether a second input says 1 where the value is missing, else 0: there is one where training rows lacked values.
    pub indicator: bool,
}

/// The largest input of a network that is taken: an f32 holds 3e38, and sums of its products with weights must fit too.
const FARTHEST: f64 = 1e30;

impl Scale {
    /// The scale of a column with that mean and deviation.
    pub fn new(moments: Moments, standardise: Standardise, indicator: bool) -> Self {
        let Moments { mean, deviation, .. } = moments;
        match standardise {
            Standardise::Yes => Scale { shift: mean, scale: deviation, fill: mean, indicator },
            Standardise::No => Scale { shift: 0.0, scale: 1.0, fill: mean, indicator },
        }
    }

    /// `(x - shift) / scale`, worked in f64 and rounded once to `T`.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] where the result is not a number, or so large (above 1e30) that products of it would not be one.
    #[inline]
    pub fn apply<T: Real>(&self, x: f64) -> Result<T, Fault> {
        let z = (x - self.shift) / self.scale;
        if z.abs() <= FARTHEST { Ok(T::from_f64(z)) } else { Err(Fault::NotFinite) }
    }

    /// What a missing value becomes: `(fill - shift) / scale`, 0 where numbers are standardised.
    #[inline]
    pub fn missing<T: Real>(&self) -> T {
        T::from_f64((self.fill - self.shift) / self.scale)
    }

    /// Whether the numbers can be used: finite, a scale above 0, and a missing value that the network's type can hold.
    pub(crate) fn is_sound(&self) -> bool {
        let finite = self.shift.is_finite() && self.fill.is_finite() && self.scale.is_finite();
        finite && self.scale > 0.0 && self.missing::<f32>().is_finite()
    }
}

/// Mean and population deviation of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// `sum x / n`.
    pub mean: f64,
    /// `sqrt(sum (x - mean)^2 / n)`.
    pub deviation: f64,
    /// Whether all numbers are the same, exactly.
    pub constant: bool,
}

impl Moments {
    /// Mean and deviation in two passes in the order of the numbers; `None` where there are none, or they are too large
    /// for their squares to be finite.
    ///
    /// The second pass sums the deviations too and takes their square off (Chan, Golub, LeVeque 1983, eq. 1.7), which
    /// corrects the rounding of the mean.
    pub fn of(numbers: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let (mut n, mut sum) = (0.0, 0.0);
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for x in numbers.clone() {
            n += 1.0;
            sum += x;
            least = least.min(x);
            most = most.max(x);
        }
        if n == 0.0 {
            return None;
        }
        if least == most {
            return least.is_finite().then_some(Moments { mean: least, deviation: 0.0, constant: true });
        }
        let mean = sum / n;
        let (mut squares, mut rest) = (0.0, 0.0);
        for x in numbers {
            let d = x - mean;
            squares += d * d;
            rest += d;
        }
        let deviation = ((squares - rest * rest / n) / n).sqrt();
        // A deviation of 0 here has underflowed: such numbers cannot be told apart either.
        (mean.is_finite() && deviation.is_finite()).then_some(Moments { mean, deviation, constant: deviation == 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `feature_scale` of the worked examples.
    #[test]
    fn worked_example() {
        for (raw, mean, deviation, z) in [(8.0, 5.0, 2.0, 1.5), (900.0, 500.0, 200.0, 2.0)] {
            let scale = Scale::new(Moments { mean, deviation, constant: false }, Standardise::Yes, false);
            assert_eq!(scale.apply::<f64>(raw), Ok(z));
            assert_eq!(scale.apply::<f32>(raw), Ok(z as f32));
            let raw_scale = Scale::new(Moments { mean, deviation, constant: false }, Standardise::No, false);
            assert_eq!(raw_scale.apply::<f64>(raw), Ok(raw));
            assert_eq!(raw_scale.missing::<f64>(), mean);
        }
    }

    #[test]
    fn moments_by_hand() {
        let moments = Moments::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter()).unwrap();
        assert_eq!(moments, Moments { mean: 5.0, deviation: 2.0, constant: false });
        // A large offset costs no digits.
        let moments = Moments::of([1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter()).unwrap();
        assert_eq!((moments.mean, moments.deviation), (1e9 + 10.0, 22.5_f64.sqrt()));
    }

    #[test]
    fn constants_and_limits() {
        assert!(Moments::of([0.1; 7].into_iter()).unwrap().constant);
        assert_eq!(Moments::of(std::iter::empty::<f64>()), None);
        assert_eq!(Moments::of([1e300, -1e300].into_iter()), None);
        assert_eq!(Moments::of([f64::INFINITY, 1.0].into_iter()), None);
        assert_eq!(Moments::of([f64::INFINITY; 2].into_iter()), None);
        assert!(Moments::of([1e-300, 2e-300].into_iter()).unwrap().constant);
        let scale = Scale { shift: 0.0, scale: 1.0, fill: 0.0, indicator: false };
        assert_eq!(scale.apply::<f32>(1e39), Err(Fault::NotFinite));
        assert_eq!(scale.apply::<f64>(1e39), Err(Fault::NotFinite));
        assert_eq!(scale.apply::<f64>(-1e30), Ok(-1e30));
    }
}
