//! The trained thing, in memory and in bytes: schema, preprocessing, network, provenance.
//!
//! Without the feature `fit` this is the runtime that other programs embed: it has no files, threads, clock or
//! randomness from outside, and builds for wasm32. `fit` adds what only training needs: inferring a [`schema`] from a
//! [`table`], fitting the [`preprocess`]ing on training rows, and splitting rows.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod augment;
pub mod calibration;
pub mod dates;
pub mod encoded;
pub mod error;
pub mod evaluation;
pub mod explain;
pub mod file;
#[cfg(feature = "fit")]
pub mod fit;
pub mod generate;
pub mod images;
pub mod interval;
#[cfg(feature = "fit")]
pub mod leaks;
pub mod levels;
pub mod measure;
pub mod model;
pub mod normal;
mod outputs;
pub mod predict;
pub mod preprocess;
pub mod ranks;
pub mod rescale;
pub mod schema;
pub mod shift;
#[cfg(feature = "fit")]
pub mod split;
pub mod standardise;
pub mod style;
pub mod table;
pub mod target;
pub mod text;
pub mod text_evaluation;
pub mod value;
pub mod weights;
pub mod windows;

pub use calibration::Calibration;
pub use error::ModelError;
pub use model::Model;
pub use preprocess::Preprocess;
pub use schema::Schema;
pub use target::TargetSchema;
pub use value::Value;
