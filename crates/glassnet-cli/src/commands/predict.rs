//! `glassnet predict`: scores for rows, in chunks, so that a file larger than memory works.

pub mod band;
pub mod chunks;
pub mod rows;
pub mod sink;
mod top;
mod why;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::nn::nearest::nearest;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::share::share;
use band::Band;
use chunks::{Chunk, Chunks};
use rows::{Line, Queue, RowWriter, Shape};
use sink::Sink;
use top::Top;
use why::Why;

/// Arguments of `predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model file that `train -o` wrote
    pub model: String,
    /// A table with the training's columns (CSV, .csv.gz, npy, npz; - is standard input), IDX images or a folder of them
    pub data: String,
    /// Where the predictions go: a file, written whole or not at all; standard output without it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,
    /// The column that names the rows; without it they are numbered
    #[arg(long, value_name = "COL")]
    pub id: Option<String>,
    /// Sorts rows into two queues: a score of at least this goes above, any other below
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub threshold: Option<f64>,
    /// The queue of rows at or above the threshold
    #[arg(long, value_name = "NAME", requires = "threshold", default_value = "above")]
    pub above: String,
    /// The queue of the other rows
    #[arg(long, value_name = "NAME", requires = "threshold", default_value = "below")]
    pub below: String,
    /// The class whose score the threshold, the ranking and the reasons are for; of two classes the second
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// Only the N rows with the highest score (or predicted number), the highest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top: Option<u32>,
    /// Adds up to N reasons to each row, in words and percentage points; needs the training rows that the model file holds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub reasons: Option<u32>,
    /// Of a predicted number: adds low and high, between which the truth lies in that share of rows
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub interval: Option<f64>,
    /// How rows are written; csv, or what the ending of -o says (.json, .txt)
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Which images of a folder; test where it has any
    #[arg(long, value_name = "PART")]
    pub part: Option<Part>,
    /// Threads; the numbers do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    pub threads: u16,
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line a row, numbers in full
    Csv,
    /// One line a row, for a person
    Text,
    /// One object with an array of rows
    Json,
}

const EXAMPLES: &str = "\
Examples:
  glassnet predict late.glass new.csv -o scores.csv
  glassnet predict late.glass new.csv --id order --threshold 0.6 --above review --below monitor
  glassnet predict late.glass new.csv --id order --top 200 --reasons 3 -o work.csv
  glassnet predict prices.glass new.csv --interval 90%
  zcat big.csv.gz | glassnet predict late.glass - --format json | jq .predictions
  glassnet predict late.glass new.csv --id order --format text | head

The columns written: the identifier (or row, counted from 1); for every class probability_<class> where the model's calibration
was seen to hold, else score_<class>; class; queue where there is a threshold. With --top of all classes only the one that
rows are ranked by, without class. Of a regression: prediction, and low and high with --interval; they stay within the numbers
of training where the model keeps these. Then reason_1, reason_2, ... with --reasons. The target need not be there. Rows
stream: memory does not grow with the file, with --top only with N.";

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    let shape = shape(args, &model)?;
    let team = Team::new(usize::from(args.threads));
    let class = shape.ranked.or(shape.queue.as_ref().map(|queue| queue.output));
    let class = if args.class.is_some() { class_of(args, &model, "--class")? } else { class };
    let class = class.filter(|_| model.classes().is_some());
    let why = match shape.reasons {
        0 => None,
        most => Some(Why::new(&model, &args.model, class, most, team.clone())?),
    };
    let mut top = args.top.map(|most| Top::new(most as usize, shape.ranked.unwrap_or(0), why.is_some()));
    let wanted = Wanted { id: args.id.as_deref(), ..Wanted::default() };
    let data = model_data::open(&model, &args.data, &args.reading.options(), args.part, wanted)?;
    let mut chunks = Chunks::new(&model, data, args.id.as_deref(), why.is_some(), team)?;
    let format = format(args, output);
    // The first rows are worked out before anything is opened for writing: most errors show there.
    let mut next = chunks.next()?;
    let sink = match args.output.as_deref() {
        None | Some("-") => Sink::stdout(),
        Some(path) => Sink::file(path, &[&args.data, &args.model])?,
    };
    let to_file = sink.is_file();
    if !to_file && format == Format::Json {
        output.streams_json();
    }
    let interrupted = Arc::new(AtomicBool::new(false));
    if to_file {
        let flag = Arc::clone(&interrupted);
        // A second Ctrl-C ends the program at once: it may be waiting for standard input. Where no handler can be set the
        // first does; then only a temporary file stays behind.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
    }
    let progress = Progress::new(output.draws() && to_file);
    let mut writer = RowWriter::new(&model, args.id.as_deref(), shape, format, sink);
    writer.begin()?;
    while let Some(chunk) = next {
        match &mut top {
            Some(top) => top.chunk(&model, &chunk),
            None => write(&mut writer, &model, &chunk, why.as_ref())?,
        }
        progress.rows(top.as_ref().map_or(writer.rows(), |top| top.seen));
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
        next = chunks.next()?;
    }
    let seen = top.as_ref().map_or(writer.rows(), |top| top.seen);
    // Also after the last row: a pipe that ended on the same Ctrl-C has not given all.
    if interrupted.load(Ordering::SeqCst) {
        return Err(CliError::Interrupted(format!("interrupted after {seen} rows; nothing was written")));
    }
    if let Some(top) = top {
        for (kept, reasons) in top.finish(why.as_ref())? {
            writer.row(&Line { row: kept.row, id: kept.id.as_deref(), scores: &kept.scores, reasons: &reasons })?;
        }
    }
    let rows = writer.rows();
    let notices = chunks.notices();
    let counts = writer.finish(notices)?;
    progress.done();
    notices.say(output);
    if let Some(path) = args.output.as_deref().filter(|_| to_file) {
        let plural = if rows == 1 { "row" } else { "rows" };
        let of = if seen == rows { String::new() } else { format!(" of {seen}") };
        let queues: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let queues = if queues.is_empty() { String::new() } else { format!(" ({})", queues.join(", ")) };
        let value = serde_json::json!({
            "model": args.model, "data": args.data, "output": path, "rows": rows, "rows_read": seen, "queues": counts,
            "ignored_columns": notices.ignored_columns, "unseen": notices.unseen,
        });
        match output.is_json() {
            true => output.result("", &value)?,
            false => output.message(&format!("{rows} {plural}{of} -> {path}{queues}")),
        }
    }
    Ok(())
}

