//! What `evaluate` says, as text and as JSON.

use std::fmt::{self, Display, Formatter};

use glassnet::model::Model;
use glassnet::model::calibration::Held;
use glassnet::model::evaluation::{Before, Evaluation};
use glassnet::model::shift::Finding;
use glassnet::nn::inspect::number::{count, significant};
use serde::Serialize;

use super::groups::Groups;
use super::interval::Interval;
use super::thresholds::Thresholds;
use super::{Args, Labelled};
use crate::certainty::NOT_CALIBRATED;
use crate::model_data::Notices;
use crate::share::percent;

/// More classes than this, and the confusion table gives way to the commonest mistakes.
const TABLE_UP_TO: usize = 20;
/// How many mistakes are shown in its place.
const MISTAKES: usize = 10;

/// An evaluation with its circumstances.
#[derive(Debug, Serialize)]
pub struct Report {
    model: String,
    data: String,
    #[serde(flatten)]
    evaluation: Evaluation,
    rows_without_target: usize,
    target: String,
    /// Whether these rows include those of the training.
    holds_training_rows: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    weighting: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<Baseline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<Class>,
    #[serde(flatten)]
    notices: Notices,
    /// Whether the model's calibration holds on these rows, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten)]
    more: More,
    #[serde(skip)]
    what: &'static str,
}

/// What is found besides the scores.
#[derive(Debug, Default, Serialize)]
pub struct More {
    /// How far the target has moved since training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_rate: Option<Finding>,
    /// Of a regression: whether its intervals hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Of a class: from which score on to act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// The scores by the groups of a column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Groups>,
}

/// What always giving the commonest class would score.
#[derive(Debug, Serialize)]
struct Baseline {
    class: String,
    accuracy: f64,
}

/// One class's scores.
#[derive(Debug, Serialize)]
struct Class {
    name: String,
    support: f64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

/// Said where the data is that of the training.
const SEEN: &str = "warning: these rows include those that the model was trained on (the data has the training's hash), so the \
                    figures flatter; evaluate on other rows";

impl Report {
    /// Puts it together.
    pub fn new(
        args: &Args,
        model: &Model,
        rows: &Labelled,
        evaluation: Evaluation,
        (held, more): (Option<Held>, More),
    ) -> Self {
        let names = model.classes().unwrap_or(&[]);
        let reports = evaluation.confusion.as_ref().map(|confusion| confusion.per_class()).unwrap_or_default();
        let classes: Vec<Class> = names
            .iter()
            .zip(reports)
            .map(|(name, report)| Class {
                name: name.clone(),
                support: report.support,
                precision: report.precision,
                recall: report.recall,
                f1: report.f1,
            })
            .collect();
        let total: f64 = classes.iter().map(|class| class.support).sum();
        let commonest = classes.iter().fold(None, |best: Option<&Class>, class| match best {
            Some(best) if best.support >= class.support => Some(best),
            _ => Some(class),
        });
        let baseline = commonest
            .filter(|_| total > 0.0)
            .map(|class| Baseline { class: class.name.clone(), accuracy: class.support / total });
        Report {
            model: args.model.clone(),
            data: args.data.clone(),
            evaluation,
            rows_without_target: rows.blank,
            target: model.target().to_string(),
            holds_training_rows: rows.seen,
            weighting: model.document().schema.weight_column.as_ref().map(|name| {
                match rows.encoded.weights.is_empty() {
                    true => format!("weight column {name} is not in the data: unweighted"),
                    false => format!("weighted by {name}"),
                }
            }),
            baseline,
            note: (!classes.is_empty()).then(|| held.as_ref().map_or(NOT_CALIBRATED.to_owned(), held_words)),
            held,
            classes,
            notices: rows.notices.clone(),
            more,
            what: rows.what,
        }
    }

