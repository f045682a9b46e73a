//! The largest contributions in words.

use serde::Serialize;

use super::Explanation;
use crate::model::Model;

/// Which way a column moves the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Up.
    Raises,
    /// Down.
    Lowers,
}

/// One column that moved a row's output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// Its name.
    pub column: String,
    /// The row's value as it stands in the file; empty where it is missing.
    pub value: String,
    /// Which way.
    pub direction: Direction,
    /// What it adds to the log-odds, or to the value.
    pub contribution: f64,
    /// The same as a share of the score (0.041 is 4.1 percentage points); of a regression as `contribution`.
    pub points: f64,
    /// All of it: `humid = 90 raises the score of late = yes by 4.1 percentage points`.
    pub words: String,
}

/// The `most` columns that moved a row's output most, the largest first. `values` has the row's value for each of
/// [`Model::columns`], as it stands in the file; `None` is a missing one. Columns that moved nothing are no reason.
pub fn reasons(model: &Model, explanation: &Explanation, values: &[Option<String>], most: usize) -> Vec<Reason> {
    let points = explanation.points();
    let names = model.columns();
    let class = explanation.class.and_then(|class| model.classes()?.get(class));
    let what = match class {
        Some(class) if model.calibration().is_some_and(|calibration| calibration.holds()) => {
            format!("the probability of {} = {class}", model.target())
        }
        Some(class) => format!("the score of {} = {class}", model.target()),
        None => model.target().to_owned(),
    };
    let order = explanation.ranked();
    let moved = order.into_iter().filter(|&place| explanation.contributions[place] != 0.0).take(most);
    moved
        .filter_map(|place| {
            let (column, contribution, points) =
                ((*names.get(place)?).to_owned(), explanation.contributions[place], points[place]);
            let direction = if contribution > 0.0 { Direction::Raises } else { Direction::Lowers };
            let value = values.get(place).cloned().flatten();
            let is = value.as_ref().map_or(format!("{column} missing"), |value| format!("{column} = {value}"));
            let verb = match direction {
                Direction::Raises => "raises",
                Direction::Lowers => "lowers",
            };
            let amount = match explanation.class {
                Some(_) => by_points(points.abs()),
                None => glassnet_nn::inspect::number::significant(points.abs(), 4),
            };
            let words = format!("{is} {verb} {what} by {amount}");
            Some(Reason { column, value: value.unwrap_or_default(), direction, contribution, points, words })
        })
        .collect()
}

fn by_points(share: f64) -> String {
    match share * 100.0 {
        points if points < 0.05 => "less than 0.1 percentage points".to_owned(),
        points => format!("{points:.1} percentage points"),
    }
}
