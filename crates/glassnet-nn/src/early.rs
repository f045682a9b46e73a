//! Early stopping, and which epoch is kept.
//!
//! Two questions that look alike are kept apart. *Which epoch is best?* The one with the strictly lowest metric: of equals
//! the first, since fewer epochs fit the training rows less closely. *Should training go on?* As long as the metric fell
//! by more than `min_delta` within the last `patience` epochs: so a crawl of tiny gains ends, and its lowest epoch is kept
//! all the same.
//!
//! Two other rules can be asked for: that of equals the *last* is kept (where training longer is no harm and equal means as good), and a
//! stop in proportion to what it took: `epoch > 2 best + n`.

use serde::{Deserialize, Serialize};

use crate::hyperparameter::{Allowed, BadHyperparameters, check};

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EarlySpec {
    /// Epochs without a gain after which training stops, 1 or more; `None`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// How much lower than the last gain counts as a gain (0: any).
    pub min_delta: f64,
    /// Whether of epochs with equal metrics the last is kept instead of the first.
    #[serde(skip_serializing_if = "is_no")]
    pub last_of_equals: bool,
    /// Stop after an epoch whose number is above twice that of the best one and this; `None`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond_twice: Option<u64>,
}

fn is_no(value: &bool) -> bool {
    !*value
}

impl EarlySpec {
    /// Whether it can ever stop a run.
    pub fn can_stop(&self) -> bool {
        self.patience.is_some() || self.beyond_twice.is_some()
    }

    /// Checks patience and `min_delta`.
    pub fn check(&self) -> Result<(), BadHyperparameters> {
        let patience = self.patience.unwrap_or(1) as f64;
        check(
            "early stopping",
            &[("patience", patience, Allowed::AtLeastOne), ("min_delta", self.min_delta, Allowed::NotNegative)],
        )
    }
}

/// What an epoch's metric means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The lowest so far (strictly, or of equals the last, as the settings say): keep these weights.
    pub best: bool,
    /// Patience is at its end.
    pub stop: bool,
}

/// Follows a metric of which lower is better (validation loss) from epoch to epoch. Can be saved between epochs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    spec: EarlySpec,
    best: Option<(u64, f64)>,
    /// The metric at the last gain of more than `min_delta`.
    reference: Option<f64>,
    waited: u64,
}

impl EarlyStopping {
    /// Starts with nothing seen.
    ///
    /// ```
    /// use glassnet_nn::early::{EarlySpec, EarlyStopping};
    /// let mut early = EarlyStopping::new(EarlySpec { patience: Some(2), ..EarlySpec::default() });
    /// assert!(early.observe(1, 0.5).best);
    /// assert!(!early.observe(2, 0.6).stop);
    /// assert!(early.observe(3, 0.5).stop);
    /// assert_eq!(early.best(), Some((1, 0.5)));
    /// ```
    pub fn new(spec: EarlySpec) -> Self {
        EarlyStopping { spec, best: None, reference: None, waited: 0 }
    }

