//! One operation run on one row, outside a plan: for what a plan does not keep (a curve's slope) or does not compute
//! (the softmax of logits whose loss has it inside). It is the engine's own code that runs.

use glassnet_core::ops::{Backward, Context, Forward};
use glassnet_core::{Op, Precision, Real, Shape, Team};

fn context(team: &Team) -> Context<'_> {
    Context {
        team,
        training: false,
        seed: 0,
        epoch: 0,
        position: 0,
        denominator: 1.0,
        node: 0,
        time: 0,
        dropout: 1.0,
        precision: Precision::F32,
    }
}

/// The value of an operation with one input and no parameters, on rows of that width.
pub(crate) fn value<T: Real>(op: &Op, x: &[T], width: usize) -> Vec<T> {
    let team = Team::single();
    let mut output = vec![T::ZERO; x.len()];
    op.forward(Forward {
        rows: x.len() / width.max(1),
        shapes: &[Shape::row(width)],
        inputs: &[x],
        labels: &[],
        parameters: &[],
        output: &mut output,
        saved: &mut [],
        curve: None,
        state: &mut [],
        scratch: &mut [],
        context: &context(&team),
    });
    output
}

/// The slopes dy/dz of a curve at `z`, where its value is `y`: its backward pass with an upstream gradient of 1.
pub(crate) fn slopes<T: Real>(op: &Op, z: &[T], y: &[T]) -> Vec<T> {
    let team = Team::single();
    let mut slopes = vec![T::ZERO; z.len()];
    let upstream = vec![T::ONE; z.len()];
    op.backward(Backward {
        rows: 1,
        shapes: &[Shape::row(z.len())],
        inputs: &[z],
        labels: &[],
        parameters: &[],
        output: y,
        saved: &[],
        upstream: &upstream,
        input_gradients: &mut [Some(&mut slopes)],
        parameter_gradients: &mut [],
        scratch: &mut [],
        context: &context(&team),
    });
    slopes
}
