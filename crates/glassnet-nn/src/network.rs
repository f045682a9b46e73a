//! A network: a specification made into a graph, with its loss and the names of its layers.

use std::sync::Arc;

use glassnet_core::graph::MAX_WIDTH;
use glassnet_core::ops::{input::Input, mean::Mean};
use glassnet_core::slots::Role;
use glassnet_core::{DType, Graph, GraphError, NodeId, Op, Plan, Precision, Purpose, Real, Request};

use crate::init::{self, Fans};
use crate::layers::{Builder, LayerInfo};
use crate::loss::LossSpec;
use crate::spec::shapes::{RowShape, ends_in_unembedding};
use crate::spec::table::ends_in_average;
use crate::spec::{Init, LayerSpec, NetSpec};

/// A specification that does not make a network for this data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// A layer does not fit what it reads.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The full form's input size is not the data's.
    #[error(
        "the network reads {named} numbers, but a row of the data gives {found}\n  hint: write {found} as the first size, or leave the first and last sizes out and let the data say them"
    )]
    Input {
        /// Size in the specification.
        named: usize,
        /// Size of a row.
        found: usize,
    },
    /// Tokens of another number than the data's, or none.
    #[error("the network reads {named}, but the data has {found}\n  hint: leave the input out and let the data say it")]
    Vocabulary {
        /// What the specification says.
        named: String,
        /// What the data has.
        found: String,
    },
    /// The last layer's size is not what the target needs.
    #[error("the network gives {named} outputs, but the target needs {wanted}\n  hint: end the network in {wanted}")]
    Output {
        /// Size in the specification.
        named: usize,
        /// What is needed.
        wanted: String,
    },
    /// Given weights of another shape than the layer's.
    #[error("layer {layer}: the given {what} is {found}, but the layer needs {wanted}")]
    Given {
        /// The layer.
        layer: String,
        /// `weight` or `bias`.
        what: &'static str,
        /// Shape that is given.
        found: String,
        /// Shape that is needed.
        wanted: String,
    },
    /// No input size anywhere.
    #[error("the network's input size is not known\n  hint: write the full form, such as \"2 -> 4 tanh -> 1\"")]
    NoInput,
}

/// A graph with names: where rows go in, where logits, scores and the loss come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// The specification, input and head included.
    pub spec: NetSpec,
    /// The nodes.
    pub graph: Graph,
    /// Rows of features, `[B, inputs]`, of images `[B, C, H, W]`; or of tokens, whole numbers `[B, T]`.
    pub x: NodeId,
    /// Each row's number of live time steps, where rows differ in length.
    pub lengths: Option<NodeId>,
    /// What the loss reads: the value before a last softmax or sigmoid that is part of the loss.
    pub logits: NodeId,
    /// The value of the last layer.
    pub output: NodeId,
    /// The loss and what it needs, if there is one.
    pub objective: Option<Objective>,
    /// The layers in order, blocks before what stands inside them.
    pub layers: Vec<LayerInfo>,
}

/// The loss's nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// The loss.
    pub loss: LossSpec,
    /// Targets: labels, or `[B, outputs]`.
    pub target: NodeId,
    /// Row weights, `[B]`.
    pub weight: NodeId,
    /// One loss a row.
    pub rows: NodeId,
    /// Their weighted mean.
    pub mean: NodeId,
    /// Where the network ends in the mean of its members: for each row the mean of the members' own losses, and their weighted mean.
    /// Training lowers this one; `rows` and `mean` are of what the members say together, which validation looks at.
    pub members: Option<(NodeId, NodeId)>,
}

impl Objective {
    /// What training lowers: one loss a row, and their weighted mean.
    pub fn lowered(&self) -> (NodeId, NodeId) {
        self.members.unwrap_or((self.rows, self.mean))
    }
}

impl Network {
    /// Builds a specification that says all its sizes.
    ///
    /// # Errors
    /// A layer that does not fit, given weights of a wrong shape, no input size.
    pub fn new(spec: &NetSpec, loss: Option<&LossSpec>) -> Result<Self, NetworkError> {
        Self::build(spec, loss, false)
    }

    /// Completes a specification for data with `inputs` numbers a row and a target that needs `outputs`, and builds it.
    /// The hidden form gets a last linear layer, drawn small; the full form is checked.
    ///
    /// # Errors
    /// Sizes that are not the data's, a layer that does not fit.
    pub fn for_data(
        spec: &NetSpec,
        inputs: usize,
        outputs: usize,
        loss: Option<&LossSpec>,
    ) -> Result<Self, NetworkError> {
        Self::for_rows(spec, &RowShape::row(inputs), outputs, loss)
    }

