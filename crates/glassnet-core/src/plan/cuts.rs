//! Cutting a buffer into the pieces that a step reads and those that it writes. Where the cuts fall is settled once; a step
//! only multiplies them by its live rows.

use super::{Pass, Region, Step};
use crate::ops::MAX_INPUTS;

/// What a backward step may read: its inputs, its output, what forward saved, the upstream gradient.
pub(crate) const MAX_READS: usize = MAX_INPUTS + 3;

/// Where a step cuts the arena, and where the flat buffer of gradients.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepCuts {
    /// Of the arena.
    pub arena: Cuts,
    /// Of the gradients: the step's slots.
    pub gradients: Cuts,
}

impl StepCuts {
    /// The cuts of a step.
    pub(super) fn of(step: &Step) -> Self {
        StepCuts { arena: arena(step), gradients: gradients(step) }
    }
}

/// Where a step cuts the arena: a forward step reads its inputs and writes its output and what it saves; a backward step
/// reads inputs, output, saved and upstream, and writes the gradients of the inputs; an addition reads one and writes one.
fn arena(step: &Step) -> Cuts {
    match step.pass {
        Pass::Forward | Pass::Recompute => Cuts::new(&step.inputs, &[step.output, step.saved]),
        Pass::Backward => {
            let mut reads = [None; MAX_READS];
            reads[..step.inputs.len()].copy_from_slice(&step.inputs);
            reads[MAX_INPUTS..].copy_from_slice(&[step.output, step.saved, step.upstream]);
            Cuts::new(&reads, &step.input_gradients)
        }
        Pass::Add => Cuts::new(&[step.upstream], &step.input_gradients[..step.input_gradients.len().min(1)]),
        Pass::Update if step.late => Cuts::new(&[step.inputs.first().copied().flatten(), step.upstream], &[]),
        Pass::Update => Cuts::new(&[], &[]),
    }
}

/// Where a step cuts the flat buffer of gradients: its slots, which stand there in any order.
fn gradients(step: &Step) -> Cuts {
    let region = |range: &std::ops::Range<usize>| Region { offset: range.start, width: range.len(), per_batch: true };
    let mut slots: Vec<Option<Region>> = step.slots.iter().map(|range| Some(region(range))).collect();
    if let (true, Pass::Backward, Some(weight)) = (step.late, step.pass, slots.first_mut()) {
        *weight = None;
    }
    match step.pass {
        Pass::Backward => Cuts::new(&[], &slots),
        Pass::Update if step.late => Cuts::new(&[], &slots),
        _ => Cuts::new(&[], &[]),
    }
}

/// The pieces of a step in the order in which they stand in the buffer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cuts(Vec<Cut>);

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cut {
    region: Region,
    /// Place among what is read, or among what is written.
    place: u16,
    written: bool,
    /// Read as the piece before it: the same region, named twice.
    again: bool,
}

impl Cuts {
    /// The regions that are read (the same one may be named twice) and those that are written. The plan never lets a written
    /// region overlap another; should it, the later piece comes out empty.
    fn new(reads: &[Option<Region>], writes: &[Option<Region>]) -> Self {
        let named = |regions: &[Option<Region>], written: bool| {
            let there = |(place, region): (usize, &Option<Region>)| region.map(|region| (place, region));
            let cut = |(place, region)| Cut { region, place: place as u16, written, again: false };
            regions.iter().enumerate().filter_map(there).map(cut).collect::<Vec<_>>()
        };
        let mut cuts = named(reads, false);
        cuts.extend(named(writes, true));
        cuts.retain(|cut| cut.region.width > 0);
        // Stable: what is read stands before what is written, in the order of places.
        cuts.sort_by_key(|cut| cut.region.offset);
        for at in 1..cuts.len() {
            cuts[at].again = !cuts[at].written && !cuts[at - 1].written && cuts[at].region == cuts[at - 1].region;
        }
        Cuts(cuts)
    }

    /// Cuts `buffer` for `rows` live rows; what is not there is empty.
    #[inline]
    pub(crate) fn carve<'a, T, const READS: usize, const WRITES: usize>(
        &self,
        buffer: &'a mut [T],
        rows: usize,
    ) -> ([&'a [T]; READS], [&'a mut [T]; WRITES]) {
        let mut reads: [&'a [T]; READS] = [&[]; READS];
        let mut writes: [&'a mut [T]; WRITES] = std::array::from_fn(|_| Default::default());
        self.carve_into(buffer, rows, &mut reads, &mut writes);
        (reads, writes)
    }

    /// The same into arrays that stand where they are read: to move them would take longer than to cut.
    #[inline]
    pub(crate) fn carve_into<'a, T>(
        &self,
        buffer: &'a mut [T],
        rows: usize,
        reads: &mut [&'a [T]],
        writes: &mut [&'a mut [T]],
    ) {
        let (mut rest, mut consumed) = (buffer, 0);
        let mut last: &'a [T] = &[];
        for cut in &self.0 {
            let range = cut.region.range(rows);
            let place = usize::from(cut.place);
            if cut.again {
                if let Some(read) = reads.get_mut(place) {
                    *read = last;
                }
                continue;
            }
            if range.is_empty() {
                last = &[];
                continue;
            }
            if range.start < consumed {
                debug_assert!(false, "regions of a step overlap");
                last = &[];
                continue;
            }
            let (_, tail) = rest.split_at_mut(range.start - consumed);
            let (piece, tail) = tail.split_at_mut(range.len());
            (rest, consumed) = (tail, range.end);
            if cut.written {
                if let Some(write) = writes.get_mut(place) {
                    *write = piece;
                }
            } else {
                last = piece;
                if let Some(read) = reads.get_mut(place) {
                    *read = last;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(offset: usize, width: usize) -> Option<Region> {
        Some(Region { offset, width, per_batch: false })
    }

    #[test]
    fn pieces_come_to_their_places_whatever_their_order() {
        let mut buffer: Vec<usize> = (0..40).collect();
        let cuts = Cuts::new(&[region(30, 2), None, region(10, 3), region(30, 2)], &[region(20, 1), region(0, 4)]);
        let (reads, writes) = cuts.carve::<_, 4, 2>(&mut buffer, 2);
        assert_eq!(reads, [&[30, 31, 32, 33][..], &[], &[10, 11, 12, 13, 14, 15], &[30, 31, 32, 33]]);
        assert_eq!(writes[0], [20, 21]);
        assert_eq!(writes[1], [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn without_rows_only_what_is_one_for_the_batch_is_there() {
        let mut buffer = [7, 8, 9];
        let batch = Some(Region { offset: 1, width: 1, per_batch: true });
        let (reads, writes) = Cuts::new(&[region(1, 2), region(1, 2)], &[batch]).carve::<_, 2, 1>(&mut buffer, 0);
        assert_eq!((reads, &*writes[0]), ([&[][..], &[]], &[8][..]));
    }
}
