//! Units that compute the same and learn the same.
//!
//! Equal weights alone are harmless: if what stands behind treats the units differently they part in the first step (a
//! tanh layer of zeros below a random head does). Equal weights *and* equal gradients are not: any optimizer that goes
//! element by element takes equal steps from there, for ever. So both are compared, bit by bit, after the first step, with
//! that step's own gradients. The head is left out: a row of zeros per class is a fine start there, and classes that the
//! batch lacks have equal gradients.

use std::cmp::Ordering;

use glassnet_core::Real;

use super::finding::{Finding, Severity, count};
use super::gather::Look;
use crate::train::View;

pub(super) fn look<T: Real>(view: &View<'_, T>, out: &mut Look) {
    let slots = view.network.graph.slots();
    let head = view.network.layers.iter().rposition(|layer| layer.linear.is_some());
    for (place, layer) in view.network.layers.iter().enumerate() {
        let Some(linear) = layer.linear.as_ref().filter(|_| Some(place) != head) else { continue };
        let Some(&weight) = layer.slots.first() else { continue };
        let fan_in = linear.fan_in.max(1);
        let of_unit = |buffer: &'_ [T], unit: usize| -> Vec<T> {
            let mut row = slots.view(weight, buffer)[unit * fan_in..(unit + 1) * fan_in].to_vec();
            row.extend(layer.slots.get(1).map(|&bias| slots.view(bias, buffer)[unit]));
            row
        };
        let mut units: Vec<(Vec<T>, Vec<T>)> =
            (0..linear.fan_out).map(|unit| (of_unit(view.parameters, unit), of_unit(view.gradients, unit))).collect();
        units.sort_by(|a, b| order(&a.0, &b.0).then_with(|| order(&a.1, &b.1)));
        let groups = units.chunk_by(|a, b| order(&a.0, &b.0).is_eq() && order(&a.1, &b.1).is_eq());
        let largest = groups.map(<[_]>::len).max().unwrap_or(0);
        if largest < 2 {
            continue;
        }
        let severity = if largest == linear.fan_out { Severity::Error } else { Severity::Warning };
        let evidence = format!(
            "{} of {} units have equal weights and equal gradients, so they stay equal and count as one",
            count(largest),
            count(linear.fan_out)
        );
        let advice = "random initial weights (leave the init out)";
        let finding = Finding::new("symmetric-weights", severity, evidence, advice).at_layer(layer);
        out.push_rated(finding, largest as f64 / linear.fan_out as f64);
    }
}

fn order<T: Real>(a: &[T], b: &[T]) -> Ordering {
    a.partial_cmp(b).unwrap_or(Ordering::Less)
}
