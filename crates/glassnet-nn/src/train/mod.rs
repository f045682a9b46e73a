//! The training loop over a batch source: shuffled mini-batches, accumulation, clipping, the optimizer, validation,
//! early stopping, the best epoch kept, a history of everything.
//!
//! No clock, no files, no printing: an [`Observer`] sees every step and every epoch and may stop the run. [`TrainerState`] is
//! all that a run needs to go on later, with the bytes that it would have had.

mod best;
mod error;
mod factors;
mod late;
pub mod members;
mod non_finite;
mod observer;
mod order;
mod record;
mod scores;
mod spec;
mod state;
mod tabular;
mod trainer;

pub use best::BestBy;
pub use error::TrainError;
pub use factors::{FactorRule, Factors, FactorsError};
pub use non_finite::{NonFinite, Place, find_non_finite};
pub use observer::{Control, Observer, Outcome, Rows, Silent, StepReport, Stop, View};
pub use spec::{Batch, TrainSpec};
pub use state::{RestoreError, TrainerState};
pub use tabular::tabular_batch;
pub use trainer::Trainer;
