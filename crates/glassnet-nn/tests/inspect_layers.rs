//! The inspectors on every kind of layer, by the text form: images, sequences, tokens, norms, blocks.
#![allow(clippy::unwrap_used, clippy::panic)]

use glassnet_core::Real;
use glassnet_core::ops::cross_entropy::IGNORED;
use glassnet_nn::inspect::trace::Spread;
use glassnet_nn::inspect::{CheckOptions, InspectError, Target, TraceOptions, check, layer_values, summary, trace};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::{Matrix, Source, Targets};
use glassnet_nn::spec::NetSpec;

const NETS: [&str; 19] = [
    "1x8x8 -> conv 4 3x3 same relu -> maxpool 2 -> 10",
    "3x5x6 -> conv 4 3x3 stride 2 padding 1 -> batchnorm -> relu -> conv 4 1x1 groups 2 -> groupnorm 2 -> global avgpool -> 3",
    "2x6x6 -> conv 3 3x3 tanh -> avgpool 2 -> flatten -> 4",
    "1x6x6 -> conv 3 3x3 -> global maxpool -> 2",
    "1x7x7 -> conv 2 3x3 -> adaptivepool 2x2 -> 3",
    "16 -> reshape 1x4x4 -> residual(conv 2 3x3 same relu -> conv 1 3x3 same) -> transpose 1 2 -> 3",
    "2x4x4 -> concat(conv 2 3x3 same relu, conv 1 1x1) -> slice 0 2 -> 3",
    "5x3 -> conv1d 4 3 relu -> maxpool 2 -> 2",
    "5x3 -> rnn 4 relu -> last -> 2",
    "5x3 -> gru 4 bidirectional -> last -> 2",
    "5x3 -> lstm 3 2 layers -> mean -> 2",
    "5x3 -> rnn 2 -> 3 relu -> 2",
    "5x4 -> scale -> attention 2 heads causal rotary -> layernorm -> mean -> 2",
    "3x2 -> 2",
    "3x2 -> 2 tanh -> scale -> 2",
    "tokens 6 vocabulary 5 -> embed 4 -> lstm 3 -> last -> 2",
    "tokens 6 vocabulary 5 -> embed 4 -> positions -> attention 2 heads -> rmsnorm -> swiglu 6 -> unembed",
    "tokens 8 vocabulary 5 -> gpt 2 layers 2 heads 8 -> 5",
    "tokens 4 vocabulary 7 -> embed 3 -> gru 3 -> 7",
];

fn network(text: &str) -> Network {
    let spec = text.parse::<NetSpec>().unwrap_or_else(|error| panic!("{error}"));
    Network::new(&spec, Some(&LossSpec::cross_entropy())).unwrap()
}

/// A row that the network reads, and its labels: the last time step's does not count.
fn row(network: &Network, seed: usize) -> (Vec<f64>, Vec<f64>) {
    let x = (0..network.inputs()).map(|i| match network.spec.vocabulary {
        Some(vocabulary) => ((i * i + seed) % vocabulary) as f64,
        None => 2.0 * Real::sin(0.7 * (i + 31 * seed) as f64 + 0.1),
    });
    let logits = &network.graph.node(network.logits).shape;
    let steps = if network.gives_steps() { logits.0[0] } else { 1 };
    let mut labels: Vec<f64> = (0..steps).map(|step| ((step + seed) % logits.last()) as f64).collect();
    if steps > 2 {
        labels[steps - 1] = -1.0;
    }
    (x.collect(), labels)
}

#[test]
fn gradients_of_every_layer_pass_the_check() {
    for text in NETS {
        let net = network(text);
        let parameters: Vec<f64> = net.initialise(5);
        let (mut x, mut labels) = (Vec::new(), Vec::new());
        for seed in 0..3 {
            let (own, wanted) = row(&net, seed);
            x.extend(own);
            labels.extend(wanted.into_iter().map(|label| if label < 0.0 { IGNORED } else { label as i32 }));
        }
        let data = Matrix::with_labels(x, net.inputs(), labels);
        let found = check(&net, &parameters, &data, &[0, 1, 2], &CheckOptions::default()).unwrap();
        assert!(found.passed, "{text}\n{found}");
        assert!(found.compared > 0 && found.slots.iter().all(|slot| slot.compared > 0), "{text}\n{found}");
        assert!(found.slots.iter().all(|slot| !slot.name.contains("running")), "{found}");
    }
}

