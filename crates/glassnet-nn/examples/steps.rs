//! Measures training steps against the processor's own peak of fused multiply-adds, on one thread and on two, and says
//! which part of a step takes how long.
//!
//! `cargo run --release -p glassnet-nn --example steps [mnist|wide] [parts] [bf16]` (data: docs/measurements/steps.md)

use std::hint::black_box;
use std::time::Instant;

use glassnet_core::plan::Pass;
use glassnet_core::{Precision, Purpose, Runner, StepInfo, Team};
use glassnet_kernels::{Isa, Kernel, Real, half, lanes, vectorized};
use glassnet_nn::clip::Clip;
use glassnet_nn::functional::load_at;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::{Optimizer, OptimizerSpec};
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};

type Failure = Box<dyn std::error::Error>;

/// Independent chains of multiply-adds: the most that the arithmetic units can do.
struct Chains<'a, const N: usize>(&'a mut [f32; N], usize);

impl<const N: usize> Kernel for Chains<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let (x, y) = (black_box(0.999f32), black_box(1e-3f32));
        let mut chains = *self.0;
        for _ in 0..self.1 {
            for chain in &mut chains {
                *chain = Real::mul_add(*chain, x, y);
            }
        }
        *self.0 = chains;
    }
}

/// The same of bfloat16 products.
fn peak_bf16(team: &Team) -> f64 {
    let turns = 20_000;
    let mut best = f64::INFINITY;
    for _ in 0..300 {
        let begin = Instant::now();
        team.fork(team.threads(), &|_| {
            black_box(half::Peak::run(turns));
        });
        best = best.min(begin.elapsed().as_secs_f64());
    }
    half::Peak::run(turns) as f64 * team.threads() as f64 / best / 1e9
}

