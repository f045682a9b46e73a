//! The elementary functions over every value of f32 (`crates/glassnet-kernels/examples/ulp.rs`).

use super::Verdict;
use crate::run::cargo_with;

/// Prints the largest error of each function; fails where one is above its bound.
pub fn run() -> Result<Verdict, String> {
    cargo_with(&["run", "--release", "--quiet", "-p", "glassnet-kernels", "--example", "ulp"], &[])?;
    Ok(Verdict::Proved)
}
