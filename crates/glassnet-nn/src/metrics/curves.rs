//! The ROC curve and the precision-recall curve of two classes: one point for each threshold that parts the rows differently.
//!
//! A row is called positive where its score is at least the threshold; rows of equal score are called alike. Points go from the highest
//! threshold to the lowest.

use serde::{Deserialize, Serialize};

use super::weight;

/// What a threshold does: weights of rows (numbers of rows without weights).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Called {
    /// Rows at or above it are called positive; `None`: above every score, so that no row is.
    pub threshold: Option<f64>,
    /// Positive rows that are called positive.
    pub true_positive: f64,
    /// Negative rows that are called positive.
    pub false_positive: f64,
    /// Positive rows that are not.
    pub false_negative: f64,
    /// Negative rows that are not.
    pub true_negative: f64,
}

impl Called {
    /// Share of the positive rows that are called positive (recall); `None` where there are none.
    pub fn true_positive_rate(&self) -> Option<f64> {
        share(self.true_positive, self.true_positive + self.false_negative)
    }

    /// Share of the negative rows that are called positive; `None` where there are none.
    pub fn false_positive_rate(&self) -> Option<f64> {
        share(self.false_positive, self.false_positive + self.true_negative)
    }

    /// Share of the rows called positive that are; `None` where none is called so.
    pub fn precision(&self) -> Option<f64> {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// Share of all rows that are called positive.
    pub fn called_rate(&self) -> Option<f64> {
        share(self.true_positive + self.false_positive, self.total())
    }

    /// Weight of all rows.
    pub fn total(&self) -> f64 {
        self.true_positive + self.false_positive + self.false_negative + self.true_negative
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Every way to part the rows by a threshold, from none called positive to all. `None` where a score is NaN or no row has a weight.
pub fn thresholds(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<Vec<Called>> {
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).filter(|&row| weight(weights, row) > 0.0).collect();
    if order.is_empty() {
        return None;
    }
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut positives, mut negatives) = (0.0, 0.0);
    let mut out = vec![(None, 0.0, 0.0)];
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        for &row in tie {
            *(if positive[row] { &mut positives } else { &mut negatives }) += weight(weights, row);
        }
        out.push((Some(scores[tie[0]]), positives, negatives));
    }
    let called = |(threshold, true_positive, false_positive)| Called {
        threshold,
        true_positive,
        false_positive,
        false_negative: positives - true_positive,
        true_negative: negatives - false_positive,
    };
    Some(out.into_iter().map(called).collect())
}

/// A point of a ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// Rows at or above it are called positive; `None`: above every score.
    pub threshold: Option<f64>,
    /// Share of the negative rows that are called positive.
    pub false_positive_rate: f64,
    /// Share of the positive rows that are called positive.
    pub true_positive_rate: f64,
}

/// The ROC curve from (0, 0) to (1, 1). `None` where one side has no weight or a score is NaN.
///
/// ```
/// use glassnet_nn::metrics::roc;
/// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], None).unwrap_or_default();
/// let points: Vec<(f64, f64)> = curve.iter().map(|p| (p.false_positive_rate, p.true_positive_rate)).collect();
/// assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
/// ```
pub fn roc(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<Vec<RocPoint>> {
    let point = |called: &Called| {
        Some(RocPoint {
            threshold: called.threshold,
            false_positive_rate: called.false_positive_rate()?,
            true_positive_rate: called.true_positive_rate()?,
        })
    };
    thresholds(scores, positive, weights)?.iter().map(point).collect()
}

/// A point of a precision-recall curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PrPoint {
    /// Rows at or above it are called positive.
    pub threshold: f64,
    /// Share of the rows called positive that are.
    pub precision: f64,
    /// Share of the positive rows that are called positive.
    pub recall: f64,
}

/// The precision-recall curve, from the highest threshold to the lowest, where recall is 1. `None` where no positive row has a weight or
/// a score is NaN.
pub fn precision_recall(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<Vec<PrPoint>> {
    let point = |called: &Called| {
        let (recall, precision) = (called.true_positive_rate()?, called.precision()?);
        Some(PrPoint { threshold: called.threshold?, precision, recall })
    };
    thresholds(scores, positive, weights)?.iter().skip(1).map(point).collect()
}

/// Average precision: `sum (recall_k - recall_(k-1)) precision_k` over the points, the area below the precision-recall curve taken in steps.
/// `None` as [`precision_recall`].
pub fn average_precision(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<f64> {
    let (mut sum, mut before) = (0.0, 0.0);
    for point in precision_recall(scores, positive, weights)? {
        sum += (point.recall - before) * point.precision;
        before = point.recall;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::binary_auc;

    #[test]
    fn the_area_below_the_curve_is_the_auc() {
        let scores: Vec<f64> = (0..150).map(|i| f64::from(i * 73 % 31)).collect();
        let positive: Vec<bool> = (0..150).map(|i| i * 17 % 7 < 3).collect();
        let weights: Vec<f64> = (0..150).map(|i| f64::from(i % 4)).collect();
        let curve = roc(&scores, &positive, Some(&weights)).unwrap();
        let area: f64 = curve
            .windows(2)
            .map(|p| {
                let width = p[1].false_positive_rate - p[0].false_positive_rate;
                width * (p[0].true_positive_rate + p[1].true_positive_rate) / 2.0
            })
            .sum();
        assert!((area - binary_auc(&scores, &positive, Some(&weights)).unwrap()).abs() < 1e-12);
        assert_eq!(curve.len(), 32);
        let last = curve.last().unwrap();
        assert_eq!((last.false_positive_rate, last.true_positive_rate, last.threshold), (1.0, 1.0, Some(0.0)));
    }

    #[test]
    fn ties_are_called_alike_and_the_ends_are_none() {
        let called = thresholds(&[0.5, 0.5, -0.0, 0.0], &[true, false, true, false], None).unwrap();
        assert_eq!(called.len(), 3);
        assert_eq!((called[1].true_positive, called[1].false_positive, called[1].precision()), (1.0, 1.0, Some(0.5)));
        assert_eq!(
            (called[0].precision(), called[0].called_rate(), called[2].called_rate()),
            (None, Some(0.0), Some(1.0))
        );
        assert_eq!(roc(&[1.0, 2.0], &[true, true], None), None);
        assert_eq!(precision_recall(&[1.0], &[false], None), None);
        assert_eq!(thresholds(&[f64::NAN], &[true], None), None);
        assert_eq!(thresholds(&[1.0], &[true], Some(&[0.0])), None);
        assert_eq!(average_precision(&[2.0, 1.0], &[false, true], None), Some(0.5));
    }
}
