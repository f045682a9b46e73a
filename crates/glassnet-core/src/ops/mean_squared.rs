//! Squared error: of one row, `l = (1/K) sum_k (y_k - t_k)^2` over its K outputs; the mean over all elements once the rows
//! are averaged, as PyTorch's `mse_loss`.
//!
//! Shapes: `y [B, K]`, `t [B, K]`, `l [B]`. Gradient: `dy_k = g 2 (y_k - t_k) / K`. Source: Gauss 1809.

use super::pair_loss::{PairLoss, card};
use super::{Card, Cost};
use crate::Real;

/// l = (1/K) sum_k (y_k - t_k)^2
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSquared;

impl PairLoss for MeanSquared {
    fn card(self) -> Card {
        card("mean_squared", "l = (1/K) sum_k (y_k - t_k)^2", "2 (y_k - t_k) / K", "regression", "Gauss 1809")
    }

    fn term<T: Real>(self, y: T, t: T) -> T {
        (y - t) * (y - t)
    }

    fn slope<T: Real>(self, y: T, t: T) -> T {
        T::from_f64(2.0) * (y - t)
    }

    fn textbook(self, y: f64, t: f64) -> f64 {
        y * y - 2.0 * y * t + t * t
    }

    fn flops(self) -> Cost {
        Cost { forward: 3, backward: 3 }
    }

    fn instances() -> Vec<Self> {
        vec![MeanSquared]
    }
}
