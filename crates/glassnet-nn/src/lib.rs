//! Layers, initialisation, optimizers, schedules, the training loop, metrics and the inspectors.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub mod calibration;
pub mod clip;
pub mod conformal;
pub mod doctor;
pub mod early;
pub mod embeddings;
pub mod from_data;
pub mod functional;
pub mod history;
pub mod hyperparameter;
pub mod init;
pub mod inspect;
pub mod layers;
pub mod loss;
pub mod metrics;
pub mod nearest;
pub mod network;
mod norm;
pub mod numbers;
pub mod optimizer;
pub mod predictor;
pub mod recipe;
pub mod schedule;
pub mod source;
pub mod spec;
pub mod train;
