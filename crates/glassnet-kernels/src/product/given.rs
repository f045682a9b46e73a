//! The gradient of a weight, given away block by block as soon as it is made: what an optimizer does with it happens while it is
//! in the cache, and it is never written to memory.

use std::marker::PhantomData;
use std::ops::Range;

use super::product_tn;
use crate::Real;
use crate::team::{Shared, Team};

/// Columns of a block.
pub const BLOCK_COLUMNS: usize = 256;

/// Rows of a block: with many, the panels of the right operand are packed less often; with few, threads share evenly.
fn block_rows(m: usize) -> usize {
    if m >= 2048 { 256 } else { 64 }
}

/// A block of `[m, n]` buffers, to be changed.
pub struct Tile<'a, T> {
    start: *mut T,
    row_len: usize,
    rows: usize,
    columns: usize,
    buffer: PhantomData<&'a mut T>,
}

impl<T> Tile<'_, T> {
    /// Row `row` of the block; empty for a buffer that is not there.
    pub fn row(&mut self, row: usize) -> &mut [T] {
        assert!(row < self.rows, "the block has no row {row}");
        // SAFETY: the block lies within its buffer and is nobody else's; the row is one of the block's, as just asserted.
        unsafe { std::slice::from_raw_parts_mut(self.start.wrapping_add(row * self.row_len), self.columns) }
    }
}

/// A block of a product, and the same block of other buffers.
pub struct Block<'a, T, const N: usize> {
    /// Its rows in the whole.
    pub rows: Range<usize>,
    /// Its columns in the whole.
    pub columns: Range<usize>,
    /// The product's elements, row after row.
    pub values: &'a [T],
    /// The same place of each buffer.
    pub others: [Tile<'a, T>; N],
}

/// Elements of room that [`product_tn_given`] needs.
pub fn given_room(team: &Team, m: usize, n: usize, k: usize) -> usize {
    let columns = BLOCK_COLUMNS.min(n);
    let of_thread = k.saturating_mul(columns).saturating_add(block_rows(m).min(m) * columns);
    k.saturating_mul(m).saturating_add(team.threads().saturating_mul(of_thread))
}

