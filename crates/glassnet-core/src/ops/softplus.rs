//! Softplus: `y = ln(1 + exp z)`, computed as `max(z, 0) + ln(1 + exp(-|z|))`.
//!
//! Derivative: `s(z) = 1 - exp(-y)`. Source: Dugas et al. 2001. No threshold: where PyTorch switches to the identity
//! (above 20) the two differ by less than 2.1e-9.

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = ln(1 + exp z)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Softplus;

impl Curve for Softplus {
    fn card(self) -> Card {
        Card {
            name: "softplus",
            family: Family::Activation,
            formula: "y = ln(1 + exp z)",
            derivative: "1 / (1 + exp(-z))",
            range: "(0, inf)",
            used: "positive outputs",
            source: "Dugas et al. 2001",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        let top = if z < T::ZERO { T::ZERO } else { z };
        top + (-z.abs()).exp().ln_1p()
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        -(-y).exp_m1()
    }

    fn textbook(self, z: f64) -> f64 {
        Real::ln(1.0 + Real::exp(z))
    }

    fn flops(self) -> u64 {
        22
    }

    fn instances() -> Vec<Self> {
        vec![Softplus]
    }
}
