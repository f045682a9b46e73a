//! How long a training step of a recurrent layer takes: forward and backward, f32.
//!
//! `cargo run --release -p glassnet-core --example recurrence -- [threads [rows [time [features [units]]]]]`, by default
//! 2 threads and 32 rows of 64 steps of 64 numbers to 128 units. The median of many steps, and what that is in
//! floating-point operations.

use std::sync::Arc;
use std::time::Instant;

use glassnet_core::ops::gru::Gru;
use glassnet_core::ops::lstm::Lstm;
use glassnet_core::ops::rnn::{Rnn, RnnCurve};
use glassnet_core::{Graph, GraphError, Op, Plan, Purpose, Request, Runner, StepInfo, Team};

fn main() -> Result<(), GraphError> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let number = |index: usize, default: usize| numbers.get(index).copied().unwrap_or(default);
    let (threads, rows, time, features, units) =
        (number(0, 2), number(1, 32), number(2, 64), number(3, 64), number(4, 128));
    println!("{threads} threads, {rows} rows of {time} x {features}, {units} units");
    let (bias, reverse, lengths, initial, carry) = (true, false, false, false, false);
    let activation = RnnCurve::Tanh;
    for op in [
        Op::Rnn(Rnn { units, bias, reverse, lengths, initial, carry, activation }),
        Op::Gru(Gru { units, bias, reverse, lengths, initial, carry }),
        Op::Lstm(Lstm { units, bias, reverse, lengths, initial, carry }),
    ] {
        let mut graph = Graph::new();
        let x = graph.input("x", [time, features]);
        let cost = |op: &Op| op.cost(&[&[time, features].into()], &[time, units].into());
        let y = graph.push("0", op.clone(), &[x])?;
        let request = Request {
            purpose: Purpose::Attribute,
            rows,
            backward_from: Some(y),
            outputs: vec![y],
            training: true,
            checkpoint: false,
        };
        let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::new(threads));
        runner.set_rows(rows);
        let mut seed = 1_u32;
        let mut draw = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let parameters: Vec<f32> = (0..graph.slots().len()).map(|_| 0.1 * draw()).collect();
        runner.input_mut(x).iter_mut().for_each(|x| *x = draw());
        let mut gradients = vec![0.0; parameters.len()];
        let (mut forwards, mut wholes) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            let start = Instant::now();
            runner.forward(&parameters, &StepInfo::default());
            forwards.push(start.elapsed().as_secs_f64());
            gradients.fill(0.0);
            runner.seed_mut().fill(0.01);
            runner.backward_from_seed(&parameters, &mut gradients, &StepInfo::default());
            wholes.push(start.elapsed().as_secs_f64());
        }
        let summary = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            (times[times.len() / 2] * 1e3, times[0] * 1e3)
        };
        let ((forward, forward_best), (whole, best)) = (summary(&mut forwards), summary(&mut wholes));
        let cost = cost(&op);
        let flops = rows as f64 * (cost.forward + cost.backward) as f64;
        println!(
            "{:5} step {whole:7.3} ms (best {best:7.3}), forward {forward:7.3} (best {forward_best:7.3}), {:6.1} GFLOP/s at best",
            op.card().name,
            flops / best / 1e6
        );
    }
    Ok(())
}