/// Writes a chunk's rows, with their reasons where they are wanted.
fn write(writer: &mut RowWriter<'_>, model: &Model, chunk: &Chunk, why: Option<&Why<'_>>) -> Result<(), CliError> {
    let all = why.map(|why| why.chunk(chunk)).transpose()?;
    for (place, scores) in chunk.scores.chunks_exact(model.outputs().max(1)).enumerate() {
        let id = chunk.ids.as_ref().and_then(|ids| ids.get(place)).map(String::as_str);
        let reasons = all.as_ref().and_then(|all| all.get(place)).map_or(&[][..], Vec::as_slice);
        writer.row(&Line { row: chunk.first_row + place as u64, id, scores, reasons })?;
    }
    writer.flush()
}

/// What is written about each row, checked against the model.
fn shape(args: &Args, model: &Model) -> Result<Shape, CliError> {
    let queue = queue(args, model)?;
    let band = args.interval.map(|level| Band::new(model, &args.model, level)).transpose()?;
    let ranked = match args.top {
        Some(_) => Some(class_of(args, model, "--top")?.unwrap_or(0)),
        None => None,
    };
    if args.class.is_some() && queue.is_none() && ranked.is_none() && args.reasons.is_none() {
        return Err(CliError::Usage(
            "--class says whose score --threshold, --top or --reasons is for, and none of them is there\n  hint: leave --class out: \
             the scores of all classes are written"
                .into(),
        ));
    }
    Ok(Shape { queue, band, reasons: args.reasons.map_or(0, |most| most as usize), ranked })
}

fn format(args: &Args, output: &Output) -> Format {
    let path = args.output.as_deref().unwrap_or("-");
    match args.format {
        Some(format) => format,
        None if path.ends_with(".json") => Format::Json,
        None if path.ends_with(".txt") => Format::Text,
        None if path == "-" && output.is_json() => Format::Json,
        None => Format::Csv,
    }
}

/// The queues, checked against the model's classes.
fn queue(args: &Args, model: &Model) -> Result<Option<Queue>, CliError> {
    let Some(threshold) = args.threshold else { return Ok(None) };
    let (above, below) = (args.above.clone(), args.below.clone());
    if model.classes().is_some() && !(0.0..=1.0).contains(&threshold) {
        return Err(CliError::Usage(format!(
            "--threshold {threshold}: scores lie between 0 and 1\n  hint: try 0.5; a lower one sends more rows above"
        )));
    }
    let output = class_of(args, model, "--threshold")?.unwrap_or(0);
    Ok(Some(Queue { output, threshold, above, below }))
}

/// The class that is meant: the one that was named, of two the second; `None` of a regression.
fn class_of(args: &Args, model: &Model, flag: &str) -> Result<Option<usize>, CliError> {
    let usage = |what: String, hint: String| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
    let Some(classes) = model.classes() else {
        if args.class.is_some() {
            return usage("--class: this model predicts a number, not a class".into(), "leave --class out".into());
        }
        return Ok(None);
    };
    match &args.class {
        Some(name) => match classes.iter().position(|class| class == name) {
            Some(place) => Ok(Some(place)),
            None => {
                let near = nearest(name, classes.iter().map(String::as_str));
                let all = format!("its classes are {}", classes.join(", "));
                let hint = near.map_or(all.clone(), |near| format!("did you mean '{near}'? ({all})"));
                usage(format!("--class {name}: the model has no such class"), hint)
            }
        },
        None if classes.len() == 2 => Ok(Some(1)),
        None => usage(
            format!("{flag}: the model has {} classes; whose score is meant?", classes.len()),
            format!("name one with --class: {}", classes.join(", ")),
        ),
    }
}

/// Rows done, for a person who waits.
struct Progress(Option<indicatif::ProgressBar>);

impl Progress {
    fn new(draw: bool) -> Self {
        Progress(draw.then(|| {
            let bar = indicatif::ProgressBar::new_spinner();
            let style = indicatif::ProgressStyle::with_template("{human_pos} rows, {per_sec}, {elapsed}");
            style.map_or(bar.clone(), |style| bar.with_style(style))
        }))
    }

    fn rows(&self, rows: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(rows);
        }
    }

    fn done(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
