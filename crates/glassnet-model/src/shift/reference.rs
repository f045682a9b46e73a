//! What of the training rows is kept to be compared with.

use super::marks::{self, Finding, Sort, percent};
use crate::error::ModelError;
use crate::levels::{Levels, number_text, plain_number};
use crate::preprocess::{Encoding, Preprocess};
use crate::table::{Table, Values};
use crate::target::{Labels, TargetSchema, Targets};
use serde::{Deserialize, Serialize};

/// The training rows in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// How many there were.
    pub rows: usize,
    /// Each column that the network sees.
    pub columns: Vec<ReferenceColumn>,
    /// The target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<ReferenceTarget>,
    /// The model's outputs on rows that it was not fitted to, one number a row ([`watched`]): the same one is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scores: Option<Tenths>,
    /// The target in the rows that the model was calibrated on again: from then on the base rate is compared with theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalibrated: Option<Recalibrated>,
}

/// The rows of a later calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recalibrated {
    /// How many there were.
    pub rows: usize,
    /// Their target.
    pub target: ReferenceTarget,
}

/// The one number of each row that is watched for drift: of two classes the second's score, of more the highest score, of a regression the
/// value. `scores` are [rows, outputs] without the calibration ([`Model::raw_scores`](crate::Model::raw_scores)), so that calibrating a
/// model again moves nothing.
pub fn watched(scores: &[f32], outputs: usize) -> Vec<f64> {
    let one = |row: &[f32]| match row {
        [value] | [_, value] => f64::from(*value),
        scores => f64::from(scores.iter().fold(f32::NAN, |most, &score| most.max(score))),
    };
    scores.chunks_exact(outputs.max(1)).map(one).collect()
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReferenceColumn {
    /// Its name.
    pub name: String,
    /// The share of rows without a value.
    pub missing: f64,
    /// Its values.
    pub values: ReferenceValues,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ReferenceValues {
    /// Numbers, or dates in days.
    Numbers(Tenths),
    /// Names: shares of the rows with a value.
    Levels {
        /// The most frequent ones.
        names: Levels,
        /// Their shares, in that order.
        shares: Vec<f64>,
        /// The share of all others.
        others: f64,
        /// Of these, that of names without an input or code of their own.
        unseen: f64,
    },
}

/// Numbers by the tenths of their training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenths {
    /// Where a bin ends and the next begins, ascending, no two the same: bin i holds `cuts[i - 1] < x <= cuts[i]`.
    pub cuts: Vec<f64>,
    /// The share of each bin, one more than cuts.
    pub shares: Vec<f64>,
    /// The median.
    pub median: f64,
    /// How many numbers there were.
    pub rows: usize,
}

/// The target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum ReferenceTarget {
    /// The share of each class, in the classes' order.
    Classes {
        /// One a class.
        shares: Vec<f64>,
    },
    /// A number.
    Number {
        /// Its mean.
        mean: f64,
        /// Its population deviation.
        deviation: f64,
    },
}

impl Tenths {
    /// Counts numbers into the bins; missing ones are passed over.
    fn count(&self, numbers: &[f64]) -> Vec<f64> {
        let mut counts = vec![0.0; self.shares.len()];
        for number in numbers.iter().filter(|number| !number.is_nan()) {
            let bin = self.cuts.partition_point(|cut| cut < number);
            if let Some(count) = counts.get_mut(bin) {
                *count += 1.0;
            }
        }
        counts
    }

    fn check(&self) -> Result<(), String> {
        let ascending =
            self.cuts.windows(2).all(|pair| pair[0] < pair[1]) && self.cuts.iter().all(|cut| cut.is_finite());
        if ascending && self.shares.len() == self.cuts.len() + 1 && are_shares(&self.shares) && self.median.is_finite()
        {
            return Ok(());
        }
        Err("its reference has bins that cannot be".to_owned())
    }

    fn compare(
        &self,
        sort: Sort,
        name: Option<&str>,
        numbers: &[f64],
        shown: impl Fn(f64) -> String,
    ) -> Option<Finding> {
        let psi = marks::psi(&self.shares, self.rows as f64, &self.count(numbers))?;
        let mut present: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
        let middle = present.len() / 2;
        let (_, median, _) = present.select_nth_unstable_by(middle, f64::total_cmp);
        let how = format!("its median is {}, it was {} in training", shown(*median), shown(self.median));
        marks::drift(sort, name, psi, &how)
    }
}

fn are_shares(shares: &[f64]) -> bool {
    shares.iter().all(|share| (0.0..=1.0).contains(share))
}

