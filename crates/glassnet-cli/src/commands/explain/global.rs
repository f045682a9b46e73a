//! What each column is worth: how much the loss rises when it is shuffled.

use std::fmt::Write;

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::explain::{ColumnImportance, Importance};
use glassnet::nn::inspect::number::significant;

use super::{Args, Format};
use crate::commands::evaluate::encode;
use crate::commands::predict::sink::Sink;
use crate::error::CliError;
use crate::model_data::{self, Need, Wanted};
use crate::numbers::thousands;
use crate::output::Output;

/// Runs it.
pub fn run(args: &Args, model: &Model, team: &Team, output: &mut Output) -> Result<(), CliError> {
    let wanted = Wanted { target: Need::Must, ..Wanted::default() };
    let data = model_data::open(model, &args.data, &args.reading.options(), None, wanted)?;
    let rows = encode(model, data, None)?;
    rows.notices.say(output);
    let importance = Importance::of(model, &rows.encoded, &rows.rows, args.repeats, args.seed, team)?;
    if rows.seen {
        output.message(
            "this is the data of the training itself: on rows that the model has not seen its columns may be worth less",
        );
    }
    let text = match args.format(output) {
        Format::Text => text(args, model, &importance),
        Format::Csv => csv(&importance),
        Format::Json => {
            let value = serde_json::json!({ "model": args.model, "data": args.data, "importance": importance });
            if args.output.is_none() && output.is_json() {
                return output.result("", &value);
            }
            format!("{value:#}\n")
        }
    };
    write(args, &text, output)
}

/// Text to where it is to go.
pub fn write(args: &Args, text: &str, output: &mut Output) -> Result<(), CliError> {
    match args.output.as_deref() {
        None | Some("-") => {
            output.streams_json();
            output.text(text)
        }
        Some(path) => {
            let mut sink = Sink::file(path, &args.inputs())?;
            sink.write(text.as_bytes())?;
            sink.finish()?;
            output.message(&format!("written: {path}"));
            Ok(())
        }
    }
}

fn text(args: &Args, model: &Model, importance: &Importance) -> String {
    let Importance { rows, measure, loss, repeats, .. } = importance;
    let short = |value: f64| significant(value, 4);
    let mut text = format!(
        "{}: {} rows, {measure} of {} {}\nHow much the {measure} rises when a column's values are shuffled between the rows ({repeats} {}):\n\n",
        args.data,
        thousands(*rows as u64),
        model.target(),
        short(*loss),
        if *repeats == 1 { "shuffle" } else { "shuffles, mean and spread" }
    );
    let ranked = importance.ranked();
    let shown = &ranked[..args.top.map_or(ranked.len(), |top| ranked.len().min(top as usize))];
    let width = shown.iter().map(|one| one.column.chars().count()).max().unwrap_or(0);
    let most = shown.first().map_or(0.0, |one| one.increase);
    for ColumnImportance { column, increase, spread } in shown {
        let bar = "+".repeat(if most > 0.0 { (24.0 * increase / most).round().max(0.0) as usize } else { 0 });
        let line = format!("  {column:width$}  {:>10} +- {:<10}  {bar}", short(*increase), short(*spread));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if shown.len() < ranked.len() {
        let _ = writeln!(text, "  and {} more columns", ranked.len() - shown.len());
    }
    text +=
        "\nA column beside which another tells the same looks worth less than it is: the model can go by the other.\n";
    text
}

fn csv(importance: &Importance) -> String {
    let mut text = String::from("column,increase,spread\n");
    for ColumnImportance { column, increase, spread } in importance.ranked() {
        crate::commands::predict::rows::field(&mut text, column);
        let _ = writeln!(text, ",{increase:?},{spread:?}");
    }
    text
}
