//! The work of the training peers and their talk with `compare.py`: a line when ready, then for each line "go SECONDS" one JSON
//! line with the median microseconds of a step.

use std::io::{BufRead, Write};
use std::time::Instant;

/// A network of linear layers and its data.
pub struct Work {
    pub sizes: &'static [usize],
    pub rows: usize,
    pub batch: usize,
    /// Steps that are timed together.
    pub together: usize,
}

pub const RATE: f64 = 0.01;

impl Work {
    pub fn named(name: Option<&String>) -> Result<Work, String> {
        match name.map(String::as_str) {
            Some("tiny") => Ok(Work { sizes: &[4, 16, 3], rows: 1024, batch: 32, together: 100 }),
            Some("mnist") => Ok(Work { sizes: &[784, 256, 10], rows: 60_000, batch: 128, together: 5 }),
            Some("wide") => Ok(Work { sizes: &[1024, 4096, 4096, 10], rows: 8192, batch: 256, together: 1 }),
            _ => Err("name a workload: tiny, mnist or wide".into()),
        }
    }

    pub fn classes(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }
}

/// A small generator (xorshift64*), good enough to draw batches and data.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Draw(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn bits(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.bits()) * bound as u64) >> 32) as usize
    }

    fn uniform(&mut self) -> f32 {
        (self.bits() as f32 + 0.5) / 4_294_967_296.0
    }

    /// Normal numbers of a deviation.
    pub fn normal(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        (0..count)
            .map(|_| {
                deviation
                    * (-2.0 * self.uniform().max(1e-9).ln()).sqrt()
                    * (std::f32::consts::TAU * self.uniform()).cos()
            })
            .collect()
    }
}

/// Warms up, then answers.
pub fn serve(name: &str, together: usize, mut step: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    for _ in 0..3 {
        step()?;
    }
    let mut out = std::io::stdout();
    let mut say = |line: String| writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| error.to_string());
    say(format!("{{\"ready\": \"{name}\"}}"))?;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let Some(seconds) = line.strip_prefix("go ").and_then(|text| text.trim().parse::<f64>().ok()) else { break };
        let (begin, mut times) = (Instant::now(), Vec::new());
        while begin.elapsed().as_secs_f64() < seconds || times.len() < 3 {
            let start = Instant::now();
            for _ in 0..together {
                step()?;
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / together as f64);
        }
        times.sort_by(f64::total_cmp);
        say(format!("{{\"step\": {}}}", times[times.len() / 2]))?;
    }
    Ok(())
}
