//! What a model says of encoded rows, as numbers that contributions can add up to. Everything that explains goes through
//! [`Margins`], and [`Margins`] through what `predict` goes through: members averaged, calibrated, in the target's unit.

use std::fmt;

use glassnet_core::{Runner, StepInfo, Team};

use crate::calibration::log_odds;
use crate::model::Model;

/// Runs encoded rows through a model.
pub struct Margins<'a> {
    model: &'a Model,
    runner: Runner<f32>,
    scores: Vec<f32>,
}

impl fmt::Debug for Margins<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Margins").field("runner", &self.runner).finish_non_exhaustive()
    }
}

impl<'a> Margins<'a> {
    /// For one caller.
    pub fn new(model: &'a Model, team: Team) -> Self {
        Margins { model, runner: model.runner(team), scores: Vec::new() }
    }

    /// Adds for each row of `inputs` (`[rows, inputs]`, as the model encodes them) the model's outputs: the bytes of
    /// [`Model::scores`].
    pub fn scores(&mut self, inputs: &[f32], out: &mut Vec<f32>) {
        let network = self.model.network();
        let (width, classes) = (network.inputs().max(1), self.model.outputs().max(1));
        let logits = network.graph.node(network.logits).shape.len().max(1);
        let batch = self.runner.plan().request().rows.max(1);
        let finish = self.model.finish();
        let members = self.model.members().len();
        for rows in inputs.chunks(batch * width) {
            let start = out.len();
            out.resize(start + rows.len() / width * classes, 0.0);
            let out = &mut out[start..];
            for parameters in self.model.members() {
                self.runner.set_rows(rows.len() / width);
                // A run uses its own copy of the inputs up.
                let places = self.runner.input_mut(network.x);
                places.copy_from_slice(&rows[..places.len()]);
                self.runner.forward_to(network.logits, parameters, &StepInfo::default());
                let values = self.runner.value(network.logits).unwrap_or(&[]);
                for (logits, out) in values.chunks_exact(logits).zip(out.chunks_exact_mut(classes)) {
                    match members {
                        1 => finish.one(logits, out),
                        _ => finish.add(logits, out),
                    }
                }
            }
            if members > 1 {
                out.chunks_exact_mut(classes).for_each(|out| finish.close(out));
            }
        }
    }

    /// Adds `f` of each row: the log-odds of the class, or the value.
    pub fn margins(&mut self, inputs: &[f32], class: Option<usize>, out: &mut Vec<f64>) {
        let mut scores = std::mem::take(&mut self.scores);
        scores.clear();
        self.scores(inputs, &mut scores);
        out.extend(scores.chunks_exact(self.model.outputs().max(1)).map(|scores| margin(scores, class)));
        self.scores = scores;
    }
}

/// `f` of one row's outputs: the log-odds of a class, `ln p - ln(1 - p)`; without a class the value.
pub(super) fn margin(scores: &[f32], class: Option<usize>) -> f64 {
    match class {
        Some(class) => log_odds(scores, class),
        None => scores.first().copied().map_or(f64::NAN, f64::from),
    }
}

/// The class that is explained where none is asked for: the second of two, else the likeliest (of equals the first).
pub(super) fn explained(scores: &[f32]) -> usize {
    if scores.len() == 2 {
        return 1;
    }
    (0..scores.len()).fold(0, |best, k| if scores[k] > scores[best] { k } else { best })
}