    /// Takes the metric of `epoch`. A metric that is not finite is never a gain.
    pub fn observe(&mut self, epoch: u64, metric: f64) -> Verdict {
        let lower = |lowest: f64| metric < lowest || (self.spec.last_of_equals && metric == lowest);
        let best = metric.is_finite() && self.best.is_none_or(|(_, lowest)| lower(lowest));
        if best {
            self.best = Some((epoch, metric));
        }
        let gain =
            metric.is_finite() && self.reference.is_none_or(|reference| metric < reference - self.spec.min_delta);
        if gain {
            self.reference = Some(metric);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        let out_of_patience = self.spec.patience.is_some_and(|patience| self.waited >= patience);
        let best_epoch = self.best.map_or(0, |(epoch, _)| epoch);
        let far_beyond = |slack: u64| epoch > best_epoch.saturating_mul(2).saturating_add(slack);
        Verdict { best, stop: out_of_patience || self.spec.beyond_twice.is_some_and(far_beyond) }
    }

    /// Whether it can have been saved after so many epochs of a run with this specification.
    pub(crate) fn fits(&self, spec: &EarlySpec, epochs: u64) -> bool {
        self.spec == *spec && self.waited <= epochs && self.best.is_none_or(|(epoch, _)| epoch <= epochs)
    }

    /// The best epoch and its metric.
    pub fn best(&self) -> Option<(u64, f64)> {
        self.best
    }

    /// Epochs since the last gain.
    pub fn waited(&self) -> u64 {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(patience: Option<u64>, min_delta: f64, metrics: &[f64]) -> (Option<usize>, Option<(u64, f64)>) {
        let mut early = EarlyStopping::new(EarlySpec { patience, min_delta, ..EarlySpec::default() });
        let stop = metrics.iter().enumerate().position(|(i, &m)| early.observe(i as u64 + 1, m).stop);
        (stop.map(|i| i + 1), early.best())
    }

    #[test]
    fn of_equals_the_first_is_kept() {
        assert_eq!(run(None, 0.0, &[0.5, 0.3, 0.3, 0.4]), (None, Some((2, 0.3))));
    }

    #[test]
    fn stops_after_patience_epochs_without_gain() {
        assert_eq!(run(Some(2), 0.0, &[0.5, 0.3, 0.4, 0.35, 0.1]), (Some(4), Some((2, 0.3))));
        assert_eq!(run(Some(1), 0.0, &[0.5, 0.5]), (Some(2), Some((1, 0.5))));
    }

    #[test]
    fn a_crawl_ends_and_its_lowest_epoch_is_kept() {
        assert_eq!(run(Some(3), 0.1, &[0.50, 0.49, 0.48, 0.47]), (Some(4), Some((4, 0.47))));
        // Small gains that add up to more than min_delta within patience count.
        assert_eq!(run(Some(3), 0.1, &[0.50, 0.45, 0.39, 0.38]), (None, Some((4, 0.38))));
    }

    #[test]
    fn of_equals_the_last_is_kept_where_asked() {
        let mut early = EarlyStopping::new(EarlySpec { last_of_equals: true, ..EarlySpec::default() });
        let best: Vec<bool> = [0.5, 0.3, 0.4, 0.3, f64::NAN, 0.31]
            .iter()
            .zip(1..)
            .map(|(&m, epoch)| early.observe(epoch, m).best)
            .collect();
        assert_eq!(best, [true, true, false, true, false, false]);
        assert_eq!(early.best(), Some((4, 0.3)));
    }

    #[test]
    fn stops_far_beyond_twice_the_best_epoch() {
        let stop = |metrics: &dyn Fn(u64) -> f64| {
            let mut early = EarlyStopping::new(EarlySpec { beyond_twice: Some(20), ..EarlySpec::default() });
            (1..=100).find(|&epoch| early.observe(epoch, metrics(epoch)).stop)
        };
        assert_eq!(stop(&|epoch| (epoch as f64 - 5.0).abs()), Some(31));
        assert_eq!(stop(&|epoch| -(epoch as f64)), None);
        assert_eq!(stop(&|_| f64::NAN), Some(21));
        let old = serde_json::to_string(&EarlySpec { patience: Some(3), ..EarlySpec::default() }).unwrap();
        assert_eq!(old, r#"{"patience":3,"min_delta":0.0}"#);
    }

    #[test]
    fn what_is_not_finite_is_never_best() {
        assert_eq!(run(Some(2), 0.0, &[f64::NAN, 0.5, f64::NAN, f64::NAN]), (Some(4), Some((2, 0.5))));
        assert_eq!(run(Some(2), 0.0, &[f64::NAN, f64::INFINITY]), (Some(2), None));
    }

    #[test]
    fn the_state_survives_json() {
        let mut early = EarlyStopping::new(EarlySpec { patience: Some(2), min_delta: 0.01, ..EarlySpec::default() });
        early.observe(1, 0.1 + 0.2);
        early.observe(2, 0.5);
        let mut back: EarlyStopping = serde_json::from_str(&serde_json::to_string(&early).unwrap()).unwrap();
        assert_eq!(back, early);
        assert!(back.observe(3, 0.5).stop);
    }

    #[test]
    fn patience_zero_is_refused() {
        let message =
            EarlySpec { patience: Some(0), min_delta: -1.0, ..EarlySpec::default() }.check().unwrap_err().to_string();
        assert_eq!(
            message,
            "early stopping: patience = 0: must be 1 or more\nearly stopping: min_delta = -1: must be 0 or more"
        );
    }
}
