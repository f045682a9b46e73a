//! `glassnet compare`: runs beside each other: their curves in one picture, their scores in one table, and the settings that
//! differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use glassnet::data::write::{check_writable, write_atomic};
use glassnet::report::page::{Training, curves};
use glassnet::report::plot::Picture;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::inputs::keep_inputs;
use crate::numbers::{number, thousands};
use crate::output::Output;
use crate::runs::{Curves, Run};

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Two runs or more: models (.glass), or objects that `train --json` printed
    #[arg(value_name = "RUN", required = true, num_args = 2..)]
    pub runs: Vec<String>,
    /// Draw the curves of training and validation loss of all runs to this file
    #[arg(long, short, value_name = "FILE.svg")]
    pub out: Option<PathBuf>,
    /// The picture's axis of losses is logarithmic
    #[arg(long, requires = "out")]
    pub log_y: bool,
}

const EXAMPLES: &str = "\
Examples:
  glassnet compare late.glass late2.glass
  glassnet compare run1.json run2.json run3.json -o curves.svg
  glassnet compare late.glass late2.glass --json | jq .settings_that_differ

Scores of runs with other test rows, or of another loss, are shown beside each other all the same, and it is said.";

/// Settings that say where the data and the output are, not how it was trained.
const PLACES: [&str; 4] = ["out", "report", "checkpoint", "threads"];

/// Longest value of a setting that is printed whole.
const LONGEST: usize = 40;

/// Runs it.
///
/// # Errors
/// A run that cannot be read, a place that cannot be written to.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let paths: Vec<&str> = args.runs.iter().map(String::as_str).collect();
    if let Some(out) = &args.out {
        keep_inputs(out, &paths)?;
        check_writable(out)?;
    }
    let mut runs = paths.iter().map(|path| Run::read(path)).collect::<Result<Vec<_>, _>>()?;
    set_apart(&mut runs, &paths);
    let losses: BTreeSet<Option<String>> = runs.iter().map(Run::loss).collect();
    let notes = notes(&runs, &losses);
    if let Some(out) = &args.out {
        let members = runs.iter().map(|run| run.one(&Curves::LOSS)).collect();
        let loss = losses.first().cloned().flatten().filter(|_| losses.len() == 1).unwrap_or_else(|| "loss".into());
        let training = Training { loss, members, ended: String::new(), guess: None };
        let Some(mut chart) = curves(&training) else {
            return Err(CliError::Data(
                "-o: no run has a loss that is a finite number\n  hint: leave -o out to see the scores alone".into(),
            ));
        };
        chart.title = "Loss by epoch".into();
        (chart.width, chart.height) = (720.0, 400.0);
        chart.y.log |= args.log_y;
        write_atomic(out, chart.standalone().as_bytes())?;
    }
    let scores = scores(&runs);
    let settings = differing(&runs);
    let mut text = table(&scores);
    if settings.len() > 1 {
        text += "\nsettings that differ\n";
        text += &table(&settings);
    } else {
        text += "\nno setting differs\n";
    }
    for note in &notes {
        text += &format!("\n{note}\n");
    }
    if let Some(out) = &args.out {
        text += &format!("\ncurves {}\n", out.display());
    }
    let value = json!({
        "runs": runs.iter().map(|run| json!({
            "name": run.name,
            "epochs": run.histories.iter().map(|history| history.epochs.len()).collect::<Vec<_>>(),
            "best_epochs": run.best_epochs(),
            "parameters": run.parameters,
            "loss": run.loss(),
            "metrics": run.metrics,
        })).collect::<Vec<_>>(),
        "settings_that_differ": differing_json(&runs),
        "notes": notes,
        "file": args.out.as_ref().map(|out| out.display().to_string()),
    });
    output.result(&text, &value)
}

/// Runs of one name get their whole paths, and the same path a number.
fn set_apart(runs: &mut [Run], paths: &[&str]) {
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    for (place, run) in runs.iter_mut().enumerate() {
        if names.iter().filter(|name| **name == names[place]).count() > 1 {
            run.name = paths.get(place).map_or_else(|| run.name.clone(), |path| path.to_string());
        }
        let before = paths.iter().take(place).filter(|path| Some(*path) == paths.get(place)).count();
        if before > 0 {
            run.name += &format!(" ({})", before + 1);
        }
    }
}

