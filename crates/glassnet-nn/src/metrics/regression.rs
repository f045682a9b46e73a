//! Errors of predicted numbers. Slices are [rows, outputs], row-major, in the target's own unit.

use super::{weight, weighted_mean};

/// Mean over the outputs of a row of `f(predicted - target)`.
fn row_mean(predicted: &[f64], target: &[f64], outputs: usize, row: usize, f: impl Fn(f64) -> f64) -> f64 {
    let range = row * outputs..(row + 1) * outputs;
    let sum = predicted[range.clone()].iter().zip(&target[range]).fold(0.0, |sum, (p, t)| sum + f(p - t));
    sum / outputs as f64
}

fn square(x: f64) -> f64 {
    x * x
}

fn rows(target: &[f64], outputs: usize) -> usize {
    target.len() / outputs.max(1)
}

/// Root mean squared error: sqrt(sum w (p - t)^2 / sum w), all outputs together.
pub fn rmse(predicted: &[f64], target: &[f64], outputs: usize, weights: Option<&[f64]>) -> Option<f64> {
    let mean_square = |row| row_mean(predicted, target, outputs, row, square);
    weighted_mean(rows(target, outputs), weights, mean_square).map(f64::sqrt)
}

/// Mean absolute error: sum w |p - t| / sum w, all outputs together.
pub fn mae(predicted: &[f64], target: &[f64], outputs: usize, weights: Option<&[f64]>) -> Option<f64> {
    weighted_mean(rows(target, outputs), weights, |row| row_mean(predicted, target, outputs, row, f64::abs))
}

/// R2 = 1 - sum w (p - t)^2 / sum w (t - mean t)^2: 1 is perfect, 0 no better than the mean. With several outputs the mean
/// of theirs. `None` where a target is constant (nothing to explain) or there is no row.
pub fn r2(predicted: &[f64], target: &[f64], outputs: usize, weights: Option<&[f64]>) -> Option<f64> {
    let rows = rows(target, outputs);
    let mut sum = 0.0;
    for output in 0..outputs {
        let at = |row: usize| row * outputs + output;
        let mut present = (0..rows).filter(|&row| weight(weights, row) > 0.0).map(|row| target[at(row)]);
        let first = present.next()?;
        // Compared value by value: the rounded mean of equal numbers may differ from them.
        if present.all(|t| t == first) {
            return None;
        }
        let mean = weighted_mean(rows, weights, |row| target[at(row)])?;
        let residual = weighted_mean(rows, weights, |row| square(predicted[at(row)] - target[at(row)]))?;
        let spread = weighted_mean(rows, weights, |row| square(target[at(row)] - mean))?;
        sum += 1.0 - residual / spread;
    }
    (outputs > 0).then(|| sum / outputs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-12)
    }

    /// scikit-learn's own example for r2_score: 0.948...
    #[test]
    fn by_hand() {
        let (t, p) = ([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]);
        assert!(close(rmse(&p, &t, 1, None), 0.375_f64.sqrt()));
        assert!(close(mae(&p, &t, 1, None), 0.5));
        assert!(close(r2(&p, &t, 1, None), 1.0 - 1.5 / 29.1875));
    }

    #[test]
    fn the_mean_scores_zero_and_a_constant_target_nothing() {
        let t = [1.0, 2.0, 3.0];
        assert!(close(r2(&[2.0; 3], &t, 1, None), 0.0));
        assert_eq!(r2(&t, &[0.1; 3], 1, None), None);
        assert_eq!(r2(&t, &t, 1, Some(&[0.0, 1.0, 0.0])), None);
        assert_eq!(r2(&[], &[], 1, None), None);
        assert_eq!(rmse(&[], &[], 1, None), None);
    }

    #[test]
    fn a_weight_of_two_is_a_row_written_twice() {
        let (t, p, w) = ([3.0, -0.5, 2.0], [2.5, 0.0, 1.0], [2.0, 1.0, 1.0]);
        let (tt, pp) = ([3.0, 3.0, -0.5, 2.0], [2.5, 2.5, 0.0, 1.0]);
        for metric in [rmse, mae, r2] {
            assert!(close(metric(&p, &t, 1, Some(&w)), metric(&pp, &tt, 1, None).unwrap()));
        }
    }

    #[test]
    fn several_outputs() {
        let (t, p) = ([0.0, 1.0, 2.0, 5.0], [1.0, 1.0, 2.0, 3.0]);
        assert!(close(mae(&p, &t, 2, None), 0.75));
        assert!(close(rmse(&p, &t, 2, None), 1.25_f64.sqrt()));
        assert!(close(r2(&p, &t, 2, None), ((1.0 - 1.0 / 2.0) + (1.0 - 4.0 / 8.0)) / 2.0));
    }
}
