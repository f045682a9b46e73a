//! Where a number lies among the edges of its bins.

use std::ops::Range;

use crate::Real;

/// The bins of one feature.
#[derive(Clone, Copy)]
pub(super) struct Bins<'a, T> {
    edges: &'a [T],
    /// The first and the last bin that has a part.
    first: usize,
    last: usize,
    /// How many bins have a part, where they are a ladder; else 0.
    live: usize,
}

impl<'a, T: Real> Bins<'a, T> {
    #[inline(always)]
    pub(super) fn new(edges: &'a [T]) -> Self {
        let live = |bin: &usize| edges[bin + 1] > edges[*bin];
        let bins = 0..edges.len() - 1;
        let rungs = bins.clone().take_while(live).count();
        let finite = (edges[rungs] - edges[0]).is_finite();
        let ladder = finite && edges[rungs..].windows(2).all(|pair| pair[0] == pair[1]);
        Bins {
            edges,
            first: bins.clone().find(live).unwrap_or(0),
            last: bins.rev().find(live).unwrap_or(0),
            live: if ladder { rungs } else { 0 },
        }
    }

    /// How many bins have a part, where the edges are a *ladder*: they increase, then the last is repeated, and none is infinitely far
    /// from another. Edges that rows have told always are. Then x lies in one bin, those below it have part 1 and those above part 0.
    /// Where the edges are no ladder: 0.
    #[inline(always)]
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// The bin of a ladder that x lies in (at an edge the upper one), the first or the last for x outside; x is no NaN.
    #[inline(always)]
    pub(super) fn place(&self, x: T) -> usize {
        self.edges[1..self.live].iter().filter(|&&edge| edge <= x).count()
    }

    /// The bins that can have a part other than 0.
    #[inline(always)]
    pub(super) fn asked(&self, x: T) -> Range<usize> {
        if self.live > 0 && !x.is_nan() { 0..self.place(x) + 1 } else { 0..self.edges.len() - 1 }
    }

    /// The bins that can have a slope other than 0: that of x and, at an edge, the one below.
    #[inline(always)]
    pub(super) fn asked_slopes(&self, x: T) -> Range<usize> {
        if self.live > 0 && !x.is_nan() {
            let bin = self.place(x);
            bin.saturating_sub(1)..bin + 1
        } else {
            0..self.edges.len() - 1
        }
    }

    /// How much of a bin lies below x.
    #[inline(always)]
    pub(super) fn part(&self, bin: usize, x: T) -> T {
        let (low, high) = (self.edges[bin], self.edges[bin + 1]);
        let part = (x - low) / (high - low);
        // Written so that a NaN stays one.
        let part = if bin > self.first && part < T::ZERO { T::ZERO } else { part };
        let part = if bin < self.last && part > T::ONE { T::ONE } else { part };
        if high > low { part } else { T::ZERO }
    }

    /// Its derivative; both bins count at the edge between them.
    #[inline(always)]
    pub(super) fn slope(&self, bin: usize, x: T) -> T {
        let (low, high) = (self.edges[bin], self.edges[bin + 1]);
        let outside = (bin > self.first && x < low) || (bin < self.last && x > high);
        if high > low && !outside { T::ONE / (high - low) } else { T::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_edges_have_no_part_and_the_ends_go_on() {
        let bins = Bins::new(&[0.0, 1.0, 3.0, 3.0, 3.0]);
        let parts = |x: f64| [0, 1, 2, 3].map(|bin| bins.part(bin, x));
        assert_eq!(parts(0.25), [0.25, 0.0, 0.0, 0.0]);
        assert_eq!(parts(2.0), [1.0, 0.5, 0.0, 0.0]);
        assert_eq!(parts(-2.0), [-2.0, 0.0, 0.0, 0.0]);
        assert_eq!(parts(5.0), [1.0, 2.0, 0.0, 0.0]);
        assert!(parts(f64::NAN)[0].is_nan() && parts(f64::NAN)[1].is_nan());
        assert_eq!([0, 1, 2].map(|bin| bins.slope(bin, 5.0)), [0.0, 0.5, 0.0]);
        let none = Bins::new(&[2.0, 2.0]);
        assert_eq!((none.part(0, 7.0), none.slope(0, 7.0)), (0.0, 0.0));
    }

    /// All that the fast way takes for granted, at edges, between them, outside, and where edges are no ladder.
    #[test]
    fn in_a_ladder_bins_below_are_whole_and_those_above_empty() {
        let ladders: [&[f32]; 5] =
            [&[-1.0, 0.0, 0.5, 2.0], &[0.0, 1.0, 3.0, 3.0, 3.0], &[7.0, 7.0], &[0.0, 1e-45, 1.0], &[-3e38, -1.0, 1.0]];
        for edges in ladders {
            let bins = Bins::new(edges);
            let distinct = edges.windows(2).filter(|pair| pair[1] > pair[0]).count();
            assert_eq!(bins.live(), distinct, "{edges:?}");
            let near = edges.iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up()]);
            for x in near.chain([f32::NEG_INFINITY, -1e30, -0.0, 0.3, 1e30, f32::INFINITY]) {
                let asked = bins.asked(x);
                for bin in 0..edges.len() - 1 {
                    let part = bins.part(bin, x);
                    if !asked.contains(&bin) {
                        assert_eq!(part, 0.0, "{edges:?}, bin {bin}, x {x}");
                    } else if bin + 1 < asked.end {
                        assert_eq!(part, 1.0, "{edges:?}, bin {bin}, x {x}");
                    }
                    if !bins.asked_slopes(x).contains(&bin) {
                        assert_eq!(bins.slope(bin, x), 0.0, "{edges:?}, bin {bin}, x {x}");
                    }
                }
            }
        }
        let others: [&[f32]; 5] = [
            &[0.0, 1.0, 0.5, 2.0],
            &[1.0, 1.0, 2.0],
            &[f32::NEG_INFINITY, 0.0, 1.0],
            &[0.0, f32::NAN, 1.0],
            &[-3e38, 0.0, 3e38],
        ];
        for edges in others {
            let bins = Bins::new(edges);
            assert_eq!((bins.live(), bins.asked(0.7)), (0, 0..edges.len() - 1), "{edges:?}");
        }
    }
}
