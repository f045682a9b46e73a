//! The course's scalar autograd against the engine: random expressions built as both, the same values and gradients.
#![cfg(all(feature = "fit", feature = "data"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet::core::ops::{
    add::Add, linear::Linear, multiply::Multiply, relu::Relu, sigmoid::Sigmoid, silu::Silu, softplus::Softplus,
    tanh::Tanh,
};
use glassnet::core::random::{Draws, Purpose as Stream};
use glassnet::core::{Graph, NodeId, Op, Plan, Purpose, Request, Runner, StepInfo, Team};

#[path = "../../../examples/14_scalar_autograd.rs"]
#[allow(dead_code, reason = "its lesson is for another test")]
mod scalar;

use scalar::{Tape, Value};

/// One expression: its inputs and weights, and what both say of it.
struct Both {
    scalar: (f64, Vec<f64>),
    engine: (f64, Vec<f64>),
    operations: usize,
}

/// The largest distance of value and gradients, as a share of the larger of 1 and the number.
fn apart(both: &Both) -> f64 {
    let (scalar, engine) = (&both.scalar, &both.engine);
    assert_eq!(scalar.1.len(), engine.1.len());
    let pairs = scalar.1.iter().zip(&engine.1).chain([(&scalar.0, &engine.0)]);
    pairs.fold(0.0, |most: f64, (a, b)| {
        assert!(a.is_finite() && b.is_finite());
        most.max((a - b).abs() / a.abs().max(1.0))
    })
}

fn expression(seed: u64) -> Both {
    let draws = Draws::new(seed, Stream::Synthetic, 0, 0);
    let mut place = 0;
    let mut below = |bound: u64| {
        place += 1;
        draws.below(place, bound) as usize
    };
    let numbers = Draws::new(seed, Stream::Synthetic, 1, 0);
    let (tape, mut graph) = (Tape::default(), Graph::new());
    let inputs: Vec<f64> = (0..2 + below(2)).map(|i| numbers.normal(i as u64)).collect();
    let mut values: Vec<(Value, NodeId)> =
        inputs.iter().enumerate().map(|(i, &x)| (tape.leaf(x), graph.input(&format!("x{i}"), [1]))).collect();
    let mut weights: Vec<(f64, Value)> = Vec::new();
    let operations = 8 + below(12);
    for step in 0..operations {
        let ((a, left), (b, right)) = (values[below(values.len() as u64)], values[values.len() - 1]);
        let (value, op, read) = match below(8) {
            0 => (a + b, Op::Add(Add), vec![left, right]),
            1 => (a * b, Op::Multiply(Multiply), vec![left, right]),
            2 => {
                let [w, c] = [0, 1].map(|i| numbers.normal(100 + 2 * step as u64 + i));
                let (weight, bias) = (tape.leaf(w), tape.leaf(c));
                weights.extend([(w, weight), (c, bias)]);
                (weight * b + bias, Op::Linear(Linear { units: 1, bias: true, ntk: false }), vec![right])
            }
            3 => (b.tanh(), Op::Tanh(Tanh), vec![right]),
            4 => (b.relu(), Op::Relu(Relu), vec![right]),
            5 => (b.sigmoid(), Op::Sigmoid(Sigmoid), vec![right]),
            6 => (b.softplus(), Op::Softplus(Softplus), vec![right]),
            _ => (b * b.sigmoid(), Op::Silu(Silu), vec![right]),
        };
        values.push((value, graph.push(&step.to_string(), op, &read).unwrap()));
    }
    let (end, last) = values[values.len() - 1];
    let gradients = tape.backward(end);
    let leaves = values[..inputs.len()].iter().map(|(value, _)| value).chain(weights.iter().map(|(_, value)| value));
    let scalar = (end.value(), leaves.map(|leaf| gradients[leaf.1]).collect());

    let request = Request {
        purpose: Purpose::Attribute,
        rows: 1,
        backward_from: Some(last),
        outputs: vec![last],
        training: true,
        checkpoint: false,
    };
    let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    runner.set_rows(1);
    for (&x, (_, node)) in inputs.iter().zip(&values) {
        runner.input_mut(*node).fill(x);
    }
    let parameters: Vec<f64> = weights.iter().map(|(weight, _)| *weight).collect();
    let mut by_parameter = vec![0.0; parameters.len()];
    runner.forward(&parameters, &StepInfo::default());
    runner.backward(&parameters, &mut by_parameter, &StepInfo::default());
    // What nobody reads has no gradient in the engine, and the gradient 0 here.
    let by_input = values[..inputs.len()].iter().map(|(_, node)| runner.gradient(*node).map_or(0.0, |g| g[0]));
    let engine = (runner.value(last).unwrap()[0], by_input.chain(by_parameter.iter().copied()).collect());
    Both { scalar, engine, operations }
}

#[test]
fn fifty_random_expressions_have_the_engines_values_and_gradients() {
    let all: Vec<Both> = (0..50).map(expression).collect();
    let worst = all.iter().map(apart).fold(0.0, f64::max);
    let gradients = all.iter().flat_map(|both| &both.scalar.1);
    let (numbers, zeros) = (gradients.clone().count(), gradients.filter(|gradient| **gradient == 0.0).count());
    let operations: usize = all.iter().map(|both| both.operations).sum();
    println!("{operations} operations, {numbers} gradients, {zeros} of them 0, at most {worst:e} apart");
    assert!(worst <= 1e-12, "{worst:e}");
    assert!(numbers > 150 && zeros * 2 < numbers, "{zeros} of {numbers} gradients are 0");
}
