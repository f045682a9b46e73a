//! Networks that only run: rows in, logits out, through the library's own predictor.

use std::hint::black_box;
use std::time::Duration;

use glassnet::core::Team;
use glassnet::core::random::{Draws, Purpose as Stream};
use glassnet::nn::network::Network;
use glassnet::nn::predictor::Predictor;
use glassnet::nn::spec::NetSpec;

use super::Options;
use super::data;
use super::measure::calls;
use super::peaks::Peaks;
use super::table::Figures;
use super::workloads::InferCase;
use crate::commands::train::worth_threads;
use crate::error::CliError;
use crate::machine;

/// Rows that take turns, so that no call sees the row before it again.
const TURNS: usize = 64;
/// How long a network is measured where nothing else is said.
const SECONDS: f64 = 0.5;

/// Weights between -1 and 1 over the root of the inputs' number: drawn quickly, as there may be a hundred million.
fn weights(count: usize, inputs: usize) -> Vec<f32> {
    let draws = Draws::new(0, Stream::Synthetic, 9, 0);
    let factor = 2.0 / (inputs as f32).sqrt();
    let mut weights = vec![0.0; count];
    for (block, out) in weights.chunks_mut(4).enumerate() {
        for (weight, word) in out.iter_mut().zip(draws.block(block as u64)) {
            *weight = (((word >> 8) as f32 + 0.5) / 16_777_216.0 - 0.5) * factor;
        }
    }
    weights
}

/// Measures it.
///
/// # Errors
/// A machine that has too little memory for the weights.
pub fn run(name: &str, case: &InferCase, options: &Options, peaks: &mut Peaks) -> Result<Figures, CliError> {
    let spec = NetSpec::parse(case.net).map_err(|error| CliError::Usage(error.to_string()))?;
    let network = Network::new(&spec, None).map_err(|error| CliError::Usage(error.to_string()))?;
    machine::holds(name, network.parameters(), 9)?;
    let flops = 2 * case.weights() * case.rows as u64;
    let bytes = 4 * case.weights();
    // Many weights for one row: the time is that of reading them, and more threads read faster.
    let large = bytes > 1 << 27;
    let team = Team::new(options.threads.unwrap_or_else(|| match large {
        true => std::thread::available_parallelism().map_or(1, usize::from),
        false => worth_threads(flops),
    }));
    let parameters = weights(network.parameters(), case.sizes[0]);
    let width = case.sizes[0];
    let mut rows = vec![0.0; TURNS * width.max(case.rows * width / TURNS + 1)];
    data::normal(&mut rows, &team);
    let turn = case.rows * width;
    let predictor =
        Predictor::new(&network, parameters, case.rows).map_err(|error| CliError::Usage(error.to_string()))?;
    let mut scratch = predictor.scratch_with(team.clone());
    let (mut out, mut refused) = (vec![0.0; case.rows * predictor.outputs()], None);
    let measured = |peaks: &mut Peaks| {
        peaks.measure(team.threads());
        if large {
            peaks.read(team.threads());
        }
    };
    measured(peaks);
    let mut at = 0;
    let time = calls(Duration::from_secs_f64(options.seconds.unwrap_or(SECONDS)), || {
        if at + turn > rows.len() {
            at = 0;
        }
        if let Err(error) = predictor.predict_into(&mut scratch, &rows[at..at + turn], &mut out) {
            refused = Some(error);
        }
        black_box(&mut out);
        at += turn;
    });
    if let Some(error) = refused {
        return Err(CliError::Check(error.to_string()));
    }
    measured(peaks);
    let time = time.ok_or_else(|| CliError::Check("nothing was timed".into()))?;
    let gigabytes = large.then(|| bytes as f64 / time.median / 1e3);
    peaks.reached(team.threads(), flops as f64 / time.median / 1e3, gigabytes);
    Ok(Figures {
        name: format!("{name} {}", case.title()),
        what: "row",
        rows: case.rows,
        threads: team.threads(),
        time: time.each(case.rows as f64),
        flops: flops / case.rows as u64,
        bytes: large.then_some(bytes),
        p99: None,
        trained: None,
    })
}
