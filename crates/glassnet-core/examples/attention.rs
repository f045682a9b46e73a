//! Measures attention, forward and backward, in f32 on one thread and on two.
//!
//! `cargo run --release -p glassnet-core --example attention`
//!
//! The rate counts the operations of the formulas (half of a full square where causal), not those of computing weights
//! twice or of filling a tile on the diagonal.

#![allow(clippy::unwrap_used, reason = "sizes that stand below")]

use std::sync::Arc;
use std::time::Instant;

use glassnet_core::ops::attention::Attention;
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Request, Runner, StepInfo, Team};

/// Seconds of a call: the best of many.
fn seconds(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 0.5 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn measure(rows: usize, steps: usize, heads: usize, d: usize, causal: bool, threads: usize) {
    let mut graph = Graph::new();
    let inputs: Vec<NodeId> = ["q", "k", "v"].iter().map(|name| graph.input(name, [steps, heads * d])).collect();
    let y = graph.push("0", Op::Attention(Attention::new(heads, causal)), &inputs).unwrap();
    let request = Request {
        purpose: Purpose::Attribute,
        rows,
        backward_from: Some(y),
        outputs: vec![y],
        training: true,
        checkpoint: false,
    };
    let cost = graph.cost();
    let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::new(threads));
    runner.set_rows(rows);
    for &input in &inputs {
        for (i, value) in runner.input_mut(input).iter_mut().enumerate() {
            *value = ((i * 7919 + input.0 * 31) % 997) as f32 / 500.0 - 1.0;
        }
    }
    let info = StepInfo::default();
    let forward = seconds(|| runner.forward(&[], &info));
    let backward = seconds(|| runner.backward(&[], &mut [], &info));
    let rate = |flops: u64, time: f64| (flops * rows as u64) as f64 / time / 1e9;
    println!(
        "B {rows:>2}, T {steps:>4}, {heads} heads of {d}{}, {threads} threads: forward {:>9.1} us, {:>5.1} GFLOP/s; backward {:>9.1} us, {:>5.1} GFLOP/s",
        if causal { ", causal" } else { "        " },
        forward * 1e6,
        rate(cost.forward, forward),
        backward * 1e6,
        rate(cost.backward, backward),
    );
}

fn main() {
    for threads in [1, 2] {
        for causal in [true, false] {
            measure(12, 64, 4, 32, causal, threads);
            measure(1, 1024, 4, 32, causal, threads);
            measure(1, 1024, 4, 64, causal, threads);
        }
    }
}
