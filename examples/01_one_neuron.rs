//! One neuron: each input times its weight, all added to a bias, and a curve that makes a score of the sum.
//!
//!     z = w1 x1 + w2 x2 + b        score = 1 / (1 + exp(-z))
//!
//! Run it with `cargo run --example 01_one_neuron`.

use std::error::Error;
use std::io::Write;

use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // A network in one line: two numbers come in, one linear unit adds them up, a sigmoid follows.
    let neuron = Network::new(&"2 -> 1 sigmoid".parse()?, None)?;
    // Layers are counted from 0, curves too: the linear layer is 0, the sigmoid is 1.
    let w = [0.7, 0.3];
    let parameters: Vec<f64> = neuron.parameters_from(&[("0.weight", &w), ("0.bias", &[-4.0])])?;

    // How late will it be? The inputs say how disrupted the route is and how long the backlog.
    for (name, x) in [("busy", [6.0, 8.0]), ("quiet", [2.0, 3.0])] {
        let layers = neuron.layer_values(&parameters, &x)?;
        let (z, score) = (layers[0][0], layers[1][0]);
        let (first, second) = (w[0] * x[0], w[1] * x[1]);
        writeln!(out, "{name:<5} {} x 0.7 = {first:.1} | {} x 0.3 = {second:.1} | bias -4.0", x[0], x[1])?;
        writeln!(out, "      z = {z:.3} -> score {score:.3}")?;
    }

    // The bias sets where the neuron begins to say yes. Nothing else changes.
    let strict: Vec<f64> = neuron.parameters_from(&[("0.weight", &w), ("0.bias", &[-6.0])])?;
    let layers = neuron.layer_values(&strict, &[6.0, 8.0, 2.0, 3.0])?;
    writeln!(out, "\nwith bias -6.0, both rows at once:")?;
    for (z, score) in layers[0].iter().zip(&layers[1]) {
        writeln!(out, "      z = {z:.3} -> score {score:.3}")?;
    }

    // Try it on paper first: weights 0.5 and 0.4, bias -2.8, inputs 4 and 5.
    let quiz: Vec<f64> = neuron.parameters_from(&[("0.weight", &[0.5, 0.4]), ("0.bias", &[-2.8])])?;
    let layers = neuron.layer_values(&quiz, &[4.0, 5.0])?;
    writeln!(out, "\nquiz: z = {:.3} -> score {:.3}", layers[0][0], layers[1][0])?;

    // Another curve, another neuron: ReLU lets a positive sum through as it is.
    let neuron = Network::new(&"2 -> 1 relu".parse()?, None)?;
    for (w, x) in [([0.5, 0.2], [2.0, 3.0]), ([0.5, -1.5], [2.0, -1.0])] {
        let parameters: Vec<f64> = neuron.parameters_from(&[("0.weight", &w), ("0.bias", &[1.0])])?;
        let layers = neuron.layer_values(&parameters, &x)?;
        writeln!(out, "relu: z = {:.1} -> a = {:.1}", layers[0][0], layers[1][0])?;
    }
    writeln!(out, "\na score is no probability: nothing has checked it against what happened")?;
    Ok(())
}
