//! The rows of a table under its header, each checked for its number of fields, and the errors that name a cell.

use crate::cells::{Cell, Decoder};
use crate::dialect::{Dialect, Opening, delimiter_name, hex};
use crate::error::{DataError, Result, listed, short};
use crate::options::{Encoding, ReadOptions};
use crate::records::{Bytes, Record, Records};
use glassnet_nn::nearest::nearest;

/// Reads rows one by one.
pub(crate) struct Rows<B> {
    pub records: Records<B>,
    pub record: Record,
    /// The row just read, from 1.
    pub row: u64,
    pub file: String,
    expected: usize,
    delimiter: char,
    header: bool,
}

impl<B: Bytes> Rows<B> {
    /// The rows of `source`, which begins after the byte order mark.
    pub fn new(source: B, file: &str, opening: &Opening) -> Self {
        let delimiter = opening.dialect.delimiter;
        Rows {
            records: Records::new(source, file, delimiter as u8, opening.newline),
            record: Record::default(),
            row: 0,
            file: file.to_string(),
            expected: opening.names.len(),
            delimiter,
            header: opening.dialect.header,
        }
    }

    /// Reads the next row into `record`; false at the end.
    pub fn next(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.header) && !self.records.next(&mut self.record)? {
            return Ok(false);
        }
        if !self.records.next(&mut self.record)? {
            return Ok(false);
        }
        self.row += 1;
        if self.record.len() != self.expected {
            return Err(self.ragged());
        }
        Ok(true)
    }

    /// Where the row stands, in words.
    pub fn place(&self) -> String {
        place(self.row, self.record.line)
    }

    fn ragged(&self) -> DataError {
        let found = self.record.len();
        let last_is_blank = self.record.field(found.saturating_sub(1)).trim_ascii().is_empty();
        let hint = if self.expected == 1 {
            "the first line has no delimiter, so one column was expected; name the delimiter, or quote values that hold it"
        } else if found > self.expected && last_is_blank {
            "the row ends with a delimiter too many; remove it, or give the first line one too"
        } else if found > self.expected {
            "put values that hold the delimiter in double quotes"
        } else {
            "give missing values as empty fields; a row that is cut short must be completed or removed"
        };
        DataError::Ragged {
            file: self.file.clone(),
            place: self.place(),
            expected: self.expected,
            found,
            delimiter: delimiter_name(self.delimiter),
            hint: hint.into(),
        }
    }
}

/// Where a row stands, in words.
pub(crate) fn place(row: u64, line: u64) -> String {
    format!("row {row} (line {line})")
}

/// The error of bytes that are not of the file's encoding.
pub(crate) fn encoding_error(file: &str, place: String, column: &str, bad: &[u8], decoder: &Decoder) -> DataError {
    let encoding = match decoder.encoding() {
        Encoding::Utf8 => "UTF-8",
        Encoding::Windows1252 => "Windows-1252",
    };
    DataError::Encoding { file: file.to_string(), place, column: column.to_string(), bytes: hex(bad), encoding }
}

/// The error of a cell that is no number in a column of numbers.
pub(crate) fn number_error(
    file: &str,
    place: String,
    column: &str,
    value: &str,
    cell: Cell,
    dialect: &Dialect,
) -> DataError {
    let (file, column) = (file.to_string(), column.to_string());
    let trimmed = value.trim();
    let digits = trimmed.chars().any(|letter| letter.is_ascii_digit());
    let value = short(trimmed);
    if cell == Cell::NotFinite {
        return DataError::NotFinite { file, place, column, value };
    }
    let hint = if digits && trimmed.contains(',') && !dialect.decimal_comma {
        "thousands separators are not read, and a decimal comma only with a delimiter other than the comma; write 1234.5"
    } else if digits && trimmed.contains('.') && dialect.decimal_comma {
        "this file has decimal commas, so a point is no decimal mark; write 1234,5"
    } else if digits && trimmed.contains(['%', '$', '\u{20ac}', '\u{a3}', ' ']) {
        "write the number alone, without unit or blanks"
    } else {
        "correct it, name it as a missing-value word, or read the column as text"
    };
    DataError::BadNumber { file, place, column, value, hint }
}

/// Which columns are kept, by their places; the names of the others.
pub(crate) fn select(file: &str, names: &[String], options: &ReadOptions) -> Result<(Vec<usize>, Vec<String>)> {
    let no_names = std::collections::BTreeSet::new();
    let asked = [
        (&options.as_text, "asked for as text"),
        (&options.as_number, "asked for as numbers"),
        (options.only.as_ref().unwrap_or(&no_names), "asked for"),
        (&options.drop, "to be dropped"),
    ];
    for (set, option) in asked {
        if let Some(name) = set.iter().find(|name| !names.contains(name)) {
            return Err(DataError::UnknownColumn {
                file: file.to_string(),
                name: name.clone(),
                option,
                nearest: nearest(name, names.iter().map(String::as_str)).map(str::to_string),
                available: listed(names.iter().map(String::as_str)),
            });
        }
    }
    let is_kept =
        |name: &String| !options.drop.contains(name) && options.only.as_ref().is_none_or(|only| only.contains(name));
    let (kept, others): (Vec<usize>, Vec<usize>) = (0..names.len()).partition(|index| is_kept(&names[*index]));
    if kept.is_empty() {
        return Err(DataError::NoColumns { file: file.to_string(), columns: names.len() });
    }
    Ok((kept, others.into_iter().map(|index| names[index].clone()).collect()))
}
