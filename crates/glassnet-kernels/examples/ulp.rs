//! Every one of the 4,294,967,296 values of f32 through the elementary functions, against f64 functions rounded from far
//! more digits than f32 has: the largest error in ulp, and the function's bound.
//!
//! `cargo run --release -p glassnet-kernels --example ulp [-- exp tanh ...]`; some minutes a function on two cores. Exits
//! with 1 where a bound is broken.

use glassnet_kernels::{Kernel, Real, vectorized};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

type Exact = fn(f64) -> f64;

/// Name, oracle, bound in ulp where the result is normal, bound where it is denormal.
const FUNCTIONS: [(&str, Exact, f64, f64); 8] = [
    ("exp", libm::exp, 1.1, 1.6),
    ("exp_m1", libm::expm1, 2.0, 2.0),
    ("ln", libm::log, 1.0, 1.0),
    ("ln_1p", libm::log1p, 1.5, 1.5),
    ("tanh", libm::tanh, 1.5, 1.5),
    ("erf", libm::erf, 1.5, 1.5),
    ("sin", libm::sin, 1.0, 1.0),
    ("cos", libm::cos, 1.0, 1.0),
];

/// Values that a thread takes at a time.
const RUN: usize = 1 << 16;

/// One function over a slice, as the networks run it.
struct Apply<'a>(&'a str, &'a [f32], &'a mut [f32]);

impl Kernel for Apply<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        macro_rules! apply {
            ($($name:ident)*) => {
                match self.0 {
                    $(stringify!($name) => {
                        for (y, &x) in self.2.iter_mut().zip(self.1) {
                            *y = Real::$name(x);
                        }
                    })*
                    _ => {}
                }
            };
        }
        apply!(exp exp_m1 ln ln_1p tanh erf sin cos);
    }
}

/// The distance from the f32 below |exact| to the one above.
fn ulp(exact: f64) -> f64 {
    let size = (exact.abs() as f32).min(f32::MAX);
    let size = if size as f64 > exact.abs() { f32::from_bits(size.to_bits() - 1) } else { size };
    if size == f32::MAX { 2f64.powi(104) } else { f32::from_bits(size.to_bits() + 1) as f64 - size as f64 }
}

/// The error of a normal and of a denormal result, or what is wrong with a special one.
fn error(name: &str, x: f32, y: f32, exact: f64) -> Result<f64, String> {
    let wrong = || Err(format!("{name}({x:e}) = {y:e}, exactly {exact:e}"));
    if exact.is_nan() {
        return if y.is_nan() { Ok(0.0) } else { wrong() };
    }
    // Half an ulp above the largest number a result rounds to infinity.
    if exact.is_infinite() || exact.abs() >= 3.402_823_567_797_336_6e38 {
        return if y as f64 == exact.signum() * f64::INFINITY { Ok(0.0) } else { wrong() };
    }
    if y.is_nan() {
        return wrong();
    }
    let y = if y.is_infinite() { y.signum() as f64 * 2f64.powi(128) } else { y as f64 };
    Ok((y - exact).abs() / ulp(exact))
}

/// The worst normal and the worst denormal error, each with its argument.
type Worst = [(f64, f32); 2];

fn sweep(name: &str, oracle: Exact) -> Result<Worst, String> {
    let next = AtomicU32::new(0);
    let runs = (1u64 << 32) / RUN as u64;
    let work = || -> Result<Worst, String> {
        let mut worst: Worst = [(0.0, 0.0); 2];
        let (mut x, mut y) = (vec![0f32; RUN], vec![0f32; RUN]);
        loop {
            let run = u64::from(next.fetch_add(1, Ordering::Relaxed));
            if run >= runs {
                return Ok(worst);
            }
            for (i, x) in x.iter_mut().enumerate() {
                *x = f32::from_bits((run * RUN as u64) as u32 + i as u32);
            }
            vectorized(Apply(name, &x, &mut y));
            for (&x, &y) in x.iter().zip(&y) {
                let exact = oracle(x as f64);
                let error = error(name, x, y, exact)?;
                let kind = usize::from(exact.abs() < f32::MIN_POSITIVE as f64);
                if error > worst[kind].0 {
                    worst[kind] = (error, x);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    let results: Vec<Result<Worst, String>> = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    });
    let mut worst: Worst = [(0.0, 0.0); 2];
    for result in results {
        for (all, own) in worst.iter_mut().zip(result?) {
            if own.0 > all.0 {
                *all = own;
            }
        }
    }
    Ok(worst)
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut code = ExitCode::SUCCESS;
    for (name, oracle, normal, denormal) in FUNCTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        match sweep(name, oracle) {
            Ok([(error, at), (small, small_at)]) => {
                let broken = error > normal || small > denormal;
                println!(
                    "{name:<7} {error:.4} ulp at {at:e} (bound {normal}), denormal results {small:.4} at {small_at:e} (bound {denormal}){}",
                    if broken { ": BROKEN" } else { "" }
                );
                if broken {
                    code = ExitCode::FAILURE;
                }
            }
            Err(wrong) => {
                println!("{wrong}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
