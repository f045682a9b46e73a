//! Temperature scaling: `p = softmax(beta z)`, with the one number beta = 1 / T that makes the cross-entropy of the calibration rows
//! least (Guo et al. 2017).
//!
//! The cross-entropy is convex in beta and its derivative is
//!
//! ```text
//! g(beta) = sum_i w_i (sum_c softmax(beta z_i)_c z_ic - z_iy) / sum_i w_i
//! ```
//!
//! which rises with beta: 30 halvings of [-16, 16] for ln beta find its zero to 3e-8. Networks that are right about every row have
//! none, and beta ends at exp(16). So that no class of a finite sample is ever called impossible, a small share of equal
//! chances is mixed in: `p <- (1 - m) p + m / C`, `m = 1 / (n + 1)` for n rows.

use glassnet_kernels::Real;
use serde::{Deserialize, Serialize};

use super::{CalibrationError, row_weight, sizes};

/// Rows that a fit needs.
const LEAST: usize = 10;

/// Where ln beta may lie: from -RANGE to RANGE.
const RANGE: f64 = 16.0;

/// Halvings of that range.
const HALVINGS: usize = 30;

/// A fitted temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temperature {
    /// 1 / T: logits are multiplied by it. Below 1 the network was too sure, above 1 not sure enough.
    pub beta: f64,
    /// Share of equal chances that is mixed in, in [0, 1).
    pub mix: f64,
}

impl Temperature {
    /// Changes nothing.
    pub const NONE: Temperature = Temperature { beta: 1.0, mix: 0.0 };

    /// Fits `logits`, `[rows, classes]`, to `labels` (0 to classes - 1). With `classes` 1 a row is the one logit of class 1 against
    /// class 0.
    ///
    /// # Errors
    /// Fewer than 10 rows with a weight, rows of one class only, sizes that do not fit, numbers that are not finite.
    pub fn fit<T: Real>(
        logits: &[T],
        classes: usize,
        labels: &[usize],
        weights: Option<&[f64]>,
    ) -> Result<Self, CalibrationError> {
        let rows = logits.len() / classes.max(1);
        sizes(rows, labels.len(), weights)?;
        let known = classes.max(2);
        let mut first = None;
        let (mut live, mut several) = (0, false);
        for (row, (z, &label)) in logits.chunks_exact(classes.max(1)).zip(labels).enumerate() {
            let number = row as u64 + 1;
            if label >= known {
                return Err(CalibrationError::Label { row: number, label, classes: known });
            }
            if row_weight(weights, row)? == 0.0 {
                continue;
            }
            if z.iter().any(|z| !z.is_finite()) {
                return Err(CalibrationError::NotFinite { row: number });
            }
            live += 1;
            several |= *first.get_or_insert(label) != label;
        }
        if live < LEAST {
            return Err(CalibrationError::TooFew { rows: live, needed: LEAST });
        }
        match first {
            Some(class) if !several => Err(CalibrationError::OneClass { class }),
            _ => Ok(fitted(logits, classes, labels, weights)),
        }
    }

    /// The probabilities of `logits`, `[rows, classes]`; with `classes` 1 both classes' of each row: `[rows, 2]`.
    pub fn probabilities<T: Real>(&self, logits: &[T], classes: usize) -> Vec<f64> {
        let known = classes.max(2);
        let mut out = vec![0.0; logits.len() / classes.max(1) * known];
        for (z, p) in logits.chunks_exact(classes.max(1)).zip(out.chunks_exact_mut(known)) {
            self.row(z, p);
        }
        out
    }

    /// The probabilities of one row of logits (as long as `out`, or one logit for two classes). Allocates nothing.
    pub fn row<T: Real>(&self, z: &[T], out: &mut [f64]) {
        match z {
            [z] if out.len() == 2 => {
                out[0] = 0.0;
                out[1] = z.to_f64();
            }
            z => out.iter_mut().zip(z).for_each(|(p, z)| *p = z.to_f64()),
        }
        softmax(self.beta, out);
        let equal = self.mix / out.len() as f64;
        for p in out {
            *p = (1.0 - self.mix) * *p + equal;
        }
    }
}

/// `softmax(beta z)` in place; the largest logit is taken off first, so that nothing overflows.
fn softmax(beta: f64, z: &mut [f64]) {
    let top = z.iter().fold(f64::NEG_INFINITY, |top, &z| if z > top || z.is_nan() { z } else { top });
    let mut sum = 0.0;
    for z in z.iter_mut() {
        *z = Real::exp(beta * (*z - top));
        sum += *z;
    }
    for p in z {
        *p /= sum;
    }
}

