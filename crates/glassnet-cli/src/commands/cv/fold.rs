//! One fold: rows that a model is fitted, validated and calibrated with, and rows that judge it.

use glassnet::core::Team;
use glassnet::model::evaluation::Evaluation;
use glassnet::model::file::Head;
use glassnet::model::fit::{FitOptions, Headed};
use glassnet::model::split::{Fold, parts};
use glassnet::model::target::Targets;
use glassnet::nn::metrics::Scores;
use glassnet::nn::train::{Stop, TrainSpec};

use super::super::train::baseline::Constant;
use super::super::train::calibrate::{self, HeldOut};
use super::super::train::data::{self, Data, Read};
use super::super::train::forecast::{self, Forecast};
use super::super::train::interrupt::Interrupt;
use super::super::train::recipe::{Calibrate, Recipe};
use super::super::train::settings::Settings;
use super::super::train::{self, Whole, network, tabular};
use crate::error::CliError;
use crate::numbers::{bytes, duration, number, thousands};
use crate::output::Output;

/// All folds, and what they are made of.
pub struct Work {
    pub settings: Settings,
    pub read: Read,
    pub options: FitOptions,
    pub targets: Targets,
    pub folds: Vec<Fold>,
    /// What a time budget came to.
    pub epochs: Option<u64>,
}

/// A fold that can be trained.
pub struct Ready {
    pub number: usize,
    pub data: Data,
    pub headed: Headed,
    pub spec: TrainSpec,
    pub members: usize,
    pub threads: usize,
    pub tabular: bool,
}

/// How long all of it will take.
pub struct Forecasted {
    /// Of the first fold.
    pub fold: Forecast,
    /// Seconds of all folds.
    pub seconds: f64,
    pub epochs: u64,
    /// Whether it may end sooner.
    pub at_most: bool,
    /// What a time budget came to, in words.
    pub budget: Option<String>,
}

/// A fold that is over.
pub struct Done {
    /// Rows to fit, to calibrate, to judge by.
    pub rows: [usize; 3],
    /// The rows that judge, from 0.
    pub judged: Vec<u32>,
    /// Their scores or predictions, [rows, outputs].
    pub scores: Vec<f32>,
    /// Outputs of a row.
    pub outputs: usize,
    pub evaluation: Evaluation,
    /// Of a number: the share of the rows within the interval of 90 %.
    pub coverage: Option<f64>,
    /// What a constant guess scores on the same rows.
    pub guess: Option<Scores>,
    /// Whether the calibration was seen to hold, and why not; `None` where there is none.
    pub held: Option<(bool, Vec<String>)>,
    pub epochs: usize,
    pub best_epoch: Option<u64>,
    /// Of the training.
    pub seconds: f64,
}

impl Work {
    /// Rows that the folds after this one are fitted to, for each row that this one and those before were.
    pub fn left(&self, number: usize) -> f64 {
        let rows = |folds: &[Fold]| folds.iter().map(|fold| fold.train.len()).sum::<usize>() as f64;
        let (before, after) = self.folds.split_at((number + 1).min(self.folds.len()));
        rows(after) / rows(before).max(1.0)
    }

    /// Splits, understands and encodes one fold, and builds its network: nothing of the rows that judge it goes in.
    ///
    /// # Errors
    /// So few rows that a part would be empty, and everything that training refuses; the message names the fold.
    pub fn ready(&self, number: usize) -> Result<Ready, CliError> {
        let of_fold = |error: CliError| match error {
            CliError::Data(text) => CliError::Data(format!("fold {}: {text}", number + 1)),
            CliError::Usage(text) => CliError::Usage(format!("fold {}: {text}", number + 1)),
            error => error,
        };
        self.prepared(number).map_err(of_fold)
    }

    fn prepared(&self, number: usize) -> Result<Ready, CliError> {
        let (settings, options) = (&self.settings, &self.options);
        let nothing = Fold { train: Vec::new(), test: Vec::new() };
        let fold = self.folds.get(number).unwrap_or(&nothing);
        let shares = (options.validation_share, None);
        let split = parts(&self.read.table, &self.targets, &fold.train, &options.split, shares, settings.seed);
        let with_flags = |error| data::with_flags(&settings.data, error);
        let mut rows = split.map_err(with_flags)?;
        rows.test.clone_from(&fold.test);
        // Columns that know the target are looked for once.
        let options = FitOptions { find_leaks: number == 0, ..options.clone() };
        let data = self.read.part(rows, &options).map_err(with_flags)?;
        let tabular = settings.around.recipe != Recipe::Plain;
        let (headed, mut spec) = match tabular {
            true => {
                let headed = tabular::network(settings, &data.prepared)?;
                let spec = tabular::train_spec(settings, &data.prepared, &headed)?;
                (headed, spec)
            }
            false => (
                network::network(settings, &data.prepared, false)?,
                network::train_spec(settings, &data.prepared, false)?,
            ),
        };
        if let Some(epochs) = self.epochs {
            spec.epochs = epochs;
        }
        let members = train::members(settings, false);
        let threads = settings.threads.unwrap_or_else(|| match members {
            1 => network::threads(&headed, &spec, &data.prepared),
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        });
        Ok(Ready { number, data, headed, spec, members, threads, tabular })
    }

