//! Time of a training step of three networks (convolution, LSTM, GPT) with one thread and with two:
//! `cargo run --release -p glassnet-nn --example workloads -- [cnn|lstm|gpt] [threads] [seconds]`.
//!
//! Rows are N(0, 1) draws, labels and tokens uniform. A step is [`Trainer::step`]: gathering, forward, the loss, backward, AdamW. With
//! several threads' counts these run alternately; medians.

use std::time::Instant;

use glassnet_core::Team;
use glassnet_core::random::{Draws, Purpose};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};

struct Workload {
    name: &'static str,
    net: &'static str,
    batch: usize,
}

const WORKLOADS: [Workload; 3] = [
    Workload {
        name: "cnn",
        net: "1x28x28 -> conv 16 5x5 relu -> maxpool 2 -> conv 32 5x5 relu -> maxpool 2 -> 128 relu -> 10",
        batch: 128,
    },
    Workload { name: "lstm", net: "64x64 -> lstm 128 -> last -> 10", batch: 32 },
    Workload { name: "gpt", net: "tokens 64 vocabulary 65 -> gpt 4 layers 4 heads 128 -> 65", batch: 12 },
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize| arguments.get(i).map(String::as_str);
    let threads: Vec<usize> = match argument(1) {
        Some(threads) if threads != "all" => vec![threads.parse()?],
        _ => vec![1, 2],
    };
    let seconds: f64 = argument(2).map_or(Ok(3.0), str::parse)?;
    for workload in WORKLOADS.iter().filter(|w| argument(0).is_none_or(|name| name == "all" || name == w.name)) {
        measure(workload, &threads, seconds)?;
    }
    Ok(())
}

fn measure(workload: &Workload, threads: &[usize], seconds: f64) -> Result<(), Box<dyn std::error::Error>> {
    let spec: NetSpec = workload.net.parse()?;
    let network = Network::new(&spec, Some(&LossSpec::cross_entropy()))?;
    let rows = 8 * workload.batch;
    let draws = Draws::new(1, Purpose::Synthetic, 0, 0);
    let mut x: Vec<f32> = vec![0.0; rows * network.inputs()];
    let labels_of_row = network.graph.node(network.logits).shape.0.first().copied().filter(|_| network.gives_steps());
    let mut labels: Vec<i32> = vec![0; rows * labels_of_row.unwrap_or(1)];
    for (i, x) in x.iter_mut().enumerate() {
        *x = if network.reads_tokens() {
            (draws.uniform(i as u64) * 65.0).floor() as f32
        } else {
            draws.normal(i as u64) as f32
        };
    }
    let classes = if network.reads_tokens() { 65.0 } else { 10.0 };
    for (i, label) in labels.iter_mut().enumerate() {
        *label = (draws.uniform((x.len() + i) as u64) * classes) as i32;
    }
    let data = Matrix::with_labels(x, network.inputs(), labels);
    let numbers: Vec<u32> = (0..rows as u32).collect();
    let mut trainers = Vec::new();
    for &threads in threads {
        let spec =
            TrainSpec { batch: Batch::Rows(workload.batch), optimizer: "adamw".parse()?, ..TrainSpec::default() };
        let part = Rows { source: &data, rows: &numbers };
        let start = network.initialise(1);
        trainers.push((threads, Trainer::new(&network, start, part, None, spec, Team::new(threads))?, Vec::new(), 0));
    }
    let begun = Instant::now();
    let mut loss = 0.0;
    for epoch in 0.. {
        for (_, trainer, times, hash) in &mut trainers {
            for (number, batch) in numbers.chunks(workload.batch).enumerate() {
                let start = Instant::now();
                let report = trainer.step(batch, epoch, (number * workload.batch) as u64)?;
                times.push(start.elapsed().as_secs_f64());
                loss = report.loss;
            }
            if epoch == 0 {
                // The same whatever the time that the run may take, the threads and the instruction set.
                *hash = trainer.parameters().iter().fold(0u64, |hash, x| {
                    hash.rotate_left(5) ^ u64::from(x.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
                });
            }
        }
        if begun.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    for (threads, trainer, times, hash) in &mut trainers {
        times.sort_by(f64::total_cmp);
        let flops: u64 = trainer.runner().plan().flops(workload.batch);
        let median = times[times.len() / 2];
        println!(
            "{:5} {threads} threads: {:9.1} us a step (best {:9.1}), {:6.1} GFLOP/s, {} steps, loss {loss:.4}, weights {hash:016x}",
            workload.name,
            median * 1e6,
            times[0] * 1e6,
            flops as f64 / median / 1e9,
            times.len()
        );
    }
    Ok(())
}
