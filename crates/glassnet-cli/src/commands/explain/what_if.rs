//! `--set COL=VALUE`: the row with other values.

use glassnet::model::Model;
use glassnet::model::levels::plain_number;
use glassnet::model::table::{Table, Text, Values};
use glassnet::nn::nearest::nearest;
use serde::Serialize;

use crate::error::CliError;
use crate::row::raw;

/// One value that is changed.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The column.
    pub column: String,
    /// What the row has; `None` where it is missing.
    pub from: Option<String>,
    /// What it gets.
    pub to: Option<String>,
}

impl Change {
    /// `humid = 90 (it is 45)`.
    pub fn words(&self) -> String {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "missing".into());
        format!("{} = {} (it is {})", self.column, shown(&self.to), shown(&self.from))
    }
}

/// Words that stand for a missing value beside a blank.
const MISSING: [&str; 4] = ["NA", "NaN", "null", "?"];

/// A table of one row with the values that `--set` gives.
///
/// # Errors
/// Words that are no COL=VALUE, a column that the model does not go by, text where a number belongs.
pub fn changed(model: &Model, table: &Table, set: &[String]) -> Result<(Table, Vec<Change>), CliError> {
    let mut table = table.clone();
    let mut changes: Vec<Change> = Vec::new();
    for words in set {
        let usage = |what: String, hint: String| CliError::Usage(format!("--set {words}: {what}\n  hint: {hint}"));
        let known = model.columns();
        // A column's name may hold an equals sign itself: the longest name that there is counts.
        let parts: Vec<(&str, &str)> =
            words.match_indices('=').map(|(at, _)| (words[..at].trim(), words[at + 1..].trim())).collect();
        let Some((name, value)) = parts.iter().rev().find(|(name, _)| known.contains(name)).copied() else {
            let Some((name, _)) = parts.first() else {
                return Err(usage(
                    "there is no = in it".into(),
                    "write a column and its value, as in --set humid=90".into(),
                ));
            };
            let all = format!("its columns are {}", known.join(", "));
            let schema = &model.document().schema;
            let (what, hint) = match (schema.knows(name), nearest(name, known.iter().copied())) {
                (true, _) => (format!("the model does not go by the column '{name}'"), all),
                (false, Some(near)) => (format!("the model has no column '{name}'"), format!("did you mean '{near}'?")),
                (false, None) => (format!("the model has no column '{name}'"), all),
            };
            return Err(usage(what, hint));
        };
        if changes.iter().any(|change| change.column == name) {
            return Err(usage(format!("the column '{name}' is set twice"), "leave one of them out".into()));
        }
        let from = raw(&table, name, 0);
        let missing = value.is_empty() || MISSING.iter().any(|word| word.eq_ignore_ascii_case(value));
        let Some(column) = table.columns.iter_mut().find(|column| column.name == name) else { continue };
        column.values = match &column.values {
            Values::Number(_) if missing => Values::Number(vec![f64::NAN]),
            Values::Number(_) => match plain_number(value) {
                Some(number) => Values::Number(vec![number]),
                None => {
                    let hint = "give a number with a decimal point, or nothing for a missing value".to_string();
                    return Err(usage(format!("{value:?} is no number"), hint));
                }
            },
            Values::Text(_) => {
                let mut text = Text::default();
                text.push((!missing).then_some(value));
                Values::Text(text)
            }
        };
        let to = raw(&table, name, 0);
        changes.push(Change { column: name.to_string(), from, to });
    }
    Ok((table, changes))
}
