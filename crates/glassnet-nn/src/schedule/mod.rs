//! Learning-rate schedules: the rate as a function of the step.
//!
//! With `r` the base rate, `t` the step (from 0) and `n` the number of steps of the run, warm-up excluded from both:
//!
//! ```text
//! constant   r
//! step       r factor^floor(epoch / every)                           epoch from 0, warm-up included
//! cosine     r (floor + (1 - floor) (1 + cos(pi t / n)) / 2)         Loshchilov and Hutter 2017
//! onecycle   r/start up to r over the first `rise` of the steps, then down to r/start/end, both along half a cosine
//!            (Smith and Topin 2018; PyTorch's OneCycleLR; momentum stays as it is)
//! coslog4    r (1 - cos(2 pi log2(1 + 15 t / n))) / 2                four waves, each twice as long as the one before, 0 at
//!            t / n = 0, 1/15, 1/5, 7/15, 1 (Holzmueller et al. 2024): a run must not be cut in the middle of one
//! flat_cos   r (1 + cos(pi (max(1, 2 t / n) - 1))) / 2               r for half of the steps, then half a cosine to 0
//! plateau    r, times factor whenever the validation loss has not fallen for more than `patience` epochs
//!            (PyTorch's ReduceLROnPlateau)
//! warm-up    at step t of w: (t + 1) / w of what the schedule says at its own start
//! ```
//!
//! All but plateau are pure functions of the step; plateau has a small state that is saved with a checkpoint.

mod text;

pub use text::{NAMES, ScheduleError};

use glassnet_kernels::Real;
use serde::{Deserialize, Serialize};

use crate::hyperparameter::{Allowed, BadHyperparameters, check};

/// A schedule as a person writes it: an optional linear warm-up, then a shape. Its text form is also its form in files: `"warmup 500 -> cosine"`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleSpec {
    /// Steps of the warm-up; 0: none.
    pub warmup: u64,
    /// What follows it.
    pub shape: Shape,
}

/// The shape of the rate after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Shape {
    /// The base rate throughout.
    #[default]
    Constant,
    /// Multiplied by `factor` after every `every` epochs (PyTorch's StepLR).
    Step {
        /// Epochs between changes.
        every: u64,
        /// What the rate is multiplied by, in (0, 1].
        factor: f64,
    },
    /// Half a cosine from the base rate to `floor` times it.
    Cosine {
        /// Rate at the end as a share of the base rate, in [0, 1].
        floor: f64,
    },
    /// Up and down again within the run; the base rate is the peak.
    OneCycle {
        /// Share of the steps that rise, in (0, 1) (0.3).
        rise: f64,
        /// The first rate is the peak divided by this (25).
        start: f64,
        /// The last rate is the first divided by this (10,000).
        end: f64,
    },
    /// Four waves from 0 to the base rate and back, each twice as long as the one before.
    CosLog4,
    /// The base rate for half of the steps, then half a cosine to 0.
    FlatCos,
    /// Reduced when the validation loss stands still.
    Plateau {
        /// Epochs without a gain that are borne (10).
        patience: u64,
        /// What the rate is multiplied by, in (0, 1) (0.1).
        factor: f64,
        /// A gain is a loss below `best * (1 - threshold)` (1e-4).
        threshold: f64,
        /// Epochs after a reduction in which nothing counts against patience (0).
        cooldown: u64,
        /// The rate never falls below this (0).
        min_lr: f64,
    },
}

impl Shape {
    /// PyTorch's OneCycleLR: 30 % rise, peak / 25 at the start, a 10,000th of that at the end.
    pub const ONE_CYCLE: Shape = Shape::OneCycle { rise: 0.3, start: 25.0, end: 1e4 };
    /// PyTorch's ReduceLROnPlateau.
    pub const PLATEAU: Shape = Shape::Plateau { patience: 10, factor: 0.1, threshold: 1e-4, cooldown: 0, min_lr: 0.0 };
}

impl ScheduleSpec {
    /// Checks every number; the error has one line for each bad one.
    pub fn check(&self) -> Result<(), BadHyperparameters> {
        match self.shape {
            Shape::Constant | Shape::CosLog4 | Shape::FlatCos => Ok(()),
            Shape::Step { every, factor } => check(
                "schedule step",
                &[("every", every as f64, Allowed::AtLeastOne), ("factor", factor, Allowed::PositiveShare)],
            ),
            Shape::Cosine { floor } => check("schedule cosine", &[("floor", floor, Allowed::Share)]),
            Shape::OneCycle { rise, start, end } => check(
                "schedule onecycle",
                &[
                    ("rise", rise, Allowed::InsideUnit),
                    ("start", start, Allowed::AtLeastOne),
                    ("end", end, Allowed::AtLeastOne),
                ],
            ),
            Shape::Plateau { factor, threshold, min_lr, .. } => check(
                "schedule plateau",
                &[
                    ("factor", factor, Allowed::InsideUnit),
                    ("threshold", threshold, Allowed::ShareBelowOne),
                    ("min_lr", min_lr, Allowed::NotNegative),
                ],
            ),
        }
    }
}

/// What plateau remembers between epochs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlateauState {
    /// The rate as reduced so far, warm-up aside.
    pub rate: f64,
    /// Lowest validation loss so far.
    pub best: Option<f64>,
    /// Epochs since a gain.
    pub bad_epochs: u64,
    /// Epochs of the cooldown that are left.
    pub cooldown: u64,
}

