//! What a plot with two axes is made of.

use super::draw;
use super::frame::Frame;
use super::scale::Scale;
use super::ticks::span;
use super::{Drawn, Picture};
use crate::number::{count, number};

/// Width of a plot that nobody asked to be wider: two stand side by side on a page, and one is still readable on a phone.
pub const WIDTH: f64 = 460.0;
/// Height of its drawing, without title and legend.
pub const HEIGHT: f64 = 280.0;

/// One axis.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Logarithmic: values at or below 0 are not drawn.
    pub log: bool,
    /// From where to where; without it as far as the values go.
    pub range: Option<(f64, f64)>,
    /// Values that must be on it: 0 for bars.
    pub include: Vec<f64>,
    /// Only whole numbers have a tick: epochs, counts.
    pub whole: bool,
    /// Names at 0, 1, 2, ... in place of numbers.
    pub names: Vec<String>,
}

/// A line, or steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// Its name in the legend; without one it has no entry.
    pub name: String,
    /// (x, y) in order; one that is not finite breaks the line.
    pub points: Vec<[f64; 2]>,
    /// Place of its colour and marker; by its place among the layers if not said.
    pub colour: Option<usize>,
    /// Place of its dash; as its colour's if not said.
    pub dash: Option<usize>,
    /// Markers of the colour's own shape at some of the points.
    pub markers: bool,
    /// Each value holds until the next x.
    pub steps: bool,
    /// Filled down to 0.
    pub filled: bool,
    /// A thinner line, for what stands beside the main one.
    pub thin: bool,
}

/// What is drawn, in order: later ones lie above.
#[derive(Debug, Clone, PartialEq)]
pub enum Layer {
    /// A line.
    Line(Line),
    /// Points, translucent: where many lie it is darker.
    Points {
        /// Its name in the legend.
        name: String,
        /// (x, y).
        points: Vec<[f64; 2]>,
        /// Place of its colour.
        colour: usize,
    },
    /// Upright bars: histograms, groups, stacks.
    Columns {
        /// Its name in the legend.
        name: String,
        /// From x0 to x1, from y0 to y1.
        bars: Vec<[f64; 4]>,
        /// Place of its colour.
        colour: usize,
    },
    /// How far a value may be off: (x, low, high).
    Whiskers {
        /// Place of its colour.
        colour: usize,
        /// (x, low, high).
        spans: Vec<[f64; 3]>,
    },
    /// One point that matters, as a ring with a word beside it.
    Mark {
        /// The word; without one only the ring.
        name: String,
        /// (x, y).
        at: [f64; 2],
        /// Place of its colour.
        colour: usize,
    },
    /// A dotted line across: `y = at`.
    Across {
        /// The word at its end.
        name: String,
        /// Where.
        at: f64,
    },
    /// A dotted line upright: `x = at`.
    Upright {
        /// The word at its end.
        name: String,
        /// Where.
        at: f64,
    },
    /// A dotted line where y = x.
    Diagonal {
        /// Its name in the legend.
        name: String,
    },
    /// Only an entry of the legend: a neutral line with this dash.
    Key {
        /// What the dash means.
        name: String,
        /// Place of the dash.
        dash: usize,
    },
}

impl Layer {
    /// A plain line.
    pub fn line(name: impl Into<String>, points: Vec<[f64; 2]>) -> Self {
        Layer::Line(Line { name: name.into(), points, ..Line::default() })
    }

    /// A histogram's bars: `heights[i]` from `edges[i]` to `edges[i + 1]`.
    pub fn histogram(name: impl Into<String>, edges: &[f64], heights: &[f64], colour: usize) -> Self {
        let bar = |(edge, &height): (&[f64], &f64)| [edge[0], edge[1], 0.0, height];
        Layer::Columns { name: name.into(), bars: edges.windows(2).zip(heights).map(bar).collect(), colour }
    }

    /// Every x and y of it that the axes must hold.
    fn reach(&self) -> Vec<[f64; 2]> {
        match self {
            Layer::Line(line) => {
                let mut points = line.points.clone();
                if line.filled {
                    points.extend(line.points.first().map(|point| [point[0], 0.0]));
                }
                points
            }
            Layer::Points { points, .. } => points.clone(),
            Layer::Columns { bars, .. } => bars.iter().flat_map(|b| [[b[0], b[2]], [b[1], b[3]]]).collect(),
            Layer::Whiskers { spans, .. } => spans.iter().flat_map(|s| [[s[0], s[1]], [s[0], s[2]]]).collect(),
            Layer::Mark { at, .. } => vec![*at],
            Layer::Across { at, .. } => vec![[f64::NAN, *at]],
            Layer::Upright { at, .. } => vec![[*at, f64::NAN]],
            Layer::Diagonal { .. } | Layer::Key { .. } => Vec::new(),
        }
    }

