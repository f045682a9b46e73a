//! Area under the ROC curve: the chance that a positive row scores above a negative one.
//!
//! By midranks (Hanley and McNeil 1982): AUC = sum over pairs of w+ w- (1 if above, 1/2 if equal) / (W+ W-), which equals
//! the trapezoid area with ties taken together.

use super::{ClassScores, weight};

/// AUC of `scores` against `positive`; ties count one half. `None` where one side has no weight or a score is NaN.
///
/// ```
/// use glassnet_nn::metrics::binary_auc;
/// assert_eq!(binary_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true], None), Some(0.75));
/// ```
pub fn binary_auc(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<f64> {
    if scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let (mut wins, mut negatives_below, mut positives) = (0.0, 0.0, 0.0);
    // -0 and 0 are neighbours in that order and equal here.
    for tie in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let (mut tied_positive, mut tied_negative) = (0.0, 0.0);
        for &row in tie {
            if positive[row] {
                tied_positive += weight(weights, row);
            } else {
                tied_negative += weight(weights, row);
            }
        }
        wins += tied_positive * (negatives_below + 0.5 * tied_negative);
        negatives_below += tied_negative;
        positives += tied_positive;
    }
    let pairs = positives * negatives_below;
    (pairs > 0.0).then(|| wins / pairs)
}

/// AUC of a classifier. Two classes: ranked by the log-odds of class 1. More: the unweighted mean over classes of one
/// against the rest, ranked by that class's log-probability; classes without a row here have no AUC and are left out.
/// `None` where no class has one.
pub fn auc(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Option<f64> {
    let one_against_rest = |class: usize, score: &dyn Fn(usize) -> f64| {
        let column: Vec<f64> = (0..labels.len()).map(score).collect();
        let positive: Vec<bool> = labels.iter().map(|&label| label == class).collect();
        binary_auc(&column, &positive, weights)
    };
    if scores.classes() == 2 {
        return one_against_rest(1, &|row| scores.row(row)[1] - scores.row(row)[0]);
    }
    let (mut sum, mut count) = (0.0, 0);
    for class in 0..scores.classes() {
        if !(0..labels.len()).any(|row| labels[row] == class && weight(weights, row) > 0.0) {
            continue;
        }
        sum += one_against_rest(class, &|row| scores.row(row)[class])?;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair looked at.
    fn by_pairs(scores: &[f64], positive: &[bool], weights: &[f64]) -> f64 {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for i in (0..scores.len()).filter(|&i| positive[i]) {
            for j in (0..scores.len()).filter(|&j| !positive[j]) {
                let w = weights[i] * weights[j];
                pairs += w;
                wins += w * if scores[i] > scores[j] {
                    1.0
                } else if scores[i] == scores[j] {
                    0.5
                } else {
                    0.0
                };
            }
        }
        wins / pairs
    }

    #[test]
    fn equals_the_count_over_all_pairs_with_ties_and_weights() {
        let n = 200;
        let scores: Vec<f64> = (0..n).map(|i| f64::from(i * 73 % 31)).collect();
        let positive: Vec<bool> = (0..n).map(|i| i * 17 % 7 < 3).collect();
        let weights: Vec<f64> = (0..n).map(|i| 0.5 + f64::from(i % 4)).collect();
        let wanted = by_pairs(&scores, &positive, &weights);
        assert!((binary_auc(&scores, &positive, Some(&weights)).unwrap() - wanted).abs() < 1e-12);
        let ones = vec![1.0; n as usize];
        let wanted = by_pairs(&scores, &positive, &ones);
        assert!((binary_auc(&scores, &positive, None).unwrap() - wanted).abs() < 1e-12);
    }

    #[test]
    fn the_ends() {
        assert_eq!(binary_auc(&[1.0, 2.0], &[false, true], None), Some(1.0));
        assert_eq!(binary_auc(&[1.0, 2.0], &[true, false], None), Some(0.0));
        assert_eq!(binary_auc(&[0.0, -0.0], &[true, false], None), Some(0.5));
        assert_eq!(binary_auc(&[1.0, 2.0], &[true, true], None), None);
        assert_eq!(binary_auc(&[], &[], None), None);
        assert_eq!(binary_auc(&[f64::NAN, 2.0], &[true, false], None), None);
        assert_eq!(binary_auc(&[1.0, 2.0], &[true, false], Some(&[1.0, 0.0])), None);
    }

    #[test]
    fn many_classes_take_the_mean_of_those_present() {
        let p = [0.6, 0.3, 0.1, 0.0, 0.2, 0.5, 0.3, 0.0, 0.5, 0.1, 0.4, 0.0, 0.1, 0.6, 0.3, 0.0];
        let scores = ClassScores::from_probabilities(&p, 4);
        let labels = [0, 1, 2, 1];
        // Class 0: 0.6 above all: 1. Class 1: 0.5 and 0.6 above 0.3 and 0.1: 1. Class 2: 0.4 above all: 1.
        assert_eq!(auc(&scores, &labels, None), Some(1.0));
        // With the first two labels swapped: class 0 has 0.2 above one of three; class 1 has 0.3 (one of two) and 0.6
        // (two of two): 3/4; class 2 stays.
        let swapped = auc(&scores, &[1, 0, 2, 1], None).unwrap();
        assert!((swapped - (1.0 / 3.0 + 0.75 + 1.0) / 3.0).abs() < 1e-12, "{swapped}");
        assert_eq!(auc(&scores, &[0, 0, 0, 0], None), None);
    }

    #[test]
    fn sure_rows_are_still_ranked() {
        // The probabilities of all four round to 1; their logits do not.
        let scores = ClassScores::from_binary_logits(&[40.0, 41.0, 42.0, 43.0]);
        assert_eq!(auc(&scores, &[0, 0, 1, 1], None), Some(1.0));
    }
}
