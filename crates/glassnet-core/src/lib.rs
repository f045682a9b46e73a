//! Tensors and shapes, random numbers, operations, the graph, the plan, the runner.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]
pub use glassnet_kernels::half::accelerated as bf16_accelerated;
pub use glassnet_kernels::lanes::{ISA_VARIABLE, isa};
pub use glassnet_kernels::reduce::{max, sum};
pub use glassnet_kernels::{Kernel, Real, Team, peak, vectorized};

pub mod graph;
pub mod ops;
pub mod plan;
pub mod precision;
pub mod prepared;
pub mod random;
pub mod runner;
pub mod shape;
pub mod slots;

pub use graph::{Graph, GraphError, Node, NodeId};
pub use ops::Op;
pub use plan::{Plan, Purpose, Request};
pub use precision::Precision;
pub use prepared::Prepared;
pub use runner::{Runner, StepInfo};
pub use shape::{DType, Shape};
