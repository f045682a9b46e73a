//! Products whose right operand lies nowhere: it is made panel by panel where it is used. A convolution's matrix of
//! patches is one; written down, it would be as many times larger than the image as the kernel has taps.

use std::ops::Range;

use super::driver::{Chain, Left, Operand, PART_WORK, Product, Right, run, sweep};
use super::tile::{Ends, Tile, Tiles, tiles};
use super::{BLOCK, pack};
use crate::Real;
use crate::lanes::{Isa, current};
use crate::team::{Shared, Team, share};

/// Matrices, by number, of which any block can be written down.
pub trait Filled<T>: Sync {
    /// Writes rows `rows` of columns `columns` of matrix `number`: element (i, j) of that block goes to `out[i * step + j]`.
    /// `step` is at least the number of columns; what lies between the rows may be overwritten with anything.
    fn fill(&self, number: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [T], step: usize);
}

/// `c[m,n] = a[m,k] b[k,n]` with b matrix `number` of those that are made on the spot: the order of
/// [`super::product_nn`], a convolution's forward pass.
#[allow(clippy::too_many_arguments)]
pub fn product_nn_filled<T: Real>(
    team: &Team,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &dyn Filled<T>,
    number: usize,
    c: &mut [T],
) {
    let right = Right::Made(b, number);
    run(current(), team, &Product { m, n, k, a, left: Operand::Rows, right, chain: Chain::Store }, c);
}

/// A stack of products, summed over terms: `c[g] += sum over terms t of a[t, g] b[t, g]^T` for each group g, with
/// c `[groups, m, n]`, a `[terms, groups, m, k]`, and b\[t, g\] `[n, k]` matrix `t * groups + g` of those that are made on
/// the spot. Each term runs in blocks of [`BLOCK`] of k, one chain a block from +0, blocks added in the order of
/// (term, k): a convolution's weight gradient, with an example a term.
#[allow(clippy::too_many_arguments)]
pub fn product_nt_filled<T: Real>(
    team: &Team,
    terms: usize,
    groups: usize,
    m: usize,
    n: usize,
    k: usize,
    a: &[T],
    b: &dyn Filled<T>,
    c: &mut [T],
) {
    sum_of_terms(current(), team, &Terms { terms, groups, m, n, k, a, b }, c);
}

struct Terms<'a, T> {
    terms: usize,
    groups: usize,
    m: usize,
    n: usize,
    k: usize,
    a: &'a [T],
    b: &'a dyn Filled<T>,
}

/// Elements of k that are made at once before they are turned: 32 rows of f32 are then 16 KiB.
const PIECE: usize = 128;

fn sum_of_terms<T: Real>(isa: Isa, team: &Team, sum: &Terms<T>, c: &mut [T]) {
    let &Terms { terms, groups, m, n, k, .. } = sum;
    let elements = groups.saturating_mul(m).saturating_mul(n);
    let left = terms.saturating_mul(groups).saturating_mul(m).saturating_mul(k);
    assert!(sum.a.len() >= left, "the left operand has fewer elements than {terms} x {groups} x {m} x {k}");
    assert!(c.len() >= elements, "the result has fewer elements than {groups} x {m} x {n}");
    if elements == 0 || k == 0 {
        return;
    }
    let tiles = tiles::<T>(isa);
    let c = Shared::new(c);
    let work = elements.saturating_mul(terms).saturating_mul(k);
    let parts = (work / PART_WORK).clamp(1, team.threads());
    // A unit of work is a panel of columns of a group, cut across where there are too few.
    let panels = groups * n.div_ceil(2 * tiles.lanes);
    let heights = m.div_ceil(tiles.most);
    let cuts = parts.div_ceil(panels).min(heights);
    team.fork(parts, &|part| {
        let units = share(panels * cuts, parts, part);
        some_units(tiles, sum, units, cuts, &c);
    });
}

