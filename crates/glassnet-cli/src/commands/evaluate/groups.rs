//! An evaluation by the groups of a column: is the model as good, and as honest, for each of them?

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::evaluation::Evaluation;
use glassnet::model::levels::{number_text, plain_number};
use glassnet::model::table::{Column, Values};
use glassnet::nn::metrics::Scores;
use glassnet::nn::source::Source;
use serde::Serialize;

use super::interval::Interval;

/// Up to so many different numbers are groups of their own.
const FEW_NUMBERS: usize = 10;
/// Groups of names that are shown by themselves; the others are one.
const MOST_GROUPS: usize = 20;
/// Fewer rows than this, and chance moves the figures.
const SMALL: usize = 100;
/// The same for the rows of each class.
const SMALL_CLASS: usize = 10;

/// All groups.
#[derive(Debug, Serialize)]
pub struct Groups {
    by: String,
    groups: Vec<Group>,
    #[serde(skip)]
    second: Option<String>,
}

/// One group.
#[derive(Debug, Serialize)]
struct Group {
    name: String,
    rows: usize,
    /// Whether it has fewer than 100 rows, or than 10 of a class.
    small: bool,
    /// Of two classes: the share of the second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    /// Of two classes: the mean score of the second one.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_score: Option<f64>,
    #[serde(flatten)]
    scores: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    ece: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<Interval>,
}

/// Rows with their scores.
pub struct Scored<'a> {
    /// The model.
    pub model: &'a Model,
    /// The rows.
    pub encoded: &'a Encoded<f32>,
    /// Those that count.
    pub rows: &'a [u32],
    /// Their scores, [rows, outputs].
    pub scores: &'a [f32],
}

impl Groups {
    /// By a column of the data.
    pub fn new(scored: &Scored<'_>, column: &Column) -> Groups {
        let groups = members(column, scored.rows).into_iter().map(|(name, places)| group(scored, name, &places));
        let second = scored.model.classes().filter(|classes| classes.len() == 2).map(|classes| classes[1].clone());
        Groups { by: column.name.clone(), groups: groups.collect(), second }
    }
}

fn group(scored: &Scored<'_>, name: String, places: &[usize]) -> Group {
    let Scored { model, encoded, .. } = *scored;
    let outputs = model.outputs().max(1);
    let rows: Vec<u32> = places.iter().map(|&place| scored.rows[place]).collect();
    let of_row = |&place: &usize| &scored.scores[place * outputs..(place + 1) * outputs];
    let scores: Vec<f32> = places.iter().flat_map(of_row).copied().collect();
    let Evaluation { scores: found, ece, .. } = model.evaluate_scores(&scores, encoded, &rows);
    let two = model.classes().is_some_and(|classes| classes.len() == 2);
    let weight: f64 = rows.iter().map(|&row| encoded.weight(row)).sum();
    let mean = |of: &dyn Fn(usize, u32) -> f64| {
        let sum: f64 = rows.iter().enumerate().map(|(place, &row)| encoded.weight(row) * of(place, row)).sum();
        (two && weight > 0.0).then(|| sum / weight)
    };
    let mut counts = vec![0; model.classes().map_or(0, <[String]>::len)];
    for &row in &rows {
        if let Some(count) = usize::try_from(encoded.label(row)).ok().and_then(|class| counts.get_mut(class)) {
            *count += 1;
        }
    }
    Group {
        name,
        small: rows.len() < SMALL || (two && counts.iter().any(|&count| count < SMALL_CLASS)),
        share: mean(&|_, row| f64::from(u8::from(encoded.label(row) == 1))),
        mean_score: mean(&|place, _| f64::from(scores[place * outputs + outputs - 1])),
        scores: found,
        ece,
        interval: Interval::of(model, encoded, &rows, &scores),
        rows: rows.len(),
    }
}

/// Groups by name, with the places of their rows: numbers in quartiles, unless there are few different ones.
fn members(column: &Column, rows: &[u32]) -> Vec<(String, Vec<usize>)> {
    let numbers: Vec<Option<f64>> = rows.iter().map(|&row| number(&column.values, row as usize)).collect();
    let missing: Vec<usize> = (0..rows.len()).filter(|&place| column.values.is_missing(rows[place] as usize)).collect();
    let mut present: Vec<f64> = numbers.iter().flatten().copied().collect();
    present.sort_by(f64::total_cmp);
    let all_numbers = present.len() + missing.len() == rows.len();
    let mut distinct = present.clone();
    distinct.dedup();
    let mut groups = if all_numbers && distinct.len() > FEW_NUMBERS {
        quartiles(&present, &numbers)
    } else {
        let mut named: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, &row) in rows.iter().enumerate() {
            if let Some(name) = text(&column.values, row as usize) {
                named.entry(name).or_default().push(place);
            }
        }
        let mut groups: Vec<(String, Vec<usize>)> = named.into_iter().collect();
        if all_numbers {
            groups.sort_by(|a, b| plain_number(&a.0).unwrap_or(0.0).total_cmp(&plain_number(&b.0).unwrap_or(0.0)));
        } else {
            groups.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
        }
        if groups.len() > MOST_GROUPS {
            let others = groups.split_off(MOST_GROUPS);
            let count = others.len();
            let mut places: Vec<usize> = others.into_iter().flat_map(|(_, places)| places).collect();
            places.sort_unstable();
            groups.push((format!("({count} others)"), places));
        }
        groups
    };
    if !missing.is_empty() {
        groups.push(("(missing)".to_owned(), missing));
    }
    groups
}

