//! From held-out rows to a calibration, and from other held-out rows to whether it holds; of a number the widths of intervals.
//!
//! A calibration is fitted on rows that the training did not see. Whether it *holds* is asked of rows that it was not fitted on either:
//! test rows where there are some, else each half of the calibration rows is judged by a fit on the other half.
//!
//! It holds where the expected calibration error (15 bins) is at most 0.01 above what chance alone gives calibrated scores on so many
//! rows, `sum_b n_b/N sqrt(2 p_b (1 - p_b) / (pi n_b))`, and (of two classes) the mean prediction is within 0.01 and three standard errors
//! of the share that happened. The first is the bar of Guo et al. 2017's measure, the second the plainest thing that a moved base rate
//! breaks.

use glassnet_core::{Real, Team};
use glassnet_nn::calibration::{Affine, CalibrationError, Isotonic, Kind, Temperature};
use glassnet_nn::metrics::{ClassScores, ReliabilityBin, calibration_error, log_loss, reliability};
use glassnet_nn::source::Source;

use crate::calibration::{Calibration, Held, Knots};
use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::interval::Intervals;
use crate::model::Model;

/// What the error may be above what chance gives.
pub const ALLOWED_ERROR: f64 = 0.01;

/// A slope above this is no calibration: the rows that it was fitted to just never contradict the scores.
pub const SHARPEST: f64 = 20.0;

/// Bins of the calibration error.
pub const BINS: usize = 15;

/// Why a model has no calibration or no intervals.
#[derive(Debug, thiserror::Error)]
pub enum FitCalibrationError {
    /// Rows that do not fit the model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Scores that nothing can be fitted to.
    #[error(transparent)]
    Fit(#[from] CalibrationError),
    /// A number is predicted, or classes where a number is needed.
    #[error("{0}")]
    Task(&'static str),
}

/// A way from scores to probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The scores as they are (but for the mix).
    AsIs,
    /// A fitted calibration.
    By(Kind),
}

/// Scores of some rows with what happened.
#[derive(Debug, Clone)]
pub struct Judged {
    /// [rows, classes]: averaged over members, without a calibration.
    pub scores: Vec<f32>,
    /// Number of classes.
    pub classes: usize,
    /// The class of each row.
    pub labels: Vec<usize>,
    /// The weight of each row.
    pub weights: Vec<f64>,
}

impl Judged {
    fn part(&self, keep: impl Fn(usize) -> bool) -> Judged {
        let rows: Vec<usize> = (0..self.labels.len()).filter(|&row| keep(row)).collect();
        let of_row = |&row: &usize| &self.scores[row * self.classes..(row + 1) * self.classes];
        Judged {
            scores: rows.iter().flat_map(of_row).copied().collect(),
            classes: self.classes,
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            weights: rows.iter().map(|&row| self.weights[row]).collect(),
        }
    }

    /// Adds other rows of the same classes.
    pub fn extend(&mut self, other: Judged) {
        self.scores.extend(other.scores);
        self.labels.extend(other.labels);
        self.weights.extend(other.weights);
    }

    /// Fits a calibration of that kind; `None`: what so many rows can bear ([`Kind::for_rows`]).
    ///
    /// # Errors
    /// Too few rows, one class only, scores that say nothing or the contrary; a kind for two classes where there are more.
    pub fn fit(&self, kind: Option<Kind>) -> Result<Calibration, FitCalibrationError> {
        let weights = Some(self.weights.as_slice());
        let kind = kind.unwrap_or(Kind::for_rows(self.classes, self.labels.len()));
        if self.classes != 2 && kind != Kind::Temperature {
            return Err(FitCalibrationError::Task("an affine or isotonic calibration is for two classes"));
        }
        let rows = self.labels.len();
        // Each calibration of n rows may have missed one row in n + 1.
        let mix = 1.0 / (rows as f64 + 1.0);
        let ln = |p: f32| Real::ln(f64::from(p.max(f32::MIN_POSITIVE)));
        let positive: Vec<bool> = self.labels.iter().map(|&label| label == 1).collect();
        Ok(match kind {
            Kind::Temperature => {
                let logits: Vec<f64> = self.scores.iter().map(|&p| ln(p)).collect();
                let fitted = Temperature::fit(&logits, self.classes, &self.labels, weights)?;
                Calibration { slope: fitted.beta, mix: fitted.mix, rows, ..Calibration::default() }
            }
            Kind::Affine => {
                let odds: Vec<f64> = self.scores.chunks_exact(2).map(|row| ln(row[1]) - ln(row[0])).collect();
                let fitted = Affine::fit(&odds, &positive, weights)?;
                Calibration { offset: fitted.a, slope: fitted.b, mix, rows, ..Calibration::default() }
            }
            Kind::Isotonic => {
                let scores: Vec<f64> = self.scores.chunks_exact(2).map(|row| f64::from(row[1])).collect();
                let fitted = Isotonic::fit(&scores, &positive, weights)?;
                let knots = Knots { x: fitted.scores, y: fitted.probabilities };
                Calibration { knots: Some(knots), rows, ..Calibration::default() }
            }
        })
    }

