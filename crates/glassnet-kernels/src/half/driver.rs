//! One loop for the three products: rows that fit the packed left operand, columns and a panel of k that fit the L2 cache,
//! runs of rows, panels of columns, tiles.

use super::Way;
use super::pack::{Block, Panels, along_columns, along_rows, rows_to_columns};
use super::room::with_room;
use super::tile::{Ahead, DEPTH, HEIGHT, LANES, Place, STRIDE, Tile, WIDTH};
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
/// Columns that are taken together: with a panel's depth, 128 KiB of the right operand, twice, as the next is packed
/// meanwhile; and 132 KiB of unfinished chains with a run.
const COLUMNS: usize = 128;
/// The same in a sum over examples, whose result is written row by row.
const SUM_COLUMNS: usize = 256;
/// Rows of k that are packed at once.
const PART_ROWS: usize = 32;

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
    let wide = if product.left == Left::Columns { SUM_COLUMNS } else { COLUMNS };
    with_room(at_once * row, 2 * wide * deepest, unfinished, |left, right, unfinished| {
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

    /// Columns that are taken together.
    fn wide(&self) -> usize {
        if self.product.left == Left::Columns { SUM_COLUMNS } else { COLUMNS }
    }

    /// Blocks of the right operand, one for some columns and a panel of k, in the order in which they are used.
    fn blocks(&self) -> usize {
        self.columns.len().div_ceil(self.wide()) * panels(self.product)
    }

    fn block(&self, index: usize) -> RightBlock<'_> {
        let number = index % panels(self.product);
        let first = self.columns.start + index / panels(self.product) * self.wide();
        let columns = first..(first + self.wide()).min(self.columns.end);
        RightBlock { way: self.way, product: self.product, number, p: panel(self.product, number), columns }
    }

    fn multiply(&self, left: &[u32], right: &mut [u32], unfinished: &mut [f32], c: &Shared<f32>) {
        let sums = self.product.left == Left::Columns;
        let half = right.len() / 2;
        let (mut right, mut other) = right.split_at_mut(half);
        let mut packed = 0;
        for index in 0..self.blocks() {
            let block = self.block(index);
            for part in packed..block.parts() {
                block.pack(part, right);
            }
            packed = 0;
            let mut spot =
                Spot { left, right, c, ahead: Ahead { at: std::ptr::null(), row: 0, shift: 0, first: 0, last: 0 } };
            if sums {
                // Along the rows of a result that is read and written but once.
                for group in 0..self.groups() {
                    for column in block.columns.clone().step_by(WIDTH) {
                        self.tile(&spot, &block, unfinished, group, column);
                    }
                }
                continue;
            }
            // The next block is packed part by part between the tiles, each part's lines called for by the tiles before it.
            let next = if index + 1 < self.blocks() { Some(self.block(index + 1)) } else { None };
            let (parts, lines) = next.as_ref().map_or((0, 0), |next| (next.parts(), next.lines()));
            let tiles = self.groups() * block.columns.len().div_ceil(WIDTH);
            let mut done = 0;
            for run in (0..self.groups()).step_by(RUN) {
                for column in block.columns.clone().step_by(WIDTH) {
                    for group in run..(run + RUN).min(self.groups()) {
                        if let Some(next) = &next {
                            spot.ahead = next.ahead(done * lines / tiles..(done + 1) * lines / tiles);
                        }
                        self.tile(&spot, &block, unfinished, group, column);
                        done += 1;
                        while packed < done * parts / tiles {
                            if let Some(next) = &next {
                                next.pack(packed, other);
                            }
                            packed += 1;
                        }
                    }
                }
            }
            std::mem::swap(&mut right, &mut other);
        }
    }

    #[inline(always)]
    fn tile(&self, spot: &Spot, block: &RightBlock, unfinished: &mut [f32], group: usize, column: usize) {
        let RightBlock { number, ref p, ref columns, .. } = *block;
        let (sums, n, pairs) = (self.product.left == Left::Columns, self.product.n, p.len().div_ceil(2));
        let group = self.group(group);
        let begin = (group.start * COLUMNS + (column - columns.start) * group.len()).min(unfinished.len());
        let own = Place { at: unfinished[begin..].as_mut_ptr(), row: WIDTH };
        let at = (self.rows.start + group.start) * n + column;
        let result = Place { at: spot.c.pointer().wrapping_add(at), row: n };
        let tile = Tile {
            a: spot.left[self.left_at(number, &group)..].as_ptr(),
            turned: sums,
            b: spot.right[(column - columns.start) * pairs..].as_ptr(),
            from: if number > 0 && !sums { Some(own) } else { None },
            to: if sums || number + 1 == panels(self.product) { result } else { own },
            add: sums,
            rows: group.len(),
            columns: (columns.end - column).min(WIDTH),
            pairs,
            ahead: spot.ahead,
        };
        // SAFETY: the way was chosen because the processor has it. Both operands' panels were packed with these pairs;
        // `run` has checked c, of which this part is this thread's own; the room for unfinished chains has COLUMNS for
        // each row, a tile's side by side.
        unsafe { tile.run(self.way) };
    }
}

