//! The forward half: each neuron's products, sum, bias, pre-activation and activation.

use glassnet_core::{Op, Real};
use serde::Serialize;

use super::backward::{self, LayerGradient};
use super::{Passed, to_f64};
use crate::network::Network;

/// One layer of a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerTrace {
    /// Its name: `0`, `3.1`, `4.gate`.
    pub name: String,
    /// What it is: `linear 4`, `relu`.
    pub kind: String,
    /// Depth of nesting.
    pub depth: usize,
    /// Numbers that it reads.
    pub inputs: usize,
    /// Numbers that it gives.
    pub outputs: usize,
    /// Shape of what it reads.
    pub takes: Vec<usize>,
    /// Shape of what it gives.
    pub gives: Vec<usize>,
    /// Whether it is shown in full.
    pub open: bool,
    /// The linear layer whose neurons show this curve's values.
    pub shown_with: Option<String>,
    /// The curve that follows a linear layer directly, by its kind.
    pub curve: Option<String>,
    /// The values that it gives (of an open layer).
    pub values: Vec<f64>,
    /// The values in summary (of a closed layer).
    pub spread: Option<Spread>,
    /// The neurons (of an open linear layer).
    pub neurons: Vec<Neuron>,
    /// What a block adds or multiplies, element by element (of an open layer).
    pub terms: Option<Terms>,
    /// Its gradients, where there is a target.
    pub gradient: Option<LayerGradient>,
}

/// One unit of a linear layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Neuron {
    /// The time step, from 0, where the layer reads a sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// Number of the unit, from 0.
    pub unit: usize,
    /// One product an input.
    pub products: Vec<Product>,
    /// The products added up, in f64.
    pub sum: f64,
    /// The bias, where there is one.
    pub bias: Option<f64>,
    /// The pre-activation, as the engine computed it.
    pub z: f64,
    /// The value after the curve that follows directly.
    pub activation: Option<f64>,
}

/// `x w = product`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Product {
    /// The input.
    pub x: f64,
    /// The weight.
    pub w: f64,
    /// Their product.
    pub product: f64,
}

/// Two values combined element by element.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Terms {
    /// `+` in a residual block, `x` in a gated one.
    pub operator: char,
    /// What stands left of it.
    pub left: &'static str,
    /// What stands right of it.
    pub right: &'static str,
    /// One an element.
    pub elements: Vec<Term>,
}

/// One element of [`Terms`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Term {
    /// Left of the operator.
    pub left: f64,
    /// Right of it.
    pub right: f64,
    /// The result.
    pub result: f64,
}

/// Many values in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: usize,
    /// The first few, as they stand.
    pub first: Vec<f64>,
    /// The smallest.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub max: f64,
    /// How many are exactly 0.
    pub zeros: usize,
    /// How many are infinite or not a number; they are left out of the other numbers.
    pub non_finite: usize,
    /// The three largest, with their places from 0.
    pub largest: Vec<(usize, f64)>,
}

impl Spread {
    /// Summarises values.
    pub fn of(values: &[f64]) -> Self {
        let mut order: Vec<(usize, f64)> =
            values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).collect();
        let finite = order.len();
        let sum: f64 = order.iter().map(|(_, value)| value).sum();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        Spread {
            count: values.len(),
            first: values.iter().take(4).copied().collect(),
            min: order.last().map_or(f64::NAN, |last| last.1),
            mean: sum / finite as f64,
            max: order.first().map_or(f64::NAN, |first| first.1),
            zeros: values.iter().filter(|&&value| value == 0.0).count(),
            non_finite: values.len() - finite,
            largest: order.into_iter().take(3).collect(),
        }
    }
}

/// The curve that follows linear layer `number` directly, by its place among the layers.
pub(super) fn curve_after(network: &Network, number: usize) -> Option<usize> {
    let (layer, next) = (&network.layers[number], network.layers.get(number + 1)?);
    let follows = layer.linear.is_some() && next.source == layer.node && next.depth == layer.depth;
    (follows && network.graph.node(next.node).op.is_curve()).then_some(number + 1)
}

/// The linear layer that curve `number` follows directly.
pub(super) fn linear_before(network: &Network, number: usize) -> Option<usize> {
    number.checked_sub(1).filter(|&before| curve_after(network, before) == Some(number))
}

