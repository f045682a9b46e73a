//! The loss before the first step, against that of a network that knows nothing.
//!
//! A fresh classifier should give every class about the same score: ln C (ln 2 for a binary target). That is so only if
//! the logits start small. Measured: a head drawn by He's rule starts three Gaussian blobs of scale 3 at 3.01 instead of
//! 1.10 (median of 200 seeds), MNIST with pixels in [0, 1] at 2.36 to 2.48 and standardised at 2.85 to 3.11 instead of
//! 2.303. The default head, drawn small, stays within 1 %. The first steps only take such a head down again, so a little
//! above is a note and far above a warning.

use glassnet_core::Real;

use super::finding::{Finding, Severity, short};
use super::gather::Look;
use super::picture::{Facts, Picture};
use crate::layers::LayerInfo;
use crate::loss::LossSpec;

/// First loss over ln C that is worth a note. Above He's head on unit-range pixels (at most 1.08), below He's head on
/// standardised ones (at least 1.24).
pub const CLASS_NOTE: f64 = 1.2;

/// First loss over ln C that is a warning: it takes logits of variance 2 and more on average.
pub const CLASS_WARNING: f64 = 1.5;

/// The same for a head in NTK form, whose scores have deviations near 1 at the start and above it after an initialisation from data: that is its
/// parametrisation, which its steps are made for. The recipe for tables starts the flights at 2.25.
pub const CLASS_NTK: f64 = 4.0;

/// First loss over the loss of the best constant, for values. A standardised target gives 1, a mean that is three
/// deviations from 0 gives 10 for the squared error. Measured: California house values as they are (mean 2.07, deviation
/// 1.2) start at 4.1 and train well.
pub const VALUE_WARNING: f64 = 10.0;

/// Deviation of a target in its own unit above which gradients of the squared error, in proportion to it, overwhelm a
/// network drawn for numbers near 1.
pub const TARGET_DEVIATION: f64 = 100.0;

pub(super) fn look<T: Real>(picture: &Picture<'_, T>, facts: &Facts, out: &mut Look) {
    let Some(objective) = &picture.network.objective else { return };
    let (loss, expected) = (facts.first, facts.baseline.ignorant);
    let head = picture.network.layers.iter().rfind(|layer| layer.linear.is_some());
    let ratio = loss / expected;
    match &objective.loss {
        LossSpec::CrossEntropy { .. } | LossSpec::SoftCrossEntropy { .. } | LossSpec::BinaryCrossEntropy { .. } => {
            let last = picture.network.layers.iter().rfind(|layer| !layer.slots.is_empty());
            let ntk = last.is_some_and(|layer| layer.linear.is_none() && layer.kind.starts_with("ntk"));
            // NaN (no rows weigh anything) compares as false.
            if ratio > if ntk { CLASS_NTK } else { CLASS_NOTE } {
                let severity = if ratio > CLASS_WARNING { Severity::Warning } else { Severity::Note };
                let classes = picture.network.graph.node(picture.network.logits).shape.len();
                let name = match &objective.loss {
                    LossSpec::BinaryCrossEntropy { .. } => "ln 2 (weights counted)".to_string(),
                    _ => format!("ln {classes}"),
                };
                let evidence = format!(
                    "the first loss is {} where a network that knows nothing gives {name} = {}: the scores start large",
                    short(loss),
                    short(expected)
                );
                let advice = advice(head);
                let finding = Finding::new("first-loss", severity, evidence, advice);
                out.push(match head {
                    Some(head) => finding.at_layer(head),
                    None => finding,
                });
            }
        }
        LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. } => {
            let (mean, deviation) = facts.baseline.target;
            if deviation > TARGET_DEVIATION {
                let evidence = format!(
                    "the target's deviation is {} (mean {}), where a fresh network gives numbers near 1",
                    short(deviation),
                    short(mean)
                );
                let advice = "standardise the target (subtract its mean, divide by its deviation)";
                out.push(Finding::new("target-scale", Severity::Warning, evidence, advice));
            }
            // A target that is one number leaves nothing to compare with.
            if expected > 0.0 && ratio > VALUE_WARNING {
                let evidence = format!(
                    "the first loss is {} where always giving the target's mean has {} (mean {}, deviation {})",
                    short(loss),
                    short(expected),
                    short(mean),
                    short(deviation)
                );
                // A squared error of (mean / deviation)^2 + 1 is the target's own; more comes from what the network gives.
                let own = (mean / deviation) * (mean / deviation) + 1.0;
                let advice = if own > 0.5 * ratio || matches!(objective.loss, LossSpec::MeanAbsolute) {
                    "standardise the target (subtract its mean, divide by its deviation)"
                } else {
                    advice(head)
                };
                out.push(Finding::new("first-loss", Severity::Warning, evidence, advice));
            }
        }
    }
}

/// The head is drawn small where its init is left out; then what it reads is too large.
fn advice(head: Option<&LayerInfo>) -> &'static str {
    match head.and_then(|head| head.linear.as_ref()) {
        Some(linear) if !linear.head => "leave the head's init out, so that it is drawn small",
        _ => "standardised inputs (leave out --raw), and the inits of the hidden layers left out",
    }
}
