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

/// The gradients of one layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerGradient {
    /// Gradient of what the layer gives (of an open layer; empty where no gradient flows).
    pub output: Vec<f64>,
    /// Whether a gradient reaches the layer.
    pub flows: bool,
    /// Gradients through a gated block's product, `dL/da = dL/dproduct x other side` (of an open layer on one side of it).
    pub product: Vec<Chain>,
    /// Gradients through the curve that follows, `dL/dz = dL/da x da/dz` (of an open layer).
    pub curve: Vec<Chain>,
    /// Gradients of its parameters (of an open layer).
    pub parameters: Vec<Chain>,
    /// Gradients of what it reads (of an open layer; empty where nothing before it learns).
    pub inputs: Vec<Chain>,
    /// Gradients of its parameters in summary, one a slot.
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
    let slots = info.slots.iter().map(|&id| {
        let slot = network.graph.slots().get(id);
        let values = to_f64(network.graph.slots().view(id, &passed.gradients));
        SlotGradient {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
            norm: values.iter().map(|value| value * value).sum::<f64>().sqrt(),
            largest: values.iter().fold(0.0, |largest, value| value.abs().max(largest)),
            zeros: values.iter().filter(|&&value| value == 0.0).count(),
        }
    });
    let output = passed.gradient(info.node);
    let mut gradient = LayerGradient {
        output: Vec::new(),
        flows: output.is_some(),
        product: through_product(passed, info),
        curve: Vec::new(),
        parameters: Vec::new(),
        inputs: Vec::new(),
        slots: slots.collect(),
    };
    let Some(output) = output.filter(|_| open) else {
        gradient.product.clear();
        return Some(gradient);
    };
    let op = &network.graph.node(info.node).op;
    match op {
        Op::Linear(_) if info.linear.is_some() => {
            gradient.curve = curve_after(network, number).map_or(Vec::new(), |after| through_curve(passed, after));
            linear(passed, info, &output, &mut gradient);
        }
        Op::Scale(_) => scale(passed, info, &output, &mut gradient),
        Op::Softmax(_) => gradient.inputs = softmax(passed, info, &output),
        Op::LogSoftmax(_) => gradient.inputs = log_softmax(passed, info, &output),
        op if op.is_curve() && linear_before(network, number).is_none() => {
            gradient.inputs = through_curve(passed, number);
        }
        _ => {}
    }
    gradient.output = output;
    Some(gradient)
}

/// `dL/dz_i = dL/da_i x da/dz_i` of curve `number`.
fn through_curve<T: Real>(passed: &Passed<'_, T>, number: usize) -> Vec<Chain> {
    let info = &passed.network.layers[number];
    if !only_reader(passed, info) {
        return Vec::new();
    }
    let (Some(upstream), Some(gradient)) = (passed.gradient(info.node), passed.gradient(info.source)) else {
        return Vec::new();
    };
    let op = &passed.network.graph.node(info.node).op;
    let slopes = direct::slopes(op, passed.raw(info.source), passed.raw(info.node));
    let values = upstream.iter().zip(slopes).zip(gradient).enumerate();
    values
        .map(|(unit, ((&upstream, slope), gradient))| Chain {
            of: format!("dL/dz[{unit}]"),
            terms: vec![vec![factor("dL/da", upstream), factor("da/dz", slope.to_f64())]],
            gradient,
        })
        .collect()
}

/// `dL/dw_ij = delta_i x x_j`, `dL/db_i = delta_i`, `dL/dx_j = sum_i w_ij x delta_i`.
fn linear<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, delta: &[f64], gradient: &mut LayerGradient) {
    let slots = passed.network.graph.slots();
    let view = |place: usize, of: &[T]| info.slots.get(place).map(|&id| to_f64(slots.view(id, of)));
    let x = passed.value(info.source);
    let weight = view(0, &passed.parameters).unwrap_or_default();
    let weights = view(0, &passed.gradients).unwrap_or_default();
    let biases = view(1, &passed.gradients);
    for (unit, (row, &delta)) in weights.chunks_exact(x.len().max(1)).zip(delta).enumerate() {
        for (input, (&gradient_of_weight, &x)) in row.iter().zip(&x).enumerate() {
            gradient.parameters.push(Chain {
                of: format!("dL/dw[{unit}][{input}]"),
                terms: vec![vec![factor("delta", delta), factor("input", x)]],
                gradient: gradient_of_weight,
            });
        }
        if let Some(biases) = &biases {
            gradient.parameters.push(Chain {
                of: format!("dL/db[{unit}]"),
                terms: vec![vec![factor("delta", delta)]],
                gradient: biases[unit],
            });
        }
    }
    let before = only_reader(passed, info).then(|| passed.gradient(info.source)).flatten();
    for (input, gradient_of_input) in before.into_iter().flatten().enumerate() {
        let terms = delta.iter().enumerate().map(|(unit, &delta)| {
            vec![factor("w", weight.get(unit * x.len() + input).copied().unwrap_or(0.0)), factor("delta", delta)]
        });
        gradient.inputs.push(Chain {
            of: format!("dL/dx[{input}]"),
            terms: terms.collect(),
            gradient: gradient_of_input,
        });
    }
}

