//! Forward along the time axis.

use std::ops::Range;

use glassnet_kernels::product::packed::{Packed, packed_len};
use glassnet_kernels::{Kernel, vectorized};

use super::{Cell, FORWARD_GROUP, Layer, Lengths, Room, Sizes, block_of, blocks, largest_group};
use crate::Real;
use crate::ops::Forward;

/// The recurrent weight in panels.
struct Hidden<'a, T: 'static> {
    /// Gates whose recurrent part is added to the input part.
    joined: Packed<'a, T>,
    /// The last gate, where its recurrent part stays apart.
    apart: Option<Packed<'a, T>>,
}

/// What all threads read.
struct Fixed<'a, T: 'static, C> {
    cell: C,
    sizes: Sizes,
    reverse: bool,
    lengths: Lengths<'a>,
    hidden: Hidden<'a, T>,
    bias_ih: &'a [T],
    bias_hh: &'a [T],
}

/// The rows of one thread. Slices of gates and kept hold the block's positions only.
struct Rows<'a, T> {
    gates: &'a mut [T],
    kept: &'a mut [T],
    h: &'a mut [T],
    c: &'a mut [T],
    y: &'a mut [T],
}

/// One step of a run of rows.
struct StepRows<'a, T: 'static, C> {
    fixed: &'a Fixed<'a, T, C>,
    rows: Range<usize>,
    /// Positions of the block, and the step's place among them.
    positions: usize,
    place: usize,
    position: usize,
    all: &'a mut Rows<'a, T>,
}

impl<T: Real, C: Cell> Kernel for StepRows<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Fixed { cell, sizes, bias_ih, bias_hh, .. } = self.fixed;
        let Sizes { time, units, gates, kept, memory, .. } = *sizes;
        let all = self.all;
        for row in self.rows {
            let at = row * self.positions + self.place;
            let g = &mut all.gates[at * gates..][..gates];
            let k = &mut all.kept[at * kept..][..kept];
            if !bias_ih.is_empty() {
                let joined = if C::APART { gates - units } else { gates };
                let (first, last) = g.split_at_mut(joined);
                for ((z, &b), &more) in first.iter_mut().zip(*bias_ih).zip(*bias_hh) {
                    *z = (*z + b) + more;
                }
                for (z, &b) in last.iter_mut().zip(&bias_ih[joined..]) {
                    *z += b;
                }
                if C::APART {
                    for (z, &b) in k.iter_mut().zip(&bias_hh[joined..]) {
                        *z += b;
                    }
                }
            }
            let h = &mut all.h[row * units..][..units];
            let c = &mut all.c[row * memory..][..memory];
            let y = &mut all.y[(row * time + self.position) * units..][..units];
            cell.step(g, k, h, c, y);
        }
    }
}

/// All steps of a block of positions, for the rows of one thread (`first` is the number of the first of them).
fn steps<T: Real, C: Cell>(fixed: &Fixed<'_, T, C>, first: usize, block: Range<usize>, rows: Rows<'_, T>) {
    let Sizes { units, gates, kept, .. } = fixed.sizes;
    let count = rows.h.len() / units;
    let numbers = first..first + count;
    let alive = block.start..block.end.min(fixed.lengths.longest(numbers.clone()));
    let positions = block.len();
    for number in 0..alive.len() {
        let position = if fixed.reverse { alive.end - 1 - number } else { alive.start + number };
        let place = position - block.start;
        fixed.lengths.runs(numbers.clone(), position, |run| {
            let m = run.len();
            let at = run.start * positions + place;
            let h = &rows.h[run.start * units..run.end * units];
            fixed.hidden.joined.multiply(m, h, units, &mut rows.gates[at * gates..], positions * gates, true);
            if let Some(apart) = &fixed.hidden.apart {
                apart.multiply(m, h, units, &mut rows.kept[at * kept..], positions * kept, false);
            }
            let all = &mut Rows {
                gates: &mut *rows.gates,
                kept: &mut *rows.kept,
                h: &mut *rows.h,
                c: &mut *rows.c,
                y: &mut *rows.y,
            };
            vectorized(StepRows { fixed, rows: run, positions, place, position, all });
        });
    }
}

