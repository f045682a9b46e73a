//! The scores of a part of the data.

use glassnet_core::Real;

use super::observer::Rows;
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
    match &objective.loss {
        LossSpec::CrossEntropy { .. } => Scores::of_classes(
            &ClassScores::from_logits(&outputs.logits, width),
            &class_labels(network, part),
            Some(&weights),
        ),
        LossSpec::BinaryCrossEntropy { .. } if width == 1 => {
            let scores = ClassScores::from_binary_logits(&outputs.logits);
            Scores::of_classes(&scores, &class_labels(network, part), Some(&weights))
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

/// The rows' classes: their labels, or for one logit whether the target is class 1.
pub(super) fn class_labels<T: Real>(network: &Network, part: Rows<'_, T>) -> Vec<usize> {
    let labels = network.objective.as_ref().is_some_and(|objective| objective.loss.takes_labels());
    let mut value = [T::ZERO];
    let class = |&row: &u32| match labels {
        true => part.source.label(row).max(0) as usize,
        false => {
            part.source.values(row, &mut value);
            usize::from(value[0].to_f64() >= 0.5)
        }
    };
    part.rows.iter().map(class).collect()
}
