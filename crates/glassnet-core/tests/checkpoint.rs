//! Gradient checkpointing: the same bytes from less memory, counted and not only forecast.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use allocation_counter::measure;
use glassnet_core::ops::{
    add::Add, cross_entropy::CrossEntropy, dropout::Dropout, gelu::Gelu, linear::Linear, log_softmax::LogSoftmax,
    mean::Mean, mean_squared::MeanSquared, multiply::Multiply, relu::Relu, scale::Scale, softmax::Softmax, tanh::Tanh,
};
use glassnet_core::plan::{Pass, Step};
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{DType, Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

fn linear(units: usize) -> Op {
    Op::Linear(Linear { units, bias: true, ntk: false })
}

/// The mean squared error of `y` against an input of targets, rows weighted.
fn squared(graph: &mut Graph, y: NodeId) -> NodeId {
    let target = graph.input("target", graph.node(y).shape.clone());
    let weight = graph.input("row weight", []);
    let rows = graph.push("loss", Op::MeanSquared(MeanSquared), &[y, target]).unwrap();
    graph.push("loss", Op::Mean(Mean), &[rows, weight]).unwrap()
}

/// `layers` times x + f(x), f = linear relu linear; with dropout between where `p` is above 0.
fn residual(layers: usize, width: usize, p: f64) -> (Graph, NodeId) {
    let mut graph = Graph::new();
    let mut x = graph.input("x", [width]);
    for layer in 0..layers {
        let name = layer.to_string();
        let z = graph.push(&format!("{name}.0"), linear(width), &[x]).unwrap();
        let mut h = graph.push(&format!("{name}.1"), Op::Relu(Relu), &[z]).unwrap();
        if p > 0.0 {
            h = graph.push(&format!("{name}.2"), Op::Dropout(Dropout { p }), &[h]).unwrap();
        }
        let f = graph.push(&format!("{name}.3"), linear(width), &[h]).unwrap();
        x = graph.push(&name, Op::Add(Add), &[x, f]).unwrap();
    }
    let loss = squared(&mut graph, x);
    (graph, loss)
}

fn plan(graph: &Graph, loss: NodeId, outputs: &[NodeId], rows: usize, checkpoint: bool) -> Arc<Plan> {
    let request = Request {
        purpose: Purpose::Train,
        rows,
        backward_from: Some(loss),
        outputs: outputs.to_vec(),
        training: true,
        checkpoint,
    };
    Arc::new(Plan::new(graph, request))
}

/// Forward and backward on drawn inputs: loss, gradients, outputs.
fn step<T: Real>(graph: &Graph, runner: &mut Runner<T>, rows: usize) -> Vec<Vec<T>> {
    runner.set_rows(rows);
    for (number, node) in graph.nodes().iter().enumerate().filter(|(_, node)| matches!(node.op, Op::Input(_))) {
        let draws = Draws::new(3, Stream::Synthetic, number as u32, 0);
        if node.dtype == DType::I32 {
            for (i, label) in runner.labels_mut(NodeId(number)).iter_mut().enumerate() {
                *label = draws.below(i as u64, 3) as i32;
            }
        } else {
            let positive = node.layer == "row weight";
            for (i, x) in runner.input_mut(NodeId(number)).iter_mut().enumerate() {
                *x = T::from_f64(if positive { 0.5 + draws.uniform(i as u64) } else { draws.normal(i as u64) });
            }
        }
    }
    let draws = Draws::new(5, Stream::Init, 0, 0);
    let parameters: Vec<T> = (0..graph.slots().len()).map(|i| T::from_f64(0.2 * draws.normal(i as u64))).collect();
    let mut gradients = vec![T::ZERO; parameters.len()];
    let info = StepInfo { seed: 11, epoch: 2, position: 40, denominator: rows as f64, time: 0, dropout: 1.0 };
    runner.forward(&parameters, &info);
    runner.backward(&parameters, &mut gradients, &info);
    let request = runner.plan().request().clone();
    let mut values = vec![gradients];
    for id in request.backward_from.iter().chain(&request.outputs) {
        values.push(runner.value(*id).unwrap().to_vec());
    }
    values
}

/// Runs both plans; gives (arena without, arena with checkpointing).
fn assert_same_bytes<T: Real>(graph: &Graph, loss: NodeId, outputs: &[NodeId], rows: usize) -> (usize, usize) {
    let plans = [false, true].map(|checkpoint| plan(graph, loss, outputs, rows, checkpoint));
    let [kept, again] = [&plans[0], &plans[1]].map(|plan| {
        let mut runner = Runner::<T>::new(Arc::clone(plan), Team::single());
        // What a step finds in the arena must not matter.
        runner.mark();
        // A short batch, too.
        [rows, rows / 2 + 1].map(|rows| step(graph, &mut runner, rows))
    });
    let bits = |values: &[Vec<Vec<T>>; 2]| -> Vec<u64> {
        values.iter().flatten().flatten().map(|value| value.to_f64().to_bits()).collect()
    };
    assert_eq!(bits(&kept), bits(&again), "{}", plans[1]);
    assert!(kept[0][1][0].is_finite() && kept[0][0].iter().any(|gradient| *gradient != T::ZERO), "{graph}");
    assert!(plans[1].arena_len() <= plans[0].arena_len());
    (plans[0].arena_len(), plans[1].arena_len())
}

#[test]
fn a_deep_residual_network_takes_a_third_of_the_memory_or_less_measured() {
    const ROWS: usize = 128;
    let (graph, loss) = residual(50, 64, 0.0);
    let plans = [false, true].map(|checkpoint| plan(&graph, loss, &[], ROWS, checkpoint));
    let [kept, again] = [&plans[0], &plans[1]].map(|plan| {
        let mut runner = None;
        let allocated = measure(|| runner = Some(Runner::<f32>::new(Arc::clone(plan), Team::single()))).bytes_total;
        let mut runner = runner.unwrap();
        runner.mark();
        let values = step(&graph, &mut runner, ROWS);
        assert_eq!(runner.touched(), plan.arena_len(), "the step uses what was forecast");
        assert_eq!(allocated as usize, plan.memory::<f32>().arena, "and that is what is allocated");
        (runner.touched(), allocated, values)
    });
    println!("elements touched: {} and {}; bytes allocated: {} and {}", kept.0, again.0, kept.1, again.1);
    assert!(kept.0 >= 3 * again.0, "{} against {}", kept.0, again.0);
    assert!(kept.1 >= 3 * again.1, "{} against {}", kept.1, again.1);
    assert_eq!(kept.2, again.2);
    let [flops, more] = [plans[0].flops(1), plans[1].flops(1)];
    assert_eq!(more - flops, plans[1].recomputed_flops(1));
    assert_eq!(plans[0].recomputed_flops(1), 0);
    let forward: u64 = plans[0].steps()[..plans[0].forward_steps()].iter().map(|step| step.flops).sum();
    assert!(plans[1].recomputed_flops(1) <= forward, "no value is computed a third time");
}

#[test]
fn a_recomputed_step_is_fused_and_printed() {
    let (graph, loss) = residual(20, 8, 0.0);
    let plan = plan(&graph, loss, &[], 16, true);
    let again: Vec<_> = plan.steps().iter().filter(|step| step.pass == Pass::Recompute).collect();
    assert!(!again.is_empty());
    assert!(again.iter().filter(|step| step.fused.is_some()).count() > 5);
    assert!(again.iter().all(|step| !matches!(step.op, Op::Relu(_))), "a fused curve has no step of its own");
    let text = plan.to_string();
    assert!(text.lines().any(|line| line.contains("recompute") && line.contains("linear + relu")), "{text}");
    assert!(text.contains("to compute values again"), "{text}");
    assert!(plan.steps()[..plan.forward_steps()].iter().all(|step| step.pass == Pass::Forward));
}

#[test]
fn dropout_draws_the_same_mask_again() {
    let (graph, loss) = residual(30, 24, 0.3);
    let (kept, again) = assert_same_bytes::<f32>(&graph, loss, &[], 20);
    assert!(kept > 2 * again, "{kept} against {again}");
    assert_same_bytes::<f64>(&graph, loss, &[], 20);
}

#[test]
fn tied_layers_and_outputs_that_are_read() {
    let mut graph = Graph::new();
    let x = graph.input("x", [12]);
    let mut h = graph.push("first", linear(12), &[x]).unwrap();
    let slots = graph.node(h).slots.clone();
    let mut outputs = Vec::new();
    for layer in 0..24 {
        let z = graph.push_tied(&format!("{layer}"), linear(12), &[h], &slots).unwrap();
        let curve = if layer % 2 == 0 { Op::Tanh(Tanh) } else { Op::Gelu(Gelu) };
        h = graph.push(&format!("{layer}.curve"), curve, &[z]).unwrap();
        if layer % 10 == 5 {
            outputs.push(h);
        }
    }
    let loss = squared(&mut graph, h);
    let (kept, again) = assert_same_bytes::<f32>(&graph, loss, &outputs, 9);
    assert!(kept > again, "{kept} against {again}");
}

#[test]
fn several_inputs_and_long_skips() {
    // A U: what the way down gives is read again on the way up; each level reads an input of its own as well.
    let mut graph = Graph::new();
    let inputs: Vec<NodeId> = (0..6).map(|level| graph.input(&format!("x{level}"), [10])).collect();
    let mut h = inputs[0];
    let mut down = Vec::new();
    for (level, &input) in inputs.iter().enumerate() {
        let z = graph.push(&format!("down {level}"), linear(10), &[h]).unwrap();
        let z = graph.push(&format!("down {level}"), Op::Gelu(Gelu), &[z]).unwrap();
        h = graph.push(&format!("down {level}"), Op::Multiply(Multiply), &[z, input]).unwrap();
        down.push(h);
    }
    for (level, &skip) in down.iter().enumerate().rev() {
        let z = graph.push(&format!("up {level}"), linear(10), &[h]).unwrap();
        let z = graph.push(&format!("up {level}"), Op::LogSoftmax(LogSoftmax), &[z]).unwrap();
        h = graph.push(&format!("up {level}"), Op::Add(Add), &[z, skip]).unwrap();
    }
    let loss = squared(&mut graph, h);
    assert_same_bytes::<f32>(&graph, loss, &[h], 11);
    assert_same_bytes::<f64>(&graph, loss, &[], 11);
}

/// A graph of up to 90 nodes, each an operation on values drawn from the latest ones, now and then from far back.
fn random_graph(seed: u64) -> (Graph, NodeId, Vec<NodeId>) {
    let draws = Draws::new(seed, Stream::Synthetic, 0, 0);
    let mut place = 0;
    let mut below = |bound: usize| {
        place += 1;
        draws.below(place, bound as u64) as usize
    };
    let mut graph = Graph::new();
    let mut values: Vec<NodeId> = (0..1 + below(3)).map(|i| graph.input(&format!("x{i}"), [6])).collect();
    let labels = graph.labels("y");
    let (mut tied, mut early): (Option<Vec<_>>, Vec<NodeId>) = (None, Vec::new());
    for layer in 0..20 + below(70) {
        let mut pick = || {
            let reach = if below(8) == 0 { values.len() } else { values.len().min(3) };
            values[values.len() - 1 - below(reach)]
        };
        let (a, b) = (pick(), pick());
        let name = layer.to_string();
        let (op, inputs) = match below(10) {
            0..=2 => (linear(6), vec![a]),
            3 => (Op::Relu(Relu), vec![a]),
            4 => (Op::Tanh(Tanh), vec![a]),
            5 => (Op::Gelu(Gelu), vec![a]),
            6 => (Op::Dropout(Dropout { p: 0.2 }), vec![a]),
            7 => (Op::Softmax(Softmax), vec![a]),
            8 => (Op::Scale(Scale), vec![a]),
            _ => (if below(2) == 0 { Op::Add(Add) } else { Op::Multiply(Multiply) }, vec![a, b]),
        };
        let node = match (&tied, below(3), &op) {
            (Some(slots), 0, Op::Linear(_)) => graph.push_tied(&name, op, &inputs, slots).unwrap(),
            _ => graph.push(&name, op, &inputs).unwrap(),
        };
        if matches!(graph.node(node).op, Op::Linear(_)) {
            tied = Some(graph.node(node).slots.clone());
        }
        // A loss on the way: it saves for its backward, which comes late.
        if layer % 9 == 4 {
            let op = Op::CrossEntropy(CrossEntropy::default());
            early.push(graph.push(&format!("loss {layer}"), op, &[node, labels]).unwrap());
        }
        values.push(node);
    }
    let outputs = (0..below(3)).map(|_| values[below(values.len())]).filter(|id| id.0 > 3).collect();
    let last = values[values.len() - 1];
    let logits = graph.push("head", linear(3), &[last]).unwrap();
    let weight = graph.input("row weight", []);
    let mut rows = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[logits, labels]).unwrap();
    for early in early {
        rows = graph.push("loss", Op::Add(Add), &[rows, early]).unwrap();
    }
    let loss = graph.push("loss", Op::Mean(Mean), &[rows, weight]).unwrap();
    (graph, loss, outputs)
}

