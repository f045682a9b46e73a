//! The settings that the recipe for tables trains with (Holzmueller, Grinsztajn, Steinwart 2024, "Better by Default").

use super::best::BestBy;
use super::factors::{FactorRule, Factors};
use super::spec::{Batch, TrainSpec};
use crate::clip::Clip;
use crate::early::EarlySpec;
use crate::optimizer::{AdamW, OptimizerSpec};
use crate::schedule::{ScheduleSpec, Shape};

/// Rows of a batch for so many training rows: 256; above 30,000 rows 512, above 100,000 rows 1,024. Where there are fewer rows than
/// that, a batch holds them all.
pub fn tabular_batch(rows: usize) -> usize {
    match rows {
        0..=30_000 => 256,
        30_001..=100_000 => 512,
        _ => 1024,
    }
}

impl TrainSpec {
    /// The recipe's settings, for up to 30,000 rows (for more set `batch` to [`tabular_batch`]).
    ///
    /// ```text
    /// epochs        256, all of them (a run may not be cut in mid-wave), last short batch dropped
    /// lr            0.04 for classes, 0.2 for values, times coslog4
    /// optimizer     Adam with decoupled decay 0.02 times flat_cos, betas 0.9 and 0.95, eps 1e-8
    /// dropout       the network's own probability times flat_cos
    /// factors       of the rate: scaling layer 6, biases, activations' parameters and embeddings of numbers 0.1
    ///               of the decay: the same again, but 0 for biases of linear layers
    /// best epoch    classes: log-loss after calibration; values: RMSE; of equals the last
    /// ```
    pub fn tabular(classification: bool) -> Self {
        let adam = AdamW { beta1: 0.9, beta2: 0.95, eps: 1e-8, weight_decay: 0.02 };
        let flat_cos = ScheduleSpec { warmup: 0, shape: Shape::FlatCos };
        let rule = |key: &str, rate, decay| FactorRule { key: key.into(), rate, decay: Some(decay) };
        TrainSpec {
            epochs: 256,
            batch: Batch::Rows(tabular_batch(0)),
            lr: if classification { 0.04 } else { 0.2 },
            schedule: ScheduleSpec { warmup: 0, shape: Shape::CosLog4 },
            optimizer: OptimizerSpec::AdamW(adam),
            early: EarlySpec { last_of_equals: true, ..EarlySpec::default() },
            dropout_schedule: flat_cos,
            decay_schedule: flat_cos,
            // In this order: an embedding's own biases follow the embedding's rule.
            factors: Factors(vec![
                rule("bias", 0.1, 0.0),
                rule("scale", 6.0, 6.0),
                rule("parametric", 0.1, 0.1),
                rule("periodic", 0.1, 0.1),
                rule("piecewise", 0.1, 0.1),
            ]),
            drop_last: true,
            best_by: if classification { BestBy::CalibratedLogLoss } else { BestBy::Rmse },
            ..TrainSpec::default()
        }
    }

    /// TabM's settings (Gorishniy et al. 2024), for [`crate::recipe::tabm`] and up to 30,000 rows (for more set `batch` to
    /// [`tabular_batch`]).
    ///
    /// ```text
    /// epochs        until 16 pass without a better one, 1,000 at most; the last short batch counts
    /// lr            0.002, constant
    /// optimizer     AdamW, decay 0.0003 (biases and the line of `piecewise` 0), betas 0.9 and 0.999, eps 1e-8
    /// clip          the norm of all gradients at 1
    /// best epoch    classes: log-loss after calibration; values: RMSE
    /// ```
    pub fn tabm(classification: bool) -> Self {
        let adam = AdamW { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 3e-4 };
        let rule = |key: &str, decay| FactorRule { key: key.into(), rate: 1.0, decay: Some(decay) };
        TrainSpec {
            epochs: 1000,
            batch: Batch::Rows(tabular_batch(0)),
            lr: 2e-3,
            optimizer: OptimizerSpec::AdamW(adam),
            clip: Clip::Norm { max: 1.0 },
            early: EarlySpec { patience: Some(16), ..EarlySpec::default() },
            // Their code decays all but biases and linear embeddings; here a factor is not decayed unless a rule says so.
            factors: Factors(vec![rule("members", 1.0), rule("member_affine", 1.0), rule("bias", 0.0)]),
            best_by: if classification { BestBy::CalibratedLogLoss } else { BestBy::Rmse },
            ..TrainSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_grows_with_the_rows() {
        let found = [100, 30_000, 30_001, 100_000, 100_001].map(tabular_batch);
        assert_eq!(found, [256, 256, 512, 512, 1024]);
    }

    #[test]
    fn the_settings_are_sound_and_survive_json() {
        for classification in [true, false] {
            let spec = TrainSpec::tabular(classification);
            spec.check().unwrap();
            let text = serde_json::to_string(&spec).unwrap();
            assert_eq!(serde_json::from_str::<TrainSpec>(&text).unwrap(), spec, "{text}");
            assert!(
                text.contains(
                    r#""factors":"bias=0.1:0,scale=6:6,parametric=0.1:0.1,periodic=0.1:0.1,piecewise=0.1:0.1""#
                ),
                "{text}"
            );
        }
    }
}
