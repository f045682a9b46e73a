//! `glassnet bench`: how fast this machine is at training and running networks.
//!
//! | file | what |
//! |---|---|
//! | `workloads` | what there is to measure, and what each costs |
//! | `data` | the numbers and texts that are trained on |
//! | `train_steps` | steps of `train`'s own loop, timed |
//! | `infer`, `serve_row` | networks that only run |
//! | `peaks` | what the machine can do at most |
//! | `measure` | medians |
//! | `table` | the result, for people and as JSON |
//! | `write` | data and command with which `train` gives the same weights |

mod data;
mod infer;
mod measure;
mod peaks;
mod serve_row;
mod table;
mod train_steps;
mod workloads;
mod write;

use std::path::PathBuf;

use glassnet::core::Precision;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::output::Output;
use peaks::Peaks;
use table::Report;
use workloads::{Kind, Workload};

const EXAMPLES: &str = "\
Workloads (all of them where none is named):
  tiny       4-16-3, batch 32, 1,024 rows, SGD
  mnist      784-256-10, batch 128, 60,000 rows, SGD
  wide       1024-4096-4096-10, batch 256, SGD
  cnn        1x28x28, two convolutions of 5x5, 128, 10; batch 128, AdamW
  lstm       64 inputs, 128 units, 64 steps, batch 32, AdamW
  gpt        4 layers, 4 heads, 128 wide, context 64, vocabulary 65, batch 12, AdamW
  infer      3-3-1, 784-256-10 (1 and 1,000 rows) and 4096-16384-4096
  serve-row  one row of 20 numbers and 4 categories, raw, to a score
  peak       fused multiply-adds and bytes read a second

Examples:
  glassnet bench
  glassnet bench tiny mnist --threads 1
  glassnet bench --json > speed.json
  glassnet bench mnist wide --precision bf16
  glassnet bench tiny --write data/     the data, and the command of train that gives the same weights

Training runs as in `train`, on normal random numbers, for a fixed number of steps: the hash of the weights after them is
the same on every machine and with any number of threads. With --seconds it runs as long as you say instead.";

/// Arguments of `bench`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to measure [default: all]
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
    /// Threads that work [default: as `train` chooses: one for each core, one for small networks]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// f32 or bf16: what the products of training multiply
    #[arg(long, value_name = "NAME", default_value = "f32")]
    precision: String,
    /// Measure for so long, in place of a fixed number of steps
    #[arg(long, value_name = "X", conflicts_with = "steps")]
    seconds: Option<f64>,
    /// Training steps, in place of the workload's own number of them
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Measure nothing: write the data of the training workloads into a folder, and print the commands that train on it
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// What was asked for, checked.
#[derive(Debug, Clone)]
struct Options {
    precision: Precision,
    threads: Option<usize>,
    seconds: Option<f64>,
    steps: Option<u64>,
}

/// Runs it.
///
/// # Errors
/// No such workload or precision, settings out of range, too little memory, output that cannot be written.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let workloads = Workload::named(&args.workloads)?;
    let precision: Precision =
        args.precision.parse().map_err(|error| CliError::Usage(format!("--precision: {error}")))?;
    let workloads = trainable(workloads, args, precision)?;
    let options = Options {
        precision,
        threads: threads(args.threads)?,
        seconds: seconds(args.seconds)?,
        steps: steps(args.steps)?,
    };
    let untrained = |workload: &&Workload| !matches!(workload.kind, Kind::Train(_));
    if let (Some(_), Some(workload)) =
        (args.steps, workloads.iter().find(untrained).filter(|_| !args.workloads.is_empty()))
    {
        let hint = "leave it out, or say --seconds";
        return Err(CliError::Usage(format!("--steps: {} takes no training steps\n  hint: {hint}", workload.name)));
    }
    if let Some(folder) = &args.write {
        return write::write(folder, &workloads, args.workloads.is_empty(), &options, output);
    }
    let asked = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let mut peaks = Peaks::new();
    let mut report = Report::new(asked, precision);
    for workload in workloads {
        output.message(&format!("{} ...", workload.name));
        match &workload.kind {
            Kind::Train(work) => {
                let figures = train_steps::run(workload.name, work, &options, &mut peaks)?;
                report.figures.push(figures);
            }
            Kind::Infer(cases) => {
                for case in *cases {
                    report.figures.push(infer::run(workload.name, case, &options, &mut peaks)?);
                }
            }
            Kind::ServeRow => report.figures.push(serve_row::run(workload.name, &options, &mut peaks)?),
            Kind::Peak => peaks.all(asked),
        }
    }
    peaks.again();
    output.result(&report.text(&peaks), &report.as_json(&peaks))
}

/// The workloads that there are in a precision: networks that only run compute in f32.
fn trainable(mut workloads: Vec<Workload>, args: &Args, precision: Precision) -> Result<Vec<Workload>, CliError> {
    if precision == Precision::F32 {
        return Ok(workloads);
    }
    let runs = |workload: &Workload| matches!(workload.kind, Kind::Infer(_) | Kind::ServeRow);
    if let Some(workload) = workloads.iter().find(|workload| runs(workload)).filter(|_| !args.workloads.is_empty()) {
        let hint = "leave the precision out, or name workloads that train";
        return Err(CliError::Usage(format!(
            "--precision {precision}: {} runs a network, which is done in f32\n  hint: {hint}",
            workload.name
        )));
    }
    workloads.retain(|workload| !runs(workload));
    Ok(workloads)
}

fn threads(threads: Option<usize>) -> Result<Option<usize>, CliError> {
    match threads {
        Some(0) => {
            Err(CliError::Usage("--threads: 0 threads do no work\n  hint: leave it out to use every core".into()))
        }
        Some(many) if many > MOST_THREADS => Err(CliError::Usage(format!(
            "--threads: {many} threads are more than the {MOST_THREADS} allowed\n  hint: leave it out to use every core"
        ))),
        threads => Ok(threads),
    }
}

fn seconds(seconds: Option<f64>) -> Result<Option<f64>, CliError> {
    match seconds {
        Some(x) if !(x > 0.0 && x <= 3_600.0) => Err(CliError::Usage(format!(
            "--seconds: {x} must be above 0 and at most 3600\n  hint: 1 second for each workload is usual"
        ))),
        seconds => Ok(seconds),
    }
}

fn steps(steps: Option<u64>) -> Result<Option<u64>, CliError> {
    const MOST: u64 = 1_000_000_000;
    match steps {
        Some(steps) if !(1..=MOST).contains(&steps) => {
            Err(CliError::Usage(format!("--steps: {steps} must be from 1 to {MOST}\n  hint: leave it out")))
        }
        steps => Ok(steps),
    }
}
