//! `cargo xtask aarch64`: the kernels' tests built for 64-bit ARM and run under qemu's user emulation, so that NEON gives the
//! references' bytes too. Where a tool cannot be had it says so and stops without failing.

use crate::run::{cargo_with, output_of};

/// The target that the tests are built for.
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Its linker, its emulator, and where the system's cross packages put its libraries.
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Runs it.
///
/// # Errors
/// The tests do not build or fail.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err(format!("there are no arguments, but there is {}", arguments.join(" ")));
    }
    if let Err(reason) = have_tools() {
        eprintln!("skipped: the kernels are not tested on {TARGET} ({reason})");
        return Ok(());
    }
    // On a machine of that kind they run by themselves.
    let native = cfg!(all(target_arch = "aarch64", target_os = "linux"));
    let runner = format!("{EMULATOR} -L {LIBRARIES}");
    let environment = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", runner.as_str()),
    ];
    let environment = if native { &[] } else { &environment[..] };
    cargo_with(&["test", "--package", "glassnet-kernels", "--target", TARGET], environment)
}

fn have_tools() -> Result<(), String> {
    let installed = |list: String| list.lines().any(|line| line.trim() == TARGET);
    let list = || output_of("rustup", &["target", "list", "--installed"]).is_some_and(installed);
    if !list() {
        // Its output is of no use: the list says whether it worked.
        let _ = output_of("rustup", &["target", "add", TARGET]);
        if !list() {
            return Err(format!("rustup has no {TARGET} and cannot add it"));
        }
    }
    if cfg!(all(target_arch = "aarch64", target_os = "linux")) {
        return Ok(());
    }
    for (program, package) in [(LINKER, "gcc-aarch64-linux-gnu"), (EMULATOR, "qemu-user")] {
        if output_of(program, &["--version"]).is_none() {
            return Err(format!("there is no {program}; Debian's package {package} has it"));
        }
    }
    Ok(())
}
