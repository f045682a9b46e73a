//! Are the gradients right? The analytic gradients of this very network on given rows, held against finite differences
//! of its loss, in f64.
//!
//! The central difference `(L(w + h) - L(w - h)) / 2h` errs by h^2 times the third derivative and by rounding over h, so
//! where the first step disagrees other steps are tried: an error that is really there shows at every step. Where a unit
//! such as ReLU changes sides inside the step, the difference mixes two slopes: smaller steps and one-sided differences
//! that stay on the point's own side are tried; where the point lies on the kink itself there is nothing to compare, and
//! that is counted, not hidden.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | what is checked, the result, the text |
//! | `difference.rs` | the finite difference of one parameter |
//! | `kinks.rs` | on which side of its kinks every unit is |

mod difference;
mod kinks;

use std::fmt::{self, Display, Formatter};

use glassnet_core::random::{Draws, Purpose as Draw};
use glassnet_core::slots::Slot;
use glassnet_core::{Purpose, Real, Request, Runner, StepInfo, Team};
use serde::Serialize;

use super::InspectError;
use super::number::{count, significant};
use super::trace::element_name;
use crate::functional;
use crate::network::Network;
use crate::source::Source;
use difference::{Compared, Differences};

/// How to check.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckOptions {
    /// First step h; that of a parameter w is `h max(1, |w|)`.
    pub step: f64,
    /// Largest relative error that passes.
    pub tolerance: f64,
    /// All parameters are checked up to this many; of larger networks a sample of every slot.
    pub all_up_to: usize,
    /// Parameters of one slot in a sample.
    pub sample: usize,
    /// Whether dropout is on, with the same mask for every evaluation (it is a function of `info`).
    pub dropout: bool,
    /// Seed, epoch and place: which sample and which dropout mask.
    pub info: StepInfo,
}

impl Default for CheckOptions {
    fn default() -> Self {
        CheckOptions {
            step: 1e-5,
            tolerance: 1e-5,
            all_up_to: 2000,
            sample: 50,
            dropout: true,
            info: StepInfo::default(),
        }
    }
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Whether every compared gradient is right; false also where none could be compared.
    pub passed: bool,
    /// The tolerance.
    pub tolerance: f64,
    /// The first step.
    pub step: f64,
    /// Rows that the loss is a mean over.
    pub rows: usize,
    /// The mean loss.
    pub loss: f64,
    /// Trained parameters of the network: all but running statistics.
    pub parameters: usize,
    /// Parameters that were compared.
    pub compared: usize,
    /// Whether only a sample was compared.
    pub sampled: bool,
    /// Whether the network has dropout and it was on.
    pub dropout: bool,
    /// Slot by slot, without running statistics.
    pub slots: Vec<SlotCheck>,
    /// The worst of all.
    pub worst: Option<Difference>,
}

/// What the check found in one slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotCheck {
    /// The slot: `0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Whether every compared gradient is right.
    pub passed: bool,
    /// How many were compared.
    pub compared: usize,
    /// How many were wrong.
    pub wrong: usize,
    /// How many of the compared needed a smaller or one-sided step because a unit changes sides nearby.
    pub near_kinks: usize,
    /// How many could not be compared: the point lies on a kink.
    pub on_kinks: usize,
    /// The worst.
    pub worst: Option<Difference>,
}

/// One gradient, both ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The parameter: `2.weight[3][17]`.
    pub parameter: String,
    /// Its gradient by backward.
    pub analytic: f64,
    /// Its gradient by finite differences.
    pub numeric: f64,
    /// `|analytic - numeric| / max(|analytic|, |numeric|, 1e-4 max(1, |loss|))`; infinite where either is not finite.
    /// Where kinks leave only a step h below the first, the last number is what rounding blurs at that step, if larger.
    pub error: f64,
}

/// Checks the gradients of `rows` at `parameters`.
///
/// ```
/// use glassnet_nn::inspect::{CheckOptions, check};
/// use glassnet_nn::{loss::LossSpec, network::Network, source::Matrix, spec::NetSpec};
/// let network = Network::new(&"2 -> 3 tanh -> 2".parse::<NetSpec>()?, Some(&LossSpec::cross_entropy()))?;
/// let parameters: Vec<f64> = network.initialise(1);
/// let data = Matrix::with_labels(vec![0.0, 1.0, 1.0, 0.0], 2, vec![0, 1]);
/// let found = check(&network, &parameters, &data, &[0, 1], &CheckOptions::default())?;
/// assert!(found.passed && found.compared == 17);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// No loss, no rows or rows that the data does not have, data or parameters of another size, settings out of range.
pub fn check(
    network: &Network,
    parameters: &[f64],
    source: &dyn Source<f64>,
    rows: &[u32],
    options: &CheckOptions,
) -> Result<Check, InspectError> {
    let gradients = gradients(network, parameters, source, rows, options)?;
    compare(network, parameters, &gradients, source, rows, options)
}

