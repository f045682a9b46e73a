//! Dates and times as they stand in tables, and the numbers that are made of them.
//!
//! | format | examples |
//! |---|---|
//! | `iso` | 2013-08-04, 2013-08-04T13:00:00Z, 2013-08-04 13:00, 2013/08/04, 2013.08.04 |
//! | `day_first` | 04.08.2013, 4/8/2013 13:00, 04-08-2013 |
//! | `month_first` | 08/04/2013, 8/4/2013 1:00 PM |
//! | `compact` | 20130804 |
//! | `clock` | 13:00, 13:00:59, 1:00 PM |
//!
//! Years have four digits and are 1 to 9999. A time is taken as the clock on the wall: a `Z` or an offset (`+02:00`) is
//! read and passed over, fractions of a second are dropped.

use serde::{Deserialize, Serialize};

/// How a column writes dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// Year, month, day, parted by `-`, `/` or `.`; perhaps a time after `T` or a space.
    Iso,
    /// Day, month, year.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
    /// Eight digits: year, month, day; as text or as a number.
    Compact,
    /// A time of day alone.
    Clock,
}

/// A number that is made of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// Whole days since 1970-01-01.
    Day,
    /// Day of the year, 1 to 366.
    DayOfYear,
    /// Day of the week, Monday 0 to Sunday 6.
    Weekday,
    /// Hours since midnight, minutes and seconds as its fraction.
    Hour,
}

const SECONDS: i64 = 86_400;

impl DateFormat {
    /// All of them, in the order in which they are tried.
    pub const ALL: [DateFormat; 5] =
        [DateFormat::Iso, DateFormat::DayFirst, DateFormat::MonthFirst, DateFormat::Compact, DateFormat::Clock];

    /// An example, which says what is wanted.
    pub fn example(self) -> &'static str {
        match self {
            DateFormat::Iso => "2013-12-31 or 2013-12-31T23:59",
            DateFormat::DayFirst => "31.12.2013",
            DateFormat::MonthFirst => "12/31/2013",
            DateFormat::Compact => "20131231",
            DateFormat::Clock => "23:59",
        }
    }

    /// The form in words.
    pub fn words(self) -> &'static str {
        match self {
            DateFormat::Iso => "year-month-day",
            DateFormat::DayFirst => "day.month.year",
            DateFormat::MonthFirst => "month/day/year",
            DateFormat::Compact => "yyyymmdd",
            DateFormat::Clock => "a time of day",
        }
    }

    /// Seconds since 1970-01-01 00:00 on the wall clock ([`DateFormat::Clock`]: since midnight); `None` where the text is no such
    /// date. Allocates nothing.
    pub fn parse(self, text: &str) -> Option<i64> {
        let text = text.trim_ascii();
        match self {
            DateFormat::Clock => clock(text),
            DateFormat::Compact => match text.len() {
                8 => days_of(number(text.get(..4)?, 4)?, number(text.get(4..6)?, 2)?, number(text.get(6..)?, 2)?),
                _ => None,
            }
            .map(|days| days * SECONDS),
            _ => {
                let (date, time) = match text.find(['T', 't', ' ']) {
                    Some(place) => (&text[..place], text.get(place + 1..)?),
                    None => (text, ""),
                };
                let separator = date.bytes().find(|byte| !byte.is_ascii_digit())?;
                if !matches!(separator, b'-' | b'/' | b'.') {
                    return None;
                }
                let mut parts = date.split(separator as char);
                let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
                if parts.next().is_some() {
                    return None;
                }
                let (year, month, day) = match self {
                    DateFormat::Iso => (a, b, c),
                    DateFormat::DayFirst => (c, b, a),
                    _ => (c, a, b),
                };
                if year.len() != 4 || month.len() > 2 || day.len() > 2 {
                    return None;
                }
                let days = days_of(number(year, 4)?, number(month, 2)?, number(day, 2)?)?;
                let seconds = if time.is_empty() { 0 } else { clock(zoneless(time)?)? };
                Some(days * SECONDS + seconds)
            }
        }
    }

    /// The same of a number: only [`DateFormat::Compact`] is ever written as one.
    pub fn parse_number(self, number: f64) -> Option<i64> {
        if self != DateFormat::Compact || number.fract() != 0.0 || !(10_101.0..=99_991_231.0).contains(&number) {
            return None;
        }
        let whole = number as i64;
        days_of(whole / 10_000, whole / 100 % 100, whole % 100).map(|days| days * SECONDS)
    }
}

impl DatePart {
    /// The number of that part of a moment (seconds since 1970-01-01 00:00).
    #[inline]
    pub fn of(self, moment: i64) -> f64 {
        let (day, second) = (moment.div_euclid(SECONDS), moment.rem_euclid(SECONDS));
        match self {
            DatePart::Day => day as f64,
            DatePart::DayOfYear => {
                let (year, _, _) = date_of(day);
                (day - days_before(year) + 1) as f64
            }
            // 1970-01-01 was a Thursday.
            DatePart::Weekday => (day + 3).rem_euclid(7) as f64,
            DatePart::Hour => second as f64 / 3600.0,
        }
    }

    /// What the part is called.
    pub fn word(self) -> &'static str {
        match self {
            DatePart::Day => "day",
            DatePart::DayOfYear => "day of year",
            DatePart::Weekday => "weekday",
            DatePart::Hour => "hour",
        }
    }
}

