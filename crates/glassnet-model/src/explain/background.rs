//! Rows of the training that stand for "a row of which nothing is known": what a column is compared with.
//!
//! They are kept encoded, as the network reads them, in the model file's tensor `background`, `[rows, inputs]`. They are data of
//! the training: who has the file can read them back to values (numbers to their f32, categories to their level). A model can
//! be made and kept without them.

use glassnet_core::random::{Draws, Purpose};
use glassnet_nn::source::Source;

use crate::error::ModelError;
use crate::file::{Features, Tensor};
use crate::model::Model;

/// Most rows of a background.
pub const MAX_ROWS: usize = 128;

/// The tensor's name in a model file.
pub(crate) const TENSOR: &str = "background";

/// Keeps the draw of the rows apart from other draws of inspectors.
const STREAM: u32 = 0x00ba_c6d0;

/// Up to [`MAX_ROWS`] encoded rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    inputs: usize,
    values: Vec<f32>,
}

impl Background {
    /// Rows of `inputs` numbers each, one after the other.
    ///
    /// # Errors
    /// No row, more than [`MAX_ROWS`], numbers that are not whole rows or not finite.
    pub fn new(inputs: usize, values: Vec<f32>) -> Result<Self, ModelError> {
        let unfit =
            |what: String| Err(ModelError::Unfit { what, hint: "give 1 to 128 encoded rows of finite numbers" });
        let rows = values.len().checked_div(inputs).unwrap_or(0);
        if rows == 0 || rows * inputs != values.len() {
            return unfit(format!("{} numbers are no rows of {inputs} for a background", values.len()));
        }
        if rows > MAX_ROWS {
            return unfit(format!("a background of {rows} rows"));
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(place) => unfit(format!("row {} of a background holds {}", place / inputs, values[place])),
            None => Ok(Background { inputs, values }),
        }
    }

    /// These rows of encoded data.
    ///
    /// # Errors
    /// As [`Background::new`]; a row beyond the data.
    pub fn of(source: &dyn Source<f32>, rows: &[u32]) -> Result<Self, ModelError> {
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= source.rows()) {
            let what = "rows of the data (a row of the background is beyond it)";
            return Err(ModelError::Size { what, expected: row as usize + 1, found: source.rows() });
        }
        let mut values = vec![0.0; rows.len() * source.width()];
        source.features(rows, &mut values);
        Background::new(source.width(), values)
    }

    /// At most `most` of `rows` ([`MAX_ROWS`] at most), drawn without replacement by a seed.
    ///
    /// # Errors
    /// As [`Background::of`].
    pub fn draw(source: &dyn Source<f32>, rows: &[u32], most: usize, seed: u64) -> Result<Self, ModelError> {
        let mut order = rows.to_vec();
        Draws::new(seed, Purpose::Inspect, STREAM, 0).shuffle(&mut order);
        order.truncate(most.min(MAX_ROWS));
        Background::of(source, &order)
    }

    /// The first `rows` of them (at least one): they lie in the order of the draw, so these are drawn at random too.
    pub fn first(&self, rows: usize) -> Self {
        let numbers = rows.max(1).saturating_mul(self.inputs).min(self.values.len());
        Background { inputs: self.inputs, values: self.values[..numbers].to_vec() }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.inputs.max(1)
    }

    /// Numbers of a row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The rows, one after the other.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Whether a model of a table reads such rows.
    ///
    /// # Errors
    /// It reads others.
    pub(crate) fn fits(&self, model: &Model) -> Result<(), ModelError> {
        let hint = "draw it from rows that this model encoded";
        let what = match &model.document().preprocess {
            Features::Table(_) if model.network().inputs() == self.inputs => return Ok(()),
            Features::Table(_) => {
                format!(
                    "a background of rows of {} numbers, but the model reads {}",
                    self.inputs,
                    model.network().inputs()
                )
            }
            Features::Images(_) | Features::Text(_) => {
                "a background of rows, but the model is none of a table".to_owned()
            }
        };
        Err(ModelError::Unfit { what, hint })
    }

    /// As a tensor of a model file.
    pub(crate) fn tensor(&self) -> Tensor {
        Tensor { name: TENSOR.to_owned(), shape: vec![self.rows(), self.inputs], data: self.values.clone() }
    }

    /// Takes the background out of a model file's tensors, where a table's model has one.
    ///
    /// # Errors
    /// A tensor of that name that is no background for `inputs` numbers.
    pub(crate) fn take(tensors: &mut Vec<Tensor>, inputs: usize) -> Result<Option<Self>, ModelError> {
        let Some(place) = tensors.iter().position(|tensor| tensor.name == TENSOR) else { return Ok(None) };
        let Tensor { shape, data, .. } = tensors.remove(place);
        match shape[..] {
            [rows, width] if (1..=MAX_ROWS).contains(&rows) && width == inputs => {
                Background::new(inputs, data).map(Some).map_err(|error| ModelError::Tensors { what: error.to_string() })
            }
            _ => Err(ModelError::Tensors {
                what: format!(
                    "{TENSOR:?} has shape {shape:?}, but 1 to {MAX_ROWS} rows of {inputs} numbers belong there"
                ),
            }),
        }
    }
}
