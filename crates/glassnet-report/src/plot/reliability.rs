//! A reliability diagram: what was predicted against what came true, bin by bin, and below it how many rows each bin has.

use serde::{Deserialize, Serialize};

use super::chart::{Chart, Layer, Line, WIDTH};
use super::{Drawn, Picture};
use crate::number::{number, percent, weight};

/// Rows whose predicted probabilities are near to each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// The bin's lower end.
    pub low: f64,
    /// The bin's upper end.
    pub high: f64,
    /// Rows in it, or the sum of their weights.
    pub rows: f64,
    /// Mean of the predicted probabilities.
    pub predicted: f64,
    /// Share of the rows for which it came true.
    pub observed: f64,
}

impl Bin {
    /// 95 % interval of the observed share by Wilson's formula, which stays inside [0, 1] (Wilson 1927).
    pub fn interval(&self) -> Option<(f64, f64)> {
        let (n, p, z) = (self.rows, self.observed, 1.959964);
        if !(n > 0.0 && (0.0..=1.0).contains(&p)) {
            return None;
        }
        let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
        let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        Some((middle - half, middle + half))
    }
}

/// Predicted against observed, before and after calibration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reliability {
    /// Its name.
    pub title: String,
    /// What the probability is of: `late = yes`.
    pub of: String,
    /// Bins of the raw scores; may be empty.
    pub before: Vec<Bin>,
    /// Bins of what is printed; their counts are drawn.
    pub after: Vec<Bin>,
}

impl Reliability {
    fn upper(&self) -> Chart {
        let what =
            if self.of.is_empty() { "observed share".to_string() } else { format!("share that was {}", self.of) };
        let mut chart = Chart::new(&self.title, "", what);
        chart.x.range = Some((0.0, 1.0));
        chart.y.range = Some((0.0, 1.0));
        chart.height = 300.0;
        chart.layers.push(Layer::Diagonal { name: "as predicted".into() });
        let line = |name: &str, bins: &[Bin], place: usize| {
            let points = bins.iter().filter(|bin| bin.rows > 0.0).map(|bin| [bin.predicted, bin.observed]).collect();
            let (colour, dash) = (Some(place), Some(place));
            Layer::Line(Line {
                name: name.into(),
                points,
                colour,
                dash,
                markers: true,
                thin: place > 0,
                ..Line::default()
            })
        };
        if !self.before.is_empty() {
            chart.layers.push(line("before calibration", &self.before, 1));
        }
        let spans = self.after.iter().filter_map(|bin| bin.interval().map(|(low, high)| [bin.predicted, low, high]));
        chart.layers.push(Layer::Whiskers { colour: 0, spans: spans.collect() });
        chart.layers.push(line(if self.before.is_empty() { "scores" } else { "after calibration" }, &self.after, 0));
        chart
    }

    fn lower(&self) -> Chart {
        let of = if self.of.is_empty() { String::new() } else { format!(" of {}", self.of) };
        let mut chart = Chart::new("", format!("predicted probability{of}"), "rows");
        chart.x.range = Some((0.0, 1.0));
        chart.y.include = vec![0.0];
        chart.y.whole = true;
        chart.height = 105.0;
        let bars = self.after.iter().filter(|bin| bin.rows > 0.0).map(|bin| [bin.low, bin.high, 0.0, bin.rows]);
        chart.layers.push(Layer::Columns { name: String::new(), bars: bars.collect(), colour: 4 });
        chart
    }
}

impl Picture for Reliability {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let words = self.after.iter().filter(|bin| bin.rows > 0.0).map(|bin| {
            let rows = weight(bin.rows);
            format!("predicted {}, came true {} of {rows} rows", percent(bin.predicted), percent(bin.observed))
        });
        let words: Vec<String> = words.collect();
        if words.is_empty() { "There is nothing to draw.".into() } else { format!("{}.", words.join("; ")) }
    }

    fn draw(&self, titled: bool) -> Drawn {
        // Both halves keep the same room for the words at the left, so that their bins stand below each other.
        let (upper, lower) = (self.upper(), self.lower());
        let most = self.after.iter().map(|bin| bin.rows).filter(|rows| rows.is_finite()).fold(0.0, f64::max);
        let room = super::svg::text_width(&number(most)).max(super::svg::text_width("0.0")) + 18.0;
        let upper = upper.draw_with_left(titled, room);
        let lower = lower.draw_with_left(false, room);
        let body = format!(
            "{}<g transform=\"translate(0 {})\">\n{}</g>\n",
            upper.body,
            super::svg::place(upper.height - 4.0),
            lower.body
        );
        Drawn { width: WIDTH, height: upper.height - 4.0 + lower.height, body }
    }
}
