//! One row: a line for each column, and what would change.

use std::fmt::Write;

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::explain::{Explanation, Method, reasons};
use glassnet::model::table::Table;
use glassnet::nn::inspect::number::significant;
use serde_json::{Value, json};

use super::global::write;
use super::rows::{Line, header, line};
use super::what_if::{self, Change};
use super::{Format, Subject};
use crate::error::CliError;
use crate::model_data::{self, Need, Notices, Wanted};
use crate::output::Output;
use crate::row;

/// Reasons that are put into words where nobody says how many.
const REASONS: usize = 3;

/// A row as the model sees it.
struct Seen {
    explanation: Explanation,
    scores: Vec<f32>,
    /// The columns' values as they stand in the file.
    values: Vec<Option<String>>,
}

/// Runs it.
pub fn run(subject: &Subject<'_>, output: &mut Output) -> Result<(), CliError> {
    let (args, model) = (subject.args, subject.model);
    let data = model_data::open(
        model,
        &args.data,
        &args.reading.options(),
        None,
        Wanted { target: Need::May, ..Wanted::default() },
    )?;
    let number = args.row.unwrap_or(1);
    let table = row::alone(data, number)?;
    let mut notices = Notices::default();
    let seen = look(subject, &table, subject.class, &mut notices)?;
    let changed = match args.set.as_slice() {
        [] => None,
        set => {
            let (other, changes) = what_if::changed(model, &table, set)?;
            // The same class before and after, whichever is predicted then.
            let after = look(subject, &other, seen.explanation.class, &mut notices).map_err(|error| match error {
                CliError::Data(what) => CliError::Usage(format!("--set: {what}")),
                other => other,
            })?;
            Some((changes, after))
        }
    };
    notices.say(output);
    let text = match args.format(output) {
        Format::Text => text(subject, &table, &seen, changed.as_ref()),
        Format::Csv => {
            let mut text = header(model, "row");
            let name = number.to_string();
            line(&mut text, model, &Line { name: &name, explanation: &seen.explanation, scores: &seen.scores });
            text
        }
        Format::Json => {
            let value = value(subject, &table, number, &seen, changed.as_ref());
            if args.output.is_none() && output.is_json() {
                return output.result("", &value);
            }
            format!("{value:#}\n")
        }
    };
    write(args, &text, output)
}

/// Explains the one row of a table.
fn look(subject: &Subject<'_>, table: &Table, class: Option<usize>, notices: &mut Notices) -> Result<Seen, CliError> {
    let model = subject.model;
    let (encoded, rows, noticed) = model.encode_table(table, false)?;
    notices.add(&noticed);
    let explanation = subject.explainer.explain(&encoded, &rows, class, subject.team)?.pop();
    let explanation = explanation.ok_or_else(|| CliError::Data(format!("{}: no row to explain", table.source)))?;
    let scores = model.scores(&mut model.runner(Team::single()), &encoded, &rows)?;
    let values = model.columns().iter().map(|name| row::raw(table, name, 0)).collect();
    Ok(Seen { explanation, scores, values })
}

/// What is explained, in words: `log-odds of late = yes`.
fn what(model: &Model, explanation: &Explanation) -> String {
    match class_name(model, explanation) {
        Some(class) => format!("log-odds of {} = {class}", model.target()),
        None => model.target().to_string(),
    }
}

fn class_name<'a>(model: &'a Model, explanation: &Explanation) -> Option<&'a str> {
    model.classes()?.get(explanation.class?).map(String::as_str)
}

/// What predict prints, in words.
fn predicted(model: &Model, scores: &[f32]) -> String {
    match model.classes() {
        None => format!("{}: {}", model.target(), scores.first().copied().unwrap_or(f32::NAN)),
        Some(classes) => {
            let best = (0..scores.len()).fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
            let mut order: Vec<usize> = (0..scores.len()).collect();
            if order.len() > 6 {
                order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
                order.truncate(3);
            }
            let parts: Vec<String> = order.iter().map(|&k| format!("{} {:?}", classes[k], scores[k])).collect();
            format!("{}: {} -> {}", model.target(), parts.join(" | "), classes[best])
        }
    }
}

