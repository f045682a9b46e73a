//! Curves, bins and thresholds against values counted by hand, and against the metrics of glassnet-nn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod sample;

use glassnet_nn::metrics::{ClassScores, binary_auc};
use glassnet_report::measure::*;
use glassnet_report::page::Classification;
use sample::{check, two_classes};

/// Area by trapezoids.
fn area(points: &[[f64; 2]]) -> f64 {
    points.windows(2).map(|pair| (pair[1][0] - pair[0][0]) * 0.5 * (pair[0][1] + pair[1][1])).sum()
}

fn positive(scores: &ClassScores) -> Vec<f64> {
    (0..scores.rows()).map(|row| scores.row(row)[1].exp()).collect()
}

#[test]
fn the_area_below_roc_is_the_auc() {
    let (scores, _, labels) = two_classes(150);
    let (p, is): (Vec<f64>, Vec<bool>) = (positive(&scores), labels.iter().map(|&label| label == 1).collect());
    let auc = binary_auc(&p, &is, None).unwrap();
    assert!((area(&roc(&p, &is, None)) - auc).abs() < 1e-12);
    let weights: Vec<f64> = (0..150).map(|row| f64::from(row % 4)).collect();
    let auc = binary_auc(&p, &is, Some(&weights)).unwrap();
    assert!((area(&roc(&p, &is, Some(&weights))) - auc).abs() < 1e-12);
    // Of many rows 200 points are left: nearly the same area.
    let (scores, _, labels) = two_classes(5_000);
    let (p, is): (Vec<f64>, Vec<bool>) = (positive(&scores), labels.iter().map(|&label| label == 1).collect());
    let points = roc(&p, &is, None);
    assert!(points.len() <= 200 && points.first() == Some(&[0.0, 0.0]) && points.last() == Some(&[1.0, 1.0]));
    assert!((area(&points) - binary_auc(&p, &is, None).unwrap()).abs() < 2e-3);
}

#[test]
fn equal_scores_come_together() {
    assert_eq!(roc(&[0.5, 0.5, 0.5, 0.5], &[true, false, true, false], None), [[0.0, 0.0], [1.0, 1.0]]);
    assert_eq!(roc(&[0.5, 0.2], &[true, true], None), Vec::<[f64; 2]>::new());
    assert_eq!(roc(&[], &[], None), Vec::<[f64; 2]>::new());
    assert_eq!(roc(&[f64::NAN, 0.3], &[true, false], None), Vec::<[f64; 2]>::new());
}

