//! How good the model is: key figures, tables, pictures.

use glassnet::model::evaluation::Evaluation;
use glassnet::model::file::Features;
use glassnet::nn::doctor::Finding;
use glassnet::nn::metrics::{ClassScores, Scores};
use glassnet::nn::source::Source;
use glassnet::nn::train::Stop;
use glassnet::report::page::{
    Classification, Coverage, Head, KeyFigure, OutputKind, Regression, ScoreLine, ScoreTable, Severity,
};

use super::Page;
use super::judged::{Judged, Which};
use crate::commands::train::{baseline, calibrate};
use crate::numbers::{number, thousands};

/// Levels of intervals whose coverage is counted.
const LEVELS: [f64; 4] = [0.5, 0.8, 0.9, 0.95];
/// Share of the rows that is flagged where nobody says how many can be looked at.
const REVIEWED: f64 = 0.1;

type Metric = (&'static str, fn(&Evaluation) -> Option<f64>, fn(&Scores) -> Option<f64>);

/// A line of the table of scores: its name, its rows, its values, whether it is a guess.
type Line = (String, Option<u64>, [Option<f64>; METRICS.len()], bool);

/// Columns of the table of scores.
const METRICS: [Metric; 8] = [
    ("log-loss", |part| part.scores.log_loss, |scores| scores.log_loss),
    ("AUC", |part| part.scores.auc, |scores| scores.auc),
    ("accuracy", |part| part.scores.accuracy, |scores| scores.accuracy),
    ("Brier", |part| part.scores.brier, |scores| scores.brier),
    ("ECE", |part| part.ece, |_| None),
    ("RMSE", |part| part.scores.rmse, |scores| scores.rmse),
    ("MAE", |part| part.scores.mae, |scores| scores.mae),
    ("R²", |part| part.scores.r2, |scores| scores.r2),
];

impl Page<'_> {
    /// What a reader in a hurry needs.
    pub(super) fn head(&self, judged: &Judged<'_>) -> Head {
        Head {
            predicted: self.predicted(),
            rows: judged.words(self),
            figures: key_figures(judged, self.model.classes().map(<[String]>::len)),
            output: Some(self.output(judged)),
            cautions: self.cautions(judged),
        }
    }

    /// What is predicted from what.
    fn predicted(&self) -> String {
        let target = self.model.target();
        let what = match self.model.classes() {
            None => format!("{target}, a number"),
            Some([a, b]) => format!("{target}: {a} or {b}"),
            Some(classes) => format!("{target}: one of {} classes", classes.len()),
        };
        match &self.data.prepared.features {
            Features::Images(images) => format!("{what}, from images of {} x {} pixels.", images.height, images.width),
            Features::Table(_) | Features::Text(_) => {
                let columns = self.model.columns().len();
                format!("{what}, from {columns} column{}.", if columns == 1 { "" } else { "s" })
            }
        }
    }

    fn output(&self, judged: &Judged<'_>) -> OutputKind {
        if self.model.classes().is_none() {
            let why = self.coverage(judged).into_iter().find(|line| line.level == 0.9).map(|line| match judged.which {
                Which::Test => format!("Intervals of 90 % held the actual value in {:.1} % of these rows.", 100.0 * line.held),
                _ => format!(
                    "Intervals of 90 % are {} wide; their width is from these very rows, so these rows cannot check them.",
                    number(line.width)
                ),
            });
            return OutputKind::Value { why: why.unwrap_or_default() };
        }
        let held = self.model.calibration().and_then(|calibration| calibration.held.as_ref());
        match held {
            None => OutputKind::Score { why: "Nothing has calibrated it.".into() },
            Some(held) if held.holds => OutputKind::Probability {
                why: format!(
                    "Its calibration held on {} ({} rows): ECE {:.4}, at most {:.4} would do.",
                    held.on,
                    thousands(held.rows as u64),
                    held.ece,
                    held.limit
                ),
            },
            Some(held) => OutputKind::Score {
                why: format!("Calibration did not hold on {}: {}.", held.on, held.reasons.join("; ")),
            },
        }
    }

    fn cautions(&self, judged: &Judged<'_>) -> Vec<String> {
        let mut found = Vec::new();
        match self.stop {
            Stop::Finished | Stop::Early { .. } => {}
            Stop::NonFinite(what) => found.push(format!("Training stopped at a value that is not finite: {what}.")),
            Stop::Asked => found.push("Training was interrupted: this is the model as far as it came.".into()),
        }
        found.extend(judged.caution(self));
        let prepared = &self.data.prepared;
        found.extend(prepared.leaks.iter().map(|leak| leak.words.clone()));
        let strong = prepared.moved.iter().filter(|(_, finding)| finding.strong);
        found.extend(strong.map(|(part, finding)| format!("{part} rows: {}", finding.words)));
        found.extend(baseline::warnings(self.parts, self.guesses));
        found.extend(self.data.notes.iter().filter(|note| note.starts_with("warning: ")).cloned());
        let graver: Vec<&Finding> = self.findings.iter().filter(|finding| finding.severity != Severity::Note).collect();
        match graver.as_slice() {
            [] => {}
            [one] => found.push(format!("The doctor: {}.", one.evidence.trim_end_matches('.'))),
            many => found.push(format!("The doctor warns of {} things in the training; see below.", many.len())),
        }
        found.iter().map(|words| capital(&self.plain(words))).collect()
    }

    /// A line for each part, a constant guess below it.
    pub(super) fn scores(&self, judged: &Judged<'_>) -> ScoreTable {
        let mut lines: Vec<Line> = Vec::new();
        let known = self
            .parts
            .iter()
            .zip(self.guesses)
            .filter_map(|((name, part), guess)| Some((*name, part.as_ref()?, guess)));
        let folds = (judged.which == Which::Folds).then_some(("out of fold", &judged.evaluation, &judged.guess));
        for (name, part, guess) in known.chain(folds) {
            let rows = Some(part.rows as u64);
            lines.push((name.into(), rows, METRICS.map(|(_, of, _)| of(part)), false));
            if let Some(before) = &part.before {
                let whole = Evaluation { scores: before.scores, ece: before.ece, ..part.clone() };
                lines.push((format!("{name}, before calibration"), None, METRICS.map(|(_, of, _)| of(&whole)), false));
            }
            if let Some(guess) = guess {
                lines.push((format!("{name}, constant guess"), None, METRICS.map(|(_, _, of)| of(guess)), true));
            }
        }
        let used: Vec<usize> =
            (0..METRICS.len()).filter(|&at| lines.iter().any(|(_, _, values, _)| values[at].is_some())).collect();
        let lines = lines.into_iter().map(|(name, rows, values, is_guess)| {
            let values = used.iter().map(|&at| values[at].filter(|value| value.is_finite())).collect();
            ScoreLine { name, rows, values, is_guess }
        });
        ScoreTable {
            caption: "Scores by part of the data".into(),
            lines: lines.collect(),
            metrics: used.iter().map(|&at| METRICS[at].0.to_string()).collect(),
        }
    }

    /// The pictures of a classifier.
    pub(super) fn classification(&self, judged: &Judged<'_>) -> Option<Classification> {
        let classes = self.model.classes()?;
        let scores = ClassScores::from_probabilities(&judged.scores, judged.outputs);
        let before = judged.before.as_ref().map(|before| ClassScores::from_probabilities(before, judged.outputs));
        let weights = judged.weights.as_deref();
        let sentence = format!("Measured on {}.", judged.words(self));
        let (target, labels) = (self.model.target(), judged.labels.as_slice());
        let mut found = Classification::measure(sentence, target, classes, (&scores, before.as_ref()), labels, weights)
            .with_thresholds(&scores, labels, weights, Some((1.0, 1.0)), Some(REVIEWED), Some(0.5));
        if let Some(thresholds) = &mut found.thresholds {
            thresholds.basis = "Nobody has said what a mistake costs, so a false alarm and a miss cost the same here, 1 each; one line \
                                says what can be had where a tenth of the rows can be looked at. glassnet evaluate takes --cost-fp, \
                                --cost-fn and --review-share."
                .into();
        }
        if let (Some(reliability), Some(calibration)) = (&mut found.reliability, self.model.calibration()) {
            let same = if judged.which == Which::Test { "" } else { ", which are among the rows shown here" };
            let (way, rows) = (calibrate::way(calibration), thousands(calibration.rows as u64));
            reliability.method = format!("{way}, on {rows} validation rows{same}");
        }
        Some(found)
    }

    /// The pictures of a regression.
    pub(super) fn regression(&self, judged: &Judged<'_>) -> Option<Regression> {
        if self.model.classes().is_some() {
            return None;
        }
        let pairs = judged.rows.iter().zip(&judged.scores).map(|(&row, &y)| [f64::from(y), actual(judged, row)]);
        Some(Regression {
            rows: format!("Measured on {}.", judged.words(self)),
            target: self.model.target().to_string(),
            pairs: pairs.filter(|pair| pair.iter().all(|value| value.is_finite())).collect(),
            coverage: self.coverage(judged),
        })
    }

    /// How often the model's intervals hold the actual value; every row counts once, as intervals promise it.
    fn coverage(&self, judged: &Judged<'_>) -> Vec<Coverage> {
        let Some(intervals) = &self.model.document().intervals else { return Vec::new() };
        let rows = judged.rows.len();
        let one = |level: f64| {
            let half = intervals.half_width(level)?;
            let inside = |(&row, &y): (&u32, &f32)| (actual(judged, row) - f64::from(y)).abs() <= half;
            let held = judged.rows.iter().zip(&judged.scores).filter(|&(row, y)| inside((row, y))).count();
            let held = held as f64 / rows.max(1) as f64;
            Some(Coverage { level, held, width: 2.0 * half, group: "all".into(), rows: rows as u64 })
        };
        LEVELS.into_iter().filter_map(one).collect()
    }
}