    /// The same rows with a calibration applied.
    pub fn with(&self, calibration: &Calibration) -> Judged {
        let mut scores = self.scores.clone();
        scores.chunks_mut(self.classes.max(1)).for_each(|row| calibration.of_scores(row));
        Judged { scores, ..self.clone() }
    }

    /// The bins of a reliability diagram of these scores as they are.
    pub fn reliability(&self) -> Vec<ReliabilityBin> {
        let scores = ClassScores::from_probabilities(&self.scores, self.classes);
        reliability(&scores, &self.labels, Some(&self.weights), BINS)
    }

    /// Whether these scores, as they are, hold as probabilities; `on` says which rows they are.
    pub fn held(&self, on: &str) -> Held {
        let bins = self.reliability();
        let total: f64 = bins.iter().map(|bin| bin.weight).sum();
        let chance = bins.iter().fold(0.0, |sum, bin| {
            let p = bin.predicted.unwrap_or(0.0).clamp(0.0, 1.0);
            let share = bin.weight / total.max(f64::MIN_POSITIVE);
            sum + share * (2.0 * p * (1.0 - p) / (std::f64::consts::PI * bin.rows.max(1) as f64)).sqrt()
        });
        let (ece, limit) = (calibration_error(&bins).unwrap_or(f64::INFINITY), ALLOWED_ERROR + chance);
        let mut reasons = Vec::new();
        if ece > limit {
            reasons.push(format!("its calibration error is {ece:.4}; at most {limit:.4} would do"));
        }
        if self.classes == 2 {
            let mean = |of: &dyn Fn(&ReliabilityBin) -> Option<f64>| {
                bins.iter().fold(0.0, |sum, bin| sum + bin.weight * of(bin).unwrap_or(0.0)) / total
            };
            let (said, seen) = (mean(&|bin| bin.predicted), mean(&|bin| bin.observed));
            let error = (said * (1.0 - said) / self.labels.len().max(1) as f64).sqrt();
            if (said - seen).abs() > ALLOWED_ERROR + 3.0 * error {
                reasons.push(format!(
                    "the base rate has moved: {:.1} % of the rows are of the second class, {:.1} % were expected",
                    100.0 * seen,
                    100.0 * said
                ));
            }
        }
        let rows = self.labels.len();
        // JSON has no infinity: rows that nothing can be told of are as wrong as can be.
        Held { holds: reasons.is_empty() && rows > 0, on: on.to_owned(), rows, ece: ece.min(1.0), limit, reasons }
    }

    /// Mean log-loss of these scores as they are, in nats; `None` without rows.
    pub fn log_loss(&self) -> Option<f64> {
        let scores = ClassScores::from_probabilities(&self.scores, self.classes);
        log_loss(&scores, &self.labels, Some(&self.weights))
    }

    /// Expected calibration error of these scores as they are ([`BINS`] bins); `None` without rows.
    pub fn ece(&self) -> Option<f64> {
        calibration_error(&self.reliability())
    }

    /// Whether such a calibration would hold, from these rows alone: each half is judged by a fit on the other.
    ///
    /// # Errors
    /// A half that nothing can be fitted to.
    pub fn held_by_halves(&self, way: Way, on: &str) -> Result<Held, FitCalibrationError> {
        Ok(self.by_halves(way)?.held(on))
    }

    /// These rows with each half calibrated by a fit on the other: no row's probability comes of its own label. The rows of the first half
    /// (every second one) come first.
    ///
    /// # Errors
    /// A half that nothing can be fitted to.
    pub fn by_halves(&self, way: Way) -> Result<Judged, FitCalibrationError> {
        let (even, odd) = (self.part(|row| row % 2 == 0), self.part(|row| row % 2 == 1));
        let mut both = even.with(&odd.fit_way(way)?);
        both.extend(odd.with(&even.fit_way(way)?));
        Ok(both)
    }

