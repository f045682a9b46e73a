//! Input columns that were not scaled.
//!
//! Only columns that take many values count: one with two values (a flag, a one-hot column) or one that is mostly a
//! single value (an ink pixel at the edge, a count that is nearly always 0) has a small deviation by nature, and nothing
//! is to be done about it.

use glassnet_core::Real;

use super::finding::{Finding, Severity, count, short};
use super::gather::Look;
use crate::train::Rows;

/// Largest over smallest deviation. Gradients of the weights go with their columns, so a step that is right for one
/// is 100 times wrong for the other; standardised columns have 1.
pub const SCALE_RATIO: f64 = 100.0;

/// |mean| over deviation: years (2000 +- 10), prices without spread. Such a column acts as a second bias, and what it
/// tells is in its last digits. Pixels of [0, 255] stay below 3.
pub const FAR_MEAN: f64 = 20.0;

/// Deviation of a column above which the first layer's values start far from 1, alone or not.
pub const LARGE_COLUMN: f64 = 100.0;

/// Rows that are looked at: a deviation from 256 rows is within 10 %.
const ROWS: usize = 256;

struct Column {
    number: usize,
    mean: f64,
    deviation: f64,
}

pub(super) fn look<T: Real>(train: Rows<'_, T>, sample: &[u32], names: &[String], out: &mut Look) {
    let width = train.source.width();
    let rows: Vec<u32> = sample.iter().copied().step_by(sample.len().div_ceil(ROWS).max(1)).collect();
    let mut x = vec![T::ZERO; rows.len() * width];
    train.source.features(&rows, &mut x);
    let columns: Vec<Column> = (0..width).filter_map(|number| column(&x, width, number)).collect();
    let largest = columns.iter().max_by(|a, b| a.deviation.total_cmp(&b.deviation));
    let smallest = columns.iter().min_by(|a, b| a.deviation.total_cmp(&b.deviation));
    let (Some(large), Some(small)) = (largest, smallest) else { return };
    let far = columns.iter().max_by(|a, b| (a.mean / a.deviation).abs().total_cmp(&(b.mean / b.deviation).abs()));
    let name = |column: &Column| match names.get(column.number) {
        Some(name) => format!("\"{name}\""),
        None => count(column.number + 1),
    };
    let evidence = if large.deviation > SCALE_RATIO * small.deviation {
        format!(
            "input column {} has deviation {}, column {} only {}: {} times less",
            name(large),
            short(large.deviation),
            name(small),
            short(small.deviation),
            short(large.deviation / small.deviation)
        )
    } else if large.deviation > LARGE_COLUMN {
        format!("input column {} has deviation {}, where 1 is expected", name(large), short(large.deviation))
    } else if let Some(far) = far.filter(|far| far.mean.abs() > FAR_MEAN * far.deviation) {
        format!(
            "input column {} has mean {} but deviation {}: what it tells is in its last digits",
            name(far),
            short(far.mean),
            short(far.deviation)
        )
    } else {
        return;
    };
    let advice = "standardised inputs (leave out --raw): each column's mean subtracted, divided by its deviation";
    out.push(Finding::new("columns-scale", Severity::Warning, evidence, advice));
}

/// A column that takes many values; `None` for the others and for one with a value that is not finite.
fn column<T: Real>(x: &[T], width: usize, number: usize) -> Option<Column> {
    let mut values: Vec<f64> = x.iter().skip(number).step_by(width.max(1)).map(|value| value.to_f64()).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (mut distinct, mut most) = (0, 0);
    for run in values.chunk_by(|a, b| a == b) {
        distinct += 1;
        most = most.max(run.len());
    }
    if distinct < 3 || 2 * most > values.len() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
    (deviation > 0.0).then_some(Column { number, mean, deviation })
}
