//! `glassnet recalibrate`: the same network, its calibration (or its intervals) fitted again to recent rows.

mod again;

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use glassnet::core::Team;
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::model::Model;
use glassnet::nn::calibration::Kind;
use serde::Serialize;
use serde_json::json;

use crate::commands::evaluate::{Labelled, encode};
use crate::error::CliError;
use crate::hash;
use crate::inputs::keep_inputs;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, Need, Part, Wanted};
use crate::numbers::{number, thousands};
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::words::one_of;
use again::{Again, classes, numbers};

/// Arguments of `recalibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model file that `train -o` wrote; replaced unless -o says another place
    pub model: String,
    /// Recent rows with their true values, which the model was not trained on
    pub data: String,
    /// Where the model goes; without it the model file itself is replaced, whole or not at all
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,
    /// How scores become probabilities: auto (affine of two classes, else temperature), temperature, affine, isotonic
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = kind)]
    pub calibration: Wish,
    /// Which images of a folder; test where it has any
    #[arg(long, value_name = "PART")]
    pub part: Option<Part>,
    /// Threads; the numbers do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    pub threads: u16,
    #[command(flatten)]
    pub reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet recalibrate late.glass lastweeks.csv
  glassnet recalibrate late.glass lastweeks.csv -o late-monday.glass
  glassnet recalibrate late.glass lastweeks.csv --calibration isotonic
  glassnet recalibrate prices.glass lastweeks.csv

The weights stay as they are, to the byte; only what stands behind them is fitted again: how scores become probabilities, or how
wide the intervals around a number are. Give rows that the model was not trained on, such as those of the last four weeks.
What is printed as `after` is honest: each half of the rows is judged by a fit on the other half. At least 100 rows of
classes, 20 of numbers. Without -o the model file is replaced.";

/// How scores are to become probabilities; `None`: what the classes can bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish(Option<Kind>);

fn kind(text: &str) -> Result<Wish, String> {
    let known = [
        ("auto", Wish(None)),
        ("temperature", Wish(Some(Kind::Temperature))),
        ("affine", Wish(Some(Kind::Affine))),
        ("isotonic", Wish(Some(Kind::Isotonic))),
    ];
    one_of("calibration", text, &known)
}

/// What was done.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    data: String,
    output: String,
    /// Whether a file of that name was replaced.
    replaced: bool,
    rows: usize,
    #[serde(flatten)]
    again: Again,
    weights_hash: String,
}

/// Runs it.
///
/// # Errors
/// Rows that nothing can be fitted to; a place that cannot be written to.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    if model.text().is_some() {
        let hint = "only models of tables and images have a calibration";
        return Err(CliError::Usage(format!("{}: this model learned from text\n  hint: {hint}", args.model)));
    }
    if model.classes().is_none() && args.calibration.0.is_some() {
        let hint = "leave it out: the intervals around the number are found again";
        return Err(CliError::Usage(format!("--calibration: this model predicts a number\n  hint: {hint}")));
    }
    let out = PathBuf::from(args.output.as_deref().unwrap_or(&args.model));
    keep_inputs(&out, &[&args.data])?;
    check_writable(&out)?;
    let wanted = Wanted { target: Need::Must, ..Wanted::default() };
    let data = model_data::open(&model, &args.data, &args.reading.options(), args.part, wanted)?;
    let rows = encode(&model, data, None)?;
    rows.notices.say(output);
    if rows.blank > 0 {
        output.message(&format!("set aside: {} rows whose {} is blank", rows.blank, model.target()));
    }
    if rows.seen {
        let what = "these are the rows that the model was trained on (the data has the training's hash): on them it is surer than on others";
        return Err(CliError::Data(format!("{}: {what}\n  hint: give rows that it has not seen", args.data)));
    }
    let team = Team::new(usize::from(args.threads));
    let (mut model, again) = match model.classes() {
        Some(_) => classes(model, &rows, args.calibration.0, &team),
        None => numbers(model, &rows, &team),
    }
    .map_err(|error| match error {
        CliError::Data(what) => CliError::Data(format!("{}: {what}", args.data)),
        other => other,
    })?;
    remember(&mut model, &rows);
    let replaced = out.exists();
    write_atomic(&out, &model.to_bytes()?)?;
    let report = Report {
        model: args.model.clone(),
        data: args.data.clone(),
        output: out.display().to_string(),
        replaced,
        rows: rows.rows.len(),
        again,
        weights_hash: hash::weights(model.members()),
    };
    output.result(&report.to_string(), &report)
}

/// Writes into the model file which rows it is now fitted to.
fn remember(model: &mut Model, rows: &Labelled) {
    let count = rows.rows.len();
    let document = model.document_mut();
    if let (Some(reference), Some(target), Some(targets)) =
        (document.reference.take(), &document.schema.target, &rows.targets)
    {
        document.reference = Some(reference.recalibrated_on(target, targets, &targets.rows));
    }
    document.provenance.settings.insert("recalibrated".into(), json!({ "rows": count }));
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows = thousands(self.rows as u64);
        writeln!(f, "{} fitted again to {}: {rows} rows", self.model, self.data)?;
        writeln!(f, "{:16}{:>9}  {:>9}", "", "before", "after")?;
        let cell = |value: Option<f64>| value.map_or("-".to_owned(), number);
        for (name, before, after) in self.again.figures() {
            writeln!(f, "{name:16}{:>9}  {:>9}", cell(before), cell(after))?;
        }
        writeln!(f, "after: each half of the rows by a fit on the other half")?;
        writeln!(f, "{}", self.again.verdict())?;
        writeln!(f, "weights {} as before", self.weights_hash)?;
        let replaced = if self.replaced { "; the file of that name was replaced" } else { "" };
        writeln!(f, "model {}{replaced}", self.output)
    }
}
