//! Intervals around a predicted number: the prediction plus and minus what the errors of held-out rows allow.
//!
//! Split conformal prediction (Vovk, Gammerman, Shafer 2005; Lei et al. 2018): of n rows that the training did not see, the
//! `ceil((n + 1) level)`-th smallest error is a half width that holds the truth of a new row with at least that chance, whatever the model, as
//! long as new rows come as those did. One width for all rows.

use glassnet_nn::conformal;
use serde::{Deserialize, Serialize};

/// Half widths by level, from the errors of so many rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// Rows whose errors they are from.
    pub rows: usize,
    /// (level, half width in the target's unit), by ascending level.
    pub widths: Vec<(f64, f64)>,
}

impl Intervals {
    /// From the errors of held-out rows, truth minus prediction.
    pub fn of_errors(errors: &[f64]) -> Self {
        let mut widths = Vec::new();
        for percent in (50..=99).map(f64::from).chain([99.5, 99.9]) {
            // A level that so few rows cannot tell has no width.
            if let Ok(half) = conformal::quantile(errors, percent / 100.0) {
                widths.push((percent / 100.0, half));
            }
        }
        Intervals { rows: errors.len(), widths }
    }

    /// The half width of the lowest level that is at least `level`; `None` where so few rows cannot tell.
    pub fn half_width(&self, level: f64) -> Option<f64> {
        self.widths.iter().find(|(known, _)| *known >= level - 1e-9).map(|(_, half)| *half)
    }

    /// The highest level that there is a width for.
    pub fn highest(&self) -> Option<f64> {
        self.widths.last().map(|(level, _)| *level)
    }

    /// Whether a file says what can be.
    ///
    /// # Errors
    /// What cannot be, in words.
    pub fn check(&self) -> Result<(), String> {
        let fine = |&(level, half): &(f64, f64)| level > 0.0 && level < 1.0 && half >= 0.0 && half.is_finite();
        let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        match self.widths.iter().all(fine) && self.widths.windows(2).all(ascends) {
            true => Ok(()),
            false => Err("its intervals have levels or widths that cannot be".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_higher_level_is_taken() {
        let intervals = Intervals { rows: 100, widths: vec![(0.5, 1.0), (0.9, 3.0)] };
        assert_eq!(intervals.half_width(0.5), Some(1.0));
        assert_eq!(intervals.half_width(0.51), Some(3.0));
        assert_eq!(intervals.half_width(0.95), None);
        assert_eq!((intervals.highest(), intervals.check()), (Some(0.9), Ok(())));
        for widths in
            [vec![(0.9, 1.0), (0.5, 2.0)], vec![(0.5, f64::NAN)], vec![(1.0, 1.0)], vec![(0.5, 2.0), (0.6, 1.0)]]
        {
            assert!(Intervals { rows: 1, widths }.check().is_err());
        }
    }
}
