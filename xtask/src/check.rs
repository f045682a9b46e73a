//! `cargo xtask check`: everything that must hold before a change is merged, cheapest first.

use std::time::Instant;

use crate::run::cargo_with;

/// A check's name and the check.
type Check = (&'static str, fn() -> Result<(), String>);

const CHECKS: &[Check] = &[
    ("format", || cargo_with(&["fmt", "--all", "--check"], &[])),
    // A workspace of its own: its dependencies are not for every machine, so that it is not built here.
    ("format of the peers", || {
        cargo_with(&["fmt", "--manifest-path", "benches/peers/rust/Cargo.toml", "--check"], &[])
    }),
    ("rooms", || crate::rooms::run(&[])),
    ("guide", || crate::guide::run(&["--check".to_string()])),
    ("banned functions", || crate::lints::run(&[])),
    ("clippy", || {
        cargo_with(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"], &[])
    }),
    ("documentation", || {
        let flags = [("RUSTDOCFLAGS", "-D warnings")];
        cargo_with(&["doc", "--workspace", "--no-deps", "--all-features", "--document-private-items"], &flags)
    }),
    ("tests", || cargo_with(&["test", "--workspace", "--all-features"], &[])),
];

/// Runs the checks and stops at the first that fails.
///
/// # Errors
/// An unknown argument, or the check that failed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let count = match arguments {
        [] => CHECKS.len(),
        [flag] if flag == "--fast" => CHECKS.len() - 1,
        _ => return Err(format!("the only argument is --fast, but there is {}", arguments.join(" "))),
    };
    for (name, check) in &CHECKS[..count] {
        let start = Instant::now();
        check().map_err(|error| format!("{name}: {error}"))?;
        eprintln!("ok: {name} ({:.1} s)", start.elapsed().as_secs_f64());
    }
    Ok(())
}
