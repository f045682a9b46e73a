//! What training refuses, and what it does at the edges of what it takes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_core::{Graph, Op, Team, ops::linear::Linear};
use glassnet_nn::early::EarlySpec;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::{Matrix, Targets};
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Outcome, Rows, Silent, Stop, TrainError, TrainSpec, Trainer};

fn network(net: &str, loss: &LossSpec) -> Network {
    let spec: NetSpec = net.parse().unwrap();
    Network::new(&spec, Some(loss)).unwrap()
}

fn data() -> Matrix<f32> {
    Matrix::with_labels(vec![0.5, 1.0, -1.0, 0.25, 0.75, -0.5, 1.5, 2.0], 2, vec![0, 1, 1, 0])
}

type Ran = Result<Outcome<f32>, TrainError>;

fn run(network: &Network, data: &Matrix<f32>, train: &[u32], valid: Option<&[u32]>, spec: TrainSpec) -> Ran {
    let part = |rows| Rows { source: data, rows };
    let start = network.initialise(spec.seed);
    Trainer::new(network, start, part(train), valid.map(part), spec, Team::single()).map(|t| t.run(&mut Silent))
}

#[test]
fn a_curve_at_the_end_of_a_residual_branch_is_not_part_of_the_loss() {
    for net in ["3 -> residual(3 softmax)", "3 -> residual(3 sigmoid)"] {
        let loss = if net.contains("softmax") { LossSpec::cross_entropy() } else { LossSpec::binary_cross_entropy() };
        let network = network(net, &loss);
        assert_eq!(network.logits, network.output, "{net}");
    }
    let whole = network("3 -> 4 relu -> 3 softmax", &LossSpec::cross_entropy());
    assert_ne!(whole.logits, whole.output);
}

#[test]
fn a_batch_of_rows_that_weigh_nothing_is_no_step() {
    let mut data = data();
    data.weights = vec![1.0, 0.0, 1.0, 1.0];
    let network = network("2 -> 3 tanh -> 2", &LossSpec::cross_entropy());
    let spec = TrainSpec { epochs: 2, batch: Batch::Rows(1), shuffle: false, ..TrainSpec::default() };
    let with = run(&network, &data, &[0, 1, 2, 3], None, spec.clone()).unwrap();
    assert_eq!(with.stop, Stop::Finished);
    data.weights.clear();
    let without = run(&network, &data, &[0, 2, 3], None, spec).unwrap();
    assert_eq!(with.parameters, without.parameters, "weight 0 leaves the row out");
}

#[test]
fn class_weights_of_one_logit_weigh_rows_in_the_loss_and_not_in_the_scores() {
    let mut data = data();
    let weighted = LossSpec::BinaryCrossEntropy { positive_weight: 1.0, class_weights: vec![1.0, 4.0] };
    let spec = TrainSpec { epochs: 3, batch: Batch::All, ..TrainSpec::default() };
    let all = [0, 1, 2, 3];
    let by_class = run(&network("2 -> 3 tanh -> 1", &weighted), &data, &all, Some(&all), spec.clone()).unwrap();
    data.weights = vec![1.0, 4.0, 4.0, 1.0];
    let plain = LossSpec::binary_cross_entropy();
    let by_row = run(&network("2 -> 3 tanh -> 1", &plain), &data, &all, Some(&all), spec).unwrap();
    assert_eq!(by_class.parameters, by_row.parameters);
    let last = |outcome: &Outcome<f32>| outcome.history.epochs[2].clone();
    assert_eq!(last(&by_class).valid_loss, last(&by_row).valid_loss);
    assert_eq!(last(&by_class).train_loss, last(&by_row).train_loss);
    let accuracy = last(&by_class).valid.accuracy.unwrap();
    assert_eq!((accuracy * 4.0).fract(), 0.0, "each of the four rows counts once: {accuracy}");
}

#[test]
fn a_validation_row_of_weight_0_is_not_there_whatever_its_loss() {
    let mut data = data();
    data.x[7] = f32::NAN;
    data.weights = vec![1.0, 1.0, 1.0, 0.0];
    let network = network("2 -> 3 tanh -> 2", &LossSpec::cross_entropy());
    let spec = TrainSpec { epochs: 1, ..TrainSpec::default() };
    let outcome = run(&network, &data, &[0, 1], Some(&[2, 3]), spec).unwrap();
    assert!(outcome.history.epochs[0].valid_loss.unwrap().is_finite());
}

