//! Optimizers: from gradients to new parameters, in one pass over flat memory.
//!
//! A step reads the gradients, updates the moments and the parameters, and allocates nothing. The formulas, and the order
//! of their arithmetic, are PyTorch's (`torch.optim`, one tensor at a time), so that f32 runs agree to rounding. Each
//! slot's `lr_factor` multiplies the learning rate, its `decay_factor` the weight decay.
//!
//! ```
//! use glassnet_core::slots::{Role, Slots};
//! use glassnet_nn::optimizer::{Optimizer, OptimizerSpec};
//! let mut slots = Slots::default();
//! slots.push("0.weight", &[1, 2], Role::Weight);
//! let mut optimizer = Optimizer::<f64>::new("sgd".parse::<OptimizerSpec>()?.checked()?, &slots);
//! let mut weights = [1.0, 2.0];
//! optimizer.step(&slots, &mut weights, &[10.0, -10.0], 0.01);
//! assert_eq!(weights, [0.9, 2.1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adam;
mod rmsprop;
mod sgd;
mod sizes;

pub use adam::{Adam, AdamW};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use sizes::UpdateSizes;

use std::ops::Range;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use glassnet_core::runner::Late;
use glassnet_core::slots::{Slot, Slots};
use glassnet_kernels::product::given::{BLOCK_COLUMNS, product_tn_given};
use glassnet_kernels::{Real, Team};
use serde::{Deserialize, Serialize};

use crate::hyperparameter::BadHyperparameters;
use crate::nearest::nearest;
use crate::norm::{self, TILE_COLUMNS, TILE_ROWS};

// A block is a column of whole tiles.
const _: () = assert!(BLOCK_COLUMNS == TILE_COLUMNS && 64 % TILE_ROWS == 0);

/// Which optimizer, with its hyperparameters; defaults are PyTorch's. The learning rate is the schedule's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum OptimizerSpec {
    /// Gradient descent: plain, with momentum, or Nesterov's.
    #[serde(rename = "sgd")]
    Sgd(Sgd),
    /// RMSprop.
    #[serde(rename = "rmsprop")]
    RmsProp(RmsProp),
    /// Adam, weight decay coupled (added to the gradient).
    #[serde(rename = "adam")]
    Adam(Adam),
    /// AdamW, weight decay decoupled (shrinks the weights directly).
    #[serde(rename = "adamw")]
    AdamW(AdamW),
}

impl Default for OptimizerSpec {
    fn default() -> Self {
        OptimizerSpec::Adam(Adam::default())
    }
}

/// Names that [`OptimizerSpec::from_str`] knows.
pub const NAMES: [&str; 6] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];

/// A name that is no optimizer's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no optimizer is called \"{name}\"\n  hint: {hint}")]
pub struct UnknownOptimizer {
    /// The name that was given.
    pub name: String,
    /// What to write instead.
    pub hint: String,
}

impl FromStr for OptimizerSpec {
    type Err = UnknownOptimizer;

    /// One of [`NAMES`], with its defaults; `momentum` and `nesterov` are SGD with momentum 0.9. Behind `adam` and `adamw` may
    /// stand both betas: `adamw 0.9 0.99`.
    fn from_str(name: &str) -> Result<Self, UnknownOptimizer> {
        if let Some(with_betas) = with_betas(name) {
            return Ok(with_betas);
        }
        Ok(match name.trim().to_lowercase().as_str() {
            "sgd" => OptimizerSpec::Sgd(Sgd::default()),
            "momentum" => OptimizerSpec::Sgd(Sgd { momentum: 0.9, ..Sgd::default() }),
            "nesterov" => OptimizerSpec::Sgd(Sgd { momentum: 0.9, nesterov: true, ..Sgd::default() }),
            "rmsprop" => OptimizerSpec::RmsProp(RmsProp::default()),
            "adam" => OptimizerSpec::Adam(Adam::default()),
            "adamw" => OptimizerSpec::AdamW(AdamW::default()),
            other => {
                let all = format!("one of {}", NAMES.join(", "));
                let hint =
                    nearest(other, NAMES).map_or(all.clone(), |near| format!("did you mean \"{near}\"? ({all})"));
                return Err(UnknownOptimizer { name: name.trim().to_string(), hint });
            }
        })
    }
}

