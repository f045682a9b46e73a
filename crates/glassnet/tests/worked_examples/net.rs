//! A network from its text and its numbers.

use glassnet::core::Real;
use glassnet::nn::network::Network;
use glassnet::nn::spec::NetSpec;

use crate::reader::Entry;

/// A network with parameters.
pub struct Net<T> {
    pub network: Network,
    pub parameters: Vec<T>,
}

impl<T: Real> Net<T> {
    /// The network of a text whose parameters are `given` by name, row by row.
    pub fn new(text: &str, given: &[(&str, Vec<f64>)]) -> Self {
        let network = Network::new(&text.parse::<NetSpec>().unwrap(), None).unwrap();
        let given: Vec<(&str, &[f64])> = given.iter().map(|(name, values)| (*name, values.as_slice())).collect();
        let parameters = network.parameters_from(&given).unwrap();
        Net { network, parameters }
    }

    /// The last layer's values for rows one after the other.
    pub fn run(&self, x: &[f64]) -> Vec<T> {
        self.network.forward(&self.parameters, &typed::<T>(x)).unwrap()
    }

    /// The values of layer `number`.
    pub fn layer(&self, number: usize, x: &[f64]) -> Vec<T> {
        self.network.layer_values(&self.parameters, &typed::<T>(x)).unwrap().swap_remove(number)
    }

    /// Whether the curve `text` is all that the network does, on numbers one by one.
    pub fn curve(text: &str) -> Self {
        Net::new(&format!("1 -> {text}"), &[])
    }
}

/// One neuron of an entry with `w` and `b`; `text` is what follows the sum.
pub fn neuron<T: Real>(entry: &Entry<'_>, text: &str) -> Net<T> {
    let w = entry.at("w").numbers();
    Net::new(&format!("{} -> 1 {text}", w.len()), &[("0.weight", w), ("0.bias", entry.at("b").numbers())])
}

/// The products of weights and inputs, one by one: a layer of factors.
pub fn products<T: Real>(w: &[f64], x: &[f64]) -> Vec<T> {
    Net::new(&format!("{} -> scale", w.len()), &[("0.scale", w.to_vec())]).run(x)
}

/// The numbers in the type of the computation.
pub fn typed<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().map(|&value| T::from_f64(value)).collect()
}
