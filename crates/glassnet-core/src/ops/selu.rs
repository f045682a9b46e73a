//! Scaled exponential linear unit: `y = lambda z` for `z > 0`, else `lambda alpha (exp(z) - 1)`, with the two constants
//! for which mean 0 and variance 1 are a fixed point of a layer with LeCun-normal weights.
//!
//! For z <= 0 the derivative is `lambda alpha exp(z) = y + lambda alpha`.
//! Source: Klambauer, Unterthiner, Mayr & Hochreiter 2017, "Self-normalizing neural networks".

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// Scale of both sides.
pub const LAMBDA: f64 = 1.050_700_987_355_480_5;
/// Depth of the floor before scaling.
pub const ALPHA: f64 = 1.673_263_242_354_377_2;

/// y = lambda z for z > 0, else lambda alpha (exp(z) - 1)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selu;

impl Curve for Selu {
    fn card(self) -> Card {
        Card {
            name: "selu",
            family: Family::Activation,
            formula: "y = lambda z for z > 0, else lambda alpha (exp(z) - 1)",
            derivative: "lambda for z > 0, else y + lambda alpha",
            range: "(-1.7581, inf)",
            used: "self-normalising networks with LeCun-normal weights",
            source: "Klambauer et al. 2017",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z > T::ZERO { T::from_f64(LAMBDA) * z } else { T::from_f64(LAMBDA * ALPHA) * z.exp_m1() }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        if y > T::ZERO { T::from_f64(LAMBDA) } else { y + T::from_f64(LAMBDA * ALPHA) }
    }

    fn textbook(self, z: f64) -> f64 {
        LAMBDA * if z > 0.0 { z } else { ALPHA * (Real::exp(z) - 1.0) }
    }

    fn flops(self) -> u64 {
        13
    }

    fn kinks(self) -> &'static [f64] {
        &[0.0]
    }

    fn instances() -> Vec<Self> {
        vec![Selu]
    }
}
