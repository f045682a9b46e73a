//! Scales of the styles `tabular` and `quantile`, from the training rows.

use super::super::Encoding;
use super::super::fit::numbers;
use super::{DateInput, MOST_ONE_HOT};
use crate::dates::{DateFormat, DatePart};
use crate::error::ModelError;
use crate::levels::Levels;
use crate::measure::{Measure, Wanted};
use crate::rescale::{Rescale, robust, smooth_clip};
use crate::schema::{ColumnSchema, Kind};
use crate::style::Style;
use crate::table::{Column, Table, Values};

/// The encoding of a column, or why it has nothing to tell.
pub(in super::super) fn tabular(
    table: &Table,
    column: &Column,
    rows: &[usize],
    known: &ColumnSchema,
    wanted: Wanted,
) -> Result<Result<Encoding, String>, ModelError> {
    let none = || Err("no value in any training row".to_owned());
    Ok(match &known.kind {
        Kind::Number => {
            let values = numbers(table, column, rows, None)?;
            let mut present: Vec<f64> = values.iter().flatten().copied().collect();
            let missing = values.len() - present.len();
            let constant = present.iter().all(|number| Some(number) == present.first());
            match present.first() {
                None => none(),
                Some(only) if constant && missing == 0 => Err(format!("always {only}")),
                Some(_) if constant => Ok(Encoding::Given { inputs: indicator(present.len(), missing) }),
                Some(_) => {
                    let missing = (missing > 0).then(|| indicator(present.len(), missing));
                    let levels = known.peaks.clone();
                    Measure::of(&mut present, wanted)
                        .map(|number| Encoding::Scaled { number, missing, levels })
                        .ok_or_else(|| "no number".to_owned())
                }
            }
        }
        Kind::Boolean { false_word, true_word } => {
            let values = numbers(table, column, rows, Some((false_word, true_word)))?;
            let count = |wanted: Option<f64>| values.iter().filter(|value| **value == wanted).count();
            let counts = [count(Some(0.0)), count(Some(1.0)), count(None)];
            match counts {
                [0, 0, _] => none(),
                [0, _, 0] | [_, 0, 0] => Err(format!("always {}", if counts[0] == 0 { true_word } else { false_word })),
                [0, given, missing] | [given, 0, missing] => Ok(Encoding::Given { inputs: indicator(given, missing) }),
                [no, yes, missing] => {
                    let inputs = scaled(&[(1.0, no), (-1.0, yes), (0.0, missing)]);
                    let (false_word, true_word) = (false_word.clone(), true_word.clone());
                    Ok(Encoding::Pair { false_word, true_word, inputs: [inputs[0], inputs[1], inputs[2]] })
                }
            }
        }
        Kind::Category { levels, .. } => category(&column.values, rows, levels),
        // Dates have a function of their own, for both styles.
        Kind::Date { .. } => none(),
    })
}

fn category(values: &Values, rows: &[usize], levels: &Levels) -> Result<Encoding, String> {
    if levels.len() > MOST_ONE_HOT {
        return Ok(Encoding::Code { levels: levels.clone() });
    }
    let mut counts = vec![0; levels.len() + 1];
    for &row in rows {
        let level = match values {
            Values::Number(numbers) => numbers.get(row).and_then(|&number| levels.find_number(number)),
            Values::Text(text) => text.get(row).and_then(|text| levels.find_text(text)),
        };
        counts[level.unwrap_or(levels.len())] += 1;
    }
    let (levels, missing) = (levels.clone(), counts[levels.len()]);
    Ok(match counts.as_slice() {
        [] | [_] => return Err("no value in any training row".to_owned()),
        // The name of a level that is never seen (or always) tells nothing.
        [given, _] => {
            let inputs = indicator(*given, missing).to_vec();
            Encoding::Sign { levels, inputs }
        }
        [first, second, _] => {
            let inputs = scaled(&[(1.0, *first), (-1.0, *second), (0.0, missing)]);
            Encoding::Sign { levels, inputs }
        }
        [known @ .., _] => {
            let one = |&count: &usize| {
                let inputs = scaled(&[(0.0, rows.len() - count), (1.0, count)]);
                [inputs[0], inputs[1]]
            };
            let inputs = known.iter().map(one).collect();
            Encoding::OneHot { levels, inputs }
        }
    })
}

/// A date's parts by their own scales.
pub(in super::super) fn date(
    moments: &[Option<i64>],
    format: DateFormat,
    parts: &[DatePart],
    wanted: Wanted,
) -> Encoding {
    let given = moments.iter().flatten().count();
    let missing = moments.len() - given;
    let indicator = match wanted.style {
        Style::Tabular | Style::Quantile => indicator(given, missing),
        Style::Plain => [0.0, 1.0],
    };
    let scale = |&part: &DatePart| {
        let mut values: Vec<f64> = moments.iter().flatten().map(|&moment| part.of(moment)).collect();
        let scale = match wanted.style {
            Style::Plain => Rescale::plain(&values, wanted.standardise).map(Measure::Rescaled),
            Style::Tabular | Style::Quantile => Measure::of(&mut values, wanted),
        };
        DateInput { part, scale: scale.unwrap_or(Measure::Rescaled(Rescale::none(0.0))) }
    };
    match parts {
        [] => Encoding::Given { inputs: indicator },
        parts => {
            let missing = (missing > 0).then_some(indicator);
            Encoding::Date { format, parts: parts.iter().map(scale).collect(), missing }
        }
    }
}

/// The inputs of given and missing: +1 and -1, scaled and clipped.
fn indicator(given: usize, missing: usize) -> [f64; 2] {
    let inputs = scaled(&[(1.0, given), (-1.0, missing)]);
    [inputs[0], inputs[1]]
}

/// What values become that occur so often, scaled and clipped as a column of them.
fn scaled(counts: &[(f64, usize)]) -> Vec<f64> {
    let mut ascending = counts.to_vec();
    ascending.sort_by(|a, b| a.0.total_cmp(&b.0));
    ascending.retain(|&(_, count)| count > 0);
    let n: usize = ascending.iter().map(|&(_, count)| count).sum();
    let at = |place: usize| {
        let mut end = 0;
        let found = ascending.iter().find(|&&(_, count)| {
            end += count;
            place < end
        });
        found.map_or(0.0, |&(value, _)| value)
    };
    let (median, factor) = if n == 0 { (0.0, 0.0) } else { robust(n, at) };
    counts.iter().map(|&(value, _)| smooth_clip(factor * (value - median))).collect()
}
