//! Training with bfloat16 products: another arithmetic than f32's, but one answer as well, over threads, instruction sets and
//! processors; only for a computation in f32.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

mod whole;

use glassnet_core::{Precision, Purpose, Real, Team};
use glassnet_kernels::Isa;
use glassnet_nn::train::{Batch, Rows, TrainError, TrainSpec, Trainer};
use std::process::Command;
use whole::{Made, Row, bits, network, parameters};

/// A dense network whose products are split over threads and panels of k, and one with recurrence and a tied table; with
/// FNV-1a over the trained weights.
const NETS: &[(&str, Row, u64)] = &[
    ("301 relu -> 130 gelu -> 47 selu", Row::Of(&[785]), 0x94bf_0529_2246_1510),
    ("embed 48 -> lstm 40 -> attention 4 heads causal -> layernorm", Row::Tokens(70), 0x0649_7a27_6dcd_ae40),
];

const STEPS: u32 = 3;
const BATCH: u32 = 37;

fn spec(precision: Precision) -> TrainSpec {
    TrainSpec {
        epochs: 1,
        batch: Batch::Rows(BATCH as usize),
        lr: 0.01,
        optimizer: "adamw".parse().unwrap(),
        seed: 5,
        precision,
        ..TrainSpec::default()
    }
}

fn trained<T: Real>(text: &str, row: Row, precision: Precision, threads: usize) -> Result<Vec<T>, TrainError> {
    let network = network(text, row, false);
    let source = Made::new(&network, row, (STEPS * BATCH) as usize, false);
    let all: Vec<u32> = (0..STEPS * BATCH).collect();
    let rows = Rows { source: &source, rows: &all };
    let start = parameters::<T>(&network, 1);
    let mut trainer = Trainer::new(&network, start, rows, None, spec(precision), Team::new(threads))?;
    for step in 0..STEPS {
        let batch = &all[(step * BATCH) as usize..][..BATCH as usize];
        trainer.step(batch, 0, u64::from(step * BATCH)).unwrap();
    }
    Ok(trainer.parameters().to_vec())
}

fn hash(values: &[f32]) -> u64 {
    let bytes = bits(values).into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn trained_weights_have_one_hash_that_is_not_that_of_f32() {
    for &(text, row, wanted) in NETS {
        let found = trained::<f32>(text, row, Precision::Bf16, 1).unwrap();
        assert_eq!(format!("{:016x}", hash(&found)), format!("{wanted:016x}"), "{text}");
        let full = trained::<f32>(text, row, Precision::F32, 1).unwrap();
        assert!(bits(&found) != bits(&full), "{text}");
    }
}

#[test]
fn the_number_of_threads_is_not_in_the_bytes() {
    for &(text, row, wanted) in NETS {
        for threads in [2, 3, 4, 8] {
            let found = trained::<f32>(text, row, Precision::Bf16, threads).unwrap();
            assert_eq!(hash(&found), wanted, "{text}, {threads} threads");
        }
    }
}

/// The instruction set is chosen once in a process, so each has its own; but for AVX-512 they emulate the instruction.
#[test]
fn the_instruction_set_is_not_in_the_bytes() {
    let program = std::env::current_exe().unwrap();
    let mut tried = 0;
    for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
        let run = Command::new(&program)
            .args(["trained_weights_have_one_hash_that_is_not_that_of_f32", "--exact"])
            .env("GLASSNET_ISA", isa.name())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && said.contains("1 passed"), "{}:\n{said}", isa.name());
        tried += 1;
    }
    assert!(tried >= 1);
}

#[test]
fn a_computation_in_f64_has_no_bf16() {
    let (text, row, _) = NETS[0];
    let error = trained::<f64>(text, row, Precision::Bf16, 1).unwrap_err();
    assert!(matches!(error, TrainError::Precision { precision: Precision::Bf16, computation: "f64" }));
    let said = error.to_string();
    assert!(
        said.starts_with("products in bf16 are for a computation in f32, but this one is in f64\n  hint: "),
        "{said}"
    );
    trained::<f64>(text, row, Precision::F32, 1).unwrap();
}

#[test]
fn settings_say_the_precision_by_its_name() {
    let json = serde_json::to_value(spec(Precision::Bf16)).unwrap();
    assert_eq!(json["precision"], "bf16");
    assert_eq!(serde_json::from_value::<TrainSpec>(json.clone()).unwrap(), spec(Precision::Bf16));
    // Settings from before there was a choice.
    let mut old = json.clone();
    old.as_object_mut().unwrap().remove("precision");
    assert_eq!(serde_json::from_value::<TrainSpec>(old).unwrap().precision, Precision::F32);
    let mut wrong = json;
    wrong["precision"] = "fp8".into();
    let said = serde_json::from_value::<TrainSpec>(wrong).unwrap_err().to_string();
    assert_eq!(said, "there is no precision \"fp8\"; use f32 or bf16");
}

#[test]
fn a_plan_says_its_precision() {
    let network = network(NETS[0].0, NETS[0].1, false);
    let plan = |precision| network.plan_in(precision, Purpose::Train, 4, false);
    assert_eq!(plan(Precision::Bf16).precision(), Precision::Bf16);
    let words = ", products of linear maps in bf16";
    assert!(plan(Precision::Bf16).to_string().contains(words));
    assert!(!plan(Precision::F32).to_string().contains(words));
    assert!(plan(Precision::F32) == network.plan(Purpose::Train, 4));
}
