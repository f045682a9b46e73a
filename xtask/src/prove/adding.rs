//! The adding problem (Hochreiter and Schmidhuber 1997): a sequence of 100 pairs, a number drawn from [0, 1) and a mark;
//! two steps are marked, one in each half, and the answer is the sum of their two numbers. Whoever always says 1 has a mean squared error
//! of 1/6. An LSTM learns it; a plain recurrent network, whose gradient vanishes over so many steps, does not.

use std::time::Instant;

use glassnet::core::random::{Draws, Purpose};
use glassnet::core::{Runner, Team};
use glassnet::nn::clip::Clip;
use glassnet::nn::functional;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::source::Source;
use glassnet::nn::spec::NetSpec;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Control, Observer, Rows, StepReport, TrainSpec, Trainer, View};

use super::Verdict;

/// Time steps of a sequence.
const STEPS: usize = 100;
/// Sequences of a training step.
const BATCH: usize = 64;
/// Training steps; no sequence comes twice.
const UPDATES: u64 = 5_000;
/// Training steps between two looks at the validation sequences.
const LOOK: u64 = 500;
/// Sequences that the error is taken of at each look, and at the end.
const HELD: usize = 1_000;
const SEEDS: [u64; 3] = [1, 2, 3];
/// The LSTM's error must be below.
const BAR: f64 = 0.01;
/// The plain network's error must stay above: near the 1/6 of the constant answer.
const FAILS: f64 = 0.15;
const LSTM: &str = "lstm 64 -> last";
const RNN: &str = "rnn 64 -> last";
const LR: f64 = 0.003;

/// Which sequences: each part is a stream of draws of its own.
#[derive(Clone, Copy)]
enum Part {
    Train = 0,
    Valid = 1,
    Test = 2,
}

/// Sequences as a function of (seed, part, row): nothing is kept.
struct Adding {
    seed: u64,
    part: Part,
    rows: usize,
}

impl Adding {
    fn draws(&self, row: u32) -> Draws {
        Draws::new(self.seed, Purpose::Synthetic, self.part as u32, row)
    }

    /// The two marked steps: one in each half.
    fn marked(draws: &Draws) -> [usize; 2] {
        let half = STEPS / 2;
        // Places behind those of the numbers.
        let place = |at: usize| draws.below((STEPS + at) as u64, half as u64) as usize;
        [place(0), half + place(1)]
    }
}

impl Source<f32> for Adding {
    fn rows(&self) -> usize {
        self.rows
    }

    fn width(&self) -> usize {
        2 * STEPS
    }

    fn features(&self, rows: &[u32], out: &mut [f32]) {
        for (&row, out) in rows.iter().zip(out.chunks_exact_mut(2 * STEPS)) {
            let draws = self.draws(row);
            let marked = Self::marked(&draws);
            for (step, pair) in out.chunks_exact_mut(2).enumerate() {
                pair[0] = draws.uniform(step as u64) as f32;
                pair[1] = f32::from(u8::from(marked.contains(&step)));
            }
        }
    }

    fn label(&self, _row: u32) -> i32 {
        0
    }

    fn target_width(&self) -> usize {
        1
    }

    fn values(&self, row: u32, out: &mut [f32]) {
        let draws = self.draws(row);
        out.fill(Self::marked(&draws).iter().map(|&step| draws.uniform(step as u64) as f32).sum());
    }
}

/// Takes the error on the validation sequences every few steps.
struct Looks<'a> {
    valid: &'a Adding,
    runner: Runner<f32>,
    errors: Vec<f64>,
}

impl Observer<f32> for Looks<'_> {
    fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
        if report.step.is_multiple_of(LOOK) {
            self.errors.push(error(view.network, view.parameters, self.valid, &mut self.runner));
        }
        Control::Continue
    }
}

fn error(network: &Network, parameters: &[f32], part: &Adding, runner: &mut Runner<f32>) -> f64 {
    let rows: Vec<u32> = (0..part.rows as u32).collect();
    let outputs = functional::evaluate(network, runner, parameters, part, &rows);
    functional::mean_loss(network, &outputs.losses, part, &rows)
}

/// Prints each run's error by step; fails where an LSTM misses the bar or a plain network does not fail.
pub fn run() -> Result<Verdict, String> {
    let team = Team::new(std::thread::available_parallelism().map_or(1, usize::from));
    let looks: Vec<String> = (1..=UPDATES / LOOK).map(|look| format!("{:>8}", look * LOOK)).collect();
    println!("mean squared error by step; 0.1667 is that of a constant answer; adam, lr {LR}, clip by norm 1");
    println!("{:<16} {:>4} {} {:>9} {:>8}", "", "seed", looks.join(""), "test", "seconds");
    let mut missed = Vec::new();
    for (net, learns) in [(LSTM, true), (RNN, false)] {
        for seed in SEEDS {
            let (errors, test, seconds) = train(net, seed, &team)?;
            let errors: Vec<String> = errors.iter().map(|error| format!("{error:>8.4}")).collect();
            println!("{net:<16} {seed:>4} {} {test:>9.5} {seconds:>8.1}", errors.join(""));
            if learns && test >= BAR {
                missed.push(format!("{net}, seed {seed}: error {test:.4}, the bar is {BAR}"));
            }
            if !learns && test <= FAILS {
                missed.push(format!("{net}, seed {seed}: error {test:.4}, so it did not fail"));
            }
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
}

fn train(net: &str, seed: u64, team: &Team) -> Result<(Vec<f64>, f64, f64), String> {
    let spec: NetSpec = net.parse().map_err(|error| format!("{error}"))?;
    let network = Network::for_rows(&spec, &RowShape::of(&[STEPS, 2]), 1, Some(&LossSpec::MeanSquared))
        .map_err(|error| error.to_string())?;
    let part = |part, rows| Adding { seed, part, rows };
    let sequences = part(Part::Train, UPDATES as usize * BATCH);
    let rows: Vec<u32> = (0..sequences.rows as u32).collect();
    let optimizer: OptimizerSpec = "adam".parse().map_err(|error| format!("{error}"))?;
    let settings = TrainSpec {
        batch: Batch::Rows(BATCH),
        lr: LR,
        optimizer,
        clip: Clip::Norm { max: 1.0 },
        shuffle: false,
        seed,
        steps: Some(UPDATES),
        ..TrainSpec::default()
    };
    let start = Instant::now();
    let train = Rows { source: &sequences as &dyn Source<f32>, rows: &rows };
    let trainer = Trainer::new(&network, network.initialise(seed), train, None, settings, team.clone())
        .map_err(|error| error.to_string())?;
    let runner = || Runner::new(network.evaluation_plan(256), team.clone());
    let mut looks = Looks { valid: &part(Part::Valid, HELD), runner: runner(), errors: Vec::new() };
    let outcome = trainer.run(&mut looks);
    let seconds = start.elapsed().as_secs_f64();
    let test = error(&network, &outcome.parameters, &part(Part::Test, HELD), &mut runner());
    Ok((looks.errors, test, seconds))
}
