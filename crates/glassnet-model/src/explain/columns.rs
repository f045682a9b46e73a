//! Which inputs of the network belong to which column of the user's: they are always replaced together.

use std::ops::Range;

use super::Background;
use crate::error::ModelError;
use crate::file::Features;
use crate::model::Model;

/// The columns of a model, in the order of [`Model::columns`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    /// The inputs of each column, as runs of places.
    runs: Vec<Vec<Range<usize>>>,
    /// Whether a column is a category, or a number whose values have codes: no meaning lies between two of them.
    category: Vec<bool>,
    /// Inputs of a row.
    pub width: usize,
}

impl Columns {
    /// A model's columns.
    ///
    /// # Errors
    /// A model of images or text.
    pub fn of(model: &Model) -> Result<Self, ModelError> {
        let Features::Table(preprocess) = &model.document().preprocess else {
            return Err(ModelError::Unfit {
                what: "the model did not learn from a table, so it has no columns to explain by".into(),
                hint: "explain a model of a table; glassnet trace shows every number of any model",
            });
        };
        let columns = preprocess.columns();
        Ok(Columns {
            runs: (0..columns.len()).map(|column| preprocess.inputs_of(column)).collect(),
            category: columns
                .iter()
                .map(|column| column.encoding.levels().or(column.encoding.peaks()).is_some())
                .collect(),
            width: preprocess.width(),
        })
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether a column is a category.
    pub fn is_category(&self, column: usize) -> bool {
        self.category[column]
    }

    /// The runs of a column's inputs.
    pub fn runs(&self, column: usize) -> &[Range<usize>] {
        &self.runs[column]
    }

    /// Whether two encoded rows have the same inputs in a column, to the bit.
    pub fn same(&self, column: usize, a: &[f32], b: &[f32]) -> bool {
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
        self.runs[column].iter().all(|run| match run.len() {
            1 => a[run.start].to_bits() == b[run.start].to_bits(),
            _ => a[run.clone()] == b[run.clone()] && bits(&a[run.clone()]) == bits(&b[run.clone()]),
        })
    }

    /// Gives `to` the inputs that `from` has in a column.
    pub fn replace(&self, column: usize, from: &[f32], to: &mut [f32]) {
        for run in &self.runs[column] {
            to[run.clone()].copy_from_slice(&from[run.clone()]);
        }
    }

    /// One row that stands for a background: the mean of each input of a number, the most frequent value of each category (of
    /// equals the first).
    pub fn reference(&self, background: &Background) -> Vec<f32> {
        let values = background.values();
        let mut reference = vec![0.0; self.width];
        let rows = || values.chunks_exact(self.width.max(1));
        for column in 0..self.len() {
            if self.category[column] {
                let count = |row: &[f32]| rows().filter(|other| self.same(column, row, other)).count();
                let mut best: Option<(usize, &[f32])> = None;
                for row in rows() {
                    let count = count(row);
                    if best.is_none_or(|(most, _)| count > most) {
                        best = Some((count, row));
                    }
                }
                if let Some((_, row)) = best {
                    self.replace(column, row, &mut reference);
                }
                continue;
            }
            for input in self.runs[column].iter().cloned().flatten() {
                let sum: f64 = rows().map(|row| f64::from(row[input])).sum();
                reference[input] = (sum / background.rows().max(1) as f64) as f32;
            }
        }
        reference
    }
}
