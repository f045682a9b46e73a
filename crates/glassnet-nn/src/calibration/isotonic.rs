//! Isotonic calibration of two classes: the rising steps that are nearest to what happened (pool adjacent violators; Ayer et al. 1955,
//! Zadrozny and Elkan 2002).
//!
//! Rows of equal score are one point: their weight, and the share of class 1 among it. Going up the scores, a point that lies below the
//! one before is pooled with it to their weighted mean, until none does. Between the steps the probability is interpolated, beyond
//! the first and the last it stays.
//!
//! A lowest step without any row of class 1 would say 0, and one wrong row later costs an infinite log-loss: it says
//! `1 / (n + 2)` instead, for its n rows, but no more than the step above it; the highest, where it is pure, `1 - 1 / (n + 2)` in
//! the same way (Laplace's rule of succession).

use serde::{Deserialize, Serialize};

use super::{CalibrationError, binary_rows};

/// Rows that a fit needs: fewer make steps of a handful.
const LEAST: usize = 100;

/// Fitted steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    /// Scores, rising strictly: the first and the last of each step.
    pub scores: Vec<f64>,
    /// The probability of class 1 at each, never falling, never 0 or 1; as many as scores.
    pub probabilities: Vec<f64>,
}

/// Points side by side that have one probability.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: f64,
    last: f64,
    positive: f64,
    weight: f64,
    rows: u64,
}

impl Block {
    fn share(&self) -> f64 {
        self.positive / self.weight
    }

    fn join(&mut self, next: Block) {
        self.last = next.last;
        self.positive += next.positive;
        self.weight += next.weight;
        self.rows += next.rows;
    }
}

impl Isotonic {
    /// Fits scores (any number that rises with the chance of class 1) to whether each row is of class 1.
    ///
    /// # Errors
    /// Fewer than 100 rows with a weight, rows of one class only, sizes that do not fit, numbers that are not finite, scores that are
    /// all the same, or that are the lower the likelier the class is.
    pub fn fit(scores: &[f64], positive: &[bool], weights: Option<&[f64]>) -> Result<Self, CalibrationError> {
        let mut rows = binary_rows(scores, positive, weights, LEAST)?;
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        // -0 and 0 are neighbours in that order, and equal here.
        let points: Vec<Block> = rows
            .chunk_by(|a, b| a.0 == b.0)
            .map(|tie| {
                let weight = tie.iter().fold(0.0, |sum, row| sum + row.2);
                let positive = tie.iter().fold(0.0, |sum, row| if row.1 { sum + row.2 } else { sum });
                Block { first: tie[0].0, last: tie[0].0, positive, weight, rows: tie.len() as u64 }
            })
            .collect();
        if points.len() == 1 {
            return Err(CalibrationError::Constant);
        }
        let mut blocks: Vec<Block> = Vec::with_capacity(points.len());
        for point in points {
            let mut block = point;
            while let Some(before) = blocks.pop_if(|before| before.share() >= block.share()) {
                let next = std::mem::replace(&mut block, before);
                block.join(next);
            }
            blocks.push(block);
        }
        if blocks.len() == 1 {
            return Err(CalibrationError::Reversed);
        }
        let mut shares: Vec<f64> = blocks.iter().map(Block::share).collect();
        let last = shares.len() - 1;
        let ends = |rows: u64| 1.0 / (rows as f64 + 2.0);
        if blocks[0].positive == 0.0 {
            shares[0] = ends(blocks[0].rows).min(if shares[1] < 1.0 { shares[1] } else { 0.5 });
        }
        if shares[last] >= 1.0 {
            shares[last] = (1.0 - ends(blocks[last].rows)).max(shares[last - 1]);
        }
        let mut out = Isotonic { scores: Vec::new(), probabilities: Vec::new() };
        for (block, share) in blocks.iter().zip(shares) {
            out.scores.push(block.first);
            out.probabilities.push(share);
            if block.last > block.first {
                out.scores.push(block.last);
                out.probabilities.push(share);
            }
        }
        Ok(out)
    }

    /// The probability of class 1 of a row with that score: inside (0, 1) and never falling. NaN stays NaN.
    pub fn probability(&self, score: f64) -> f64 {
        if score.is_nan() {
            return f64::NAN;
        }
        let above = self.scores.partition_point(|&x| x <= score);
        let at = |place: usize| Some((*self.scores.get(place)?, *self.probabilities.get(place)?));
        match (above.checked_sub(1).and_then(at), at(above)) {
            (Some((x0, p0)), Some((x1, p1))) => (p0 + (p1 - p0) * ((score - x0) / (x1 - x0))).clamp(p0, p1),
            (Some((_, p)), None) | (None, Some((_, p))) => p,
            (None, None) => f64::NAN,
        }
    }

