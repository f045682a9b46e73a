//! How good predictions are. Every sum is accumulated in f64 in the order of the rows, whatever `T` the network computed
//! in; every metric takes row weights (`None`: all 1) and is `None` where it is undefined.
//!
//! Labels are below the number of classes, and labels and weights are as many as rows: whoever reads the data has checked
//! it. A metric that finds otherwise panics.
//!
//! ```
//! use glassnet_nn::metrics::{ClassScores, Scores};
//! let scores = ClassScores::from_binary_logits(&[-2.0_f32, 1.0, 0.5]);
//! let found = Scores::of_classes(&scores, &[0, 1, 0], None);
//! assert_eq!((found.accuracy, found.auc), (Some(2.0 / 3.0), Some(1.0)));
//! assert_eq!(found.rmse, None);
//! ```

mod auc;
mod classes;
mod confusion;
mod curves;
mod intervals;
mod regression;
mod reliability;
mod threshold;

pub use auc::{auc, binary_auc};
pub use classes::{ClassScores, accuracy, brier, log_loss, top_k};
pub use confusion::{ClassReport, Confusion};
pub use curves::{Called, PrPoint, RocPoint, average_precision, precision_recall, roc, thresholds};
pub use intervals::{coverage, interval_width, pinball};
pub use regression::{mae, r2, rmse};
pub use reliability::{BINS, ReliabilityBin, calibration_error, ece, reliability, reliability_of_class};
pub use threshold::{Choice, Costs, cheapest, cost_threshold, review};

use serde::{Deserialize, Serialize};

/// The scores of one set of rows; those that do not apply, or are undefined there, are absent.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scores {
    /// Share of rows whose most probable class is the true one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Mean of -ln p(true class), nats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_loss: Option<f64>,
    /// Two classes: mean (p - y)^2, in [0, 1]. More: mean over rows of the sum over classes, in [0, 2].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brier: Option<f64>,
    /// Area under the ROC curve; more than two classes: mean of one-vs-rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auc: Option<f64>,
    /// Root of the mean squared error, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
    /// Mean absolute error, in the target's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// 1 - squared error / squared error of the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
}

impl Scores {
    /// The scores of a classifier. `labels[row]` is the true class; `weights[row]` the row's weight.
    pub fn of_classes(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Self {
        Scores {
            accuracy: accuracy(scores, labels, weights),
            log_loss: log_loss(scores, labels, weights),
            brier: brier(scores, labels, weights),
            auc: auc(scores, labels, weights),
            ..Scores::default()
        }
    }

    /// The scores of a regression: `predicted` and `target` are [rows, outputs], in the target's own unit.
    pub fn of_values(predicted: &[f64], target: &[f64], outputs: usize, weights: Option<&[f64]>) -> Self {
        Scores {
            rmse: rmse(predicted, target, outputs, weights),
            mae: mae(predicted, target, outputs, weights),
            r2: r2(predicted, target, outputs, weights),
            ..Scores::default()
        }
    }
}

/// The weight of a row.
fn weight(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row])
}

/// Weighted mean of `value(row)` over `rows` rows, in their order; `None` where the weights add to nothing.
fn weighted_mean(rows: usize, weights: Option<&[f64]>, value: impl Fn(usize) -> f64) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for row in 0..rows {
        let w = weight(weights, row);
        // A row of weight 0 is not there, even where its value is infinite.
        if w > 0.0 {
            sum += w * value(row);
            total += w;
        }
    }
    (total > 0.0).then(|| sum / total)
}
