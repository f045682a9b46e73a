//! How steep `f` is in the inputs: a backward pass from the logits of each member, which begins with the slopes of everything
//! that stands behind the logits.
//!
//! ```text
//! p = mean over members m of p_m,  p_m = softmax(z_m)          (a sigmoid's logit z is softmax of 0 and z)
//! q = softmax(a + b ln p)                                       (one member: of a + b z)
//! r = (1 - mix) map(q) + mix / C                                f = ln r_k - ln(1 - r_k)
//! df/dz'_j = g (1 for j = k, else -q_j / (1 - q_k)),   g = (1 - mix) map' q_k (1 - q_k) / (r_k (1 - r_k))
//! df/dz_mi = b / M (w_i - p_mi sum_j w_j),             w_j = df/dz'_j p_mj / p_j
//! ```

use std::fmt;
use std::sync::Arc;

use glassnet_core::plan::Request;
use glassnet_core::{Plan, Purpose, Real, Runner, StepInfo, Team};

use crate::calibration::Calibration;
use crate::file::Head;
use crate::model::Model;

/// Gradients of `f` by the inputs, for a few rows at a time.
pub(super) struct Slopes<'a> {
    model: &'a Model,
    runner: Runner<f32>,
    /// Gradients of the parameters, which nobody reads: a backward pass makes them too.
    parameters: Vec<f32>,
}

impl fmt::Debug for Slopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slopes").field("runner", &self.runner).finish_non_exhaustive()
    }
}

impl<'a> Slopes<'a> {
    /// For `rows` rows at a time.
    pub fn new(model: &'a Model, team: Team, rows: usize) -> Self {
        let network = model.network();
        let plan = Plan::new(
            &network.graph,
            Request {
                purpose: Purpose::Attribute,
                rows,
                backward_from: Some(network.logits),
                outputs: vec![network.logits],
                training: false,
                checkpoint: false,
            },
        );
        let parameters = vec![0.0; network.parameters()];
        Slopes { model, runner: Runner::new(Arc::new(plan), team), parameters }
    }

    /// `df/dx` at each row of `inputs`, `[rows, inputs]`; at most as many rows as the plan has room for.
    pub fn at(&mut self, inputs: &[f32], class: Option<usize>) -> Vec<f64> {
        let network = self.model.network();
        let info = StepInfo::default();
        let members: Vec<&[f32]> = self.model.members().collect();
        let logits: Vec<Vec<f32>> = members.iter().map(|parameters| self.forward(parameters, inputs)).collect();
        let width = network.graph.node(network.logits).shape.len().max(1);
        let rows = inputs.len() / network.inputs().max(1);
        let mut sums = vec![0.0; inputs.len()];
        for (member, parameters) in members.iter().enumerate() {
            if members.len() > 1 {
                self.forward(parameters, inputs);
            }
            for row in 0..rows {
                let of_row: Vec<&[f32]> = logits.iter().map(|all| &all[row * width..(row + 1) * width]).collect();
                let seed = &mut self.runner.seed_mut()[row * width..(row + 1) * width];
                of_logits(self.model, &of_row, member, class, seed);
            }
            self.runner.backward_from_seed(parameters, &mut self.parameters, &info);
            let slopes = self.runner.gradient(network.x).unwrap_or(&[]);
            sums.iter_mut().zip(slopes).for_each(|(sum, &slope)| *sum += f64::from(slope));
        }
        sums
    }

    /// The logits of the rows, by one member.
    fn forward(&mut self, parameters: &[f32], inputs: &[f32]) -> Vec<f32> {
        let network = self.model.network();
        self.runner.set_rows(inputs.len() / network.inputs().max(1));
        let places = self.runner.input_mut(network.x);
        places.copy_from_slice(&inputs[..places.len()]);
        self.runner.forward_to(network.logits, parameters, &StepInfo::default());
        self.runner.value(network.logits).unwrap_or(&[]).to_vec()
    }
}