    /// The way whose fit on each half has the lowest log-loss on the other half: as the scores are, by a temperature, or (two classes,
    /// [`Kind::for_rows`]) by an offset and a slope. Of equals the first: what needs no calibration gets none. A fit that makes the scores
    /// more than [`SHARPEST`] times as sure has seen no row that contradicts them, and tells nothing about those that will. Where the halves
    /// are too small to say, the fuller way.
    pub fn best_way(&self) -> Way {
        let fuller = Kind::for_rows(self.classes, self.labels.len());
        let mut ways = vec![Way::AsIs, Way::By(Kind::Temperature)];
        ways.extend((fuller != Kind::Temperature).then_some(Way::By(fuller)));
        let mut best = None;
        for way in ways {
            if self.fit_way(way).is_ok_and(|fitted| fitted.slope > SHARPEST) {
                continue;
            }
            let Some(loss) = self.by_halves(way).ok().and_then(|judged| judged.log_loss()) else { continue };
            if best.is_none_or(|(lowest, _)| loss < lowest) {
                best = Some((loss, way));
            }
        }
        best.map_or(Way::By(fuller), |(_, way)| way)
    }

    /// Fits a calibration in that way.
    ///
    /// # Errors
    /// As [`Judged::fit`]; for scores that stay as they are a temperature is fitted too, and thrown away: it says what cannot be judged.
    pub fn fit_way(&self, way: Way) -> Result<Calibration, FitCalibrationError> {
        match way {
            Way::By(kind) => self.fit(Some(kind)),
            Way::AsIs => {
                let Calibration { mix, rows, .. } = self.fit(Some(Kind::Temperature))?;
                Ok(Calibration { mix, rows, ..Calibration::default() })
            }
        }
    }
}

impl Model {
    /// Scores without the calibration, with what happened; rows without a class are left out.
    ///
    /// # Errors
    /// A model of numbers, rows that were encoded for another model.
    pub fn judged(&self, encoded: &Encoded<f32>, rows: &[u32], team: &Team) -> Result<Judged, FitCalibrationError> {
        if self.classes().is_none() {
            return Err(FitCalibrationError::Task("a number is predicted, which has no probabilities to calibrate"));
        }
        let known = |row: &u32| (0..self.outputs() as i64).contains(&i64::from(encoded.label(*row)));
        let rows: Vec<u32> = rows.iter().copied().filter(known).collect();
        let scores = self.raw_scores(&mut self.runner(team.clone()), encoded, &rows)?;
        Ok(Judged {
            scores,
            classes: self.outputs(),
            labels: rows.iter().map(|&row| encoded.label(row).max(0) as usize).collect(),
            weights: rows.iter().map(|&row| encoded.weight(row)).collect(),
        })
    }

    /// Widths of intervals around a predicted number, from rows that the training did not see (split conformal prediction).
    ///
    /// # Errors
    /// As [`Model::errors`].
    pub fn fit_intervals(
        &self,
        encoded: &Encoded<f32>,
        rows: &[u32],
        team: &Team,
    ) -> Result<Intervals, FitCalibrationError> {
        Ok(Intervals::of_errors(&self.errors(encoded, rows, team)?))
    }

    /// Truth minus prediction, in the target's unit; rows without a target are left out.
    ///
    /// # Errors
    /// A model of classes, rows that were encoded for another model.
    pub fn errors(&self, encoded: &Encoded<f32>, rows: &[u32], team: &Team) -> Result<Vec<f64>, FitCalibrationError> {
        if self.classes().is_some() {
            return Err(FitCalibrationError::Task("classes are predicted; errors are of numbers"));
        }
        let known = |row: &u32| encoded.values.get(*row as usize).is_some_and(|value| value.is_finite());
        let rows: Vec<u32> = rows.iter().copied().filter(known).collect();
        let predicted = self.scores(&mut self.runner(team.clone()), encoded, &rows)?;
        let truth = |&row: &u32| encoded.restore(encoded.values[row as usize]);
        Ok(rows.iter().zip(&predicted).map(|(row, &y)| truth(row) - f64::from(y)).collect())
    }
}
