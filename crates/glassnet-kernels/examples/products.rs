//! Measures the matrix products against the processor's own peak of fused multiply-adds, on one thread and on two.
//!
//! `cargo run --release -p glassnet-kernels --example products`

use glassnet_kernels::{Isa, Kernel, Real, Team, angles, lanes, product, vectorized};
use std::hint::black_box;
use std::time::Instant;

/// Independent chains of multiply-adds: the most that the arithmetic units can do.
struct Chains<'a, T, const N: usize>(&'a mut [T; N], usize);

impl<T: Real, const N: usize> Kernel for Chains<'_, T, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, y) = (black_box(T::from_f64(0.999)), black_box(T::from_f64(1e-3)));
        let mut chains = *self.0;
        for _ in 0..self.1 {
            for chain in &mut chains {
                *chain = chain.mul_add(x, y);
            }
        }
        *self.0 = chains;
    }
}

/// Seconds of a call: the best of many.
fn seconds(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn measure<T: Real, const N: usize>() {
    let mut chains = [T::ONE; N];
    let turns = 20_000;
    let peak = 2.0 * (N * turns) as f64 / seconds(|| vectorized(Chains(&mut chains, turns))) / 1e9;
    println!("{}: peak of one core {peak:.0} GFLOP/s", T::NAME);
    for (m, n, k) in
        [(128, 256, 784), (128, 784, 256), (1, 256, 784), (8, 256, 784), (32, 16, 4), (128, 10, 256), (512, 512, 512)]
    {
        let numbers = |len: usize| -> Vec<T> { (0..len).map(|i| T::from_f64((i % 97) as f64 / 97.0)).collect() };
        let (a, b, mut c) = (numbers(m * k), numbers(n * k), vec![T::ZERO; m * n]);
        print!("  {m:>4} x {n:>4} x {k:>4}");
        for threads in [1, 2] {
            let team = Team::new(threads);
            let nt = seconds(|| product::product_nt(&team, m, n, k, &a, &b, &mut c, None));
            let nn = seconds(|| product::product_nn(&team, m, n, k, &a, &b, &mut c, false));
            let tn = seconds(|| product::product_tn(&team, m, n, k, &a, &b, &mut c));
            for (name, time) in [("nt", nt), ("nn", nn), ("tn", tn)] {
                let rate = 2.0 * (m * n * k) as f64 / time / 1e9;
                print!(" | {name} {:>7.2} us {rate:>6.1} ({:>3.0} %)", time * 1e6, 100.0 * rate / peak);
            }
            if threads == 1 {
                print!(" || two threads");
            }
        }
        println!();
    }
}

#[derive(Clone, Copy)]
struct Named<F>(F);

impl<T: Real, F: Fn(T) -> T + Copy + Sync> lanes::Unary<T> for Named<F> {
    #[inline(always)]
    fn f(&self, x: T) -> T {
        (self.0)(x)
    }
}

fn elementwise<T: Real>() {
    let x: Vec<T> = (0..4096).map(|i| T::from_f64(i as f64 / 512.0 - 3.9)).collect();
    let mut out = x.clone();
    print!("{}, ns an element:", T::NAME);
    macro_rules! time {
        ($($name:ident)*) => {$(
            let time = seconds(|| lanes::map(Named(#[inline(always)] |x: T| x.$name()), black_box(&x), &mut out));
            print!(" {} {:.2}", stringify!($name), time * 1e9 / 4096.0);
        )*};
    }
    time!(exp exp_m1 ln ln_1p tanh erf);
    for (name, into) in [("sin", angles::sin_into as fn(&[T], &mut [T])), ("cos", angles::cos_into)] {
        print!(" {name} {:.2}", seconds(|| into(black_box(&x), &mut out)) * 1e9 / 4096.0);
    }
    println!();
}

fn main() {
    println!("instruction set: {:?}", lanes::isa());
    // As many chains as fill most registers: 16 of 32 vectors, or 12 of 16.
    if lanes::isa() == Ok(Isa::Avx512) {
        measure::<f32, 256>();
        measure::<f64, 128>();
    } else {
        measure::<f32, 96>();
        measure::<f64, 48>();
    }
    elementwise::<f32>();
    elementwise::<f64>();
}
