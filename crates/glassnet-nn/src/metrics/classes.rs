//! Class probabilities, kept as logarithms, and the metrics that read them row by row.

use glassnet_kernels::Real;

use super::weighted_mean;

/// Log-probabilities, [rows, classes], in f64.
///
/// Logarithms, because a probability that rounds to 0 or 1 has lost what log-loss and ranking need: from logits,
/// `-ln p = ln(sum exp z) - z_y` is exact where p itself underflows, and nothing has to be clipped.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    log_probabilities: Vec<f64>,
    classes: usize,
}

impl ClassScores {
    /// From logits, [rows, classes]: log-softmax of each row, maximum subtracted first.
    ///
    /// ```
    /// use glassnet_nn::metrics::{ClassScores, log_loss};
    /// let scores = ClassScores::from_logits(&[0.0_f32, 1000.0], 2);
    /// assert_eq!(log_loss(&scores, &[0], None), Some(1000.0));
    /// ```
    ///
    /// # Panics
    /// If `classes` is 0.
    pub fn from_logits<T: Real>(logits: &[T], classes: usize) -> Self {
        let mut log_probabilities: Vec<f64> = logits.iter().map(|z| z.to_f64()).collect();
        for row in log_probabilities.chunks_exact_mut(classes) {
            let max = row.iter().fold(f64::NEG_INFINITY, |max, &z| if z > max || z.is_nan() { z } else { max });
            let total: f64 = row.iter().map(|&z| Real::exp(z - max)).fold(0.0, |sum, e| sum + e);
            let log_total = Real::ln(total);
            for z in row {
                *z = (*z - max) - log_total;
            }
        }
        ClassScores { log_probabilities, classes }
    }

    /// From one logit a row, that of class 1 against class 0: `ln p = -softplus(-z)`, `ln (1 - p) = -softplus(z)`.
    pub fn from_binary_logits<T: Real>(logits: &[T]) -> Self {
        // softplus(z) = max(z, 0) + ln(1 + exp(-|z|)): no overflow on either side.
        let softplus = |z: f64| {
            let tail = Real::ln_1p(Real::exp(-z.abs()));
            if z > 0.0 { z + tail } else { tail }
        };
        let log_probabilities = logits
            .iter()
            .flat_map(|z| {
                let z = z.to_f64();
                if z.is_nan() { [z, z] } else { [-softplus(z), -softplus(-z)] }
            })
            .collect();
        ClassScores { log_probabilities, classes: 2 }
    }

    /// From log-probabilities, [rows, classes], taken as they are.
    pub fn from_log_probabilities<T: Real>(log_probabilities: &[T], classes: usize) -> Self {
        ClassScores { log_probabilities: log_probabilities.iter().map(|z| z.to_f64()).collect(), classes }
    }

    /// From probabilities, [rows, classes]; a probability of 0 for the true class makes the log-loss infinite, as it is.
    pub fn from_probabilities<T: Real>(probabilities: &[T], classes: usize) -> Self {
        let ln = |p: f64| if p == 0.0 { f64::NEG_INFINITY } else { Real::ln(p) };
        ClassScores { log_probabilities: probabilities.iter().map(|p| ln(p.to_f64())).collect(), classes }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.log_probabilities.len() / self.classes.max(1)
    }

    /// The log-probabilities of a row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.log_probabilities[row * self.classes..(row + 1) * self.classes]
    }

    /// The most probable class of a row; of equals the first. (So one logit of exactly 0 says class 0.)
    pub fn predicted(&self, row: usize) -> usize {
        let scores = self.row(row);
        let mut best = 0;
        for (class, &score) in scores.iter().enumerate() {
            if score > scores[best] {
                best = class;
            }
        }
        best
    }
}

/// Share of rows whose most probable class is the true one.
pub fn accuracy(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(labels.len(), weights, |row| f64::from(u8::from(scores.predicted(row) == labels[row])))
}

/// Mean of -ln p(true class), in nats. Not clipped: an impossible class that happens costs infinitely much.
pub fn log_loss(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(labels.len(), weights, |row| -scores.row(row)[labels[row]])
}

/// Brier score (Brier 1950). Two classes: mean (p - y)^2 with p and y of class 1, in [0, 1]. More than two: mean over rows of
/// sum_c (p_c - y_c)^2, in [0, 2], Brier's own form, which for two classes would be twice the first.
pub fn brier(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(labels.len(), weights, |row| {
        let error = |class: usize, log_p: f64| {
            let y = f64::from(u8::from(labels[row] == class));
            (Real::exp(log_p) - y) * (Real::exp(log_p) - y)
        };
        let row = scores.row(row);
        match row {
            [_, one] => error(1, *one),
            _ => row.iter().enumerate().fold(0.0, |sum, (class, &log_p)| sum + error(class, log_p)),
        }
    })
}