/// What keeps the runs from being compared as they are.
fn notes(runs: &[Run], losses: &BTreeSet<Option<String>>) -> Vec<String> {
    let mut notes = Vec::new();
    if losses.len() > 1 {
        notes.push("the runs were trained with different losses: their losses cannot be compared".to_string());
    }
    for part in ["valid", "test"] {
        let rows: BTreeSet<Option<u64>> = runs
            .iter()
            .filter_map(|run| run.metrics.get(part))
            .map(|scores| scores.get("rows").map(|rows| *rows as u64))
            .collect();
        if rows.len() > 1 {
            notes.push(format!(
                "the runs have different numbers of {part} rows: their {part} scores are of different rows"
            ));
        }
    }
    notes
}

/// Lines of cells: a head, then a line for each run.
fn scores(runs: &[Run]) -> Vec<Vec<String>> {
    let mut columns: Vec<(&str, String)> = Vec::new();
    for part in ["test", "valid", "train"] {
        let names: BTreeSet<&String> =
            runs.iter().filter_map(|run| run.metrics.get(part)).flat_map(BTreeMap::keys).collect();
        for name in names.into_iter().filter(|name| *name != "rows") {
            // A classifier's loss is its log-loss: once is enough.
            let doubled = name == "loss"
                && runs.iter().all(|run| {
                    let of = |name: &str| run.metrics.get(part).and_then(|scores| scores.get(name));
                    match (of("loss"), of("log_loss")) {
                        (Some(loss), Some(log_loss)) => (loss - log_loss).abs() <= 1e-6 * loss.abs(),
                        (loss, log_loss) => loss.is_none() && log_loss.is_none(),
                    }
                });
            // Of the rows that were trained on the loss alone: the rest says little.
            if !doubled && (part != "train" || name == "loss" || name == "log_loss") {
                columns.push((part, name.clone()));
            }
        }
    }
    let mut head = vec!["run".to_string(), "epochs".into(), "kept".into(), "parameters".into()];
    head.extend(columns.iter().map(|(part, name)| format!("{part} {}", name.replace('_', "-"))));
    let mut lines = vec![head];
    for run in runs {
        let epochs: Vec<String> = run.histories.iter().map(|history| history.epochs.len().to_string()).collect();
        let kept: Vec<String> =
            run.best_epochs().into_iter().map(|best| best.map_or("-".into(), |best| best.to_string())).collect();
        let mut line =
            vec![run.name.clone(), joined(epochs), joined(kept), run.parameters.map_or("-".to_string(), thousands)];
        for (part, name) in &columns {
            let value = run.metrics.get(*part).and_then(|scores| scores.get(name));
            line.push(value.map_or("-".to_string(), |value| number(*value)));
        }
        lines.push(line);
    }
    lines
}

/// `30`, or `30, 28, 31` for members that differ.
fn joined(mut values: Vec<String>) -> String {
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        values.truncate(1);
    }
    values.join(", ")
}

/// Settings that are not the same in all runs.
fn differing_json(runs: &[Run]) -> BTreeMap<String, Vec<Value>> {
    let names: BTreeSet<&String> = runs.iter().flat_map(|run| run.settings.keys()).collect();
    let of = |name: &String| runs.iter().map(|run| run.settings.get(name).cloned().unwrap_or(Value::Null)).collect();
    names
        .into_iter()
        .filter(|name| !PLACES.contains(&name.as_str()))
        .map(|name| (name.clone(), of(name)))
        .filter(|(_, values): &(String, Vec<Value>)| values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

fn differing(runs: &[Run]) -> Vec<Vec<String>> {
    let mut head = vec!["setting".to_string()];
    head.extend(runs.iter().map(|run| run.name.clone()));
    let mut lines = vec![head];
    for (name, values) in differing_json(runs) {
        let shown = values.iter().map(|value| match value {
            Value::Null => "-".to_string(),
            Value::String(text) => short(text),
            other => short(&other.to_string()),
        });
        lines.push([name].into_iter().chain(shown).collect());
    }
    lines
}

fn short(text: &str) -> String {
    glassnet::report::escape::shorten(text, LONGEST)
}

/// Cells in columns: the first at the left, the others at the right.
fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let mut shown = String::new();
        for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
            shown += &if place == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        text += shown.trim_end();
        text += "\n";
    }
    text
}
