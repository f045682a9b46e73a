//! Columns of very different scale: the one with the large numbers decides alone, whatever its weight means. Each column is
//! brought to mean 0 and deviation 1, with numbers kept from the training rows.

use std::error::Error;
use std::io::Write;

use glassnet::model::standardise::Scale;
use glassnet::nn::network::Network;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // A backlog of 8 and an order value of 900, each with the weight 0.3. A layer of factors shows the products.
    let products = Network::new(&"2 -> scale".parse()?, None)?;
    let weights: Vec<f64> = products.parameters_from(&[("0.scale", &[0.3, 0.3])])?;
    let raw = [8.0, 900.0];
    let share = products.forward(&weights, &raw)?;
    writeln!(out, "raw            {raw:>6.1?}  contributions {share:.2?}")?;

    // z = (x - mean) / deviation. A model file keeps both; new rows are treated exactly as the training rows were.
    let columns = [(5.0, 2.0), (500.0, 200.0)].map(|(mean, deviation)| Scale {
        shift: mean,
        scale: deviation,
        fill: mean,
        indicator: false,
    });
    let scaled = [columns[0].apply::<f64>(raw[0])?, columns[1].apply::<f64>(raw[1])?];
    let share = products.forward(&weights, &scaled)?;
    writeln!(out, "standardised   {scaled:>6.1?}  contributions {share:.2?}")?;
    writeln!(out, "a missing value becomes the mean: {}", columns[1].missing::<f64>())?;

    // What a neuron makes of the raw numbers: its sum is far outside the range in which a sigmoid still tells rows apart.
    let neuron = Network::new(&"2 -> 1 sigmoid".parse()?, None)?;
    let parameters: Vec<f64> = neuron.parameters_from(&[("0.weight", &[0.3, 0.3]), ("0.bias", &[-2.0])])?;
    for (name, x) in [("raw", raw), ("standardised", scaled)] {
        let layers = neuron.layer_values(&parameters, &x)?;
        writeln!(out, "{name:<13} z = {:>7.2} -> {:.3}", layers[0][0], layers[1][0])?;
    }
    Ok(())
}
