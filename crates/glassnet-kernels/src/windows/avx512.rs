//! The two products of f32 with AVX-512.

use std::arch::x86_64::*;

use super::{LANES, MAX_RUNS, ROWS, Windows};
use crate::product::BLOCK;

/// Most vectors of positions of a tile.
const WIDE: usize = 3;

/// Most taps whose sums run side by side: their addresses and the loop's stay in the sixteen registers.
const TAPS: usize = 9;

/// Windows as raw addresses.
pub(super) struct View {
    image: *const f32,
    taps: *const u32,
    count: usize,
    down: usize,
    across: usize,
    row_step: usize,
}

impl View {
    /// T must be f32.
    pub(super) fn of<T>(windows: &Windows<'_, T>) -> Self {
        let [mut down, mut across] = windows.positions;
        if windows.row_step == across {
            // Rows follow each other without a gap: one long row.
            (down, across) = (1, down * across);
        }
        View {
            image: windows.image.as_ptr().cast(),
            taps: windows.taps.as_ptr(),
            count: windows.taps.len(),
            down,
            across,
            row_step: windows.row_step,
        }
    }
}

/// A vector of positions: lane l of run r is at `from[r] + l`, for the lanes of its mask.
#[derive(Clone, Copy)]
struct Lanes {
    from: [*const f32; MAX_RUNS],
    masks: [__mmask16; MAX_RUNS],
    runs: usize,
    /// The lanes that are positions.
    all: __mmask16,
}

/// A tile of `product`: rows of the packed weight times some vectors of positions.
struct Tile<'a> {
    packed: *const f32,
    taps: &'a [u32],
    lanes: &'a [Lanes; WIDE],
    /// Null for none.
    bias: *const f32,
    y: *mut f32,
    y_row: usize,
    /// Rows that are there in y.
    rows: usize,
}

/// `R` packed rows, `V` vectors of at most `N` runs.
///
/// # Safety
/// The processor must have AVX-512; what the lanes and taps reach must be there, and `rows` rows of y.
#[target_feature(enable = "avx512f")]
unsafe fn tile<const R: usize, const V: usize, const N: usize>(t: &Tile<'_>) {
    let mut chains = [[_mm512_setzero_ps(); V]; R];
    let mut weight = t.packed;
    // SAFETY: the caller's promise; a masked load does not touch the lanes that are masked out.
    unsafe {
        for &tap in t.taps {
            let mut x = [_mm512_setzero_ps(); V];
            for v in 0..V {
                let lanes = &t.lanes[v];
                x[v] = _mm512_maskz_loadu_ps(lanes.masks[0], lanes.from[0].wrapping_add(tap as usize));
                for n in 1..N {
                    x[v] = _mm512_mask_loadu_ps(x[v], lanes.masks[n], lanes.from[n].wrapping_add(tap as usize));
                }
            }
            for i in 0..R {
                let w = _mm512_set1_ps(*weight.add(i));
                for v in 0..V {
                    chains[i][v] = _mm512_fmadd_ps(w, x[v], chains[i][v]);
                }
            }
            weight = weight.add(ROWS);
        }
        for i in 0..R.min(t.rows) {
            for v in 0..V {
                let mut chain = chains[i][v];
                if !t.bias.is_null() {
                    chain = _mm512_add_ps(chain, _mm512_set1_ps(*t.bias.add(i)));
                }
                _mm512_mask_storeu_ps(t.y.add(i * t.y_row + v * LANES), t.lanes[v].all, chain);
            }
        }
    }
}

/// Where the next position lies.
struct Cursor {
    row: *const f32,
    x: usize,
    left: usize,
}

impl Cursor {
    /// The next sixteen positions, or what is left.
    fn take(&mut self, of: &View) -> Lanes {
        let mut lanes = Lanes { from: [of.image; MAX_RUNS], masks: [0; MAX_RUNS], runs: 0, all: 0 };
        let wanted = self.left.min(LANES);
        let mut lane = 0;
        while lane < wanted && lanes.runs < MAX_RUNS {
            let len = (of.across - self.x).min(wanted - lane);
            let mask = (((1u32 << len) - 1) << lane) as __mmask16;
            lanes.from[lanes.runs] = self.row.wrapping_add(self.x).wrapping_sub(lane);
            lanes.masks[lanes.runs] = mask;
            lanes.all |= mask;
            lanes.runs += 1;
            lane += len;
            self.x += len;
            if self.x == of.across {
                (self.row, self.x) = (self.row.wrapping_add(of.row_step), 0);
            }
        }
        self.left -= wanted;
        lanes
    }
}

