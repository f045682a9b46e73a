//! Affine calibration of two classes: `p = sigma(a + b z)` with b > 0 (Platt 1999).
//!
//! The two numbers make the cross-entropy least against Platt's targets instead of 0 and 1, which keep the optimum finite where the
//! scores part the classes perfectly:
//!
//! ```text
//! t+ = (W+ + 1) / (W+ + 2)      t- = 1 / (W- + 2)      W: sums of the classes' weights
//! ```
//!
//! The loss is convex; Newton's method with halved steps finds its one minimum, on scores that are standardised first.

use glassnet_kernels::Real;
use serde::{Deserialize, Serialize};

use super::{CalibrationError, binary_rows};

/// Rows that a fit needs.
const LEAST: usize = 20;

/// Steps of Newton's method at most; ten are usual.
const STEPS: usize = 100;

/// A fitted line of log-odds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Affine {
    /// Log-odds at score 0.
    pub a: f64,
    /// Slope, above 0.
    pub b: f64,
}

/// `1 / (1 + exp(-x))`, without overflow on either side.
pub(super) fn sigmoid(x: f64) -> f64 {
    let e = Real::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }
}

/// `ln(1 + exp(x))`.
fn softplus(x: f64) -> f64 {
    let tail = Real::ln_1p(Real::exp(-x.abs()));
    if x > 0.0 { x + tail } else { tail }
}

impl Affine {
    /// Changes nothing.
    pub const NONE: Affine = Affine { a: 0.0, b: 1.0 };

    /// Fits scores (log-odds of class 1, one a row) to whether each row is of class 1.
    ///
    /// # Errors
    /// Fewer than 20 rows with a weight, rows of one class only, sizes that do not fit, numbers that are not finite, scores that are
    /// all the same, or that are the lower the likelier the class is.
    pub fn fit(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Result<Self, CalibrationError> {
        let rows = binary_rows(scores, positive, weights, LEAST)?;
        let (mut total, mut sum, mut positives) = (0.0, 0.0, 0.0);
        for &(score, positive, weight) in &rows {
            total += weight;
            sum += weight * score;
            positives += if positive { weight } else { 0.0 };
        }
        let mean = sum / total;
        let spread = rows.iter().fold(0.0, |sum, row| sum + row.2 * (row.0 - mean) * (row.0 - mean));
        let deviation = (spread / total).sqrt();
        if rows.windows(2).all(|pair| pair[0].0 == pair[1].0) || deviation <= 0.0 {
            return Err(CalibrationError::Constant);
        }
        let targets = [1.0 / (total - positives + 2.0), (positives + 1.0) / (positives + 2.0)];
        let rows: Vec<[f64; 3]> = rows
            .iter()
            .map(|&(score, positive, weight)| [(score - mean) / deviation, targets[usize::from(positive)], weight])
            .collect();
        let (a, b) = newton(&rows, Real::ln((positives + 1.0) / (total - positives + 1.0)));
        if b <= 0.0 {
            return Err(CalibrationError::Reversed);
        }
        Ok(Affine { a: a - b * mean / deviation, b: b / deviation })
    }

    /// The probability of class 1 of a row with that score; inside (0, 1) as far as numbers go.
    pub fn probability(&self, score: f64) -> f64 {
        sigmoid(self.log_odds(score))
    }

    /// The weighted mean of -ln p(own class) of rows that a line was fitted to.
    pub(super) fn log_loss(&self, scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, (&score, &positive)) in scores.iter().zip(positive).enumerate() {
            let weight = weights.and_then(|weights| weights.get(row)).copied().unwrap_or(1.0);
            if weight > 0.0 {
                let z = self.log_odds(score);
                sum += weight * softplus(if positive { -z } else { z });
                total += weight;
            }
        }
        sum / total
    }

    /// Its log-odds: `a + b z`.
    pub fn log_odds(&self, score: f64) -> f64 {
        self.a + self.b * score
    }
}

/// The sum of w (softplus(a + b z) - t (a + b z)) over rows of (z, t, w).
fn loss(rows: &[[f64; 3]], a: f64, b: f64) -> f64 {
    rows.iter().fold(0.0, |sum, &[z, t, w]| {
        let x = a + b * z;
        sum + w * (softplus(x) - t * x)
    })
}

