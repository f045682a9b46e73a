//! What a model says of encoded rows, as numbers that contributions can add up to. Everything that explains goes through
//! [`Outputs`]: what stands between logits and the final score is here and nowhere else under `explain`.

use std::fmt;

use glassnet_core::{Real, Runner, StepInfo, Team};

use crate::file::Head;
use crate::model::Model;

/// Runs encoded rows through a model.
pub struct Outputs<'a> {
    model: &'a Model,
    runner: Runner<f32>,
    finals: Vec<f64>,
}

impl fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outputs").field("runner", &self.runner).finish_non_exhaustive()
    }
}

impl<'a> Outputs<'a> {
    /// For one caller.
    pub fn new(model: &'a Model, team: Team) -> Self {
        Outputs { model, runner: model.runner(team), finals: Vec::new() }
    }

    /// Rows that go through the network at a time; the numbers do not depend on it.
    pub fn batch(&self) -> usize {
        self.runner.plan().request().rows.max(1)
    }

    /// Adds for each row of `inputs` (`[rows, inputs]`, as the model encodes them) what the model says in the end: `ln p` of
    /// each class, or of a regression the value in the target's unit. In f64, of the model's own f32 logits.
    pub fn finals(&mut self, inputs: &[f32], out: &mut Vec<f64>) {
        let network = self.model.network();
        let width = network.inputs().max(1);
        let logits = network.graph.node(network.logits).shape.len().max(1);
        let batch = self.batch();
        for rows in inputs.chunks(batch * width) {
            self.runner.set_rows(rows.len() / width);
            let places = self.runner.input_mut(network.x);
            places.copy_from_slice(&rows[..places.len()]);
            self.runner.forward_to(network.logits, self.model.parameters(), &StepInfo::default());
            for logits in self.runner.value(network.logits).unwrap_or(&[]).chunks_exact(logits) {
                finals_of(self.model, logits, out);
            }
        }
    }

    /// Adds `f` of each row: the log-odds of the class, or the value.
    pub fn margins(&mut self, inputs: &[f32], class: Option<usize>, out: &mut Vec<f64>) {
        let mut finals = std::mem::take(&mut self.finals);
        finals.clear();
        self.finals(inputs, &mut finals);
        out.extend(finals.chunks_exact(self.model.outputs().max(1)).map(|finals| margin(finals, class)));
        self.finals = finals;
    }
}

/// What the model says in the end, of one row's logits: the same steps as `Model::predict_into`, but as logarithms in f64.
pub(super) fn finals_of(model: &Model, logits: &[f32], out: &mut Vec<f64>) {
    let document = model.document();
    let calibrated = |z: f32| f64::from(document.calibration.map_or(z, |calibration| calibration.apply(z)));
    let first = logits.first().copied().unwrap_or(f32::NAN);
    match document.network.head {
        Head::Softmax => {
            let start = out.len();
            out.extend(logits.iter().map(|&z| calibrated(z)));
            let sum = log_sum_exp(out[start..].iter().copied());
            out[start..].iter_mut().for_each(|z| *z -= sum);
        }
        Head::Sigmoid => {
            let z = calibrated(first);
            out.extend([-softplus(z), -softplus(-z)]);
        }
        Head::Value => {
            let target = document.schema.target.as_ref();
            out.push(target.map_or(f64::from(first), |target| target.restore(f64::from(first))));
        }
    }
}

/// The slopes of `f` by each logit of a row, `df/dz`: `b` for the one logit of two classes (`-b` for the first class), `b` times
/// `1` and `-p_j / (1 - p_class)` for a logit of each class, where `b` is the calibration's slope; the deviation of the
/// targets for a number.
pub(super) fn slopes_of(model: &Model, logits: &[f32], class: Option<usize>, out: &mut [f32]) {
    let document = model.document();
    let slope = document.calibration.map_or(1.0, |calibration| f64::from(calibration.slope as f32));
    match (document.network.head, class) {
        (Head::Sigmoid, Some(0)) => out.fill(-slope as f32),
        (Head::Sigmoid, _) => out.fill(slope as f32),
        (Head::Softmax, class) => {
            let class = class.unwrap_or(0);
            let mut finals = Vec::with_capacity(logits.len());
            finals_of(model, logits, &mut finals);
            let others = log_sum_exp(finals.iter().enumerate().filter(|(k, _)| *k != class).map(|(_, &z)| z));
            for (k, (out, &z)) in out.iter_mut().zip(&finals).enumerate() {
                *out = if k == class { slope as f32 } else { (-slope * Real::exp(z - others)) as f32 };
            }
        }
        (Head::Value, _) => {
            let target = document.schema.target.as_ref();
            out.fill(target.map_or(1.0, |target| target.restore(1.0) - target.restore(0.0)) as f32);
        }
    }
}

/// The log-odds of a class, `ln p - ln(1 - p)`, from the `ln p` of all classes; without a class the value.
pub(super) fn margin(finals: &[f64], class: Option<usize>) -> f64 {
    match (class, finals) {
        (Some(0), [no, yes]) => no - yes,
        (Some(_), [no, yes]) => yes - no,
        (Some(class), finals) => {
            let others = finals.iter().enumerate().filter(|(k, _)| *k != class).map(|(_, &z)| z);
            finals.get(class).copied().unwrap_or(f64::NAN) - log_sum_exp(others)
        }
        (None, finals) => finals.first().copied().unwrap_or(f64::NAN),
    }
}

/// The class that is explained where none is asked for: the second of two, else the likeliest (of equals the first).
pub(super) fn explained(finals: &[f64]) -> usize {
    if finals.len() == 2 {
        return 1;
    }
    (0..finals.len()).fold(0, |best, k| if finals[k] > finals[best] { k } else { best })
}

/// `ln(1 + e^z)` without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + Real::ln_1p(Real::exp(-z.abs()))
}

/// `ln sum e^z`; minus infinity of nothing.
fn log_sum_exp(z: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = z.clone().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + Real::ln(z.map(|z| Real::exp(z - most)).sum::<f64>())
}
