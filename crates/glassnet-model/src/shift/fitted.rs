//! The reference of the training rows, and one part of a table against another.

use super::marks::Finding;
use super::reference::{
    Recalibrated, Reference, ReferenceColumn, ReferenceTarget, ReferenceValues, Tenths, name_of, numbers,
};
use crate::error::ModelError;
use crate::levels::Levels;
use crate::preprocess::{Encoding, Preprocess};
use crate::rescale::quantile;
use crate::schema::infer::no_column;
use crate::standardise::Moments;
use crate::table::Table;
use crate::target::{Labels, TargetSchema, Targets, Task};
use std::collections::BTreeMap;

/// Levels of a column that are kept by name; the others are one share.
const MOST_LEVELS: usize = 50;

impl Tenths {
    /// Of numbers, missing ones passed over; `None` where there are none.
    pub fn fit(numbers: &[f64]) -> Option<Tenths> {
        let mut present: Vec<f64> = numbers.iter().copied().filter(|number| number.is_finite()).collect();
        present.sort_unstable_by(f64::total_cmp);
        let n = present.len();
        let of = |q: f64| quantile(n, |i| present[i], q);
        if n == 0 {
            return None;
        }
        let last = present[n - 1];
        let mut cuts: Vec<f64> = (1..10).map(|tenth| of(f64::from(tenth) / 10.0)).collect();
        cuts.dedup();
        // Nothing lies above the last one.
        cuts.retain(|&cut| cut < last);
        let mut shares = Vec::with_capacity(cuts.len() + 1);
        let mut below = 0;
        for &cut in &cuts {
            let until = present.partition_point(|&x| x <= cut);
            shares.push((until - below) as f64 / n as f64);
            below = until;
        }
        shares.push((n - below) as f64 / n as f64);
        Some(Tenths { cuts, shares, median: of(0.5), rows: n })
    }
}

impl Reference {
    /// Of training rows. The model's scores are added with [`Reference::with_scores`].
    ///
    /// # Errors
    /// A column of the preprocessing that the table lacks.
    pub fn fit(
        table: &Table,
        rows: &[usize],
        preprocess: &Preprocess,
        target: Option<(&TargetSchema, &Targets)>,
    ) -> Result<Reference, ModelError> {
        let mut columns = Vec::with_capacity(preprocess.columns().len());
        for encoder in preprocess.columns() {
            let column = table.column(&encoder.name).ok_or_else(|| no_column(table, &encoder.name, "reference"))?;
            let present = rows.iter().filter(|&&row| !column.values.is_missing(row)).count();
            let missing = 1.0 - present as f64 / rows.len().max(1) as f64;
            let of_numbers = encoder.encoding.is_number() || matches!(encoder.encoding, Encoding::Date { .. });
            let tenths = if of_numbers { Tenths::fit(&numbers(&column.values, rows, &encoder.encoding)) } else { None };
            let values = tenths.map_or_else(
                || {
                    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                    for name in rows.iter().filter_map(|&row| name_of(&column.values, row)) {
                        match counts.get_mut(name.as_ref()) {
                            Some(count) => *count += 1,
                            None => {
                                counts.insert(name.into_owned(), 1);
                            }
                        }
                    }
                    let share = |count: usize| count as f64 / present.max(1) as f64;
                    let own = encoder.encoding.levels();
                    let strange =
                        counts.iter().filter(|(name, _)| own.is_some_and(|own| own.find_text(name).is_none()));
                    let unseen = share(strange.map(|(_, count)| count).sum());
                    let mut ranked: Vec<(String, usize)> = counts.into_iter().collect();
                    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                    let others = share(ranked.iter().skip(MOST_LEVELS).map(|(_, count)| count).sum());
                    ranked.truncate(MOST_LEVELS);
                    let names = Levels::new(ranked.iter().map(|(name, _)| name.clone()));
                    let mut shares = vec![0.0; names.len()];
                    for (name, count) in &ranked {
                        if let Some(place) = names.find_text(name) {
                            shares[place] = share(*count);
                        }
                    }
                    ReferenceValues::Levels { names, shares, others, unseen }
                },
                ReferenceValues::Numbers,
            );
            columns.push(ReferenceColumn { name: encoder.name.clone(), missing, values });
        }
        let target = target.and_then(|(target, targets)| of_target(target, targets, rows));
        Ok(Reference { rows: rows.len(), columns, target, scores: None, recalibrated: None })
    }

    /// The same after a later calibration on rows with these targets: their base rate is what later rows are compared with.
    pub fn recalibrated_on(mut self, target: &TargetSchema, targets: &Targets, rows: &[usize]) -> Reference {
        self.recalibrated = of_target(target, targets, rows).map(|target| Recalibrated { rows: rows.len(), target });
        self
    }

    /// The same with the model's outputs on rows that it was not fitted to: one number a row, such as the second class's score.
    pub fn with_scores(mut self, scores: &[f64]) -> Reference {
        self.scores = Tenths::fit(scores);
        self
    }
}

fn of_target(target: &TargetSchema, targets: &Targets, rows: &[usize]) -> Option<ReferenceTarget> {
    match (&target.task, &targets.labels) {
        (Task::Classify { classes: known }, Labels::Classes(classes)) => {
            let mut counts = vec![0usize; known.len()];
            for label in rows.iter().filter_map(|&row| classes.get(row)) {
                if let Some(count) = counts.get_mut(*label as usize) {
                    *count += 1;
                }
            }
            let total = counts.iter().sum::<usize>().max(1) as f64;
            Some(ReferenceTarget::Classes { shares: counts.into_iter().map(|count| count as f64 / total).collect() })
        }
        (Task::Regress { .. }, Labels::Numbers(numbers)) => {
            let known = rows.iter().filter_map(|&row| numbers.get(row).copied()).filter(|y| !y.is_nan());
            let Moments { mean, deviation, .. } = Moments::of(known)?;
            Some(ReferenceTarget::Number { mean, deviation })
        }
        _ => None,
    }
}

/// What moved from some rows of a table to others: the training rows against those of a later part, say.
///
/// # Errors
/// A column of the preprocessing that the table lacks.
pub fn between(
    table: &Table,
    preprocess: &Preprocess,
    target: (&TargetSchema, &Targets),
    from: &[usize],
    to: &[usize],
) -> Result<Vec<Finding>, ModelError> {
    Reference::fit(table, from, preprocess, Some(target))?.compare(preprocess, table, to, Some(target), None)
}
