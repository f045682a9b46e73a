//! A table encoded but not spread out: a number or a code for each value. Batches are gathered from it.
//!
//! A one-hot matrix of all rows would be many times the table; this is 4 bytes (f32) a value.

use super::{Cell, Encoding, Matching, Preprocess};
use crate::error::{BadValue, ModelError};
use crate::levels::{number_text, plain_number};
use crate::table::{Table, Values};
use crate::value::{Fault, Value};
use glassnet_core::Real;

/// The encoded columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Compact<T> {
    columns: Vec<Packed<T>>,
    rows: usize,
    unseen: Vec<Unseen>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
enum Packed<T> {
    /// Scaled numbers; `NaN` is a missing value.
    Numbers(Vec<T>),
    /// Places of the 1, or numbers of names.
    Codes(Vec<u32>),
    /// Both of a number whose levels have codes.
    Both(Vec<(T, u32)>),
    /// Moments of dates.
    Moments(Vec<i64>),
}

/// Values of a category that have no level: they go to the unknown input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The column's name.
    pub column: String,
    /// Number of rows (missing values do not count).
    pub rows: usize,
    /// The first such value.
    pub example: String,
}

impl<T> Compact<T> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes that the encoded values take.
    pub fn bytes(&self) -> usize {
        let of = |column: &Packed<T>| match column {
            Packed::Numbers(values) => values.len() * size_of::<T>(),
            Packed::Codes(codes) => codes.len() * size_of::<u32>(),
            Packed::Both(values) => values.len() * size_of::<(T, u32)>(),
            Packed::Moments(moments) => moments.len() * size_of::<i64>(),
        };
        self.columns.iter().map(of).sum()
    }

    /// Categories' values without a level, by column: new ones, and those that were too rare for an input of their own.
    pub fn unseen(&self) -> &[Unseen] {
        &self.unseen
    }
}

impl Preprocess {
    /// Encodes a table, all rows of it.
    ///
    /// In a column of numbers, text that is a number counts as one.
    ///
    /// # Errors
    /// A value that cannot be what its column is, with row, line, column and value.
    pub fn compact<T: Real>(&self, table: &Table, matching: &Matching) -> Result<Compact<T>, ModelError> {
        if matching.places.len() != self.columns.len() {
            let (expected, found) = (self.columns.len(), matching.places.len());
            return Err(ModelError::Size { what: "columns of the matching", expected, found });
        }
        let (mut columns, mut unseen) = (Vec::with_capacity(self.columns.len()), Vec::new());
        for (encoder, &place) in self.columns.iter().zip(&matching.places) {
            let values = table.columns.get(place).map(|column| &column.values);
            let Some(values) = values.filter(|values| values.len() == table.rows) else {
                let found = values.map_or(0, Values::len);
                return Err(ModelError::Size { what: "values of a column", expected: table.rows, found });
            };
            let bad = |row: usize, fault: Fault| {
                ModelError::from(BadValue {
                    source_name: table.source.clone(),
                    place: table.place(row),
                    column: encoder.name.clone(),
                    value: text_of(values, row),
                    wanted: encoder.encoding.wanted(),
                    hint: match fault {
                        Fault::NotFinite => {
                            "it is infinite or too far from the training rows: correct it or leave it blank"
                        }
                        _ => "correct it or leave it blank",
                    }
                    .to_owned(),
                })
            };
            if let Some(levels) = encoder.encoding.levels() {
                let mut codes = Vec::with_capacity(table.rows);
                let mut unknown: Option<Unseen> = None;
                for row in 0..table.rows {
                    let cell = encoder.encoding.cell::<T>(value_at(values, row)).map_err(|fault| bad(row, fault))?;
                    let Cell::Code(code) = cell else { continue };
                    if code as usize == levels.len() && !values.is_missing(row) {
                        let first = || Unseen { column: encoder.name.clone(), rows: 0, example: text_of(values, row) };
                        unknown.get_or_insert_with(first).rows += 1;
                    }
                    codes.push(code);
                }
                unseen.extend(unknown);
                columns.push(Packed::Codes(codes));
            } else if let Encoding::Date { .. } = &encoder.encoding {
                let mut moments = Vec::with_capacity(table.rows);
                for row in 0..table.rows {
                    let cell = encoder.encoding.cell::<T>(value_at(values, row)).map_err(|fault| bad(row, fault))?;
                    if let Cell::Moment(moment) = cell {
                        moments.push(moment);
                    }
                }
                columns.push(Packed::Moments(moments));
            } else if let Encoding::Pair { .. } = &encoder.encoding {
                let mut codes = Vec::with_capacity(table.rows);
                for row in 0..table.rows {
                    let value = match value_at(values, row) {
                        Value::Text(text) => plain_number(text).map_or(Value::Text(text), Value::Number),
                        value => value,
                    };
                    if let Cell::Code(code) = encoder.encoding.cell::<T>(value).map_err(|fault| bad(row, fault))? {
                        codes.push(code);
                    }
                }
                columns.push(Packed::Codes(codes));
            } else {
                let (mut numbers, mut both) = (Vec::new(), Vec::new());
                match encoder.encoding.peaks() {
                    Some(_) => both.reserve(table.rows),
                    None => numbers.reserve(table.rows),
                }
                for row in 0..table.rows {
                    let value = match value_at(values, row) {
                        Value::Text(text) => plain_number(text).map_or(Value::Text(text), Value::Number),
                        value => value,
                    };
                    match encoder.encoding.cell(value).map_err(|fault| bad(row, fault))? {
                        Cell::Number(number) => numbers.push(number),
                        Cell::Both(number, code) => both.push((number, code)),
                        Cell::Code(_) | Cell::Moment(_) => {}
                    }
                }
                columns.push(if encoder.encoding.peaks().is_some() {
                    Packed::Both(both)
                } else {
                    Packed::Numbers(numbers)
                });
            }
        }
        Ok(Compact { columns, rows: table.rows, unseen })
    }

