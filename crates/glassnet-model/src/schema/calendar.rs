//! Whether a column holds dates, and how they are written.
//!
//! A column is one of dates where every value of the whole table (not of the training rows alone) is a date of one form.
//! Numbers are dates (`yyyymmdd`) where all are days of 1900 to 2100 and there are 5 different ones at least: by chance a number
//! of that range is a day in one of 27 cases. Where day first and month first both fit every value, the separator decides: `/`
//! is month first, `.` and `-` are day first, and the note says how to override it.

use crate::dates::{DateFormat, DatePart};
use crate::schema::shortened;
use crate::table::{Column, Values};
use std::collections::BTreeSet;

/// So many different days make a column of numbers one of dates.
const FEWEST_DAYS: usize = 5;

/// What was found.
pub(super) enum Found {
    /// Dates.
    Dates {
        /// Their form.
        format: DateFormat,
        /// The parts that vary in the training rows.
        parts: Vec<DatePart>,
        /// What was decided, in words.
        note: String,
    },
    /// No dates: why, where it is worth saying, else empty.
    Others(String),
}

/// Looks at a column. `form`: asked for; `asked`: the person says that they are dates.
pub(super) fn of(column: &Column, rows: &[usize], form: Option<DateFormat>, asked: bool) -> Found {
    let others = |why: &str| Found::Others(why.to_owned());
    match &column.values {
        Values::Number(numbers) => {
            let days: Option<BTreeSet<i64>> = numbers
                .iter()
                .filter(|number| !number.is_nan())
                .map(|&number| DateFormat::Compact.parse_number(number))
                .collect();
            let in_range = |days: &BTreeSet<i64>| {
                // 1900-01-01 to 2100-12-31 in seconds.
                days.len() >= FEWEST_DAYS && days.iter().all(|day| (-2_208_988_800..=4_133_894_400).contains(day))
            };
            match days {
                Some(days) if form.is_none_or(|form| form == DateFormat::Compact) && (asked || in_range(&days)) => {
                    let moments = rows.iter().filter_map(|&row| DateFormat::Compact.parse_number(*numbers.get(row)?));
                    Found::Dates { format: DateFormat::Compact, parts: varying(moments), note: "yyyymmdd".to_owned() }
                }
                _ if asked => others("its numbers are no dates; of numbers only days such as 20131231 can be read"),
                _ => others(""),
            }
        }
        Values::Text(text) => {
            let present = text.iter().flatten().count();
            let counted = DateFormat::ALL.map(|format| {
                // A form that misses the first value and most of the next ones is not tried on all of them.
                let early = text.iter().flatten().take(50).filter(|value| format.parse(value).is_some()).count();
                let all = || text.iter().flatten().filter(|value| format.parse(value).is_some()).count();
                (format, if early == 0 { 0 } else { all() })
            });
            let fits =
                |wanted: DateFormat| counted.iter().any(|&(format, n)| format == wanted && n == present && n > 0);
            let open = fits(DateFormat::DayFirst) && fits(DateFormat::MonthFirst);
            let slash = text.iter().flatten().any(|value| value.contains('/'));
            let found = match form {
                Some(form) => Some(form).filter(|&form| fits(form)),
                None if open => Some(if slash { DateFormat::MonthFirst } else { DateFormat::DayFirst }),
                None => DateFormat::ALL.into_iter().find(|&format| fits(format)),
            };
            let Some(format) = found else {
                let (format, n) = counted.into_iter().max_by_key(|&(_, n)| n).unwrap_or((DateFormat::Iso, 0));
                let tried = form.unwrap_or(format);
                let bad = text.iter().flatten().find(|value| tried.parse(value).is_none()).map_or("", |value| value);
                // Nearly all dates: one slip should not cost the column without a word.
                return if asked || n * 20 >= present * 19 && n > 0 {
                    let bad = shortened(bad);
                    Found::Others(format!("{n} of {present} values are dates ({}), but {bad:?} is none", tried.words()))
                } else {
                    others("")
                };
            };
            let moments = rows.iter().filter_map(|&row| format.parse(text.get(row)?));
            let note = if open && form.is_none() {
                let (taken, other) = match format {
                    DateFormat::MonthFirst => ("month", "day-first"),
                    _ => ("day", "month-first"),
                };
                format!("taken as {taken} first: no value tells which of the two it is; type {other} overrides this")
            } else {
                format.words().to_owned()
            };
            Found::Dates { format, parts: varying(moments), note }
        }
    }
}

/// The parts that take more than one value; within one calendar year the day of the year says what the day does.
fn varying(moments: impl Iterator<Item = i64> + Clone) -> Vec<DatePart> {
    let varies = |part: DatePart| {
        let mut values = moments.clone().map(|moment| part.of(moment));
        let first = values.next();
        values.any(|value| Some(value) != first)
    };
    let mut years = moments.clone().map(|moment| crate::dates::date_of(moment.div_euclid(86_400)).0);
    let first = years.next();
    let one_year = years.all(|year| Some(year) == first);
    [DatePart::Day, DatePart::DayOfYear, DatePart::Weekday, DatePart::Hour]
        .into_iter()
        .filter(|&part| varies(part) && !(one_year && part == DatePart::DayOfYear))
        .collect()
}
