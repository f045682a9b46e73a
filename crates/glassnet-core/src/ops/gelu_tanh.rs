//! GELU's tanh form: `y = z (1 + tanh u) / 2`, `u = sqrt(2 / pi) (z + 0.044715 z^3)`.
//!
//! Derivative: `(1 + t) / 2 + z (1 - t^2) u' / 2`, `t = tanh u`, `u' = sqrt(2 / pi) (1 + 0.134145 z^2)`.
//! Source: Hendrycks & Gimpel 2016; it is what GPT-2 uses. It differs from the exact form by up to 5e-4.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// sqrt(2 / pi)
const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// Factor of the cubic term.
const CUBIC: f64 = 0.044_715;

/// u(z)
#[inline(always)]
fn inner<T: Real>(z: T) -> T {
    T::from_f64(SQRT_2_OVER_PI) * z * (z * z).mul_add(T::from_f64(CUBIC), T::ONE)
}

/// y = z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GeluTanh;

impl Curve for GeluTanh {
    fn card(self) -> Card {
        Card {
            name: "gelu_tanh",
            family: Family::Activation,
            formula: "y = z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2",
            derivative: "(1 + t) / 2 + z (1 - t^2) u' / 2",
            range: "[-0.17004, inf)",
            used: "GPT-2 and its kin",
            source: "Hendrycks & Gimpel 2016",
        }
    }

    fn from(self) -> From {
        From::Input
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let half = T::from_f64(0.5);
        z * half.mul_add(inner(z).tanh(), half)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let half = T::from_f64(0.5);
        let t = inner(z).tanh();
        let slope = T::from_f64(SQRT_2_OVER_PI) * (z * z).mul_add(T::from_f64(3.0 * CUBIC), T::ONE);
        half * z * (T::ONE - t * t) * slope + half.mul_add(t, half)
    }

    fn textbook(self, z: f64) -> f64 {
        0.5 * z * (1.0 + Real::tanh(SQRT_2_OVER_PI * (z + CUBIC * z * z * z)))
    }

    fn flops(self) -> u64 {
        25
    }

    fn instances() -> Vec<Self> {
        vec![GeluTanh]
    }
}
