//! The trained thing, in memory and in bytes.
#![forbid(unsafe_code)]
pub mod table;