/// A pool whose winner changes inside the step is no error, and one whose gradient is wrong is.
#[test]
fn winners_of_pools_are_kinks() {
    for text in ["1x4x4 -> conv 1 1x1 -> maxpool 2 -> 2", "1x4x4 -> conv 2 3x3 -> global maxpool -> 2"] {
        let net = network(text);
        let parameters: Vec<f64> = net.initialise(1);
        // Numbers that lie within a step of each other.
        let x: Vec<f64> = (0..16).map(|i| 1.0 + 1e-7 * ((i * 7) % 16) as f64).collect();
        let data = Matrix::with_labels(x, 16, vec![1]);
        let found = check(&net, &parameters, &data, &[0], &CheckOptions::default()).unwrap();
        assert!(found.passed, "{text}\n{found}");
    }
}

/// Every layer says its shape and its values; what they add up to is what the next one reads.
#[test]
fn a_trace_of_every_layer() {
    for text in NETS {
        let net = network(text);
        let parameters: Vec<f64> = net.initialise(5);
        let (x, labels) = row(&net, 1);
        let plain = trace(&net, &parameters, &x, &TraceOptions::default()).unwrap();
        let target = Some(Target::Values(&labels));
        let full =
            trace(&net, &parameters, &x, &TraceOptions { target, step: Some(0.1), ..Default::default() }).unwrap();
        assert_eq!(plain.output, full.output, "{text}");
        assert_eq!(plain.layers.len(), net.layers.len());
        for (layer, info) in full.layers.iter().zip(&net.layers) {
            assert_eq!((&layer.name, &layer.gives), (&info.name, &info.output.0), "{text}");
            match layer.open {
                true => assert_eq!(layer.values.len(), info.output.len(), "{text} {}", layer.name),
                false => assert_eq!(layer.spread.as_ref().unwrap().count, info.output.len(), "{text} {}", layer.name),
            }
            let gradient = layer.gradient.as_ref().unwrap();
            // The row reshaped; both directions side by side, which `last` does not read.
            let learns = !layer.kind.starts_with("reshape") && !layer.kind.ends_with("bidirectional");
            assert_eq!((gradient.flows, gradient.size.is_some()), (learns, learns), "{text} {}", layer.name);
            for neuron in &layer.neurons {
                let z = neuron.sum + neuron.bias.unwrap_or(0.0);
                assert!((z - neuron.z).abs() < 1e-12, "{text} {} {neuron:?}", layer.name);
            }
            let chains = gradient.parameters.iter().chain(&gradient.inputs).chain(&gradient.value);
            for chain in chains {
                let error = (chain.product() - chain.gradient).abs();
                assert!(error <= 1e-9 * chain.gradient.abs().max(1.0), "{text} {} {chain:?}", layer.name);
            }
        }
        let loss = full.loss.as_ref().unwrap();
        assert_eq!(loss.target, labels, "{text}");
        for chain in &loss.gradients {
            assert!((chain.product() - chain.gradient).abs() < 1e-12, "{text} {chain:?}");
        }
        assert!(full.step.as_ref().unwrap().again.loss < loss.value, "{text}: a step goes down");
        let shown = full.to_string();
        assert!(shown.lines().all(|line| line.chars().count() < 600), "{text}\n{shown}");
        for info in &net.layers {
            if info.activation.is_none() {
                assert!(shown.contains(&format!("layer {}: ", info.name)), "{text} {}\n{shown}", info.name);
            }
        }
        // Any layer can be opened, a block too.
        for info in &net.layers {
            let options = TraceOptions { layer: Some(&info.name), target, ..Default::default() };
            let opened = trace(&net, &parameters, &x, &options).unwrap();
            let layer = opened.layers.iter().find(|layer| layer.name == info.name).unwrap();
            assert!(layer.open && layer.values.len() == info.output.len(), "{text} {}", info.name);
            assert!(!opened.to_string().is_empty());
        }
    }
}

