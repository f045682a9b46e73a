//! Columns that only tell what time it is: numbers, and parts of dates, that leave the range of the training rows in nearly all
//! validation rows.
//!
//! Where validation rows come later (`--time`, or a file of the next month), the day, the month, a counter is a number there that no
//! training row had. A network has nothing to go by beyond its training rows, and what it learned inside of them (this was the day of
//! the storm) is no use to later rows. So such columns are left out, named, with both ranges. `--type COL=number` (or date) keeps one.
//!
//! It is asked where rows were parted by time, or where the validation rows are a file of their own (which may be the next month);
//! of rows set aside at random or by group nobody knows that they are later.
//!
//! The rule: 20 or more validation rows have a value, and 95 of 100 of those lie below the least or above the greatest of the training
//! rows. Nothing else of the validation rows is looked at.

use std::collections::BTreeMap;

use crate::dates::{DateFormat, DatePart};
use crate::levels::{number_text, plain_number};
use crate::schema::{Kind, Override, Schema};
use crate::table::{Column, Table, Values};

/// Below this many values nothing is said.
const FEWEST: usize = 20;

/// Some rows of a table.
pub(super) type Part<'a> = (&'a Table, &'a [usize]);

/// Leaves out what lies beyond the training rows in the validation rows. Where nothing would be left, nothing is.
pub(super) fn leave_out(schema: &mut Schema, overrides: &BTreeMap<String, Override>, train: Part<'_>, valid: Part<'_>) {
    if schema.style.is_plain() {
        return;
    }
    let mut changed = schema.clone();
    for known in changed.columns.iter_mut().filter(|known| known.left_out.is_none()) {
        let columns = (train.0.column(&known.name), valid.0.column(&known.name));
        let ((Some(ours), Some(theirs)), false) = (columns, overrides.contains_key(&known.name)) else { continue };
        match &mut known.kind {
            Kind::Number => {
                let value = |column: &Column, row: usize| number(column, row);
                if let Some(said) = beyond(&range(train.1, |row| value(ours, row)), valid.1, |row| value(theirs, row)) {
                    known.left_out = Some(said);
                }
            }
            Kind::Date { format, parts } => {
                let format = *format;
                let mut gone = Vec::new();
                parts.retain(|&part| {
                    let value = |column: &Column, row: usize| moment(format, column, row).map(|moment| part.of(moment));
                    let found = beyond(&range(train.1, |row| value(ours, row)), valid.1, |row| value(theirs, row));
                    gone.extend(found.is_some().then_some(part));
                    found.is_none()
                });
                if gone.is_empty() {
                    continue;
                }
                let words: Vec<&str> = gone.into_iter().map(DatePart::word).collect();
                let said = format!("{} left out: validation rows lie beyond the training rows", words.join(", "));
                if parts.is_empty() {
                    known.left_out = Some(said);
                } else {
                    known.note = if known.note.is_empty() { said } else { format!("{}; {said}", known.note) };
                }
            }
            Kind::Boolean { .. } | Kind::Category { .. } => {}
        }
    }
    if changed.used().next().is_some() {
        *schema = changed;
    }
}

/// The least and the greatest value; `None` where there is none.
fn range(rows: &[usize], value: impl Fn(usize) -> Option<f64>) -> Option<(f64, f64)> {
    rows.iter().filter_map(|&row| value(row)).fold(None, |range, x| match range {
        None => Some((x, x)),
        Some((least, most)) => Some((f64::min(least, x), f64::max(most, x))),
    })
}

/// What lies beyond the range, in words; `None` where too little does.
fn beyond(train: &Option<(f64, f64)>, rows: &[usize], value: impl Fn(usize) -> Option<f64>) -> Option<String> {
    let &(least, most) = train.as_ref()?;
    let (mut known, mut outside) = (0, 0);
    for x in rows.iter().filter_map(|&row| value(row)) {
        known += 1;
        outside += usize::from(x < least || x > most);
    }
    (known >= FEWEST && outside * 100 >= known * 95).then(|| {
        let (from, to) = (number_text(least), number_text(most));
        format!("{outside} of {known} validation rows lie beyond the training rows' {from} to {to}")
    })
}

fn number(column: &Column, row: usize) -> Option<f64> {
    match &column.values {
        Values::Number(numbers) => numbers.get(row).copied().filter(|number| number.is_finite()),
        Values::Text(text) => plain_number(text.get(row)?),
    }
}

fn moment(format: DateFormat, column: &Column, row: usize) -> Option<i64> {
    match &column.values {
        Values::Number(numbers) => format.parse_number(*numbers.get(row)?),
        Values::Text(text) => format.parse(text.get(row)?),
    }
}
