//! Rows sorted by class and not shuffled: batches then hold one class each, and the network forgets the others.

use glassnet_core::Real;

use super::finding::{Finding, Severity, count};
use super::gather::Look;
use crate::loss::LossSpec;
use crate::train::View;

/// Fewest rows for which the order says anything.
pub const SORTED_ROWS: usize = 20;

/// Runs of equal classes, as a share of what a random order has, below which rows count as sorted. A random order of 20
/// rows of two classes has 11 runs, deviation 2.2: a quarter of that is never seen.
pub const RUNS_SHARE: f64 = 0.25;

pub(super) fn look<T: Real>(view: &View<'_, T>, out: &mut Look) {
    let rows = view.train.rows;
    let batch = view.spec.batch_rows(rows.len()).saturating_mul(view.spec.accumulate);
    if view.spec.shuffle || rows.len() < SORTED_ROWS || batch >= rows.len() {
        return;
    }
    let Some(objective) = &view.network.objective else { return };
    let mut value = [T::ZERO];
    let classes: Vec<i32> = match objective.loss {
        LossSpec::CrossEntropy { .. } => rows.iter().map(|&row| view.train.source.label(row)).collect(),
        LossSpec::BinaryCrossEntropy { .. } if view.network.outputs() == 1 => {
            let mut class = |&row: &u32| {
                view.train.source.values(row, &mut value);
                i32::from(value[0].to_f64() >= 0.5)
            };
            rows.iter().map(&mut class).collect()
        }
        _ => return,
    };
    let runs = 1 + classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let mut sorted = classes.clone();
    sorted.sort_unstable();
    let n = classes.len() as f64;
    let (mut squares, mut kinds) = (0.0, 0);
    for class in sorted.chunk_by(|a, b| a == b) {
        squares += (class.len() as f64) * (class.len() as f64);
        kinds += 1;
    }
    // Neighbours in a random order differ with probability 1 - sum p^2.
    let expected = 1.0 + (n - squares / n);
    // A single class is not an order; a longest run within a batch does no harm.
    if kinds < 2 || runs as f64 > RUNS_SHARE * expected || (n / runs as f64) < batch as f64 / 2.0 {
        return;
    }
    let evidence = format!(
        "the {} rows stand in {} runs of one class each (a random order has about {}), and they are not shuffled",
        count(classes.len()),
        count(runs),
        count(expected as usize)
    );
    let advice = "shuffle the rows (leave out --no-shuffle, or shuffle = true in the config)";
    out.push(Finding::new("sorted-rows", Severity::Warning, evidence, advice));
}
