//! What a run will take, said before it begins, and what it took.
//!
//! Time: a few steps of a trainer of its own are timed and scaled; the run itself starts from its first weights all the
//! same. Memory: what the plan and the encoded rows say; the peak of the process from the system, where it tells.

use std::time::{Duration, Instant};

use glassnet::core::{Plan, Purpose, Team};
use glassnet::model::fit::{Headed, Prepared};
use glassnet::nn::functional;
use glassnet::nn::network::Network;
use glassnet::nn::train::{Rows, TrainSpec, Trainer};
use serde::Serialize;

use crate::error::CliError;
use crate::numbers::{bytes, duration};

/// Longest time that the trial may take.
const TRIAL: Duration = Duration::from_millis(300);
/// Most steps of the trial.
const STEPS: usize = 30;

/// What is expected.
#[derive(Debug, Clone, Serialize)]
pub struct Forecast {
    /// Seconds of all epochs.
    pub seconds: f64,
    /// Seconds of one.
    pub seconds_per_epoch: f64,
    /// Networks that are trained.
    pub members: usize,
    /// Bytes of weights, gradients, moments and activations.
    pub training_bytes: usize,
    /// Those of them that hold activations and their gradients.
    pub activation_bytes: usize,
    /// What activations would take if all were kept, and what it costs not to; with `--checkpoint-activations` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Bytes of the encoded rows.
    pub data_bytes: usize,
    /// Peak of the process, where the system tells what it takes so far.
    pub peak_bytes: Option<u64>,
}

/// What `--checkpoint-activations` brings and costs.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint {
    /// Bytes of activations and their gradients if every activation were kept.
    pub activation_bytes_without: usize,
    /// What is computed a second time, as a share of a forward pass.
    pub more_forward_passes: f64,
}

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Seconds from the first step to the last.
    pub seconds: f64,
    /// Peak of the process, reading included; `None` where the system does not tell.
    pub peak_bytes: Option<u64>,
}

/// Times a few steps and adds up the memory.
///
/// # Errors
/// Settings or rows that cannot be trained on.
pub fn forecast(headed: &Headed, prepared: &Prepared, spec: &TrainSpec, team: &Team) -> Result<Forecast, CliError> {
    let (train, valid) = (prepared.train(), prepared.valid());
    let data = prepared.train.bytes() + prepared.valid.as_ref().map_or(0, |valid| valid.bytes());
    of(&headed.network, train, valid, data, spec, team)
}

/// The same for any rows; `data` counts their bytes.
///
/// # Errors
/// As [`forecast`].
pub fn of(
    network: &Network,
    train: Rows<'_, f32>,
    valid: Option<Rows<'_, f32>>,
    data: usize,
    spec: &TrainSpec,
    team: &Team,
) -> Result<Forecast, CliError> {
    holds(network, spec, train.rows.len())?;
    let parameters = network.initialise::<f32>(spec.seed);
    let usage = |error: glassnet::nn::train::TrainError| CliError::Usage(error.to_string());
    let mut trainer =
        Trainer::new(network, parameters.clone(), train, valid, spec.clone(), team.clone()).map_err(usage)?;
    let training_bytes = trainer.memory();
    let activation_bytes = trainer.runner().plan().memory::<f32>().arena;
    let checkpoint = spec.checkpoint_activations.then(|| Checkpoint::new(network, trainer.runner().plan()));

    let rows = train.rows.len();
    let step_rows = spec.batch_rows(rows).saturating_mul(spec.accumulate).min(rows);
    let steps = spec.steps_per_epoch(rows);
    // Rows from all over the data, as the shuffled steps will take them.
    let stride = (rows / step_rows).max(1);
    let sample: Vec<u32> = train.rows.iter().step_by(stride).take(step_rows).copied().collect();
    // The first step warms caches and is not counted; where nothing is finite the run itself will say so.
    let _ = trainer.step(&sample, 0, 0);
    let (start, mut done) = (Instant::now(), 0usize);
    while done < STEPS && start.elapsed() < TRIAL && (done as u64) < steps.max(2) {
        let _ = trainer.step(&sample, 0, 0);
        done += 1;
    }
    let mut seconds_per_epoch = start.elapsed().as_secs_f64() / done.max(1) as f64 * steps as f64;
    drop(trainer);
    if let Some(valid) = valid {
        let some: Vec<u32> = valid.rows.iter().take(2_048).copied().collect();
        let mut runner = glassnet::core::Runner::new(network.evaluation_plan(network.evaluation_rows()), team.clone());
        let start = Instant::now();
        let outputs = functional::evaluate(network, &mut runner, &parameters, valid.source, &some);
        drop(outputs);
        seconds_per_epoch += start.elapsed().as_secs_f64() * valid.rows.len() as f64 / some.len().max(1) as f64;
    }
    let data_bytes = data + rows * 4;
    // The scores at the end hold the outputs of a whole part: logits and values in f32, scores in f64, and for each row
    // its loss, label and weight.
    let part = rows.max(valid.map_or(0, |valid| valid.rows.len()));
    let outputs = if network.gives_steps() { 0 } else { network.outputs() };
    let scores = part * (outputs * 16 + 20);
    let peak_bytes = process_memory().map(|(now, peak)| peak.max(now + (training_bytes + scores) as u64));
    Ok(Forecast {
        seconds: match spec.steps {
            Some(wanted) => seconds_per_epoch * wanted as f64 / steps.max(1) as f64,
            None => seconds_per_epoch * spec.epochs as f64,
        },
        seconds_per_epoch,
        members: 1,
        training_bytes,
        activation_bytes,
        checkpoint,
        data_bytes,
        peak_bytes,
    })
}

