//! The training loop over a batch source: shuffled mini-batches, accumulation, clipping, the optimizer, validation,
//! early stopping, the best epoch kept, a history of everything.
//!
//! No clock, no files, no printing: an [`Observer`] sees every step and every epoch and may stop the run.

mod non_finite;
mod order;
mod scores;
mod spec;
mod trainer;

pub use non_finite::{NonFinite, Place, find_non_finite};
pub use spec::{Batch, TrainSpec};
pub use trainer::{Control, Observer, Outcome, Rows, Silent, StepReport, Stop, TrainError, Trainer, View};
