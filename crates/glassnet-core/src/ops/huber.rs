//! Huber loss: of one row the mean over its outputs of `e^2 / 2` for `|e| <= delta`, else `delta (|e| - delta / 2)`,
//! `e = y - t`, as PyTorch's `huber_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `e` clipped to +-delta, over K. Source: Huber 1964.

use super::pair_loss::{PairLoss, card};
use super::{Card, Cost};
use crate::Real;

/// l = mean of e^2/2 for |e| <= delta, else delta (|e| - delta/2)
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Huber {
    /// Where the parabola becomes a line; positive.
    pub delta: f64,
}

impl PairLoss for Huber {
    fn card(self) -> Card {
        card(
            "huber",
            "l = mean of e^2/2 for |e| <= delta, else delta (|e| - delta/2)",
            "clip(e, -delta, delta) / K",
            "regression with some outliers",
            "Huber 1964",
        )
    }

    fn term<T: Real>(self, y: T, t: T) -> T {
        let (size, delta, half) = ((y - t).abs(), T::from_f64(self.delta), T::from_f64(0.5));
        if size <= delta { half * size * size } else { delta * (size - half * delta) }
    }

    fn slope<T: Real>(self, y: T, t: T) -> T {
        let (e, delta) = (y - t, T::from_f64(self.delta));
        if e > delta {
            delta
        } else if e < -delta {
            -delta
        } else {
            e
        }
    }

    fn textbook(self, y: f64, t: f64) -> f64 {
        let (e, delta) = ((y - t).abs(), self.delta);
        if e <= delta { e * e / 2.0 } else { delta * (e - delta / 2.0) }
    }

    fn flops(self) -> Cost {
        Cost { forward: 4, backward: 4 }
    }

    fn check(self) -> Result<(), String> {
        if self.delta > 0.0 && self.delta.is_finite() {
            return Ok(());
        }
        Err(format!("huber's delta must be positive, but it is {}", self.delta))
    }

    fn instances() -> Vec<Self> {
        vec![Huber { delta: 1.0 }, Huber { delta: 0.5 }]
    }

    fn kinks(self) -> Vec<f64> {
        vec![-self.delta, self.delta]
    }
}
