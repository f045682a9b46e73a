//! Base + contributions = output: each bar begins where the one before it ended.

use super::chart::WIDTH;
use super::scale::Scale;
use super::svg::{Anchor, Pen};
use super::ticks::span;
use super::{Drawn, Picture};
use crate::number::{number, signed};

/// How one number comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Its name.
    pub title: String,
    /// What is added up: `log-odds of late`.
    pub label: String,
    /// Where it begins.
    pub base: f64,
    /// (name, amount) in order.
    pub steps: Vec<(String, f64)>,
    /// Where it ends: base + amounts, but for what rounding leaves.
    pub output: f64,
    /// Width in pixels.
    pub width: f64,
}

const ROW: f64 = 22.0;

impl Picture for Waterfall {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let steps: Vec<String> =
            self.steps.iter().map(|(name, amount)| format!("{name} {}", signed(*amount))).collect();
        format!("{}: base {}; {}; output {}.", self.label, number(self.base), steps.join("; "), number(self.output))
    }

    fn draw(&self, titled: bool) -> Drawn {
        let mut pen = Pen::default();
        let mut top = 6.0;
        if titled {
            pen.label("head", [10.0, top + 14.0], Anchor::Start, &self.title, (self.width - 20.0) / 1.3);
            top += 26.0;
        }
        pen.label("soft", [10.0, top + 11.0], Anchor::Start, &self.label, self.width - 20.0);
        top += 20.0;
        let mut level = self.base;
        let mut reach = vec![self.base, self.output];
        for (_, amount) in self.steps.iter().filter(|(_, amount)| amount.is_finite()) {
            level += amount;
            reach.push(level);
        }
        let (low, high) = span(reach);
        let names = (0.44 * self.width).min(210.0);
        let scale = Scale::new((low, high), (names + 62.0, self.width - 74.0), false);
        let rows = self.steps.len() + 2;
        let bottom = top + ROW * rows as f64;
        let end = |row: usize| top + ROW * (row as f64 + 0.5);
        self.level(&mut pen, &scale, "base", self.base, end(0), names);
        let mut level = self.base;
        for (row, (name, amount)) in self.steps.iter().enumerate() {
            let middle = end(row + 1);
            pen.label("", [names, middle + 4.0], Anchor::End, name, names - 10.0);
            let next = if amount.is_finite() { level + amount } else { level };
            let (Some(from), Some(to)) = (scale.at(level), scale.at(next)) else { continue };
            let colour = if *amount < 0.0 { 2 } else { 1 };
            let hint = format!("{name}: {}", signed(*amount));
            // A hair where the amount is nearly nothing: it has a row all the same.
            let width = (to - from).abs().max(1.0);
            pen.rect(&format!("f{colour}"), [from.min(to), middle - 7.0], [width, 14.0], &hint);
            pen.line("axis", [to, middle + 7.0], [to, middle + ROW - 7.0]);
            let (anchor, at) = if *amount < 0.0 { (Anchor::End, to - 5.0) } else { (Anchor::Start, to + 5.0) };
            pen.text("small soft", [at, middle + 4.0], anchor, &signed(*amount));
            level = next;
        }
        self.level(&mut pen, &scale, "output", self.output, end(rows - 1), names);
        Drawn { width: self.width, height: bottom + 6.0, body: pen.out }
    }
}

impl Waterfall {
    /// Of the usual width.
    pub fn new(title: impl Into<String>, label: impl Into<String>, base: f64, output: f64) -> Self {
        Waterfall { title: title.into(), label: label.into(), base, steps: Vec::new(), output, width: WIDTH }
    }

    /// A place that is reached: the beginning and the end.
    fn level(&self, pen: &mut Pen, scale: &Scale, name: &str, value: f64, middle: f64, names: f64) {
        pen.text("strong", [names, middle + 4.0], Anchor::End, name);
        if let Some(x) = scale.at(value) {
            pen.line("line s5 d1", [x, middle - 8.0], [x, middle + 8.0]);
            pen.text("small strong", [x + 6.0, middle + 4.0], Anchor::Start, &number(value));
        }
    }
}
