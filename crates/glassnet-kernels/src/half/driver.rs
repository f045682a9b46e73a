//! One loop for the three products: rows that fit the packed left operand, columns and a panel of k that fit the L2 cache,
//! runs of rows, panels of columns, tiles.

use super::Way;
use super::pack::{Block, Panels, along_columns, along_rows, rows_to_columns};
use super::room::with_room;
use super::tile::{DEPTH, HEIGHT, LANES, Place, STRIDE, Tile, WIDTH};
use crate::product::BLOCK;
use crate::team::{Shared, Team, share};
use std::ops::Range;

/// How the left operand lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// `[m, k]`.
    Rows,
    /// `[k, m]`; the product is then a sum over examples, added to the result block by block.
    Columns,
}

/// How the right operand lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// `[k, n]`.
    Rows,
    /// `[n, k]`.
    Columns,
}

/// `c[m, n] <- left[m, k] right[k, n]`.
pub(super) struct Product<'a> {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: &'a [f32],
    pub left: Left,
    pub b: &'a [f32],
    pub right: Right,
}

/// Multiply-adds that are worth a thread: some microseconds.
const PART_WORK: usize = 1 << 19;
/// Pairs of the packed left operand that a thread keeps at once: 4 MiB.
const LEFT_ROOM: usize = 1 << 20;
/// Tiles of rows that are taken together: with a panel's depth, 270 KiB of the left operand, in the L2 cache.
const RUN: usize = 22;
/// Columns that are taken together: with a panel's depth, 256 KiB of the right operand, and of the result with a run.
const COLUMNS: usize = 256;

/// Computes the product; the number of parts that it was split in.
pub(super) fn run(way: Way, team: &Team, product: &Product, c: &mut [f32]) -> usize {
    let &Product { m, n, k, .. } = product;
    // Saturating: a product of sizes that overflows must not pass for a small one.
    assert!(product.a.len() >= m.saturating_mul(k), "the left operand has fewer elements than {m} x {k}");
    assert!(product.b.len() >= n.saturating_mul(k), "the right operand has fewer elements than {k} x {n}");
    assert!(c.len() >= m.saturating_mul(n), "the result has fewer elements than {m} x {n}");
    if m == 0 || n == 0 {
        return 1;
    }
    let c = Shared::new(c);
    let work = m.saturating_mul(n).saturating_mul(k);
    let parts = (work / PART_WORK).clamp(1, team.threads());
    let columns = n.div_ceil(LANES);
    if parts == 1 {
        part(way, product, 0..m, 0..n, &c);
    } else if columns >= 2 * parts {
        // By columns: no two threads pack the same part of the right operand, which is the weight as a rule.
        team.fork(parts, &|number| {
            let share = share(columns, parts, number);
            part(way, product, 0..m, share.start * LANES..(share.end * LANES).min(n), &c);
        });
    } else {
        let groups = m.div_ceil(HEIGHT);
        let parts = parts.min(groups);
        team.fork(parts, &|number| {
            let share = share(groups, parts, number);
            part(way, product, share.start * HEIGHT..(share.end * HEIGHT).min(m), 0..n, &c);
        });
    }
    parts
}

/// The panels of k: elements `start..end`.
fn panel(product: &Product, number: usize) -> Range<usize> {
    let depth = match product.left {
        Left::Rows => 2 * DEPTH,
        Left::Columns => BLOCK,
    };
    number * depth..((number + 1) * depth).min(product.k)
}

fn panels(product: &Product) -> usize {
    match product.left {
        // At least one: the chain of nothing is +0.
        Left::Rows => product.k.div_ceil(2 * DEPTH).max(1),
        Left::Columns => product.k.div_ceil(BLOCK),
    }
}

