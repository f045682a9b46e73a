//! What can be counted before any number is drawn: parameters, and elements of a plan.

use glassnet::core::{Plan, Purpose, Real};
use glassnet::nn::network::Network;
use glassnet::nn::spec::{Activation, LayerSpec, NetSpec};

use crate::reader::Entry;

fn network(text: &str) -> Network {
    Network::new(&text.parse().unwrap(), None).unwrap()
}

pub fn parameter_counts<T: Real>(entry: &Entry<'_>) {
    for sizes in entry.keys().iter().filter(|key| *key != "zero_dimension") {
        let network = network(&sizes.replace('-', " -> "));
        assert_eq!(network.parameters(), entry.at(sizes).count(), "{sizes}");
        // The plan says the same, and what they weigh in this type.
        let plan = network.plan(Purpose::Predict, 1);
        assert_eq!(plan.memory::<T>().parameters, entry.at(sizes).count() * T::BYTES);
    }
    let words = entry.at("zero_dimension").text();
    let message = words.strip_prefix("an error: ").unwrap();
    // Wherever the 0 stands: built by hand, or written as text.
    let by_hand = [
        NetSpec { input: Some(2), layers: vec![LayerSpec::linear(0)], ..NetSpec::default() },
        NetSpec { input: Some(0), layers: vec![LayerSpec::linear(2)], ..NetSpec::default() },
    ];
    for spec in by_hand {
        let error = Network::new(&spec, None).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    for text in ["2 -> 0 -> 1", "0 -> 1", "2 -> 0"] {
        let error = text.parse::<NetSpec>().unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// Elements that the curves' values take in a plan of `rows` rows.
fn curve_elements(network: &Network, plan: &Plan, rows: usize) -> usize {
    let curves = network.layers.iter().filter(|layer| layer.activation.is_some());
    curves.map(|layer| plan.value(layer.node).unwrap().range(rows).len()).sum()
}

pub fn counting_without_data<T: Real>(entry: &Entry<'_>) {
    let hidden = entry.at("ffn_hidden_activation");
    let (rows, width) = (hidden.at("B").count() * hidden.at("T").count(), hidden.at("D4").count());
    let block =
        [LayerSpec::linear(width), LayerSpec::Activation { function: Activation::Gelu }, LayerSpec::linear(4096)];
    for (layers, key) in [(1, "bytes_f16"), (32, "layers_32")] {
        let branch = LayerSpec::Residual { layers: block.to_vec() };
        let spec = NetSpec { input: Some(4096), layers: vec![branch; layers], ..NetSpec::default() };
        let network = Network::new(&spec, None).unwrap();
        let plan = network.plan(Purpose::Inspect, rows);
        // The file counts two bytes for each element.
        assert_eq!(2 * curve_elements(&network, &plan, rows), hidden.at(key).count());
        assert!(plan.memory::<T>().arena > T::BYTES * curve_elements(&network, &plan, rows));
    }
    let texts = [
        ("4096 -> swiglu 16384", "swiglu_ffn_4096_16384_weights"),
        ("4096 -> swiglu 11008", "swiglu_ffn_4096_11008_weights"),
        (&format!("4096{}", " -> 4096".repeat(32)), "32_linears_4096"),
        // Rows of an embedding are the columns of a linear layer that reads one-hot words.
        ("50000 -> 256 no bias", "embedding_50000_256"),
    ];
    for (text, key) in texts {
        assert_eq!(network(text).parameters(), entry.at(key).count(), "{text}");
    }
}
