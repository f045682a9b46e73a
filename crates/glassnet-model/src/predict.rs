//! Rows in, scores out: one row at a time without allocation, or many at once; both give the same bytes.

use std::sync::Arc;

use glassnet_core::{Prepared, Runner, StepInfo, Team};
use glassnet_nn::functional;
use glassnet_nn::source::Source;

use crate::calibration::Calibration;
use crate::error::ModelError;
use crate::file::Features;
use crate::model::Model;
use crate::outputs::Outputs;
use crate::value::{RowError, Value};

/// What one caller needs to predict a row; made once, used for any number of rows.
#[derive(Debug)]
pub struct Scratch {
    runner: Runner<f32>,
    /// The encoded row, where several members read it: a run uses its own copy up.
    inputs: Vec<f32>,
}

impl Model {
    /// What a caller needs to predict rows. The model's first scratch takes the time and the memory of a copy of the weights of
    /// its linear layers, in the order that one row needs; all callers share it.
    pub fn scratch(&self) -> Scratch {
        let prepare = |member: &Arc<Vec<f32>>| Prepared::new(Arc::clone(&self.row_plan), Arc::clone(member));
        self.prepared.get_or_init(|| self.members.iter().map(prepare).collect());
        let inputs = if self.members.len() == 1 { Vec::new() } else { vec![0.0; self.network.inputs()] };
        Scratch { runner: Runner::new(Arc::clone(&self.row_plan), Team::single()), inputs }
    }

    /// Predicts one row: a value for each of [`Model::columns`], scores of the classes (or the value) to `out`
    /// ([`Model::outputs`] numbers). It neither allocates nor panics.
    ///
    /// # Errors
    /// A row or an `out` of another length, a value that its column cannot hold; the scratch of another model; a model of
    /// images.
    pub fn predict_into(&self, row: &[Value<'_>], scratch: &mut Scratch, out: &mut [f32]) -> Result<(), RowError> {
        let Features::Table(preprocess) = &self.document.preprocess else {
            return Err(RowError::Length { expected: 0, found: row.len() });
        };
        if out.len() != self.outputs() {
            return Err(RowError::Output { expected: self.outputs(), found: out.len() });
        }
        let Scratch { runner, inputs } = scratch;
        // A model's plan says where its arena holds what: no other plan will do, not even one of the same sizes.
        if !std::ptr::eq(runner.plan(), Arc::as_ptr(&self.row_plan)) {
            return Err(RowError::Scratch);
        }
        runner.set_rows(1);
        let outputs = self.finish();
        if self.members.len() == 1 {
            preprocess.encode_row(row, runner.input_mut(self.network.x))?;
            self.forward(0, runner);
            outputs.one(runner.value(self.network.logits).unwrap_or(&[]), out);
            return Ok(());
        }
        preprocess.encode_row(row, inputs)?;
        out.fill(0.0);
        for member in 0..self.members.len() {
            runner.input_mut(self.network.x).copy_from_slice(inputs);
            self.forward(member, runner);
            outputs.add(runner.value(self.network.logits).unwrap_or(&[]), out);
        }
        outputs.close(out);
        Ok(())
    }

    /// One row, loaded already, through one member.
    fn forward(&self, member: usize, runner: &mut Runner<f32>) {
        match (self.prepared.get().and_then(|prepared| prepared.get(member)), self.members.get(member)) {
            (Some(prepared), _) => runner.forward_prepared(prepared, &StepInfo::default()),
            (None, Some(parameters)) => runner.forward(parameters, &StepInfo::default()),
            (None, None) => {}
        }
    }

    /// How logits become probabilities, where that was found on rows that the training did not see.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.document.calibration.as_ref()
    }

    /// The same model with that calibration, or with none.
    ///
    /// # Errors
    /// Numbers that are no calibration of this model's head ([`Calibration::check`]).
    pub fn with_calibration(mut self, calibration: Option<Calibration>) -> Result<Self, ModelError> {
        if let Some(calibration) = &calibration {
            calibration.check(self.document.network.head, self.outputs()).map_err(|what| ModelError::Unfit {
                what,
                hint: "fit it on held-out rows of this model: a slope above 0, an offset for two classes only",
            })?;
        }
        self.document.calibration = calibration;
        Ok(self)
    }

    /// What stands between the network's numbers and what is given out.
    pub(crate) fn finish(&self) -> Outputs<'_> {
        Outputs {
            head: self.document.network.head,
            members: self.members.len(),
            calibration: self.document.calibration.as_ref(),
            target: self.document.schema.target.as_ref(),
        }
    }

    /// A runner for many rows; see [`Model::scores`].
    pub fn runner(&self, team: Team) -> Runner<f32> {
        Runner::new(Arc::clone(&self.batch_plan), team)
    }

    /// Scores (or values) of some rows, [rows, outputs]: the same bytes as one row at a time.
    ///
    /// # Errors
    /// The runner of another model, rows that were encoded for another model.
    pub fn scores(
        &self,
        runner: &mut Runner<f32>,
        source: &dyn Source<f32>,
        rows: &[u32],
    ) -> Result<Vec<f32>, ModelError> {
        self.scores_by(self.finish(), runner, source, rows)
    }

    /// The same without the calibration: what one is fitted to.
    ///
    /// # Errors
    /// As [`Model::scores`].
    pub fn raw_scores(
        &self,
        runner: &mut Runner<f32>,
        source: &dyn Source<f32>,
        rows: &[u32],
    ) -> Result<Vec<f32>, ModelError> {
        self.scores_by(Outputs { calibration: None, ..self.finish() }, runner, source, rows)
    }

    fn scores_by(
        &self,
        finish: Outputs<'_>,
        runner: &mut Runner<f32>,
        source: &dyn Source<f32>,
        rows: &[u32],
    ) -> Result<Vec<f32>, ModelError> {
        if !std::ptr::eq(runner.plan(), Arc::as_ptr(&self.batch_plan)) {
            return Err(ModelError::Foreign { what: "the runner was made by another model", maker: "runner()" });
        }
        self.encoded_here(source)?;
        let (width, classes) = (self.network.graph.node(self.network.logits).shape.len().max(1), self.outputs().max(1));
        let mut scores = vec![0.0; rows.len() * self.outputs()];
        for member in &self.members {
            let outputs = functional::evaluate(&self.network, runner, member, source, rows);
            for (logits, out) in outputs.logits.chunks(width).zip(scores.chunks_mut(classes)) {
                match self.members.len() {
                    1 => finish.one(logits, out),
                    _ => finish.add(logits, out),
                }
            }
        }
        if self.members.len() > 1 {
            scores.chunks_mut(classes).for_each(|out| finish.close(out));
        }
        Ok(scores)
    }
}
