//! Calibrations fitted on held-out rows: they mend what was bent, hold where rows come as those did, and say where they do not.
#![allow(clippy::unwrap_used)]

use glassnet_core::random::{Draws, Purpose};
use glassnet_model::Calibration;
use glassnet_model::fit::calibrate::{Judged, SHARPEST, Way};
use glassnet_nn::calibration::Kind;

/// Rows whose true log-odds are drawn, the scores bent: log-odds `bend z + shift`.
fn bent(rows: usize, seed: u64, bend: f64, shift: f64, base: f64) -> Judged {
    let draws = Draws::new(seed, Purpose::Split, 0, 0);
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for row in 0..rows as u64 {
        let z = 1.5 * draws.normal(2 * row) + base;
        labels.push(usize::from(draws.uniform(2 * row + 1) < 1.0 / (1.0 + (-z).exp())));
        let p = 1.0 / (1.0 + (-(bend * z + shift)).exp());
        scores.extend([(1.0 - p) as f32, p as f32]);
    }
    Judged { scores, classes: 2, labels, weights: vec![1.0; rows] }
}

#[test]
fn what_was_bent_is_mended() {
    let (fit, test) = (bent(40_000, 1, 2.0, 0.7, -1.0), bent(8_000, 2, 2.0, 0.7, -1.0));
    assert!(!test.held("other rows").holds, "bent scores are no probabilities");
    let affine = fit.fit(Some(Kind::Affine)).unwrap();
    // z' = a + b (2 z + 0.7) = z: b = 1/2, a = -0.35.
    assert!((affine.slope - 0.5).abs() < 0.03 && (affine.offset + 0.35).abs() < 0.06, "{affine:?}");
    for kind in [Kind::Affine, Kind::Isotonic] {
        let held = test.with(&fit.fit(Some(kind)).unwrap()).held("other rows");
        assert!(held.holds && held.reasons.is_empty(), "{kind:?} {held:?}");
        assert_eq!(held.rows, 8_000);
    }
    // A temperature alone cannot take the shift back.
    let held = test.with(&fit.fit(Some(Kind::Temperature)).unwrap()).held("other rows");
    assert!(!held.holds, "{held:?}");
    assert!(fit.held_by_halves(fit.best_way(), "halves").unwrap().holds);
}

#[test]
fn a_moved_base_rate_is_named() {
    let (fit, later) = (bent(4_000, 1, 1.0, 0.0, -1.0), bent(8_000, 3, 1.0, 0.5, -1.5));
    let held = later.with(&fit.fit(None).unwrap()).held("later rows");
    assert!(!held.holds && held.reasons.iter().any(|why| why.contains("base rate has moved")), "{held:?}");
}

#[test]
fn three_classes_have_a_temperature_and_nothing_else() {
    let draws = Draws::new(9, Purpose::Split, 0, 0);
    let (mut scores, mut labels) = (Vec::new(), Vec::new());
    for row in 0..3_000_u64 {
        let z: Vec<f64> = (0..3).map(|class| 1.2 * draws.normal(4 * row + class)).collect();
        let total: f64 = z.iter().map(|z| z.exp()).sum();
        let (mut class, mut left) = (2, draws.uniform(4 * row + 3));
        for (candidate, z) in z.iter().enumerate() {
            left -= z.exp() / total;
            if left < 0.0 {
                class = candidate;
                break;
            }
        }
        labels.push(class);
        let sure: f64 = z.iter().map(|z| (3.0 * z).exp()).sum();
        scores.extend(z.iter().map(|z| ((3.0 * z).exp() / sure) as f32));
    }
    let weights = vec![1.0; labels.len()];
    let rows = Judged { scores, classes: 3, labels, weights };
    let fitted = rows.fit(None).unwrap();
    assert!((fitted.slope - 1.0 / 3.0).abs() < 0.03, "{fitted:?}");
    assert!(!rows.held("as they are").holds && rows.held_by_halves(rows.best_way(), "halves").unwrap().holds);
    assert!(rows.fit(Some(Kind::Affine)).is_err());
}

