//! Tables for tests.
#![allow(dead_code)]

use glassnet_model::table::{Column, Table, Text, Values};

/// A column of numbers.
pub fn numbers(name: &str, values: &[f64]) -> Column {
    Column { name: name.to_owned(), values: Values::Number(values.to_vec()) }
}

/// A column of text; an empty word is a missing value.
pub fn words(name: &str, values: &[&str]) -> Column {
    let mut text = Text::default();
    for value in values {
        text.push((!value.is_empty()).then_some(*value));
    }
    Column { name: name.to_owned(), values: Values::Text(text) }
}

/// A table of a file with a header: row 1 is on line 2.
pub fn table(columns: Vec<Column>) -> Table {
    let rows = columns.first().map_or(0, |column| column.values.len());
    Table { source: "t.csv".to_owned(), columns, rows, first_row: 1, lines: (2..2 + rows as u64).collect() }
}

/// Every row.
pub fn all(table: &Table) -> Vec<usize> {
    (0..table.rows).collect()
}