fn text(subject: &Subject<'_>, table: &Table, seen: &Seen, changed: Option<&(Vec<Change>, Seen)>) -> String {
    let (args, model) = (subject.args, subject.model);
    let explanation = &seen.explanation;
    let mut text = format!("{}, {}\n{}\n\n", table.source, table.place(0), predicted(model, &seen.scores));
    let unit = if explanation.class.is_some() { "points" } else { "" };
    let base_words = match explanation.method {
        Method::Path => "a typical row of the training".to_string(),
        _ => format!("{} training rows, on average", subject.compared),
    };
    let points = explanation.points();
    let names = model.columns();
    let ranked = explanation.ranked();
    let shown = &ranked[..args.top.map_or(ranked.len(), |top| ranked.len().min(top as usize))];
    // Column, value, contribution, points, bar.
    let most = shown.first().map_or(0.0, |&place| explanation.contributions[place].abs());
    let mut lines: Vec<[String; 5]> = Vec::new();
    let share = |score: f64| format!("{:.1} %", 100.0 * score);
    let scores = explanation.scores();
    let of_base = scores.map_or(String::new(), |(base, _)| share(base));
    lines.push(["base".into(), base_words, fixed(explanation.base), of_base, String::new()]);
    let moved =
        |points: f64| if explanation.class.is_some() { format!("{:+.1}", 100.0 * points) } else { String::new() };
    for &place in shown {
        let contribution = explanation.contributions[place];
        let cells = if most > 0.0 { (20.0 * contribution.abs() / most).round() as usize } else { 0 };
        let bar = if contribution < 0.0 { "-" } else { "+" }.repeat(cells);
        let value = seen.values[place].clone().unwrap_or_else(|| "(missing)".into());
        lines.push([names[place].to_string(), short(&value), signed(contribution), moved(points[place]), bar]);
    }
    if shown.len() < ranked.len() {
        let rest = &ranked[shown.len()..];
        let sum: f64 = rest.iter().map(|&place| explanation.contributions[place]).sum();
        let moving: f64 = rest.iter().map(|&place| points[place]).sum();
        let name = format!("the other {}", rest.len());
        lines.push([name, String::new(), signed(sum), moved(moving), String::new()]);
    }
    let of_output = scores.map_or(String::new(), |(_, output)| share(output));
    lines.push(["output".into(), "the sum".into(), fixed(explanation.output), of_output, String::new()]);
    let wide = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
    let (a, b, c, d) = (wide(0), wide(1), wide(2), wide(3).max(unit.len()));
    let head = what(model, explanation);
    let _ = writeln!(text, "  {:a$}  {:b$}  {:>c$}  {unit:>d$}   {head}", "", "", "adds");
    for [name, value, adds, points, bar] in &lines {
        let line = format!("  {name:a$}  {value:b$}  {adds:>c$}  {points:>d$}   {bar}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = writeln!(text, "\n{}; residual {}", explanation.method.words(), significant(explanation.residual, 2));
    let why = reasons(model, explanation, &seen.values, args.top.map_or(REASONS, |top| top.min(10) as usize));
    for reason in &why {
        let _ = writeln!(text, "  {}", reason.words);
    }
    if let Some((changes, after)) = changed {
        let words: Vec<String> = changes.iter().map(Change::words).collect();
        let _ = writeln!(text, "\nwhat if {}:", words.join(", "));
        let _ = writeln!(text, "  {}", predicted(model, &after.scores));
        let (before, now) = (explanation, &after.explanation);
        match (before.scores(), now.scores(), class_name(model, before)) {
            (Some((_, p)), Some((_, q)), Some(class)) => {
                let _ = writeln!(
                    text,
                    "  score of {class} {} -> {}: {:+.1} percentage points; log-odds {} -> {}: {}",
                    share(p),
                    share(q),
                    100.0 * (q - p),
                    fixed(before.output),
                    fixed(now.output),
                    signed(now.output - before.output)
                );
            }
            _ => {
                let _ = writeln!(
                    text,
                    "  {} {} -> {}: {}",
                    model.target(),
                    fixed(before.output),
                    fixed(now.output),
                    signed(now.output - before.output)
                );
            }
        }
    }
    text
}

/// A number among others of its size: four decimals, fewer of large ones.
fn fixed(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 || !size.is_finite() => significant(value, 6),
        size if size >= 10_000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

fn signed(value: f64) -> String {
    if value >= 0.0 { format!("+{}", fixed(value)) } else { fixed(value) }
}

/// A value cut to 24 letters.
fn short(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some(_) => text.chars().take(21).chain("...".chars()).collect(),
        None => text.to_string(),
    }
}

fn value(
    subject: &Subject<'_>,
    table: &Table,
    number: u64,
    seen: &Seen,
    changed: Option<&(Vec<Change>, Seen)>,
) -> Value {
    let (args, model) = (subject.args, subject.model);
    let explanation = &seen.explanation;
    let mut object = json!({
        "model": args.model,
        "data": args.data,
        "row": number,
        "place": table.place(0),
        "target": model.target(),
        "method": explanation.method,
        "background_rows": subject.compared,
    });
    if let (Value::Object(all), Value::Object(own)) = (&mut object, explained(model, seen)) {
        all.extend(own);
    }
    let most = args.top.map_or(REASONS, |top| top as usize);
    object["reasons"] = json!(reasons(model, explanation, &seen.values, most));
    if let Some((changes, after)) = changed {
        object["what_if"] = explained(model, after);
        object["what_if"]["set"] = json!(changes);
        object["what_if"]["change"] = json!(after.explanation.output - explanation.output);
        if let (Some((_, p)), Some((_, q))) = (explanation.scores(), after.explanation.scores()) {
            object["what_if"]["change_of_score"] = json!(q - p);
        }
    }
    object
}

/// An explanation with its columns' names and values.
fn explained(model: &Model, seen: &Seen) -> Value {
    let Seen { explanation, scores, values } = seen;
    let points = explanation.points();
    let columns: Vec<Value> = model
        .columns()
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let mut column =
                json!({ "column": name, "value": values[place], "adds": explanation.contributions[place] });
            if explanation.class.is_some() {
                column["points"] = json!(points[place]);
            }
            column
        })
        .collect();
    let mut object = json!({
        "base": explanation.base,
        "output": explanation.output,
        "residual": explanation.residual,
        "columns": columns,
    });
    match (class_name(model, explanation), explanation.scores()) {
        (Some(class), Some((base, output))) => {
            object["class"] = json!(class);
            object["base_score"] = json!(base);
            object["score"] = json!(output);
            object["scores"] = json!(scores);
        }
        _ => object["prediction"] = json!(scores.first()),
    }
    object
}
