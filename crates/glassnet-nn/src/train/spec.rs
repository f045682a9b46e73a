//! The settings of a training run, checked once.

use glassnet_core::Precision;
use serde::{Deserialize, Serialize};

use super::best::BestBy;
use super::factors::Factors;
use super::order::Order;
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
    /// What the products of linear maps multiply while training; validation and everything after it compute in f32, as
    /// predictions from the model file do.
    #[serde(default, with = "precision")]
    pub precision: Precision,
    /// Seed of the initial weights, the order of rows and dropout.
    pub seed: u64,
    /// Optimizer steps after which the run ends, in the middle of an epoch if need be; `epochs` does not end it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Rows of an epoch, where it shall not be all: the first of the new order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_rows: Option<usize>,
    /// Rows are windows of one long sequence: each row of a batch goes on where that row of the batch before ended, and a
    /// recurrent layer carries its state over (truncated back-propagation through time).
    #[serde(default, skip_serializing_if = "is_no")]
    pub streams: bool,
    /// Course of the factor that multiplies the probability of every dropout layer. Any schedule but plateau.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropout_schedule: ScheduleSpec,
    /// Course of the factor that multiplies the weight decay. Any schedule but plateau.
    #[serde(default, skip_serializing_if = "is_default")]
    pub decay_schedule: ScheduleSpec,
    /// Factors of the learning rate and the weight decay for some of the parameters.
    #[serde(default, skip_serializing_if = "Factors::is_empty")]
    pub factors: Factors,
    /// Whether the rows at an epoch's end that fill no whole step are left out of it; where they are all there is, they are a step.
    #[serde(default, skip_serializing_if = "is_no")]
    pub drop_last: bool,
    /// By what the best epoch is chosen.
    #[serde(default, skip_serializing_if = "BestBy::is_loss")]
    pub best_by: BestBy,
}

/// A precision by its name.
mod precision {
    use glassnet_core::Precision;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(precision: &Precision, to: S) -> Result<S::Ok, S::Error> {
        precision.name().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Precision, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

fn is_default(schedule: &ScheduleSpec) -> bool {
    *schedule == ScheduleSpec::default()
}

fn is_no(value: &bool) -> bool {
    !*value
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
            precision: Precision::F32,
            seed: 0,
            steps: None,
            epoch_rows: None,
            streams: false,
            dropout_schedule: ScheduleSpec::default(),
            decay_schedule: ScheduleSpec::default(),
            factors: Factors::default(),
            drop_last: false,
            best_by: BestBy::Loss,
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
                ("steps", self.steps.map_or(1.0, |steps| steps as f64), Allowed::AtLeastOne),
                ("epoch_rows", self.epoch_rows.map_or(1.0, |rows| rows as f64), Allowed::AtLeastOne),
            ],
        );
        let parts = [
            own,
            self.schedule.check(),
            self.dropout_schedule.check(),
            self.decay_schedule.check(),
            self.clip.check(),
            self.early.check(),
            self.optimizer.checked().map(drop),
        ];
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

    /// Epochs of a run over `rows` rows, the last perhaps not whole.
    pub fn whole_epochs(&self, rows: usize) -> u64 {
        match self.steps {
            Some(steps) => steps.div_ceil(self.steps_per_epoch(rows).max(1)),
            None => self.epochs,
        }
    }

    /// Rows of an epoch where there are `rows`.
    pub fn rows_of_epoch(&self, rows: usize) -> usize {
        self.order(rows).epoch_rows(rows)
    }

    /// How an epoch over `rows` rows orders them.
    pub(super) fn order(&self, rows: usize) -> Order {
        let batch = self.batch_rows(rows).saturating_mul(self.accumulate.max(1));
        Order {
            shuffle: self.shuffle,
            seed: self.seed,
            streams: self.streams,
            rows: self.epoch_rows,
            batch,
            drop_last: self.drop_last,
        }
    }

    /// Optimizer steps of an epoch over `rows` rows.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        let rows = self.order(rows).epoch_rows(rows);
        rows.div_ceil(self.batch_rows(rows).saturating_mul(self.accumulate.max(1))) as u64
    }
}
