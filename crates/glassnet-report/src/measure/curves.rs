//! Curves over all thresholds: ROC, precision and recall; and what single thresholds bring.

use super::bins::weight;
use crate::page::ThresholdLine;
use crate::plot::thin::evenly;

/// Most points of a curve.
const MOST_POINTS: usize = 200;

/// Flagged rows of the class and of the others, for one threshold after the other from the highest score down: rows of equal
/// scores come together.
fn sweep(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Vec<[f64; 3]> {
    let mut rows: Vec<(f64, f64, bool)> = scores
        .iter()
        .zip(positive)
        .enumerate()
        .filter(|(_, (score, _))| score.is_finite())
        .map(|(row, (&score, &positive))| (score, weight(weights, row), positive))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut found, mut alarms) = (0.0, 0.0);
    let mut steps = Vec::new();
    for (place, &(score, weight, positive)) in rows.iter().enumerate() {
        if positive {
            found += weight;
        } else {
            alarms += weight;
        }
        if rows.get(place + 1).is_none_or(|next| next.0 != score) {
            steps.push([score, found, alarms]);
        }
    }
    steps
}

/// An even choice with both ends.
fn thinned(points: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let mut kept = evenly(&points, MOST_POINTS - 1);
    kept.extend(points.last().filter(|last| kept.last() != Some(last)));
    kept
}

/// ROC: (false positive rate, true positive rate) from (0, 0) to (1, 1), at most 200 points. Empty where one of the two
/// kinds of rows is missing. Its exact area is `glassnet_nn::metrics::binary_auc`.
///
/// ```
/// use glassnet_report::measure::roc;
/// let points = roc(&[0.9, 0.4, 0.6], &[true, true, false], None);
/// assert_eq!(points, [[0.0, 0.0], [0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]);
/// ```
pub fn roc(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Vec<[f64; 2]> {
    let steps = sweep(scores, positive, weights);
    let Some(&[_, positives, negatives]) = steps.last() else { return Vec::new() };
    if positives <= 0.0 || negatives <= 0.0 {
        return Vec::new();
    }
    let mut points = vec![[0.0, 0.0]];
    points.extend(steps.iter().map(|[_, found, alarms]| [alarms / negatives, found / positives]));
    thinned(points)
}

/// Precision and recall: (recall, precision), at most 200 points, and the average precision: the sum over thresholds of
/// precision times the growth of recall. None where no row is of the class.
pub fn precision_recall(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Option<(Vec<[f64; 2]>, f64)> {
    let steps = sweep(scores, positive, weights);
    let all = steps.last().map(|step| step[1]).filter(|all| *all > 0.0)?;
    let (mut before, mut average) = (0.0, 0.0);
    let mut points = Vec::new();
    for [_, found, alarms] in steps.iter().filter(|step| step[1] + step[2] > 0.0) {
        let (recall, precision) = (found / all, found / (found + alarms));
        average += precision * (recall - before);
        before = recall;
        points.push([recall, precision]);
    }
    Some((thinned(points), average))
}

/// What flagging the rows with at least this score brings. `costs`: of a false alarm and of a miss.
pub fn threshold(
    at: f64,
    scores: &[f64],
    positive: &[bool],
    weights: Option<&[f64]>,
    costs: Option<(f64, f64)>,
) -> ThresholdLine {
    let [mut found, mut alarms, mut misses, mut all] = [0.0; 4];
    for (row, (&score, &positive)) in scores.iter().zip(positive).enumerate() {
        if !score.is_finite() {
            continue;
        }
        let w = weight(weights, row);
        all += w;
        match (score >= at, positive) {
            (true, true) => found += w,
            (true, false) => alarms += w,
            (false, true) => misses += w,
            (false, false) => {}
        }
    }
    let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
    ThresholdLine {
        threshold: at,
        flagged: share(found + alarms, all).unwrap_or(0.0),
        precision: share(found, found + alarms),
        recall: share(found, found + misses),
        false_alarms: alarms,
        misses,
        cost: costs.and_then(|(alarm, miss)| share(alarm * alarms + miss * misses, all)),
        note: String::new(),
        chosen: false,
    }
}

/// Lines for the thresholds 0.1, 0.2, ... 0.9 that are among the scores' span, the one of least cost where costs are given,
/// and the one that flags no more than `capacity` of the rows. None of them is chosen.
pub fn thresholds(
    scores: &[f64],
    positive: &[bool],
    weights: Option<&[f64]>,
    costs: Option<(f64, f64)>,
    capacity: Option<f64>,
) -> Vec<ThresholdLine> {
    let line =
        |at: f64, note: &str| ThresholdLine { note: note.into(), ..threshold(at, scores, positive, weights, costs) };
    let steps = sweep(scores, positive, weights);
    let Some((&[highest, ..], &[lowest, positives, negatives])) = steps.first().zip(steps.last()) else {
        return Vec::new();
    };
    let tenths = (1..10).map(|tenth| f64::from(tenth) / 10.0).filter(|at| (lowest..=highest).contains(at));
    let mut lines: Vec<ThresholdLine> = tenths.map(|at| line(at, "")).collect();
    if let Some((alarm, miss)) = costs {
        let cost = |step: &[f64; 3]| alarm * step[2] + miss * (positives - step[1]);
        let least = steps.iter().min_by(|a, b| cost(a).total_cmp(&cost(b)));
        // Flagging nothing can be the cheapest of all; then there is no threshold to show.
        if let Some(least) = least.filter(|least| cost(least) < miss * positives) {
            lines.push(line(least[0], "least cost"));
        }
    }
    if let Some(share) = capacity {
        let room = share * (positives + negatives);
        if let Some(step) = steps.iter().rev().find(|step| step[1] + step[2] <= room) {
            lines.push(line(step[0], &format!("flags no more than {}", crate::number::percent(share))));
        }
    }
    lines.sort_by(|a, b| a.threshold.total_cmp(&b.threshold));
    lines
}
