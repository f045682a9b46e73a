//! Layer, RMS, group and batch norm against PyTorch: value, gradients, three optimizer steps, running statistics.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::Op;
use glassnet_core::ops::{batch_norm::BatchNorm, group_norm::GroupNorm, layer_norm::LayerNorm, rms_norm::RmsNorm};
use oracle::{Case, assert_counts, load};

fn compare(case: &Case) -> usize {
    let eps = case.number("eps");
    let (op, slots): (Op, &[&str]) = match case.op.as_str() {
        "layer_norm" if case.flag("bias") => (Op::LayerNorm(LayerNorm { eps, bias: true }), &["weight", "bias"]),
        "layer_norm" => (Op::LayerNorm(LayerNorm { eps, bias: false }), &["weight"]),
        "rms_norm" => (Op::RmsNorm(RmsNorm { eps }), &["weight"]),
        "group_norm" => (Op::GroupNorm(GroupNorm { groups: case.count("groups"), eps }), &["weight", "bias"]),
        "batch_norm" => (
            Op::BatchNorm(BatchNorm { eps, momentum: case.number("momentum") }),
            &["weight", "bias", "running_mean", "running_var"],
        ),
        other => panic!("no operation {other}"),
    };
    let training = case.op != "batch_norm" || case.flag("training");
    match case.dtype.as_str() {
        "f32" => layer_case::compare::<f32>(case, &op, &["x"], slots, training),
        _ => layer_case::compare::<f64>(case, &op, &["x"], slots, training),
    }
}

#[test]
fn norms_are_pytorch_s() {
    let counts = [("layer_norm", 7), ("rms_norm", 6), ("group_norm", 7), ("batch_norm", 12)];
    assert_counts("normalisation", &["f64", "f32"], &counts);
    let cases = load("normalisation");
    assert_eq!(cases.iter().filter(|case| case.op == "batch_norm" && case.flag("training")).count(), 12);
    let compared: usize = cases.iter().map(compare).sum();
    assert!(compared > 8000, "only {compared} numbers were compared");
}