#[test]
fn values_of_more_than_one_axis_are_said_in_few_words() {
    let net = network(NETS[0]);
    let parameters: Vec<f64> = net.initialise(5);
    let (x, _) = row(&net, 1);
    let shown = trace(&net, &parameters, &x, &TraceOptions::default()).unwrap().to_string();
    assert!(shown.contains("layer 0: conv 4 3x3 same, [1, 8, 8] -> [4, 8, 8]\n  256 values, the first "), "{shown}");
    assert!(shown.contains("layer 2: maxpool 2, [4, 8, 8] -> [4, 4, 4]\n  64 values, the first "), "{shown}");
    assert!(shown.contains("layer 3: linear 64 -> 10"), "{shown}");
    let options = TraceOptions { layer: Some("2"), ..Default::default() };
    let shown = trace(&net, &parameters, &x, &options).unwrap().to_string();
    assert!(shown.contains("gives [0, 0]: ") && shown.contains("gives [3, 3]: "), "{shown}");
    assert_eq!(Spread::of(&[2.0, -1.0, 0.0, 5.0, 7.0]).first, [2.0, -1.0, 0.0, 5.0]);
}

#[test]
fn time_steps_have_neurons_scores_and_labels_of_their_own() {
    let net = network("3x2 -> 2");
    let parameters = vec![1.0, 0.0, 0.0, 1.0, 0.5, -0.5];
    let target = Some(Target::Values(&[1.0, -1.0, 0.0]));
    let found =
        trace(&net, &parameters, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &TraceOptions { target, ..Default::default() });
    let found = found.unwrap();
    let neurons = &found.layers[0].neurons;
    assert_eq!(neurons.len(), 6);
    assert_eq!((neurons[3].step, neurons[3].unit, neurons[3].z), (Some(1), 1, 3.5));
    let scores = found.scores.as_ref().unwrap();
    assert_eq!((scores.width, scores.values.len()), (2, 6));
    // The logits are 1.5 and 1.5.
    assert!((scores.values[0] - 0.5).abs() < 1e-12, "{scores:?}");
    assert!((scores.values[0] + scores.values[1] - 1.0).abs() < 1e-12);
    let loss = found.loss.as_ref().unwrap();
    assert!((loss.value - Real::ln(2.0f64)).abs() < 1e-12, "{loss:?}");
    // Half of (score - target) for the two labels that count, nothing for the other.
    let gradients: Vec<f64> = loss.gradients.iter().map(|chain| chain.gradient).collect();
    assert!(
        gradients.iter().zip([0.25, -0.25, 0.0, 0.0, -0.25, 0.25]).all(|(a, b)| (a - b).abs() < 1e-12),
        "{gradients:?}"
    );
    let shown = found.to_string();
    for words in ["step 1, unit 1: 3 x 0 = 0 | 4 x 1 = 4 | bias -0.5 | z = 3.5", "target 1, -1, 0\n"] {
        assert!(shown.contains(words), "{words:?} is not in\n{shown}");
    }
    let wrong = |values: &[f64]| {
        let options = TraceOptions { target: Some(Target::Values(values)), ..Default::default() };
        trace(&net, &parameters, &[0.0; 6], &options).unwrap_err().to_string()
    };
    assert!(wrong(&[1.0]).contains("has 3 time steps, but the target has 1 labels"));
    assert!(wrong(&[1.0, 2.0, 0.0]).contains("label 2 of time step 1 is not one of the 2 classes"));
    assert!(wrong(&[1.0, 0.5, 0.0]).contains("label 0.5 of time step 1"));
}