/// `adam 0.9 0.99`, `adamw 0.9 0.99`; whether the betas are in range is for [`OptimizerSpec::checked`] to say.
fn with_betas(text: &str) -> Option<OptimizerSpec> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let &[name, first, second] = words.as_slice() else { return None };
    let (beta1, beta2) = (first.parse().ok()?, second.parse().ok()?);
    match name.to_lowercase().as_str() {
        "adam" => Some(OptimizerSpec::Adam(Adam { beta1, beta2, ..Adam::default() })),
        "adamw" => Some(OptimizerSpec::AdamW(AdamW { beta1, beta2, ..AdamW::default() })),
        _ => None,
    }
}

impl OptimizerSpec {
    /// Its name: one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            OptimizerSpec::Sgd(sgd) if sgd.nesterov => "nesterov",
            OptimizerSpec::Sgd(sgd) if sgd.momentum != 0.0 => "momentum",
            OptimizerSpec::Sgd(_) => "sgd",
            OptimizerSpec::RmsProp(_) => "rmsprop",
            OptimizerSpec::Adam(_) => "adam",
            OptimizerSpec::AdamW(_) => "adamw",
        }
    }

    /// PyTorch's default learning rate for it: 0.01 for RMSprop, 0.001 for the others.
    pub fn default_lr(&self) -> f64 {
        match self {
            OptimizerSpec::RmsProp(_) => 1e-2,
            _ => 1e-3,
        }
    }

    /// The weight decay.
    pub fn weight_decay(&self) -> f64 {
        match self {
            OptimizerSpec::Sgd(o) => o.weight_decay,
            OptimizerSpec::RmsProp(o) => o.weight_decay,
            OptimizerSpec::Adam(o) => o.weight_decay,
            OptimizerSpec::AdamW(o) => o.weight_decay,
        }
    }

    /// Sets the weight decay.
    pub fn set_weight_decay(&mut self, decay: f64) {
        match self {
            OptimizerSpec::Sgd(o) => o.weight_decay = decay,
            OptimizerSpec::RmsProp(o) => o.weight_decay = decay,
            OptimizerSpec::Adam(o) => o.weight_decay = decay,
            OptimizerSpec::AdamW(o) => o.weight_decay = decay,
        }
    }

    /// Checks every hyperparameter; the error has one line for each bad one.
    pub fn checked(self) -> Result<CheckedOptimizer, BadHyperparameters> {
        match &self {
            OptimizerSpec::Sgd(sgd) => sgd.check(),
            OptimizerSpec::RmsProp(rmsprop) => rmsprop.check(),
            OptimizerSpec::Adam(adam) => adam.check(),
            OptimizerSpec::AdamW(adamw) => adamw.check(),
        }?;
        Ok(CheckedOptimizer(self))
    }

    /// Names of the moments that it keeps, in the order of [`Optimizer::state`]; PyTorch's names.
    pub fn moment_names(&self) -> &'static [&'static str] {
        match self {
            OptimizerSpec::Sgd(sgd) => sgd.moment_names(),
            OptimizerSpec::RmsProp(rmsprop) => rmsprop.moment_names(),
            OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => adam::MOMENTS,
        }
    }

    /// Bytes of the moments for parameters of that layout, computed in `T`.
    pub fn memory<T: Real>(&self, slots: &Slots) -> usize {
        self.moment_names().len() * slots.len() * T::BYTES
    }
}

/// An [`OptimizerSpec`] whose hyperparameters are all in range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckedOptimizer(OptimizerSpec);

impl CheckedOptimizer {
    /// The specification.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.0
    }
}

/// Why a saved state does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Another number of moments.
    #[error(
        "the saved state has {found} moment(s), {optimizer} keeps {wanted}\n  hint: resume with the optimizer that the run was started with"
    )]
    Count {
        /// The optimizer's name.
        optimizer: &'static str,
        /// How many it keeps.
        wanted: usize,
        /// How many were given.
        found: usize,
    },
    /// A moment of another length.
    #[error(
        "the saved moment \"{moment}\" has {found} elements, the network has {wanted} parameters\n  hint: resume with the network that the run was started with"
    )]
    Length {
        /// The moment's name.
        moment: &'static str,
        /// Number of parameters.
        wanted: usize,
        /// Number of elements given.
        found: usize,
    },
}

/// An optimizer at work: its hyperparameters, its moments (each a flat buffer of the parameters' layout), its step count.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer<T> {
    spec: OptimizerSpec,
    moments: Vec<Vec<T>>,
    steps: u64,
    /// What the weight decay is multiplied by: its schedule's value.
    decay_share: f64,
}

impl<T: Real> Optimizer<T> {
    /// An optimizer for parameters of that layout, moments 0.
    pub fn new(spec: CheckedOptimizer, slots: &Slots) -> Self {
        let spec = spec.0;
        let moments = spec.moment_names().iter().map(|_| vec![T::ZERO; slots.len()]).collect();
        Optimizer { spec, moments, steps: 0, decay_share: 1.0 }
    }

