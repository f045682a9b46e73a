//! glassnet: neural networks that you can see through. The floors, re-exported.
#![forbid(unsafe_code)]
pub use glassnet_core as core;
pub use glassnet_data as data;
pub use glassnet_model as model;
pub use glassnet_nn as nn;
