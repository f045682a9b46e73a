//! A report as an office would read it: three shipments, three numbers each, a score, and a queue to put them in.

use std::error::Error;
use std::io::Write;

use glassnet::model::standardise::Scale;
use glassnet::nn::inspect::{MergeOptions, merge_affine};
use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // Route disruption, backlog, weather severity, each from 0 to 10.
    let shipments = [("A-104", [2.0, 3.0, 1.0]), ("B-208", [8.0, 7.0, 9.0]), ("C-311", [5.0, 9.0, 4.0])];
    let scale = Scale { shift: 5.0, scale: 2.0, fill: 5.0, indicator: false };
    let mut rows: Vec<f64> = Vec::new();
    for (_, values) in shipments {
        for value in values {
            rows.push(scale.apply(value)?);
        }
    }

    let weight = [0.8, 0.3, 0.4, -0.2, 0.9, 0.5, 0.4, -0.1, 0.7];
    let bias = [0.0, -0.2, 0.1];
    let network = Network::new(&"3 -> 3 relu -> 1 sigmoid".parse()?, None)?;
    let parameters: Vec<f64> = network.parameters_from(&[
        ("0.weight", &weight),
        ("0.bias", &bias),
        ("2.weight", &[0.9, 0.7, 0.6]),
        ("2.bias", &[-0.3]),
    ])?;
    let layers = network.layer_values(&parameters, &rows)?;
    for (number, (id, _)) in shipments.iter().enumerate() {
        let hidden = &layers[1][3 * number..3 * number + 3];
        writeln!(out, "{id}: hidden {hidden:.2?}, logit {:.3}", layers[2][number])?;
    }

    // The threshold belongs to the office, not to the network: what a review costs, and what a delay costs.
    writeln!(out)?;
    for ((id, _), score) in shipments.iter().zip(&layers[3]) {
        let queue = if *score >= 0.6 { "review" } else { "monitor" };
        writeln!(out, "{id}: score={score:.3} -> {queue}")?;
    }

    // The same weights without the ReLU are one neuron: its weights can be read off, and A-104's score is another.
    let flat = Network::new(&"3 -> 3 -> 1 sigmoid".parse()?, None)?;
    let parameters: Vec<f64> = flat.parameters_from(&[
        ("0.weight", &weight),
        ("0.bias", &bias),
        ("1.weight", &[0.9, 0.7, 0.6]),
        ("1.bias", &[-0.3]),
    ])?;
    let merged = merge_affine(&flat, &parameters, MergeOptions::default())?;
    writeln!(out, "\nwithout relu one neuron: weights and bias {:.2?}", merged.parameters)?;
    let layers = merged.network.layer_values(&merged.parameters, &rows)?;
    for ((id, _), (logit, score)) in shipments.iter().zip(layers[0].iter().zip(&layers[1])) {
        writeln!(out, "{id}: logit {logit:.3}, score={score:.3}")?;
    }
    Ok(())
}
