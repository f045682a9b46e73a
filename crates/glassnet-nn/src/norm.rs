//! The norm of all gradients together, in an order that no number of threads changes.
//!
//! Sums are taken in f64, blocks are summed by themselves and added in order. A *large matrix* (a weight of two axes and at least
//! 65,536 elements) is cut into tiles of 64 rows and 256 columns, tile after tile along the rows; in a tile, column j goes to
//! chain j mod 64. Everything else is cut into blocks of 4,096 elements of the flat buffer, across slots; element j goes to chain
//! j mod 16. Chains are joined by a tree. A tile can be summed as soon as it is made, before its neighbours are.

use std::ops::Range;

use glassnet_core::Team;
use glassnet_core::slots::{Role, Slot, Slots};
use glassnet_kernels::{Kernel, Real, vectorized};

/// Elements of a block of what is no large matrix.
const BLOCK: usize = 4096;
/// Chains of such a block.
const LANES: usize = 16;
/// Rows of a tile of a large matrix.
pub(crate) const TILE_ROWS: usize = 64;
/// Columns of a tile of a large matrix.
pub(crate) const TILE_COLUMNS: usize = 256;
/// Chains of a tile: with fewer a sum waits for the additions before it.
const TILE_LANES: usize = 64;
/// Elements from which on a weight of two axes is a large matrix.
const LARGE: usize = 1 << 16;
/// Blocks or tiles that are worth a thread: two microseconds or more.
const PART: usize = 8;

/// Rows and columns of a slot that is summed tile by tile.
pub(crate) fn large(slot: &Slot) -> Option<(usize, usize)> {
    match slot.shape[..] {
        [rows, columns] if slot.role == Role::Weight && slot.len() >= LARGE => Some((rows, columns)),
        _ => None,
    }
}

/// Tiles of a large matrix.
pub(crate) fn tiles(rows: usize, columns: usize) -> usize {
    rows.div_ceil(TILE_ROWS) * columns.div_ceil(TILE_COLUMNS)
}

/// What is summed together: trained slots side by side, or one large matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    /// Its place in the flat buffer.
    pub range: Range<usize>,
    /// Rows and columns of a large matrix.
    pub matrix: Option<(usize, usize)>,
}

/// The pieces of a layout in its order; statistics are in none.
pub(crate) fn pieces(slots: &Slots) -> impl Iterator<Item = Piece> {
    let mut rest = slots.iter().peekable();
    std::iter::from_fn(move || {
        while rest.next_if(|slot| slot.role.is_statistic()).is_some() {}
        let slot = rest.next()?;
        let mut piece = Piece { range: slot.range(), matrix: large(slot) };
        if piece.matrix.is_none() {
            while let Some(slot) = rest.next_if(|slot| !slot.role.is_statistic() && large(slot).is_none()) {
                piece.range.end = slot.range().end;
            }
        }
        Some(piece)
    })
}

impl Piece {
    fn blocks(&self) -> usize {
        self.matrix.map_or(self.range.len().div_ceil(BLOCK), |(rows, columns)| tiles(rows, columns))
    }

    /// Sum of squares of a block; `x` is the piece.
    fn block<T: Real>(&self, x: &[T], number: usize) -> f64 {
        let Some((rows, columns)) = self.matrix else {
            let start = number * BLOCK;
            return vectorized(Squares::<_, LANES> {
                x: &x[start..x.len().min(start + BLOCK)],
                row_len: BLOCK,
                width: BLOCK,
            });
        };
        let across = columns.div_ceil(TILE_COLUMNS);
        let (row, column) = (number / across * TILE_ROWS, number % across * TILE_COLUMNS);
        let (height, width) = (TILE_ROWS.min(rows - row), TILE_COLUMNS.min(columns - column));
        let start = row * columns + column;
        tile(&x[start..start + (height - 1) * columns + width], columns, width)
    }
}

/// Sum of squares of a tile of `width` columns, whose rows stand `row_len` apart.
pub(crate) fn tile<T: Real>(x: &[T], row_len: usize, width: usize) -> f64 {
    vectorized(Squares::<_, TILE_LANES> { x, row_len, width })
}

