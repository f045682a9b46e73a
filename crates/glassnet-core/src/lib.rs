//! Tensors and shapes, random numbers, operations, the graph, the plan, the runner.
#![forbid(unsafe_code)]
pub use glassnet_kernels::{Real, Team};
pub mod random;
pub mod slots;
