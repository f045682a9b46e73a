//! A new table's columns, found by name.

use super::Preprocess;
use crate::table::Table;
use crate::{ModelError, Schema};
use glassnet_nn::nearest::nearest;

/// Which of a table's columns the model takes; their order is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// For each of [`Preprocess::columns`], the place of its column in the table.
    pub places: Vec<usize>,
    /// The table's columns that the model does not know. They are ignored; say so.
    pub extra: Vec<String>,
}

impl Preprocess {
    /// Finds the model's columns in a table. The target, the weights and columns left out in training may be there or not.
    ///
    /// # Errors
    /// One that names all missing columns; a column that the model takes and that the table has twice.
    pub fn matching(&self, schema: &Schema, table: &Table) -> Result<Matching, ModelError> {
        let (mut places, mut missing) = (Vec::with_capacity(self.columns.len()), Vec::new());
        for encoder in &self.columns {
            let mut found = table.columns.iter().enumerate().filter(|(_, column)| column.name == encoder.name);
            match (found.next(), found.next()) {
                (Some((place, _)), None) => places.push(place),
                (Some(_), Some(_)) => {
                    let (source_name, column) = (table.source.clone(), encoder.name.clone());
                    return Err(ModelError::DuplicateColumn { source_name, column });
                }
                (None, _) => missing.push(encoder.name.as_str()),
            }
        }
        let extra: Vec<&str> =
            table.columns.iter().map(|column| column.name.as_str()).filter(|name| !schema.knows(name)).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing
                .iter()
                .map(|name| match nearest(name, extra.iter().copied()) {
                    Some(near) => format!("{name:?} (there is {near:?})"),
                    None => format!("{name:?}"),
                })
                .collect();
            let (source_name, count) = (table.source.clone(), missing.len());
            return Err(ModelError::ColumnsMissing { source_name, count, names: names.join(", ") });
        }
        Ok(Matching { places, extra: extra.into_iter().map(str::to_owned).collect() })
    }
}
