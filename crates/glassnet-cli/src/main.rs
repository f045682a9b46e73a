//! The command `glassnet`: results on stdout, progress and messages on stderr, documented exit codes.
#![forbid(unsafe_code)]

mod certainty;
mod commands;
mod drawing;
mod error;
mod hash;
mod inputs;
mod losses;
mod machine;
mod model_data;
mod numbers;
mod output;
mod reading;
mod row;
mod runs;
mod share;
mod subject;
mod vectors;
mod words;

use std::io::Write;

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;
use glassnet::core::{ISA_VARIABLE, isa};
use output::Output;

/// Neural networks that you can see through: train, evaluate, predict, and ask for every number inside.
#[derive(Debug, Parser)]
#[command(name = "glassnet", version, propagate_version = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: output::GlobalArgs,
}

const AFTER_HELP: &str = "\
Examples:
  glassnet train orders.csv --target late -o late.glass
  glassnet evaluate late.glass new.csv
  glassnet predict late.glass new.csv --id order -o scores.csv
  glassnet explain late.glass new.csv --row 3
  glassnet cv orders.csv --target late --folds 5
  glassnet trace \"2 -> 1 sigmoid\" --w 0.7,0.3 --b -4 --x 6,8

Exit codes:
  0 done   1 unexpected failure   2 wrong use of the command or its settings   3 the data cannot be used
  4 the model file (or checkpoint) cannot be used   5 training stopped at a value that is not finite   6 the output cannot be written
  7 a check failed   8 something moved since training (monitor)   130 interrupted (training keeps the best epoch so far)";

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network on a table or a folder of images
    Train(Box<commands::train::Args>),
    /// Loss, accuracy, confusion table or error of a model on data with targets
    Evaluate(commands::evaluate::Args),
    /// Scores for rows, streamed
    Predict(commands::predict::Args),
    /// The same network, its calibration (or its intervals) fitted again to recent rows
    Recalibrate(commands::recalibrate::Args),
    /// What has moved in new rows since the training; exit code 8 where something has
    Monitor(commands::monitor::Args),
    /// Why the model says what it says: each column's part of a prediction
    Explain(Box<commands::explain::Args>),
    /// Cross-validation: mean and spread of every score, and predictions for rows that were not learned from
    Cv(Box<commands::cv::Args>),
    /// Layers, shapes, parameters, FLOPs, memory, provenance of a model or a network
    Inspect(commands::inspect::Args),
    /// One row through a network, every number shown; with a target, every gradient too
    Trace(commands::trace::Args),
    /// Finite differences against the gradients of this very network
    Check(commands::check::Args),
    /// Words near to a word or to a sum of words, by their vectors
    Words(commands::words::Args),
    /// Go on with a text, character by character
    Generate(commands::generate::Args),
    /// Draw the curves of a run, or columns of a table, as SVG
    Plot(Box<commands::plot::Args>),
    /// Runs beside each other: curves, scores, settings that differ
    Compare(commands::compare::Args),
    /// How fast this machine trains and runs networks, and what share of its peak that is
    Bench(commands::bench::Args),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let usage = error.use_stderr();
            // Where not even this can be written, the exit code still tells.
            let _ = error.print();
            let words = std::env::args_os().skip(1).take_while(|word| word != "--");
            if usage && words.into_iter().any(|word| word == "--json") {
                let object = CliError::of_arguments(&error).as_json();
                let _ = writeln!(std::io::stdout(), "{object:#}");
            }
            return std::process::ExitCode::from(if usage { error::USAGE } else { 0 });
        }
    };
    let mut output = Output::new(&cli.global);
    let instructions = isa().map_err(|error| CliError::Usage(format!("{error}\n  hint: leave {ISA_VARIABLE} out")));
    let result = instructions.and_then(|_| match &cli.command {
        Command::Train(args) => commands::train::run(args, &mut output),
        Command::Evaluate(args) => commands::evaluate::run(args, &mut output),
        Command::Predict(args) => commands::predict::run(args, &mut output),
        Command::Recalibrate(args) => commands::recalibrate::run(args, &mut output),
        Command::Monitor(args) => commands::monitor::run(args, &mut output),
        Command::Explain(args) => commands::explain::run(args, &mut output),
        Command::Cv(args) => commands::cv::run(args, &mut output),
        Command::Inspect(args) => commands::inspect::run(args, &mut output),
        Command::Trace(args) => commands::trace::run(args, &mut output),
        Command::Check(args) => commands::check::run(args, &mut output),
        Command::Words(args) => commands::words::run(args, &mut output),
        Command::Generate(args) => commands::generate::run(args, &mut output),
        Command::Plot(args) => commands::plot::run(args, &mut output),
        Command::Compare(args) => commands::compare::run(args, &mut output),
        Command::Bench(args) => commands::bench::run(args, &mut output),
        Command::Completions { shell } => completions(*shell, &mut output),
    });
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            std::process::ExitCode::from(error.exit_code())
        }
    }
}

fn completions(shell: clap_complete::Shell, output: &mut Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "glassnet", &mut script);
    output.text(&String::from_utf8_lossy(&script))
}
