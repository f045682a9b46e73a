//! The runtime as a WebAssembly module: a model file's bytes go in, rows go in, scores come out.
//!
//! No glue is needed: every exported function (see `exports`) takes and gives plain numbers, and bytes are handed over
//! one at a time, so that nothing here touches raw memory. `wasm/compare.mjs` shows the calls from JavaScript, and
//! `cargo xtask wasm` holds the module's predictions against the native ones.
#![deny(unsafe_code)]

mod exports;

use glassnet_model::Model;
use glassnet_model::model::Scratch;
use glassnet_model::value::Value;

/// One cell of the row that is being handed over.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Missing,
    Number(f64),
    Text(String),
}

/// A model, the row that is being handed over, and the scores of the last one.
#[derive(Debug, Default)]
pub struct Session {
    bytes: Vec<u8>,
    model: Option<(Model, Scratch)>,
    row: Vec<Cell>,
    scores: Vec<f32>,
}

impl Session {
    /// Takes one byte: of a model file, or of a text.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Reads the bytes taken so far as a model file. Gives the number of columns that a row has.
    ///
    /// # Errors
    /// They are no model file.
    pub fn load(&mut self) -> Result<usize, String> {
        let bytes = std::mem::take(&mut self.bytes);
        let model = Model::from_bytes(&bytes).map_err(|error| error.to_string())?;
        let scratch = model.scratch();
        let columns = model.columns().len();
        self.scores = vec![0.0; model.outputs()];
        self.row.clear();
        self.model = Some((model, scratch));
        Ok(columns)
    }

    /// Adds a number to the row.
    pub fn number(&mut self, value: f64) {
        self.row.push(Cell::Number(value));
    }

    /// Adds a missing value to the row.
    pub fn missing(&mut self) {
        self.row.push(Cell::Missing);
    }

    /// Adds the bytes taken so far to the row, as text.
    pub fn text(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.row.push(Cell::Text(String::from_utf8_lossy(&bytes).into_owned()));
    }

    /// Predicts the row and begins a new one. Gives the number of scores.
    ///
    /// # Errors
    /// No model, or a row that does not fit it.
    pub fn predict(&mut self) -> Result<usize, String> {
        let row = std::mem::take(&mut self.row);
        let Some((model, scratch)) = &mut self.model else { return Err("no model is loaded".to_string()) };
        let values: Vec<Value<'_>> = row
            .iter()
            .map(|cell| match cell {
                Cell::Missing => Value::Missing,
                Cell::Number(number) => Value::Number(*number),
                Cell::Text(text) => Value::Text(text),
            })
            .collect();
        model.predict_into(&values, scratch, &mut self.scores).map_err(|error| error.to_string())?;
        Ok(self.scores.len())
    }

    /// Score number `place` of the row predicted last; NaN where there is none.
    pub fn score(&self, place: usize) -> f32 {
        self.scores.get(place).copied().unwrap_or(f32::NAN)
    }
}
