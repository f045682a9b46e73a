//! What each column is, worked out from the training rows.
//!
//! - A column of numbers is a number, also with only 0 and 1.
//! - Text whose values are the two words of one pair of [`BOOLEAN_WORDS`] is boolean.
//! - Other text is a category.
//!
//! Left out, each with a reason: a column dropped on request; one with no value at all; one with a single value and
//! none missing; text with more than [`MAX_LEVELS`] different values, or with a new value in more than nine of ten rows
//! (names, identifiers). An override by the person goes before the last two of these.
//!
//! The style `tabular` ([`Style::Tabular`]) adds, in this order, for columns without an override:
//! - Dates and times of day are dates where every value of the table is one, in one form (see `schema/calendar.rs`).
//! - Keys and row numbers, free text and names, each left out with the rule that it fell under (`schema/rules.rs`); they stay
//!   where nothing else would be left to learn from.
//! - Text with more than [`MAX_LEVELS`] different values stays a category, but for levels that are too rare.

use super::rules::{self, FEWEST_FOR_IDS};
use super::{ColumnSchema, Kind, MAX_CODES, MAX_LEVELS, MAX_SLOTS, Schema, calendar, peaks, shortened};
use crate::dates::DateFormat;
use crate::error::{BadValue, ModelError};
use crate::levels::{Levels, number_text, plain_number};
use crate::preprocess::MOST_ONE_HOT;
use crate::style::Style;
use crate::table::{Column, Table, Values};
use crate::target::TargetSchema;
use crate::value::{BOOLEAN_WORDS, boolean_word};
use glassnet_nn::nearest::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// What a person says that a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Override {
    /// Numbers.
    Number,
    /// One of some names.
    Category,
    /// Two words, or 0 and 1.
    Boolean,
    /// Dates or times, in the form that all values have.
    Date,
    /// Dates with the day first, where the values leave it open.
    DayFirst,
    /// Dates with the month first, where the values leave it open.
    MonthFirst,
    /// Not to be used.
    Drop,
}

impl Override {
    /// `number`, `category`, `boolean`, `date`, `date with the day first`, `date with the month first` or `dropped`.
    pub fn word(self) -> &'static str {
        match self {
            Override::Number => "number",
            Override::Category => "category",
            Override::Boolean => "boolean",
            Override::Date => "date",
            Override::DayFirst => "date with the day first",
            Override::MonthFirst => "date with the month first",
            Override::Drop => "dropped",
        }
    }
}

/// What a person says about the columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InferOptions {
    /// Kinds by name.
    pub overrides: BTreeMap<String, Override>,
    /// The target, which is no input.
    pub target: Option<TargetSchema>,
    /// The column of row weights, which is no input.
    pub weight_column: Option<String>,
    /// How columns become inputs.
    pub style: Style,
    /// The column whose groups keep rows apart: it is left out where its name is that of a key, for the rows that a model
    /// meets later have others.
    pub group_column: Option<String>,
}

impl Schema {
    /// The schema of a table from its training rows (numbers from 0).
    ///
    /// # Errors
    /// No rows; two columns of one name; an override for a column that there is not, that is no input, or that its values
    /// contradict; row weights from the target; no column left to learn from.
    pub fn infer(table: &Table, rows: &[usize], options: InferOptions) -> Result<Schema, ModelError> {
        let InferOptions { overrides, target, weight_column, style, group_column } = options;
        if rows.is_empty() {
            return Err(ModelError::NoRows {
                source_name: table.source.clone(),
                because: " to learn from".to_owned(),
                hint: "give a table with at least two rows",
            });
        }
        no_duplicates(table)?;
        let target_name = target.as_ref().map(|target| target.name.as_str());
        for (name, wanted) in &overrides {
            if table.column(name).is_none() {
                return Err(no_column(table, name, "kind that was given"));
            }
            let (column, kind) = (name.clone(), wanted.word());
            if target_name == Some(name) {
                let why = "it is the target, which is no input; its task says what it is".to_owned();
                return Err(ModelError::BadOverride { column, kind, why });
            }
            if weight_column.as_ref() == Some(name) {
                let why = "it holds the row weights, which are no input".to_owned();
                return Err(ModelError::BadOverride { column, kind, why });
            }
        }
        if let Some(column) = weight_column.clone().filter(|name| target_name == Some(name)) {
            let why = "it is the target".to_owned();
            return Err(ModelError::BadOverride { column, kind: "the row weights", why });
        }
        if let Some(name) = &weight_column
            && table.column(name).is_none()
        {
            return Err(no_column(table, name, "row weights"));
        }
        let is_input = |column: &&Column| {
            target.as_ref().is_none_or(|target| target.name != column.name)
                && weight_column.as_deref() != Some(column.name.as_str())
        };
        let mut columns = Vec::new();
        for column in table.columns.iter().filter(is_input) {
            let wanted = overrides.get(&column.name).copied();
            let mut inferred = infer_column(table, column, rows, wanted, style)?;
            if wanted.is_none() && group_column.as_deref() == Some(&column.name) && rules::names_a_key(&column.name) {
                inferred.left_out.get_or_insert_with(|| "a key by its name, which groups the rows".to_owned());
            }
            columns.push(inferred);
        }
        if !style.is_plain() && columns.iter().all(|column: &ColumnSchema| column.left_out.is_some()) {
            bring_back(table, rows, &overrides, &mut columns)?;
        }
        let schema = Schema { columns, target, weight_column, rows: rows.len(), style };
        if schema.used().next().is_none() {
            let reasons: Vec<String> = schema
                .columns
                .iter()
                .map(|column| format!("{:?} ({})", column.name, column.left_out.as_deref().unwrap_or("")))
                .collect();
            let reasons = if reasons.is_empty() { "the target is alone".to_owned() } else { reasons.join(", ") };
            return Err(ModelError::NoInputs { source_name: table.source.clone(), reasons });
        }
        Ok(schema)
    }
}

