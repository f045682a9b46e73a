//! The backward half: each gradient as the sum of products that the chain rule makes it, beside the engine's value.

use glassnet_core::{NodeId, Op, Real};
use serde::Serialize;

use super::forward::{curve_after, linear_before};
use super::{Passed, to_f64};
use crate::inspect::direct;
use crate::layers::LayerInfo;

/// A gradient and what it is made of: a sum of products of factors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chain {
    /// Of what: `dL/dw[0][1]`.
    pub of: String,
    /// The products that are added.
    pub terms: Vec<Vec<Factor>>,
    /// The gradient, as the engine computed it.
    pub gradient: f64,
}

impl Chain {
    /// The factors multiplied and added up, in f64: the engine's gradient within rounding.
    pub fn product(&self) -> f64 {
        self.terms.iter().map(|term| term.iter().map(|factor| factor.value).product::<f64>()).sum()
    }
}

/// One factor of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Factor {
    /// What it is: `delta`, `input`, `da/dz`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

pub(super) fn factor(name: &'static str, value: f64) -> Factor {
    Factor { name, value }
}

/// A gradient in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Size {
    /// Euclidean length.
    pub norm: f64,
    /// Largest absolute value.
    pub largest: f64,
    /// How many are exactly 0.
    pub zeros: usize,
}

impl Size {
    /// Measures values.
    pub fn of(values: &[f64]) -> Self {
        Size {
            norm: values.iter().map(|value| value * value).sum::<f64>().sqrt(),
            largest: values.iter().fold(0.0, |largest, value| value.abs().max(largest)),
            zeros: values.iter().filter(|&&value| value == 0.0).count(),
        }
    }
}

/// The gradients of one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerGradient {
    /// Gradient of what the layer gives (of an open layer; empty where no gradient flows).
    pub output: Vec<f64>,
    /// The same in a few numbers, where a gradient flows.
    pub size: Option<Size>,
    /// Whether a gradient reaches the layer.
    pub flows: bool,
    /// How the gradient of what the layer gives comes back through the curve that follows (`dL/dz = dL/da x da/dz`) or
    /// through a gated block's product (of an open layer that has one of these).
    pub value: Vec<Chain>,
    /// Gradients of its parameters (of an open layer).
    pub parameters: Vec<Chain>,
    /// Gradients of what it reads, a sum over all that read it (of an open layer that is the first to read it; empty where
    /// nothing before it learns).
    pub inputs: Vec<Chain>,
    /// Gradients of its parameters in summary, one a slot; running statistics have none.
    pub slots: Vec<SlotGradient>,
}

/// The gradient of one slot in summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlotGradient {
    /// The slot: `0.weight`.
    pub name: String,
    /// Its shape, which is the gradient's.
    pub shape: Vec<usize>,
    /// Euclidean length.
    pub norm: f64,
    /// Largest absolute value.
    pub largest: f64,
    /// How many are exactly 0.
    pub zeros: usize,
}

pub(super) fn layer<T: Real>(passed: &Passed<'_, T>, number: usize, open: bool) -> Option<LayerGradient> {
    if !passed.backward {
        return None;
    }
    let network = passed.network;
    let info = &network.layers[number];
    let layout = network.graph.slots();
    let slots = info.slots.iter().filter(|&&id| !layout.get(id).role.is_statistic()).map(|&id| {
        let slot = layout.get(id);
        let size = Size::of(&to_f64(layout.view(id, &passed.gradients)));
        SlotGradient {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
            norm: size.norm,
            largest: size.largest,
            zeros: size.zeros,
        }
    });
    let output = passed.gradient(info.node);
    let mut gradient = LayerGradient {
        output: Vec::new(),
        size: output.as_deref().map(Size::of),
        flows: output.is_some(),
        value: Vec::new(),
        parameters: Vec::new(),
        inputs: Vec::new(),
        slots: slots.collect(),
    };
    let Some(output) = output.filter(|_| open) else { return Some(gradient) };
    // What reads a linear layer or one side of a product is its curve or its product, and is shown with it.
    let product =
        readers(passed, info.node).any(|(reader, _)| matches!(network.graph.node(reader).op, Op::Multiply(_)));
    if curve_after(network, number).is_some() || product {
        gradient.value = received(passed, info.node, if product { "dL/da" } else { "dL/dz" });
    }
    match network.graph.node(info.node).op {
        Op::Linear(_) if info.linear.is_some() => gradient.parameters = linear(passed, info, &output),
        Op::Scale(_) => gradient.parameters = scale(passed, info, &output),
        _ => {}
    }
    if shows_inputs(passed, number) {
        gradient.inputs = received(passed, info.source, if info.activation.is_some() { "dL/dz" } else { "dL/dx" });
    }
    gradient.output = output;
    Some(gradient)
}

