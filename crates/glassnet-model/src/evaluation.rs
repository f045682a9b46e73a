//! How good a model is on some rows: loss, scores, confusion table; in the target's own unit.

use glassnet_core::{Runner, Team};
use glassnet_nn::functional;
use glassnet_nn::metrics::{ClassScores, Confusion, Scores, ece, log_loss};
use glassnet_nn::source::Source;
use serde::Serialize;

use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::file::Head;
use crate::model::Model;

/// What `evaluate` reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of rows.
    pub rows: usize,
    /// Mean loss: log-loss of a classifier, mean squared error of the standardised target of a regression.
    pub loss: f64,
    /// The scores that apply.
    #[serde(flatten)]
    pub scores: Scores,
    /// Of a classifier: expected calibration error in 15 bins ([`glassnet_nn::metrics::ece`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ece: Option<f64>,
    /// Of a calibrated classifier: the same without its calibration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Of a classifier: counts by true and predicted class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
}

/// What a calibrated model's scores were before the calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Before {
    /// The scores.
    #[serde(flatten)]
    pub scores: Scores,
    /// Expected calibration error.
    pub ece: Option<f64>,
}

/// Bins of the calibration error.
const BINS: usize = 15;

impl Model {
    /// Whether all rows have a target that the model knows.
    ///
    /// # Errors
    /// The first that has none.
    pub(crate) fn targets_here(&self, encoded: &Encoded<f32>, rows: &[u32]) -> Result<(), ModelError> {
        let has_target = |row: u32| match self.document().network.head {
            Head::Softmax | Head::Sigmoid => (0..self.outputs() as i64).contains(&i64::from(encoded.label(row))),
            Head::Value => encoded.values.get(row as usize).is_some_and(|value| value.is_finite()),
        };
        match rows.iter().find(|&&row| !has_target(row)) {
            Some(&row) => Err(ModelError::NoTarget { row }),
            None => Ok(()),
        }
    }

    /// Evaluates rows that have targets. Every row counts by its own weight; weights of classes are the loss's of
    /// training, and play no part here.
    ///
    /// # Errors
    /// A row without a target, or with one that the model does not have; rows that were encoded for another model.
    pub fn evaluate(&self, encoded: &Encoded<f32>, rows: &[u32], team: &Team) -> Result<Evaluation, ModelError> {
        self.encoded_here(encoded)?;
        self.targets_here(encoded, rows)?;
        let mut runner: Runner<f32> = self.runner(team.clone());
        let clamped = self.document().schema.target.as_ref().is_some_and(|target| target.range.is_some());
        if self.members().len() > 1 || self.calibration().is_some() || clamped {
            let scores = self.scores(&mut runner, encoded, rows)?;
            let mut evaluation = self.evaluate_scores(&scores, encoded, rows);
            if self.calibration().is_some() {
                let raw = self.raw_scores(&mut runner, encoded, rows)?;
                let Evaluation { scores, ece, .. } = self.evaluate_scores(&raw, encoded, rows);
                evaluation.before = Some(Before { scores, ece });
            }
            return Ok(evaluation);
        }
        let outputs = functional::evaluate(self.network(), &mut runner, self.parameters(), encoded, rows);
        let loss = functional::mean_loss(self.network(), &outputs.losses, encoded, rows);
        let weights: Vec<f64> = rows.iter().map(|&row| encoded.weight(row)).collect();
        let labels: Vec<usize> = rows.iter().map(|&row| encoded.label(row).max(0) as usize).collect();
        let classes = match self.document().network.head {
            Head::Softmax => ClassScores::from_logits(&outputs.logits, self.outputs()),
            Head::Sigmoid => ClassScores::from_binary_logits(&outputs.logits),
            Head::Value => {
                let target = self.document().schema.target.as_ref();
                let restore = |value: f64| target.map_or(value, |target| target.restore(value));
                let predicted: Vec<f64> = outputs.logits.iter().map(|&z| restore(f64::from(z))).collect();
                let truth: Vec<f64> = rows
                    .iter()
                    .map(|&row| restore(encoded.values.get(row as usize).copied().unwrap_or(f64::NAN)))
                    .collect();
                let scores = Scores::of_values(&predicted, &truth, 1, Some(&weights));
                return Ok(Evaluation { rows: rows.len(), loss, scores, ece: None, before: None, confusion: None });
            }
        };
        let scores = Scores::of_classes(&classes, &labels, Some(&weights));
        let confusion = Some(Confusion::new(&classes, &labels, Some(&weights)));
        let ece = ece(&classes, &labels, Some(&weights), BINS);
        Ok(Evaluation { rows: rows.len(), loss, scores, ece, before: None, confusion })
    }

    /// The same of scores (or values) that are there already, [rows, outputs].
    pub fn evaluate_scores(&self, scores: &[f32], encoded: &Encoded<f32>, rows: &[u32]) -> Evaluation {
        let weights: Vec<f64> = rows.iter().map(|&row| encoded.weight(row)).collect();
        if self.document().network.head == Head::Value {
            let target = self.document().schema.target.as_ref();
            let restore = |value: f64| target.map_or(value, |target| target.restore(value));
            let standardise = |value: f64| target.map_or(value, |target| target.standardise(value));
            let own = |row: u32| encoded.values.get(row as usize).copied().unwrap_or(f64::NAN);
            let predicted: Vec<f64> = scores.iter().map(|&value| f64::from(value)).collect();
            let truth: Vec<f64> = rows.iter().map(|&row| restore(own(row))).collect();
            let squares = predicted.iter().zip(rows).zip(&weights);
            let (sum, total) = squares.fold((0.0, 0.0), |(sum, total), ((&predicted, &row), &weight)| {
                let error = standardise(predicted) - own(row);
                (sum + weight * error * error, total + weight)
            });
            let scores = Scores::of_values(&predicted, &truth, 1, Some(&weights));
            let (rows, loss) = (rows.len(), sum / total);
            return Evaluation { rows, loss, scores, ece: None, before: None, confusion: None };
        }
        let labels: Vec<usize> = rows.iter().map(|&row| encoded.label(row).max(0) as usize).collect();
        let classes = ClassScores::from_probabilities(scores, self.outputs());
        let loss = log_loss(&classes, &labels, Some(&weights)).unwrap_or(f64::NAN);
        let confusion = Some(Confusion::new(&classes, &labels, Some(&weights)));
        let scores = Scores::of_classes(&classes, &labels, Some(&weights));
        let ece = ece(&classes, &labels, Some(&weights), BINS);
        Evaluation { rows: rows.len(), loss, scores, ece, before: None, confusion }
    }
}
