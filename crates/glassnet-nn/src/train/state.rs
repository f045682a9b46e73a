//! Where a run stands: all that it needs to go on later and to end with the bytes that it would have had.
//!
//! A state can be taken after any step and after any epoch, from [`View::state`](super::View::state) inside of a run or
//! from [`Trainer::state`] between steps of one's own, and is taken up by a fresh trainer over the same network, rows and
//! settings with [`Trainer::restore`]. It holds:
//!
//! - arrays of numbers as they are, in the parameters' layout: the parameters with their running statistics, the
//!   optimizer's moments, the best epoch's parameters, those that update sizes are measured against; and what recurrent
//!   layers carry from window to window;
//! - a record of everything else ([`record`](super::record)): step, epoch, place in the epoch, the epoch's sums so far,
//!   schedule, early stopping, history.
//!
//! What is random needs no place in it: it is a function of seed, epoch and place in the epoch. Nor does the number of
//! threads: the bytes do not depend on it.

use std::borrow::Cow;

use glassnet_core::Real;

use super::observer::StepReport;
use super::record::Record;
use super::trainer::Trainer;
use crate::early::{EarlySpec, EarlyStopping};

/// Names of the arrays besides the moments, whose names are the optimizer's behind `moment.`.
const PARAMETERS: &str = "parameters";
const BEST: &str = "best";
const KEPT: &str = "kept";
const CARRY: &str = "carry";
const MOMENT: &str = "moment.";

/// All that a run needs to go on. Borrowed from a run it copies no array.
///
/// ```
/// use glassnet_core::Team;
/// use glassnet_nn::train::{Control, Observer, Rows, Silent, StepReport, TrainSpec, Trainer, TrainerState, View};
/// use glassnet_nn::{loss::LossSpec, network::Network, source::Matrix};
///
/// /// Keeps the state after the third step, and stops there.
/// struct Keep(Option<TrainerState<'static, f32>>);
/// impl Observer<f32> for Keep {
///     fn step(&mut self, report: &StepReport, view: &View<'_, f32>) -> Control {
///         if report.step < 3 {
///             return Control::Continue;
///         }
///         self.0 = Some(view.state().into_owned());
///         Control::Stop
///     }
/// }
///
/// let data = Matrix::with_labels(vec![0.0_f32, 1.0, -1.0, 2.0], 1, vec![0, 1, 0, 1]);
/// let network = Network::for_data(&"8 relu".parse()?, 1, 2, Some(&LossSpec::cross_entropy()))?;
/// let rows = Rows { source: &data, rows: &[0, 1, 2, 3] };
/// let trainer = || Trainer::new(&network, network.initialise(0), rows, None, TrainSpec::default(), Team::single());
///
/// let whole = trainer()?.run(&mut Silent);
/// let mut keep = Keep(None);
/// trainer()?.run(&mut keep);
/// let mut resumed = trainer()?;
/// resumed.restore(&keep.0.ok_or("no third step")?)?;
/// assert_eq!(resumed.run(&mut Silent), whole);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TrainerState<'a, T> {
    arrays: Vec<(Cow<'static, str>, Array<'a, T>)>,
    record: Record,
}

#[derive(Debug, Clone)]
enum Array<'a, T> {
    Borrowed(&'a [T]),
    Owned(Vec<T>),
}

impl<T> Array<'_, T> {
    fn get(&self) -> &[T] {
        match self {
            Array::Borrowed(values) => values,
            Array::Owned(values) => values,
        }
    }
}

impl<T: PartialEq> PartialEq for Array<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// A state that does not belong to the trainer which shall take it up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this state is another run's: {what}\n  hint: take network, rows and settings that the run was begun with")]
pub struct RestoreError {
    /// What does not fit.
    pub what: String,
}

pub(super) fn misfit(what: impl Into<String>) -> RestoreError {
    RestoreError { what: what.into() }
}

impl<'a, T> TrainerState<'a, T> {
    /// Epochs that are done.
    pub fn epochs(&self) -> u64 {
        self.record.epoch
    }

