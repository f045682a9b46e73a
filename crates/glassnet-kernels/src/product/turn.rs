//! Turning a strip of rows into columns, square by square in registers.

/// Turns `side` rows of `b`, `row_len` apart, into columns of `out`, whose rows are `width` apart: `out[p, j] = b[j, p]`
/// for p < k, a multiple of `side`. All of that must be there, and the processor must have AVX.
pub(super) type StripFn<T> = unsafe fn(b: *const T, row_len: usize, k: usize, out: *mut T, width: usize);

/// How to turn a strip.
#[derive(Clone, Copy)]
pub(super) struct Strip<T> {
    /// Rows of a strip, columns of a square.
    pub side: usize,
    pub turn: StripFn<T>,
}

#[cfg(target_arch = "x86_64")]
pub(super) const STRIP_F32: Strip<f32> = Strip { side: 8, turn: x86::strip_f32 };
#[cfg(target_arch = "x86_64")]
pub(super) const STRIP_F64: Strip<f64> = Strip { side: 4, turn: x86::strip_f64 };

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// # Safety
    /// As for [`super::StripFn`].
    #[target_feature(enable = "avx")]
    pub(super) unsafe fn strip_f32(b: *const f32, row_len: usize, k: usize, out: *mut f32, width: usize) {
        for p in (0..k).step_by(8) {
            // SAFETY: the caller promises 8 rows of k elements and k rows of 8.
            unsafe {
                let row = |j: usize| b.add(j * row_len + p);
                let (r0, r1, r2, r3) = (
                    _mm256_loadu_ps(row(0)),
                    _mm256_loadu_ps(row(1)),
                    _mm256_loadu_ps(row(2)),
                    _mm256_loadu_ps(row(3)),
                );
                let (r4, r5, r6, r7) = (
                    _mm256_loadu_ps(row(4)),
                    _mm256_loadu_ps(row(5)),
                    _mm256_loadu_ps(row(6)),
                    _mm256_loadu_ps(row(7)),
                );
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
                    _mm256_storeu_ps(out.add((p + i) * width), first);
                    _mm256_storeu_ps(out.add((p + i + 4) * width), second);
                }
            }
        }
    }

    /// # Safety
    /// As for [`super::StripFn`].
    #[target_feature(enable = "avx")]
    pub(super) unsafe fn strip_f64(b: *const f64, row_len: usize, k: usize, out: *mut f64, width: usize) {
        for p in (0..k).step_by(4) {
            // SAFETY: the caller promises 4 rows of k elements and k rows of 4.
            unsafe {
                let row = |j: usize| b.add(j * row_len + p);
                let (r0, r1) = (_mm256_loadu_pd(row(0)), _mm256_loadu_pd(row(1)));
                let (r2, r3) = (_mm256_loadu_pd(row(2)), _mm256_loadu_pd(row(3)));
                let (t0, t1) = (_mm256_unpacklo_pd(r0, r1), _mm256_unpackhi_pd(r0, r1));
                let (t2, t3) = (_mm256_unpacklo_pd(r2, r3), _mm256_unpackhi_pd(r2, r3));
                _mm256_storeu_pd(out.add(p * width), _mm256_permute2f128_pd::<0x20>(t0, t2));
                _mm256_storeu_pd(out.add((p + 1) * width), _mm256_permute2f128_pd::<0x20>(t1, t3));
                _mm256_storeu_pd(out.add((p + 2) * width), _mm256_permute2f128_pd::<0x31>(t0, t2));
                _mm256_storeu_pd(out.add((p + 3) * width), _mm256_permute2f128_pd::<0x31>(t1, t3));
            }
        }
    }
}
