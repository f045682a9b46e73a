//! A graph is a list: nodes in order, each an operation, the earlier nodes that it reads, and the name of the layer that
//! it came from. Shapes are checked while it is built; an error names the layer.

use std::fmt;

use crate::ops::{MAX_INPUTS, MAX_SLOTS, Op, input::Input};
use crate::shape::{DType, Shape};
use crate::slots::{Role, SlotId, Slots};

/// Most numbers of one row of a value.
pub const MAX_WIDTH: usize = 1 << 24;

/// Most parameters of a graph, so that sizes in bytes stay addressable: 2^40, or 2^28 where addresses have 32 bits.
pub const MAX_PARAMETERS: usize = 1 << if usize::BITS >= 64 { 40 } else { 28 };

/// Number of a node in its graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// The earlier nodes that it reads.
    pub inputs: Vec<NodeId>,
    /// The slots that it refers to.
    pub slots: Vec<SlotId>,
    /// The layer that it came from: `0`, `3.gate`; an input's own name.
    pub layer: String,
    /// Shape of one row of its value.
    pub shape: Shape,
    /// What kind of number its value holds.
    pub dtype: DType,
    /// One value for the whole batch instead of one a row.
    pub per_batch: bool,
}

/// A node that does not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("layer {layer} ({op}): {message}")]
pub struct GraphError {
    /// The layer.
    pub layer: String,
    /// The operation.
    pub op: &'static str,
    /// What is wrong, with both shapes.
    pub message: String,
}

