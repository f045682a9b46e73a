//! From a probability to a decision: which rows to act upon.
//!
//! - *By costs.* Calling a negative row positive costs `cost_fp`, missing a positive one `cost_fn`. With probabilities that are calibrated it is
//!   cheapest to act from `cost_fp / (cost_fp + cost_fn)` on (Elkan 2001): [`cost_threshold`]. [`cheapest`] looks at rows instead, and
//!   needs ranks only.
//! - *By work.* As many rows as can be looked at: the highest ones, [`review`].

use serde::{Deserialize, Serialize};

use super::curves::{Called, thresholds};

/// What wrong calls cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Of a negative row that is called positive.
    pub false_positive: f64,
    /// Of a positive row that is not.
    pub false_negative: f64,
}

impl Costs {
    /// Whether both are finite and 0 or more, and one is above 0.
    pub fn are_sound(&self) -> bool {
        let fine = |cost: f64| cost.is_finite() && cost >= 0.0;
        fine(self.false_positive) && fine(self.false_negative) && self.false_positive + self.false_negative > 0.0
    }

    /// What the calls cost, a unit of weight (a row without weights): `(cost_fp FP + cost_fn FN) / all`.
    pub fn mean(&self, called: &Called) -> f64 {
        (self.false_positive * called.false_positive + self.false_negative * called.false_negative) / called.total()
    }
}

/// The probability from which on acting is cheaper than not, where probabilities mean what they say: `cost_fp / (cost_fp + cost_fn)`.
/// `None` where the costs are not sound.
///
/// ```
/// use glassnet_nn::metrics::{Costs, cost_threshold};
/// assert_eq!(cost_threshold(Costs { false_positive: 1.0, false_negative: 9.0 }), Some(0.1));
/// ```
pub fn cost_threshold(costs: Costs) -> Option<f64> {
    costs.are_sound().then(|| costs.false_positive / (costs.false_positive + costs.false_negative))
}

/// A threshold with what it did on the rows that it was chosen on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The calls; of its threshold `None` means that no row is worth acting upon.
    pub called: Called,
    /// What they cost a row, where there were costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}

/// The threshold that would have been cheapest on these rows; of equals the highest (fewest calls). `None` where the costs are not sound,
/// a score is NaN or no row has a weight.
pub fn cheapest(scores: &[f64], positive: &[bool], weights: Option<&[f64]>, costs: Costs) -> Option<Choice> {
    if !costs.are_sound() {
        return None;
    }
    let mut best: Option<(f64, Called)> = None;
    for called in thresholds(scores, positive, weights)? {
        let cost = costs.mean(&called);
        if best.is_none_or(|(lowest, _)| cost < lowest) {
            best = Some((cost, called));
        }
    }
    best.map(|(cost, called)| Choice { called, cost: Some(cost) })
}

/// The lowest threshold that calls no more than `share` of the rows (of their weight): rows of equal score are all called or none. `None` where
/// the share is not in [0, 1], a score is NaN or no row has a weight.
///
/// ```
/// use glassnet_nn::metrics::review;
/// let choice = review(&[0.9, 0.2, 0.7, 0.1], &[true, false, false, false], None, 0.5);
/// assert_eq!(choice.and_then(|choice| choice.called.threshold), Some(0.7));
/// ```
pub fn review(scores: &[f64], positive: &[bool], weights: Option<&[f64]>, share: f64) -> Option<Choice> {
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    let all = thresholds(scores, positive, weights)?;
    // Sums of weights are rounded; a share that is met but for that is met.
    let within = |called: &&Called| called.called_rate().is_some_and(|rate| rate <= share + 1e-12);
    all.iter().rfind(within).map(|&called| Choice { called, cost: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 6] = [0.9, 0.8, 0.6, 0.4, 0.3, 0.1];
    const POSITIVE: [bool; 6] = [true, false, true, false, true, false];

    #[test]
    fn dear_misses_lower_the_threshold() {
        let at = |false_positive, false_negative| {
            let choice = cheapest(&SCORES, &POSITIVE, None, Costs { false_positive, false_negative }).unwrap();
            (choice.called.threshold, choice.cost.unwrap())
        };
        assert_eq!(at(1.0, 10.0), (Some(0.3), 2.0 / 6.0));
        assert_eq!(at(10.0, 1.0), (Some(0.9), 2.0 / 6.0));
        assert_eq!(at(1.0, 0.0), (None, 0.0));
        // Of equals the highest: 0.9 misses two, 0.6 misses one and calls one wrongly.
        assert_eq!(at(1.0, 1.0), (Some(0.9), 2.0 / 6.0));
        assert_eq!(cheapest(&SCORES, &POSITIVE, None, Costs { false_positive: 0.0, false_negative: 0.0 }), None);
        assert_eq!(cost_threshold(Costs { false_positive: -1.0, false_negative: 2.0 }), None);
    }

    #[test]
    fn the_review_takes_no_more_than_its_share() {
        let at = |share| review(&SCORES, &POSITIVE, None, share).unwrap().called.threshold;
        assert_eq!([at(0.0), at(0.4), at(0.5), at(1.0)], [None, Some(0.8), Some(0.6), Some(0.1)]);
        let weights = [1.0, 3.0, 1.0, 1.0, 1.0, 1.0];
        assert_eq!(review(&SCORES, &POSITIVE, Some(&weights), 0.4).unwrap().called.threshold, Some(0.9));
        // Equal scores stay together.
        assert_eq!(review(&[0.5; 4], &[true; 4], None, 0.5).unwrap().called.threshold, None);
        assert_eq!(review(&SCORES, &POSITIVE, None, 1.1), None);
    }
}