    /// As [`Network::for_data`] for rows that have a shape: images `[C, H, W]`, sequences `[T, F]`, tokens `[T]`. Where the
    /// layers end in a vector for each time step, `outputs` counts its numbers, and a label belongs to each step.
    ///
    /// # Errors
    /// As [`Network::for_data`].
    pub fn for_rows(
        spec: &NetSpec,
        row: &RowShape,
        outputs: usize,
        loss: Option<&LossSpec>,
    ) -> Result<Self, NetworkError> {
        let mut complete = spec.clone();
        let found = row.len();
        match spec.input {
            None if ends_in_unembedding(&spec.layers) || ends_in_average(&spec.layers) => {
                complete.set_input(&row.axes, row.vocabulary)
            }
            None => {
                complete.layers.push(linear(outputs));
                complete.set_input(&row.axes, row.vocabulary);
            }
            Some(named) if named != found => return Err(NetworkError::Input { named, found }),
            Some(_) if spec.vocabulary != row.vocabulary => {
                let vocabulary = |of: Option<usize>| of.map_or("no tokens".to_owned(), |n| format!("{n} tokens"));
                let (named, found) = (vocabulary(spec.vocabulary), vocabulary(row.vocabulary));
                return Err(NetworkError::Vocabulary { named, found });
            }
            Some(_) => {}
        }
        let network = Self::build(&complete, loss, true)?;
        let shape = &network.graph.node(network.logits).shape;
        let named = if shape.0.len() == 2 { shape.last() } else { shape.len() };
        if named != outputs {
            return Err(NetworkError::Output { named, wanted: outputs.to_string() });
        }
        Ok(network)
    }

    /// The same network for one time step at a time: keys, values and carries of the steps before are kept in the runner's
    /// state ([`glassnet_core::StepInfo::time`] says how many there are). It has the same parameters; `None` where the
    /// network does not read tokens.
    ///
    /// # Errors
    /// A layer that needs the whole sequence.
    pub fn decoder(&self) -> Option<Result<Self, NetworkError>> {
        self.spec.vocabulary?;
        Some(Self::assemble(&self.spec, None, false, true))
    }

    fn build(spec: &NetSpec, loss: Option<&LossSpec>, small_head: bool) -> Result<Self, NetworkError> {
        Self::assemble(spec, loss, small_head, false)
    }

    fn assemble(spec: &NetSpec, loss: Option<&LossSpec>, small_head: bool, decode: bool) -> Result<Self, NetworkError> {
        let inputs = spec.input.ok_or(NetworkError::NoInput)?;
        let mut graph = Graph::new();
        if inputs == 0 {
            return Err(NetworkError::Graph(GraphError {
                layer: "input".into(),
                op: "input",
                message: "dense dimensions must be positive, but the input size is 0".into(),
            }));
        }
        if inputs > MAX_WIDTH {
            return Err(NetworkError::Graph(GraphError {
                layer: "input".into(),
                op: "input",
                message: format!("a row may have at most {MAX_WIDTH} numbers, but the input size is {inputs}"),
            }));
        }
        let row = spec.row().unwrap_or(RowShape::row(inputs));
        let x = match row.tokens {
            true if decode => graph.integers("x", [1]),
            true => graph.integers("x", row.axes.as_slice()),
            false => graph.input("x", row.axes.as_slice()),
        };
        let lengths = spec.lengths.then(|| graph.integers("lengths", []));
        let mut builder = Builder::new(&mut graph, &row);
        builder.lengths = lengths;
        builder.decode = decode;
        let output = builder.sequence(&spec.layers, x, "", 0, small_head)?;
        let layers = builder.layers;
        check_given(&layers)?;
        let mut network =
            Network { spec: spec.clone(), graph, x, lengths, logits: output, output, objective: None, layers };
        if let Some(loss) = loss {
            network.attach(loss)?;
        }
        Ok(network)
    }

