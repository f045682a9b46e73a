//! Mean and spread over the folds.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::fold::{Done, Forecasted, Work};
use crate::error::CliError;
use crate::numbers::{duration, number, thousands};

type Column = (&'static str, fn(&Done) -> Option<f64>);

/// The scores that there are; each stands where it applies.
pub const COLUMNS: [Column; 9] = [
    ("accuracy", |fold| fold.evaluation.scores.accuracy),
    ("log_loss", |fold| fold.evaluation.scores.log_loss),
    ("brier", |fold| fold.evaluation.scores.brier),
    ("auc", |fold| fold.evaluation.scores.auc),
    ("ece", |fold| fold.evaluation.ece),
    ("rmse", |fold| fold.evaluation.scores.rmse),
    ("mae", |fold| fold.evaluation.scores.mae),
    ("r2", |fold| fold.evaluation.scores.r2),
    ("coverage_90", |fold| fold.coverage),
];

/// The same of the constant guess.
const GUESSES: [Column; 4] = [
    ("accuracy", |fold| fold.guess.as_ref()?.accuracy),
    ("log_loss", |fold| fold.guess.as_ref()?.log_loss),
    ("rmse", |fold| fold.guess.as_ref()?.rmse),
    ("mae", |fold| fold.guess.as_ref()?.mae),
];

/// Mean and, of two and more, the standard deviation: `sqrt(sum (x - mean)^2 / (n - 1))`.
pub fn mean_and_spread(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let spread = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
    (!values.is_empty()).then_some((mean, spread))
}

/// Everything about a cross-validation that is over.
pub struct Summary<'a> {
    pub work: &'a Work,
    pub done: &'a [Done],
    /// Folds that there are.
    pub asked: usize,
    pub forecast: &'a Forecasted,
    pub out: Option<&'a Path>,
}

