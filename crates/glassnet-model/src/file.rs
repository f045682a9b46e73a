//! The model file (`.glass`), as bytes: one safetensors file whose metadata holds one JSON document.
//!
//! ```text
//! 8 bytes   n, the header's length, little-endian
//! n bytes   the header, JSON: {"__metadata__": {"format": "glassnet", "glassnet": DOCUMENT as a string},
//!           "0.weight": {"dtype": "F32", "shape": [256, 784], "data_offsets": [0, 802816]}, ...}, spaces at its end
//! the rest  the tensors' values, f32 little-endian, in the order given, without gaps
//! ```
//!
//! Any safetensors reader opens it. The same document and tensors give the same bytes: keys are sorted, floats are in
//! their shortest exact form, nothing depends on the clock. A NaN or infinity is refused, not written as null.
//!
//! The header is read and written here and not by the safetensors crate, which is only held against it in tests: its
//! metadata has no fixed order, it reports damage without saying where, its sum of offsets can overflow on a forged
//! header, and a runtime without it is smaller. What reading allocates is bounded by the bytes that are there: see
//! [`from_bytes`].

mod canonical;
mod document;
mod foreign;
mod header;
mod read;
mod write;

pub use document::{Document, Features, Head, MAX_IMAGE, Network, Provenance};
pub use header::{Header, Info};
pub use read::{arrange, from_bytes};
pub use write::to_bytes;

/// The version of the document that this library writes; it reads this one and every earlier one.
pub const FORMAT_VERSION: u32 = 1;

/// Longest header, in bytes: room for the history of 100 000 epochs, below safetensors' own limit of 100 MB.
pub const MAX_HEADER: u64 = 64_000_000;

/// A named array.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Name: `0.weight`.
    pub name: String,
    /// Shape, row-major; a linear layer's weight is [out, in].
    pub shape: Vec<usize>,
    /// Its values.
    pub data: Vec<f32>,
}
