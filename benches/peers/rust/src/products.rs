//! Matrix products on the shapes of the workloads, beside gemm, faer and matrixmultiply: all of them in turn, round after
//! round, medians over the rounds. Every library gets the same row-major memory.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use glassnet_kernels::{Team, product};

/// Which operand lies transposed, and whether the product is added to what is there.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// `c = a b^T`: a layer forwards.
    Nt,
    /// `c = a b`: the gradient of its input.
    Nn,
    /// `c += a^T b`: the gradient of its weights.
    Tn,
}

/// Workload, kind, m, n, k.
const SHAPES: &[(&str, Kind, usize, usize, usize)] = &[
    ("tiny", Kind::Nt, 32, 16, 4),
    ("tiny", Kind::Nt, 32, 3, 16),
    ("tiny", Kind::Nn, 32, 16, 3),
    ("tiny", Kind::Tn, 3, 16, 32),
    ("tiny", Kind::Tn, 16, 4, 32),
    ("mnist", Kind::Nt, 128, 256, 784),
    ("mnist", Kind::Nt, 128, 10, 256),
    ("mnist", Kind::Nn, 128, 256, 10),
    ("mnist", Kind::Tn, 10, 256, 128),
    ("mnist", Kind::Tn, 256, 784, 128),
    ("wide", Kind::Nt, 256, 4096, 1024),
    ("wide", Kind::Nt, 256, 4096, 4096),
    ("wide", Kind::Nn, 256, 4096, 4096),
    ("wide", Kind::Tn, 4096, 4096, 256),
    ("wide", Kind::Nt, 256, 10, 4096),
    ("row", Kind::Nt, 1, 256, 784),
    ("row", Kind::Nt, 1, 16384, 4096),
    ("row", Kind::Nn, 1, 784, 256),
    ("row", Kind::Tn, 256, 784, 1),
];

/// Numbers of the libraries, in the order of the table.
const NAMES: [&str; 4] = ["glassnet", "gemm", "faer", "matrixmultiply"];

/// Least time of one measurement, and of a shape's rounds together.
const MOMENT: Duration = Duration::from_micros(300);
const ROUNDS: Duration = Duration::from_millis(900);

