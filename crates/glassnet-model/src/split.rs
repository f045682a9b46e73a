//! Rows set aside for validation, calibration and test: by class, by time, by group; by a seed, the same every time.

mod folds;
mod parts;

pub use folds::{Fold, folds};
pub use parts::{Parts, SplitBy, parts};

use crate::ModelError;
use crate::target::{BLANK, Labels, Targets};
use glassnet_core::random::{Draws, Purpose};
use std::fmt;

/// Share of the rows that is set aside where nobody says otherwise.
pub const DEFAULT_SHARE: f64 = 0.2;

/// Rows to train on and rows to validate with, each ascending, from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to validate with.
    pub valid: Vec<usize>,
    /// Whether each class was split for itself.
    pub stratified: bool,
    /// The seed.
    pub seed: u64,
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (valid, all) = (self.valid.len(), self.valid.len() + self.train.len());
        let share = 100.0 * valid as f64 / all.max(1) as f64;
        let how = if self.stratified { "by class" } else { "at random" };
        write!(f, "{valid} of {all} rows ({share:.1} %) set aside for validation, {how}, seed {}", self.seed)
    }
}

/// Splits the rows that have a target: `share` of them, to the nearest row, goes to validation.
///
/// A classification is split class by class (what the rounding of the classes leaves over goes to those with the largest
/// remainder, ties by class), and every class keeps a row to train on; a class of one row is not validated. A regression
/// is split at random. The same targets, share and seed give the same rows.
///
/// # Errors
/// A share that is not above 0 and below 1; so few rows that one of the two parts would be empty.
pub fn split(targets: &Targets, share: f64, seed: u64) -> Result<Split, ModelError> {
    split_rows(&targets.labels, &targets.rows, share, seed, 0)
}

/// The same for some of the rows. `turn` tells several splits of one seed apart.
fn split_rows(labels: &Labels, rows: &[usize], share: f64, seed: u64, turn: u32) -> Result<Split, ModelError> {
    share_fits(share)?;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let stratified = matches!(labels, Labels::Classes(_));
    for (class, &row) in rows.iter().map(|row| (class_of(labels, *row), row)) {
        if class >= groups.len() {
            groups.resize(class + 1, Vec::new());
        }
        groups[class].push(row);
    }
    let counts = shares(&groups.iter().map(Vec::len).collect::<Vec<_>>(), share);
    let (mut train, mut valid) = (Vec::new(), Vec::new());
    for (group, (rows, count)) in groups.iter_mut().zip(counts).enumerate() {
        Draws::new(seed, Purpose::Split, group as u32, turn).shuffle(rows);
        let (aside, kept) = rows.split_at(count);
        valid.extend_from_slice(aside);
        train.extend_from_slice(kept);
    }
    train.sort_unstable();
    valid.sort_unstable();
    if train.is_empty() || valid.is_empty() {
        let n = train.len() + valid.len();
        let alone = stratified && n > 1 && groups.iter().all(|group| group.len() < 2);
        return Err(ModelError::Split {
            why: match alone {
                true => format!("each of the {n} rows with a target has a class of its own"),
                false => format!("{n} rows with a target are too few for a share of {share}"),
            },
            hint: "give more rows, another share, or a file of its own for validation",
        });
    }
    Ok(Split { train, valid, stratified, seed })
}

/// The class of a row; 0 for all rows of a regression.
fn class_of(labels: &Labels, row: usize) -> usize {
    match labels {
        Labels::Classes(classes) => classes.get(row).copied().filter(|&class| class != BLANK).unwrap_or(0) as usize,
        Labels::Numbers(_) => 0,
    }
}

fn share_fits(share: f64) -> Result<(), ModelError> {
    if share > 0.0 && share < 1.0 {
        return Ok(());
    }
    Err(ModelError::Split {
        why: format!("the share {share} is not above 0 and below 1"),
        hint: "give a share such as 0.2",
    })
}

/// How many rows of each group are set aside: in all the nearest whole number to `share`, by the largest remainders, and
/// never a whole group.
fn shares(sizes: &[usize], share: f64) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let wanted = (share * total as f64 + 0.5).floor() as usize;
    let mut counts: Vec<usize> =
        sizes.iter().map(|&size| ((share * size as f64).floor() as usize).min(size.saturating_sub(1))).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    let remainder = |group: usize| share * sizes[group] as f64 - (share * sizes[group] as f64).floor();
    order.sort_by(|&a, &b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(&b)));
    let mut left = wanted.saturating_sub(counts.iter().sum());
    for group in order {
        if left > 0 && counts[group] + 1 < sizes[group] {
            counts[group] += 1;
            left -= 1;
        }
    }
    counts
}