/// The slopes of `f` by the logits of one member; `logits` are all members' of the row.
fn of_logits(model: &Model, logits: &[&[f32]], member: usize, class: Option<usize>, out: &mut [f32]) {
    let members = logits.len() as f64;
    let document = model.document();
    let Some(class) = class else {
        // Of a number: how it goes back to the target's unit, and 0 where it is clamped.
        let z = logits.iter().map(|z| z.first().copied().map_or(f64::NAN, f64::from)).sum::<f64>() / members;
        let restore = |z: f64| document.schema.target.as_ref().map_or(z, |target| target.restore(z));
        let slope = (restore(z + STEP) - restore(z - STEP)) / (2.0 * STEP);
        return out.fill((slope / members) as f32);
    };
    let default = Calibration::default();
    let calibration = document.calibration.as_ref().unwrap_or(&default);
    let b = f64::from(calibration.slope as f32);
    let offset = |j: usize| if j == 1 { f64::from(calibration.offset as f32) } else { 0.0 };
    // Both heads as logits of each class.
    let wide = |z: &[f32]| -> Vec<f64> {
        match (document.network.head, z) {
            (Head::Sigmoid, [z, ..]) => vec![0.0, f64::from(*z)],
            _ => z.iter().map(|&z| f64::from(z)).collect(),
        }
    };
    let own: Vec<Vec<f64>> = logits.iter().map(|z| log_softmax(&wide(z))).collect();
    let classes = own[member].len();
    // ln p, the mean of the members' probabilities.
    let mean: Vec<f64> = (0..classes).map(|j| log_sum_exp(own.iter().map(|z| z[j])) - Real::ln(members)).collect();
    let calibrated: Vec<f64> = mean.iter().enumerate().map(|(j, z)| offset(j) + b * z).collect();
    let q = log_softmax(&calibrated);
    let behind = behind(calibration, &q, class);
    let others = log_sum_exp(q.iter().enumerate().filter(|(j, _)| *j != class).map(|(_, &z)| z));
    let w: Vec<f64> = (0..classes)
        .map(|j| {
            let slope = if j == class { behind } else { -behind * Real::exp(q[j] - others) };
            slope * Real::exp(own[member][j] - mean[j])
        })
        .collect();
    let sum: f64 = w.iter().sum();
    let slope = |i: usize| b / members * (w[i] - Real::exp(own[member][i]) * sum);
    match document.network.head {
        Head::Sigmoid => out.fill(slope(1) as f32),
        _ => out.iter_mut().enumerate().for_each(|(i, out)| *out = slope(i) as f32),
    }
}

/// Half the step of a difference quotient, where a function may have corners.
const STEP: f64 = 1e-4;

/// `g`: what a calibration's map and mix make of the slope; 1 without them.
fn behind(calibration: &Calibration, q: &[f64], class: usize) -> f64 {
    if calibration.mix == 0.0 && calibration.knots.is_none() {
        return 1.0;
    }
    let even = calibration.mix / q.len().max(1) as f64;
    let q = Real::exp(q[class]);
    let (mapped, slope) = match &calibration.knots {
        // The map is of the second class; of the first it is mirrored.
        Some(knots) => {
            let at = |q: f64| if class == 1 { knots.at(q) } else { 1.0 - knots.at(1.0 - q) };
            (at(q), (at((q + STEP).min(1.0)) - at((q - STEP).max(0.0))) / (2.0 * STEP))
        }
        None => (q, 1.0),
    };
    let r = (1.0 - calibration.mix) * mapped + even;
    // Where nothing is mixed in, a map's ends may be 0 and 1: there f has no slope to speak of.
    match r * (1.0 - r) {
        spread if spread > 0.0 => (1.0 - calibration.mix) * slope * q * (1.0 - q) / spread,
        _ => 0.0,
    }
}

/// `z - ln sum e^z`.
fn log_softmax(z: &[f64]) -> Vec<f64> {
    let sum = log_sum_exp(z.iter().copied());
    z.iter().map(|z| z - sum).collect()
}

/// `ln sum e^z`; minus infinity of nothing.
fn log_sum_exp(z: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = z.clone().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return most;
    }
    most + Real::ln(z.map(|z| Real::exp(z - most)).sum::<f64>())
}
