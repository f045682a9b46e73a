//! From a table's columns to the network's inputs: fitted once on training rows, kept in the model file.
//!
//! | column | inputs |
//! |---|---|
//! | number | `(x - mean) / deviation`; a missing value is the mean, 0. Where training rows lacked values, one more input says 1 for missing, else 0 |
//! | boolean | as a number, false 0 and true 1, standardised too |
//! | number or boolean with one value only, and missing ones | whether it is missing, 1 or 0 |
//! | category | one-hot: 1 at its level, else 0; the last input is *unknown*: missing, never seen, or too rare for an input of its own |
//!
//! In the style `tabular` ([`Style::Tabular`]; x' = f(s (x - median)) is [`crate::rescale`]'s):
//!
//! | column | inputs |
//! |---|---|
//! | number | x'; a missing value is the mean. Where training rows lacked values, one more input: +1 given, -1 missing, scaled and clipped as numbers are |
//! | number whose quartiles are equal (`schema/peaks.rs`) | as a number; besides a code for each value that enough rows share, 0 for others and missing ones |
//! | date | its parts ([`crate::dates`]), each as a number; the same for missing ones |
//! | boolean, category of 2 levels | one input: first +1, second -1, missing or unseen 0; scaled and clipped |
//! | category of 3 to 8 levels | one input a level, 1 or 0, scaled and clipped; missing or unseen is 0 in all before that |
//! | category of more levels | one code: 0 for missing, unseen or rare, else 1, 2, ..., which the network looks up |
//! | one value only, and missing ones | one input: +1 given, -1 missing |
//!
//! In the style `quantile` ([`Style::Quantile`]) all is as in `tabular`, but for numbers and dates' parts: x' is the normal quantile of the
//! share of the training rows that is below x ([`crate::ranks`]).
//!
//! In both the network's inputs are all numbers, then all other scaled inputs, then all codes ([`Preprocess::layout`]), each in
//! the columns' order. In the plain style a column's inputs lie together.
//!
//! Statistics are worked in f64 in the order of the rows. A row becomes the same bytes whether it comes from a table
//! ([`Preprocess::encode_rows`]) or alone ([`Preprocess::encode_row`]): both go through one function for each value.

pub mod compact;
#[cfg(feature = "fit")]
mod fit;
mod layout;
mod matching;
mod row;
mod tabular;

pub use compact::{Compact, Unseen};
pub use layout::Layout;
pub(crate) use layout::{Starts, Widths};
pub use matching::Matching;
pub use tabular::{DateInput, MOST_ONE_HOT};

use crate::dates::{DateFormat, DatePart};
use crate::levels::Levels;
use crate::measure::Measure;
use crate::standardise::Scale;
use crate::style::Style;
use crate::value::{Fault, Value, boolean_of};
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// Fitted preprocessing: one encoder for each column that the network sees.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Preprocess {
    columns: Vec<Encoder>,
    /// The style, which orders the inputs.
    #[serde(default, skip_serializing_if = "Style::is_plain")]
    style: Style,
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
    /// A number, scaled and clipped, or by its place.
    Scaled {
        /// How.
        number: Measure,
        /// The second input where the value is given, and where it is missing; `None`: no training row lacked it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<[f64; 2]>,
        /// Values that have a code besides: the i-th from 0 has i + 1, others and missing ones 0; `None`: it has no code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        levels: Option<Levels>,
    },
    /// Only whether the value is given: the input where it is, and where it is missing.
    Given {
        /// Both.
        inputs: [f64; 2],
    },
    /// One of two words.
    Pair {
        /// The first word.
        false_word: String,
        /// The second word.
        true_word: String,
        /// The input of the first, of the second, of a missing one.
        inputs: [f64; 3],
    },
    /// One of two names at most.
    Sign {
        /// The names.
        levels: Levels,
        /// The input of each, then that of missing and unseen ones.
        inputs: Vec<f64>,
    },
    /// One of a few names: an input each.
    OneHot {
        /// The names.
        levels: Levels,
        /// For each what its input is at another name, and at this one.
        inputs: Vec<[f64; 2]>,
    },
    /// One of many names: a code.
    Code {
        /// The names with a code of their own: the i-th from 0 has i + 1.
        levels: Levels,
    },
    /// A date.
    Date {
        /// How it is written.
        format: DateFormat,
        /// The numbers that are made of it.
        parts: Vec<DateInput>,
        /// As for [`Encoding::Scaled`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        missing: Option<[f64; 2]>,
    },
}

/// One value on its way to the inputs: a number (`NaN` is missing), the place of the 1, or a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cell<T> {
    Number(T),
    Code(u32),
    /// A number, and the place of its level.
    Both(T, u32),
    Moment(i64),
}