    /// Times some steps of the first fold; with a time budget it chooses the epochs of all folds.
    ///
    /// # Errors
    /// Settings or rows that cannot be trained on.
    pub fn forecast(&mut self, first: &mut Ready) -> Result<Forecasted, CliError> {
        let Ready { data, headed, members, threads, .. } = &*first;
        let (members, threads) = (*members, *threads);
        let of_one = if members >= threads { Team::single() } else { Team::new(threads / members.max(1)) };
        let mut fold = forecast::forecast(headed, &data.prepared, &first.spec, &of_one)?;
        // The folds of a split by time grow.
        let folds = 1.0 + self.left(0);
        let mut budget = None;
        if let Some(seconds) = self.settings.around.budget {
            let epochs = tabular::epochs_for(seconds / folds, fold.seconds_per_epoch, members, threads);
            self.epochs = Some(epochs);
            first.spec.epochs = epochs;
            budget = Some(format!(
                "time budget {}: {epochs} epochs in each fold; --epochs {epochs} in its place gives these very figures again",
                duration(seconds)
            ));
        }
        fold.of_members(members, threads, &first.spec);
        let seconds = fold.seconds * folds;
        let at_most = first.spec.early.patience.is_some();
        Ok(Forecasted { fold, seconds, epochs: first.spec.epochs, at_most, budget })
    }
}

impl Forecasted {
    /// In a sentence, with what takes less.
    pub fn words(&self, folds: usize) -> String {
        let members = self.fold.members;
        let about = if self.at_most { "at most" } else { "about" };
        let networks = match members {
            1 => String::new(),
            _ => format!(" of {members} members, {} networks in all", folds * members),
        };
        let hint = match members {
            1 => "--time-budget 5m says how long it may take",
            _ => "--members 1 trains one in each fold, --time-budget 5m says how long all may take",
        };
        let peak = self
            .fold
            .peak_bytes
            .map_or(String::new(), |peak| format!("; the process will peak at about {}", bytes(peak)));
        format!(
            "forecast {about} {} for {folds} folds of {} epochs{networks} ({} for the first){peak}\n{hint}",
            duration(self.seconds),
            self.epochs,
            duration(self.fold.seconds)
        )
    }
}

impl Ready {
    /// Trains, calibrates and judges it; `None` where it was interrupted.
    ///
    /// # Errors
    /// A training that came to values that are not finite, and everything that training refuses.
    pub fn run(self, interrupt: Interrupt, work: &Work, output: &Output) -> Result<Option<Done>, CliError> {
        let Ready { number, data, headed, spec, members, threads, tabular } = self;
        let team = Team::new(threads);
        let whole = Whole { data: &data, headed: &headed, spec: &spec, tabular, members, threads };
        let trained = train::train(&whole, &team, (interrupt, None), &output.brief())?;
        let outcome = trained.outcome;
        let finite = outcome.parameters.iter().all(|value| value.is_finite());
        match &outcome.stop {
            Stop::Asked => return Ok(None),
            Stop::NonFinite(found) => return Err(not_finite(number, &found.to_string())),
            _ if !finite => return Err(not_finite(number, "the weights are not finite")),
            Stop::Finished | Stop::Early { .. } => {}
        }
        let prepared = &data.prepared;
        let mut model = prepared.model(&headed, outcome.parameters)?;
        let asked = work.settings.around.calibrate;
        let wanted =
            if tabular { asked != Some(Calibrate::Off) } else { asked.is_some_and(|asked| asked != Calibrate::Off) };
        let judged = prepared.test_rows.as_slice();
        if wanted {
            let held_out = HeldOut { data: &data, headed: &headed, tested: Some((&prepared.train, judged)) };
            (model, _) = calibrate::calibrate(model, asked, &held_out, &team)?;
        }
        let mut runner = model.runner(team.clone());
        let scores = model.scores(&mut runner, &prepared.train, judged)?;
        let evaluation = model.evaluate(&prepared.train, judged, &team)?;
        let half = model.document().intervals.as_ref().and_then(|intervals| intervals.half_width(0.9));
        let coverage = half.filter(|_| headed.head == Head::Value).map(|half| {
            let target = |row: u32| {
                let own = prepared.train.values.get(row as usize).copied().unwrap_or(f64::NAN);
                prepared.target().map_or(own, |target| target.restore(own))
            };
            let within =
                judged.iter().zip(&scores).filter(|(row, score)| (f64::from(**score) - target(**row)).abs() <= half);
            within.count() as f64 / judged.len().max(1) as f64
        });
        let held = model.calibration().and_then(|calibration| calibration.held.as_ref());
        Ok(Some(Done {
            rows: [prepared.train_rows.len(), prepared.valid_rows.len(), judged.len()],
            judged: judged.to_vec(),
            outputs: model.outputs().max(1),
            guess: Constant::new(prepared).map(|constant| constant.scores(&prepared.train, judged)),
            held: held.map(|held| (held.holds, held.reasons.clone())),
            epochs: outcome.history.epochs.len(),
            best_epoch: outcome.history.best_epoch,
            seconds: trained.seconds,
            scores,
            evaluation,
            coverage,
        }))
    }
}

fn not_finite(number: usize, what: &str) -> CliError {
    CliError::NonFinite(format!(
        "fold {}: training stopped: {what}\n  hint: take a smaller --lr, or --clip-norm 1 with --recipe plain",
        number + 1
    ))
}

impl Done {
    /// The scores in a line.
    pub fn words(&self) -> String {
        let scores =
            super::summary::COLUMNS.iter().filter_map(|(name, of)| Some(format!("{name} {}", number(of(self)?))));
        let [fitted, calibrated, judged] = self.rows.map(|rows| thousands(rows as u64));
        let some: Vec<String> = scores.take(4).collect();
        format!("{} on {judged} rows, of {fitted} fitted and {calibrated} calibrated with", some.join("  "))
    }
}
