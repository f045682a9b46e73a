//! Backward through time: the steps' gradients block by block, then the products of the whole block.

use std::ops::Range;

use glassnet_kernels::product::packed::{Packed, packed_len};
use glassnet_kernels::product::sum_rows;
use glassnet_kernels::{Kernel, vectorized};

use super::forward::gather;
use super::{BLOCK, Back, Cell, Layer, Lengths, Room, Sizes, Start, block_of, blocks, largest_group};
use crate::Real;
use crate::ops::Backward;

/// What all threads read. Rows are numbered from the batch's first.
struct Fixed<'a, T: 'static, C> {
    cell: C,
    sizes: Sizes,
    reverse: bool,
    /// Whether the gradient of the state before the first step is wanted.
    to_start: bool,
    lengths: Lengths<'a>,
    /// W_hh for `d_hidden W_hh`.
    hidden: Packed<'a, T>,
    gates: &'a [T],
    kept: &'a [T],
    y: &'a [T],
    upstream: &'a [T],
    start: Start<'a, T>,
}

impl<'a, T: Real, C: Cell> Fixed<'a, T, C> {
    /// The position before `position` in the order of reading; `None` where that is the row's first.
    fn before(&self, row: usize, position: usize) -> Option<usize> {
        if self.reverse {
            Some(position + 1).filter(|&next| next < self.lengths.of(row))
        } else {
            position.checked_sub(1)
        }
    }

    /// h before the step.
    fn h_before(&self, row: usize, position: usize) -> &'a [T] {
        let Sizes { time, units, .. } = self.sizes;
        match self.before(row, position) {
            Some(before) => &self.y[(row * time + before) * units..][..units],
            None => self.start.h(row, units),
        }
    }

    /// What [`Back::before`] is: the memory before the step where there is one, else h.
    fn remembered(&self, row: usize, position: usize) -> &'a [T] {
        let Sizes { time, memory, .. } = self.sizes;
        if !C::MEMORY {
            return self.h_before(row, position);
        }
        match self.before(row, position) {
            Some(before) => &self.kept[(row * time + before) * memory..][..memory],
            None => self.start.c(row, memory),
        }
    }
}

/// The rows of one thread. Slices over positions hold the block's only.
struct Rows<'a, T> {
    d_input: &'a mut [T],
    d_hidden: &'a mut [T],
    h_before: &'a mut [T],
    dh: &'a mut [T],
    dc: &'a mut [T],
}

/// One step of a run of rows, numbered from the thread's first.
struct StepRows<'a, T: 'static, C> {
    fixed: &'a Fixed<'a, T, C>,
    first: usize,
    rows: Range<usize>,
    positions: usize,
    place: usize,
    position: usize,
    all: Rows<'a, T>,
}

impl<T: Real, C: Cell> Kernel for StepRows<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let fixed = self.fixed;
        let Sizes { time, units, gates, kept, memory, .. } = fixed.sizes;
        let apart = if C::APART { gates } else { 0 };
        let all = self.all;
        for row in self.rows {
            let number = self.first + row;
            let (at, pair) = (number * time + self.position, row * self.positions + self.place);
            let dh = &mut all.dh[row * units..][..units];
            for (dh, &up) in dh.iter_mut().zip(&fixed.upstream[at * units..][..units]) {
                *dh += up;
            }
            all.h_before[pair * units..][..units].copy_from_slice(fixed.h_before(number, self.position));
            fixed.cell.back(Back {
                gates: &fixed.gates[at * gates..][..gates],
                kept: &fixed.kept[at * kept..][..kept],
                before: fixed.remembered(number, self.position),
                dh,
                dc: &mut all.dc[row * memory..][..memory],
                d_input: &mut all.d_input[pair * gates..][..gates],
                d_hidden: &mut all.d_hidden[pair * apart..][..apart],
            });
        }
    }
}

