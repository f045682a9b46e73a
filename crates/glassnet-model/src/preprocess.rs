//! From a table's columns to the network's inputs: fitted once on training rows, kept in the model file.
//!
//! | column | inputs |
//! |---|---|
//! | number | `(x - mean) / deviation`; a missing value is the mean, 0. Where training rows lacked values, one more input says 1 for missing, else 0 |
//! | boolean | as a number, false 0 and true 1, standardised too |
//! | number or boolean with one value only, and missing ones | whether it is missing, 1 or 0 |
//! | category | one-hot: 1 at its level, else 0; the last input is *unknown*: missing, never seen, or too rare for an input of its own |
//!
//! Statistics are worked in f64 in the order of the rows. A row becomes the same bytes whether it comes from a table
//! ([`Preprocess::encode_rows`]) or alone ([`Preprocess::encode_row`]): both go through one function for each value.

pub mod compact;
#[cfg(feature = "fit")]
mod fit;
mod matching;
mod row;

pub use compact::{Compact, Unseen};
pub use matching::Matching;

use crate::levels::Levels;
use crate::standardise::Scale;
use crate::value::{Fault, Value, boolean_of};
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// Fitted preprocessing: one encoder for each column that the network sees.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Preprocess {
    columns: Vec<Encoder>,
    /// Columns that the schema has, but that had nothing to tell in the rows of the fit; with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<(String, String)>,
}

/// How one column becomes inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// The column's name.
    pub name: String,
    /// How.
    pub encoding: Encoding,
}

/// The ways in which a column becomes inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Encoding {
    /// A number, and perhaps its being missing.
    Number(Scale),
    /// A word that counts as 0 or 1, then as a number.
    Boolean {
        /// The word for 0.
        false_word: String,
        /// The word for 1.
        true_word: String,
        /// How 0 and 1 are scaled.
        scale: Scale,
    },
    /// Whether the value is missing.
    Presence,
    /// One-hot with an unknown input at the end.
    Category {
        /// The levels with an input of their own.
        levels: Levels,
    },
}

/// One value on its way to the inputs: a number (`NaN` is missing) or the place of the 1.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell<T> {
    Number(T),
    Code(u32),
}

impl Encoding {
    /// Number of inputs.
    pub fn width(&self) -> usize {
        match self {
            Encoding::Number(scale) | Encoding::Boolean { scale, .. } => 1 + usize::from(scale.indicator),
            Encoding::Presence => 1,
            Encoding::Category { levels } => levels.len() + 1,
        }
    }

    /// What the column holds, for messages.
    pub(crate) fn wanted(&self) -> String {
        match self {
            Encoding::Number(_) => "a number".to_owned(),
            Encoding::Boolean { false_word, true_word, .. } => format!("{false_word} or {true_word}"),
            Encoding::Presence => "a value".to_owned(),
            Encoding::Category { .. } => "a name".to_owned(),
        }
    }

    /// The one way from a value to a cell.
    #[inline]
    fn cell<T: Real>(&self, value: Value<'_>) -> Result<Cell<T>, Fault> {
        let value = match value {
            Value::Number(number) if number.is_nan() => Value::Missing,
            value => value,
        };
        // T has no NaN of its own to name; every NaN is a NaN.
        let missing = Cell::Number(T::from_f64(f64::NAN));
        Ok(match (self, value) {
            (Encoding::Category { levels }, value) => {
                let level = match value {
                    Value::Number(number) => levels.find_number(number),
                    Value::Text(text) => levels.find_text(text),
                    Value::Missing => None,
                };
                Cell::Code(level.unwrap_or(levels.len()) as u32)
            }
            (_, Value::Missing) => missing,
            (Encoding::Presence, _) => Cell::Number(T::ZERO),
            (Encoding::Number(scale), Value::Number(number)) => Cell::Number(scale.apply(number)?),
            (Encoding::Number(_), Value::Text(_)) => return Err(Fault::NotANumber),
            (Encoding::Boolean { scale, .. }, Value::Number(number)) => match number {
                0.0 | 1.0 => Cell::Number(scale.apply(number)?),
                _ => return Err(Fault::NotABoolean),
            },
            (Encoding::Boolean { false_word, true_word, scale }, Value::Text(text)) => {
                let truth = boolean_of(text, false_word, true_word).ok_or(Fault::NotABoolean)?;
                Cell::Number(scale.apply(f64::from(u8::from(truth)))?)
            }
        })
    }

    /// The one way from a cell to inputs: fills `out`, which has [`Encoding::width`] places.
    #[inline]
    fn write<T: Real>(&self, cell: Cell<T>, out: &mut [T]) {
        match (self, cell) {
            (Encoding::Number(scale) | Encoding::Boolean { scale, .. }, Cell::Number(number)) => {
                let missing = number.is_nan();
                if let [first, rest @ ..] = out {
                    *first = if missing { scale.missing() } else { number };
                    rest.fill(if missing { T::ONE } else { T::ZERO });
                }
            }
            (Encoding::Presence, Cell::Number(number)) => out.fill(if number.is_nan() { T::ONE } else { T::ZERO }),
            (_, cell) => {
                out.fill(T::ZERO);
                if let Cell::Code(code) = cell
                    && let Some(place) = out.get_mut(code as usize)
                {
                    *place = T::ONE;
                }
            }
        }
    }
}

impl Preprocess {
    /// The encoders, in the schema's order: a row given to [`Preprocess::encode_row`] has one value for each.
    pub fn columns(&self) -> &[Encoder] {
        &self.columns
    }

    /// Columns that the schema has and that had nothing to tell in the rows of the fit, with the reason.
    pub fn left_out(&self) -> &[(String, String)] {
        &self.left_out
    }

    /// Number of inputs of the network.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.encoding.width()).sum()
    }

    /// The names of the inputs: `temp`, `temp missing`, `carrier=UA`, `carrier unknown`.
    pub fn input_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.width());
        for Encoder { name, encoding } in &self.columns {
            match encoding {
                Encoding::Number(scale) | Encoding::Boolean { scale, .. } => {
                    names.push(name.clone());
                    if scale.indicator {
                        names.push(format!("{name} missing"));
                    }
                }
                Encoding::Presence => names.push(format!("{name} missing")),
                Encoding::Category { levels } => {
                    names.extend(levels.names().iter().map(|level| format!("{name}={level}")));
                    names.push(format!("{name} unknown"));
                }
            }
        }
        names
    }

    /// For each input, the column (place in [`Preprocess::columns`]) that it comes from.
    pub fn input_columns(&self) -> Vec<usize> {
        let widths = self.columns.iter().map(|column| column.encoding.width()).enumerate();
        widths.flat_map(|(column, width)| std::iter::repeat_n(column, width)).collect()
    }
}
