//! Layers: how each [`LayerSpec`] becomes nodes of a graph.
//!
//! Names are PyTorch's in a Sequential, where activations count: layer 0's weight is `0.weight`, the next linear layer
//! after its activation is `2`. Inside a residual block at 3 the layers are `3.0`, `3.1`, ...; a gated block at 4 has
//! `4.gate`, `4.up`, `4.down`.

use glassnet_core::ops::{
    add::Add, dropout::Dropout, elu::Elu, gelu::Gelu, gelu_tanh::GeluTanh, leaky_relu::LeakyRelu, linear::Linear,
    log_softmax::LogSoftmax, mish::Mish, multiply::Multiply, relu::Relu, scale::Scale, selu::Selu, sigmoid::Sigmoid,
    silu::Silu, softmax::Softmax, softplus::Softplus, step::Step, tanh::Tanh,
};
use glassnet_core::slots::SlotId;
use glassnet_core::{Graph, GraphError, NodeId, Op, Shape};

use crate::init::recommended;
use crate::spec::names::activation_text;
use crate::spec::{Activation, Init, LayerSpec};

/// One layer of a built network, as the inspectors and reports show it.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerInfo {
    /// Its name: `0`, `3.1`, `4.gate`.
    pub name: String,
    /// What it is: `linear 256`, `relu`, `dropout 0.5`.
    pub kind: String,
    /// Shape of a row that it reads.
    pub input: Shape,
    /// Shape of a row that it gives.
    pub output: Shape,
    /// The node that it reads.
    pub source: NodeId,
    /// The node that holds its value.
    pub node: NodeId,
    /// Its parameters' slots.
    pub slots: Vec<SlotId>,
    /// Where it is a linear layer: how it is drawn and what follows.
    pub linear: Option<LinearInfo>,
    /// The curve, where it is one.
    pub activation: Option<Activation>,
    /// Depth of nesting, 0 for the outermost.
    pub depth: usize,
}

/// What is known about a linear layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearInfo {
    /// Inputs of a unit.
    pub fan_in: usize,
    /// Units.
    pub fan_out: usize,
    /// How its weight is drawn.
    pub init: Init,
    /// Whether it is the head with the small default draw.
    pub head: bool,
    /// The curve that follows.
    pub followed_by: Option<Activation>,
    /// Whether it ends a residual branch.
    pub ends_branch: bool,
    /// Weights and biases that the specification gives.
    pub given: (Option<Vec<Vec<f64>>>, Option<Vec<f64>>),
}

/// The operation of a curve.
pub fn curve(activation: Activation) -> Op {
    match activation {
        Activation::Step => Op::Step(Step),
        Activation::Relu => Op::Relu(Relu),
        Activation::LeakyRelu { slope } => Op::LeakyRelu(LeakyRelu { slope }),
        Activation::Elu { alpha } => Op::Elu(Elu { alpha }),
        Activation::Selu => Op::Selu(Selu),
        Activation::Gelu => Op::Gelu(Gelu),
        Activation::GeluTanh => Op::GeluTanh(GeluTanh),
        Activation::Silu => Op::Silu(Silu),
        Activation::Mish => Op::Mish(Mish),
        Activation::Tanh => Op::Tanh(Tanh),
        Activation::Sigmoid => Op::Sigmoid(Sigmoid),
        Activation::Softplus => Op::Softplus(Softplus),
        Activation::Softmax => Op::Softmax(Softmax),
        Activation::LogSoftmax => Op::LogSoftmax(LogSoftmax),
    }
}

/// Adds layers to a graph and keeps what is to be known about them.
pub(crate) struct Builder<'a> {
    pub graph: &'a mut Graph,
    pub layers: Vec<LayerInfo>,
}

