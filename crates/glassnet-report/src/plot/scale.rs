//! From values to places on the paper.

use super::ticks::{self, LARGEST, Tick};

/// A span of values and the span of pixels that it is drawn on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// Values from `span.0` to `span.1` on pixels from `pixels.0` to `pixels.1`. A logarithmic one must be above 0.
    pub fn new(span: (f64, f64), pixels: (f64, f64), log: bool) -> Self {
        let (low, high) = if log {
            let (low, high) = (span.0.clamp(1e-300, LARGEST), span.1.clamp(1e-300, LARGEST));
            if high / low > 1.0 + 1e-9 { (low, high) } else { (low / 2.0, high * 2.0) }
        } else {
            ticks::span([span.0, span.1])
        };
        Scale { low, high, from: pixels.0, to: pixels.1, log }
    }

    /// Where a value stands; none where it is not finite, or not above 0 on a logarithmic scale. Values beyond the ends
    /// are beyond the ends on the paper too, by no more than a hundred times its length.
    pub fn at(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let value = value.clamp(-LARGEST, LARGEST);
        let share = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            // Halves, so that numbers at the ends of the span do not overflow.
            (0.5 * value - 0.5 * self.low) / (0.5 * self.high - 0.5 * self.low)
        };
        Some(self.from + share.clamp(-100.0, 100.0) * (self.to - self.from))
    }

    /// The same, kept between the ends.
    pub fn inside(&self, value: f64) -> Option<f64> {
        self.at(value.clamp(self.low, self.high))
    }

    /// Whether a value is between the ends.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The ends.
    pub fn span(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// Ticks, `most` at the most.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        if self.log { ticks::logarithmic(self.low, self.high, most) } else { ticks::linear(self.low, self.high, most) }
    }
}
