//! Measures what overhead decides, on one thread: the time of a training step of a tiny network.
//!
//! ```text
//! cargo run --release -p glassnet-nn --example small -- tiny 2000
//! ```

use std::time::Instant;

use glassnet_core::Team;
use glassnet_core::random::{Draws, Purpose};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::{OptimizerSpec, Sgd};
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

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = arguments.get(1).and_then(|count| count.parse().ok()).unwrap_or(2000);
    match arguments.first().map(String::as_str) {
        Some("tiny") | None => tiny(count),
        Some(other) => Err(format!("there is no measurement {other}; there are: tiny").into()),
    }
}