/// All steps of a block of positions, in reverse order, for the rows of one thread.
fn steps<T: Real, C: Cell>(fixed: &Fixed<'_, T, C>, first: usize, block: Range<usize>, rows: Rows<'_, T>) {
    let Sizes { time, units, gates, .. } = fixed.sizes;
    let count = rows.dh.len() / units;
    let numbers = first..first + count;
    let apart = if C::APART { gates } else { 0 };
    let alive = block.start..block.end.min(fixed.lengths.longest(numbers.clone()));
    let positions = block.len();
    // What is padding has no gradient.
    for (i, row) in numbers.clone().enumerate() {
        let padding = fixed.lengths.of(row).clamp(block.start, block.end) - block.start;
        rows.d_input[(i * positions + padding) * gates..(i + 1) * positions * gates].fill(T::ZERO);
        rows.d_hidden[(i * positions + padding) * apart..(i + 1) * positions * apart].fill(T::ZERO);
        rows.h_before[(i * positions + padding) * units..(i + 1) * positions * units].fill(T::ZERO);
    }
    for number in 0..alive.len() {
        let position = if fixed.reverse { alive.start + number } else { alive.end - 1 - number };
        let place = position - block.start;
        let last = if fixed.reverse { position + 1 == time } else { position == 0 };
        fixed.lengths.runs(numbers.clone(), position, |run| {
            let (m, at) = (run.len(), run.start * positions + place);
            let all = Rows {
                d_input: &mut *rows.d_input,
                d_hidden: &mut *rows.d_hidden,
                h_before: &mut *rows.h_before,
                dh: &mut *rows.dh,
                dc: &mut *rows.dc,
            };
            vectorized(StepRows { fixed, first, rows: run.clone(), positions, place, position, all });
            if fixed.to_start || !last {
                let d_hidden = if C::APART { &*rows.d_hidden } else { &*rows.d_input };
                let dh = &mut rows.dh[run.start * units..run.end * units];
                fixed.hidden.multiply(m, &d_hidden[at * gates..], positions * gates, dh, units, C::APART);
            }
        });
    }
}

impl<C: Cell> Layer<C> {
    pub(crate) fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let sizes = self.sizes(&io.shapes[0]);
        let Sizes { time, features, units, gates, kept, memory, start } = sizes;
        let (rows, team) = (io.rows, io.context.team);
        if rows == 0 {
            return;
        }
        let (x, weight_ih, weight_hh) = (io.inputs[0], io.parameters[0], io.parameters[1]);
        let (saved_gates, rest) = io.saved.split_at(rows * time * gates);
        let (saved_kept, saved_start) = rest.split_at(rows * time * kept);
        let (group, size) = block_of(rows, time);
        let apart = if C::APART { gates } else { 0 };

        let mut room = Room(io.scratch);
        let hidden = Packed::straight(units, gates, weight_hh, room.cut(packed_len::<f32>(units, gates)));
        let zeros = room.cut(units);
        zeros.fill(T::ZERO);
        let bias = room.cut(gates);
        let held = largest_group(time);
        let (dh, dc) = (room.cut(held * units), room.cut(held * memory));
        let (d_input, d_hidden) = (room.cut(BLOCK * gates), room.cut(BLOCK * apart));
        let h_before = room.cut(BLOCK * units);
        let gathered = room.cut(if time > size { BLOCK * features } else { 0 });

        let start = if self.initial {
            Start { h: io.inputs[1], c: if C::MEMORY { io.inputs[2] } else { &[] }, row: units }
        } else if self.carry {
            Start { h: saved_start, c: &saved_start[units..], row: start }
        } else {
            Start { h: zeros, c: zeros, row: 0 }
        };
        let lengths = Lengths { labels: if self.lengths { io.labels } else { &[] }, time };
        let fixed = Fixed {
            cell: self.cell,
            sizes,
            reverse: self.reverse,
            to_start: self.initial,
            lengths,
            hidden,
            gates: saved_gates,
            kept: saved_kept,
            y: io.output,
            upstream: io.upstream,
            start,
        };
        let (mut d_x, rest) = match io.input_gradients.split_first_mut() {
            Some((d_x, rest)) => (d_x.as_deref_mut(), rest),
            None => (None, &mut [][..]),
        };
        let mut d_start = rest.iter_mut().take(self.initials());
        let mut d_h0 = d_start.next().and_then(Option::as_deref_mut);
        let mut d_c0 = d_start.next().and_then(Option::as_deref_mut);

