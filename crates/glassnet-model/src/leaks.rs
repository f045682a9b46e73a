//! Columns that know the target: one alone, or the difference of two times. Looked for before training.
//!
//! Each column is scored by how well it alone orders the rows, from 0.5 (not at all) to 1 for classes, from 0 to 1 for numbers:
//!
//! - *By rank*, a column of numbers or dates: for classes the area under the ROC curve, the better of both directions; for a
//!   number the rank correlation (Spearman), without its sign. Rows without a value do not count.
//! - *By means*, any column: the mean target of each level (of each of 50 quantile bins of numbers, missing values a bin of
//!   their own), learned on one half of the rows and scored on the other half, both ways round, averaged. A level that its half
//!   does not know has the mean of all. This finds what is neither rising nor falling, and what being missing gives away; a
//!   column of names for single rows scores nothing.
//!
//! The score is the better of the two. More than two classes: the mean over the classes, one against the rest, by their shares.
//!
//! A difference is that of two clock times (whole numbers that are hours and minutes: 1149 is 11:49), once as minutes and once
//! around midnight (-12 h to 12 h), or that of two columns of dates; by rank. It is named where it scores 0.02 more than each of its
//! columns.
//!
//! | | classes (AUC) | a number (rank correlation) |
//! |---|---|---|
//! | suspicious: it may be known too late, or be very good | 0.85 | 0.985 |
//! | gives the target away | 0.98 | 0.999 |
//!
//! Of 50,000 rows at most, drawn by the seed, so that it takes seconds. Nothing is left out for it: whether a column is known when the
//! prediction is made is for a person to say.

mod clock;
mod scores;

use crate::schema::{Kind, Schema};
use crate::table::{Column, Table, Values};
use crate::target::Targets;
use clock::Clock;
use glassnet_core::random::{Draws, Purpose};
use scores::Judge;

/// Rows that are looked at.
pub const MOST_ROWS: usize = 50_000;

/// From which AUC on a column is suspicious, and gives a class away.
pub const OF_CLASSES: [f64; 2] = [0.85, 0.98];

/// From which rank correlation on a column is suspicious, and gives a number away.
pub const OF_NUMBERS: [f64; 2] = [0.985, 0.999];

/// How much better than both its columns a difference must be.
const DIFFERENCE_GAINS: f64 = 0.02;

/// Pairs of times that are tried.
const MOST_PAIRS: usize = 300;

/// What knows the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// One column, or the two of a difference, first minus second.
    pub columns: Vec<String>,
    /// AUC or rank correlation.
    pub score: f64,
    /// Whether it gives the target away, rather than being suspicious.
    pub sure: bool,
    /// It in words, with what to do.
    pub words: String,
}

/// Looks for columns and differences that know the target, among those that the schema uses and in the rows given; the
/// highest score first.
pub fn leaks(table: &Table, targets: &Targets, rows: &[usize], schema: &Schema, seed: u64) -> Vec<Leak> {
    let mut rows = rows.to_vec();
    if rows.len() > MOST_ROWS {
        Draws::new(seed, Purpose::Inspect, 0, 0).shuffle(&mut rows);
        rows.truncate(MOST_ROWS);
    }
    // The halves are a matter of chance too, or a table in order would be cut in two times.
    Draws::new(seed, Purpose::Inspect, 1, 0).shuffle(&mut rows);
    let Some(judge) = Judge::new(targets, &rows) else { return Vec::new() };
    let [suspicious, sure] = if judge.of_classes() { OF_CLASSES } else { OF_NUMBERS };
    let (mut found, mut times) = (Vec::new(), Vec::new());
    for known in schema.used() {
        let Some(column) = table.column(&known.name) else { continue };
        let score = match &known.kind {
            Kind::Number | Kind::Date { .. } => {
                let numbers = numbers(column, &rows, &known.kind);
                let score = judge.numbers(&numbers);
                if let Some(clock) = Clock::of(&known.kind, &numbers) {
                    times.push((known.name.as_str(), score, clock));
                }
                score
            }
            Kind::Boolean { .. } | Kind::Category { .. } => judge.levels(&levels(column, &rows)),
        };
        if score >= suspicious {
            let columns = vec![known.name.clone()];
            let words = words(&known.name, score, None, score >= sure, judge.of_classes());
            found.push(Leak { columns, score, sure: score >= sure, words });
        }
    }
    let pairs = (0..times.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    for (a, b) in pairs.take(MOST_PAIRS) {
        let ((first, one, of_first), (second, other, of_second)) = (&times[a], &times[b]);
        let Some(difference) = of_first.minus(of_second) else { continue };
        let plain = judge.by_rank(&difference.plain);
        let around = difference.around.as_ref().map(|around| judge.by_rank(around));
        let score = around.unwrap_or(plain).max(plain);
        if score >= suspicious && score >= one.max(*other) + DIFFERENCE_GAINS {
            let name = format!("the difference {first} - {second}");
            let around = around.filter(|&around| around > plain).map(|_| plain);
            let words = words(&name, score, around, score >= sure, judge.of_classes());
            let columns = vec![(*first).to_owned(), (*second).to_owned()];
            found.push(Leak { columns, score, sure: score >= sure, words });
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// What is said. `plain`: the score of a difference of clock times that takes no account of midnight, where that is lower.
fn words(name: &str, score: f64, plain: Option<f64>, sure: bool, of_classes: bool) -> String {
    let measure = if of_classes { "AUC" } else { "rank correlation" };
    let plain = plain.map_or_else(String::new, |plain| format!(" around midnight, {plain:.3} as plain minutes"));
    let what = if sure { "gives the target away" } else { "says very much about the target" };
    let then = if sure {
        "it is probably written down with the target or after it; drop it unless it is known when you predict"
    } else {
        "make sure that it is known when you predict; if not, drop it"
    };
    format!("{name} alone {what} ({measure} {score:.3}{plain}): {then}")
}

/// A column's numbers in the rows, `NaN` where missing; dates in seconds.
fn numbers(column: &Column, rows: &[usize], kind: &Kind) -> Vec<f64> {
    let one = |row: usize| match (&column.values, kind) {
        (Values::Number(numbers), Kind::Date { format, .. }) => {
            format.parse_number(*numbers.get(row)?).map(|t| t as f64)
        }
        (Values::Text(text), Kind::Date { format, .. }) => format.parse(text.get(row)?).map(|t| t as f64),
        (Values::Number(numbers), _) => numbers.get(row).copied(),
        (Values::Text(text), _) => crate::levels::plain_number(text.get(row)?),
    };
    rows.iter().map(|&row| one(row).unwrap_or(f64::NAN)).collect()
}

/// A number for each level in the rows, in the order in which they come; 0 for missing ones.
fn levels(column: &Column, rows: &[usize]) -> Vec<usize> {
    use std::collections::HashMap;
    match &column.values {
        Values::Number(numbers) => {
            let mut known: HashMap<u64, usize> = HashMap::new();
            let mut one = |number: f64| {
                let next = known.len() + 1;
                if number.is_nan() { 0 } else { *known.entry((number + 0.0).to_bits()).or_insert(next) }
            };
            rows.iter().map(|&row| numbers.get(row).map_or(0, |&number| one(number))).collect()
        }
        Values::Text(text) => {
            let mut known: HashMap<&str, usize> = HashMap::new();
            rows.iter()
                .map(|&row| {
                    let next = known.len() + 1;
                    text.get(row).map_or(0, |name| *known.entry(name).or_insert(next))
                })
                .collect()
        }
    }
}
