//! What a network is worth once it is calibrated: the metric by which the recipe for tables chooses its epoch.
//!
//! A network in training grows too sure of itself; that is mended afterwards, so it may not choose the epoch ("refine, then calibrate",
//! Berta, Holzmueller, Jordan & Bach 2025, arXiv 2501.19195): the epoch is judged by the log-loss after a temperature. Where the share
//! of a class differs between the rows that were learned from and those that judge, all scores lie too high or too low besides, which a
//! temperature cannot mend and the calibration of the model can; there the epoch is judged after a line of log-odds
//! (`docs/decisions/0031-the-epoch-after-the-line.md`).

use glassnet_kernels::Real;

use super::{AFFINE_FROM, Affine, temperature};

/// Standard errors from which on a difference of two shares is no chance.
const MOVED: f64 = 3.0;

/// The log-loss of rows after the temperature that suits the same rows best, with its mixture. It says how well classes are told apart,
/// and not how sure the network happens to be. NaN where no row has a weight or a logit is not finite.
///
/// `logits` is `[rows, classes]`, or `[rows, 1]` for two classes told by one logit (`classes` = 1); `weights`, one a row, are from 0.
pub fn calibrated_log_loss<T: Real>(logits: &[T], classes: usize, labels: &[usize], weights: Option<&[f64]>) -> f64 {
    if logits.iter().any(|z| !z.is_finite()) {
        return f64::NAN;
    }
    temperature::loss_at_best(logits, classes, labels, weights)
}

/// The same of two classes after the line `sigma(a + b z)`, b > 0, that suits the rows best (without a mixture): a base rate that has
/// moved does not count either. Where no line can be fitted ([`Affine::fit`]), and for more classes, [`calibrated_log_loss`].
pub fn line_log_loss<T: Real>(logits: &[T], classes: usize, labels: &[usize], weights: Option<&[f64]>) -> f64 {
    let log_odds = |row: &[T]| match row {
        [z] => Some(z.to_f64()),
        [other, z] => Some(z.to_f64() - other.to_f64()),
        _ => None,
    };
    let scores: Option<Vec<f64>> = logits.chunks_exact(classes.max(1)).map(log_odds).collect();
    let positive: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    let fitted = scores.and_then(|scores| Some((Affine::fit(&scores, &positive, weights).ok()?, scores)));
    let loss = fitted.map(|(line, scores)| line.log_loss(&scores, &positive, weights));
    match loss.filter(|loss| loss.is_finite()) {
        Some(loss) => loss,
        None => calibrated_log_loss(logits, classes, labels, weights),
    }
}