/// Refuses a run whose activations this machine cannot hold, before they are asked for.
fn holds(network: &Network, spec: &TrainSpec, rows: usize) -> Result<(), CliError> {
    let train = network.plan_with(Purpose::Train, spec.batch_rows(rows), spec.checkpoint_activations).memory::<f32>();
    let valid = network.evaluation_plan(network.evaluation_rows()).memory::<f32>();
    let wanted = (train.total() as u64).saturating_add(valid.arena as u64);
    let hint = match spec.checkpoint_activations {
        true => "take a smaller --batch or a smaller network",
        false => "take a smaller --batch, a smaller network, or --checkpoint-activations",
    };
    crate::machine::has(&format!("a step of {} rows", spec.batch_rows(rows)), wanted, hint)
}

impl Forecast {
    /// What was said of one member becomes what all take, so many at a time.
    pub fn of_members(&mut self, members: usize, threads: usize, spec: &TrainSpec) {
        if members == 1 {
            if spec.steps.is_none() {
                self.seconds = self.seconds_per_epoch * spec.epochs as f64;
            }
            return;
        }
        let at_once = threads.clamp(1, members);
        // Of each its gradients, moments and activations; the weights of all stay.
        self.members = members;
        self.seconds_per_epoch *= members.div_ceil(at_once) as f64;
        self.seconds = self.seconds_per_epoch * spec.epochs as f64;
        let more = self.training_bytes * (at_once - 1);
        self.training_bytes += more;
        self.peak_bytes = self.peak_bytes.map(|peak| peak + more as u64);
    }

    /// In a sentence.
    pub fn words(&self, spec: &TrainSpec) -> String {
        let time = match spec.early.patience {
            _ if spec.steps.is_some() => {
                let steps = spec.steps.unwrap_or(0);
                format!("about {} for {steps} steps", duration(self.seconds))
            }
            Some(_) => format!("at most {} for {} epochs", duration(self.seconds), spec.epochs),
            None if self.members > 1 => {
                format!("about {} for {} epochs of {} members", duration(self.seconds), spec.epochs, self.members)
            }
            None if spec.epochs == 1 => format!("about {} for 1 epoch", duration(self.seconds)),
            None => format!("about {} for {} epochs", duration(self.seconds), spec.epochs),
        };
        let peak =
            self.peak_bytes.map_or(String::new(), |peak| format!("; the process will peak at about {}", bytes(peak)));
        let checkpoint =
            self.checkpoint.as_ref().map_or(String::new(), |checkpoint| checkpoint.words(self.activation_bytes));
        format!(
            "forecast {time} ({} an epoch); {} for the network in training, {} of encoded rows{peak}\n{checkpoint}",
            duration(self.seconds_per_epoch),
            bytes(self.training_bytes as u64),
            bytes(self.data_bytes as u64),
        )
    }
}

impl Checkpoint {
    fn new(network: &Network, plan: &Plan) -> Self {
        let rows = plan.request().rows;
        let without = network.plan(Purpose::Train, rows);
        let forward: u64 = without.steps()[..without.forward_steps()].iter().map(|step| step.flops).sum();
        Checkpoint {
            activation_bytes_without: without.memory::<f32>().arena,
            more_forward_passes: plan.recomputed_flops(1) as f64 / forward.max(1) as f64,
        }
    }

    fn words(&self, activation_bytes: usize) -> String {
        if activation_bytes >= self.activation_bytes_without {
            return "--checkpoint-activations saves nothing here: the network is too shallow\n".into();
        }
        format!(
            "activations {} instead of {}, for {:.2} of a forward pass more\n",
            bytes(activation_bytes as u64),
            bytes(self.activation_bytes_without as u64),
            self.more_forward_passes,
        )
    }
}

impl Measured {
    /// Beside the forecast.
    pub fn words(&self, forecast: &Forecast, epochs: f64) -> String {
        let expected = duration(forecast.seconds_per_epoch * epochs);
        let memory = match (self.peak_bytes, forecast.peak_bytes) {
            (Some(peak), Some(expected)) => {
                format!("the process peaked at {} (forecast {})", bytes(peak), bytes(expected))
            }
            _ => "peak memory is not measured here".to_string(),
        };
        format!("measured {} of training (forecast {expected} for so many epochs); {memory}", duration(self.seconds))
    }
}

/// Bytes that the process takes now and took at most; `None` where the system does not tell.
pub fn process_memory() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let of = |key: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}
