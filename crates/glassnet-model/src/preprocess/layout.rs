//! Where the inputs of each column are.

use super::{Encoder, Encoding, Preprocess};
use crate::style::Style;
use std::ops::Range;

/// How many inputs there are of each sort, in the order in which the network gets them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// True numbers, scaled: the first inputs.
    pub numbers: usize,
    /// Other scaled inputs; in the plain style all inputs.
    pub others: usize,
    /// For each code, the last inputs, the number of rows of its table: the levels and id 0.
    pub categories: Vec<usize>,
}

/// Inputs of each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Widths {
    pub(crate) numbers: usize,
    pub(crate) others: usize,
    pub(crate) codes: usize,
}

/// Where a column's inputs of each sort begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Starts {
    pub(crate) numbers: usize,
    pub(crate) others: usize,
    pub(crate) codes: usize,
}

impl Preprocess {
    /// Number of inputs of the network.
    pub fn width(&self) -> usize {
        self.columns.iter().map(|column| column.encoding.width()).sum()
    }

    /// How many inputs there are of each sort.
    pub fn layout(&self) -> Layout {
        if self.style.is_plain() {
            return Layout { others: self.width(), ..Layout::default() };
        }
        let mut layout = Layout::default();
        for Encoder { encoding, .. } in &self.columns {
            let Widths { numbers, others, .. } = encoding.widths();
            layout.numbers += numbers;
            layout.others += others;
            if let Encoding::Code { levels } | Encoding::Scaled { levels: Some(levels), .. } = encoding {
                layout.categories.push(levels.len() + 1);
            }
        }
        layout
    }

    /// Each column's encoding with where its inputs begin. Allocates nothing.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&Encoder, Starts)> {
        let total = self.columns.iter().fold(Widths::default(), |sum, column| {
            let Widths { numbers, others, codes } = column.encoding.widths();
            Widths { numbers: sum.numbers + numbers, others: sum.others + others, codes: sum.codes + codes }
        });
        let mut next = Starts { numbers: 0, others: total.numbers, codes: total.numbers + total.others };
        let (style, mut row) = (self.style, 0);
        self.columns.iter().map(move |column| {
            let Widths { numbers, others, codes } = column.encoding.widths();
            let here = match style {
                Style::Tabular | Style::Quantile => next,
                Style::Plain => Starts { numbers: row, others: row + numbers, codes: row + numbers + others },
            };
            row += numbers + others + codes;
            next = Starts { numbers: next.numbers + numbers, others: next.others + others, codes: next.codes + codes };
            (column, here)
        })
    }

    /// The inputs of column `column` (place in [`Preprocess::columns`]): ranges, ascending, none of them empty. No column
    /// of that place: none.
    pub fn inputs_of(&self, column: usize) -> Vec<Range<usize>> {
        let Some((encoder, at)) = self.placed().nth(column) else { return Vec::new() };
        let Widths { numbers, others, codes } = encoder.encoding.widths();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for range in [at.numbers..at.numbers + numbers, at.others..at.others + others, at.codes..at.codes + codes] {
            match ranges.last_mut() {
                _ if range.is_empty() => {}
                Some(last) if last.end == range.start => last.end = range.end,
                _ => ranges.push(range),
            }
        }
        ranges
    }

    /// The names of the inputs: `temp`, `temp missing`, `carrier=UA`, `carrier unknown`; `start weekday` of a date; the
    /// column's name for a code and for the one input of two words, `gain code` where `gain` is a number too.
    pub fn input_names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.width()];
        for (Encoder { name, encoding }, at) in self.placed() {
            let named: Vec<String> = match encoding {
                Encoding::Number(scale) | Encoding::Boolean { scale, .. } => {
                    let indicator = scale.indicator.then(|| format!("{name} missing"));
                    std::iter::once(name.clone()).chain(indicator).collect()
                }
                Encoding::Presence | Encoding::Given { .. } => vec![format!("{name} missing")],
                Encoding::Category { levels } => {
                    let levels = levels.names().iter().map(|level| format!("{name}={level}"));
                    levels.chain([format!("{name} unknown")]).collect()
                }
                Encoding::Scaled { missing, levels, .. } => {
                    names[at.numbers].clone_from(name);
                    if levels.is_some() {
                        names[at.codes] = format!("{name} code");
                    }
                    missing.map(|_| format!("{name} missing")).into_iter().collect()
                }
                Encoding::Pair { .. } | Encoding::Sign { .. } => vec![name.clone()],
                Encoding::OneHot { levels, .. } => {
                    levels.names().iter().map(|level| format!("{name}={level}")).collect()
                }
                Encoding::Code { .. } => {
                    names[at.codes].clone_from(name);
                    Vec::new()
                }
                Encoding::Date { parts, missing, .. } => {
                    for (place, part) in (at.numbers..).zip(parts) {
                        names[place] = format!("{name} {}", part.part.word());
                    }
                    missing.map(|_| format!("{name} missing")).into_iter().collect()
                }
            };
            // A forged file may have fewer inputs than levels: no more names than places.
            let others = encoding.widths().others;
            for (place, own) in (at.others..at.others + others).zip(named) {
                names[place] = own;
            }
        }
        names
    }

    /// For each input, the column (place in [`Preprocess::columns`]) that it comes from.
    pub fn input_columns(&self) -> Vec<usize> {
        let mut columns = vec![0; self.width()];
        for column in 0..self.columns.len() {
            for range in self.inputs_of(column) {
                columns[range].fill(column);
            }
        }
        columns
    }
}
