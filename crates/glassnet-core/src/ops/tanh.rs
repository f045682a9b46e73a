//! Hyperbolic tangent: `y = tanh z`, derivative `1 - y^2`.
//!
//! Source: LeCun, Bottou, Orr & Mueller 1998, "Efficient BackProp".

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = tanh z
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tanh;

impl Curve for Tanh {
    fn card(self) -> Card {
        Card {
            name: "tanh",
            family: Family::Activation,
            formula: "y = tanh z",
            derivative: "1 - y^2",
            range: "(-1, 1)",
            used: "small networks; recurrent cells",
            source: "LeCun et al. 1998",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        z.tanh()
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        T::ONE - y * y
    }

    fn textbook(self, z: f64) -> f64 {
        let (a, b) = (Real::exp(z), Real::exp(-z));
        (a - b) / (a + b)
    }

    fn flops(self) -> u64 {
        15
    }

    fn instances() -> Vec<Self> {
        vec![Tanh]
    }
}
