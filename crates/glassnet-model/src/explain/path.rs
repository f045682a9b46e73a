//! Integrated gradients: the slope of `f` along the straight line from a reference row to the row.
//!
//! ```text
//! phi_j = sum over the inputs i of column j of  (x_i - r_i)  integral over a from 0 to 1 of  df/dx_i (r + a (x - r))
//! ```
//!
//! (Sundararajan, Taly, Yan 2017, eq. 1), the integral by Gauss-Legendre quadrature, piece by piece between the edges of bins that the line
//! meets (`corners.rs`). The reference row `r` has the mean of each
//! number and the most frequent value of each category. A category has no values between two of its own, be it one-hot or
//! embedded, so no line leads from one to the other: categories change first, at the reference's numbers, one after the other
//! in the order of the columns and then in the opposite order, and each gets the mean of the two steps that it made. The line
//! for the numbers starts from there. What is missing to `f(x)` in the end is the quadrature's error, and is told.

use super::columns::Columns;
use super::corners::Corners;
use super::margins::Margins;
use super::slopes::Slopes;

/// From where to where.
pub(super) struct Path<'a> {
    pub columns: &'a Columns,
    /// Where the line has corners.
    pub corners: &'a Corners,
    /// The reference row, encoded.
    pub reference: &'a [f32],
    /// The row, encoded.
    pub x: &'a [f32],
}

impl Path<'_> {
    /// `f` of the reference row, and the contribution of each column; `output` is `f` of the row.
    pub fn contributions(
        &self,
        margins: &mut Margins<'_>,
        slopes: &mut Slopes<'_>,
        nodes: usize,
        class: Option<usize>,
        output: f64,
    ) -> (f64, Vec<f64>) {
        let Path { columns, corners, reference, x } = *self;
        let differ = (0..columns.len()).filter(|&column| !columns.same(column, reference, x));
        let (categories, numbers): (Vec<usize>, Vec<usize>) = differ.partition(|&column| columns.is_category(column));
        let mut contributions = vec![0.0; columns.len()];
        // The reference, then the categories one by one, forwards and backwards; both walks end at the same row.
        let mut rows = reference.to_vec();
        let mut at = reference.to_vec();
        for &column in &categories {
            columns.replace(column, x, &mut at);
            rows.extend_from_slice(&at);
        }
        let start = at;
        let mut back = reference.to_vec();
        for &column in categories.iter().rev().take(categories.len().saturating_sub(1)) {
            columns.replace(column, x, &mut back);
            rows.extend_from_slice(&back);
        }
        let mut values = Vec::new();
        margins.margins(&rows, class, &mut values);
        let base = values.first().copied().unwrap_or(f64::NAN);
        if numbers.is_empty() {
            // The last step ends at the row itself: no other rounding of it.
            if let Some(end) = values.get_mut(categories.len()) {
                *end = output;
            }
        }
        let end = values.get(categories.len()).copied().unwrap_or(base);
        for (place, &column) in categories.iter().enumerate() {
            contributions[column] += 0.5 * (values[place + 1] - values[place]);
        }
        let mut before = base;
        for (place, &column) in categories.iter().rev().enumerate() {
            let last = place + 1 == categories.len();
            let after = if last { end } else { values[categories.len() + 1 + place] };
            contributions[column] += 0.5 * (after - before);
            before = after;
        }
        if numbers.is_empty() {
            return (base, contributions);
        }
        let rule = corners.rule(&start, x, nodes);
        let mut points = Vec::with_capacity(rule.len() * columns.width);
        for &(share, _) in &rule {
            let first = points.len();
            points.extend_from_slice(&start);
            for input in numbers.iter().flat_map(|&column| columns.runs(column).iter().cloned().flatten()) {
                let (from, to) = (f64::from(start[input]), f64::from(x[input]));
                points[first + input] = (from + share * (to - from)) as f32;
            }
        }
        let some = (nodes * columns.width).max(1);
        let slopes: Vec<f64> = points.chunks(some).flat_map(|points| slopes.at(points, class)).collect();
        for (&(_, weight), slopes) in rule.iter().zip(slopes.chunks_exact(columns.width.max(1))) {
            for &column in &numbers {
                let inputs = columns.runs(column).iter().cloned().flatten();
                let rise = inputs.map(|i| (f64::from(x[i]) - f64::from(start[i])) * slopes[i]).sum::<f64>();
                contributions[column] += weight * rise;
            }
        }
        (base, contributions)
    }
}
