//! Depth: 50 blocks in a row. Without a way around them the gradient is lost on its way back and nothing is learned; with
//! x + f(x) in place of f(x) it arrives. And what depth costs in memory, when all is kept and when it is computed again.

use std::error::Error;
use std::io::Write;

use glassnet::core::random::{Draws, Purpose as Stream};
use glassnet::core::{Purpose, Real, Team};
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::train::{Batch, Control, Observer, Rows, TrainSpec, Trainer, View};

const BLOCKS: usize = 50;
const ROWS: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout())
}

/// Two spirals, one in the other, each row with its class.
fn spirals() -> Matrix<f32> {
    let draws = Draws::new(7, Stream::Synthetic, 0, 0);
    let mut x = Vec::new();
    for row in 0..ROWS {
        let t = draws.uniform(row as u64);
        let angle = 4.0 * t + std::f64::consts::PI * (row % 2) as f64;
        x.extend([t * Real::cos(angle), t * Real::sin(angle)].map(|x| 2.0 * x as f32));
    }
    Matrix::with_labels(x, 2, (0..ROWS as i32).map(|row| row % 2).collect())
}

/// Keeps the loss of each epoch.
struct Losses(Vec<f64>);

impl Observer<f32> for Losses {
    fn epoch(&mut self, view: &View<'_, f32>) -> Control {
        self.0.extend(view.history.epochs.last().map(|epoch| epoch.train_loss));
        Control::Continue
    }
}

/// The lesson; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let data = spirals();
    let order: Vec<u32> = (0..ROWS as u32).collect();
    let rows = Rows { source: &data, rows: &order };
    let mut kept = Vec::new();
    let f = "32 relu init pytorch -> 32 init pytorch";
    for (name, block) in [("f(x)", f.to_string()), ("x + f(x)", format!("residual({f})"))] {
        let text = format!("32 relu -> {}", vec![block.as_str(); BLOCKS].join(" -> "));
        let network = Network::for_data(&text.parse()?, 2, 2, Some(&LossSpec::cross_entropy()))?;
        let spec = TrainSpec { epochs: 30, batch: Batch::Rows(64), lr: 0.001, seed: 1, ..TrainSpec::default() };
        let start = network.initialise::<f32>(spec.seed);
        writeln!(out, "{name}: {BLOCKS} blocks of {block}, {} parameters", network.parameters())?;

        // The gradient of the first step, block by block: the norm over the block's first weight.
        let mut first = Trainer::new(&network, start.clone(), rows, None, spec.clone(), Team::single())?;
        first.step(&order[..64], 0, 0)?;
        let weights: Vec<f64> = network
            .layers
            .iter()
            .filter(|layer| layer.linear.is_some())
            .map(|layer| &first.gradients()[network.graph.slots().get(layer.slots[0]).range()])
            .map(|weight| weight.iter().map(|g| g.to_f64() * g.to_f64()).sum::<f64>().sqrt())
            .collect();
        for block in [1, 10, 20, 30, 40, 50] {
            writeln!(out, "  gradient of block {block:>2}: {:.1e}", weights[2 * block - 1])?;
        }

        // The same run twice: all activations kept, and computed a second time before the backward that reads them.
        let mut runs = Vec::new();
        for checkpoint_activations in [false, true] {
            let spec = TrainSpec { checkpoint_activations, ..spec.clone() };
            let trainer = Trainer::new(&network, start.clone(), rows, None, spec, Team::single())?;
            let mut losses = Losses(Vec::new());
            runs.push((trainer.run(&mut losses).parameters, losses.0));
        }
        for epoch in [1, 10, 20, 30] {
            writeln!(out, "  epoch {epoch:>2}: loss {:.4}", runs[0].1[epoch - 1])?;
        }
        writeln!(out, "  computing activations again gives the same weights: {}\n", runs[0].0 == runs[1].0)?;
        kept = [false, true].map(|checkpoint| network.plan_with(Purpose::Train, 128, checkpoint)).to_vec();
    }
    writeln!(out, "ln 2 = 0.6931 is the loss of knowing nothing.")?;

    let bytes = |place: usize| kept[place].memory::<f32>().arena;
    writeln!(out, "\nactivations of one step of 128 rows with x + f(x):")?;
    writeln!(out, "  all kept {} bytes", bytes(0))?;
    writeln!(out, "  computed again {} bytes, {:.1} times less", bytes(1), bytes(0) as f64 / bytes(1) as f64)?;
    let share = kept[1].recomputed_flops(1) as f64 / kept[0].flops(1) as f64;
    writeln!(out, "  for {:.0} % more operations", 100.0 * share)?;
    Ok(())
}
