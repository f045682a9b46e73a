//! Shapley values of columns: a column's mean effect over all orders in which the columns' values can become known.
//!
//! For one row `b` of the background the game is `v_b(S) = f(x in the columns S, b in the others)`. The contribution of column j
//! is the mean over the background of
//!
//! ```text
//! phi_j(b) = sum over S without j of  |S|! (m - 1 - |S|)! / m!  (v_b(S + j) - v_b(S))
//! ```
//!
//! over the m columns in which x differs from b: a column that is the same on both sides adds 0 to every coalition, so it
//! is left out, which changes no other column's value. Each walk from b to x adds up to `f(x) - f(b)`, so that all contributions
//! add up to `f(x)` minus the base, exactly, also where permutations only estimate them.

use glassnet_core::random::{Draws, Purpose};

use super::columns::Columns;
use super::{Method, Options};

/// Keeps the draw of permutations apart from other draws of inspectors.
const STREAM: u32 = 0x0005_4a91;

/// Rows that are collected before the model sees them.
const BATCH: usize = 1024;

/// What a model says of encoded rows: adds one number for each.
pub(super) type Ask<'m> = dyn FnMut(&[f32], &mut Vec<f64>) + 'm;

/// A row before a background.
pub(super) struct Game<'a> {
    pub columns: &'a Columns,
    /// The background's rows, encoded, one after the other.
    pub background: &'a [f32],
    /// `f` of each of them.
    pub bases: &'a [f64],
    /// The row, encoded.
    pub x: &'a [f32],
    /// `f` of it.
    pub output: f64,
    pub options: &'a Options,
}

impl Game<'_> {
    /// The contribution of each column, and how they were found.
    pub fn contributions(&self, ask: &mut Ask<'_>) -> (Vec<f64>, Method) {
        let different = self.different();
        let most = different.iter().map(Vec::len).max().unwrap_or(0);
        let mut batch = Batch { width: self.columns.width, rows: Vec::new(), held: 0, values: Vec::new(), ask };
        if most <= self.options.exact {
            (self.exact(&different, &mut batch), Method::Exact)
        } else {
            (self.estimated(&different, &mut batch), Method::Permutations)
        }
    }

    fn backgrounds(&self) -> impl Iterator<Item = &[f32]> {
        self.background.chunks_exact(self.columns.width.max(1))
    }

    /// For each row of the background the columns in which the row differs from it.
    fn different(&self) -> Vec<Vec<usize>> {
        let differs = |b: &[f32]| (0..self.columns.len()).filter(|&j| !self.columns.same(j, self.x, b)).collect();
        self.backgrounds().map(differs).collect()
    }

    /// All coalitions of the columns that differ.
    fn exact(&self, different: &[Vec<usize>], batch: &mut Batch<'_, '_>) -> Vec<f64> {
        // The coalitions of some and not all columns; the worth of the others is known.
        let some = |columns: &[usize]| 1..(1usize << columns.len()).saturating_sub(1);
        for (b, columns) in self.backgrounds().zip(different) {
            for coalition in some(columns) {
                let row = batch.push(b);
                for (place, &column) in columns.iter().enumerate() {
                    if coalition >> place & 1 == 1 {
                        self.columns.replace(column, self.x, row);
                    }
                }
                batch.send_when_full();
            }
        }
        let mut values = batch.finish();
        let mut sums = vec![0.0; self.columns.len()];
        let mut worth = Vec::new();
        for (columns, &base) in different.iter().zip(self.bases) {
            worth.clear();
            worth.push(base);
            worth.extend(values.by_ref().take(some(columns).len()));
            worth.push(self.output);
            let weights = coalition_weights(columns.len());
            for (place, &column) in columns.iter().enumerate() {
                let with = 1usize << place;
                let without = (0..1usize << columns.len()).filter(|coalition| coalition & with == 0);
                sums[column] += without
                    .map(|coalition| {
                        weights[coalition.count_ones() as usize] * (worth[coalition | with] - worth[coalition])
                    })
                    .sum::<f64>();
            }
        }
        self.means(sums, 1)
    }

    /// One walk from each row of the background to the row in each pass; the two of a pair of background rows go in opposite
    /// orders, and change places in every second pass.
    fn estimated(&self, different: &[Vec<usize>], batch: &mut Batch<'_, '_>) -> Vec<f64> {
        let mut orders: Vec<Vec<usize>> = Vec::with_capacity(different.len());
        let mut sums = vec![0.0; self.columns.len()];
        for pass in 0..self.options.passes {
            orders.clear();
            for (number, (b, columns)) in self.backgrounds().zip(different).enumerate() {
                let order = self.order(pass, number, columns);
                // The last step ends at the row itself, which is known.
                for (place, &column) in order.iter().enumerate().take(order.len().saturating_sub(1)) {
                    let row = if place == 0 { batch.push(b) } else { batch.push_last() };
                    self.columns.replace(column, self.x, row);
                    batch.send_when_full();
                }
                orders.push(order);
            }
            let mut values = batch.finish();
            for (order, &base) in orders.iter().zip(self.bases) {
                let mut before = base;
                for (place, &column) in order.iter().enumerate() {
                    let last = place + 1 == order.len();
                    let after = if last { self.output } else { values.next().unwrap_or(f64::NAN) };
                    sums[column] += after - before;
                    before = after;
                }
            }
        }
        self.means(sums, self.options.passes)
    }

    /// The columns that differ in the order of the walk that starts from row `number` of the background.
    fn order(&self, pass: u32, number: usize, columns: &[usize]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        // Two passes share their permutations, with the directions changed.
        let stream = Draws::new(self.options.seed, Purpose::Inspect, STREAM + pass / 2, (number / 2) as u32);
        stream.shuffle(&mut order);
        if (number + pass as usize) % 2 == 1 {
            order.reverse();
        }
        order.retain(|column| columns.binary_search(column).is_ok());
        order
    }

    fn means(&self, mut sums: Vec<f64>, passes: u32) -> Vec<f64> {
        let walks = self.bases.len() as f64 * f64::from(passes);
        sums.iter_mut().for_each(|sum| *sum /= walks);
        sums
    }
}

