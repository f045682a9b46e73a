//! The inspectors: they look at a network and tell what is there. All are pure: they return data (which serialises) and
//! a text made from that data; nothing is printed and nothing changed.
//!
//! | room | what it answers |
//! |---|---|
//! | [`mod@trace`] | one row through the network: every product, sum, activation, gradient and update |
//! | [`mod@check`] | are the gradients right? Finite differences of this very network |
//! | [`mod@summary`] | layers, shapes, parameters, operations, memory, statistics of the weights |
//! | [`mod@layer_values`] | what every layer gives for a row: feature maps |
//! | [`mod@merge_affine`] | the same function with fewer layers: affine maps without a curve between them made into one |
//! | [`mod@flat`] | parameters from two plain lists, weights and biases |
//! | [`mod@number`] | how numbers are written |

mod direct;

pub mod check;
pub mod error;
pub mod flat;
pub mod layer_values;
pub mod merge_affine;
pub mod number;
pub mod summary;
pub mod trace;

pub use check::{Check, CheckOptions, check};
pub use error::InspectError;
pub use flat::parameters_from_flat;
pub use layer_values::{LayerValues, layer_values};
pub use merge_affine::{MergeOptions, Merged, merge_affine};
pub use summary::{Summary, summary};
pub use trace::{Target, Trace, TraceOptions, trace};