    /// Sets what the weight decay is multiplied by in the steps that follow (1 at first).
    pub fn set_decay_share(&mut self, share: f64) {
        self.decay_share = share;
    }

    /// Its hyperparameters.
    pub fn spec(&self) -> &OptimizerSpec {
        &self.spec
    }

    /// One step: `parameters` move against `gradients` by what the optimizer makes of `lr`; statistics take the change
    /// that stands in their place as it is. Both are flat buffers of the
    /// layout `slots`. Allocates nothing.
    ///
    /// # Panics
    /// If a buffer has not the length of the layout that the optimizer was made for.
    pub fn step(&mut self, slots: &Slots, parameters: &mut [T], gradients: &[T], lr: f64) {
        self.step_by(&Team::single(), slots, parameters, gradients, lr);
    }

    /// The same on the team's threads: every element is changed by itself, so that the bytes are the same.
    ///
    /// # Panics
    /// As [`Optimizer::step`].
    pub fn step_by(&mut self, team: &Team, slots: &Slots, parameters: &mut [T], gradients: &[T], lr: f64) {
        assert_eq!(parameters.len(), slots.len(), "parameters are a flat buffer of the layout");
        assert_eq!(gradients.len(), slots.len(), "gradients are a flat buffer of the layout");
        self.begin();
        self.step_range(team, slots, 0..slots.len(), parameters, gradients, lr);
    }

    /// A step begins, of which each element is then changed once: by [`Optimizer::step_range`] or [`Optimizer::step_given`].
    pub(crate) fn begin(&mut self) {
        self.steps += 1;
    }

    /// The step on one range of the flat buffers.
    pub(crate) fn step_range(
        &mut self,
        team: &Team,
        slots: &Slots,
        range: Range<usize>,
        parameters: &mut [T],
        gradients: &[T],
        lr: f64,
    ) {
        let (parameters, gradients) = (&mut parameters[range.clone()], &gradients[range.clone()]);
        let Optimizer { spec, moments, steps, decay_share } = self;
        let decay = spec.weight_decay() * *decay_share;
        let mut buffers = moments.iter_mut();
        let mut next = || buffers.next().map_or((&mut [][..], 0), |moment| (&mut moment[range.clone()], 1));
        let slices = [(parameters, 1), next(), next(), next()];
        team.split_together(range.len(), PART, slices, &|part, pieces| {
            let [parameters, first, second, third] = pieces;
            let place = range.start + part.start..range.start + part.end;
            update(spec, *steps, slots, (lr, decay), place, parameters, &gradients[part], [first, second, third]);
        });
    }

    /// The step on a weight whose gradient is made on the way, block by block, and never stands in memory as a whole. The sums
    /// of squares of the gradient's tiles ([`crate::norm`]) go to `sums`, as bits of f64; `room` is what
    /// [`glassnet_kernels::product::given::given_room`] asks for.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn step_given(
        &mut self,
        team: &Team,
        slot: &Slot,
        late: &Late<'_, T>,
        parameters: &mut [T],
        lr: f64,
        room: &mut [T],
        sums: &[AtomicU64],
    ) {
        let Optimizer { spec, moments, steps, decay_share } = self;
        let decay = spec.weight_decay() * *decay_share;
        let (lr, decay, step) = (lr * slot.lr_factor, decay * slot.decay_factor, *steps);
        let (width, range) = (late.width, slot.range());
        let (units, rows) = (range.len() / width, late.x.len() / width);
        let across = width.div_ceil(TILE_COLUMNS);
        let mut buffers = moments.iter_mut();
        let mut next = || buffers.next().map_or(&mut [][..], |moment| &mut moment[range.clone()]);
        let others = [&mut parameters[range.clone()], next(), next(), next()];
        product_tn_given(team, units, width, rows, late.upstream, late.x, others, room, &|mut block| {
            let columns = block.columns.len();
            for (number, tile) in block.values.chunks(TILE_ROWS * columns).enumerate() {
                let place = (block.rows.start / TILE_ROWS + number) * across + block.columns.start / TILE_COLUMNS;
                sums[place].store(norm::tile(tile, columns, columns).to_bits(), Ordering::Relaxed);
            }
            let [parameters, first, second, third] = &mut block.others;
            for (row, gradients) in block.values.chunks_exact(columns).enumerate() {
                let piece = Piece { parameters: parameters.row(row), gradients, lr, decay, step };
                apply(spec, piece, [first.row(row), second.row(row), third.row(row)]);
            }
        });
    }

    /// Bytes of the moments.
    pub fn memory(&self, slots: &Slots) -> usize {
        self.spec.memory::<T>(slots)
    }

    /// The moments, in the order of [`OptimizerSpec::moment_names`], and the number of steps taken: all that a
    /// checkpoint needs.
    pub fn state(&self) -> (&[Vec<T>], u64) {
        (&self.moments, self.steps)
    }

    /// Takes up a saved state; on an error nothing is changed.
    pub fn restore(&mut self, moments: &[&[T]], steps: u64, slots: &Slots) -> Result<(), StateError> {
        let names = self.spec.moment_names();
        if moments.len() != names.len() {
            return Err(StateError::Count { optimizer: self.spec.name(), wanted: names.len(), found: moments.len() });
        }
        for (moment, saved) in names.iter().zip(moments) {
            if saved.len() != slots.len() {
                return Err(StateError::Length { moment, wanted: slots.len(), found: saved.len() });
            }
        }
        self.moments = moments.iter().map(|saved| saved.to_vec()).collect();
        self.steps = steps;
        Ok(())
    }
}