    /// Its name in the legend.
    pub(super) fn name(&self) -> &str {
        match self {
            Layer::Line(Line { name, .. })
            | Layer::Points { name, .. }
            | Layer::Columns { name, .. }
            | Layer::Diagonal { name }
            | Layer::Key { name, .. } => name,
            _ => "",
        }
    }
}

/// A plot with two axes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// Its name.
    pub title: String,
    /// What it shows, in words; made from the values if empty.
    pub description: String,
    /// The axis below.
    pub x: Axis,
    /// The axis at the left.
    pub y: Axis,
    /// What is drawn.
    pub layers: Vec<Layer>,
    /// Width in pixels.
    pub width: f64,
    /// Height in pixels, without title and legend.
    pub height: f64,
    /// Both axes have the same span: for values against values of the same kind.
    pub same_span: bool,
}

impl Chart {
    /// Without layers.
    pub fn new(title: impl Into<String>, x: impl Into<String>, y: impl Into<String>) -> Self {
        let axis = |label: String| Axis { label, ..Axis::default() };
        Chart {
            title: title.into(),
            x: axis(x.into()),
            y: axis(y.into()),
            width: WIDTH,
            height: HEIGHT,
            ..Chart::default()
        }
    }

    /// Bars in groups, one group a name, one bar a series side by side, or on top of each other if `stacked`.
    /// `series` are (name, one value a group); a value that is not finite has no bar.
    pub fn grouped(
        title: impl Into<String>,
        groups: &[String],
        series: &[(String, Vec<f64>)],
        stacked: bool,
        y: impl Into<String>,
    ) -> Self {
        let mut chart = Chart::new(title, "", y);
        chart.x.names = groups.to_vec();
        chart.x.range = Some((-0.5, groups.len().max(1) as f64 - 0.5));
        chart.y.include = vec![0.0];
        let mut tops = vec![0.0; groups.len()];
        let share = 0.8 / if stacked { 1.0 } else { series.len().max(1) as f64 };
        for (place, (name, values)) in series.iter().enumerate() {
            let mut bars = Vec::new();
            for (group, (&value, top)) in values.iter().zip(&mut tops).enumerate() {
                if !value.is_finite() {
                    continue;
                }
                let left = group as f64 - 0.4 + if stacked { 0.0 } else { place as f64 * share };
                let from = if stacked { *top } else { 0.0 };
                bars.push([left, left + share, from, from + value]);
                *top += value;
            }
            chart.layers.push(Layer::Columns { name: name.clone(), bars, colour: place });
        }
        chart
    }

    /// The spans of both axes.
    fn spans(&self) -> [(f64, f64); 2] {
        let reach: Vec<[f64; 2]> = self.layers.iter().flat_map(Layer::reach).collect();
        let of = |axis: &Axis, place: usize| {
            let values = reach.iter().map(|point| point[place]).chain(axis.include.iter().copied());
            let (low, high) = span(values.filter(|value| !axis.log || *value > 0.0));
            match axis.range {
                Some((from, to)) if from < to && from.is_finite() && to.is_finite() => (from, to),
                _ if axis.log => (low.max(1e-300), high),
                _ => padded(low, high, axis, place),
            }
        };
        let (mut x, y) = (of(&self.x, 0), of(&self.y, 1));
        if self.layers.iter().any(|layer| matches!(layer, Layer::Points { .. }))
            && self.x.range.is_none()
            && !self.x.log
        {
            // A dot at the very end would lie half outside.
            let room = 0.02 * (0.5 * x.1 - 0.5 * x.0);
            x = (if x.0 == 0.0 { 0.0 } else { x.0 - room }, x.1 + room);
        }
        if self.same_span {
            let both = (x.0.min(y.0), x.1.max(y.1));
            return [both, both];
        }
        [x, y]
    }
}

