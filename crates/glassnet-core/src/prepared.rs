//! Parameters made ready for one row at a time: weights that a row meets whole are copied into the order in which it needs
//! them ([`glassnet_kernels::row`]). The copies belong to one plan and to parameters that do not change any more, so they are
//! never out of date. The results have the bytes of [`crate::Runner::forward`].

use std::sync::Arc;

use glassnet_kernels::row::RowWeights;

use crate::Real;
use crate::ops::Op;
use crate::plan::{Pass, Plan, Step};
use crate::precision::Precision;

/// Parameters with copies of the weights that a single row is multiplied by: as much memory as those weights take, once more
/// ([`Prepared::bytes`]).
#[derive(Debug)]
pub struct Prepared<T> {
    plan: Arc<Plan>,
    parameters: Arc<Vec<T>>,
    /// Of each forward step: the copies of a linear layer, where it has them.
    weights: Vec<Option<RowWeights<T>>>,
}

impl<T: Real> Prepared<T> {
    /// Copies the weights of the plan's linear layers; `parameters` is the flat buffer.
    ///
    /// # Panics
    /// Where the plan has another number of parameters.
    pub fn new(plan: Arc<Plan>, parameters: Arc<Vec<T>>) -> Self {
        assert_eq!(parameters.len(), plan.parameters(), "parameters are a flat buffer of the plan's layout");
        let precise = plan.precision() == Precision::F32;
        let forward = &plan.steps()[..plan.forward_steps()];
        let weights = forward.iter().map(|step| row_weights(step, &parameters).filter(|_| precise)).collect();
        Prepared { plan, parameters, weights }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A handle to the plan, for a runner.
    pub fn shared_plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// The parameters, flat.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// Bytes of the copies.
    pub fn bytes(&self) -> usize {
        self.weights.iter().flatten().map(RowWeights::bytes).sum()
    }

    pub(crate) fn weights(&self) -> &[Option<RowWeights<T>>] {
        &self.weights
    }
}

/// The copies for a linear layer that reads one vector a row.
fn row_weights<T: Real>(step: &Step, parameters: &[T]) -> Option<RowWeights<T>> {
    let Op::Linear(linear) = &step.op else { return None };
    let ([shape], Pass::Forward) = (step.input_shapes.as_slice(), step.pass) else { return None };
    let ([k], Some(weight)) = (shape.0.as_slice(), step.slots.first()) else { return None };
    // In NTK form the product is multiplied before the bias is added: the runner does both.
    let bias = step.slots.get(1).filter(|_| linear.bias && !linear.ntk).map(|range| &parameters[range.clone()]);
    Some(RowWeights::new(linear.units, *k, &parameters[weight.clone()], bias))
}