/// Four groups of about as many rows; equal numbers stay together.
fn quartiles(present: &[f64], numbers: &[Option<f64>]) -> Vec<(String, Vec<usize>)> {
    let mut cuts: Vec<f64> = (1..4).map(|quarter| present[(present.len() * quarter).div_ceil(4) - 1]).collect();
    cuts.dedup();
    let most = present[present.len() - 1];
    cuts.retain(|&cut| cut < most);
    let mut groups: Vec<(String, Vec<usize>)> = (0..=cuts.len())
        .map(|group| {
            let name = match (group.checked_sub(1).and_then(|before| cuts.get(before)), cuts.get(group)) {
                (None, Some(high)) => format!("up to {}", number_text(*high)),
                (Some(low), Some(high)) => format!("above {} up to {}", number_text(*low), number_text(*high)),
                (Some(low), None) => format!("above {}", number_text(*low)),
                (None, None) => "all".to_owned(),
            };
            (name, Vec::new())
        })
        .collect();
    for (place, number) in numbers.iter().enumerate() {
        if let Some(number) = number {
            groups[cuts.partition_point(|cut| cut < number)].1.push(place);
        }
    }
    groups
}

fn number(values: &Values, row: usize) -> Option<f64> {
    match values {
        values if values.is_missing(row) => None,
        Values::Number(numbers) => numbers.get(row).copied(),
        Values::Text(text) => plain_number(text.get(row)?),
    }
}

fn text(values: &Values, row: usize) -> Option<String> {
    match values {
        values if values.is_missing(row) => None,
        Values::Number(numbers) => numbers.get(row).map(|&number| number_text(number)),
        Values::Text(text) => text.get(row).map(str::to_owned),
    }
}

impl Display for Groups {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.groups.iter().map(|group| super::report::cut(&group.name, 32)).collect();
        let share = self.second.as_ref().map(|name| format!("share of {}", super::report::cut(name, 20)));
        type Figure = fn(&Group) -> Option<f64>;
        let figures: [(&str, Figure); 11] = [
            (share.as_deref().unwrap_or("share"), |group| group.share),
            ("mean score", |group| group.mean_score),
            ("log-loss", |group| group.scores.log_loss),
            ("Brier", |group| group.scores.brier),
            ("ECE", |group| group.ece),
            ("AUC", |group| group.scores.auc),
            ("accuracy", |group| group.scores.accuracy),
            ("RMSE", |group| group.scores.rmse),
            ("MAE", |group| group.scores.mae),
            ("R2", |group| group.scores.r2),
            ("inside 90 %", |group| group.interval.as_ref().map(|interval| interval.coverage)),
        ];
        let shown: Vec<_> =
            figures.into_iter().filter(|(_, figure)| self.groups.iter().any(|group| figure(group).is_some())).collect();
        let title = format!("by {}", self.by);
        let first = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(title.chars().count());
        write!(f, "\n{title:first$}  {:>9}", "rows")?;
        let cell = |value: Option<f64>| value.map_or("-".to_owned(), super::report::digits);
        let width = |name: &str, figure: Figure| {
            let widest = self.groups.iter().map(|group| cell(figure(group)).len()).max().unwrap_or(0);
            widest.max(name.chars().count())
        };
        for &(name, figure) in &shown {
            write!(f, "  {name:>width$}", width = width(name, figure))?;
        }
        writeln!(f)?;
        for (name, group) in names.iter().zip(&self.groups) {
            write!(f, "{name:first$}  {:>9}", super::report::amount(group.rows as f64))?;
            for &(title, figure) in &shown {
                write!(f, "  {:>width$}", cell(figure(group)), width = width(title, figure))?;
            }
            writeln!(f, "{}", if group.small { "  small" } else { "" })?;
        }
        if self.groups.iter().any(|group| group.small) {
            writeln!(f, "small: fewer than {SMALL} rows, or than {SMALL_CLASS} of a class; chance moves such figures")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glassnet::model::table::Text;

    fn column(values: Values) -> Column {
        Column { name: "c".into(), values }
    }

    #[test]
    fn numbers_go_into_quartiles_and_few_of_them_into_levels() {
        let many = column(Values::Number((0..40).map(f64::from).chain([f64::NAN]).collect()));
        let rows: Vec<u32> = (0..41).collect();
        let groups = members(&many, &rows);
        let named: Vec<(&str, usize)> = groups.iter().map(|(name, places)| (name.as_str(), places.len())).collect();
        assert_eq!(
            named,
            [("up to 9", 10), ("above 9 up to 19", 10), ("above 19 up to 29", 10), ("above 29", 10), ("(missing)", 1)]
        );
        let few = column(Values::Number((0..40).map(|row| f64::from(row % 11 % 10)).collect()));
        let groups = members(&few, &rows[..40]);
        assert_eq!((groups.len(), groups[0].0.as_str(), groups[0].1.len()), (10, "0", 7));
        // Three quarters are one number: what is equal stays together.
        let heavy = column(Values::Number((0..40).map(|row| if row < 30 { 0.0 } else { f64::from(row) }).collect()));
        let groups = members(&heavy, &rows[..40]);
        assert_eq!(groups.iter().map(|(_, places)| places.len()).collect::<Vec<_>>(), [30, 10]);
    }

    #[test]
    fn names_go_by_their_rows_and_the_rare_ones_together() {
        let mut text = Text::default();
        for row in 0..100 {
            let name = if row < 40 { "most".to_owned() } else { format!("n{:02}", row % 30) };
            text.push((row != 99).then_some(name.as_str()));
        }
        let rows: Vec<u32> = (0..100).collect();
        let groups = members(&column(Values::Text(text)), &rows);
        assert_eq!((groups[0].0.as_str(), groups[0].1.len()), ("most", 40));
        assert_eq!((groups[20].0.as_str(), groups[21].0.as_str()), ("(11 others)", "(missing)"));
        assert_eq!(groups.iter().map(|(_, places)| places.len()).sum::<usize>(), 100);
    }
}
