//! One row of the data before a model: its values as they stand in the file and what each becomes.

use std::fmt::Write;

use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::file::Features;
use glassnet::model::measure::Measure;
use glassnet::model::preprocess::{Encoding, Preprocess};
use glassnet::model::rescale::Rescale;
use glassnet::model::table::{Column, Images, Table, Text, Values};
use glassnet::nn::inspect::number::significant;
use glassnet::nn::source::Source;
use serde::Serialize;

use crate::error::CliError;
use crate::model_data::{ModelData, Notices};

/// One row, ready for the network.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its number, from 1.
    pub number: u64,
    /// Where it stands, in words.
    pub place: String,
    /// Its values and what they become; of images nothing.
    pub columns: Vec<ColumnValue>,
    /// What the network reads.
    pub inputs: Vec<f32>,
    /// The true class's number, or the standardised value; `None` where the data has none.
    #[serde(skip)]
    pub target: Option<RowTarget>,
    /// The true value as it stands in the file.
    pub truth: Option<String>,
    /// The image in letters.
    #[serde(skip)]
    pub picture: String,
}

/// The target as the network sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RowTarget {
    /// A class, from 0.
    Class(usize),
    /// A standardised number.
    Value(f64),
}

/// One column of the row.
#[derive(Debug, Serialize)]
pub struct ColumnValue {
    /// Its name.
    pub column: String,
    /// As it stands in the file; `None` where it is missing.
    pub raw: Option<String>,
    /// The inputs that come from it.
    pub inputs: Vec<(String, f32)>,
    /// How, in words.
    pub how: String,
}

/// There is no such row.
fn beyond(source: &str, number: u64, rows: u64) -> CliError {
    let what = format!("{source}: there is no row {number}; it has {rows} rows");
    CliError::Data(format!("{what}\n  hint: rows are counted from 1, the header not counted"))
}

/// Reads row `number` (from 1).
pub fn read(model: &Model, data: ModelData, number: u64) -> Result<Row, CliError> {
    match data {
        ModelData::Images(images, ..) if number > images.rows as u64 => {
            Err(beyond(&images.source, number, images.rows as u64))
        }
        ModelData::Images(images, what, _) => of_images(model, images, number, what),
        data => of_table(model, &alone(data, number)?, 0, number),
    }
}

/// Row `number` (from 1) as a table of its own.
///
/// # Errors
/// There is no such row; images.
pub fn alone(data: ModelData, number: u64) -> Result<Table, CliError> {
    match data {
        ModelData::Stream(mut stream) => {
            let mut left = number.saturating_sub(1);
            let mut source = String::new();
            while left > 0 {
                let Some(skipped) = stream.next_chunk(left.min(4096) as usize)? else {
                    return Err(beyond(&source, number, number - 1 - left));
                };
                left -= skipped.rows as u64;
                source = skipped.source;
            }
            stream.next_chunk(1)?.ok_or_else(|| beyond(&source, number, number - 1))
        }
        ModelData::Table(table, _) if number > table.rows as u64 => {
            Err(beyond(&table.source, number, table.rows as u64))
        }
        ModelData::Table(table, _) => {
            let row = number as usize - 1;
            let alone = |column: &Column| {
                let values = match &column.values {
                    Values::Number(numbers) => Values::Number(numbers[row..=row].to_vec()),
                    Values::Text(text) => {
                        let mut one = Text::default();
                        one.push(text.get(row));
                        Values::Text(one)
                    }
                };
                Column { name: column.name.clone(), values }
            };
            Ok(Table {
                columns: table.columns.iter().map(alone).collect(),
                rows: 1,
                first_row: table.first_row.max(1) + row as u64,
                lines: table.lines.get(row).copied().into_iter().collect(),
                source: table.source,
            })
        }
        ModelData::Images(images, ..) => {
            let what = format!("{}: these are images, which have no columns", images.source);
            Err(CliError::Data(format!("{what}\n  hint: give a table")))
        }
    }
}

