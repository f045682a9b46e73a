//! A confusion table as a picture: a row for each true class, a column for each predicted one, darker where more of the
//! row is.

use super::chart::WIDTH;
use super::svg::{Anchor, Pen, text_width};
use super::{Drawn, Picture};
use crate::escape::shorten;
use crate::number::{percent, weight};

/// Most classes that are drawn: with more of them nothing could be read.
pub const MOST_CLASSES: usize = 30;

/// A confusion table.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// Its name.
    pub title: String,
    /// The classes.
    pub classes: Vec<String>,
    /// `table[true class][predicted class]`: rows of the data, or the sum of their weights.
    pub table: Vec<Vec<f64>>,
    /// Width in pixels.
    pub width: f64,
}

impl Heat {
    /// Of the usual width.
    pub fn new(title: impl Into<String>, classes: Vec<String>, table: Vec<Vec<f64>>) -> Self {
        Heat { title: title.into(), classes, table, width: WIDTH }
    }

    fn cell(&self, row: usize, column: usize) -> f64 {
        let value = self.table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0.0);
        if value.is_finite() { value.max(0.0) } else { 0.0 }
    }

    fn row_sum(&self, row: usize) -> f64 {
        (0..self.classes.len()).map(|column| self.cell(row, column)).sum()
    }

    /// The share of a row that is in a column; 0 for an empty row.
    fn share(&self, row: usize, column: usize) -> f64 {
        let sum = self.row_sum(row);
        if sum > 0.0 { self.cell(row, column) / sum } else { 0.0 }
    }
}

impl Picture for Heat {
    fn title(&self) -> String {
        self.title.clone()
    }

    fn description(&self) -> String {
        let rows = self.classes.iter().enumerate().take(MOST_CLASSES).map(|(row, name)| {
            format!(
                "Of {} rows of {name}, {} were predicted as such.",
                weight(self.row_sum(row)),
                percent(self.share(row, row))
            )
        });
        let rows: Vec<String> = rows.collect();
        if rows.is_empty() { "There is nothing to draw.".into() } else { rows.join(" ") }
    }

    fn draw(&self, titled: bool) -> Drawn {
        let mut pen = Pen::default();
        let classes = self.classes.len().min(MOST_CLASSES);
        let mut top = 6.0;
        if titled {
            pen.label("head", [10.0, top + 14.0], Anchor::Start, &self.title, (self.width - 20.0) / 1.3);
            top += 26.0;
        }
        let names: Vec<String> = self.classes.iter().take(classes).map(|name| shorten(name, 18)).collect();
        let widest = names.iter().map(|name| text_width(name)).fold(40.0, f64::max).min(0.3 * self.width);
        let left = 10.0 + widest + 8.0;
        let side = ((self.width - left - 10.0) / classes.max(1) as f64).min(if classes <= 3 { 118.0 } else { 92.0 });
        let tall = side.min(if classes <= 4 { 60.0 } else { 34.0 });
        pen.text("soft", [left, top + 11.0], Anchor::Start, "predicted →");
        pen.text("soft", [left - 8.0, top + 11.0], Anchor::End, "true ↓");
        top += 20.0;
        // Upright words need the most room that any of them takes.
        let upright = names.iter().any(|name| text_width(name) > side - 6.0);
        let room =
            if upright { names.iter().map(|name| text_width(name)).fold(0.0, f64::max).min(120.0) } else { 14.0 };
        top += room + 4.0;
        for (column, name) in names.iter().enumerate() {
            let x = left + side * (column as f64 + 0.5);
            let hint = self.classes.get(column).map_or("", String::as_str);
            let hint = if hint == name { "" } else { hint };
            if upright {
                let more = format!(
                    " transform=\"rotate(-90 {0} {1})\"",
                    super::svg::place(x + 4.0),
                    super::svg::place(top - 6.0)
                );
                pen.text_with("", [x + 4.0, top - 6.0], Anchor::Start, &more, &super::svg::fit(name, 116.0), hint);
            } else {
                pen.text_with("", [x, top - 6.0], Anchor::Middle, "", name, hint);
            }
        }
        let counted = side >= 30.0;
        for row in 0..classes {
            let y = top + tall * row as f64;
            let name = self.classes.get(row).map_or("", String::as_str);
            pen.label("", [left - 8.0, y + 0.5 * tall + 4.0], Anchor::End, name, widest);
            for column in 0..classes {
                let x = left + side * column as f64;
                let (value, share) = (self.cell(row, column), self.share(row, column));
                let predicted = self.classes.get(column).map_or("", String::as_str);
                let hint =
                    format!("true {name}, predicted {predicted}: {} ({} of the row)", weight(value), percent(share));
                let opacity = format!(" fill-opacity=\"{}\"", super::svg::place_fine(share));
                pen.rect_with("heat", [x, y], [side, tall], &opacity, &hint);
                pen.rect("cell", [x, y], [side, tall], "");
                if counted && value > 0.0 {
                    let class = if share > 0.55 { "onheat" } else { "" };
                    let words = weight(value);
                    let large = text_width(&words) > side - 4.0;
                    let small = if large { format!("small {class}") } else { class.to_string() };
                    let middle = y + 0.5 * tall;
                    let with_share = tall >= 44.0;
                    let at = if with_share { middle - 3.0 } else { middle + 4.0 };
                    pen.text_with(
                        small.trim(),
                        [x + 0.5 * side, at],
                        Anchor::Middle,
                        "",
                        &super::svg::fit(&words, side),
                        "",
                    );
                    if with_share {
                        let class = format!("small {class}");
                        pen.text(class.trim(), [x + 0.5 * side, middle + 13.0], Anchor::Middle, &percent(share));
                    }
                }
            }
        }
        Drawn { width: self.width, height: top + tall * classes as f64 + 10.0, body: pen.out }
    }
}
