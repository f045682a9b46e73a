//! The data's rows as scores, one chunk after the other.

use std::rc::Rc;

use glassnet::core::{Runner, Team};
use glassnet::data::CsvStream;
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::table::{Table, Values};

use crate::error::CliError;
use crate::model_data::{ModelData, Notices, extra_columns};

/// Rows that are read, encoded and scored at a time.
const ROWS: usize = 4096;

/// Some rows with their scores.
pub struct Chunk {
    /// Number of its first row, from 1.
    pub first_row: u64,
    /// The rows' names, where a column has them.
    pub ids: Option<Vec<String>>,
    /// [rows, outputs].
    pub scores: Vec<f32>,
    /// What they were worked out from.
    pub encoded: Rc<Encoded<f32>>,
    /// Which rows of it (and of the table).
    pub rows: Vec<u32>,
    /// The rows as they stand in the file, where somebody asks.
    pub table: Option<Rc<Table>>,
}

/// All rows, chunk by chunk.
pub struct Chunks<'a> {
    model: &'a Model,
    id: Option<&'a str>,
    /// Whether the rows are wanted as they stand in the file.
    raw: bool,
    runner: Runner<f32>,
    source: Source,
    notices: Notices,
}

enum Source {
    Stream(Box<CsvStream>),
    Whole { encoded: Rc<Encoded<f32>>, ids: Option<Vec<String>>, rows: Vec<u32>, done: usize, table: Option<Rc<Table>> },
}

impl<'a> Chunks<'a> {
    /// Over data that was opened for the model; `raw`: each chunk has its rows as they stand in the file too.
    pub fn new(
        model: &'a Model,
        data: ModelData,
        id: Option<&'a str>,
        raw: bool,
        team: Team,
    ) -> Result<Self, CliError> {
        let mut notices = Notices::default();
        let source = match data {
            ModelData::Stream(stream) => {
                notices.ignored_columns = extra_columns(model, stream.columns(), id);
                Source::Stream(stream)
            }
            ModelData::Table(table, _) => {
                let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
                notices.ignored_columns = extra_columns(model, &names, id);
                let (encoded, rows, noticed) = model.encode_table(&table, false)?;
                notices.add(&noticed);
                let ids = id.map(|id| ids(&table, id)).transpose()?;
                Source::Whole { encoded: Rc::new(encoded), ids, rows, done: 0, table: raw.then(|| Rc::new(table)) }
            }
            ModelData::Images(images, ..) => {
                if let Some(id) = id {
                    let hint = "leave --id out: images are numbered";
                    return Err(CliError::Usage(format!("--id {id}: images have no columns\n  hint: {hint}")));
                }
                let (encoded, rows) = model.encode_images(images, false)?;
                Source::Whole { encoded: Rc::new(encoded), ids: None, rows, done: 0, table: None }
            }
        };
        Ok(Chunks { model, id, raw, runner: model.runner(team), source, notices })
    }

    /// The next rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Chunk>, CliError> {
        match &mut self.source {
            Source::Stream(stream) => {
                let Some(table) = stream.next_chunk(ROWS)? else { return Ok(None) };
                let (encoded, rows, noticed) = self.model.encode_table(&table, false)?;
                self.notices.add(&noticed);
                Ok(Some(Chunk {
                    first_row: table.first_row,
                    ids: self.id.map(|id| ids(&table, id)).transpose()?,
                    scores: self.model.scores(&mut self.runner, &encoded, &rows)?,
                    encoded: Rc::new(encoded),
                    rows,
                    table: self.raw.then(|| Rc::new(table)),
                }))
            }
            Source::Whole { encoded, ids, rows, done, table } => {
                let range = *done..rows.len().min(*done + ROWS);
                if range.is_empty() {
                    return Ok(None);
                }
                *done = range.end;
                Ok(Some(Chunk {
                    first_row: range.start as u64 + 1,
                    ids: ids.as_ref().map(|ids| ids[range.clone()].to_vec()),
                    scores: self.model.scores(&mut self.runner, &**encoded, &rows[range.clone()])?,
                    encoded: Rc::clone(encoded),
                    rows: rows[range].to_vec(),
                    table: table.clone(),
                }))
            }
        }
    }

    /// What was noticed so far.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }
}

/// The rows' names; empty where a row has none.
pub fn ids(table: &Table, id: &str) -> Result<Vec<String>, CliError> {
    let Some(column) = table.column(id) else {
        let source = &table.source;
        return Err(CliError::Data(format!("{source}: there is no column '{id}' for --id\n  hint: check the name")));
    };
    Ok(match &column.values {
        Values::Number(numbers) => {
            let name = |number: &f64| if number.is_nan() { String::new() } else { number.to_string() };
            numbers.iter().map(name).collect()
        }
        Values::Text(text) => text.iter().map(|name| name.unwrap_or("").to_string()).collect(),
    })
}
