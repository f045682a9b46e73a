//! The operations: one file each, with formula, source, shape rule, forward, hand-derived backward, cost, and the slow
//! reference beside it.
//!
//! An operation is data (its attributes) that implements [`Operation`]. It is listed once, in [`register`]; from that
//! list come the enum [`Op`] that a graph holds, the finite-difference test, the comparison with the reference, and the
//! guide's table.

use crate::precision::Precision;
use crate::random::{Draws, Purpose};
use crate::shape::{DType, Shape};
use crate::slots::Role;
use crate::{Real, Team};

pub mod curve;
pub mod guide;
pub mod register;

// Images: convolution and pooling.
pub mod adaptive_avg_pool;
pub mod adaptive_max_pool;
pub mod avg_pool;
pub mod conv1d;
pub mod conv2d;
mod convolution;
mod direct;
pub mod global_pool;
pub mod max_pool;
pub mod padding;
mod patches;
mod pooling;

// Another order or shape of the same numbers.
pub mod concat;
pub mod flatten;
pub mod reshape;
pub mod slice;
pub mod transpose;

// Normalisation.
pub mod batch_norm;
mod channel_sums;
pub mod group_norm;
pub mod layer_norm;
pub mod rms_norm;
mod row_norm;

// Recurrence.
pub mod first;
pub mod gru;
pub mod last;
pub mod lstm;
pub mod mean_over_time;
mod recurrence;
pub mod rnn;

// Tokens, positions and attention.
pub mod attention;
pub mod embedding;
pub mod positions;
pub mod rotary;
pub mod unembedding;

// Tables: numbers as waves or by parts, categories as vectors, curves that each neuron bends; many networks in one.
pub mod average;
pub mod categories;
pub mod heads;
pub mod member_affine;
pub mod members;
pub mod parametric;
pub mod periodic;
pub mod piecewise;

// Curves, arithmetic, losses.
pub mod add;
pub mod binary_cross_entropy;
pub mod cross_entropy;
pub mod dropout;
pub mod elu;
pub mod gelu;
pub mod gelu_tanh;
pub mod huber;
pub mod input;
pub mod leaky_relu;
pub mod linear;
pub mod log_softmax;
pub mod mean;
pub mod mean_absolute;
pub mod mean_squared;
pub mod mish;
pub mod multiply;
pub mod pair_loss;
pub mod relu;
pub mod scale;
pub mod selu;
pub mod sigmoid;
pub mod silu;
pub mod soft_cross_entropy;
pub mod softmax;
pub mod softplus;
pub mod step;
pub mod tanh;

pub use register::Op;

/// Most inputs that one node can read.
pub const MAX_INPUTS: usize = 4;
/// Most slots that one node can refer to.
pub const MAX_SLOTS: usize = 4;

/// Where an operation stands in the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// What a graph reads.
    Input,
    /// Affine maps and arithmetic.
    Arithmetic,
    /// Curves applied to each element.
    Activation,
    /// Functions of a whole row.
    Row,
    /// Images: convolution and pooling.
    Image,
    /// Another order or shape of the same numbers.
    Shape,
    /// Normalisation.
    Normalisation,
    /// Sequences: tokens, recurrence, attention.
    Sequence,
    /// Noise while training.
    Regularisation,
    /// Losses, one number a row, and their mean.
    Loss,
}

/// What the guide says about an operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Card {
    /// Name in plans and errors: `leaky_relu`.
    pub name: &'static str,
    /// Where it stands in the guide.
    pub family: Family,
    /// The formula.
    pub formula: &'static str,
    /// Its derivative.
    pub derivative: &'static str,
    /// The values that it can give.
    pub range: &'static str,
    /// Where it is used.
    pub used: &'static str,
    /// Paper or reference.
    pub source: &'static str,
}

/// A parameter that an operation declares.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotSpec {
    /// Last part of its name: `weight`.
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it holds.
    pub role: Role,
}

/// What backward reads besides the upstream gradient and the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// The inputs' values.
    pub inputs: bool,
    /// The output's value.
    pub output: bool,
    /// Elements per row that forward saves for backward.
    pub saved: usize,
}

/// Floating-point operations of one row (a fused multiply-add counts as two).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Of forward.
    pub forward: u64,
    /// Of backward.
    pub backward: u64,
}

/// What a step knows besides its operands.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The threads to work with.
    pub team: &'a Team,
    /// Dropout is on.
    pub training: bool,
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Place in the epoch of the batch's first row.
    pub position: u64,
    /// What a mean over examples divides by: the sum of weights of the whole, accumulated batch.
    pub denominator: f64,
    /// Number of the node that runs; keeps its draws apart from others'.
    pub node: u32,
    /// Time steps that the states hold already; 0 starts a sequence anew.
    pub time: usize,
    /// What every dropout's probability is multiplied by, in [0, 1].
    pub dropout: f64,
    /// What the products of linear maps multiply.
    pub precision: Precision,
}

