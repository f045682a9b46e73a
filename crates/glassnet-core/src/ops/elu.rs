//! Exponential linear unit: `y = z` for `z > 0`, else `alpha (exp(z) - 1)`.
//!
//! For z <= 0 the derivative is `alpha exp(z) = y + alpha`. Source: Clevert, Unterthiner & Hochreiter 2015.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = z for z > 0, else alpha (exp(z) - 1)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elu {
    /// Depth of the floor; must be positive (1 by default).
    pub alpha: f64,
}

impl Curve for Elu {
    fn card(self) -> Card {
        Card {
            name: "elu",
            family: Family::Activation,
            formula: "y = z for z > 0, else alpha (exp(z) - 1)",
            derivative: "1 for z > 0, else y + alpha",
            range: "(-alpha, inf)",
            used: "hidden layers with activations near mean zero",
            source: "Clevert et al. 2015",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z > T::ZERO { z } else { T::from_f64(self.alpha) * z.exp_m1() }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        if y > T::ZERO { T::ONE } else { y + T::from_f64(self.alpha) }
    }

    fn textbook(self, z: f64) -> f64 {
        if z > 0.0 { z } else { self.alpha * (Real::exp(z) - 1.0) }
    }

    fn flops(self) -> u64 {
        12
    }

    fn kinks(self) -> &'static [f64] {
        &[0.0]
    }

    fn check(self) -> Result<(), String> {
        // The derivative is told from the output's sign.
        if self.alpha > 0.0 && self.alpha.is_finite() {
            return Ok(());
        }
        Err(format!("elu's alpha must be positive, but it is {}", self.alpha))
    }

    fn instances() -> Vec<Self> {
        vec![Elu { alpha: 1.0 }, Elu { alpha: 0.5 }]
    }
}
