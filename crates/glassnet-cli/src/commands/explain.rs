//! `glassnet explain`: why the model says what it says, in the user's own columns; what a column is worth; what would change.

mod compare;
mod global;
mod one;
mod rows;
mod what_if;

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::explain::{Explainer, Options};
use glassnet::model::file::Features;
use glassnet::nn::nearest::nearest;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data;
use crate::output::Output;
use crate::reading::ReadArgs;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model file that `train -o` wrote
    pub model: String,
    /// A table with the training's columns (CSV, .csv.gz, npy, npz; - is standard input)
    pub data: String,
    /// Which row of DATA, counted from 1 [default: 1]
    #[arg(long, value_name = "K", conflicts_with_all = ["all", "global"], value_parser = clap::value_parser!(u64).range(1..))]
    pub row: Option<u64>,
    /// Every row, one line each
    #[arg(long, conflicts_with = "global")]
    pub all: bool,
    /// What each column is worth on DATA, which has the true values and was not trained on: how much the loss rises when the
    /// column is shuffled
    #[arg(long, conflicts_with_all = ["set", "class", "fast", "id"])]
    pub global: bool,
    /// The class whose log-odds are explained; of two classes the second, of more the one that is predicted
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
    /// What if: the row with another value in a column; may be repeated. COL= is a missing value
    #[arg(long, value_name = "COL=VALUE", conflicts_with = "all")]
    pub set: Vec<String>,
    /// Show the N columns that count most, the others as one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub top: Option<u32>,
    /// Integrated gradients: some twenty times faster, from one typical row instead of many
    #[arg(long)]
    pub fast: bool,
    /// Rows to compare with, in place of the training rows that the model file holds: 128 of this table, drawn by the seed
    #[arg(long, value_name = "DATA", conflicts_with = "global")]
    pub background: Option<String>,
    /// Compare with N rows of the background only: half of them take half the time
    #[arg(long, value_name = "N", conflicts_with = "global", value_parser = clap::value_parser!(u8).range(1..=128))]
    pub against: Option<u8>,
    /// How often each row of the background is gone through, where there are too many columns to count all their coalitions
    /// out: four times as many halve the error
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub passes: u32,
    /// Shuffles of each column, with --global
    #[arg(long, value_name = "N", default_value_t = 5, requires = "global", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub repeats: u32,
    /// What permutations and shuffles are drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// The column that names the rows, with --all; without it they are numbered
    #[arg(long, value_name = "COL", requires = "all")]
    pub id: Option<String>,
    /// How it is written: text, csv or json; of --all csv, or what the ending of -o says (.json, .txt), else text
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Where it goes: a file, written whole or not at all; standard output without it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<String>,
    /// Threads [default: one for each core]; the numbers do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub reading: ReadArgs,
}

/// How explanations are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a person
    Text,
    /// A line a row, numbers in full: adds_<column> is what the column adds to the base
    Csv,
    /// One object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  glassnet explain late.glass new.csv --row 3
  glassnet explain late.glass new.csv --row 3 --set express=yes --set amount=20
  glassnet explain late.glass new.csv --all --id order -o why.csv
  glassnet explain late.glass test.csv --global
  glassnet explain types.glass new.csv --row 3 --class maple --top 5

The output of a row is a base plus what each column adds to it; the sum is the output, and what is missing to it is printed.
Of classes it is the log-odds ln p / (1 - p) of one class that are added up, of a number the number. A column is compared with
its values in up to 128 training rows, which the model file holds (train --no-background leaves them out). Up to 10 columns
the numbers are exact Shapley values, beyond they are estimated from permutations, with an exact sum. Percentage points share
out the change of the score in proportion to the log-odds. Columns are not causes: they say what the model goes by.";

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    let about = match &model.document().preprocess {
        Features::Table(_) => None,
        Features::Images(_) => Some("images; glassnet trace --maps shows what its layers make of one"),
        Features::Text(_) => Some("text; glassnet trace --text shows what its layers make of one"),
    };
    if let Some(about) = about {
        return Err(CliError::Usage(format!(
            "{}: explain goes by the columns of a table, but this model learned from {}",
            args.model,
            about.replacen("; ", "\n  hint: ", 1)
        )));
    }
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let team = Team::new(threads);
    if args.global {
        return global::run(args, &model, &team, output);
    }
    let class = class(args, &model)?;
    let given = match &args.background {
        Some(path) => Some(compare::background(args, &model, path)?),
        None => None,
    };
    let Some(background) = given.as_ref().or(model.background()) else {
        return Err(CliError::Usage(format!(
            "{}: the model file holds no training rows to compare with\n  hint: give rows like those of training with --background \
             DATA, or train again without --no-background",
            args.model
        )));
    };
    let fewer = args.against.map(|rows| background.first(usize::from(rows)));
    let background = fewer.as_ref().unwrap_or(background);
    let options = Options { fast: args.fast, passes: args.passes, seed: args.seed, ..Options::default() };
    let explainer = Explainer::new(&model, background, options)?;
    let subject =
        Subject { args, model: &model, explainer: &explainer, compared: background.rows(), class, team: &team };
    if args.all { rows::run(&subject, output) } else { one::run(&subject, output) }
}

/// What every way to explain needs.
pub struct Subject<'a> {
    pub args: &'a Args,
    pub model: &'a Model,
    pub explainer: &'a Explainer<'a>,
    /// Rows of the background.
    pub compared: usize,
    pub class: Option<usize>,
    pub team: &'a Team,
}

impl Args {
    /// How it is written, and whether to a file.
    fn format(&self, output: &Output) -> Format {
        let path = self.output.as_deref().unwrap_or("-");
        match self.format {
            Some(format) => format,
            None if path.ends_with(".json") => Format::Json,
            None if path.ends_with(".txt") => Format::Text,
            None if path.ends_with(".csv") => Format::Csv,
            None if path == "-" && output.is_json() => Format::Json,
            None if self.all => Format::Csv,
            None => Format::Text,
        }
    }

    /// The files that are read: no output may take their place.
    fn inputs(&self) -> Vec<&str> {
        [Some(self.model.as_str()), Some(self.data.as_str()), self.background.as_deref()]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// The class that was asked for.
fn class(args: &Args, model: &Model) -> Result<Option<usize>, CliError> {
    let Some(name) = &args.class else { return Ok(None) };
    let Some(classes) = model.classes() else {
        let what = format!("--class {name}: this model predicts a number, not a class");
        return Err(CliError::Usage(format!("{what}\n  hint: leave --class out")));
    };
    if let Some(place) = classes.iter().position(|class| class == name) {
        return Ok(Some(place));
    }
    let all = format!("its classes are {}", classes.join(", "));
    let near = nearest(name, classes.iter().map(String::as_str));
    let hint = near.map_or(all.clone(), |near| format!("did you mean '{near}'? ({all})"));
    Err(CliError::Usage(format!("--class {name}: the model has no such class\n  hint: {hint}")))
}
