//! RMSprop (Tieleman and Hinton 2012; centered: Graves 2013): each parameter's step is divided by the running root mean
//! square of its gradient.
//!
//! ```text
//! g <- g + decay p
//! s <- alpha s + (1 - alpha) g^2
//! centered:  a <- a + (1 - alpha) (g - a)      d = sqrt(s - a^2) + eps       otherwise  d = sqrt(s) + eps
//! momentum:  b <- mu b + g / d                 p <- p - lr b                 otherwise  p <- p - lr g / d
//! ```

use glassnet_kernels::{Kernel, Real, vectorized};
use serde::{Deserialize, Serialize};

use super::Piece;
use super::adam::lerp;
use crate::hyperparameter::{Allowed, BadHyperparameters, check};

/// Hyperparameters of RMSprop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Share of the running mean that is kept (0.99).
    pub alpha: f64,
    /// Added to the root, against division by 0 (1e-8).
    pub eps: f64,
    /// L2 penalty: `decay * p` is added to the gradient (0).
    pub weight_decay: f64,
    /// mu: momentum of the divided gradients (0).
    pub momentum: f64,
    /// Divides by the running standard deviation in place of the root mean square (off).
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp { alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0, centered: false }
    }
}

impl RmsProp {
    pub(super) fn check(&self) -> Result<(), BadHyperparameters> {
        check(
            "rmsprop",
            &[
                ("alpha", self.alpha, Allowed::ShareBelowOne),
                ("eps", self.eps, Allowed::Positive),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
                ("momentum", self.momentum, Allowed::ShareBelowOne),
            ],
        )
    }

    pub(super) fn moment_names(&self) -> &'static [&'static str] {
        match (self.centered, self.momentum != 0.0) {
            (false, false) => &["square_avg"],
            (true, false) => &["square_avg", "grad_avg"],
            (false, true) => &["square_avg", "momentum_buffer"],
            (true, true) => &["square_avg", "grad_avg", "momentum_buffer"],
        }
    }

    /// `moments` as [`Self::moment_names`] lists them.
    pub(super) fn update<T: Real>(&self, piece: Piece<'_, T>, moments: [&mut [T]; 3]) {
        let Piece { parameters, gradients, lr, decay, .. } = piece;
        let [square, second, third] = moments;
        let (mean, buffer) = if self.centered { (second, third) } else { (Default::default(), second) };
        vectorized(Update {
            parameters,
            gradients,
            square,
            mean,
            buffer,
            minus_lr: T::from_f64(-lr),
            decay: T::from_f64(decay),
            alpha: T::from_f64(self.alpha),
            fresh: T::from_f64(1.0 - self.alpha),
            fresh_is_small: 1.0 - self.alpha < 0.5,
            eps: T::from_f64(self.eps),
            mu: T::from_f64(self.momentum),
        });
    }
}

struct Update<'a, T> {
    parameters: &'a mut [T],
    gradients: &'a [T],
    square: &'a mut [T],
    /// Empty unless centered.
    mean: &'a mut [T],
    /// Empty without momentum.
    buffer: &'a mut [T],
    minus_lr: T,
    decay: T,
    alpha: T,
    fresh: T,
    fresh_is_small: bool,
    eps: T,
    mu: T,
}

impl<T: Real> Kernel for Update<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // One length for all slices, so that the loop below carries no bounds checks.
        let n = self.parameters.len();
        let (p, g, s) = (&mut self.parameters[..n], &self.gradients[..n], &mut self.square[..n]);
        let centered = !self.mean.is_empty();
        let with_momentum = !self.buffer.is_empty();
        let mean = if centered { &mut self.mean[..n] } else { self.mean };
        let buffer = if with_momentum { &mut self.buffer[..n] } else { self.buffer };
        for i in 0..n {
            let g = p[i].mul_add(self.decay, g[i]);
            s[i] = (g * self.fresh).mul_add(g, s[i] * self.alpha);
            let variance = if centered {
                mean[i] = lerp(mean[i], g, self.fresh, self.fresh_is_small);
                let variance = (-mean[i]).mul_add(mean[i], s[i]);
                // A gradient that never changes has variance 0, which rounding can push below; its root would be NaN.
                if variance < T::ZERO { T::ZERO } else { variance }
            } else {
                s[i]
            };
            let divisor = variance.sqrt() + self.eps;
            p[i] = if with_momentum {
                buffer[i] = buffer[i] * self.mu + g / divisor;
                buffer[i].mul_add(self.minus_lr, p[i])
            } else {
                p[i] + (g * self.minus_lr) / divisor
            };
        }
    }
}
