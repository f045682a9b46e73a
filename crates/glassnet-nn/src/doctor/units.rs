//! Units that have stopped answering: ReLUs that give 0 for every row, tanh and sigmoid units at their bounds.

use glassnet_core::{NodeId, Real};

use super::finding::{Finding, Severity, count, short};
use super::gather::Look;
use super::picture::{Facts, Picture};
use crate::layers::LayerInfo;
use crate::spec::Activation;

/// Share of a layer's units that must be dead: a few are usual (and cost only their own weights), in small layers or with
/// sparse inputs up to a third from the start.
pub const DEAD_SHARE: f64 = 0.5;

/// Share of the rows for which a saturated unit is at a bound.
pub const SATURATED_ROWS: f64 = 0.95;

/// Share of a layer's units that must be saturated.
pub const SATURATED_UNITS: f64 = 0.5;

/// |tanh| above this is at the bound: its derivative is then below 0.04 of the largest, as is the sigmoid's outside
/// (0.01, 0.99).
pub const TANH_BOUND: f64 = 0.98;

/// Saturation is a fault only while the loss is above this share of a constant guess's: a network that has learned to tell
/// classes apart may well answer yes or no.
pub const SATURATED_LOSS: f64 = 0.5;

/// Number of units of a layer whose rows have that shape: the channels of an image, the features of a sequence, else every
/// number. What stands at one place of a map is no unit: the border of a picture may well be blank in all of them.
fn units_of(axes: &[usize]) -> usize {
    match axes {
        [_, features] => *features,
        [channels, _, _, ..] => *channels,
        _ => axes.iter().product(),
    }
}

/// The unit that number `place` of a row belongs to.
fn unit(axes: &[usize], place: usize) -> usize {
    match axes {
        [_, features] => place % (*features).max(1),
        [_, rest @ ..] if rest.len() > 1 => place / rest.iter().product::<usize>().max(1),
        _ => place,
    }
}

/// How many of a node's units answer `quiet`, wherever they look, for at least `share` of the rows.
fn quiet_units<T: Real>(picture: &Picture<'_, T>, node: NodeId, share: f64, quiet: impl Fn(f64) -> bool) -> usize {
    let shape = &picture.network.graph.node(node).shape;
    let mut rows = vec![0usize; units_of(&shape.0)];
    let mut loud = vec![false; rows.len()];
    for row in picture.value(node).chunks_exact(shape.len().max(1)) {
        loud.fill(false);
        for (place, &value) in row.iter().enumerate() {
            loud[unit(&shape.0, place)] |= !quiet(value.to_f64());
        }
        rows.iter_mut().zip(&loud).for_each(|(rows, &loud)| *rows += usize::from(!loud));
    }
    let least = share * picture.rows as f64;
    rows.iter().filter(|&&rows| rows as f64 >= least).count()
}

/// Whether the weights that this layer's values come from are all one number: not dead but symmetric, which the first step shows.
fn all_equal<T: Real>(picture: &Picture<'_, T>, layer: &LayerInfo) -> bool {
    let linear = picture.network.layers.iter().find(|other| other.node == layer.source);
    let Some(range) = linear.and_then(|linear| picture.weight(linear)) else { return false };
    picture.parameters[range].windows(2).all(|pair| pair[0] == pair[1])
}

/// ReLU layers with dead units.
pub(super) fn dead<T: Real>(picture: &Picture<'_, T>, out: &mut Look) {
    for layer in &picture.network.layers {
        if layer.activation != Some(Activation::Relu) || layer.node == picture.network.output {
            continue;
        }
        if picture.step == 0 && all_equal(picture, layer) {
            continue;
        }
        let units = units_of(&layer.output.0);
        let dead = quiet_units(picture, layer.node, 1.0, |value| value == 0.0);
        if dead as f64 <= DEAD_SHARE * units as f64 {
            continue;
        }
        let severity = if dead == units { Severity::Error } else { Severity::Warning };
        let evidence = format!(
            "{} of {} units are dead (gave 0 for all {} sampled rows)",
            count(dead),
            count(units),
            count(picture.rows)
        );
        let advice = if picture.step == 0 {
            "another init (leave it out: He is drawn before ReLU) and biases of 0".to_string()
        } else {
            format!("a smaller learning rate (--lr {})", short(picture.spec.lr / 10.0))
        };
        let finding = Finding::new("dead-units", severity, evidence, advice).at_layer(layer);
        out.push_rated(finding, dead as f64 / units as f64);
    }
}

/// tanh and sigmoid layers at their bounds.
pub(super) fn saturated<T: Real>(picture: &Picture<'_, T>, facts: &Facts, out: &mut Look) {
    if picture.loss < SATURATED_LOSS * facts.baseline.constant {
        return;
    }
    for layer in &picture.network.layers {
        if layer.node == picture.network.output {
            continue;
        }
        // tanh z = 2 sigmoid(2 z) - 1: the same bound on the scale of (-1, 1).
        let (low, high) = match layer.activation {
            Some(Activation::Tanh) => (-1.0, 1.0),
            Some(Activation::Sigmoid) => (0.0, 1.0),
            _ => continue,
        };
        let margin = (high - low) * (1.0 - TANH_BOUND) / 2.0;
        let units = units_of(&layer.output.0);
        let stuck =
            quiet_units(picture, layer.node, SATURATED_ROWS, |value| value < low + margin || value > high - margin);
        if stuck as f64 <= SATURATED_UNITS * units as f64 {
            continue;
        }
        let evidence = format!(
            "{} of {} units are saturated (within {} of {low} or {high} for at least 95 % of {} sampled rows)",
            count(stuck),
            count(units),
            short(margin),
            count(picture.rows)
        );
        let advice = if picture.step == 0 {
            "standardised inputs (leave out --raw) and the default init, so that the layer starts near 0".to_string()
        } else {
            format!("a smaller learning rate (--lr {})", short(picture.spec.lr / 10.0))
        };
        let finding = Finding::new("saturated-units", Severity::Warning, evidence, advice).at_layer(layer);
        out.push_rated(finding, stuck as f64 / units as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_channel_a_feature_or_a_number() {
        for (axes, units, of) in
            [(&[3][..], 3, &[0, 1, 2][..]), (&[2, 3], 3, &[0, 1, 2, 0, 1, 2]), (&[2, 1, 3], 2, &[0, 0, 0, 1, 1, 1])]
        {
            assert_eq!(units_of(axes), units, "{axes:?}");
            let found: Vec<usize> = (0..of.len()).map(|place| unit(axes, place)).collect();
            assert_eq!(found, of, "{axes:?}");
        }
    }
}