/// Where rules leave nothing to learn from, what they took for keys and names comes back; a toy table's only column may
/// well count its rows. Text that is another in each row stays out: no level of it comes a second time.
fn bring_back(
    table: &Table,
    rows: &[usize],
    overrides: &BTreeMap<String, Override>,
    columns: &mut [ColumnSchema],
) -> Result<(), ModelError> {
    for column in columns.iter_mut() {
        let Some(source) = table.column(&column.name).filter(|_| !overrides.contains_key(&column.name)) else {
            continue;
        };
        let wanted = match source.values {
            Values::Number(_) => Override::Number,
            Values::Text(_) if count_levels(&source.values, rows).into_values().all(|count| count == 1) => continue,
            Values::Text(_) => Override::Category,
        };
        let again = infer_column(table, source, rows, Some(wanted), Style::Tabular)?;
        if let (None, Some(reason)) = (&again.left_out, &column.left_out) {
            let note = format!("kept, for nothing else is left; it looks like {reason}");
            *column = ColumnSchema { note, ..again };
        }
    }
    Ok(())
}

/// A column that was asked for and is not there, with the nearest one that is.
pub(crate) fn no_column(table: &Table, name: &str, role: &'static str) -> ModelError {
    ModelError::NoColumn {
        source_name: table.source.clone(),
        column: name.to_owned(),
        role,
        nearest: nearest(name, table.columns.iter().map(|column| column.name.as_str())).map(str::to_owned),
    }
}

fn no_duplicates(table: &Table) -> Result<(), ModelError> {
    let mut names = BTreeSet::new();
    for column in &table.columns {
        if !names.insert(column.name.as_str()) {
            return Err(ModelError::DuplicateColumn { source_name: table.source.clone(), column: column.name.clone() });
        }
    }
    Ok(())
}

/// The different values of a column in some rows, as text, and how often each occurs.
fn count_levels(values: &Values, rows: &[usize]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    match values {
        Values::Number(numbers) => {
            let mut by_bits: BTreeMap<u64, usize> = BTreeMap::new();
            for number in rows.iter().filter_map(|&row| numbers.get(row)).filter(|number| !number.is_nan()) {
                *by_bits.entry((number + 0.0).to_bits()).or_default() += 1;
            }
            for (bits, count) in by_bits {
                *counts.entry(number_text(f64::from_bits(bits))).or_default() += count;
            }
        }
        Values::Text(text) => {
            let mut by_name: BTreeMap<&str, usize> = BTreeMap::new();
            for name in rows.iter().filter_map(|&row| text.get(row)) {
                *by_name.entry(name).or_default() += 1;
            }
            counts = by_name.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        }
    }
    counts
}