#[test]
fn tokens_are_whole_numbers_of_the_vocabulary() {
    let net = network(NETS[15]);
    let parameters: Vec<f64> = net.initialise(5);
    let with = |x: [f64; 6]| trace(&net, &parameters, &x, &TraceOptions::default());
    let (full, padded) =
        (with([0.0, 1.0, 2.0, 3.0, 4.0, 0.0]).unwrap(), with([0.0, 1.0, 2.0, 3.0, 4.0, -1.0]).unwrap());
    assert_ne!(full.output, padded.output);
    assert_ne!(full.output, with([1.0, 1.0, 2.0, 3.0, 4.0, 0.0]).unwrap().output);
    for (place, bad) in [(2, 5.0), (2, 0.5), (2, -2.0), (2, f64::NAN)] {
        let mut x = [0.0; 6];
        x[place] = bad;
        let error = with(x).unwrap_err();
        assert!(matches!(error, InspectError::Token { place: 3, last: 4, .. }), "{error}");
        assert!(error.to_string().contains("whole numbers from 0 to 4"), "{error}");
        assert_eq!(layer_values(&net, &parameters, &x).unwrap_err().to_string(), error.to_string());
    }
}

#[test]
fn a_matrix_gives_tokens_and_labels_of_time_steps() {
    let data = Matrix::with_labels(vec![3.0, 1.0, -1.0, 2.0], 2, vec![1, 2, IGNORED, 4]);
    let (mut tokens, mut labels) = ([0; 4], [0; 2]);
    data.tokens(&[1, 0], &mut tokens);
    assert_eq!(tokens, [-1, 2, 3, 1]);
    assert_eq!(data.labels_width(), 2);
    data.labels(1, &mut labels);
    assert_eq!((labels, data.label(1)), ([IGNORED, 4], 0));
    let plain = Matrix { x: vec![0.0f64; 4], width: 2, targets: Targets::Labels(vec![7, 8]), weights: Vec::new() };
    plain.labels(1, &mut labels);
    assert_eq!((plain.labels_width(), plain.label(1), labels), (1, 8, [8, 8]));
}

#[test]
fn layer_values_are_the_traces_values() {
    for text in NETS {
        let net = network(text);
        let parameters: Vec<f64> = net.initialise(5);
        let (x, _) = row(&net, 2);
        let values = layer_values(&net, &parameters, &x).unwrap();
        let traced = trace(&net, &parameters, &x, &TraceOptions::default()).unwrap();
        assert_eq!((values[0].name.as_str(), &values[0].values), ("input", &x));
        for (values, layer) in values[1..].iter().zip(&traced.layers) {
            assert_eq!((&values.name, &values.shape), (&layer.name, &layer.gives), "{text}");
            assert_eq!(Spread::of(&values.values).count, layer.outputs);
            assert!(!layer.open || layer.values == values.values, "{text} {}", layer.name);
        }
    }
}

#[test]
fn running_statistics_are_counted_apart() {
    let net = network(NETS[1]);
    let parameters: Vec<f32> = net.initialise(1);
    let found = summary(&net, Some(&parameters), 8, &OptimizerSpec::default()).unwrap();
    assert_eq!((found.statistics, found.parameters + found.statistics), (8, net.parameters()));
    let norm = found.layers.iter().find(|layer| layer.kind.starts_with("batchnorm")).unwrap();
    assert_eq!((norm.parameters, norm.statistics), (8, 8));
    assert!(found.to_string().contains("\n+ 8 running statistics\n"), "{found}");
    for text in NETS {
        let found = summary::<f32>(&network(text), None, 8, &OptimizerSpec::default()).unwrap();
        assert_eq!(found.layers.iter().map(|layer| layer.parameters).sum::<usize>(), found.parameters, "{text}");
        for memory in [found.training, found.predicting] {
            let parts = memory.parameters + memory.gradients + memory.moments + memory.arena + memory.labels;
            assert_eq!(parts + memory.state + memory.scratch, memory.total, "{text}");
        }
    }
}
