//! Rows to fit on, to calibrate with and to test: at random, by time, or by whole groups.

use super::{share_fits, split_rows};
use crate::ModelError;
use crate::dates::DateFormat;
use crate::levels::{number_text, plain_number};
use crate::schema::infer::no_column;
use crate::table::{Column, Table, Values};
use crate::target::Targets;
use glassnet_core::random::{Draws, Purpose};
use std::collections::BTreeMap;
use std::fmt;

/// What keeps rows apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SplitBy {
    /// Chance, class by class.
    #[default]
    Random,
    /// A column of numbers or dates: the latest rows are tested, those before them calibrate, the earliest are fitted.
    Time(String),
    /// A column that names a customer, a machine, a patient: all rows of one are on one side.
    Group(String),
}

/// Rows by their use, each ascending, from 0; no row is in two of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parts {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to choose the epoch and to calibrate with.
    pub valid: Vec<usize>,
    /// Rows that nothing is chosen by; empty where none were asked for.
    pub test: Vec<usize>,
    /// Rows set aside because the column of the time is blank.
    pub untimed: usize,
    /// How they were found, in words.
    pub how: String,
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [fit, valid, test] = [&self.train, &self.valid, &self.test].map(Vec::len);
        let share = |n: usize| 100.0 * n as f64 / (fit + valid + test).max(1) as f64;
        write!(f, "{fit} rows to fit on ({:.1} %), {valid} to calibrate with ({:.1} %)", share(fit), share(valid))?;
        if test > 0 {
            write!(f, ", {test} to test ({:.1} %)", share(test))?;
        }
        write!(f, ": {}", self.how)?;
        match self.untimed {
            0 => Ok(()),
            1 => f.write_str("; 1 row without a time is set aside"),
            n => write!(f, "; {n} rows without a time are set aside"),
        }
    }
}

/// Splits some rows. `test` is the share of `rows` that is tested, `valid` the share of the others that calibrates; `None`: none. With
/// 0.2 and 0.2 the shares are 64 / 16 / 20 %.
///
/// By time, rows of one time stay together: a part ends at the change of time that is nearest to its share. By group, groups
/// come in an order of the seed, and a group goes into a part where this brings its rows nearer to the share; rows without a group
/// are one group. At random, the classes have the same shares in all parts.
///
/// # Errors
/// A share that is not above 0 and below 1; a column that there is not, or that is neither numbers nor dates for the time;
/// so few rows, times or groups that a part would be empty.
pub fn parts(
    table: &Table,
    targets: &Targets,
    rows: &[usize],
    by: &SplitBy,
    (valid, test): (Option<f64>, Option<f64>),
    seed: u64,
) -> Result<Parts, ModelError> {
    for share in [valid, test].into_iter().flatten() {
        share_fits(share)?;
    }
    match by {
        SplitBy::Random => {
            let (rest, test) = match test {
                Some(share) => {
                    let split = split_rows(&targets.labels, rows, share, seed, 1)?;
                    (split.train, split.valid)
                }
                None => (rows.to_vec(), Vec::new()),
            };
            let (train, valid) = match valid {
                Some(share) => {
                    let split = split_rows(&targets.labels, &rest, share, seed, 0)?;
                    (split.train, split.valid)
                }
                None => (rest, Vec::new()),
            };
            let stratified = matches!(targets.labels, crate::target::Labels::Classes(_));
            let how = format!("{}, seed {seed}", if stratified { "by class" } else { "at random" });
            Ok(Parts { train, valid, test, untimed: 0, how })
        }
        SplitBy::Time(name) => {
            let (times, untimed) = in_time(table, name, rows)?;
            let (rest, test) = later(&times, test, name)?;
            let (train, valid) = later(rest, valid, name)?;
            let at = |timed: &[(Time, usize)]| timed.first().map_or_else(String::new, |(time, _)| time.to_string());
            let mut how = format!("by {name}, the earliest first");
            if !valid.is_empty() {
                how += &format!(", calibrated from {}", at(valid));
            }
            if !test.is_empty() {
                how += &format!(", tested from {}", at(test));
            }
            let [train, valid, test] = [train, valid, test].map(numbers);
            Ok(Parts { train, valid, test, untimed, how })
        }
        SplitBy::Group(name) => {
            let mut groups = in_groups(table, name, rows)?;
            Draws::new(seed, Purpose::Split, 0, 2).shuffle(&mut groups);
            let count = groups.len();
            let (test, rest) = chosen(groups, test, name)?;
            let (valid, train) = chosen(rest, valid, name)?;
            let how = format!("{count} groups by {name}, each in one part, seed {seed}");
            let [train, valid, test] = [train, valid, test].map(|groups: Vec<Vec<usize>>| {
                let mut rows = groups.concat();
                rows.sort_unstable();
                rows
            });
            Ok(Parts { train, valid, test, untimed: 0, how })
        }
    }
}

/// A time, which is ordered: a number, or the seconds of a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Time {
    order: f64,
    is_date: bool,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_date {
            return f.write_str(&number_text(self.order));
        }
        let (year, month, day) = crate::dates::date_of((self.order / 86_400.0).floor() as i64);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

