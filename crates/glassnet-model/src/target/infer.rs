//! Classes or a number: what the target is, worked out from the training table.

use super::{Labels, TargetSchema, Targets, Task};
use crate::ModelError;
use crate::levels::{Levels, number_text, plain_number};
use crate::schema::MAX_LEVELS;
use crate::standardise::Moments;
use crate::table::{Table, Values};
use std::collections::BTreeSet;

/// A target of whole numbers is a class where it has at most this many different ones.
pub const MAX_NUMBER_CLASSES: usize = 20;

/// What a person says about the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskChoice {
    /// The target's values are names of classes.
    Classify,
    /// The target is a number.
    Regress,
}

impl TargetSchema {
    /// The target of a training table and its rows' targets.
    ///
    /// Text is a class; whole numbers with at most [`MAX_NUMBER_CLASSES`] different values too; other numbers are a
    /// regression. `choice` goes before that. A regression's mean and deviation are those of all rows with a target, until
    /// [`TargetSchema::fit`] takes the training rows.
    ///
    /// # Errors
    /// The column is missing; a target is infinite; no row has one; only one class, or more than [`MAX_LEVELS`]; a
    /// regression's target is constant, or not a number.
    pub fn infer(table: &Table, name: &str, choice: Option<TaskChoice>) -> Result<(TargetSchema, Targets), ModelError> {
        let column = table.column(name).ok_or_else(|| crate::schema::infer::no_column(table, name, "target"))?;
        let distinct = Distinct::of(&column.values);
        let (classify, reason) = match choice {
            Some(TaskChoice::Classify) => (true, "as asked".to_owned()),
            Some(TaskChoice::Regress) => (false, "as asked".to_owned()),
            None => distinct.decide(),
        };
        let whole = Levels::new(Vec::new());
        let task = if classify {
            Task::Classify {
                classes: if distinct.infinite { whole } else { Levels::new(distinct.names.iter().cloned()) },
            }
        } else {
            Task::Regress { mean: 0.0, deviation: 1.0 }
        };
        let mut target = TargetSchema { name: name.to_owned(), task, reason, range: None };
        if distinct.infinite {
            // Reading it as numbers names the row.
            let numbers = TargetSchema { task: Task::Regress { mean: 0.0, deviation: 1.0 }, ..target.clone() };
            numbers.read(table)?;
        }
        let targets = target.read(table)?;
        let rows = targets.rows.len();
        if classify && distinct.names.len() == 1 {
            let class = distinct.names.first().cloned().unwrap_or_default();
            return Err(ModelError::OneClass { column: target.name, class, rows });
        }
        if classify && distinct.names.len() > MAX_LEVELS {
            let classes = distinct.names.len();
            return Err(ModelError::TooManyClasses { column: target.name, classes, rows, limit: MAX_LEVELS });
        }
        target.fit(&targets.labels, &targets.rows)?;
        Ok((target, targets))
    }

