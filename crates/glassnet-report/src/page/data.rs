//! What a report is made of. Every part may be absent: then the page does not have its section.
//!
//! Text in here is plain text as it came from the user's files; the page escapes all of it.

use glassnet_nn::doctor::Finding;
use glassnet_nn::history::History;
use serde::{Deserialize, Serialize};

use super::results::{Classification, Explained, Importances, Regression};

/// All that a report can show.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ReportData {
    /// The page's name: `late15 in flights.csv.gz`.
    pub title: String,
    /// What wrote it: `glassnet 0.1.0`.
    pub made_by: Option<String>,
    /// What a reader in a hurry needs.
    pub head: Option<Head>,
    /// Scores by part of the data, and by group; a table each.
    pub scores: Vec<ScoreTable>,
    /// How good a classifier is, in pictures.
    pub classification: Option<Classification>,
    /// How good a regression is, in pictures.
    pub regression: Option<Regression>,
    /// Which columns matter.
    pub importances: Option<Importances>,
    /// A few rows with the reasons of their predictions: best, worst, most uncertain.
    pub explained: Vec<Explained>,
    /// What the data is.
    pub data: Option<Data>,
    /// How training went.
    pub training: Option<Training>,
    /// What the network is.
    pub network: Option<Network>,
    /// What was forecast and what was measured.
    pub costs: Vec<Cost>,
    /// What the doctor found; some with nothing in it says that nothing was found.
    pub findings: Option<Vec<Finding>>,
    /// How to repeat the run.
    pub repeat: Option<Repeat>,
}

/// The key figures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Head {
    /// What was predicted, in a sentence: `Whether a flight is late (late15: yes or no).`
    pub predicted: String,
    /// On which rows the figures were measured: `3,276 rows that were held out at random ...`.
    pub rows: String,
    /// The figures, the most important first.
    pub figures: Vec<KeyFigure>,
    /// What the output may be taken for.
    pub output: Option<OutputKind>,
    /// What to be careful of, a sentence each.
    pub cautions: Vec<String>,
}

/// One key figure beside that of a constant guess.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyFigure {
    /// `AUC`, `log-loss`, `RMSE (dollars)`.
    pub name: String,
    /// Its value.
    pub value: Option<f64>,
    /// The same for a guess that knows only the training rows' base rate or mean.
    pub guess: Option<f64>,
    /// Whether more is better; none where there is no better and worse.
    pub more_is_better: Option<bool>,
    /// The value is a share and shown in percent.
    pub percent: bool,
    /// What it means, in a few words.
    pub meaning: String,
}

/// What the output may be taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutputKind {
    /// Seen to hold as a probability.
    Probability {
        /// How that was seen: `ECE 0.006 on 3,276 rows used neither to fit nor to calibrate`.
        why: String,
    },
    /// It orders rows, and is no probability.
    Score {
        /// Why not: `the base rate moved from 0.20 to 0.31`.
        why: String,
    },
    /// A number in the target's own unit.
    Value {
        /// What is known of its error: `90 % intervals held for 89.6 % of the rows`.
        why: String,
    },
}

/// A table of scores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreTable {
    /// What it holds: `Scores by part`, `Scores by carrier`.
    pub caption: String,
    /// Names of the columns: `log-loss`, `AUC`.
    pub metrics: Vec<String>,
    /// The lines.
    pub lines: Vec<ScoreLine>,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScoreLine {
    /// `train`, `test`, `constant guess`, a group.
    pub name: String,
    /// Number of rows, where it is worth saying.
    pub rows: Option<u64>,
    /// A value for each metric; none where it is undefined.
    pub values: Vec<Option<f64>>,
    /// It is the constant guess of the line above.
    pub is_guess: bool,
}

