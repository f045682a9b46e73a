//! The summary's numbers against counting, and merging of affine layers against the worked examples.
#![allow(clippy::unwrap_used)]

use glassnet_core::{Purpose, Real, Runner, StepInfo, Team};
use glassnet_nn::inspect::{MergeOptions, Merged, TraceOptions, merge_affine, parameters_from_flat, summary, trace};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::spec::NetSpec;
use serde_json::Value;

fn examples() -> Value {
    serde_json::from_str(include_str!("../../glassnet/tests/golden/worked_examples.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn network(text: &str) -> Network {
    Network::new(&text.parse::<NetSpec>().unwrap(), None).unwrap()
}

fn near(got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len());
    for (got, wanted) in got.iter().zip(wanted) {
        assert!((got - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{got} is not {wanted}");
    }
}

fn output<T: Real>(network: &Network, parameters: &[T], x: &[f64]) -> Vec<f64> {
    let x: Vec<T> = x.iter().map(|&x| T::from_f64(x)).collect();
    trace(network, parameters, &x, &TraceOptions::default()).unwrap().output
}

fn merged<T: Real>(text: &str, w: &[f64], b: &[f64], options: MergeOptions) -> (Vec<T>, Network, Merged<T>) {
    let net = network(text);
    let parameters = parameters_from_flat(&net, w, b).unwrap();
    let merged = merge_affine(&net, &parameters, options).unwrap();
    (parameters, net, merged)
}

#[test]
fn parameter_counts() {
    let loss = LossSpec::cross_entropy();
    for (name, text) in [
        ("2-2-1", "2 -> 2 relu -> 1"),
        ("3-4-2", "3 -> 4 relu -> 2"),
        ("4-16-3", "4 -> 16 relu -> 3"),
        ("784-256", "784 -> 256"),
        ("256-128", "256 -> 128"),
        ("128-10", "128 -> 10"),
        ("784-256-128-10", "784 -> 256 relu -> 128 relu -> 10"),
    ] {
        let net = Network::new(&text.parse().unwrap(), Some(&loss)).unwrap();
        let found = summary::<f32>(&net, None, 128, &OptimizerSpec::default()).unwrap();
        assert_eq!(found.parameters as u64, examples()["parameter_counts"][name].as_u64().unwrap());
        assert_eq!(found.parameters, found.layers.iter().map(|layer| layer.parameters).sum::<usize>());
    }
    let error = "2 -> 0".parse::<NetSpec>().map_err(|error| error.to_string()).unwrap_err();
    assert!(error.contains("dense dimensions must be positive"), "{error}");
}

#[test]
fn operations_and_memory_are_those_of_the_plan() {
    let loss = LossSpec::cross_entropy();
    let net = Network::new(&"6 -> 8 relu -> residual(8 tanh) -> swiglu 5 -> scale -> 3".parse().unwrap(), Some(&loss));
    let net = net.unwrap();
    let parameters = net.initialise::<f32>(1);
    let adam: OptimizerSpec = "adam".parse().unwrap();
    let found = summary(&net, Some(&parameters), 32, &adam).unwrap();
    let names: Vec<&str> = found.layers.iter().map(|layer| layer.name.as_str()).collect();
    let wanted = ["0", "1", "2", "2.0", "2.1", "3", "3.gate", "3.activation", "3.up", "3.down", "4", "5"];
    assert_eq!(names, wanted);
    // A linear layer of 8 units on 6 inputs: 2 x 48 and 8 biases; a residual sum: 8; the gate's product: 5.
    let flops = |name: &str| found.layers.iter().find(|layer| layer.name == name).unwrap().flops;
    assert_eq!([flops("0"), flops("1"), flops("2"), flops("3")], [104, 8, 8, 5]);
    let objective = net.objective.as_ref().unwrap();
    let losses = [objective.rows, objective.mean].map(|id| net.graph.node(id));
    let of_loss = losses.map(|node| node.op.cost(&net.graph.shapes(&node.inputs), &node.shape));
    assert_eq!(found.flops + of_loss.iter().map(|cost| cost.forward).sum::<u64>(), net.graph.cost().forward);
    assert_eq!(found.flops_backward + of_loss.iter().map(|cost| cost.backward).sum::<u64>(), net.graph.cost().backward);
    let bytes = 4 * net.parameters();
    assert_eq!((found.training.parameters, found.training.gradients), (bytes, bytes));
    assert_eq!((found.training.moments, found.predicting.moments), (2 * bytes, 0));
    assert_eq!(found.training.labels, 4 * 32);
    assert_eq!(found.predicting.gradients, 0);
    let sum = found.training;
    assert_eq!(sum.total, sum.parameters + sum.gradients + sum.moments + sum.arena + sum.labels);
    // The forecast is what running the plan really touches.
    let mut runner: Runner<f32> = Runner::new(net.plan(Purpose::Train, 32), Team::single());
    runner.mark();
    runner.set_rows(32);
    runner.input_mut(net.x).fill(0.5);
    runner.input_mut(objective.weight).fill(1.0);
    let info = StepInfo { denominator: 32.0, ..Default::default() };
    runner.forward(&parameters, &info);
    runner.backward(&parameters, &mut vec![0.0; parameters.len()], &info);
    assert_eq!(found.training.arena, 4 * runner.touched());
    let sgd = summary::<f64>(&net, None, 32, &"sgd".parse().unwrap()).unwrap();
    assert_eq!((sgd.training.moments, sgd.training.parameters), (0, 2 * bytes));
    let text = found.to_string();
    for part in ["layer", "2.0", "gated 5 silu", "adam's moments", "predicting", "weights", "3.gate.weight"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(summary(&net, Some(&parameters[1..]), 32, &adam).is_err());
}

#[test]
fn statistics_of_weights() {
    let net = network("4 -> 1 no bias");
    let found = summary(&net, Some(&[1.0f64, 0.0, -2.0, f64::NAN]), 1, &OptimizerSpec::default()).unwrap();
    let slot = &found.weights[0];
    near(&[slot.mean, slot.min, slot.max, slot.zeros], &[-1.0 / 3.0, -2.0, 1.0, 0.25], 1e-15);
    near(&[slot.deviation], &[(14.0f64 / 9.0).sqrt()], 1e-15);
    assert_eq!(slot.non_finite, 1);
    assert!(found.training.labels == 0 && found.weights.len() == 1);
}

#[test]
fn affine_collapse() {
    let examples = examples();
    let example = &examples["affine_collapse"];
    let w = [numbers(&example["w1"]), numbers(&example["w2"])].concat();
    let b = [numbers(&example["b1"]), numbers(&example["b2"])].concat();
    let x = numbers(&example["x"]);
    let (parameters, net, one) = merged::<f64>("2 -> 2 -> 1", &w, &b, MergeOptions::default());
    near(&output(&net, &parameters, &x), &numbers(&example["two_affine"]), 1e-12);
    near(&one.parameters[..2], &numbers(&example["merged_w"]), 1e-12);
    near(&one.parameters[2..], &numbers(&example["merged_b"]), 1e-12);
    let got = output(&one.network, &one.parameters, &x);
    near(&got, &numbers(&example["merged"]), 1e-12);
    assert_eq!(format!("{:.3}", got[0]), example["printed"]["two_affine"].as_str().unwrap());
    assert_eq!(one.spec().to_string(), "2 -> 1");
    assert_eq!(one.merges[0].to_string(), "layers 0, 1 became layer 0: 9 -> 3 parameters");
    // With a curve between them they are two.
    let (parameters, net, two) = merged::<f64>("2 -> 2 relu -> 1", &w, &b, MergeOptions::default());
    assert_eq!((&two.network, &two.parameters, two.merges.len()), (&net, &parameters, 0));
    let got = output(&two.network, &two.parameters, &x);
    near(&got, &numbers(&example["with_relu"]), 1e-12);
    assert_eq!(format!("{:.3}", got[0]), example["printed"]["with_relu"].as_str().unwrap());

    let example = &examples["affine_collapse_scalar"];
    let number = |key: &str| example[key].as_f64().unwrap();
    let (w, b) = ([number("w1"), number("w2")], [number("b1"), number("b2")]);
    let (_, _, one) = merged::<f64>("1 -> 1 -> 1", &w, &b, MergeOptions::default());
    near(&one.parameters, &[number("merged_w"), number("merged_b")], 1e-12);
    near(&output(&one.network, &one.parameters, &[number("x")]), &[number("y")], 1e-12);
    let (_, _, one) = merged::<f32>("1 -> 1 -> 1", &w, &b, MergeOptions::default());
    near(&output(&one.network, &one.parameters, &[number("x")]), &[number("y")], 1e-6);
}

#[test]
fn the_report_without_relu() {
    let examples = examples();
    let (report, example) = (&examples["delay_risk_report"], &examples["delay_risk_without_relu"]);
    let w = [numbers(&report["w1"]), numbers(&report["w2"])].concat();
    let b = [numbers(&report["b1"]), numbers(&report["b2"])].concat();
    let (_, _, one) = merged::<f64>("3 -> 3 -> 1 sigmoid", &w, &b, MergeOptions::default());
    near(&one.parameters[..3], &numbers(&example["merged_w"]), 1e-12);
    near(&one.parameters[3..], &numbers(&example["merged_b"]), 1e-12);
    let (mean, scale) = (numbers(&report["mean"]), numbers(&report["scale"]));
    for (row, raw) in report["raw"].as_array().unwrap().iter().enumerate() {
        let raw = numbers(raw);
        let x: Vec<f64> = (0..3).map(|j| (raw[j] - mean[j]) / scale[j]).collect();
        let options = TraceOptions::default();
        let got = trace(&one.network, &one.parameters, &x, &options).unwrap();
        near(&got.layers[0].values, &[numbers(&example["logits"])[row]], 1e-12);
        near(&got.output, &[numbers(&example["scores"])[row]], 1e-12);
    }
}

/// Merged networks give what they gave, for every kind of neighbour.
#[test]
fn merged_networks_compute_the_same() {
    let through = MergeOptions { through_dropout: true };
    let cases = [
        ("3 -> scale -> 4 -> scale -> 5 no bias -> 2", MergeOptions::default(), "3 -> 2", 1),
        ("3 -> 4 no bias -> 2 no bias", MergeOptions::default(), "3 -> 2 no bias", 1),
        ("3 -> scale -> scale -> tanh -> 2", MergeOptions::default(), "3 -> scale -> tanh -> 2", 1),
        ("3 -> 4 -> dropout 0.5 -> 2", MergeOptions::default(), "3 -> 4 -> dropout 0.5 -> 2", 0),
        ("3 -> 4 -> dropout 0.5 -> 2 relu -> 2", through, "3 -> 2 relu -> 2", 1),
        ("3 -> dropout 0.5 -> 4 -> dropout 0.2 -> 2", through, "3 -> dropout 0.5 -> 2", 1),
        (
            "3 -> 4 -> residual(5 -> 4 relu -> scale -> 4) -> swiglu 6 -> 4 -> 2",
            MergeOptions::default(),
            "3 -> 4 -> residual(4 relu -> 4) -> swiglu 6 -> 2",
            3,
        ),
    ];
    for (text, options, wanted, count) in cases {
        let net = Network::new(&text.parse().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
        let mut parameters = net.initialise::<f64>(4);
        // Scales and biases that do something.
        for (i, value) in parameters.iter_mut().enumerate() {
            *value += 0.1 + 0.01 * (i % 7) as f64;
        }
        let one = merge_affine(&net, &parameters, options).unwrap();
        assert_eq!(one.spec(), &wanted.parse::<NetSpec>().unwrap(), "{text}");
        assert_eq!(one.merges.len(), count, "{text}");
        assert_eq!(one.network.objective.as_ref().unwrap().loss, LossSpec::cross_entropy());
        let x = [0.3, -1.2, 2.0];
        near(&output(&one.network, &one.parameters, &x), &output(&net, &parameters, &x), 1e-12);
    }
    let net = network("3 -> 4 -> dropout 0.5 -> 2");
    let one = merge_affine(&net, &net.initialise::<f64>(1), through).unwrap();
    assert_eq!(one.merges[0].to_string(), "layers 0, 2 became layer 0: 26 -> 8 parameters; dropout 1 left out");
    assert!(merge_affine(&net, &[0.0f64; 3], through).is_err());
}
