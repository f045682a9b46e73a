//! A [`Classification`] from the scores of rows.

use glassnet_nn::metrics::{ClassScores, Confusion, binary_auc};

use super::bins::{ece, histogram, reliability, weight};
use super::curves::{precision_recall, roc, thresholds};
use crate::page::{Classification, Curve, Distribution, ReliabilityData, Thresholds};

/// Bins of the reliability diagram and of the expected calibration error.
const BINS: usize = 15;
/// Bins of the distribution of scores.
const SCORE_BINS: usize = 40;

impl Classification {
    /// All pictures of a classifier: of its `scores`, true `labels` (below the number of classes) and row `weights`.
    /// `before` are the scores before calibration, where there was one. Of two classes the second is the one that
    /// scores are of; of more, each class has curves, and the reliability is that of the most probable class.
    ///
    /// `rows` says in a sentence which rows they are; `target` is the target column's name. Labels beyond the classes
    /// and rows without a label are left out.
    pub fn measure(
        rows: impl Into<String>,
        target: &str,
        classes: &[String],
        (scores, before): (&ClassScores, Option<&ClassScores>),
        labels: &[usize],
        weights: Option<&[f64]>,
    ) -> Self {
        let (count, width) = (scores.rows().min(labels.len()), scores.classes());
        let kept: Vec<usize> = (0..count).filter(|&row| labels[row] < width).collect();
        let mut confusion = Confusion { table: vec![vec![0.0; width]; width] };
        for &row in &kept {
            confusion.table[labels[row]][scores.predicted(row)] += weight(weights, row);
        }
        let weighed: Option<Vec<f64>> = weights.map(|_| kept.iter().map(|&row| weight(weights, row)).collect());
        let weighed = weighed.as_deref();
        let of_class = |scores: &ClassScores, class: usize| -> Vec<f64> {
            kept.iter()
                .map(|&row| if row < scores.rows() { probability(scores, row, class) } else { f64::NAN })
                .collect()
        };
        let is = |class: usize| -> Vec<bool> { kept.iter().map(|&row| labels[row] == class).collect() };
        let mut whole = Classification {
            rows: rows.into(),
            classes: classes.to_vec(),
            confusion: confusion.table,
            ..Classification::default()
        };
        let shown = if width == 2 { 1..2 } else { 0..width };
        for class in shown {
            let (p, is) = (of_class(scores, class), is(class));
            let name = classes.get(class).cloned().unwrap_or_else(|| class.to_string());
            let part = |of: bool| -> f64 {
                is.iter().enumerate().filter(|(_, is)| **is == of).map(|(row, _)| weight(weighed, row)).sum()
            };
            let base_rate = Some(part(true) / (part(true) + part(false))).filter(|rate| rate.is_finite());
            let points = roc(&p, &is, weighed);
            if !points.is_empty() {
                let area = if p.iter().all(|p| p.is_finite()) { binary_auc(&p, &is, weighed) } else { None };
                whole.roc.push(Curve { name: name.clone(), points, area, base_rate });
            }
            if let Some((points, average)) = precision_recall(&p, &is, weighed) {
                whole.precision_recall.push(Curve { name, points, area: Some(average), base_rate });
            }
        }
        whole.reliability = Some(whole.reliability_of(target, (scores, before), &kept, labels, weighed));
        whole.distribution = Some(whole.distribution_of(target, scores, &kept, labels, weighed));
        whole
    }

    /// Adds the table of thresholds for the second of two classes; nothing for more classes. `chosen` is the threshold that
    /// the model uses; `costs` are those of a false alarm and of a miss, `capacity` the share of rows that can be
    /// looked at.
    pub fn with_thresholds(
        mut self,
        scores: &ClassScores,
        labels: &[usize],
        weights: Option<&[f64]>,
        costs: Option<(f64, f64)>,
        capacity: Option<f64>,
        chosen: Option<f64>,
    ) -> Self {
        if scores.classes() != 2 {
            return self;
        }
        let count = scores.rows().min(labels.len());
        let p: Vec<f64> = (0..count).map(|row| probability(scores, row, 1)).collect();
        let is: Vec<bool> = labels.iter().take(count).map(|&label| label == 1).collect();
        let mut lines = thresholds(&p, &is, weights, costs, capacity);
        if let Some(at) = chosen {
            if !lines.iter().any(|line| line.threshold == at) {
                lines.push(super::threshold(at, &p, &is, weights, costs));
                lines.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
            }
            for line in &mut lines {
                line.chosen = line.threshold == at;
            }
        }
        let basis = costs.map_or(String::new(), |(alarm, miss)| {
            let [alarm, miss] = [alarm, miss].map(crate::number::number);
            format!("A false alarm costs {alarm}, a miss costs {miss}.")
        });
        self.thresholds = Some(Thresholds { positive: self.classes.get(1).cloned().unwrap_or_default(), basis, lines });
        self
    }

    fn positive(&self, target: &str) -> String {
        let class = self.classes.get(1).map_or("1", String::as_str);
        if target.is_empty() { class.to_string() } else { format!("{target} = {class}") }
    }

    fn reliability_of(
        &self,
        target: &str,
        (scores, before): (&ClassScores, Option<&ClassScores>),
        kept: &[usize],
        labels: &[usize],
        weighed: Option<&[f64]>,
    ) -> ReliabilityData {
        let two = scores.classes() == 2;
        let bins = |scores: &ClassScores| {
            let class = |row: usize| if two { 1 } else { scores.predicted(row) };
            let kept: Vec<usize> = kept.iter().copied().filter(|&row| row < scores.rows()).collect();
            let p: Vec<f64> = kept.iter().map(|&row| probability(scores, row, class(row))).collect();
            let truth: Vec<bool> = kept.iter().map(|&row| labels[row] == class(row)).collect();
            reliability(&p, &truth, weighed, BINS)
        };
        let (after, before) = (bins(scores), before.map(bins).unwrap_or_default());
        ReliabilityData {
            of: if two { self.positive(target) } else { "the predicted class".into() },
            ece_before: ece(&before),
            ece_after: ece(&after),
            before,
            after,
            method: String::new(),
        }
    }

    fn distribution_of(
        &self,
        target: &str,
        scores: &ClassScores,
        kept: &[usize],
        labels: &[usize],
        weighed: Option<&[f64]>,
    ) -> Distribution {
        let edges: Vec<f64> = (0..=SCORE_BINS).map(|edge| edge as f64 / SCORE_BINS as f64).collect();
        let two = scores.classes() == 2;
        let counts = |keep: &dyn Fn(usize) -> bool| {
            let value = |row: usize| probability(scores, row, if two { 1 } else { scores.predicted(row) });
            // The others are outside of all bins.
            let values: Vec<f64> = kept.iter().map(|&row| if keep(row) { value(row) } else { f64::NAN }).collect();
            histogram(&values, &edges, weighed)
        };
        let named = |class: usize| self.classes.get(class).cloned().unwrap_or_else(|| class.to_string());
        let series = if two {
            (0..2).map(|class| (named(class), counts(&|row| labels[row] == class))).collect()
        } else {
            let right = |row: usize| labels[row] == scores.predicted(row);
            vec![("right".to_string(), counts(&right)), ("wrong".to_string(), counts(&|row| !right(row)))]
        };
        let of =
            if two { format!("score of {}", self.positive(target)) } else { "score of the predicted class".into() };
        Distribution { of, edges, series }
    }
}

/// A class's probability for a row.
fn probability(scores: &ClassScores, row: usize, class: usize) -> f64 {
    scores.row(row).get(class).map_or(f64::NAN, |log| log.exp())
}
