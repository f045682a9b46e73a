//! Register tiles: a few rows times one or two vectors of columns, their chains in registers along a panel of k.

use super::turn::Strip;
use crate::Real;
use crate::lanes::Isa;
use std::any::TypeId;

/// Most rows of a tile.
pub(super) const MAX_ROWS: usize = 8;
/// Most columns of a tile.
pub(super) const MAX_WIDTH: usize = 32;

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
    pub k: usize,
    pub ends: Ends,
}

/// Computes a tile. The processor must have the instruction set and all of the tile's elements must be there.
pub(super) type TileFn<T> = unsafe fn(&Tile<T>);

/// The tiles of an instruction set: by number of rows (most first, then fewer down to one), for two vectors of columns
/// and for one.
#[derive(Clone, Copy)]
pub(super) struct Tiles<T> {
    /// Columns of one vector.
    pub lanes: usize,
    pub rows: [usize; 4],
    /// Turns rows into columns.
    pub strip: Option<Strip<T>>,
    pub double: [TileFn<T>; 4],
    pub single: [TileFn<T>; 4],
}

/// Plain Rust, `W` columns: the scalar and the NEON copy.
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
                    *chain = a.mul_add(b, *chain);
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

#[cfg(target_arch = "x86_64")]
macro_rules! x86_tile {
    ($name:ident, $type:ty, $lanes:literal, $features:literal, $zero:ident, $load:ident, $store:ident, $all:ident,
     $fma:ident, $add:ident) => {
        /// `R` rows, `V` vectors of columns.
        ///
        /// # Safety
        /// All elements of the tile must be there.
        #[target_feature(enable = $features)]
        unsafe fn $name<const R: usize, const V: usize>(t: &Tile<$type>) {
            use std::arch::x86_64::*;
            let mut chains = [[$zero(); V]; R];
            // SAFETY: the caller promises a[i, p], b[p, j] and c[i, j] for i < R, j < V lanes, p < k; loads and stores
            // are the unaligned ones.
            unsafe {
                if t.ends == Ends::Continue {
                    for i in 0..R {
                        for v in 0..V {
                            chains[i][v] = $load(t.c.add(i * t.c_row + v * $lanes));
                        }
                    }
                }
                let (mut a, mut b) = (t.a, t.b);
                for _ in 0..t.k {
                    let mut columns = [$zero(); V];
                    for v in 0..V {
                        columns[v] = $load(b.add(v * $lanes));
                    }
                    for i in 0..R {
                        let x = $all(*a.add(i * t.a_row));
                        for v in 0..V {
                            chains[i][v] = $fma(x, columns[v], chains[i][v]);
                        }
                    }
                    a = a.wrapping_add(t.a_step);
                    b = b.wrapping_add(t.b_step);
                }
                for i in 0..R {
                    for v in 0..V {
                        let c = t.c.add(i * t.c_row + v * $lanes);
                        let chain = chains[i][v];
                        $store(c, if t.ends == Ends::Add { $add($load(c), chain) } else { chain });
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
#[allow(clippy::needless_range_loop)]
mod x86 {
    use super::{Ends, Tile, Tiles};
    use crate::product::turn::{STRIP_F32, STRIP_F64};

    x86_tile!(
        avx512_f32,
        f32,
        16,
        "avx512f",
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps
    );
    x86_tile!(
        avx512_f64,
        f64,
        8,
        "avx512f",
        _mm512_setzero_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_set1_pd,
        _mm512_fmadd_pd,
        _mm512_add_pd
    );
    x86_tile!(
        avx2_f32,
        f32,
        8,
        "avx2,fma",
        _mm256_setzero_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps
    );
    x86_tile!(
        avx2_f64,
        f64,
        4,
        "avx2,fma",
        _mm256_setzero_pd,
        _mm256_loadu_pd,
        _mm256_storeu_pd,
        _mm256_set1_pd,
        _mm256_fmadd_pd,
        _mm256_add_pd
    );

    macro_rules! tiles {
        ($name:ident, $lanes:literal, $most:literal, $strip:expr) => {
            Tiles {
                lanes: $lanes,
                strip: Some($strip),
                rows: [$most, 4, 2, 1],
                double: [$name::<$most, 2>, $name::<4, 2>, $name::<2, 2>, $name::<1, 2>],
                single: [$name::<$most, 1>, $name::<4, 1>, $name::<2, 1>, $name::<1, 1>],
            }
        };
    }

    // 8 x 2 chains fill 16 of AVX-512's 32 registers and hide the multiply-add's latency; 6 x 2 fill 12 of AVX2's 16.
    pub(super) const AVX512_F32: Tiles<f32> = tiles!(avx512_f32, 16, 8, STRIP_F32);
    pub(super) const AVX512_F64: Tiles<f64> = tiles!(avx512_f64, 8, 8, STRIP_F64);
    pub(super) const AVX2_F32: Tiles<f32> = tiles!(avx2_f32, 8, 6, STRIP_F32);
    pub(super) const AVX2_F64: Tiles<f64> = tiles!(avx2_f64, 4, 6, STRIP_F64);
}

/// The same tiles under the name of the type that they are for.
#[cfg(target_arch = "x86_64")]
fn renamed<A: 'static, B: 'static>(tiles: Tiles<A>) -> Option<Tiles<B>> {
    if TypeId::of::<A>() != TypeId::of::<B>() {
        return None;
    }
    // SAFETY: A and B are the same type.
    Some(unsafe { std::mem::transmute_copy::<Tiles<A>, Tiles<B>>(&tiles) })
}

/// The tiles of an available instruction set.
pub(super) fn tiles<T: Real>(isa: Isa) -> Tiles<T> {
    #[cfg(target_arch = "x86_64")]
    let fast = match isa {
        Isa::Avx512 => renamed(x86::AVX512_F32).or_else(|| renamed(x86::AVX512_F64)),
        Isa::Avx2 => renamed(x86::AVX2_F32).or_else(|| renamed(x86::AVX2_F64)),
        _ => None,
    };
    #[cfg(not(target_arch = "x86_64"))]
    let fast = {
        let _ = (isa, TypeId::of::<T>());
        None
    };
    fast.unwrap_or(Tiles {
        lanes: 4,
        strip: None,
        rows: [4, 4, 2, 1],
        double: [plain::<T, 4, 8>, plain::<T, 4, 8>, plain::<T, 2, 8>, plain::<T, 1, 8>],
        single: [plain::<T, 4, 4>, plain::<T, 4, 4>, plain::<T, 2, 4>, plain::<T, 1, 4>],
    })
}
