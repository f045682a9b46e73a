//! The column that is predicted: its classes, or the mean and deviation of its numbers.

#[cfg(feature = "fit")]
mod infer;

#[cfg(feature = "fit")]
pub use infer::{MAX_NUMBER_CLASSES, TaskChoice};

use crate::error::{BadValue, ModelError};
use crate::levels::{Levels, number_text, plain_number};
use crate::table::{Table, Values};
use glassnet_nn::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The class of a row whose target is blank.
pub const BLANK: u32 = u32::MAX;

/// The target as a model keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetSchema {
    /// The header's name.
    pub name: String,
    /// What is predicted.
    pub task: Task,
    /// Why it is this task, in words.
    pub reason: String,
    /// The smallest and the largest target of the training rows, where predictions are to stay within them (style
    /// `tabular`, regression).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
}

/// What is predicted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Task {
    /// One of some classes: ascending where they are numbers, else by name. Class `i` is output `i`.
    Classify {
        /// Their names.
        classes: Levels,
    },
    /// A number; the network learns `(y - mean) / deviation`.
    Regress {
        /// Mean of the training rows.
        mean: f64,
        /// Population deviation of the training rows.
        deviation: f64,
    },
}

/// The targets of a table's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// One for every row of the table.
    pub labels: Labels,
    /// The rows that have a target, ascending, from 0.
    pub rows: Vec<usize>,
    /// Number of rows without one: they are set aside.
    pub blank: usize,
}

/// Targets by row of the table.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// The class of each row; [`BLANK`] where there is none.
    Classes(Vec<u32>),
    /// The number of each row as it stands in the file; `NaN` where there is none.
    Numbers(Vec<f64>),
}

impl TargetSchema {
    /// The classes, where it is a classification.
    pub fn classes(&self) -> Option<&[String]> {
        match &self.task {
            Task::Classify { classes } => Some(classes.names()),
            Task::Regress { .. } => None,
        }
    }

    /// `(y - mean) / deviation`; `y` itself for a classification.
    pub fn standardise(&self, y: f64) -> f64 {
        match self.task {
            Task::Classify { .. } => y,
            Task::Regress { mean, deviation } => (y - mean) / deviation,
        }
    }

    /// The number that a network's output stands for: `output * deviation + mean`; `output` itself for a classification.
    pub fn restore(&self, output: f64) -> f64 {
        match self.task {
            Task::Classify { .. } => output,
            Task::Regress { mean, deviation } => output * deviation + mean,
        }
    }

    /// The targets of a table; rows with a blank target are set aside and counted.
    ///
    /// # Errors
    /// The column is missing; a class that training did not know, or a number that is none, with row and line; no row has
    /// a target.
    pub fn read(&self, table: &Table) -> Result<Targets, ModelError> {
        let column = table.column(&self.name).ok_or_else(|| ModelError::NoColumn {
            source_name: table.source.clone(),
            column: self.name.clone(),
            role: "target",
            nearest: nearest(&self.name, table.columns.iter().map(|column| column.name.as_str())).map(str::to_owned),
        })?;
        let labels = match &self.task {
            Task::Classify { classes } => Labels::Classes(self.read_classes(table, &column.values, classes)?),
            Task::Regress { .. } => Labels::Numbers(self.read_numbers(table, &column.values)?),
        };
        let rows: Vec<usize> = (0..table.rows).filter(|&row| !column.values.is_missing(row)).collect();
        if rows.is_empty() {
            let because = match table.rows {
                0 => String::new(),
                n => format!(": the target {:?} is blank in all {n}", self.name),
            };
            let hint = "give rows with a target, or name another target";
            return Err(ModelError::NoRows { source_name: table.source.clone(), because, hint });
        }
        let blank = table.rows - rows.len();
        Ok(Targets { labels, rows, blank })
    }

    fn read_classes(&self, table: &Table, values: &Values, classes: &Levels) -> Result<Vec<u32>, ModelError> {
        (0..table.rows)
            .map(|row| {
                let (found, text) = match values {
                    _ if values.is_missing(row) => return Ok(BLANK),
                    Values::Number(numbers) => (classes.find_number(numbers[row]), number_text(numbers[row])),
                    Values::Text(text) => {
                        let word = text.get(row).unwrap_or("");
                        (classes.find_text(word), word.to_owned())
                    }
                };
                found.map(|class| class as u32).ok_or_else(|| {
                    let hint = match nearest(&text, classes.names().iter().map(String::as_str)) {
                        Some(name) => format!("did you mean {name:?}? Correct it or leave the row out"),
                        None => "correct it or leave the row out".to_owned(),
                    };
                    let shown: Vec<&str> = classes.names().iter().take(8).map(String::as_str).collect();
                    let more = if classes.len() > 8 { ", ..." } else { "" };
                    let wanted = format!("one of the classes of training ({}{more})", shown.join(", "));
                    self.bad(table, row, text, wanted, hint)
                })
            })
            .collect()
    }

    fn read_numbers(&self, table: &Table, values: &Values) -> Result<Vec<f64>, ModelError> {
        (0..table.rows)
            .map(|row| {
                let (number, text) = match values {
                    _ if values.is_missing(row) => return Ok(f64::NAN),
                    Values::Number(numbers) => (Some(numbers[row]), number_text(numbers[row])),
                    Values::Text(text) => {
                        let word = text.get(row).unwrap_or("");
                        (plain_number(word), word.to_owned())
                    }
                };
                number.filter(|number| number.is_finite()).ok_or_else(|| {
                    let hint = "correct it, leave it blank, or choose the task classify for names".to_owned();
                    self.bad(
                        table,
                        row,
                        text,
                        "a finite number, which the target of a regression must be".to_owned(),
                        hint,
                    )
                })
            })
            .collect()
    }

    fn bad(&self, table: &Table, row: usize, value: String, wanted: String, hint: String) -> ModelError {
        let (source_name, place) = (table.source.clone(), table.place(row));
        ModelError::from(BadValue { source_name, place, column: self.name.clone(), value, wanted, hint })
    }
}

impl fmt::Display for TargetSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.task {
            Task::Classify { classes } => {
                let shown: Vec<&str> = classes.names().iter().take(10).map(String::as_str).collect();
                let more = if classes.len() > 10 { ", ..." } else { "" };
                write!(f, "{}: {} classes ({}{more})", self.name, classes.len(), shown.join(", "))?;
            }
            Task::Regress { mean, deviation } => write!(f, "{}: a number, {mean:.4} +- {deviation:.4}", self.name)?,
        }
        write!(f, ", {}", self.reason)
    }
}
