//! One row at a time, for the runtime that other programs embed: no allocation, no panic.

use super::Preprocess;
use crate::ModelError;
use crate::value::{RowError, Value};
use glassnet_core::Real;

impl Preprocess {
    /// The inputs of one row: `row` has a value for each of [`Preprocess::columns`], `out` has [`Preprocess::width`]
    /// places. It allocates nothing, also where it fails; then `out` holds nothing of use.
    ///
    /// # Errors
    /// [`RowError`]: a length that does not fit, or a value that cannot be what its column is.
    pub fn encode_row<T: Real>(&self, row: &[Value<'_>], out: &mut [T]) -> Result<(), RowError> {
        if row.len() != self.columns.len() {
            return Err(RowError::Length { expected: self.columns.len(), found: row.len() });
        }
        if out.len() != self.width() {
            return Err(RowError::Output { expected: self.width(), found: out.len() });
        }
        for (column, ((encoder, at), value)) in self.placed().zip(row).enumerate() {
            let cell = encoder.encoding.cell(*value).map_err(|fault| RowError::Value { column, fault })?;
            encoder.encoding.write(cell, out, at);
        }
        Ok(())
    }

    /// A row's error with the name of its column.
    pub fn named(&self, error: RowError) -> ModelError {
        let column = match error {
            RowError::Value { column, .. } => self.columns.get(column).map_or("", |encoder| encoder.name.as_str()),
            _ => "",
        };
        ModelError::Row { column: column.to_owned(), error }
    }
}
