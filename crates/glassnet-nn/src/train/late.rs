//! Updates that are fused with the products that make the gradients: a large weight's gradient is used up block by block while
//! it is in the cache, instead of being written to memory, read for its norm, and read again by the optimizer. The bytes are those
//! of the plain way (`docs/decisions/0022-late-updates.md`).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use glassnet_core::ops::linear::Linear;
use glassnet_core::plan::Pass;
use glassnet_core::runner::Late;
use glassnet_core::slots::{Slot, Slots};
use glassnet_core::{NodeId, Op, Precision, Runner, Team};
use glassnet_kernels::product::given::given_room;
use glassnet_kernels::{Kernel, Real, vectorized};

use super::spec::TrainSpec;
use crate::clip::Clip;
use crate::network::Network;
use crate::norm::{self, Piece};
use crate::optimizer::{Optimizer, OptimizerSpec};

/// The linear nodes whose weights are updated late: large ones that no other node reads, where a gradient is used once and as it
/// is (no accumulation, no clipping) by an optimizer whose formula is cheap.
pub(super) fn nodes(network: &Network, spec: &TrainSpec) -> Vec<NodeId> {
    let fits = spec.accumulate == 1
        && spec.clip == Clip::None
        && spec.precision == Precision::F32
        && !spec.checkpoint_activations
        && !spec.streams
        && matches!(spec.optimizer, OptimizerSpec::Sgd(_) | OptimizerSpec::RmsProp(_));
    let nodes = network.graph.nodes();
    let late = |number: &usize| {
        let node = &nodes[*number];
        let Some(&weight) = node.slots.first() else { return false };
        let readers = nodes.iter().flat_map(|node| &node.slots).filter(|&&slot| slot == weight).count();
        let slot = network.graph.slots().get(weight);
        let large = slot.len() >= LATE && norm::large(slot).is_some();
        fits && large && readers == 1 && matches!(node.op, Op::Linear(Linear { ntk: false, .. }))
    };
    (0..nodes.len()).filter(late).map(NodeId).collect()
}

/// Elements from which on a weight is updated late: its gradient is larger than the cache of a core, so that the plain way moves it
/// through memory four times. A smaller one stays in the cache between its product and its update.
const LATE: usize = 1 << 18;

/// What late updates need from step to step.
pub(super) struct LateUpdates<T> {
    /// All that a norm sums together, in order; which of it is updated late.
    pieces: Vec<(Piece, bool)>,
    /// The sums of the pieces.
    sums: Vec<f64>,
    /// The sums of the tiles of a late one, as bits.
    tiles: Vec<AtomicU64>,
    /// Largest magnitudes of runs of numbers.
    largest: Vec<f64>,
    room: Vec<T>,
}

impl<T: Real> LateUpdates<T> {
    /// Nothing where the plan has no line for one.
    pub(super) fn new(slots: &Slots, runner: &Runner<T>, team: &Team) -> Option<Self> {
        let plan = runner.plan();
        let lines: Vec<_> = plan.steps().iter().filter(|step| step.late && step.pass == Pass::Update).collect();
        if lines.is_empty() {
            return None;
        }
        let is_late = |range: &Range<usize>| lines.iter().any(|line| line.slots.first() == Some(range));
        let pieces: Vec<_> = norm::pieces(slots).map(|piece| (piece.clone(), is_late(&piece.range))).collect();
        let rows = plan.request().rows;
        let most = |of: &dyn Fn(usize, usize, usize) -> usize| {
            let sizes = lines.iter().map(|line| {
                let width = line.input_shapes.first().map_or(1, glassnet_core::Shape::last).max(1);
                let units = line.slots.first().map_or(0, |slot| slot.len() / width);
                let positions = line.input_shapes.first().map_or(1, |shape| shape.len() / width);
                of(units, width, rows * positions)
            });
            sizes.max().unwrap_or(0)
        };
        Some(LateUpdates {
            sums: vec![0.0; pieces.len()],
            tiles: (0..most(&|m, n, _| norm::tiles(m, n))).map(|_| AtomicU64::new(0)).collect(),
            largest: vec![0.0; most(&|m, n, k| (k * m.max(n)).div_ceil(RUN))],
            room: vec![T::ZERO; most(&|m, n, k| given_room(team, m, n, k))],
            pieces,
        })
    }

    /// The gradients that are not made late, set to 0.
    pub(super) fn clear(&self, gradients: &mut [T]) {
        let mut start = 0;
        for (piece, late) in &self.pieces {
            if *late {
                gradients[start..piece.range.start].fill(T::ZERO);
                start = piece.range.end;
            }
        }
        gradients[start..].fill(T::ZERO);
    }