#[test]
fn random_graphs_give_the_same_bytes() {
    let (mut smaller, mut saved_again) = (0, 0);
    for seed in 0..80 {
        let (graph, loss, outputs) = random_graph(seed);
        let (kept, again) = assert_same_bytes::<f64>(&graph, loss, &outputs, 7);
        smaller += usize::from(again < kept);
        let plan = plan(&graph, loss, &outputs, 7, true);
        let saves = |step: &&Step| step.pass == Pass::Recompute && step.saved.is_some();
        saved_again += plan.steps().iter().filter(saves).count();
    }
    println!("{smaller} of 80 arenas are smaller");
    assert!(smaller > 30, "{smaller}");
    assert!(saved_again > 10, "what a step saves is computed again with it: {saved_again}");
}

#[test]
fn other_purposes_pay_no_heed() {
    let (graph, loss) = residual(10, 8, 0.1);
    for (purpose, backward_from) in [
        (Purpose::Inspect, Some(loss)),
        (Purpose::Attribute, Some(loss)),
        (Purpose::Predict, None),
        (Purpose::Train, None),
    ] {
        let [without, with] = [false, true].map(|checkpoint| {
            Plan::new(
                &graph,
                Request { purpose, rows: 4, backward_from, outputs: vec![loss], training: false, checkpoint },
            )
        });
        assert_eq!(without.steps(), with.steps(), "{purpose:?}");
    }
}

#[test]
fn a_shallow_network_is_left_as_it_is() {
    let (graph, loss) = residual(1, 8, 0.0);
    let [without, with] = [false, true].map(|checkpoint| plan(&graph, loss, &[], 4, checkpoint));
    assert!(with.arena_len() <= without.arena_len());
    assert_eq!(with.recomputed_flops(1) > 0, with.arena_len() < without.arena_len(), "no work without gain");
}
