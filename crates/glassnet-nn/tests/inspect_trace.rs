//! Traces of the worked examples, their texts, and that every chain of factors gives the engine's numbers.
#![allow(clippy::unwrap_used)]

use glassnet_core::Real;
use glassnet_nn::inspect::{InspectError, Target, Trace, TraceOptions, parameters_from_flat, trace};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::spec::NetSpec;
use serde_json::Value;

fn examples() -> Value {
    serde_json::from_str(include_str!("../../glassnet/tests/golden/worked_examples.json")).unwrap()
}

/// All numbers of a JSON value, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn network(text: &str, loss: Option<&LossSpec>) -> Network {
    Network::new(&text.parse::<NetSpec>().unwrap(), loss).unwrap()
}

fn near(got: &[f64], wanted: &[f64], tolerance: f64) {
    assert_eq!(got.len(), wanted.len());
    for (got, wanted) in got.iter().zip(wanted) {
        assert!((got - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{got} is not {wanted}");
    }
}

fn traced<T: Real>(net: &Network, w: &[f64], b: &[f64], x: &[f64], options: &TraceOptions<'_>) -> Trace {
    let parameters: Vec<T> = parameters_from_flat(net, w, b).unwrap();
    let x: Vec<T> = x.iter().map(|&x| T::from_f64(x)).collect();
    trace(net, &parameters, &x, options).unwrap()
}

/// Products and bias give z; chains give the engine's gradients.
fn consistent(trace: &Trace, tolerance: f64) -> (usize, usize) {
    let (mut neurons, mut chains) = (0, 0);
    for layer in &trace.layers {
        for neuron in &layer.neurons {
            let sum: f64 = neuron.products.iter().map(|product| product.product).sum();
            near(&[neuron.sum, sum + neuron.bias.unwrap_or(0.0)], &[sum, neuron.z], tolerance);
            neurons += 1;
        }
        let Some(gradient) = &layer.gradient else { continue };
        let own = [&gradient.value, &gradient.parameters, &gradient.inputs];
        for chain in own.into_iter().flatten() {
            near(&[chain.product()], &[chain.gradient], tolerance);
            chains += 1;
        }
    }
    for chain in trace.loss.iter().flat_map(|loss| &loss.gradients) {
        near(&[chain.product()], &[chain.gradient], tolerance);
        chains += 1;
    }
    for slot in trace.step.iter().flat_map(|step| &step.slots) {
        for update in &slot.updates {
            near(&[update.old - slot.lr * update.gradient], &[update.new], tolerance);
        }
    }
    (neurons, chains)
}

#[test]
fn one_neuron_reads_as_documented() {
    let examples = examples();
    for name in ["one_neuron", "one_neuron_quiet"] {
        let example = &examples[name];
        let net = network("2 -> 1 sigmoid", None);
        let (w, b, x) = (numbers(&example["w"]), numbers(&example["b"]), numbers(&example["x"]));
        let in_f64 = traced::<f64>(&net, &w, &[b].concat(), &x, &TraceOptions::default());
        let neuron = &in_f64.layers[0].neurons[0];
        near(&[neuron.z], &numbers(&example["logit"]), 1e-12);
        near(&in_f64.output, &numbers(&example["sigmoid"]), 1e-12);
        if !example["contributions"].is_null() {
            let products: Vec<f64> = neuron.products.iter().map(|product| product.product).collect();
            near(&products, &numbers(&example["contributions"]), 1e-12);
        }
        let in_f32 = traced::<f32>(&net, &w, &numbers(&example["b"]), &x, &TraceOptions::default());
        near(&in_f32.output, &numbers(&example["sigmoid"]), 1e-6);
        consistent(&in_f64, 1e-15);
        consistent(&in_f32, 1e-6);
        let score = example["printed"]["score"].as_str().unwrap();
        for text in [in_f64.to_string(), in_f32.to_string()] {
            assert!(text.contains(&format!("-> {score}\n")), "{text}");
        }
    }
    let net = network("2 -> 1 sigmoid", None);
    let loud = "6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931\n\
                a score: nothing has checked it as a probability\n";
    let options = TraceOptions::default();
    assert_eq!(traced::<f64>(&net, &[0.7, 0.3], &[-4.0], &[6.0, 8.0], &options).to_string(), loud);
    assert_eq!(traced::<f32>(&net, &[0.7, 0.3], &[-4.0], &[6.0, 8.0], &options).to_string(), loud);
}

#[test]
fn relu_neurons_and_small_networks() {
    let examples = examples();
    let net = network("2 -> 1 relu", None);
    for example in examples["neuron_relu"].as_array().unwrap() {
        let [w, b, x, z, a] = ["w", "b", "x", "z", "a"].map(|key| numbers(&example[key]));
        let got = traced::<f64>(&net, &w, &b, &x, &TraceOptions::default());
        near(&[got.layers[0].neurons[0].z], &z, 1e-12);
        near(&got.output, &a, 1e-12);
        assert!(!got.to_string().contains("score"), "{got}");
    }
    let example = &examples["net_2_2_1"];
    let net = network("2 -> 2 relu -> 1 sigmoid", None);
    assert_eq!(net.parameters() as u64, example["parameters"].as_u64().unwrap());
    let w = [numbers(&example["w1"]), numbers(&example["w2"])].concat();
    let b = [numbers(&example["b1"]), numbers(&example["b2"])].concat();
    let x = numbers(&example["x"]);
    for (got, tolerance) in [
        (traced::<f64>(&net, &w, &b, &x, &TraceOptions::default()), 1e-12),
        (traced::<f32>(&net, &w, &b, &x, &TraceOptions::default()), 1e-6),
    ] {
        let z: Vec<f64> = got.layers[0].neurons.iter().map(|neuron| neuron.z).collect();
        near(&z, &numbers(&example["z1"]), tolerance);
        near(&got.layers[1].values, &numbers(&example["h"]), tolerance);
        near(&got.layers[2].values, &numbers(&example["logit"]), tolerance);
        near(&got.output, &numbers(&example["score"]), tolerance);
        assert_eq!(consistent(&got, tolerance).0, 3);
        assert_eq!(format!("{:.3}", got.layers[2].values[0]), example["printed"]["logit"].as_str().unwrap());
    }
    let text = traced::<f64>(&net, &w, &b, &x, &TraceOptions::default()).to_string();
    let wanted = "layer 0: linear 2 -> 2, relu\n  \
                  unit 0: 2 x 0.3 = 0.6 | 5 x -0.1 = -0.5 | bias 0.0 | z = 0.1 -> 0.1\n  \
                  unit 1: 2 x 0.1 = 0.2 | 5 x 0.6 = 3 | bias 0.0 | z = 3.2 -> 3.2\n\
                  layer 2: linear 2 -> 1, sigmoid\n  \
                  unit 0: 0.1 x 0.4 = 0.04 | 3.2 x 0.1 = 0.32 | bias -0.5 | z = -0.14 -> 0.465\n\
                    a score: nothing has checked it as a probability\n";
    assert_eq!(text, wanted);
}

#[test]
fn three_layers_and_the_report() {
    let examples = examples();
    let example = &examples["net_4_3_3"];
    let net = network("4 -> 3 relu -> 3 relu", None);
    let w = [numbers(&example["W1"]), numbers(&example["W2"])].concat();
    let b = [numbers(&example["b1"]), numbers(&example["b2"])].concat();
    let got = traced::<f64>(&net, &w, &b, &numbers(&example["x"]), &TraceOptions::default());
    for (layer, key) in ["z1", "h1", "z2", "h2"].into_iter().enumerate() {
        near(&got.layers[layer].values, &numbers(&example[key]), 1e-12);
    }
    let example = &examples["delay_risk_report"];
    let net = network("3 -> 3 relu -> 1 sigmoid", None);
    let w = [numbers(&example["w1"]), numbers(&example["w2"])].concat();
    let b = [numbers(&example["b1"]), numbers(&example["b2"])].concat();
    let (mean, scale) = (numbers(&example["mean"]), numbers(&example["scale"]));
    let threshold = example["threshold"].as_f64().unwrap();
    for (row, raw) in example["raw"].as_array().unwrap().iter().enumerate() {
        let raw = numbers(raw);
        let x: Vec<f64> = (0..3).map(|j| (raw[j] - mean[j]) / scale[j]).collect();
        let got = traced::<f64>(&net, &w, &b, &x, &TraceOptions::default());
        near(&got.layers[1].values, &numbers(&example["hidden"][row]), 1e-12);
        near(&got.layers[2].values, &[example["logits"][row].as_f64().unwrap()], 1e-12);
        let score = got.scores.unwrap().values[0];
        near(&[score], &[example["scores"][row].as_f64().unwrap()], 1e-12);
        let queue = if score >= threshold { "review" } else { "monitor" };
        let id = example["ids"][row].as_str().unwrap();
        assert_eq!(format!("{id}: score={score:.3} -> {queue}"), example["printed"][row].as_str().unwrap());
    }
}

/// Five steps of gradient descent by traces: every step starts from the weights that the one before gave.
#[test]
fn gradient_descent_step_by_step() {
    let examples = examples();
    let example = &examples["gradient_descent"];
    let net = network("4 -> 3 relu", Some(&LossSpec::MeanSquared));
    // The file has weights as [in, out].
    let turned = |value: &Value| -> Vec<f64> {
        let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
        (0..3).flat_map(|unit| rows.iter().map(move |row| row[unit])).collect()
    };
    let (x, target) = (numbers(&example["x"]), numbers(&example["target"]));
    let options =
        TraceOptions { target: Some(Target::Values(&target)), step: example["lr"].as_f64(), ..Default::default() };
    let (mut w, mut b) = (turned(&example["W"]), numbers(&example["b"]));
    let mut again = None;
    for (epoch, step) in example["steps"].as_array().unwrap().iter().enumerate() {
        let got = traced::<f64>(&net, &w, &b, &x, &options);
        assert_eq!(consistent(&got, 1e-15), (3, 3 + 3 + 15));
        let loss = got.loss.as_ref().unwrap().value;
        near(&[loss], &[example["epochs"][epoch]["loss"].as_f64().unwrap()], 1e-12);
        assert_eq!(format!("{loss:.4}"), example["printed"]["losses"][epoch].as_str().unwrap());
        if let Some(before) = again {
            assert_eq!(loss, before, "the score again is the next step's first");
        }
        let slots = &got.step.as_ref().unwrap().slots;
        let gradients: Vec<f64> = slots[0].updates.iter().map(|update| update.gradient).collect();
        near(&gradients, &turned(&step["dW"]), 1e-12);
        let biases: Vec<f64> = slots[1].updates.iter().map(|update| update.gradient).collect();
        near(&biases, &numbers(&step["db"]), 1e-12);
        let norm = got.layers[0].gradient.as_ref().unwrap().slots[0].norm;
        near(&[norm], &[example["epochs"][epoch]["grad_norm_of_W"].as_f64().unwrap()], 1e-12);
        assert_eq!(format!("{norm:.4}"), example["printed"]["grad_norms"][epoch].as_str().unwrap());
        w = slots[0].updates.iter().map(|update| update.new).collect();
        b = slots[1].updates.iter().map(|update| update.new).collect();
        near(&w, &turned(&step["new_W"]), 1e-12);
        again = Some(got.step.unwrap().again.loss);
    }
    near(&w, &turned(&example["final_W"]), 1e-12);
    near(&b, &numbers(&example["final_b"]), 1e-12);
    let first = traced::<f64>(&net, &turned(&example["W"]), &[0.0; 3], &x, &options).to_string();
    for line in [
        "  dL/dz[0] = dL/da (= 0.642454) x da/dz (= 1) = 0.642454",
        "  dL/dw[0][1] = delta (= 0.642454) x input (= 2) = 1.28491",
        "  0.weight[0][1]: 0.152303 - 0.01 x 1.28491 = 0.139454",
        "  dL/d 0.weight [3, 4]: length 2.89553, largest 1.92736, 4 zeros",
        "  loss 0.228773; before: 0.310522",
    ] {
        assert!(first.lines().any(|found| found == line), "{line}\nis not in\n{first}");
    }
}

/// One neuron with a target and a step, in full.
#[test]
fn a_step_of_one_neuron_in_words() {
    let net = network("2 -> 1 sigmoid", Some(&LossSpec::binary_cross_entropy()));
    let options = TraceOptions { target: Some(Target::Class(1)), step: Some(0.1), layer: None };
    let got = traced::<f64>(&net, &[0.7, 0.3], &[-4.0], &[6.0, 8.0], &options);
    consistent(&got, 1e-15);
    let wanted = "\
6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931
a score: nothing has checked it as a probability

target 1
loss: binary_cross_entropy, l = -t ln s(z) - (1 - t) ln(1 - s(z)) = 0.0716447

gradients, from the loss back
loss into layer 0: [1], dz = (s(z) - t) / K
  dL/dz[0] = 1/K (= 1) x (score - target) (= -0.0691384) = -0.0691384
layer 0: linear 2 -> 1, sigmoid
  dL/d 0.weight [1, 2]: length 0.691384, largest 0.553107
  dL/d 0.bias [1]: length 0.0691384, largest 0.0691384
  dL/dw[0][0] = delta (= -0.0691384) x input (= 6) = -0.414831
  dL/dw[0][1] = delta (= -0.0691384) x input (= 8) = -0.553107
  dL/db[0] = delta (= -0.0691384) = -0.0691384

step: old - 0.1 x grad = new
  0.weight[0][0]: 0.7 - 0.1 x -0.414831 = 0.741483
  0.weight[0][1]: 0.3 - 0.1 x -0.553107 = 0.355311
  0.bias[0]: -4 - 0.1 x -0.0691384 = -3.99309

again, with the new parameters
  sigmoid: 0.964; before: 0.931
  loss 0.0362798; before: 0.0716447
";
    assert_eq!(got.to_string(), wanted);
    assert!(got.step.unwrap().again.loss < got.loss.unwrap().value);
}

/// Every layer kind, every loss: chains give the engine's gradients, and all of them are there.
#[test]
fn chains_of_every_layer_and_loss() {
    let bce = LossSpec::binary_cross_entropy();
    let cases = [
        ("3 -> 4 relu -> 2 softmax", LossSpec::cross_entropy(), Target::Class(1)),
        ("3 -> 4 gelu -> 2", LossSpec::cross_entropy(), Target::Values(&[0.0])),
        ("3 -> 4 silu -> 2 sigmoid", LossSpec::MeanSquared, Target::Class(1)),
        ("3 -> 4 mish -> 2 softmax", LossSpec::MeanSquared, Target::Values(&[0.2, 0.8])),
        ("3 -> 4 elu -> 2 log softmax", LossSpec::MeanAbsolute, Target::Values(&[0.2, -0.8])),
        (
            "3 -> scale -> 4 tanh -> dropout 0.5 -> residual(softplus -> 3 -> 4 selu) -> 2",
            bce,
            Target::Values(&[1., 0.]),
        ),
        (
            "3 -> scale -> swiglu 5 bias -> 4 tanh -> residual(dropout 0.3 -> 4 leaky relu) -> scale -> 1",
            LossSpec::MeanSquared,
            Target::Values(&[0.3]),
        ),
    ];
    for (text, loss, target) in cases {
        let net = network(text, Some(&loss));
        let options = TraceOptions { target: Some(target), step: Some(0.05), layer: None };
        let x = [0.5, -1.25, 2.0];
        let got = trace(&net, &net.initialise::<f64>(3), &x, &options).unwrap();
        let (neurons, chains) = consistent(&got, 1e-12);
        assert!(neurons > 0);
        assert!(chains >= net.parameters(), "{text}: {chains} chains for {} parameters", net.parameters());
        let updates: usize = got.step.as_ref().unwrap().slots.iter().map(|slot| slot.updates.len()).sum();
        assert_eq!(updates, net.parameters());
        consistent(&trace(&net, &net.initialise::<f32>(3), &x.map(|x| x as f32), &options).unwrap(), 2e-6);
        for layer in &got.layers {
            for term in layer.terms.iter().flat_map(|terms| &terms.elements) {
                let both =
                    if layer.kind.starts_with("residual") { term.left + term.right } else { term.left * term.right };
                assert_eq!(term.result, both, "{text}");
            }
        }
        assert!(got.to_string().contains("again, with the new parameters"));
        serde_json::to_string(&got).unwrap();
    }
}

#[test]
fn logits_of_a_classifier_are_shown_with_their_softmax() {
    let net = network("1 -> 3", Some(&LossSpec::cross_entropy()));
    let got = traced::<f64>(&net, &[2.0, 1.0, 0.1], &[0.0; 3], &[1.0], &TraceOptions::default());
    let scores = got.scores.as_ref().unwrap();
    near(&scores.values, &numbers(&examples()["softmax"]["p"]), 1e-12);
    assert!(!scores.in_network);
    let text = got.to_string();
    let end = "softmax of the logits: 0.659 | 0.242 | 0.099\na score: nothing has checked it as a probability\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn large_layers_are_summarised_until_one_is_opened() {
    let net = network("40 -> 64 relu -> 64 relu -> 20", Some(&LossSpec::cross_entropy()));
    let parameters = net.initialise::<f64>(1);
    let x: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    let options = TraceOptions { target: Some(Target::Class(2)), step: Some(0.1), layer: None };
    let closed = trace(&net, &parameters, &x, &options).unwrap();
    assert!(closed.layers.iter().all(|layer| layer.neurons.is_empty() && layer.values.is_empty()));
    let spread = closed.layers[1].spread.as_ref().unwrap();
    assert!(spread.zeros > 0 && spread.min == 0.0 && spread.largest.len() == 3 && spread.max == spread.largest[0].1);
    assert!(closed.to_string().lines().count() < 40, "{closed}");
    for name in ["2", "3"] {
        let open = trace(&net, &parameters, &x, &TraceOptions { layer: Some(name), ..options }).unwrap();
        let shown: Vec<usize> = open.layers.iter().map(|layer| layer.neurons.len()).collect();
        assert_eq!(shown, [0, 0, 64, 0, 0]);
        consistent(&open, 1e-12);
        assert_eq!(open.step.unwrap().slots[2].updates.len(), 64 * 64);
    }
}

#[test]
fn questions_that_do_not_fit() {
    let net = network("2 -> 2 relu -> 1", Some(&LossSpec::MeanSquared));
    let parameters = net.initialise::<f64>(1);
    let ask = |net: &Network, x: &[f64], options: TraceOptions<'_>| {
        trace(net, &parameters[..net.parameters()], x, &options).unwrap_err().to_string()
    };
    let none = TraceOptions::default();
    let says = |message: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    says(ask(&net, &[1.0], none), &["reads 2 numbers", "the row has 1", "hint"]);
    says(ask(&net, &[1.0, 2.0], TraceOptions { step: Some(0.1), ..none }), &["gradients need a target"]);
    let target = Some(Target::Values(&[1.0, 2.0]));
    says(ask(&net, &[1.0, 2.0], TraceOptions { target, ..none }), &["1 outputs", "2 values"]);
    let target = Some(Target::Class(1));
    for lr in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(ask(&net, &[1.0, 2.0], TraceOptions { target, step: Some(lr), ..none }), &["must be a positive number"]);
    }
    says(ask(&net, &[1.0, 2.0], TraceOptions { layer: Some("7"), ..none }), &["no layer \"7\"", "0, 1, 2"]);
    says(ask(&network("2 -> 2 relu -> 1", None), &[1.0, 2.0], TraceOptions { target, ..none }), &["no loss"]);
    let classes = network("2 -> 3", Some(&LossSpec::cross_entropy()));
    for target in [Target::Class(3), Target::Values(&[0.5]), Target::Values(&[-1.0]), Target::Values(&[f64::NAN])] {
        let message = ask(&classes, &[1.0, 2.0], TraceOptions { target: Some(target), ..none });
        says(message, &["not one of the network's 3 classes", "from 0 to 2"]);
    }
    let short = trace(&net, &parameters[1..], &[1.0, 2.0], &none).unwrap_err();
    assert!(matches!(short, InspectError::Parameters { wanted: 9, found: 8, .. }));
}

