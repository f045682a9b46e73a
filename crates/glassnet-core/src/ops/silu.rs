//! Sigmoid linear unit (swish): `y = z s(z)`, `s(z) = 1 / (1 + exp(-z))`.
//!
//! Derivative: `s (1 + z (1 - s))`. Its minimum is -0.278465 at z = -1.278465.
//! Source: Elfwing, Uchibe & Doya 2017; Ramachandran, Zoph & Le 2017.

use super::curve::{Curve, From};
use super::sigmoid::logistic;
use super::{Card, Family};
use crate::Real;

/// y = z s(z), s(z) = 1 / (1 + exp(-z))
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silu;

impl Curve for Silu {
    fn card(self) -> Card {
        Card {
            name: "silu",
            family: Family::Activation,
            formula: "y = z s(z), s(z) = 1 / (1 + exp(-z))",
            derivative: "s (1 + z (1 - s))",
            range: "[-0.27847, inf)",
            used: "deep networks; the gate of SwiGLU",
            source: "Elfwing et al. 2017",
        }
    }

    fn from(self) -> From {
        From::Input
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z * logistic(z)
    }

    #[inline(always)]
    fn derivative<T: Real>(self, z: T) -> T {
        let s = logistic(z);
        s * z.mul_add(T::ONE - s, T::ONE)
    }

    fn textbook(self, z: f64) -> f64 {
        z / (1.0 + Real::exp(-z))
    }

    fn flops(self) -> u64 {
        14
    }

    fn instances() -> Vec<Self> {
        vec![Silu]
    }
}
