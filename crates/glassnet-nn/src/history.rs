//! What a training run leaves behind, epoch by epoch: everything that a plot needs.
//!
//! It is kept in the model file, so it holds nothing that differs between two equal runs: wall-clock times and rows per
//! second live beside it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::metrics::Scores;

/// The whole run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Names of the parameter slots, in the order of [`Epoch::update_ratios`].
    pub slots: Vec<String>,
    /// Loss of the first batch, before any step: what the initialisation gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_loss: Option<f64>,
    /// The epochs in order.
    pub epochs: Vec<Epoch>,
    /// Number of the epoch whose weights were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u64>,
}

/// One epoch. A number that was not finite is written to JSON as null and read back as NaN.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u64,
    /// Optimizer steps taken until its end.
    pub steps: u64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Mean training loss over its rows, as the batches passed (dropout on, weights moving).
    #[serde(deserialize_with = "null_is_nan")]
    pub train_loss: f64,
    /// Validation loss at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_loss: Option<f64>,
    /// What the best epoch is chosen by, where that is not the validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<f64>,
    /// Training scores, where they were asked for.
    #[serde(default)]
    pub train: Scores,
    /// Validation scores at its end.
    #[serde(default)]
    pub valid: Scores,
    /// Largest norm of the gradients over its steps, before clipping.
    #[serde(deserialize_with = "null_is_nan")]
    pub gradient_norm: f64,
    /// rms(update) / rms(weight) of its last step by slot; null where the slot was all zero.
    #[serde(default)]
    pub update_ratios: Vec<Option<f64>>,
}

impl History {
    /// An empty history for a network with these slots.
    pub fn new(slots: impl IntoIterator<Item = impl Into<String>>) -> Self {
        History { slots: slots.into_iter().map(Into::into).collect(), ..History::default() }
    }

    /// The epoch whose weights were kept.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| Some(epoch.epoch) == self.best_epoch)
    }

    /// One curve: (epoch, value) where the epoch has the value and it is finite.
    pub fn curve(&self, value: impl Fn(&Epoch) -> Option<f64>) -> Vec<(u64, f64)> {
        let point = |epoch: &Epoch| value(epoch).filter(|v| v.is_finite()).map(|v| (epoch.epoch, v));
        self.epochs.iter().filter_map(point).collect()
    }
}

fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> History {
        let mut history = History::new(["0.weight", "0.bias"]);
        history.first_loss = Some(2.25);
        for (epoch, valid) in [(1, Some(0.3)), (2, None), (3, Some(0.1 + 0.2))] {
            history.epochs.push(Epoch {
                epoch,
                steps: epoch * 10,
                learning_rate: 0.1,
                train_loss: 1.0 / epoch as f64,
                valid_loss: valid,
                valid: Scores { accuracy: Some(0.9), ..Scores::default() },
                gradient_norm: 3.5,
                update_ratios: vec![Some(1e-3), None],
                ..Epoch::default()
            });
        }
        history.best_epoch = Some(1);
        history
    }

    #[test]
    fn json_gives_back_every_bit() {
        let history = sample();
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
        assert!(text.contains(r#""valid":{"accuracy":0.9}"#), "{text}");
    }

    #[test]
    fn a_run_that_blew_up_can_still_be_read() {
        let mut history = sample();
        history.epochs[2].train_loss = f64::INFINITY;
        history.epochs[2].gradient_norm = f64::NAN;
        let back: History = serde_json::from_str(&serde_json::to_string(&history).unwrap()).unwrap();
        assert!(back.epochs[2].train_loss.is_nan() && back.epochs[2].gradient_norm.is_nan());
        assert_eq!(back.curve(|e| Some(e.train_loss)), [(1, 1.0), (2, 0.5)]);
    }

    #[test]
    fn curves_and_the_best_epoch() {
        let history = sample();
        assert_eq!(history.curve(|e| e.valid_loss), [(1, 0.3), (3, 0.1 + 0.2)]);
        assert_eq!(history.best().map(|e| e.steps), Some(10));
    }
}
