//! Layers, initialisation, optimizers, schedules, the training loop, metrics and the inspectors.
#![forbid(unsafe_code)]
pub mod clip;
pub mod early;
pub mod history;
pub mod hyperparameter;
pub mod init;
pub mod metrics;
pub mod nearest;
pub mod optimizer;
pub mod schedule;
pub mod spec;