    /// Adds the loss behind the logits.
    fn attach(&mut self, loss: &LossSpec) -> Result<(), NetworkError> {
        // Only the network's own last layer: a curve at the end of a residual branch is not what comes out.
        if let Some(last) = self.layers.iter().rfind(|layer| layer.node == self.output)
            && last.depth == 0
            && last.activation.is_some_and(|curve| loss.absorbs(curve))
        {
            self.logits = last.source;
        }
        let outputs = self.graph.node(self.logits).shape.clone();
        let target = match outputs.0.as_slice() {
            // A label for each time step.
            [steps, _] if loss.takes_labels() => self.graph.integers("target", [*steps]),
            _ if loss.takes_labels() => self.graph.labels("target"),
            _ => self.graph.input("target", outputs),
        };
        let weight = self.graph.input("row weight", []);
        let rows = self.graph.push("loss", loss.op(), &[self.logits, target])?;
        let mean = self.graph.push("loss", Op::Mean(Mean), &[rows, weight])?;
        let behind = self.graph.node(self.logits);
        let members = match (&behind.op, behind.inputs.first()) {
            (Op::Average(_), Some(&each)) => {
                let rows = self.graph.push("loss of members", loss.op(), &[each, target])?;
                Some((rows, self.graph.push("loss of members", Op::Mean(Mean), &[rows, weight])?))
            }
            _ => None,
        };
        self.objective = Some(Objective { loss: loss.clone(), target, weight, rows, mean, members });
        Ok(())
    }

    /// Whether a row is tokens.
    pub fn reads_tokens(&self) -> bool {
        self.graph.node(self.x).dtype == DType::I32
    }

    /// Numbers of a row.
    pub fn inputs(&self) -> usize {
        self.graph.node(self.x).shape.len()
    }

    /// Numbers that it gives for a row.
    pub fn outputs(&self) -> usize {
        self.graph.node(self.output).shape.len()
    }

    /// Whether it gives a vector for each time step.
    pub fn gives_steps(&self) -> bool {
        self.graph.node(self.logits).shape.0.len() == 2
    }

    /// Number of elements of the flat buffer: parameters, and running statistics where there are some.
    pub fn parameters(&self) -> usize {
        self.graph.slots().len()
    }

    /// Draws all parameters: what each layer's initialisation says, from `seed`; given weights as they are given.
    pub fn initialise<T: Real>(&self, seed: u64) -> Vec<T> {
        let slots = self.graph.slots();
        let mut parameters = vec![T::ZERO; slots.len()];
        let branches = self.layers.iter().filter(|layer| layer.kind.starts_with("residual")).count();
        for layer in &self.layers {
            for (place, &id) in layer.slots.iter().enumerate() {
                let slot = slots.get(id);
                let out = &mut parameters[slot.range()];
                match &self.graph.node(layer.node).op {
                    Op::Periodic(periodic) => {
                        init::draw_periodic(place, periodic.frequencies, seed, id.0 as u32, out);
                        continue;
                    }
                    Op::Piecewise(piecewise) => {
                        init::draw_piecewise(place, piecewise, seed, id.0 as u32, out);
                        continue;
                    }
                    Op::Members(_) => {
                        init::draw_signs(seed, id.0 as u32, out);
                        continue;
                    }
                    _ => {}
                }
                // Factors, shifts and statistics start where they start, whatever the rule.
                let (fan_in, fan_out) = layer.draw.map_or((1, 1), |draw| (draw.fan_in, draw.fan_out));
                let init = layer.draw.map_or(Init::Zeros, |draw| draw.init);
                let ends_branch = layer.draw.is_some_and(|draw| draw.ends_branch);
                let fans = Fans { fan_in, fan_out, depth: if ends_branch { branches } else { 0 } };
                if layer.draw.is_some_and(|draw| draw.head) {
                    init::draw_head(slot, fan_in, seed, id.0 as u32, out);
                } else {
                    init::draw(init, slot, fans, seed, id.0 as u32, out);
                }
                // All members start with the same biases: they differ by what they read.
                if matches!(&self.graph.node(layer.node).op, Op::MemberAffine(_)) && slot.role == Role::Bias {
                    let width = slot.shape.last().copied().unwrap_or(1).max(1);
                    (width..out.len()).for_each(|place| out[place] = out[place - width]);
                }
                // Branches that each add as much as there is would blow the sum up.
                if ends_branch && branches > 1 && slot.role == Role::Weight && layer.draw.is_some_and(|d| d.by_default)
                {
                    let factor = T::from_f64(init::branch_factor(branches));
                    out.iter_mut().for_each(|weight| *weight *= factor);
                }
                let Some(linear) = &layer.linear else { continue };
                let given: Option<Vec<f64>> = match place {
                    0 => linear.given.0.as_ref().map(|rows| rows.iter().flatten().copied().collect()),
                    _ => linear.given.1.clone(),
                };
                for (out, value) in out.iter_mut().zip(given.into_iter().flatten()) {
                    *out = T::from_f64(value);
                }
            }
        }
        parameters
    }

