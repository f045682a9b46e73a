//! From log-odds to percentage points, so that they still add up.

use glassnet_core::Real;

/// `1 / (1 + e^-z)`.
pub fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + Real::exp(-z))
    } else {
        let e = Real::exp(z);
        e / (1.0 + e)
    }
}

/// Contributions to log-odds as parts of the score's change from `p(base)` to `p(output)`: each is multiplied by the same
/// number, the mean slope of the sigmoid `p` on the way,
///
/// ```text
/// points_j = phi_j (p(output) - p(base)) / (output - base)
/// ```
///
/// so that signs and proportions stay and the parts add up to the change of the score. It is a convention: a probability is no
/// sum, and the same column weighs less in points where the others have already decided. As shares of 1: 0.041 is 4.1 points.
pub fn points(base: f64, output: f64, contributions: &[f64]) -> Vec<f64> {
    let way = output - base;
    // Where both are nearly one number, the slope between them: the error of the middle is of the order of way^2 / 24.
    let slope = if way.abs() < 1e-5 {
        let p = sigmoid(0.5 * (base + output));
        p * (1.0 - p)
    } else {
        (sigmoid(output) - sigmoid(base)) / way
    };
    contributions.iter().map(|contribution| contribution * slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_add_up_to_the_change_of_the_score() {
        for (base, contributions) in [
            (-1.0, vec![2.0, -0.5, 0.0]),
            (0.3, vec![4.0, -4.0 + 1e-7, 0.0]),
            (2.0, vec![1.0, -1.0, 0.0]),
            (-30.0, vec![60.0, 0.0, -2.0]),
        ] {
            let output = base + contributions.iter().sum::<f64>();
            let points = points(base, output, &contributions);
            let sum: f64 = points.iter().sum();
            assert!((sum - (sigmoid(output) - sigmoid(base))).abs() < 1e-12, "{sum}");
            assert!(points.iter().zip(&contributions).all(|(point, log_odds)| point * log_odds >= 0.0));
            assert!(points.iter().zip(&contributions).all(|(point, log_odds)| point.abs() <= 0.25 * log_odds.abs()));
        }
    }

    #[test]
    fn the_sigmoid_keeps_its_digits_on_both_sides() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert!((sigmoid(-40.0) / 4.248_354_255_291_589e-18 - 1.0).abs() < 1e-14);
        assert_eq!((sigmoid(800.0), sigmoid(-800.0)), (1.0, 0.0));
    }
}