fn of_table(model: &Model, table: &Table, row: usize, number: u64) -> Result<Row, CliError> {
    let target = model.document().schema.target.as_ref();
    let has_truth = target.and_then(|target| table.column(&target.name)).is_some_and(|column| {
        // A blank target is no target.
        !column.values.is_missing(row)
    });
    let (encoded, _, noticed) = model.encode_table(table, has_truth)?;
    let mut notices = Notices::default();
    notices.add(&noticed);
    let inputs = inputs(&encoded, row);
    let columns = match &model.document().preprocess {
        Features::Table(preprocess) => columns(preprocess, table, row, &inputs),
        Features::Images(_) | Features::Text(_) => Vec::new(),
    };
    let truth = target.filter(|_| has_truth).and_then(|target| raw(table, &target.name, row));
    Ok(Row {
        number,
        place: format!("{}, {}", table.source, table.place(row)),
        columns,
        target: truth.as_ref().and_then(|_| row_target(&encoded, row)),
        truth,
        inputs,
        picture: String::new(),
    })
}

fn of_images(model: &Model, images: Images, number: u64, what: &str) -> Result<Row, CliError> {
    let row = number as usize - 1;
    let label = images.label(row);
    let picture = picture(&images, row);
    let place = format!("{}, image {number} of the {what}", images.source);
    let (encoded, _) = model.encode_images(images, label.is_some())?;
    Ok(Row {
        number,
        place,
        columns: Vec::new(),
        inputs: inputs(&encoded, row),
        target: label.as_ref().and_then(|_| row_target(&encoded, row)),
        truth: label,
        picture,
    })
}

fn inputs(encoded: &Encoded<f32>, row: usize) -> Vec<f32> {
    let mut inputs = vec![0.0; encoded.width()];
    encoded.features(&[row as u32], &mut inputs);
    inputs
}

fn row_target(encoded: &Encoded<f32>, row: usize) -> Option<RowTarget> {
    match (encoded.labels.get(row), encoded.values.get(row)) {
        (Some(&label), _) => usize::try_from(label).ok().map(RowTarget::Class),
        (None, Some(&value)) if value.is_finite() => Some(RowTarget::Value(value)),
        _ => None,
    }
}

/// A value as it stands in the file; `None` where it is missing.
pub fn raw(table: &Table, name: &str, row: usize) -> Option<String> {
    match &table.column(name)?.values {
        values if values.is_missing(row) => None,
        Values::Number(numbers) => Some(numbers[row].to_string()),
        Values::Text(text) => text.get(row).map(str::to_string),
    }
}

fn columns(preprocess: &Preprocess, table: &Table, row: usize, inputs: &[f32]) -> Vec<ColumnValue> {
    let names = preprocess.input_names();
    let one = |(place, encoder): (usize, &glassnet::model::preprocess::Encoder)| {
        let raw = raw(table, &encoder.name, row);
        let how = how(&encoder.encoding, raw.as_deref());
        let own = preprocess.inputs_of(place).into_iter().flatten();
        let own = own.map(|input| (names[input].clone(), inputs[input]));
        ColumnValue { column: encoder.name.clone(), raw, inputs: own.collect(), how }
    };
    preprocess.columns().iter().enumerate().map(one).collect()
}

/// How a number became its input.
fn measured(measure: &Measure, number: Option<f64>) -> String {
    let short = |value: f64| significant(value, 6);
    match measure {
        Measure::Rescaled(Rescale { shift, factor, clip, .. }) => {
            let number = number.map_or_else(|| "its number".to_string(), short);
            let (sign, shift) = if *shift < 0.0 { ('+', -shift) } else { ('-', *shift) };
            let inner = format!("{} ({number} {sign} {})", short(*factor), short(shift));
            if *clip { format!("f({inner}), f(z) = z / sqrt(1 + (z / 3)^2)") } else { inner }
        }
        Measure::Ranked(ranks) => match number {
            Some(number) => {
                format!(
                    "normal quantile of {}, the share of training rows below {}",
                    short(ranks.share(number)),
                    short(number)
                )
            }
            None => "normal quantile of the share of training rows below it".to_string(),
        },
    }
}