/// The units of one thread, term by term. Distinct parts must have distinct units.
fn some_units<T: Real>(tiles: &Tiles<T>, sum: &Terms<T>, units: Range<usize>, cuts: usize, c: &Shared<T>) {
    let &Terms { terms, groups, m, n, k, .. } = sum;
    let widest = 2 * tiles.lanes;
    let across = n.div_ceil(widest);
    let heights = m.div_ceil(tiles.most);
    let deep = k.min(BLOCK);
    let piece = PIECE.min(deep);
    pack::with_panel((deep + piece) * widest, |room| {
        let (panel, rows_made) = room.split_at_mut(deep * widest);
        for term in 0..terms {
            for unit in units.clone() {
                let (place, cut) = (unit / cuts, share(heights, cuts, unit % cuts));
                let (group, column) = (place / across, place % across * widest);
                let rows = cut.start * tiles.most..(cut.end * tiles.most).min(m);
                let there = (n - column).min(widest);
                let width = there.next_multiple_of(tiles.lanes);
                let matrix = term * groups + group;
                for start in (0..k).step_by(BLOCK) {
                    let depth = BLOCK.min(k - start);
                    let panel = &mut panel[..depth * width];
                    for (i, part) in panel.chunks_mut(piece * width).enumerate() {
                        let first = start + i * piece;
                        let made = part.len() / width;
                        sum.b.fill(matrix, column..column + there, first..first + made, rows_made, piece);
                        pack::turn_rows(tiles, rows_made, piece, there, width, part);
                    }
                    let a = sum.a.as_ptr().wrapping_add(matrix * m * k + start);
                    let c = c.pointer().wrapping_add(group * m * n + column);
                    let b = panel.as_ptr();
                    let ends = Ends::Add;
                    let tile = Tile {
                        a,
                        a_row: k,
                        a_step: 1,
                        b,
                        b_step: width,
                        c,
                        c_row: n,
                        columns: there,
                        k: depth,
                        ends,
                        ahead: std::ptr::null_mut(),
                    };
                    let left = Left { at: a, row: k, step: 1, tiled: false };
                    // SAFETY: the tiles are of an instruction set that the processor has; `sum_of_terms` has checked that
                    // a and c have all matrices; the panel has depth x width; rows and columns are this thread's own.
                    unsafe { sweep(tiles, &left, &tile, rows.clone()) };
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored matrices `[rows, columns]`, one after the other; spoils what lies between the rows.
    struct Stored<T>(Vec<T>, usize, usize);

    impl<T: Real> Filled<T> for Stored<T> {
        fn fill(&self, number: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [T], step: usize) {
            for (i, row) in rows.enumerate() {
                out[i * step..].iter_mut().take(step).for_each(|x| *x = T::from_f64(f64::NAN));
                let from = &self.0[(number * self.1 + row) * self.2..][..self.2];
                out[i * step..][..columns.len()].copy_from_slice(&from[columns.clone()]);
            }
        }
    }

    fn numbers<T: Real>(len: usize) -> Vec<T> {
        (0..len).map(|i| T::from_f64((i as f64 + 0.5).sqrt() % 1.0 - 0.4)).collect()
    }

    fn same_as_written_down<T: Real>() {
        for (m, n, k) in [(1, 1, 1), (3, 5, 2), (8, 32, 300), (23, 77, 1100), (64, 50, 257), (9, 33, 1025), (2, 2, 0)] {
            let a = numbers::<T>(m * k);
            let b = Stored(numbers::<T>(2 * k * n), k, n);
            let mut expected = vec![T::ONE; m * n];
            super::super::reference::product_nn(m, n, k, &a, &b.0[k * n..], &mut expected, false);
            for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
                for threads in [1, 3] {
                    let mut c = vec![T::ONE; m * n];
                    let product =
                        Product { m, n, k, a: &a, left: Operand::Rows, right: Right::Made(&b, 1), chain: Chain::Store };
                    run(isa, &Team::new(threads), &product, &mut c);
                    assert!(c == expected, "{} {m} x {n} x {k} {isa:?} {threads}", T::NAME);
                }
            }
        }
    }

    fn terms_in_order<T: Real>() {
        for (terms, groups, m, n, k) in [
            (1, 1, 1, 1, 1),
            (3, 2, 5, 40, 131),
            (2, 1, 64, 25, 1100),
            (4, 3, 1, 9, 50),
            (2, 1, 17, 33, 2049),
            (0, 1, 2, 2, 2),
        ] {
            let a = numbers::<T>(terms * groups * m * k);
            let b = Stored(numbers::<T>(terms * groups * n * k), n, k);
            let mut expected = numbers::<T>(groups * m * n);
            for t in 0..terms {
                for start in (0..k).step_by(BLOCK) {
                    for g in 0..groups {
                        for i in 0..m {
                            for j in 0..n {
                                let (a, b) =
                                    (&a[((t * groups + g) * m + i) * k..], &b.0[((t * groups + g) * n + j) * k..]);
                                let chain =
                                    (start..(start + BLOCK).min(k)).fold(T::ZERO, |sum, p| a[p].mul_add(b[p], sum));
                                expected[(g * m + i) * n + j] += chain;
                            }
                        }
                    }
                }
            }
            for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
                for threads in [1, 2, 4] {
                    let mut c = numbers::<T>(groups * m * n);
                    let sum = Terms { terms, groups, m, n, k, a: &a, b: &b };
                    sum_of_terms(isa, &Team::new(threads), &sum, &mut c);
                    assert!(c == expected, "{} {terms} x {groups} x {m} x {n} x {k} {isa:?} {threads}", T::NAME);
                }
            }
        }
    }

    #[test]
    fn a_matrix_made_on_the_spot_gives_the_bytes_of_one_written_down() {
        same_as_written_down::<f32>();
        same_as_written_down::<f64>();
    }

    #[test]
    fn terms_are_added_in_order_on_any_number_of_threads() {
        terms_in_order::<f32>();
        terms_in_order::<f64>();
    }
}
