//! Calibration and the metrics of probabilities against the numbers of scikit-learn and SciPy.
#![allow(clippy::unwrap_used, reason = "a vector that cannot be read is a failed test")]

mod oracle;

use glassnet_nn::calibration::{Affine, Isotonic, Temperature};
use glassnet_nn::metrics::{
    BINS, ClassScores, ReliabilityBin, average_precision, binary_auc, brier, ece, log_loss, pinball, precision_recall,
    reliability, roc,
};
use oracle::{Case, assert_close, load_op};

/// Scores, whether each row is positive, weights.
fn binary(case: &Case) -> (&[f64], Vec<bool>, &[f64]) {
    (case.input("score"), case.labels.iter().map(|&label| label == 1).collect(), case.input("weight"))
}

#[test]
fn the_temperature_is_the_minimum_that_scipy_finds() {
    let cases = load_op("calibration", "temperature", "f64");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (logits, classes, weight) = (case.input("logits"), case.shape("logits")[1], case.input("weight"));
        let found = Temperature::fit(logits, classes, &case.labels, Some(weight)).unwrap();
        // A minimiser sees the loss only, which is flat to 1e-16 within 1e-8 of its minimum.
        assert!((found.beta / case.output("beta")[0] - 1.0).abs() < 1e-6, "{}", case.label());
        assert_eq!(found.mix, 1.0 / (case.labels.len() as f64 + 1.0));
        let scaled: Vec<f64> = logits.iter().map(|z| z * found.beta).collect();
        let loss = log_loss(&ClassScores::from_logits(&scaled, classes), &case.labels, Some(weight)).unwrap();
        assert_close(&[loss], case.output("loss"), 1e-13, &case.label());
    }
}

#[test]
fn the_line_is_scikit_learns() {
    for case in load_op("calibration", "affine", "f64") {
        let (score, positive, weight) = binary(&case);
        let found = Affine::fit(score, &positive, Some(weight)).unwrap();
        // scikit-learn stops its search at a gradient of about 1e-6.
        let wanted = [case.output("a")[0], case.output("b")[0]];
        assert_close(&[found.a, found.b], &wanted, 2e-5, &case.label());
    }
}

#[test]
fn the_steps_are_scikit_learns() {
    for case in load_op("calibration", "isotonic", "f64") {
        let (score, positive, weight) = binary(&case);
        let found = Isotonic::fit(score, &positive, Some(weight)).unwrap();
        assert!(found.is_sound() && found.scores.len() > 6, "{}", case.label());
        assert_eq!(found.scores, case.output("x"), "{}", case.label());
        assert_close(&found.probabilities, case.output("y"), 1e-13, &case.label());
        let p: Vec<f64> = case.input("places").iter().map(|&place| found.probability(place)).collect();
        assert_close(&p, case.output("p"), 1e-13, &case.label());
    }
}

/// The bins that hold rows: what was seen and what was said; and the mean gap that follows from them.
fn assert_bins(bins: &[ReliabilityBin], case: &Case, found: f64) {
    let observed: Vec<f64> = bins.iter().filter_map(|bin| bin.observed).collect();
    let predicted: Vec<f64> = bins.iter().filter_map(|bin| bin.predicted).collect();
    assert_close(&observed, case.output("observed"), 1e-13, &case.label());
    assert_close(&predicted, case.output("predicted"), 1e-13, &case.label());
    let gaps = case.output("observed").iter().zip(case.output("predicted"));
    let rows = bins.iter().map(|bin| bin.rows).filter(|&rows| rows > 0);
    let sum: f64 = gaps.zip(rows).map(|((o, p), rows)| rows as f64 * (o - p).abs()).sum();
    assert_close(&[found], &[sum / case.labels.len() as f64], 1e-13, &case.label());
}

#[test]
fn metrics_of_two_classes_are_scikit_learns() {
    let cases = load_op("calibration", "binary_metrics", "f64");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (score, positive, weight) = binary(&case);
        let scores = ClassScores::from_binary_logits(score);
        let same = |found: f64, name: &str| {
            assert_close(&[found], case.output(name), 1e-13, &format!("{}: {name}", case.label()));
        };
        same(brier(&scores, &case.labels, Some(weight)).unwrap(), "brier");
        same(log_loss(&scores, &case.labels, Some(weight)).unwrap(), "log_loss");
        same(binary_auc(score, &positive, Some(weight)).unwrap(), "auc");
        same(average_precision(score, &positive, Some(weight)).unwrap(), "average_precision");
        let curve = roc(score, &positive, Some(weight)).unwrap();
        let thresholds: Vec<f64> = curve.iter().filter_map(|point| point.threshold).collect();
        assert_eq!(thresholds, case.output("roc_thresholds"), "{}", case.label());
        let fpr: Vec<f64> = curve.iter().map(|point| point.false_positive_rate).collect();
        let tpr: Vec<f64> = curve.iter().map(|point| point.true_positive_rate).collect();
        assert_close(&fpr, case.output("fpr"), 1e-13, &case.label());
        assert_close(&tpr, case.output("tpr"), 1e-13, &case.label());
        // scikit-learn goes from the lowest threshold to the highest.
        let mut curve = precision_recall(score, &positive, Some(weight)).unwrap();
        curve.reverse();
        let of = |f: &dyn Fn(&glassnet_nn::metrics::PrPoint) -> f64| curve.iter().map(f).collect::<Vec<f64>>();
        assert_eq!(of(&|point| point.threshold), case.output("pr_thresholds"), "{}", case.label());
        assert_close(&of(&|point| point.precision), case.output("precision"), 1e-13, &case.label());
        assert_close(&of(&|point| point.recall), case.output("recall"), 1e-13, &case.label());
        if weight.iter().all(|&w| w == 1.0) {
            let bins = reliability(&scores, &case.labels, None, BINS);
            assert_bins(&bins, &case, ece(&scores, &case.labels, None, BINS).unwrap());
        }
    }
}

#[test]
fn metrics_of_many_classes_are_scikit_learns() {
    for case in load_op("calibration", "class_metrics", "f64") {
        let scores = ClassScores::from_logits(case.input("logits"), case.shape("logits")[1]);
        let same = |found: f64, name: &str| assert_close(&[found], case.output(name), 1e-13, &case.label());
        same(brier(&scores, &case.labels, None).unwrap(), "brier");
        same(log_loss(&scores, &case.labels, None).unwrap(), "log_loss");
        let bins = reliability(&scores, &case.labels, None, BINS);
        assert_bins(&bins, &case, ece(&scores, &case.labels, None, BINS).unwrap());
    }
    for case in load_op("calibration", "pinball", "f64") {
        let (predicted, target) = (case.input("predicted"), case.input("target"));
        let found = [0.1, 0.5, 0.9].map(|level| pinball(predicted, target, level, None).unwrap());
        assert_close(&found, case.output("loss"), 1e-13, &case.label());
    }
}
