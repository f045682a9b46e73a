//! Register tiles: a few rows times one or two vectors of columns, their chains in registers along a panel of pairs.

use super::Way;
use super::number::{halves, step};
use crate::lanes::{Kernel, vectorized_with};

/// Columns of a vector.
pub(super) const LANES: usize = 16;
/// Most columns of a tile.
pub(super) const WIDTH: usize = 2 * LANES;
/// Most rows of a tile: 12 x 2 chains fill 24 of the 32 registers, and hide the step's latency (12 in flight, measured).
pub(super) const HEIGHT: usize = 12;
/// Pairs of k in a panel where a chain may be put down and taken up: 32 columns are then 32 KiB, within the L1 cache.
pub(super) const DEPTH: usize = 256;
/// Pairs from one row of the left operand to the next where rows lie one after the other: a panel's, and a cache line
/// more, so that the rows of a tile do not fall on the same places of the cache.
pub(super) const STRIDE: usize = DEPTH + 16;

/// Where a tile's chains come from or go to: element (i, j) is at `at + i row + j`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub at: *mut f32,
    pub row: usize,
}

/// Cache lines of what will be packed soon: line l is at `at + (l >> shift) row + 64 (l & (2^shift - 1))` bytes.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86-64 is asked for lines ahead"))]
pub(super) struct Ahead {
    pub at: *const u8,
    pub row: usize,
    pub shift: u32,
    /// The lines that a tile calls for while it works.
    pub first: usize,
    pub last: usize,
}

impl Ahead {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn line(&self, number: usize) -> *const i8 {
        let along = number & ((1 << self.shift) - 1);
        self.at.wrapping_add((number >> self.shift) * self.row + along * 64).cast()
    }
}

/// Pairs of k from one call for a line to the next, so that the calls do not stand in each other's way.
#[cfg(target_arch = "x86_64")]
const SPREAD: usize = 4;

/// One tile's work: chains over pairs p of `a[i, p] b[p, j]`.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// Pairs of the left operand: pair p of row i is at `a + i STRIDE + p`, or at `a + p rows + i` where `turned`.
    pub a: *const u32,
    pub turned: bool,
    /// Pair p of column j is at `b + p width + j`; the width is that of one vector or of two, whatever `columns` needs.
    pub b: *const u32,
    /// Where unfinished chains are; without it they begin at +0.
    pub from: Option<Place>,
    /// Where the chains go.
    pub to: Place,
    /// Added to what is there, instead of written.
    pub add: bool,
    /// Rows, 1 to [`HEIGHT`].
    pub rows: usize,
    /// Columns, 1 to [`WIDTH`].
    pub columns: usize,
    pub pairs: usize,
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only x86-64 is asked for lines ahead"))]
    pub ahead: Ahead,
}

impl Tile {
    /// Computes the tile.
    ///
    /// # Safety
    /// The processor must have what `way` needs. a must have `rows` x `pairs`, b `pairs` x the width, both
    /// places `rows` x `columns`.
    pub(super) unsafe fn run(&self, way: Way) {
        match way {
            // SAFETY: as the caller promises.
            #[cfg(target_arch = "x86_64")]
            Way::Instruction => unsafe { x86::of(self)(self) },
            #[cfg(not(target_arch = "x86_64"))]
            Way::Instruction => vectorized_with(crate::Isa::Scalar, Emulated(self)),
            Way::Emulated(isa) => vectorized_with(isa, Emulated(self)),
        }
    }
}

/// A tile that [`Tile::run`]'s caller answers for.
struct Emulated<'a>(&'a Tile);

impl Kernel for Emulated<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // SAFETY: `Tile::run` is the only place that makes one, and its caller promises that all elements are there.
        unsafe {
            if self.0.columns > LANES {
                emulated::<WIDTH>(self.0);
            } else {
                emulated::<LANES>(self.0);
            }
        }
    }
}

