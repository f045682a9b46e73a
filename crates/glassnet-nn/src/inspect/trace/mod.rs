//! One row through a network, with every number: products, sums, activations; with a target the loss, every gradient
//! with its chain of factors; with a step also `old - lr x grad = new` and the score again.
//!
//! Every value and gradient is the engine's own, from a plan that fuses and overwrites nothing. Products are computed
//! from the same weights and inputs; they add up to the engine's z within rounding.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the data, and the order of work |
//! | `forward.rs` | products, sums, values |
//! | `backward.rs` | gradients with their chains |
//! | `loss.rs` | target, loss, the gradient where it starts |
//! | `step.rs` | new parameters, the score again |
//! | `render.rs` | the text |

mod backward;
mod forward;
mod loss;
mod render;
mod step;

pub use backward::{Chain, Factor, LayerGradient, Size, SlotGradient};
pub use forward::{LayerTrace, Neuron, Product, Spread, Term, Terms};
pub use loss::{LossTrace, Target};
pub(super) use step::element_name;
pub use step::{Again, SlotUpdate, StepTrace, Update};

use glassnet_core::{Purpose, Real, Request, Runner, StepInfo, Team};
use serde::Serialize;

use super::{InspectError, direct};
use crate::functional;
use crate::loss::LossSpec;
use crate::nearest::nearest;
use crate::network::Network;
use crate::source::{Matrix, Targets};
use crate::spec::Activation;

/// Layers with more units or more inputs than this are summarised unless they are opened.
pub const OPEN_UP_TO: usize = 16;

/// What to trace besides the values.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TraceOptions<'a> {
    /// The row's target: loss and gradients are traced too.
    pub target: Option<Target<'a>>,
    /// Learning rate of one plain gradient step.
    pub step: Option<f64>,
    /// A layer to show in full, whatever its size; a block's name opens all layers inside.
    pub layer: Option<&'a str>,
}

/// One row through a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// Type of computation: `f32` or `f64`.
    pub precision: &'static str,
    /// The row.
    pub input: Vec<f64>,
    /// The layers in order; a block stands before the layers inside it.
    pub layers: Vec<LayerTrace>,
    /// The last layer's value.
    pub output: Vec<f64>,
    /// The scores, where the network gives scores.
    pub scores: Option<Scores>,
    /// Target, loss, and its gradient, where there is a target.
    pub loss: Option<LossTrace>,
    /// New parameters and the score again, where there is a step.
    pub step: Option<StepTrace>,
}

/// Numbers between 0 and 1 that nothing has checked as probabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// `sigmoid` or `softmax`.
    pub curve: &'static str,
    /// Scores of one time step; all of them where the network gives one vector a row.
    pub width: usize,
    /// The value of the last layer before it: logits.
    pub logits: Vec<f64>,
    /// One score an output; of sequences one time step after the other.
    pub values: Vec<f64>,
    /// Whether the curve is the network's last layer; otherwise it is inside the loss.
    pub in_network: bool,
}

/// Traces one row `x`.
///
/// ```
/// use glassnet_nn::inspect::{TraceOptions, parameters_from_flat, trace};
/// use glassnet_nn::{network::Network, spec::NetSpec};
/// let network = Network::new(&"2 -> 1 sigmoid".parse::<NetSpec>()?, None)?;
/// let parameters: Vec<f64> = parameters_from_flat(&network, &[0.7, 0.3], &[-4.0])?;
/// let traced = trace(&network, &parameters, &[6.0, 8.0], &TraceOptions::default())?;
/// assert_eq!(
///     traced.to_string(),
///     "6 x 0.7 = 4.2 | 8 x 0.3 = 2.4 | bias -4.0 | z = 2.6 -> 0.931\n\
///      a score: nothing has checked it as a probability\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A row, target or parameters of another size; a step without a target; a target without a loss; an unknown layer.
pub fn trace<T: Real>(
    network: &Network,
    parameters: &[T],
    x: &[T],
    options: &TraceOptions<'_>,
) -> Result<Trace, InspectError> {
    let found = parameters.len();
    if found != network.parameters() {
        return Err(InspectError::Parameters { what: "parameters", wanted: network.parameters(), found });
    }
    if x.len() != network.inputs() {
        return Err(InspectError::Row { wanted: network.inputs(), found: x.len() });
    }
    check_tokens(network, x)?;
    check_layer(network, options.layer)?;
    let targets = match &options.target {
        Some(target) => loss::targets(network, target)?,
        None if options.step.is_some() => return Err(InspectError::NoTarget),
        None => Targets::None,
    };
    if let Some(lr) = options.step.filter(|lr| !(lr.is_finite() && *lr > 0.0)) {
        return Err(InspectError::Step { lr });
    }
    let row = Matrix { x: x.to_vec(), width: x.len(), targets, weights: Vec::new() };
    let mut passed = Passed::new(network, parameters, row, options);
    passed.run();
    let layers = (0..network.layers.len()).map(|number| forward::layer(&passed, number)).collect();
    Ok(Trace {
        precision: T::NAME,
        input: to_f64(x),
        layers,
        output: passed.value(network.output),
        scores: passed.scores(),
        loss: loss::traced(&passed),
        step: match options.step {
            Some(lr) => Some(step::traced(&mut passed, lr)?),
            None => None,
        },
    })
}

