//! Training small networks for real.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_core::{Real, Team};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Outcome, Rows, Silent, Stop, TrainSpec, Trainer};

fn xor() -> Matrix<f32> {
    Matrix::with_labels(vec![0., 0., 0., 1., 1., 0., 1., 1.], 2, vec![0, 1, 1, 0])
}

fn fit<T: Real>(net: &str, loss: &LossSpec, data: &Matrix<T>, spec: TrainSpec) -> (Network, Outcome<T>) {
    let spec_net: NetSpec = net.parse().unwrap();
    let network = Network::for_data(&spec_net, data.width, 1, Some(loss)).unwrap();
    let rows: Vec<u32> = (0..data.x.len() as u32 / data.width as u32).collect();
    let part = Rows { source: data, rows: &rows };
    let start = network.initialise::<T>(spec.seed);
    let outcome = Trainer::new(&network, start, part, None, spec, Team::single()).unwrap().run(&mut Silent);
    (network, outcome)
}

/// XOR by 2 -> 4 tanh -> 1 for at least 9 of 10 seeds, and by no linear model.
#[test]
fn xor_is_learned_by_a_hidden_layer_and_by_no_linear_model() {
    let data = xor();
    let loss = LossSpec::binary_cross_entropy();
    let learned = |net: &str, seed: u64| {
        let optimizer: OptimizerSpec = "sgd".parse().unwrap();
        let spec = TrainSpec { epochs: 2000, batch: Batch::All, lr: 0.5, optimizer, seed, ..TrainSpec::default() };
        let (network, outcome) = fit(net, &loss, &data, spec);
        let rows = [0, 1, 2, 3];
        let mut runner = glassnet_core::Runner::new(network.evaluation_plan(4), Team::single());
        let got = glassnet_nn::functional::evaluate(&network, &mut runner, &outcome.parameters, &data, &rows);
        got.logits.iter().zip([0, 1, 1, 0]).all(|(&z, y)| (z > 0.0) == (y == 1))
    };
    let hidden = (0..10).filter(|&seed| learned("2 -> 4 tanh -> 1", seed)).count();
    let linear = (0..10).filter(|&seed| learned("2 -> 1", seed)).count();
    assert!(hidden >= 9, "{hidden} of 10");
    assert_eq!(linear, 0);
}

#[test]
fn two_runs_of_one_seed_are_equal_and_another_seed_differs() {
    let data = xor();
    let loss = LossSpec::binary_cross_entropy();
    let run = |seed| {
        let spec = TrainSpec { epochs: 20, batch: Batch::Rows(3), lr: 0.1, seed, ..TrainSpec::default() };
        fit("2 -> 5 relu -> dropout 0.2 -> 1", &loss, &data, spec).1
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).parameters, run(2).parameters);
}

/// Accumulating micro-batches is one large batch, with row weights too: to rounding in f64.
#[test]
fn accumulation_is_the_large_batch() {
    let mut data = Matrix::with_labels((0..64).map(|i| f64::from(i * 37 % 19) / 9.0 - 1.0).collect(), 2, vec![0; 32]);
    data.weights = (0..32).map(|i| 0.5 + f64::from(i % 3)).collect();
    if let glassnet_nn::source::Targets::Labels(labels) = &mut data.targets {
        labels.iter_mut().enumerate().for_each(|(i, label)| *label = (i * 7 % 2) as i32);
    }
    let loss = LossSpec::binary_cross_entropy();
    let run = |batch, accumulate| {
        let optimizer: OptimizerSpec = "sgd".parse().unwrap();
        let spec = TrainSpec { epochs: 5, batch, accumulate, lr: 0.3, optimizer, ..TrainSpec::default() };
        fit("2 -> 6 tanh -> dropout 0.25 -> 1", &loss, &data, spec).1
    };
    let (whole, parts) = (run(Batch::Rows(16), 1), run(Batch::Rows(4), 4));
    let apart = whole.parameters.iter().zip(&parts.parameters).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{apart}");
    assert!(whole.history.epochs[4].train_loss < whole.history.epochs[0].train_loss);
}

/// Byte for byte, history included, when the micro-batches are whole blocks of the sum over examples.
#[test]
fn accumulating_whole_blocks_gives_the_bytes_of_the_large_batch() {
    let x = (0..2048 * 3).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    let mut data = Matrix::with_labels(x, 3, (0..2048).map(|i| i * 7 % 2).collect());
    data.weights = (0..2048).map(|i| 0.5 + f64::from(i % 3)).collect();
    let loss = LossSpec::BinaryCrossEntropy { positive_weight: 1.0, class_weights: vec![1.0, 3.0] };
    let run = |batch, accumulate| {
        let spec = TrainSpec { epochs: 3, batch, accumulate, lr: 0.01, ..TrainSpec::default() };
        fit("3 -> 6 tanh -> dropout 0.25 -> 1", &loss, &data, spec).1
    };
    assert_eq!(run(Batch::Rows(2048), 1), run(Batch::Rows(1024), 2));
}

#[test]
fn a_run_that_diverges_stops_within_the_step_and_names_the_layer() {
    let mut data = Matrix::with_values(vec![1.0f32, 2.0, 3.0, 4.0], 1, vec![1.0, 2.0, 3.0, 4.0], 1);
    data.x[2] = f32::INFINITY;
    let spec = TrainSpec { epochs: 3, batch: Batch::All, ..TrainSpec::default() };
    let (network, outcome) = fit("1 -> 3 relu -> 1", &LossSpec::MeanSquared, &data, spec.clone());
    let Stop::NonFinite(found) = &outcome.stop else { panic!("{:?}", outcome.stop) };
    // Whatever the order of the rows in the batch: the row is the data's.
    assert_eq!(found.to_string(), "epoch 1, step 1: the input x is inf (row 3)");
    assert_eq!(outcome.parameters, network.initialise::<f32>(spec.seed), "the last good weights are kept");

    let data = Matrix::with_values(vec![1.0f32, 2.0, 3.0, 4.0], 1, vec![1e3, 2e3, 3e3, 4e3], 1);
    let optimizer: OptimizerSpec = "sgd".parse().unwrap();
    let spec = TrainSpec { epochs: 200, batch: Batch::All, lr: 1e4, optimizer, ..TrainSpec::default() };
    let (_, outcome) = fit("1 -> 3 -> 1", &LossSpec::MeanSquared, &data, spec);
    let Stop::NonFinite(found) = &outcome.stop else { panic!("{:?}", outcome.stop) };
    assert!(found.step > 1 && outcome.parameters.iter().all(|p| p.is_finite()), "{found}");
}
