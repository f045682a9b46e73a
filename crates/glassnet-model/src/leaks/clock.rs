//! Columns that hold times, and their differences.

use crate::dates::DateFormat;
use crate::schema::Kind;

/// So many different times of day make whole numbers hours and minutes.
const FEWEST_TIMES: usize = 20;

/// A column of times: minutes of the day, or seconds of dates.
pub(super) struct Clock {
    values: Vec<f64>,
    of_day: bool,
}

/// A difference of two columns, in minutes or seconds.
pub(super) struct Difference {
    /// As it is.
    pub(super) plain: Vec<f64>,
    /// From -12 to 12 hours, for times of day.
    pub(super) around: Option<Vec<f64>>,
}

impl Clock {
    /// The times of a column, where it holds some: dates; times of day; whole numbers of 0 to 2400 whose last two digits are
    /// below 60, at least 20 different ones, some of them an hour or more.
    pub(super) fn of(kind: &Kind, numbers: &[f64]) -> Option<Clock> {
        if let Kind::Date { format, .. } = kind {
            let of_day = *format == DateFormat::Clock;
            let values = numbers.iter().map(|&t| if of_day { t / 60.0 } else { t }).collect();
            return Some(Clock { values, of_day });
        }
        let present = || numbers.iter().filter(|number| !number.is_nan());
        let is_time = |&&x: &&f64| x.fract() == 0.0 && (0.0..=2400.0).contains(&x) && x % 100.0 < 60.0;
        if !present().all(|x| is_time(&x)) || !present().any(|&x| x >= 100.0 && x % 100.0 != 0.0) {
            return None;
        }
        let mut seen = vec![false; 2401];
        present().for_each(|&x| seen[x as usize] = true);
        if seen.into_iter().filter(|&seen| seen).count() < FEWEST_TIMES {
            return None;
        }
        let minutes = |&x: &f64| (x / 100.0).floor() * 60.0 + x % 100.0;
        Some(Clock { values: numbers.iter().map(minutes).collect(), of_day: true })
    }

    /// `self - other`; `None` where one is a time of day and the other a date.
    pub(super) fn minus(&self, other: &Clock) -> Option<Difference> {
        if self.of_day != other.of_day {
            return None;
        }
        let plain: Vec<f64> = self.values.iter().zip(&other.values).map(|(a, b)| a - b).collect();
        let around = self.of_day.then(|| plain.iter().map(|d| (d + 720.0).rem_euclid(1440.0) - 720.0).collect());
        Some(Difference { plain, around })
    }
}
