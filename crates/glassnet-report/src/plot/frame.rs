//! Axes, grid and legend: everything around what is drawn.

use super::Drawn;
use super::chart::{Axis, Chart, Layer, Line};
use super::scale::Scale;
use super::style::nth;
use super::svg::{Anchor, Pen, fit, place, text_width};
use super::ticks::Tick;

/// Height of a line of text.
pub(super) const LINE: f64 = 18.0;

/// The paper with its scales, while it is drawn on.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) x: Scale,
    pub(super) y: Scale,
    pub(super) pen: Pen,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    width: f64,
    height: f64,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
}

impl Frame {
    /// Room for the title, the legend and the words of the axes; the rest is for the scales.
    pub(super) fn new(chart: &Chart, titled: bool, [x_span, y_span]: [(f64, f64); 2], room: f64) -> Self {
        let width = chart.width.clamp(120.0, 4_000.0);
        let mut pen = Pen::default();
        let mut top = 8.0;
        if titled && !chart.title.is_empty() {
            // The title's letters are a quarter larger.
            pen.label("head", [10.0, top + 12.0], Anchor::Start, &chart.title, (width - 20.0) / 1.3);
            top += 24.0;
        }
        top = legend(&mut pen, chart, top, width);
        if !chart.y.label.is_empty() {
            pen.label("soft", [10.0, top + 10.0], Anchor::Start, &chart.y.label, width - 20.0);
            top += LINE + 3.0;
        } else {
            top += 6.0;
        }
        let inner = chart.height.clamp(60.0, 4_000.0) - 40.0;
        let bottom = top + inner;
        let rough = Scale::new(y_span, (bottom, top), chart.y.log);
        let most = ((inner / 34.0) as usize).clamp(3, 9);
        let y_ticks = ticks_of(&chart.y, &rough, most);
        let widest = y_ticks.iter().map(|tick| text_width(&tick.label)).fold(0.0, f64::max);
        let left = (10.0 + widest.min(0.35 * width) + 8.0).max(room);
        let right = width - 16.0;
        let x = Scale::new(x_span, (left, right), chart.x.log);
        let mut most = 9;
        let x_ticks = loop {
            let ticks = ticks_of(&chart.x, &x, most);
            let widest = ticks.iter().map(|tick| text_width(&tick.label)).fold(0.0, f64::max);
            if most <= 3 || !chart.x.names.is_empty() || ticks.len() as f64 * (widest + 14.0) <= right - left {
                break ticks;
            }
            most -= 1;
        };
        let below = if chart.x.label.is_empty() { 0.0 } else { LINE };
        let height = bottom + 22.0 + below + 4.0;
        Frame { x, y: rough, pen, left, right, top, bottom, width, height, x_ticks, y_ticks }
    }

    /// Grid, ticks and their words.
    pub(super) fn axes(&mut self, chart: &Chart) {
        for tick in self.y_ticks.clone() {
            let Some(y) = self.y.at(tick.value) else { continue };
            self.pen.line("grid", [self.left, y], [self.right, y]);
            let most = self.left - 14.0;
            self.pen.label("soft", [self.left - 6.0, y + 4.0], Anchor::End, &tick.label, most.max(20.0));
        }
        let named = !chart.x.names.is_empty();
        let room = (self.right - self.left) / self.x_ticks.len().max(1) as f64;
        // Names that would not fit side by side stand at every second, third, ... place.
        let every = if named { (26.0 / room).ceil().max(1.0) as usize } else { 1 };
        for (number, tick) in self.x_ticks.clone().into_iter().enumerate() {
            let Some(x) = self.x.at(tick.value) else { continue };
            if number % every != 0 {
                continue;
            }
            if !named {
                self.pen.line("axis", [x, self.bottom], [x, self.bottom + 4.0]);
            }
            let most = if named { room * every as f64 - 6.0 } else { 200.0 };
            let half = 0.5 * text_width(&fit(&tick.label, most));
            // A word at the very end stays on the paper.
            let at = x.min(self.width - 3.0 - half).max(3.0 + half);
            self.pen.label("soft", [at, self.bottom + 17.0], Anchor::Middle, &tick.label, most);
        }
        if !chart.x.label.is_empty() {
            let at = [0.5 * (self.left + self.right), self.bottom + 17.0 + LINE];
            self.pen.label("soft", at, Anchor::Middle, &chart.x.label, self.width - 20.0);
        }
    }

