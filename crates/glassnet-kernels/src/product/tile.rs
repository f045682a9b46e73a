//! Register tiles: a few rows times some vectors of columns, their chains in registers along a panel of k.

use super::fused::fused;
use super::turn::{self, RowFn, TurnFn};
use crate::Real;
use crate::lanes::Isa;
use std::any::TypeId;

/// Most rows of a tile.
pub(super) const MAX_ROWS: usize = 12;
/// Most columns of a tile that is not a wide one.
pub(super) const MAX_WIDTH: usize = 32;
/// Vectors of a wide tile: eight chains hide the latency of a multiply-add even in a single row.
pub(super) const WIDE: usize = 8;
/// Most rows of a wide tile.
pub(super) const WIDE_ROWS: usize = 3;

/// Where a tile's chains begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// From +0; the chain is the result.
    Store,
    /// From what c holds (an unfinished chain); the chain is the result.
    Continue,
    /// From +0; the chain is added to c.
    Add,
}

/// One tile's work: `c[i, j] <- chain over p in 0..k of a[i, p] b[p, j]`, for the tile's rows i and columns j.
pub(super) struct Tile<T> {
    /// a\[i, p\] is at `a + i a_row + p a_step`.
    pub a: *const T,
    pub a_row: usize,
    pub a_step: usize,
    /// b\[p, j\] is at `b + p b_step + j`.
    pub b: *const T,
    pub b_step: usize,
    /// c\[i, j\] is at `c + i c_row + j`.
    pub c: *mut T,
    pub c_row: usize,
    /// Columns of c that are there: all, or in an edge tile fewer, down to one of its last vector.
    pub columns: usize,
    pub k: usize,
    pub ends: Ends,
    /// What will be needed after this tile and those beside it. Only x86 has an instruction for that in stable Rust.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    pub ahead: *mut Ahead,
}

/// Memory that will be needed later, asked for bit by bit: all at once would keep the processor from what it needs now.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
pub(super) struct Ahead {
    at: *const i8,
    /// Bytes from the end of a row's last line to the next row.
    skip: usize,
    rows: usize,
    /// Lines of a row, and how many of them are left.
    lines: usize,
    left: usize,
    /// Lines at a time.
    step: usize,
}

impl Ahead {
    pub(super) fn nothing() -> Self {
        Ahead { at: std::ptr::null(), skip: 0, rows: 0, lines: 0, left: 0, step: 0 }
    }

    /// `rows` rows of `len` elements, `row` apart, in about `times` times.
    pub(super) fn new<T>(at: *const T, row: usize, rows: usize, len: usize, times: usize) -> Self {
        let lines = (len * size_of::<T>()).div_ceil(LINE);
        if lines == 0 || rows == 0 {
            return Self::nothing();
        }
        let skip = (row * size_of::<T>()).wrapping_sub(lines * LINE);
        Ahead { at: at.cast(), skip, rows, lines, left: lines, step: (rows * lines).div_ceil(times.max(1)) }
    }

    /// Asks for the next lines.
    #[inline(always)]
    #[cfg(target_arch = "x86_64")]
    fn ask(&mut self) {
        for _ in 0..self.step {
            if self.rows == 0 {
                return;
            }
            // SAFETY: a prefetch reads nothing.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(self.at) };
            self.at = self.at.wrapping_add(LINE);
            self.left -= 1;
            if self.left == 0 {
                self.at = self.at.wrapping_add(self.skip);
                self.left = self.lines;
                self.rows -= 1;
            }
        }
    }
}

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// Computes a tile. The processor must have the instruction set and all of the tile's elements must be there; for an edge
/// tile only `columns` columns of c, and of b either the same or all.
pub(super) type TileFn<T> = unsafe fn(&Tile<T>);

/// Computes a tile of [`WIDE`] vectors. Vectors 2q and 2q + 1 of b are side by side at `b + q distance`.
pub(super) type WideFn<T> = unsafe fn(&Tile<T>, distance: usize);

/// Copies `rows` rows of `columns` elements, `from_row` apart, to rows of `width` at `to`, filled up with zeros.
pub(super) type CopyFn<T> =
    unsafe fn(from: *const T, from_row: usize, rows: usize, columns: usize, to: *mut T, width: usize);

