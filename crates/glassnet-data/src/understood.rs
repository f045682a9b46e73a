//! What a reader understood of a source, in plain words and as data.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::dialect::Dialect;
use crate::error::listed;

/// What a column holds, or shall be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Numbers.
    Number,
    /// Text.
    Text,
    /// Nothing: the column is not read.
    Ignore,
}

/// One column as understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether that was asked for and not inferred.
    pub asked: bool,
    /// Number of missing values.
    pub missing: u64,
    /// The words that stood for them, with how often each.
    pub missing_words: BTreeMap<String, u64>,
}

/// Something that is probably not meant so; the caller may treat it as an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// A column of text, nearly all of whose values are numbers.
    MostlyNumbers {
        /// The column.
        column: String,
        /// The first row whose value is no number, from 1.
        row: u64,
        /// Its line.
        line: u64,
        /// That value, shortened.
        value: String,
        /// How many values are no numbers.
        others: u64,
        /// How many are.
        numbers: u64,
    },
    /// A column of text whose values are numbers, some with thousands separators or another decimal mark.
    OtherNotation {
        /// The column.
        column: String,
        /// The first row with such a value, from 1.
        row: u64,
        /// Its line.
        line: u64,
        /// That value, shortened.
        value: String,
        /// How many values are such.
        others: u64,
        /// How many are plain numbers.
        numbers: u64,
    },
    /// A column without a single value.
    NoValues {
        /// The column.
        column: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::MostlyNumbers { column, row, line, value, others, numbers } => write!(
                f,
                "column '{column}' is read as text: {numbers} of its values are numbers, {others} {} not, the first '{value}' in \
                 row {row} (line {line}). Correct it, name it as a missing-value word, or ask for the column as text",
                if *others == 1 { "is" } else { "are" }
            ),
            Warning::OtherNotation { column, row, line, value, others, .. } => write!(
                f,
                "column '{column}' is read as text: {others} of its values look like numbers with thousands separators or \
                 another decimal mark, the first '{value}' in row {row} (line {line}). Write them plainly, as 1234.5"
            ),
            Warning::NoValues { column } => write!(f, "column '{column}' has no values at all"),
        }
    }
}

/// What a reader understood of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Understood {
    /// The source's name.
    pub source: String,
    /// `CSV`, `npy` or `npz`.
    pub format: &'static str,
    /// Whether it was compressed with gzip.
    pub gzip: bool,
    /// How the table is written; none for npy and npz.
    pub dialect: Option<Dialect>,
    /// Number of rows (read so far, where it is a stream).
    pub rows: u64,
    /// The columns that are read.
    pub columns: Vec<ColumnReport>,
    /// The columns that are not.
    pub ignored: Vec<String>,
    /// What is probably not meant so.
    pub warnings: Vec<Warning>,
    /// Number of bytes, uncompressed.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal: the data's name in a model's provenance.
    pub hash: String,
}

impl fmt::Display for Understood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.source, self.format, if self.gzip { " (gzip)" } else { "" })?;
        write!(f, ", {} rows, {} columns", self.rows, self.columns.len())?;
        if let Some(dialect) = &self.dialect {
            write!(f, "\n  {dialect}")?;
        }
        for (kind, word) in [(Kind::Number, "numbers"), (Kind::Text, "text")] {
            let names: Vec<&str> = self.columns.iter().filter(|c| c.kind == kind).map(|c| c.name.as_str()).collect();
            if !names.is_empty() {
                write!(f, "\n  {word} ({}): {}", names.len(), listed(names))?;
            }
        }
        if !self.ignored.is_empty() {
            write!(f, "\n  not read ({}): {}", self.ignored.len(), listed(self.ignored.iter().map(String::as_str)))?;
        }
        let missing: Vec<String> = self
            .columns
            .iter()
            .filter(|column| column.missing > 0)
            .map(|column| {
                let words: Vec<String> = column
                    .missing_words
                    .keys()
                    .map(|word| if word.is_empty() { "blank".to_string() } else { format!("'{word}'") })
                    .collect();
                if words.is_empty() {
                    format!("{} {}", column.name, column.missing)
                } else {
                    format!("{} {} ({})", column.name, column.missing, words.join(", "))
                }
            })
            .collect();
        if !missing.is_empty() {
            write!(f, "\n  missing values: {}", listed_long(&missing))?;
        }
        for warning in &self.warnings {
            write!(f, "\n  warning: {warning}")?;
        }
        Ok(())
    }
}

fn listed_long(parts: &[String]) -> String {
    let mut text = parts[..parts.len().min(12)].join(", ");
    if parts.len() > 12 {
        text.push_str(&format!(" and {} more", parts.len() - 12));
    }
    text
}
