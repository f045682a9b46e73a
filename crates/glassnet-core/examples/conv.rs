//! Measures the convolutions and poolings of a network for 28 x 28 digits, and some other shapes, against the processor's own peak
//! of fused multiply-adds, on one thread and on two.
//!
//! `cargo run --release -p glassnet-core --example conv [ROWS]`, 128 rows where none are given.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use glassnet_core::ops::padding::Padding;
use glassnet_core::ops::{conv1d::Conv1d, conv2d::Conv2d, max_pool::MaxPool};
use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, Shape, StepInfo, Team};
use glassnet_kernels::{Kernel, product, vectorized};

/// Independent chains of multiply-adds: the most that the arithmetic units can do.
struct Chains<'a>(&'a mut [f32; 256], usize);

impl Kernel for Chains<'_> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, y) = (black_box(0.999f32), black_box(1e-3));
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
    while begin.elapsed().as_secs_f64() < 0.5 {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn measure(name: &str, op: Op, input: Shape, rows: usize, peak: f64) -> Result<(), Box<dyn Error>> {
    for input_gradient in [false, true] {
        if !input_gradient && op.slots(&[&input]).is_empty() {
            continue;
        }
        print!("{name} {}", if input_gradient { "with dx   " } else { "without dx" });
        for threads in [1, 2] {
            let mut graph = Graph::new();
            let x = graph.input("x", input.clone());
            let y = graph.push("layer", op.clone(), &[x])?;
            let cost = op.cost(&[&input], &graph.node(y).shape);
            let purpose = if input_gradient { Purpose::Attribute } else { Purpose::Train };
            let request =
                Request { purpose, rows, backward_from: Some(y), outputs: vec![y], training: true, checkpoint: false };
            let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::new(threads));
            runner.set_rows(rows);
            let parameters: Vec<f32> = (0..graph.slots().len()).map(|i| (i % 89) as f32 / 89.0 - 0.5).collect();
            let mut gradients = vec![0.0; parameters.len()];
            runner.input_mut(x).iter_mut().enumerate().for_each(|(i, x)| *x = (i % 97) as f32 / 97.0 - 0.3);
            let info = StepInfo::default();
            let forward = seconds(|| runner.forward(&parameters, &info));
            runner.seed_mut().iter_mut().enumerate().for_each(|(i, g)| *g = (i % 83) as f32 / 83.0 - 0.4);
            let backward = seconds(|| runner.backward_from_seed(&parameters, &mut gradients, &info));
            let work = rows as u64 * cost.forward;
            let back = rows as u64 * if input_gradient { cost.backward } else { cost.backward / 2 };
            for (way, time, work) in [("forward", forward, work), ("backward", backward, back)] {
                let rate = work as f64 / time / 1e9;
                print!(" | {way} {:>7.3} ms {rate:>5.0} ({:>3.0} %)", time * 1e3, 100.0 * rate / peak / threads as f64);
            }
            print!("{}", if threads == 1 { " || two threads" } else { "\n" });
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(128), |rows| rows.parse())?;
    let mut chains = [1.0; 256];
    let turns = 20_000;
    let peak = 2.0 * (256 * turns) as f64 / seconds(|| vectorized(Chains(&mut chains, turns))) / 1e9;
    println!("peak of one core {peak:.0} GFLOP/s, f32; below: ms, GFLOP/s, share of the peak of the threads");
    let (m, n, k) = (64, 196 * rows, 800);
    let (a, b, mut c) = (vec![0.5f32; m * k], vec![0.25f32; n * k], vec![0.0; m * n]);
    for threads in [1, 2] {
        let team = Team::new(threads);
        let time = seconds(|| product::product_nn(&team, m, n, k, &a, &b, &mut c, false));
        let rate = 2.0 * (m * n * k) as f64 / time / 1e9;
        println!(
            "product {m} x {n} x {k}, {threads} threads: {rate:.0} ({:.0} %)",
            100.0 * rate / peak / threads as f64
        );
    }
    let same = |channels, kernel| Conv2d { padding: Padding::Same, ..Conv2d::new(channels, kernel) };
    let conv = |name, op: Conv2d, input| measure(name, Op::Conv2d(op), Shape::from(input), rows, peak);
    conv("conv 32 5x5, [1, 28, 28] ", same(32, [5, 5]), [1, 28, 28])?;
    conv("conv 64 5x5, [32, 14, 14]", same(64, [5, 5]), [32, 14, 14])?;
    conv("conv 64 3x3, [64, 32, 32]", same(64, [3, 3]), [64, 32, 32])?;
    conv("conv 64 3x3/2, [64,32,32]", Conv2d { stride: [2, 2], ..Conv2d::new(64, [3, 3]) }, [64, 32, 32])?;
    conv("conv 64 1x1, [64, 16, 16]", Conv2d::new(64, [1, 1]), [64, 16, 16])?;
    conv("depthwise 3x3, [64,32,32]", Conv2d { groups: 64, ..same(64, [3, 3]) }, [64, 32, 32])?;
    let signal = Conv1d { padding: Padding::Same, ..Conv1d::new(64, 7) };
    measure("conv1d 64 7, [32, 256]   ", Op::Conv1d(signal), Shape::from([32, 256]), rows, peak)?;
    let pool = Op::MaxPool(MaxPool::new([2, 2]));
    measure("maxpool 2, [32, 28, 28]  ", pool.clone(), Shape::from([32, 28, 28]), rows, peak)?;
    measure("maxpool 2, [64, 14, 14]  ", pool, Shape::from([64, 14, 14]), rows, peak)
}