/// The minimum, from slope 0.
fn newton(rows: &[[f64; 3]], start: f64) -> (f64, f64) {
    let (mut a, mut b) = (start, 0.0);
    let mut now = loss(rows, a, b);
    for _ in 0..STEPS {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &[z, t, w] in rows {
            let p = sigmoid(a + b * z);
            let (d, h) = (w * (p - t), w * p * (1.0 - p));
            ga += d;
            gb += d * z;
            haa += h;
            hab += h * z;
            hbb += h * z * z;
        }
        // A little more than nothing on the diagonal, where all rows are nearly certain.
        let ridge = 1e-12 * (haa + hbb) + f64::MIN_POSITIVE;
        let (haa, hbb) = (haa + ridge, hbb + ridge);
        let determinant = haa * hbb - hab * hab;
        let (da, db) = ((hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant);
        if !(da.is_finite() && db.is_finite()) {
            break;
        }
        // Halved until the loss falls by a share of what the slope promises. So near the minimum that rounding hides the fall, whole
        // steps are right.
        let promise = ga * da + gb * db;
        let mut step = 1.0;
        if promise > 1e-10 * now.abs() {
            while step > 1e-10 && loss(rows, a - step * da, b - step * db) > now - 1e-4 * step * promise {
                step /= 2.0;
            }
        }
        (a, b) = (a - step * da, b - step * db);
        now = loss(rows, a, b);
        if step * (da.abs() + db.abs()) < 1e-12 * (1.0 + a.abs() + b.abs()) {
            break;
        }
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(rows: usize) -> (Vec<f64>, Vec<bool>) {
        let scores: Vec<f64> = (0..rows).map(|i| f64::from((i * 73 % 101) as u32) / 20.0 - 2.0).collect();
        let positive = (0..rows).map(|i| scores[i] + f64::from((i * 31 % 47) as u32) / 12.0 > 2.2).collect();
        (scores, positive)
    }

    #[test]
    fn the_gradient_is_zero_there() {
        let (scores, positive) = made(300);
        let fitted = Affine::fit(&scores, &positive, None).unwrap();
        let w = positive.iter().filter(|&&positive| positive).count() as f64;
        let targets = [1.0 / (300.0 - w + 2.0), (w + 1.0) / (w + 2.0)];
        let (mut ga, mut gb) = (0.0, 0.0);
        for (&z, &positive) in scores.iter().zip(&positive) {
            let d = fitted.probability(z) - targets[usize::from(positive)];
            ga += d;
            gb += d * z;
        }
        assert!(ga.abs() < 1e-9 && gb.abs() < 1e-9, "{ga} {gb}");
    }

    #[test]
    fn classes_that_are_parted_perfectly_have_a_finite_line() {
        let scores: Vec<f64> = (0..40).map(f64::from).collect();
        let positive: Vec<bool> = (0..40).map(|i| i >= 20).collect();
        for scale in [1e-9, 1.0, 1e9] {
            let scores: Vec<f64> = scores.iter().map(|z| z * scale).collect();
            let fitted = Affine::fit(&scores, &positive, None).unwrap();
            assert!(fitted.b.is_finite() && fitted.b > 0.0);
            let p: Vec<f64> = scores.iter().map(|&z| fitted.probability(z)).collect();
            assert!(p.iter().all(|&p| p > 0.0 && p < 1.0) && p[19] < 0.5 && p[20] > 0.5, "{p:?}");
        }
    }

    #[test]
    fn weights_are_rows_written_often() {
        let (scores, positive) = made(60);
        let weights: Vec<f64> = (0..60).map(|row| f64::from(row % 4)).collect();
        let rows: Vec<usize> = (0..60).flat_map(|row| std::iter::repeat_n(row, row % 4)).collect();
        let (many, labels): (Vec<f64>, Vec<bool>) = rows.iter().map(|&row| (scores[row], positive[row])).unzip();
        let (a, b) =
            (Affine::fit(&scores, &positive, Some(&weights)).unwrap(), Affine::fit(&many, &labels, None).unwrap());
        assert!((a.a - b.a).abs() < 1e-9 && (a.b - b.b).abs() < 1e-9, "{a:?} {b:?}");
    }

    #[test]
    fn scores_that_say_nothing_or_the_opposite_are_refused() {
        let (scores, positive) = made(60);
        let turned: Vec<f64> = scores.iter().map(|z| -z).collect();
        assert_eq!(Affine::fit(&turned, &positive, None), Err(CalibrationError::Reversed));
        assert_eq!(Affine::fit(&[0.3; 60], &positive, None), Err(CalibrationError::Constant));
        let few = Affine::fit(&scores[..19], &positive[..19], None);
        assert_eq!(few, Err(CalibrationError::TooFew { rows: 19, needed: 20 }));
    }
}