    fn confusion(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(confusion) = &self.evaluation.confusion else { return Ok(()) };
        let names: Vec<String> = self.classes.iter().map(|class| cut(&class.name, 20)).collect();
        if names.len() > TABLE_UP_TO {
            return self.mistakes(f, &confusion.table, &names);
        }
        let cells: Vec<Vec<String>> =
            confusion.table.iter().map(|row| row.iter().map(|&cell| amount(cell)).collect()).collect();
        let first = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("true \\ predicted".len());
        write!(f, "\n{:first$}", "true \\ predicted")?;
        let width = |column: usize| {
            let own = cells.iter().map(|row| row[column].len()).max().unwrap_or(0);
            own.max(names[column].chars().count())
        };
        for (column, name) in names.iter().enumerate() {
            write!(f, "  {name:>width$}", width = width(column))?;
        }
        writeln!(f)?;
        for (name, row) in names.iter().zip(&cells) {
            write!(f, "{name:first$}")?;
            for (column, cell) in row.iter().enumerate() {
                write!(f, "  {cell:>width$}", width = width(column))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn mistakes(&self, f: &mut Formatter<'_>, table: &[Vec<f64>], names: &[String]) -> fmt::Result {
        let mut wrong: Vec<(f64, usize, usize)> = Vec::new();
        for (truth, row) in table.iter().enumerate() {
            let others = row.iter().enumerate().filter(|&(class, &cell)| class != truth && cell > 0.0);
            wrong.extend(others.map(|(class, &cell)| (cell, truth, class)));
        }
        wrong.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        writeln!(f, "\ncommonest mistakes ({} classes; --json has the whole table)", names.len())?;
        for (cell, truth, class) in wrong.iter().take(MISTAKES) {
            writeln!(f, "  {} taken for {}: {}", names[*truth], names[*class], amount(*cell))?;
        }
        Ok(())
    }

    fn per_class(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.classes.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.classes.iter().map(|class| cut(&class.name, 20)).collect();
        let first = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("class".len());
        let supports: Vec<String> = self.classes.iter().map(|class| amount(class.support)).collect();
        let rows = supports.iter().map(String::len).max().unwrap_or(0).max(4);
        writeln!(f, "\n{:first$}  {:>rows$}  precision  recall      F1", "class", "rows")?;
        for ((name, class), support) in names.iter().zip(&self.classes).zip(&supports) {
            let share = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
            let (precision, recall, f1) = (share(class.precision), share(class.recall), share(class.f1));
            writeln!(f, "{name:first$}  {support:>rows$}  {precision:>9}  {recall:>6}  {f1:>6}")?;
        }
        Ok(())
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = count(self.evaluation.rows as u64);
        writeln!(f, "{} on {}: {rows} {}, target {}", self.model, self.data, self.what, self.target)?;
        if let Some(weighting) = &self.weighting {
            writeln!(f, "{weighting}")?;
        }
        if self.holds_training_rows {
            writeln!(f, "{SEEN}")?;
        }
        writeln!(f)?;
        let scores = &self.evaluation.scores;
        if let Some(accuracy) = scores.accuracy {
            write!(f, "accuracy  {accuracy:.4}")?;
            match &self.baseline {
                Some(base) => writeln!(f, "   (always \"{}\": {:.4})", base.class, base.accuracy)?,
                None => writeln!(f)?,
            }
        }
        if let Some(before) = &self.evaluation.before {
            let before = before_words(before);
            writeln!(f, "before calibration: {before}")?;
        }
        let brier = match self.classes.as_slice() {
            [_, second] => format!("   mean (score of {:?} - truth)^2, truth 1 or 0", second.name),
            _ => "   mean over rows of the sum over classes of (score - truth)^2".to_string(),
        };
        let rest = [
            ("log-loss", scores.log_loss, "   nats a row; this is the loss"),
            ("Brier", scores.brier, brier.as_str()),
            (
                "ECE",
                self.evaluation.ece,
                "   calibration error: mean gap between score and share that happened, 15 bins",
            ),
            ("AUC", scores.auc, if self.classes.len() > 2 { "   mean over classes, one against the rest" } else { "" }),
            ("RMSE", scores.rmse, "   root of the mean squared error, in the target's unit"),
            ("MAE", scores.mae, "   mean absolute error, in the target's unit"),
            ("R2", scores.r2, "   1 is perfect, 0 no better than the mean"),
        ];
        for (name, value, words) in rest {
            if let Some(value) = value {
                writeln!(f, "{name:8}  {}{words}", digits(value))?;
            }
        }
        if scores.rmse.is_some() {
            let loss = digits(self.evaluation.loss);
            writeln!(f, "loss      {loss}   mean squared error of the standardised target")?;
        }
        if let Some(Interval { level, coverage, width, holds }) = &self.more.interval {
            let level = percent(*level);
            writeln!(
                f,
                "inside    {coverage:.4}   of the true values lie in the intervals of {level}, {} wide on average",
                digits(*width)
            )?;
            if !holds {
                writeln!(
                    f,
                    "the intervals do not hold on these rows\n  hint: glassnet recalibrate MODEL LABELLED.csv with recent rows"
                )?;
            }
        }
        self.confusion(f)?;
        self.per_class(f)?;
        if let Some(thresholds) = &self.more.thresholds {
            write!(f, "{thresholds}")?;
        }
        if let Some(groups) = &self.more.by {
            write!(f, "{groups}")?;
        }
        if let Some(moved) = &self.more.base_rate {
            writeln!(f, "\n{}", moved.words)?;
        }
        match &self.note {
            Some(note) => writeln!(f, "\n{note}"),
            None => Ok(()),
        }
    }
}

/// Whether a calibration holds on the rows of an evaluation, in a sentence.
fn held_words(held: &Held) -> String {
    let Held { holds, ece, limit, .. } = held;
    match holds {
        true => {
            format!("probabilities: the calibration holds on these rows (ECE {ece:.4}, at most {limit:.4} would do)")
        }
        false => format!(
            "scores, not probabilities: the calibration does not hold on these rows: {}\n  hint: glassnet recalibrate MODEL LABELLED.csv \
             with recent rows",
            held.reasons.join("; ")
        ),
    }
}

/// The scores without the calibration, in a line.
fn before_words(before: &Before) -> String {
    let named = [
        ("log-loss", before.scores.log_loss),
        ("Brier", before.scores.brier),
        ("ECE", before.ece),
        ("AUC", before.scores.auc),
        ("accuracy", before.scores.accuracy),
    ];
    let words = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", digits(value?))));
    words.collect::<Vec<_>>().join(", ")
}

/// Four decimals for numbers of the size of a score, six digits for others.
pub fn digits(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.4}") } else { significant(value, 6) }
}

/// A number of rows, or a sum of their weights.
pub fn amount(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { count(value as u64) } else { significant(value, 6) }
}

/// A name of at most so many letters.
pub fn cut(name: &str, most: usize) -> String {
    match name.char_indices().nth(most) {
        Some(_) => name.chars().take(most.saturating_sub(3)).chain("...".chars()).collect(),
        None => name.to_string(),
    }
}
