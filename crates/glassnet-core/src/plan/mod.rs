//! A plan: the graph with all decisions made. One list of steps (forward, recompute, backward, update), each of them data:
//! what to run, where its operands lie in the arena, what it costs. It is immutable and can be printed, line by line.
//!
//! A plan has a row capacity; the runner takes the live count, so a short last batch needs no second plan. It never
//! changes arithmetic: every purpose gives the same bytes.

mod analysis;
mod build;
mod checkpoint;
mod cuts;
mod display;
mod draft;
mod place;

use std::ops::Range;

pub(crate) use cuts::{MAX_READS, StepCuts};

use crate::graph::{Graph, NodeId};
use crate::ops::Op;
use crate::precision::Precision;
use crate::shape::DType;
use crate::{Real, Shape};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Forward, backward, update; memory is used again as soon as a value is no longer read.
    Train,
    /// Forward only.
    Predict,
    /// Nothing is fused and nothing overwritten: every value and gradient can be read afterwards. Same bytes.
    Inspect,
    /// As inspect, with gradients that also flow to the inputs.
    Attribute,
}

/// What to plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What the plan is for.
    pub purpose: Purpose,
    /// Most rows of one step.
    pub rows: usize,
    /// Where backward starts: the mean loss, usually. `None`: forward only.
    pub backward_from: Option<NodeId>,
    /// Nodes whose values are read after the step.
    pub outputs: Vec<NodeId>,
    /// Whether dropout is on.
    pub training: bool,
    /// Less memory for more time: values are computed a second time before the backward that reads them instead of being
    /// kept, wherever that makes the arena smaller. Gradients are the same bytes. Only plans to train do it; the others
    /// pay no heed, as they keep every value or none.
    pub checkpoint: bool,
}

/// A piece of the arena: `width` elements for each row, or for the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First element.
    pub offset: usize,
    /// Elements of one row.
    pub width: usize,
    /// One value for the batch instead of one a row.
    pub per_batch: bool,
}

impl Region {
    /// The elements that `rows` live rows take.
    pub fn range(&self, rows: usize) -> Range<usize> {
        let rows = if self.per_batch { 1 } else { rows };
        self.offset..self.offset + self.width * rows
    }
}

/// Which part of a step a line of the plan belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// A value.
    Forward,
    /// A value that forward did not keep, computed once more for the backward that follows.
    Recompute,
    /// Gradients of inputs and parameters.
    Backward,
    /// A second gradient of the same value, added to the first.
    Add,
    /// The optimizer's pass over the parameters: over one weight, whose gradient is made with it ([`Step::late`]), or over all
    /// that is left.
    Update,
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which part of the step.
    pub pass: Pass,
    /// The node that it computes or attributes.
    pub node: NodeId,
    /// The layer that the node came from.
    pub layer: String,
    /// The operation.
    pub op: Op,
    /// The curve fused behind it.
    pub fused: Option<Op>,
    /// Values of the real inputs (an integer input has none; backward has those that it needs).
    pub inputs: Vec<Option<Region>>,
    /// The integer input, in the arena of whole numbers.
    pub labels: Option<Region>,
    /// Places of the parameters in the flat buffer.
    pub slots: Vec<Range<usize>>,
    /// The value (forward writes it, backward may read it).
    pub output: Option<Region>,
    /// What forward keeps for backward.
    pub saved: Option<Region>,
    /// Gradient of the output; in an `Add` step what is added.
    pub upstream: Option<Region>,
    /// In a backward step: the gradient of its first slot is not made here, but by an update line that stands after all
    /// backward steps. In an update line: it is such a one.
    pub late: bool,
    /// Where the gradients of the inputs go; in an `Add` step the one destination.
    pub input_gradients: Vec<Option<Region>>,
    /// What the operation keeps from step to step, in the buffer of states.
    pub state: Option<Region>,
    /// Elements that each thread works in.
    pub scratch: usize,
    /// Shape of one row of each input.
    pub input_shapes: Vec<Shape>,
    /// Shape of one row of the output.
    pub shape: Shape,
    /// Floating-point operations of one row.
    pub flops: u64,
    /// Elements read and written for one row (parameters not counted).
    pub row_elements: u64,
}