    /// A plan for this network: training when it has a loss, prediction otherwise.
    pub fn plan(&self, purpose: Purpose, rows: usize) -> Arc<Plan> {
        self.plan_with(purpose, rows, false)
    }

    /// The same; with `checkpoint` a plan to train computes values a second time instead of keeping them, where that takes
    /// less memory ([`Request::checkpoint`]).
    pub fn plan_with(&self, purpose: Purpose, rows: usize, checkpoint: bool) -> Arc<Plan> {
        self.plan_in(Precision::F32, purpose, rows, checkpoint)
    }

    /// The same, with products of another precision.
    pub fn plan_in(&self, precision: Precision, purpose: Purpose, rows: usize, checkpoint: bool) -> Arc<Plan> {
        let request = self.request(purpose, rows, checkpoint);
        Arc::new(Plan::new(&self.graph, request).with_precision(precision))
    }

    /// A plan to train in which those linear nodes have update lines of their own ([`Plan::with_late_updates`]).
    pub(crate) fn plan_late(&self, rows: usize, late: &[NodeId]) -> Arc<Plan> {
        Arc::new(Plan::with_late_updates(&self.graph, self.request(Purpose::Train, rows, false), late))
    }

    fn request(&self, purpose: Purpose, rows: usize, checkpoint: bool) -> Request {
        let training = purpose == Purpose::Train;
        let backward = purpose != Purpose::Predict;
        let objective = self.objective.as_ref();
        let mut outputs = vec![self.output, self.logits];
        // Training lowers the members' own losses; to look at a network is to look at what it gives.
        let ends = objective.map(|objective| match training {
            true => objective.lowered(),
            false => (objective.rows, objective.mean),
        });
        outputs.extend(ends.map(|(rows, _)| rows).filter(|_| backward));
        Request {
            purpose,
            rows,
            backward_from: if backward { Some(ends.map_or(self.output, |(_, mean)| mean)) } else { None },
            outputs,
            training,
            checkpoint,
        }
    }

    /// Rows that are evaluated at a time: 256, fewer where the values of a row are large, so that the arena stays in the
    /// tens of megabytes. The results do not depend on it.
    pub fn evaluation_rows(&self) -> usize {
        const MOST_ELEMENTS: usize = 1 << 22;
        let widest = self.graph.nodes().iter().map(|node| node.shape.len()).max().unwrap_or(1);
        (MOST_ELEMENTS / widest.max(1)).clamp(1, 256)
    }

    /// A plan that gives the loss of each row and nothing else: validation.
    pub fn evaluation_plan(&self, rows: usize) -> Arc<Plan> {
        // A vector for each time step of many rows is much, and nothing but the losses is read of it.
        let mut outputs = if self.gives_steps() { Vec::new() } else { vec![self.output, self.logits] };
        outputs.extend(self.objective.as_ref().map(|objective| objective.rows));
        let request = Request {
            purpose: Purpose::Predict,
            rows,
            backward_from: None,
            outputs,
            training: false,
            checkpoint: false,
        };
        Arc::new(Plan::new(&self.graph, request))
    }

    /// The layer that a node belongs to, by name.
    pub fn layer_of(&self, node: NodeId) -> &str {
        &self.graph.node(node).layer
    }

    /// Names of the graph's inputs.
    pub fn input_names(&self) -> Vec<&str> {
        let inputs = self.graph.nodes().iter().filter(|node| node.op == Op::Input(Input));
        inputs.map(|node| node.layer.as_str()).collect()
    }
}

fn linear(units: usize) -> LayerSpec {
    LayerSpec::Linear { units, bias: true, init: None, weight: None, bias_values: None }
}

fn check_given(layers: &[LayerInfo]) -> Result<(), NetworkError> {
    for layer in layers {
        let Some(linear) = &layer.linear else { continue };
        let wanted = format!("[{}, {}]", linear.fan_out, linear.fan_in);
        if let Some(weight) = &linear.given.0 {
            let ragged = weight.iter().find(|row| row.len() != linear.fan_in);
            if weight.len() != linear.fan_out || ragged.is_some() {
                let width = ragged.or(weight.first()).map_or(0, Vec::len);
                let found = format!("[{}, {width}]", weight.len());
                return Err(NetworkError::Given { layer: layer.name.clone(), what: "weight", found, wanted });
            }
        }
        if let Some(bias) = &linear.given.1
            && bias.len() != linear.fan_out
        {
            return Err(NetworkError::Given {
                layer: layer.name.clone(),
                what: "bias",
                found: format!("[{}]", bias.len()),
                wanted: format!("[{}]", linear.fan_out),
            });
        }
    }
    Ok(())
}
