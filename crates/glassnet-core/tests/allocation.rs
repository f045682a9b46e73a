//! A training step allocates nothing, and a runner takes exactly the memory that its plan forecasts. The allocator that
//! counts is `allocation-counter`'s; it counts what the calling thread asks for.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use allocation_counter::measure;
use glassnet_core::ops::{
    add::Add, cross_entropy::CrossEntropy, dropout::Dropout, linear::Linear, mean::Mean, multiply::Multiply,
    relu::Relu, silu::Silu,
};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

const ROWS: usize = 48;

struct Net {
    graph: Graph,
    x: NodeId,
    y: NodeId,
    weight: NodeId,
    loss: NodeId,
}

/// 20 -> 32 relu -> residual(SwiGLU of 24) -> dropout -> 5, softmax cross-entropy.
fn net() -> Net {
    let mut graph = Graph::new();
    let x = graph.input("x", [20]);
    let y = graph.labels("y");
    let weight = graph.input("row weight", []);
    let linear = |units| Op::Linear(Linear { units, bias: true, ntk: false });
    let z = graph.push("0", linear(32), &[x]).unwrap();
    let h = graph.push("1", Op::Relu(Relu), &[z]).unwrap();
    let gate = graph.push("2.gate", linear(24), &[h]).unwrap();
    let gate = graph.push("2.silu", Op::Silu(Silu), &[gate]).unwrap();
    let up = graph.push("2.up", linear(24), &[h]).unwrap();
    let product = graph.push("2.product", Op::Multiply(Multiply), &[gate, up]).unwrap();
    let down = graph.push("2.down", linear(32), &[product]).unwrap();
    let skip = graph.push("2", Op::Add(Add), &[h, down]).unwrap();
    let dropped = graph.push("3", Op::Dropout(Dropout { p: 0.2 }), &[skip]).unwrap();
    let logits = graph.push("4", linear(5), &[dropped]).unwrap();
    let losses = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[logits, y]).unwrap();
    let loss = graph.push("loss", Op::Mean(Mean), &[losses, weight]).unwrap();
    Net { graph, x, y, weight, loss }
}

fn plan(net: &Net, purpose: Purpose) -> Arc<Plan> {
    let request = Request {
        purpose,
        rows: ROWS,
        backward_from: Some(net.loss),
        outputs: vec![net.loss],
        training: true,
        checkpoint: false,
    };
    Arc::new(Plan::new(&net.graph, request))
}

/// A step as a trainer makes it, on `rows` live rows; gives the loss.
fn step<T: Real>(
    net: &Net,
    runner: &mut Runner<T>,
    parameters: &[T],
    gradients: &mut [T],
    rows: usize,
    epoch: u32,
) -> f64 {
    runner.set_rows(rows);
    for (i, x) in runner.input_mut(net.x).iter_mut().enumerate() {
        *x = T::from_f64((i * 7 % 11) as f64 / 5.0 - 1.0);
    }
    for (i, y) in runner.labels_mut(net.y).iter_mut().enumerate() {
        *y = (i % 5) as i32;
    }
    runner.input_mut(net.weight).fill(T::ONE);
    let info = StepInfo { seed: 1, epoch, position: 0, denominator: rows as f64, time: 0, dropout: 1.0 };
    gradients.fill(T::ZERO);
    runner.forward(parameters, &info);
    runner.backward(parameters, gradients, &info);
    runner.value(net.loss).map_or(f64::NAN, |loss| loss[0].to_f64())
}

fn assert_steps_allocate_nothing<T: Real>() {
    let net = net();
    let count = net.graph.slots().len();
    let parameters: Vec<T> = (0..count).map(|i| T::from_f64((i * 13 % 29) as f64 / 100.0 - 0.14)).collect();
    let mut gradients = vec![T::ZERO; count];
    let mut runner = Runner::<T>::new(plan(&net, Purpose::Train), Team::single());
    // The kernels' packing buffers belong to the thread and may grow in the first step that it makes.
    let mut losses = vec![step(&net, &mut runner, &parameters, &mut gradients, ROWS, 0)];
    losses.reserve(8);
    for (epoch, rows) in [(1, ROWS), (2, ROWS), (3, 7), (4, 1), (5, ROWS)] {
        let counted = measure(|| losses.push(step(&net, &mut runner, &parameters, &mut gradients, rows, epoch)));
        assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{}, epoch {epoch}, {rows} rows", T::NAME);
    }
    assert!(losses.iter().all(|loss| loss.is_finite() && *loss > 0.0), "{losses:?}");
    assert_ne!(losses[1], losses[2], "dropout is on: another epoch has another loss");
    assert!(gradients.iter().any(|gradient| *gradient != T::ZERO));
}

#[test]
fn a_training_step_in_f32_allocates_nothing() {
    assert_steps_allocate_nothing::<f32>();
}

#[test]
fn a_training_step_in_f64_allocates_nothing() {
    assert_steps_allocate_nothing::<f64>();
}

fn assert_forecast<T: Real>() {
    let net = net();
    for purpose in [Purpose::Train, Purpose::Inspect, Purpose::Attribute] {
        let plan = plan(&net, purpose);
        let forecast = plan.memory::<T>();
        let team = Team::single();
        let mut runner = None;
        let counted = measure(|| runner = Some(Runner::<T>::new(Arc::clone(&plan), team)));
        let expected = (forecast.arena + forecast.labels) as u64;
        assert_eq!((counted.count_total, counted.bytes_total), (2, expected), "{purpose:?}, {}", T::NAME);
        assert_eq!(forecast.labels, ROWS * size_of::<i32>());
        assert_eq!(forecast.parameters, net.graph.slots().len() * T::BYTES);
        assert_eq!(runner.map(|runner| runner.plan().arena_len() * T::BYTES), Some(forecast.arena));
    }
}

#[test]
fn a_runner_takes_the_memory_that_its_plan_forecasts() {
    assert_forecast::<f32>();
    assert_forecast::<f64>();
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(std::hint::black_box(vec![0_u8; 100])));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 100));
}
