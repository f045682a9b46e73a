//! What a table's columns are: kinds, levels, what is left out and why, the target and the row weights.
//!
//! A schema is inferred once, from training rows (feature `fit`), shown to the person (its `Display` is the table of
//! "what it understood"), and kept in the model file. It holds no value of the table but the levels of categories.

#[cfg(feature = "fit")]
pub(crate) mod infer;

#[cfg(feature = "fit")]
mod calendar;
#[cfg(feature = "fit")]
mod peaks;
#[cfg(feature = "fit")]
mod rules;

#[cfg(feature = "fit")]
pub use infer::{InferOptions, Override};

use crate::dates::{DateFormat, DatePart};
use crate::levels::Levels;
use crate::preprocess::MOST_ONE_HOT;
use crate::style::Style;
use crate::target::TargetSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A column of text with more different values than this is no category: it is left out (see [`Kind::Category`]).
pub const MAX_LEVELS: usize = 1_000;

/// Most levels of a category that get an input of their own in the plain style: the most frequent ones.
pub const MAX_SLOTS: usize = 128;

/// Most levels of a category that get a code of their own in the style `tabular`: the most frequent ones. Each costs the
/// network a row of its table.
pub const MAX_CODES: usize = 10_000;

/// Most values of a number that get a code besides: the most frequent ones. The model file keeps them of every such column.
pub const MAX_PEAKS: usize = 256;

/// The columns of a table as a model sees them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Schema {
    /// Every column but the target and the weights, in the training table's order; those left out too.
    pub columns: Vec<ColumnSchema>,
    /// The column that is predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetSchema>,
    /// The column of row weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_column: Option<String>,
    /// Number of training rows that the schema was inferred from.
    pub rows: usize,
    /// How columns become inputs.
    #[serde(default, skip_serializing_if = "Style::is_plain")]
    pub style: Style,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnSchema {
    /// The header's name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Why the network does not see it; `None` where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    /// Number of training rows without a value.
    pub missing: usize,
    /// Whether all training rows with a value have the same one: then only its being missing is an input.
    #[serde(default)]
    pub constant: bool,
    /// Of numbers most of which are the same: the values that get a code besides (style `tabular`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peaks: Option<Levels>,
    /// What was decided about it besides, in words; empty where nothing was.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// A value of the training rows, to show; it is not kept in the model file.
    #[serde(skip)]
    pub example: String,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Kind {
    /// Numbers; a column with only 0 and 1 is one too (it comes to the same inputs as a boolean).
    Number,
    /// Two words.
    Boolean {
        /// The word for false, 0.
        false_word: String,
        /// The word for true, 1.
        true_word: String,
    },
    /// One of some names. The levels are those with an input (or a code) of their own. Plain style: all of them up to
    /// [`MAX_SLOTS`], else the most frequent ones (ties by name); other levels share the unknown input with missing values
    /// and with levels never seen. Style `tabular`: all of up to [`MOST_ONE_HOT`] levels; of more, those that a thousandth of
    /// the rows has (2 rows at least, 10 are enough), [`MAX_CODES`] at most; the others share id 0.
    Category {
        /// The levels with an input of their own.
        levels: Levels,
        /// How many different values the training rows had.
        distinct: usize,
    },
    /// Dates or times of day.
    Date {
        /// How they are written.
        format: DateFormat,
        /// The parts that vary in the training rows: each is an input.
        parts: Vec<DatePart>,
    },
}

impl Kind {
    /// `number`, `boolean`, `category` or `date`.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Number => "number",
            Kind::Boolean { .. } => "boolean",
            Kind::Category { .. } => "category",
            Kind::Date { .. } => "date",
        }
    }
}

impl ColumnSchema {
    /// Number of inputs that the network gets from this column, in the plain style.
    pub fn inputs(&self) -> usize {
        self.inputs_in(Style::Plain)
    }

    /// Number of inputs that the network gets from this column.
    pub fn inputs_in(&self, style: Style) -> usize {
        let indicator = usize::from(self.missing > 0);
        match (&self.kind, style) {
            _ if self.left_out.is_some() => 0,
            (Kind::Category { levels, .. }, Style::Plain) => levels.len() + 1,
            (Kind::Category { levels, .. }, Style::Tabular | Style::Quantile) => match levels.len() {
                3..=MOST_ONE_HOT => levels.len(),
                _ => 1,
            },
            _ if self.constant => 1,
            (Kind::Date { parts, .. }, _) => parts.len() + indicator,
            (Kind::Boolean { .. }, Style::Tabular | Style::Quantile) => 1,
            (Kind::Number | Kind::Boolean { .. }, _) => 1 + indicator + usize::from(self.peaks.is_some()),
        }
    }

    /// Words, levels or an example, cut to what fits a line.
    fn values(&self) -> String {
        match &self.kind {
            Kind::Number | Kind::Date { .. } => self.example.clone(),
            Kind::Boolean { false_word, true_word } => format!("{false_word} / {true_word}"),
            Kind::Category { .. } if self.left_out.is_some() => self.example.clone(),
            Kind::Category { levels, distinct } => {
                let mut text = String::new();
                for (i, name) in levels.names().iter().enumerate() {
                    if i > 0 {
                        text.push_str(", ");
                    }
                    if i > 0 && (i == 6 || text.chars().count() + name.chars().count() > 34) {
                        text.push_str(&format!("... ({distinct})"));
                        break;
                    }
                    text.push_str(&shortened(name));
                }
                text
            }
        }
    }
}

impl Schema {
    /// The columns that the network sees.
    pub fn used(&self) -> impl Iterator<Item = &ColumnSchema> {
        self.columns.iter().filter(|column| column.left_out.is_none())
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of inputs that the network gets from all columns.
    pub fn inputs(&self) -> usize {
        self.columns.iter().map(|column| column.inputs_in(self.style)).sum()
    }

    /// Whether the schema knows a column of that name, be it left out, the target or the weights.
    pub fn knows(&self, name: &str) -> bool {
        self.column(name).is_some()
            || self.target.as_ref().is_some_and(|target| target.name == name)
            || self.weight_column.as_deref() == Some(name)
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["column", "kind", "missing in training", "first value, or levels", "inputs"].map(str::to_owned);
        let mut lines = vec![header];
        for column in &self.columns {
            let sees = match &column.left_out {
                Some(reason) => format!("left out: {reason}"),
                None if column.note.is_empty() => column.inputs_in(self.style).to_string(),
                None => format!("{} ({})", column.inputs_in(self.style), column.note),
            };
            let (name, kind) = (column.name.clone(), column.kind.word().to_owned());
            lines.push([name, kind, column.missing.to_string(), column.values(), sees]);
        }
        let mut widths = [0; 4];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let [a, b, c, d] = widths;
        for [name, kind, missing, values, sees] in &lines {
            writeln!(f, "{name:<a$}  {kind:<b$}  {missing:>c$}  {values:<d$}  {sees}")?;
        }
        let used = self.used().count();
        let (all, inputs) = (self.columns.len(), self.inputs());
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(f, "{} training row{}; {used} of {all} column{} used, ", self.rows, plural(self.rows), plural(all))?;
        writeln!(f, "{inputs} input{} of the network", plural(inputs))?;
        if let Some(target) = &self.target {
            writeln!(f, "target {target}")?;
        }
        if let Some(name) = &self.weight_column {
            writeln!(f, "row weights {name}")?;
        }
        Ok(())
    }
}

/// A text cut to 24 letters, to show.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some(_) => text.chars().take(21).chain("...".chars()).collect(),
        None => text.to_owned(),
    }
}
