//! The reader of the reference vectors; one reader serves both crates, each reads its own `tests/vectors`.

#[path = "../../../glassnet-core/tests/oracle/mod.rs"]
mod reader;

#[allow(unused_imports, reason = "each test file uses its own part of the reader")]
pub use reader::*;