/// # Safety
/// As for [`Tile::run`].
#[inline(always)]
unsafe fn emulated<const W: usize>(t: &Tile) {
    let (row, forward) = if t.turned { (1, t.rows) } else { (STRIDE, 1) };
    for i in 0..t.rows {
        let mut chains = [0.0f32; W];
        // SAFETY: the caller promises the elements.
        unsafe {
            if let Some(from) = t.from {
                for (j, chain) in chains.iter_mut().enumerate().take(t.columns) {
                    *chain = *from.at.add(i * from.row + j);
                }
            }
            for p in 0..t.pairs {
                let a = halves(*t.a.add(i * row + p * forward));
                let b = &*t.b.add(p * W).cast::<[u32; W]>();
                for (chain, &b) in chains.iter_mut().zip(b) {
                    *chain = step(a, halves(b), *chain);
                }
            }
            for (j, &chain) in chains.iter().enumerate().take(t.columns) {
                let c = t.to.at.add(i * t.to.row + j);
                *c = if t.add { *c + chain } else { chain };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)]
mod x86 {
    use super::{HEIGHT, LANES, SPREAD, STRIDE, Tile};
    use std::arch::x86_64::*;

    type TileFn = unsafe fn(&Tile);

    /// `R` rows, `V` vectors of columns; `TURNED` as in [`Tile`].
    ///
    /// # Safety
    /// As for [`Tile::run`].
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn tile<const R: usize, const V: usize, const TURNED: bool>(t: &Tile) {
        let (row, forward) = if TURNED { (1, R) } else { (STRIDE, 1) };
        let mut chains = [[_mm512_setzero_ps(); V]; R];
        let masks: [__mmask16; V] = std::array::from_fn(|v| {
            let columns = t.columns.saturating_sub(v * LANES).min(LANES);
            ((1u32 << columns) - 1) as __mmask16
        });
        // SAFETY: the caller promises a, b, and c[i, j] for i < R and j < columns, to which the masks keep.
        unsafe {
            // Where the chains will go, to be there when they are done. Rows of a wide result fall on few places of the L1
            // cache, so they wait in the L2.
            for i in 0..R {
                for v in 0..V {
                    _mm_prefetch::<_MM_HINT_T1>(t.to.at.wrapping_add(i * t.to.row + v * LANES).cast());
                }
            }
            if let Some(from) = t.from {
                for i in 0..R {
                    for v in 0..V {
                        chains[i][v] = _mm512_maskz_loadu_ps(masks[v], from.at.wrapping_add(i * from.row + v * LANES));
                    }
                }
            }
            let (mut a, mut b) = (t.a, t.b);
            let (mut left, mut line) = (t.pairs, t.ahead.first);
            while left > 0 {
                if line < t.ahead.last {
                    _mm_prefetch::<_MM_HINT_T1>(t.ahead.line(line));
                    line += 1;
                }
                let few = left.min(SPREAD);
                left -= few;
                for _ in 0..few {
                    let mut columns = [_mm512_setzero_si512(); V];
                    for v in 0..V {
                        columns[v] = _mm512_loadu_si512(b.add(v * LANES).cast());
                    }
                    for i in 0..R {
                        let x = _mm512_set1_epi32(*a.add(i * row) as i32);
                        for v in 0..V {
                            chains[i][v] = _mm512_dpbf16_ps(chains[i][v], pairs(x), pairs(columns[v]));
                        }
                    }
                    a = a.wrapping_add(forward);
                    b = b.wrapping_add(V * LANES);
                }
            }
            for i in 0..R {
                for v in 0..V {
                    let c = t.to.at.wrapping_add(i * t.to.row + v * LANES);
                    let mut chain = chains[i][v];
                    if t.add {
                        chain = _mm512_add_ps(_mm512_maskz_loadu_ps(masks[v], c), chain);
                    }
                    _mm512_mask_storeu_ps(c, masks[v], chain);
                }
            }
        }
    }

    /// The same bits as bfloat16 numbers.
    #[inline(always)]
    fn pairs(bits: __m512i) -> __m512bh {
        // SAFETY: both are 512 bits, and any bits are bfloat16 numbers.
        unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
    }

    macro_rules! heights {
        ($v:literal, $turned:literal) => {
            [
                tile::<1, $v, $turned>,
                tile::<2, $v, $turned>,
                tile::<3, $v, $turned>,
                tile::<4, $v, $turned>,
                tile::<5, $v, $turned>,
                tile::<6, $v, $turned>,
                tile::<7, $v, $turned>,
                tile::<8, $v, $turned>,
                tile::<9, $v, $turned>,
                tile::<10, $v, $turned>,
                tile::<11, $v, $turned>,
                tile::<12, $v, $turned>,
            ]
        };
    }

    static ROWS: [[TileFn; HEIGHT]; 2] = [heights!(1, false), heights!(2, false)];
    static TURNED: [[TileFn; HEIGHT]; 2] = [heights!(1, true), heights!(2, true)];

    /// The function for a tile.
    pub(super) fn of(t: &Tile) -> TileFn {
        let table = if t.turned { &TURNED } else { &ROWS };
        table[usize::from(t.columns > LANES)][t.rows - 1]
    }
}
