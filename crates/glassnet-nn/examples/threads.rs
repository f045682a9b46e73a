//! What a second thread brings, by the size of a step: the data behind the command's threshold
//! (`WORTH_A_THREAD` in `glassnet-cli/src/commands/train/network.rs`), in a table: operations of a step, microseconds with one
//! thread and with two, their ratio. Run it on a quiet machine (`cargo xtask threads`, or `cargo run --release -p glassnet-nn
//! --example threads`); the table is kept in `docs/measurements/threads.md`.

use std::time::Instant;

use glassnet_core::{Purpose, Team};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};

/// Times each setting is measured, alternately.
const ROUNDS: usize = 15;

fn main() -> Result<(), String> {
    println!("| network | batch | MFLOP a step | 1 thread, us | 2 threads, us | 1 / 2 |");
    println!("|---|---|---|---|---|---|");
    let networks = [
        ("4 -> 16 relu -> 3", 32),
        ("20 -> 32 relu -> 2", 32),
        ("20 -> 64 relu -> 32 relu -> 2", 128),
        ("20 -> 64 relu -> 64 relu -> 2", 64),
        ("64 -> 128 relu -> 64 relu -> 2", 128),
        ("64 -> 128 relu -> 128 relu -> 2", 128),
        ("64 -> 256 relu -> 128 relu -> 2", 128),
        ("291 -> 256 relu -> 128 relu -> 2", 64),
        ("291 -> 256 relu -> 128 relu -> 2", 256),
        ("784 -> 256 relu -> 10", 128),
        ("784 -> 1024 relu -> 512 relu -> 10", 256),
    ];
    for (text, batch) in networks {
        let fail = |error: &dyn std::fmt::Display| error.to_string();
        let spec = NetSpec::parse(text).map_err(|error| fail(&error))?;
        let network = Network::new(&spec, Some(&LossSpec::cross_entropy())).map_err(|error| fail(&error))?;
        let width = network.inputs();
        let x = (0..batch * width).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let data = Matrix::with_labels(x, width, (0..batch as i32).map(|i| i % 2).collect());
        let rows: Vec<u32> = (0..batch as u32).collect();
        let flops = network.plan(Purpose::Train, 1).flops(batch);
        // About 20 ms a measurement at 100 GFLOP/s, at least 20 steps.
        let steps = (2_000_000_000 / flops.max(1)).clamp(20, 5_000) as u32;
        let mut times = [Vec::new(), Vec::new()];
        let mut trainers = Vec::new();
        for threads in [1, 2] {
            let part = Rows { source: &data, rows: &rows };
            let spec = TrainSpec { batch: Batch::Rows(batch), ..TrainSpec::default() };
            let start = network.initialise::<f32>(1);
            trainers.push(
                Trainer::new(&network, start, part, None, spec, Team::new(threads))
                    .map_err(|error| fail(&error))?
                    .without_gradients(),
            );
        }
        for _ in 0..ROUNDS {
            for (trainer, times) in trainers.iter_mut().zip(&mut times) {
                let begun = Instant::now();
                for step in 0..steps {
                    trainer.step(&rows, step, 0).map_err(|error| fail(&error))?;
                }
                times.push(begun.elapsed().as_secs_f64() * 1e6 / f64::from(steps));
            }
        }
        let median = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let (one, two) = (median(&mut times[0]), median(&mut times[1]));
        println!("| {text} | {batch} | {:.2} | {one:.1} | {two:.1} | {:.2} |", flops as f64 / 1e6, one / two);
    }
    Ok(())
}
