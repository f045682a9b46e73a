//! Reads a CSV file in chunks of rows and in constant memory, for files larger than memory.
//!
//! What a column holds cannot be inferred from rows that are not yet read, so the caller says it: a plan of columns.

use glassnet_nn::nearest::nearest;
use std::io::Read;

use glassnet_model::table::{Column, Table, Text, Values};

use crate::cells::{Cell, Cells, Decoder};
use crate::csv::report;
use crate::dialect::{Dialect, detect};
use crate::error::{DataError, Result, listed};
use crate::input::{Input, PREFIX};
use crate::options::ReadOptions;
use crate::records::Bytes;
use crate::rows::{Rows, encoding_error, number_error};
use crate::understood::{Kind, Understood};

/// What a column of a stream shall be read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlan {
    /// The column's name in the header (`c1`, `c2`, ... without one).
    pub name: String,
    /// What it shall be read as.
    pub kind: Kind,
}

/// The bytes that detection has looked at, then the rest of the source.
struct Replayed {
    prefix: Vec<u8>,
    at: usize,
    input: Input,
}

impl Bytes for Replayed {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.at < self.prefix.len() {
            let count = buffer.len().min(self.prefix.len() - self.at);
            buffer[..count].copy_from_slice(&self.prefix[self.at..self.at + count]);
            self.at += count;
            return Ok(count);
        }
        self.prefix = Vec::new();
        self.at = 0;
        self.input.read(buffer)
    }
}

struct Planned {
    index: usize,
    name: String,
    kind: Kind,
    words: Vec<u64>,
}

/// A CSV file that is read in chunks.
///
/// # Example
/// ```
/// use glassnet_data::{ColumnPlan, CsvStream, Kind, ReadOptions};
/// let text = "id,x\na,1\nb,2\nc,3\n";
/// let mut stream = CsvStream::from_reader("three.csv", text.as_bytes(), &ReadOptions::default())?;
/// assert_eq!(stream.columns(), ["id", "x"]);
/// stream.plan(&[ColumnPlan { name: "x".into(), kind: Kind::Number }])?;
/// let mut rows = 0;
/// while let Some(table) = stream.next_chunk(2)? {
///     assert_eq!(table.first_row, rows + 1);
///     rows += table.rows as u64;
/// }
/// assert_eq!(rows, 3);
/// # Ok::<(), glassnet_data::DataError>(())
/// ```
pub struct CsvStream {
    rows: Rows<Replayed>,
    cells: Cells,
    decoder: Decoder,
    dialect: Dialect,
    names: Vec<String>,
    planned: Vec<Planned>,
    ignored: Vec<String>,
    done: bool,
}

impl CsvStream {
    /// Opens a file (`-` is standard input) and looks at its first 256 KiB.
    ///
    /// Every column is planned as text, or as numbers where `options` asks for it, until [`CsvStream::plan`] says more.
    ///
    /// # Errors
    /// As [`crate::read_csv`], as far as they show in those bytes.
    pub fn open(path: &str, options: &ReadOptions) -> Result<Self> {
        Self::from_input(Input::open(path)?, options)
    }