/// Whether a row is tokens that the vocabulary has, where the network reads tokens; -1 is padding.
///
/// # Errors
/// The first number that is none.
pub fn check_tokens<T: Real>(network: &Network, x: &[T]) -> Result<(), InspectError> {
    let Some(vocabulary) = network.spec.vocabulary.filter(|_| network.reads_tokens()) else { return Ok(()) };
    let known = |x: f64| x % 1.0 == 0.0 && x >= -1.0 && x < vocabulary as f64;
    match x.iter().position(|x| !known(x.to_f64())) {
        None => Ok(()),
        Some(place) => Err(InspectError::Token {
            place: place + 1,
            value: x[place].to_f64(),
            last: vocabulary.saturating_sub(1),
            hint: "give the tokens' numbers; -1 pads a shorter row",
        }),
    }
}

fn check_layer(network: &Network, layer: Option<&str>) -> Result<(), InspectError> {
    let names: Vec<&str> = network.layers.iter().map(|layer| layer.name.as_str()).collect();
    match layer {
        Some(name) if !names.contains(&name) => {
            let all = format!("its layers are {}", names.join(", "));
            let hint = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean {near}? ({all})"),
                None => all,
            };
            Err(InspectError::Layer { name: name.to_string(), hint })
        }
        _ => Ok(()),
    }
}

/// A row that has been through the network, and what it was asked.
struct Passed<'a, T> {
    network: &'a Network,
    parameters: Vec<T>,
    gradients: Vec<T>,
    row: Matrix<T>,
    runner: Runner<T>,
    layer: Option<&'a str>,
    backward: bool,
}

impl<'a, T: Real> Passed<'a, T> {
    fn new(network: &'a Network, parameters: &[T], row: Matrix<T>, options: &TraceOptions<'a>) -> Self {
        let backward = options.target.is_some();
        let plan = if backward {
            network.plan(Purpose::Inspect, 1)
        } else {
            let mut outputs: Vec<_> = network.layers.iter().map(|layer| layer.node).collect();
            outputs.extend([network.x, network.output, network.logits]);
            let request = Request {
                purpose: Purpose::Inspect,
                rows: 1,
                backward_from: None,
                outputs,
                training: false,
                checkpoint: false,
            };
            glassnet_core::Plan::new(&network.graph, request).into()
        };
        Passed {
            network,
            gradients: vec![T::ZERO; parameters.len()],
            parameters: parameters.to_vec(),
            row,
            runner: Runner::new(plan, Team::single()),
            layer: options.layer,
            backward,
        }
    }

    fn run(&mut self) {
        let denominator = functional::load(self.network, &mut self.runner, &self.row, &[0]);
        let info = StepInfo { denominator, ..StepInfo::default() };
        self.runner.forward(&self.parameters, &info);
        if self.backward {
            self.gradients.fill(T::ZERO);
            self.runner.backward(&self.parameters, &mut self.gradients, &info);
        }
    }

    fn raw(&self, node: glassnet_core::NodeId) -> &[T] {
        self.runner.value(node).unwrap_or(&[])
    }

    fn value(&self, node: glassnet_core::NodeId) -> Vec<f64> {
        to_f64(self.raw(node))
    }

    /// The gradient of a node's value; `None` where none flows.
    fn gradient(&self, node: glassnet_core::NodeId) -> Option<Vec<f64>> {
        if !self.backward || node == self.network.x {
            return None;
        }
        self.runner.gradient(node).map(to_f64)
    }

    /// Scores and logits, where the network gives scores: its last curve, or the one inside its loss.
    fn scores(&self) -> Option<Scores> {
        let network = self.network;
        let last = network.layers.last().filter(|last| last.node == network.output);
        let (curve, logits, in_network) = match last.and_then(|last| Some((last.activation?, last.source))) {
            Some((Activation::Sigmoid, source)) => ("sigmoid", source, true),
            Some((Activation::Softmax, source)) => ("softmax", source, true),
            _ => match network.objective.as_ref().map(|objective| &objective.loss) {
                Some(LossSpec::CrossEntropy { .. } | LossSpec::SoftCrossEntropy { .. }) => {
                    ("softmax", network.logits, false)
                }
                Some(LossSpec::BinaryCrossEntropy { .. }) => ("sigmoid", network.logits, false),
                _ => return None,
            },
        };
        let width = network.graph.node(logits).shape.last();
        let values = if in_network {
            self.value(network.output)
        } else {
            let curve = if curve == "softmax" { Activation::Softmax } else { Activation::Sigmoid };
            to_f64(&direct::value(&crate::layers::curve(curve), self.raw(logits), width))
        };
        Some(Scores { curve, width, logits: self.value(logits), values, in_network })
    }

    /// Whether a layer of that name and width is shown in full.
    fn opens(&self, name: &str, inputs: usize, outputs: usize) -> bool {
        let asked = self.layer.is_some_and(|asked| {
            name == asked || name.strip_prefix(asked).is_some_and(|inside| inside.starts_with('.'))
        });
        asked || (inputs <= OPEN_UP_TO && outputs <= OPEN_UP_TO)
    }
}

fn to_f64<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}
