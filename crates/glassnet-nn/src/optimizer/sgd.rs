//! Stochastic gradient descent: plain, with momentum (Polyak 1964), Nesterov's (Sutskever et al. 2013).
//!
//! ```text
//! g <- g + decay p
//! plain:     p <- p - lr g
//! momentum:  b <- mu b + (1 - dampening) g   (first step: b <- g)      p <- p - lr b
//! Nesterov:  b as above                                                p <- p - lr (g + mu b)
//! ```

use glassnet_kernels::{Kernel, Real, vectorized};
use serde::{Deserialize, Serialize};

use super::Piece;
use crate::hyperparameter::{Allowed, BadHyperparameter, BadHyperparameters, check};

/// Hyperparameters of gradient descent; all 0 or off by default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// mu: the share of the last direction that is kept, in [0, 1).
    pub momentum: f64,
    /// The share of the gradient that is left out of the buffer, in [0, 1].
    pub dampening: f64,
    /// Nesterov's form: looks ahead by one more momentum step. Needs momentum and no dampening.
    pub nesterov: bool,
    /// L2 penalty: `decay * p` is added to the gradient.
    pub weight_decay: f64,
}

impl Sgd {
    pub(super) fn check(&self) -> Result<(), BadHyperparameters> {
        let owner = "sgd";
        check(
            owner,
            &[
                ("momentum", self.momentum, Allowed::ShareBelowOne),
                ("dampening", self.dampening, Allowed::Share),
                ("weight_decay", self.weight_decay, Allowed::NotNegative),
            ],
        )?;
        let bad = |name, value, allowed: &str| {
            Err(BadHyperparameters(vec![BadHyperparameter { owner, name, value, allowed: allowed.to_string() }]))
        };
        if self.nesterov && self.momentum == 0.0 {
            return bad("momentum", self.momentum, "greater than 0 for Nesterov (0.9 is usual)");
        }
        if self.nesterov && self.dampening != 0.0 {
            return bad("dampening", self.dampening, "0 for Nesterov");
        }
        Ok(())
    }

    pub(super) fn moment_names(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["momentum_buffer"] }
    }

    pub(super) fn plain<T: Real>(&self, piece: Piece<'_, T>) {
        let Piece { parameters, gradients, lr, decay, .. } = piece;
        vectorized(Plain { parameters, gradients, minus_lr: T::from_f64(-lr), decay: T::from_f64(decay) });
    }

    pub(super) fn momentum<T: Real>(&self, piece: Piece<'_, T>, buffer: &mut [T]) {
        let Piece { parameters, gradients, lr, decay, step } = piece;
        // At the first step the buffer is the gradient itself, undampened: the same line with other factors.
        let (keep, take) = if step == 1 { (0.0, 1.0) } else { (self.momentum, 1.0 - self.dampening) };
        vectorized(Momentum {
            parameters,
            gradients,
            buffer,
            minus_lr: T::from_f64(-lr),
            decay: T::from_f64(decay),
            keep: T::from_f64(keep),
            take: T::from_f64(take),
            ahead: T::from_f64(self.momentum),
            nesterov: self.nesterov,
        });
    }
}

struct Plain<'a, T> {
    parameters: &'a mut [T],
    gradients: &'a [T],
    minus_lr: T,
    decay: T,
}

impl<T: Real> Kernel for Plain<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (p, &g) in self.parameters.iter_mut().zip(self.gradients) {
            let g = p.mul_add(self.decay, g);
            *p = g.mul_add(self.minus_lr, *p);
        }
    }
}

struct Momentum<'a, T> {
    parameters: &'a mut [T],
    gradients: &'a [T],
    buffer: &'a mut [T],
    minus_lr: T,
    decay: T,
    keep: T,
    take: T,
    ahead: T,
    nesterov: bool,
}

impl<T: Real> Kernel for Momentum<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((p, &g), b) in self.parameters.iter_mut().zip(self.gradients).zip(self.buffer) {
            let g = p.mul_add(self.decay, g);
            *b = g.mul_add(self.take, *b * self.keep);
            let direction = if self.nesterov { b.mul_add(self.ahead, g) } else { *b };
            *p = direction.mul_add(self.minus_lr, *p);
        }
    }
}