/// The analytic gradients that [`check`] compares: backward on the mean loss of `rows`.
///
/// # Errors
/// As [`check`].
pub fn gradients(
    network: &Network,
    parameters: &[f64],
    source: &dyn Source<f64>,
    rows: &[u32],
    options: &CheckOptions,
) -> Result<Vec<f64>, InspectError> {
    validate(network, parameters, source, rows, options)?;
    let (mut runner, info) = loaded(network, source, rows, options)?;
    let mut gradients = vec![0.0; parameters.len()];
    runner.forward(parameters, &info);
    runner.backward(parameters, &mut gradients, &info);
    Ok(gradients)
}

/// Compares given gradients (flat, in the parameters' layout) with finite differences of the loss.
///
/// # Errors
/// As [`check`]; gradients of another size.
pub fn compare(
    network: &Network,
    parameters: &[f64],
    gradients: &[f64],
    source: &dyn Source<f64>,
    rows: &[u32],
    options: &CheckOptions,
) -> Result<Check, InspectError> {
    validate(network, parameters, source, rows, options)?;
    if gradients.len() != parameters.len() {
        let (wanted, found) = (parameters.len(), gradients.len());
        return Err(InspectError::Parameters { what: "gradients", wanted, found });
    }
    let (runner, info) = loaded(network, source, rows, options)?;
    let mut differences = Differences::new(network, runner, info, parameters, options);
    let trained = network.graph.slots().trained();
    let sampled = trained > options.all_up_to;
    let mut slots = Vec::new();
    // What stands in a statistic's place is the change that the batch asks for, no gradient of the loss.
    let learned = network.graph.slots().iter().enumerate().filter(|(_, slot)| !slot.role.is_statistic());
    for (number, slot) in learned {
        let mut found = SlotCheck {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
            passed: true,
            compared: 0,
            wrong: 0,
            near_kinks: 0,
            on_kinks: 0,
            worst: None,
        };
        for element in elements(slot, number, sampled, options) {
            let place = slot.offset + element;
            let (numeric, error, near) = match differences.compare(place, gradients[place]) {
                Compared::OnKink => {
                    found.on_kinks += 1;
                    continue;
                }
                Compared::Difference { numeric, error, near_kink } => (numeric, error, near_kink),
            };
            found.compared += 1;
            found.near_kinks += usize::from(near);
            // An error that is not a number is not within any tolerance.
            let right = error <= options.tolerance;
            found.wrong += usize::from(!right);
            if found.worst.as_ref().is_none_or(|worst| error > worst.error) {
                let parameter = element_name(slot, element);
                found.worst = Some(Difference { parameter, analytic: gradients[place], numeric, error });
            }
        }
        found.passed = found.wrong == 0;
        slots.push(found);
    }
    let compared = slots.iter().map(|slot| slot.compared).sum();
    let worst = slots.iter().filter_map(|slot| slot.worst.as_ref());
    let worst = worst.fold(None, |worst: Option<&Difference>, next| match worst {
        Some(worst) if worst.error >= next.error => Some(worst),
        _ => Some(next),
    });
    Ok(Check {
        passed: compared > 0 && slots.iter().all(|slot| slot.passed),
        tolerance: options.tolerance,
        step: options.step,
        rows: rows.len(),
        loss: differences.loss(),
        parameters: trained,
        compared,
        sampled,
        dropout: options.dropout && network.graph.nodes().iter().any(|node| node.op.training_only()),
        worst: worst.cloned(),
        slots,
    })
}

