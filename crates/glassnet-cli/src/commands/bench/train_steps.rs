//! Steps of `train`'s own loop: the same plan, order of rows, bookkeeping at the end of an epoch, and so the same weights.

use std::time::Instant;

use glassnet::core::{Purpose, Team};
use glassnet::model::text::TextPreprocess;
use glassnet::model::windows::Windows;
use glassnet::nn::clip::Clip;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::source::Source;
use glassnet::nn::spec::NetSpec;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Control, Observer, Rows as TrainRows, StepReport, Stop, TrainSpec, Trainer, View};

use super::Options;
use super::data;
use super::measure::Spread;
use super::peaks::Peaks;
use super::table::{Figures, Trained};
use super::workloads::{Rows, TrainWork};
use crate::commands::train::worth_threads;
use crate::error::CliError;
use crate::hash;

/// Steps where a run is ended by the clock.
const MANY: u64 = 1 << 40;

/// Reads the clock after each round of steps.
struct Clock {
    round: u64,
    seconds: Option<f64>,
    begun: Instant,
    last: Instant,
    micros: Vec<f64>,
    steps: u64,
    losses: (f64, f64),
}

impl Clock {
    fn new(round: u64, seconds: Option<f64>) -> Self {
        let now = Instant::now();
        Clock { round, seconds, begun: now, last: now, micros: Vec::new(), steps: 0, losses: (f64::NAN, f64::NAN) }
    }
}

impl Observer<f32> for Clock {
    fn reads_gradients(&self, _step: u64) -> bool {
        false
    }

    fn start(&mut self, _view: &View<'_, f32>) -> Control {
        self.begun = Instant::now();
        self.last = self.begun;
        Control::Continue
    }

    fn step(&mut self, report: &StepReport, _view: &View<'_, f32>) -> Control {
        self.steps = report.step;
        if report.step == 1 {
            self.losses.0 = report.loss;
        }
        self.losses.1 = report.loss;
        if !report.step.is_multiple_of(self.round) {
            return Control::Continue;
        }
        let now = Instant::now();
        self.micros.push((now - self.last).as_secs_f64() * 1e6 / self.round as f64);
        self.last = now;
        let over = self.seconds.is_some_and(|seconds| (now - self.begun).as_secs_f64() >= seconds);
        if over && self.micros.len() > 3 { Control::Stop } else { Control::Continue }
    }
}

/// Steps that are timed together and steps in all.
pub fn steps(work: &TrainWork, options: &Options) -> (u64, u64) {
    match (options.seconds, options.steps) {
        (Some(_), _) => (work.round, MANY),
        (None, Some(steps)) => (work.round.min(steps.div_ceil(10)), steps),
        (None, None) => (work.round, work.round * work.rounds),
    }
}

/// The settings, as `train` makes them of the command that [`super::write`] prints.
fn train_spec(work: &TrainWork, rows: usize, steps: u64) -> Result<TrainSpec, CliError> {
    let optimizer: OptimizerSpec = work.optimizer.parse().map_err(|error| CliError::Usage(format!("{error}")))?;
    let (clip, epoch_rows) = match work.rows {
        Rows::Numbers { .. } => (Clip::None, None),
        // What `train` does with a text where nothing else is said.
        Rows::Text { context, .. } => (Clip::Norm { max: 1.0 }, Some(rows.div_ceil(context))),
    };
    Ok(TrainSpec {
        epochs: 1,
        batch: Batch::Rows(work.batch),
        lr: work.lr,
        optimizer,
        clip,
        steps: Some(steps),
        epoch_rows,
        ..TrainSpec::default()
    })
}

/// The network and its rows.
fn network(work: &TrainWork) -> Result<(Network, Box<dyn Source<f32>>), CliError> {
    let cores = Team::new(std::thread::available_parallelism().map_or(1, usize::from));
    let wrong = |error: String| CliError::Usage(format!("{}: {error}", work.net));
    let spec = NetSpec::parse(work.net).map_err(|error| wrong(error.to_string()))?;
    let (row, source): (RowShape, Box<dyn Source<f32>>) = match work.rows {
        Rows::Numbers { rows, width } => {
            (RowShape::row(width), Box::new(data::rows(rows, width, work.classes, &cores)))
        }
        Rows::Text { characters, context } => {
            let text = data::text(characters, work.classes);
            let preprocess = TextPreprocess::fit(&text, context);
            let tokens = preprocess.encode(&text)?;
            (RowShape::tokens(context, preprocess.vocabulary()), Box::new(Windows::every(tokens.into(), context)))
        }
    };
    let network = Network::for_rows(&spec, &row, work.classes, Some(&LossSpec::cross_entropy()))
        .map_err(|error| wrong(error.to_string()))?;
    Ok((network, source))
}