/// Whether the gradient of what a layer reads is shown with it: it is the first to read it (a block comes before what
/// stands inside it), and it is no curve that is shown with its linear layer, nor a dropout, which is the identity here.
fn shows_inputs<T: Real>(passed: &Passed<'_, T>, number: usize) -> bool {
    let layers = &passed.network.layers;
    let dropout = |layer: &LayerInfo| matches!(passed.network.graph.node(layer.node).op, Op::Dropout(_));
    let source = |layer: &LayerInfo| behind_dropout(passed, layer.source);
    let own = source(&layers[number]);
    let first = layers.iter().position(|layer| !dropout(layer) && source(layer) == own);
    first == Some(number) && linear_before(passed.network, number).is_none()
}

/// The node whose value a node has: dropout is the identity here.
fn behind_dropout<T: Real>(passed: &Passed<'_, T>, mut node: NodeId) -> NodeId {
    while let (Op::Dropout(_), Some(&before)) =
        (&passed.network.graph.node(node).op, passed.network.graph.node(node).inputs.first())
    {
        node = before;
    }
    node
}

/// The nodes that read a node, with the number of the input that it is to them.
fn readers<'a, T: Real>(passed: &'a Passed<'_, T>, node: NodeId) -> impl Iterator<Item = (NodeId, usize)> + use<'a, T> {
    let nodes = passed.network.graph.nodes().iter().enumerate();
    nodes.flat_map(move |(number, reader)| {
        let inputs = reader.inputs.iter().enumerate();
        inputs.filter(move |&(_, &input)| input == node).map(move |(input, _)| (NodeId(number), input))
    })
}

/// The gradient of a node's value: a sum over everything that reads it.
fn received<T: Real>(passed: &Passed<'_, T>, node: NodeId, name: &str) -> Vec<Chain> {
    let node = behind_dropout(passed, node);
    let Some(gradient) = passed.gradient(node) else { return Vec::new() };
    let mut terms: Vec<Vec<Vec<Factor>>> = vec![Vec::new(); gradient.len()];
    if !contributions(passed, node, &mut terms) {
        return Vec::new();
    }
    let chains = gradient.into_iter().zip(terms).enumerate();
    chains.map(|(place, (gradient, terms))| Chain { of: format!("{name}[{place}]"), terms, gradient }).collect()
}

