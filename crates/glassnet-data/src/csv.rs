//! Reads a whole CSV file into a table. The bytes are gone through twice: once to find what each column holds, once
//! to fill the columns, so that no cell is ever a string of its own.

use std::collections::BTreeMap;
use std::io::Read;

use glassnet_model::table::{Column, Table, Text, Values};

use crate::cells::{Cell, Cells, detect_encoding, looks_numeric};
use crate::dialect::{Dialect, detect};
use crate::error::{DataError, Result, short};
use crate::input::{Input, PREFIX};
use crate::options::ReadOptions;
use crate::rows::{Rows, encoding_error, number_error, place, select};
use crate::understood::{ColumnReport, Kind, Understood, Warning};

/// From this share of numbers among a column's values on, the others are taken for mistakes and reported.
const MOSTLY: f64 = 0.95;
/// With fewer values than this, nothing is concluded.
const ENOUGH: u64 = 20;

/// Reads all of a CSV file (`-` is standard input; gzip is known by its bytes) and infers what its columns hold.
///
/// A column holds numbers where every value that is not missing is a finite number, and text otherwise.
///
/// # Errors
/// Every variant of [`DataError`] that is about text tables; see there.
///
/// # Example
/// ```
/// use glassnet_data::{ReadOptions, read_csv_from};
/// let text = "size;colour\n1,5;red\nNA;blue\n";
/// let (table, understood) = read_csv_from("sizes.csv", text.as_bytes(), &ReadOptions::default())?;
/// assert_eq!((table.rows, table.place(1)), (2, "row 2 (line 3)".to_string()));
/// assert!(table.columns[0].values.is_missing(1));
/// assert!(understood.dialect.is_some_and(|dialect| dialect.decimal_comma && dialect.delimiter == ';'));
/// # Ok::<(), glassnet_data::DataError>(())
/// ```
pub fn read_csv(path: &str, options: &ReadOptions) -> Result<(Table, Understood)> {
    read_input(Input::open(path)?, options)
}

/// [`read_csv`] from any reader; `name` is what messages call it.
pub fn read_csv_from(
    name: &str,
    reader: impl Read + Send + 'static,
    options: &ReadOptions,
) -> Result<(Table, Understood)> {
    read_input(Input::new(name, reader)?, options)
}

/// What a pass over a column found.
#[derive(Debug, Clone, Default)]
struct Found {
    words: Vec<u64>,
    numbers: u64,
    text: u64,
    not_finite: u64,
    /// How much of the text is probably a number in another notation.
    notation: u64,
    /// Row, line and value of the first text and of the first infinity.
    first_text: Option<(u64, u64, String)>,
    first_not_finite: Option<(u64, u64, String)>,
}