/// What the data is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Data {
    /// The file's name.
    pub source: String,
    /// Number of rows in it.
    pub rows: u64,
    /// The target column.
    pub target: String,
    /// How the rows were split, in a sentence.
    pub split: String,
    /// The parts with their rows: `train`, `valid`, `calibrate`, `test`.
    pub parts: Vec<Part>,
    /// Rows of each class.
    pub classes: Vec<(String, u64)>,
    /// The columns that the network sees.
    pub columns: Vec<Column>,
    /// Rows among which missing values were counted, where those are not all.
    pub missing_of: Option<u64>,
    /// The columns that it does not see, each with the reason.
    pub left_out: Vec<LeftOut>,
    /// Columns that give the target away, each with what was measured.
    pub leaks: Vec<LeftOut>,
    /// What differs between the parts, a sentence each: base rate, columns.
    pub moved: Vec<String>,
    /// Further sentences: rows without a target, duplicates.
    pub notes: Vec<String>,
}

/// A part of the rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Part {
    /// `train`, `valid`, `test`.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// What it is for, or which rows: `to choose the epoch`, `March to May`.
    pub note: String,
}

/// A column that the network sees.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `number`, `category`, `date`.
    pub kind: String,
    /// Rows without a value.
    pub missing: u64,
    /// `16 levels`, `from 0 to 4,983`.
    pub note: String,
}

/// A column that is not used, or should not be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LeftOut {
    /// Its name, or `arr_time - sched_arr_time`.
    pub name: String,
    /// Why, or what was measured.
    pub why: String,
}

/// How training went.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    /// What the loss is: `log-loss`, `mean squared error of the standardised target`.
    pub loss: String,
    /// A line for each member.
    pub members: Vec<Member>,
    /// Why it ended and which epoch was kept, in a sentence.
    pub ended: String,
    /// Loss of a guess that knows only the base rate or the mean.
    pub guess: Option<f64>,
}

/// One member's curves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// `member 1`.
    pub name: String,
    /// Its epochs in order.
    pub epochs: Vec<EpochLine>,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u64>,
}

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EpochLine {
    /// Its number, from 1.
    pub epoch: u64,
    /// Training loss.
    pub train: Option<f64>,
    /// Validation loss.
    pub valid: Option<f64>,
    /// Learning rate of its last step.
    pub learning_rate: Option<f64>,
}

impl Member {
    /// What a training left behind.
    pub fn of_history(name: impl Into<String>, history: &History) -> Self {
        let finite = |value: f64| value.is_finite().then_some(value);
        let epochs = history.epochs.iter().map(|epoch| EpochLine {
            epoch: epoch.epoch,
            train: finite(epoch.train_loss),
            valid: epoch.valid_loss.and_then(finite),
            learning_rate: finite(epoch.learning_rate),
        });
        Member { name: name.into(), epochs: epochs.collect(), best_epoch: history.best_epoch }
    }

    /// One curve: (epoch, value) where the epoch has the value and it is finite.
    pub fn curve(&self, value: impl Fn(&EpochLine) -> Option<f64>) -> Vec<[f64; 2]> {
        let point =
            |epoch: &EpochLine| value(epoch).filter(|value| value.is_finite()).map(|value| [epoch.epoch as f64, value]);
        self.epochs.iter().filter_map(point).collect()
    }

    /// The epoch that was kept.
    pub fn best(&self) -> Option<&EpochLine> {
        self.epochs.iter().find(|epoch| Some(epoch.epoch) == self.best_epoch)
    }
}

/// What the network is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its text form.
    pub text: String,
    /// How many of them are averaged.
    pub members: u64,
    /// Parameters of one.
    pub parameters: u64,
    /// Its layers in order.
    pub layers: Vec<LayerLine>,
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerLine {
    /// `0`, `3.1`.
    pub name: String,
    /// `linear 256`.
    pub kind: String,
    /// What it gives for one row: `256`, `8 x 12 x 12`.
    pub shape: String,
    /// Its parameters.
    pub parameters: u64,
}

/// Something that was forecast and then measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// `training time`, `memory of training`.
    pub name: String,
    /// Before it began.
    pub forecast: Option<f64>,
    /// Afterwards.
    pub measured: Option<f64>,
    /// What the numbers are.
    pub unit: Unit,
}

/// What a cost's numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Just a number.
    #[default]
    Number,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

/// How to repeat the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Repeat {
    /// The command line.
    pub command: String,
    /// Every setting, by name.
    pub settings: Vec<(String, String)>,
    /// Hashes of data and weights, versions.
    pub provenance: Vec<(String, String)>,
}
