//! `cargo xtask aarch64`: the kernels' tests as aarch64 code (NEON) under qemu's user-mode emulation, and the weights of trained
//! networks against the hashes that x86-64 gave. Where a tool cannot be had it says so and stops without failing.

use crate::run::{cargo_with, output_of};

/// What is built for.
const TARGET: &str = "aarch64-unknown-linux-gnu";
/// The linker for it, Debian's name (package gcc-aarch64-linux-gnu).
const LINKER: &str = "aarch64-linux-gnu-gcc";
/// The emulator (package qemu-user) with the folder of the target's libc (package libc6-dev-arm64-cross).
const RUNNER: &str = "qemu-aarch64 -L /usr/aarch64-linux-gnu";

/// Runs it.
///
/// # Errors
/// A test that fails under emulation.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err(format!("there are no arguments, but there is {}", arguments.join(" ")));
    }
    if let Some(reason) = missing() {
        eprintln!("skipped: nothing is run as aarch64 code ({reason})");
        return Ok(());
    }
    let environment = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", RUNNER),
    ];
    let test = ["test", "--quiet", "--target", TARGET, "--package"];
    cargo_with(&[&test[..], &["glassnet-kernels", "--lib", "--tests"]].concat(), &environment)?;
    let hashes = ["glassnet-nn", "--test", "one_answer", "--", "--exact"];
    let names = ["trained_weights_have_one_hash", "a_rows_place_is_not_in_the_bytes"];
    cargo_with(&[&test[..], &hashes, &names].concat(), &environment)
}

/// The tool that is not there.
fn missing() -> Option<String> {
    let installed = |list: String| list.lines().any(|line| line.trim() == TARGET);
    if !output_of("rustup", &["target", "list", "--installed"]).is_some_and(installed) {
        return Some(format!("rustup has no {TARGET}: rustup target add {TARGET}"));
    }
    for (tool, package) in [(LINKER, "gcc-aarch64-linux-gnu and libc6-dev-arm64-cross"), ("qemu-aarch64", "qemu-user")]
    {
        if output_of(tool, &["--version"]).is_none() {
            return Some(format!("there is no {tool}: Debian has it in {package}"));
        }
    }
    None
}