/// The temperature of rows that were looked at, or whose fit need not mean anything.
fn fitted<T: Real>(logits: &[T], classes: usize, labels: &[usize], weights: Option<&[f64]>) -> Temperature {
    let rows = Differences::new(logits, classes, labels, weights);
    let (mut low, mut high) = (-RANGE, RANGE);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if rows.slope(Real::exp(middle)) > 0.0 { high = middle } else { low = middle }
    }
    Temperature { beta: Real::exp((low + high) / 2.0), mix: 1.0 / (rows.weights.len() as f64 + 1.0) }
}

/// The live rows' logits less that of the row's own class: the slope and the loss read nothing else.
struct Differences {
    /// `[rows, classes - 1]`: z_c - z_y for the other classes.
    others: Vec<f64>,
    width: usize,
    weights: Vec<f64>,
}

impl Differences {
    fn new<T: Real>(logits: &[T], classes: usize, labels: &[usize], weights: Option<&[f64]>) -> Self {
        let mut out = Differences { others: Vec::new(), width: classes.max(2) - 1, weights: Vec::new() };
        for (row, (z, &label)) in logits.chunks_exact(classes.max(1)).zip(labels).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[row]);
            if weight <= 0.0 {
                continue;
            }
            out.weights.push(weight);
            match z {
                [z] => out.others.push(if label == 1 { -z.to_f64() } else { z.to_f64() }),
                z => {
                    let own = z.get(label).map_or(0.0, |z| z.to_f64());
                    let others = z.iter().enumerate().filter(|(class, _)| *class != label);
                    out.others.extend(others.map(|(_, z)| z.to_f64() - own));
                }
            }
        }
        out
    }

    /// The sum of weighted slopes: of the sign of g(beta).
    fn slope(&self, beta: f64) -> f64 {
        let mut sum = 0.0;
        for (d, &weight) in self.others.chunks_exact(self.width).zip(&self.weights) {
            // The own class has difference 0, and is the largest where all others are below.
            let top = d.iter().fold(0.0, |top: f64, &d| if d > top { d } else { top });
            let (mut total, mut mean) = (Real::exp(-beta * top), 0.0);
            for &d in d {
                let e = Real::exp(beta * (d - top));
                total += e;
                mean += e * d;
            }
            sum += weight * (mean / total);
        }
        sum
    }

    /// The weighted mean of -ln p(own class) with the temperature, its mixture included.
    fn loss(&self, temperature: Temperature) -> f64 {
        let Temperature { beta, mix } = temperature;
        let (mut sum, mut total_weight) = (0.0, 0.0);
        for (d, &weight) in self.others.chunks_exact(self.width).zip(&self.weights) {
            let top = d.iter().fold(0.0, |top: f64, &d| if d > top { d } else { top });
            let own = Real::exp(-beta * top);
            let total = d.iter().fold(own, |total, &d| total + Real::exp(beta * (d - top)));
            let p = (1.0 - mix) * (own / total) + mix / (self.width + 1) as f64;
            sum -= weight * Real::ln(p);
            total_weight += weight;
        }
        sum / total_weight
    }
}

