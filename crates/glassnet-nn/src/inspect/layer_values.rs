//! What every layer gives for one row, with its shape: what feature maps are drawn from.

use glassnet_core::{Plan, Purpose, Real, Request, Runner, StepInfo, Team};

use super::InspectError;
use super::trace::check_tokens;
use crate::functional;
use crate::network::Network;
use crate::source::{Matrix, Targets};

/// What one layer gives.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerValues {
    /// Its name; `input` is the row itself.
    pub name: String,
    /// What it is: `conv 8 3x3`.
    pub kind: String,
    /// Depth of nesting.
    pub depth: usize,
    /// Shape of the values: `[C, H, W]` of an image, `[T, F]` of a sequence.
    pub shape: Vec<usize>,
    /// The values.
    pub values: Vec<f64>,
}

/// The row and what every layer gives for it, in the order of the layers.
///
/// # Errors
/// A row or parameters of another size, numbers that are no tokens where the network reads tokens.
pub fn layer_values<T: Real>(network: &Network, parameters: &[T], x: &[T]) -> Result<Vec<LayerValues>, InspectError> {
    let found = parameters.len();
    if found != network.parameters() {
        return Err(InspectError::Parameters { what: "parameters", wanted: network.parameters(), found });
    }
    if x.len() != network.inputs() {
        return Err(InspectError::Row { wanted: network.inputs(), found: x.len() });
    }
    check_tokens(network, x)?;
    let mut outputs: Vec<_> = network.layers.iter().map(|layer| layer.node).collect();
    outputs.extend([network.output, network.logits]);
    let (purpose, backward_from) = (Purpose::Inspect, None);
    let request = Request { purpose, rows: 1, backward_from, outputs, training: false, checkpoint: false };
    let mut runner = Runner::new(Plan::new(&network.graph, request).into(), Team::single());
    let row = Matrix { x: x.to_vec(), width: x.len(), targets: Targets::None, weights: Vec::new() };
    let denominator = functional::load(network, &mut runner, &row, &[0]);
    runner.forward(parameters, &StepInfo { denominator, ..StepInfo::default() });
    let numbers = |values: &[T]| values.iter().map(|value| value.to_f64()).collect();
    let input = LayerValues {
        name: "input".into(),
        kind: if network.reads_tokens() { "tokens".into() } else { "the row".into() },
        depth: 0,
        shape: network.graph.node(network.x).shape.0.clone(),
        values: numbers(x),
    };
    let layers = network.layers.iter().map(|layer| LayerValues {
        name: layer.name.clone(),
        kind: layer.kind.clone(),
        depth: layer.depth,
        shape: layer.output.0.clone(),
        values: numbers(runner.value(layer.node).unwrap_or(&[])),
    });
    Ok(std::iter::once(input).chain(layers).collect())
}
