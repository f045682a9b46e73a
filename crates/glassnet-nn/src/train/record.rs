//! A state's record: everything of a run that is no array, as it is written to JSON.
//!
//! JSON has no NaN and no infinity, and a loss can be either; so floats are written as the whole number of their bits.

use serde::{Deserialize, Serialize};

use super::spec::TrainSpec;
use super::state::{RestoreError, Standing, misfit};
use crate::early::EarlyStopping;
use crate::history::{Epoch, History};
use crate::metrics::Scores;
use crate::schedule::PlateauState;

/// More steps than a run can take in a thousand years.
const MOST_STEPS: u64 = 1 << 53;

/// A float as its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Bits(u64);

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        Bits(value.to_bits())
    }
}

impl From<Bits> for f64 {
    fn from(bits: Bits) -> f64 {
        f64::from_bits(bits.0)
    }
}

fn bits(value: Option<f64>) -> Option<Bits> {
    value.map(Bits::from)
}

fn float(bits: Option<Bits>) -> Option<f64> {
    bits.map(f64::from)
}

/// The record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Epochs that are done.
    pub epoch: u64,
    /// Rows of the next one that are done.
    pub position: usize,
    /// Steps of the run that are done.
    pub steps: u64,
    /// Those of them in which the optimizer moved: not where every row of the batch weighs 0.
    pub optimizer_steps: u64,
    /// Whether patience is at its end.
    pub over: bool,
    /// The plateau schedule's memory.
    pub plateau: Option<PlateauState>,
    early: EarlyStopping,
    /// Of the epoch so far: losses times weights, weights, largest norm, last rate.
    sums: [Bits; 4],
    /// Sizes of the updates that were measured last.
    ratios: Vec<Option<Bits>>,
    slots: Vec<String>,
    first_loss: Option<Bits>,
    best_epoch: Option<u64>,
    epochs: Vec<Done>,
}

/// An epoch of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Done {
    steps: u64,
    learning_rate: Bits,
    train_loss: Bits,
    valid_loss: Option<Bits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metric: Option<Bits>,
    gradient_norm: Bits,
    train: [Option<Bits>; 7],
    valid: [Option<Bits>; 7],
    ratios: Vec<Option<Bits>>,
}

fn written(scores: &Scores) -> [Option<Bits>; 7] {
    let Scores { accuracy, log_loss, brier, auc, rmse, mae, r2 } = *scores;
    [accuracy, log_loss, brier, auc, rmse, mae, r2].map(bits)
}

fn read(scores: [Option<Bits>; 7]) -> Scores {
    let [accuracy, log_loss, brier, auc, rmse, mae, r2] = scores.map(float);
    Scores { accuracy, log_loss, brier, auc, rmse, mae, r2 }
}

impl Record {
    pub fn new<T>(
        standing: &Standing<T>,
        (steps, optimizer_steps): (u64, u64),
        plateau: Option<PlateauState>,
        ratios: &[Option<f64>],
        history: &History,
    ) -> Self {
        let done = |epoch: &Epoch| Done {
            steps: epoch.steps,
            learning_rate: epoch.learning_rate.into(),
            train_loss: epoch.train_loss.into(),
            valid_loss: bits(epoch.valid_loss),
            metric: bits(epoch.metric),
            gradient_norm: epoch.gradient_norm.into(),
            train: written(&epoch.train),
            valid: written(&epoch.valid),
            ratios: epoch.update_ratios.iter().copied().map(bits).collect(),
        };
        Record {
            epoch: standing.epoch,
            position: standing.position,
            steps,
            optimizer_steps,
            over: standing.over,
            plateau,
            early: standing.early.clone(),
            sums: [standing.loss, standing.weight, standing.norm, standing.lr].map(Bits::from),
            ratios: ratios.iter().copied().map(bits).collect(),
            slots: history.slots.clone(),
            first_loss: bits(history.first_loss),
            best_epoch: history.best_epoch,
            epochs: history.epochs.iter().map(done).collect(),
        }
    }