impl Summary<'_> {
    fn of(&self, column: &Column) -> Option<(f64, Option<f64>)> {
        let values: Vec<f64> = self.done.iter().filter_map(column.1).filter(|value| value.is_finite()).collect();
        mean_and_spread(&values)
    }

    /// In how many folds a calibration was fitted, and in how many it held.
    fn held(&self) -> (usize, usize) {
        let fitted = self.done.iter().filter_map(|fold| fold.held.as_ref());
        fitted.fold((0, 0), |(fitted, held), (holds, _)| (fitted + 1, held + usize::from(*holds)))
    }

    fn seconds(&self) -> f64 {
        self.done.iter().map(|fold| fold.seconds).sum()
    }

    /// A line for each fold, their mean, their spread, and what a constant guess scores.
    pub fn text(&self) -> String {
        let columns: Vec<(&Column, (f64, Option<f64>))> =
            COLUMNS.iter().filter_map(|column| Some((column, self.of(column)?))).collect();
        let line = |name: String, rows: String, cells: Vec<String>| [vec![name, rows], cells].concat();
        let names = columns.iter().map(|((name, _), _)| (*name).to_owned()).collect();
        let mut lines = vec![line("fold".into(), "rows".into(), names)];
        for (at, fold) in self.done.iter().enumerate() {
            let cells = columns.iter().map(|((_, of), _)| of(fold).map_or("-".into(), number)).collect();
            lines.push(line((at + 1).to_string(), thousands(fold.rows[2] as u64), cells));
        }
        let means = columns.iter().map(|(_, (mean, _))| number(*mean)).collect();
        lines.push(line("mean".into(), String::new(), means));
        let spreads = columns.iter().map(|(_, (_, spread))| spread.map_or("-".into(), number)).collect();
        lines.push(line("spread".into(), String::new(), spreads));
        let guessed = |name: &str| GUESSES.iter().find(|(guess, _)| *guess == name).and_then(|guess| self.of(guess));
        let guesses =
            columns.iter().map(|((name, _), _)| guessed(name).map_or(String::new(), |(mean, _)| number(mean)));
        lines.push(line("constant guess".into(), String::new(), guesses.collect()));
        let mut text = aligned(&lines);
        text += "spread: the standard deviation over the folds; constant guess: the mean of what always saying the same would score\n";
        text += &self.calibration();
        text += &format!(
            "measured {} of training (forecast {})\n",
            duration(self.seconds()),
            duration(self.forecast.seconds * self.done.len() as f64 / self.asked.max(1) as f64)
        );
        if let Some(out) = self.out {
            let rows: usize = self.done.iter().map(|fold| fold.rows[2]).sum();
            text += &format!("out-of-fold predictions {} ({} rows)\n", out.display(), thousands(rows as u64));
        }
        text
    }

    fn calibration(&self) -> String {
        let classes = self.done.iter().any(|fold| fold.evaluation.scores.log_loss.is_some());
        let (fitted, held) = self.held();
        if !classes {
            return String::new();
        }
        if fitted == 0 {
            return "not calibrated: these are scores, and nothing has checked them as probabilities\n".into();
        }
        let of = if fitted == self.done.len() {
            format!("{fitted} folds")
        } else {
            format!("the {fitted} folds that had one")
        };
        let mut text = format!("the calibration held in {held} of {of}\n");
        for (at, fold) in self.done.iter().enumerate() {
            if let Some((false, reasons)) = &fold.held {
                text += &format!("  fold {}: {}\n", at + 1, reasons.join("; "));
            }
        }
        text
    }

    /// The same and more as JSON; `failure`: why it ended early.
    pub fn as_json(&self, failure: Option<&CliError>) -> Value {
        let object = |columns: &[Column], of: &dyn Fn(&Column) -> Option<f64>| -> Value {
            let known = columns.iter().filter_map(|column| Some((column.0.to_owned(), json!(of(column)?))));
            Value::Object(known.collect::<Map<_, _>>())
        };
        let folds: Vec<Value> = self.done.iter().enumerate().map(|(at, fold)| {
            json!({
                "fold": at + 1,
                "rows": { "fitted": fold.rows[0], "calibrated": fold.rows[1], "judged": fold.rows[2] },
                "scores": object(&COLUMNS, &|(_, of)| of(fold)),
                "before_calibration": fold.evaluation.before,
                "constant_guess": object(&GUESSES, &|(_, of)| of(fold)),
                "calibration": fold.held.as_ref().map(|(holds, reasons)| json!({ "holds": holds, "reasons": reasons })),
                "epochs": fold.epochs,
                "best_epoch": fold.best_epoch,
                "seconds": fold.seconds,
            })
        }).collect();
        let (fitted, held) = self.held();
        let Work { settings, options, .. } = self.work;
        let mut value = json!({
            "data": self.work.read.table.source,
            "target": options.target,
            "recipe": settings.around.recipe.name(),
            "members": self.forecast.fold.members,
            "seed": settings.seed,
            "time": settings.around.time,
            "group": settings.around.group,
            "folds_asked": self.asked,
            "folds": folds,
            "mean": object(&COLUMNS, &|column| Some(self.of(column)?.0)),
            "spread": object(&COLUMNS, &|column| self.of(column)?.1),
            "constant_guess": object(&GUESSES, &|column| Some(self.of(column)?.0)),
            "calibration": { "fitted": fitted, "held": held },
            "forecast_seconds": self.forecast.seconds,
            "seconds": self.seconds(),
            "predictions": self.out.map(|out| out.display().to_string()),
            "notes": self.work.read.notes,
        });
        if let (Some(failure), Some(object)) = (failure, value.as_object_mut())
            && let Value::Object(error) = failure.as_json()
        {
            object.extend(error);
        }
        value
    }
}

/// Columns as wide as their widest cell, the first to the left.
fn aligned(lines: &[Vec<String>]) -> String {
    let mut widths = vec![0; lines.iter().map(Vec::len).max().unwrap_or(0)];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| match at {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        text += cells.collect::<String>().trim_end();
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_is_the_standard_deviation_of_a_sample() {
        // 2, 4, 9: mean 5, squares 9 + 1 + 16 = 26, over 2.
        let (mean, spread) = mean_and_spread(&[2.0, 4.0, 9.0]).unwrap();
        assert_eq!(mean, 5.0);
        assert!((spread.unwrap() - 13f64.sqrt()).abs() < 1e-15);
        assert_eq!(mean_and_spread(&[3.0]), Some((3.0, None)));
        assert_eq!(mean_and_spread(&[]), None);
    }
}
