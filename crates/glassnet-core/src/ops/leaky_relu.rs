//! Leaky rectified linear unit: `y = z` for `z > 0`, else `slope z`.
//!
//! The derivative at exactly 0 is the slope, as PyTorch's. Source: Maas, Hannun & Ng 2013.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = z for z > 0, else slope z
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeakyRelu {
    /// Slope below zero; PyTorch's default is 0.01.
    pub slope: f64,
}

impl Curve for LeakyRelu {
    fn card(self) -> Card {
        Card {
            name: "leaky_relu",
            family: Family::Activation,
            formula: "y = z for z > 0, else slope z",
            derivative: "1 for z > 0, else slope",
            range: "(-inf, inf)",
            used: "hidden layers where ReLU units die",
            source: "Maas et al. 2013",
        }
    }

    fn from(self) -> From {
        // The sign of y tells the sign of z only where the slope is positive.
        if self.slope > 0.0 { From::Output } else { From::Input }
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z > T::ZERO { z } else { T::from_f64(self.slope) * z }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, known: T) -> T {
        if known > T::ZERO { T::ONE } else { T::from_f64(self.slope) }
    }

    fn textbook(self, z: f64) -> f64 {
        if z > 0.0 { z } else { self.slope * z }
    }

    fn flops(self) -> u64 {
        2
    }

    fn kinks(self) -> &'static [f64] {
        &[0.0]
    }

    fn check(self) -> Result<(), String> {
        if self.slope.is_finite() {
            return Ok(());
        }
        Err(format!("leaky_relu's slope must be a number, but it is {}", self.slope))
    }

    fn instances() -> Vec<Self> {
        vec![LeakyRelu { slope: 0.01 }, LeakyRelu { slope: 0.2 }, LeakyRelu { slope: -0.5 }]
    }
}