/// The tiles of an instruction set; those of `i + 1` rows are number i of a table, a table for each number of vectors.
pub(super) struct Tiles<T> {
    /// Columns of one vector.
    pub lanes: usize,
    /// Most rows of a tile.
    pub most: usize,
    /// Most rows of a wide tile; 0 where there are none.
    pub wide_rows: usize,
    /// Whether edge tiles read only those columns of b that are there in c.
    pub edge_in_place: bool,
    pub full: [[TileFn<T>; MAX_ROWS]; 2],
    pub edge: [[TileFn<T>; MAX_ROWS]; 2],
    pub wide: [WideFn<T>; WIDE_ROWS],
    pub copy: CopyFn<T>,
    /// Rows that are turned at once.
    pub side: usize,
    pub turn: TurnFn<T>,
    /// A single row times the transpose of row-major rows.
    pub row: Option<RowFn<T>>,
}

impl<T> Tiles<T> {
    /// The tile for `rows` rows and as many columns as `tile` has, of one vector or two.
    ///
    /// # Safety
    /// As for [`TileFn`]; 1 <= rows <= `most`.
    #[inline(always)]
    pub(super) unsafe fn run(&self, rows: usize, tile: &Tile<T>) {
        let vectors = if tile.columns > self.lanes { 2 } else { 1 };
        let table = if tile.columns == vectors * self.lanes { &self.full } else { &self.edge };
        // SAFETY: as the caller promises.
        unsafe { table[vectors - 1][rows - 1](tile) }
    }
}

/// Runs a tile into a room of its own and copies the columns that are there: edge tiles without masks.
///
/// # Safety
/// The tile must be one of `rows` rows and at most [`MAX_WIDTH`] columns, all there but for c's.
unsafe fn narrow<T: Real>(tile: &Tile<T>, tile_fn: TileFn<T>, rows: usize) {
    let mut own = [T::ZERO; MAX_ROWS * MAX_WIDTH];
    let (c, c_row, columns) = (tile.c, tile.c_row, tile.columns);
    // SAFETY: c has rows x columns; `own` has room for the largest tile.
    unsafe {
        if tile.ends != Ends::Store {
            for i in 0..rows {
                std::ptr::copy_nonoverlapping(c.add(i * c_row), own.as_mut_ptr().add(i * MAX_WIDTH), columns);
            }
        }
        tile_fn(&Tile { c: own.as_mut_ptr(), c_row: MAX_WIDTH, ..*tile });
        for i in 0..rows {
            std::ptr::copy_nonoverlapping(own.as_ptr().add(i * MAX_WIDTH), c.add(i * c_row), columns);
        }
    }
}

/// [`CopyFn`] in plain Rust, `L` elements at a time; to be inlined into a copy for each instruction set.
///
/// # Safety
/// As for [`CopyFn`].
#[inline(always)]
unsafe fn copy<T: Real, const L: usize>(
    from: *const T,
    from_row: usize,
    rows: usize,
    columns: usize,
    to: *mut T,
    width: usize,
) {
    // SAFETY: the caller promises rows x columns at `from` and rows x width at `to`.
    unsafe {
        for p in 0..rows {
            let (from, to) = (from.add(p * from_row), to.add(p * width));
            let mut j = 0;
            while j + L <= columns {
                to.add(j).cast::<[T; L]>().write(from.add(j).cast::<[T; L]>().read());
                j += L;
            }
            while j < columns {
                *to.add(j) = *from.add(j);
                j += 1;
            }
            while j < width {
                *to.add(j) = T::ZERO;
                j += 1;
            }
        }
    }
}

/// Plain Rust, `W` columns.
///
/// # Safety
/// All elements of the tile must be there.
unsafe fn plain<T: Real, const R: usize, const W: usize>(t: &Tile<T>) {
    let mut chains = [[T::ZERO; W]; R];
    // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < W, p < k.
    unsafe {
        if t.ends == Ends::Continue {
            for (i, row) in chains.iter_mut().enumerate() {
                for (j, chain) in row.iter_mut().enumerate() {
                    *chain = *t.c.add(i * t.c_row + j);
                }
            }
        }
        for p in 0..t.k {
            let b = &*t.b.add(p * t.b_step).cast::<[T; W]>();
            for (i, row) in chains.iter_mut().enumerate() {
                let a = *t.a.add(i * t.a_row + p * t.a_step);
                for (chain, &b) in row.iter_mut().zip(b) {
                    *chain = fused(a, b, *chain);
                }
            }
        }
        for (i, row) in chains.iter().enumerate() {
            for (j, &chain) in row.iter().enumerate() {
                let c = t.c.add(i * t.c_row + j);
                *c = if t.ends == Ends::Add { *c + chain } else { chain };
            }
        }
    }
}

