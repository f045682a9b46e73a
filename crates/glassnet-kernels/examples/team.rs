//! Measures the thread team: what a fork costs, after pauses of the caller of several lengths, and what a second thread
//! brings to work of a fixed size, each in many teams one after the other (what a fresh team does is partly luck).
//!
//! `cargo run --release -p glassnet-kernels --example team` (data: docs/measurements/team.md)

use std::hint::black_box;
use std::time::{Duration, Instant};

use glassnet_kernels::{Kernel, Real, Team, product, vectorized};

/// Teams that are made one after the other.
const TEAMS: usize = 11;

/// Independent chains of multiply-adds: arithmetic without memory.
struct Chains(u32);

impl Kernel for Chains {
    type Output = f32;
    #[inline(always)]
    fn run(self) -> f32 {
        let (x, y) = (black_box(0.999f32), black_box(1e-3f32));
        let mut chains = [1.0f32; 256];
        for _ in 0..self.0 {
            for chain in &mut chains {
                *chain = Real::mul_add(*chain, x, y);
            }
        }
        chains[black_box(3)]
    }
}

/// A new team of two, past its first forks.
fn team() -> Team {
    let team = Team::new(2);
    for _ in 0..1_000 {
        team.fork(2, &|part| {
            black_box(part);
        });
    }
    team
}

/// The caller works alone for so long.
fn alone(length: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < length {
        std::hint::spin_loop();
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median microseconds of `f` after a pause, in one team.
fn time(count: usize, pause: Duration, f: &dyn Fn()) -> f64 {
    let mut times: Vec<f64> = (0..count)
        .map(|_| {
            alone(pause);
            let begin = Instant::now();
            f();
            begin.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    median(&mut times)
}

fn spread(times: &mut [f64]) -> String {
    let middle = median(times);
    format!("{:.2} / {middle:.2} / {:.2}", times[0], times[times.len() - 1])
}

/// Milliseconds of processor time that all threads of this process have used, where Linux tells.
fn used() -> Option<f64> {
    let mut sum = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<f64>().ok()? / 1e6;
    }
    Some(sum)
}

fn main() {
    println!("Microseconds (least / median / most of {TEAMS} fresh teams of two, each the median of its forks).\n");
    println!("| the caller works alone before for, us | fork and join of nothing, us |\n|---|---|");
    for micros in [0, 5, 20, 50, 100, 200, 500, 1000, 5000] {
        let pause = Duration::from_micros(micros);
        let count = (20_000 / (micros + 1)).clamp(9, 2_000) as usize;
        let mut times: Vec<f64> = (0..TEAMS)
            .map(|_| {
                let team = team();
                time(count, pause, &|| {
                    team.fork(2, &|part| {
                        black_box(part);
                    })
                })
            })
            .collect();
        println!("| {micros} | {} |", spread(&mut times));
    }
    println!(
        "\n| work, us on one thread | pause before, us | two threads, us | one / two (medians) |\n|---|---|---|---|"
    );
    for turns in [100, 1_000, 10_000] {
        for micros in [0, 20, 200, 2000] {
            let pause = Duration::from_micros(micros);
            let count = (20_000 / (micros + u64::from(turns) / 20 + 1)).clamp(9, 500) as usize;
            let one = time(count, pause, &|| {
                (0..2).for_each(|_| {
                    black_box(vectorized(Chains(turns)));
                });
            });
            let mut times: Vec<f64> = (0..TEAMS)
                .map(|_| {
                    let team = team();
                    time(count, pause, &|| {
                        team.fork(2, &|_| {
                            black_box(vectorized(Chains(turns)));
                        })
                    })
                })
                .collect();
            let text = spread(&mut times);
            println!("| {one:.1} | {micros} | {text} | {:.2} |", one / median(&mut times));
        }
    }
    let (m, n, k) = (128, 256, 784);
    let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i % 97) as f32 / 97.0).collect() };
    let (a, b) = (numbers(m * k), numbers(n * k));
    let measured = |team: &Team| {
        let mut c = vec![0.0f32; m * n];
        let mut times: Vec<f64> = (0..60)
            .map(|_| {
                let begin = Instant::now();
                product::product_nt(team, m, n, k, &a, &b, &mut c, None);
                begin.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        median(&mut times)
    };
    let mut one: Vec<f64> = (0..TEAMS).map(|_| measured(&Team::single())).collect();
    let mut two: Vec<f64> = (0..TEAMS).map(|_| measured(&team())).collect();
    println!("\n128 x 256 x 784: one thread {} us, two threads {} us", spread(&mut one), spread(&mut two));
    let _team = team();
    let before = used();
    std::thread::sleep(Duration::from_secs(1));
    if let (Some(before), Some(after)) = (before, used()) {
        println!("a team without work for 1 s uses {:.2} ms of processor time", after - before);
    }
}
