//! Where gradients start: the target, the loss, and its gradient with respect to what it reads.

use glassnet_core::Real;
use glassnet_core::ops::cross_entropy::IGNORED;
use serde::Serialize;

use super::backward::{Chain, factor};
use super::{InspectError, Passed};
use crate::loss::LossSpec;
use crate::network::Network;
use crate::source::Targets;

/// The target of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target<'a> {
    /// A class number, from 0. Where the loss compares values: 0 or 1 (or any number) for one output, one-hot for more.
    Class(usize),
    /// One value an output. Where the loss wants a class number: that number, as the only value; of sequences one for each
    /// time step, -1 where none counts.
    Values(&'a [f64]),
}

/// Target, loss, and where gradients start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossTrace {
    /// The loss's name.
    pub name: &'static str,
    /// Its formula.
    pub formula: &'static str,
    /// Its derivative.
    pub derivative: &'static str,
    /// The class number, or the values; of sequences the class number of each time step, -1 where none counts.
    pub target: Vec<f64>,
    /// The loss of the row.
    pub value: f64,
    /// What the loss reads: the last layer's values, or the logits before it.
    pub reads: Vec<f64>,
    /// The layer whose values these are.
    pub layer: String,
    /// Their gradients. Chains without factors are those of losses with weights or smoothing: only the value is shown.
    pub gradients: Vec<Chain>,
}

pub(super) fn targets<T: Real>(network: &Network, target: &Target<'_>) -> Result<Targets<T>, InspectError> {
    let Some(objective) = &network.objective else { return Err(InspectError::NoLoss) };
    let outputs = network.graph.node(network.logits).shape.len();
    let classes = network.graph.node(network.logits).shape.last();
    let error = |message: String, hint: String| Err(InspectError::Target { message, hint });
    if objective.loss.takes_labels() && network.gives_steps() {
        let steps = network.graph.node(objective.target).shape.len();
        let own = if let Target::Class(class) = *target { vec![class as f64] } else { Vec::new() };
        let labels = if let Target::Values(values) = *target { values } else { own.as_slice() };
        if labels.len() != steps {
            let message = format!("the network has {steps} time steps, but the target has {} labels", labels.len());
            return error(message, format!("give {steps} numbers from 0 to {}, -1 where none counts", classes - 1));
        }
        let known = |label: f64| label % 1.0 == 0.0 && label >= -1.0 && label < classes as f64;
        if let Some(step) = labels.iter().position(|&label| !known(label)) {
            let message = format!("label {} of time step {step} is not one of the {classes} classes", labels[step]);
            return error(message, format!("give whole numbers from 0 to {}, -1 where none counts", classes - 1));
        }
        let label = |&label: &f64| if label < 0.0 { IGNORED } else { label as i32 };
        return Ok(Targets::Labels(labels.iter().map(label).collect()));
    }
    if objective.loss.takes_labels() {
        let class = match *target {
            Target::Class(class) => class as f64,
            Target::Values([class]) => *class,
            Target::Values(values) => {
                let message = format!("the loss compares with one class number, but {} values are given", values.len());
                return error(message, format!("give a number from 0 to {}", outputs - 1));
            }
        };
        if !(0.0..outputs as f64).contains(&class) || class % 1.0 != 0.0 {
            let message = format!("class {class} is not one of the network's {outputs} classes");
            return error(message, format!("give a whole number from 0 to {}", outputs.saturating_sub(1)));
        }
        return Ok(Targets::Labels(vec![class as i32]));
    }
    let values = match *target {
        Target::Class(class) if outputs == 1 => vec![class as f64],
        Target::Class(class) if class < outputs => (0..outputs).map(|j| f64::from(u8::from(j == class))).collect(),
        Target::Class(class) => {
            let message = format!("class {class} is not one of the network's {outputs} outputs");
            return error(message, format!("give a whole number from 0 to {}", outputs - 1));
        }
        Target::Values(values) => values.to_vec(),
    };
    if values.len() != outputs {
        let message = format!("the network gives {outputs} outputs, but the target has {} values", values.len());
        return error(message, format!("give {outputs} values"));
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return error(format!("the target has the value {value}, which is not finite"), "give a number".into());
    }
    if matches!(objective.loss, LossSpec::BinaryCrossEntropy { .. })
        && let Some(value) = values.iter().find(|value| !(0.0..=1.0).contains(*value))
    {
        let message = format!("binary cross-entropy compares scores with targets from 0 to 1, but a target is {value}");
        return error(message, "give 0 or 1".into());
    }
    Ok(Targets::Values(values.into_iter().map(T::from_f64).collect(), outputs))
}