/// The graph with all decisions made.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    request: Request,
    steps: Vec<Step>,
    /// Of each step.
    cuts: Vec<StepCuts>,
    forward_steps: usize,
    values: Vec<Option<Region>>,
    gradients: Vec<Option<Region>>,
    arena: usize,
    labels: usize,
    parameters: usize,
    state: usize,
    dtypes: Vec<DType>,
    precision: Precision,
}

/// Bytes that running a plan takes, by what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// Activations and their gradients.
    pub arena: usize,
    /// Integer inputs.
    pub labels: usize,
    /// Parameters.
    pub parameters: usize,
    /// Their gradients (0 in a plan without backward).
    pub gradients: usize,
    /// What operations keep from step to step.
    pub state: usize,
    /// What one thread works in.
    pub scratch: usize,
}

impl Memory {
    /// All of it.
    pub fn total(&self) -> usize {
        self.arena + self.labels + self.parameters + self.gradients + self.state + self.scratch
    }
}

impl Plan {
    /// Makes the decisions.
    pub fn new(graph: &Graph, request: Request) -> Self {
        build::build(graph, request, &[])
    }

    /// The same for training, with the weights of those linear nodes updated by lines of their own, after all of backward: their
    /// gradients need never be written to memory (`docs/decisions/0022-late-updates.md`). What these lines read lives until
    /// then. Nodes that are not linear, and all of them in a plan that computes values twice, are treated as ever.
    pub fn with_late_updates(graph: &Graph, request: Request, late: &[NodeId]) -> Self {
        build::build(graph, request, late)
    }

    /// The same plan with products of another precision.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// What the products of linear maps multiply: f32 unless [`Plan::with_precision`] said otherwise.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// What was asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Where each step cuts the arena and the gradients.
    pub(crate) fn cuts(&self) -> &[StepCuts] {
        &self.cuts
    }

    /// How many of the steps are forward.
    pub fn forward_steps(&self) -> usize {
        self.forward_steps
    }

    /// Where a node's value lies; `None` where it was fused away or is an integer input.
    pub fn value(&self, node: NodeId) -> Option<Region> {
        self.values.get(node.0).copied().flatten().filter(|_| self.dtypes[node.0] == DType::Real)
    }

    /// Where an integer input lies.
    pub fn label_region(&self, node: NodeId) -> Option<Region> {
        self.values.get(node.0).copied().flatten().filter(|_| self.dtypes[node.0] == DType::I32)
    }

    /// Where the gradient of a node's value lies.
    pub fn gradient(&self, node: NodeId) -> Option<Region> {
        self.gradients.get(node.0).copied().flatten()
    }

    /// Elements of the arena.
    pub fn arena_len(&self) -> usize {
        self.arena
    }

    /// Elements of the arena of whole numbers.
    pub fn labels_len(&self) -> usize {
        self.labels
    }

    /// Elements that the operations keep from step to step.
    pub fn state_len(&self) -> usize {
        self.state
    }

    /// Elements that each thread needs to work in: the most of any step.
    pub fn scratch_len(&self) -> usize {
        self.steps.iter().map(|step| step.scratch).max().unwrap_or(0)
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Forecast of the bytes that running it takes in the type of computation `T`.
    pub fn memory<T: Real>(&self) -> Memory {
        Memory {
            arena: self.arena * T::BYTES,
            labels: self.labels * size_of::<i32>(),
            parameters: self.parameters * T::BYTES,
            gradients: if self.request.backward_from.is_some() { self.parameters * T::BYTES } else { 0 },
            state: self.state * T::BYTES,
            scratch: self.scratch_len() * T::BYTES,
        }
    }

    /// Floating-point operations of one step of `rows` rows (what is recomputed counted, the update not).
    pub fn flops(&self, rows: usize) -> u64 {
        self.steps.iter().map(|step| step.flops).sum::<u64>() * rows as u64
    }

    /// Those of them that compute a value a second time; 0 in a plan without [`Request::checkpoint`], or where it would
    /// make the arena no smaller.
    pub fn recomputed_flops(&self, rows: usize) -> u64 {
        let again = self.steps.iter().filter(|step| step.pass == Pass::Recompute);
        again.map(|step| step.flops).sum::<u64>() * rows as u64
    }
}
