//! Learning: the loss, its gradient, a small step against it, and again. Every number of the first step is shown.
//!
//!     new = old - lr x gradient

use std::error::Error;
use std::io::Write;

use glassnet::core::Team;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::train::{Batch, Rows, TrainSpec, Trainer};

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // One row, three outputs that should all be 0; the loss is the mean of their squares.
    let network = Network::new(&"4 -> 3 relu".parse()?, Some(&LossSpec::MeanSquared))?;
    let data = Matrix::with_values(vec![1.0, 2.0, 3.0, 2.5], 4, vec![0.0, 0.0, 0.0], 3);
    // A unit's weights stand in one row: [units, inputs].
    let start = [
        [0.04967141530112327, 0.15230298564080255, 0.15792128155073915, 0.05425600435859647],
        [-0.013826430117118467, -0.023415337472333597, 0.07674347291529088, -0.046341769281246226],
        [0.06476885381006925, -0.023413695694918055, -0.04694743859349521, -0.04657297535702569],
    ];
    let parameters: Vec<f64> =
        network.parameters_from(&[("0.weight", &start.concat()), ("0.bias", &[0.0, 0.0, 0.0])])?;
    let layers = network.layer_values(&parameters, &data.x)?;
    writeln!(out, "z       {:.4?}\nrelu(z) {:.4?}", layers[0], layers[1])?;

    let lr = 0.01;
    let spec = TrainSpec { epochs: 5, batch: Batch::All, lr, optimizer: "sgd".parse()?, ..TrainSpec::default() };
    let rows = Rows { source: &data, rows: &[0] };
    let mut trainer = Trainer::new(&network, parameters, rows, None, spec, Team::single())?;

    let weights = |buffer: &[f64]| network.slot("0.weight", buffer).unwrap_or(&[]).to_vec();
    let mut lines = Vec::new();
    for epoch in 0..5 {
        let old = weights(trainer.parameters());
        let report = trainer.step(&[0], epoch, 0)?;
        let gradient = weights(trainer.gradients());
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if epoch == 0 {
            // The third unit's sum is below 0: ReLU is flat there, so it learns nothing.
            writeln!(out, "\nthe first step, unit by unit (old - {lr} x gradient = new):")?;
            let new = weights(trainer.parameters());
            for unit in 0..3 {
                for i in 4 * unit..4 * unit + 4 {
                    let (old, g, new) = (old[i], gradient[i], new[i]);
                    writeln!(out, "  w[{unit}][{}]  {old:>8.5} - {lr} x {g:.5} = {new:>8.5}", i % 4)?;
                }
            }
        }
        lines.push(format!("epoch {}: loss {:.4}, |gradient of W| {norm:.4}", report.epoch, report.loss));
    }
    writeln!(out, "\n{}", lines.join("\n"))?;

    let end = weights(trainer.parameters());
    writeln!(out, "\nthe first input's weights at the end: {:.8} {:.8} {:.8}", end[0], end[4], end[8])?;
    writeln!(out, "biases: {:.8?}", network.slot("0.bias", trainer.parameters()).unwrap_or(&[]))?;
    Ok(())
}