/// The first number of what [`Passed`] holds of the mean loss.
pub(super) fn value<T: Real>(passed: &Passed<'_, T>) -> Option<f64> {
    let objective = passed.network.objective.as_ref()?;
    passed.value(objective.mean).first().copied()
}

pub(super) fn traced<T: Real>(passed: &Passed<'_, T>) -> Option<LossTrace> {
    let network = passed.network;
    let objective = network.objective.as_ref().filter(|_| passed.backward)?;
    let reads = passed.value(network.logits);
    let target: Vec<f64> = match &passed.row.targets {
        Targets::Labels(labels) => {
            labels.iter().map(|&label| if label == IGNORED { -1.0 } else { f64::from(label) }).collect()
        }
        Targets::Values(values, _) => super::to_f64(values),
        Targets::None => Vec::new(),
    };
    let scores = passed.scores().map(|scores| scores.values).unwrap_or_default();
    let outputs = reads.len() as f64;
    let width = network.graph.node(network.logits).shape.last().max(1);
    let counted = target.iter().filter(|&&label| label >= 0.0).count();
    let curve = network.layers.iter().any(|layer| layer.node == network.logits && layer.activation.is_some());
    let name = if curve { "dL/da" } else { "dL/dz" };
    let gradients = passed.gradient(network.logits).unwrap_or_default().into_iter().enumerate();
    let gradients = gradients.map(|(i, gradient)| {
        let t = || target.get(i).copied().unwrap_or(0.0);
        let p = scores.get(i).copied().unwrap_or(0.0);
        let terms = match &objective.loss {
            LossSpec::CrossEntropy { smoothing, .. } if *smoothing == 0.0 => {
                // A sequence has a label for each time step; -1 counts for nothing.
                let label = target.get(i / width).copied().unwrap_or(-1.0);
                let difference = factor("(score - target)", p - f64::from(u8::from(label == (i % width) as f64)));
                match target.len() {
                    1 => vec![vec![difference]],
                    _ if label < 0.0 => Vec::new(),
                    _ => vec![vec![factor("1/T", 1.0 / counted as f64), difference]],
                }
            }
            LossSpec::BinaryCrossEntropy { positive_weight, .. } if *positive_weight == 1.0 => {
                vec![vec![factor("1/K", 1.0 / outputs), factor("(score - target)", p - t())]]
            }
            LossSpec::MeanSquared => vec![vec![factor("2/K", 2.0 / outputs), factor("(y - target)", reads[i] - t())]],
            LossSpec::MeanAbsolute => {
                let e = reads[i] - t();
                let sign = if e == 0.0 { 0.0 } else { e.signum() };
                vec![vec![factor("1/K", 1.0 / outputs), factor("sign(y - target)", sign)]]
            }
            _ => Vec::new(),
        };
        Chain { of: format!("{name}[{i}]"), terms, gradient }
    });
    let card = objective.loss.op().card();
    Some(LossTrace {
        name: card.name,
        formula: card.formula,
        derivative: card.derivative,
        target: target.clone(),
        value: value(passed)?,
        layer: network.layer_of(network.logits).to_string(),
        gradients: gradients.collect(),
        reads,
    })
}
