//! From scores to probabilities: an affine map of the logits, `z' = offset + slope z`, before softmax or sigmoid; on request
//! a monotone step behind it, and a share of the uniform distribution mixed in.
//!
//! *Temperature* is the case without an offset, slope = 1 / T (Guo, Pleiss, Sun, Weinberger 2017); with an offset it is Platt's
//! scaling of two classes (Platt 1999). The mix `p <- (1 - mix) p + mix / C` with mix = 1 / (n + 1) keeps an n-row calibration
//! from saying 0 or 1. The numbers are found on rows that the training did not see; a model without them gives scores that
//! nothing has checked as probabilities.
//!
//! A calibration that was fitted is still only a claim: [`Held`] says whether it was seen to hold on rows used neither to train nor to
//! fit it. Only then does anything call the numbers probabilities.

use glassnet_core::Real;
use glassnet_core::ops::softmax;
use serde::{Deserialize, Serialize};

use crate::file::Head;

/// Most knots of a monotone map: a file that claims more was not written by a fit.
pub const MAX_KNOTS: usize = 1 << 16;

/// `z' = offset + slope z`, in f32: one product, one sum, each rounded; then softmax; then the knots and the mix, where there are any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Added to the logit of the second of two classes; 0 where there are more.
    #[serde(default)]
    pub offset: f64,
    /// What logits are multiplied by, above 0: the order of the scores stays.
    pub slope: f64,
    /// Share of the uniform distribution in what is given out, in [0, 1).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub mix: f64,
    /// The monotone map of the second class's probability (isotonic regression); two classes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knots: Option<Knots>,
    /// Rows that it was fitted on.
    #[serde(default, skip_serializing_if = "is_none")]
    pub rows: usize,
    /// Whether it was seen to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A monotone, piecewise linear map of [0, 1]: `y[i]` at `x[i]`, straight between, constant outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knots {
    /// Scores, ascending.
    pub x: Vec<f64>,
    /// Probabilities, not descending.
    pub y: Vec<f64>,
}

/// What was found on rows used neither to train nor to calibrate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Whether the numbers may be called probabilities.
    pub holds: bool,
    /// Which rows, in words: `the test rows`.
    pub on: String,
    /// How many.
    pub rows: usize,
    /// Expected calibration error there (15 bins).
    pub ece: f64,
    /// What it may be: 0.01, and what chance alone gives that many rows.
    pub limit: f64,
    /// Why it does not hold, in words; empty where it does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

fn is_none(value: &usize) -> bool {
    *value == 0
}

impl Default for Calibration {
    /// The map that changes nothing.
    fn default() -> Self {
        Calibration { offset: 0.0, slope: 1.0, mix: 0.0, knots: None, rows: 0, held: None }
    }
}

impl Calibration {
    /// Scores divided by a temperature above 0: above 1 they come nearer to one another.
    pub fn temperature(temperature: f64) -> Self {
        Calibration { slope: 1.0 / temperature, ..Self::default() }
    }

    /// `z' = offset + slope z` of two classes.
    pub fn affine(offset: f64, slope: f64) -> Self {
        Calibration { offset, slope, ..Self::default() }
    }

    /// Whether what it gives was seen to be probabilities.
    pub fn holds(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.holds)
    }

    /// Whether it can be used with that head for so many classes.
    ///
    /// # Errors
    /// Which number is out of its range, or what the head has no place for.
    pub fn check(&self, head: Head, classes: usize) -> Result<(), String> {
        let Calibration { offset, slope, mix, .. } = *self;
        let (a, b) = (offset as f32, slope as f32);
        if !(b > 0.0 && b.is_finite()) {
            return Err(format!("the calibration's slope is {slope}; it must be a number above 0"));
        }
        if !a.is_finite() {
            return Err(format!("the calibration's offset is {offset}, which is not finite"));
        }
        if !(0.0..1.0).contains(&mix) {
            return Err(format!("the calibration's mix is {mix}; it must be at least 0 and below 1"));
        }
        if head == Head::Value {
            return Err("a number is predicted, but a calibration is for classes".to_owned());
        }
        if classes != 2 && offset != 0.0 {
            return Err(format!(
                "the calibration's offset is {offset}, but an offset is for two classes; there are {classes}"
            ));
        }
        match &self.knots {
            Some(_) if classes != 2 => {
                Err(format!("the calibration has a monotone map, which is for two classes; there are {classes}"))
            }
            Some(knots) => knots.check(),
            None => Ok(()),
        }
    }

    /// The calibrated logit of class `class`.
    pub fn apply(&self, class: usize, z: f32) -> f32 {
        let z = z * self.slope as f32;
        if class == 1 { z + self.offset as f32 } else { z }
    }

    /// Applies it to all scores of one row, in place.
    pub fn of_scores(&self, scores: &mut [f32]) {
        for (class, p) in scores.iter_mut().enumerate() {
            // A score that has rounded to 0 is the smallest number that it can have been; a NaN stays one.
            let p_or_least = if *p < f32::MIN_POSITIVE { f32::MIN_POSITIVE } else { *p };
            *p = self.apply(class, Real::ln(p_or_least));
        }
        softmax::scores_in_place(scores);
        self.after(scores);
    }

    /// What stands behind the softmax: the knots, then the mix. `scores` are all classes of one row.
    pub(crate) fn after(&self, scores: &mut [f32]) {
        if let (Some(knots), [first, second]) = (&self.knots, &mut *scores) {
            let p = knots.at(f64::from(*second));
            (*first, *second) = ((1.0 - p) as f32, p as f32);
        }
        if self.mix > 0.0 {
            let (kept, even) = ((1.0 - self.mix) as f32, (self.mix / scores.len().max(1) as f64) as f32);
            scores.iter_mut().for_each(|p| *p = p.mul_add(kept, even));
        }
    }
}

