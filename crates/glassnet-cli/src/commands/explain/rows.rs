//! Every row, one line each, in chunks: memory does not grow with the file.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glassnet::model::Model;
use glassnet::model::explain::{Explanation, reasons};
use glassnet::model::table::Table;

use super::{Format, Subject};
use crate::commands::predict::chunks::ids;
use crate::commands::predict::rows::{field, string};
use crate::commands::predict::sink::Sink;
use crate::error::CliError;
use crate::model_data::{self, ModelData, Notices, Wanted, extra_columns};
use crate::output::Output;
use crate::row;

/// Rows that are read and explained at a time.
const ROWS: usize = 512;

/// Reasons of a line of text where nobody says how many.
const REASONS: usize = 3;

/// Runs it.
pub fn run(subject: &Subject<'_>, output: &mut Output) -> Result<(), CliError> {
    let (args, model) = (subject.args, subject.model);
    let id = args.id.as_deref();
    let data = model_data::open(model, &args.data, &args.reading.options(), None, Wanted { id, ..Wanted::default() })?;
    let mut notices = Notices::default();
    let mut chunks = match data {
        ModelData::Stream(stream) => {
            notices.ignored_columns = extra_columns(model, stream.columns(), id);
            Chunks::Stream(stream)
        }
        ModelData::Table(table, _) => {
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            notices.ignored_columns = extra_columns(model, &names, id);
            Chunks::Whole(Some(table))
        }
        ModelData::Images(..) => Chunks::Whole(None),
    };
    let format = args.format(output);
    // The first rows are worked out before anything is opened for writing: most errors show there.
    let mut next = chunks.next()?;
    let mut writer = Writer { subject, format, rows: 0, lines: String::new() };
    writer.begin(id.unwrap_or("row"));
    if let Some(table) = &next {
        writer.table(table, &mut notices)?;
    }
    let mut sink = match args.output.as_deref() {
        None | Some("-") => Sink::stdout(),
        Some(path) => Sink::file(path, &args.inputs())?,
    };
    if !sink.is_file() {
        output.streams_json();
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    if sink.is_file() {
        let flag = Arc::clone(&interrupted);
        // A second Ctrl-C ends the program at once: it may be waiting for standard input. Where no handler can be set the
        // first does; then only a temporary file stays behind.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
    }
    while next.is_some() && !interrupted.load(Ordering::SeqCst) {
        sink.write(writer.lines.as_bytes())?;
        sink.flush()?;
        writer.lines.clear();
        next = chunks.next()?;
        if let Some(table) = &next {
            writer.table(table, &mut notices)?;
        }
    }
    if interrupted.load(Ordering::SeqCst) {
        return Err(CliError::Interrupted(format!("interrupted after {} rows; nothing was written", writer.rows)));
    }
    writer.end();
    sink.write(writer.lines.as_bytes())?;
    sink.finish()?;
    notices.say(output);
    if let Some(path) = args.output.as_deref().filter(|path| *path != "-") {
        let rows = writer.rows;
        output.message(&format!("{rows} {} -> {path}", if rows == 1 { "row" } else { "rows" }));
    }
    Ok(())
}

enum Chunks {
    Stream(Box<glassnet::data::CsvStream>),
    Whole(Option<Table>),
}

impl Chunks {
    fn next(&mut self) -> Result<Option<Table>, CliError> {
        match self {
            Chunks::Stream(stream) => Ok(stream.next_chunk(ROWS)?),
            Chunks::Whole(table) => Ok(table.take()),
        }
    }
}

/// Makes lines of explanations.
struct Writer<'a> {
    subject: &'a Subject<'a>,
    format: Format,
    rows: u64,
    lines: String,
}

