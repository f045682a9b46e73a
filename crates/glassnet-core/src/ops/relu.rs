//! Rectified linear unit: `y = max(0, z)`.
//!
//! The derivative at exactly 0 is 0, as PyTorch's. NaN passes on. Source: Nair & Hinton 2010.
//!
//! ```
//! use glassnet_core::ops::{curve::Curve, relu::Relu};
//!
//! assert_eq!([-1.5, 0.0, 2.0].map(|z| Relu.value(z)), [0.0, 0.0, 2.0]);
//! assert_eq!([-1.5, 0.0, 2.0].map(|y| Relu.derivative(y)), [0.0, 0.0, 1.0]);
//! ```

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = max(0, z)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Relu;

impl Curve for Relu {
    fn card(self) -> Card {
        Card {
            name: "relu",
            family: Family::Activation,
            formula: "y = max(0, z)",
            derivative: "1 for z > 0, else 0",
            range: "[0, inf)",
            used: "the default of hidden layers",
            source: "Nair & Hinton 2010",
        }
    }

    fn from(self) -> From {
        From::Output
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z <= T::ZERO { T::ZERO } else { z }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, y: T) -> T {
        if y > T::ZERO { T::ONE } else { T::ZERO }
    }

    fn textbook(self, z: f64) -> f64 {
        if z > 0.0 { z } else { 0.0 }
    }

    fn flops(self) -> u64 {
        1
    }

    fn kinks(self) -> &'static [f64] {
        &[0.0]
    }

    fn instances() -> Vec<Self> {
        vec![Relu]
    }
}