#[test]
fn average_precision_by_hand() {
    // From above: yes, no, yes: precision 1 at recall 1/2, 2/3 at recall 1.
    let (points, average) = precision_recall(&[0.9, 0.5, 0.1], &[true, false, true], None).unwrap();
    assert_eq!(points, [[0.5, 1.0], [0.5, 0.5], [1.0, 2.0 / 3.0]]);
    assert!((average - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
    assert!(precision_recall(&[0.5], &[false], None).is_none());
}

#[test]
fn one_threshold_by_hand() {
    let (line, bins) = check();
    assert_eq!((line.flagged, line.precision, line.recall), (0.5, Some(0.5), Some(0.5)));
    assert_eq!((line.false_alarms, line.misses, line.cost), (1.0, 1.0, Some((1.0 + 10.0) / 4.0)));
    assert_eq!((bins[0].rows, bins[0].predicted, bins[0].observed), (2.0, 0.2, 0.5));
    assert_eq!((bins[1].rows, bins[1].observed), (2.0, 0.5));
    let expected = 0.5 * (0.5 - 0.2) + 0.5 * (0.85 - 0.5);
    assert!((ece(&bins).unwrap() - expected).abs() < 1e-12);
    assert_eq!(ece(&[]), None);
}

#[test]
fn the_least_cost_is_the_least() {
    let (scores, _, labels) = two_classes(400);
    let (p, is): (Vec<f64>, Vec<bool>) = (positive(&scores), labels.iter().map(|&label| label == 1).collect());
    let costs = Some((1.0, 4.0));
    let lines = thresholds(&p, &is, None, costs, Some(0.1));
    let least = lines.iter().find(|line| line.note == "least cost").expect("one of least cost");
    for &at in &p {
        assert!(threshold(at, &p, &is, None, costs).cost >= least.cost);
    }
    let capacity = lines.iter().find(|line| line.note.starts_with("flags no more")).expect("the capacity's");
    assert!(capacity.flagged <= 0.1 && capacity.flagged > 0.09);
    assert!(lines.windows(2).all(|pair| pair[0].threshold <= pair[1].threshold));
    // Where a miss costs nothing, nothing is flagged: there is no line for it.
    assert!(thresholds(&p, &is, None, Some((1.0, 0.0)), None).iter().all(|line| line.note.is_empty()));
}

#[test]
fn quantiles_as_numpy() {
    let sorted = [1.0, 2.0, 4.0, 8.0];
    assert_eq!([0.0, 0.5, 0.25, 1.0].map(|share| quantile(&sorted, share)), [1.0, 3.0, 1.75, 8.0]);
    assert!(quantile(&[], 0.5).is_nan());
}

#[test]
fn histograms_count_every_finite_value() {
    let values = [1.0, 2.0, 2.5, 9.0, f64::NAN, f64::INFINITY];
    let ends = edges(&values, 4);
    assert_eq!((ends.len(), ends[0], ends[4]), (5, 1.0, 9.0));
    assert_eq!(histogram(&values, &ends, None).iter().sum::<f64>(), 4.0);
    assert_eq!(histogram(&values, &ends, Some(&[1.0, 2.0, 0.5, 3.0, 9.0, 9.0])), [3.5, 0.0, 0.0, 3.0]);
    assert_eq!(histogram(&values, &[], None), Vec::<f64>::new());
}

#[test]
fn a_classifier_in_whole() {
    let (after, before, labels) = two_classes(1_000);
    let classes = ["no".to_string(), "yes".to_string()];
    let whole = Classification::measure("rows", "late", &classes, (&after, Some(&before)), &labels, None)
        .with_thresholds(&after, &labels, None, None, None, Some(0.35));
    assert_eq!(whole.confusion.iter().flatten().sum::<f64>(), 1_000.0);
    assert_eq!((whole.roc.len(), whole.roc[0].name.as_str()), (1, "yes"));
    let rate = labels.iter().sum::<usize>() as f64 / 1_000.0;
    assert!((whole.roc[0].base_rate.unwrap() - rate).abs() < 1e-12);
    let reliability = whole.reliability.unwrap();
    assert_eq!(reliability.of, "late = yes");
    assert_eq!(reliability.after.iter().map(|bin| bin.rows).sum::<f64>(), 1_000.0);
    assert!(reliability.ece_before > reliability.ece_after);
    let distribution = whole.distribution.unwrap();
    assert_eq!(distribution.series.iter().flat_map(|(_, counts)| counts).sum::<f64>(), 1_000.0);
    let lines = whole.thresholds.unwrap().lines;
    assert_eq!(lines.iter().filter(|line| line.chosen).map(|line| line.threshold).collect::<Vec<_>>(), [0.35]);
}

#[test]
fn labels_beyond_the_classes_are_left_out() {
    let scores = ClassScores::from_logits(&[3.0, 0.0, 0.0, 3.0, 0.0, 3.0], 2);
    let whole = Classification::measure("", "", &["a".into(), "b".into()], (&scores, None), &[0, 1, 7], None);
    assert_eq!(whole.confusion, [[1.0, 0.0], [0.0, 1.0]]);
    // Of one class alone there is no curve.
    let whole = Classification::measure("", "", &["a".into(), "b".into()], (&scores, None), &[0], None);
    assert!(whole.roc.is_empty() && whole.precision_recall.is_empty());
}

#[test]
fn wilsons_interval() {
    let bin = |rows: f64, observed: f64| glassnet_report::plot::reliability::Bin {
        low: 0.0,
        high: 1.0,
        rows,
        predicted: 0.5,
        observed,
    };
    // Agresti and Coull 1998: 0 of 10 gives [0, 0.278]; 5 of 10 gives [0.237, 0.763].
    let (low, high) = bin(10.0, 0.0).interval().unwrap();
    assert!(low.abs() < 1e-12 && (high - 0.278).abs() < 5e-4, "{low} {high}");
    let (low, high) = bin(10.0, 0.5).interval().unwrap();
    assert!((low - 0.237).abs() < 5e-4 && (high - 0.763).abs() < 5e-4, "{low} {high}");
    assert_eq!(bin(0.0, 0.0).interval(), None);
}