    /// [`CsvStream::open`] from any reader; `name` is what messages call it.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static, options: &ReadOptions) -> Result<Self> {
        Self::from_input(Input::new(name, reader)?, options)
    }

    fn from_input(mut input: Input, options: &ReadOptions) -> Result<Self> {
        let mut prefix = Vec::new();
        let complete = input.fill(&mut prefix, PREFIX + 1)?;
        let opening = detect(&input.name, &prefix[..prefix.len().min(PREFIX)], complete, options)?;
        let (kept, _) = crate::rows::select(&input.name, &opening.names, options)?;
        let plan: Vec<ColumnPlan> = kept
            .iter()
            .map(|index| {
                let name = opening.names[*index].clone();
                let kind = if options.as_number.contains(&name) { Kind::Number } else { Kind::Text };
                ColumnPlan { name, kind }
            })
            .collect();
        let file = input.name.clone();
        let source = Replayed { prefix, at: opening.skip, input };
        let mut stream = CsvStream {
            rows: Rows::new(source, &file, &opening),
            cells: opening.cells,
            decoder: opening.decoder,
            dialect: opening.dialect,
            names: opening.names,
            planned: Vec::new(),
            ignored: Vec::new(),
            done: false,
        };
        stream.plan(&plan)?;
        Ok(stream)
    }

    /// The names of all columns in the file's order.
    pub fn columns(&self) -> &[String] {
        &self.names
    }

    /// How the file writes its table.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// Says what is read from here on. Columns that the plan doesn't name are ignored; chunks keep the file's order.
    ///
    /// # Errors
    /// [`DataError::MissingColumns`] names every planned column that the file doesn't have.
    pub fn plan(&mut self, plan: &[ColumnPlan]) -> Result<()> {
        let wanted = plan.iter().filter(|column| column.kind != Kind::Ignore);
        let missing: Vec<String> = wanted
            .filter(|column| !self.names.contains(&column.name))
            .map(|column| match nearest(&column.name, self.names.iter().map(String::as_str)) {
                Some(near) => format!("'{}' (did you mean '{near}'?)", column.name),
                None => format!("'{}'", column.name),
            })
            .collect();
        if !missing.is_empty() {
            return Err(DataError::MissingColumns {
                file: self.rows.file.clone(),
                names: missing.join(", "),
                available: listed(self.names.iter().map(String::as_str)),
            });
        }
        self.planned.clear();
        self.ignored.clear();
        for (index, name) in self.names.iter().enumerate() {
            match plan.iter().find(|column| column.name == *name && column.kind != Kind::Ignore) {
                Some(column) => {
                    let words = vec![0; self.cells.words().len()];
                    self.planned.push(Planned { index, name: name.clone(), kind: column.kind, words });
                }
                None => self.ignored.push(name.clone()),
            }
        }
        Ok(())
    }

    /// Reads up to `max_rows` rows (at least one); `None` at the end.
    ///
    /// # Errors
    /// A value that is no number in a column planned as numbers, an infinity there, a ragged row, and whatever else is
    /// wrong with the rows of this chunk; the stream then ends.
    pub fn next_chunk(&mut self, max_rows: usize) -> Result<Option<Table>> {
        if self.done {
            return Ok(None);
        }
        let chunk = self.read_chunk(max_rows.max(1));
        self.done = !matches!(chunk, Ok(Some(_)));
        chunk
    }

    fn read_chunk(&mut self, max_rows: usize) -> Result<Option<Table>> {
        let first_row = self.rows.row + 1;
        let mut lines = Vec::new();
        let mut values: Vec<Values> = self
            .planned
            .iter()
            .map(|column| match column.kind {
                Kind::Number => Values::Number(Vec::new()),
                _ => Values::Text(Text::default()),
            })
            .collect();
        while lines.len() < max_rows && self.rows.next()? {
            lines.push(self.rows.record.line);
            for (column, values) in self.planned.iter_mut().zip(&mut values) {
                let bytes = self.rows.record.field(column.index);
                let missing = self.cells.missing(bytes);
                if let Some(word) = missing {
                    column.words[word] += 1;
                }
                match values {
                    Values::Number(values) => match self.cells.tell(bytes) {
                        Cell::Missing(_) => values.push(f64::NAN),
                        Cell::Number(value) => values.push(value),
                        cell => {
                            let (file, name, place) = (&self.rows.file, &column.name, self.rows.place());
                            let value = String::from_utf8_lossy(bytes);
                            return Err(number_error(file, place, name, &value, cell, &self.dialect));
                        }
                    },
                    Values::Text(text) if missing.is_some() => text.push(None),
                    Values::Text(text) => match self.decoder.decode(bytes) {
                        Ok(value) => text.push(Some(&value)),
                        Err(bad) => {
                            let (file, name, place) = (&self.rows.file, &column.name, self.rows.place());
                            return Err(encoding_error(file, place, name, bad, &self.decoder));
                        }
                    },
                }
            }
        }
        self.dialect.quotes |= self.rows.records.quotes;
        self.dialect.encoding = self.decoder.encoding();
        if lines.is_empty() {
            if self.rows.row == 0 {
                return Err(DataError::HeaderOnly { file: self.rows.file.clone(), columns: self.names.len() });
            }
            return Ok(None);
        }
        let columns = self.planned.iter().zip(values);
        let columns = columns.map(|(column, values)| Column { name: column.name.clone(), values }).collect();
        Ok(Some(Table { source: self.rows.file.clone(), columns, rows: lines.len(), first_row, lines }))
    }

    /// What was understood so far; the hash and the numbers are the file's once `next_chunk` has given `None`.
    pub fn understood(&self) -> Understood {
        let input = &self.rows.records.source().input;
        let columns = self.planned.iter().map(|column| {
            let mut report = report(&column.name, column.kind, &column.words, &self.cells, &ReadOptions::default());
            report.asked = true;
            report
        });
        Understood {
            source: self.rows.file.clone(),
            format: "CSV",
            gzip: input.gzip,
            dialect: Some(self.dialect.clone()),
            rows: self.rows.row,
            columns: columns.collect(),
            ignored: self.ignored.clone(),
            warnings: Vec::new(),
            bytes: input.bytes(),
            hash: input.hash(),
        }
    }
}