impl Builder<'_> {
    /// Adds `layers` behind `from`; `prefix` is the name of the block that they stand in, `head` whether the last linear
    /// layer may be the small head.
    pub fn sequence(
        &mut self,
        layers: &[LayerSpec],
        from: NodeId,
        prefix: &str,
        depth: usize,
        head: bool,
    ) -> Result<NodeId, GraphError> {
        let last_linear = layers.iter().rposition(|layer| matches!(layer, LayerSpec::Linear { .. }));
        let mut node = from;
        for (index, layer) in layers.iter().enumerate() {
            let name = if prefix.is_empty() { index.to_string() } else { format!("{prefix}.{index}") };
            let next = layers.get(index + 1).and_then(|next| match next {
                LayerSpec::Activation { function } => Some(*function),
                _ => None,
            });
            let is_last = Some(index) == last_linear;
            node = match layer {
                LayerSpec::Linear { units, bias, init, weight, bias_values } => {
                    let info = LinearInfo {
                        fan_in: 0,
                        fan_out: *units,
                        init: init.unwrap_or_else(|| recommended(next)),
                        head: head && is_last && init.is_none(),
                        followed_by: next,
                        ends_branch: depth > 0 && is_last,
                        given: (weight.clone(), bias_values.clone()),
                    };
                    self.linear(&name, *units, *bias, node, depth, info)?
                }
                LayerSpec::Activation { function } => self.activation(&name, *function, node, depth)?,
                LayerSpec::Dropout { p } => {
                    self.plain(&name, Op::Dropout(Dropout { p: *p }), format!("dropout {p}"), node, depth)?
                }
                LayerSpec::Scaling => self.plain(&name, Op::Scale(Scale), "scale".into(), node, depth)?,
                LayerSpec::Residual { layers } => {
                    let at = self.layers.len();
                    let inner = self.sequence(layers, node, &name, depth + 1, false)?;
                    let sum = self.graph.push(&name, Op::Add(Add), &[node, inner])?;
                    let info = self.info(&name, "residual: x + f(x)".into(), node, sum, depth);
                    self.layers.insert(at, info);
                    sum
                }
                LayerSpec::Gated { hidden, bias, activation } => {
                    self.gated(&name, *hidden, *bias, *activation, node, depth)?
                }
            };
        }
        Ok(node)
    }

    fn info(&self, name: &str, kind: String, source: NodeId, node: NodeId, depth: usize) -> LayerInfo {
        LayerInfo {
            name: name.to_string(),
            kind,
            input: self.graph.node(source).shape.clone(),
            output: self.graph.node(node).shape.clone(),
            source,
            node,
            slots: self.graph.node(node).slots.clone(),
            linear: None,
            activation: None,
            depth,
        }
    }

    fn plain(&mut self, name: &str, op: Op, kind: String, from: NodeId, depth: usize) -> Result<NodeId, GraphError> {
        let node = self.graph.push(name, op, &[from])?;
        let info = self.info(name, kind, from, node, depth);
        self.layers.push(info);
        Ok(node)
    }

    fn activation(
        &mut self,
        name: &str,
        function: Activation,
        from: NodeId,
        depth: usize,
    ) -> Result<NodeId, GraphError> {
        let op = curve(function);
        let kind = activation_text(function);
        let node = self.plain(name, op, kind, from, depth)?;
        if let Some(info) = self.layers.last_mut() {
            info.activation = Some(function);
        }
        Ok(node)
    }

    fn linear(
        &mut self,
        name: &str,
        units: usize,
        bias: bool,
        from: NodeId,
        depth: usize,
        mut linear: LinearInfo,
    ) -> Result<NodeId, GraphError> {
        linear.fan_in = self.graph.node(from).shape.last();
        let kind = format!("linear {units}{}", if bias { "" } else { " no bias" });
        let node = self.plain(name, Op::Linear(Linear { units, bias }), kind, from, depth)?;
        if let Some(info) = self.layers.last_mut() {
            info.linear = Some(linear);
        }
        Ok(node)
    }

    fn gated(
        &mut self,
        name: &str,
        hidden: usize,
        bias: bool,
        activation: Activation,
        from: NodeId,
        depth: usize,
    ) -> Result<NodeId, GraphError> {
        let width = self.graph.node(from).shape.last();
        let linear = |units: usize, followed_by: Option<Activation>, ends_branch: bool| LinearInfo {
            fan_in: 0,
            fan_out: units,
            init: recommended(followed_by),
            head: false,
            followed_by,
            ends_branch,
            given: (None, None),
        };
        let at = self.layers.len();
        let gate_name = format!("{name}.gate");
        let gate = self.linear(&gate_name, hidden, bias, from, depth + 1, linear(hidden, Some(activation), false))?;
        let gate = self.activation(&format!("{name}.activation"), activation, gate, depth + 1)?;
        let up = self.linear(&format!("{name}.up"), hidden, bias, from, depth + 1, linear(hidden, None, false))?;
        let product = self.graph.push(name, Op::Multiply(Multiply), &[gate, up])?;
        let down_name = format!("{name}.down");
        let down = self.linear(&down_name, width, bias, product, depth + 1, linear(width, None, depth > 0))?;
        let curve = activation_text(activation);
        let kind = format!("gated {hidden} {curve}: down({curve}(gate x) * up x)");
        let mut info = self.info(name, kind, from, down, depth);
        info.slots.clear();
        self.layers.insert(at, info);
        Ok(down)
    }
}
