//! Clipping: keeps one bad batch from throwing the weights far away.
//!
//! *By norm* (Pascanu, Mikolov, Bengio 2013): when the norm of all gradients together exceeds `max`, all are multiplied by
//! `max / (norm + 1e-6)`, so that their direction stays; PyTorch's `clip_grad_norm_`. *By value*: each element is cut to
//! [-max, max], which turns the direction.

use glassnet_core::Team;
use glassnet_core::slots::Slots;
use glassnet_kernels::{Kernel, Real, vectorized};
use serde::{Deserialize, Serialize};

use crate::hyperparameter::{Allowed, BadHyperparameters, check};
use crate::norm::{self, sum_of_squares};

/// Elements that are worth a thread.
const PART: usize = 1 << 15;

/// How gradients are clipped.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Clip {
    /// Not at all.
    #[default]
    None,
    /// The norm of all gradients together is at most `max`.
    Norm {
        /// Largest norm, > 0.
        max: f64,
    },
    /// Each element is in [-max, max].
    Value {
        /// Largest magnitude, > 0.
        max: f64,
    },
}

impl Clip {
    /// Checks `max`.
    pub fn check(&self) -> Result<(), BadHyperparameters> {
        match *self {
            Clip::None => Ok(()),
            Clip::Norm { max } => check("clip by norm", &[("max", max, Allowed::Positive)]),
            Clip::Value { max } => check("clip by value", &[("max", max, Allowed::Positive)]),
        }
    }

    /// Clips in place and returns the norm that the gradients had before. Where that norm is not finite nothing is
    /// changed: the caller stops the run and says where the first bad value was. Allocates nothing.
    ///
    /// ```
    /// use glassnet_nn::clip::Clip;
    /// let mut gradients = [3.0, 4.0];
    /// assert_eq!(Clip::Norm { max: 1.0 }.apply(&mut gradients), 5.0);
    /// assert_eq!(gradients, [3.0 * (1.0 / 5.000001), 4.0 * (1.0 / 5.000001)]);
    /// ```
    pub fn apply<T: Real>(&self, gradients: &mut [T]) -> f64 {
        let norm = global_norm(gradients);
        self.cut(norm, gradients);
        norm
    }

    /// As [`Clip::apply`] on gradients of that layout: what stands in the place of statistics (running means) is no
    /// gradient, and neither counts nor changes. Weights of two axes and at least 65,536 elements are summed in tiles of
    /// 64 x 256.
    pub fn apply_to<T: Real>(&self, slots: &Slots, gradients: &mut [T]) -> f64 {
        self.apply_by(&Team::single(), slots, gradients, &mut Vec::new())
    }

    /// The same on the team's threads: the same bytes. `room` holds the sums of blocks; it grows at the first call, where
    /// it must.
    pub fn apply_by<T: Real>(&self, team: &Team, slots: &Slots, gradients: &mut [T], room: &mut Vec<f64>) -> f64 {
        if team.threads() > 1 && room.is_empty() {
            room.resize(norm::room(slots), 0.0);
        }
        let norm = norm::norm(team, slots, gradients, room);
        if *self != Clip::None {
            for piece in norm::pieces(slots) {
                team.split_rows(&mut gradients[piece.range], 1, PART, &|_, gradients| self.cut(norm, gradients));
            }
        }
        norm
    }

    fn cut<T: Real>(&self, norm: f64, gradients: &mut [T]) {
        if !norm.is_finite() {
            return;
        }
        match *self {
            Clip::None => {}
            Clip::Norm { max } => {
                let coefficient = max / (norm + 1e-6);
                if coefficient < 1.0 {
                    vectorized(Scale { gradients, factor: T::from_f64(coefficient) });
                }
            }
            Clip::Value { max } => vectorized(Cut { gradients, max: T::from_f64(max) }),
        }
    }
}

/// The Euclidean norm of all gradients together, accumulated in f64. The same bytes for any number of threads: blocks of
/// 4,096 elements, sixteen chains in each, blocks added in order.
pub fn global_norm<T: Real>(gradients: &[T]) -> f64 {
    sum_of_squares(gradients).sqrt()
}

