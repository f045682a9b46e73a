//! How well one column orders the rows by their target.

use crate::target::{BLANK, Labels, Targets};

/// Bins of numbers, for the means.
const BINS: usize = 50;

/// Classes that are told from the rest, the most frequent ones.
const MOST_CLASSES: usize = 10;

/// Rows that the mean of all counts as, beside a level's own.
const PRIOR_ROWS: f64 = 5.0;

/// The targets of some rows.
pub(super) struct Judge {
    /// For classes 1 and 0 by class, with the class's share; for a number its ranks, once.
    wanted: Vec<(Vec<f64>, f64)>,
    of_classes: bool,
    rows: usize,
}

impl Judge {
    /// `None` where the targets do not differ.
    pub(super) fn new(targets: &Targets, rows: &[usize]) -> Option<Judge> {
        let n = rows.len();
        let wanted = match &targets.labels {
            Labels::Classes(classes) => {
                let labels: Vec<u32> = rows.iter().map(|&row| classes.get(row).copied().unwrap_or(BLANK)).collect();
                let count = labels.iter().filter(|&&label| label != BLANK).max().map_or(0, |&most| most as usize + 1);
                let mut counts: Vec<(u32, usize)> = (0..count as u32).map(|class| (class, 0)).collect();
                labels.iter().for_each(|&label| {
                    if let Some((_, count)) = counts.get_mut(label as usize) {
                        *count += 1;
                    }
                });
                counts.retain(|&(_, count)| count > 0 && count < n);
                counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
                // Of two classes one says it all.
                counts.truncate(if counts.len() == 2 { 1 } else { MOST_CLASSES });
                let total: usize = counts.iter().map(|&(_, count)| count).sum();
                let one = |&(class, count): &(u32, usize)| {
                    let is = labels.iter().map(|&label| f64::from(u8::from(label == class))).collect();
                    (is, count as f64 / total as f64)
                };
                counts.iter().map(one).collect()
            }
            Labels::Numbers(numbers) => {
                let values: Vec<f64> = rows.iter().map(|&row| numbers.get(row).copied().unwrap_or(f64::NAN)).collect();
                let differ = values.iter().any(|value| Some(value) != values.first());
                if differ { vec![(ranks(&values), 1.0)] } else { Vec::new() }
            }
        };
        let of_classes = matches!(targets.labels, Labels::Classes(_));
        (!wanted.is_empty()).then_some(Judge { wanted, of_classes, rows: n })
    }

    pub(super) fn of_classes(&self) -> bool {
        self.of_classes
    }

    /// The score of numbers by their ranks, `NaN` where missing.
    pub(super) fn by_rank(&self, numbers: &[f64]) -> f64 {
        let (present, ranks) = self.ranked(numbers);
        self.of_ranks(&present, &ranks)
    }

    /// The places of the numbers that are there, and their ranks.
    fn ranked(&self, numbers: &[f64]) -> (Vec<usize>, Vec<f64>) {
        let present: Vec<usize> = (0..self.rows).filter(|&i| !numbers[i].is_nan()).collect();
        let ranks = ranks(&present.iter().map(|&i| numbers[i]).collect::<Vec<f64>>());
        (present, ranks)
    }

    fn of_ranks(&self, present: &[usize], ranks: &[f64]) -> f64 {
        let mut by_rank = 0.0;
        for (wanted, share) in &self.wanted {
            let wanted: Vec<f64> = present.iter().map(|&i| wanted[i]).collect();
            let score = self.order(ranks, &wanted).unwrap_or(0.0);
            by_rank += share * if self.of_classes { score.max(1.0 - score) } else { score.abs() };
        }
        // A few rows say nothing of the others.
        let covered = present.len() as f64 / self.rows.max(1) as f64;
        if covered < 0.5 { 0.0 } else { by_rank }
    }