    /// Takes a regression's mean and deviation from the training rows; a classification has nothing to take.
    ///
    /// # Errors
    /// The target is constant in these rows, or there are none; predictions, which are f32, cannot hold its values or tell them apart.
    pub fn fit(&mut self, labels: &Labels, rows: &[usize]) -> Result<(), ModelError> {
        let (Task::Regress { mean, deviation }, Labels::Numbers(numbers)) = (&mut self.task, labels) else {
            return Ok(());
        };
        let known = || rows.iter().filter_map(|&row| numbers.get(row).copied()).filter(|number| !number.is_nan());
        let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(y), b.max(y)));
        let unfit = |what: &str, hint| {
            let (name, least, most) = (&self.name, shown(least), shown(most));
            Err(ModelError::Unfit { what: format!("the target {name:?} is from {least} to {most}: {what}"), hint })
        };
        let size = least.abs().max(most.abs());
        if most > least && size > f64::from(f32::MAX) / 16.0 {
            return unfit("a prediction (f32) cannot be as large", "give it in a larger unit: divide the column");
        }
        if most > least && most - least < 16.0 * f64::from(f32::MIN_POSITIVE) {
            return unfit("a prediction (f32) cannot be as small", "give it in a smaller unit: multiply the column");
        }
        if most > least && most - least < 16.0 * f64::from(f32::EPSILON) * size {
            return unfit(
                "a prediction (f32) has seven digits and cannot tell these apart",
                "subtract what they have in common, such as the smallest",
            );
        }
        match Moments::of(known()) {
            Some(moments) if !moments.constant => {
                (*mean, *deviation) = (moments.mean, moments.deviation);
                Ok(())
            }
            Some(moments) => Err(ModelError::ConstantTarget {
                column: self.name.clone(),
                value: shown(moments.mean),
                rows: rows.len(),
            }),
            None => Err(ModelError::NoRows {
                source_name: format!("the target {:?}", self.name),
                because: ": it is blank, or too large to have a finite deviation".to_owned(),
                hint: "give rows with a target; divide very large ones",
            }),
        }
    }

    /// Takes the smallest and the largest target of the training rows; a classification has none.
    pub fn fit_range(&mut self, labels: &Labels, rows: &[usize]) {
        self.range = match labels {
            Labels::Classes(_) => None,
            Labels::Numbers(numbers) => {
                let known =
                    rows.iter().filter_map(|&row| numbers.get(row).copied()).filter(|number| number.is_finite());
                let range = known.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], y| [a.min(y), b.max(y)]);
                (range[0] <= range[1]).then_some(range)
            }
        };
    }
}

/// A number in a message: with an exponent where digits would be many.
fn shown(number: f64) -> String {
    if number == 0.0 || (1e-5..1e16).contains(&number.abs()) { number_text(number) } else { format!("{number:e}") }
}

/// What there is to know of a target's values.
struct Distinct {
    names: BTreeSet<String>,
    text: bool,
    whole: bool,
    infinite: bool,
}

impl Distinct {
    fn of(values: &Values) -> Self {
        match values {
            Values::Number(numbers) => {
                let bits: BTreeSet<u64> =
                    numbers.iter().filter(|number| !number.is_nan()).map(|number| (number + 0.0).to_bits()).collect();
                let infinite = bits.iter().any(|&bits| f64::from_bits(bits).is_infinite());
                let whole = bits.iter().all(|&bits| f64::from_bits(bits).fract() == 0.0);
                let names = bits.into_iter().map(|bits| number_text(f64::from_bits(bits))).collect();
                Distinct { names, text: false, whole, infinite }
            }
            Values::Text(text) => {
                let names: BTreeSet<&str> = text.iter().flatten().collect();
                let infinite = false;
                // A reader may keep numbers as text; they are then judged as numbers.
                let numbers: Option<Vec<f64>> = names.iter().map(|name| plain_number(name)).collect();
                let whole = numbers.as_ref().is_some_and(|numbers| numbers.iter().all(|number| number.fract() == 0.0));
                Distinct {
                    text: numbers.is_none(),
                    whole,
                    infinite,
                    names: names.into_iter().map(str::to_owned).collect(),
                }
            }
        }
    }

    fn decide(&self) -> (bool, String) {
        let n = self.names.len();
        let s = if n == 1 { "" } else { "s" };
        match self {
            Distinct { text: true, .. } => (true, format!("a class because it is text with {n} different value{s}")),
            Distinct { whole: true, .. } if n <= MAX_NUMBER_CLASSES => {
                (true, format!("a class because it has {n} different whole number{s} (task regress overrides this)"))
            }
            Distinct { whole: true, .. } => {
                (false, format!("a number because it has {n} different whole numbers (task classify overrides this)"))
            }
            Distinct { .. } => (false, "a number because not all of it are whole numbers".to_owned()),
        }
    }
}