#[test]
fn what_needs_no_calibration_gets_none() {
    // Scores that part the classes.
    let rows = 2_000;
    let labels: Vec<usize> = (0..rows).map(|row| usize::from(row % 5 == 0)).collect();
    let of = |&label: &usize| if label == 1 { [0.001_f32, 0.999] } else { [0.999, 0.001] };
    let sure = Judged { scores: labels.iter().flat_map(of).collect(), classes: 2, labels, weights: vec![1.0; rows] };
    assert_eq!(sure.best_way(), Way::AsIs);
    assert!(sure.fit(Some(Kind::Temperature)).unwrap().slope > SHARPEST, "no row contradicts them");
    let kept = sure.with(&sure.fit_way(Way::AsIs).unwrap());
    assert!(kept.scores.iter().zip(&sure.scores).all(|(a, b)| (a - b).abs() < 1e-3));
    // What is calibrated already stays nearly as it is, on other rows too.
    let (fine, other) = (bent(40_000, 7, 1.0, 0.0, -1.0), bent(40_000, 8, 1.0, 0.0, -1.0));
    let after = other.with(&fine.fit_way(fine.best_way()).unwrap());
    assert!((after.log_loss().unwrap() - other.log_loss().unwrap()).abs() < 1e-3);
    // Bent ones gain by it.
    assert_eq!(bent(40_000, 1, 2.0, 0.7, -1.0).best_way(), Way::By(Kind::Affine));
    assert_eq!(bent(500, 1, 3.0, 0.0, 0.0).best_way(), Way::By(Kind::Temperature));
}

#[test]
fn nothing_is_fitted_to_nothing() {
    let few = bent(5, 1, 1.0, 0.0, 0.0);
    assert!(few.fit(None).is_err());
    let one_class = Judged { labels: vec![0; 100], ..bent(100, 1, 1.0, 0.0, 0.0) };
    assert!(one_class.fit(None).is_err());
    let none = Judged { scores: vec![], classes: 2, labels: vec![], weights: vec![] };
    assert!(!none.held("no rows").holds);
    let same = Calibration::default();
    let rows = bent(50, 4, 1.0, 0.0, 0.0);
    let kept = rows.with(&same);
    assert!(kept.scores.iter().zip(&rows.scores).all(|(a, b)| (a - b).abs() < 1e-6));
}

/// By halves no row's probability comes of its own label: to turn the labels of the first half leaves its own probabilities as they are.
#[test]
fn by_halves_no_row_judges_itself() {
    let rows = bent(2_000, 5, 2.0, 0.7, -1.0);
    let mut turned = rows.clone();
    turned.labels.iter_mut().step_by(2).for_each(|label| *label = 1 - *label);
    let kind = Way::By(Kind::Isotonic);
    // The half that is fitted to turned labels would be refused: only a few are turned there.
    let mut few = rows.clone();
    few.labels.iter_mut().step_by(2).take(50).for_each(|label| *label = 1 - *label);
    assert!(turned.by_halves(kind).is_err());
    let (before, after) = (rows.by_halves(kind).unwrap(), few.by_halves(kind).unwrap());
    assert_eq!(before.scores.len(), rows.scores.len());
    assert_eq!(before.scores[..2_000], after.scores[..2_000]);
    assert_ne!(before.scores[2_000..], after.scores[2_000..]);
    assert!(before.log_loss().unwrap() < rows.log_loss().unwrap() && before.ece().unwrap() < rows.ece().unwrap());
    // By hand: the mean of -ln of the true class's score.
    let own = rows.labels.iter().enumerate().map(|(row, &label)| -f64::from(rows.scores[2 * row + label]).ln());
    assert!((rows.log_loss().unwrap() - own.sum::<f64>() / 2_000.0).abs() < 1e-6);
}
