//! Logistic sigmoid: `y = 1 / (1 + exp(-z))`, derivative `y (1 - y)`.
//!
//! Stable at +-1000: only exp(-|z|), which cannot overflow, is taken. In floating point it reaches exactly 1 (from 16.64
//! in f32, 36.74 in f64), and its derivative there is 0: that is what the doctor calls saturated.
//!
//! ```
//! use glassnet_core::ops::sigmoid::logistic;
//!
//! assert_eq!(format!("{:.3}", logistic(2.6)), "0.931");
//! assert_eq!([-1000.0, 0.0, 1000.0].map(|z: f64| logistic(z)), [0.0, 0.5, 1.0]);
//! assert_eq!(logistic(16.64_f32), 1.0);
//! ```

use glassnet_kernels::{Kernel, vectorized};

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// 1 / (1 + exp(-z)) without overflow; shared by the curves and losses that contain a sigmoid.
#[inline(always)]
pub fn logistic<T: Real>(z: T) -> T {
    let e = (-z.abs()).exp();
    let numerator = if z < T::ZERO { e } else { T::ONE };
    numerator / (T::ONE + e)
}

struct BothSides<T>(T);

impl<T: Real> Kernel for BothSides<T> {
    type Output = [T; 2];

    #[inline(always)]
    fn run(self) -> [T; 2] {
        [-self.0, self.0].map(logistic)
    }
}

/// The scores of two classes from the logit of the second: `[logistic(-z), logistic(z)]`, the first without the cancellation
/// of `1 - logistic(z)`.
///
/// ```
/// use glassnet_core::ops::sigmoid::{logistic, scores};
///
/// assert_eq!(scores(2.6), [logistic(-2.6), logistic(2.6)]);
/// ```
pub fn scores<T: Real>(z: T) -> [T; 2] {
    vectorized(BothSides(z))
}

/// y = 1 / (1 + exp(-z))
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sigmoid;

impl Curve for Sigmoid {
    fn card(self) -> Card {
        Card {
            name: "sigmoid",
            family: Family::Activation,
            formula: "y = 1 / (1 + exp(-z))",
            derivative: "y (1 - y)",
            range: "(0, 1)",
            used: "gates; the score of a binary classifier",
            source: "Rumelhart, Hinton & Williams 1986",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        logistic(z)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        y * (T::ONE - y)
    }

    fn textbook(self, z: f64) -> f64 {
        1.0 / (1.0 + Real::exp(-z))
    }

    fn flops(self) -> u64 {
        12
    }

    fn instances() -> Vec<Self> {
        vec![Sigmoid]
    }
}
