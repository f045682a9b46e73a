//! `glassnet predict`: scores for rows, in chunks, so that a file larger than memory works.

pub mod chunks;
pub mod rows;
pub mod sink;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::nn::nearest::nearest;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, Need, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use chunks::Chunks;
use rows::{Queue, RowWriter};
use sink::Sink;

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
    /// The class whose score the threshold is for; of two classes the second
    #[arg(long, value_name = "NAME", requires = "threshold")]
    pub class: Option<String>,
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
  zcat big.csv.gz | glassnet predict late.glass - --format json | jq .predictions
  glassnet predict late.glass new.csv --id order --format text | head

The columns written: the identifier (or row, counted from 1), score_<class> for every class, class, and queue where there
is a threshold; of a regression: prediction. Scores are not probabilities: nothing has calibrated them. The target need
not be there. Rows stream: memory does not grow with the file.";

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    let queue = queue(args, &model)?;
    let wanted = Wanted { target: Need::No, id: args.id.as_deref() };
    let data = model_data::open(&model, &args.data, &args.reading.options(), args.part, wanted)?;
    let mut chunks = Chunks::new(&model, data, args.id.as_deref(), Team::new(usize::from(args.threads)))?;
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
    let mut writer = RowWriter::new(&model, args.id.as_deref(), queue, format, sink);
    writer.begin()?;
    while let Some(chunk) = next {
        writer.chunk(&chunk)?;
        progress.rows(writer.rows());
        if interrupted.load(Ordering::SeqCst) {
            break;
        }
        next = chunks.next()?;
    }
    // Also after the last row: a pipe that ended on the same Ctrl-C has not given all.
    if interrupted.load(Ordering::SeqCst) {
        return Err(CliError::Interrupted(format!("interrupted after {} rows; nothing was written", writer.rows())));
    }
    let rows = writer.rows();
    let notices = chunks.notices();
    let counts = writer.finish(notices)?;
    progress.done();
    notices.say(output);
    if let Some(path) = args.output.as_deref().filter(|_| to_file) {
        let plural = if rows == 1 { "row" } else { "rows" };
        let queues: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        let queues = if queues.is_empty() { String::new() } else { format!(" ({})", queues.join(", ")) };
        let value = serde_json::json!({
            "model": args.model, "data": args.data, "output": path, "rows": rows, "queues": counts,
            "ignored_columns": notices.ignored_columns, "unseen": notices.unseen,
        });
        match output.is_json() {
            true => output.result("", &value)?,
            false => output.message(&format!("{rows} {plural} -> {path}{queues}")),
        }
    }
    Ok(())
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
    let usage = |what: String, hint: String| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
    let (above, below) = (args.above.clone(), args.below.clone());
    let Some(classes) = model.classes() else {
        if args.class.is_some() {
            return usage("--class: this model predicts a number, not a class".into(), "leave --class out".into());
        }
        return Ok(Some(Queue { output: 0, threshold, above, below }));
    };
    if !(0.0..=1.0).contains(&threshold) {
        return usage(
            format!("--threshold {threshold}: scores lie between 0 and 1"),
            "try 0.5; a lower one sends more rows above".into(),
        );
    }
    let output = match &args.class {
        Some(name) => match classes.iter().position(|class| class == name) {
            Some(place) => place,
            None => {
                let near = nearest(name, classes.iter().map(String::as_str));
                let all = format!("its classes are {}", classes.join(", "));
                let hint = near.map_or(all.clone(), |near| format!("did you mean '{near}'? ({all})"));
                return usage(format!("--class {name}: the model has no such class"), hint);
            }
        },
        None if classes.len() == 2 => 1,
        None => {
            return usage(
                format!("--threshold: the model has {} classes; whose score is meant?", classes.len()),
                format!("name one with --class: {}", classes.join(", ")),
            );
        }
    };
    Ok(Some(Queue { output, threshold, above, below }))
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