/// A schedule set to a run: gives the rate of any of its steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    spec: ScheduleSpec,
    lr: f64,
    steps_per_epoch: u64,
    total: u64,
    plateau: PlateauState,
}

impl Schedule {
    /// For a run of `epochs` epochs of `steps_per_epoch` optimizer steps with base rate `lr`.
    ///
    /// ```
    /// use glassnet_nn::schedule::Schedule;
    /// let schedule = Schedule::new("warmup 2 -> cosine".parse()?, 0.1, 5, 2)?;
    /// assert_eq!((schedule.rate(0), schedule.rate(2)), (0.05, 0.1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Numbers of the specification, or `lr`, out of range.
    pub fn new(spec: ScheduleSpec, lr: f64, steps_per_epoch: u64, epochs: u64) -> Result<Self, BadHyperparameters> {
        let mut bad = check("training", &[("lr", lr, Allowed::Positive)]).err().map_or(Vec::new(), |e| e.0);
        bad.extend(spec.check().err().into_iter().flat_map(|e| e.0));
        if !bad.is_empty() {
            return Err(BadHyperparameters(bad));
        }
        let plateau = PlateauState { rate: lr, best: None, bad_epochs: 0, cooldown: 0 };
        let steps_per_epoch = steps_per_epoch.max(1);
        Ok(Schedule { spec, lr, steps_per_epoch, total: steps_per_epoch.saturating_mul(epochs), plateau })
    }

    /// The same for a run of exactly so many steps.
    pub fn with_total(mut self, steps: u64) -> Self {
        self.total = steps;
        self
    }

    /// The specification.
    pub fn spec(&self) -> &ScheduleSpec {
        &self.spec
    }

    /// Steps of the whole run.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The rate of step `step`, counted from 0 over the whole run. A step past the end has the rate of the end.
    pub fn rate(&self, step: u64) -> f64 {
        let warmup = self.spec.warmup;
        if step < warmup {
            self.shape_rate(0, step) * ((step + 1) as f64 / warmup as f64)
        } else {
            self.shape_rate(step - warmup, step)
        }
    }

    /// `t`: steps since the warm-up; `step`: of the whole run.
    fn shape_rate(&self, t: u64, step: u64) -> f64 {
        let n = self.total.saturating_sub(self.spec.warmup).max(1);
        match self.spec.shape {
            Shape::Constant => self.lr,
            Shape::Step { every, factor } => {
                self.lr * Real::pow(factor, (step / self.steps_per_epoch / every.max(1)) as f64)
            }
            Shape::Cosine { floor } => {
                let end = self.lr * floor;
                half_cosine(self.lr, end, t.min(n) as f64 / n as f64)
            }
            Shape::OneCycle { rise, start, end } => {
                let first = self.lr / start;
                let last = (n - 1) as f64;
                let top = rise * n as f64 - 1.0;
                let t = (t as f64).min(last);
                // A run too short to rise at all starts on the way down.
                if t <= top && top > 0.0 {
                    half_cosine(first, self.lr, t / top)
                } else {
                    half_cosine(self.lr, first / end, (t - top) / (last - top))
                }
            }
            Shape::CosLog4 => {
                let share = t.min(n) as f64 / n as f64;
                let waves = Real::ln(1.0 + 15.0 * share) / std::f64::consts::LN_2;
                self.lr * ((1.0 - Real::cos(std::f64::consts::TAU * waves)) / 2.0)
            }
            Shape::FlatCos => half_cosine(self.lr, 0.0, (2.0 * t.min(n) as f64 / n as f64).max(1.0) - 1.0),
            Shape::Plateau { .. } => self.plateau.rate,
        }
    }

    /// Takes an epoch's validation loss; returns whether the rate was reduced. Only plateau looks at it. A loss that is
    /// not finite is no gain.
    pub fn observe(&mut self, validation_loss: f64) -> bool {
        let Shape::Plateau { patience, factor, threshold, cooldown, min_lr } = self.spec.shape else { return false };
        let state = &mut self.plateau;
        // For a best of 0 or below the relative threshold turns round, as PyTorch's does.
        if validation_loss.is_finite() && state.best.is_none_or(|best| validation_loss < best * (1.0 - threshold)) {
            state.best = Some(validation_loss);
            state.bad_epochs = 0;
        } else {
            state.bad_epochs += 1;
        }
        if state.cooldown > 0 {
            state.cooldown -= 1;
            state.bad_epochs = 0;
        }
        if state.bad_epochs <= patience {
            return false;
        }
        state.cooldown = cooldown;
        state.bad_epochs = 0;
        let lower = (state.rate * factor).max(min_lr);
        // PyTorch's eps: a change too small to matter is not made.
        let reduced = state.rate - lower > 1e-8;
        if reduced {
            state.rate = lower;
        }
        reduced
    }

    /// What a checkpoint has to keep: `None` for the pure functions.
    pub fn state(&self) -> Option<PlateauState> {
        matches!(self.spec.shape, Shape::Plateau { .. }).then_some(self.plateau)
    }

    /// Takes up what [`Schedule::state`] gave.
    pub fn restore(&mut self, state: PlateauState) {
        self.plateau = state;
    }
}

/// From `from` at `share` 0 to `to` at 1, along half a cosine.
fn half_cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) / 2.0 * (Real::cos(std::f64::consts::PI * share) + 1.0)
}
