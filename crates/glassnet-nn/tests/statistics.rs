//! A network with running statistics among its slots: what looks at parameters and gradients leaves them out, and training
//! moves them.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use glassnet_core::ops::{batch_norm::BatchNorm, cross_entropy::CrossEntropy, linear::Linear, mean::Mean};
use glassnet_core::slots::Role;
use glassnet_core::{Graph, Op, StepInfo, Team};
use glassnet_nn::init::neutral;
use glassnet_nn::inspect::check::gradients;
use glassnet_nn::inspect::{CheckOptions, check, parameters_from_flat, summary};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::{Network, Objective};
use glassnet_nn::optimizer::{OptimizerSpec, Sgd};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Place, find_non_finite};

/// 3 -> 4 -> batch norm -> 2, cross-entropy. Built by hand: the specification only names it.
fn network() -> Network {
    let mut graph = Graph::new();
    let x = graph.input("x", [3]);
    let h = graph.push("0", Op::Linear(Linear { units: 4, bias: true, ntk: false }), &[x]).unwrap();
    let h = graph.push("1", Op::BatchNorm(BatchNorm { eps: 1e-5, momentum: 0.1 }), &[h]).unwrap();
    let output = graph.push("2", Op::Linear(Linear { units: 2, bias: true, ntk: false }), &[h]).unwrap();
    let target = graph.labels("target");
    let weight = graph.input("row weight", []);
    let rows = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[output, target]).unwrap();
    let mean = graph.push("loss", Op::Mean(Mean), &[rows, weight]).unwrap();
    let objective = Some(Objective { loss: LossSpec::cross_entropy(), target, weight, rows, mean, members: None });
    let spec: NetSpec = "3 -> 4 -> 2".parse().unwrap();
    Network { spec, graph, x, lengths: None, logits: output, output, objective, layers: Vec::new() }
}

fn parameters(network: &Network) -> Vec<f64> {
    let slots = network.graph.slots();
    let mut parameters: Vec<f64> = (0..slots.len()).map(|i| ((i * 7) % 11) as f64 / 6.0 - 0.8).collect();
    for slot in slots.iter().filter(|slot| slot.role.is_statistic()) {
        parameters[slot.range()].fill(neutral(slot.role));
    }
    parameters
}

fn data() -> Matrix<f64> {
    let x = (0..21).map(|i| ((i * 5) % 13) as f64 / 4.0 - 1.5).collect();
    Matrix::with_labels(x, 3, vec![0, 1, 1, 0, 1, 0, 0])
}

#[test]
fn the_gradient_check_compares_what_is_trained() {
    let network = network();
    let parameters = parameters(&network);
    let rows: Vec<u32> = (0..7).collect();
    for dropout in [true, false] {
        let options = CheckOptions { dropout, ..CheckOptions::default() };
        let found = check(&network, &parameters, &data(), &rows, &options).unwrap();
        assert!(found.passed, "{found}");
        // 12 + 4 weights and biases, 4 + 4 of the norm, 8 + 2; 8 statistics are not among them.
        assert_eq!((found.compared, found.parameters), (34, 34));
        let names: Vec<&str> = found.slots.iter().map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, ["0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias"]);
    }
    // In training the statistics' places hold what the batch asks for; compared, that would have failed the check.
    let all = gradients(&network, &parameters, &data(), &rows, &CheckOptions::default()).unwrap();
    let running = network.graph.slots().find("1.running_mean").unwrap();
    assert!(all[running.range()].iter().all(|change| *change != 0.0));
}

#[test]
fn the_summary_counts_what_is_trained() {
    let network = network();
    let parameters = parameters(&network);
    let optimizer = OptimizerSpec::Sgd(Sgd::default());
    let found = summary(&network, Some(&parameters), 7, &optimizer).unwrap();
    assert_eq!(found.parameters, 34);
    assert_eq!(found.training.parameters, 42 * 8, "bytes hold the statistics too");
}

#[test]
fn a_variance_that_overflows_is_named_as_the_statistic() {
    let network = network();
    let parameters: Vec<f32> = parameters(&network).iter().map(|&value| value as f32).collect();
    let mut x: Vec<f32> = data_f32();
    x[0] = 1e25;
    let data = Matrix::with_labels(x, 3, vec![0, 1, 1, 0, 1, 0, 0]);
    let rows: Vec<u32> = (0..7).collect();
    let info = StepInfo { denominator: 7.0, ..StepInfo::default() };
    let found = find_non_finite(
        &network,
        &parameters,
        &data,
        &rows,
        &info,
        &Team::single(),
        1,
        1,
        glassnet_core::Precision::F32,
    )
    .unwrap();
    assert_eq!((found.place, found.layer.as_str()), (Place::Parameter, "1.running_var"), "{found}");
}

fn data_f32() -> Vec<f32> {
    (0..21).map(|i| ((i * 5) % 13) as f32 / 4.0 - 1.5).collect()
}

#[test]
fn parameters_from_plain_lists_start_the_statistics_where_training_does() {
    let network = network();
    let flat: Vec<f64> = parameters_from_flat(&network, &[0.5; 20], &[0.25; 10]).unwrap();
    for slot in network.graph.slots().iter() {
        let wanted = match slot.role {
            Role::Weight => 0.5,
            Role::Bias => 0.25,
            role => neutral(role),
        };
        assert!(flat[slot.range()].iter().all(|&value| value == wanted), "{}", slot.name);
    }
    assert_eq!(neutral(Role::RunningMean), 0.0);
    assert_eq!(neutral(Role::RunningVariance), 1.0);
}
