//! The tests of the only crate with `unsafe` under the address sanitizer (with its search for leaks) and under the thread
//! sanitizer. Both need a nightly compiler; without one the proof is skipped.

use super::Verdict;
use crate::run::output_of;
use std::process::{Command, Stdio};

/// A sanitizer: its name, the compiler's flags, and the options that its runtime reads.
struct Sanitizer {
    name: &'static str,
    flags: &'static str,
    variable: &'static str,
    options: &'static str,
}

const SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        name: "address",
        flags: "-Zsanitizer=address",
        variable: "ASAN_OPTIONS",
        options: "detect_leaks=1:detect_stack_use_after_return=1",
    },
    Sanitizer {
        name: "thread",
        // The standard library comes without the sanitizer, which the compiler must be told to accept.
        flags: "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer",
        variable: "TSAN_OPTIONS",
        options: "suppressions=xtask/sanitizers/thread.txt",
    },
];

/// Runs the tests under both; fails where one of them finds something.
pub fn run() -> Result<Verdict, String> {
    let Some(version) = output_of("rustc", &["+nightly", "-vV"]) else {
        return Ok(Verdict::Skipped("there is no nightly compiler (rustup toolchain install nightly)".into()));
    };
    let target = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_string();
    let mut found = Vec::new();
    for Sanitizer { name, flags, variable, options } in SANITIZERS {
        let options = options.replace("xtask/", &format!("{}/xtask/", crate::root().display()));
        let folder = format!("target/xtask/sanitizer-{name}");
        println!("  {name}: {flags}");
        // Not the cargo that runs this program: rustup's own, which knows +nightly.
        let status = Command::new("cargo")
            .args(["+nightly", "test", "--quiet", "-p", "glassnet-kernels", "--lib", "--tests"])
            .args(["--target", &target, "--target-dir", &folder])
            .env("RUSTFLAGS", flags)
            .env(variable, options)
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN")
            .current_dir(crate::root())
            .stdin(Stdio::null())
            .status()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if !status.success() {
            found.push(format!("the {name} sanitizer found something, or a test failed under it ({status})"));
        }
    }
    if found.is_empty() { Ok(Verdict::Proved) } else { Err(found.join("\n")) }
}