/// A little room above and below what is drawn, but none beyond a 0 at the end.
fn padded(low: f64, high: f64, axis: &Axis, place: usize) -> (f64, f64) {
    if place == 0 || !axis.names.is_empty() {
        return (low, high);
    }
    let room = 0.5 * high - 0.5 * low;
    let down = if low == 0.0 || (low > 0.0 && low < 0.12 * room) { low } else { 0.08 * room };
    let from = if low == 0.0 || (low > 0.0 && low < 0.12 * room) { 0.0 } else { low - down };
    let to = if high == 0.0 { 0.0 } else { high + 0.08 * room };
    (from, to)
}

impl Picture for Chart {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        if !self.description.is_empty() {
            return self.description.clone();
        }
        let mut words = Vec::new();
        for layer in &self.layers {
            words.extend(layer_words(layer));
        }
        if words.is_empty() {
            words.push("There is nothing to draw.".into());
        }
        let axes = match (self.y.label.as_str(), self.x.label.as_str()) {
            ("", "") => String::new(),
            (y, "") => format!("{y}. "),
            (y, x) => format!("{y} by {x}. "),
        };
        format!("{axes}{}", words.join(" "))
    }

    fn draw(&self, titled: bool) -> Drawn {
        self.draw_with_left(titled, 0.0)
    }
}

impl Chart {
    /// Draws it with at least so much room for the words at the left.
    pub(super) fn draw_with_left(&self, titled: bool, room: f64) -> Drawn {
        let mut frame = Frame::new(self, titled, self.spans(), room);
        let outside = self.layers.iter().flat_map(Layer::reach).any(|[x, y]| {
            let beyond = |scale: &Scale, value: f64| value.is_finite() && !scale.holds(value);
            beyond(&frame.x, x) || beyond(&frame.y, y)
        });
        frame.axes(self);
        if outside {
            frame.open_window();
        }
        for (place, layer) in self.layers.iter().enumerate() {
            draw::layer(&mut frame, place, layer);
        }
        if outside {
            frame.close_window();
        }
        // Bars have edges of the paper's colour: the axis lies above them.
        frame.baseline();
        frame.finish()
    }
}

/// A layer in words: how many values, from where to where, where the lowest is.
fn layer_words(layer: &Layer) -> Option<String> {
    let named = |name: &str, what: &str| if name.is_empty() { what.to_string() } else { name.to_string() };
    match layer {
        Layer::Line(line) => {
            let finite: Vec<_> = line.points.iter().filter(|p| p[0].is_finite() && p[1].is_finite()).collect();
            let (first, last) = (finite.first()?, finite.last()?);
            let low = finite.iter().min_by(|a, b| a[1].total_cmp(&b[1]))?;
            let high = finite.iter().max_by(|a, b| a[1].total_cmp(&b[1]))?;
            Some(format!(
                "{}: {}, from {} at {} to {} at {}; lowest {} at {}, highest {} at {}.",
                named(&line.name, "line"),
                counted(finite.len(), "point"),
                number(first[1]),
                number(first[0]),
                number(last[1]),
                number(last[0]),
                number(low[1]),
                number(low[0]),
                number(high[1]),
                number(high[0])
            ))
        }
        Layer::Points { name, points, .. } => {
            let drawn = points.len().min(draw::MOST_POINTS);
            let some = if drawn < points.len() { format!("{} of ", count(drawn as u64)) } else { String::new() };
            Some(format!("{}: {some}{} points.", named(name, "points"), count(points.len() as u64)))
        }
        Layer::Columns { name, bars, .. } => {
            let tallest = bars.iter().filter(|b| b[3].is_finite()).max_by(|a, b| a[3].total_cmp(&b[3]))?;
            Some(format!(
                "{}: {}, the tallest {} at {}.",
                named(name, "bars"),
                counted(bars.len(), "bar"),
                number(tallest[3] - tallest[2]),
                number(0.5 * tallest[0] + 0.5 * tallest[1])
            ))
        }
        Layer::Mark { name, at, .. } if !name.is_empty() => {
            Some(format!("{name}: {} at {}.", number(at[1]), number(at[0])))
        }
        Layer::Across { name, at } | Layer::Upright { name, at } if !name.is_empty() => {
            Some(format!("{name}: a line at {}.", number(*at)))
        }
        _ => None,
    }
}

/// `1 point`, `1,500 points`.
fn counted(things: usize, name: &str) -> String {
    format!("{} {name}{}", count(things as u64), if things == 1 { "" } else { "s" })
}
