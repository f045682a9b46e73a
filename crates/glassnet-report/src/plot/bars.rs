//! Horizontal bars, a name before each: importances.

use super::chart::WIDTH;
use super::scale::Scale;
use super::style::nth;
use super::svg::{Anchor, Pen, place};
use super::ticks::span;
use super::{Drawn, Picture};
use crate::number::number;

/// One bar.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// How long it is; negative ones go to the left.
    pub value: f64,
    /// How much the value varies: drawn as a thin line, this much to both sides.
    pub spread: Option<f64>,
    /// What stands at its end; the value if empty.
    pub words: String,
}

/// Horizontal bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Its name.
    pub title: String,
    /// What is measured.
    pub label: String,
    /// In order from above.
    pub bars: Vec<Bar>,
    /// Width in pixels.
    pub width: f64,
    /// Place of the colour.
    pub colour: usize,
}

const ROW: f64 = 23.0;

impl Bars {
    /// Of the usual width.
    pub fn new(title: impl Into<String>, label: impl Into<String>, bars: Vec<Bar>) -> Self {
        Bars { title: title.into(), label: label.into(), bars, width: WIDTH, colour: 0 }
    }
}

impl Picture for Bars {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let words: Vec<String> = self.bars.iter().take(30).map(|bar| format!("{} {}", bar.name, words(bar))).collect();
        match self.bars.len() {
            0 => "There is nothing to draw.".into(),
            count => format!("{}: {count} bars. {}.", self.label, words.join("; ")),
        }
    }

    fn draw(&self, titled: bool) -> Drawn {
        let mut pen = Pen::default();
        let mut top = 6.0;
        if titled {
            pen.label("head", [10.0, top + 14.0], Anchor::Start, &self.title, (self.width - 20.0) / 1.3);
            top += 26.0;
        }
        if !self.label.is_empty() {
            pen.label("soft", [10.0, top + 11.0], Anchor::Start, &self.label, self.width - 20.0);
            top += 20.0;
        }
        let spread = |bar: &Bar| bar.spread.filter(|spread| spread.is_finite()).unwrap_or(0.0);
        let reach = self.bars.iter().flat_map(|bar| [bar.value - spread(bar), bar.value + spread(bar)]);
        let (low, high) = span(reach.chain([0.0]));
        let names = (0.36 * self.width).min(180.0);
        let said = self.bars.iter().map(|bar| super::svg::text_width(&words(bar))).fold(0.0, f64::max).min(110.0);
        let left_words = if low < 0.0 { said + 8.0 } else { 0.0 };
        let right_words = if high > 0.0 { said + 12.0 } else { 8.0 };
        let scale = Scale::new((low, high), (names + 8.0 + left_words, self.width - right_words), false);
        let zero = scale.at(0.0).unwrap_or(names);
        let bottom = top + ROW * self.bars.len() as f64;
        for (row, bar) in self.bars.iter().enumerate() {
            let middle = top + ROW * (row as f64 + 0.5);
            pen.label("", [names, middle + 4.0], Anchor::End, &bar.name, names - 10.0);
            let Some(end) = scale.at(bar.value) else { continue };
            // Below 0 another colour, besides the other direction.
            let colour = nth(self.colour + usize::from(bar.value < 0.0));
            let hint = format!("{}: {}", bar.name, words(bar));
            pen.rect(&format!("f{colour}"), [zero.min(end), middle - 7.5], [(end - zero).abs(), 15.0], &hint);
            let mut word = end;
            if let (Some(from), Some(to), true) =
                (scale.at(bar.value - spread(bar)), scale.at(bar.value + spread(bar)), spread(bar) > 0.0)
            {
                pen.path("spread", &format!("M{} {}H{}", place(from), place(middle), place(to)));
                word = if bar.value < 0.0 { from.min(end) } else { to.max(end) };
            }
            let (anchor, at) = if bar.value < 0.0 { (Anchor::End, word - 5.0) } else { (Anchor::Start, word + 5.0) };
            pen.label("soft", [at, middle + 4.0], anchor, &words(bar), 110.0);
        }
        pen.line("axis", [zero, top], [zero, bottom]);
        Drawn { width: self.width, height: bottom + 8.0, body: pen.out }
    }
}

/// What stands at the end of a bar.
fn words(bar: &Bar) -> String {
    if bar.words.is_empty() { number(bar.value) } else { bar.words.clone() }
}