/// GFLOP/s of all threads of a team together: the best of many.
fn peak<const N: usize>(team: &Team) -> f64 {
    let turns = 20_000;
    let mut best = f64::INFINITY;
    for _ in 0..300 {
        let begin = Instant::now();
        team.fork(team.threads(), &|_| {
            let mut chains = [1.0f32; N];
            vectorized(Chains(&mut chains, turns));
            black_box(&chains);
        });
        best = best.min(begin.elapsed().as_secs_f64());
    }
    2.0 * (N * turns * team.threads()) as f64 / best / 1e9
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Units of the layers, rows of a batch, rows of the source, steps that are measured.
struct Work {
    name: &'static str,
    text: &'static str,
    units: &'static [usize],
    batch: usize,
    rows: usize,
    steps: usize,
}

/// The products of a step: forward, weights, and inputs but for the first layer, whose inputs need no gradient.
fn flops(work: &Work) -> f64 {
    let products: Vec<usize> = work.units.windows(2).map(|pair| 2 * work.batch * pair[0] * pair[1]).collect();
    products.iter().sum::<usize>() as f64 * 3.0 - products[0] as f64
}

fn whole(precision: Precision, work: &Work, network: &Network, data: &Matrix<f32>) -> Result<(), Failure> {
    for threads in [1, 2] {
        let team = Team::new(threads);
        let peak = match precision {
            Precision::Bf16 => peak_bf16(&team),
            Precision::F32 if lanes::isa() == Ok(Isa::Avx512) => peak::<256>(&team),
            Precision::F32 => peak::<96>(&team),
        };
        let all: Vec<u32> = (0..work.rows as u32).collect();
        let part = Rows { source: data, rows: &all };
        let spec = TrainSpec {
            batch: Batch::Rows(work.batch),
            optimizer: OptimizerSpec::Sgd(Default::default()),
            lr: 0.01,
            precision,
            ..TrainSpec::default()
        };
        let mut trainer =
            Trainer::new(network, network.initialise::<f32>(1), part, None, spec, team)?.without_gradients();
        let mut times = Vec::new();
        for step in 0..work.steps + 3 {
            // Rows from all over the source, as a shuffled epoch takes them.
            let rows: Vec<u32> =
                (0..work.batch).map(|i| (((step * work.batch + i) * 48_271) % work.rows) as u32).collect();
            let begin = Instant::now();
            trainer.step(&rows, 0, 0).map_err(|found| format!("{found:?}"))?;
            times.push(begin.elapsed().as_secs_f64());
        }
        let time = median(&mut times[3..]);
        let rate = flops(work) / time / 1e9;
        println!(
            "| {} | {threads} | {:.1} | {rate:.0} | {peak:.0} | {:.1} % |",
            work.name,
            time * 1e6,
            100.0 * rate / peak
        );
    }
    Ok(())
}

fn parts(precision: Precision, work: &Work, network: &Network, data: &Matrix<f32>) -> Result<(), Failure> {
    let mut columns = Vec::new();
    for threads in [1, 2] {
        let team = Team::new(threads);
        let mut room = Vec::new();
        let plan = network.plan_in(precision, Purpose::Train, work.batch, false);
        let mut runner = Runner::<f32>::new(plan, team.clone());
        let slots = network.graph.slots();
        let mut parameters = network.initialise::<f32>(1);
        let mut gradients = vec![0.0f32; parameters.len()];
        let mut optimizer = Optimizer::<f32>::new(OptimizerSpec::Sgd(Default::default()).checked()?, slots);
        let mut lines: Vec<(String, Vec<f64>)> = Vec::new();
        for step in 0..work.steps {
            let rows: Vec<u32> =
                (0..work.batch).map(|i| (((step * work.batch + i) * 48_271) % work.rows) as u32).collect();
            let mut last = Instant::now();
            let mut number = 0;
            let mut done = |name: String| {
                let now = Instant::now();
                if lines.len() == number {
                    lines.push((name, Vec::new()));
                }
                lines[number].1.push((now - last).as_secs_f64() * 1e6);
                number += 1;
                last = Instant::now();
            };
            gradients.fill(0.0);
            done("gradients to 0".into());
            let mut info = StepInfo::default();
            info.denominator = load_at(network, &mut runner, data, &rows, &info);
            done("rows of the batch".into());
            runner.run_seen(&parameters, &mut gradients, &info, &mut |step| {
                if step.pass != Pass::Update {
                    done(format!("{:?} {} {}", step.pass, step.layer, step.op.card().name).to_lowercase());
                }
            });
            black_box(Clip::None.apply_by(&team, slots, &mut gradients, &mut room));
            done("norm".into());
            optimizer.step_by(&team, slots, &mut parameters, &gradients, 0.01);
            done("update".into());
        }
        columns.push(lines.into_iter().map(|(name, mut times)| (name, median(&mut times))).collect::<Vec<_>>());
    }
    println!("\n| part of {} | 1 thread, us | 2 threads, us |\n|---|---|---|", work.name);
    for ((name, one), (_, two)) in columns[0].iter().zip(&columns[1]) {
        println!("| {name} | {one:.1} | {two:.1} |");
    }
    let sum = |column: &[(String, f64)]| column.iter().map(|(_, time)| time).sum::<f64>();
    println!("| all | {:.1} | {:.1} |", sum(&columns[0]), sum(&columns[1]));
    Ok(())
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |name: &str| arguments.iter().any(|argument| argument == name);
    let precision = if asked("bf16") { Precision::Bf16 } else { Precision::F32 };
    let works = [
        Work {
            name: "mnist",
            text: "784 -> 256 relu -> 10",
            units: &[784, 256, 10],
            batch: 128,
            rows: 60_000,
            steps: 1_500,
        },
        Work {
            name: "wide",
            text: "1024 -> 4096 relu -> 4096 relu -> 10",
            units: &[1024, 4096, 4096, 10],
            batch: 256,
            rows: 4_096,
            steps: 25,
        },
    ];
    println!("| workload | threads | us a step | GFLOP/s | peak | share |\n|---|---|---|---|---|---|");
    for work in &works {
        if !asked(work.name) && works.iter().any(|work| asked(work.name)) {
            continue;
        }
        let network = Network::new(&NetSpec::parse(work.text)?, Some(&LossSpec::cross_entropy()))?;
        let width = network.inputs();
        let x = (0..work.rows * width).map(|i| ((i * 37) % 101) as f32 / 101.0).collect();
        let data = Matrix::with_labels(x, width, (0..work.rows as i32).map(|i| i % 10).collect());
        if asked("parts") {
            parts(precision, work, &network, &data)?;
        } else {
            whole(precision, work, &network, &data)?;
        }
    }
    Ok(())
}