fn validate(
    network: &Network,
    parameters: &[f64],
    source: &dyn Source<f64>,
    rows: &[u32],
    options: &CheckOptions,
) -> Result<(), InspectError> {
    let (wanted, found) = (network.parameters(), parameters.len());
    if wanted != found {
        return Err(InspectError::Parameters { what: "parameters", wanted, found });
    }
    if source.width() != network.inputs() {
        return Err(InspectError::Row { wanted: network.inputs(), found: source.width() });
    }
    if rows.is_empty() {
        return Err(InspectError::Rows { what: "none is given".into(), rows: source.rows() });
    }
    if let Some(row) = rows.iter().find(|&&row| row as usize >= source.rows()) {
        let what = format!("row {} is asked for", u64::from(*row) + 1);
        return Err(InspectError::Rows { what, rows: source.rows() });
    }
    let default = CheckOptions::default();
    for (name, value, default) in
        [("step", options.step, default.step), ("tolerance", options.tolerance, default.tolerance)]
    {
        if !(value > 0.0 && value < 1.0) {
            return Err(InspectError::Setting { name, allowed: "greater than 0 and below 1", value, default });
        }
    }
    Ok(())
}

/// A runner with the rows in it, on a plan that keeps every value.
fn loaded(
    network: &Network,
    source: &dyn Source<f64>,
    rows: &[u32],
    options: &CheckOptions,
) -> Result<(Runner<f64>, StepInfo), InspectError> {
    let Some(objective) = &network.objective else { return Err(InspectError::NoLoss) };
    let request = Request {
        purpose: Purpose::Inspect,
        rows: rows.len(),
        backward_from: Some(objective.lowered().1),
        outputs: vec![network.output, network.logits, objective.rows],
        training: options.dropout,
        checkpoint: false,
    };
    let plan = glassnet_core::Plan::new(&network.graph, request);
    let mut runner = Runner::new(plan.into(), Team::single());
    let denominator = functional::load(network, &mut runner, source, rows);
    Ok((runner, StepInfo { denominator, ..options.info }))
}

/// Which elements of a slot are compared: all, or a sample without repetition in the slot's order.
fn elements(slot: &Slot, number: usize, sampled: bool, options: &CheckOptions) -> Vec<usize> {
    let len = slot.len();
    if !sampled || len <= options.sample {
        return (0..len).collect();
    }
    let draws = Draws::new(options.info.seed, Draw::Inspect, number as u32, 0);
    let mut chosen = std::collections::BTreeSet::new();
    let mut place = 0;
    while chosen.len() < options.sample {
        chosen.insert(draws.below(place, len as u64) as usize);
        place += 1;
    }
    chosen.into_iter().collect()
}

impl Display for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mode = if self.sampled { "a sample of every slot" } else { "all" };
        writeln!(
            f,
            "{} of {} parameters ({mode}), {} rows, loss {}, f64, step {:e}, tolerance {:e}{}",
            count(self.compared as u64),
            count(self.parameters as u64),
            count(self.rows as u64),
            significant(self.loss, 6),
            self.step,
            self.tolerance,
            if self.dropout { ", dropout on with one mask" } else { "" }
        )?;
        let width = self.slots.iter().map(|slot| slot.name.len()).max().unwrap_or(0);
        for slot in &self.slots {
            let verdict = match (slot.passed, slot.compared) {
                (_, 0) => "nothing to compare".to_string(),
                (true, _) => "ok".to_string(),
                (false, compared) => format!("WRONG: {} of {compared}", slot.wrong),
            };
            write!(f, "  {:width$}  {verdict}", slot.name)?;
            if let Some(worst) = &slot.worst {
                write!(f, ", worst relative error {:.1e} at {}", worst.error, worst.parameter)?;
            }
            if slot.near_kinks > 0 {
                write!(f, "; {} beside a kink, smaller or one-sided step", slot.near_kinks)?;
            }
            if slot.on_kinks > 0 {
                write!(f, "; {} on a kink, not comparable", slot.on_kinks)?;
            }
            writeln!(f)?;
        }
        match &self.worst {
            Some(worst) => writeln!(
                f,
                "{}: worst is {}, backward {}, finite difference {}, relative error {:.1e}",
                if self.passed { "passed" } else { "FAILED" },
                worst.parameter,
                significant(worst.analytic, 10),
                significant(worst.numeric, 10),
                worst.error
            ),
            None => writeln!(f, "FAILED: nothing could be compared"),
        }
    }
}

/// The relative error; see [`Difference::error`].
fn relative_error(analytic: f64, numeric: f64, floor: f64) -> f64 {
    if !(Real::is_finite(analytic) && Real::is_finite(numeric)) {
        return f64::INFINITY;
    }
    (analytic - numeric).abs() / analytic.abs().max(numeric.abs()).max(floor)
}
