//! A whole small network against PyTorch: 3 -> 5 tanh -> 4 relu -> 2, cross-entropy, ten steps of SGD with momentum, a
//! batch of its own for each step.

mod oracle;

use glassnet_core::{Real, StepInfo, Team};
use glassnet_nn::functional::loss_and_gradients;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::{OptimizerSpec, Sgd};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};
use oracle::{Case, assert_close, load_op};

fn numbers<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

fn follow<T: Real>(case: &Case, tolerance: f64) {
    // "3, 5 tanh, 4 relu, 2" is "3 -> 5 tanh -> 4 relu -> 2" here; layers have PyTorch's names.
    let text = case.attributes["layers"].as_str().unwrap().replace(", ", " -> ");
    let network = Network::new(&text.parse::<NetSpec>().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
    let given: Vec<(&str, &[f64])> =
        case.parameters.iter().map(|(name, values)| (name.as_str(), values.as_slice())).collect();
    let parameters: Vec<T> = network.parameters_from(&given).unwrap();
    let x = case.input("x").iter().map(|&x| T::from_f64(x)).collect();
    let data = Matrix::with_labels(x, 3, case.labels.iter().map(|&label| label as i32).collect());
    let (steps, rows) = (case.count("steps"), case.count("rows"));
    let batches: Vec<u32> = (0..(steps * rows) as u32).collect();

    let team = Team::single();
    let first = loss_and_gradients(&network, &parameters, &data, &batches[..rows], &StepInfo::default(), &team);
    for (name, expected) in &case.gradients {
        let gradient = network.slot(name, &first.gradients).unwrap();
        assert_close(&numbers(gradient), expected, tolerance, &format!("gradient of {name}"));
    }
    let spec = TrainSpec {
        batch: Batch::Rows(rows),
        lr: case.number("lr"),
        optimizer: OptimizerSpec::Sgd(Sgd { momentum: case.number("momentum"), ..Sgd::default() }),
        ..TrainSpec::default()
    };
    let part = Rows { source: &data, rows: &batches };
    let mut trainer = Trainer::new(&network, parameters, part, None, spec, team).unwrap();
    let losses: Vec<f64> = batches.chunks(rows).map(|batch| trainer.step(batch, 0, 0).unwrap().loss).collect();
    assert_close(&losses, case.output("losses"), tolerance, "losses");
    for slot in network.graph.slots().iter() {
        let after = network.slot(&slot.name, trainer.parameters()).unwrap();
        assert_close(&numbers(after), case.output(&slot.name), tolerance, &slot.name);
    }
}

#[test]
fn ten_steps_in_f64() {
    load_op("network", "network", "f64").iter().for_each(|case| follow::<f64>(case, 1e-10));
}

#[test]
fn ten_steps_in_f32() {
    load_op("network", "network", "f32").iter().for_each(|case| follow::<f32>(case, 1e-6));
}