#[test]
fn what_does_not_fit_is_refused_before_the_first_step() {
    let loss = LossSpec::cross_entropy();
    let network = network("2 -> 3 tanh -> 2", &loss);
    let spec = TrainSpec { epochs: 1, ..TrainSpec::default() };
    let message = |data: &Matrix<f32>, train: &[u32], valid: Option<&[u32]>, spec: &TrainSpec| {
        run(&network, data, train, valid, spec.clone()).unwrap_err().to_string()
    };
    let all = [0, 1, 2, 3];
    assert!(message(&data(), &[0, 7], None, &spec).contains("row 8 of the training rows is not there"));
    assert!(message(&data(), &all, Some(&[9]), &spec).contains("row 10 of the validation rows is not there"));
    assert!(message(&data(), &[], None, &spec).contains("no rows to train on"));

    let mut none = data();
    none.targets = Targets::None;
    assert!(message(&none, &all, None, &spec).contains("have 0 target values"));
    let mut weightless = data();
    weightless.weights = vec![1.0, 1.0, 0.0, 0.0];
    let text = message(&weightless, &all, Some(&[2, 3]), &spec);
    assert!(text.contains("weights of the validation rows add to 0"), "{text}");
    let mut label = data();
    label.targets = Targets::Labels(vec![0, 1, 2, 0]);
    assert!(message(&label, &all, None, &spec).contains("row 3 has class number 2, but the network has 2 outputs"));

    let patience = TrainSpec { early: EarlySpec { patience: Some(2), ..EarlySpec::default() }, ..spec.clone() };
    assert!(message(&data(), &all, None, &patience).contains("early stopping looks at the validation loss"));
    let plateau = TrainSpec { schedule: "plateau".parse().unwrap(), ..spec.clone() };
    assert!(message(&data(), &all, None, &plateau).contains("the plateau schedule looks at the validation loss"));

    let part = Rows { source: &data(), rows: &all };
    let short = Trainer::new(&network, vec![0.0f32; 3], part, None, spec.clone(), Team::single());
    assert!(short.err().unwrap().to_string().contains("but 3 are given"));
    let two = Matrix::with_values(vec![0.0f32; 8], 2, vec![0.0; 4], 1);
    let values = Network::new(&"2 -> 3 tanh -> 2".parse::<NetSpec>().unwrap(), Some(&LossSpec::MeanSquared)).unwrap();
    let text = run(&values, &two, &all, None, spec).unwrap_err().to_string();
    assert_eq!(text, "the network gives 2 outputs a row, but the training rows have 1 target values");
}

#[test]
fn parameters_that_come_out_are_finite_however_far_the_steps_go() {
    let data = Matrix::with_values(vec![1.0f32, 2.0, 3.0, 4.0], 1, vec![1e3, 2e3, 3e3, 4e3], 1);
    let network = network("1 -> 3 -> 1", &LossSpec::MeanSquared);
    let optimizer: OptimizerSpec = "sgd".parse().unwrap();
    for (lr, epochs, batch) in [(1e37, 1, Batch::All), (1e37, 3, Batch::Rows(1)), (1e20, 5, Batch::Rows(2))] {
        let spec = TrainSpec { epochs, batch, lr, optimizer, ..TrainSpec::default() };
        let outcome = run(&network, &data, &[0, 1, 2, 3], None, spec).unwrap();
        assert!(matches!(outcome.stop, Stop::NonFinite(_)), "lr {lr}: {:?}", outcome.stop);
        assert!(outcome.parameters.iter().all(|value| value.is_finite()), "lr {lr}");
        assert_eq!(outcome.history.best_epoch, None, "the weights are no epoch's");
    }
}

#[test]
fn sizes_that_no_machine_has_are_an_error_and_no_overflow() {
    let mut graph = Graph::new();
    let x = graph.input("x", [4]);
    let wide = graph
        .push("0", Op::Linear(Linear { units: usize::MAX / 2, bias: true, ntk: false }), &[x])
        .unwrap_err()
        .to_string();
    assert!(wide.contains("at most 16777216 numbers"), "{wide}");
    let many = Op::Linear(Linear { units: 1 << 24, bias: false, ntk: false });
    let first = graph.push("0", many.clone(), &[x]).unwrap();
    let second = graph.push("1", many, &[first]).unwrap_err().to_string();
    assert!(second.contains("more than 1099511627776 parameters"), "{second}");
    let spec = NetSpec { input: Some(1 << 40), layers: Vec::new(), ..NetSpec::default() };
    assert!(Network::new(&spec, None).unwrap_err().to_string().contains("at most 16777216 numbers"));
}