        for first in (0..rows).step_by(group) {
            let numbers = first..(first + group).min(rows);
            let count = numbers.len();
            dh[..count * units].fill(T::ZERO);
            dc[..count * memory].fill(T::ZERO);
            let longest = lengths.longest(numbers.clone());
            // Blocks that are padding for all of these rows.
            if let Some(d_x) = &mut d_x {
                for row in numbers.clone() {
                    d_x[(row * time + longest) * features..(row + 1) * time * features].fill(T::ZERO);
                }
            }
            for block in blocks(longest, time, size, !self.reverse) {
                let positions = block.len();
                let pairs = count * positions;
                let slices = [
                    (&mut *d_input, positions * gates),
                    (&mut *d_hidden, positions * apart),
                    (&mut *h_before, positions * units),
                    (&mut *dh, units),
                    (&mut *dc, memory),
                ];
                let min_rows = self.min_rows(&sizes, positions);
                team.split_together(count, min_rows, slices, &|run, [d_input, d_hidden, h_before, dh, dc]| {
                    let rows = Rows { d_input, d_hidden, h_before, dh, dc };
                    steps(&fixed, first + run.start, block.clone(), rows);
                });
                let d_input = &d_input[..pairs * gates];
                let d_hidden = if C::APART { &d_hidden[..pairs * gates] } else { d_input };
                let x = if positions == time {
                    &x[first * time * features..][..pairs * features]
                } else {
                    gather(x, features, time, numbers.clone(), block.clone(), gathered);
                    &gathered[..pairs * features]
                };
                io.context.product_tn(gates, features, pairs, d_input, x, io.parameter_gradients[0]);
                io.context.product_tn(gates, units, pairs, d_hidden, h_before, io.parameter_gradients[1]);
                if self.bias {
                    add_sums(d_input, bias, io.parameter_gradients[2]);
                    if C::APART {
                        add_sums(d_hidden, bias, io.parameter_gradients[3]);
                    } else {
                        add(bias, io.parameter_gradients[3]);
                    }
                }
                let Some(d_x) = &mut d_x else { continue };
                if positions == time {
                    let d_x = &mut d_x[first * time * features..][..pairs * features];
                    io.context.product_nn(pairs, features, gates, d_input, weight_ih, d_x);
                } else {
                    io.context.product_nn(pairs, features, gates, d_input, weight_ih, gathered);
                    let len = positions * features;
                    for (row, from) in numbers.clone().zip(gathered.chunks_exact(len)) {
                        d_x[(row * time + block.start) * features..][..len].copy_from_slice(from);
                    }
                }
            }
            if let Some(d_h0) = &mut d_h0 {
                d_h0[first * units..][..count * units].copy_from_slice(&dh[..count * units]);
            }
            if let Some(d_c0) = &mut d_c0 {
                d_c0[first * memory..][..count * memory].copy_from_slice(&dc[..count * memory]);
            }
        }
    }
}

/// `sums` = the block's sum, `to += sums`.
fn add_sums<T: Real>(rows: &[T], sums: &mut [T], to: &mut [T]) {
    sums.fill(T::ZERO);
    sum_rows(sums.len(), rows, sums);
    add(sums, to);
}

fn add<T: Real>(sums: &[T], to: &mut [T]) {
    for (to, &sum) in to.iter_mut().zip(sums) {
        *to += sum;
    }
}