pub(crate) fn read_input(mut input: Input, options: &ReadOptions) -> Result<(Table, Understood)> {
    let mut data = Vec::new();
    input.fill(&mut data, usize::MAX)?;
    let file = input.name.clone();
    let mut opening = detect(&file, &data[..data.len().min(PREFIX)], data.len() <= PREFIX, options)?;
    let body = &data[opening.skip..];
    if options.encoding.is_none() && !opening.dialect.bom {
        opening.decoder = crate::cells::Decoder::new(Some(detect_encoding(body).unwrap_or(opening.dialect.encoding)));
    }
    let (kept, ignored) = select(&file, &opening.names, options)?;
    let names: Vec<&str> = kept.iter().map(|index| opening.names[*index].as_str()).collect();

    // First pass: what each column holds.
    let mut rows = Rows::new(body, &file, &opening);
    let blank = Found { words: vec![0; opening.cells.words().len()], ..Found::default() };
    let mut found = vec![blank; kept.len()];
    let mut lines = Vec::new();
    while rows.next()? {
        lines.push(rows.record.line);
        for (column, (index, found)) in kept.iter().zip(&mut found).enumerate() {
            let bytes = rows.record.field(*index);
            let first = match opening.cells.tell(bytes) {
                Cell::Missing(word) => {
                    found.words[word] += 1;
                    continue;
                }
                Cell::Number(_) => {
                    found.numbers += 1;
                    continue;
                }
                Cell::NotFinite => {
                    found.not_finite += 1;
                    &mut found.first_not_finite
                }
                Cell::Text => {
                    found.text += 1;
                    found.notation += u64::from(looks_numeric(bytes));
                    &mut found.first_text
                }
            };
            if first.is_none() {
                let value = opening
                    .decoder
                    .decode(bytes)
                    .map_err(|bad| encoding_error(&file, rows.place(), names[column], bad, &opening.decoder.clone()))?;
                *first = Some((rows.row, rows.record.line, value.into_owned()));
            }
        }
    }
    opening.dialect.quotes = rows.records.quotes;
    if lines.is_empty() {
        return Err(DataError::HeaderOnly { file, columns: opening.names.len() });
    }
    let mut warnings = Vec::new();
    let mut kinds = Vec::with_capacity(kept.len());
    for (name, found) in names.iter().zip(&found) {
        kinds.push(kind_of(&file, name, found, options, &opening.dialect, &mut warnings)?);
    }

    // Second pass: the values.
    let mut values: Vec<Values> = kinds
        .iter()
        .map(|kind| match kind {
            Kind::Number => Values::Number(Vec::with_capacity(lines.len())),
            _ => Values::Text(Text::default()),
        })
        .collect();
    let mut rows = Rows::new(body, &file, &opening);
    while rows.next()? {
        for (column, (index, values)) in kept.iter().zip(&mut values).enumerate() {
            let bytes = rows.record.field(*index);
            match values {
                Values::Number(values) => values.push(match opening.cells.tell(bytes) {
                    Cell::Number(value) => value,
                    _ => f64::NAN,
                }),
                Values::Text(text) if opening.cells.missing(bytes).is_some() => text.push(None),
                Values::Text(text) => match opening.decoder.decode(bytes) {
                    Ok(value) => text.push(Some(&value)),
                    Err(bad) => return Err(encoding_error(&file, rows.place(), names[column], bad, &opening.decoder)),
                },
            }
        }
    }
    opening.dialect.encoding = opening.decoder.encoding();

    let reports = names
        .iter()
        .zip(&found)
        .zip(&kinds)
        .map(|((name, found), kind)| report(name, *kind, &found.words, &opening.cells, options))
        .collect();
    let columns =
        names.iter().zip(values).map(|(name, values)| Column { name: name.to_string(), values }).collect::<Vec<_>>();
    let understood = Understood {
        source: file.clone(),
        format: "CSV",
        gzip: input.gzip,
        dialect: Some(opening.dialect),
        rows: lines.len() as u64,
        columns: reports,
        ignored,
        warnings,
        bytes: input.bytes(),
        hash: input.hash(),
    };
    Ok((Table { source: file, columns, rows: lines.len(), first_row: 1, lines }, understood))
}

/// Decides what a column holds; adds what looks like a mistake to the warnings.
fn kind_of(
    file: &str,
    name: &str,
    found: &Found,
    options: &ReadOptions,
    dialect: &Dialect,
    warnings: &mut Vec<Warning>,
) -> Result<Kind> {
    if options.as_text.contains(name) {
        return Ok(Kind::Text);
    }
    let error =
        |first: &(u64, u64, String), cell| number_error(file, place(first.0, first.1), name, &first.2, cell, dialect);
    if options.as_number.contains(name) {
        let text = found.first_text.as_ref().map(|first| (first, Cell::Text));
        let infinite = found.first_not_finite.as_ref().map(|first| (first, Cell::NotFinite));
        if let Some((first, cell)) = text.into_iter().chain(infinite).min_by_key(|(first, _)| first.0) {
            return Err(error(first, cell));
        }
        return Ok(Kind::Number);
    }
    match (&found.first_text, &found.first_not_finite) {
        (None, Some(first)) if found.numbers > 0 => return Err(error(first, Cell::NotFinite)),
        (None, None) => {
            if found.numbers == 0 {
                warnings.push(Warning::NoValues { column: name.to_string() });
            }
            return Ok(Kind::Number);
        }
        _ => {}
    }
    let others = found.text + found.not_finite;
    let all = found.numbers + others;
    if let Some((row, line, value)) = &found.first_text {
        let (column, row, line, value, numbers) = (name.to_string(), *row, *line, short(value), found.numbers);
        if found.notation == others {
            warnings.push(Warning::OtherNotation { column, row, line, value, others, numbers });
        } else if all >= ENOUGH && numbers as f64 >= MOSTLY * all as f64 {
            warnings.push(Warning::MostlyNumbers { column, row, line, value, others, numbers });
        }
    }
    Ok(Kind::Text)
}

/// The report of one column, from how often each missing-value word was seen.
pub(crate) fn report(name: &str, kind: Kind, words: &[u64], cells: &Cells, options: &ReadOptions) -> ColumnReport {
    let seen: BTreeMap<String, u64> = cells
        .words()
        .iter()
        .zip(words)
        .filter(|(_, count)| **count > 0)
        .map(|(word, count)| (word.clone(), *count))
        .collect();
    ColumnReport {
        name: name.to_string(),
        kind,
        asked: options.as_text.contains(name) || options.as_number.contains(name),
        missing: words.iter().sum(),
        missing_words: seen,
    }
}
