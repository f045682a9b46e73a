//! Healthy runs: the doctor says nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

mod doctor_tasks;

use doctor_tasks::*;
use glassnet_core::Team;
use glassnet_nn::doctor::Doctor;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::source::{Matrix, Targets};
use glassnet_nn::train::{Outcome, TrainSpec};

/// No finding at all, and the run did learn: its last loss is below `below` times that of a constant guess.
fn healthy(name: &str, case: &Case<'_>, guess: f64, below: f64) -> Outcome<f32> {
    let (findings, outcome) = case.findings();
    let text: Vec<String> = findings.iter().map(|f| format!("{}: {f}", f.code)).collect();
    assert!(findings.is_empty(), "{name}:\n{}", text.join("\n"));
    let last = outcome.history.epochs.last().unwrap().train_loss;
    assert!(last < below * guess, "{name}: {last} is no healthy end");
    outcome
}

const LN2: f64 = std::f64::consts::LN_2;
const LN3: f64 = 1.0986;
const LN10: f64 = std::f64::consts::LN_10;

#[test]
fn blobs_with_every_activation() {
    let data = blobs(600);
    for curve in ["relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "leaky relu", "mish", "softplus"] {
        let net = format!("16 {curve} -> 16 {curve}");
        let mut case = Case::new(&net, ce(), &data, settings("adam", 0.01, 32, 20));
        case.validate = true;
        healthy(curve, &case, LN3, 0.35);
    }
}

#[test]
fn blobs_with_every_optimizer() {
    let data = blobs(600);
    for (optimizer, lr) in [("sgd", 0.1), ("momentum", 0.03), ("nesterov", 0.03), ("rmsprop", 0.003), ("adamw", 0.01)] {
        let mut case = Case::new("24 relu", ce(), &data, settings(optimizer, lr, 32, 20));
        case.validate = true;
        healthy(optimizer, &case, LN3, 0.35);
    }
}

#[test]
fn blobs_by_a_linear_model() {
    let data = blobs(300);
    healthy("linear", &Case::new("linear", ce(), &data, settings("sgd", 0.1, 16, 15)), LN3, 0.4);
}

#[test]
fn checkers_full_batch_and_batch_one() {
    let data = checkers(200);
    healthy("full batch", &Case::new("16 tanh", ce(), &data, settings("adam", 0.05, 0, 200)), LN2, 0.3);
    healthy("batch 1", &Case::new("16 relu", ce(), &data, settings("sgd", 0.02, 1, 30)), LN2, 0.5);
}

#[test]
fn xor_with_four_rows() {
    let data = Matrix::with_values(vec![0., 0., 0., 1., 1., 0., 1., 1.], 2, vec![0., 1., 1., 0.], 1);
    for seed in 0..5 {
        let spec = TrainSpec { seed, ..settings("sgd", 0.5, 0, 2000) };
        healthy("xor", &Case::new("2 -> 4 tanh -> 1", bce(), &data, spec), LN2, 0.5);
    }
    let spec = settings("adam", 0.1, 0, 200);
    healthy("xor adam", &Case::new("2 -> 8 tanh -> 1 sigmoid", bce(), &data, spec), LN2, 0.5);
}

#[test]
fn values_by_three_losses() {
    let data = waves(500);
    for (loss, guess) in
        [(LossSpec::MeanSquared, 0.75), (LossSpec::MeanAbsolute, 0.7), (LossSpec::Huber { delta: 1.0 }, 0.33)]
    {
        let name = loss.name();
        let mut case = Case::new("32 tanh -> 16 tanh", loss, &data, settings("adam", 0.01, 32, 30));
        case.validate = true;
        healthy(name, &case, guess, 0.6);
    }
    // A target that is not standardised but near it: mean 1, the same spread.
    let Targets::Values(y, _) = &data.targets else { panic!() };
    let shifted = Matrix::with_values(data.x.clone(), 2, y.iter().map(|y| y + 1.0).collect(), 1);
    healthy(
        "shifted",
        &Case::new("32 relu", LossSpec::MeanSquared, &shifted, settings("adam", 0.01, 32, 30)),
        0.75,
        0.5,
    );
}

