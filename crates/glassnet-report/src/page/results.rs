//! The parts of a report that say how good the model is, and why it says what it says.

use serde::{Deserialize, Serialize};

use crate::plot::reliability::Bin;

/// A classifier on rows that were held out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Classification {
    /// Which rows all of this was measured on, in a sentence.
    pub rows: String,
    /// The classes, in the model's order.
    pub classes: Vec<String>,
    /// `confusion[true class][predicted class]`; empty if there is none.
    pub confusion: Vec<Vec<f64>>,
    /// ROC: (false positive rate, true positive rate) from (0, 0) to (1, 1).
    pub roc: Vec<Curve>,
    /// Precision and recall: (recall, precision).
    pub precision_recall: Vec<Curve>,
    /// Predicted against observed.
    pub reliability: Option<ReliabilityData>,
    /// Scores by class.
    pub distribution: Option<Distribution>,
    /// What each threshold brings.
    pub thresholds: Option<Thresholds>,
}

/// One curve of a class.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Curve {
    /// The class that counts as positive.
    pub name: String,
    /// Its points in order.
    pub points: Vec<[f64; 2]>,
    /// Area under it (ROC), or average precision.
    pub area: Option<f64>,
    /// Share of the rows that are of the class.
    pub base_rate: Option<f64>,
}

/// Predicted against observed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReliabilityData {
    /// What the probability is of: `late15 = yes`, or `being right`.
    pub of: String,
    /// Bins of the scores before calibration; empty if there was none.
    pub before: Vec<Bin>,
    /// Bins of what the model prints.
    pub after: Vec<Bin>,
    /// Expected calibration error before.
    pub ece_before: Option<f64>,
    /// Expected calibration error of what the model prints.
    pub ece_after: Option<f64>,
    /// How it was calibrated: `temperature 1.31, on 2,600 rows`.
    pub method: String,
}

/// How the scores of each class are distributed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// What is on the axis: `score of late15 = yes`.
    pub of: String,
    /// Ends of the bins, one more than there are bins.
    pub edges: Vec<f64>,
    /// (class, rows in each bin).
    pub series: Vec<(String, Vec<f64>)>,
}

/// What each threshold brings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// The class that a row is flagged as from the threshold on.
    pub positive: String,
    /// How the costs were given: `a false alarm costs 1, a miss costs 5`; or the capacity.
    pub basis: String,
    /// The lines, by threshold.
    pub lines: Vec<ThresholdLine>,
}

/// One threshold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ThresholdLine {
    /// Rows with at least this score are flagged.
    pub threshold: f64,
    /// Share of the rows that is flagged.
    pub flagged: f64,
    /// Of the flagged rows, the share that is of the class.
    pub precision: Option<f64>,
    /// Of the rows of the class, the share that is flagged.
    pub recall: Option<f64>,
    /// Flagged, but not of the class.
    pub false_alarms: f64,
    /// Of the class, but not flagged.
    pub misses: f64,
    /// Mean cost of a row, where costs were given.
    pub cost: Option<f64>,
    /// Why it is listed: `least cost`, `flags 10 %`, `default`.
    pub note: String,
    /// It is the one that the model uses.
    pub chosen: bool,
}

/// A regression on rows that were held out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Regression {
    /// Which rows all of this was measured on, in a sentence.
    pub rows: String,
    /// The target with its unit: `price (dollars)`.
    pub target: String,
    /// (predicted, actual) of each row.
    pub pairs: Vec<[f64; 2]>,
    /// How many rows the intervals held.
    pub coverage: Vec<Coverage>,
}

/// Intervals of one level.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// What was promised: 0.9.
    pub level: f64,
    /// Share of the rows whose actual value was inside.
    pub held: f64,
    /// Mean width, in the target's unit.
    pub width: f64,
    /// Which rows: `all`, or a group.
    pub group: String,
    /// Number of rows.
    pub rows: u64,
}

/// Which columns matter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Importances {
    /// What was measured, in a sentence: `How much the log-loss rises when a column's values are shuffled ...`.
    pub method: String,
    /// The axis: `rise of log-loss`.
    pub label: String,
    /// The columns, the most important first.
    pub columns: Vec<Importance>,
}

/// One column's importance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Importance {
    /// The column.
    pub name: String,
    /// How important.
    pub value: f64,
    /// Standard deviation over repetitions.
    pub spread: Option<f64>,
}

/// One row with the reasons of its prediction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Explained {
    /// Why it is shown: `the most certain that was right`, `the worst`, `the most uncertain`.
    pub why: String,
    /// Which row, as in the file: counted from 1.
    pub row: u64,
    /// What was predicted, in words: `late15 = yes, 0.94`.
    pub predicted: String,
    /// What was true, in words.
    pub actual: String,
    /// What is added up: `log-odds of late15 = yes`, `price (dollars)`.
    pub scale: String,
    /// The output for an average row.
    pub base: f64,
    /// The columns with what each adds, the largest first.
    pub contributions: Vec<Contribution>,
    /// What they add up to: the printed number.
    pub output: f64,
    /// output - (base + sum of contributions).
    pub residual: Option<f64>,
}

/// What one column adds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contribution {
    /// The column.
    pub name: String,
    /// The row's value, as in the file.
    pub value: String,
    /// How much it adds, on the scale of the output.
    pub amount: f64,
    /// The same as a change of probability, in shares: 0.041 is 4.1 percentage points.
    pub points: Option<f64>,
}
