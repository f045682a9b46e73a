//! Images and digits: the first loss is near ln 10, and a short training gets digits right that it has not seen. The full
//! training on MNIST is a proof of its own (`cargo xtask prove mnist`).
#![cfg(all(feature = "fit", feature = "data"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use std::path::PathBuf;

use glassnet::core::Team;
use glassnet::data::{ReadOptions, read_csv, read_idx_folder};
use glassnet::model::Model;
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::nn::functional::{evaluate, loss_and_gradients, mean_loss};
use glassnet::nn::history::History;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::source::Source;
use glassnet::nn::train::{Batch, Silent, TrainSpec, Trainer};

const LN_10: f64 = std::f64::consts::LN_10;

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn digits(options: &FitOptions) -> Prepared {
    let path = here().join("../../data/digits.csv.gz");
    let (table, _) = read_csv(path.to_str().unwrap(), &ReadOptions::default()).unwrap();
    Prepared::table(table, None, options).unwrap()
}

/// Losses of the first batch from three seeds, with the default start.
fn first_losses(data: &Prepared, net: &str) -> Vec<f64> {
    let headed = data.network(&net.parse().unwrap(), None, 0.0).unwrap();
    let (network, rows) = (&headed.network, &data.train_rows[..128]);
    let mut losses = Vec::new();
    for seed in 1..4 {
        let start = network.initialise::<f32>(seed);
        let got = loss_and_gradients(network, &start, &data.train, rows, &Default::default(), &Team::single());
        // The functional form and the evaluation agree on it.
        let mut runner = glassnet::core::Runner::new(network.evaluation_plan(50), Team::single());
        let outputs = evaluate(network, &mut runner, &start, &data.train, rows);
        let mean = mean_loss(network, &outputs.losses, &data.train, rows);
        assert!((mean - f64::from(got.loss)).abs() < 1e-5, "{mean} {}", got.loss);
        losses.push(mean);
    }
    losses
}

#[test]
fn the_first_loss_of_digits_is_near_ln_10() {
    let data = digits(&FitOptions::new("c65"));
    for net in ["64 -> 256 relu -> 10", "256 relu", "64 gelu -> 64 gelu", "linear"] {
        // In the full form the input size is the data's, whatever columns were left out.
        let net = net.replace("64 -> 256", &format!("{} -> 256", data.inputs()));
        for loss in first_losses(&data, &net) {
            assert!((loss - LN_10).abs() < 0.15 * LN_10, "{net}: {loss}");
        }
    }
}

/// The bar can be missed: the same network with He's variance on its last layer starts far above.
#[test]
fn a_head_drawn_by_hes_rule_starts_too_high() {
    let data = digits(&FitOptions::new("c65"));
    let net = format!("{} -> 256 relu -> 10 init he", data.inputs());
    for loss in first_losses(&data, &net) {
        assert!(loss > 1.15 * LN_10, "{loss}");
    }
}

#[test]
fn the_first_loss_of_mnist_is_near_ln_10() {
    let root = std::env::var_os("GLASSNET_SHARED").map_or_else(|| here().join("../../../shared"), PathBuf::from);
    let path = root.join("data/mnist");
    if !path.exists() {
        println!("skipped: data/mnist is not there");
        return;
    }
    let folder = read_idx_folder(path.to_str().unwrap()).unwrap();
    let data = Prepared::images(folder.train, None, &FitOptions::new("label")).unwrap();
    for loss in first_losses(&data, "784 -> 256 relu -> 10") {
        assert!((loss - LN_10).abs() < 0.15 * LN_10, "{loss}");
    }
}

fn train(seed: u64, optimizer: &str, lr: f64, threads: usize) -> (Model, Prepared, History) {
    let data = digits(&FitOptions { seed, ..FitOptions::new("c65") });
    let headed = data.network(&"48 relu".parse().unwrap(), None, 0.0).unwrap();
    let optimizer: OptimizerSpec = optimizer.parse().unwrap();
    let spec = TrainSpec { epochs: 5, batch: Batch::Rows(32), lr, optimizer, seed, ..TrainSpec::default() };
    let start = headed.network.initialise(seed);
    let team = Team::new(threads);
    let trainer = Trainer::new(&headed.network, start, data.train(), data.valid(), spec, team).unwrap();
    let outcome = trainer.run(&mut Silent);
    let model = data.model(&headed, outcome.parameters).unwrap();
    (model, data, outcome.history)
}

#[test]
fn five_epochs_get_held_out_digits_right() {
    for (optimizer, lr) in [("sgd", 0.1), ("adam", 0.003)] {
        for seed in 1..4 {
            let (model, data, history) = train(seed, optimizer, lr, 1);
            let found = model.evaluate(&data.train, &data.valid_rows, &Team::single()).unwrap();
            let accuracy = found.scores.accuracy.unwrap();
            println!("{optimizer}, seed {seed}: held-out accuracy {accuracy:.4}");
            assert!(accuracy > 0.93, "{optimizer}, seed {seed}: {accuracy}");
            assert!((history.first_loss.unwrap() - LN_10).abs() < 0.15 * LN_10);
            assert!(data.valid_rows.iter().all(|row| !data.train_rows.contains(row)));
            assert_eq!(data.train.rows(), data.train_rows.len() + data.valid_rows.len());
        }
    }
}

/// The same seed gives the same file, byte by byte, with one thread and with three.
#[test]
fn threads_change_nothing() {
    let bytes = |threads| train(1, "adam", 0.003, threads).0.to_bytes().unwrap();
    assert!(bytes(1) == bytes(3));
}
