//! What the machine can do at most, measured before, between and after the workloads; the best counts.

use std::collections::BTreeMap;
use std::time::Duration;

use glassnet::core::{Team, peak};
use serde_json::{Value, json};

/// How long a measurement of arithmetic takes.
const ARITHMETIC: Duration = Duration::from_millis(60);
/// How long one of reading takes.
const READING: Duration = Duration::from_millis(250);

/// The best so far, by number of threads.
#[derive(Debug)]
pub struct Peaks {
    arithmetic: BTreeMap<usize, f64>,
    reading: BTreeMap<usize, f64>,
}

fn best(of: &mut BTreeMap<usize, f64>, threads: usize, found: f64) {
    let known = of.entry(threads).or_insert(found);
    *known = known.max(found);
}

impl Peaks {
    /// None yet.
    pub fn new() -> Self {
        Peaks { arithmetic: BTreeMap::new(), reading: BTreeMap::new() }
    }

    /// Measures fused multiply-adds in f32 on that many threads.
    pub fn measure(&mut self, threads: usize) {
        best(&mut self.arithmetic, threads, peak::fma_f32(&Team::new(threads), ARITHMETIC));
    }

    /// Measures reading on that many threads.
    pub fn read(&mut self, threads: usize) {
        best(&mut self.reading, threads, peak::read_bandwidth(&Team::new(threads), READING));
    }

    /// Measures all there is, on one thread and on that many.
    pub fn all(&mut self, threads: usize) {
        for threads in [1, threads] {
            self.measure(threads);
            self.read(threads);
        }
    }

    /// Measures once more what was measured.
    pub fn again(&mut self) {
        let (arithmetic, reading) = (self.arithmetic.clone(), self.reading.clone());
        arithmetic.into_keys().for_each(|threads| self.measure(threads));
        reading.into_keys().for_each(|threads| self.read(threads));
    }

    /// What a workload reached: the machine can do that, whatever else was measured. It is rare, where the machine was busy
    /// during every measurement of its peak.
    pub fn reached(&mut self, threads: usize, gflops: f64, gigabytes: Option<f64>) {
        best(&mut self.arithmetic, threads, gflops);
        if let Some(gigabytes) = gigabytes {
            best(&mut self.reading, threads, gigabytes);
        }
    }

    /// 10^9 operations a second on that many threads.
    pub fn gflops(&self, threads: usize) -> Option<f64> {
        self.arithmetic.get(&threads).copied()
    }

    /// 10^9 bytes a second on that many threads.
    pub fn gigabytes(&self, threads: usize) -> Option<f64> {
        self.reading.get(&threads).copied()
    }

    /// A line for each number of threads.
    pub fn lines(&self) -> Vec<String> {
        let words = |threads: usize| format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
        let arithmetic = self
            .arithmetic
            .iter()
            .map(|(&threads, peak)| format!("peak f32   {:<11} {peak:>8.1} GFLOP/s", words(threads)));
        let reading =
            self.reading.iter().map(|(&threads, peak)| format!("reading    {:<11} {peak:>8.1} GB/s", words(threads)));
        arithmetic.chain(reading).collect()
    }

    /// One object for each number of threads.
    pub fn as_json(&self) -> Value {
        let threads: std::collections::BTreeSet<usize> =
            self.arithmetic.keys().chain(self.reading.keys()).copied().collect();
        let one = |&threads: &usize| json!({ "threads": threads, "f32_gflops": self.gflops(threads), "read_gb_per_s": self.gigabytes(threads) });
        threads.iter().map(one).collect()
    }
}
