//! Gradients that do not arrive: exactly zero, or smaller or larger by many orders in the first layer than in the last.

use glassnet_core::{NodeId, Real};

use super::finding::{Finding, Severity, count, short};
use super::gather::Look;
use super::picture::{Facts, Picture};
use crate::spec::Activation;

/// Gradient of the first hidden layer's values over that of the last below which the first learns nothing. Measured, 50
/// ReLU layers of 256: He 1.25, variance 1/n 3e-8, constant 0.02 5e-33. Three sigmoid layers give about 1e-2.
pub const VANISHING: f64 = 1e-5;

/// The same ratio above which the first layers are thrown about.
pub const EXPLODING: f64 = 1e4;

/// Loss below this share of a constant guess's: nothing is left to learn, and gradients may well round to 0.
const LEARNED: f64 = 0.01;

/// A layer whose weights get exactly 0. Looked at after some steps: zeros at a branch's end keep what is before them still for
/// the first.
pub(super) fn zero<T: Real>(picture: &Picture<'_, T>, facts: &Facts, out: &mut Look) {
    if picture.loss < LEARNED * facts.baseline.constant {
        return;
    }
    for (place, layer) in picture.network.layers.iter().enumerate() {
        let Some(range) = picture.weight(layer) else { continue };
        let all = range.len();
        if picture.gradients[range].iter().any(|&gradient| gradient != T::ZERO) {
            continue;
        }
        let evidence = format!(
            "all {} weights have a gradient of exactly 0 over {} sampled rows, while the loss is {}",
            count(all),
            count(picture.rows),
            short(picture.loss)
        );
        let step = picture.network.layers[place..].iter().any(|layer| layer.activation == Some(Activation::Step));
        let advice = if step {
            "an activation with a slope, such as relu or sigmoid, instead of step".to_string()
        } else {
            format!("a smaller learning rate (--lr {}) or leaky relu", short(picture.spec.lr / 10.0))
        };
        let finding = Finding::new("zero-gradients", Severity::Error, evidence, advice).at_layer(layer);
        out.push_rated(finding, all as f64);
    }
}

/// Gradients of the first against the last hidden layer.
pub(super) fn flow<T: Real>(picture: &Picture<'_, T>, out: &mut Look) {
    let linear: Vec<_> = picture.network.layers.iter().filter(|layer| layer.linear.is_some()).collect();
    // Without the head, whose small draw is on purpose.
    let [first, .., last, _head] = linear.as_slice() else { return };
    let (low, high) = (rms(picture, first.node), rms(picture, last.node));
    if low == 0.0 || high == 0.0 {
        return;
    }
    let ratio = low / high;
    let evidence = |word: &str| {
        format!(
            "the gradient {word} on its way back: rms {} here, {} at layer {} ({})",
            short(low),
            short(high),
            last.name,
            last.kind
        )
    };
    if ratio < VANISHING {
        let advice = "the default init (he before relu, xavier before tanh), or residual blocks";
        let finding = Finding::new("vanishing-gradients", Severity::Warning, evidence("vanishes"), advice);
        out.push(finding.at_layer(first));
    } else if ratio > EXPLODING {
        let advice = "a smaller init (leave it out for the default)";
        let finding = Finding::new("exploding-gradients", Severity::Warning, evidence("explodes"), advice);
        out.push(finding.at_layer(first));
    }
}

fn rms<T: Real>(picture: &Picture<'_, T>, node: NodeId) -> f64 {
    let values = picture.gradient(node);
    let sum: f64 = values.iter().map(|value| value.to_f64() * value.to_f64()).sum();
    (sum / values.len().max(1) as f64).sqrt()
}
