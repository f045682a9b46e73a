//! Operands rounded to bfloat16 and put in the order in which the tiles read them, in pairs of k, padded with zeros.

use super::Way;
use super::number::pair;
use super::tile::{LANES, STRIDE, WIDTH};
use crate::lanes::{Kernel, vectorized_with};

/// A block of an operand: `rows` x `columns` elements, rows `row_len` apart.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// Begins at the block's first element.
    pub x: &'a [f32],
    pub row_len: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Block<'_> {
    fn check(&self) {
        let last = self.rows.saturating_sub(1) * self.row_len + self.columns;
        assert!(self.rows == 0 || self.x.len() >= last, "a block reaches beyond its operand");
    }
}

/// Pairs along the rows, which stay rows, [`STRIDE`] apart: `out[i STRIDE + p] = (x[i, 2p], x[i, 2p + 1])`.
pub(super) fn along_rows(way: Way, block: Block, out: &mut [u32]) {
    block.check();
    assert!(block.columns <= 2 * STRIDE && out.len() >= block.rows * STRIDE);
    match way {
        // SAFETY: this way is only chosen where the processor has the instruction; the sizes were asserted.
        #[cfg(target_arch = "x86_64")]
        Way::Instruction => unsafe { super::pack_x86::along_rows(block, out) },
        #[cfg(not(target_arch = "x86_64"))]
        Way::Instruction => AlongRows { block, out }.run(),
        Way::Emulated(isa) => vectorized_with(isa, AlongRows { block, out }),
    }
}

/// Pairs along up to [`LANES`] rows, which become columns: `out[p width + j] = (x[j, 2p], x[j, 2p + 1])`.
pub(super) fn rows_to_columns(way: Way, block: Block, width: usize, out: &mut [u32]) {
    block.check();
    let pairs = block.columns.div_ceil(2);
    assert!(block.rows <= LANES && (pairs == 0 || out.len() >= (pairs - 1) * width + LANES));
    match way {
        // SAFETY: this way is only chosen where the processor has the instruction; the sizes were asserted.
        #[cfg(target_arch = "x86_64")]
        Way::Instruction => unsafe { super::pack_x86::rows_to_columns(block, width, out) },
        #[cfg(not(target_arch = "x86_64"))]
        Way::Instruction => RowsToColumns { block, width, out }.run(),
        Way::Emulated(isa) => vectorized_with(isa, RowsToColumns { block, width, out }),
    }
}

/// How columns lie side by side.
#[derive(Clone, Copy)]
pub(super) enum Panels {
    /// All in one panel that is so wide.
    One(usize),
    /// In panels of [`WIDTH`], one after the other; the last may have [`LANES`]. Each has so many `pairs`, of which the block
    /// has those from `first`.
    Many { pairs: usize, first: usize },
}

impl Panels {
    /// Width of the panel that begins at `column` of `columns`.
    #[inline(always)]
    pub(super) fn width(self, columns: usize, column: usize) -> usize {
        match self {
            Panels::One(width) => width,
            Panels::Many { .. } => (columns - column).min(WIDTH).next_multiple_of(LANES),
        }
    }

    /// Columns of a panel, as far as there are so many.
    #[inline(always)]
    pub(super) fn step(self) -> usize {
        match self {
            Panels::One(width) => width,
            Panels::Many { .. } => WIDTH,
        }
    }

    /// Where pair `p` of the block lies in the panel that begins at `column`, `width` wide.
    #[inline(always)]
    pub(super) fn at(self, p: usize, column: usize, width: usize) -> usize {
        match self {
            Panels::One(_) => p * width,
            Panels::Many { pairs, first } => column * pairs + (first + p) * width,
        }
    }
}

/// Pairs along the columns, which stay columns: in each panel `out[p width + j] = (x[2p, j], x[2p + 1, j])`.
pub(super) fn along_columns(way: Way, block: Block, panels: Panels, out: &mut [u32]) {
    block.check();
    let pairs = block.rows.div_ceil(2);
    match panels {
        Panels::One(width) => assert!(block.columns <= width && out.len() >= pairs * width),
        Panels::Many { pairs: all, first } => {
            assert!(first + pairs <= all && out.len() >= all * block.columns.next_multiple_of(LANES));
        }
    }
    match way {
        // SAFETY: this way is only chosen where the processor has the instruction; the sizes were asserted.
        #[cfg(target_arch = "x86_64")]
        Way::Instruction => unsafe { super::pack_x86::along_columns(block, panels, out) },
        #[cfg(not(target_arch = "x86_64"))]
        Way::Instruction => AlongColumns { block, panels, out }.run(),
        Way::Emulated(isa) => vectorized_with(isa, AlongColumns { block, panels, out }),
    }
}

struct AlongRows<'a> {
    block: Block<'a>,
    out: &'a mut [u32],
}

impl Kernel for AlongRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Block { x, row_len, rows, columns } = self.block;
        for i in 0..rows {
            let row = &x[i * row_len..][..columns];
            let out = &mut self.out[i * STRIDE..];
            let (pairs, last) = row.as_chunks::<2>();
            for (out, &[even, odd]) in out.iter_mut().zip(pairs) {
                *out = pair(even, odd);
            }
            if let [last] = last {
                out[pairs.len()] = pair(*last, 0.0);
            }
        }
    }
}

struct RowsToColumns<'a> {
    block: Block<'a>,
    width: usize,
    out: &'a mut [u32],
}

impl Kernel for RowsToColumns<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Block { x, row_len, rows, columns } = self.block;
        let pairs = columns.div_ceil(2);
        for j in 0..LANES {
            let row = if j < rows { &x[j * row_len..][..columns] } else { &[] };
            let at = |i: usize| row.get(i).copied().unwrap_or(0.0);
            for p in 0..pairs {
                self.out[p * self.width + j] = pair(at(2 * p), at(2 * p + 1));
            }
        }
    }
}

struct AlongColumns<'a> {
    block: Block<'a>,
    panels: Panels,
    out: &'a mut [u32],
}

impl Kernel for AlongColumns<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Block { x, row_len, rows, columns } = self.block;
        for first in (0..columns).step_by(self.panels.step()) {
            let width = self.panels.width(columns, first);
            let here = (columns - first).min(width);
            for p in 0..rows.div_ceil(2) {
                let out = &mut self.out[self.panels.at(p, first, width)..][..width];
                let even = &x[2 * p * row_len + first..][..here];
                let (there, beyond) = out.split_at_mut(here);
                if 2 * p + 1 < rows {
                    let odd = &x[(2 * p + 1) * row_len + first..][..here];
                    for ((out, &even), &odd) in there.iter_mut().zip(even).zip(odd) {
                        *out = pair(even, odd);
                    }
                } else {
                    for (out, &even) in there.iter_mut().zip(even) {
                        *out = pair(even, 0.0);
                    }
                }
                beyond.fill(0);
            }
        }
    }
}
