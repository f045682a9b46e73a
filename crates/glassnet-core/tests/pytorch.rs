//! Forward and backward of every operation against PyTorch's numbers (`tests/vectors`; schema in `tests/oracle/README.md`
//! at the root).

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod oracle;
mod trial;

use glassnet_core::ops::{
    add::Add, elu::Elu, gelu::Gelu, gelu_tanh::GeluTanh, leaky_relu::LeakyRelu, linear::Linear,
    log_softmax::LogSoftmax, mish::Mish, multiply::Multiply, relu::Relu, scale::Scale, selu::Selu, sigmoid::Sigmoid,
    silu::Silu, softmax::Softmax, softplus::Softplus, step::Step, tanh::Tanh,
};
use glassnet_core::{Op, Real, Shape, Team};
use oracle::{Case, assert_close, load};
use trial::{Operands, Trial};

/// Allowed distance, relative to max(1, |expected|).
fn tolerance<T: Real>() -> f64 {
    if T::NAME == "f32" { 1e-6 } else { 1e-12 }
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

fn op(case: &Case) -> Op {
    match case.op.as_str() {
        "relu" => Op::Relu(Relu),
        "leaky_relu" => Op::LeakyRelu(LeakyRelu { slope: case.number("slope") }),
        "elu" => Op::Elu(Elu { alpha: case.number("alpha") }),
        "selu" => Op::Selu(Selu),
        "gelu" => Op::Gelu(Gelu),
        "gelu_tanh" => Op::GeluTanh(GeluTanh),
        "silu" => Op::Silu(Silu),
        "mish" => Op::Mish(Mish),
        "tanh" => Op::Tanh(Tanh),
        "sigmoid" => Op::Sigmoid(Sigmoid),
        "softplus" => {
            assert_eq!(case.number("beta"), 1.0, "our softplus has no beta");
            Op::Softplus(Softplus)
        }
        "step" => Op::Step(Step),
        "softmax" => Op::Softmax(Softmax),
        "log_softmax" => Op::LogSoftmax(LogSoftmax),
        "linear" => Op::Linear(Linear { units: case.shape("y")[1], bias: case.flag("bias"), ntk: false }),
        "add" => Op::Add(Add),
        "multiply" => Op::Multiply(Multiply),
        "scale" => Op::Scale(Scale),
        other => panic!("no operation for {other}"),
    }
}

/// Compares one case and returns how many numbers it compared.
fn compare<T: Real>(case: &Case) -> usize {
    let op = op(case);
    let inputs: &[&str] = if op.arity() == 2 { &["a", "b"] } else { &["x"] };
    let slots: &[&str] = match op {
        Op::Linear(Linear { bias: true, .. }) => &["weight", "bias"],
        Op::Linear(_) => &["weight"],
        Op::Scale(_) => &["scale"],
        _ => &[],
    };
    let rows = case.shape("y")[0];
    let shapes: Vec<Shape> = inputs.iter().map(|name| Shape(case.shape(name)[1..].to_vec())).collect();
    let operands = Operands {
        inputs: inputs.iter().map(|name| case.input(name).to_vec()).collect(),
        labels: Vec::new(),
        parameters: slots.iter().flat_map(|name| case.parameter(name).to_vec()).collect(),
    };
    let mut trial = Trial::<T>::new(&op, &shapes, rows, Team::single());
    let value = wide(&trial.forward(rows, &operands));
    assert_close(&value, case.output("y"), tolerance::<T>(), &case.label());
    let mut compared = value.len();
    if case.upstream.is_empty() {
        assert_eq!(case.op, "step", "{}: only the step has no gradient", case.label());
        return compared;
    }
    let gradients = trial.backward(&case.upstream);
    for (name, gradient) in inputs.iter().zip(&gradients.inputs) {
        let what = format!("{}: gradient of {name}", case.label());
        assert_close(&wide(gradient.as_ref().unwrap()), case.gradient(name), tolerance::<T>(), &what);
        compared += case.gradient(name).len();
    }
    let expected: Vec<f64> = slots.iter().flat_map(|name| case.gradient(name).to_vec()).collect();
    let what = format!("{}: gradient of the parameters", case.label());
    assert_close(&wide(&gradients.parameters), &expected, tolerance::<T>(), &what);
    assert_eq!(case.gradients.len(), inputs.len() + slots.len(), "{}: all gradients are compared", case.label());
    compared + expected.len()
}

/// A group in both types of computation: so many cases in each, so many numbers in all.
fn assert_group(group: &str, cases: usize, numbers: usize) {
    let (mut f32s, mut f64s, mut compared) = (0, 0, 0);
    for case in load(group) {
        match case.dtype.as_str() {
            "f32" => {
                compared += compare::<f32>(&case);
                f32s += 1;
            }
            "f64" => {
                compared += compare::<f64>(&case);
                f64s += 1;
            }
            other => panic!("{}: what is {other}?", case.label()),
        }
    }
    assert_eq!((f32s, f64s, compared), (cases, cases, numbers), "{group}: cases in f32, in f64, numbers compared");
}

#[test]
fn curves() {
    // 56 cases of 1, 15, 28 and 16 elements in turn: 13 without and 1 without derivative.
    assert_group("elementwise", 56, 2 * (13 * 2 + 1) * (1 + 15 + 28 + 16));
}

#[test]
fn functions_of_a_row() {
    assert_group("softmax", 10, 2 * 2 * 2 * (1 + 15 + 34 + 10 + 20));
}

#[test]
fn linear() {
    // Of each shape y and dx twice (with and without bias), dW twice, db once.
    let shapes = [(1, 1, 1), (3, 5, 2), (7, 4, 6), (2, 17, 9)];
    let numbers: usize = shapes.iter().map(|(b, i, o)| 2 * (b * o + b * i + o * i) + o).sum();
    assert_group("linear", 8, 2 * numbers);
}

#[test]
fn sums_products_scales() {
    let numbers: usize = [(1, 1), (3, 5), (7, 4)].iter().map(|(b, d)| 9 * b * d - b * d + d).sum();
    assert_group("combine", 9, 2 * numbers);
}
