//! How good predicted quantiles and intervals are. Slices have one number a row.

use super::weighted_mean;

/// Pinball loss of a predicted quantile: mean of `level (t - p)` where the target is above and `(1 - level) (p - t)` where it is below
/// (Koenker and Bassett 1978). Least for the true quantile; at level 1/2 half the mean absolute error.
pub fn pinball(predicted: &[f64], target: &[f64], level: f64, weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(target.len(), weights, |row| {
        let error = target[row] - predicted[row];
        if error >= 0.0 { level * error } else { (level - 1.0) * error }
    })
}

/// Share of the rows whose target lies in its interval, ends included.
pub fn coverage(low: &[f64], high: &[f64], target: &[f64], weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(target.len(), weights, |row| f64::from(u8::from(low[row] <= target[row] && target[row] <= high[row])))
}

/// Mean width of the intervals: of two that cover alike the narrower says more.
pub fn interval_width(low: &[f64], high: &[f64], weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(low.len(), weights, |row| high[row] - low[row])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let (p, t) = ([1.0, 2.0, 3.0], [2.0, 2.0, 1.0]);
        assert_eq!(pinball(&p, &t, 0.5, None), Some(0.5));
        assert!((pinball(&p, &t, 0.9, None).unwrap() - (0.9 + 0.0 + 0.2) / 3.0).abs() < 1e-12);
        assert!((pinball(&p, &t, 0.9, Some(&[1.0, 0.0, 1.0])).unwrap() - 0.55).abs() < 1e-12);
        let (low, high) = ([0.0, 2.0, 2.0], [1.5, 4.0, 4.0]);
        assert_eq!(coverage(&low, &high, &t, None), Some(1.0 / 3.0));
        assert_eq!(coverage(&low, &high, &t, Some(&[0.0, 1.0, 0.0])), Some(1.0));
        assert_eq!(interval_width(&low, &high, None), Some(5.5 / 3.0));
        assert_eq!(coverage(&[], &[], &[], None), None);
    }
}
