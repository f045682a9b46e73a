//! Asking for memory before it is needed: rows that lie far apart come one after the other at the latency of memory, asked
//! for ahead at its bandwidth.

/// Asks for a slice to be brought near. It changes nothing but the time; where the processor has no such instruction that
/// Rust offers (all but x86-64) nothing happens.
pub fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let start = slice.as_ptr().cast::<i8>();
        for at in (0..size_of_val(slice)).step_by(64) {
            // SAFETY: a hint only, which reads nothing; the address is within the slice.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.add(at)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}