    /// Gathers a batch: row `rows[i]` of `compact` becomes `out[i * width ..][.. width]`.
    ///
    /// # Shapes
    /// `out`: [rows.len(), width], row-major.
    ///
    /// # Errors
    /// [`ModelError::Size`] where `out`, `compact` or a row's number does not fit.
    pub fn encode_rows<T: Real>(&self, compact: &Compact<T>, rows: &[u32], out: &mut [T]) -> Result<(), ModelError> {
        let width = self.width();
        let size = |what, expected, found| Err(ModelError::Size { what, expected, found });
        if compact.columns.len() != self.columns.len() {
            return size("encoded columns", self.columns.len(), compact.columns.len());
        }
        if out.len() != width * rows.len() {
            return size("places for the inputs of the batch", width * rows.len(), out.len());
        }
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= compact.rows) {
            return size("rows of the table (a row of the batch is beyond it)", row as usize + 1, compact.rows);
        }
        // Column by column: each encoder is looked at once, and its values lie together.
        for ((encoder, at), packed) in self.placed().zip(&compact.columns) {
            for (line, &row) in out.chunks_exact_mut(width.max(1)).zip(rows) {
                let cell = match packed {
                    Packed::Numbers(numbers) => Cell::Number(numbers[row as usize]),
                    Packed::Codes(codes) => Cell::Code(codes[row as usize]),
                    Packed::Both(values) => {
                        let (number, code) = values[row as usize];
                        Cell::Both(number, code)
                    }
                    Packed::Moments(moments) => Cell::Moment(moments[row as usize]),
                };
                encoder.encoding.write(cell, line, at);
            }
        }
        Ok(())
    }
}

fn value_at(values: &Values, row: usize) -> Value<'_> {
    match values {
        Values::Number(numbers) => numbers.get(row).map_or(Value::Missing, |&number| Value::Number(number)),
        Values::Text(text) => text.get(row).map_or(Value::Missing, Value::Text),
    }
}

fn text_of(values: &Values, row: usize) -> String {
    match value_at(values, row) {
        Value::Number(number) => number_text(number),
        Value::Text(text) => text.to_owned(),
        Value::Missing => String::new(),
    }
}