/// The norm of gradients of that layout, over the threads of a team. `room` holds the blocks' sums, as many as
/// [`room`] says; with less the caller sums alone. What stands in the place of statistics is no gradient and does not count.
pub(crate) fn norm<T: Real>(team: &Team, slots: &Slots, gradients: &[T], room: &mut [f64]) -> f64 {
    pieces(slots).fold(0.0, |sum, piece| sum + sum_of_piece(team, &piece, gradients, room)).sqrt()
}

/// Sum of squares of a piece of the flat buffer `gradients`.
pub(crate) fn sum_of_piece<T: Real>(team: &Team, piece: &Piece, gradients: &[T], room: &mut [f64]) -> f64 {
    let (x, blocks) = (&gradients[piece.range.clone()], piece.blocks());
    let Some(room) = room.get_mut(..blocks).filter(|_| team.threads() > 1 && blocks >= 2 * PART) else {
        return (0..blocks).fold(0.0, |sum, number| sum + piece.block(x, number));
    };
    team.split_rows(room, 1, PART, &|first, sums| {
        for (number, sum) in (first..).zip(sums) {
            *sum = piece.block(x, number);
        }
    });
    room.iter().fold(0.0, |sum, block| sum + block)
}

/// Blocks of the largest piece.
pub(crate) fn room(slots: &Slots) -> usize {
    pieces(slots).map(|piece| piece.blocks()).max().unwrap_or(0)
}

/// Sum of squares in f64, in blocks of 4,096 elements.
pub(crate) fn sum_of_squares<T: Real>(x: &[T]) -> f64 {
    let block = |x| vectorized(Squares::<_, LANES> { x, row_len: BLOCK, width: BLOCK });
    x.chunks(BLOCK).map(block).fold(0.0, |sum, block| sum + block)
}

/// Rows of `width` elements (the last may be shorter), `row_len` apart, element j of a row in chain j mod `N`.
struct Squares<'a, T, const N: usize> {
    x: &'a [T],
    row_len: usize,
    width: usize,
}

impl<T: Real, const N: usize> Kernel for Squares<'_, T, N> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0_f64; N];
        for row in self.x.chunks(self.row_len) {
            let row = &row[..self.width.min(row.len())];
            let whole = row.chunks_exact(N);
            let tail = whole.remainder();
            for chunk in whole {
                for j in 0..N {
                    let x = chunk[j].to_f64();
                    lanes[j] = Real::mul_add(x, x, lanes[j]);
                }
            }
            for (lane, x) in lanes.iter_mut().zip(tail) {
                let x = x.to_f64();
                *lane = Real::mul_add(x, x, *lane);
            }
        }
        let mut width = N / 2;
        while width > 0 {
            for j in 0..width {
                lanes[j] += lanes[j + width];
            }
            width /= 2;
        }
        lanes[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_norm_is_that_of_the_plain_sum_on_any_team() {
        let mut slots = Slots::default();
        for (name, shape, role) in [
            ("a", &[70, 1000][..], Role::Weight),
            ("b", &[70], Role::Bias),
            ("m", &[9], Role::RunningMean),
            ("c", &[3, 5], Role::Weight),
            ("d", &[40_000, 2], Role::Weight),
            ("e", &[300, 257], Role::Weight),
        ] {
            slots.push(name, shape, role);
        }
        let x: Vec<f32> = (0..slots.len()).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        let statistic = slots.find("m").unwrap().range();
        let counted = |(i, x): (usize, &f32)| if statistic.contains(&i) { 0.0 } else { f64::from(*x).powi(2) };
        let plain = x.iter().enumerate().map(counted).sum::<f64>().sqrt();
        let alone = norm(&Team::single(), &slots, &x, &mut []);
        assert!((alone - plain).abs() <= 1e-12 * plain);
        for threads in [1, 2, 3] {
            let mut room = vec![f64::NAN; room(&slots)];
            assert_eq!(norm(&Team::new(threads), &slots, &x, &mut room).to_bits(), alone.to_bits(), "{threads}");
        }
        let matrix = pieces(&slots).find(|piece| piece.matrix == Some((300, 257))).unwrap();
        assert_eq!(matrix.blocks(), 5 * 2);
    }
}