    /// Whether all gradients are certainly finite: those that are there by their sums of squares, those that are not there yet by
    /// a bound (rows times the largest factors). Where the bound says no they may be finite all the same.
    pub(super) fn surely_finite(&mut self, team: &Team, runner: &Runner<T>, gradients: &[T]) -> bool {
        for ((piece, late), sum) in self.pieces.iter().zip(&mut self.sums) {
            if !late {
                *sum = norm::sum_of_piece(team, piece, gradients, &mut []);
                if !sum.is_finite() {
                    return false;
                }
            }
        }
        // Far below the largest number: partial sums stay below the bound but for rounding. Squares of f64 must be finite too.
        let limit = if T::BYTES == 4 { 1e38 } else { 1e140 };
        runner.late().all(|Late { x, upstream, width, .. }| {
            let rows = x.len() / width.max(1);
            let bound = rows as f64 * largest(team, x, &mut self.largest) * largest(team, upstream, &mut self.largest);
            bound < limit
        })
    }

    /// The step: every parameter changed once. Returns the gradients' norm. After [`LateUpdates::surely_finite`].
    #[allow(clippy::too_many_arguments)]
    pub(super) fn step(
        &mut self,
        team: &Team,
        slots: &Slots,
        runner: &Runner<T>,
        optimizer: &mut Optimizer<T>,
        parameters: &mut [T],
        gradients: &[T],
        lr: f64,
    ) -> f64 {
        optimizer.begin();
        for late in runner.late() {
            let own = |slot: &&Slot| slot.range() == late.slot;
            let place = self.pieces.iter().position(|(piece, _)| piece.range == late.slot);
            let (Some(slot), Some(place)) = (slots.iter().find(own), place) else { continue };
            let count = norm::large(slot).map_or(0, |(rows, columns)| norm::tiles(rows, columns));
            let tiles = &self.tiles[..count];
            optimizer.step_given(team, slot, &late, parameters, lr, &mut self.room, tiles);
            self.sums[place] = tiles.iter().fold(0.0, |sum, tile| sum + f64::from_bits(tile.load(Ordering::Relaxed)));
        }
        let mut start = 0;
        for (piece, _) in self.pieces.iter().filter(|(_, late)| *late) {
            optimizer.step_range(team, slots, start..piece.range.start, parameters, gradients, lr);
            start = piece.range.end;
        }
        optimizer.step_range(team, slots, start..slots.len(), parameters, gradients, lr);
        self.sums.iter().fold(0.0, |sum, piece| sum + piece).sqrt()
    }

    /// Bytes that it takes.
    pub(super) fn memory(&self) -> usize {
        self.room.len() * T::BYTES + 8 * (self.tiles.len() + self.sums.len() + self.largest.len())
    }
}

/// Numbers of a run whose largest magnitude is looked for at once.
const RUN: usize = 1 << 14;

/// The largest magnitude; NaN where a number is not finite.
fn largest<T: Real>(team: &Team, x: &[T], room: &mut [f64]) -> f64 {
    let count = x.len().div_ceil(RUN);
    let Some(room) = room.get_mut(..count) else { return f64::NAN };
    team.split_rows(room, 1, 2, &|first, runs| {
        for (run, out) in x[first * RUN..].chunks(RUN).zip(runs) {
            *out = vectorized(Largest(run));
        }
    });
    room.iter().fold(0.0, |most, &run| if run > most || run.is_nan() { run } else { most })
}

struct Largest<'a, T>(&'a [T]);

impl<T: Real> Kernel for Largest<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        // What is not finite makes NaN of 0 times it.
        let (mut most, mut poison) = ([T::ZERO; 32], [T::ZERO; 32]);
        let (whole, rest) = self.0.as_chunks::<32>();
        for chunk in whole {
            for j in 0..32 {
                let size = chunk[j].abs();
                most[j] = if size > most[j] { size } else { most[j] };
                poison[j] += chunk[j] * T::ZERO;
            }
        }
        for (j, &x) in rest.iter().enumerate() {
            most[j] = if x.abs() > most[j] { x.abs() } else { most[j] };
            poison[j] += x * T::ZERO;
        }
        let poison = poison.iter().fold(0.0, |sum, x| sum + x.to_f64());
        most.iter().fold(0.0, |most: f64, x| if x.to_f64() > most { x.to_f64() } else { most }) + poison
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_magnitude_is_found_and_nothing_that_is_not_finite_missed() {
        let mut room = [0.0; 8];
        let mut x: Vec<f32> = (0..2 * RUN + 77).map(|i| ((i * 37 % 101) as f32 - 60.0) / 7.0).collect();
        for team in [Team::single(), Team::new(2)] {
            assert_eq!(largest(&team, &x, &mut room), f64::from(60.0f32 / 7.0));
            assert_eq!(largest::<f32>(&team, &[], &mut room), 0.0);
            assert!(largest(&team, &x, &mut room[..1]).is_nan());
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                for at in [0, 5, RUN, 2 * RUN + 76] {
                    let kept = std::mem::replace(&mut x[at], bad);
                    assert!(!largest(&team, &x, &mut room).is_finite(), "{bad} at {at}");
                    x[at] = kept;
                }
            }
        }
    }
}