/// `s! (m - 1 - s)! / m!` for the coalitions of `s` of `m` columns, `s` from 0 to m - 1.
fn coalition_weights(m: usize) -> Vec<f64> {
    // 1 / (m choose(m - 1, s)), and the binomials by their ratio: exact in f64 for the few columns that are counted out.
    let mut choose = 1.0;
    (0..m)
        .map(|s| {
            let weight = 1.0 / (m as f64 * choose);
            choose = choose * (m - 1 - s) as f64 / (s + 1) as f64;
            weight
        })
        .collect()
}

/// Rows on their way to the model.
struct Batch<'b, 'm> {
    width: usize,
    rows: Vec<f32>,
    /// Numbers at the start of `rows` that the model has seen: the last row of those sent before, or none.
    held: usize,
    values: Vec<f64>,
    ask: &'b mut Ask<'m>,
}

impl Batch<'_, '_> {
    /// Adds a copy of a row, to be changed.
    fn push(&mut self, row: &[f32]) -> &mut [f32] {
        let start = self.rows.len();
        self.rows.extend_from_slice(row);
        &mut self.rows[start..]
    }

    /// Adds a copy of the row that was added last.
    fn push_last(&mut self) -> &mut [f32] {
        let start = self.rows.len();
        self.rows.extend_from_within(start - self.width..);
        &mut self.rows[start..]
    }

    /// Asks the model when enough rows are there; the last one stays, for [`Batch::push_last`].
    fn send_when_full(&mut self) {
        let all = self.rows.len();
        if all < self.held + BATCH * self.width {
            return;
        }
        (self.ask)(&self.rows[self.held..], &mut self.values);
        self.rows.copy_within(all - self.width.., 0);
        self.rows.truncate(self.width);
        self.held = self.width;
    }

    /// Asks the model for the rows that are left, and gives the values of all rows in their order.
    fn finish(&mut self) -> std::vec::Drain<'_, f64> {
        (self.ask)(&self.rows[self.held..], &mut self.values);
        self.rows.clear();
        self.held = 0;
        self.values.drain(..)
    }
}