    /// The line of the axis below.
    pub(super) fn baseline(&mut self) {
        self.pen.line("axis", [self.left, self.bottom], [self.right, self.bottom]);
    }

    /// From here on nothing is drawn outside of the axes.
    pub(super) fn open_window(&mut self) {
        // Room for half a marker around.
        let [x, y] = [self.left - 4.0, self.top - 4.0].map(place);
        let [width, height] = [self.right - self.left + 8.0, self.bottom - self.top + 5.0].map(place);
        self.pen.out += &format!(
            "<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" viewBox=\"{x} {y} {width} {height}\">\n"
        );
    }

    /// The end of what [`Frame::open_window`] began.
    pub(super) fn close_window(&mut self) {
        self.pen.out += "</svg>\n";
    }

    /// Left, top, right and bottom of the drawing.
    pub(super) fn edges(&self) -> [f64; 4] {
        [self.left, self.top, self.right, self.bottom]
    }

    /// All of it.
    pub(super) fn finish(self) -> Drawn {
        Drawn { width: self.width, height: self.height, body: self.pen.out }
    }
}

fn ticks_of(axis: &Axis, scale: &Scale, most: usize) -> Vec<Tick> {
    if !axis.names.is_empty() {
        let named = |(place, name): (usize, &String)| Tick { value: place as f64, label: name.clone() };
        return axis.names.iter().enumerate().map(named).collect();
    }
    let mut ticks = scale.ticks(most);
    if ticks.len() < 2 {
        // One number alone is no scale.
        ticks = scale.ticks(5);
    }
    if axis.whole && !axis.log {
        ticks.retain(|tick| tick.value.fract() == 0.0);
        for tick in &mut ticks {
            // 1.0, 2.0 where steps of a half were made for few values.
            if let Some((whole, _)) = tick.label.split_once('.') {
                tick.label = whole.to_string();
            }
        }
    }
    ticks
}

/// Entries in rows, as many a row as fit; gives back where it ends.
fn legend(pen: &mut Pen, chart: &Chart, top: f64, width: f64) -> f64 {
    let entries: Vec<(usize, &Layer)> =
        chart.layers.iter().enumerate().filter(|(_, layer)| !layer.name().is_empty()).collect();
    // One series is named by the title and the axis.
    if entries.len() < 2 {
        return top;
    }
    let (mut x, mut y) = (10.0, top + 10.0);
    for (number, layer) in entries {
        let name = fit(layer.name(), 0.6 * width);
        let needed = 30.0 + text_width(&name);
        if x > 10.0 && x + needed > width - 10.0 {
            (x, y) = (10.0, y + LINE);
        }
        swatch(pen, number, layer, [x, y - 4.0]);
        pen.text_with(
            "",
            [x + 30.0, y],
            Anchor::Start,
            "",
            &name,
            if name == layer.name() { "" } else { layer.name() },
        );
        x += needed + 16.0;
    }
    y + 10.0
}

fn swatch(pen: &mut Pen, number: usize, layer: &Layer, [x, y]: [f64; 2]) {
    match layer {
        Layer::Line(line) => {
            pen.line(&line_class(line, number), [x, y], [x + 24.0, y]);
            if line.markers {
                pen.marker(nth(line.colour.unwrap_or(number)), [x + 12.0, y], 4.0);
            }
        }
        Layer::Points { colour, .. } => pen.marker(nth(*colour), [x + 12.0, y], 4.0),
        Layer::Columns { colour, .. } => {
            pen.rect(&format!("bar f{}", nth(*colour)), [x + 6.0, y - 5.0], [12.0, 10.0], "");
        }
        Layer::Diagonal { .. } => pen.line("rule", [x, y], [x + 24.0, y]),
        Layer::Key { dash, .. } => pen.line(&format!("line s5 d{}", nth(*dash)), [x, y], [x + 24.0, y]),
        _ => {}
    }
}

/// The classes of a line: its colour and dash.
pub(super) fn line_class(line: &Line, number: usize) -> String {
    let colour = line.colour.unwrap_or(number);
    let thin = if line.thin { " thin" } else { "" };
    format!("line{thin} s{} d{}", nth(colour), nth(line.dash.unwrap_or(colour)))
}
