//! Medians of many short measurements: a busy moment of the machine does not move them.

use std::time::{Duration, Instant};

/// The middle of some measurements and how far they lie apart, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The first quartile.
    pub low: f64,
    /// The third quartile.
    pub high: f64,
    /// The smallest.
    pub least: f64,
}

impl Spread {
    /// Of measurements in microseconds; `None` where there are none.
    pub fn of(mut micros: Vec<f64>) -> Option<Spread> {
        micros.sort_by(f64::total_cmp);
        let at = |share: f64| micros.get(((micros.len().checked_sub(1)?) as f64 * share).round() as usize).copied();
        Some(Spread { median: at(0.5)?, low: at(0.25)?, high: at(0.75)?, least: at(0.0)? })
    }

    /// Half of the distance of the quartiles as a share of the median.
    pub fn share(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median
    }

    /// The same of one of `count` equal parts.
    pub fn each(self, count: f64) -> Spread {
        Spread {
            median: self.median / count,
            low: self.low / count,
            high: self.high / count,
            least: self.least / count,
        }
    }
}

/// Time that calls are measured together: long against the clock's own time.
const TOGETHER: Duration = Duration::from_micros(50);

/// Calls `f` for about `time`, and gives the microseconds of a call, measured over as many calls at a time as take 50 us.
pub fn calls(time: Duration, mut f: impl FnMut()) -> Option<Spread> {
    let mut together: u32 = 1;
    // Also warms caches and clocks.
    let warm = Instant::now();
    loop {
        let start = Instant::now();
        (0..together).for_each(|_| f());
        let long_enough = start.elapsed() >= TOGETHER;
        if long_enough && (warm.elapsed() >= time / 5 || together == 1) {
            break;
        }
        if !long_enough {
            together = together.saturating_mul(2);
        }
    }
    let mut micros = Vec::with_capacity(1 << 14);
    let begin = Instant::now();
    while begin.elapsed() < time || micros.len() < 3 {
        let start = Instant::now();
        (0..together).for_each(|_| f());
        micros.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(together));
    }
    Spread::of(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let spread = Spread::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(spread, Spread { median: 3.0, low: 2.0, high: 4.0, least: 1.0 });
        assert_eq!(spread.share(), 1.0 / 3.0);
        assert_eq!(spread.each(2.0).median, 1.5);
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_call_takes_time() {
        let mut count = 0u64;
        let spread = calls(Duration::from_millis(2), || count += std::hint::black_box(1)).unwrap();
        assert!(count > 0 && spread.median >= 0.0);
    }
}