struct Scale<'a, T> {
    gradients: &'a mut [T],
    factor: T,
}

impl<T: Real> Kernel for Scale<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for g in self.gradients {
            *g *= self.factor;
        }
    }
}

struct Cut<'a, T> {
    gradients: &'a mut [T],
    max: T,
}

impl<T: Real> Kernel for Cut<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for g in self.gradients {
            let low = if *g < -self.max { -self.max } else { *g };
            *g = if low > self.max { self.max } else { low };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_is_that_of_the_plain_sum() {
        for n in [0_usize, 1, 15, 16, 17, 4095, 4096, 4097, 10_000] {
            let x: Vec<f64> = (0..n).map(|i| ((i * 37 % 101) as f64 - 50.0) / 7.0).collect();
            let plain = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((global_norm(&x) - plain).abs() <= 1e-12 * plain.max(1.0), "{n}");
        }
    }

    #[test]
    fn a_norm_within_the_limit_changes_nothing() {
        let mut g = [3.0_f32, 4.0];
        assert_eq!(Clip::Norm { max: 5.1 }.apply(&mut g), 5.0);
        assert_eq!(g, [3.0, 4.0]);
        assert_eq!(Clip::None.apply(&mut g), 5.0);
        assert_eq!(g, [3.0, 4.0]);
    }

    #[test]
    fn by_value_each_element_is_cut_and_the_norm_is_the_old_one() {
        let mut g = [3.0_f32, -4.0, 0.5, -0.5];
        let norm = Clip::Value { max: 1.0 }.apply(&mut g);
        assert!((norm - 25.5_f64.sqrt()).abs() < 1e-12);
        assert_eq!(g, [1.0, -1.0, 0.5, -0.5]);
    }

    #[test]
    fn statistics_neither_count_nor_change() {
        use glassnet_core::slots::Role;
        let mut slots = Slots::default();
        for (name, role) in
            [("m", Role::RunningMean), ("w", Role::Weight), ("v", Role::RunningVariance), ("b", Role::Bias)]
        {
            slots.push(name, &[1], role);
        }
        let mut g = [100.0, 3.0, 7.0, 4.0];
        assert_eq!(Clip::Norm { max: 1.0 }.apply_to(&slots, &mut g), 5.0);
        assert_eq!(g, [100.0, 3.0 * (1.0 / 5.000001), 7.0, 4.0 * (1.0 / 5.000001)]);
        let mut plain = Slots::default();
        plain.push("w", &[5000], Role::Weight);
        plain.push("b", &[77], Role::Bias);
        let g: Vec<f32> = (0..5077).map(|i| (i % 17) as f32 - 3.3).collect();
        assert_eq!(Clip::None.apply_to(&plain, &mut g.clone()), global_norm(&g), "the same blocks");
    }

    #[test]
    fn what_is_not_finite_is_left_for_the_caller_to_see() {
        let mut g = [3.0_f64, f64::NAN, 8.0];
        assert!(Clip::Norm { max: 1.0 }.apply(&mut g).is_nan());
        assert_eq!((g[0], g[2]), (3.0, 8.0));
        let mut g = [3.0_f64, f64::INFINITY];
        assert_eq!(Clip::Value { max: 1.0 }.apply(&mut g), f64::INFINITY);
        assert_eq!(g, [3.0, f64::INFINITY]);
    }

    #[test]
    fn f32_gradients_do_not_overflow_the_norm() {
        let mut g = [1e30_f32, 1e30];
        let norm = Clip::Norm { max: 1.0 }.apply(&mut g);
        assert!((norm / 2.0_f64.sqrt() - 1e30).abs() < 1e24);
        assert!((global_norm(&g) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_limit_must_be_positive() {
        let message = Clip::Norm { max: 0.0 }.check().unwrap_err().to_string();
        assert_eq!(message, "clip by norm: max = 0: must be greater than 0");
        assert!(Clip::Value { max: 0.5 }.check().is_ok());
    }
}