#[test]
fn digits_with_sparse_pixels() {
    let data = digits(1000);
    let mut case = Case::new("32 relu", ce(), &data, settings("adam", 0.003, 32, 10));
    case.validate = true;
    healthy("pixels in [0, 1]", &case, LN10, 0.2);
    let mean = data.x.iter().sum::<f32>() / data.x.len() as f32;
    let deviation = (data.x.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / data.x.len() as f32).sqrt();
    let x = data.x.iter().map(|x| (x - mean) / deviation).collect();
    let standard = Matrix { x, ..data.clone() };
    let mut case = Case::new("64 relu -> 32 relu", ce(), &standard, settings("momentum", 0.01, 16, 10));
    case.validate = true;
    healthy("standardised pixels", &case, LN10, 0.2);
}

#[test]
fn dropout_residual_and_gated_blocks() {
    let data = digits(600);
    for net in [
        "64 relu -> dropout 0.3 -> 32 relu -> dropout 0.3",
        "32 relu -> residual(32 relu -> 32) -> residual(32 relu -> 32)",
        "32 relu -> residual(32 relu -> 32 init zeros)",
        "swiglu 32",
        "32 tanh -> scale -> 16 tanh",
    ] {
        let mut case = Case::new(net, ce(), &data, settings("adam", 0.003, 32, 15));
        case.validate = true;
        healthy(net, &case, LN10, 0.5);
    }
}

#[test]
fn a_table_with_rare_classes_flags_and_one_hot_columns() {
    let data = table(1200);
    let Targets::Values(y, _) = &data.targets else { panic!() };
    let share = f64::from(y.iter().sum::<f32>()) / y.len() as f64;
    assert!((0.04..0.15).contains(&share), "{share}");
    let mut case = Case::new("16 relu", bce(), &data, settings("adam", 0.005, 32, 15));
    case.validate = true;
    healthy("rare", &case, 0.28, 0.7);
    case.loss = LossSpec::BinaryCrossEntropy { positive_weight: 8.0 };
    healthy("rare, weighted", &case, 1.1, 0.7);
}

#[test]
fn class_weights_smoothing_and_row_weights() {
    let mut data = blobs(300);
    data.weights = (0..300).map(|row| 0.5 + f64::from(row % 4)).collect();
    let loss = LossSpec::CrossEntropy { smoothing: 0.1, class_weights: vec![1.0, 5.0, 0.5] };
    healthy("weights", &Case::new("16 relu", loss, &data, settings("adam", 0.01, 32, 20)), LN3, 0.7);
}

#[test]
fn schedules_accumulation_and_an_unshuffled_mixed_order() {
    let data = blobs(600);
    for schedule in ["cosine", "step 5 0.5", "warmup 20 -> cosine"] {
        let spec = TrainSpec { schedule: schedule.parse().unwrap(), ..settings("adam", 0.01, 32, 20) };
        healthy(schedule, &Case::new("16 relu", ce(), &data, spec), LN3, 0.35);
    }
    let spec = TrainSpec { accumulate: 4, shuffle: false, ..settings("sgd", 0.3, 8, 20) };
    healthy("not shuffled, but mixed", &Case::new("16 relu", ce(), &data, spec), LN3, 0.4);
    let sorted_rows =
        Case { order: Some(sorted(&data)), ..Case::new("16 relu", ce(), &data, settings("adam", 0.01, 32, 10)) };
    healthy("sorted, but shuffled", &sorted_rows, LN3, 0.4);
}

#[test]
fn many_classes_and_a_deep_network() {
    let data = digits(600);
    let net = "32 relu -> 32 relu -> 32 relu -> 32 relu -> 32 relu -> 32 relu";
    healthy("deep", &Case::new(net, ce(), &data, settings("adam", 0.002, 32, 12)), LN10, 0.4);
}

/// Looking changes nothing: parameters and history are the same bytes.
#[test]
fn a_run_is_the_same_with_and_without_the_doctor() {
    let data = digits(500);
    let mut case = Case::new("32 relu -> dropout 0.3 -> 16 tanh", ce(), &data, settings("adam", 0.003, 32, 5));
    case.validate = true;
    let mut doctor = Doctor::new().with_team(Team::single());
    let (with, without) = (case.run(Some(&mut doctor)), case.run(None));
    assert!(with.parameters.iter().zip(&without.parameters).all(|(a, b)| a.to_bits() == b.to_bits()));
    assert_eq!(with.history, without.history);
}
