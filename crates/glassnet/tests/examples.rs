//! The course in `examples/`: each program prints what `examples/expected/` has. `GLASSNET_BLESS=1` writes those files anew
//! instead; look at the difference before you commit it.
#![cfg(all(feature = "fit", feature = "data"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// What a program's `run` is.
type Run = fn(&mut Vec<u8>) -> Result<(), Box<dyn Error>>;

/// Runs a program and holds what it prints against its file.
fn check(name: &str, run: Run) {
    let mut out = Vec::new();
    run(&mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
    let printed = String::from_utf8(out).unwrap();
    let path = folder().join("expected").join(format!("{name}.txt"));
    if std::env::var_os("GLASSNET_BLESS").is_some() {
        std::fs::write(&path, &printed).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for (number, (printed, expected)) in (1..).zip(printed.lines().zip(expected.lines())) {
        assert_eq!(printed, expected, "{name}, line {number}");
    }
    assert_eq!(printed, expected, "{name}");
}

macro_rules! programs {
    ($($module:ident $path:literal;)*) => {
        const PATHS: &[&str] = &[$($path),*];
        $(
            #[path = $path]
            #[allow(dead_code, reason = "its main function is for cargo run --example")]
            mod $module;

            #[test]
            fn $module() {
                check(stem($path), |out| $module::run(out));
            }
        )*
    };
}

programs! {
    one_neuron "../../../examples/01_one_neuron.rs";
    activations "../../../examples/02_activations.rs";
    layer_and_collapse "../../../examples/03_layer_and_collapse.rs";
    small_network "../../../examples/04_small_network.rs";
    feature_scale "../../../examples/05_feature_scale.rs";
    delay_risk_report "../../../examples/06_delay_risk_report.rs";
    softmax_and_loss "../../../examples/07_softmax_and_loss.rs";
    gradient_descent "../../../examples/08_gradient_descent.rs";
    xor "../../../examples/09_xor.rs";
    what_the_first_loss_is "../../../examples/10_what_the_first_loss_is.rs";
    train_a_classifier "../../../examples/11_train_a_classifier.rs";
    embed_the_model "../../../examples/12_embed_the_model.rs";
    count_before_you_train "../../../examples/13_count_before_you_train.rs";
    scalar_autograd "../../../examples/14_scalar_autograd.rs";
    convolution "../../../examples/15_convolution.rs";
    lstm_on_text "../../../examples/16_lstm_on_text.rs";
    embeddings "../../../examples/17_embeddings.rs";
    deep_residual "../../../examples/18_deep_residual.rs";
    tiny_gpt "../../../examples/19_tiny_gpt.rs";
}

/// A program's name from its path.
fn stem(path: &str) -> &str {
    Path::new(path).file_stem().unwrap().to_str().unwrap()
}

/// No program without a test, no text without a program, and the course's list names them all.
#[test]
fn every_program_is_tested_listed_and_short() {
    let files = |folder: PathBuf, ending: &str| -> BTreeSet<String> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let paths = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
        paths.map(|path| stem(path.to_str().unwrap()).to_string()).collect()
    };
    let tested: BTreeSet<String> = PATHS.iter().map(|path| stem(path).to_string()).collect();
    assert_eq!(files(folder(), "rs"), tested);
    assert_eq!(files(folder().join("expected"), "txt"), tested);
    let list = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for name in tested {
        assert!(list.contains(&format!("`{name}`")), "examples/README.md does not list {name}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "Cargo.toml does not have {name}");
        let text = std::fs::read_to_string(folder().join(format!("{name}.rs"))).unwrap();
        assert!(text.lines().count() < 150, "{name} is too long for a lesson");
    }
}
