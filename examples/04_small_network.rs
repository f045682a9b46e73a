//! A small network by hand: every number on the way, one row and a batch of them, and how its parameters are counted.

use std::error::Error;
use std::io::Write;

use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // Two inputs, two hidden units with ReLU, one output with a sigmoid.
    let network = Network::new(&"2 -> 2 relu -> 1 sigmoid".parse()?, None)?;
    let parameters: Vec<f64> = network.parameters_from(&[
        ("0.weight", &[0.3, -0.1, 0.1, 0.6]),
        ("0.bias", &[0.0, 0.0]),
        ("2.weight", &[0.4, 0.1]),
        ("2.bias", &[-0.5]),
    ])?;
    for slot in network.graph.slots().iter() {
        writeln!(out, "{:<8} {:<6} {:?}", slot.name, format!("{:?}", slot.shape), &parameters[slot.range()])?;
    }
    writeln!(out, "{} parameters: 2 x 2 + 2 of the first layer, 2 x 1 + 1 of the second\n", network.parameters())?;

    let layers = network.layer_values(&parameters, &[2.0, 5.0])?;
    writeln!(out, "x = [2, 5]")?;
    for (layer, values) in network.layers.iter().zip(&layers) {
        writeln!(out, "layer {} {:<9} {values:.3?}", layer.name, layer.kind)?;
    }

    // Rows are computed side by side. A row comes out the same, to the last bit, alone or in a batch.
    let batch = [2.0, 5.0, 6.0, 8.0, 1.0, 1.0, 8.0, 2.0];
    let scores = network.forward(&parameters, &batch)?;
    writeln!(out, "\na batch of four: {scores:.3?}")?;
    for (row, score) in batch.chunks(2).zip(&scores) {
        let same = network.forward(&parameters, row)? == [*score];
        writeln!(out, "{row:?} alone gives the same: {same}")?;
    }

    // A layer with more units, once more layer by layer.
    let network = Network::new(&"4 -> 3 relu -> 3 relu".parse()?, None)?;
    let parameters: Vec<f64> = network.parameters_from(&[
        ("0.weight", &[0.5, -0.3, 0.7, 0.1, -0.2, 0.8, -0.1, 0.4, 0.3, -0.5, 0.6, -0.2]),
        ("0.bias", &[0.1, -0.2, 0.05]),
        ("2.weight", &[0.4, -0.6, 0.2, 0.1, 0.5, -0.3, -0.7, 0.3, 0.8]),
        ("2.bias", &[0.0, 0.1, -0.1]),
    ])?;
    writeln!(out, "\nx = [0.2, 0.8, 0.1, 0.9]")?;
    for (name, values) in ["z1", "h1", "z2", "h2"].iter().zip(network.layer_values(&parameters, &[0.2, 0.8, 0.1, 0.9])?)
    {
        writeln!(out, "{name} = {values:.3?}")?;
    }

    // fan_in x units + units, layer by layer.
    writeln!(out)?;
    for sizes in ["2 -> 2 -> 1", "3 -> 4 -> 2", "4 -> 16 -> 3", "784 -> 256", "784 -> 256 -> 128 -> 10", "4096 -> 4096"]
    {
        writeln!(out, "{sizes:<24} {:>9} parameters", Network::new(&sizes.parse()?, None)?.parameters())?;
    }
    // A layer of no units is a mistake, and the message points at it.
    if let Err(error) = "2 -> 0 -> 1".parse::<glassnet::nn::spec::NetSpec>() {
        writeln!(out, "\n{error}")?;
    }
    Ok(())
}
