//! How much worse a model is without a column: the loss on rows that it was not trained on, with the column's values exchanged
//! between the rows (Breiman 2001, Fisher, Rudin, Dominici 2019).

use glassnet_core::random::{Draws, Purpose};
use glassnet_core::{Real, Team};
use glassnet_nn::source::Source;
use serde::Serialize;

use super::columns::Columns;
use super::margins::Margins;
use crate::encoded::Encoded;
use crate::error::ModelError;
use crate::file::Head;
use crate::model::Model;

/// Keeps the draw of shuffles apart from other draws of inspectors.
const STREAM: u32 = 0x0013_9047;

/// What each column is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// Number of rows.
    pub rows: usize,
    /// `log-loss` or `RMSE` (in the target's unit).
    pub measure: &'static str,
    /// It on the rows as they are.
    pub loss: f64,
    /// How often each column was shuffled.
    pub repeats: u32,
    /// The columns, in the order of [`Model::columns`].
    pub columns: Vec<ColumnImportance>,
}

/// What one column is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnImportance {
    /// Its name.
    pub column: String,
    /// By how much the loss rises when its values are shuffled: the mean over the shuffles. Below 0: shuffled values did
    /// better, so it is worth nothing on these rows.
    pub increase: f64,
    /// Standard deviation of the increase over the shuffles (n - 1); 0 for one shuffle.
    pub spread: f64,
}

impl Importance {
    /// The columns by what they are worth, the largest first; equals in their order.
    pub fn ranked(&self) -> Vec<&ColumnImportance> {
        let mut order: Vec<&ColumnImportance> = self.columns.iter().collect();
        order.sort_by(|a, b| b.increase.total_cmp(&a.increase));
        order
    }

    /// Works it out: all inputs of a column are moved together, by the same shuffles for each column. Rows count by their
    /// weights.
    ///
    /// # Errors
    /// Rows without targets, rows of another model, a model of images or text, no rows, 0 repeats.
    pub fn of(
        model: &Model,
        encoded: &Encoded<f32>,
        rows: &[u32],
        repeats: u32,
        seed: u64,
        team: &Team,
    ) -> Result<Self, ModelError> {
        let columns = Columns::of(model)?;
        model.encoded_here(encoded)?;
        model.targets_here(encoded, rows)?;
        if rows.is_empty() || repeats == 0 {
            let what = if rows.is_empty() { "no rows to measure on" } else { "0 shuffles measure nothing" };
            return Err(ModelError::Unfit {
                what: what.into(),
                hint: "give rows with a target, and 1 shuffle or more",
            });
        }
        let mut work = Work { model, encoded, rows, columns: &columns, margins: Margins::new(model, team.clone()) };
        let as_they_are: Vec<usize> = (0..rows.len()).collect();
        let loss = work.loss(None, &as_they_are);
        let orders: Vec<Vec<usize>> = (0..repeats)
            .map(|repeat| {
                let mut order = as_they_are.clone();
                Draws::new(seed, Purpose::Inspect, STREAM, repeat).shuffle(&mut order);
                order
            })
            .collect();
        let names = model.columns();
        let mut worth = Vec::with_capacity(names.len());
        for (column, name) in names.iter().enumerate() {
            let increases: Vec<f64> = orders.iter().map(|order| work.loss(Some(column), order) - loss).collect();
            let n = f64::from(repeats);
            let increase = increases.iter().sum::<f64>() / n;
            let squares: f64 = increases.iter().map(|one| (one - increase) * (one - increase)).sum();
            let spread = if repeats > 1 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
            worth.push(ColumnImportance { column: (*name).to_owned(), increase, spread });
        }
        let measure = if model.document().network.head == Head::Value { "RMSE" } else { "log-loss" };
        Ok(Importance { rows: rows.len(), measure, loss, repeats, columns: worth })
    }
}

struct Work<'a> {
    model: &'a Model,
    encoded: &'a Encoded<f32>,
    rows: &'a [u32],
    columns: &'a Columns,
    margins: Margins<'a>,
}

/// Rows that are put together at a time.
const BATCH: usize = 1024;

impl Work<'_> {
    /// The loss where `column` has the values of the rows at `order`.
    fn loss(&mut self, column: Option<usize>, order: &[usize]) -> f64 {
        let Work { model, encoded, rows, columns, margins } = self;
        let width = columns.width.max(1);
        let per_row = model.outputs().max(1);
        let (mut inputs, mut other, mut scores) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sum, mut weights) = (0.0, 0.0);
        for (rows, order) in rows.chunks(BATCH).zip(order.chunks(BATCH)) {
            inputs.resize(rows.len() * width, 0.0);
            encoded.features(rows, &mut inputs);
            if let Some(column) = column {
                let from: Vec<u32> = order.iter().map(|&place| self.rows[place]).collect();
                other.resize(rows.len() * width, 0.0);
                encoded.features(&from, &mut other);
                for (row, from) in inputs.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
                    columns.replace(column, from, row);
                }
            }
            scores.clear();
            margins.scores(&inputs, &mut scores);
            for (&row, scores) in rows.iter().zip(scores.chunks_exact(per_row)) {
                let weight = encoded.weight(row);
                if weight == 0.0 {
                    continue;
                }
                weights += weight;
                sum += weight * row_loss(model, encoded, row, scores);
            }
        }
        let mean = sum / weights;
        if model.document().network.head == Head::Value { mean.sqrt() } else { mean }
    }
}

/// `-ln p` of the true class, or the squared error in the target's unit.
fn row_loss(model: &Model, encoded: &Encoded<f32>, row: u32, scores: &[f32]) -> f64 {
    match model.document().network.head {
        Head::Value => {
            let truth = encoded.values.get(row as usize).copied().unwrap_or(f64::NAN);
            let truth = model.document().schema.target.as_ref().map_or(truth, |target| target.restore(truth));
            let error = scores.first().copied().map_or(f64::NAN, f64::from) - truth;
            error * error
        }
        Head::Softmax | Head::Sigmoid => {
            let label = usize::try_from(encoded.label(row)).ok();
            let p = label.and_then(|label| scores.get(label)).copied().map_or(f64::NAN, f64::from);
            // A score that has rounded to 0 is the smallest number that it can have been; a NaN stays one.
            -Real::ln(if p < f64::from(f32::MIN_POSITIVE) { f64::from(f32::MIN_POSITIVE) } else { p })
        }
    }
}
