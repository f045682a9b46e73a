//! Turning rows into columns, square by square in registers.

use crate::Real;

/// Where turned rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Out {
    /// Stored, filled up with zeros to a side's width.
    Padded,
    /// Stored, as many columns as there were rows.
    Exact,
    /// Added to what is there, as many columns as there were rows.
    Added,
}

/// Turns `rows` rows (at most a side) of `columns` elements, `from_row` apart, into columns at `to`:
/// `to[p * to_row + j] = from[j * from_row + p]`. All of that must be there, and the processor must have the instructions.
pub(super) type TurnFn<T> =
    unsafe fn(from: *const T, from_row: usize, rows: usize, columns: usize, to: *mut T, to_row: usize, out: Out);

/// `c[j] = chain over p in 0..k of a[p] b[j * row + p]`, from +0, for j in 0..n.
/// All of that must be there.
pub(super) type RowFn<T> = unsafe fn(a: *const T, b: *const T, row: usize, n: usize, k: usize, c: *mut T);

/// Plain Rust.
///
/// # Safety
/// As for [`TurnFn`].
#[inline(always)]
unsafe fn by_element<T: Real>(
    from: *const T,
    from_row: usize,
    (rows, side): (usize, usize),
    columns: std::ops::Range<usize>,
    to: *mut T,
    to_row: usize,
    out: Out,
) {
    // SAFETY: as the caller promises.
    unsafe {
        for p in columns {
            let to = to.add(p * to_row);
            for j in 0..rows {
                let x = *from.add(j * from_row + p);
                *to.add(j) = if out == Out::Added { *to.add(j) + x } else { x };
            }
            if out == Out::Padded {
                for j in rows..side {
                    *to.add(j) = T::ZERO;
                }
            }
        }
    }
}