/// The moment of a missing date; no date is that far away.
const NO_MOMENT: i64 = i64::MIN;

impl Encoding {
    /// Number of inputs.
    pub fn width(&self) -> usize {
        let Widths { numbers, others, codes } = self.widths();
        numbers + others + codes
    }

    /// Number of inputs of each sort.
    pub(crate) fn widths(&self) -> Widths {
        let (numbers, others, codes) = match self {
            Encoding::Number(scale) | Encoding::Boolean { scale, .. } => (0, 1 + usize::from(scale.indicator), 0),
            Encoding::Presence | Encoding::Given { .. } | Encoding::Pair { .. } | Encoding::Sign { .. } => (0, 1, 0),
            Encoding::Category { levels } => (0, levels.len() + 1, 0),
            Encoding::Scaled { missing, levels, .. } => {
                (1, usize::from(missing.is_some()), usize::from(levels.is_some()))
            }
            Encoding::OneHot { inputs, .. } => (0, inputs.len(), 0),
            Encoding::Code { .. } => (0, 0, 1),
            Encoding::Date { parts, missing, .. } => (parts.len(), usize::from(missing.is_some()), 0),
        };
        Widths { numbers, others, codes }
    }

    /// Whether it is a date of which the day itself is an input, not only its weekday or its time.
    pub(crate) fn has_calendar(&self) -> bool {
        let calendar = |part: &DateInput| matches!(part.part, DatePart::Day | DatePart::DayOfYear);
        matches!(self, Encoding::Date { parts, .. } if parts.iter().any(calendar))
    }

    /// The values that have a code besides their number.
    pub fn peaks(&self) -> Option<&Levels> {
        match self {
            Encoding::Scaled { levels, .. } => levels.as_ref(),
            _ => None,
        }
    }

    /// The names of a category, where it is one.
    pub(crate) fn levels(&self) -> Option<&Levels> {
        match self {
            Encoding::Category { levels }
            | Encoding::Sign { levels, .. }
            | Encoding::OneHot { levels, .. }
            | Encoding::Code { levels } => Some(levels),
            _ => None,
        }
    }

    /// Whether the column is read as numbers.
    pub fn is_number(&self) -> bool {
        matches!(self, Encoding::Number(_) | Encoding::Scaled { .. })
    }