impl Writer<'_> {
    fn begin(&mut self, id: &str) {
        let model = self.subject.model;
        match self.format {
            Format::Csv => self.lines.push_str(&header(model, id)),
            Format::Text => {}
            Format::Json => {
                self.lines.push_str("{\"target\":");
                string(&mut self.lines, model.target());
                let compared = self.subject.compared;
                let columns = serde_json::json!(model.columns());
                let _ = write!(self.lines, ",\"columns\":{columns},\"background_rows\":{compared},\"explanations\":[");
            }
        }
    }

    fn table(&mut self, table: &Table, notices: &mut Notices) -> Result<(), CliError> {
        let Subject { args, model, explainer, class, team, .. } = self.subject;
        let (encoded, rows, noticed) = model.encode_table(table, false)?;
        notices.add(&noticed);
        let names = args.id.as_deref().map(|id| ids(table, id)).transpose()?;
        let explanations = explainer.explain(&encoded, &rows, *class, team)?;
        let scores = model.scores(&mut model.runner((*team).clone()), &encoded, &rows)?;
        let outputs = model.outputs().max(1);
        for (place, (explanation, scores)) in explanations.iter().zip(scores.chunks_exact(outputs)).enumerate() {
            let number = table.first_row.max(1) + place as u64;
            let name = names.as_ref().and_then(|names| names.get(place)).cloned();
            let written = name.clone().unwrap_or_else(|| number.to_string());
            match self.format {
                Format::Csv => line(&mut self.lines, model, &Line { name: &written, explanation, scores }),
                Format::Text => {
                    let values: Vec<Option<String>> =
                        model.columns().iter().map(|name| row::raw(table, name, place)).collect();
                    let most = args.top.map_or(REASONS, |top| top as usize);
                    let why = reasons(model, explanation, &values, most);
                    let why: Vec<&str> = why.iter().map(|reason| reason.words.as_str()).collect();
                    let name = name.unwrap_or_else(|| format!("row {number}"));
                    let is =
                        match explanation.class.and_then(|class| model.classes()?.get(class).zip(scores.get(class))) {
                            Some((class, score)) => format!("{class} {score:.3}"),
                            None => scores.first().copied().unwrap_or(f32::NAN).to_string(),
                        };
                    let _ = writeln!(self.lines, "{name}: {is}: {}", why.join("; "));
                }
                Format::Json => {
                    self.lines.push_str(if self.rows == 0 { "\n" } else { ",\n" });
                    let class = explanation.class.and_then(|class| model.classes()?.get(class));
                    let mut object = serde_json::json!({
                        "row": number, "class": class, "base": explanation.base, "output": explanation.output,
                        "residual": explanation.residual, "method": explanation.method,
                        "adds": explanation.contributions, "scores": scores,
                    });
                    if let Some(name) = name {
                        object["id"] = serde_json::json!(name);
                    }
                    let _ = write!(self.lines, "{object}");
                }
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn end(&mut self) {
        if self.format == Format::Json {
            let _ = writeln!(self.lines, "\n],\"rows\":{}}}", self.rows);
        }
    }
}

/// The first line of a CSV.
pub fn header(model: &Model, id: &str) -> String {
    let mut text = String::new();
    field(&mut text, id);
    text.push_str(if model.classes().is_some() {
        ",class,base,output,score,residual"
    } else {
        ",base,output,residual"
    });
    for name in model.columns() {
        text.push(',');
        field(&mut text, &format!("adds_{name}"));
    }
    text.push('\n');
    text
}

/// What a line of a CSV is made of.
pub struct Line<'a> {
    /// The row's name or number.
    pub name: &'a str,
    /// Its explanation.
    pub explanation: &'a Explanation,
    /// Its scores, as predict gives them.
    pub scores: &'a [f32],
}

/// A line of a CSV; numbers in the fewest digits that read back to them.
pub fn line(text: &mut String, model: &Model, line: &Line<'_>) {
    let Line { name, explanation, scores } = line;
    field(text, name);
    if let Some(class) = explanation.class {
        text.push(',');
        field(text, model.classes().and_then(|classes| classes.get(class)).map_or("", String::as_str));
    }
    let _ = write!(text, ",{:?},{:?}", explanation.base, explanation.output);
    if let Some(class) = explanation.class {
        let _ = write!(text, ",{:?}", scores.get(class).copied().unwrap_or(f32::NAN));
    }
    let _ = write!(text, ",{:?}", explanation.residual);
    for contribution in &explanation.contributions {
        let _ = write!(text, ",{contribution:?}");
    }
    text.push('\n');
}