/// The rows and columns of one thread. Distinct parts must not overlap.
fn part(way: Way, product: &Product, rows: Range<usize>, columns: Range<usize>, c: &Shared<f32>) {
    // Pairs of a row of the packed left operand.
    let row = match product.left {
        Left::Rows => panels(product) * STRIDE,
        Left::Columns => product.k.div_ceil(2),
    };
    let at_once = (LEFT_ROOM / row.max(1)).max(HEIGHT * RUN).min(rows.len());
    let deepest = panel(product, 0).len().div_ceil(2);
    // Chains that a panel leaves unfinished.
    let unfinished = if panels(product) > 1 && product.left == Left::Rows { at_once * COLUMNS } else { 0 };
    with_room(at_once * row, COLUMNS * deepest, unfinished, |left, right, unfinished| {
        let chunks = rows.len().div_ceil(at_once);
        for chunk in 0..chunks {
            let share = share(rows.len(), chunks, chunk);
            let rows = rows.start + share.start..rows.start + share.end;
            let chunk = Chunk { way, product, rows, columns: columns.clone() };
            chunk.pack_left(left);
            chunk.multiply(left, right, unfinished, c);
        }
    });
}

/// Rows whose left operand is packed at once.
struct Chunk<'a> {
    way: Way,
    product: &'a Product<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Chunk<'_> {
    /// The tiles' rows, as even as they can be: `0..groups()`.
    fn group(&self, number: usize) -> Range<usize> {
        share(self.rows.len(), self.groups(), number)
    }

    fn groups(&self) -> usize {
        self.rows.len().div_ceil(HEIGHT)
    }

    /// Where a group's panel of k begins in the packed left operand.
    fn left_at(&self, number: usize, group: &Range<usize>) -> usize {
        match self.product.left {
            Left::Rows => (number * self.rows.len() + group.start) * STRIDE,
            Left::Columns => {
                let pairs = panel(self.product, number).len().div_ceil(2);
                number * (BLOCK / 2) * self.rows.len() + group.start * pairs
            }
        }
    }

    fn pack_left(&self, left: &mut [u32]) {
        let &Product { m, k, a, .. } = self.product;
        for number in 0..panels(self.product) {
            let p = panel(self.product, number);
            match self.product.left {
                Left::Rows => {
                    let rows = self.rows.len();
                    let x = &a[self.rows.start * k + p.start..];
                    let block = Block { x, row_len: k, rows, columns: p.len() };
                    along_rows(self.way, block, &mut left[self.left_at(number, &(0..rows))..]);
                }
                Left::Columns => {
                    for group in (0..self.groups()).map(|g| self.group(g)) {
                        let x = &a[p.start * m + self.rows.start + group.start..];
                        let block = Block { x, row_len: m, rows: p.len(), columns: group.len() };
                        along_columns(
                            self.way,
                            block,
                            Panels::One(group.len()),
                            &mut left[self.left_at(number, &group)..],
                        );
                    }
                }
            }
        }
    }

    /// The right operand's columns, in panel `p` of k, to `out`: panels of [`WIDTH`] columns one after the other.
    fn pack_right(&self, p: &Range<usize>, columns: &Range<usize>, out: &mut [u32]) {
        let &Product { n, k, b, right, .. } = self.product;
        if p.is_empty() {
            return;
        }
        match right {
            Right::Rows => {
                let x = &b[p.start * n + columns.start..];
                let block = Block { x, row_len: n, rows: p.len(), columns: columns.len() };
                along_columns(self.way, block, Panels::Many, out);
            }
            Right::Columns => {
                let pairs = p.len().div_ceil(2);
                for (column, out) in columns.clone().step_by(WIDTH).zip(out.chunks_mut(pairs * WIDTH)) {
                    let there = (columns.end - column).min(WIDTH);
                    let block = Block { x: &b[column * k + p.start..], row_len: k, rows: there, columns: p.len() };
                    rows_to_columns(self.way, block, there.next_multiple_of(LANES), out);
                }
            }
        }
    }

    fn multiply(&self, left: &[u32], right: &mut [u32], unfinished: &mut [f32], c: &Shared<f32>) {
        let sums = self.product.left == Left::Columns;
        for first in self.columns.clone().step_by(COLUMNS) {
            let columns = first..(first + COLUMNS).min(self.columns.end);
            for number in 0..panels(self.product) {
                let p = panel(self.product, number);
                self.pack_right(&p, &columns, right);
                let at = Spot { number, pairs: p.len().div_ceil(2), columns: columns.clone(), left, right, c };
                if sums {
                    // Along the rows of a result that is read and written but once.
                    for group in 0..self.groups() {
                        for column in columns.clone().step_by(WIDTH) {
                            self.tile(&at, unfinished, group, column);
                        }
                    }
                    continue;
                }
                for run in (0..self.groups()).step_by(RUN) {
                    for column in columns.clone().step_by(WIDTH) {
                        for group in run..(run + RUN).min(self.groups()) {
                            self.tile(&at, unfinished, group, column);
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn tile(&self, spot: &Spot, unfinished: &mut [f32], group: usize, column: usize) {
        let &Spot { number, pairs, ref columns, left, right, c } = spot;
        let sums = self.product.left == Left::Columns;
        let group = self.group(group);
        let n = self.product.n;
        let begin = (group.start * COLUMNS + (column - columns.start) * group.len()).min(unfinished.len());
        let own = Place { at: unfinished[begin..].as_mut_ptr(), row: WIDTH };
        let at = (self.rows.start + group.start) * n + column;
        let result = Place { at: c.pointer().wrapping_add(at), row: n };
        let tile = Tile {
            a: left[self.left_at(number, &group)..].as_ptr(),
            turned: sums,
            b: right[(column - columns.start) * pairs..].as_ptr(),
            from: if number > 0 && !sums { Some(own) } else { None },
            to: if sums || number + 1 == panels(self.product) { result } else { own },
            add: sums,
            rows: group.len(),
            columns: (columns.end - column).min(WIDTH),
            pairs,
        };
        // SAFETY: the way was chosen because the processor has it. Both operands' panels were packed with these pairs;
        // `run` has checked c, of which this part is this thread's own; the room for unfinished chains has COLUMNS for
        // each row, a tile's side by side.
        unsafe { tile.run(self.way) };
    }
}

/// Where a tile works.
struct Spot<'a> {
    /// The panel of k.
    number: usize,
    pairs: usize,
    columns: Range<usize>,
    left: &'a [u32],
    right: &'a [u32],
    c: &'a Shared<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::half::{has_instruction, reference};
    use crate::lanes::Isa;

    /// Every way that this processor has.
    fn ways() -> Vec<Way> {
        let emulated = Isa::ALL.into_iter().filter(|isa| isa.available()).map(Way::Emulated);
        emulated.chain(has_instruction().then_some(Way::Instruction)).collect()
    }

    #[test]
    fn every_way_gives_the_bytes_of_the_definition() {
        let mut state = 7u32;
        let mut numbers = |len: usize| -> Vec<f32> {
            let mut draw = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            };
            // A few that are denormal, or whose products are.
            (0..len).map(|i| if i % 37 == 5 { draw() * 1e-38 } else { draw() }).collect()
        };
        for (m, n, k) in [(1, 1, 1), (13, 35, 7), (25, 70, 1029), (5, 17, 0), (300, 20, 33), (30, 300, 64)] {
            let (a, b, before) = (numbers(m * k), numbers(n * k), numbers(m * n));
            for (left, right) in [(Left::Rows, Right::Columns), (Left::Rows, Right::Rows), (Left::Columns, Right::Rows)]
            {
                let mut expected = before.clone();
                match (left, right) {
                    (Left::Rows, Right::Columns) => reference::product_nt(m, n, k, &a, &b, &mut expected),
                    (Left::Rows, Right::Rows) => reference::product_nn(m, n, k, &a, &b, &mut expected),
                    (Left::Columns, _) => reference::product_tn(m, n, k, &a, &b, &mut expected),
                }
                for way in ways() {
                    for threads in [1, 2, 3] {
                        let mut c = before.clone();
                        run(way, &Team::new(threads), &Product { m, n, k, a: &a, left, b: &b, right }, &mut c);
                        let same = c.iter().zip(&expected).all(|(x, y)| x.to_bits() == y.to_bits());
                        assert!(same, "{way:?} {left:?} {right:?} {m} x {n} x {k}, {threads} threads");
                    }
                }
            }
        }
    }
}
