//! The scores of a part of the data.

use glassnet_core::Real;

use super::trainer::Rows;
use crate::functional::Outputs;
use crate::loss::LossSpec;
use crate::metrics::{ClassScores, Scores};
use crate::network::Network;

/// The scores that fit the loss: of classes for a cross-entropy, of values otherwise (in the target's own unit).
pub(crate) fn scores<T: Real>(network: &Network, outputs: &Outputs<T>, part: Rows<'_, T>) -> Scores {
    let Some(objective) = &network.objective else { return Scores::default() };
    if network.gives_steps() {
        return Scores::default();
    }
    let width = network.graph.node(network.logits).shape.len();
    let weights: Vec<f64> = part.rows.iter().map(|&row| part.source.weight(row)).collect();
    let labels = || part.rows.iter().map(|&row| part.source.label(row).max(0) as usize).collect::<Vec<_>>();
    match &objective.loss {
        LossSpec::CrossEntropy { .. } => {
            Scores::of_classes(&ClassScores::from_logits(&outputs.logits, width), &labels(), Some(&weights))
        }
        LossSpec::BinaryCrossEntropy { .. } if width == 1 => {
            let mut value = [T::ZERO];
            let classes = part.rows.iter().map(|&row| {
                part.source.values(row, &mut value);
                usize::from(value[0].to_f64() >= 0.5)
            });
            let classes: Vec<usize> = classes.collect();
            Scores::of_classes(&ClassScores::from_binary_logits(&outputs.logits), &classes, Some(&weights))
        }
        LossSpec::BinaryCrossEntropy { .. } | LossSpec::SoftCrossEntropy { .. } => Scores::default(),
        LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. } => {
            let mut target = vec![T::ZERO; part.rows.len() * width];
            for (&row, target) in part.rows.iter().zip(target.chunks_exact_mut(width.max(1))) {
                part.source.values(row, target);
            }
            let as_f64 =
                |values: &[T]| values.iter().map(|value| part.source.restore(value.to_f64())).collect::<Vec<_>>();
            Scores::of_values(&as_f64(&outputs.output), &as_f64(&target), width, Some(&weights))
        }
    }
}
