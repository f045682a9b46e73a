//! Row weights: how much each row counts in the loss.

use crate::error::{BadValue, ModelError};
use crate::levels::{number_text, plain_number};
use crate::table::{Table, Values};
use glassnet_nn::nearest::nearest;
use std::ops::RangeInclusive;

/// What a weight above 0 may be: the loss counts in f32, which must hold it, and sums of many, and products with a row's loss.
const WEIGHTS: RangeInclusive<f64> = 1e-30..=1e30;

/// The weights of the given rows (numbers from 0), in their order, from the column `name`.
///
/// # Errors
/// The column is missing; a weight that is missing, negative, no number, or one that an f32 does not hold, with row and line; all are 0.
pub fn row_weights(table: &Table, name: &str, rows: &[usize]) -> Result<Vec<f64>, ModelError> {
    let column = table.column(name).ok_or_else(|| ModelError::NoColumn {
        source_name: table.source.clone(),
        column: name.to_owned(),
        role: "row weights",
        nearest: nearest(name, table.columns.iter().map(|column| column.name.as_str())).map(str::to_owned),
    })?;
    let weight = |&row: &usize| {
        let (number, value) = match &column.values {
            values if values.is_missing(row) => (None, String::new()),
            Values::Number(numbers) => (Some(numbers[row]), number_text(numbers[row])),
            Values::Text(text) => {
                let word = text.get(row).unwrap_or("");
                (plain_number(word), word.to_owned())
            }
        };
        number.filter(|weight| *weight == 0.0 || WEIGHTS.contains(weight)).ok_or_else(|| {
            ModelError::from(BadValue {
                source_name: table.source.clone(),
                place: table.place(row),
                column: name.to_owned(),
                value,
                wanted: "a row weight, which is 0 or a number from 1e-30 to 1e30".to_owned(),
                hint: "correct it; 0 leaves the row out of the loss".to_owned(),
            })
        })
    };
    let weights: Vec<f64> = rows.iter().map(weight).collect::<Result<_, _>>()?;
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(ModelError::ZeroWeights { column: name.to_owned(), rows: rows.len() });
    }
    Ok(weights)
}
