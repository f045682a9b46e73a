//! `cargo xtask rooms`: a source file is a room for one thing, so it has at most 600 lines and a name that says what it
//! holds; `unsafe` stays in the kernels; the floors keep their lints.

use std::fs;
use std::path::{Path, PathBuf};

/// Most lines of a source file.
const MOST_LINES: usize = 600;

/// Names that say nothing of what a file holds.
const NAMELESS: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Crates whose results must not depend on the system.
const FLOORS: [&str; 5] = ["kernels", "core", "nn", "model", "data"];

/// The line that turns the ban on in a floor's lib.rs.
const BAN: &str = "#![cfg_attr(not(test), deny(clippy::disallowed_methods))]";

/// Crates that hold `unsafe`: the kernels, and the module that names its exports (see docs/decisions).
const WITH_UNSAFE: [&str; 2] = ["crates/glassnet-kernels", "wasm"];

/// Looks at every source file of the repository.
///
/// # Errors
/// All that is wrong, a line for each.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err(format!("there are no arguments, but there is {}", arguments.join(" ")));
    }
    let wrong = faults(&crate::root())?;
    if wrong.is_empty() { Ok(()) } else { Err(format!("{} faults\n  {}", wrong.len(), wrong.join("\n  "))) }
}

/// Everything that is wrong below `root`.
fn faults(root: &Path) -> Result<Vec<String>, String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "wasm", "examples"] {
        sources(&root.join(folder), &mut files)?;
    }
    let mut wrong = Vec::new();
    for path in &files {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/");
        let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        wrong.extend(file_faults(&name, &text));
    }
    for floor in FLOORS {
        let name = format!("crates/glassnet-{floor}/src/lib.rs");
        let text = fs::read_to_string(root.join(&name)).unwrap_or_default();
        if !text.lines().any(|line| line == BAN) {
            wrong.push(format!("{name}: it must have the line {BAN}"));
        }
    }
    Ok(wrong)
}

/// What is wrong with one file, given its path below the root, with slashes.
fn file_faults(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        wrong.push(format!("{name}: {lines} lines, more than {MOST_LINES}: it is two rooms"));
    }
    let parts = name.trim_end_matches(".rs").split('/');
    if let Some(word) = parts.clone().find(|part| NAMELESS.contains(part)) {
        wrong.push(format!("{name}: '{word}' does not say what is in it"));
    }
    let is_root = name.ends_with("/src/lib.rs") || name.ends_with("/src/main.rs");
    let with_unsafe = WITH_UNSAFE.iter().any(|folder| name.starts_with(&format!("{folder}/")));
    if is_root && !with_unsafe && !text.lines().any(|line| line == "#![forbid(unsafe_code)]") {
        wrong.push(format!("{name}: it must have the line #![forbid(unsafe_code)]"));
    }
    wrong
}

/// The .rs files below a folder, in order; a folder that is not there has none.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| format!("{}: {error}", folder.display()))?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                sources(&path, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_601_lines_is_two_rooms() {
        assert_eq!(file_faults("crates/a/src/b.rs", &"x\n".repeat(600)), Vec::<String>::new());
        assert_eq!(
            file_faults("crates/a/src/b.rs", &"x\n".repeat(601)),
            ["crates/a/src/b.rs: 601 lines, more than 600: it is two rooms"]
        );
    }

    #[test]
    fn names_that_say_nothing_are_refused_as_file_and_as_folder() {
        for name in ["crates/a/src/utils.rs", "crates/a/tests/common/mod.rs", "xtask/src/helpers.rs"] {
            assert_eq!(file_faults(name, "").len(), 1, "{name}");
        }
        assert_eq!(file_faults("crates/a/src/commonplace.rs", ""), Vec::<String>::new());
    }

    #[test]
    fn only_the_kernels_and_the_wasm_exports_may_hold_unsafe() {
        assert_eq!(file_faults("crates/glassnet-nn/src/lib.rs", "").len(), 1);
        assert_eq!(file_faults("crates/glassnet-nn/src/lib.rs", "#![forbid(unsafe_code)]\n"), Vec::<String>::new());
        assert_eq!(file_faults("crates/glassnet-kernels/src/lib.rs", ""), Vec::<String>::new());
    }

    #[test]
    fn a_floor_without_the_ban_is_found() {
        // The folder of this crate has no floors below it.
        let wrong = faults(&crate::root().join("xtask")).unwrap();
        assert_eq!(wrong.iter().filter(|fault| fault.contains("disallowed_methods")).count(), FLOORS.len());
    }
}