#[test]
fn flat_weights_that_do_not_fit_name_the_layer() {
    let net = network("2 -> 2 relu -> scale -> 1", None);
    let fits: Vec<f64> = parameters_from_flat(&net, &[1., 2., 3., 4., 5., 6.], &[7., 8., 9.]).unwrap();
    assert_eq!(fits, [1., 2., 3., 4., 7., 8., 1., 1., 5., 6., 9.]);
    let ask = |w: &[f64], b: &[f64]| parameters_from_flat::<f64>(&net, w, b).unwrap_err().to_string();
    assert_eq!(
        ask(&[1.0; 5], &[0.0; 3]),
        "layer 3 needs 2 weights, but only 1 of the 5 given are left for it\n  \
         hint: give 6 weights in this order: layer 0 needs 4 (2 x 2), layer 3 needs 2 (1 x 2)"
    );
    assert_eq!(
        ask(&[1.0; 7], &[0.0; 3]),
        "7 weights are given, but all layers up to 3 together need 6\n  \
         hint: give 6 weights in this order: layer 0 needs 4 (2 x 2), layer 3 needs 2 (1 x 2)"
    );
    assert!(ask(&[1.0; 6], &[]).starts_with("layer 0 needs 2 biases, but only 0 of the 0 given"));
    assert!(ask(&[1.0, 2.0, f64::NAN, 1.0, 1.0, 1.0], &[0.0; 3]).starts_with("number 3 of the weights is NaN"));
}

/// Rosenblatt's unit passes no gradient back: what stands before it says so, and a step leaves it as it is.
#[test]
fn no_gradient_comes_through_a_step_unit() {
    let net = network("2 -> 2 step -> 1", Some(&LossSpec::MeanSquared));
    let options = TraceOptions { target: Some(Target::Values(&[3.0])), step: Some(0.1), layer: None };
    let got = traced::<f64>(&net, &[1.0, 1.0, 1.0, -1.0, 0.5, 0.5], &[0.0; 3], &[1.0, 2.0], &options);
    consistent(&got, 1e-12);
    assert_eq!(got.layers[1].values, [1.0, 0.0]);
    assert!(!got.layers[0].gradient.as_ref().unwrap().flows);
    let text = got.to_string();
    assert!(
        text.contains("layer 0: linear 2 -> 2, step\n  no gradient comes here: a step has slope 0 everywhere\n"),
        "{text}"
    );
    assert!(got.step.unwrap().slots[0].updates.iter().all(|update| update.old == update.new));
}