/// # Safety
/// As for [`narrow`].
unsafe fn plain_edge<T: Real, const R: usize, const W: usize>(t: &Tile<T>) {
    // SAFETY: as the caller promises.
    unsafe { narrow(t, plain::<T, R, W>, R) }
}

/// # Safety
/// Never to be called: `wide_rows` is 0.
unsafe fn no_wide<T>(_: &Tile<T>, _: usize) {}

/// A table of tiles by their rows: those above the most repeat it, and are never asked for.
macro_rules! by_rows {
    ($name:ident, [$($before:tt)*], [$($after:tt)*], 4) => { by_rows!(@ $name, [$($before)*], [$($after)*], 1 2 3 4 4 4 4 4 4 4 4 4) };
    ($name:ident, [$($before:tt)*], [$($after:tt)*], 6) => { by_rows!(@ $name, [$($before)*], [$($after)*], 1 2 3 4 5 6 6 6 6 6 6 6) };
    ($name:ident, [$($before:tt)*], [$($after:tt)*], 12) => { by_rows!(@ $name, [$($before)*], [$($after)*], 1 2 3 4 5 6 7 8 9 10 11 12) };
    (@ $name:ident, $before:tt, $after:tt, $($rows:literal)*) => { [$(by_rows!(% $name, $before, $after, $rows)),*] };
    (% $name:ident, [$($before:tt)*], [$($after:tt)*], $rows:literal) => { $name::<$($before)* $rows $($after)*> };
}

#[cfg(target_arch = "x86_64")]
#[path = "tile_x86.rs"]
mod x86;

#[cfg(target_arch = "aarch64")]
#[path = "tile_neon.rs"]
mod neon;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "tile_wasm.rs"]
mod wasm;

/// Plain Rust's tiles for a type.
struct Plain<T>(std::marker::PhantomData<T>);

impl<T: Real> Plain<T> {
    const TILES: Tiles<T> = Tiles {
        lanes: 4,
        most: 4,
        wide_rows: 0,
        edge_in_place: false,
        full: [by_rows!(plain, [T,], [, 4], 4), by_rows!(plain, [T,], [, 8], 4)],
        edge: [by_rows!(plain_edge, [T,], [, 4], 4), by_rows!(plain_edge, [T,], [, 8], 4)],
        wide: [no_wide::<T>; WIDE_ROWS],
        copy: copy::<T, 4>,
        side: 4,
        turn: turn::plain::<T, 4>,
        row: None,
    };
}

/// The same tiles under the name of the type that they are for.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64", all(target_arch = "wasm32", target_feature = "simd128")))]
#[inline(always)]
fn renamed<A: 'static, B: 'static>(tiles: &'static Tiles<A>) -> Option<&'static Tiles<B>> {
    if TypeId::of::<A>() != TypeId::of::<B>() {
        return None;
    }
    // SAFETY: A and B are the same type.
    Some(unsafe { &*std::ptr::from_ref(tiles).cast::<Tiles<B>>() })
}

/// `chains[j] = chain over p of x[p] panel[p, j]`, from +0, where a plain loop of multiply-adds is not the quickest way; false,
/// and nothing done, where it is. The panel is `[x.len(), chains.len()]`, the number of chains a multiple of 16.
#[inline(always)]
pub(crate) fn row_chains<T: Real>(x: &[T], panel: &[T], chains: &mut [T]) -> bool {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if crate::lanes::current() == Isa::Simd128
        && let (Some(x), Some(panel), Some(chains)) = (T::as_f32(x), T::as_f32(panel), T::as_f32_mut(chains))
    {
        wasm::row_f32(x, panel, chains);
        return true;
    }
    let _ = (x, panel, chains);
    false
}

/// The tiles of an available instruction set.
#[inline]
pub(super) fn tiles<T: Real>(isa: Isa) -> &'static Tiles<T> {
    let fast = match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => renamed(&x86::AVX512_F32).or_else(|| renamed(&x86::AVX512_F64)),
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => renamed(&x86::AVX2_F32).or_else(|| renamed(&x86::AVX2_F64)),
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => renamed(&neon::NEON_F32).or_else(|| renamed(&neon::NEON_F64)),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Isa::Simd128 => renamed(&wasm::WASM_F32),
        _ => {
            let _ = TypeId::of::<T>();
            None
        }
    };
    fast.unwrap_or(&Plain::<T>::TILES)
}
