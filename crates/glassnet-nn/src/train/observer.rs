//! What a run shows while it goes, and what it leaves.

use super::non_finite::NonFinite;
use super::spec::TrainSpec;
use super::state::{Stand, TrainerState};
use crate::history::History;
use crate::network::Network;
use crate::source::Source;

/// Some rows of a source.
#[derive(Clone, Copy)]
pub struct Rows<'a, T> {
    /// Where they come from.
    pub source: &'a dyn Source<T>,
    /// Their numbers.
    pub rows: &'a [u32],
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop; the best epoch so far is kept.
    Stop,
}

/// One optimizer step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Epoch, from 1.
    pub epoch: u64,
    /// Step of the whole run, from 1.
    pub step: u64,
    /// Steps of the whole run.
    pub total_steps: u64,
    /// Rows of the epoch done so far.
    pub rows_done: usize,
    /// Rows of an epoch.
    pub rows: usize,
    /// Mean loss of the batch, before the step.
    pub loss: f64,
    /// Sum of the rows' weights (row weight times class weight): what the mean loss divides by.
    pub weight: f64,
    /// Norm of the gradients before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the step.
    pub lr: f64,
}

/// What an observer can look at; everything is the run's own, nothing is copied.
pub struct View<'a, T> {
    /// The network.
    pub network: &'a Network,
    /// Its parameters now.
    pub parameters: &'a [T],
    /// The gradients of the last step, clipped; all of them where [`Observer::reads_gradients`] asked for them.
    pub gradients: &'a [T],
    /// The training rows.
    pub train: Rows<'a, T>,
    /// The validation rows.
    pub valid: Option<Rows<'a, T>>,
    /// The settings.
    pub spec: &'a TrainSpec,
    /// The epochs so far.
    pub history: &'a History,
    /// The run itself, for its state.
    pub(super) standing: &'a dyn Stand<T>,
}

impl<'a, T> View<'a, T> {
    /// All that a run needs to go on from here: what a checkpoint keeps. Nothing is copied but the history and some numbers.
    pub fn state(&self) -> TrainerState<'a, T> {
        self.standing.state()
    }
}

/// Sees the run as it goes. Every method has a default that does nothing.
pub trait Observer<T> {
    /// Before the first step.
    fn start(&mut self, _view: &View<'_, T>) -> Control {
        Control::Continue
    }

    /// In place of [`Observer::start`] where the run goes on from a state ([`Trainer::restore`](super::Trainer::restore)).
    fn resume(&mut self, _view: &View<'_, T>) -> Control {
        Control::Continue
    }

    /// After each step.
    fn step(&mut self, _report: &StepReport, _view: &View<'_, T>) -> Control {
        Control::Continue
    }

    /// After each epoch, validation included; it is the last of `view.history`.
    fn epoch(&mut self, _view: &View<'_, T>) -> Control {
        Control::Continue
    }

    /// Whether [`Observer::step`] will read all of [`View::gradients`] after step `step` (from 1). Where it does not, the
    /// gradients of large weights may be used up as they are made, and what stands in their place is of an earlier step.
    fn reads_gradients(&self, _step: u64) -> bool {
        true
    }

    /// When the run ends, however it ends.
    fn end(&mut self, _stop: &Stop, _view: &View<'_, T>) {}
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silent;

impl<T> Observer<T> for Silent {
    fn reads_gradients(&self, _step: u64) -> bool {
        false
    }
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// No gain for the epochs that patience allows.
    Early {
        /// The last epoch that ran.
        epoch: u64,
    },
    /// A value was not finite. The weights are those of the best epoch, or without validation those from before that step
    /// (where an earlier step had already made them non-finite: those of the last epoch's end, or the initial ones).
    NonFinite(NonFinite),
    /// The observer asked for it.
    Asked,
}

/// What a run leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome<T> {
    /// The parameters of the best epoch (by validation loss, or what else [`TrainSpec::best_by`] says), or the last ones where nothing was validated; always finite.
    pub parameters: Vec<T>,
    /// The history.
    pub history: History,
    /// Why it ended.
    pub stop: Stop,
}
