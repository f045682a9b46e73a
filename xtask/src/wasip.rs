//! Programs in WebAssembly (wasm32-wasip1, run by Node): the kernels' tests of products, the weights of trained networks
//! against the hashes that x86-64 gave, and what products take.

use std::process::{Command, Stdio};

use crate::run::cargo_with;
use crate::wasm::{BUILDS, have_target};

/// The target that programs are built for.
const TARGET: &str = "wasm32-wasip1";

/// What Node runs a program with; the path of the program follows.
const RUNNER: &str = "wasm/run.mjs";

/// Tests that are run: everything about products, of any shape and of one row.
const TESTS: [&str; 4] = ["product::", "row::", "narrow::", "reduce::"];

/// Rounds of a measurement; each runs every way once.
const ROUNDS: usize = 5;

/// Runs the kernels' tests of products in every build. Where the target cannot be had it says so.
///
/// # Errors
/// A test that fails.
pub fn tests() -> Result<(), String> {
    if let Err(reason) = have_target(TARGET) {
        eprintln!("skipped: the kernels' tests are not run in WebAssembly ({reason})");
        return Ok(());
    }
    for (name, flags) in BUILDS {
        println!("the kernels' tests, {name}");
        test(flags, &[&["glassnet-kernels", "--lib", "--"], &TESTS[..]].concat())?;
    }
    Ok(())
}

/// Trains the networks of `one_answer.rs` in the SIMD128 build and compares the hashes of their weights.
///
/// # Errors
/// Other weights, or there is no target for it.
pub fn trained() -> Result<(), String> {
    have_target(TARGET)?;
    let names = ["trained_weights_have_one_hash", "a_rows_place_is_not_in_the_bytes"];
    test(BUILDS[1].1, &[&["glassnet-nn", "--test", "one_answer", "--", "--exact"], &names[..]].concat())
}

/// Tests of a package, built with these flags of rustc.
fn test(flags: &str, arguments: &[&str]) -> Result<(), String> {
    let runner = format!("node --no-warnings {}", crate::root().join(RUNNER).display());
    let environment =
        [("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner.as_str()), ("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags)];
    let test = ["test", "--quiet", "--release", "--target", TARGET, "--package"];
    // A panic ends the program there, and what was held back with it.
    cargo_with(&[&test[..], arguments, &["--nocapture"]].concat(), &environment)
}

/// What products take in each build, and in the SIMD128 build with the plain tiles: every way in turn, round after round.
///
/// # Errors
/// The program does not build or does not run, or there is no target for it.
pub fn time() -> Result<(), String> {
    have_target(TARGET)?;
    let mut ways = Vec::new();
    for (name, flags) in BUILDS {
        let build = ["build", "--release", "--target", TARGET, "--package", "glassnet-kernels", "--example", EXAMPLE];
        cargo_with(&build, &[("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags)])?;
        let built = crate::root().join(format!("target/{TARGET}/release/examples/{EXAMPLE}.wasm"));
        let kept = crate::root().join(format!("target/xtask/wasm/{EXAMPLE}-{name}.wasm"));
        std::fs::copy(&built, &kept).map_err(|error| format!("{}: {error}", built.display()))?;
        ways.push((name.to_string(), kept.clone(), ""));
        if !flags.is_empty() {
            ways.push((format!("{name}, plain tiles"), kept, "scalar"));
        }
    }
    let mut times = vec![[const { Vec::new() }; 3]; ways.len()];
    for _ in 0..ROUNDS {
        for ((_, program, isa), times) in ways.iter().zip(&mut times) {
            let mut node = Command::new("node");
            node.arg("--no-warnings").arg(RUNNER).arg(program).env("GLASSNET_ISA", isa);
            let output = node.current_dir(crate::root()).stdin(Stdio::null()).output();
            let output = output.map_err(|error| format!("node cannot be started: {error}"))?;
            let text = String::from_utf8_lossy(&output.stdout);
            let said = || format!("{} says {text:?}", program.display());
            let numbers: Option<Vec<f64>> = text.split_whitespace().skip(1).map(|word| word.parse().ok()).collect();
            let numbers: [f64; 3] = numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(said)?;
            for (times, number) in times.iter_mut().zip(numbers) {
                times.push(number);
            }
        }
    }
    println!("\nMedians of {ROUNDS} rounds, microseconds.\n");
    println!("| build | 128 x 256 x 784 | of ones and zeros | a row of 784-256-10 |\n|---|---:|---:|---:|");
    for ((name, _, _), times) in ways.iter().zip(&mut times) {
        let [whole, of_ones, row] = times.each_mut().map(|times| {
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        });
        println!("| {name} | {whole:.0} | {of_ones:.0} | {row:.1} |");
    }
    Ok(())
}

/// The example that is timed.
const EXAMPLE: &str = "one_thread";
