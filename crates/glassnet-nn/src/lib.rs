//! Layers, initialisation, optimizers, schedules, the training loop, metrics and the inspectors.
#![forbid(unsafe_code)]
pub mod spec;
