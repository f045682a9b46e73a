//! Layers: how each [`LayerSpec`] becomes nodes of a graph.
//!
//! Names are PyTorch's in a Sequential, where activations count: layer 0's weight is `0.weight`, the next linear layer
//! after its activation is `2`. Inside a residual block at 3 the layers are `3.0`, `3.1`, ...; a gated block at 4 has
//! `4.gate`, `4.up`, `4.down`, a linear layer at 4 that members share `4.in`, `4.linear`, `4.out`, attention at 5 `5.query`, `5.key`, `5.value`, `5.heads`, `5.out`, an LSTM of two layers at 6
//! `6.l0`, `6.l1`.

mod image;
mod sequence;
mod table;

use glassnet_core::ops::MAX_INPUTS;
use glassnet_core::ops::{
    add::Add, batch_norm::BatchNorm, concat::Concat, dropout::Dropout, elu::Elu, flatten::Flatten, gelu::Gelu,
    gelu_tanh::GeluTanh, leaky_relu::LeakyRelu, linear::Linear, log_softmax::LogSoftmax, mish::Mish,
    multiply::Multiply, relu::Relu, scale::Scale, selu::Selu, sigmoid::Sigmoid, silu::Silu, softmax::Softmax,
    softplus::Softplus, step::Step, tanh::Tanh,
};
use glassnet_core::ops::{
    group_norm::GroupNorm, layer_norm::LayerNorm, reshape::Reshape, rms_norm::RmsNorm, slice::Slice,
    transpose::Transpose,
};
use glassnet_core::slots::SlotId;
use glassnet_core::{Graph, GraphError, NodeId, Op, Shape};

use crate::init::recommended;
use crate::spec::names::activation_text;
use crate::spec::shapes::RowShape;
use crate::spec::{Activation, Init, LayerSpec, NormLayer, ReorderLayer, SequenceLayer, TableLayer};

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
    /// How its parameters are drawn; factors, shifts and statistics need no draw.
    pub draw: Option<DrawInfo>,
    /// Where it is a linear layer: what follows and what is given.
    pub linear: Option<LinearInfo>,
    /// The curve, where it is one.
    pub activation: Option<Activation>,
    /// Depth of nesting, 0 for the outermost.
    pub depth: usize,
}

/// How a layer's parameters are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawInfo {
    /// Inputs of a unit.
    pub fan_in: usize,
    /// Units that an input goes to.
    pub fan_out: usize,
    /// The rule.
    pub init: Init,
    /// Whether it is the head with the small default draw.
    pub head: bool,
    /// Whether it ends a residual branch.
    pub ends_branch: bool,
    /// Whether the rule is the default, which is made smaller at the end of a residual branch.
    pub by_default: bool,
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
    /// Whether the specification leaves the draw to the default.
    pub by_default: bool,
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
    /// How many tokens there are, where the input is tokens.
    pub vocabulary: Option<usize>,
    /// Each row's number of live time steps, where rows differ in length.
    pub lengths: Option<NodeId>,
    /// Time steps that positions and caches have room for.
    pub context: usize,
    /// One time step at a time, with what came before kept from step to step.
    pub decode: bool,
    /// The embedding's table, for tied weights.
    table: Option<SlotId>,
    /// The node and the two readings of the last recurrent layer in both directions.
    both_ways: Option<(NodeId, NodeId, NodeId)>,
}

/// What one layer gives for such a row, or why it does not fit; `table` is the width of the embedding before it.
///
/// # Errors
/// The operation's own words.
pub(crate) fn gives(layer: &LayerSpec, row: &RowShape, table: Option<usize>) -> Result<RowShape, String> {
    let mut graph = Graph::new();
    let from = match row.tokens {
        true => graph.integers("x", row.axes.as_slice()),
        false => graph.input("x", row.axes.as_slice()),
    };
    let mut builder = Builder::new(&mut graph, row);
    if let (Some(width), Some(vocabulary)) = (table, row.vocabulary) {
        // Here the layer stands alone: a table as the embedding before it has.
        builder.table = Some(builder.graph.table("x", vocabulary, width));
    }
    let node = builder.sequence(std::slice::from_ref(layer), from, "", 0, false).map_err(|error| error.message)?;
    let axes = graph.node(node).shape.0.clone();
    Ok(RowShape { axes, tokens: false, vocabulary: row.vocabulary })
}