/// Nodes in order, and the layout of their parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    slots: Slots,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Graph::default()
    }

    /// Adds an input of real numbers.
    pub fn input(&mut self, name: &str, shape: impl Into<Shape>) -> NodeId {
        self.add_input(name, shape.into(), DType::Real)
    }

    /// Adds an input of whole numbers, one a row: labels.
    pub fn labels(&mut self, name: &str) -> NodeId {
        self.add_input(name, Shape::default(), DType::I32)
    }

    /// Adds an input of whole numbers of some shape: tokens `[T]`, lengths `[]`.
    pub fn integers(&mut self, name: &str, shape: impl Into<Shape>) -> NodeId {
        self.add_input(name, shape.into(), DType::I32)
    }

    fn add_input(&mut self, name: &str, shape: Shape, dtype: DType) -> NodeId {
        self.nodes.push(Node {
            op: Op::Input(Input),
            inputs: Vec::new(),
            slots: Vec::new(),
            layer: name.to_string(),
            shape,
            dtype,
            per_batch: false,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// Adds a node and the slots that its operation wants, named `{layer}.weight` and so on.
    ///
    /// # Errors
    /// When the inputs do not fit: the layer, both shapes, what to change.
    pub fn push(&mut self, layer: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, GraphError> {
        let (shape, specs) = self.check(layer, &op, inputs)?;
        let slots = specs
            .into_iter()
            .map(|spec| self.slots.push(format!("{layer}.{}", spec.name), &spec.shape, spec.role))
            .collect();
        Ok(self.add(layer, op, inputs, slots, shape))
    }

    /// Adds a slot `{layer}.weight` of `entries` vectors that no node refers to yet; see [`Graph::push_tied`].
    pub fn table(&mut self, layer: &str, entries: usize, width: usize) -> SlotId {
        self.slots.push(format!("{layer}.weight"), &[entries, width], Role::Table)
    }

    /// Adds a node that refers to slots that exist: tied weights.
    ///
    /// # Errors
    /// When the inputs or the slots' shapes do not fit.
    pub fn push_tied(
        &mut self,
        layer: &str,
        op: Op,
        inputs: &[NodeId],
        slots: &[SlotId],
    ) -> Result<NodeId, GraphError> {
        let (shape, specs) = self.check(layer, &op, inputs)?;
        let error = |message: String| GraphError { layer: layer.to_string(), op: op.card().name, message };
        if specs.len() != slots.len() {
            return Err(error(format!("it needs {} parameters, but is given {}", specs.len(), slots.len())));
        }
        for (spec, &id) in specs.iter().zip(slots) {
            let Some(slot) = self.slots.iter().nth(id.0) else {
                return Err(error(format!("there is no slot {}", id.0)));
            };
            if slot.shape != spec.shape {
                return Err(error(format!(
                    "its {} is {:?}, but the slot {} is {:?}",
                    spec.name, spec.shape, slot.name, slot.shape
                )));
            }
        }
        Ok(self.add(layer, op, inputs, slots.to_vec(), shape))
    }

    fn check(&self, layer: &str, op: &Op, inputs: &[NodeId]) -> Result<(Shape, Vec<crate::ops::SlotSpec>), GraphError> {
        let error = |message: String| GraphError { layer: layer.to_string(), op: op.card().name, message };
        if inputs.len() != op.arity() || inputs.len() > MAX_INPUTS {
            return Err(error(format!("it reads {} inputs, but is given {}", op.arity(), inputs.len())));
        }
        for (index, input) in inputs.iter().enumerate() {
            let Some(node) = self.nodes.get(input.0) else {
                return Err(error(format!("there is no node {}", input.0)));
            };
            if node.dtype != op.input_dtype(index) {
                return Err(error(format!(
                    "input {index} must hold {}, but {} holds {}",
                    kind(op.input_dtype(index)),
                    node.layer,
                    kind(node.dtype)
                )));
            }
            if node.per_batch {
                return Err(error(format!("{} has one value for the whole batch, not one a row", node.layer)));
            }
        }
        let shapes = self.shapes(inputs);
        let shape = op.shape(&shapes).map_err(&error)?;
        let size = |axes: &[usize]| axes.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
        if size(&shape.0).is_none_or(|size| size > MAX_WIDTH) {
            return Err(error(format!("a row may have at most {MAX_WIDTH} numbers, but this layer gives {shape}")));
        }
        let specs = op.slots(&shapes);
        let parameters = specs.iter().try_fold(self.slots.len(), |sum, spec| sum.checked_add(size(&spec.shape)?));
        if parameters.is_none_or(|parameters| parameters > MAX_PARAMETERS) {
            return Err(error(format!(
                "the network would have more than {MAX_PARAMETERS} parameters; make it smaller"
            )));
        }
        if specs.len() > MAX_SLOTS {
            return Err(error(format!("it has more than {MAX_SLOTS} parameters")));
        }
        Ok((shape, specs))
    }

    fn add(&mut self, layer: &str, op: Op, inputs: &[NodeId], slots: Vec<SlotId>, shape: Shape) -> NodeId {
        let per_batch = op.per_batch();
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            slots,
            layer: layer.to_string(),
            shape,
            dtype: DType::Real,
            per_batch,
        });
        NodeId(self.nodes.len() - 1)
    }

    /// The nodes in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of that number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The input of that name.
    pub fn find_input(&self, name: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| matches!(node.op, Op::Input(_)) && node.layer == name).map(NodeId)
    }

    /// The layout of the parameters.
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The layout of the parameters, to change a slot's factors.
    pub fn slots_mut(&mut self) -> &mut Slots {
        &mut self.slots
    }

    /// Shapes of some nodes.
    pub fn shapes(&self, ids: &[NodeId]) -> Vec<&Shape> {
        ids.iter().map(|id| &self.nodes[id.0].shape).collect()
    }

    /// Floating-point operations of one row, forward and backward.
    pub fn cost(&self) -> crate::ops::Cost {
        let mut total = crate::ops::Cost::default();
        for node in &self.nodes {
            let cost = node.op.cost(&self.shapes(&node.inputs), &node.shape);
            total.forward += cost.forward;
            total.backward += cost.backward;
        }
        total
    }
}

fn kind(dtype: DType) -> &'static str {
    match dtype {
        DType::Real => "real numbers",
        DType::I32 => "whole numbers",
    }
}

impl fmt::Display for Graph {
    /// One line a node: number, layer, operation, what it reads, shape.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|id| format!("%{}", id.0)).collect();
            let shape = if node.per_batch { "[]".to_string() } else { node.shape.to_string() };
            writeln!(
                f,
                "%{number:<3} {:<12} {:<20} ({}) -> {shape}",
                node.layer,
                node.op.card().name,
                inputs.join(", ")
            )?;
        }
        Ok(())
    }
}
