//! Statistics of the training rows.

use super::tabular::{date, tabular};
use super::{Encoder, Encoding, Preprocess};
use crate::Schema;
use crate::dates::DateFormat;
use crate::error::{BadValue, ModelError};
use crate::levels::plain_number;
use crate::measure::Wanted;
use crate::schema::{Kind, infer::no_column};
use crate::standardise::{Moments, Scale, Standardise};
use crate::table::{Column, Table, Values};
use crate::value::boolean_of;

impl Preprocess {
    /// Fits the columns that `schema` uses on training rows (numbers from 0).
    ///
    /// A column that has no value, or one value only and none missing, in these rows is left out, with the reason.
    ///
    /// # Errors
    /// A column of the schema that is not in the table; a value that cannot be what its column is; nothing left.
    pub fn fit(
        table: &Table,
        rows: &[usize],
        schema: &Schema,
        standardise: Standardise,
    ) -> Result<Preprocess, ModelError> {
        let mut fitted = Preprocess { style: schema.style, ..Preprocess::default() };
        let wanted = Wanted { style: schema.style, standardise, columns: schema.used().count() };
        for known in schema.used() {
            let column = table.column(&known.name).ok_or_else(|| no_column(table, &known.name, "preprocessing"))?;
            let encoding = match &known.kind {
                Kind::Date { format, parts } => {
                    let moments = moments(table, column, rows, *format)?;
                    Ok(date(&moments, *format, parts, wanted))
                }
                _ if !schema.style.is_plain() => tabular(table, column, rows, known, wanted)?.map_err(Unfit::LeftOut),
                Kind::Category { levels, .. } => Ok(Encoding::Category { levels: levels.clone() }),
                Kind::Number => scaled(&numbers(table, column, rows, None)?, standardise, table, column)
                    .map(|scale| scale.map_or(Encoding::Presence, Encoding::Number)),
                Kind::Boolean { false_word, true_word } => {
                    let words = Some((false_word.as_str(), true_word.as_str()));
                    let boolean = |scale| Encoding::Boolean {
                        false_word: false_word.clone(),
                        true_word: true_word.clone(),
                        scale,
                    };
                    scaled(&numbers(table, column, rows, words)?, standardise, table, column)
                        .map(|scale| scale.map_or(Encoding::Presence, boolean))
                }
            };
            match encoding {
                Ok(encoding) => fitted.columns.push(Encoder { name: known.name.clone(), encoding }),
                Err(Unfit::LeftOut(reason)) => fitted.left_out.push((known.name.clone(), reason)),
                Err(Unfit::Error(error)) => return Err(error),
            }
        }
        if fitted.columns.is_empty() {
            let reasons: Vec<String> = fitted.left_out.iter().map(|(name, why)| format!("{name:?} ({why})")).collect();
            let (source_name, reasons) = (table.source.clone(), reasons.join(", "));
            return Err(ModelError::NoInputs { source_name, reasons });
        }
        Ok(fitted)
    }
}

enum Unfit {
    LeftOut(String),
    Error(ModelError),
}

/// The moments of a column of dates in the order of the rows, `None` where missing.
fn moments(table: &Table, column: &Column, rows: &[usize], format: DateFormat) -> Result<Vec<Option<i64>>, ModelError> {
    let one = |&row: &usize| {
        let (moment, value) = match &column.values {
            values if values.is_missing(row) => return Ok(None),
            Values::Number(numbers) => (format.parse_number(numbers[row]), numbers[row].to_string()),
            Values::Text(text) => {
                let word = text.get(row).unwrap_or("");
                (format.parse(word), word.to_owned())
            }
        };
        moment.map(Some).ok_or_else(|| {
            ModelError::from(BadValue {
                source_name: table.source.clone(),
                place: table.place(row),
                column: column.name.clone(),
                value,
                wanted: format!("a date such as {}", format.example()),
                hint: "correct it, leave it blank, or drop the column".to_owned(),
            })
        })
    };
    rows.iter().map(one).collect()
}

/// A column's numbers in the order of the rows (booleans are 0 and 1), `None` where missing.
pub(super) fn numbers(
    table: &Table,
    column: &Column,
    rows: &[usize],
    words: Option<(&str, &str)>,
) -> Result<Vec<Option<f64>>, ModelError> {
    let bad = |row: usize, value: String, wanted: String| {
        ModelError::from(BadValue {
            source_name: table.source.clone(),
            place: table.place(row),
            column: column.name.clone(),
            value,
            wanted,
            hint: "correct it, leave it blank, or drop the column".to_owned(),
        })
    };
    rows.iter()
        .map(|&row| {
            let (number, text) = match &column.values {
                values if values.is_missing(row) => return Ok(None),
                Values::Number(numbers) => (Some(numbers[row]), None),
                Values::Text(text) => {
                    let word = text.get(row).unwrap_or("");
                    let truth = words.and_then(|(no, yes)| boolean_of(word, no, yes));
                    (truth.map(|truth| f64::from(u8::from(truth))).or_else(|| plain_number(word)), Some(word))
                }
            };
            let shown = || text.map_or_else(|| number.unwrap_or_default().to_string(), str::to_owned);
            match (number, words) {
                (Some(number), None) if number.is_finite() => Ok(Some(number)),
                (Some(number @ (0.0 | 1.0)), Some(_)) => Ok(Some(number)),
                (_, None) => Err(bad(row, shown(), "a finite number".to_owned())),
                (_, Some((no, yes))) => Err(bad(row, shown(), format!("{no} or {yes}"))),
            }
        })
        .collect()
}

/// The scale of numbers; `None` where only whether they are missing says something.
fn scaled(
    numbers: &[Option<f64>],
    standardise: Standardise,
    table: &Table,
    column: &Column,
) -> Result<Option<Scale>, Unfit> {
    let present = numbers.iter().flatten().count();
    let indicator = present < numbers.len();
    if present == 0 {
        return Err(Unfit::LeftOut("no value in any training row".to_owned()));
    }
    match Moments::of(numbers.iter().flatten().copied()) {
        Some(moments) if !moments.constant => Ok(Some(Scale::new(moments, standardise, indicator))),
        Some(_) if indicator => Ok(None),
        Some(moments) => Err(Unfit::LeftOut(format!("always {}", moments.mean))),
        None => Err(Unfit::Error(ModelError::from(BadValue {
            source_name: table.source.clone(),
            place: "all training rows".to_owned(),
            column: column.name.clone(),
            value: "the column's spread".to_owned(),
            wanted: "a finite number: its values are too large to square".to_owned(),
            hint: "divide the column, or drop it".to_owned(),
        }))),
    }
}