impl<C: Cell> Layer<C> {
    pub(crate) fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let sizes = self.sizes(&io.shapes[0]);
        let Sizes { time, features, units, gates, kept, memory, start } = sizes;
        let (rows, team) = (io.rows, io.context.team);
        if rows == 0 {
            return;
        }
        let (x, weight_ih, weight_hh) = (io.inputs[0], io.parameters[0], io.parameters[1]);
        let (bias_ih, bias_hh) = if self.bias { (io.parameters[2], io.parameters[3]) } else { (&[][..], &[][..]) };
        let mut room = Room(io.scratch);
        let hidden = if C::APART {
            let joined = gates - units;
            Hidden {
                joined: Packed::transposed(joined, units, weight_hh, room.cut(packed_len::<f32>(joined, units))),
                apart: Some(Packed::transposed(
                    units,
                    units,
                    &weight_hh[joined * units..],
                    room.cut(packed_len::<f32>(units, units)),
                )),
            }
        } else {
            let room = room.cut(packed_len::<f32>(gates, units));
            Hidden { joined: Packed::transposed(gates, units, weight_hh, room), apart: None }
        };
        let lengths = Lengths { labels: if self.lengths { io.labels } else { &[] }, time };
        let fixed = Fixed { cell: self.cell, sizes, reverse: self.reverse, lengths, hidden, bias_ih, bias_hh };

        // Where there is a backward the gates go to what is saved, all input products as one; else through a room of one
        // block.
        let saving = !io.saved.is_empty();
        let (saved_gates, rest) = io.saved.split_at_mut(if saving { rows * time * gates } else { 0 });
        let (saved_kept, saved_start) = rest.split_at_mut(if saving { rows * time * kept } else { 0 });
        let (group, size) = if saving {
            io.context.product_nt(rows * time, gates, features, x, weight_ih, saved_gates, None);
            (FORWARD_GROUP * team.threads(), time)
        } else {
            block_of(rows, time)
        };
        let group = group.min(rows);
        let held = if saving { group } else { largest_group(time) };
        let (h, c) = (room.cut(held * units), room.cut(held * memory));
        let block_len = if saving { 0 } else { super::BLOCK };
        let (block_gates, block_kept) = (room.cut(block_len * gates), room.cut(block_len * kept));
        let gathered = room.cut(if time > size { block_len * features } else { 0 });

        for first in (0..rows).step_by(group) {
            let numbers = first..(first + group).min(rows);
            let count = numbers.len();
            for (i, row) in numbers.clone().enumerate() {
                let (h, c) = (&mut h[i * units..][..units], &mut c[i * memory..][..memory]);
                if self.initial {
                    h.copy_from_slice(&io.inputs[1][row * units..][..units]);
                    if C::MEMORY {
                        c.copy_from_slice(&io.inputs[2][row * units..][..units]);
                    }
                } else if self.carry && io.context.time > 0 {
                    let state = &io.state[row * start..][..start];
                    h.copy_from_slice(&state[..units]);
                    c.copy_from_slice(&state[units..]);
                } else {
                    h.fill(T::ZERO);
                    c.fill(T::ZERO);
                }
                if saving && start > 0 {
                    let saved = &mut saved_start[row * start..][..start];
                    saved[..units].copy_from_slice(h);
                    saved[units..].copy_from_slice(c);
                }
                let padding = (row * time + lengths.of(row)) * units..(row + 1) * time * units;
                io.output[padding].fill(T::ZERO);
            }
            for block in blocks(lengths.longest(numbers.clone()), time, size, self.reverse) {
                let positions = if saving { time } else { block.len() };
                let (g, k) = if saving {
                    (
                        &mut saved_gates[first * time * gates..][..count * time * gates],
                        &mut saved_kept[first * time * kept..][..count * time * kept],
                    )
                } else {
                    let pairs = count * positions;
                    let x = if positions == time {
                        &x[first * time * features..]
                    } else {
                        gather(x, features, time, numbers.clone(), block.clone(), gathered);
                        &*gathered
                    };
                    io.context.product_nt(pairs, gates, features, x, weight_ih, block_gates, None);
                    (&mut block_gates[..pairs * gates], &mut block_kept[..pairs * kept])
                };
                let place = if saving { 0..time } else { block.clone() };
                let min_rows = self.min_rows(&sizes, block.len());
                let slices = [
                    (g, positions * gates),
                    (k, positions * kept),
                    (&mut *h, units),
                    (&mut *c, memory),
                    (&mut io.output[first * time * units..], time * units),
                ];
                team.split_together(count, min_rows, slices, &|run, [gates, kept, h, c, y]| {
                    steps(&fixed, first + run.start, place.clone(), Rows { gates, kept, h, c, y });
                });
            }
            if self.carry {
                for (i, row) in numbers.enumerate() {
                    let state = &mut io.state[row * start..][..start];
                    state[..units].copy_from_slice(&h[i * units..][..units]);
                    state[units..].copy_from_slice(&c[i * memory..][..memory]);
                }
            }
        }
    }
}

/// The positions `block` of each row, side by side.
pub(super) fn gather<T: Real>(
    from: &[T],
    width: usize,
    time: usize,
    rows: Range<usize>,
    block: Range<usize>,
    to: &mut [T],
) {
    let len = block.len() * width;
    for (row, to) in rows.zip(to.chunks_exact_mut(len)) {
        to.copy_from_slice(&from[(row * time + block.start) * width..][..len]);
    }
}
