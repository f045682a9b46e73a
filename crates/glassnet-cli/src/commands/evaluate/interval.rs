//! Whether the intervals of a predicted number hold what they promise.

use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::nn::metrics::{coverage, interval_width};
use glassnet::nn::source::Source;
use serde::Serialize;

use crate::commands::predict::band::Band;

/// The level that is looked at.
const LEVEL: f64 = 0.9;

/// The intervals of some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interval {
    /// The share of rows that they are to hold.
    pub level: f64,
    /// The share whose true value lies in them.
    pub coverage: f64,
    /// Their mean width, in the target's unit.
    pub width: f64,
    /// Whether the share is no less than the level by more than three standard errors.
    pub holds: bool,
}

impl Interval {
    /// Of a model's predictions; `None` of classes, and where the model file does not know.
    pub fn of(model: &Model, encoded: &Encoded<f32>, rows: &[u32], predicted: &[f32]) -> Option<Interval> {
        let band = Band::known(model, LEVEL)?;
        let ends: Vec<[f32; 2]> = predicted.iter().map(|&y| band.around(y)).collect();
        let (low, high): (Vec<f64>, Vec<f64>) =
            ends.iter().map(|&[low, high]| (f64::from(low), f64::from(high))).unzip();
        let truth = |&row: &u32| encoded.restore(encoded.values.get(row as usize).copied().unwrap_or(f64::NAN));
        let truth: Vec<f64> = rows.iter().map(truth).collect();
        let weights: Vec<f64> = rows.iter().map(|&row| encoded.weight(row)).collect();
        let coverage = coverage(&low, &high, &truth, Some(&weights))?;
        let width = interval_width(&low, &high, Some(&weights))?;
        Some(Interval::new(LEVEL, coverage, width, rows.len()))
    }

    /// What was found on so many rows.
    pub fn new(level: f64, coverage: f64, width: f64, rows: usize) -> Interval {
        let error = (level * (1.0 - level) / rows.max(1) as f64).sqrt();
        Interval { level, coverage, width, holds: coverage >= level - 3.0 * error }
    }
}