impl<'a> Builder<'a> {
    /// A builder of layers for such rows.
    pub fn new(graph: &'a mut Graph, row: &RowShape) -> Self {
        Builder {
            graph,
            layers: Vec::new(),
            vocabulary: row.vocabulary,
            lengths: None,
            context: row.axes.first().copied().unwrap_or(0),
            decode: false,
            table: None,
            both_ways: None,
        }
    }

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
        let last_weights = layers.iter().rposition(|layer| {
            let attends = matches!(layer, LayerSpec::Sequence(SequenceLayer::Attention { .. }));
            attends || matches!(layer, LayerSpec::Linear { .. } | LayerSpec::Gated { .. } | LayerSpec::Image(_))
        });
        let mut node = from;
        for (index, layer) in layers.iter().enumerate() {
            let name = if prefix.is_empty() { index.to_string() } else { format!("{prefix}.{index}") };
            let next = layers.get(index + 1).and_then(|next| match next {
                LayerSpec::Activation { function } => Some(*function),
                _ => None,
            });
            let is_last = Some(index) == last_linear;
            let ends_branch = depth > 0 && Some(index) == last_weights;
            node = match layer {
                LayerSpec::Linear { units, bias, init, weight, bias_values } => {
                    let info = LinearInfo {
                        fan_in: 0,
                        fan_out: *units,
                        init: init.unwrap_or_else(|| recommended(next)),
                        head: head && is_last && init.is_none(),
                        followed_by: next,
                        ends_branch,
                        by_default: init.is_none(),
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
                LayerSpec::Concat { branches } => self.concat(&name, branches, node, depth)?,
                LayerSpec::Image(layer) => self.image(&name, layer, node, depth, next, ends_branch)?,
                LayerSpec::Sequence(layer) => self.time(&name, layer, node, depth, ends_branch)?,
                LayerSpec::Table(layer) => {
                    let behind_members =
                        index > 0 && matches!(layers[index - 1], LayerSpec::Table(TableLayer::Members { .. }));
                    self.table_layer(&name, layer, node, depth, behind_members)?
                }
                LayerSpec::Norm(layer) => self.norm(&name, *layer, node, depth)?,
                LayerSpec::Reorder(layer) => self.reorder(&name, layer, node, depth)?,
            };
        }
        Ok(node)
    }

    /// Axes of a row of a node.
    fn axes(&self, node: NodeId) -> &[usize] {
        &self.graph.node(node).shape.0
    }

    fn concat(
        &mut self,
        name: &str,
        branches: &[Vec<LayerSpec>],
        from: NodeId,
        depth: usize,
    ) -> Result<NodeId, GraphError> {
        if !(2..=MAX_INPUTS).contains(&branches.len()) {
            let message = format!("it joins 2 to {MAX_INPUTS} branches, but it has {}", branches.len());
            return Err(GraphError { layer: name.to_string(), op: "concat", message });
        }
        let at = self.layers.len();
        let mut ends = Vec::with_capacity(branches.len());
        for (branch, layers) in branches.iter().enumerate() {
            ends.push(self.sequence(layers, from, &format!("{name}.{branch}"), depth + 1, false)?);
        }
        let node = self.join(name, &ends)?;
        let info = self.info(name, format!("concat of {} branches", branches.len()), from, node, depth);
        self.layers.insert(at, info);
        Ok(node)
    }

    /// Joins values along features, or an image's along channels.
    fn join(&mut self, name: &str, parts: &[NodeId]) -> Result<NodeId, GraphError> {
        let axis = usize::from(self.axes(parts[0]).len() == 2);
        self.graph.push(name, Op::Concat(Concat { axis, parts: parts.len() }), parts)
    }

    /// Turns a sequence `[T, F]` into channels first `[F, T]` for what works on channels, and back; an image stays.
    fn on_channels(
        &mut self,
        name: &str,
        from: NodeId,
        layer: impl FnOnce(&mut Self, NodeId) -> Result<NodeId, GraphError>,
    ) -> Result<NodeId, GraphError> {
        if self.axes(from).len() != 2 {
            return layer(self, from);
        }
        let turned = self.graph.push(name, Op::Transpose(Transpose { axes: [0, 1] }), &[from])?;
        let node = layer(self, turned).map_err(|error| {
            let message = format!("{} (a sequence is read as [B, features, time] here)", error.message);
            GraphError { message, ..error }
        })?;
        if self.axes(node).len() != 2 {
            return Ok(node);
        }
        self.graph.push(name, Op::Transpose(Transpose { axes: [0, 1] }), &[node])
    }

    fn norm(&mut self, name: &str, layer: NormLayer, from: NodeId, depth: usize) -> Result<NodeId, GraphError> {
        let features = matches!(layer, NormLayer::Layer { .. } | NormLayer::Rms { .. });
        if features && self.axes(from).len() > 2 {
            return Err(GraphError {
                layer: name.to_string(),
                op: if matches!(layer, NormLayer::Rms { .. }) { "rms_norm" } else { "layer_norm" },
                message: format!(
                    "it normalises the features of a row or a time step, but its input is an image {}; take groupnorm 1 or \
                     batchnorm",
                    self.graph.node(from).shape
                ),
            });
        }
        let op = match layer {
            NormLayer::Batch { eps, momentum } => Op::BatchNorm(BatchNorm { eps, momentum }),
            NormLayer::Group { groups, eps } => Op::GroupNorm(GroupNorm { groups, eps }),
            NormLayer::Layer { eps } => Op::LayerNorm(LayerNorm { eps, bias: true }),
            NormLayer::Rms { eps } => Op::RmsNorm(RmsNorm { eps }),
        };
        let mut slots = Vec::new();
        let work = |builder: &mut Self, from: NodeId| {
            let node = builder.graph.push(name, op, &[from])?;
            slots = builder.graph.node(node).slots.clone();
            Ok(node)
        };
        let node = if features { work(self, from)? } else { self.on_channels(name, from, work)? };
        let mut info = self.info(name, layer.to_string(), from, node, depth);
        info.slots = slots;
        self.layers.push(info);
        Ok(node)
    }

    fn reorder(&mut self, name: &str, layer: &ReorderLayer, from: NodeId, depth: usize) -> Result<NodeId, GraphError> {
        let op = match layer {
            ReorderLayer::Flatten => Op::Flatten(Flatten),
            ReorderLayer::Reshape { shape } => Op::Reshape(Reshape { shape: shape.clone() }),
            ReorderLayer::Transpose { axes } => Op::Transpose(Transpose { axes: *axes }),
            ReorderLayer::Slice { start, end } => {
                let axis = usize::from(self.axes(from).len() == 2);
                Op::Slice(Slice { axis, start: *start, end: *end })
            }
        };
        self.plain(name, op, layer.to_string(), from, depth)
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
            draw: None,
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
        // A linear layer reads all of an image, and each time step of a sequence by itself.
        let from = match self.axes(from).len() {
            0..=2 => from,
            _ => self.graph.push(name, Op::Flatten(Flatten), &[from])?,
        };
        linear.fan_in = self.graph.node(from).shape.last();
        let kind = format!("linear {units}{}", if bias { "" } else { " no bias" });
        let node = self.plain(name, Op::Linear(Linear { units, bias, ntk: false }), kind, from, depth)?;
        if let Some(info) = self.layers.last_mut() {
            info.draw = Some(DrawInfo {
                fan_in: linear.fan_in,
                fan_out: linear.fan_out,
                init: linear.init,
                head: linear.head,
                ends_branch: linear.ends_branch,
                by_default: linear.by_default,
            });
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
            by_default: true,
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