/// Whether a layer alone reads its input: otherwise the input's gradient is a sum of which the layer gives one part.
/// Dropout is the identity here, so what it reads counts too.
fn only_reader<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo) -> bool {
    let graph = &passed.network.graph;
    let alone = |id| graph.nodes().iter().flat_map(|node| &node.inputs).filter(|&&input| input == id).count() == 1;
    let mut source = info.source;
    while alone(source) {
        match (&graph.node(source).op, graph.node(source).inputs.first()) {
            (Op::Dropout(_), Some(&before)) => source = before,
            _ => return true,
        }
    }
    false
}

/// Where a layer's value is one side of a gated block's product: `dL/da_i = dL/dproduct_i x other_i`.
fn through_product<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo) -> Vec<Chain> {
    let nodes = passed.network.graph.nodes();
    let product = nodes.iter().position(|node| matches!(node.op, Op::Multiply(_)) && node.inputs.contains(&info.node));
    let Some(product) = product else { return Vec::new() };
    let Some(&other) = nodes[product].inputs.iter().find(|&&input| input != info.node) else { return Vec::new() };
    let (Some(upstream), Some(own)) = (passed.gradient(NodeId(product)), passed.gradient(info.node)) else {
        return Vec::new();
    };
    let values = upstream.iter().zip(passed.value(other)).zip(own).enumerate();
    values
        .map(|(unit, ((&upstream, other), gradient))| Chain {
            of: format!("dL/da[{unit}]"),
            terms: vec![vec![factor("dL/dproduct", upstream), factor("other side", other)]],
            gradient,
        })
        .collect()
}

/// `dL/ds_j = g_j x x_j`, `dL/dx_j = g_j x s_j`.
fn scale<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, upstream: &[f64], gradient: &mut LayerGradient) {
    let slots = passed.network.graph.slots();
    let Some(&id) = info.slots.first() else { return };
    let (factors, own) = (to_f64(slots.view(id, &passed.parameters)), to_f64(slots.view(id, &passed.gradients)));
    let x = passed.value(info.source);
    for (j, ((&g, &x), &own)) in upstream.iter().zip(&x).zip(&own).enumerate() {
        gradient.parameters.push(Chain {
            of: format!("dL/ds[{j}]"),
            terms: vec![vec![factor("dL/dy", g), factor("input", x)]],
            gradient: own,
        });
    }
    let before = only_reader(passed, info).then(|| passed.gradient(info.source)).flatten();
    for (j, ((&g, &s), own)) in upstream.iter().zip(&factors).zip(before.into_iter().flatten()).enumerate() {
        gradient.inputs.push(Chain {
            of: format!("dL/dx[{j}]"),
            terms: vec![vec![factor("dL/dy", g), factor("s", s)]],
            gradient: own,
        });
    }
}

/// `dL/dz_i = p_i x (g_i - sum_j g_j p_j)`.
fn softmax<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, upstream: &[f64]) -> Vec<Chain> {
    let p = passed.value(info.node);
    let mean: f64 = upstream.iter().zip(&p).map(|(g, p)| g * p).sum();
    let chain = |(i, gradient): (usize, f64)| Chain {
        of: format!("dL/dz[{i}]"),
        terms: vec![vec![factor("p", p[i]), factor("(g - mean of g)", upstream[i] - mean)]],
        gradient,
    };
    let gradients = only_reader(passed, info).then(|| passed.gradient(info.source)).flatten();
    gradients.into_iter().flatten().enumerate().map(chain).collect()
}

/// `dL/dz_i = g_i - p_i x sum_j g_j`.
fn log_softmax<T: Real>(passed: &Passed<'_, T>, info: &LayerInfo, upstream: &[f64]) -> Vec<Chain> {
    let p: Vec<f64> = passed.raw(info.node).iter().map(|&log| log.exp().to_f64()).collect();
    let sum: f64 = upstream.iter().sum();
    let chain = |(i, gradient): (usize, f64)| Chain {
        of: format!("dL/dz[{i}]"),
        terms: vec![vec![factor("g", upstream[i])], vec![factor("-p", -p[i]), factor("sum of g", sum)]],
        gradient,
    };
    let gradients = only_reader(passed, info).then(|| passed.gradient(info.source)).flatten();
    gradients.into_iter().flatten().enumerate().map(chain).collect()
}