    /// Rows that the next epoch has.
    pub fn rows_of_epoch(&self, spec: &TrainSpec, rows: usize) -> usize {
        let whole = spec.rows_of_epoch(rows);
        let Some(steps) = spec.steps else { return whole };
        let before = self.epoch.saturating_mul(spec.steps_per_epoch(rows));
        let left = usize::try_from(steps.saturating_sub(before)).unwrap_or(usize::MAX);
        whole.min(left.saturating_mul(step_rows(spec, rows)))
    }

    /// Whether it can be the record of a run with these settings over so many rows: what is forged must not be able to
    /// leave the rows or to count beyond what a number holds.
    pub fn check<'s>(
        &self,
        spec: &TrainSpec,
        rows: usize,
        slots: impl Iterator<Item = &'s str>,
    ) -> Result<(), RestoreError> {
        if !self.slots.iter().map(String::as_str).eq(slots) {
            return Err(misfit("its network has other parameters"));
        }
        let epochs = spec.whole_epochs(rows);
        if self.epoch > epochs {
            return Err(misfit(format!("{} epochs are done, this run has {epochs}", self.epoch)));
        }
        let (in_epoch, batch) = (self.rows_of_epoch(spec, rows), step_rows(spec, rows));
        let between = self.position.is_multiple_of(batch) || self.position == in_epoch;
        if self.position > in_epoch || !between || (self.epoch == epochs && self.position > 0) {
            return Err(misfit(format!("row {} of an epoch is no end of a step here", self.position)));
        }
        let before = self.epoch.saturating_mul(spec.steps_per_epoch(rows));
        let before = spec.steps.map_or(before, |steps| before.min(steps));
        let steps = before.saturating_add(self.position.div_ceil(batch) as u64);
        // Who takes steps alone, without `Trainer::run`, says the place of each himself.
        let alone = self.epoch == 0 && self.position == 0 && self.steps <= MOST_STEPS;
        if (self.steps != steps && !alone) || self.optimizer_steps > self.steps {
            return Err(misfit(format!("it is after step {}, its place is that after step {steps}", self.steps)));
        }
        let many = |count: usize| count as u64 != self.epoch;
        if many(self.epochs.len()) || self.best_epoch.is_some_and(|best| best > self.epoch) {
            return Err(misfit("its history has other epochs than are done"));
        }
        if self.ratios.len() != self.slots.len() || !self.early.fits(&spec.early, self.epoch) {
            return Err(misfit("its early stopping or update sizes are another run's"));
        }
        let plateau = matches!(spec.schedule.shape, crate::schedule::Shape::Plateau { .. });
        let sound = |state: &PlateauState| state.rate > 0.0 && state.rate <= spec.lr && state.bad_epochs <= self.epoch;
        if plateau != self.plateau.is_some() || !self.plateau.as_ref().is_none_or(sound) {
            return Err(misfit("its schedule is another run's"));
        }
        Ok(())
    }

    pub fn ratios(&self) -> impl ExactSizeIterator<Item = Option<f64>> {
        self.ratios.iter().copied().map(float)
    }

    pub fn history(&self) -> History {
        let epoch = |(at, done): (usize, &Done)| Epoch {
            epoch: at as u64 + 1,
            steps: done.steps,
            learning_rate: done.learning_rate.into(),
            train_loss: done.train_loss.into(),
            valid_loss: float(done.valid_loss),
            metric: float(done.metric),
            train: read(done.train),
            valid: read(done.valid),
            gradient_norm: done.gradient_norm.into(),
            update_ratios: done.ratios.iter().copied().map(float).collect(),
        };
        History {
            slots: self.slots.clone(),
            first_loss: float(self.first_loss),
            epochs: self.epochs.iter().enumerate().map(epoch).collect(),
            best_epoch: self.best_epoch,
        }
    }

    pub fn standing<T>(&self, best: Option<Vec<T>>, rows: usize) -> Standing<T> {
        let [loss, weight, norm, lr] = self.sums.map(f64::from);
        Standing {
            epoch: self.epoch,
            position: self.position,
            rows,
            loss,
            weight,
            norm,
            lr,
            early: self.early.clone(),
            over: self.over,
            best,
            restored: true,
        }
    }
}

/// Rows of an optimizer step.
fn step_rows(spec: &TrainSpec, rows: usize) -> usize {
    spec.batch_rows(rows).saturating_mul(spec.accumulate.max(1)).max(1)
}