/// Where a tile finds its operands.
struct Spot<'a> {
    left: &'a [u32],
    right: &'a [u32],
    c: &'a Shared<f32>,
    ahead: Ahead,
}

/// Some columns of the right operand in a panel of k.
struct RightBlock<'a> {
    way: Way,
    product: &'a Product<'a>,
    number: usize,
    p: Range<usize>,
    columns: Range<usize>,
}

impl RightBlock<'_> {
    /// It is packed in parts: some rows of k, or some columns, as they lie in memory.
    fn parts(&self) -> usize {
        match self.product.right {
            Right::Rows => self.p.len().div_ceil(PART_ROWS),
            Right::Columns if self.p.is_empty() => 0,
            Right::Columns => self.columns.len().div_ceil(LANES),
        }
    }

    /// Packs a part to its place in `out`, where panels of [`WIDTH`] columns lie one after the other.
    fn pack(&self, part: usize, out: &mut [u32]) {
        let &Product { n, k, b, right, .. } = self.product;
        let pairs = self.p.len().div_ceil(2);
        match right {
            Right::Rows => {
                let start = self.p.start + part * PART_ROWS;
                let rows = PART_ROWS.min(self.p.end - start);
                let x = &b[start * n + self.columns.start..];
                let panels = Panels::Many { pairs, first: part * PART_ROWS / 2 };
                along_columns(self.way, Block { x, row_len: n, rows, columns: self.columns.len() }, panels, out);
            }
            Right::Columns => {
                let column = self.columns.start + part * LANES;
                let panel = part * LANES / WIDTH * WIDTH;
                let width = (self.columns.len() - panel).min(WIDTH).next_multiple_of(LANES);
                let rows = LANES.min(self.columns.end - column);
                let x = &b[(column * k + self.p.start).min(b.len())..];
                let out = &mut out[panel * pairs + (part * LANES - panel)..];
                rows_to_columns(self.way, Block { x, row_len: k, rows, columns: self.p.len() }, width, out);
            }
        }
    }

    /// Cache lines of a row of the block in memory, as a power of two.
    fn shift(&self) -> u32 {
        let len = match self.product.right {
            Right::Rows => self.columns.len(),
            Right::Columns => self.p.len(),
        };
        len.div_ceil(16).max(1).next_power_of_two().ilog2()
    }

    /// Cache lines of the block.
    fn lines(&self) -> usize {
        let rows = match self.product.right {
            Right::Rows => self.p.len(),
            Right::Columns => self.columns.len(),
        };
        rows << self.shift()
    }

    /// Some of its lines, in the order in which the parts need them.
    fn ahead(&self, lines: Range<usize>) -> Ahead {
        let &Product { n, k, b, right, .. } = self.product;
        let (start, row) = match right {
            Right::Rows => (self.p.start * n + self.columns.start, n),
            Right::Columns => (self.columns.start * k + self.p.start, k),
        };
        let at = b.as_ptr().wrapping_add(start).cast();
        Ahead { at, row: row * size_of::<f32>(), shift: self.shift(), first: lines.start, last: lines.end }
    }
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
