//! Other programs, run from the repository's root.

use std::process::{Command, Stdio};

/// The cargo that runs this program.
pub fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Cargo with arguments and environment variables, its output shown.
///
/// # Errors
/// It cannot be started, or it fails.
pub fn cargo_with(arguments: &[&str], environment: &[(&str, &str)]) -> Result<(), String> {
    eprintln!("$ cargo {}", arguments.join(" "));
    let mut command = Command::new(cargo());
    command.args(arguments).envs(environment.iter().copied()).current_dir(crate::root()).stdin(Stdio::null());
    let status = command.status().map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed ({status})", arguments.join(" "))) }
}

/// What a program prints on stdout; `None` where it cannot be started or fails.
pub fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(crate::root()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
