//! Two layers without a curve between them are one layer: W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2). A curve
//! between them is what makes depth worth anything.

use std::error::Error;
use std::io::Write;

use glassnet::nn::inspect::{MergeOptions, merge_affine};
use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // The smallest case, on paper: 3 (2 x + 0.5) + 0.1 = 6 x + 1.6.
    let two = Network::new(&"1 -> 1 -> 1".parse()?, None)?;
    let given: [(&str, &[f64]); 4] =
        [("0.weight", &[2.0]), ("0.bias", &[0.5]), ("1.weight", &[3.0]), ("1.bias", &[0.1])];
    let parameters: Vec<f64> = two.parameters_from(&given)?;
    let merged = merge_affine(&two, &parameters, MergeOptions::default())?;
    let (w, b) = (merged.parameters[0], merged.parameters[1]);
    writeln!(
        out,
        "3 (2 x + 0.5) + 0.1 = {w:.1} x + {b:.1}; at x = 1 it is {:.1}",
        two.forward(&parameters, &[1.0])?[0]
    )?;

    // A layer of two neurons, row by row: the first has weights 1 and -2, the second 0.5 and 1.
    let x = [2.0, 1.0];
    let first: [(&str, &[f64]); 2] = [("0.weight", &[1.0, -2.0, 0.5, 1.0]), ("0.bias", &[-0.5, 0.25])];
    let two = Network::new(&"2 -> 2 -> 1".parse()?, None)?;
    let parameters: Vec<f64> =
        two.parameters_from(&[first[0], first[1], ("1.weight", &[0.4, -0.8]), ("1.bias", &[0.1])])?;
    writeln!(out, "\ntwo affine layers: {:.3}", two.forward(&parameters, &x)?[0])?;

    let merged = merge_affine(&two, &parameters, MergeOptions::default())?;
    writeln!(out, "{}", merged.merges[0])?;
    let weight = merged.network.slot("0.weight", &merged.parameters).unwrap_or(&[]);
    let bias = merged.network.slot("0.bias", &merged.parameters).unwrap_or(&[]);
    writeln!(out, "merged weights {weight:.1?}, bias {bias:.1?}")?;
    writeln!(out, "the merged layer:  {:.3}", merged.network.forward(&merged.parameters, &x)?[0])?;

    // The same numbers with a ReLU between them: the first neuron's -0.5 becomes 0, and no single layer does that.
    let curved = Network::new(&"2 -> 2 relu -> 1".parse()?, None)?;
    let parameters: Vec<f64> =
        curved.parameters_from(&[first[0], first[1], ("2.weight", &[0.4, -0.8]), ("2.bias", &[0.1])])?;
    let layers = curved.layer_values(&parameters, &x)?;
    writeln!(out, "\nbefore the relu {:.2?}, behind it {:.2?}", layers[0], layers[1])?;
    writeln!(out, "with relu:         {:.3}", layers[2][0])?;
    let merged = merge_affine(&curved, &parameters, MergeOptions::default())?;
    writeln!(out, "layers that could be merged: {}", merged.merges.len())?;
    Ok(())
}