/// Share of rows whose true class is among the `k` most probable; of equal scores the lower class ranks first.
pub fn top_k(scores: &ClassScores, labels: &[usize], k: usize, weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(labels.len(), weights, |row| {
        let (scores, label) = (scores.row(row), labels[row]);
        let own = scores[label];
        let ahead = scores.iter().enumerate().filter(|&(c, &s)| s > own || (s == own && c < label)).count();
        f64::from(u8::from(ahead < k && !own.is_nan()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-12)
    }

    /// Three rows of three classes; probabilities by hand.
    fn three() -> ClassScores {
        ClassScores::from_probabilities(&[0.7, 0.2, 0.1, 0.3, 0.4, 0.3, 0.25, 0.25, 0.5], 3)
    }

    #[test]
    fn by_hand() {
        let labels = [0, 2, 1];
        assert!(close(accuracy(&three(), &labels, None), 1.0 / 3.0));
        let losses = [0.7, 0.3, 0.25].map(|p| -Real::ln(p));
        assert!(close(log_loss(&three(), &labels, None), losses.iter().sum::<f64>() / 3.0));
        let brier_by_hand = (0.09 + 0.04 + 0.01) + (0.09 + 0.16 + 0.49) + (0.0625 + 0.5625 + 0.25);
        assert!(close(brier(&three(), &labels, None), brier_by_hand / 3.0));
    }

    #[test]
    fn a_weight_of_two_is_a_row_written_twice() {
        let labels = [0, 2, 1];
        let weights = [2.0, 1.0, 0.0];
        let twice = ClassScores::from_probabilities(&[0.7, 0.2, 0.1, 0.7, 0.2, 0.1, 0.3, 0.4, 0.3], 3);
        for metric in [accuracy, log_loss, brier] {
            let weighted = metric(&three(), &labels, Some(&weights)).unwrap();
            assert!(close(metric(&twice, &[0, 0, 2], None), weighted));
        }
        assert_eq!(accuracy(&three(), &labels, Some(&[0.0; 3])), None);
        assert_eq!(accuracy(&three(), &[], None), None);
    }

    #[test]
    fn one_logit_and_two_logits_agree() {
        let one = ClassScores::from_binary_logits(&[-3.0, 0.0, 0.4, 50.0]);
        let two = ClassScores::from_logits(&[0.0, -3.0, 0.0, 0.0, 0.0, 0.4, 0.0, 50.0], 2);
        for row in 0..4 {
            assert_eq!(one.predicted(row), two.predicted(row));
            for (a, b) in one.row(row).iter().zip(two.row(row)) {
                assert!((a - b).abs() < 1e-14, "{a} {b}");
            }
        }
        let labels = [0, 1, 1, 0];
        assert!(close(brier(&one, &labels, None), brier(&two, &labels, None).unwrap()));
    }

    #[test]
    fn binary_brier_is_the_mean_square_of_one_class() {
        let scores = ClassScores::from_probabilities(&[0.1, 0.9, 0.6, 0.4], 2);
        assert!(close(brier(&scores, &[1, 1], None), (0.01 + 0.36) / 2.0));
    }

    #[test]
    fn extreme_logits_are_not_clipped() {
        let scores = ClassScores::from_binary_logits(&[-800.0_f32, 800.0]);
        assert_eq!(log_loss(&scores, &[1, 0], None), Some(800.0));
        assert_eq!(log_loss(&scores, &[0, 1], None), Some(0.0));
        let sure = ClassScores::from_probabilities(&[1.0, 0.0], 2);
        assert_eq!(log_loss(&sure, &[1], None), Some(f64::INFINITY));
    }

    #[test]
    fn nan_logits_give_nan_losses() {
        let scores = ClassScores::from_logits(&[f64::NAN, 0.0], 2);
        assert!(log_loss(&scores, &[1], None).unwrap().is_nan());
        assert!(log_loss(&ClassScores::from_binary_logits(&[f64::NAN]), &[1], None).unwrap().is_nan());
    }

    #[test]
    fn top_k_counts_ties_by_class() {
        let labels = [0, 2, 1];
        assert!(close(top_k(&three(), &labels, 1, None), 1.0 / 3.0));
        // Row 2: classes 0 and 2 tie behind 1, class 0 is second. Row 3: classes 0 and 1 tie behind 2, class 0 is second.
        assert!(close(top_k(&three(), &labels, 2, None), 1.0 / 3.0));
        assert_eq!(top_k(&three(), &labels, 3, None), Some(1.0));
    }
}
