//! What the machine can do at most, measured before, between and after the workloads; the best counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use glassnet::core::{Precision, Team, peak};
use serde_json::{Value, json};

/// How long a measurement of arithmetic takes.
const ARITHMETIC: Duration = Duration::from_millis(60);
/// How long one of reading takes.
const READING: Duration = Duration::from_millis(250);

/// The best so far, by number of threads.
#[derive(Debug)]
pub struct Peaks {
    f32: BTreeMap<usize, f64>,
    bf16: BTreeMap<usize, f64>,
    reading: BTreeMap<usize, f64>,
    /// Whether a workload was faster than every measurement of its peak.
    raised: bool,
}

fn best(of: &mut BTreeMap<usize, f64>, threads: usize, found: f64) {
    let known = of.entry(threads).or_insert(found);
    *known = known.max(found);
}

impl Peaks {
    /// None yet.
    pub fn new() -> Self {
        Peaks { f32: BTreeMap::new(), bf16: BTreeMap::new(), reading: BTreeMap::new(), raised: false }
    }

    fn of(&mut self, precision: Precision) -> &mut BTreeMap<usize, f64> {
        match precision {
            Precision::F32 => &mut self.f32,
            Precision::Bf16 => &mut self.bf16,
        }
    }

    /// Measures fused multiply-adds on that many threads.
    pub fn measure(&mut self, precision: Precision, threads: usize) {
        let team = Team::new(threads);
        let found = match precision {
            Precision::F32 => peak::fma_f32(&team, ARITHMETIC),
            Precision::Bf16 => peak::fma_bf16(&team, ARITHMETIC),
        };
        best(self.of(precision), threads, found);
    }

    /// Measures reading on that many threads.
    pub fn read(&mut self, threads: usize) {
        best(&mut self.reading, threads, peak::read_bandwidth(&Team::new(threads), READING));
    }

    /// Measures all there is, on one thread and on that many.
    pub fn all(&mut self, threads: usize) {
        for threads in [1, threads] {
            Precision::ALL.into_iter().for_each(|precision| self.measure(precision, threads));
            self.read(threads);
        }
    }

    /// Measures once more what was measured.
    pub fn again(&mut self) {
        for precision in Precision::ALL {
            let threads: Vec<usize> = self.of(precision).keys().copied().collect();
            threads.into_iter().for_each(|threads| self.measure(precision, threads));
        }
        let threads: Vec<usize> = self.reading.keys().copied().collect();
        threads.into_iter().for_each(|threads| self.read(threads));
    }

    /// What a workload reached: the machine can do that, whatever else was measured. It is rare, where the machine was busy
    /// during every measurement of its peak.
    pub fn reached(&mut self, precision: Precision, threads: usize, gflops: f64, gigabytes: Option<f64>) {
        let above = |of: &BTreeMap<usize, f64>, reached: f64| of.get(&threads).is_some_and(|&peak| reached > peak);
        self.raised |= above(self.of(precision), gflops);
        best(self.of(precision), threads, gflops);
        if let Some(gigabytes) = gigabytes {
            self.raised |= above(&self.reading, gigabytes);
            best(&mut self.reading, threads, gigabytes);
        }
    }

    /// 10^9 operations a second on that many threads.
    pub fn gflops(&self, precision: Precision, threads: usize) -> Option<f64> {
        match precision {
            Precision::F32 => self.f32.get(&threads).copied(),
            Precision::Bf16 => self.bf16.get(&threads).copied(),
        }
    }

    /// 10^9 bytes a second on that many threads.
    pub fn gigabytes(&self, threads: usize) -> Option<f64> {
        self.reading.get(&threads).copied()
    }

    /// A line for each number of threads.
    pub fn lines(&self) -> Vec<String> {
        let words = |threads: usize| format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
        let line = |what: &str, unit: &str, (&threads, peak): (&usize, &f64)| {
            format!("{what:<9} {:<10} {peak:>8.1} {unit}", words(threads))
        };
        let f32 = self.f32.iter().map(|peak| line("peak f32", "GFLOP/s", peak));
        let bf16 = self.bf16.iter().map(|peak| line("peak bf16", "GFLOP/s", peak));
        let reading = self.reading.iter().map(|peak| line("reading", "GB/s", peak));
        let told =
            "a workload was faster than its peak as measured, and stands for it: measure again on a quiet machine";
        f32.chain(bf16).chain(reading).chain(self.raised.then(|| told.to_owned())).collect()
    }

    /// One object for each number of threads.
    pub fn as_json(&self) -> Value {
        let threads: BTreeSet<usize> =
            [&self.f32, &self.bf16, &self.reading].iter().flat_map(|of| of.keys().copied()).collect();
        let one = |threads: usize| {
            json!({
                "threads": threads,
                "f32_gflops": self.gflops(Precision::F32, threads),
                "bf16_gflops": self.gflops(Precision::Bf16, threads),
                "read_gb_per_s": self.gigabytes(threads),
            })
        };
        threads.into_iter().map(one).collect()
    }
}
