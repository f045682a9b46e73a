//! Intervals with a promise: split conformal prediction (Papadopoulos et al. 2002; Lei et al. 2018).
//!
//! With the absolute errors of n calibration rows in rising order, the interval `prediction +- r_(k)`, `k = ceil((n + 1) level)`, holds the
//! truth of a new row with probability of at least `level`, however good or bad the network is, as long as the new row is drawn as
//! the calibration rows were (and they were not trained on). The `n + 1` counts the new row itself.
//!
//! ```
//! use glassnet_nn::conformal;
//! let errors: Vec<f64> = (1..=9).map(f64::from).collect();
//! assert_eq!(conformal::quantile(&errors, 0.9), Ok(9.0));
//! assert_eq!(conformal::quantile(&errors, 0.5), Ok(5.0));
//! assert!(conformal::quantile(&errors, 0.95).is_err());
//! ```

/// Residuals that give no interval.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConformalError {
    /// A level that is no share.
    #[error("the level must be between 0 and 1, both excluded, but it is {0}")]
    Level(f64),
    /// Too few rows for the level.
    #[error(
        "{rows} rows are too few for intervals that hold {level} of the rows; {needed} are needed\n  hint: set more rows aside, or ask for a lower level"
    )]
    TooFew {
        /// Rows.
        rows: usize,
        /// Level that was asked for.
        level: f64,
        /// The least number of rows.
        needed: usize,
    },
    /// A residual that is NaN or infinite.
    #[error("the error of row {0} is not finite")]
    NotFinite(u64),
}

/// A product such as 20 x 0.95 may come out a rounding error above the whole number that is meant.
const SLACK: f64 = 1e-9;

/// The half width of an interval around a prediction that holds the truth of at least `level` of new rows, from the errors (of either
/// sign) of calibration rows: the `ceil((n + 1) level)`-th smallest magnitude.
///
/// # Errors
/// A level outside of (0, 1), fewer than `level / (1 - level)` rows, an error that is not finite.
pub fn quantile(residuals: &[f64], level: f64) -> Result<f64, ConformalError> {
    if !(level > 0.0 && level < 1.0) {
        return Err(ConformalError::Level(level));
    }
    if let Some(row) = residuals.iter().position(|error| !error.is_finite()) {
        return Err(ConformalError::NotFinite(row as u64 + 1));
    }
    let rows = residuals.len();
    let place = ((rows as f64 + 1.0) * level - SLACK).ceil() as usize;
    if place > rows {
        let needed = (level / (1.0 - level) - SLACK).ceil() as usize;
        return Err(ConformalError::TooFew { rows, level, needed });
    }
    let mut sizes: Vec<f64> = residuals.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    Ok(sizes[place.max(1) - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_counts_the_new_row() {
        let errors: Vec<f64> = (1..=19).map(|i| if i % 2 == 0 { f64::from(i) } else { -f64::from(i) }).collect();
        assert_eq!(quantile(&errors, 0.95), Ok(19.0));
        assert_eq!(quantile(&errors, 0.9), Ok(18.0));
        assert_eq!(quantile(&errors, 0.91), Ok(19.0));
        assert_eq!(quantile(&errors, 0.001), Ok(1.0));
    }

    #[test]
    fn the_number_of_rows_that_is_asked_for_is_enough_and_least() {
        for level in [0.3, 0.5, 0.8, 0.9, 0.95, 0.99] {
            let Err(ConformalError::TooFew { needed, .. }) = quantile(&[], level) else { panic!("{level}") };
            assert!(quantile(&vec![1.0; needed], level).is_ok(), "{level} {needed}");
            assert!(quantile(&vec![1.0; needed - 1], level).is_err(), "{level} {needed}");
        }
        let said = quantile(&[1.0; 18], 0.95).unwrap_err().to_string();
        assert!(
            said.starts_with("18 rows are too few for intervals that hold 0.95 of the rows; 19 are needed"),
            "{said}"
        );
    }

    #[test]
    fn bad_numbers_are_refused() {
        assert_eq!(quantile(&[1.0], 1.0), Err(ConformalError::Level(1.0)));
        assert!(matches!(quantile(&[1.0], f64::NAN), Err(ConformalError::Level(_))));
        assert_eq!(quantile(&[1.0, f64::NAN], 0.5), Err(ConformalError::NotFinite(2)));
    }

    /// Of all ways to take one of 20 numbers as the new row, at least the level's share is covered.
    #[test]
    fn the_promise_holds_over_all_ways_to_leave_one_out() {
        let errors: Vec<f64> = (0..20).map(|i| f64::from(i * 37 % 41)).collect();
        for level in [0.5, 0.8, 0.9, 0.95] {
            let covered = |new: usize| {
                let rest: Vec<f64> = (0..20).filter(|&i| i != new).map(|i| errors[i]).collect();
                errors[new] <= quantile(&rest, level).unwrap()
            };
            let share = (0..20).filter(|&new| covered(new)).count() as f64 / 20.0;
            assert!(share >= level - 1e-12 && share <= level + 1.0 / 20.0 + 1e-12, "{level}: {share}");
        }
    }
}
