//! Whether probabilities mean what they say: the reliability diagram's bins and the calibration error.
//!
//! Two classes: the probability of class 1 against the share of rows that are of class 1. More: the probability of the most probable
//! class (the top label's confidence) against the share of rows that are of it. Bins are equally wide over [0, 1]; a bin
//! holds its lower edge, the last its upper one too.

use glassnet_kernels::Real;
use serde::{Deserialize, Serialize};

use super::{ClassScores, weight};

/// Bins that are usual (Guo et al. 2017).
pub const BINS: usize = 15;

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower edge, inside the bin.
    pub low: f64,
    /// Upper edge, outside of it (inside of the last).
    pub high: f64,
    /// Rows in it that have a weight.
    pub rows: usize,
    /// Their weights.
    pub weight: f64,
    /// Weighted mean of what was predicted; `None` where the bin is empty.
    pub predicted: Option<f64>,
    /// Weighted share of what happened; `None` where the bin is empty.
    pub observed: Option<f64>,
}

/// The bins of a classifier: see the module's words for what is predicted and observed. At least one bin is made.
pub fn reliability(
    scores: &ClassScores,
    labels: &[usize],
    weights: Option<&[f64]>,
    bins: usize,
) -> Vec<ReliabilityBin> {
    let told = |row: usize| match scores.classes() {
        2 => (Real::exp(scores.row(row)[1]), labels[row] == 1),
        _ => {
            let top = scores.predicted(row);
            (Real::exp(scores.row(row)[top]), labels[row] == top)
        }
    };
    binned(labels.len(), told, weights, bins)
}

/// The bins of one class against the rest.
pub fn reliability_of_class(
    scores: &ClassScores,
    labels: &[usize],
    class: usize,
    weights: Option<&[f64]>,
    bins: usize,
) -> Vec<ReliabilityBin> {
    binned(labels.len(), |row| (Real::exp(scores.row(row)[class]), labels[row] == class), weights, bins)
}

fn binned(
    rows: usize,
    told: impl Fn(usize) -> (f64, bool),
    weights: Option<&[f64]>,
    bins: usize,
) -> Vec<ReliabilityBin> {
    let bins = bins.max(1);
    // Rows, weight, weighted sum of predictions, weight of what happened.
    let mut sums = vec![(0, 0.0, 0.0, 0.0); bins];
    for row in 0..rows {
        let (w, (p, happened)) = (weight(weights, row), told(row));
        if w > 0.0 {
            let sum = &mut sums[((p * bins as f64) as usize).min(bins - 1)];
            sum.0 += 1;
            sum.1 += w;
            sum.2 += w * p;
            sum.3 += if happened { w } else { 0.0 };
        }
    }
    let edge = |bin: usize| bin as f64 / bins as f64;
    let bin = |(place, (rows, weight, predicted, observed)): (usize, (usize, f64, f64, f64))| ReliabilityBin {
        low: edge(place),
        high: edge(place + 1),
        rows,
        weight,
        predicted: (rows > 0).then(|| predicted / weight),
        observed: (rows > 0).then(|| observed / weight),
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error over bins: `sum_b W_b |observed_b - predicted_b| / sum_b W_b` (Naeini et al. 2015). `None` where no row
/// has a weight. It depends on the number of bins ([`BINS`] is usual) and is above 0 by chance even for perfect probabilities: the fewer
/// the rows, the more.
///
/// ```
/// use glassnet_nn::metrics::{BINS, ClassScores, ece};
/// // Three rows said to be of class 1 with 0.9; two of them are.
/// let scores = ClassScores::from_probabilities(&[0.1, 0.9, 0.1, 0.9, 0.1, 0.9], 2);
/// let found = ece(&scores, &[1, 1, 0], None, BINS).unwrap_or_default();
/// assert!((found - (0.9 - 2.0 / 3.0)).abs() < 1e-12);
/// ```
pub fn ece(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>, bins: usize) -> Option<f64> {
    calibration_error(&reliability(scores, labels, weights, bins))
}

/// The same of bins that are there already.
pub fn calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for bin in bins {
        if let (Some(predicted), Some(observed)) = (bin.predicted, bin.observed) {
            sum += bin.weight * (observed - predicted).abs();
            total += bin.weight;
        }
    }
    (total > 0.0).then(|| sum / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_label_counts_where_there_are_more_than_two() {
        let scores = ClassScores::from_probabilities(&[0.7, 0.2, 0.1, 0.3, 0.4, 0.3], 3);
        let bins = reliability(&scores, &[0, 2], None, 10);
        assert_eq!(bins.iter().map(|bin| bin.rows).sum::<usize>(), 2);
        let near = |found: Option<f64>, wanted: f64| assert!((found.unwrap() - wanted).abs() < 1e-12);
        near(ece(&scores, &[0, 2], None, 10), (0.3 + 0.4) / 2.0);
        near(ece(&scores, &[0, 1], None, 10), (0.3 + 0.6) / 2.0);
        near(ece(&scores, &[0, 1], Some(&[3.0, 1.0]), 10), (0.9 + 0.6) / 4.0);
        let one = reliability_of_class(&scores, &[0, 2], 2, None, 2);
        near(one[0].predicted, 0.2);
        assert_eq!((one[0].observed, one[1].observed, one[1].rows), (Some(0.5), None, 0));
    }

    #[test]
    fn a_bin_holds_its_lower_edge_and_the_last_both() {
        let scores = ClassScores::from_log_probabilities(&[f64::NEG_INFINITY, 0.0, 0.0, f64::NEG_INFINITY], 2);
        let bins = reliability(&scores, &[1, 0], None, 4);
        assert_eq!(bins.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [1, 0, 0, 1]);
        assert_eq!((bins[3].low, bins[3].high, bins[3].predicted), (0.75, 1.0, Some(1.0)));
        assert_eq!(ece(&scores, &[], None, 4), None);
        assert_eq!(ece(&scores, &[1, 0], None, 0), Some(0.0));
    }
}
