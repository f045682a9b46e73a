//! Developer commands: `cargo xtask COMMAND`. A command is a file here and a line in [`COMMANDS`].
#![forbid(unsafe_code)]

mod aarch64;
mod check;
mod guide;
mod lints;
mod picture;
mod prove;
mod rooms;
mod run;
mod wasip;
mod wasm;

use std::path::PathBuf;
use std::process::ExitCode;

/// A command's name, what it does, and the function that gets the arguments after the name.
type Command = (&'static str, &'static str, fn(&[String]) -> Result<(), String>);

const COMMANDS: &[Command] = &[
    (
        "check",
        "everything that must hold before a change is merged, cheapest first; --fast leaves out the tests",
        check::run,
    ),
    ("prove", "the long proofs on real data, in a release build; or those whose name contains a word", prove::run),
    ("rooms", "sizes and names of source files, and the lints that each floor must have on", rooms::run),
    ("lints", "proves that clippy finds each banned function of the standard library", lints::run),
    (
        "guide",
        "writes the generated pages of docs/guide; with --check it writes nothing and fails where they differ",
        guide::run,
    ),
    (
        "wasm",
        "the runtime as a WebAssembly module: its predictions against the native ones; --trained, trained weights; --time, products",
        wasm::run,
    ),
    ("aarch64", "the kernels' tests and trained weights as aarch64 code, emulated: the same bytes", aarch64::run),
    ("threads", "what a second thread brings, by the size of a step: the data behind a threshold", threads),
    (
        "picture",
        "runs the README's first command; its report as docs/report.png, what it prints as docs/picture.svg",
        picture::run,
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted = arguments.first().map(String::as_str).unwrap_or_default();
    let Some((name, _, run)) = COMMANDS.iter().find(|(name, _, _)| *name == wanted) else {
        eprintln!("cargo xtask COMMAND\n");
        for (name, about, _) in COMMANDS {
            eprintln!("  {name:<10} {about}");
        }
        return ExitCode::from(2);
    };
    match run(&arguments[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{name}: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A program of the crate that trains: it builds faster than this one's release would.
fn threads(_arguments: &[String]) -> Result<(), String> {
    run::cargo_with(&["run", "--release", "-p", "glassnet-nn", "--example", "threads"], &[])
}

/// The repository's root.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(PathBuf::from).unwrap_or(here)
}
