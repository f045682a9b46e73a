//! One row at a time as a program serves it: 20 numbers and 4 categories as they stand in a table, standardised and spread out,
//! through 64-64-1 and an affine calibration, to a probability. One thread, without an allocation.

use std::hint::black_box;
use std::time::{Duration, Instant};

use glassnet::core::Precision;
use glassnet::core::random::{Draws, Purpose};
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::model::table::{Column, Table, Text, Values};
use glassnet::model::{Calibration, Model, Value};
use glassnet::nn::spec::NetSpec;

use super::Options;
use super::measure::{Spread, calls};
use super::peaks::Peaks;
use super::table::Figures;
use crate::error::CliError;

const NUMBERS: usize = 20;
const CATEGORIES: [&str; 4] = ["carrier", "origin", "kind", "day"];
const LEVELS: [&str; 8] = ["AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN"];
/// Rows of the table that the preprocessing is fitted on; the same rows are served.
const ROWS: usize = 1_024;
/// How long it is measured where nothing else is said.
const SECONDS: f64 = 0.5;
/// Calls that are timed one by one.
const SINGLE: usize = 200_000;

/// The raw value of a column in a row.
fn number(draws: &Draws, row: usize, column: usize) -> f64 {
    100.0 + 15.0 * draws.normal((row * NUMBERS + column) as u64)
}

fn level(draws: &Draws, row: usize, column: usize) -> &'static str {
    LEVELS[draws.below((row * CATEGORIES.len() + column) as u64, LEVELS.len() as u64) as usize]
}

fn draws(stream: u32) -> Draws {
    Draws::new(0, Purpose::Synthetic, stream, 0)
}

fn table() -> Table {
    let (numbers, levels, classes) = (draws(11), draws(12), draws(13));
    let column = |name: String, values: Values| Column { name, values };
    let text = |value: &dyn Fn(usize) -> &'static str| {
        let mut text = Text::default();
        (0..ROWS).for_each(|row| text.push(Some(value(row))));
        Values::Text(text)
    };
    let mut columns: Vec<Column> = (0..NUMBERS)
        .map(|at| {
            column(format!("x{}", at + 1), Values::Number((0..ROWS).map(|row| number(&numbers, row, at)).collect()))
        })
        .collect();
    for (at, name) in CATEGORIES.iter().enumerate() {
        columns.push(column((*name).to_owned(), text(&|row| level(&levels, row, at))));
    }
    let late = |row: usize| if classes.below(row as u64, 2) == 0 { "no" } else { "yes" };
    columns.push(column("late".into(), text(&late)));
    Table { source: "bench".into(), columns, rows: ROWS, first_row: 1, lines: Vec::new() }
}

/// The model, with weights as they are drawn and some calibration: how long a row takes does not depend on the numbers.
fn model() -> Result<Model, CliError> {
    let prepared = Prepared::table(table(), None, &FitOptions::new("late"))?;
    let net = format!("{} -> 64 relu -> 64 relu -> 1", prepared.inputs());
    let spec = NetSpec::parse(&net).map_err(|error| CliError::Usage(error.to_string()))?;
    let headed = prepared.network(&spec, None, 0.0).map_err(|error| CliError::Usage(error.to_string()))?;
    let first = headed.network.initialise(0);
    let calibration = Calibration::affine(-0.25, 0.8);
    Ok(prepared.model(&headed, first)?.with_calibration(Some(calibration))?)
}

/// Measures it.
///
/// # Errors
/// None that a person could bring about.
pub fn run(name: &str, options: &Options, peaks: &mut Peaks) -> Result<Figures, CliError> {
    let model = model()?;
    let (numbers, levels) = (draws(11), draws(12));
    let rows: Vec<Vec<Value<'_>>> = (0..ROWS)
        .map(|row| {
            let of_numbers = (0..NUMBERS).map(|at| Value::Number(number(&numbers, row, at)));
            of_numbers.chain((0..CATEGORIES.len()).map(|at| Value::Text(level(&levels, row, at)))).collect()
        })
        .collect();
    let mut scratch = model.scratch();
    let mut out = vec![0.0; model.outputs()];
    peaks.measure(Precision::F32, 1);
    let mut failed = None;
    let mut at = 0;
    let mut serve = || {
        if let Err(error) = model.predict_into(&rows[at], &mut scratch, &mut out) {
            failed = Some(error);
        }
        black_box(&out);
        at = if at + 1 == ROWS { 0 } else { at + 1 };
    };
    let time = calls(Duration::from_secs_f64(options.seconds.unwrap_or(SECONDS)), &mut serve);
    let mut single: Vec<f64> = (0..SINGLE)
        .map(|_| {
            let start = Instant::now();
            serve();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    if let Some(error) = failed {
        return Err(CliError::Check(format!("{name}: {error}")));
    }
    peaks.measure(Precision::F32, 1);
    single.sort_by(f64::total_cmp);
    let time: Spread = time.ok_or_else(|| CliError::Check("nothing was timed".into()))?;
    let inputs = model.network().inputs();
    let flops = 2 * (inputs * 64 + 64 * 64 + 64) as u64;
    peaks.reached(Precision::F32, 1, flops as f64 / time.median / 1e3, None);
    Ok(Figures {
        name: name.to_owned(),
        what: "row",
        rows: 1,
        threads: 1,
        precision: Precision::F32,
        time,
        flops,
        bytes: None,
        p99: single.get(SINGLE / 100 * 99).copied(),
        trained: None,
    })
}