    /// What the column holds, for messages.
    pub(crate) fn wanted(&self) -> String {
        match self {
            Encoding::Number(_) | Encoding::Scaled { .. } => "a number".to_owned(),
            Encoding::Boolean { false_word, true_word, .. } | Encoding::Pair { false_word, true_word, .. } => {
                format!("{false_word} or {true_word}")
            }
            Encoding::Presence | Encoding::Given { .. } => "a value".to_owned(),
            Encoding::Category { .. } | Encoding::Sign { .. } | Encoding::OneHot { .. } | Encoding::Code { .. } => {
                "a name".to_owned()
            }
            Encoding::Date { format, .. } => format!("a date such as {}", format.example()),
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
        if let Some(levels) = self.levels() {
            let level = match value {
                Value::Number(number) => levels.find_number(number),
                Value::Text(text) => levels.find_text(text),
                Value::Missing => None,
            };
            return Ok(Cell::Code(level.unwrap_or(levels.len()) as u32));
        }
        Ok(match (self, value) {
            (Encoding::Date { .. }, Value::Missing) => Cell::Moment(NO_MOMENT),
            (Encoding::Date { format, .. }, Value::Text(text)) => {
                Cell::Moment(format.parse(text).ok_or(Fault::NotADate)?)
            }
            (Encoding::Date { format, .. }, Value::Number(number)) => {
                Cell::Moment(format.parse_number(number).ok_or(Fault::NotADate)?)
            }
            (Encoding::Pair { false_word, true_word, .. }, value) => Cell::Code(match value {
                Value::Missing => 2,
                Value::Number(0.0) => 0,
                Value::Number(1.0) => 1,
                Value::Number(_) => return Err(Fault::NotABoolean),
                Value::Text(text) => u32::from(boolean_of(text, false_word, true_word).ok_or(Fault::NotABoolean)?),
            }),
            (Encoding::Scaled { levels: Some(levels), .. }, Value::Missing) => {
                Cell::Both(T::from_f64(f64::NAN), levels.len() as u32)
            }
            (Encoding::Scaled { number: scale, levels: Some(levels), .. }, Value::Number(number)) => {
                Cell::Both(scale.apply(number)?, levels.find_number(number).unwrap_or(levels.len()) as u32)
            }
            (_, Value::Missing) => missing,
            (Encoding::Number(scale), Value::Number(number)) => Cell::Number(scale.apply(number)?),
            (Encoding::Scaled { number: scale, .. }, Value::Number(number)) => Cell::Number(scale.apply(number)?),
            (Encoding::Number(_) | Encoding::Scaled { .. }, Value::Text(_)) => return Err(Fault::NotANumber),
            (Encoding::Boolean { scale, .. }, Value::Number(number)) => match number {
                0.0 | 1.0 => Cell::Number(scale.apply(number)?),
                _ => return Err(Fault::NotABoolean),
            },
            (Encoding::Boolean { false_word, true_word, scale }, Value::Text(text)) => {
                let truth = boolean_of(text, false_word, true_word).ok_or(Fault::NotABoolean)?;
                Cell::Number(scale.apply(f64::from(u8::from(truth)))?)
            }
            // Only whether there is a value counts.
            (_, Value::Number(_) | Value::Text(_)) => Cell::Number(T::ZERO),
        })
    }

    /// The one way from a cell to inputs: fills its places of a row, which start at `at`.
    #[inline]
    fn write<T: Real>(&self, cell: Cell<T>, row: &mut [T], at: Starts) {
        let widths = self.widths();
        let place = |start: usize, width: usize| start..start + width;
        match (self, cell) {
            (Encoding::Number(scale) | Encoding::Boolean { scale, .. }, Cell::Number(number)) => {
                let missing = number.is_nan();
                if let Some([first, rest @ ..]) = row.get_mut(place(at.others, widths.others)) {
                    *first = if missing { scale.missing() } else { number };
                    rest.fill(if missing { T::ONE } else { T::ZERO });
                }
            }
            (Encoding::Presence, Cell::Number(number)) => {
                set(row, at.others, if number.is_nan() { T::ONE } else { T::ZERO });
            }
            (Encoding::Scaled { number: scale, missing, levels }, Cell::Number(number) | Cell::Both(number, _)) => {
                set(row, at.numbers, if number.is_nan() { scale.missing() } else { number });
                if let Some(inputs) = missing {
                    set(row, at.others, T::from_f64(inputs[usize::from(number.is_nan())]));
                }
                if let (Some(levels), Cell::Both(_, code)) = (levels, cell) {
                    set(row, at.codes, coded(code, levels));
                }
            }
            (Encoding::Given { inputs }, Cell::Number(number)) => {
                set(row, at.others, T::from_f64(inputs[usize::from(number.is_nan())]));
            }
            (Encoding::Pair { inputs, .. }, Cell::Code(code)) => {
                let [.., missing] = *inputs;
                set(row, at.others, T::from_f64(inputs.get(code as usize).copied().unwrap_or(missing)));
            }
            (Encoding::Sign { inputs, .. }, Cell::Code(code)) => {
                set(row, at.others, T::from_f64(inputs.get(code as usize).copied().unwrap_or(0.0)));
            }
            (Encoding::OneHot { inputs, .. }, Cell::Code(code)) => {
                if let Some(places) = row.get_mut(place(at.others, widths.others)) {
                    for (level, (place, [off, on])) in places.iter_mut().zip(inputs).enumerate() {
                        *place = T::from_f64(if level == code as usize { *on } else { *off });
                    }
                }
            }
            (Encoding::Code { levels }, Cell::Code(code)) => {
                set(row, at.codes, coded(code, levels));
            }
            (Encoding::Date { parts, missing, .. }, Cell::Moment(moment)) => {
                for (place, DateInput { part, scale }) in
                    parts.iter().enumerate().map(|(i, part)| (at.numbers + i, part))
                {
                    let input = (moment != NO_MOMENT).then(|| scale.apply(part.of(moment)).unwrap_or(T::ZERO));
                    set(row, place, input.unwrap_or_else(|| scale.missing()));
                }
                if let Some(inputs) = missing {
                    set(row, at.others, T::from_f64(inputs[usize::from(moment == NO_MOMENT)]));
                }
            }
            (_, cell) => {
                if let Some(places) = row.get_mut(place(at.others, widths.others)) {
                    places.fill(T::ZERO);
                    if let Cell::Code(code) = cell
                        && let Some(place) = places.get_mut(code as usize)
                    {
                        *place = T::ONE;
                    }
                }
            }
        }
    }
}

/// The input of a level's place: the place after the last level is that of all others, code 0.
#[inline]
fn coded<T: Real>(place: u32, levels: &Levels) -> T {
    let known = (place as usize) < levels.len();
    T::from_f64(if known { f64::from(place) + 1.0 } else { 0.0 })
}

#[inline]
fn set<T>(row: &mut [T], place: usize, value: T) {
    if let Some(place) = row.get_mut(place) {
        *place = value;
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

    /// The style.
    pub fn style(&self) -> Style {
        self.style
    }
}
