//! `glassnet cv`: how good a model of these settings would be, and how far that figure can be trusted. Everything that is learned from
//! rows is learned inside each fold: columns, scales, levels, weights, calibration.
//!
//! | file | what |
//! |---|---|
//! | `fold` | one fold: its data, its network, its training, its scores |
//! | `summary` | mean and spread over the folds, as a table and as JSON |
//! | `rows` | the out-of-fold predictions |

mod fold;
mod rows;
mod summary;

use std::path::PathBuf;

use glassnet::model::ModelError;
use glassnet::model::split::folds;
use glassnet::model::target::TargetSchema;

use super::predict::chunks::ids;
use super::train;
use super::train::args::{ColumnArgs, RecipeArgs, TrainingArgs};
use super::train::data;
use super::train::interrupt::Interrupt;
use super::train::settings::Settings;
use crate::error::CliError;
use crate::inputs::keep_inputs;
use crate::numbers::duration;
use crate::output::Output;
use crate::reading::ReadArgs;
use fold::{Done, Forecasted, Work};
use summary::Summary;

const EXAMPLES: &str = "\
Examples:
  glassnet cv orders.csv --target late
  glassnet cv orders.csv --target late --folds 10 --members 1
  glassnet cv flights.csv --target late15 --time time_hour --time-budget 5m
  glassnet cv orders.csv --target days --group customer -o out-of-fold.csv --id order
  glassnet cv orders.csv --target late --recipe plain --net \"64 relu\" --json

In each fold a model is fitted, validated and calibrated on the other folds' rows alone, with the settings that train would
take, and judged by rows that it has never seen. At random every row is judged once; with --group whole groups are; with
--time each fold is judged by rows that are later than all that it was fitted to, and the earliest rows are never judged.

Printed are each fold's scores, their mean and their spread (the standard deviation over folds), a constant guess beside
them, and in how many folds the calibration was seen to hold. -o writes row, fold, scores or prediction, and target.

Five folds of four members are twenty networks: the forecast says how long that takes; --members 1 is a quarter of it, and
--time-budget says how long all folds together may take. Ctrl-C reports the folds that are finished and exits with 130.";

/// Arguments of `cv`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A table: CSV (or .csv.gz, - for standard input), .npz or .npy
    #[arg(value_name = "DATA")]
    pub data: Option<String>,
    /// The column to predict
    #[arg(long, short, value_name = "COL")]
    pub target: Option<String>,
    /// Parts that the rows are dealt into; each is judged by a model of the others
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=100))]
    pub folds: u16,
    /// Where the out-of-fold predictions go, as CSV
    #[arg(long, short, visible_alias = "output", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The column that names the rows of -o; without it they are numbered
    #[arg(long, value_name = "COL", requires = "out")]
    pub id: Option<String>,
    /// Settings and network as TOML, as train reads them; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// What recipe is followed
    #[command(flatten)]
    pub recipe: FoldRecipeArgs,
    /// What the network and its training are
    #[command(flatten)]
    pub training: TrainingArgs,
    /// What the columns are
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// How the data is written
    #[command(flatten)]
    pub read: ReadArgs,

    /// Threads that work [default: one for each core, one for small networks]; the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// The recipe of `train`, as far as a fold has it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Recipe")]
pub struct FoldRecipeArgs {
    /// tabular (default: embeddings of numbers, four networks averaged, calibrated), tabm (TabM: 32 members in one network,
    /// several times dearer) or plain (one network of --net, Adam, early stopping)
    #[arg(long, value_name = "NAME")]
    pub recipe: Option<String>,
    /// Networks of other seeds in each fold that are trained side by side and averaged [default: 4 with the tabular recipe, else
    /// 1]; of tabm the members that its network has [default: 32]
    #[arg(long, value_name = "N")]
    pub members: Option<usize>,
    /// About how long all folds together may take, such as 60s, 5m or 1h: it chooses the number of epochs before it starts
    #[arg(long, value_name = "TIME", conflicts_with_all = ["epochs", "steps"])]
    pub time_budget: Option<String>,
    /// How scores become probabilities, fitted on each fold's validation rows: auto, temperature, affine, isotonic or off
    #[arg(long, value_name = "NAME")]
    pub calibration: Option<String>,
    /// Judge each fold by later rows than it is fitted to, by this column of numbers or dates
    #[arg(long, value_name = "COL", conflicts_with = "group")]
    pub time: Option<String>,
    /// Keep all rows of one value of this column (a customer) in the same part
    #[arg(long, value_name = "COL")]
    pub group: Option<String>,
}

impl Args {
    /// The same as `train` takes it.
    fn as_of_train(&self) -> train::Args {
        let FoldRecipeArgs { recipe, members, time_budget, calibration, time, group } = self.recipe.clone();
        train::Args {
            data: self.data.clone(),
            target: self.target.clone(),
            config: self.config.clone(),
            recipe: RecipeArgs { recipe, members, time_budget, calibration, time, group, ..RecipeArgs::default() },
            training: self.training.clone(),
            columns: self.columns.clone(),
            read: self.read.clone(),
            threads: self.threads,
            ..train::Args::default()
        }
    }
}

