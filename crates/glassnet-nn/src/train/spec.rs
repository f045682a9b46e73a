//! The settings of a training run, checked once.

use serde::{Deserialize, Serialize};

use crate::clip::Clip;
use crate::early::EarlySpec;
use crate::hyperparameter::{Allowed, BadHyperparameters, check};
use crate::optimizer::OptimizerSpec;
use crate::schedule::ScheduleSpec;

/// Rows of a micro-batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batch {
    /// All rows at once: full-batch gradient descent.
    All,
    /// So many; the last batch of an epoch may be shorter.
    Rows(usize),
}

/// The settings of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSpec {
    /// Passes over the training rows.
    pub epochs: u64,
    /// Rows of a micro-batch.
    pub batch: Batch,
    /// Micro-batches whose gradients are added before the optimizer steps.
    pub accumulate: usize,
    /// Base learning rate.
    pub lr: f64,
    /// Its course.
    pub schedule: ScheduleSpec,
    /// The optimizer.
    pub optimizer: OptimizerSpec,
    /// Clipping of gradients.
    pub clip: Clip,
    /// When to stop early.
    pub early: EarlySpec,
    /// Whether the rows are put in a new order for each epoch.
    pub shuffle: bool,
    /// Whether activations are computed a second time for backward instead of being kept: less memory, one more forward
    /// pass at most, the same bytes.
    #[serde(default)]
    pub checkpoint_activations: bool,
    /// Seed of the initial weights, the order of rows and dropout.
    pub seed: u64,
}

impl Default for TrainSpec {
    fn default() -> Self {
        let optimizer = OptimizerSpec::default();
        TrainSpec {
            epochs: 10,
            batch: Batch::Rows(128),
            accumulate: 1,
            lr: optimizer.default_lr(),
            schedule: ScheduleSpec::default(),
            optimizer,
            clip: Clip::None,
            early: EarlySpec::default(),
            shuffle: true,
            checkpoint_activations: false,
            seed: 0,
        }
    }
}

impl TrainSpec {
    /// Checks every number.
    ///
    /// # Errors
    /// All that are out of their range, each with name, value and range.
    pub fn check(&self) -> Result<(), BadHyperparameters> {
        let batch = match self.batch {
            Batch::All => 1.0,
            Batch::Rows(rows) => rows as f64,
        };
        let own = check(
            "training",
            &[
                ("epochs", self.epochs as f64, Allowed::AtLeastOne),
                ("batch", batch, Allowed::AtLeastOne),
                ("accumulate", self.accumulate as f64, Allowed::AtLeastOne),
                ("lr", self.lr, Allowed::Positive),
            ],
        );
        let parts =
            [own, self.schedule.check(), self.clip.check(), self.early.check(), self.optimizer.checked().map(drop)];
        let bad: Vec<_> = parts.into_iter().filter_map(Result::err).flat_map(|bad| bad.0).collect();
        if bad.is_empty() { Ok(()) } else { Err(BadHyperparameters(bad)) }
    }

    /// Rows of a micro-batch for `rows` training rows.
    pub fn batch_rows(&self, rows: usize) -> usize {
        match self.batch {
            Batch::All => rows.max(1),
            Batch::Rows(batch) => batch.min(rows).max(1),
        }
    }

    /// Optimizer steps of an epoch over `rows` rows.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        rows.div_ceil(self.batch_rows(rows).saturating_mul(self.accumulate.max(1))) as u64
    }
}
