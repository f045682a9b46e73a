//! A number by its place among the training rows: the share p of them that is below it, and of that the normal quantile.
//!
//! Whatever a column's distribution is, its inputs have nearly the standard normal one; no number is further than 5.2 from 0.
//!
//! - Kept are m = max(min(n / 30, 1000), 10) quantiles of the n training rows that have a number (n of them, where there are fewer),
//!   the i-th from 0 the i / (m - 1)-quantile by linear interpolation. A table of more than 400 columns keeps 400,000 of them in all, so that
//!   its model file stays small.
//! - p of a number that is one of these quantiles: the middle of the places that it has among them; between two of them by linear interpolation;
//!   0 below all, 1 above all.
//! - z = normal quantile of p ([`crate::normal`]), at most 5.1993 in size: that of p = 1e-7.
//!
//! This is scikit-learn's `QuantileTransformer(output_distribution="normal")` as TabM's authors use it (Gorishniy et al. 2024, arXiv 2410.24210;
//! the rule for m is theirs), but for two things. They add noise (of a deviation of 0.001 / max(the column's, 0.001)) before the quantiles are taken, so that a value that
//! many rows share is not a single step at the end of the range: of a column that is 0 in nine of ten rows and never less, scikit-learn
//! alone makes -5.2 of 0. Here the middle of a value's places is taken at the ends too, without noise: 0 becomes the
//! normal quantile of 0.45, as it does on average with the noise, and the same rows give the same model. And scikit-learn takes all that is within 1e-7
//! of the least or the greatest value for it, whatever the column's unit; here a column in another unit has the same inputs.

use crate::normal;
use crate::value::Fault;
use glassnet_core::Real;
use serde::{Deserialize, Serialize};

/// Most quantiles that are kept of a column.
pub const MOST: usize = 1_000;

/// Most quantiles of all columns together, where each has more than [`FEWEST`].
pub const TOGETHER: usize = 400_000;

/// Fewest quantiles of a column, where there are as many rows.
pub const FEWEST: usize = 10;

/// The largest input: the normal quantile of 1 - 1e-7, where scikit-learn clips.
pub const FARTHEST: f64 = 5.199_337_582_605_575;

/// How a number becomes its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranks {
    /// Quantiles of the training rows in equal steps of the share, from the least value to the greatest.
    pub quantiles: Vec<f64>,
    /// What a missing value counts as: the mean of the training rows.
    pub fill: f64,
}

impl Ranks {
    /// Whether it can be used: from 2 to [`MOST`] finite quantiles, ascending, not all the same.
    pub(crate) fn is_sound(&self) -> bool {
        let finite = self.fill.is_finite() && self.quantiles.iter().all(|quantile| quantile.is_finite());
        let spread = self.quantiles.first().zip(self.quantiles.last()).is_some_and(|(first, last)| first < last);
        finite && spread && self.quantiles.len() <= MOST && self.quantiles.is_sorted()
    }

    /// The share of the training rows that counts as below `x`, from 0 to 1.
    pub fn share(&self, x: f64) -> f64 {
        let last = self.quantiles.len().saturating_sub(1).max(1) as f64;
        let (least, next) = (
            self.quantiles.partition_point(|&quantile| quantile < x),
            self.quantiles.partition_point(|&quantile| quantile <= x),
        );
        if least < next {
            return (least + (next - 1)) as f64 / (2.0 * last);
        }
        let before = least.checked_sub(1).and_then(|place| self.quantiles.get(place));
        match (before, self.quantiles.get(least)) {
            (None, _) => 0.0,
            (_, None) => 1.0,
            (Some(&before), Some(&after)) => {
                let width = after - before;
                // Halves of numbers so far apart that their difference is beyond f64.
                let part = match width < f64::INFINITY {
                    true => (x - before) / width,
                    false => (x / 2.0 - before / 2.0) / (after / 2.0 - before / 2.0),
                };
                ((least - 1) as f64 + part) / last
            }
        }
    }

    /// The input of a number, worked in f64 and rounded once to `T`.
    ///
    /// # Errors
    /// [`Fault::NotFinite`] for an infinite number or NaN.
    #[inline]
    pub fn apply<T: Real>(&self, x: f64) -> Result<T, Fault> {
        if !x.is_finite() {
            return Err(Fault::NotFinite);
        }
        Ok(T::from_f64(normal::quantile(self.share(x)).clamp(-FARTHEST, FARTHEST)))
    }
}

#[cfg(feature = "fit")]
mod fitted {
    use super::{FEWEST, MOST, Ranks, TOGETHER};
    use crate::rescale::{mean_within, quantile};

    /// Rows for each quantile.
    const ROWS: usize = 30;

