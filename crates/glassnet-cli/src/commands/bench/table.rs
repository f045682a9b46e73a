//! The result: a table for people, and the same as JSON.

use glassnet::core::{Precision, isa};
use serde_json::{Value, json};

use super::measure::Spread;
use super::peaks::Peaks;
use crate::numbers::thousands;

/// What one workload reached.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Its name.
    pub name: String,
    /// What the time is of: `step` or `row`.
    pub what: &'static str,
    /// Rows of a step or a call.
    pub rows: usize,
    /// Threads that worked.
    pub threads: usize,
    /// What its products multiplied.
    pub precision: Precision,
    /// Microseconds of a step or a row.
    pub time: Spread,
    /// Floating-point operations of a step or a row.
    pub flops: u64,
    /// Bytes that a step or a row must read from memory, where they are more than caches hold.
    pub bytes: Option<u64>,
    /// Microseconds that 99 of 100 calls stay below, each timed by itself.
    pub p99: Option<f64>,
    /// Of training.
    pub trained: Option<Trained>,
}

/// What training left.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Steps.
    pub steps: u64,
    /// Parameters of the network.
    pub parameters: usize,
    /// Loss of the first and of the last step.
    pub losses: (f64, f64),
    /// Hash of the weights after the last.
    pub hash: String,
}

impl Figures {
    fn gflops(&self) -> f64 {
        self.flops as f64 / self.time.median / 1e3
    }

    fn gigabytes(&self) -> Option<f64> {
        self.bytes.map(|bytes| bytes as f64 / self.time.median / 1e3)
    }

    fn share(&self, peaks: &Peaks) -> Option<f64> {
        Some(self.gflops() / peaks.gflops(self.precision, self.threads)?)
    }

    fn share_of_reading(&self, peaks: &Peaks) -> Option<f64> {
        Some(self.gigabytes()? / peaks.gigabytes(self.threads)?)
    }

    fn as_json(&self, peaks: &Peaks) -> Value {
        let mut value = json!({
            "workload": self.name,
            "rows": self.rows,
            "threads": self.threads,
            "precision": self.precision.name(),
            "spread": self.time.share(),
            "gflops": self.gflops(),
            "share_of_peak": self.share(peaks),
        });
        let Some(object) = value.as_object_mut() else { return value };
        let mut add = |key: &str, value: Value| {
            object.insert(key.to_owned(), value);
        };
        let what = self.what;
        add(&format!("us_per_{what}"), json!(self.time.median));
        add(&format!("us_per_{what}_quartiles"), json!([self.time.low, self.time.high]));
        add(&format!("least_us_per_{what}"), json!(self.time.least));
        add(&format!("flops_per_{what}"), json!(self.flops));
        if let Some(p99) = self.p99 {
            add(&format!("p99_us_per_{what}"), json!(p99));
        }
        if let Some(gigabytes) = self.gigabytes() {
            add("read_gb_per_s", json!(gigabytes));
            add("share_of_read_bandwidth", json!(self.share_of_reading(peaks)));
        }
        if let Some(trained) = &self.trained {
            add("steps", json!(trained.steps));
            add("parameters", json!(trained.parameters));
            add("first_loss", json!(trained.losses.0));
            add("last_loss", json!(trained.losses.1));
            add("weights_hash", json!(trained.hash));
        }
        value
    }

    fn cells(&self, peaks: &Peaks) -> [String; 8] {
        let share = self.share(peaks).map_or(String::new(), |share| format!("{:.1} %", 100.0 * share));
        [
            self.name.clone(),
            thousands(self.rows as u64),
            self.threads.to_string(),
            format!("{} us/{}", micros(self.time.median), self.what),
            format!("{:.1} %", 100.0 * self.time.share()),
            format!("{:.2}", self.gflops()),
            share,
            self.notes(peaks),
        ]
    }

    fn notes(&self, peaks: &Peaks) -> String {
        let mut notes = Vec::new();
        if let (Some(gigabytes), Some(share)) = (self.gigabytes(), self.share_of_reading(peaks)) {
            notes.push(format!("{gigabytes:.1} GB/s, {:.0} % of reading", 100.0 * share));
        }
        if let Some(p99) = self.p99 {
            notes.push(format!("99 % within {} us", micros(p99)));
        }
        if let Some(trained) = &self.trained {
            let short = trained.hash.get(..19).unwrap_or(&trained.hash);
            notes.push(format!("{short} after {}", thousands(trained.steps)));
        }
        notes.join("; ")
    }
}

/// Microseconds with three or four digits.
fn micros(value: f64) -> String {
    match value {
        x if x < 1.0 => format!("{x:.4}"),
        x if x < 100.0 => format!("{x:.2}"),
        x => format!("{x:.0}"),
    }
}

/// All of it.
#[derive(Debug)]
pub struct Report {
    /// What the workloads reached.
    pub figures: Vec<Figures>,
    threads: usize,
    precision: Precision,
}

impl Report {
    /// Nothing yet.
    pub fn new(threads: usize, precision: Precision) -> Self {
        Report { figures: Vec::new(), threads, precision }
    }

    /// For people.
    pub fn text(&self, peaks: &Peaks) -> String {
        let instructions = isa().map_or("?", |isa| isa.name());
        let mut text =
            format!("{}; {} threads at most; {instructions}; {}\n\n", processor(), self.threads, self.precision);
        if !self.figures.is_empty() {
            let head = ["workload", "rows", "threads", "median", "spread", "GFLOP/s", "of peak", ""].map(String::from);
            let lines: Vec<[String; 8]> =
                std::iter::once(head).chain(self.figures.iter().map(|figures| figures.cells(peaks))).collect();
            let width = |at: usize| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
            let widths: Vec<usize> = (0..8).map(width).collect();
            for line in &lines {
                let mut out = format!("{:<1$}", line[0], widths[0]);
                for (cell, width) in line[1..7].iter().zip(&widths[1..]) {
                    out += &format!("  {cell:>width$}");
                }
                out += &format!("  {}", line[7]);
                text += out.trim_end();
                text += "\n";
            }
            text += "\n";
        }
        for line in peaks.lines() {
            text += &format!("{line}\n");
        }
        text
    }

    /// As JSON.
    pub fn as_json(&self, peaks: &Peaks) -> Value {
        let instructions = isa().map_or("?", |isa| isa.name());
        json!({
            "processor": processor(),
            "cores": std::thread::available_parallelism().map_or(1, usize::from),
            "isa": instructions,
            "precision": self.precision.name(),
            "peaks": peaks.as_json(),
            "workloads": self.figures.iter().map(|figures| figures.as_json(peaks)).collect::<Vec<_>>(),
        })
    }
}

/// What the processor calls itself, where the system tells.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
