//! Gaussian error linear unit, exact form: `y = z Phi(z)`, `Phi(z) = (1 + erf(z / sqrt 2)) / 2`.
//!
//! Derivative: `Phi(z) + z phi(z)`, `phi(z) = exp(-z^2 / 2) / sqrt(2 pi)`. Its minimum is -0.169971 at z = -0.751792.
//! Source: Hendrycks & Gimpel 2016.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// sqrt(2 pi)
const SQRT_TAU: f64 = 2.506_628_274_631_000_5;

/// Phi(z), the standard normal distribution function.
#[inline(always)]
fn normal_cdf<T: Real>(z: T) -> T {
    let half = T::from_f64(0.5);
    half.mul_add((z * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf(), half)
}

/// y = z Phi(z)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gelu;

impl Curve for Gelu {
    fn card(self) -> Card {
        Card {
            name: "gelu",
            family: Family::Activation,
            formula: "y = z Phi(z)",
            derivative: "Phi(z) + z phi(z)",
            range: "[-0.16998, inf)",
            used: "transformers",
            source: "Hendrycks & Gimpel 2016",
        }
    }

    fn from(self) -> From {
        From::Input
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z * normal_cdf(z)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let density = (z * z * T::from_f64(-0.5)).exp() * T::from_f64(1.0 / SQRT_TAU);
        z.mul_add(density, normal_cdf(z))
    }

    fn textbook(self, z: f64) -> f64 {
        0.5 * z * (1.0 + Real::erf(z / Real::sqrt(2.0_f64)))
    }

    fn flops(self) -> u64 {
        25
    }

    fn instances() -> Vec<Self> {
        vec![Gelu]
    }
}
