//! Measures what overhead decides: the time of a training step of a tiny network, and of predictions.
//!
//! ```text
//! cargo run --release -p glassnet-nn --example small -- tiny 2000
//! cargo run --release -p glassnet-nn --example small -- infer 784-256-10 1 1 100000
//! ```
//!
//! The second: sizes of the layers, rows at once, threads, repetitions.

use std::time::Instant;

use glassnet_core::Team;
use glassnet_core::random::{Draws, Purpose};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::{OptimizerSpec, Sgd};
use glassnet_nn::predictor::Predictor;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, Silent, TrainSpec, Trainer};

/// 1,024 rows of 4 numbers in 3 classes, batches of 32, plain gradient descent.
fn tiny(epochs: u64) -> Result<(), Box<dyn std::error::Error>> {
    let draws = Draws::new(1, Purpose::Synthetic, 0, 0);
    let x: Vec<f32> = (0..4096).map(|i| draws.normal(i) as f32).collect();
    let labels = x.chunks(4).map(|row| if row[0] > row[1] { 0 } else { 1 + i32::from(row[2] > row[3]) }).collect();
    let data = Matrix::with_labels(x, 4, labels);
    let rows: Vec<u32> = (0..1024).collect();
    for spec in ["4 -> 16 relu -> 3", "4 -> 16 tanh -> 3"] {
        let spec: NetSpec = spec.parse()?;
        let network = Network::new(&spec, Some(&LossSpec::cross_entropy()))?;
        let settings = TrainSpec {
            epochs,
            batch: Batch::Rows(32),
            lr: 0.05,
            optimizer: OptimizerSpec::Sgd(Sgd::default()),
            ..TrainSpec::default()
        };
        let parameters: Vec<f32> = network.initialise(1);
        let trainer =
            Trainer::new(&network, parameters, Rows { source: &data, rows: &rows }, None, settings, Team::single())?;
        let start = Instant::now();
        let outcome = trainer.run(&mut Silent);
        let seconds = start.elapsed().as_secs_f64();
        let loss = outcome.history.epochs.last().map_or(f64::NAN, |epoch| epoch.train_loss);
        let sum: f64 = outcome.parameters.iter().map(|&p| f64::from(p)).sum();
        println!("tiny {spec}: {:.3} us a step, loss {loss}, sum {sum}", seconds * 1e6 / (epochs * 32) as f64);
    }
    Ok(())
}

/// Relu networks of these sizes; the best of seven runs.
fn infer(sizes: &str, rows: usize, threads: usize, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let layers: Vec<&str> = sizes.split('-').collect();
    let spec: NetSpec = layers.join(" relu -> ").replacen(" relu", "", 1).parse()?;
    let network = Network::new(&spec, None)?;
    let start = Instant::now();
    let predictor = Predictor::<f32>::new(&network, network.initialise(1), rows)?;
    let prepared = start.elapsed().as_secs_f64();
    let draws = Draws::new(1, Purpose::Synthetic, 0, 0);
    let x: Vec<f32> = (0..(rows * network.inputs()) as u64).map(|place| draws.normal(place) as f32).collect();
    let mut out = vec![0.0; rows * network.outputs()];
    let mut scratch = predictor.scratch_with(Team::new(threads));
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..count {
            predictor.predict_into(&mut scratch, std::hint::black_box(&x), &mut out)?;
            std::hint::black_box(&mut out);
        }
        best = best.min(start.elapsed().as_secs_f64() / count as f64);
    }
    let bytes = network.parameters() as f64 * 4.0;
    println!(
        "infer {spec}, {rows} rows, {threads} threads: {:.3} us, {:.1} GB/s of weights, {:.1} GFLOP/s, prepared in {prepared:.3} s",
        best * 1e6,
        bytes / best / 1e9,
        2.0 * (network.parameters() * rows) as f64 / best / 1e9
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |place: usize, default: u64| arguments.get(place).and_then(|number| number.parse().ok()).unwrap_or(default);
    match arguments.first().map(String::as_str) {
        Some("tiny") | None => tiny(number(1, 2000)),
        Some("infer") => {
            let sizes = arguments.get(1).map_or("784-256-10", String::as_str);
            infer(sizes, number(2, 1) as usize, number(3, 1) as usize, number(4, 1000))
        }
        Some(other) => Err(format!("there is no measurement {other}; there are: tiny, infer").into()),
    }
}