fn infer_column(
    table: &Table,
    column: &Column,
    rows: &[usize],
    wanted: Option<Override>,
    style: Style,
) -> Result<ColumnSchema, ModelError> {
    let values = &column.values;
    let missing = rows.iter().filter(|&&row| values.is_missing(row)).count();
    let example = rows.iter().find(|&&row| !values.is_missing(row)).map_or_else(String::new, |&row| match values {
        Values::Number(numbers) => number_text(numbers[row]),
        Values::Text(text) => shortened(text.get(row).unwrap_or("")),
    });
    let mut inferred = ColumnSchema {
        name: column.name.clone(),
        kind: Kind::Number,
        left_out: None,
        missing,
        constant: false,
        note: String::new(),
        peaks: None,
        example,
    };
    let present = rows.len() - missing;
    if wanted == Some(Override::Drop) {
        inferred.left_out = Some("dropped on request".to_owned());
        return Ok(inferred);
    }
    if present == 0 {
        inferred.left_out = Some("no value in any training row".to_owned());
        return Ok(inferred);
    }
    let asked = match wanted {
        Some(Override::Date) => Some(None),
        Some(Override::DayFirst) => Some(Some(DateFormat::DayFirst)),
        Some(Override::MonthFirst) => Some(Some(DateFormat::MonthFirst)),
        _ => None,
    };
    if asked.is_some() || (wanted.is_none() && !style.is_plain()) {
        let found = calendar::of(column, rows, asked.flatten(), asked.is_some());
        match found {
            calendar::Found::Dates { format, parts, note } => {
                inferred.constant = parts.is_empty();
                inferred.kind = Kind::Date { format, parts };
                inferred.note = note;
                return Ok(settled(inferred));
            }
            calendar::Found::Others(why) if asked.is_some() => {
                let (column, kind) = (column.name.clone(), wanted.map_or("date", Override::word));
                return Err(ModelError::BadOverride { column, kind, why });
            }
            // Said where the column stays, as a category.
            calendar::Found::Others(why) => inferred.note = why,
        }
    }
    match (wanted, values) {
        (None, Values::Number(numbers)) if !style.is_plain() => {
            let mut present: Vec<f64> =
                rows.iter().map(|&row| numbers[row]).filter(|number| !number.is_nan()).collect();
            inferred.constant = present.iter().all(|number| Some(number) == present.first());
            inferred.left_out = rules::key(&column.name, &mut present);
            if inferred.left_out.is_none()
                && let Some((levels, middle, given)) = peaks::peaks(&mut present)
            {
                inferred.note = format!(
                    "most are {}: {} common values, {given} rows, have a code too",
                    number_text(middle),
                    levels.len()
                );
                inferred.peaks = Some(levels);
            }
        }
        (None | Some(Override::Number), Values::Number(numbers)) => {
            let mut present = rows.iter().map(|&row| numbers[row]).filter(|number| !number.is_nan());
            let first = present.next();
            inferred.constant = present.all(|number| Some(number) == first);
        }
        (Some(Override::Number), Values::Text(text)) => {
            let mut seen = None;
            inferred.constant = true;
            for &row in rows {
                let Some(word) = text.get(row) else { continue };
                let number = plain_number(word).ok_or_else(|| {
                    ModelError::from(BadValue {
                        source_name: table.source.clone(),
                        place: table.place(row),
                        column: column.name.clone(),
                        value: word.to_owned(),
                        wanted: "a number".to_owned(),
                        hint: "correct it, leave it blank, or take the column as category".to_owned(),
                    })
                })?;
                inferred.constant &= *seen.get_or_insert(number) == number;
            }
        }
        (Some(Override::Boolean), _) => boolean_on_request(&mut inferred, &count_levels(values, rows))?,
        _ => {
            let counts = count_levels(values, rows);
            match boolean_words(&counts).filter(|_| wanted.is_none()) {
                Some((false_word, true_word)) => {
                    inferred.kind =
                        Kind::Boolean { false_word: false_word.to_owned(), true_word: true_word.to_owned() };
                }
                None if !style.is_plain() => coded(&mut inferred, counts, present, wanted.is_some()),
                None => category(&mut inferred, counts, present, wanted.is_some()),
            }
        }
    }
    Ok(settled(inferred))
}

/// A column with one value is left out, or only its being missing is seen.
fn settled(mut inferred: ColumnSchema) -> ColumnSchema {
    if let Some(reason) = &mut inferred.left_out
        && !inferred.note.is_empty()
    {
        reason.push_str("; ");
        reason.push_str(&inferred.note);
    }
    if inferred.constant && inferred.left_out.is_none() {
        if inferred.missing == 0 {
            inferred.left_out = Some(format!("always {}", inferred.example));
        } else {
            inferred.note = format!("{} wherever it is given; only whether it is missing is seen", inferred.example);
        }
    }
    inferred
}

