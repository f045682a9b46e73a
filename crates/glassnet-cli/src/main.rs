//! The command `glassnet`.
#![forbid(unsafe_code)]
fn main() {}
