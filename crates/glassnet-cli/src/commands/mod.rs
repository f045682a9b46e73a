//! The commands, one file (or folder) each.

pub mod bench;
pub mod check;
pub mod compare;
pub mod cv;
pub mod evaluate;
pub mod explain;
pub mod generate;
pub mod inspect;
pub mod monitor;
pub mod plot;
pub mod predict;
pub mod recalibrate;
pub mod trace;
pub mod train;
pub mod words;
