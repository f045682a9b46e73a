//! A trained network ready to predict: its weights prepared once, rows in, values out, without allocation.

use std::sync::Arc;

use glassnet_core::{NodeId, Prepared, Purpose, Real, Runner, StepInfo, Team};

use crate::network::Network;

/// A network with its parameters, made ready to predict: `Send + Sync`, shared by any number of callers, each with a
/// [`PredictorScratch`] of its own.
///
/// A row's values have the same bytes alone, in a batch, and at any place of a batch. One row at a time takes the shortest
/// way: copies of the weights in the order in which a row needs them ([`Prepared`]).
///
/// ```
/// use glassnet_nn::{network::Network, predictor::Predictor, spec::NetSpec};
/// let network = Network::new(&"3 -> 3 tanh -> 1 sigmoid".parse::<NetSpec>()?, None)?;
/// let parameters: Vec<f32> = network.initialise(7);
/// let predictor = Predictor::new(&network, parameters, 1)?;
/// let mut scratch = predictor.scratch();
/// let mut out = [0.0];
/// predictor.predict_into(&mut scratch, &[0.5, -1.0, 2.0], &mut out)?;
/// assert!(out[0] > 0.0 && out[0] < 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Predictor<T> {
    prepared: Prepared<T>,
    x: NodeId,
    output: NodeId,
    inputs: usize,
    outputs: usize,
}

/// What one caller needs to predict; made once, used for any number of rows.
#[derive(Debug)]
pub struct PredictorScratch<T> {
    runner: Runner<T>,
}

/// Why a predictor cannot be made, or rows are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PredictorError {
    /// Another number of parameters than the network has.
    #[error(
        "the network has {expected} parameters, but {found} are given\n  hint: give the flat buffer of this network"
    )]
    Parameters {
        /// Of the network.
        expected: usize,
        /// Given.
        found: usize,
    },
    /// Rows that are not numbers alone.
    #[error(
        "the network reads tokens or rows of different lengths\n  hint: a predictor is for rows of numbers; run such a network by a Runner"
    )]
    NotNumbers,
    /// No room for a row.
    #[error("a predictor for batches of 0 rows\n  hint: give the most rows that are to be computed at once, 1 or more")]
    NoRows,
    /// Numbers that are not whole rows.
    #[error("{found} numbers are given, but a row has {expected}\n  hint: give whole rows, one after the other")]
    Row {
        /// Numbers of a row.
        expected: usize,
        /// Numbers given.
        found: usize,
    },
    /// Room for another number of values.
    #[error(
        "the rows give {expected} values, but there is room for {found}\n  hint: size the room by rows times outputs()"
    )]
    Output {
        /// Values of the rows.
        expected: usize,
        /// Places given.
        found: usize,
    },
    /// The scratch of another predictor.
    #[error("the scratch was made by another predictor\n  hint: make it with this predictor's scratch()")]
    Scratch,
}

impl<T: Real> Predictor<T> {
    /// Prepares a network. `rows` is the most rows that are computed at once: 1 for rows that come alone; more of them for
    /// batches, which are cut into pieces of that many.
    ///
    /// # Errors
    /// Parameters of another network, a network that reads tokens or rows of different lengths, 0 rows.
    pub fn new(network: &Network, parameters: Vec<T>, rows: usize) -> Result<Self, PredictorError> {
        if parameters.len() != network.parameters() {
            return Err(PredictorError::Parameters { expected: network.parameters(), found: parameters.len() });
        }
        if network.reads_tokens() || network.lengths.is_some() {
            return Err(PredictorError::NotNumbers);
        }
        if rows == 0 {
            return Err(PredictorError::NoRows);
        }
        let plan = network.plan(Purpose::Predict, rows);
        Ok(Predictor {
            prepared: Prepared::new(plan, Arc::new(parameters)),
            x: network.x,
            output: network.output,
            inputs: network.inputs(),
            outputs: network.outputs(),
        })
    }

    /// Numbers of a row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values that a row gives.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// What a caller needs, on its own thread.
    pub fn scratch(&self) -> PredictorScratch<T> {
        self.scratch_with(Team::single())
    }

    /// What a caller needs who has a team of threads: large layers are split over them.
    pub fn scratch_with(&self, team: Team) -> PredictorScratch<T> {
        PredictorScratch { runner: Runner::new(self.prepared.shared_plan(), team) }
    }

    /// The last layer's values of some rows, `[rows, inputs]` to `[rows, outputs]`, row-major. Allocates nothing.
    ///
    /// # Errors
    /// Numbers that are not whole rows, an `out` of another size, the scratch of another predictor.
    pub fn predict_into(
        &self,
        scratch: &mut PredictorScratch<T>,
        rows: &[T],
        out: &mut [T],
    ) -> Result<(), PredictorError> {
        let runner = &mut scratch.runner;
        if !std::ptr::eq(runner.plan(), self.prepared.plan()) {
            return Err(PredictorError::Scratch);
        }
        if rows.len() == self.inputs && out.len() == self.outputs {
            self.piece(runner, 1, rows, out);
            return Ok(());
        }
        let count = rows.len() / self.inputs.max(1);
        if count * self.inputs != rows.len() {
            return Err(PredictorError::Row { expected: self.inputs, found: rows.len() });
        }
        if count * self.outputs != out.len() {
            return Err(PredictorError::Output { expected: count * self.outputs, found: out.len() });
        }
        let most = self.prepared.plan().request().rows;
        let pieces = rows.chunks(most * self.inputs.max(1)).zip(out.chunks_mut(most * self.outputs.max(1)));
        for (rows, out) in pieces {
            self.piece(runner, rows.len() / self.inputs.max(1), rows, out);
        }
        Ok(())
    }

    /// Rows that fit the plan.
    fn piece(&self, runner: &mut Runner<T>, count: usize, rows: &[T], out: &mut [T]) {
        runner.set_rows(count);
        runner.input_mut(self.x).copy_from_slice(rows);
        runner.forward_prepared(&self.prepared, &StepInfo::default());
        // The plan keeps the output: it was asked for.
        if let Some(values) = runner.value(self.output) {
            out.copy_from_slice(values);
        }
    }
}
