//! Steps too large or too small: the loss against where it began, the updates against the weights.
//!
//! rms(update) / rms(weight) of a step is about 1e-3 in a healthy run. Alone it says little: it is large in the first steps
//! of a small head and tiny once the loss is low or the schedule has ended. So it counts only where the loss is no
//! better than a constant guess, or has not moved.

use glassnet_core::Real;

use super::finding::{Finding, Severity, short};
use super::gather::Look;
use super::picture::{Facts, Picture};
use crate::history::History;

/// Loss over the larger of the first loss and the best constant's that counts as climbing. Measured: a learning rate of
/// 5 takes three blobs to 2,374, one of 100 takes MNIST from 2.41 to 5,336. No healthy run of the tests passes 1.1.
pub const CLIMB: f64 = 2.0;

/// rms(update) / rms(weight) of a large step.
pub const LARGE_UPDATE: f64 = 0.1;

/// Share by which all steps of the run together could change the weights at the present rate; below it they cannot have
/// learned anything.
pub const REACH: f64 = 0.01;

/// Share of the first loss that must be gone for it to have moved.
pub const UNMOVED: f64 = 0.01;

/// The loss far above where it began.
pub(super) fn climbing<T: Real>(picture: &Picture<'_, T>, facts: &Facts, out: &mut Look) {
    let reference = facts.first.max(facts.baseline.constant);
    if picture.loss > CLIMB * reference {
        let evidence = format!(
            "the loss climbed from {} to {} in {} steps (a constant guess has {})",
            short(facts.first),
            short(picture.loss),
            picture.step,
            short(facts.baseline.constant)
        );
        let advice = smaller(picture.spec.lr);
        out.push(Finding::new("loss-climbs", Severity::Error, evidence, advice));
    }
}

/// At an epoch's end: large updates without gain, or updates that reach nowhere. `explained`: another finding says already
/// why nothing moves.
pub(super) fn sizes<T: Real>(
    picture: &Picture<'_, T>,
    facts: &Facts,
    history: &History,
    total_steps: u64,
    explained: bool,
    out: &mut Look,
) {
    let Some(epoch) = history.epochs.last() else { return };
    // A warm-up's or a schedule's last small steps say nothing about the base rate.
    if explained || epoch.learning_rate < 0.5 * picture.spec.lr {
        return;
    }
    let weights = picture.network.layers.iter().filter_map(|layer| {
        let slot = *layer.slots.first().filter(|_| layer.linear.is_some())?;
        Some((layer, (*epoch.update_ratios.get(slot.0)?)?))
    });
    let Some((layer, ratio)) = weights.max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    let late = 2 * epoch.epoch >= picture.spec.epochs && epoch.epoch >= 4;
    if late && ratio > LARGE_UPDATE && picture.loss > facts.baseline.constant {
        let evidence = format!(
            "a step changes its weights by {} of their size (about 0.001 is healthy), and the loss {} is above a constant guess's {}",
            short(ratio),
            short(picture.loss),
            short(facts.baseline.constant)
        );
        let finding = Finding::new("steps-too-large", Severity::Warning, evidence, smaller(picture.spec.lr));
        out.push(finding.at_layer(layer));
    }
    let unmoved = picture.loss > (1.0 - UNMOVED) * facts.first && picture.loss < (1.0 + UNMOVED) * facts.first;
    let settled = epoch.epoch >= 2 || picture.spec.epochs == 1;
    if settled && unmoved && epoch.gradient_norm > 0.0 && ratio * (total_steps as f64) < REACH {
        let evidence = format!(
            "the loss went from {} to {} in {} steps: a step changes the weights by at most {} of their size (about 0.001 is healthy)",
            short(facts.first),
            short(picture.loss),
            picture.step,
            short(ratio)
        );
        let factor = if ratio > 0.0 { (1e-3 / ratio).clamp(10.0, 1e6) } else { 1e3 };
        // To the nearest power of ten below: a hint of the size, no more.
        let mut times = 10.0;
        while times * 10.0 <= factor {
            times *= 10.0;
        }
        let advice = format!("a larger learning rate (--lr {})", short(picture.spec.lr * times));
        out.push(Finding::new("steps-too-small", Severity::Warning, evidence, advice));
    }
}

fn smaller(lr: f64) -> String {
    format!("a smaller learning rate (--lr {})", short(lr / 10.0))
}