/// Trains it and times the steps.
///
/// # Errors
/// A loss or a weight that is not finite.
pub fn run(name: &str, work: &TrainWork, options: &Options, peaks: &mut Peaks) -> Result<Figures, CliError> {
    let (network, source) = network(work)?;
    let rows: Vec<u32> = (0..source.rows() as u32).collect();
    let (round, steps) = steps(work, options);
    let spec = TrainSpec { precision: options.precision, ..train_spec(work, rows.len(), steps)? };
    let planned = network.plan(Purpose::Train, 1).flops(work.batch);
    let team = Team::new(options.threads.unwrap_or_else(|| worth_threads(planned)));
    peaks.measure(options.precision, team.threads());
    let rows = TrainRows { source: &*source, rows: &rows };
    let first = network.initialise::<f32>(spec.seed);
    let trainer = Trainer::new(&network, first, rows, None, spec, team.clone())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let mut clock = Clock::new(round, options.seconds);
    let outcome = trainer.run(&mut clock);
    peaks.measure(options.precision, team.threads());
    if let Stop::NonFinite(found) = &outcome.stop {
        return Err(CliError::NonFinite(format!("{name}: {found}\n  hint: --steps with a smaller number")));
    }
    // The first rounds warm caches and clocks up.
    let warm = (clock.micros.len() / 10).max(1).min(clock.micros.len().saturating_sub(1));
    let time = Spread::of(clock.micros.split_off(warm)).ok_or_else(|| CliError::Check("nothing was timed".into()))?;
    let flops = (work.flops)();
    peaks.reached(options.precision, team.threads(), flops as f64 / time.median / 1e3, None);
    Ok(Figures {
        name: name.to_owned(),
        what: "step",
        rows: work.batch,
        threads: team.threads(),
        precision: options.precision,
        time,
        flops,
        bytes: None,
        p99: None,
        trained: Some(Trained {
            steps: clock.steps,
            parameters: outcome.parameters.len(),
            losses: clock.losses,
            hash: hash::weights([&outcome.parameters[..]]),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::super::workloads::{ALL, Kind};
    use super::*;

    /// The operations that are counted by hand are those of the plan, without what is no product.
    #[test]
    fn operations_are_no_more_than_the_plans() {
        for workload in ALL {
            let Kind::Train(work) = workload.kind else { continue };
            let work = TrainWork { rows: small(work.rows), ..work };
            let (network, _) = network(&work).unwrap();
            let plan = network.plan(Purpose::Train, 1);
            let (counted, planned) = ((work.flops)(), plan.flops(work.batch));
            let share = counted as f64 / planned as f64;
            // Tiny layers are a good part bias, curve and loss; attention computes its scores a second time in backward.
            let least = if workload.name == "tiny" { 0.6 } else { 0.85 };
            assert!(share <= 1.0 && share > least, "{}: {counted} of {planned}", workload.name);
        }
    }

    fn small(rows: Rows) -> Rows {
        match rows {
            Rows::Numbers { width, .. } => Rows::Numbers { rows: 1, width },
            Rows::Text { context, .. } => Rows::Text { characters: 2_000, context },
        }
    }

    #[test]
    fn steps_as_asked_for() {
        let Kind::Train(tiny) = ALL[0].kind else { panic!("tiny trains") };
        let options =
            |seconds, steps| Options { precision: glassnet::core::Precision::F32, threads: None, seconds, steps };
        assert_eq!(steps(&tiny, &options(None, None)), (tiny.round, tiny.round * tiny.rounds));
        assert_eq!(steps(&tiny, &options(None, Some(25))), (3, 25));
        assert_eq!(steps(&tiny, &options(Some(0.1), None)), (tiny.round, MANY));
    }
}