impl Knots {
    fn check(&self) -> Result<(), String> {
        let Knots { x, y } = self;
        let unit = |values: &[f64]| values.iter().all(|value| (0.0..=1.0).contains(value));
        if x.is_empty() || x.len() != y.len() || x.len() > MAX_KNOTS || !unit(x) || !unit(y) {
            return Err(format!(
                "the calibration's monotone map has {} scores and {} probabilities; as many of both, 1 to {MAX_KNOTS}, all \
                 between 0 and 1, are needed",
                x.len(),
                y.len()
            ));
        }
        if x.windows(2).any(|pair| pair[0] >= pair[1]) || y.windows(2).any(|pair| pair[0] > pair[1]) {
            return Err("the calibration's monotone map descends".to_owned());
        }
        Ok(())
    }

    /// The map's value; NaN stays NaN.
    pub fn at(&self, score: f64) -> f64 {
        let Knots { x, y } = self;
        if score.is_nan() {
            return score;
        }
        let after = x.partition_point(|&x| x <= score);
        let place = |i: usize| x.get(i).copied().zip(y.get(i).copied());
        match (after.checked_sub(1).and_then(place), place(after)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * ((score - x0) / (x1 - x0)),
            (Some((_, y)), None) | (None, Some((_, y))) => y,
            (None, None) => score,
        }
    }
}

/// Log-odds of class `class` from all scores of a row, `ln p_c - ln sum of the others`: what explanations add up to. Both parts are taken
/// as they are, none as 1 minus the other, so nothing cancels.
pub fn log_odds(scores: &[f32], class: usize) -> f64 {
    let others = scores.iter().enumerate().filter(|(c, _)| *c != class).fold(0.0, |sum, (_, &p)| sum + f64::from(p));
    let own = scores.get(class).copied().map_or(f64::NAN, f64::from);
    // A probability that has rounded to 0 is the smallest number that it can have been.
    let ln = |p: f64| if p.is_nan() { p } else { Real::ln(p.max(f64::from(f32::MIN_POSITIVE))) };
    ln(own) - ln(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knots_are_straight_between_and_constant_outside() {
        let knots = Knots { x: vec![0.2, 0.4, 0.8], y: vec![0.1, 0.3, 0.3] };
        for (score, wanted) in [(0.0, 0.1), (0.2, 0.1), (0.3, 0.2), (0.4, 0.3), (0.6, 0.3), (1.0, 0.3)] {
            assert!((knots.at(score) - wanted).abs() < 1e-15, "{score}");
        }
        assert!(knots.at(f64::NAN).is_nan());
    }

    #[test]
    fn a_map_that_descends_is_refused() {
        for (x, y) in [(vec![0.4, 0.2], vec![0.1, 0.2]), (vec![0.2, 0.4], vec![0.3, 0.2]), (vec![0.2], vec![1.2])] {
            let calibration = Calibration { knots: Some(Knots { x, y }), ..Calibration::default() };
            assert!(calibration.check(Head::Softmax, 2).is_err());
        }
        let calibration = Calibration { knots: Some(Knots { x: vec![0.5], y: vec![0.5] }), ..Calibration::default() };
        assert_eq!(calibration.check(Head::Sigmoid, 2), Ok(()));
        assert!(calibration.check(Head::Softmax, 3).unwrap_err().contains("two classes"));
    }

    #[test]
    fn log_odds_of_both_ends_do_not_cancel() {
        let p = 1e-30_f32;
        assert!((log_odds(&[1.0, p], 1) - f64::from(p).ln()).abs() < 1e-9);
        assert!((log_odds(&[p, 1.0], 1) + f64::from(p).ln()).abs() < 1e-9);
        assert!((log_odds(&[0.2, 0.3, 0.5], 2)).abs() < 1e-7);
    }
}