/// The true value, in the target's unit.
pub(super) fn actual(judged: &Judged<'_>, row: u32) -> f64 {
    judged.encoded.values.get(row as usize).map_or(f64::NAN, |&value| judged.encoded.restore(value))
}

fn key_figures(judged: &Judged<'_>, classes: Option<usize>) -> Vec<KeyFigure> {
    let (scores, guess) = (&judged.evaluation.scores, judged.guess.unwrap_or_default());
    let figure = |name: &str, value: Option<f64>, guess: Option<f64>, more: bool, percent: bool, meaning: &str| {
        KeyFigure { name: name.into(), value, guess, more_is_better: Some(more), percent, meaning: meaning.into() }
    };
    let mut figures = Vec::new();
    if let Some(classes) = classes {
        let order = match classes {
            2 => "share of pairs of rows that are in the right order",
            _ => "the same for each class against the others, averaged",
        };
        figures.push(figure(
            "log-loss",
            scores.log_loss,
            guess.log_loss,
            false,
            false,
            "how surprising the truth was, in nats",
        ));
        figures.push(figure("AUC", scores.auc, Some(0.5), true, false, order));
        figures.push(figure("accuracy", scores.accuracy, guess.accuracy, true, true, "share of the rows called right"));
    } else {
        figures.push(figure("RMSE", scores.rmse, guess.rmse, false, false, "root of the mean squared miss"));
        figures.push(figure("MAE", scores.mae, guess.mae, false, false, "mean size of a miss"));
        figures.push(figure("R²", scores.r2, None, true, false, "share of the spread that is explained"));
    }
    figures.retain(|figure| figure.value.is_some());
    figures
}

/// With a capital letter in front.
pub(super) fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
