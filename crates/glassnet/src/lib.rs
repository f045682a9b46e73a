//! glassnet: neural networks that you can see through. The floors, re-exported behind features.
//!
//! | module | what | feature |
//! |---|---|---|
//! | [`core`] | operations, graph, plan, runner | always |
//! | [`nn`] | layers, training, inspectors | always |
//! | [`model`] | the trained thing: load, predict, explain | always; training with `fit` |
//! | `data` | readers of files | `data` |
//! | `report` | plots as SVG, the report page | `report` |
#![forbid(unsafe_code)]
pub use glassnet_core as core;
#[cfg(feature = "data")]
pub use glassnet_data as data;
pub use glassnet_model as model;
pub use glassnet_nn as nn;
#[cfg(feature = "report")]
pub use glassnet_report as report;