/// `a[k,m]^T b[k,n]` with the bytes of [`product_tn`] on zeros, block by block: `take` gets each block once, from any thread,
/// with the same block of the buffers `others` (`[m, n]`, or empty for one that is not there). Blocks begin at multiples of 64
/// rows and [`BLOCK_COLUMNS`] columns.
///
/// # Panics
/// Where an operand, a buffer or the room is shorter than these shapes.
#[allow(clippy::too_many_arguments)]
pub fn product_tn_given<T: Real, const N: usize>(
    team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &[T],
    others: [&mut [T]; N],
    room: &mut [T],
    take: &(dyn Fn(Block<'_, T, N>) + Sync),
) {
    assert!(a.len() >= k.saturating_mul(m) && b.len() >= k.saturating_mul(n), "an operand is shorter than its shape");
    assert!(room.len() >= given_room(team, m, n, k), "the room is too small");
    if m == 0 || n == 0 {
        return;
    }
    let others = others.map(|other| {
        assert!(other.is_empty() || other.len() >= m.saturating_mul(n), "a buffer has fewer elements than {m} x {n}");
        (other.is_empty(), Shared::new(other))
    });
    let height = block_rows(m).min(m);
    let (turned, rest) = room.split_at_mut(k * m);
    // The rows of a block side by side, block after block: as they stand, one step along k is a whole row of `a` further.
    let copy = |first: usize, rows: usize, out: &mut [T]| {
        for (out, a) in out.chunks_exact_mut(rows).zip(a.chunks_exact(m)) {
            out.copy_from_slice(&a[first..first + rows]);
        }
    };
    if k > 0 {
        let (whole, last) = turned.split_at_mut(m / height * height * k);
        team.split_rows(whole, height * k, 1, &|first, blocks| {
            for (number, block) in (first..).zip(blocks.chunks_exact_mut(height * k)) {
                copy(number * height, height, block);
            }
        });
        if !last.is_empty() {
            copy(m / height * height, m % height, last);
        }
    }
    let turned = &*turned;
    let (down, across) = (m.div_ceil(height), n.div_ceil(BLOCK_COLUMNS));
    let parts = team.threads().min(down * across);
    let columns = BLOCK_COLUMNS.min(n);
    let own = k * columns + height * columns;
    let rooms = Shared::new(rest);
    team.fork(parts, &|part| {
        // SAFETY: each part has its own `own` elements of the room, which holds as many as there are threads.
        let room = unsafe { std::slice::from_raw_parts_mut(rooms.pointer().add(part * own), own) };
        let (right, product) = room.split_at_mut(k * columns);
        let mut copied = usize::MAX;
        for column in 0..across {
            let columns = column * BLOCK_COLUMNS..((column + 1) * BLOCK_COLUMNS).min(n);
            let width = columns.len();
            for row in 0..down {
                let rows = row * height..((row + 1) * height).min(m);
                // The part in which the block's middle lies, all elements being laid out column of blocks by column of blocks.
                let middle = 2 * columns.start * m + (rows.start + rows.end) * width;
                if middle * parts / (2 * m * n) != part {
                    continue;
                }
                let right = &mut right[..k * width];
                if copied != column {
                    for (right, b) in right.chunks_exact_mut(width).zip(b.chunks_exact(n)) {
                        right.copy_from_slice(&b[columns.clone()]);
                    }
                    copied = column;
                }
                let product = &mut product[..rows.len() * width];
                product.fill(T::ZERO);
                let left = &turned[rows.start * k..rows.end * k];
                product_tn(&Team::single(), rows.len(), width, k, left, right, product);
                let others = others.each_ref().map(|(none, other)| Tile {
                    start: other.pointer().wrapping_add(if *none { 0 } else { rows.start * n + columns.start }),
                    row_len: if *none { 0 } else { n },
                    rows: rows.len(),
                    columns: if *none { 0 } else { width },
                    buffer: PhantomData,
                });
                take(Block { rows, columns: columns.clone(), values: product, others });
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_comes_once_with_the_bytes_of_the_whole() {
        for (m, n, k) in
            [(1, 1, 1), (64, 256, 3), (65, 257, 5), (100, 784, 40), (3, 1000, 0), (2100, 300, 7), (70, 3, 1030)]
        {
            let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i as f32).sqrt() % 1.0 - 0.4).collect() };
            let (a, b) = (numbers(k * m), numbers(k * n));
            let mut whole = vec![0.0; m * n];
            product_tn(&Team::single(), m, n, k, &a, &b, &mut whole);
            for threads in 1..=3 {
                let team = Team::new(threads);
                let (mut sum, mut count) = (vec![0.0f32; m * n], vec![0.0f32; m * n]);
                let mut room = vec![f32::NAN; given_room(&team, m, n, k)];
                let others: [&mut [f32]; 3] = [&mut sum, &mut [], &mut count];
                product_tn_given(&team, m, n, k, &a, &b, others, &mut room, &|mut block| {
                    assert!(block.rows.start % 64 == 0 && block.columns.start % BLOCK_COLUMNS == 0);
                    assert!(block.others[1].row(0).is_empty());
                    for (row, values) in block.values.chunks_exact(block.columns.len()).enumerate() {
                        block.others[0].row(row).copy_from_slice(values);
                        block.others[2].row(row).iter_mut().for_each(|count| *count += 1.0);
                    }
                });
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&sum), bits(&whole), "{m} x {n} x {k}, {threads}");
                assert!(count.iter().all(|&count| count == 1.0));
            }
        }
    }

    #[test]
    #[should_panic(expected = "fewer elements than 2 x 3")]
    fn a_short_buffer_is_refused() {
        let mut room = [0.0f32; 100];
        let others = [&mut [0.0f32; 5][..]];
        product_tn_given(&Team::single(), 2, 3, 1, &[0.0; 2], &[0.0; 3], others, &mut room, &|_| {});
    }
}
