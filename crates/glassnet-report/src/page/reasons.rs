//! Why the model says what it says: importances, and a few rows with what each column added.

use super::html::{Figures, Kind, Section, Table, grid, paragraph};
use super::results::{Explained, Importances};
use crate::number::{count, number, points, signed};
use crate::plot::{Bar, Bars, Waterfall};

/// Most columns in the picture; the table has all.
const MOST_BARS: usize = 20;
/// How many columns of a row are said in words.
const MOST_WORDS: usize = 3;
/// Most columns in the picture of one row; the rest is one bar.
const MOST_STEPS: usize = 9;

/// Which columns matter.
pub(super) fn importances(importances: &Importances, figures: &mut Figures) -> Option<Section> {
    if importances.columns.is_empty() {
        return None;
    }
    let bar = |column: &super::Importance| Bar {
        name: column.name.clone(),
        value: column.value,
        spread: column.spread,
        words: String::new(),
    };
    let shown = importances.columns.len().min(MOST_BARS);
    let title = match shown < importances.columns.len() {
        true => format!("The {shown} most important of {} columns", count(importances.columns.len() as u64)),
        false => "Importance of the columns".to_string(),
    };
    let bars = Bars::new(title, &importances.label, importances.columns.iter().take(MOST_BARS).map(bar).collect());
    let label = if importances.label.is_empty() { "importance" } else { &importances.label };
    let heads = [("column", Kind::Name), (label, Kind::Number), ("standard deviation", Kind::Number)];
    let mut table = Table::new("importance of the columns", &heads);
    table.whole = true;
    for column in &importances.columns {
        let spread = column.spread.map_or(String::new(), number);
        table.line(vec![column.name.clone(), number(column.value), spread]);
    }
    let body = grid(&figures.figure(&bars, &importances.method, Some(&table)));
    Section::new("importances", "Which columns matter", body)
}

/// A few rows with their reasons.
pub(super) fn explained(rows: &[Explained], figures: &mut Figures) -> Option<Section> {
    if rows.is_empty() {
        return None;
    }
    let words = "Each picture begins at the output for an average row and adds what each column of this row brings, to the number \
                 that the model printed.";
    let rows: String = rows.iter().map(|row| one(row, figures)).collect();
    Section::new("rows", "A few rows explained", paragraph(words) + &grid(&rows))
}

fn one(row: &Explained, figures: &mut Figures) -> String {
    let title = match row.why.as_str() {
        "" => format!("Row {}", count(row.row)),
        why => format!("Row {}: {why}", count(row.row)),
    };
    let mut plot = Waterfall::new(title, &row.scale, row.base, row.output);
    let named = |name: &str, value: &str| if value.is_empty() { name.to_string() } else { format!("{name} = {value}") };
    // One left over is no shorter as "1 other column".
    let shown = if row.contributions.len() <= MOST_STEPS + 1 { row.contributions.len() } else { MOST_STEPS };
    for contribution in row.contributions.iter().take(shown) {
        plot.steps.push((named(&contribution.name, &contribution.value), contribution.amount));
    }
    let rest = row.contributions.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        plot.steps.push((format!("{} other columns", rest.len()), rest.iter().map(|c| c.amount).sum()));
    }
    let with_points = row.contributions.iter().any(|contribution| contribution.points.is_some());
    let mut heads = vec![("column", Kind::Name), ("value", Kind::Words), ("adds", Kind::Number)];
    if with_points {
        heads.push(("percentage points", Kind::Number));
    }
    let mut table = Table::new(format!("what adds up in row {}", count(row.row)), &heads);
    table.whole = true;
    table.line(vec!["base".into(), String::new(), number(row.base), String::new()]);
    for contribution in &row.contributions {
        let points = contribution.points.map_or(String::new(), points);
        table.line(vec![contribution.name.clone(), contribution.value.clone(), signed(contribution.amount), points]);
    }
    if let Some(residual) = row.residual {
        table.line(vec!["left over by rounding".into(), String::new(), number(residual), String::new()]);
    }
    table.line_of("total", vec!["output".into(), String::new(), number(row.output), String::new()]);
    let mut words = Vec::new();
    for (what, said) in [("Predicted", &row.predicted), ("Actual", &row.actual)] {
        if !said.is_empty() {
            words.push(format!("{what}: {said}."));
        }
    }
    let first = row.contributions.iter().take(MOST_WORDS).filter_map(|contribution| {
        let name = named(&contribution.name, &contribution.value);
        contribution.points.map(|share| format!("{name} ({})", points(share)))
    });
    let first: Vec<String> = first.collect();
    if !first.is_empty() {
        words.push(format!("In percentage points: {}.", first.join(", ")));
    }
    figures.figure(&plot, &words.join(" "), Some(&table))
}
