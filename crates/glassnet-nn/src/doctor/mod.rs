//! The doctor: looks at a run while it trains and says in plain words what is wrong with it, with the numbers and one
//! thing to try. It stays silent on a healthy run.
//!
//! It looks on, and changes nothing: a run has the same bytes with it and without it. A look is one forward and one
//! backward pass over a sample of at most [`SAMPLE_ROWS`] training rows; how many looks there are and how large the
//! sample is, [`Doctor`] says.
//!
//! | file | findings |
//! |---|---|
//! | `first_loss` | `first-loss`, `target-scale` |
//! | `non_finite` | `non-finite` |
//! | `steps` | `loss-climbs`, `steps-too-large`, `steps-too-small` |
//! | `units` | `dead-units`, `saturated-units` |
//! | `gradients` | `zero-gradients`, `vanishing-gradients`, `exploding-gradients` |
//! | `symmetric` | `symmetric-weights` |
//! | `columns` | `columns-scale` |
//! | `affine` | `affine-side-by-side` |
//! | `sorted` | `sorted-rows` |
//! | `curves` | `underfit`, `overfit` |
//!
//! `gather` puts what one look finds in order and makes one finding of many layers.
//!
//! The guide's page `docs/guide/doctor.md` lists every code with its threshold and why.

mod affine;
mod baseline;
mod columns;
mod curves;
mod finding;
mod first_loss;
mod gather;
mod gradients;
mod non_finite;
mod observer;
mod picture;
mod sorted;
mod steps;
mod symmetric;
mod units;

pub use finding::{CODES, Finding, Severity};
pub use observer::{Doctor, DoctorState};
pub use picture::SAMPLE_ROWS;

/// Every threshold by name, as the guide lists them.
pub mod thresholds {
    pub use super::columns::{FAR_MEAN, LARGE_COLUMN, SCALE_RATIO};
    pub use super::curves::{FLAT_END, OVERFIT_GAP, OVERFIT_RISE, OVERFIT_SHARE, UNDERFIT_SHARE};
    pub use super::first_loss::{CLASS_NOTE, CLASS_WARNING, TARGET_DEVIATION, VALUE_WARNING};
    pub use super::gradients::{EXPLODING, VANISHING};
    pub use super::sorted::{RUNS_SHARE, SORTED_ROWS};
    pub use super::steps::{CLIMB, LARGE_UPDATE, REACH, UNMOVED};
    pub use super::units::{DEAD_SHARE, SATURATED_LOSS, SATURATED_ROWS, SATURATED_UNITS, TANH_BOUND};
}
