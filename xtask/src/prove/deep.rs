//! Depth: a network of 50 linear layers learns two spirals with residual branches and does not without; its activations,
//! computed again for backward, take a third of the memory or less, with the same weights at the end, byte for byte.

use glassnet::core::random::{Draws, Purpose as Stream};
use glassnet::core::{Purpose, Real, Runner, StepInfo, Team};
use glassnet::nn::functional::load;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::train::{Batch, Control, Observer, Rows, StepReport, TrainSpec, Trainer, View};

use super::Verdict;

/// Branches of two layers each; with the first and the last layer 50.
const BRANCHES: usize = 24;
const WIDTH: usize = 32;
const ROWS: usize = 512;
const BATCH: usize = 128;
const EPOCHS: u64 = 60;
const SEEDS: [u64; 3] = [1, 2, 3];
/// The loss of a network that learns is below, that of one that does not above: ln 2 is that of a constant answer.
const LEARNS: f64 = 0.2;
const FAILS: f64 = 0.65;
/// How many times smaller the memory of activations must be.
const SMALLER: f64 = 3.0;

/// Prints the losses and the memory; fails where a bar is missed.
pub fn run() -> Result<Verdict, String> {
    let data = spirals();
    let branch = format!("{WIDTH} relu init pytorch -> {WIDTH} init pytorch");
    let mut missed = Vec::new();
    println!(
        "  {:<10} {:>4} {:>10} {:>10} {:>12} {:>12} {:>6}",
        "", "seed", "first loss", "last loss", "kept", "again", "times"
    );
    for (name, block) in [("f(x)", branch.clone()), ("x + f(x)", format!("residual({branch})"))] {
        let text = format!("{WIDTH} relu -> {}", vec![block.as_str(); BRANCHES].join(" -> "));
        let spec = text.parse().map_err(|error| format!("{error}"))?;
        let network =
            Network::for_data(&spec, 2, 2, Some(&LossSpec::cross_entropy())).map_err(|error| error.to_string())?;
        for seed in SEEDS {
            let (kept, again) = (train(&network, &data, seed, false)?, train(&network, &data, seed, true)?);
            let times = kept.activations as f64 / again.activations as f64;
            println!(
                "  {name:<10} {seed:>4} {:>10.4} {:>10.4} {:>10} B {:>10} B {times:>6.2}",
                kept.first, kept.last, kept.activations, again.activations
            );
            if kept.parameters != again.parameters {
                missed.push(format!("{name}, seed {seed}: computed again the weights are others"));
            }
            if times < SMALLER {
                missed
                    .push(format!("{name}, seed {seed}: the memory is {times:.2} times smaller, the bar is {SMALLER}"));
            }
            let residual = name != "f(x)";
            if residual && kept.last >= LEARNS || !residual && kept.last <= FAILS {
                missed.push(format!("{name}, seed {seed}: loss {:.4} at the end", kept.last));
            }
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
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

struct Run {
    first: f64,
    last: f64,
    /// Bytes of values and gradients that a step wrote to.
    activations: usize,
    parameters: Vec<u32>,
}

/// Keeps the loss of the first step.
#[derive(Default)]
struct Losses(Option<f64>);

impl Observer<f32> for Losses {
    fn step(&mut self, report: &StepReport, _view: &View<'_, f32>) -> Control {
        self.0.get_or_insert(report.loss);
        Control::Continue
    }
}

/// Bytes of the memory for values and gradients that one step wrote to.
fn measured(network: &Network, parameters: &[f32], data: &Matrix<f32>, checkpoint: bool) -> usize {
    let rows: Vec<u32> = (0..BATCH as u32).collect();
    let mut runner = Runner::new(network.plan_with(Purpose::Train, BATCH, checkpoint), Team::single());
    runner.mark();
    let denominator = load(network, &mut runner, data, &rows);
    let info = StepInfo { denominator, ..StepInfo::default() };
    let mut gradients = vec![0.0; parameters.len()];
    runner.forward(parameters, &info);
    runner.backward(parameters, &mut gradients, &info);
    runner.touched() * size_of::<f32>()
}

fn train(network: &Network, data: &Matrix<f32>, seed: u64, checkpoint_activations: bool) -> Result<Run, String> {
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let settings = TrainSpec {
        epochs: EPOCHS,
        batch: Batch::Rows(BATCH),
        lr: 0.001,
        seed,
        checkpoint_activations,
        ..TrainSpec::default()
    };
    let parameters = network.initialise(seed);
    let activations = measured(network, &parameters, data, checkpoint_activations);
    let part = Rows { source: data, rows: &rows };
    let trainer =
        Trainer::new(network, parameters, part, None, settings, Team::single()).map_err(|error| error.to_string())?;
    let mut losses = Losses::default();
    let outcome = trainer.run(&mut losses);
    Ok(Run {
        first: losses.0.unwrap_or(f64::NAN),
        last: outcome.history.epochs.last().map_or(f64::NAN, |epoch| epoch.train_loss),
        activations,
        parameters: outcome.parameters.iter().map(|value| value.to_bits()).collect(),
    })
}