/// A column's numbers in the rows (dates in days), `NaN` where missing or none.
pub(super) fn numbers(values: &Values, rows: &[usize], encoding: &Encoding) -> Vec<f64> {
    let days = |seconds: i64| seconds as f64 / 86_400.0;
    let one = |row: usize| match (values, encoding) {
        (Values::Number(numbers), Encoding::Date { format, .. }) => format.parse_number(*numbers.get(row)?).map(days),
        (Values::Text(text), Encoding::Date { format, .. }) => format.parse(text.get(row)?).map(days),
        (Values::Number(numbers), _) => numbers.get(row).copied(),
        (Values::Text(text), _) => plain_number(text.get(row)?),
    };
    rows.iter().map(|&row| one(row).unwrap_or(f64::NAN)).collect()
}

/// The name of a row's value; `None` where it is missing.
pub(super) fn name_of(values: &Values, row: usize) -> Option<std::borrow::Cow<'_, str>> {
    match values {
        values if values.is_missing(row) => None,
        Values::Number(numbers) => numbers.get(row).map(|&number| number_text(number).into()),
        Values::Text(text) => text.get(row).map(Into::into),
    }
}

impl Reference {
    /// Whether what a file says can be compared with.
    ///
    /// # Errors
    /// The first thing that cannot, in words.
    pub fn check(&self) -> Result<(), String> {
        for column in &self.columns {
            let sound = match &column.values {
                ReferenceValues::Numbers(tenths) => tenths.check().is_ok(),
                ReferenceValues::Levels { names, shares, others, unseen } => {
                    names.len() == shares.len() && are_shares(shares) && are_shares(&[*others, *unseen])
                }
            };
            if !sound || !are_shares(&[column.missing]) {
                return Err(format!("the reference of column {:?} cannot be used", column.name));
            }
        }
        let sound = |target: &ReferenceTarget| match target {
            ReferenceTarget::Classes { shares } => are_shares(shares),
            ReferenceTarget::Number { mean, deviation } => mean.is_finite() && *deviation >= 0.0,
        };
        let again = self.recalibrated.as_ref().map(|again| &again.target);
        if !self.target.iter().chain(again).all(sound) {
            return Err("the reference of its target cannot be used".to_owned());
        }
        self.scores.as_ref().map_or(Ok(()), Tenths::check)
    }

    /// What moved in some rows of a table: strong findings first, then by sort and size. `targets` where they are known, `scores` (one a
    /// row of `rows`) where the model gave them.
    ///
    /// # Errors
    /// A column that the table lacks; another number of scores than of rows.
    pub fn compare(
        &self,
        preprocess: &Preprocess,
        table: &Table,
        rows: &[usize],
        targets: Option<(&TargetSchema, &Targets)>,
        scores: Option<&[f64]>,
    ) -> Result<Vec<Finding>, ModelError> {
        let mut found = Vec::new();
        let size = (self.rows as f64, rows.len() as f64);
        for known in &self.columns {
            let Some(encoder) = preprocess.columns().iter().find(|encoder| encoder.name == known.name) else {
                continue;
            };
            let column = table.column(&known.name).ok_or_else(|| ModelError::ColumnsMissing {
                source_name: table.source.clone(),
                count: 1,
                names: format!("{:?}", known.name),
            })?;
            let missing = rows.iter().filter(|&&row| column.values.is_missing(row)).count() as f64;
            found.extend(marks::share(Sort::Missing, &known.name, (known.missing, size.0), (missing, size.1)));
            match &known.values {
                ReferenceValues::Numbers(tenths) => {
                    let date = matches!(encoder.encoding, Encoding::Date { .. });
                    // Of a date whose day is no input (its weekday or hour is) it is no news that days go by.
                    if date && !encoder.encoding.has_calendar() {
                        continue;
                    }
                    let shown = |x: f64| if date { day(x) } else { short(x) };
                    let numbers = numbers(&column.values, rows, &encoder.encoding);
                    found.extend(tenths.compare(Sort::Drift, Some(&known.name), &numbers, shown));
                }
                ReferenceValues::Levels { names, shares, others, unseen } => {
                    let mut counts = vec![0.0; names.len() + 1];
                    let mut new = 0.0;
                    for &row in rows {
                        let Some(name) = name_of(&column.values, row) else { continue };
                        counts[names.find_text(&name).unwrap_or(names.len())] += 1.0;
                        let has_own = encoder.encoding.levels().is_none_or(|levels| levels.find_text(&name).is_some());
                        new += f64::from(u8::from(!has_own));
                    }
                    let (present, trained) = (size.1 - missing, size.0 * (1.0 - known.missing));
                    found.extend(marks::share(Sort::Unseen, &known.name, (*unseen, trained), (new, present)));
                    let shares: Vec<f64> = shares.iter().copied().chain([*others]).collect();
                    let Some(psi) = marks::psi(&shares, trained, &counts) else { continue };
                    let change = |i: usize| counts[i] / present.max(1.0) - shares[i];
                    let most = (0..shares.len()).max_by(|&a, &b| change(a).abs().total_cmp(&change(b).abs()));
                    let how = most.map_or_else(String::new, |i| {
                        let who = names.names().get(i).map_or("other levels", String::as_str);
                        let now = percent(counts[i] / present.max(1.0));
                        format!("{who} is {now} of its values, it was {} in training", percent(shares[i]))
                    });
                    found.extend(marks::drift(Sort::Drift, Some(&known.name), psi, &how));
                }
            }
        }
        if let Some((target, targets)) = targets {
            found.extend(self.base_rate(target, targets, rows));
        }
        if let (Some(known), Some(scores)) = (&self.scores, scores) {
            if scores.len() != rows.len() {
                return Err(ModelError::Size { what: "scores to compare", expected: rows.len(), found: scores.len() });
            }
            found.extend(known.compare(Sort::Scores, None, scores, short));
        }
        let order = |finding: &Finding| (finding.sort != Sort::BaseRate, !finding.strong);
        found.sort_by(|a, b| order(a).cmp(&order(b)).then(b.size.abs().total_cmp(&a.size.abs())));
        Ok(found)
    }

