//! `cargo xtask lints`: proves that the ban on the standard library's elementary functions works. A small crate that calls
//! each of them, as a method and by its path, is given to clippy with this repository's clippy.toml; each line must be
//! reported, and the lines that call Real's functions must not.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

/// Banned functions of one argument (besides self).
const UNARY: [&str; 20] = [
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sin_cos",
    "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
];

/// Banned functions of two.
const BINARY: [&str; 4] = ["powf", "log", "atan2", "hypot"];

/// Runs the proof.
///
/// # Errors
/// Clippy cannot be run, or what it reports differs from what it must.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err(format!("there are no arguments, but there is {}", arguments.join(" ")));
    }
    let (source, banned) = fixture();
    let folder = crate::root().join("target/xtask/banned");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(folder.join("src")).map_err(failed)?;
    let kernels = crate::root().join("crates/glassnet-kernels");
    let manifest = format!(
        "[package]\nname = \"banned\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nglassnet-kernels = {{ path = {:?} }}\n",
        kernels.display().to_string()
    );
    fs::write(folder.join("Cargo.toml"), manifest).map_err(failed)?;
    fs::write(folder.join("src/lib.rs"), &source).map_err(failed)?;
    // Clippy looks at a crate again only where it changed.
    let _ = fs::remove_dir_all(folder.join("target"));
    let output = Command::new(crate::run::cargo())
        .args(["clippy", "--quiet", "--offline", "--message-format=short"])
        .current_dir(&folder)
        .env("CLIPPY_CONF_DIR", crate::root())
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cargo clippy cannot be started: {error}"))?;
    let report = String::from_utf8_lossy(&output.stderr);
    let found = reported(&report);
    let name = |line: &usize| source.lines().nth(line - 1).unwrap_or_default().trim().to_string();
    let unfound: Vec<String> = banned.difference(&found).map(name).collect();
    let blamed: Vec<String> = found.difference(&banned).map(name).collect();
    if unfound.is_empty() && blamed.is_empty() {
        eprintln!("{} calls of banned functions, all found", banned.len());
        return Ok(());
    }
    Err(format!("not found: {}\nwrongly found: {}\n{report}", unfound.join(" "), blamed.join(" ")))
}

/// The crate's source, and the numbers of the lines that must be reported, from 1.
fn fixture() -> (String, BTreeSet<usize>) {
    let mut lines = vec!["#![deny(clippy::disallowed_methods)]".to_string(), "use glassnet_kernels::Real;".to_string()];
    let mut banned = BTreeSet::new();
    for real in ["f32", "f64"] {
        let mut calls: Vec<String> = Vec::new();
        for name in UNARY {
            calls.extend([format!("x.{name}()"), format!("{real}::{name}(x)")]);
        }
        for name in BINARY {
            calls.extend([format!("x.{name}(x)"), format!("{real}::{name}(x, x)")]);
        }
        calls.extend(["x.cbrt()".into(), "x.powi(3)".into(), format!("[x].map({real}::exp)")]);
        for (number, call) in calls.iter().enumerate() {
            lines.push(format!("pub fn {real}_{number}(x: {real}) {{ let _ = {call}; }}"));
            banned.insert(lines.len());
        }
        // The project's own, by its trait, and what IEEE 754 makes exact.
        lines.push(format!("pub fn {real}_own(x: {real}) -> {real} {{ Real::exp(x) + Real::ln(x) + x.sqrt() }}"));
    }
    lines.push("pub fn generic<T: Real>(x: T) -> T { x.exp() + x.ln() + x.tanh() }".to_string());
    (lines.join("\n") + "\n", banned)
}

/// Lines that clippy's short report names for a disallowed method.
fn reported(report: &str) -> BTreeSet<usize> {
    let disallowed = report.lines().filter(|line| line.contains("use of a disallowed method"));
    disallowed.filter_map(|line| line.split(':').nth(1)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_calls_every_function_that_clippy_toml_bans() {
        let (source, _) = fixture();
        let text = fs::read_to_string(crate::root().join("clippy.toml")).unwrap();
        let paths: Vec<&str> = text.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(paths.len(), 52);
        for path in paths {
            let (real, name) = path.split_once("::").unwrap();
            let method = |line: &str| line.contains(&format!("(x: {real})")) && line.contains(&format!("x.{name}("));
            assert!(source.lines().any(method), "{path}");
        }
    }

    #[test]
    fn lines_are_read_from_a_report() {
        let report = "src/lib.rs:3:38: error: use of a disallowed method `f32::exp`\n\
                      src/lib.rs:9:1: warning: something else\nerror: could not compile";
        assert_eq!(reported(report), BTreeSet::from([3]));
    }
}
