//! Graph, plan and runner together: a small network, its gradients by finite differences, every purpose the same bytes.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::{
    add::Add, cross_entropy::CrossEntropy, dropout::Dropout, gelu::Gelu, linear::Linear, mean::Mean,
    multiply::Multiply, relu::Relu, silu::Silu,
};
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

struct Net {
    graph: Graph,
    x: NodeId,
    y: NodeId,
    weight: NodeId,
    logits: NodeId,
    loss: NodeId,
}

/// 5 -> 8 relu -> residual(gated) -> dropout -> gelu -> 3, cross-entropy.
fn net(p: f64) -> Net {
    let mut graph = Graph::new();
    let x = graph.input("x", [5]);
    let y = graph.labels("y");
    let weight = graph.input("row weight", []);
    let linear = |units| Op::Linear(Linear { units, bias: true, ntk: false });
    let z = graph.push("0", linear(8), &[x]).unwrap();
    let h = graph.push("1", Op::Relu(Relu), &[z]).unwrap();
    let gate = graph.push("2.gate", linear(6), &[h]).unwrap();
    let gate = graph.push("2.act", Op::Silu(Silu), &[gate]).unwrap();
    let up = graph.push("2.up", linear(6), &[h]).unwrap();
    let both = graph.push("2.product", Op::Multiply(Multiply), &[gate, up]).unwrap();
    let down = graph.push("2.down", linear(8), &[both]).unwrap();
    let skip = graph.push("2", Op::Add(Add), &[h, down]).unwrap();
    let dropped = graph.push("3", Op::Dropout(Dropout { p }), &[skip]).unwrap();
    let g = graph.push("4", Op::Gelu(Gelu), &[dropped]).unwrap();
    let logits = graph.push("5", linear(3), &[g]).unwrap();
    let losses = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[logits, y]).unwrap();
    let loss = graph.push("loss", Op::Mean(Mean), &[losses, weight]).unwrap();
    Net { graph, x, y, weight, logits, loss }
}

fn request(net: &Net, purpose: Purpose, rows: usize, backward: bool, training: bool) -> Request {
    Request {
        purpose,
        rows,
        backward_from: backward.then_some(net.loss),
        outputs: vec![net.logits],
        training,
        checkpoint: false,
    }
}

fn load<T: Real>(net: &Net, runner: &mut Runner<T>, rows: usize) -> StepInfo {
    runner.set_rows(rows);
    let draws = Draws::new(3, Stream::Synthetic, 0, 0);
    for (i, x) in runner.input_mut(net.x).iter_mut().enumerate() {
        *x = T::from_f64(draws.normal(i as u64));
    }
    for (i, y) in runner.labels_mut(net.y).iter_mut().enumerate() {
        *y = (i % 3) as i32;
    }
    let mut denominator = 0.0;
    for (i, w) in runner.input_mut(net.weight).iter_mut().enumerate() {
        *w = T::from_f64(1.0 + 0.25 * (i % 4) as f64);
        denominator += w.to_f64();
    }
    StepInfo {
        seed: 11,
        epoch: 2,
        position: 40,
        denominator: if denominator == 0.0 { rows as f64 } else { denominator },
        time: 0,
        dropout: 1.0,
    }
}

fn parameters<T: Real>(net: &Net) -> Vec<T> {
    let draws = Draws::new(5, Stream::Init, 0, 0);
    (0..net.graph.slots().len()).map(|i| T::from_f64(0.4 * draws.normal(i as u64))).collect()
}

fn run<T: Real>(net: &Net, request: Request, rows: usize, parameters: &[T]) -> (T, Vec<T>, Vec<T>) {
    let mut runner = Runner::new(Arc::new(Plan::new(&net.graph, request)), Team::single());
    let info = load(net, &mut runner, rows);
    let mut gradients = vec![T::ZERO; parameters.len()];
    runner.forward(parameters, &info);
    runner.backward(parameters, &mut gradients, &info);
    let loss = runner.value(net.loss).map_or(T::ZERO, |loss| loss[0]);
    (loss, gradients, runner.value(net.logits).unwrap().to_vec())
}

#[test]
fn gradients_of_a_whole_network_agree_with_finite_differences() {
    let net = net(0.3);
    let start = parameters::<f64>(&net);
    let ask = |parameters: &[f64]| run(&net, request(&net, Purpose::Train, 7, true, true), 7, parameters);
    let (_, gradients, _) = ask(&start);
    let step = 1e-5;
    for i in 0..start.len() {
        let mut moved = start.clone();
        moved[i] = start[i] + step;
        let up = ask(&moved).0;
        moved[i] = start[i] - step;
        let down = ask(&moved).0;
        let numeric = (up - down) / (2.0 * step);
        assert!((numeric - gradients[i]).abs() < 1e-8, "parameter {i}: {numeric} against {}", gradients[i]);
    }
}

