//! Histograms, quantiles, and predicted against observed in bins.

use crate::plot::reliability::Bin;
use crate::plot::ticks::span;

/// Ends of `bins` bins of equal width over all values that are finite.
pub fn edges(values: &[f64], bins: usize) -> Vec<f64> {
    let (low, high) = span(values.iter().copied());
    let bins = bins.max(1);
    (0..=bins).map(|edge| low + (high - low) * (edge as f64 / bins as f64)).collect()
}

/// Rows in each bin, or the sum of their weights. A bin holds its lower end; the last one both. What is outside of all bins
/// is not counted.
///
/// ```
/// use glassnet_report::measure::histogram;
/// assert_eq!(histogram(&[0.0, 0.5, 1.0, 7.0, f64::NAN], &[0.0, 0.5, 1.0], None), [1.0, 2.0]);
/// ```
pub fn histogram(values: &[f64], edges: &[f64], weights: Option<&[f64]>) -> Vec<f64> {
    let bins = edges.len().saturating_sub(1);
    let mut counts = vec![0.0; bins];
    for (row, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
        let after = edges.partition_point(|edge| edge <= value);
        let last = edges.last() == Some(value);
        let bin = if last { bins.checked_sub(1) } else { after.checked_sub(1) };
        if let Some(count) = bin.and_then(|bin| counts.get_mut(bin)) {
            *count += weight(weights, row);
        }
    }
    counts
}

/// The quantile of sorted values by linear interpolation between the two next to it (NumPy's default); NaN without values.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    match (sorted.get(below), sorted.get(above)) {
        (Some(&low), Some(&high)) => low + (high - low) * (place - below as f64),
        _ => f64::NAN,
    }
}

/// Predicted probabilities in `bins` bins of equal width in [0, 1], with the share that came true in each.
pub fn reliability(predicted: &[f64], came_true: &[bool], weights: Option<&[f64]>, bins: usize) -> Vec<Bin> {
    let bins = bins.max(1);
    let mut sums = vec![[0.0_f64; 3]; bins];
    for (row, (&p, &truth)) in predicted.iter().zip(came_true).enumerate() {
        if !p.is_finite() {
            continue;
        }
        let bin = ((p.clamp(0.0, 1.0) * bins as f64) as usize).min(bins - 1);
        let w = weight(weights, row);
        if let Some(sum) = sums.get_mut(bin) {
            sum[0] += w;
            sum[1] += w * p;
            sum[2] += if truth { w } else { 0.0 };
        }
    }
    let bin = |(place, [rows, predicted, observed]): (usize, [f64; 3])| {
        let mean = |sum: f64| if rows > 0.0 { sum / rows } else { 0.0 };
        let (low, high) = (place as f64 / bins as f64, (place + 1) as f64 / bins as f64);
        Bin { low, high, rows, predicted: mean(predicted), observed: mean(observed) }
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error: mean over the rows of |predicted - observed| of their bin. None without rows.
pub fn ece(bins: &[Bin]) -> Option<f64> {
    let all: f64 = bins.iter().map(|bin| bin.rows).sum();
    let sum: f64 = bins.iter().map(|bin| bin.rows * (bin.predicted - bin.observed).abs()).sum();
    (all > 0.0).then(|| sum / all)
}

/// The weight of a row.
pub(super) fn weight(weights: Option<&[f64]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights.get(row).copied().unwrap_or(0.0))
}
