//! XOR: no straight line parts the ones from the zeros. A network with a hidden layer can; four tanh units learn it from
//! almost any start, a linear model from none.

use std::error::Error;
use std::io::Write;

use glassnet::core::Team;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::train::{Batch, Rows, Silent, TrainSpec, Trainer};

const X: [f64; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const Y: [i32; 4] = [0, 1, 1, 0];

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// Trains `net` from `seed` and returns its scores for the four rows.
fn learn(net: &str, seed: u64) -> Result<Vec<f64>, Box<dyn Error>> {
    let network = Network::new(&net.parse()?, Some(&LossSpec::binary_cross_entropy()))?;
    let data = Matrix::with_labels(X.to_vec(), 2, Y.to_vec());
    let spec =
        TrainSpec { epochs: 2000, batch: Batch::All, lr: 0.5, optimizer: "sgd".parse()?, seed, ..TrainSpec::default() };
    let rows = Rows { source: &data, rows: &[0, 1, 2, 3] };
    let start = network.initialise(seed);
    let outcome = Trainer::new(&network, start, rows, None, spec, Team::single())?.run(&mut Silent);
    Ok(network.forward(&outcome.parameters, &X)?)
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    // By hand: one unit counts the ones, a second fires only for two of them, and the output takes it off twice.
    let network = Network::new(&"2 -> 2 relu -> 1".parse()?, None)?;
    let parameters: Vec<f64> = network.parameters_from(&[
        ("0.weight", &[1.0, 1.0, 1.0, 1.0]),
        ("0.bias", &[0.0, -1.0]),
        ("2.weight", &[1.0, -2.0]),
        ("2.bias", &[0.0]),
    ])?;
    let layers = network.layer_values(&parameters, &X)?;
    writeln!(out, "by hand:")?;
    for (row, x) in X.chunks(2).enumerate() {
        writeln!(out, "{x:?} -> hidden {:?} -> {}", &layers[1][2 * row..2 * row + 2], layers[2][row])?;
    }

    // Learned: the same four rows 2,000 times, from ten starts.
    for net in ["2 -> 4 tanh -> 1 sigmoid", "2 -> 1 sigmoid"] {
        writeln!(out, "\n{net}:")?;
        let mut right = 0;
        for seed in 0..10 {
            let scores = learn(net, seed)?;
            let learned = scores.iter().zip(Y).all(|(&score, y)| (score > 0.5) == (y == 1));
            right += usize::from(learned);
            writeln!(out, "seed {seed}: scores {scores:.2?}{}", if learned { "" } else { "  not learned" })?;
        }
        writeln!(out, "learned from {right} of 10 starts")?;
    }
    Ok(())
}
