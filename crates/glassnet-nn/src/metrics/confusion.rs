//! The confusion table, and what can be read off it for each class.

use serde::{Deserialize, Serialize};

use super::{ClassScores, weight};

/// How often each true class was predicted as each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// `table[true class][predicted class]`: sum of row weights (number of rows without weights).
    pub table: Vec<Vec<f64>>,
}

/// One class's scores; `None` where the share has nothing to be a share of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Of the rows predicted as this class, the share that is; `None` if it was never predicted.
    pub precision: Option<f64>,
    /// Of the rows of this class, the share predicted as it; `None` if there is no such row.
    pub recall: Option<f64>,
    /// 2 TP / (2 TP + FP + FN), the harmonic mean of both; `None` if the class is neither there nor predicted.
    pub f1: Option<f64>,
    /// Weight of the rows of this class.
    pub support: f64,
}

impl Confusion {
    /// Counts the most probable class of each row against its label.
    pub fn new(scores: &ClassScores, labels: &[usize], weights: Option<&[f64]>) -> Self {
        let mut table = vec![vec![0.0; scores.classes()]; scores.classes()];
        for (row, &label) in labels.iter().enumerate() {
            table[label][scores.predicted(row)] += weight(weights, row);
        }
        Confusion { table }
    }

    /// Precision, recall and F1 of each class.
    pub fn per_class(&self) -> Vec<ClassReport> {
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        (0..self.table.len())
            .map(|class| {
                let hit = self.table[class][class];
                let support = self.table[class].iter().fold(0.0, |sum, x| sum + x);
                let predicted = self.table.iter().fold(0.0, |sum, row| sum + row[class]);
                ClassReport {
                    precision: share(hit, predicted),
                    recall: share(hit, support),
                    f1: share(2.0 * hit, support + predicted),
                    support,
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Predicted: 0, 0, 1, 1; class 2 never, class 3 neither there nor predicted.
        let one_hot = [[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]];
        let scores = ClassScores::from_probabilities(&one_hot.concat(), 4);
        let confusion = Confusion::new(&scores, &[0, 1, 1, 2], None);
        assert_eq!(confusion.table[1], [1.0, 1.0, 0.0, 0.0]);
        let report = confusion.per_class();
        assert_eq!((report[0].precision, report[0].recall), (Some(0.5), Some(1.0)));
        assert_eq!(report[0].f1, Some(2.0 / 3.0));
        assert_eq!((report[2].precision, report[2].recall, report[2].f1), (None, Some(0.0), Some(0.0)));
        assert_eq!(report[3], ClassReport { precision: None, recall: None, f1: None, support: 0.0 });
        let weighted = Confusion::new(&scores, &[0, 1, 1, 2], Some(&[3.0, 1.0, 1.0, 1.0])).per_class();
        assert_eq!(weighted[0].precision, Some(0.75));
        assert_eq!(weighted[0].support, 3.0);
    }
}