pub(super) fn numbers(timed: &[(Time, usize)]) -> Vec<usize> {
    let mut rows: Vec<usize> = timed.iter().map(|&(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

fn column<'a>(table: &'a Table, name: &str, role: &'static str) -> Result<&'a Column, ModelError> {
    table.column(name).ok_or_else(|| no_column(table, name, role))
}

/// Rows with a time in its order (ties in the order of the rows), and how many have none.
pub(super) fn in_time(table: &Table, name: &str, rows: &[usize]) -> Result<(Vec<(Time, usize)>, usize), ModelError> {
    let values = &column(table, name, "split by time")?.values;
    let time: Box<dyn Fn(usize) -> Option<Time>> = match values {
        Values::Number(numbers) => {
            Box::new(|row| numbers.get(row).filter(|x| !x.is_nan()).map(|&order| Time { order, is_date: false }))
        }
        Values::Text(text) => {
            let given = || text.iter().flatten();
            let fits = |format: &DateFormat| given().all(|value| format.parse(value).is_some());
            if given().next().is_some() && given().all(|value| plain_number(value).is_some_and(|x| x < 1e7)) {
                Box::new(|row| plain_number(text.get(row)?).map(|order| Time { order, is_date: false }))
            } else if let Some(format) = calendar_order(text.iter().flatten()).into_iter().find(fits) {
                Box::new(move |row| {
                    let order = format.parse(text.get(row)?)? as f64;
                    Some(Time { order, is_date: format != DateFormat::Clock })
                })
            } else {
                return Err(ModelError::Split {
                    why: format!("column {name:?} of {} is neither numbers nor dates of one form", table.source),
                    hint: "name a column of numbers or dates, or correct the values that are none",
                });
            }
        }
    };
    let mut timed: Vec<(Time, usize)> = rows.iter().filter_map(|&row| Some((time(row)?, row))).collect();
    timed.sort_by(|(a, _), (b, _)| a.order.total_cmp(&b.order));
    let untimed = rows.len() - timed.len();
    Ok((timed, untimed))
}

/// The forms in the order in which the schema takes them: where day first and month first both fit, `/` means month first.
fn calendar_order<'a>(mut values: impl Iterator<Item = &'a str>) -> [DateFormat; 5] {
    let mut order = DateFormat::ALL;
    if values.any(|value| value.contains('/')) {
        order.swap(1, 2);
    }
    order
}

type Timed<'a> = (&'a [(Time, usize)], &'a [(Time, usize)]);

/// The earlier rows and the later ones, `share` of them, cut where the time changes.
fn later<'a>(timed: &'a [(Time, usize)], share: Option<f64>, name: &str) -> Result<Timed<'a>, ModelError> {
    let Some(share) = share else { return Ok((timed, &[])) };
    let wanted = timed.len() - (share * timed.len() as f64 + 0.5).floor() as usize;
    let cut = changes(timed).min_by_key(|&cut| cut.abs_diff(wanted)).ok_or_else(|| ModelError::Split {
        why: format!("{} rows have one time in column {name:?}, or none", timed.len()),
        hint: "name a column whose times differ, or give more rows",
    })?;
    Ok(timed.split_at(cut))
}

/// Places where the time changes.
pub(super) fn changes(timed: &[(Time, usize)]) -> impl Iterator<Item = usize> {
    (1..timed.len()).filter(|&i| timed[i].0.order != timed[i - 1].0.order)
}

/// The rows of each group, in the order of the groups' names; rows without one are one group.
pub(super) fn in_groups(table: &Table, name: &str, rows: &[usize]) -> Result<Vec<Vec<usize>>, ModelError> {
    let values = &column(table, name, "split by group")?.values;
    let mut groups: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for &row in rows {
        let name = match values {
            values if values.is_missing(row) => None,
            Values::Number(numbers) => numbers.get(row).map(|&number| number_text(number)),
            Values::Text(text) => text.get(row).map(str::to_owned),
        };
        groups.entry(name).or_default().push(row);
    }
    Ok(groups.into_values().collect())
}

type Groups = Vec<Vec<usize>>;

/// Groups of about `share` of the rows, and the others; neither is empty.
fn chosen(groups: Groups, share: Option<f64>, name: &str) -> Result<(Groups, Groups), ModelError> {
    let Some(share) = share else { return Ok((Vec::new(), groups)) };
    let (total, count) = (groups.iter().map(Vec::len).sum::<usize>(), groups.len());
    let wanted = share * total as f64;
    let (mut taken, mut left, mut rows) = (Vec::new(), Vec::new(), 0usize);
    for group in groups {
        let after = rows + group.len();
        let nearer = (after as f64 - wanted).abs() < (rows as f64 - wanted).abs();
        if nearer && taken.len() + 1 < count {
            rows = after;
            taken.push(group);
        } else {
            left.push(group);
        }
    }
    // Where every group is too large, the smallest will have to do.
    if taken.is_empty() && left.len() > 1 {
        let smallest = (0..left.len()).min_by_key(|&i| left[i].len()).unwrap_or(0);
        taken.push(left.remove(smallest));
    }
    if taken.is_empty() || left.is_empty() {
        return Err(ModelError::Split {
            why: format!(
                "{count} group{} in column {name:?} cannot be on two sides",
                if count == 1 { "" } else { "s" }
            ),
            hint: "name a column with more groups, or give more rows",
        });
    }
    Ok((taken, left))
}
