//! That no kernel is outside of the instruction sets: `vectorized` makes a copy of a kernel for each of them, which holds only what is
//! inlined into it. A kernel that calls itself, or a closure that two places call, is left out, and runs one number at a time with a
//! function call for each multiply-add: right, and many times slower. Such a kernel has a symbol of its own.

use std::path::Path;

use super::Verdict;
use crate::run::{cargo_with, output_of};

/// What the symbol of a kernel, or of a closure in it, holds; and of what kernels are made of in files that hold many.
const KERNELS: [&str; 4] = [
    "glassnet_kernels::lanes::Kernel>::run",
    "glassnet_core::ops::cross_entropy::CrossEntropy::position",
    "glassnet_core::ops::cross_entropy::block",
    "glassnet_core::ops::piecewise::bins::Bins",
];

/// Runs it.
///
/// # Errors
/// The kernels that stand alone.
pub fn run() -> Result<Verdict, String> {
    cargo_with(&["build", "--release", "--package", "glassnet-cli"], &[])?;
    let command = crate::root().join("target/release/glassnet");
    let Some(symbols) = symbols(&command) else {
        return Ok(Verdict::Skipped("it wants nm and target/release/glassnet with its symbols".to_string()));
    };
    let mut alone: Vec<&str> = symbols
        .lines()
        .filter(|line| KERNELS.iter().any(|kernel| line.contains(kernel)))
        .map(without_address)
        .collect();
    alone.sort_unstable();
    alone.dedup();
    println!("  {} symbols, {} of kernels that stand alone", symbols.lines().count(), alone.len());
    if alone.is_empty() { Ok(Verdict::Proved) } else { Err(format!("not inlined:\n  {}", alone.join("\n  "))) }
}

/// The symbols of a command, demangled; `None` where there are none of ours.
fn symbols(command: &Path) -> Option<String> {
    let symbols = output_of("nm", &["-C", command.to_str()?])?;
    symbols.contains("glassnet_kernels::lanes::").then_some(symbols)
}

/// A line of nm without the address, which differs from one copy of a function to the next.
fn without_address(line: &str) -> &str {
    line.splitn(3, ' ').last().unwrap_or(line)
}
