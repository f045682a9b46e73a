//! Convolutions of one and two axes against PyTorch: value, gradients, three steps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod layer_case;
mod oracle;

use glassnet_core::ops::{conv1d::Conv1d, conv2d::Conv2d, padding::Padding};
use glassnet_core::{Op, Real};
use oracle::{Case, assert_counts, load_op};

/// One number an axis.
fn sizes<const D: usize>(case: &Case, name: &str) -> [usize; D] {
    let numbers = case.attributes[name].as_array().unwrap();
    assert_eq!(numbers.len(), D, "{}: {name}", case.label());
    std::array::from_fn(|axis| numbers[axis].as_u64().unwrap() as usize)
}

fn padding<const D: usize>(case: &Case) -> Padding<D> {
    match case.attributes["padding"].as_str() {
        Some("same") => Padding::Same,
        Some(other) => panic!("{}: padding {other}", case.label()),
        None => Padding::Zeros(sizes(case, "padding")),
    }
}

fn op(case: &Case) -> Op {
    let (channels, groups, bias) = (case.count("channels"), case.count("groups"), case.flag("bias"));
    if case.op == "conv2d" {
        let (kernel, stride, dilation) = (sizes(case, "kernel"), sizes(case, "stride"), sizes(case, "dilation"));
        return Op::Conv2d(Conv2d { channels, kernel, stride, padding: padding(case), dilation, groups, bias });
    }
    let ([kernel], [stride], [dilation]) = (sizes(case, "kernel"), sizes(case, "stride"), sizes(case, "dilation"));
    Op::Conv1d(Conv1d { channels, kernel, stride, padding: padding(case), dilation, groups, bias })
}

fn compare<T: Real>(name: &str) -> usize {
    load_op("convolution", name, T::NAME)
        .iter()
        .map(|case| {
            let slots: &[&str] = if case.flag("bias") { &["weight", "bias"] } else { &["weight"] };
            layer_case::compare::<T>(case, &op(case), &["x"], slots, true)
        })
        .sum()
}

#[test]
fn there_are_as_many_cases_as_were_made() {
    assert_counts("convolution", &["f64", "f32"], &[("conv2d", 14), ("conv1d", 8)]);
}

#[test]
fn conv2d_agrees_with_pytorch() {
    let numbers = compare::<f32>("conv2d");
    assert!(numbers > 2000, "only {numbers} numbers were compared");
    assert_eq!(numbers, compare::<f64>("conv2d"));
}

#[test]
fn conv1d_agrees_with_pytorch() {
    let numbers = compare::<f32>("conv1d");
    assert!(numbers > 500, "only {numbers} numbers were compared");
    assert_eq!(numbers, compare::<f64>("conv1d"));
}