struct Matrices {
    kind: Kind,
    m: usize,
    n: usize,
    k: usize,
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Matrices {
    fn new(kind: Kind, m: usize, n: usize, k: usize) -> Self {
        let numbers = |len: usize| (0..len).map(|i| (i % 97) as f32 / 97.0 - 0.5).collect();
        Matrices { kind, m, n, k, a: numbers(m * k), b: numbers(n * k), c: vec![0.0; m * n] }
    }

    /// Strides (row, column) of a and b as the product sees them.
    fn strides(&self) -> [(usize, usize); 2] {
        let &Matrices { kind, m, n, k, .. } = self;
        [if kind == Kind::Tn { (1, m) } else { (k, 1) }, if kind == Kind::Nt { (1, k) } else { (n, 1) }]
    }

    fn glassnet(&mut self, team: &Team) {
        let Matrices { kind, m, n, k, a, b, c } = self;
        match kind {
            Kind::Nt => product::product_nt(team, *m, *n, *k, a, b, c, None),
            Kind::Nn => product::product_nn(team, *m, *n, *k, a, b, c, false),
            Kind::Tn => product::product_tn(team, *m, *n, *k, a, b, c),
        }
    }

    fn gemm(&mut self, threads: usize) {
        let [(a_row, a_column), (b_row, b_column)] = self.strides().map(|(r, c)| (r as isize, c as isize));
        let parallelism = if threads > 1 { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
        let add = self.kind == Kind::Tn;
        let (alpha, beta) = (f32::from(u8::from(add)), 1.0);
        // SAFETY: the strides keep within the matrices, which are as large as m, n and k say.
        unsafe {
            gemm::gemm(
                self.m,
                self.n,
                self.k,
                self.c.as_mut_ptr(),
                1,
                self.n as isize,
                add,
                self.a.as_ptr(),
                a_column,
                a_row,
                self.b.as_ptr(),
                b_column,
                b_row,
                alpha,
                beta,
                false,
                false,
                false,
                parallelism,
            );
        }
    }

    fn faer(&mut self, threads: usize) {
        let &mut Matrices { kind, m, n, k, ref a, ref b, ref mut c } = self;
        let a = if kind == Kind::Tn {
            MatRef::from_row_major_slice(a, k, m).transpose()
        } else {
            MatRef::from_row_major_slice(a, m, k)
        };
        let b = if kind == Kind::Nt {
            MatRef::from_row_major_slice(b, n, k).transpose()
        } else {
            MatRef::from_row_major_slice(b, k, n)
        };
        let par = if threads > 1 { Par::rayon(threads) } else { Par::Seq };
        let accumulate = if kind == Kind::Tn { Accum::Add } else { Accum::Replace };
        matmul(MatMut::from_row_major_slice_mut(c, m, n), accumulate, a, b, 1.0, par);
    }

    fn matrixmultiply(&mut self) {
        let [(a_row, a_column), (b_row, b_column)] = self.strides().map(|(r, c)| (r as isize, c as isize));
        let beta = if self.kind == Kind::Tn { 1.0 } else { 0.0 };
        // SAFETY: as above.
        unsafe {
            matrixmultiply::sgemm(
                self.m,
                self.k,
                self.n,
                1.0,
                self.a.as_ptr(),
                a_row,
                a_column,
                self.b.as_ptr(),
                b_row,
                b_column,
                beta,
                self.c.as_mut_ptr(),
                self.n as isize,
                1,
            );
        }
    }

    fn call(&mut self, library: usize, team: &Team) {
        match library {
            0 => self.glassnet(team),
            1 => self.gemm(team.threads()),
            2 => self.faer(team.threads()),
            _ => self.matrixmultiply(),
        }
        black_box(&self.c);
    }
}

/// Medians of seconds a call.
fn medians(matrices: &mut Matrices, team: &Team) -> [f64; 4] {
    let mut repeats = [1u32; 4];
    for (library, repeats) in repeats.iter_mut().enumerate() {
        matrices.call(library, team);
        let start = Instant::now();
        matrices.call(library, team);
        *repeats = (MOMENT.as_nanos() / start.elapsed().as_nanos().max(1)).clamp(1, 10_000) as u32;
    }
    let mut times: [Vec<f64>; 4] = Default::default();
    let begin = Instant::now();
    while times[0].len() < 5 || begin.elapsed() < ROUNDS {
        for (library, times) in times.iter_mut().enumerate() {
            matrices.c.fill(0.0);
            let start = Instant::now();
            for _ in 0..repeats[library] {
                matrices.call(library, team);
            }
            times.push(start.elapsed().as_secs_f64() / f64::from(repeats[library]));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// One table, for one number of threads.
fn table(threads: usize, word: &str) {
    let team = Team::new(threads);
    println!("\nThreads: {threads}. Microseconds a product, and the best of the others over ours.\n");
    println!("| workload | product | m x n x k | {} | ours GFLOP/s | ratio |", NAMES.join(" | "));
    println!("|---|---|---|---:|---:|---:|---:|---:|---:|");
    for &(workload, kind, m, n, k) in SHAPES {
        let kind_name = ["nt", "nn", "tn"][kind as usize];
        let line = format!("{workload} | {kind_name} | {m} x {n} x {k}");
        if !line.contains(word) {
            continue;
        }
        let times = medians(&mut Matrices::new(kind, m, n, k), &team);
        let cells: Vec<String> = times.iter().map(|time| format!("{:.3}", time * 1e6)).collect();
        let rate = 2.0 * (m * n * k) as f64 / times[0] / 1e9;
        let best = times[1..].iter().copied().fold(f64::INFINITY, f64::min);
        println!("| {line} | {} | {rate:.0} | {:.2} |", cells.join(" | "), best / times[0]);
    }
}

/// Prints the tables; only the lines that contain the word, where there is one. matrixmultiply reads its number of threads
/// once from the environment, so each number has a process of its own.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if let [flag, threads, word @ ..] = arguments
        && flag == "--threads"
    {
        let threads = threads.parse().map_err(|_| format!("--threads {threads}: not a number"))?;
        table(threads, word.first().map_or("", String::as_str));
        return Ok(());
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    for threads in ["1", "2"] {
        let mut command = Command::new(&program);
        command.args(["products", "--threads", threads]).args(arguments).env("MATMUL_NUM_THREADS", threads);
        let status = command.status().map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("the run with {threads} threads failed"));
        }
    }
    Ok(())
}