impl Context<'_> {
    /// The draws of this node for `purpose`.
    pub fn draws(&self, purpose: Purpose) -> Draws {
        Draws::new(self.seed, purpose, self.node, self.epoch)
    }
}

/// Operands of a forward pass. Matrices are row-major, rows first.
#[derive(Debug)]
pub struct Forward<'a, T> {
    /// Live rows.
    pub rows: usize,
    /// Shape of one row of each input.
    pub shapes: &'a [Shape],
    /// Values of the inputs; an integer input's slice is empty.
    pub inputs: &'a [&'a [T]],
    /// The integer input, if there is one.
    pub labels: &'a [i32],
    /// Parameters, in the order of [`Operation::slots`].
    pub parameters: &'a [&'a [T]],
    /// Where the value goes.
    pub output: &'a mut [T],
    /// What is kept for backward (empty in a plan that has no backward).
    pub saved: &'a mut [T],
    /// The curve that the plan fused behind the operation, where [`Operation::fuses_curve`] allows it: applied to the
    /// output before it is returned.
    pub curve: Option<&'a Op>,
    /// What the operation keeps from step to step, [`Operation::state`] elements a row.
    pub state: &'a mut [T],
    /// Room to work in: [`Operation::scratch`] elements for each thread of the team, with whatever an earlier step left.
    pub scratch: &'a mut [T],
    /// The rest.
    pub context: &'a Context<'a>,
}

/// Operands of a backward pass.
#[derive(Debug)]
pub struct Backward<'a, 'g, T> {
    /// Live rows.
    pub rows: usize,
    /// Shape of one row of each input.
    pub shapes: &'a [Shape],
    /// Values of the inputs (empty where [`Needs`] does not ask for them).
    pub inputs: &'a [&'a [T]],
    /// The integer input, if there is one.
    pub labels: &'a [i32],
    /// Parameters.
    pub parameters: &'a [&'a [T]],
    /// The value (empty where [`Needs`] does not ask for it).
    pub output: &'a [T],
    /// What forward saved.
    pub saved: &'a [T],
    /// Gradient of the loss with respect to the output.
    pub upstream: &'a [T],
    /// Where the gradient of each input goes (written, not added); `None` where nobody asks.
    pub input_gradients: &'a mut [Option<&'g mut [T]>],
    /// Gradients of the parameters, added to. That of a statistic ([`Role::is_statistic`]) is the change that this batch asks for.
    pub parameter_gradients: &'a mut [&'g mut [T]],
    /// Room to work in, as in [`Forward`].
    pub scratch: &'a mut [T],
    /// The rest.
    pub context: &'a Context<'a>,
}

/// Which way an operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// The value, in a plan that has a backward.
    Forward,
    /// The value alone.
    Predict,
    /// The gradients.
    Backward,
}

/// An operation: what it computes, how it is attributed, and what that costs.
pub trait Operation: Clone + PartialEq + std::fmt::Debug + Send + Sync {
    /// What the guide says.
    fn card(&self) -> Card;

    /// Shape of one row of the output, or what is wrong with the inputs and what to change.
    ///
    /// # Errors
    /// A sentence that names both shapes.
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String>;

    /// How many inputs it reads.
    fn arity(&self) -> usize {
        1
    }

    /// What kind of number input `index` holds.
    fn input_dtype(&self, _index: usize) -> DType {
        DType::Real
    }

    /// Whether the output is one value for the batch instead of one for each row.
    fn per_batch(&self) -> bool {
        false
    }

    /// Parameters that it wants.
    fn slots(&self, _inputs: &[&Shape]) -> Vec<SlotSpec> {
        Vec::new()
    }

    /// What backward reads.
    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs::default()
    }

    /// Whether a gradient flows into input `index`.
    fn differentiable(&self, _index: usize) -> bool {
        true
    }

    /// Whether it only acts while training (dropout): elsewhere the plan takes it out.
    fn training_only(&self) -> bool {
        false
    }

    /// Whether a row's value depends on the other rows of the batch while training (batch norm). Everything else promises
    /// a row the same bytes in any batch.
    fn mixes_rows(&self) -> bool {
        false
    }

    /// Whether it only gives its input another shape: the plan lets both stand in the same place.
    fn is_view(&self) -> bool {
        false
    }

    /// Whether forward applies a curve that the plan fuses behind it ([`Forward::curve`]).
    fn fuses_curve(&self) -> bool {
        false
    }

    /// Elements that it keeps from step to step for each row (a key-value cache, a recurrent carry). An operation with
    /// state is never computed a second time.
    fn state(&self, _inputs: &[&Shape]) -> usize {
        0
    }

    /// Elements that each thread needs to work in, forward or backward.
    fn scratch(&self, _inputs: &[&Shape], _pass: Pass) -> usize {
        0
    }

    /// Floating-point operations of one row.
    fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost;

    /// Those of [`Cost::backward`] that only the gradient of the first input takes: a plan leaves them out where nobody asks
    /// for it, as in the first layer of a network.
    fn input_cost(&self, _inputs: &[&Shape], _output: &Shape) -> u64 {
        0
    }

    /// The value.
    fn forward<T: Real>(&self, io: Forward<'_, T>);

    /// The gradients.
    fn backward<T: Real>(&self, io: Backward<'_, '_, T>);

    /// The slow reference: the formula in f64 and plain loops.
    fn reference(&self, operands: &Operands<'_>) -> Vec<f64>;

    /// Instances with shapes, for the tests that come by registration.
    fn samples() -> Vec<Sample<Self>>;
}

/// Operands of the slow reference.
#[derive(Debug)]
pub struct Operands<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Shape of one row of each input.
    pub shapes: &'a [Shape],
    /// Values of the inputs.
    pub inputs: &'a [&'a [f64]],
    /// The integer input.
    pub labels: &'a [i32],
    /// Parameters.
    pub parameters: &'a [&'a [f64]],
    /// What a mean over examples divides by.
    pub denominator: f64,
    /// The context that forward ran in (for draws).
    pub context: &'a Context<'a>,
}

