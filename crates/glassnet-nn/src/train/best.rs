//! By what the best epoch is chosen.

use glassnet_core::Real;
use serde::{Deserialize, Serialize};

use super::observer::Rows;
use super::scores::class_labels;
use crate::calibration::{base_rate_moved, calibrated_log_loss, line_log_loss};
use crate::functional::Outputs;
use crate::loss::LossSpec;
use crate::metrics::Scores;
use crate::network::Network;

/// The validation metric that tells which epoch's weights are kept, and that early stopping follows. The lower the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// The loss.
    #[default]
    Loss,
    /// The log-loss after the temperature that suits the validation rows best ([`calibrated_log_loss`]): a network that tells classes
    /// apart better is better, even where it has become too sure of itself; that is repaired afterwards (Berta et al. 2025). Of two
    /// classes whose base rate differs by more than chance between training rows and 1,000 validation rows or more it is the
    /// log-loss after a line of log-odds ([`line_log_loss`]), which a moved base rate does not change.
    CalibratedLogLoss,
    /// The root mean squared error, in the target's unit.
    Rmse,
    /// The share of rows whose most probable class is not theirs.
    Error,
}

impl BestBy {
    /// Its name, as in files.
    pub fn name(self) -> &'static str {
        match self {
            BestBy::Loss => "loss",
            BestBy::CalibratedLogLoss => "calibrated_log_loss",
            BestBy::Rmse => "rmse",
            BestBy::Error => "error",
        }
    }

    pub(super) fn is_loss(&self) -> bool {
        *self == BestBy::Loss
    }

    /// Whether the network's outputs have it.
    pub(super) fn suits(self, network: &Network) -> bool {
        let Some(objective) = &network.objective else { return false };
        let width = network.graph.node(network.logits).shape.len();
        match (self, &objective.loss) {
            (BestBy::Loss, _) => true,
            _ if network.gives_steps() => false,
            (BestBy::Rmse, LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. }) => true,
            (BestBy::CalibratedLogLoss | BestBy::Error, LossSpec::CrossEntropy { .. }) => true,
            (BestBy::CalibratedLogLoss | BestBy::Error, LossSpec::BinaryCrossEntropy { .. }) => width == 1,
            _ => false,
        }
    }

    /// Whether it looks at the log-loss after a line of log-odds: two classes whose base rate has moved.
    pub(super) fn after_line<T: Real>(self, network: &Network, train: Rows<'_, T>, valid: Rows<'_, T>) -> bool {
        let classes = network.graph.node(network.logits).shape.len();
        if self != BestBy::CalibratedLogLoss || classes > 2 || !self.suits(network) {
            return false;
        }
        let share = |part: Rows<'_, T>| {
            let (mut ones, mut total, mut rows) = (0.0, 0.0, 0);
            for (label, &row) in class_labels(network, part).into_iter().zip(part.rows) {
                let weight = part.source.weight(row);
                ones += if label == 1 { weight } else { 0.0 };
                total += weight;
                rows += usize::from(weight > 0.0);
            }
            (ones / total, rows)
        };
        base_rate_moved(share(train), share(valid))
    }

    /// Its value; NaN, which is never best, where the rows have none.
    pub(super) fn of<T: Real>(
        self,
        after_line: bool,
        network: &Network,
        outputs: &Outputs<T>,
        part: Rows<'_, T>,
        loss: f64,
        scores: &Scores,
    ) -> f64 {
        match self {
            BestBy::Loss => loss,
            BestBy::Rmse => scores.rmse.unwrap_or(f64::NAN),
            BestBy::Error => scores.accuracy.map_or(f64::NAN, |accuracy| 1.0 - accuracy),
            BestBy::CalibratedLogLoss => {
                let weights: Vec<f64> = part.rows.iter().map(|&row| part.source.weight(row)).collect();
                let width = network.graph.node(network.logits).shape.len();
                let loss = if after_line { line_log_loss } else { calibrated_log_loss };
                loss(&outputs.logits, width, &class_labels(network, part), Some(&weights))
            }
        }
    }
}