/// A column of names in the style `tabular`; `kept` where the person asked for it.
fn coded(inferred: &mut ColumnSchema, counts: BTreeMap<String, usize>, present: usize, kept: bool) {
    let distinct = counts.len();
    inferred.constant = distinct == 1 && inferred.missing == 0;
    let fewest = (present / 1000).clamp(2, 10);
    let mut ranked: Vec<(String, usize)> = Vec::new();
    inferred.left_out = if kept { None } else { rules::text(&counts, present) };
    if inferred.left_out.is_none() {
        let common = counts.values().filter(|&&count| count >= fewest).count();
        match common {
            _ if distinct <= MOST_ONE_HOT => ranked = counts.into_iter().collect(),
            0 if !kept => {
                inferred.left_out = Some(format!("{distinct} different texts, none of them in {fewest} or more rows"));
            }
            // The person wants it: what is rare is still told apart.
            0 => ranked = counts.into_iter().collect(),
            _ => ranked = counts.into_iter().filter(|(_, count)| *count >= fewest).collect(),
        }
    }
    if ranked.len() > MAX_CODES {
        // A stable sort of names in order: the most frequent first, ties by name.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        ranked.truncate(MAX_CODES);
    }
    if inferred.left_out.is_none() && ranked.len() < distinct {
        let rest = present - ranked.iter().map(|(_, count)| count).sum::<usize>();
        let (kept, others) = (ranked.len(), distinct - ranked.len());
        let why =
            if kept == MAX_CODES { format!("the {kept} most frequent") } else { format!("{fewest} rows or more") };
        let said = format!("{kept} of {distinct} levels ({why}); the other {others} count as unknown, {rest} rows");
        inferred.note = if inferred.note.is_empty() { said } else { format!("{}; {said}", inferred.note) };
    }
    inferred.kind = Kind::Category { levels: Levels::new(ranked.into_iter().map(|(name, _)| name)), distinct };
}

/// The pair of boolean words that the values are, where both of them occur.
fn boolean_words(counts: &BTreeMap<String, usize>) -> Option<(&'static str, &'static str)> {
    let said = |wanted: bool| counts.keys().any(|word| boolean_word(word) == Some(wanted));
    // Six spellings of two words at most (no, No, NO, ...); a column with more values need not be looked at.
    if counts.len() > 16 || !said(false) || !said(true) {
        return None;
    }
    BOOLEAN_WORDS
        .into_iter()
        .find(|(no, yes)| counts.keys().all(|word| word.eq_ignore_ascii_case(no) || word.eq_ignore_ascii_case(yes)))
}

/// A column that the person calls boolean: boolean words, 0 and 1, or any two words (false is the first by name).
fn boolean_on_request(inferred: &mut ColumnSchema, counts: &BTreeMap<String, usize>) -> Result<(), ModelError> {
    let bad = |why: String| ModelError::BadOverride { column: inferred.name.clone(), kind: "boolean", why };
    if let Some((false_word, true_word)) = boolean_words(counts) {
        inferred.kind = Kind::Boolean { false_word: false_word.to_owned(), true_word: true_word.to_owned() };
        return Ok(());
    }
    let words: Vec<&String> = counts.keys().collect();
    match words.as_slice() {
        [one] => {
            inferred.constant = true;
            inferred.kind = Kind::Boolean { false_word: format!("not {one}"), true_word: (*one).clone() };
            Ok(())
        }
        [no, yes] if no.eq_ignore_ascii_case(yes) => Err(bad(format!("{no:?} and {yes:?} differ only in capitals"))),
        [no, yes] if plain_number(no).is_some() != plain_number(yes).is_some() => {
            Err(bad(format!("{no:?} and {yes:?} are a number and a word")))
        }
        [no, yes] if plain_number(no).is_some() && (no.as_str(), yes.as_str()) != ("0", "1") => {
            Err(bad(format!("its numbers are {no} and {yes}, not 0 and 1")))
        }
        [no, yes] => {
            inferred.kind = Kind::Boolean { false_word: (*no).clone(), true_word: (*yes).clone() };
            Ok(())
        }
        more => Err(bad(format!("it has {} different values", more.len()))),
    }
}

/// A column of names; `kept` where the person asked for it.
fn category(inferred: &mut ColumnSchema, counts: BTreeMap<String, usize>, present: usize, kept: bool) {
    let distinct = counts.len();
    inferred.constant = distinct == 1 && inferred.missing == 0;
    if !kept && distinct > MAX_LEVELS {
        inferred.left_out = Some(format!("{distinct} different texts, more than {MAX_LEVELS}"));
    } else if !kept && present >= FEWEST_FOR_IDS && distinct * 10 > present * 9 {
        inferred.left_out = Some(format!("{distinct} different texts in {present} rows: names or identifiers"));
    }
    let mut ranked: Vec<(String, usize)> =
        if inferred.left_out.is_some() { Vec::new() } else { counts.into_iter().collect() };
    if ranked.len() > MAX_SLOTS {
        // A stable sort of names in order: the most frequent first, ties by name.
        ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rest: usize = ranked[MAX_SLOTS..].iter().map(|(_, count)| count).sum();
        inferred.note = format!(
            "the {MAX_SLOTS} most frequent of {distinct} levels; the other {} share the unknown input, {rest} rows",
            distinct - MAX_SLOTS
        );
        ranked.truncate(MAX_SLOTS);
    }
    inferred.kind = Kind::Category { levels: Levels::new(ranked.into_iter().map(|(name, _)| name)), distinct };
}
