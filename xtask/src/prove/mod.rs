//! The long proofs: runs on real data that take minutes and have bars to reach. `cargo xtask prove` runs all of them,
//! `cargo xtask prove mnist` those whose name contains the word. They want a release build.

mod adding;
mod cnn;
mod deep;
mod flights;
mod kernels;
mod mnist;
mod mnist_fast;
mod resume;
mod sanitizers;
mod shakespeare;
mod ulp;
mod words;

use std::path::PathBuf;
use std::process::Command;

/// What a proof comes to where nothing failed.
pub enum Verdict {
    /// Every bar was reached.
    Proved,
    /// It could not run: what is missing.
    Skipped(String),
}

/// A proof's name, what it shows, and the function that prints its table and says whether the bars were reached.
type Proof = (&'static str, &'static str, fn() -> Result<Verdict, String>);

const PROOFS: &[Proof] = &[
    ("mnist", "MNIST in 5 epochs: 96.5 % by plain SGD, 97.5 % by Adam, a first loss near ln 10", mnist::run),
    (
        "mnist-fast",
        "MNIST from the command to the saved model: 99 % in a few seconds, the median of five seeds",
        mnist_fast::run,
    ),
    ("adding", "the adding problem over 100 steps: an LSTM learns it, a plain recurrent network does not", adding::run),
    ("cnn", "convolution in few epochs: 99.2 % on MNIST with three seeds, 91.5 % on Fashion-MNIST", cnn::run),
    (
        "shakespeare",
        "a GPT of 4 layers, 2,000 steps on tinyshakespeare: at most 1.90 nats a character",
        shakespeare::run,
    ),
    ("deep", "50 layers: with residual branches they learn, without they do not; and a third of the memory", deep::run),
    ("words", "king - man + woman is queen in the word vectors", words::run),
    ("resume", "200 random kill -9 during training, each resumed to the same bytes; a full disk", resume::run),
    ("kernels", "every kernel is inlined into its copies for the instruction sets", kernels::run),
    ("ulp", "the elementary functions over every value of f32, within their bounds in ulp", ulp::run),
    ("sanitizers", "the kernels' tests under the address and the thread sanitizer: nothing found", sanitizers::run),
    ("flights", "the whole flights table, from files to scores and from the model file again", flights::run),
];

/// Runs the proofs whose name contains the first argument, or all.
///
/// # Errors
/// A name that fits no proof; the proofs that failed, with the bars that they missed.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let wanted = arguments.first().map(String::as_str).unwrap_or_default();
    let chosen: Vec<&Proof> = PROOFS.iter().filter(|(name, _, _)| name.contains(wanted)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = PROOFS.iter().map(|(name, _, _)| *name).collect();
        return Err(format!("no proof is called {wanted}\n  hint: there are {}", names.join(", ")));
    }
    let mut failed = Vec::new();
    for (name, about, proof) in chosen {
        println!("{name}: {about}");
        match proof() {
            Ok(Verdict::Proved) => println!("{name}: proved\n"),
            Ok(Verdict::Skipped(why)) => println!("{name}: skipped, {why}\n"),
            Err(why) => {
                println!("{name}: failed\n");
                failed.push(format!("{name}: {why}"));
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

/// A file or folder of the shared data: beside the repository, or where GLASSNET_SHARED says.
fn shared(name: &str) -> Result<PathBuf, Verdict> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let path = std::env::var_os("GLASSNET_SHARED").map_or_else(beside, PathBuf::from).join(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(Verdict::Skipped(format!("{name} is not in ../shared nor where GLASSNET_SHARED says")))
    }
}

/// What the command answers to these arguments, as JSON.
fn command(arguments: &[&str]) -> Result<serde_json::Value, String> {
    let run = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "-p", "glassnet-cli", "--"])
        .args(arguments)
        .args(["--json", "--quiet"])
        .current_dir(crate::root())
        .output()
        .map_err(|error| error.to_string())?;
    if !run.status.success() {
        return Err(format!("glassnet {}: {}", arguments[0], String::from_utf8_lossy(&run.stderr)));
    }
    serde_json::from_slice(&run.stdout).map_err(|error| format!("glassnet {}: {error}", arguments[0]))
}
