//! After training: the calibration of classes, or the intervals of a number, from the validation rows; and whether it holds.

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::calibration::Calibration;
use glassnet::model::encoded::Encoded;
use glassnet::model::fit::Headed;
use glassnet::model::fit::calibrate::{FitCalibrationError, Judged, Way};
use glassnet::model::interval::Intervals;
use glassnet::nn::calibration::Kind;

use super::data::Data;
use super::recipe::Calibrate;
use crate::error::CliError;

/// Rows by their source.
pub type Part<'a> = (&'a Encoded<f32>, &'a [u32]);

/// The kind that was asked for; `None`: what the rows can bear.
pub fn kind(asked: Calibrate) -> Option<Kind> {
    match asked {
        Calibrate::Auto | Calibrate::Off => None,
        Calibrate::Temperature => Some(Kind::Temperature),
        Calibrate::Affine => Some(Kind::Affine),
        Calibrate::Isotonic => Some(Kind::Isotonic),
    }
}

/// Rows that the training has not seen.
pub struct HeldOut<'a> {
    pub data: &'a Data,
    pub headed: &'a Headed,
    /// The rows of the last test.
    pub tested: Option<Part<'a>>,
}

impl HeldOut<'_> {
    /// Models with the rows that each has not seen: the whole model with the validation rows, or each member of `--best` with its fold.
    fn parts(&self, model: &Model) -> Result<Vec<(Model, Part<'_>)>, CliError> {
        let prepared = &self.data.prepared;
        if self.data.folds.is_empty() {
            let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
            let rows = prepared.valid_rows.as_slice();
            return Ok(if rows.is_empty() { Vec::new() } else { vec![(model.clone(), (valid, rows))] });
        }
        let mut parts = Vec::with_capacity(self.data.folds.len());
        for (member, (_, rows)) in model.members().zip(&self.data.folds) {
            let alone = prepared.model(self.headed, member.to_vec())?;
            parts.push((alone, (&prepared.train, rows.as_slice())));
        }
        Ok(parts)
    }
}

/// Scores of all of them, one after the other.
fn judged(parts: &[(Model, Part<'_>)], team: &Team) -> Result<Judged, FitCalibrationError> {
    let mut all: Option<Judged> = None;
    for (model, (encoded, rows)) in parts {
        let part = model.judged(encoded, rows, team)?;
        match &mut all {
            None => all = Some(part),
            Some(all) => all.extend(part),
        }
    }
    all.ok_or(FitCalibrationError::Task("there are no rows to calibrate on"))
}

/// Fits what the rows tell and keeps it in the model; a sentence about it. Where nothing can be fitted by itself, the scores stay scores
/// and the sentence says why; what was asked for by name is an error then.
///
/// # Errors
/// A calibration that was asked for and cannot be fitted; rows that do not fit the model.
pub fn calibrate(
    model: Model,
    asked: Option<Calibrate>,
    held_out: &HeldOut<'_>,
    team: &Team,
) -> Result<(Model, String), CliError> {
    let asked_by_name = asked.is_some_and(|asked| !matches!(asked, Calibrate::Auto));
    let parts = held_out.parts(&model)?;
    if parts.is_empty() {
        return match asked_by_name {
            true => Err(CliError::Usage(
                "--calibration: there are no validation rows to fit it on\n  hint: give --valid FILE, or a --validation-share above 0".into(),
            )),
            false => Ok((model, String::new())),
        };
    }
    if model.classes().is_none() {
        return intervals(model, &parts, team);
    }
    let fitted = judged(&parts, team).and_then(|judged| {
        let way = match kind(asked.unwrap_or(Calibrate::Auto)) {
            Some(kind) => Way::By(kind),
            None => judged.best_way(),
        };
        Ok((judged.fit_way(way)?, way, judged))
    });
    let (mut calibration, chosen, judged) = match fitted {
        Ok(fitted) => fitted,
        Err(error) if asked_by_name => return Err(CliError::Usage(format!("--calibration: {error}"))),
        Err(FitCalibrationError::Model(error)) => return Err(error.into()),
        Err(error) => return Ok((model, format!("not calibrated, so scores stay scores: {error}"))),
    };
    let held = match held_out.tested {
        Some((encoded, rows)) => {
            let test: Judged = model.judged(encoded, rows, team).map_err(|error| CliError::Data(error.to_string()))?;
            test.with(&calibration).held("the test rows")
        }
        None => match judged.held_by_halves(chosen, "the validation rows, each half by a fit on the other") {
            Ok(held) => held,
            Err(error) => return Ok((model, format!("not calibrated, so scores stay scores: {error}"))),
        },
    };
    let rows = crate::numbers::thousands(calibration.rows as u64);
    let way = way(&calibration);
    let verdict = match held.holds {
        true => format!("it holds on {}: ECE {:.4}, at most {:.4} would do", held.on, held.ece, held.limit),
        false => format!("it does not hold on {}, so scores stay scores: {}", held.on, held.reasons.join("; ")),
    };
    calibration.held = Some(held);
    let model = model.with_calibration(Some(calibration))?;
    Ok((model, format!("calibrated ({way}) on {rows} validation rows; {verdict}")))
}

/// What a calibration does, in words.
pub fn way(calibration: &Calibration) -> String {
    match &calibration.knots {
        Some(_) => "isotonic".to_owned(),
        None if calibration.offset != 0.0 => {
            format!("affine, {:.3} + {:.3} z", calibration.offset, calibration.slope)
        }
        None if calibration.slope == 1.0 => "the scores as they are: no fit says more about other rows".to_owned(),
        None => format!("temperature {:.3}", 1.0 / calibration.slope),
    }
}

fn intervals(mut model: Model, parts: &[(Model, Part<'_>)], team: &Team) -> Result<(Model, String), CliError> {
    let mut errors = Vec::new();
    for (part, (encoded, rows)) in parts {
        errors.extend(part.errors(encoded, rows, team).map_err(|error| CliError::Data(error.to_string()))?);
    }
    let intervals = Intervals::of_errors(&errors);
    let words = match intervals.half_width(0.9) {
        Some(half) => format!(
            "intervals: nine of ten rows are within {} of the prediction (from {} validation rows; predict --interval 90%)",
            crate::numbers::number(half),
            crate::numbers::thousands(intervals.rows as u64)
        ),
        None => format!("{} validation rows are too few for intervals of 90 %", intervals.rows),
    };
    model.document_mut().intervals = Some(intervals);
    Ok((model, words))
}
