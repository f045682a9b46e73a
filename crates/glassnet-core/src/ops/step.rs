//! Rosenblatt's unit: `y = 1` for `z >= 0`, else `0`.
//!
//! Its derivative is 0 wherever it exists, so no gradient flows and it cannot be trained by gradient descent.
//! NaN gives NaN. Source: Rosenblatt 1958, "The perceptron".

use super::curve::{Curve, From};
use super::{Card, Family};
use crate::Real;

/// y = 1 for z >= 0, else 0
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step;

impl Curve for Step {
    fn card(self) -> Card {
        Card {
            name: "step",
            family: Family::Activation,
            formula: "y = 1 for z >= 0, else 0",
            derivative: "0 (none at 0)",
            range: "{0, 1}",
            used: "the perceptron; not trainable by gradients",
            source: "Rosenblatt 1958",
        }
    }

    fn from(self) -> From {
        From::Nothing
    }

    #[inline(always)]
    fn value<T: Real>(self, z: T) -> T {
        if z >= T::ZERO {
            T::ONE
        } else if z.is_nan() {
            z
        } else {
            T::ZERO
        }
    }

    #[inline(always)]
    fn derivative<T: Real>(self, _known: T) -> T {
        T::ZERO
    }

    fn textbook(self, z: f64) -> f64 {
        if z >= 0.0 { 1.0 } else { 0.0 }
    }

    fn flops(self) -> u64 {
        1
    }

    fn kinks(self) -> &'static [f64] {
        &[0.0]
    }

    fn instances() -> Vec<Self> {
        vec![Step]
    }
}
