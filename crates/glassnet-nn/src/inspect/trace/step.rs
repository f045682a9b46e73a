//! One plain gradient step: `old - lr x grad = new` for every parameter, and the score again.

use glassnet_core::Real;
use glassnet_core::slots::Slot;
use serde::Serialize;

use super::{InspectError, Passed, Scores, Spread, loss, to_f64};
use crate::optimizer::{Optimizer, OptimizerSpec, Sgd};

/// A step and what it changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTrace {
    /// The learning rate.
    pub lr: f64,
    /// The new parameters, slot by slot, without running statistics.
    pub slots: Vec<SlotUpdate>,
    /// The same row through the new network.
    pub again: Again,
}

/// What the step does to one slot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotUpdate {
    /// The slot: `0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Learning rate times the slot's factor.
    pub lr: f64,
    /// Every parameter (of an open layer).
    pub updates: Vec<Update>,
    /// `new - old` in summary (of a closed layer).
    pub change: Option<Spread>,
}

/// `old - lr x gradient = new`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Update {
    /// The parameter: `0.weight[0][1]`.
    pub name: String,
    /// Before.
    pub old: f64,
    /// Its gradient.
    pub gradient: f64,
    /// After.
    pub new: f64,
}

/// The row once more, with the new parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Again {
    /// The last layer's value.
    pub output: Vec<f64>,
    /// The scores, where the network gives scores.
    pub scores: Option<Scores>,
    /// The loss.
    pub loss: f64,
}

/// Name of an element of a slot: `2.weight[3][17]`.
pub(crate) fn element_name(slot: &Slot, element: usize) -> String {
    let mut rest = element;
    let mut name = slot.name.clone();
    for (axis, _) in slot.shape.iter().enumerate() {
        let stride: usize = slot.shape[axis + 1..].iter().product();
        name.push_str(&format!("[{}]", rest / stride.max(1)));
        rest %= stride.max(1);
    }
    name
}

pub(super) fn traced<T: Real>(passed: &mut Passed<'_, T>, lr: f64) -> Result<StepTrace, InspectError> {
    let network = passed.network;
    let layout = network.graph.slots();
    let old = passed.parameters.clone();
    let gradients = passed.gradients.clone();
    let sgd = OptimizerSpec::Sgd(Sgd::default()).checked()?;
    Optimizer::new(sgd, layout).step(layout, &mut passed.parameters, &gradients, lr);
    let new = passed.parameters.clone();
    let mut slots = Vec::new();
    // Running statistics move by their own rule, not against a gradient.
    for slot in layout.iter().filter(|slot| !slot.role.is_statistic()) {
        let layer = network
            .layers
            .iter()
            .enumerate()
            .find(|(_, layer)| layer.slots.iter().any(|&id| layout.get(id).name == slot.name));
        let open = layer.is_some_and(|(number, _)| super::forward::layer_opens(passed, number));
        let [old, gradients, new] = [&old, &gradients, &new].map(|all| to_f64(&all[slot.range()]));
        let change: Vec<f64> = new.iter().zip(&old).map(|(new, old)| new - old).collect();
        let update = |element: usize| Update {
            name: element_name(slot, element),
            old: old[element],
            gradient: gradients[element],
            new: new[element],
        };
        slots.push(SlotUpdate {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
            lr: lr * slot.lr_factor,
            updates: if open { (0..slot.len()).map(update).collect() } else { Vec::new() },
            change: (!open).then(|| Spread::of(&change)),
        });
    }
    passed.run();
    let again = Again {
        output: passed.value(network.output),
        scores: passed.scores(),
        loss: loss::value(passed).unwrap_or(f64::NAN),
    };
    Ok(StepTrace { lr, slots, again })
}