/// Whether the share of class 1 differs between training and validation rows by more than chance (three standard errors of two
/// proportions, pooled), and the validation rows are enough to tell a line ([`AFFINE_FROM`]). Each is a share with its number of rows.
pub(crate) fn base_rate_moved(train: (f64, usize), valid: (f64, usize)) -> bool {
    let (first, second) = (train.1 as f64, valid.1 as f64);
    let pooled = (train.0 * first + valid.0 * second) / (first + second);
    let error = (pooled * (1.0 - pooled) * (1.0 / first + 1.0 / second)).sqrt();
    valid.1 >= AFFINE_FROM && (train.0 - valid.0).abs() > MOVED * error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Temperature;
    use crate::metrics::{ClassScores, log_loss};

    type Judge = fn(&[f64], usize, &[usize], Option<&[f64]>) -> f64;

    /// Log-odds of class 1 and labels that follow them somewhat; `shift` is added to the log-odds, not to what happens.
    fn made(rows: usize, shift: f64) -> (Vec<f64>, Vec<usize>) {
        let wave = |i: usize| f64::from((i * 37 % 101) as u32) / 25.0 - 2.0;
        let labels = (0..rows).map(|i| usize::from(wave(i) + f64::from((i * 31 % 53) as u32) / 13.0 > 3.0)).collect();
        ((0..rows).map(|i| 2.0 * wave(i) + shift).collect(), labels)
    }

    fn loss_of(fitted: &Temperature, scores: &[f64], labels: &[usize]) -> f64 {
        log_loss(&ClassScores::from_probabilities(&fitted.probabilities(scores, 1), 2), labels, None).unwrap()
    }

    #[test]
    fn a_line_mends_a_moved_base_rate_and_a_temperature_does_not() {
        let loss = |of: Judge, shift| {
            let (logits, labels) = made(1000, shift);
            of(&logits, 1, &labels, None)
        };
        assert!((loss(line_log_loss, 0.0) - loss(line_log_loss, 1.5)).abs() < 1e-12);
        assert!(loss(calibrated_log_loss, 1.5) > loss(calibrated_log_loss, 0.0) + 0.05);
        assert!(loss(line_log_loss, 1.5) < loss(calibrated_log_loss, 1.5) - 0.05);
    }

    #[test]
    fn it_is_the_loss_of_the_line_s_probabilities() {
        let (scores, labels) = made(2000, 1.0);
        let positive: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
        let line = Affine::fit(&scores, &positive, None).unwrap();
        let p: Vec<f64> = scores.iter().map(|&z| line.probability(z)).flat_map(|p| [1.0 - p, p]).collect();
        let wanted = log_loss(&ClassScores::from_probabilities(&p, 2), &labels, None).unwrap();
        let found = line_log_loss(&scores, 1, &labels, None);
        assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
        let two: Vec<f64> = scores.iter().flat_map(|&z| [0.0, z]).collect();
        assert_eq!(found, line_log_loss(&two, 2, &labels, None));
    }

    #[test]
    fn weights_are_rows_written_often() {
        // Of weights 0, 0.5, 1.5 in turn; four times as many rows are whole numbers of rows, and the targets of the fit near the same.
        let (scores, labels) = made(1200, 0.5);
        let weights: Vec<f64> = (0..1200).map(|row| [0.0, 0.5, 1.5][row % 3]).collect();
        let (mut many, mut many_labels) = (Vec::new(), Vec::new());
        for row in 0..1200 {
            for _ in 0..[0, 1, 3][row % 3] {
                many.push(scores[row]);
                many_labels.push(labels[row]);
            }
        }
        let (weighted, written) =
            (line_log_loss(&scores, 1, &labels, Some(&weights)), line_log_loss(&many, 1, &many_labels, None));
        assert!((weighted - written).abs() < 1e-4, "{weighted} {written}");
        assert!((weighted - line_log_loss(&scores, 1, &labels, None)).abs() > 1e-3);
    }

    #[test]
    fn where_no_line_can_be_fitted_the_temperature_answers() {
        let (scores, labels) = made(1200, 0.0);
        let turned: Vec<f64> = scores.iter().map(|z| -z).collect();
        let temperature = Temperature::fit(&turned, 1, &labels, None).unwrap();
        assert_eq!(line_log_loss(&turned, 1, &labels, None), calibrated_log_loss(&turned, 1, &labels, None));
        assert!((line_log_loss(&turned, 1, &labels, None) - loss_of(&temperature, &turned, &labels)).abs() < 1e-12);
        // One class alone, three classes, nothing.
        assert!(line_log_loss(&scores, 1, &[1; 1200], None).is_finite());
        let three: Vec<usize> = (0..400).map(|row| row % 3).collect();
        assert_eq!(line_log_loss(&scores, 3, &three, None), calibrated_log_loss(&scores, 3, &three, None));
        for of in [line_log_loss as Judge, calibrated_log_loss] {
            assert!(of(&[f64::NAN; 1200], 1, &labels, None).is_nan());
            assert!(of(&[], 1, &[], None).is_nan());
        }
    }

    #[test]
    fn a_base_rate_has_moved_beyond_chance() {
        // Pooled 0.25, error sqrt(0.1875 * (1/9000 + 1/3000)): 0.0091287 for (9,000, 3,000).
        assert!(base_rate_moved((0.25, 9000), (0.278, 3000)));
        assert!(!base_rate_moved((0.25, 9000), (0.277, 3000)));
        assert!(base_rate_moved((0.25, 9000), (0.222, 3000)));
        // Too few to tell.
        assert!(!base_rate_moved((0.25, 9000), (0.9, 999)));
        assert!(!base_rate_moved((0.0, 9000), (0.0, 3000)));
        assert!(!base_rate_moved((0.3, 0), (0.0, 3000)) && !base_rate_moved((f64::NAN, 9), (0.1, 3000)));
    }
}
