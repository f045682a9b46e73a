//! Measures the bfloat16 products against the processor's own peak, on one thread and on two.
//!
//! `cargo run --release -p glassnet-kernels --example bf16`

use glassnet_kernels::{Team, half};
use std::time::Instant;

/// Seconds of a call: the best of many.
fn seconds(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::INFINITY;
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < 0.25 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let mut done = 0;
    let time = seconds(|| done = half::Peak::run(20_000));
    let peak = done as f64 / time / 1e9;
    let how = if half::accelerated() { "its own instruction" } else { "emulated" };
    println!("bf16: peak of one core {peak:.0} GFLOP/s ({how})");
    for (m, n, k) in
        [(128, 256, 784), (128, 784, 256), (128, 10, 256), (512, 512, 512), (256, 4096, 1024), (256, 4096, 4096)]
    {
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i % 97) as f32 / 97.0).collect() };
        let (a, b, mut c) = (numbers(m * k), numbers(n * k), vec![0.0; m * n]);
        let mut gradient = vec![0.0; n * k];
        print!("  {m:>4} x {n:>4} x {k:>4}");
        for threads in [1, 2] {
            let team = Team::new(threads);
            let nt = seconds(|| half::product_nt(&team, m, n, k, &a, &b, &mut c, None));
            let nn = seconds(|| half::product_nn(&team, m, n, k, &a, &b, &mut c));
            let tn = seconds(|| half::product_tn(&team, n, k, m, &c, &a, &mut gradient));
            for (name, time) in [("nt", nt), ("nn", nn), ("tn", tn)] {
                let rate = 2.0 * (m * n * k) as f64 / time / 1e9;
                let share = 100.0 * rate / peak / threads as f64;
                print!(" | {name} {:>8.1} us {rate:>6.1} ({share:>3.0} %)", time * 1e6);
            }
            if threads == 1 {
                print!(" || two threads");
            }
        }
        println!();
    }
}