    /// The score of numbers, by their ranks or by the means of their bins.
    pub(super) fn numbers(&self, numbers: &[f64]) -> f64 {
        let (present, ranks) = self.ranked(numbers);
        let by_rank = self.of_ranks(&present, &ranks);
        let mut bins = vec![0; self.rows];
        let most = ranks.len().max(1) as f64;
        for (&i, rank) in present.iter().zip(&ranks) {
            bins[i] = 1 + ((rank - 0.5) / most * BINS as f64) as usize;
        }
        by_rank.max(self.levels(&bins))
    }

    /// The score of levels by their means, each half by the other.
    pub(super) fn levels(&self, levels: &[usize]) -> f64 {
        let half = self.rows / 2;
        let count = levels.iter().max().map_or(0, |&most| most + 1);
        let mut score = 0.0;
        for (wanted, share) in &self.wanted {
            let mut both = 0.0;
            for (learned, judged) in [(0..half, half..self.rows), (half..self.rows, 0..half)] {
                let mean = wanted[learned.clone()].iter().sum::<f64>() / learned.len().max(1) as f64;
                let mut sums = vec![(mean * PRIOR_ROWS, PRIOR_ROWS); count];
                for i in learned {
                    let (sum, rows) = &mut sums[levels[i]];
                    *sum += wanted[i];
                    *rows += 1.0;
                }
                let scores: Vec<f64> =
                    levels[judged.clone()].iter().map(|&level| sums[level].0 / sums[level].1).collect();
                both += self.order(&ranks(&scores), &wanted[judged]).unwrap_or(if self.of_classes { 0.5 } else { 0.0 });
            }
            score += share * both / 2.0;
        }
        score
    }

    /// AUC or rank correlation of ranks; `None` where one side does not vary.
    fn order(&self, ranks: &[f64], wanted: &[f64]) -> Option<f64> {
        let n = ranks.len() as f64;
        if self.of_classes {
            let positive: f64 = wanted.iter().sum();
            let above: f64 = ranks.iter().zip(wanted).map(|(rank, is)| rank * is).sum();
            let pairs = positive * (n - positive);
            return (pairs > 0.0).then(|| (above - positive * (positive + 1.0) / 2.0) / pairs);
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
        let (a, b) = (mean(ranks), mean(wanted));
        let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
        for (x, y) in ranks.iter().zip(wanted) {
            ab += (x - a) * (y - b);
            aa += (x - a) * (x - a);
            bb += (y - b) * (y - b);
        }
        (aa > 0.0 && bb > 0.0).then(|| ab / (aa * bb).sqrt())
    }
}

/// Ranks from 1, the mean rank for equal numbers.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let same = order[start..].iter().take_while(|&&i| values[i] == values[order[start]]).count().max(1);
        for &i in &order[start..start + same] {
            ranks[i] = start as f64 + (same as f64 + 1.0) / 2.0;
        }
        start += same;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(labels: Labels, n: usize) -> Judge {
        let targets = Targets { labels, rows: (0..n).collect(), blank: 0 };
        Judge::new(&targets, &(0..n).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    /// 3 of 4 pairs are in order.
    #[test]
    fn auc_by_hand() {
        let judge = judge(Labels::Classes(vec![0, 1, 0, 1]), 4);
        assert_eq!(judge.order(&[1.0, 2.0, 3.0, 4.0], &[0.0, 1.0, 0.0, 1.0]), Some(0.75));
    }

    #[test]
    fn correlation_by_hand() {
        let judge = judge(Labels::Numbers(vec![1.0, 2.0, 3.0]), 3);
        assert_eq!(judge.order(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(judge.order(&[1.0, 3.0, 2.0], &[1.0, 2.0, 3.0]), Some(0.5));
    }

    #[test]
    fn one_class_cannot_be_judged() {
        let targets = Targets { labels: Labels::Classes(vec![0, 0]), rows: vec![0, 1], blank: 0 };
        assert!(Judge::new(&targets, &[0, 1]).is_none());
    }
}
