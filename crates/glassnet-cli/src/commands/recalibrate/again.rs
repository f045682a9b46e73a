//! A calibration, or intervals, of recent rows, with what they change on rows that they were not fitted to.

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::calibration::{Calibration, Held};
use glassnet::model::fit::calibrate::{FitCalibrationError, Judged, Way};
use glassnet::nn::calibration::Kind;
use serde::Serialize;

use crate::commands::evaluate::Labelled;
use crate::commands::evaluate::interval::Interval;
use crate::error::CliError;

/// Rows of classes that are needed: fewer cannot tell a calibration that is better than the one before.
pub const LEAST: usize = 100;

/// Rows of a number: a level of 95 % needs 19.
pub const LEAST_NUMBERS: usize = 20;

/// What was fitted, and what it changes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Again {
    /// A calibration.
    Classes {
        /// As it stands in the model file now.
        calibration: Calibration,
        /// How: temperature, affine, isotonic.
        kind: Kind,
        /// With the calibration that the file had before, or with none.
        before: Figures,
        /// With the new one, each half of the rows by a fit on the other.
        after: Figures,
    },
    /// Intervals.
    Numbers {
        /// With the intervals that the file had before.
        before: Option<Interval>,
        /// With the new ones, each half of the rows by a fit on the other.
        after: Option<Interval>,
        /// Half of the width of the interval of 90 %, as it stands in the file now.
        half_width_90: Option<f64>,
    },
}

/// How good probabilities are.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figures {
    log_loss: Option<f64>,
    ece: Option<f64>,
}

impl Figures {
    fn of(judged: &Judged) -> Figures {
        Figures { log_loss: judged.log_loss(), ece: judged.ece() }
    }
}

impl Again {
    /// Name, before, after.
    pub fn figures(&self) -> Vec<(&'static str, Option<f64>, Option<f64>)> {
        match self {
            Again::Classes { before, after, .. } => {
                vec![("log-loss", before.log_loss, after.log_loss), ("ECE", before.ece, after.ece)]
            }
            Again::Numbers { before, after, .. } => {
                let of = |interval: &Option<Interval>, figure: fn(&Interval) -> f64| interval.as_ref().map(figure);
                let inside = |interval: &Interval| interval.coverage;
                let width = |interval: &Interval| interval.width;
                vec![
                    ("inside 90 %", of(before, inside), of(after, inside)),
                    ("mean width", of(before, width), of(after, width)),
                ]
            }
        }
    }

    /// Whether it holds, in a sentence.
    pub fn verdict(&self) -> String {
        match self {
            Again::Classes { calibration, .. } => match &calibration.held {
                Some(Held { holds: true, ece, limit, .. }) => {
                    format!("it holds: ECE {ece:.4}, at most {limit:.4} would do; predict says probability")
                }
                Some(held) => format!("it does not hold, so predict says score: {}", held.reasons.join("; ")),
                None => String::new(),
            },
            Again::Numbers { half_width_90, .. } => match half_width_90 {
                Some(half) => {
                    format!("nine of ten rows are within {} of the prediction", crate::numbers::number(*half))
                }
                None => "too few rows for intervals of 90 %".to_owned(),
            },
        }
    }
}

/// What cannot be fitted, in the words of the command.
fn said(error: FitCalibrationError) -> CliError {
    match error {
        FitCalibrationError::Task(what) => CliError::Usage(format!(
            "--calibration: {what}\n  hint: leave it out: temperature fits any number of classes"
        )),
        other => CliError::Data(other.to_string()),
    }
}

fn too_few(rows: usize, needed: usize) -> CliError {
    let hint = "give the rows of more days; until then the model is better left as it is";
    CliError::Data(format!("{rows} rows with a target are too few to fit to; {needed} are needed\n  hint: {hint}"))
}

/// Calibrates a classifier.
pub fn classes(model: Model, rows: &Labelled, asked: Option<Kind>, team: &Team) -> Result<(Model, Again), CliError> {
    let judged = model.judged(&rows.encoded, &rows.rows, team).map_err(said)?;
    if judged.labels.len() < LEAST {
        return Err(too_few(judged.labels.len(), LEAST));
    }
    // What a moved base rate needs is an offset, which a temperature has not.
    let kind = asked.unwrap_or(if judged.classes == 2 { Kind::Affine } else { Kind::Temperature });
    let before = match model.calibration() {
        Some(calibration) => Figures::of(&judged.with(calibration)),
        None => Figures::of(&judged),
    };
    let halves = judged.by_halves(Way::By(kind)).map_err(said)?;
    let mut calibration = judged.fit(Some(kind)).map_err(said)?;
    calibration.held = Some(halves.held("the rows of its last calibration, each half by a fit on the other"));
    let model = model.with_calibration(Some(calibration.clone()))?;
    Ok((model, Again::Classes { calibration, kind, before, after: Figures::of(&halves) }))
}

/// Finds the intervals of a regression again.
pub fn numbers(mut model: Model, rows: &Labelled, team: &Team) -> Result<(Model, Again), CliError> {
    let known = rows.rows.len();
    if known < LEAST_NUMBERS {
        return Err(too_few(known, LEAST_NUMBERS));
    }
    let predicted = model.scores(&mut model.runner(team.clone()), &rows.encoded, &rows.rows)?;
    let before = Interval::of(&model, &rows.encoded, &rows.rows, &predicted);
    let (mut inside, mut width) = (0.0, 0.0);
    let mut level = None;
    for half in 0..2 {
        let part = |which: usize| (0..known).filter(move |place| place % 2 == which);
        let fitted: Vec<u32> = part(1 - half).map(|place| rows.rows[place]).collect();
        let own: Vec<u32> = part(half).map(|place| rows.rows[place]).collect();
        let values: Vec<f32> = part(half).map(|place| predicted[place]).collect();
        model.document_mut().intervals = Some(model.fit_intervals(&rows.encoded, &fitted, team).map_err(said)?);
        if let Some(found) = Interval::of(&model, &rows.encoded, &own, &values) {
            let share = own.len() as f64 / known as f64;
            inside += share * found.coverage;
            width += share * found.width;
            level = Some(found.level);
        }
    }
    let after = level.map(|level| Interval::new(level, inside, width, known));
    let intervals = model.fit_intervals(&rows.encoded, &rows.rows, team).map_err(said)?;
    let half_width_90 = intervals.half_width(0.9);
    model.document_mut().intervals = Some(intervals);
    Ok((model, Again::Numbers { before, after, half_width_90 }))
}
