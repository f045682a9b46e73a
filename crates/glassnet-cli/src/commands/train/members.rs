//! Members trained side by side: the first is watched by the doctor and shown epoch by epoch, the others leave a line when they are done.

use std::sync::Mutex;
use std::time::Instant;

use glassnet::nn::history::History;
use glassnet::nn::train::members::{self, Member};
use glassnet::nn::train::{Control, Observer, Outcome, StepReport, Stop, View};

use super::interrupt::Interrupt;
use super::progress::Progress;
use crate::error::CliError;
use crate::numbers::loss;

/// What all members leave, in their order.
pub struct Trained {
    pub outcomes: Vec<Outcome<f32>>,
    /// Of the first member: with what its doctor found.
    pub progress: Progress,
    pub seconds: f64,
}

impl Trained {
    /// The parameters of all members, one after the other; their histories; how the run as a whole ended.
    pub fn joined(self) -> (Vec<f32>, Vec<History>, Stop, Progress, f64) {
        let (mut parameters, mut histories, mut stop) = (Vec::new(), Vec::new(), Stop::Finished);
        for outcome in self.outcomes {
            parameters.extend(outcome.parameters);
            histories.push(outcome.history);
            // A member that came to nothing says more than one that was asked to stop because of it.
            let graver = matches!(outcome.stop, Stop::NonFinite(_)) && !matches!(stop, Stop::NonFinite(_));
            if graver || matches!(stop, Stop::Finished) {
                stop = outcome.stop;
            }
        }
        (parameters, histories, stop, self.progress, self.seconds)
    }
}

/// The first member's watcher, or another's.
enum Watcher<'p> {
    First(Box<Progress>),
    Other { number: usize, of: usize, interrupt: Interrupt, lines: &'p (dyn Fn(&str) + Sync) },
}

impl Observer<f32> for Watcher<'_> {
    fn start(&mut self, view: &View<'_, f32>) -> Control {
        match self {
            Watcher::First(progress) => progress.start(view),
            Watcher::Other { .. } => Control::Continue,
        }
    }

    fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
        match self {
            Watcher::First(progress) => progress.step(report, view),
            Watcher::Other { interrupt, .. } if interrupt.asked() => Control::Stop,
            Watcher::Other { .. } => Control::Continue,
        }
    }

    fn epoch(&mut self, view: &View<'_, f32>) -> Control {
        match self {
            Watcher::First(progress) => progress.epoch(view),
            Watcher::Other { .. } => Control::Continue,
        }
    }

    fn reads_gradients(&self, step: u64) -> bool {
        match self {
            Watcher::First(progress) => progress.reads_gradients(step),
            Watcher::Other { .. } => false,
        }
    }

    fn end(&mut self, stop: &Stop, view: &View<'_, f32>) {
        match self {
            Watcher::First(progress) => progress.end(stop, view),
            Watcher::Other { number, of, lines, .. } => {
                let best = view.history.best_epoch;
                let kept = view.history.epochs.iter().find(|epoch| Some(epoch.epoch) == best);
                if let Some(kept) = kept {
                    let valid = kept.valid_loss.map_or(String::new(), |valid| format!("  valid {}", loss(valid)));
                    let (epoch, epochs) = (kept.epoch, view.history.epochs.len());
                    let train = loss(kept.train_loss);
                    lines(&format!("member {number} of {of}: best epoch {epoch} of {epochs}  loss {train}{valid}"));
                }
            }
        }
    }
}

/// Trains them, `threads` at a time.
///
/// # Errors
/// Settings or rows that cannot be trained on.
pub fn train(
    all: &[Member<'_, f32>],
    threads: usize,
    initial: &(dyn Fn(usize, &Member<'_, f32>) -> Vec<f32> + Sync),
    progress: Progress,
) -> Result<Trained, CliError> {
    let (interrupt, of) = (progress.interrupt.clone(), all.len());
    let lines = progress.lines();
    let first = Mutex::new(Some(Box::new(progress)));
    let watcher = |number: usize| {
        let first = match number {
            0 => first.lock().ok().and_then(|mut first| first.take()),
            _ => None,
        };
        match first {
            Some(progress) => Watcher::First(progress),
            None => Watcher::Other { number: number + 1, of, interrupt: interrupt.clone(), lines: &lines },
        }
    };
    let start = Instant::now();
    interrupt.training();
    let trained = members::train(all, threads, initial, &watcher);
    interrupt.after();
    let trained = trained.map_err(|error| match of {
        1 => CliError::Usage(error.why.to_string()),
        _ => CliError::Usage(error.to_string()),
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let (mut outcomes, mut watched) = (Vec::with_capacity(of), None);
    for member in trained {
        outcomes.push(member.outcome);
        if let Watcher::First(progress) = member.observer {
            watched = Some(*progress);
        }
    }
    match watched {
        Some(progress) => Ok(Trained { outcomes, progress, seconds }),
        None => Err(CliError::Usage("there is no member to train\n  hint: --members 1 or more".into())),
    }
}
