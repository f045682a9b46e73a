//! The interval around a predicted number.

use glassnet::model::Model;

use crate::error::CliError;
use crate::share::percent;

/// What stands on both sides of a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The share of rows that it is to hold.
    pub level: f64,
    /// Half of its width, in the target's unit.
    pub half: f64,
    /// The smallest and the largest number of training, where the model keeps them: an interval ends there.
    pub range: Option<[f64; 2]>,
}

impl Band {
    /// For a model of numbers that knows how wide its intervals are.
    ///
    /// # Errors
    /// Classes, a model file without intervals, intervals of too few rows for that level.
    pub fn new(model: &Model, path: &str, level: f64) -> Result<Band, CliError> {
        let usage = |what: String, hint: &str| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
        if model.classes().is_some() {
            let hint = "leave --interval out: a classifier says how sure it is by its scores";
            return usage("--interval: this model predicts a class, not a number".into(), hint);
        }
        let Some(intervals) = &model.document().intervals else {
            let hint = "find them on rows that it was not trained on: glassnet recalibrate MODEL LABELLED.csv";
            return usage(format!("--interval: {path} does not know how wide its intervals are"), hint);
        };
        let Some(half) = intervals.half_width(level) else {
            let most = match intervals.highest() {
                Some(most) => format!("the highest they can is {}", percent(most)),
                None => "they are too few for any".to_owned(),
            };
            let what = format!(
                "--interval {}: the {} rows that its intervals come from cannot tell; {most}",
                percent(level),
                intervals.rows
            );
            return usage(what, "ask for less, or find them on more rows: glassnet recalibrate MODEL LABELLED.csv");
        };
        Ok(Band { level, half, range: range(model) })
    }

    /// The same where the model knows; `None` of classes, and where it does not.
    pub fn known(model: &Model, level: f64) -> Option<Band> {
        let half = model.document().intervals.as_ref()?.half_width(level)?;
        model.classes().is_none().then(|| Band { level, half, range: range(model) })
    }

    /// Both ends around a prediction.
    pub fn around(&self, prediction: f32) -> [f32; 2] {
        let [least, most] = self.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
        let y = f64::from(prediction);
        // Not max and min: they would make a number of NaN.
        let low = if y - self.half < least { least } else { y - self.half };
        let high = if y + self.half > most { most } else { y + self.half };
        [low as f32, high as f32]
    }
}

fn range(model: &Model) -> Option<[f64; 2]> {
    model.document().schema.target.as_ref().and_then(|target| target.range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_ends_where_training_did() {
        let open = Band { level: 0.9, half: 2.0, range: None };
        assert_eq!(open.around(1.0), [-1.0, 3.0]);
        let kept = Band { range: Some([0.0, 2.5]), ..open };
        assert_eq!([kept.around(1.0), kept.around(2.0)], [[0.0, 2.5], [0.0, 2.5]]);
        assert!(kept.around(f32::NAN)[0].is_nan());
    }
}
