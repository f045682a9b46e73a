//! Times products on one thread, also where there are no others: as a WebAssembly program (`cargo xtask wasm --time`).
//! Prints one line: the instruction set, then medians in microseconds of a product of 128 x 256 x 784, of the same where a
//! tenth of the left operand is 1 and the rest 0, and of one row through layers of 784, 256 and 10.
//!
//! `cargo run --release -p glassnet-kernels --example one_thread`

use glassnet_kernels::row::RowWeights;
use glassnet_kernels::{Team, lanes, product};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Inputs, neurons and outputs.
const WIDTHS: [usize; 3] = [784, 256, 10];

/// Rows of the product.
const ROWS: usize = 128;

/// Numbers within 1 of 0.
fn numbers(len: usize, mut state: u64) -> Vec<f32> {
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 / 2f64.powi(52) - 1.0) as f32
        })
        .collect()
}

/// Median of microseconds over 300 ms, after a time in which a runtime that compiles has compiled.
fn median(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        f();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        f();
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let team = Team::single();
    let [k, n, outputs] = WIDTHS;
    let (a, b, mut c) = (numbers(ROWS * k, 1), numbers(n * k, 2), vec![0.0; ROWS * n]);
    let whole = median(|| product::product_nt(&team, ROWS, n, k, black_box(&a), &b, &mut c, None));
    let ones: Vec<f32> = a.iter().map(|&x| f32::from(x > 0.8)).collect();
    let of_ones = median(|| product::product_nt(&team, ROWS, n, k, black_box(&ones), &b, &mut c, None));
    let first = RowWeights::new(n, k, &b, Some(&numbers(n, 3)));
    let second = RowWeights::new(outputs, n, &numbers(outputs * n, 4), Some(&numbers(outputs, 5)));
    let (mut hidden, mut y) = (vec![0.0; n], vec![0.0; outputs]);
    let row = median(|| {
        first.multiply(&team, black_box(&a[..k]), &mut hidden);
        hidden.iter_mut().for_each(|h| *h = h.max(0.0));
        second.multiply(&team, &hidden, &mut y);
    });
    let name = lanes::isa().map_or("unknown", |isa| isa.name());
    println!("{name} {whole:.2} {of_ones:.2} {row:.2}");
}