/// Digits only, as many as wanted at most.
fn number(digits: &str, most: usize) -> Option<i64> {
    let fits = (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if fits { digits.parse().ok() } else { None }
}

/// A time without its `Z` or offset.
fn zoneless(time: &str) -> Option<&str> {
    let time = time.trim_ascii();
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some(time.trim_ascii_end());
    }
    let Some(place) = time.rfind(['+', '-']) else { return Some(time) };
    let offset = &time[place + 1..];
    let digits = offset.bytes().filter(u8::is_ascii_digit).count();
    let fits = matches!(digits, 2 | 4) && offset.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    fits.then(|| time[..place].trim_ascii_end())
}

/// `H:MM`, `H:MM:SS`, a fraction, `AM` or `PM`: seconds since midnight.
fn clock(text: &str) -> Option<i64> {
    let (text, half) = match text.len().checked_sub(2).and_then(|place| text.is_char_boundary(place).then_some(place)) {
        Some(place) if text[place..].eq_ignore_ascii_case("am") => (text[..place].trim_ascii_end(), Some(0)),
        Some(place) if text[place..].eq_ignore_ascii_case("pm") => (text[..place].trim_ascii_end(), Some(12)),
        _ => (text, None),
    };
    let mut parts = text.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, parts.next()?);
    let second = match parts.next() {
        Some(second) => {
            let (whole, fraction) = second.split_once('.').unwrap_or((second, "0"));
            if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            number(whole, 2)?
        }
        None => 0,
    };
    if parts.next().is_some() || minute.len() != 2 {
        return None;
    }
    let minute = number(minute, 2)?;
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    // A leap second counts as the last one; 24:00 is midnight at a day's end.
    let fits = minute < 60 && second <= 60 && (hour < 24 || (hour == 24 && minute == 0 && second == 0));
    fits.then(|| hour * 3600 + minute * 60 + second.min(59))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to the first of January of a year.
fn days_before(year: i64) -> i64 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400) - 719_162
}

const BEFORE_MONTH: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// Days since 1970-01-01 of a date of the Gregorian calendar; `None` where there is no such day.
pub fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let (month, leap) = (month as usize, i64::from(is_leap(year)));
    let length = BEFORE_MONTH[month] - BEFORE_MONTH[month - 1] + if month == 2 { leap } else { 0 };
    let before = BEFORE_MONTH[month - 1] + if month > 2 { leap } else { 0 };
    (1..=length).contains(&day).then(|| days_before(year) + before + day - 1)
}

/// Year, month and day of a number of days since 1970-01-01.
///
/// Years are counted from March, so that a leap day is the last of its year (Neri, Schneider 2023, "Euclidean affine
/// functions and their application to calendar algorithms", in its plain form).
pub fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar() {
        assert_eq!(days_of(1970, 1, 1), Some(0));
        assert_eq!(days_of(2000, 2, 29), Some(11_016));
        assert_eq!(days_of(1900, 2, 29), None);
        assert_eq!(days_of(2013, 4, 31), None);
        assert_eq!(days_of(2013, 0, 1), None);
        for days in (-719_162..2_932_896).step_by(97).chain([-719_162, 2_932_896]) {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), Some(days));
        }
    }

    /// One moment in all its writings.
    #[test]
    fn formats() {
        let day = days_of(2013, 8, 4).unwrap() * SECONDS;
        let one = day + 13 * 3600;
        for (format, text, wanted) in [
            (DateFormat::Iso, "2013-08-04", Some(day)),
            (DateFormat::Iso, "2013-08-04T13:00:00Z", Some(one)),
            (DateFormat::Iso, "2013-08-04 13:00", Some(one)),
            (DateFormat::Iso, "2013-08-04T13:00:00.250+02:00", Some(one)),
            (DateFormat::Iso, "2013/8/4", Some(day)),
            (DateFormat::DayFirst, "04.08.2013", Some(day)),
            (DateFormat::DayFirst, "4.8.2013 13:00", Some(one)),
            (DateFormat::MonthFirst, "08/04/2013 1:00 PM", Some(one)),
            (DateFormat::Compact, "20130804", Some(day)),
            (DateFormat::Clock, "13:00", Some(13 * 3600)),
            (DateFormat::Clock, "12:30 am", Some(1800)),
            (DateFormat::Iso, "2013-13-04", None),
            (DateFormat::Iso, "04.08.2013", None),
            (DateFormat::Iso, "2013-08-04T25:00", None),
            (DateFormat::Iso, "2013-08-04 soon", None),
            (DateFormat::DayFirst, "08/14/2013", None),
            (DateFormat::Compact, "20131304", None),
            (DateFormat::Clock, "1300", None),
            (DateFormat::Clock, "\u{e9}", None),
            (DateFormat::Iso, "", None),
        ] {
            assert_eq!(format.parse(text), wanted, "{format:?} {text:?}");
        }
        assert_eq!(DateFormat::Compact.parse_number(20_130_804.0), Some(day));
        assert_eq!(DateFormat::Iso.parse_number(20_130_804.0), None);
        assert_eq!(DateFormat::Compact.parse_number(f64::NAN), None);
        for example in DateFormat::ALL {
            assert!(example.parse(example.example().split(" or ").next().unwrap()).is_some());
        }
    }

    #[test]
    fn parts() {
        // A Sunday, the 216th day of its year.
        let moment = DateFormat::Iso.parse("2013-08-04T13:30").unwrap();
        let parts = [DatePart::Day, DatePart::DayOfYear, DatePart::Weekday, DatePart::Hour].map(|part| part.of(moment));
        assert_eq!(parts, [15_921.0, 216.0, 6.0, 13.5]);
        let before = DateFormat::Iso.parse("1969-12-31T18:00").unwrap();
        assert_eq!(
            [DatePart::Day.of(before), DatePart::DayOfYear.of(before), DatePart::Hour.of(before)],
            [-1.0, 365.0, 18.0]
        );
    }
}