    /// Steps that are done, of the whole run.
    pub fn steps(&self) -> u64 {
        self.record.steps
    }

    /// Rows of the next epoch that are done; 0 between epochs.
    pub fn rows_done(&self) -> usize {
        self.record.position
    }

    /// Whether early stopping has ended the run.
    pub fn is_over(&self) -> bool {
        self.record.over
    }

    /// The arrays by name; each name once.
    pub fn arrays(&self) -> impl Iterator<Item = (&str, &[T])> {
        self.arrays.iter().map(|(name, array)| (name.as_ref(), array.get()))
    }

    /// Everything but the arrays, as JSON. Numbers that must come back to the bit are written as their bits.
    pub fn record(&self) -> serde_json::Value {
        // A struct of numbers, texts and lists cannot fail to become JSON.
        serde_json::to_value(&self.record).unwrap_or_default()
    }

    /// A state from what [`TrainerState::arrays`] and [`TrainerState::record`] gave. Whether it fits a trainer is for
    /// [`Trainer::restore`] to say.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub fn from_parts(
        record: serde_json::Value,
        arrays: impl IntoIterator<Item = (String, Vec<T>)>,
    ) -> Result<TrainerState<'static, T>, RestoreError> {
        let record = serde_json::from_value(record).map_err(|error| misfit(format!("its record says {error}")))?;
        let arrays = arrays.into_iter().map(|(name, values)| (Cow::Owned(name), Array::Owned(values))).collect();
        Ok(TrainerState { arrays, record })
    }

    fn array(&self, name: &str) -> Option<&[T]> {
        self.arrays.iter().find(|(other, _)| other == name).map(|(_, array)| array.get())
    }
}

impl<T: Clone> TrainerState<'_, T> {
    /// The same with arrays of its own.
    pub fn into_owned(self) -> TrainerState<'static, T> {
        let own = |array| match array {
            Array::Borrowed(values) => Array::Owned(values.to_vec()),
            Array::Owned(values) => Array::Owned(values),
        };
        TrainerState {
            arrays: self.arrays.into_iter().map(|(name, array)| (name, own(array))).collect(),
            record: self.record,
        }
    }
}

/// What gives its state.
pub(super) trait Stand<T> {
    fn state(&self) -> TrainerState<'_, T>;
}

/// How far a run is.
#[derive(Debug)]
pub(super) struct Standing<T> {
    /// Epochs that are done.
    pub epoch: u64,
    /// Rows of the epoch at hand that are done.
    pub position: usize,
    /// Rows of the epoch at hand.
    pub rows: usize,
    /// Of the epoch's steps so far: losses times weights, weights, largest norm, last rate.
    pub loss: f64,
    pub weight: f64,
    pub norm: f64,
    pub lr: f64,
    pub early: EarlyStopping,
    /// Whether patience is at its end.
    pub over: bool,
    /// The best epoch's parameters.
    pub best: Option<Vec<T>>,
    /// Whether the run goes on from a state.
    pub restored: bool,
}

impl<T: Real> Standing<T> {
    pub fn new(early: EarlySpec) -> Self {
        Standing {
            epoch: 0,
            position: 0,
            rows: 0,
            loss: 0.0,
            weight: 0.0,
            norm: 0.0,
            lr: 0.0,
            early: EarlyStopping::new(early),
            over: false,
            best: None,
            restored: false,
        }
    }

    /// Takes in a step over so many rows.
    pub fn add(&mut self, report: &StepReport, rows: usize) {
        self.position += rows;
        self.loss += report.loss * report.weight;
        self.weight += report.weight;
        self.norm = self.norm.max(report.gradient_norm);
        self.lr = report.lr;
    }

    /// Takes in the validation metric of the epoch at hand; keeps the parameters and gives true where it is the best.
    pub fn observe(&mut self, metric: f64, parameters: &[T]) -> bool {
        let verdict = self.early.observe(self.epoch + 1, metric);
        if verdict.best {
            match &mut self.best {
                Some(best) => best.copy_from_slice(parameters),
                None => self.best = Some(parameters.to_vec()),
            }
        }
        self.over = verdict.stop;
        verdict.best
    }