    /// Whether it can be what [`Isotonic::fit`] gave: for whoever reads it from a file.
    pub fn is_sound(&self) -> bool {
        let rising = self.scores.windows(2).all(|pair| pair[0] < pair[1]);
        let never_falling = self.probabilities.windows(2).all(|pair| pair[0] <= pair[1]);
        let inside = self.probabilities.iter().all(|&p| p > 0.0 && p < 1.0);
        let finite = self.scores.iter().all(|x| x.is_finite());
        !self.scores.is_empty()
            && self.scores.len() == self.probabilities.len()
            && rising
            && never_falling
            && inside
            && finite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows at whole scores: of each score its number of rows of class 0 and of class 1.
    fn fit(counts: &[(usize, usize)]) -> Isotonic {
        let (mut scores, mut positive) = (Vec::new(), Vec::new());
        for (score, &(zeros, ones)) in counts.iter().enumerate() {
            for row in 0..zeros + ones {
                scores.push(score as f64);
                positive.push(row >= zeros);
            }
        }
        Isotonic::fit(&scores, &positive, None).unwrap()
    }

    #[test]
    fn violators_are_pooled() {
        // 10 %, then 50 % and 30 % pooled to 40 %, then 90 %.
        let fitted = fit(&[(36, 4), (20, 20), (28, 12), (4, 36)]);
        assert_eq!(fitted.scores, [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(fitted.probabilities, [0.1, 0.4, 0.4, 0.9]);
        let p = [-1.0, 0.0, 0.5, 1.0, 1.7, 2.5, 3.0, 9.0].map(|score| fitted.probability(score));
        let wanted = [0.1, 0.1, 0.25, 0.4, 0.4, 0.65, 0.9, 0.9];
        assert!(p.iter().zip(wanted).all(|(p, wanted)| (p - wanted).abs() < 1e-15), "{p:?}");
        assert!(fitted.probability(f64::NAN).is_nan() && fitted.is_sound());
    }

    #[test]
    fn pure_ends_are_not_certain() {
        let fitted = fit(&[(48, 0), (30, 30), (0, 38)]);
        assert_eq!(fitted.probabilities, [1.0 / 50.0, 0.5, 1.0 - 1.0 / 40.0]);
        // Parted perfectly.
        assert_eq!(fit(&[(60, 0), (0, 40)]).probabilities, [1.0 / 62.0, 1.0 - 1.0 / 42.0]);
        // Two rows without say no more than the hundred above them, of which one is of class 1.
        assert_eq!(fit(&[(2, 0), (99, 1), (5, 50)]).probabilities[..2], [0.01, 0.01]);
        assert_eq!(fit(&[(50, 5), (1, 99), (0, 2)]).probabilities[1..], [0.99, 0.99]);
    }

    #[test]
    fn weights_count_as_rows() {
        let scores: Vec<f64> = (0..240).map(|i| f64::from(i * 7 % 24)).collect();
        let positive: Vec<bool> = (0..240).map(|i| i * 7 % 24 + i * 5 % 13 * 2 > 23).collect();
        // The lowest and the highest step hold rows of either class.
        let weights: Vec<f64> = (0..240).map(|i| f64::from((i + 1) % 5)).collect();
        let rows: Vec<usize> = (0..240).flat_map(|row| std::iter::repeat_n(row, (row + 1) % 5)).collect();
        let (many, labels): (Vec<f64>, Vec<bool>) = rows.iter().map(|&row| (scores[row], positive[row])).unzip();
        let (a, b) = (Isotonic::fit(&scores, &positive, Some(&weights)), Isotonic::fit(&many, &labels, None));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.scores, b.scores);
        assert!(a.probabilities.iter().zip(&b.probabilities).all(|(a, b)| (a - b).abs() < 1e-14));
        assert!(a.is_sound() && a.scores.len() > 4);
    }

    #[test]
    fn scores_that_say_nothing_or_the_opposite_are_refused() {
        let scores: Vec<f64> = (0..100).map(f64::from).collect();
        let positive: Vec<bool> = (0..100).map(|i| i < 50).collect();
        assert_eq!(Isotonic::fit(&scores, &positive, None), Err(CalibrationError::Reversed));
        assert_eq!(Isotonic::fit(&[1.0; 100], &positive, None), Err(CalibrationError::Constant));
        let few = Isotonic::fit(&scores[..99], &positive[..99], None);
        assert_eq!(few, Err(CalibrationError::TooFew { rows: 99, needed: 100 }));
        assert!(!Isotonic { scores: vec![1.0, 0.0], probabilities: vec![0.1, 0.2] }.is_sound());
    }
}