    impl Ranks {
        /// The quantiles of a column's numbers (finite), of a table of so many columns; `None` where there are none or all are the same.
        /// Sorts them.
        pub fn of(numbers: &mut [f64], columns: usize) -> Option<Ranks> {
            numbers.sort_unstable_by(f64::total_cmp);
            let (first, last) = (*numbers.first()?, *numbers.last()?);
            if first == last {
                return None;
            }
            let n = numbers.len();
            let most = (TOGETHER / columns.max(1)).clamp(FEWEST, MOST);
            let count = (n / ROWS).clamp(FEWEST, most).min(n);
            let mut least = first;
            let one = |i: usize| {
                // Rounding must not make one less than the one before it.
                least = quantile(n, |i| numbers[i], i as f64 / (count - 1) as f64).max(least).min(last);
                least
            };
            let quantiles = (0..count).map(one).collect();
            Some(Ranks { quantiles, fill: mean_within(numbers, first, last) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        let ranks = Ranks { quantiles: vec![1.0, 2.0, 2.0, 2.0, 6.0], fill: 2.0 };
        let shares = [(0.9, 0.0), (1.0, 0.0), (1.5, 0.125), (2.0, 0.5), (3.0, 0.8125), (6.0, 1.0), (7.0, 1.0)];
        for (x, wanted) in shares {
            assert_eq!(ranks.share(x), wanted, "{x}");
        }
        // A value that ends the range and has several places: their middle.
        let ranks = Ranks { quantiles: vec![0.0, 0.0, 0.0, 4.0, 4.0], fill: 0.0 };
        let shares = [(-1e-9, 0.0), (0.0, 0.25), (2.0, 0.625), (4.0, 0.875), (4.1, 1.0)];
        for (x, wanted) in shares {
            assert_eq!(ranks.share(x), wanted, "{x}");
        }
        assert_eq!(ranks.apply::<f64>(-1.0), Ok(-FARTHEST));
        assert_eq!(ranks.apply::<f64>(5.0), Ok(FARTHEST));
        assert_eq!(ranks.apply::<f32>(f64::NEG_INFINITY), Err(Fault::NotFinite));
    }

    #[test]
    fn no_finite_number_is_nan() {
        for quantiles in
            [vec![-1.7e308, 1.7e308], vec![0.0, 5e-324], vec![-1e308, 0.0, 0.0, 1e308], vec![1.0, 1.0 + f64::EPSILON]]
        {
            let ranks = Ranks { quantiles, fill: 0.0 };
            assert!(ranks.is_sound());
            for x in [0.0, -0.0, 1e308, -1e308, 1.7e308, 5e-324, 1.0, f64::MAX, f64::MIN] {
                let z = ranks.apply::<f32>(x).unwrap();
                assert!(z.abs() <= 5.2, "{x}: {z}");
            }
        }
    }

    #[test]
    fn what_a_file_may_say() {
        let sound = |quantiles: &[f64]| Ranks { quantiles: quantiles.to_vec(), fill: 0.0 }.is_sound();
        assert!(sound(&[1.0, 2.0]) && sound(&[1.0, 1.0, 2.0]));
        assert!(
            !sound(&[]) && !sound(&[1.0]) && !sound(&[1.0, 1.0]) && !sound(&[2.0, 1.0]) && !sound(&[1.0, 3.0, 2.0])
        );
        assert!(!sound(&[f64::NAN, 1.0]) && !sound(&[0.0, f64::INFINITY]));
        let many: Vec<f64> = (0..=MOST).map(|i| i as f64).collect();
        assert!(!sound(&many) && sound(&many[1..]));
        assert!(!Ranks { quantiles: vec![0.0, 1.0], fill: f64::INFINITY }.is_sound());
        // Even of one that is none no panic comes.
        let _ = Ranks { quantiles: Vec::new(), fill: 0.0 }.share(0.0);
    }

    #[cfg(feature = "fit")]
    #[test]
    fn how_many_quantiles() {
        for (rows, wanted) in
            [(2, 2), (9, 9), (10, 10), (300, 10), (360, 12), (29_999, 999), (30_000, 1_000), (60_000, 1_000)]
        {
            let mut numbers: Vec<f64> = (0..rows).rev().map(f64::from).collect();
            let ranks = Ranks::of(&mut numbers, 400).unwrap();
            assert_eq!(ranks.quantiles.len(), wanted, "{rows}");
            assert!(ranks.is_sound());
            assert_eq!([ranks.quantiles[0], ranks.quantiles[wanted - 1]], [0.0, f64::from(rows - 1)]);
        }
        let mut numbers: Vec<f64> = (0..60_000).map(f64::from).collect();
        for (columns, wanted) in [(0, 1_000), (401, 997), (2_000, 200), (39_000, 10), (1_000_000, 10)] {
            assert_eq!(Ranks::of(&mut numbers, columns).unwrap().quantiles.len(), wanted, "{columns}");
        }
        assert_eq!(Ranks::of(&mut [3.0; 50], 1), None);
        assert_eq!(Ranks::of(&mut [], 1), None);
        assert!(Ranks::of(&mut [1.7e308, -1.7e308, 1e308, 1.0], 1).unwrap().is_sound());
    }
}