    /// The epoch at hand is done.
    pub fn close(&mut self) {
        self.epoch += 1;
        self.position = 0;
        (self.loss, self.weight, self.norm, self.lr) = (0.0, 0.0, 0.0, 0.0);
    }
}

impl<T: Real> Stand<T> for Trainer<'_, T> {
    fn state(&self) -> TrainerState<'_, T> {
        Trainer::state(self)
    }
}

impl<T: Real> Trainer<'_, T> {
    /// All that a run needs to go on from here.
    pub fn state(&self) -> TrainerState<'_, T> {
        let (moments, optimizer_steps) = self.optimizer.state();
        let names = self.optimizer.spec().moment_names();
        let mut arrays: Vec<(Cow<'static, str>, Array<'_, T>)> = vec![
            (PARAMETERS.into(), Array::Borrowed(&self.parameters)),
            (KEPT.into(), Array::Borrowed(self.sizes.kept())),
        ];
        arrays.extend(names.iter().zip(moments).map(|(name, moment)| {
            let name = Cow::Owned(format!("{MOMENT}{name}"));
            (name, Array::Borrowed(moment.as_slice()))
        }));
        arrays.extend(self.standing.best.as_deref().map(|best| (BEST.into(), Array::Borrowed(best))));
        let carry = self.runner.state();
        arrays.extend((!carry.is_empty()).then(|| (CARRY.into(), Array::Borrowed(carry))));
        let record = Record::new(
            &self.standing,
            (self.steps, optimizer_steps),
            self.schedule.state(),
            self.sizes.ratios(),
            &self.history,
        );
        TrainerState { arrays, record }
    }

    /// Takes up a state: what follows has the bytes that it would have had where the state was taken. On an error nothing
    /// is changed.
    ///
    /// It tells a state of another network, optimizer or batch by its sizes and its place; that rows and settings are the
    /// same is for the caller to know.
    ///
    /// # Errors
    /// What does not fit this trainer's network or settings, or contradicts itself.
    pub fn restore(&mut self, state: &TrainerState<'_, T>) -> Result<(), RestoreError> {
        let slots = self.network.graph.slots();
        let record = &state.record;
        let rows = self.train.rows.len();
        record.check(&self.spec, rows, slots.iter().map(|slot| slot.name.as_str()))?;
        let sized = |name: &str, wanted: usize| match state.array(name) {
            None => Err(misfit(format!("it has no array {name}"))),
            Some(values) if values.len() != wanted => {
                Err(misfit(format!("its array {name} has {} numbers, this run has {wanted}", values.len())))
            }
            Some(values) => Ok(values),
        };
        let parameters = sized(PARAMETERS, slots.len())?;
        let kept = sized(KEPT, slots.len())?;
        let best = state.array(BEST).map(|_| sized(BEST, slots.len())).transpose()?;
        let carry = match self.runner.state().len() {
            0 => &[][..],
            wanted => sized(CARRY, wanted)?,
        };
        let names = self.optimizer.spec().moment_names();
        let moments: Vec<&[T]> =
            names.iter().map(|name| sized(&format!("{MOMENT}{name}"), slots.len())).collect::<Result<_, _>>()?;
        let known = 2 + names.len() + usize::from(best.is_some()) + usize::from(!carry.is_empty());
        if state.arrays.len() != known {
            return Err(misfit(format!("it has {} arrays, this run has {known}", state.arrays.len())));
        }
        self.optimizer
            .restore(&moments, record.optimizer_steps, slots)
            .map_err(|error| misfit(error.to_string().lines().next().unwrap_or_default()))?;
        self.parameters.copy_from_slice(parameters);
        self.runner.state_mut().copy_from_slice(carry);
        self.sizes.restore(kept, record.ratios());
        if let Some(plateau) = record.plateau {
            self.schedule.restore(plateau);
        }
        self.history = record.history();
        self.steps = record.steps;
        self.standing = record.standing(best.map(<[T]>::to_vec), record.rows_of_epoch(&self.spec, rows));
        Ok(())
    }
}
