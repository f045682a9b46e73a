//! Trained weights have one hash, whatever trained them: any number of threads, any instruction set, any processor, and three
//! threads in each instruction set. In f32, in f64, with products in bfloat16, and with large weights updated late. The
//! hashes are in `vectors/trained_hashes.txt`; the same file is what `cargo xtask aarch64` holds NEON code against.
//!
//! Where a change of arithmetic is meant, `GLASSNET_WRITE_HASHES=1 cargo test -p glassnet-nn --test one_answer` writes the file
//! anew, and the commit says why the bytes changed.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

mod whole;

use glassnet_core::plan::Pass;
use glassnet_core::{Precision, Real, Team};
use glassnet_kernels::Isa;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::process::Command;
use whole::{Made, NETS, Row, bits, logits, network, parameters};

/// Wide enough for every product to be split over threads, in panels of k and with columns and rows left over.
const WIDE: &[(&str, Row, bool)] = &[
    ("301 relu -> 130 gelu -> 47 selu", Row::Of(&[785]), false),
    ("conv 12 5x5 relu -> maxpool 2 -> conv 20 3x3 relu -> global avgpool", Row::Of(&[3, 23, 21]), false),
    ("embed 48 -> lstm 40 -> attention 4 heads causal -> layernorm", Row::Tokens(70), false),
];

/// Optimizer steps of a run, and rows of a step: no multiple of a tile, a lane or a team.
const STEPS: u32 = 3;
const BATCH: u32 = 37;

/// FNV-1a over the little-endian bits of every number.
fn hash<T: Real>(values: &[T]) -> u64 {
    let bytes = bits(values).into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A network whose first weight (262,656 elements) is updated late: its gradient is never written down.
const LATE: (&str, Row, bool) = ("513 relu -> 7", Row::Of(&[512]), false);

/// How a network is trained.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// By AdamW.
    Plain,
    /// By AdamW, with products in bfloat16.
    Bf16,
    /// By SGD, large weights late.
    Late,
}

/// The weights after some steps.
fn trained<T: Real>((text, row, lengths): (&str, Row, bool), way: Way, threads: usize) -> Vec<T> {
    let network = network(text, row, lengths);
    let source = Made::new(&network, row, (STEPS * BATCH) as usize, lengths);
    let all: Vec<u32> = (0..STEPS * BATCH).collect();
    let spec = TrainSpec {
        epochs: 1,
        batch: Batch::Rows(BATCH as usize),
        lr: 0.01,
        optimizer: if way == Way::Late { "sgd" } else { "adamw" }.parse().unwrap(),
        seed: 5,
        precision: if way == Way::Bf16 { Precision::Bf16 } else { Precision::F32 },
        ..TrainSpec::default()
    };
    let rows = Rows { source: &source, rows: &all };
    let mut trainer =
        Trainer::new(&network, parameters::<T>(&network, 1), rows, None, spec, Team::new(threads)).unwrap();
    if way == Way::Late {
        let late = trainer.runner().plan().steps().iter().any(|step| step.pass == Pass::Update && step.late);
        assert!(late, "{text} has no weight that is updated late");
        trainer = trainer.without_gradients();
    }
    for step in 0..STEPS {
        let batch = &all[(step * BATCH) as usize..][..BATCH as usize];
        trainer.step(batch, 0, u64::from(step * BATCH)).unwrap();
    }
    trainer.parameters().to_vec()
}

fn all_nets() -> impl Iterator<Item = &'static (&'static str, Row, bool)> {
    NETS.iter().chain(WIDE)
}

/// One line a network: its hashes and its text form, with the way that it was trained where that is not the usual one.
fn lines(threads: usize) -> String {
    let mut out = String::new();
    let both = |out: &mut String, net: (&str, Row, bool), way: Way, words: &str| {
        let (single, double) = (hash(&trained::<f32>(net, way, threads)), hash(&trained::<f64>(net, way, threads)));
        let ragged = if net.2 { ", ragged" } else { "" };
        writeln!(out, "f32 {single:016x} f64 {double:016x} {}{ragged}{words}", net.0).unwrap();
    };
    for &net in all_nets() {
        both(&mut out, net, Way::Plain, "");
    }
    both(&mut out, LATE, Way::Late, ", sgd, late");
    for &net in [&WIDE[0], &WIDE[2]] {
        writeln!(out, "bf16 {:016x} {}", hash(&trained::<f32>(net, Way::Bf16, threads)), net.0).unwrap();
    }
    out
}

fn file() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/trained_hashes.txt")
}

#[test]
fn trained_weights_have_one_hash() {
    let found = lines(1);
    if std::env::var_os("GLASSNET_WRITE_HASHES").is_some() {
        std::fs::write(file(), &found).unwrap();
    }
    let wanted = std::fs::read_to_string(file()).unwrap();
    // Three threads as well, here too: the children of the test below run this one, in each instruction set.
    for (threads, found) in [(1, &found), (3, &lines(3))] {
        for (found, wanted) in found.lines().zip(wanted.lines()) {
            assert_eq!(found, wanted, "the bytes of a trained network have changed ({threads} threads)");
        }
        assert_eq!(found.lines().count(), wanted.lines().count());
    }
    let distinct: BTreeSet<&str> = found.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(distinct.len(), found.lines().count(), "networks that differ have weights that differ");
}

#[test]
fn the_number_of_threads_is_not_in_the_bytes() {
    let one = lines(1);
    for threads in [2, 3, 4, 8] {
        for (found, wanted) in lines(threads).lines().zip(one.lines()) {
            assert_eq!(found, wanted, "{threads} threads");
        }
    }
}

/// The instruction set is chosen once in a process, so each has its own.
#[test]
fn the_instruction_set_is_not_in_the_bytes() {
    let program = std::env::current_exe().unwrap();
    let mut tried = 0;
    for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
        for test in ["trained_weights_have_one_hash", "a_rows_place_is_not_in_the_bytes"] {
            let run = Command::new(&program)
                .args([test, "--exact"])
                .env("GLASSNET_ISA", isa.name())
                .env_remove("GLASSNET_WRITE_HASHES")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success() && said.contains("1 passed"), "{}, {test}:\n{said}", isa.name());
            tried += 1;
        }
    }
    assert!(tried >= 2);
}

#[test]
fn a_rows_place_is_not_in_the_bytes() {
    for &(text, row, lengths) in WIDE {
        let network = network(text, row, lengths);
        let parameters: Vec<f32> = parameters(&network, 2);
        let source = Made::new(&network, row, 150, lengths);
        let wanted = bits(&logits(&network, &parameters, &source, &[7], 1));
        let width = wanted.len();
        // Alone, and at both ends and in the middle of batches that fill tiles, leave rows over, or are split over threads.
        for (rows, threads) in [(2, 1), (9, 1), (16, 2), (33, 3), (140, 2), (140, 4)] {
            for place in [0, rows / 2, rows - 1] {
                let mut batch: Vec<u32> = (0..rows as u32).map(|row| row + 8).collect();
                batch[place] = 7;
                let all = bits(&logits(&network, &parameters, &source, &batch, threads));
                assert!(all[place * width..][..width] == wanted, "{text}: place {place} of {rows}, {threads} threads");
            }
        }
    }
}