#[test]
fn every_purpose_gives_the_same_bytes() {
    let net = net(0.0);
    let start = parameters::<f32>(&net);
    let train = run(&net, request(&net, Purpose::Train, 9, true, false), 7, &start);
    let inspect = run(&net, request(&net, Purpose::Inspect, 7, true, false), 7, &start);
    let attribute = run(&net, request(&net, Purpose::Attribute, 8, true, false), 7, &start);
    let predict = run(&net, request(&net, Purpose::Predict, 7, false, false), 7, &start);
    assert_eq!(train.0.to_bits(), inspect.0.to_bits());
    assert_eq!(train.1, inspect.1);
    assert_eq!(train.1, attribute.1);
    assert_eq!(train.2, inspect.2);
    assert_eq!(train.2, predict.2);
    assert!(train.0 > 0.0 && train.1.iter().any(|g| *g != 0.0));
}

#[test]
fn the_arena_that_a_step_touches_is_the_one_forecast() {
    let net = net(0.2);
    for purpose in [Purpose::Train, Purpose::Inspect, Purpose::Attribute] {
        let plan = Arc::new(Plan::new(&net.graph, request(&net, purpose, 12, true, true)));
        let mut runner = Runner::<f32>::new(Arc::clone(&plan), Team::single());
        runner.mark();
        let info = load(&net, &mut runner, 12);
        let parameters = parameters(&net);
        let mut gradients = vec![0.0; parameters.len()];
        runner.forward(&parameters, &info);
        runner.backward(&parameters, &mut gradients, &info);
        assert_eq!(runner.touched(), plan.arena_len(), "{purpose:?}");
    }
    let train = Plan::new(&net.graph, request(&net, Purpose::Train, 12, true, true)).arena_len();
    let inspect = Plan::new(&net.graph, request(&net, Purpose::Inspect, 12, true, true)).arena_len();
    assert!(train * 10 < inspect * 8, "training uses memory again: {train} against {inspect}");
}

#[test]
fn a_row_alone_has_the_bytes_of_the_row_in_a_batch() {
    let net = net(0.0);
    let start = parameters::<f32>(&net);
    let batch = run(&net, request(&net, Purpose::Predict, 7, false, false), 7, &start).2;
    let alone = run(&net, request(&net, Purpose::Predict, 7, false, false), 1, &start).2;
    assert_eq!(batch[..3], alone[..]);
}

#[test]
fn a_prefix_of_the_plan_gives_the_values_of_the_whole() {
    let net = net(0.0);
    let plan = Arc::new(Plan::new(&net.graph, request(&net, Purpose::Inspect, 7, true, false)));
    let start = parameters::<f32>(&net);
    let (mut whole, mut prefix) = (Runner::new(Arc::clone(&plan), Team::single()), Runner::new(plan, Team::single()));
    let info = load(&net, &mut whole, 7);
    load(&net, &mut prefix, 7);
    whole.forward(&start, &info);
    let end = NodeId(8);
    prefix.forward_to(end, &start, &info);
    assert_eq!(prefix.value(end), whole.value(end));
    assert_ne!(prefix.value(net.logits), whole.value(net.logits), "what stands behind the prefix has not run");
}

#[test]
fn the_plan_fuses_and_prints_itself() {
    let net = net(0.2);
    let train = Plan::new(&net.graph, request(&net, Purpose::Train, 4, true, true)).to_string();
    assert!(train.contains("linear + relu"), "{train}");
    assert!(!train.contains("linear + silu"), "silu's derivative needs the pre-activation:\n{train}");
    assert!(train.contains("add gradients") && train.contains("optimizer"), "{train}");
    let predict = Plan::new(&net.graph, request(&net, Purpose::Predict, 4, false, false)).to_string();
    assert!(predict.contains("linear + silu") && !predict.contains("dropout"), "{predict}");
    println!("{train}{predict}");
}

#[test]
fn a_node_that_does_not_fit_names_the_layer_and_both_shapes() {
    let mut graph = Graph::new();
    let a = graph.input("a", [3]);
    let b = graph.input("b", [4]);
    let message = graph.push("residual 2", Op::Add(Add), &[a, b]).unwrap_err().to_string();
    assert_eq!(message, "layer residual 2 (add): add needs inputs of one shape, but they are [B, 3] and [B, 4]");
    let message =
        graph.push("0", Op::Linear(Linear { units: 0, bias: true, ntk: false }), &[a]).unwrap_err().to_string();
    assert!(message.contains("dense dimensions must be positive"), "{message}");
}
