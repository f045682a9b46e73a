//! Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019).
//!
//! ```text
//! Adam:   g <- g + decay p            AdamW:  p <- p (1 - lr decay)
//! m <- m + (1 - beta1) (g - m)
//! v <- beta2 v + (1 - beta2) g^2
//! p <- p - lr / (1 - beta1^t)  *  m / (sqrt(v) / sqrt(1 - beta2^t) + eps)        t = 1, 2, ...
//! ```
//!
//! The powers undo the pull of the moments' start at 0: `E[m] = (1 - beta1^t) E[g]` when gradients have one mean. In Adam
//! the decay goes through the division and so weighs least where gradients are large; AdamW shrinks all weights alike.

use glassnet_kernels::{Kernel, Real, vectorized};
use serde::{Deserialize, Serialize};

use super::Piece;
use crate::hyperparameter::{Allowed, BadHyperparameters, check};

/// First and second moment.
pub(super) const MOMENTS: &[&str] = &["exp_avg", "exp_avg_sq"];

/// Hyperparameters of Adam.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// Share of the first moment that is kept (0.9).
    pub beta1: f64,
    /// Share of the second moment that is kept (0.999).
    pub beta2: f64,
    /// Added to the root, against division by 0 (1e-8).
    pub eps: f64,
    /// L2 penalty: `decay * p` is added to the gradient (0).
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Adam { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

/// Hyperparameters of AdamW.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// Share of the first moment that is kept (0.9).
    pub beta1: f64,
    /// Share of the second moment that is kept (0.999).
    pub beta2: f64,
    /// Added to the root, against division by 0 (1e-8).
    pub eps: f64,
    /// Each step multiplies weights by `1 - lr * decay` (0.01).
    pub weight_decay: f64,
}

impl Default for AdamW {
    fn default() -> Self {
        AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

impl Adam {
    pub(super) fn check(&self) -> Result<(), BadHyperparameters> {
        check_betas("adam", self.beta1, self.beta2, self.eps, self.weight_decay)
    }

    pub(super) fn update<T: Real>(&self, piece: Piece<'_, T>, m: &mut [T], v: &mut [T]) {
        let factors = Factors::new(self.beta1, self.beta2, self.eps, &piece);
        let decay = T::from_f64(piece.decay);
        vectorized(Update { piece, m, v, factors, decay, shrink: T::ONE });
    }
}

impl AdamW {
    pub(super) fn check(&self) -> Result<(), BadHyperparameters> {
        check_betas("adamw", self.beta1, self.beta2, self.eps, self.weight_decay)
    }

    pub(super) fn update<T: Real>(&self, piece: Piece<'_, T>, m: &mut [T], v: &mut [T]) {
        let factors = Factors::new(self.beta1, self.beta2, self.eps, &piece);
        let shrink = T::from_f64(1.0 - piece.lr * piece.decay);
        vectorized(Update { piece, m, v, factors, decay: T::ZERO, shrink });
    }
}

fn check_betas(owner: &'static str, beta1: f64, beta2: f64, eps: f64, decay: f64) -> Result<(), BadHyperparameters> {
    check(
        owner,
        &[
            ("beta1", beta1, Allowed::ShareBelowOne),
            ("beta2", beta2, Allowed::ShareBelowOne),
            ("eps", eps, Allowed::Positive),
            ("weight_decay", decay, Allowed::NotNegative),
        ],
    )
}

/// `from + weight (to - from)`, from the end that is nearer: PyTorch's `lerp`. `small`: weight < 1/2.
#[inline(always)]
pub(super) fn lerp<T: Real>(from: T, to: T, weight: T, small: bool) -> T {
    if small { weight.mul_add(to - from, from) } else { to - (to - from) * (T::ONE - weight) }
}

/// What a step's formulas take from the hyperparameters: worked out in f64, rounded once.
struct Factors<T> {
    fresh1: T,
    fresh1_is_small: bool,
    beta2: T,
    fresh2: T,
    /// sqrt(1 - beta2^t).
    root: T,
    eps: T,
    /// -lr / (1 - beta1^t).
    minus_rate: T,
}

impl<T: Real> Factors<T> {
    fn new(beta1: f64, beta2: f64, eps: f64, piece: &Piece<'_, T>) -> Self {
        let t = piece.step as f64;
        // The trait's pow is for positive bases; a beta of 0 forgets everything, and its correction is 1.
        let correction = |beta: f64| if beta == 0.0 { 1.0 } else { 1.0 - Real::pow(beta, t) };
        Factors {
            fresh1: T::from_f64(1.0 - beta1),
            fresh1_is_small: 1.0 - beta1 < 0.5,
            beta2: T::from_f64(beta2),
            fresh2: T::from_f64(1.0 - beta2),
            root: T::from_f64(correction(beta2).sqrt()),
            eps: T::from_f64(eps),
            minus_rate: T::from_f64(-(piece.lr / correction(beta1))),
        }
    }
}

struct Update<'a, T> {
    piece: Piece<'a, T>,
    m: &'a mut [T],
    v: &'a mut [T],
    factors: Factors<T>,
    /// Coupled decay: added to the gradient.
    decay: T,
    /// Decoupled decay: multiplies the parameter.
    shrink: T,
}

impl<T: Real> Kernel for Update<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Update { piece, m, v, factors: f, decay, shrink } = self;
        for (((p, &g), m), v) in piece.parameters.iter_mut().zip(piece.gradients).zip(m).zip(v) {
            let g = p.mul_add(decay, g);
            *m = lerp(*m, g, f.fresh1, f.fresh1_is_small);
            *v = (g * f.fresh2).mul_add(g, *v * f.beta2);
            let divisor = v.sqrt() / f.root + f.eps;
            *p = *p * shrink + (*m * f.minus_rate) / divisor;
        }
    }
}
