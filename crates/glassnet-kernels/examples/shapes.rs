//! Measures matrix products of chosen shapes on one thread or more: the share of the processor's own peak.
//!
//! `cargo run --release -p glassnet-kernels --example shapes -- [--threads N] [nt|nn|tn:MxNxK]...`; with no shapes, those of
//! the workloads and a row of widths without a cliff.

use glassnet_kernels::{Kernel, Team, product, vectorized};
use std::hint::black_box;
use std::time::Instant;

/// Sixteen vectors of independent chains.
struct Chains<'a>(&'a mut [f32; 256], usize);

impl Kernel for Chains<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, y) = (black_box(0.999f32), black_box(1e-3f32));
        let mut chains = *self.0;
        for _ in 0..self.1 {
            for chain in &mut chains {
                *chain = chain.mul_add(x, y);
            }
        }
        *self.0 = chains;
    }
}

/// Median seconds of a call, over some tenths of a second.
fn seconds(least: f64, mut f: impl FnMut()) -> f64 {
    f();
    let start = Instant::now();
    f();
    let repeats = (2e-5 / start.elapsed().as_secs_f64()).clamp(1.0, 1000.0) as u32;
    let mut times = Vec::new();
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < least || times.len() < 5 {
        let start = Instant::now();
        for _ in 0..repeats {
            f();
        }
        times.push(start.elapsed().as_secs_f64() / f64::from(repeats));
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Operations a second of one core, in thousand millions, now.
fn peak() -> f64 {
    let mut chains = [1.0f32; 256];
    let turns = 5_000;
    2.0 * (256 * turns) as f64 / seconds(0.03, || vectorized(Chains(&mut chains, turns))) / 1e9
}

fn measure(team: &Team, kind: &str, m: usize, n: usize, k: usize) {
    let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i % 97) as f32 / 97.0 - 0.4).collect() };
    let (a, b, mut c) = (numbers(m * k), numbers(n * k), vec![0.0f32; m * n]);
    let before = peak();
    let time = seconds(0.15, || match kind {
        "nt" => product::product_nt(team, m, n, k, &a, &b, &mut c, None),
        "nn" => product::product_nn(team, m, n, k, &a, &b, &mut c, false),
        _ => product::product_tn(team, m, n, k, &a, &b, &mut c),
    });
    let rate = 2.0 * (m * n * k) as f64 / time / 1e9;
    // The processor's frequency changes with its load: the peak is that of the same moment.
    let share = 100.0 * rate / (0.5 * (before + peak()) * team.threads() as f64);
    println!("{kind} {m:>5} x {n:>5} x {k:>4} {:>10.3} us {rate:>6.1} GFLOP/s {share:>5.1} %", time * 1e6);
}

fn main() {
    let mut threads = 1;
    let mut shapes: Vec<String> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--threads" {
            threads = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
        } else {
            shapes.push(argument);
        }
    }
    if shapes.is_empty() {
        let of_workloads = "nt:128x256x784 nn:128x256x784 tn:256x784x128 nt:128x10x256 nn:128x256x10 tn:10x256x128 \
                            tn:128x10x256 nt:32x16x4 nt:32x3x16 nn:32x16x3 tn:3x16x32 tn:16x4x32 nt:1x256x784 \
                            nn:1x256x784 tn:256x784x1 nt:8x256x784 nt:512x512x512";
        shapes = of_workloads.split_whitespace().map(String::from).collect();
        shapes.extend((40..=50).chain(120..=136).map(|n| format!("nt:128x{n}x256")));
    }
    let team = Team::new(threads);
    println!("peak of one core {:.0} GFLOP/s; {threads} threads", peak());
    for shape in shapes {
        let parsed = shape.split_once(':').and_then(|(kind, sizes)| {
            let sizes: Vec<usize> = sizes.split('x').map_while(|size| size.parse().ok()).collect();
            Some((kind, <[usize; 3]>::try_from(sizes).ok()?))
        });
        match parsed {
            Some((kind, [m, n, k])) => measure(&team, kind, m, n, k),
            None => println!("{shape}: not like nt:128x256x784"),
        }
    }
}
