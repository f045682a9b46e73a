//! Where a value stopped being finite: the step is run again in a plan that overwrites nothing, and searched in order.

use std::fmt;

use glassnet_core::slots::Slot;
use glassnet_core::{NodeId, Op, Precision, Purpose, Real, Runner, StepInfo, Team};
use serde::{Deserialize, Serialize};

use crate::functional::load_at;
use crate::network::Network;
use crate::source::Source;

/// What was not finite first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A number of the data.
    Input,
    /// A parameter.
    Parameter,
    /// A layer's value in the forward pass.
    Activation,
    /// The loss.
    Loss,
    /// A gradient in the backward pass.
    Gradient,
}

/// The first non-finite value of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NonFinite {
    /// Where.
    pub place: Place,
    /// The layer (or slot, or input) that first produced it.
    pub layer: String,
    /// `inf`, `-inf` or `NaN`.
    pub value: String,
    /// The row of the source, from 1, where the value belongs to one.
    pub row: Option<u64>,
    /// Epoch, from 1.
    pub epoch: u64,
    /// Step of the run, from 1.
    pub step: u64,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.place {
            Place::Input => "input",
            Place::Parameter => "parameter",
            Place::Activation => "value of layer",
            Place::Loss => "loss",
            Place::Gradient => "gradient of layer",
        };
        write!(f, "epoch {}, step {}: the {what}", self.epoch, self.step)?;
        if self.place != Place::Loss {
            write!(f, " {}", self.layer)?;
        }
        write!(f, " is {}", self.value)?;
        if let Some(row) = self.row {
            write!(f, " (row {row})")?;
        }
        Ok(())
    }
}

impl std::error::Error for NonFinite {}

fn word<T: Real>(value: T) -> String {
    if value.is_nan() {
        "NaN".into()
    } else if value > T::ZERO {
        "inf".into()
    } else {
        "-inf".into()
    }
}

/// Searches the step at `parameters` over `rows` for its first non-finite value: data, parameters, forward in order,
/// loss, backward in order. `None` when all is finite.
#[allow(clippy::too_many_arguments)]
pub fn find_non_finite<T: Real>(
    network: &Network,
    parameters: &[T],
    source: &dyn Source<T>,
    rows: &[u32],
    info: &StepInfo,
    team: &Team,
    epoch: u64,
    step: u64,
    precision: Precision,
) -> Option<NonFinite> {
    let objective = network.objective.as_ref()?;
    // As the training plan, dropout on, but with everything kept.
    let request = glassnet_core::Request {
        purpose: Purpose::Inspect,
        rows: rows.len(),
        backward_from: Some(objective.lowered().1),
        outputs: Vec::new(),
        training: true,
        checkpoint: false,
    };
    let plan = std::sync::Arc::new(glassnet_core::Plan::new(&network.graph, request).with_precision(precision));
    let mut runner = Runner::new(plan, team.clone());
    load_at(network, &mut runner, source, rows, info);
    let found = |place: Place, layer: &str, value: T, row: Option<usize>| {
        let row = row.and_then(|row| rows.get(row)).map(|&row| u64::from(row) + 1);
        Some(NonFinite { place, layer: layer.to_string(), value: word(value), row, epoch, step })
    };
    for slot in network.graph.slots().iter() {
        if let Some(&value) = parameters[slot.range()].iter().find(|value| !value.is_finite()) {
            return found(Place::Parameter, &slot.name, value, None);
        }
    }
    runner.forward(parameters, info);
    for (number, node) in network.graph.nodes().iter().enumerate() {
        let Some(values) = runner.value(NodeId(number)) else { continue };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let row = (!node.per_batch).then(|| at / node.shape.len().max(1));
            let place = match node.op {
                Op::Input(_) => Place::Input,
                _ if number >= objective.rows.0 => Place::Loss,
                _ => Place::Activation,
            };
            return found(place, &node.layer, values[at], row);
        }
    }
    let mut gradients = vec![T::ZERO; parameters.len()];
    runner.backward(parameters, &mut gradients, info);
    for (number, node) in network.graph.nodes().iter().enumerate().rev() {
        let Some(values) = runner.gradient(NodeId(number)) else { continue };
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let row = (!node.per_batch).then(|| at / node.shape.len().max(1));
            return found(Place::Gradient, &node.layer, values[at], row);
        }
    }
    let slots: Vec<_> = network.graph.slots().iter().collect();
    let first = |statistics: bool| {
        let of_kind = slots.iter().rev().filter(|slot| slot.role.is_statistic() == statistics);
        let bad = |slot: &Slot| gradients[slot.range()].iter().copied().find(|value| !value.is_finite());
        of_kind.copied().find_map(|slot: &Slot| bad(slot).map(|value| (slot, value)))
    };
    if let Some((slot, value)) = first(false) {
        return found(Place::Gradient, &slot.name, value, None);
    }
    // A variance that overflows leaves values and gradients finite; what it would make of the statistic is named.
    let (slot, value) = first(true)?;
    found(Place::Parameter, &slot.name, value, None)
}