/// Elements that are worth a thread: some microseconds from the cache.
const PART: usize = 1 << 15;

/// Step number `step` on the elements `part` of the flat buffer, of which all slices are that part; moments that the optimizer
/// does not keep are empty.
#[allow(clippy::too_many_arguments)]
fn update<T: Real>(
    spec: &OptimizerSpec,
    step: u64,
    slots: &Slots,
    (lr, decay): (f64, f64),
    part: Range<usize>,
    parameters: &mut [T],
    gradients: &[T],
    mut moments: [&mut [T]; 3],
) {
    for Run { range, statistic, lr, decay } in runs(slots, lr, decay) {
        let (start, end) = (range.start.max(part.start), range.end.min(part.end));
        if start >= end {
            continue;
        }
        let here = start - part.start..end - part.start;
        let (parameters, gradients) = (&mut parameters[here.clone()], &gradients[here.clone()]);
        if statistic {
            for (statistic, &change) in parameters.iter_mut().zip(gradients) {
                *statistic += change;
            }
            continue;
        }
        let piece = Piece { parameters, gradients, lr, decay, step };
        let [first, second, third] = moments.each_mut().map(|moment| moment.get_mut(here.clone()).unwrap_or_default());
        apply(spec, piece, [first, second, third]);
    }
}

/// The formula, on elements of one rate and decay.
fn apply<T: Real>(spec: &OptimizerSpec, piece: Piece<'_, T>, moments: [&mut [T]; 3]) {
    let [first, second, third] = moments;
    match spec {
        OptimizerSpec::Sgd(sgd) if sgd.momentum == 0.0 => sgd.plain(piece),
        OptimizerSpec::Sgd(sgd) => sgd.momentum(piece, first),
        OptimizerSpec::RmsProp(rmsprop) => rmsprop.update(piece, [first, second, third]),
        OptimizerSpec::Adam(adam) => adam.update(piece, first, second),
        OptimizerSpec::AdamW(adamw) => adamw.update(piece, first, second),
    }
}

/// Slots side by side that a step treats alike: one pass over memory.
#[derive(Debug, Clone, PartialEq)]
struct Run {
    range: Range<usize>,
    statistic: bool,
    /// Learning rate times the slots' factor.
    lr: f64,
    /// Weight decay times the slots' factor.
    decay: f64,
}

/// The slots as runs, in their order.
fn runs(slots: &Slots, lr: f64, decay: f64) -> impl Iterator<Item = Run> {
    let run = move |slot: &Slot| Run {
        range: slot.range(),
        statistic: slot.role.is_statistic(),
        lr: lr * slot.lr_factor,
        decay: decay * slot.decay_factor,
    };
    let mut rest = slots.iter().map(run).peekable();
    std::iter::from_fn(move || {
        let mut run = rest.next()?;
        let alike = |run: &Run, next: &Run| {
            next.range.start == run.range.end
                && (next.statistic, next.lr, next.decay) == (run.statistic, run.lr, run.decay)
        };
        while let Some(next) = rest.next_if(|next| alike(&run, next)) {
            run.range.end = next.range.end;
        }
        Some(run)
    })
}

/// One run's share of a step.
struct Piece<'a, T> {
    parameters: &'a mut [T],
    gradients: &'a [T],
    /// Learning rate times the slots' factor.
    lr: f64,
    /// Weight decay times the slots' factor.
    decay: f64,
    /// Number of this step, from 1.
    step: u64,
}