/// An instance to test: an operation, the shapes of its inputs, and where to draw them from.
#[derive(Debug, Clone)]
pub struct Sample<O> {
    /// The operation.
    pub op: O,
    /// Number of rows.
    pub rows: usize,
    /// Shape of one row of each input.
    pub inputs: Vec<Shape>,
    /// Each input is drawn uniformly from its interval.
    pub domain: Vec<(f64, f64)>,
    /// Values near which the derivative jumps, of the input or, with two inputs, of their difference: draws keep 1e-3
    /// away.
    pub kinks: Vec<f64>,
    /// The integer input is drawn from `first_class..first_class + classes`.
    pub classes: usize,
    /// The least value of the integer input.
    pub first_class: i32,
}

impl<O> Sample<O> {
    /// A sample with inputs in [-3, 3] and no kinks.
    pub fn new<const N: usize>(op: O, rows: usize, inputs: [Shape; N]) -> Self {
        Sample {
            op,
            rows,
            inputs: inputs.to_vec(),
            domain: vec![(-3.0, 3.0); N],
            kinks: Vec::new(),
            classes: 0,
            first_class: 0,
        }
    }

    /// Draws input `index` from `[low, high]`.
    pub fn domain(mut self, index: usize, low: f64, high: f64) -> Self {
        self.domain[index] = (low, high);
        self
    }

    /// Keeps draws away from these values.
    pub fn kinks(mut self, kinks: &[f64]) -> Self {
        self.kinks = kinks.to_vec();
        self
    }

    /// The integer input in `first..first + classes`.
    pub fn integers(mut self, first: i32, classes: usize) -> Self {
        self.first_class = first;
        self.classes = classes;
        self
    }

    /// Labels in 0..classes.
    pub fn classes(mut self, classes: usize) -> Self {
        self.classes = classes;
        self
    }
}

/// The shape rule of operations whose inputs all have one shape, which is the output's.
pub(crate) fn same_shape(name: &str, inputs: &[&Shape]) -> Result<Shape, String> {
    let first = inputs.first().ok_or_else(|| format!("{name} needs an input"))?;
    match inputs.iter().find(|shape| shape != &first) {
        Some(other) => Err(format!("{name} needs inputs of one shape, but they are {first} and {other}")),
        None => Ok((*first).clone()),
    }
}

/// What runs over a whole row refuses a row of several axes: it would mix them.
pub(crate) fn one_axis(name: &str, input: &Shape) -> Result<(), String> {
    if input.0.len() > 1 {
        return Err(format!("{name} runs over one axis, [B, C], but its input is {input}"));
    }
    Ok(())
}

/// Class weights are numbers of at least 0, one a class where there are any.
pub(crate) fn check_class_weights(name: &str, classes: usize, weights: &[f64]) -> Result<(), String> {
    if !weights.is_empty() && weights.len() != classes {
        return Err(format!(
            "{name} has {classes} logits but {} class weights; give one weight a class",
            weights.len()
        ));
    }
    match weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        Some(class) => {
            Err(format!("class weights must be at least 0, but that of class {class} is {}", weights[class]))
        }
        None => Ok(()),
    }
}

/// The shape rule of losses that compare outputs with targets of the same shape: one loss a row. Outputs of several members,
/// `[K, C]`, are each compared with the same targets, `[C]`.
pub(crate) fn regression_shape(name: &str, inputs: &[&Shape]) -> Result<Shape, String> {
    let of_members = inputs[0].0.len() == 2 && inputs[1].0.len() == 1 && inputs[0].last() == inputs[1].len();
    if inputs[0].len() != inputs[1].len() && !of_members {
        return Err(format!(
            "{name} needs as many targets as outputs, but the outputs are {} and the targets {}",
            inputs[0], inputs[1]
        ));
    }
    Ok(Shape::default())
}