/// How a value became its inputs.
fn how(encoding: &Encoding, raw: Option<&str>) -> String {
    let short = |value: f64| significant(value, 6);
    match encoding {
        Encoding::Number(scale) | Encoding::Boolean { scale, .. } => match raw {
            None if scale.shift == scale.fill => "missing: as if it were the mean".into(),
            None => format!("missing: as if it were {}", short(scale.fill)),
            Some(_) if scale.shift == 0.0 && scale.scale == 1.0 => "as it is".into(),
            Some(raw) => {
                let number = raw.trim().parse::<f64>().map_or_else(|_| "0 or 1".to_string(), short);
                let (sign, shift) = if scale.shift < 0.0 { ('+', -scale.shift) } else { ('-', scale.shift) };
                format!("({number} {sign} {}) / {}", short(shift), short(scale.scale))
            }
        },
        Encoding::Presence => "1 where it is missing, else 0".into(),
        Encoding::Scaled { number: scale, levels, .. } => {
            let number = raw.map_or(Some(scale.fill()), |raw| raw.trim().parse().ok());
            let scaled = measured(scale, number);
            let scaled = if raw.is_none() { format!("missing: as if it were the mean, {scaled}") } else { scaled };
            match levels {
                None => scaled,
                Some(levels) => match raw.and_then(|raw| levels.find_text(raw.trim())) {
                    Some(level) => format!("{scaled}; value {} of {} with a code", level + 1, levels.len()),
                    None => format!("{scaled}; none of the {} values with a code", levels.len()),
                },
            }
        }
        Encoding::Given { .. } => "whether it is given, scaled".into(),
        Encoding::Pair { false_word, .. } => format!("one of two words, {false_word} is the first; scaled"),
        Encoding::Date { .. } => {
            raw.map_or("missing: as if it were the mean of the dates", |_| "its parts, scaled").into()
        }
        Encoding::Sign { levels, .. } | Encoding::OneHot { levels, .. } | Encoding::Code { levels } => {
            let code = matches!(encoding, Encoding::Code { .. });
            match (raw.and_then(|raw| levels.find_text(raw)), raw) {
                (Some(level), _) if code => format!("code {} of {}, looked up in a table", level + 1, levels.len()),
                (Some(_), _) => format!("one of {} categories, scaled", levels.len()),
                (None, Some(_)) => "no category with an input or code of its own: unknown".into(),
                (None, None) => "missing: unknown".into(),
            }
        }
        Encoding::Category { levels } => {
            let known = raw.is_some_and(|raw| levels.find_text(raw).is_some());
            let others = levels.len();
            match (known, raw) {
                (true, _) => format!("one of {others} categories, the {others} other inputs are 0"),
                (false, Some(_)) => "no category with an input of its own: unknown".into(),
                (false, None) => "missing: unknown".into(),
            }
        }
    }
}

impl Row {
    /// The values and what they become, line by line.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}", self.place, self.picture);
        let width = self.columns.iter().map(|column| column.column.chars().count()).max().unwrap_or(0);
        let raws: Vec<String> = self.columns.iter().map(|column| column.raw.clone().unwrap_or("-".into())).collect();
        let wide = raws.iter().map(|raw| raw.chars().count()).max().unwrap_or(0).min(24);
        for (column, raw) in self.columns.iter().zip(&raws) {
            // Of many inputs those that are not 0, so that a category takes one place.
            let shown: Vec<String> = match column.inputs.as_slice() {
                [(name, value)] if *name == column.column => vec![short(*value)],
                inputs => {
                    let only = inputs.len() == 1;
                    let hot = inputs.iter().filter(|(name, value)| only || *value != 0.0 || *name == column.column);
                    hot.map(|(name, value)| format!("{name} {}", short(*value))).collect()
                }
            };
            let _ =
                writeln!(text, "  {:width$}  {raw:>wide$}  ->  {}   {}", column.column, shown.join(", "), column.how);
        }
        text
    }
}

fn short(value: f32) -> String {
    significant(f64::from(value), 6)
}

/// A grey image in letters, two a pixel so that it is as wide as high; empty for others.
fn picture(images: &Images, row: usize) -> String {
    const INK: [char; 6] = [' ', '.', ':', 'o', '#', '@'];
    let (height, width) = (images.height, images.width);
    if images.channels != 1 || height > 40 || width > 40 {
        return String::new();
    }
    let size = height * width;
    let pixels = images.pixels.get(row * size..(row + 1) * size).unwrap_or(&[]);
    let lines = pixels.chunks(width.max(1)).map(|line| {
        let ink = |&pixel: &u8| INK[usize::from(pixel) * (INK.len() - 1) / 255];
        let line: String = line.iter().map(ink).flat_map(|ink| [ink, ink]).collect();
        line.trim_end().to_string()
    });
    let lines: Vec<String> = lines.collect();
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    let last = lines.iter().rposition(|line| !line.is_empty()).unwrap_or(0);
    lines.get(first..=last).unwrap_or(&[]).iter().map(|line| format!("  {line}\n")).collect()
}
