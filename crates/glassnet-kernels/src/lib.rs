//! Arithmetic on slices: matrix products, vector mathematics, reductions, the thread team.
//!
//! Everything here keeps the canonical order of arithmetic, so that a result has the same bytes whatever the number of
//! threads, the batch, the place in the batch, or the processor. The only crate of glassnet with `unsafe`.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod angles;
pub mod half;
pub mod lanes;
mod math;
pub mod narrow;
pub mod peak;
mod prefetch;
pub mod product;
pub mod real;
pub mod reduce;
pub mod row;
mod split;
pub mod team;
pub mod together;
pub mod windows;

pub use lanes::{Isa, Kernel, vectorized};
pub use prefetch::prefetch;
pub use real::Real;
pub use team::Team;