/// Adds what each reader of `node` contributes to the gradient of each of its elements; false where one is a loss, which
/// is shown on its own.
fn contributions<T: Real>(passed: &Passed<'_, T>, node: NodeId, terms: &mut [Vec<Vec<Factor>>]) -> bool {
    let graph = &passed.network.graph;
    let mut known = true;
    for (reader, input) in readers(passed, node) {
        let op = &graph.node(reader).op;
        if matches!(op, Op::Dropout(_)) {
            known &= contributions(passed, reader, terms);
            continue;
        }
        let Some(upstream) = passed.gradient(reader) else { continue };
        let value = passed.value(reader);
        let slot = || graph.node(reader).slots.first().map(|&id| graph.slots().view(id, &passed.parameters));
        let parameters = to_f64(slot().unwrap_or(&[]));
        match op {
            Op::Linear(map) => {
                // In NTK form the product is divided by the root of the number of inputs.
                let root = map.ntk.then(|| 1.0 / (graph.node(node).shape.last().max(1) as f64).sqrt());
                // Of a sequence each time step by itself.
                let units = graph.node(reader).shape.last().max(1);
                let width = (parameters.len() / units).max(1);
                for (place, terms) in terms.iter_mut().enumerate() {
                    let (step, j) = (place / width, place % width);
                    let upstream = upstream.iter().skip(step * units).take(units);
                    let column = parameters.iter().skip(j).step_by(width).zip(upstream);
                    terms.extend(column.map(|(&w, &delta)| {
                        let scaled = root.map(|root| factor("1/sqrt(d)", root));
                        [factor("w", w), factor("delta", delta)].into_iter().chain(scaled).collect()
                    }));
                }
            }
            Op::Scale(_) => add(terms, &upstream, |j, g| {
                vec![factor("dL/dy", g), factor("s", parameters[j % parameters.len().max(1)])]
            }),
            Op::Add(_) => add(terms, &upstream, |_, g| vec![factor("dL/dy", g)]),
            Op::Multiply(_) => {
                let other = passed.value(graph.node(reader).inputs[1 - input]);
                add(terms, &upstream, |j, g| vec![factor("dL/dproduct", g), factor("other side", other[j])]);
            }
            Op::Softmax(_) => {
                let width = graph.node(reader).shape.last().max(1);
                let means: Vec<f64> = sums(width, upstream.iter().zip(&value).map(|(g, p)| g * p));
                add(terms, &upstream, |j, g| {
                    vec![factor("p", value[j]), factor("(g - mean of g)", g - means[j / width])]
                });
            }
            Op::LogSoftmax(_) => {
                let width = graph.node(reader).shape.last().max(1);
                let p: Vec<f64> = passed.raw(reader).iter().map(|&log| log.exp().to_f64()).collect();
                let sums = sums(width, upstream.iter().copied());
                add(terms, &upstream, |_, g| vec![factor("g", g)]);
                add(terms, &upstream, |j, _| vec![factor("-p", -p[j]), factor("sum of g", sums[j / width])]);
            }
            curve if curve.is_curve() => {
                let slopes = to_f64(&direct::slopes(curve, passed.raw(node), passed.raw(reader)));
                add(terms, &upstream, |j, g| vec![factor("dL/da", g), factor("da/dz", slopes[j])]);
            }
            _ => known = false,
        }
    }
    known
}

/// Sums over each `width` numbers.
fn sums(width: usize, numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    numbers.collect::<Vec<f64>>().chunks(width).map(|part| part.iter().sum()).collect()
}

fn add(terms: &mut [Vec<Vec<Factor>>], upstream: &[f64], term: impl Fn(usize, f64) -> Vec<Factor>) {
    for (j, (terms, &g)) in terms.iter_mut().zip(upstream).enumerate() {
        terms.push(term(j, g));
    }
}

/// `dL/dw_ij = delta_i x x_j`, `dL/db_i = delta_i`; of a sequence the sum over its time steps.
fn linear<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, delta: &[f64]) -> Vec<Chain> {
    let slots = passed.network.graph.slots();
    let view = |place: usize| info.slots.get(place).map(|&id| to_f64(slots.view(id, &passed.gradients)));
    let x = passed.value(info.source);
    let (fan_in, units) = (passed.network.graph.node(info.source).shape.last().max(1), info.output.last().max(1));
    let (weights, biases) = (view(0).unwrap_or_default(), view(1));
    let mut chains = Vec::new();
    for (unit, row) in weights.chunks_exact(fan_in).enumerate() {
        let deltas = || delta.iter().skip(unit).step_by(units).copied();
        for (input, &gradient) in row.iter().enumerate() {
            let inputs = x.iter().skip(input).step_by(fan_in);
            let terms = deltas().zip(inputs).map(|(delta, &x)| vec![factor("delta", delta), factor("input", x)]);
            chains.push(Chain { of: format!("dL/dw[{unit}][{input}]"), terms: terms.collect(), gradient });
        }
        if let Some(biases) = &biases {
            let terms = deltas().map(|delta| vec![factor("delta", delta)]).collect();
            chains.push(Chain { of: format!("dL/db[{unit}]"), terms, gradient: biases[unit] });
        }
    }
    chains
}

/// `dL/ds_j = g_j x x_j`; of a sequence the sum over its time steps.
fn scale<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, upstream: &[f64]) -> Vec<Chain> {
    let Some(&id) = info.slots.first() else { return Vec::new() };
    let own = to_f64(passed.network.graph.slots().view(id, &passed.gradients));
    let (x, width) = (passed.value(info.source), own.len().max(1));
    let chain = |(j, gradient): (usize, f64)| {
        let elements = upstream.iter().zip(&x).skip(j).step_by(width);
        let terms = elements.map(|(&g, &x)| vec![factor("dL/dy", g), factor("input", x)]).collect();
        Chain { of: format!("dL/ds[{j}]"), terms, gradient }
    };
    own.into_iter().enumerate().map(chain).collect()
}
