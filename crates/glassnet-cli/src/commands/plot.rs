//! `glassnet plot`: curves of runs, or columns of a table, as an SVG.

mod columns;
mod curves;

use std::path::PathBuf;

use clap::ValueEnum;
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::report::plot::{Chart, Picture};
use serde_json::json;

use crate::error::CliError;
use crate::inputs::keep_inputs;
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::runs::{Content, content};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Runs: training and validation loss by epoch, the chosen epoch marked
    Loss,
    /// Runs: accuracy on training and validation rows by epoch
    Accuracy,
    /// Runs: learning rate by epoch
    LearningRate,
    /// Runs: largest norm of the gradients by epoch
    GradientNorm,
    /// Tables: each -y against -x, joined in the order of the rows
    Line,
    /// Tables: the same as steps
    Step,
    /// Tables: each -y against -x as points
    Scatter,
    /// Tables: how often which value, of each -y or of each group of --by
    Hist,
    /// Tables: rows of each value of -x, or means of -y; in groups with --by
    Bars,
}

/// Arguments of `plot`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Models (.glass), objects that `train --json` printed, or one table
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// What is drawn; otherwise what fits
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<Kind>,
    /// The column below; without it the number of the row
    #[arg(long, short, value_name = "COL")]
    pub x: Option<String>,
    /// The columns that are drawn; without it all columns of numbers, seven at most
    #[arg(long, short, value_name = "COLS", value_delimiter = ',')]
    pub y: Vec<String>,
    /// A column whose values make groups, each with a colour of its own
    #[arg(long, value_name = "COL")]
    pub by: Option<String>,
    /// Bars of groups on top of each other
    #[arg(long)]
    pub stacked: bool,
    /// Bars of a histogram
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub bins: u32,
    /// Where the SVG goes; without it to standard output
    #[arg(long, short, value_name = "FILE.svg")]
    pub out: Option<PathBuf>,
    /// The title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// What stands at the axis below
    #[arg(long, value_name = "TEXT")]
    pub x_label: Option<String>,
    /// What stands at the axis at the left
    #[arg(long, value_name = "TEXT")]
    pub y_label: Option<String>,
    /// The axis below is logarithmic; values at or below 0 are not drawn
    #[arg(long)]
    pub log_x: bool,
    /// The axis at the left is logarithmic
    #[arg(long)]
    pub log_y: bool,
    /// Width in pixels
    #[arg(long, value_name = "N", default_value_t = 640, value_parser = clap::value_parser!(u32).range(200..=4000))]
    pub width: u32,
    /// Height in pixels, without title and legend
    #[arg(long, value_name = "N", default_value_t = 360, value_parser = clap::value_parser!(u32).range(100..=4000))]
    pub height: u32,
    #[command(flatten)]
    pub read: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet plot late.glass -o loss.svg
  glassnet plot late.glass --kind learning-rate -o rate.svg
  glassnet plot run1.json run2.json --log-y -o loss.svg
  glassnet plot flights.csv.gz -y distance --by late15 -o distance.svg
  glassnet plot diamonds.csv --kind scatter -x carat -y price --log-x --log-y -o price.svg
  glassnet plot orders.csv --kind bars -x country --by late --stacked -o countries.svg

The file is light or dark as its reader prefers, has no script, and says in words what it shows to those who cannot see it.";

/// Runs it.
///
/// # Errors
/// A file that cannot be read, columns that are not there or do not fit the kind, a place that cannot be written to.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let inputs: Vec<&str> = args.files.iter().map(String::as_str).filter(|path| *path != "-").collect();
    if let Some(out) = &args.out {
        keep_inputs(out, &inputs)?;
        check_writable(out)?;
    }
    let runs = args.files.iter().all(|path| path != "-" && content(path) != Content::Other);
    let (kind, mut chart) = if runs { curves::chart(args)? } else { columns::chart(args, output)? };
    chart.width = f64::from(args.width);
    chart.height = f64::from(args.height);
    chart.x.log |= args.log_x;
    chart.y.log |= args.log_y;
    let texts =
        [(&mut chart.title, &args.title), (&mut chart.x.label, &args.x_label), (&mut chart.y.label, &args.y_label)];
    for (text, given) in texts {
        if let Some(given) = given {
            *text = given.clone();
        }
    }
    finish(&chart, kind, args.out.as_deref(), output)
}

/// Writes a chart to its file, or prints it.
fn finish(chart: &Chart, kind: &str, out: Option<&std::path::Path>, output: &mut Output) -> Result<(), CliError> {
    let svg = chart.standalone();
    let description = chart.description();
    match out {
        Some(out) => {
            write_atomic(out, svg.as_bytes())?;
            let out = out.display().to_string();
            let text = format!("{out}: {}\n", if chart.title.is_empty() { kind } else { &chart.title });
            let value = json!({ "file": out, "kind": kind, "title": chart.title, "description": description });
            output.result(&text, &value)
        }
        None => {
            let value = json!({ "kind": kind, "title": chart.title, "description": description, "svg": svg });
            output.result(&svg, &value)
        }
    }
}
