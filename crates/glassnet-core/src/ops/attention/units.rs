//! Units of work: runs of positions of one row, handed to whoever asks next, with the pieces of memory that are theirs.

use std::sync::{Mutex, PoisonError};

use crate::{Real, Team};

/// Multiply-adds that are worth a thread.
const PART_WORK: u64 = 1 << 17;

/// A run of positions of one row, and its pieces.
pub(super) struct Unit<'a, T, const N: usize> {
    pub row: usize,
    /// First position.
    pub first: usize,
    /// Number of positions.
    pub count: usize,
    pub pieces: [&'a mut [T]; N],
}

/// All rows in runs of at most `run` positions. A piece has `widths` elements a position; one that is empty stays empty.
pub(super) struct Units<'a, T, const N: usize> {
    pub rows: usize,
    pub positions: usize,
    pub run: usize,
    pub widths: [usize; N],
    pub pieces: [&'a mut [T]; N],
    pub row: usize,
    pub first: usize,
}

impl<'a, T, const N: usize> Iterator for Units<'a, T, N> {
    type Item = Unit<'a, T, N>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.row >= self.rows {
            return None;
        }
        let (row, first) = (self.row, self.first);
        let count = self.run.min(self.positions - first);
        let pieces = std::array::from_fn(|i| {
            let rest = std::mem::take(&mut self.pieces[i]);
            let (piece, rest) = rest.split_at_mut((count * self.widths[i]).min(rest.len()));
            self.pieces[i] = rest;
            piece
        });
        self.first += count;
        if self.first >= self.positions {
            (self.row, self.first) = (row + 1, 0);
        }
        Some(Unit { row, first, count, pieces })
    }
}

/// Takes the next item; the lock is held no longer.
fn next<I: Iterator>(items: &Mutex<I>) -> Option<I::Item> {
    items.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Calls `f` on every unit, spread over the team's threads where there are `work` multiply-adds enough, each thread with
/// its own part of `scratch`. Who takes which unit is left to chance: units must not depend on each other.
pub(super) fn spread<T: Real, const N: usize>(
    team: &Team,
    work: u64,
    units: Units<'_, T, N>,
    scratch: &mut [T],
    f: &(dyn Fn(Unit<'_, T, N>, &mut [T]) + Sync),
) {
    let room = (scratch.len() / team.threads()).max(1);
    let most = units.rows * units.positions.div_ceil(units.run.max(1));
    let parts = (work / PART_WORK).min(most as u64).clamp(1, team.threads() as u64) as usize;
    let rooms = Mutex::new(scratch.chunks_exact_mut(room));
    let units = Mutex::new(units);
    team.fork(parts, &|_| {
        let Some(room) = next(&rooms) else { return };
        while let Some(unit) = next(&units) {
            f(unit, room);
        }
    });
}

/// Cuts a room into pieces of these sizes.
pub(super) fn cut<T, const N: usize>(room: &mut [T], sizes: [usize; N]) -> [&mut [T]; N] {
    let mut rest = room;
    sizes.map(|size| {
        let (piece, tail) = std::mem::take(&mut rest).split_at_mut(size);
        rest = tail;
        piece
    })
}
