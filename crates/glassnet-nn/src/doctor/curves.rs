//! Underfit and overfit, from the curves.

use glassnet_core::Real;

use super::finding::{Finding, Severity, count, short};
use super::gather::Look;
use super::picture::Facts;
use crate::schedule::Shape;
use crate::train::View;

/// Final loss over a constant guess's above which nothing was learned.
pub const UNDERFIT_SHARE: f64 = 0.97;

/// Share of the loss that may still fall in the last third of the epochs for the curve to be flat.
pub const FLAT_END: f64 = 0.02;

/// Parameters over training rows above which a network could learn the rows by heart, so that one which does not is not
/// too small.
const MANY_PARAMETERS: f64 = 10.0;

/// Most units of a hidden layer that may be too few: XOR takes 2 to 4, and a run may get stuck with so few.
const SMALL_HIDDEN: usize = 4;

/// Validation loss over its best that counts as risen.
pub const OVERFIT_RISE: f64 = 1.2;

/// Validation loss over training loss that counts as a gap.
pub const OVERFIT_GAP: f64 = 1.5;

/// The rise must also be this share of a constant guess's loss: ten epochs on MNIST end at .085 after .068, which is a
/// quarter more and does not matter.
pub const OVERFIT_SHARE: f64 = 0.05;

/// Fewest validation rows whose loss is worth a verdict.
const VALID_ROWS: usize = 20;

/// Epochs in a row that the validation loss must be above its best.
const LASTING: usize = 3;

/// After each epoch.
pub(super) fn overfit<T: Real>(view: &View<'_, T>, facts: &Facts, out: &mut Look) {
    let epochs = &view.history.epochs;
    if view.valid.is_none_or(|valid| valid.rows.len() < VALID_ROWS) || epochs.len() <= LASTING {
        return;
    }
    let best = epochs.iter().filter_map(|epoch| Some((epoch, epoch.valid_loss?)));
    let Some((best, lowest)) = best.min_by(|a, b| a.1.total_cmp(&b.1)) else { return };
    let floor = (lowest * OVERFIT_RISE).max(lowest + OVERFIT_SHARE * facts.baseline.constant);
    let lasting = epochs[epochs.len() - LASTING..].iter().all(|epoch| epoch.valid_loss.is_some_and(|v| v > floor));
    let Some((last, valid)) = epochs.last().and_then(|last| Some((last, last.valid_loss?))) else { return };
    if !lasting || last.train_loss >= best.train_loss || valid < OVERFIT_GAP * last.train_loss {
        return;
    }
    let evidence = format!(
        "the validation loss rose from {} (epoch {}) to {} (epoch {}) while the training loss fell from {} to {}",
        short(lowest),
        best.epoch,
        short(valid),
        last.epoch,
        short(best.train_loss),
        short(last.train_loss)
    );
    let advice = match view.spec.early.patience {
        // A run of waves is not cut in the middle of one (an early stop would also leave the recipe for tables).
        None if view.spec.schedule.shape == Shape::CosLog4 => format!(
            "fewer epochs (--epochs {}), which takes less time; the weights of epoch {} are kept anyway",
            (2 * best.epoch).min(last.epoch - 1),
            best.epoch
        ),
        None => format!("early stopping (--early-stop 3); the weights of epoch {} are kept anyway", best.epoch),
        Some(_) => "more rows, a smaller network or dropout".to_string(),
    };
    out.push(Finding::new("overfit", Severity::Warning, evidence, advice));
}

/// At the end of a run that nothing interrupted, where no other finding says why.
pub(super) fn underfit<T: Real>(view: &View<'_, T>, loss: f64, facts: &Facts, out: &mut Look) {
    let constant = facts.baseline.constant;
    let flat = |curve: Vec<(u64, f64)>| match (curve.get(curve.len() * 2 / 3), curve.last()) {
        (Some(earlier), Some(last)) => earlier.1 - last.1 < FLAT_END * constant,
        _ => false,
    };
    let train = view.history.curve(|epoch| Some(epoch.train_loss));
    let valid = view.history.curve(|epoch| epoch.valid_loss);
    if train.len() < 5 || loss < UNDERFIT_SHARE * constant || !flat(train) {
        return;
    }
    let low = valid.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
    if !valid.is_empty() && (low < UNDERFIT_SHARE * constant || !flat(valid)) {
        return;
    }
    let (parameters, rows) = (view.network.parameters(), view.train.rows.len());
    let many = parameters as f64 > MANY_PARAMETERS * rows as f64;
    let with = if many {
        format!(" (the network has {} parameters for {} training rows)", count(parameters), count(rows))
    } else {
        String::new()
    };
    let evidence = format!(
        "after {} epochs the loss {} is no better than a constant guess's {}, and the curves are flat{with}",
        view.history.epochs.len(),
        short(loss),
        short(constant)
    );
    // A network that could bend to the rows and gained nothing over a constant has found nothing in them.
    let advice = match widest_hidden(view) {
        None if !many => "a hidden layer (--net \"64 relu\")",
        Some(units) if !many && units <= SMALL_HIDDEN => "a wider or deeper network (--net \"64 relu\")",
        _ => {
            "a look whether the columns say anything about the target: too few rows, labels at random or of other rows"
        }
    };
    out.push(Finding::new("underfit", Severity::Warning, evidence, advice));
}

/// Units of the widest hidden layer; `None` for a linear model.
fn widest_hidden<T: Real>(view: &View<'_, T>) -> Option<usize> {
    let curves = view.network.layers.iter().filter(|layer| layer.activation.is_some());
    curves.filter(|layer| layer.node != view.network.output).map(|layer| layer.output.len()).max()
}
