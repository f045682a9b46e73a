//! Absolute error: of one row, `l = (1/K) sum_k |y_k - t_k|`, as PyTorch's `l1_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `g sign(y_k - t_k) / K`, 0 where they are equal. Source: Laplace 1774.

use super::pair_loss::{PairLoss, card};
use super::{Card, Cost};
use crate::Real;

/// l = (1/K) sum_k |y_k - t_k|
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanAbsolute;

impl PairLoss for MeanAbsolute {
    fn card(self) -> Card {
        card(
            "mean_absolute",
            "l = (1/K) sum_k |y_k - t_k|",
            "sign(y_k - t_k) / K, 0 at 0",
            "regression with outliers; predicts the median",
            "Laplace 1774",
        )
    }

    fn term<T: Real>(self, y: T, t: T) -> T {
        (y - t).abs()
    }

    fn slope<T: Real>(self, y: T, t: T) -> T {
        let e = y - t;
        if e > T::ZERO {
            T::ONE
        } else if e < T::ZERO {
            -T::ONE
        } else {
            // 0 stays 0 and NaN stays NaN.
            e
        }
    }

    fn textbook(self, y: f64, t: f64) -> f64 {
        if y >= t { y - t } else { t - y }
    }

    fn flops(self) -> Cost {
        Cost { forward: 2, backward: 2 }
    }

    fn instances() -> Vec<Self> {
        vec![MeanAbsolute]
    }

    fn kinks(self) -> Vec<f64> {
        vec![0.0]
    }
}