/// Whether a layer is shown in full: it is small, or it is asked for, by its own name, its block's or its curve's.
pub(super) fn layer_opens<T: Real>(passed: &Passed<'_, T>, number: usize) -> bool {
    let network = passed.network;
    let info = &network.layers[number];
    let by_curve = curve_after(network, number)
        .is_some_and(|curve| passed.layer.is_some_and(|asked| asked == network.layers[curve].name));
    by_curve || passed.opens(&info.name, info.input.len(), info.output.len())
}

pub(super) fn layer<T: Real>(passed: &Passed<'_, T>, number: usize) -> LayerTrace {
    let network = passed.network;
    let info = &network.layers[number];
    let curve = curve_after(network, number);
    let open = layer_opens(passed, number);
    let values = passed.value(info.node);
    LayerTrace {
        name: info.name.clone(),
        kind: info.kind.clone(),
        depth: info.depth,
        inputs: info.input.len(),
        outputs: info.output.len(),
        takes: info.input.0.clone(),
        gives: info.output.0.clone(),
        open,
        shown_with: linear_before(network, number).map(|linear| network.layers[linear].name.clone()),
        curve: curve.map(|curve| network.layers[curve].kind.clone()),
        spread: (!open).then(|| Spread::of(&values)),
        neurons: if open && info.linear.is_some() { neurons(passed, number, curve) } else { Vec::new() },
        terms: if open { terms(passed, number) } else { None },
        values: if open { values } else { Vec::new() },
        gradient: backward::layer(passed, number, open),
    }
}

fn neurons<T: Real>(passed: &Passed<'_, T>, number: usize, curve: Option<usize>) -> Vec<Neuron> {
    let network = passed.network;
    let info = &network.layers[number];
    let slot = |place: usize| info.slots.get(place).map(|&id| network.graph.slots().view(id, &passed.parameters));
    let (x, z) = (passed.raw(info.source), passed.raw(info.node));
    let after = curve.map(|curve| passed.raw(network.layers[curve].node));
    let bias = slot(1);
    let weights = slot(0).unwrap_or(&[]);
    let (fan_in, units) = (network.graph.node(info.source).shape.last().max(1), info.output.last().max(1));
    let sequence = network.graph.node(info.source).shape.0.len() > 1;
    let mut neurons = Vec::with_capacity(z.len());
    for (step, x) in x.chunks_exact(fan_in).enumerate() {
        for (unit, weights) in weights.chunks_exact(fan_in).enumerate() {
            let place = step * units + unit;
            let products: Vec<Product> = x
                .iter()
                .zip(weights)
                .map(|(&x, &w)| Product { x: x.to_f64(), w: w.to_f64(), product: (x * w).to_f64() })
                .collect();
            neurons.push(Neuron {
                step: sequence.then_some(step),
                unit,
                sum: products.iter().map(|product| product.product).sum(),
                products,
                bias: bias.map(|bias| bias[unit].to_f64()),
                z: z[place].to_f64(),
                activation: after.map(|after| after[place].to_f64()),
            });
        }
    }
    neurons
}

/// What a residual block adds, and what a gated block multiplies (shown with its `down`).
fn terms<T: Real>(passed: &Passed<'_, T>, number: usize) -> Option<Terms> {
    let network = passed.network;
    let info = &network.layers[number];
    let at = match (&network.graph.node(info.node).op, info.linear.is_some()) {
        (Op::Add(_), _) => info.node,
        (_, true) => info.source,
        _ => return None,
    };
    let node = network.graph.node(at);
    let (operator, left, right) = match node.op {
        Op::Add(_) if at == info.node => ('+', "x", "f(x)"),
        Op::Multiply(_) => ('x', "gate", "up"),
        _ => return None,
    };
    let [a, b] = node.inputs[..] else { return None };
    let (a, b, result) = (to_f64(passed.raw(a)), to_f64(passed.raw(b)), to_f64(passed.raw(at)));
    let elements = a.iter().zip(&b).zip(&result);
    let elements = elements.map(|((&left, &right), &result)| Term { left, right, result }).collect();
    Some(Terms { operator, left, right, elements })
}
