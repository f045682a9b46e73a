//! From scores to probabilities: what a network says is fitted to what happened, on rows that it was not trained on.
//!
//! ```text
//! temperature   softmax(beta z)            one number; any number of classes; keeps the order of classes
//! affine        sigma(a + b z), b > 0      two numbers; two classes; about 1,000 rows or more
//! isotonic      any rising steps of z      two classes; on request, 10,000 rows or more
//! ```
//!
//! All three keep the ranking of rows (isotonic with ties), so that AUC stays or nearly stays; log-loss, Brier score and calibration
//! error change. Fit them on validation rows, report on rows that were used neither to train nor to fit. Everything is computed in f64
//! in the order of the rows; rows of weight 0 are not there.
//!
//! ```
//! use glassnet_nn::calibration::Temperature;
//! // Twenty rows, all with logits (0, 3), of which three quarters are of class 1: the network is too sure.
//! let logits = [0.0_f32, 3.0].repeat(20);
//! let labels: Vec<usize> = (0..20).map(|row| usize::from(row % 4 != 0)).collect();
//! let fitted = Temperature::fit(&logits, 2, &labels, None)?;
//! assert!((3.0 * fitted.beta - 3.0_f64.ln()).abs() < 1e-6);
//! # Ok::<(), glassnet_nn::calibration::CalibrationError>(())
//! ```

mod affine;
mod error;
mod isotonic;
mod refined;
mod temperature;

pub use affine::Affine;
pub use error::CalibrationError;
pub use isotonic::Isotonic;
pub(crate) use refined::base_rate_moved;
pub use refined::{calibrated_log_loss, line_log_loss};
pub use temperature::Temperature;

use serde::{Deserialize, Serialize};

/// Rows from which on [`Kind::for_rows`] takes the affine way: two numbers of which the second is well told by then.
pub const AFFINE_FROM: usize = 1000;

/// Rows from which on isotonic calibration can be advised.
pub const ISOTONIC_FROM: usize = 10_000;

/// A way to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// [`Temperature`].
    Temperature,
    /// [`Affine`].
    Affine,
    /// [`Isotonic`].
    Isotonic,
}

impl Kind {
    /// What so many calibration rows can bear: affine for two classes from [`AFFINE_FROM`] rows on, else temperature. Isotonic is
    /// never chosen, only asked for.
    pub fn for_rows(classes: usize, rows: usize) -> Kind {
        if classes <= 2 && rows >= AFFINE_FROM { Kind::Affine } else { Kind::Temperature }
    }
}

/// Checks scores of two classes against their labels; gives the rows that have weight, as (score, is of class 1, weight).
fn binary_rows(
    scores: &[f64],
    positive: &[bool],
    weights: Option<&[f64]>,
    needed: usize,
) -> Result<Vec<(f64, bool, f64)>, CalibrationError> {
    sizes(scores.len(), positive.len(), weights)?;
    let mut rows = Vec::with_capacity(scores.len());
    for (row, (&score, &positive)) in scores.iter().zip(positive).enumerate() {
        let weight = row_weight(weights, row)?;
        if weight > 0.0 {
            if !score.is_finite() {
                return Err(CalibrationError::NotFinite { row: row as u64 + 1 });
            }
            rows.push((score, positive, weight));
        }
    }
    if rows.len() < needed {
        return Err(CalibrationError::TooFew { rows: rows.len(), needed });
    }
    let first = rows.first().is_some_and(|row| row.1);
    if rows.iter().all(|row| row.1 == first) {
        return Err(CalibrationError::OneClass { class: usize::from(first) });
    }
    Ok(rows)
}

fn sizes(rows: usize, labels: usize, weights: Option<&[f64]>) -> Result<(), CalibrationError> {
    let weights = weights.map_or(rows, <[f64]>::len);
    if labels != rows || weights != rows {
        return Err(CalibrationError::Sizes { rows, labels, weights });
    }
    Ok(())
}

/// The weight of a row, from 0.
fn row_weight(weights: Option<&[f64]>, row: usize) -> Result<f64, CalibrationError> {
    let weight = weights.and_then(|weights| weights.get(row)).copied().unwrap_or(1.0);
    if weight.is_finite() && weight >= 0.0 {
        Ok(weight)
    } else {
        Err(CalibrationError::Weight { row: row as u64 + 1, weight })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_follows_classes_and_rows() {
        assert_eq!(Kind::for_rows(2, 999), Kind::Temperature);
        assert_eq!(Kind::for_rows(2, 1000), Kind::Affine);
        assert_eq!(Kind::for_rows(3, 1_000_000), Kind::Temperature);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (scores, positive) = ([0.1, 0.2, 0.3], [true, false, true]);
        let said = |scores: &[f64], positive: &[bool], weights: Option<&[f64]>| {
            binary_rows(scores, positive, weights, 3).unwrap_err().to_string()
        };
        assert!(said(&scores, &positive[..2], None).starts_with("3 rows of scores come with 2 labels"));
        assert!(said(&scores, &positive, Some(&[1.0, 0.0, 1.0])).starts_with("2 rows are too few"));
        assert!(said(&scores, &positive, Some(&[1.0, -1.0, 1.0])).starts_with("row 2 has weight -1"));
        assert!(said(&[0.1, f64::NAN, 0.3], &positive, None).starts_with("row 2 has a score that is not finite"));
        assert!(said(&scores, &[true; 3], None).starts_with("all rows are of class 1"));
        // What weighs nothing is not looked at.
        let weights = [1.0, 1.0, 1.0, 0.0];
        let rows = binary_rows(&[0.1, 0.2, 0.3, f64::NAN], &[true, false, true, true], Some(&weights), 3);
        assert_eq!(rows.map(|rows| rows.len()), Ok(3));
    }
}
