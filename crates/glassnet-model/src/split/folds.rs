//! Several splits of one table, for cross-validation.

use super::parts::{changes, in_groups, in_time, numbers};
use super::{SplitBy, class_of};
use crate::ModelError;
use crate::table::Table;
use crate::target::Targets;
use glassnet_core::random::{Draws, Purpose};

/// One fold: rows that a model may see (it splits them again to calibrate) and rows that it is judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Fold {
    /// Rows to fit and calibrate with, ascending.
    pub train: Vec<usize>,
    /// Rows to test, ascending.
    pub test: Vec<usize>,
}

/// `k` folds of the rows that have a target.
///
/// - At random: every row is tested once, and each class is dealt out evenly.
/// - By time: the rows in their order are cut into k + 1 stretches; fold i trains on the first i and is tested on the next, so no
///   model sees a row that is later than one that it is tested on. The first stretch is never tested.
/// - By group: every row is tested once, groups are dealt out whole, the largest first, each to the fold with the fewest rows.
///
/// # Errors
/// Fewer than 2 folds, too few rows, times or groups for them, and what [`super::parts()`] refuses.
pub fn folds(table: &Table, targets: &Targets, by: &SplitBy, k: usize, seed: u64) -> Result<Vec<Fold>, ModelError> {
    let too_few = |n: usize, what: &str| ModelError::Split {
        why: format!("{n} {what} are too few for {k} folds"),
        hint: "give fewer folds (2 at least), or more rows",
    };
    if k < 2 || targets.rows.len() < k {
        return Err(too_few(targets.rows.len(), "rows with a target"));
    }
    let tested: Vec<Vec<usize>> = match by {
        SplitBy::Random => {
            // Class after class is dealt out, and the next class goes on where the last one ended.
            let mut rows = targets.rows.clone();
            Draws::new(seed, Purpose::Split, 0, 3).shuffle(&mut rows);
            rows.sort_by_key(|&row| class_of(&targets.labels, row));
            let mut tested = vec![Vec::new(); k];
            rows.iter().enumerate().for_each(|(i, &row)| tested[i % k].push(row));
            tested
        }
        SplitBy::Time(name) => {
            let (timed, _) = in_time(table, name, &targets.rows)?;
            let cuts: Vec<usize> = changes(&timed).collect();
            let mut ends: Vec<usize> = Vec::with_capacity(k + 1);
            for stretch in 1..=k {
                let wanted = timed.len() * stretch / (k + 1);
                let after = ends.last().copied().unwrap_or(0);
                let next = cuts.iter().filter(|&&cut| cut > after).min_by_key(|cut| cut.abs_diff(wanted));
                ends.push(*next.ok_or_else(|| too_few(cuts.len() + 1, "different times"))?);
            }
            ends.push(timed.len());
            let fold =
                |pair: &[usize]| Fold { train: numbers(&timed[..pair[0]]), test: numbers(&timed[pair[0]..pair[1]]) };
            return Ok(ends.windows(2).map(fold).collect());
        }
        SplitBy::Group(name) => {
            let mut groups = in_groups(table, name, &targets.rows)?;
            if groups.len() < k {
                return Err(too_few(groups.len(), "groups"));
            }
            Draws::new(seed, Purpose::Split, 0, 3).shuffle(&mut groups);
            groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
            let mut tested = vec![Vec::new(); k];
            for group in groups {
                if let Some(fold) = tested.iter_mut().min_by_key(|fold: &&mut Vec<usize>| fold.len()) {
                    fold.extend(group);
                }
            }
            tested
        }
    };
    let fold = |mut test: Vec<usize>| {
        test.sort_unstable();
        let train = targets.rows.iter().copied().filter(|row| test.binary_search(row).is_err()).collect();
        Fold { train, test }
    };
    Ok(tested.into_iter().map(fold).collect())
}