/// What was said, checked before any data is read.
fn settings(args: &Args) -> Result<Settings, CliError> {
    let settings = Settings::new(&args.as_of_train())?;
    let refuse = |what: &str, hint: &str| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
    if settings.text {
        return refuse("--task text: folds are of a table's rows, and a text has none", "glassnet train learns a text");
    }
    if settings.merge_affine {
        return refuse("--merge-affine changes a model that is written, and cv writes none", "leave it out");
    }
    Ok(settings)
}

/// Runs it.
///
/// # Errors
/// Wrong settings, data that cannot be used or that has too few rows, times or groups, a place that cannot be written to, a value that
/// is not finite, Ctrl-C.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let interrupt = Interrupt::saying(
        "interrupted: stopping after this step; the finished folds are reported (again to end at once)",
        "interrupted: stopping here; the finished folds are reported (again to end at once)",
    )?;
    let settings = settings(args)?;
    if let Some(out) = &args.out {
        let config = args.config.as_ref().map(|path| path.display().to_string());
        let read: Vec<&str> =
            [Some(&settings.data), config.as_ref()].into_iter().flatten().map(String::as_str).collect();
        keep_inputs(out, &read.into_iter().filter(|path| *path != "-").collect::<Vec<_>>())?;
        glassnet::data::write::check_writable(out)?;
    }
    if settings.valid.is_some() || settings.test.is_some() {
        output.message("the config's valid and test are not looked at: the folds are of the rows of its data");
    }
    let read = data::table(&settings)?;
    let names = args.id.as_deref().map(|id| ids(&read.table, id)).transpose()?;
    let options = data::fit_options(&settings, &read.target);
    let refused = |error: ModelError| match error {
        ModelError::Split { why, hint } => {
            CliError::Data(format!("{}: cannot be cut into folds: {why}\n  hint: {hint}", settings.data))
        }
        error => data::with_flags(&settings.data, error),
    };
    let (schema, targets) = TargetSchema::infer(&read.table, &options.target, options.task).map_err(refused)?;
    let asked = usize::from(args.folds);
    let folds = folds(&read.table, &targets, &options.split, asked, settings.seed).map_err(refused)?;
    for note in &read.notes {
        output.message(note);
    }

    let mut work = Work { settings, read, options, targets, folds, epochs: None };
    let mut next = Some(work.ready(0)?);
    let Some(first) = &mut next else { return Ok(()) };
    let forecast = work.forecast(first)?;
    say(output, &work, first, &forecast);

    let mut done: Vec<Done> = Vec::with_capacity(asked);
    for number in 0..asked {
        if interrupt.asked() {
            break;
        }
        let ready = match next.take() {
            Some(ready) => ready,
            None => work.ready(number)?,
        };
        let Some(fold) = ready.run(interrupt.clone(), &work, output)? else { break };
        let spent: f64 = done.iter().map(|fold| fold.seconds).sum::<f64>() + fold.seconds;
        let left = work.left(number) * spent;
        let left = if number + 1 < asked { format!("; {} left", duration(left)) } else { String::new() };
        output.message(&format!("fold {} of {asked}: {} ({}{left})", number + 1, fold.words(), duration(fold.seconds)));
        done.push(fold);
    }
    if done.is_empty() {
        return Err(CliError::Interrupted("interrupted before the first fold was finished: nothing is known".into()));
    }
    if let Some(out) = &args.out {
        let file = rows::csv(&done, &schema, &work.targets, args.id.as_deref().zip(names.as_deref()));
        glassnet::data::write::write_atomic(out, file.as_bytes())?;
    }
    let finished = done.len() == asked;
    let summary = Summary { work: &work, done: &done, asked, forecast: &forecast, out: args.out.as_deref() };
    let failure = (!finished).then(|| {
        CliError::Interrupted(format!("interrupted after {} of {asked} folds; these are reported", done.len()))
    });
    output.result(&summary.text(), &summary.as_json(failure.as_ref()))?;
    failure.map_or(Ok(()), Err)
}

/// What is about to be done.
fn say(output: &Output, work: &Work, first: &fold::Ready, forecast: &Forecasted) {
    if output.is_json() {
        return;
    }
    output.message(&train::understand::data(&first.data));
    for leak in &first.data.prepared.leaks {
        output.message(&leak.words);
    }
    if let Some(flag) = work.settings.around.plain_for {
        output.message(&format!(
            "recipe  plain, because of {flag}; without it the recipe for tables is followed (--recipe tabular)"
        ));
    }
    if let Some(words) = &forecast.budget {
        output.message(words);
    }
    output.message(&forecast.words(work.folds.len()));
}