/// The log-loss of rows after the temperature that suits the same rows best. NaN where no row has a weight.
pub(super) fn loss_at_best<T: Real>(logits: &[T], classes: usize, labels: &[usize], weights: Option<&[f64]>) -> f64 {
    let temperature = fitted(logits, classes, labels, weights);
    Differences::new(logits, classes, labels, weights).loss(temperature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::calibrated_log_loss;
    use crate::metrics::{ClassScores, log_loss};

    /// Logits of three classes that are somewhat right.
    fn made(rows: usize) -> (Vec<f64>, Vec<usize>) {
        let labels: Vec<usize> = (0..rows).map(|row| row * 7 % 3).collect();
        let wave = |i: usize| f64::from((i * 37 % 101) as u32) / 25.0 - 2.0;
        let logits = (0..rows * 3).map(|i| wave(i) + if i % 3 == labels[i / 3] { 1.5 } else { 0.0 }).collect();
        (logits, labels)
    }

    fn loss_at(beta: f64, logits: &[f64], labels: &[usize]) -> f64 {
        let scaled: Vec<f64> = logits.iter().map(|z| z * beta).collect();
        log_loss(&ClassScores::from_logits(&scaled, 3), labels, None).unwrap()
    }

    #[test]
    fn no_other_temperature_is_better() {
        let (logits, labels) = made(200);
        let beta = Temperature::fit(&logits, 3, &labels, None).unwrap().beta;
        for other in [0.9 * beta, 0.999 * beta, 1.001 * beta, 1.1 * beta] {
            assert!(loss_at(beta, &logits, &labels) < loss_at(other, &logits, &labels), "{other} {beta}");
        }
        // Logits ten times as large are the same network, ten times as sure.
        let larger: Vec<f64> = logits.iter().map(|z| z * 10.0).collect();
        let again = Temperature::fit(&larger, 3, &labels, None).unwrap().beta;
        assert!((again * 10.0 / beta - 1.0).abs() < 1e-7);
    }

    #[test]
    fn one_logit_and_two_are_the_same() {
        let one: Vec<f32> = (0..60).map(|i| (i * 13 % 17) as f32 / 4.0 - 2.0).collect();
        let two: Vec<f32> = one.iter().flat_map(|&z| [0.0, z]).collect();
        let labels: Vec<usize> = (0..60).map(|i| usize::from((i * 13 % 17 + i % 5) > 9)).collect();
        let (a, b) = (Temperature::fit(&one, 1, &labels, None), Temperature::fit(&two, 2, &labels, None));
        assert_eq!(a, b);
        assert_eq!(a.unwrap().probabilities(&one, 1), b.unwrap().probabilities(&two, 2));
        assert_eq!(calibrated_log_loss(&one, 1, &labels, None), calibrated_log_loss(&two, 2, &labels, None));
    }

    #[test]
    fn weights_are_rows_written_often_but_for_the_mixture() {
        let (logits, labels) = made(40);
        let weights: Vec<f64> = (0..40).map(|row| f64::from(row % 3)).collect();
        let (mut many, mut many_labels) = (Vec::new(), Vec::new());
        for row in 0..40 {
            for _ in 0..row % 3 {
                many.extend_from_slice(&logits[3 * row..][..3]);
                many_labels.push(labels[row]);
            }
        }
        let weighted = Temperature::fit(&logits, 3, &labels, Some(&weights)).unwrap();
        let written = Temperature::fit(&many, 3, &many_labels, None).unwrap();
        assert!((weighted.beta / written.beta - 1.0).abs() < 1e-7);
        // 26 rows have a weight: those are what was seen.
        assert_eq!((weighted.mix, written.mix), (1.0 / 27.0, 1.0 / 40.0));
    }

    #[test]
    fn a_network_that_is_always_right_is_never_called_certain() {
        let labels: Vec<usize> = (0..20).map(|row| row % 2).collect();
        let logits: Vec<f64> = labels.iter().flat_map(|&label| [0.0, if label == 1 { 5.0 } else { -5.0 }]).collect();
        let fitted = Temperature::fit(&logits, 2, &labels, None).unwrap();
        assert!(fitted.beta > 1e6);
        let p = fitted.probabilities(&logits, 2);
        assert!(p.iter().all(|&p| p > 0.0 && p < 1.0), "{p:?}");
        assert!((p[0] - (1.0 - 1.0 / 42.0)).abs() < 1e-12);
        let loss = calibrated_log_loss(&logits, 2, &labels, None);
        assert!((loss + Real::ln(1.0 - 1.0 / 42.0)).abs() < 1e-12);
    }

    #[test]
    fn the_calibrated_loss_is_that_of_the_probabilities() {
        let (logits, labels) = made(90);
        let fitted = Temperature::fit(&logits, 3, &labels, None).unwrap();
        let scores = ClassScores::from_probabilities(&fitted.probabilities(&logits, 3), 3);
        let wanted = log_loss(&scores, &labels, None).unwrap();
        assert!((calibrated_log_loss(&logits, 3, &labels, None) - wanted).abs() < 1e-13);
        assert!(calibrated_log_loss(&[f64::NAN, 1.0], 2, &[0], None).is_nan());
    }

    #[test]
    fn what_cannot_be_fitted_is_said() {
        let (logits, labels) = made(12);
        let said = |logits: &[f64], labels: &[usize]| Temperature::fit(logits, 3, labels, None).unwrap_err();
        assert_eq!(said(&logits[..27], &labels[..9]), CalibrationError::TooFew { rows: 9, needed: 10 });
        assert_eq!(said(&logits, &[2; 12]), CalibrationError::OneClass { class: 2 });
        assert_eq!(said(&logits, &[3; 12]), CalibrationError::Label { row: 1, label: 3, classes: 3 });
        let mut broken = logits.clone();
        broken[5] = f64::INFINITY;
        assert_eq!(said(&broken, &labels), CalibrationError::NotFinite { row: 2 });
    }
}