/// Plain Rust, for vectors of `L`.
///
/// # Safety
/// As for [`TurnFn`].
pub(super) unsafe fn plain<T: Real, const L: usize>(
    from: *const T,
    from_row: usize,
    rows: usize,
    columns: usize,
    to: *mut T,
    to_row: usize,
    out: Out,
) {
    // SAFETY: as the caller promises.
    unsafe { by_element(from, from_row, (rows, L), 0..columns, to, to_row, out) }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use super::{Out, by_element};
    use std::arch::x86_64::*;

    /// 16 rows of 16 to 16 columns: pairs, fours, then the quarters of vectors.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    fn square_f32(r: [__m512; 16]) -> [__m512; 16] {
        let mut pairs = r;
        for i in 0..8 {
            pairs[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            pairs[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut fours = r;
        for i in 0..4 {
            fours[4 * i] = _mm512_shuffle_ps::<0x44>(pairs[4 * i], pairs[4 * i + 2]);
            fours[4 * i + 1] = _mm512_shuffle_ps::<0xee>(pairs[4 * i], pairs[4 * i + 2]);
            fours[4 * i + 2] = _mm512_shuffle_ps::<0x44>(pairs[4 * i + 1], pairs[4 * i + 3]);
            fours[4 * i + 3] = _mm512_shuffle_ps::<0xee>(pairs[4 * i + 1], pairs[4 * i + 3]);
        }
        let mut out = r;
        for i in 0..4 {
            let (a, b, c, d) = (fours[i], fours[4 + i], fours[8 + i], fours[12 + i]);
            let (even, odd) = (_mm512_shuffle_f32x4::<0x88>(a, b), _mm512_shuffle_f32x4::<0xdd>(a, b));
            let (even2, odd2) = (_mm512_shuffle_f32x4::<0x88>(c, d), _mm512_shuffle_f32x4::<0xdd>(c, d));
            out[i] = _mm512_shuffle_f32x4::<0x88>(even, even2);
            out[8 + i] = _mm512_shuffle_f32x4::<0xdd>(even, even2);
            out[4 + i] = _mm512_shuffle_f32x4::<0x88>(odd, odd2);
            out[12 + i] = _mm512_shuffle_f32x4::<0xdd>(odd, odd2);
        }
        out
    }

    /// 8 rows of 8 to 8 columns.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    fn square_f64(r: [__m512d; 8]) -> [__m512d; 8] {
        let mut pairs = r;
        for i in 0..4 {
            pairs[2 * i] = _mm512_unpacklo_pd(r[2 * i], r[2 * i + 1]);
            pairs[2 * i + 1] = _mm512_unpackhi_pd(r[2 * i], r[2 * i + 1]);
        }
        let mut out = r;
        for i in 0..2 {
            let (a, b, c, d) = (pairs[i], pairs[2 + i], pairs[4 + i], pairs[6 + i]);
            let (even, odd) = (_mm512_shuffle_f64x2::<0x88>(a, b), _mm512_shuffle_f64x2::<0xdd>(a, b));
            let (even2, odd2) = (_mm512_shuffle_f64x2::<0x88>(c, d), _mm512_shuffle_f64x2::<0xdd>(c, d));
            out[i] = _mm512_shuffle_f64x2::<0x88>(even, even2);
            out[4 + i] = _mm512_shuffle_f64x2::<0xdd>(even, even2);
            out[2 + i] = _mm512_shuffle_f64x2::<0x88>(odd, odd2);
            out[6 + i] = _mm512_shuffle_f64x2::<0xdd>(odd, odd2);
        }
        out
    }

    /// A value of which the compiler does not know where it comes from. It would otherwise keep an address for every row, far
    /// more than there are registers.
    #[inline(always)]
    fn hidden(mut value: usize) -> usize {
        // SAFETY: no instruction at all.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) value, options(pure, readonly, nostack, preserves_flags)) };
        value
    }

    /// The same for an address.
    #[inline(always)]
    fn hidden_place<T>(mut place: *const T) -> *const T {
        // SAFETY: no instruction at all.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) place, options(pure, readonly, nostack, preserves_flags)) };
        place
    }

    /// The bytes from a row to others: with these, eight rows are at a base plus one of them, or twice, or four times.
    #[derive(Clone, Copy)]
    struct Steps {
        one: usize,
        three: usize,
        five: usize,
        seven: usize,
    }

    impl Steps {
        #[inline(always)]
        fn new<T>(row: usize) -> Self {
            let row = row.wrapping_mul(size_of::<T>());
            Steps {
                one: hidden(row),
                three: hidden(row.wrapping_mul(3)),
                five: hidden(row.wrapping_mul(5)),
                seven: hidden(row.wrapping_mul(7)),
            }
        }

        /// Row i of eight.
        #[inline(always)]
        fn row<T>(self, base: *const T, i: usize) -> *const T {
            let bytes = match i {
                0 => 0,
                1 => self.one,
                2 => self.one.wrapping_mul(2),
                3 => self.three,
                4 => self.one.wrapping_mul(4),
                5 => self.five,
                6 => self.three.wrapping_mul(2),
                _ => self.seven,
            };
            base.wrapping_byte_add(bytes)
        }

        /// Eight rows further.
        #[inline(always)]
        fn further<T>(self, base: *const T) -> *const T {
            hidden_place(base.wrapping_byte_add(self.one.wrapping_mul(8)))
        }
    }

    /// 8 columns of 16 rows. Half of the quarters' places come from the loads, which leaves three shuffles for each column
    /// where a whole square takes four.
    ///
    /// # Safety
    /// All of that must be there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    unsafe fn half_f32(from: *const f32, steps: Steps) -> [__m512; 8] {
        let from = hidden_place(from);
        let bases = [from, steps.further(from)];
        let mut fours = [[_mm512_setzero_ps(); 4]; 2];
        for (base, fours) in bases.into_iter().zip(&mut fours) {
            let mut r = [_mm512_setzero_ps(); 4];
            for (i, r) in r.iter_mut().enumerate() {
                // SAFETY: the caller promises 16 rows of 8.
                unsafe {
                    let low = _mm512_castps256_ps512(_mm256_loadu_ps(steps.row(base, i)));
                    *r = _mm512_insertf32x8::<1>(low, _mm256_loadu_ps(steps.row(base, i + 4)));
                }
            }
            let (t0, t1) = (_mm512_unpacklo_ps(r[0], r[1]), _mm512_unpackhi_ps(r[0], r[1]));
            let (t2, t3) = (_mm512_unpacklo_ps(r[2], r[3]), _mm512_unpackhi_ps(r[2], r[3]));
            fours[0] = _mm512_shuffle_ps::<0x44>(t0, t2);
            fours[1] = _mm512_shuffle_ps::<0xee>(t0, t2);
            fours[2] = _mm512_shuffle_ps::<0x44>(t1, t3);
            fours[3] = _mm512_shuffle_ps::<0xee>(t1, t3);
        }
        let mut columns = [_mm512_setzero_ps(); 8];
        for i in 0..4 {
            columns[i] = _mm512_shuffle_f32x4::<0x88>(fours[0][i], fours[1][i]);
            columns[4 + i] = _mm512_shuffle_f32x4::<0xdd>(fours[0][i], fours[1][i]);
        }
        columns
    }

    /// 4 columns of 8 rows.
    ///
    /// # Safety
    /// All of that must be there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    unsafe fn half_f64(from: *const f64, steps: Steps) -> [__m512d; 4] {
        let from = hidden_place(from);
        let mut pairs = [[_mm512_setzero_pd(); 2]; 2];
        for (g, pairs) in pairs.iter_mut().enumerate() {
            let mut r = [_mm512_setzero_pd(); 2];
            for (i, r) in r.iter_mut().enumerate() {
                // SAFETY: the caller promises 8 rows of 4.
                unsafe {
                    let low = _mm512_castpd256_pd512(_mm256_loadu_pd(steps.row(from, 4 * g + i)));
                    *r = _mm512_insertf64x4::<1>(low, _mm256_loadu_pd(steps.row(from, 4 * g + i + 2)));
                }
            }
            pairs[0] = _mm512_unpacklo_pd(r[0], r[1]);
            pairs[1] = _mm512_unpackhi_pd(r[0], r[1]);
        }
        let mut columns = [_mm512_setzero_pd(); 4];
        for i in 0..2 {
            columns[i] = _mm512_shuffle_f64x2::<0x88>(pairs[0][i], pairs[1][i]);
            columns[2 + i] = _mm512_shuffle_f64x2::<0xdd>(pairs[0][i], pairs[1][i]);
        }
        columns
    }

    macro_rules! avx512 {
        ($name:ident, $row:ident, $type:ty, $mask:ty, $lanes:literal, $square:ident, $half:ident, $zero:ident, $load:ident, $store:ident,
         $load_some:ident, $store_some:ident, $all:ident, $fma:ident, $add:ident) => {
            /// # Safety
            /// As for [`super::TurnFn`].
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(in crate::product) unsafe fn $name(
                from: *const $type,
                from_row: usize,
                rows: usize,
                columns: usize,
                to: *mut $type,
                to_row: usize,
                out: Out,
            ) {
                /// Elements ahead of those in use that are asked for.
                const AHEAD: usize = 256 / size_of::<$type>();
                let wanted = if out == Out::Padded { $lanes } else { rows };
                let wanted: $mask = ((1u32 << wanted) - 1) as $mask;
                let steps = Steps::new::<$type>(from_row);
                let mut p = 0;
                while rows == $lanes && p + $lanes / 2 <= columns {
                    if p % $lanes == 0 && out == Out::Padded {
                        // What comes next is further along these rows, or the beginning of the next ones.
                        let next =
                            if p + AHEAD < columns { p + AHEAD } else { $lanes * from_row + (p + AHEAD - columns) };
                        let mut ahead = hidden_place(from.wrapping_add(next));
                        for j in 0..$lanes {
                            if j > 0 && j % 8 == 0 {
                                ahead = steps.further(ahead);
                            }
                            _mm_prefetch::<_MM_HINT_T0>(steps.row(ahead, j % 8).cast());
                        }
                    }
                    // SAFETY: the caller promises rows x columns at `from` and columns x rows at `to`.
                    unsafe {
                        for (q, &column) in $half(from.add(p), steps).iter().enumerate() {
                            let to = to.add((p + q) * to_row);
                            $store(to, if out == Out::Added { $add($load(to), column) } else { column });
                        }
                    }
                    p += $lanes / 2;
                }
                while p < columns {
                    let here = (columns - p).min($lanes);
                    let mut square = [$zero(); $lanes];
                    // SAFETY: the caller promises rows x columns at `from`; lanes that are masked out are not touched.
                    unsafe {
                        let some = ((1u32 << here) - 1) as $mask;
                        for (j, row) in square.iter_mut().enumerate() {
                            if j < rows {
                                *row = $load_some(some, from.add(j * from_row + p));
                            }
                        }
                    }
                    let square = $square(square);
                    // SAFETY: the caller promises columns p..p + here of `to`, as wide as `out` says.
                    unsafe {
                        if out == Out::Padded && here == $lanes {
                            for (q, &column) in square.iter().enumerate() {
                                $store(to.add((p + q) * to_row), column);
                            }
                        } else {
                            for (q, &column) in square.iter().enumerate() {
                                if q < here {
                                    let to = to.add((p + q) * to_row);
                                    let before = if out == Out::Added { $load_some(wanted, to) } else { $zero() };
                                    $store_some(
                                        to,
                                        wanted,
                                        if out == Out::Added { $add(before, column) } else { column },
                                    );
                                }
                            }
                        }
                    }
                    p += $lanes;
                }
            }

            /// Two strips of rows side by side, so that one's chain of multiply-adds runs while the other is turned.
            ///
            /// # Safety
            /// As for [`super::RowFn`].
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            pub(in crate::product) unsafe fn $row(
                a: *const $type,
                b: *const $type,
                row: usize,
                n: usize,
                k: usize,
                c: *mut $type,
            ) {
                /// Elements ahead of those in use that are asked for, some hundred bytes.
                const AHEAD: usize = 1024 / size_of::<$type>();
                let steps = Steps::new::<$type>(row);
                let mut column = 0;
                while column < n {
                    let there = (n - column).min(2 * $lanes);
                    let mut chains = [$zero(); 2];
                    let mut p = 0;
                    if there == 2 * $lanes {
                        let bases = [b.wrapping_add(column * row), b.wrapping_add((column + $lanes) * row)];
                        let [mut first, mut second] = chains;
                        while p + $lanes <= k {
                            // What comes next is further along these rows, or the beginning of the next ones.
                            let next = if p + AHEAD < k { p + AHEAD } else { 2 * $lanes * row + (p + AHEAD - k) };
                            for base in bases {
                                let mut ahead = hidden_place(base.wrapping_add(next));
                                for j in 0..$lanes {
                                    if j > 0 && j % 8 == 0 {
                                        ahead = steps.further(ahead);
                                    }
                                    _mm_prefetch::<_MM_HINT_T0>(steps.row(ahead, j % 8).cast());
                                }
                            }
                            for h in [0, $lanes / 2] {
                                let p = p + h;
                                // SAFETY: the caller promises n rows of k at b, and k elements at a.
                                unsafe {
                                    let (b0, b1) = ($half(bases[0].add(p), steps), $half(bases[1].add(p), steps));
                                    for q in 0..$lanes / 2 {
                                        let x = $all(*a.add(p + q));
                                        first = $fma(x, b0[q], first);
                                        second = $fma(x, b1[q], second);
                                    }
                                }
                            }
                            p += $lanes;
                        }
                        chains = [first, second];
                    }
                    while p < k {
                        let here = (k - p).min($lanes);
                        let some = ((1u32 << here) - 1) as $mask;
                        for (s, chain) in chains.iter_mut().enumerate() {
                            let rows = there.saturating_sub(s * $lanes).min($lanes);
                            let start = b.wrapping_add((column + s * $lanes) * row + p);
                            let mut square = [$zero(); $lanes];
                            // SAFETY: as above; lanes that are masked out are not touched.
                            unsafe {
                                for (j, line) in square.iter_mut().enumerate() {
                                    if j < rows {
                                        *line = $load_some(some, start.add(j * row));
                                    }
                                }
                                for (q, &b) in $square(square).iter().enumerate() {
                                    if q < here {
                                        *chain = $fma($all(*a.add(p + q)), b, *chain);
                                    }
                                }
                            }
                        }
                        p += $lanes;
                    }
                    for (s, &chain) in chains.iter().enumerate() {
                        let rows = there.saturating_sub(s * $lanes).min($lanes);
                        // SAFETY: c has n elements; lanes that are masked out are not touched.
                        unsafe {
                            $store_some(c.wrapping_add(column + s * $lanes), ((1u32 << rows) - 1) as $mask, chain)
                        };
                    }
                    column += there;
                }
            }
        };
    }

    avx512!(
        avx512_f32,
        row_avx512_f32,
        f32,
        __mmask16,
        16,
        square_f32,
        half_f32,
        _mm512_setzero_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps,
        _mm512_maskz_loadu_ps,
        _mm512_mask_storeu_ps,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps
    );
    avx512!(
        avx512_f64,
        row_avx512_f64,
        f64,
        __mmask8,
        8,
        square_f64,
        half_f64,
        _mm512_setzero_pd,
        _mm512_loadu_pd,
        _mm512_storeu_pd,
        _mm512_maskz_loadu_pd,
        _mm512_mask_storeu_pd,
        _mm512_set1_pd,
        _mm512_fmadd_pd,
        _mm512_add_pd
    );

    /// Eight rows at a time.
    ///
    /// # Safety
    /// As for [`super::TurnFn`].
    #[target_feature(enable = "avx2,fma")]
    pub(in crate::product) unsafe fn avx2_f32(
        from: *const f32,
        from_row: usize,
        rows: usize,
        columns: usize,
        to: *mut f32,
        to_row: usize,
        out: Out,
    ) {
        let whole = if rows == 8 { columns - columns % 8 } else { 0 };
        for p in (0..whole).step_by(8) {
            // SAFETY: the caller promises 8 rows of `columns` elements and `columns` rows of 8.
            unsafe {
                let row = |j: usize| _mm256_loadu_ps(from.add(j * from_row + p));
                let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3));
                let (r4, r5, r6, r7) = (row(4), row(5), row(6), row(7));
                // Pairs of rows, then fours, then the halves of eights.
                let (t0, t1) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
                let (t2, t3) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
                let (t4, t5) = (_mm256_unpacklo_ps(r4, r5), _mm256_unpackhi_ps(r4, r5));
                let (t6, t7) = (_mm256_unpacklo_ps(r6, r7), _mm256_unpackhi_ps(r6, r7));
                let low = [
                    _mm256_shuffle_ps::<0x44>(t0, t2),
                    _mm256_shuffle_ps::<0xee>(t0, t2),
                    _mm256_shuffle_ps::<0x44>(t1, t3),
                    _mm256_shuffle_ps::<0xee>(t1, t3),
                ];
                let high = [
                    _mm256_shuffle_ps::<0x44>(t4, t6),
                    _mm256_shuffle_ps::<0xee>(t4, t6),
                    _mm256_shuffle_ps::<0x44>(t5, t7),
                    _mm256_shuffle_ps::<0xee>(t5, t7),
                ];
                for i in 0..4 {
                    let first = _mm256_permute2f128_ps::<0x20>(low[i], high[i]);
                    let second = _mm256_permute2f128_ps::<0x31>(low[i], high[i]);
                    for (q, column) in [(i, first), (i + 4, second)] {
                        let to = to.add((p + q) * to_row);
                        let sum = if out == Out::Added { _mm256_add_ps(_mm256_loadu_ps(to), column) } else { column };
                        _mm256_storeu_ps(to, sum);
                    }
                }
            }
        }
        // SAFETY: as the caller promises.
        unsafe { by_element(from, from_row, (rows, 8), whole..columns, to, to_row, out) }
    }

    /// Four rows at a time.
    ///
    /// # Safety
    /// As for [`super::TurnFn`].
    #[target_feature(enable = "avx2,fma")]
    pub(in crate::product) unsafe fn avx2_f64(
        from: *const f64,
        from_row: usize,
        rows: usize,
        columns: usize,
        to: *mut f64,
        to_row: usize,
        out: Out,
    ) {
        let whole = if rows == 4 { columns - columns % 4 } else { 0 };
        for p in (0..whole).step_by(4) {
            // SAFETY: the caller promises 4 rows of `columns` elements and `columns` rows of 4.
            unsafe {
                let row = |j: usize| _mm256_loadu_pd(from.add(j * from_row + p));
                let (r0, r1, r2, r3) = (row(0), row(1), row(2), row(3));
                let (t0, t1) = (_mm256_unpacklo_pd(r0, r1), _mm256_unpackhi_pd(r0, r1));
                let (t2, t3) = (_mm256_unpacklo_pd(r2, r3), _mm256_unpackhi_pd(r2, r3));
                let columns = [
                    _mm256_permute2f128_pd::<0x20>(t0, t2),
                    _mm256_permute2f128_pd::<0x20>(t1, t3),
                    _mm256_permute2f128_pd::<0x31>(t0, t2),
                    _mm256_permute2f128_pd::<0x31>(t1, t3),
                ];
                for (q, column) in columns.into_iter().enumerate() {
                    let to = to.add((p + q) * to_row);
                    let sum = if out == Out::Added { _mm256_add_pd(_mm256_loadu_pd(to), column) } else { column };
                    _mm256_storeu_pd(to, sum);
                }
            }
        }
        // SAFETY: as the caller promises.
        unsafe { by_element(from, from_row, (rows, 4), whole..columns, to, to_row, out) }
    }
}
