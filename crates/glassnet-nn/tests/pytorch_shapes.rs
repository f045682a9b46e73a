//! Reshape, flatten, transpose, concat and slice against PyTorch: value and gradients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::Op;
use glassnet_core::ops::{concat::Concat, flatten::Flatten, reshape::Reshape, slice::Slice, transpose::Transpose};
use oracle::{Case, assert_counts, load};

fn list(case: &Case, name: &str) -> Vec<usize> {
    let values = case.attributes[name].as_array().unwrap();
    values.iter().map(|value| usize::try_from(value.as_u64().unwrap()).unwrap()).collect()
}

fn compare(case: &Case) -> usize {
    let op = match case.op.as_str() {
        "reshape" => Op::Reshape(Reshape { shape: list(case, "shape") }),
        "flatten" => Op::Flatten(Flatten),
        "transpose" => Op::Transpose(Transpose { axes: list(case, "axes").try_into().unwrap() }),
        "concat" => Op::Concat(Concat { axis: case.count("axis"), parts: case.count("parts") }),
        "slice" => Op::Slice(Slice { axis: case.count("axis"), start: case.count("start"), end: case.count("end") }),
        other => panic!("no operation {other}"),
    };
    let inputs = &["x0", "x1", "x2", "x3"][..op.arity()];
    match case.dtype.as_str() {
        "f32" => layer_case::compare::<f32>(case, &op, inputs, &[], true),
        _ => layer_case::compare::<f64>(case, &op, inputs, &[], true),
    }
}

#[test]
fn shapes_are_pytorch_s() {
    let counts = [("reshape", 6), ("flatten", 6), ("transpose", 7), ("concat", 6), ("slice", 6)];
    assert_counts("shapes", &["f64", "f32"], &counts);
    let compared: usize = load("shapes").iter().map(compare).sum();
    assert!(compared > 6000, "only {compared} numbers were compared");
}