    /// What moved in the target alone, in rows whose targets are known: against the rows that the model was last calibrated on again, and
    /// where it was not, against those of training.
    pub fn base_rate(&self, target: &TargetSchema, targets: &Targets, rows: &[usize]) -> Option<Finding> {
        let (known, size, whose) = match (&self.recalibrated, &self.target) {
            (Some(Recalibrated { rows, target }), _) => (target, *rows, "the rows of its last calibration"),
            (None, Some(target)) => (target, self.rows, "the training rows"),
            (None, None) => return None,
        };
        base_rate((known, size as f64, whose), target, targets, rows)
    }
}

/// The class that moved most, or the mean.
fn base_rate(
    (known, trained, whose): (&ReferenceTarget, f64, &str),
    target: &TargetSchema,
    targets: &Targets,
    rows: &[usize],
) -> Option<Finding> {
    match (known, &targets.labels) {
        (ReferenceTarget::Classes { shares }, Labels::Classes(classes)) => {
            let mut counts = vec![0.0; shares.len()];
            let mut total = 0.0;
            for label in rows.iter().filter_map(|&row| classes.get(row)) {
                if let Some(count) = counts.get_mut(*label as usize) {
                    *count += 1.0;
                    total += 1.0;
                }
            }
            let names = target.classes().unwrap_or(&[]);
            // Of two classes the second is the one that is spoken of.
            let first = usize::from(shares.len() == 2);
            let one = |class: usize| {
                let name = names.get(class).map_or("", String::as_str);
                let (known, now) = ((shares[class], trained), (counts[class], total));
                marks::base_rate((&target.name, name), known, now, shares.len(), whose)
            };
            (first..shares.len()).filter_map(one).max_by(|a, b| a.size.abs().total_cmp(&b.size.abs()))
        }
        (ReferenceTarget::Number { mean, deviation }, Labels::Numbers(numbers)) => {
            let values: Vec<f64> =
                rows.iter().filter_map(|&row| numbers.get(row).copied()).filter(|y| !y.is_nan()).collect();
            let n = values.len() as f64;
            let now = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|y| (y - now) * (y - now)).sum::<f64>() / n;
            let spread = (deviation * deviation / trained + variance / n).sqrt();
            let (z, size) = ((now - mean) / spread, (now - mean) / deviation);
            (z.abs() >= 3.0 && size.abs() >= 0.1).then(|| Finding {
                sort: Sort::BaseRate,
                column: Some(target.name.clone()),
                size,
                strong: true,
                words: format!(
                    "the target moved: the mean of {} is {}, it was {} in {whose} (z = {z:.1})",
                    target.name,
                    short(now),
                    short(*mean)
                ),
            })
        }
        _ => None,
    }
}

/// A number to show: about four digits.
fn short(x: f64) -> String {
    let size = x.abs();
    match size {
        _ if x.fract() == 0.0 && size < 1e15 => number_text(x),
        _ if size >= 1e6 || (size < 1e-3 && size > 0.0) => format!("{x:.3e}"),
        _ => {
            let text = if size >= 100.0 { format!("{x:.1}") } else { format!("{x:.4}") };
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// A day of days since 1970.
fn day(days: f64) -> String {
    let (year, month, day) = crate::dates::date_of(days.clamp(-1e6, 1e7).floor() as i64);
    format!("{year:04}-{month:02}-{day:02}")
}
