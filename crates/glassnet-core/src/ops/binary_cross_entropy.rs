//! Binary cross-entropy on logits; of one row the mean over its K outputs.
//!
//! With target t in [0, 1] and weight w of the positive class, `v = 1 + (w - 1) t`:
//! `l = (1 - t) z + v (ln(1 + exp(-|z|)) + max(-z, 0))`, as PyTorch's `binary_cross_entropy_with_logits`; for w = 1 it is
//! `-t ln s(z) - (1 - t) ln(1 - s(z))`, finite for every logit. Shapes: `z [B, K]`, `t [B, K]`, `l [B]`.
//! Gradient: `dz = g ((1 - t) - v s(-z)) / K`; for w = 1 that is `g (s(z) - t) / K`.

use super::pair_loss::{PairLoss, card};
use super::sigmoid::logistic;
use super::{Card, Cost};
use crate::Real;

/// Binary cross-entropy on logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinaryCrossEntropy {
    /// Weight of the positive class (PyTorch's `pos_weight`); 1 by default.
    pub positive_weight: f64,
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        BinaryCrossEntropy { positive_weight: 1.0 }
    }
}

impl BinaryCrossEntropy {
    #[inline(always)]
    fn positive<T: Real>(&self, t: T) -> T {
        T::from_f64(self.positive_weight - 1.0).mul_add(t, T::ONE)
    }
}

impl PairLoss for BinaryCrossEntropy {
    fn card(self) -> Card {
        card(
            "binary_cross_entropy",
            "l = -t ln s(z) - (1 - t) ln(1 - s(z))",
            "dz = (s(z) - t) / K",
            "two classes with one logit; several labels at once",
            "Good 1952",
        )
    }

    fn term<T: Real>(self, z: T, t: T) -> T {
        let below = if z < T::ZERO { -z } else { T::ZERO };
        self.positive(t).mul_add((-z.abs()).exp().ln_1p() + below, (T::ONE - t) * z)
    }

    fn slope<T: Real>(self, z: T, t: T) -> T {
        if self.positive_weight == 1.0 { logistic(z) - t } else { (T::ONE - t) - self.positive(t) * logistic(-z) }
    }

    fn textbook(self, z: f64, t: f64) -> f64 {
        let s = 1.0 / (1.0 + Real::exp(-z));
        -self.positive_weight * t * Real::ln(s) - (1.0 - t) * Real::ln(1.0 - s)
    }

    fn flops(self) -> Cost {
        Cost { forward: 25, backward: 15 }
    }

    fn check(self) -> Result<(), String> {
        if self.positive_weight >= 0.0 && self.positive_weight.is_finite() {
            return Ok(());
        }
        Err(format!("the positive class's weight must be at least 0, but it is {}", self.positive_weight))
    }

    fn instances() -> Vec<Self> {
        vec![BinaryCrossEntropy { positive_weight: 1.0 }, BinaryCrossEntropy { positive_weight: 2.5 }]
    }

    fn targets() -> (f64, f64) {
        (0.0, 1.0)
    }
}
