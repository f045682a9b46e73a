//! Before the first step a classifier of C classes should lose about ln C: it knows nothing yet. It does if its last
//! layer starts small. And where it ends is not 0: classes that overlap cannot be told apart by anybody.

use std::error::Error;
use std::io::Write;

use glassnet::core::{Real, StepInfo, Team};
use glassnet::data::read_arrays;
use glassnet::nn::functional::loss_and_gradients;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::train::{Rows, TrainSpec, Trainer};

/// 1,024 points in three clouds whose centres are closer to each other than the clouds are wide.
const BLOBS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/blobs_4_16_3.npz");

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// The median, over 200 seeds, of the loss before any step.
fn first_loss(network: &Network, data: &Matrix<f64>, rows: &[u32]) -> f64 {
    let mut losses: Vec<f64> = (0..200)
        .map(|seed| {
            let start = network.initialise(seed);
            loss_and_gradients(network, &start, data, rows, &StepInfo::default(), &Team::single()).loss
        })
        .collect();
    losses.sort_by(f64::total_cmp);
    losses[100]
}

pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let arrays = read_arrays(BLOBS)?;
    let values = |name: &str| arrays.get(name).map(|array| array.values.clone()).ok_or(format!("no {name}"));
    let labels: Vec<i32> = values("y")?.iter().map(|&y| y as i32).collect();
    let data = Matrix::with_labels(values("X")?, 4, labels.clone());
    let rows: Vec<u32> = (0..1024).collect();
    let loss = LossSpec::cross_entropy();

    // The same network three times; only its last layer is drawn differently.
    writeln!(out, "ln 3 = {:.4}, ln 10 = {:.4}", Real::ln(3.0_f64), Real::ln(10.0_f64))?;
    writeln!(out, "median first loss over 200 seeds:")?;
    let he = Network::new(&"4 -> 16 relu -> 3 init he".parse()?, Some(&loss))?;
    writeln!(out, "  last layer by He's rule   {:.4}", first_loss(&he, &data, &rows))?;
    // Made for data, a network gets the small last layer by itself.
    let small = Network::for_data(&"4 -> 16 relu -> 3".parse()?, 4, 3, Some(&loss))?;
    writeln!(out, "  last layer drawn small    {:.4}", first_loss(&small, &data, &rows))?;
    let zeros = Network::new(&"4 -> 16 relu -> 3 init zeros".parse()?, Some(&loss))?;
    writeln!(out, "  last layer all zeros      {:.4}", first_loss(&zeros, &data, &rows))?;

    // From weights and through batches that are kept in the file, so that the losses can be compared digit by digit. The
    // file has weights as [in, out]; a network wants [out, in].
    let turned = |values: Vec<f64>, columns: usize| -> Vec<f64> {
        (0..columns)
            .flat_map(|column| values.iter().skip(column).step_by(columns).copied().collect::<Vec<_>>())
            .collect()
    };
    let network = Network::new(&"4 -> 16 relu -> 3".parse()?, Some(&loss))?;
    let start: Vec<f64> = network.parameters_from(&[
        ("0.weight", &turned(values("W1")?, 16)),
        ("0.bias", &[0.0; 16]),
        ("2.weight", &turned(values("W2")?, 3)),
        ("2.bias", &[0.0; 3]),
    ])?;
    let spec = TrainSpec { lr: 0.05, optimizer: "sgd".parse()?, ..TrainSpec::default() };
    let part = Rows { source: &data, rows: &rows };
    let mut trainer = Trainer::new(&network, start, part, None, spec, Team::single())?;
    writeln!(out, "\n4 -> 16 relu -> 3, {} parameters, batches of 32, plain steps of 0.05:", network.parameters())?;
    let batches: Vec<u32> = values("batches")?.iter().map(|&row| row as u32).collect();
    for (step, batch) in (1..).zip(batches.chunks(32)) {
        let report = trainer.step(batch, 0, 0)?;
        if [1, 10, 100, 1000, 2000].contains(&step) {
            writeln!(out, "  step {step:>4}: loss {:.4}", report.loss)?;
        }
    }

    let logits = network.forward(trainer.parameters(), &data.x)?;
    let right = logits.chunks(3).zip(&labels).filter(|(z, label)| z.iter().all(|other| *other <= z[**label as usize]));
    let accuracy = right.count() as f64 / 1024.0;
    let end = loss_and_gradients(&network, trainer.parameters(), &data, &rows, &StepInfo::default(), &Team::single());
    writeln!(out, "at the end: loss {:.2}, accuracy {accuracy:.3} over all rows", end.loss)?;
    writeln!(out, "the best that anybody can do here is an accuracy of about .814: the clouds overlap")?;
    Ok(())
}
