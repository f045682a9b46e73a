//! What the machine can do at most, measured: fused multiply-adds a second, bytes read from memory a second. Everything
//! that a kernel reaches is a share of these.
//!
//! The arithmetic peak is that of independent chains of multiply-adds which live in registers and read nothing: enough of
//! them to hide the latency of each. The read bandwidth is that of summing an array many times the size of the caches. Both are
//! the best of many short runs, on all threads of a team at once, so that a busy moment does not lower them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::{Isa, Kernel, Real, Team, half, lanes};

/// Independent chains `c = c x + y`.
struct Chains<const N: usize> {
    turns: usize,
}

impl<const N: usize> Kernel for Chains<N> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        // Converges to 1: neither denormal nor infinite, whatever the number of turns.
        let (x, y) = (black_box(0.999f32), black_box(1e-3f32));
        let mut chains = [1.0f32; N];
        for _ in 0..self.turns {
            for chain in &mut chains {
                *chain = Real::mul_add(*chain, x, y);
            }
        }
        chains.iter().sum()
    }
}

/// Turns of a run: some tens of microseconds, so that a fork is a small part of it.
const TURNS: usize = 20_000;

/// Operations (a multiply-add is two) of one run of chains on one thread.
fn run_chains() -> f64 {
    // As many chains as fill half of the registers: with AVX-512 16 vectors of 16, else 12 of 8.
    let chains = if Isa::Avx512.available() {
        black_box(lanes::vectorized_with(Isa::Avx512, Chains::<256> { turns: TURNS }));
        256
    } else {
        let isa = [Isa::Avx2, Isa::Neon].into_iter().find(|isa| isa.available()).unwrap_or(Isa::Scalar);
        black_box(lanes::vectorized_with(isa, Chains::<96> { turns: TURNS }));
        96
    };
    2.0 * (chains * TURNS) as f64
}

/// The shortest of the runs of `f` that begin within `time` (at least two, the first of them not counted).
fn shortest(time: Duration, mut f: impl FnMut()) -> f64 {
    f();
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    loop {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed() >= time {
            return best;
        }
    }
}

/// Fused multiply-adds in f32, as 10^9 floating-point operations a second (a multiply-add is two), on all threads of `team`
/// together, with the widest instructions that the processor has, whatever `GLASSNET_ISA` says. It takes about `time`.
pub fn fma_f32(team: &Team, time: Duration) -> f64 {
    let threads = team.threads();
    let seconds = shortest(time, || {
        team.fork(threads, &|_| {
            run_chains();
        });
    });
    let operations = run_chains() * threads as f64;
    operations / seconds / 1e9
}

/// The same of multiply-adds of bfloat16 numbers with sums in f32, by the processor's own instruction where it has one (see
/// [`half::accelerated`]), else by the slower way that gives the same bytes.
pub fn fma_bf16(team: &Team, time: Duration) -> f64 {
    let threads = team.threads();
    let turns = if half::accelerated() { TURNS } else { TURNS / 50 };
    let seconds = shortest(time, || {
        team.fork(threads, &|_| {
            half::Peak::run(turns);
        });
    });
    (half::Peak::run(turns) * threads as u64) as f64 / seconds / 1e9
}

/// The sum of numbers: one load and one addition for each 16 of them.
struct Sum<'a>(&'a [f32]);

impl Kernel for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [0.0f32; 128];
        for chunk in self.0.chunks_exact(128) {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x;
            }
        }
        sums.iter().sum()
    }
}

/// Bytes that are read for the bandwidth: eight times the last cache of a large desktop processor.
const READ: usize = 1 << 28;

/// Reading from memory, as 10^9 bytes a second, on all threads of `team` together. It takes about `time`, at least two passes
/// over 256 MiB, which it allocates.
pub fn read_bandwidth(team: &Team, time: Duration) -> f64 {
    let mut numbers = vec![0.0f32; READ / 4];
    // Each page is touched, or all of them would be one page of zeros.
    numbers.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 7) as f32);
    let threads = team.threads();
    let part = numbers.len() / threads;
    let numbers = &numbers;
    let seconds = shortest(time, || {
        team.fork(threads, &|thread| {
            let own = numbers.get(thread * part..(thread + 1) * part).unwrap_or(&[]);
            black_box(lanes::vectorized(Sum(own)));
        });
    });
    (part * threads * 4) as f64 / seconds / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_numbers_above_zero() {
        for threads in [1, 2] {
            let team = Team::new(threads);
            let peaks = [fma_f32(&team, Duration::from_millis(1)), fma_bf16(&team, Duration::from_millis(1))];
            assert!(peaks.iter().all(|peak| peak.is_finite() && *peak > 0.0), "{peaks:?}");
        }
        let read = read_bandwidth(&Team::single(), Duration::from_millis(1));
        assert!(read.is_finite() && read > 0.0, "{read}");
    }

    #[test]
    fn the_sum_takes_every_number_of_whole_chunks() {
        let numbers: Vec<f32> = (0..256).map(|i| (i % 5) as f32).collect();
        assert_eq!(lanes::vectorized(Sum(&numbers)), numbers.iter().sum::<f32>());
    }
}