/// # Safety
/// The processor must have AVX-512; packed, y and bias (or null) must have their elements, and the windows stay in the image.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn product(m: usize, packed: *const f32, of: &View, bias: *const f32, y: *mut f32) {
    let positions = of.down * of.across;
    // SAFETY: the windows have so many taps.
    let taps = unsafe { std::slice::from_raw_parts(of.taps, of.count) };
    let mut cursor = Cursor { row: of.image, x: 0, left: positions };
    let mut lanes = [Lanes { from: [of.image; MAX_RUNS], masks: [0; MAX_RUNS], runs: 0, all: 0 }; WIDE];
    while cursor.left > 0 {
        let first = positions - cursor.left;
        let vectors = cursor.left.div_ceil(LANES);
        // Four are two and two, not three and one.
        let mut wide = if vectors == 4 || vectors == 2 { 2 } else { vectors.min(WIDE) };
        let mut runs = 0;
        let before = (cursor.row, cursor.x, cursor.left);
        for lanes in &mut lanes[..wide] {
            *lanes = cursor.take(of);
            runs = runs.max(lanes.runs);
        }
        if runs > 2 && wide == WIDE {
            // Nine masks do not fit the registers.
            (cursor.row, cursor.x, cursor.left) = before;
            wide = 2;
            runs = 0;
            for lanes in &mut lanes[..wide] {
                *lanes = cursor.take(of);
                runs = runs.max(lanes.runs);
            }
        }
        for row in (0..m).step_by(ROWS) {
            let rows = (m - row).min(ROWS);
            let t = Tile {
                packed: packed.wrapping_add(row * of.count),
                taps,
                lanes: &lanes,
                bias: if bias.is_null() { bias } else { bias.wrapping_add(row) },
                y: y.wrapping_add(row * positions + first),
                y_row: positions,
                rows,
            };
            // SAFETY: as the caller promises.
            unsafe {
                match (rows > ROWS / 2, wide, runs) {
                    (true, 3, 1) => tile::<8, 3, 1>(&t),
                    (true, 3, _) => tile::<8, 3, 2>(&t),
                    (true, 2, 1) => tile::<8, 2, 1>(&t),
                    (true, 2, 2) => tile::<8, 2, 2>(&t),
                    (true, 2, _) => tile::<8, 2, 4>(&t),
                    (true, _, 1) => tile::<8, 1, 1>(&t),
                    (true, _, _) => tile::<8, 1, 4>(&t),
                    (false, 3, 1) => tile::<4, 3, 1>(&t),
                    (false, 3, _) => tile::<4, 3, 2>(&t),
                    (false, 2, 1) => tile::<4, 2, 1>(&t),
                    (false, 2, 2) => tile::<4, 2, 2>(&t),
                    (false, 2, _) => tile::<4, 2, 4>(&t),
                    (false, _, 1) => tile::<4, 1, 1>(&t),
                    (false, _, _) => tile::<4, 1, 4>(&t),
                }
            }
        }
    }
}

/// `R` taps, `V` vectors of outputs: `sums[r, ..] += ` a chain over each block of positions.
///
/// # Safety
/// The processor must have AVX-512; R taps, the windows, upstream `[positions, row]` and sums `[R, row]` must be there.
#[target_feature(enable = "avx512f")]
unsafe fn sums<const R: usize, const V: usize>(
    of: &View,
    taps: *const u32,
    upstream: *const f32,
    row: usize,
    sums: *mut f32,
) {
    let mut chains = [[_mm512_setzero_ps(); V]; R];
    let (mut y, mut x, mut in_block) = (of.image, 0, 0);
    let mut left = of.down * of.across;
    let mut g = upstream;
    // SAFETY: the caller's promise.
    unsafe {
        while left > 0 {
            let run = (of.across - x).min(BLOCK - in_block);
            let mut from = [y; R];
            for (r, from) in from.iter_mut().enumerate() {
                *from = y.wrapping_add(x + *taps.add(r) as usize);
            }
            for p in 0..run {
                let mut gs = [_mm512_setzero_ps(); V];
                for v in 0..V {
                    gs[v] = _mm512_loadu_ps(g.add(v * LANES));
                }
                for r in 0..R {
                    let seen = _mm512_set1_ps(*from[r].add(p));
                    for v in 0..V {
                        chains[r][v] = _mm512_fmadd_ps(gs[v], seen, chains[r][v]);
                    }
                }
                g = g.wrapping_add(row);
            }
            x += run;
            in_block += run;
            left -= run;
            if x == of.across {
                (y, x) = (y.wrapping_add(of.row_step), 0);
            }
            if in_block == BLOCK || left == 0 {
                for r in 0..R {
                    for v in 0..V {
                        let sum = sums.add(r * row + v * LANES);
                        _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), chains[r][v]));
                        chains[r][v] = _mm512_setzero_ps();
                    }
                }
                in_block = 0;
            }
        }
    }
}

/// # Safety
/// The processor must have AVX-512; upstream `[positions, outputs]` and sums `[taps, outputs]` must be there, outputs a multiple
/// of 16, and the windows stay in the image.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn add_upstream(outputs: usize, upstream: *const f32, of: &View, all: *mut f32) {
    let tiles = of.count.div_ceil(TAPS);
    let mut output = 0;
    while output < outputs {
        let wide = if outputs - output >= 2 * LANES { 2 } else { 1 };
        for number in 0..tiles {
            let taps = crate::team::share(of.count, tiles, number);
            let (first, g) = (of.taps.wrapping_add(taps.start), upstream.wrapping_add(output));
            let to = all.wrapping_add(taps.start * outputs + output);
            // SAFETY: as the caller promises.
            unsafe {
                macro_rules! of_so_many {
                    ($($taps:literal)*) => {
                        match (taps.len(), wide) {
                            $(($taps, 1) => sums::<$taps, 1>(of, first, g, outputs, to),
                              ($taps, _) => sums::<$taps, 2>(of, first, g, outputs, to),)*
                            _ => {}
                        }
                    };
                }
                of_so_many!(1 2 3 4 5 6 7 8 9);
            }
        }
        output += wide * LANES;
    }
}
