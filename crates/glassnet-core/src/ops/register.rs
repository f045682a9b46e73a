//! The register of operations. An operation is added by its file and one line here; the enum that graphs hold, the
//! dispatch, the tests and the guide's table follow.

use super::curve::{self, Curve};
use super::{Backward, Card, Cost, Forward, Needs, Operands, Operation, Sample, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};

macro_rules! register {
    (curves: $($curve:ident in $curve_file:ident),* ; others: $($other:ident in $other_file:ident),* $(,)?) => {
        /// An operation with its attributes: what a node of a graph holds and a step of a plan runs.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Op {
            $(
                #[doc = concat!("See [`super::", stringify!($curve_file), "`].")]
                $curve(super::$curve_file::$curve),
            )*
            $(
                #[doc = concat!("See [`super::", stringify!($other_file), "`].")]
                $other(super::$other_file::$other),
            )*
        }

        macro_rules! each {
            ($op:expr, $bound:ident => $body:expr) => {
                match $op {
                    $(Op::$curve($bound) => $body,)*
                    $(Op::$other($bound) => $body,)*
                }
            };
        }

        impl Op {
            /// Every instance that the tests run: all operations, by registration.
            pub fn samples() -> Vec<Sample<Op>> {
                let mut samples = Vec::new();
                $(samples.extend(super::$curve_file::$curve::samples().into_iter().map(|sample| wrap(sample, Op::$curve)));)*
                $(samples.extend(super::$other_file::$other::samples().into_iter().map(|sample| wrap(sample, Op::$other)));)*
                samples
            }

            /// One instance of each curve, for the guide's pictures.
            pub fn curves() -> Vec<Op> {
                let mut curves = Vec::new();
                $(curves.extend(super::$curve_file::$curve::instances().into_iter().take(1).map(Op::$curve));)*
                curves
            }

            /// Names of all registered operations, in the register's order.
            pub fn names() -> &'static [&'static str] {
                &[$(stringify!($curve_file),)* $(stringify!($other_file),)*]
            }

            /// Whether it is a curve: one function applied to each element.
            pub fn is_curve(&self) -> bool {
                matches!(self, $(Op::$curve(_))|*)
            }

            /// Applies a curve in place; anything else leaves the values as they are.
            pub fn apply_in_place<T: Real>(&self, values: &mut [T]) {
                match self {
                    $(Op::$curve(op) => curve::apply_in_place(*op, values),)*
                    _ => {}
                }
            }

            /// What the guide says.
            pub fn card(&self) -> Card {
                each!(self, op => Operation::card(op))
            }

            /// Shape of one row of the output.
            ///
            /// # Errors
            /// What is wrong with the inputs' shapes.
            pub fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
                each!(self, op => op.shape(inputs))
            }

            /// How many inputs it reads.
            pub fn arity(&self) -> usize {
                each!(self, op => op.arity())
            }

            /// What kind of number input `index` holds.
            pub fn input_dtype(&self, index: usize) -> DType {
                each!(self, op => op.input_dtype(index))
            }

            /// Whether the output is one value for the batch.
            pub fn per_batch(&self) -> bool {
                each!(self, op => op.per_batch())
            }

            /// Parameters that it wants.
            pub fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
                each!(self, op => op.slots(inputs))
            }

            /// What backward reads.
            pub fn needs(&self, inputs: &[&Shape]) -> Needs {
                each!(self, op => op.needs(inputs))
            }

            /// Whether a gradient flows into input `index`.
            pub fn differentiable(&self, index: usize) -> bool {
                each!(self, op => op.differentiable(index))
            }

            /// Whether it only acts while training.
            pub fn training_only(&self) -> bool {
                each!(self, op => op.training_only())
            }

            /// Whether a row's value depends on the other rows while training.
            pub fn mixes_rows(&self) -> bool {
                each!(self, op => op.mixes_rows())
            }

            /// Whether it only gives its input another shape.
            pub fn is_view(&self) -> bool {
                each!(self, op => op.is_view())
            }

            /// Whether forward applies a curve fused behind it.
            pub fn fuses_curve(&self) -> bool {
                each!(self, op => op.fuses_curve())
            }

            /// Elements that it keeps from step to step for each row.
            pub fn state(&self, inputs: &[&Shape]) -> usize {
                each!(self, op => op.state(inputs))
            }

            /// Elements that each thread needs to work in.
            pub fn scratch(&self, inputs: &[&Shape], pass: super::Pass) -> usize {
                each!(self, op => op.scratch(inputs, pass))
            }

            /// Floating-point operations of one row.
            pub fn cost(&self, inputs: &[&Shape], output: &Shape) -> Cost {
                each!(self, op => op.cost(inputs, output))
            }

            /// Those of its backward that only the gradient of the first input takes.
            pub fn input_cost(&self, inputs: &[&Shape], output: &Shape) -> u64 {
                each!(self, op => op.input_cost(inputs, output))
            }

            /// The value.
            pub fn forward<T: Real>(&self, io: Forward<'_, T>) {
                each!(self, op => op.forward(io))
            }

            /// The gradients.
            pub fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
                each!(self, op => op.backward(io))
            }

            /// The slow reference.
            pub fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
                each!(self, op => op.reference(operands))
            }
        }
    };
}

register! {
    curves:
        Step in step, Relu in relu, LeakyRelu in leaky_relu, Elu in elu, Selu in selu, Gelu in gelu,
        GeluTanh in gelu_tanh, Silu in silu, Mish in mish, Tanh in tanh, Sigmoid in sigmoid, Softplus in softplus;
    others:
        Input in input, Linear in linear, Add in add, Multiply in multiply, Scale in scale, Softmax in softmax,
        LogSoftmax in log_softmax, Dropout in dropout, MeanSquared in mean_squared, MeanAbsolute in mean_absolute,
        Huber in huber, CrossEntropy in cross_entropy, SoftCrossEntropy in soft_cross_entropy,
        BinaryCrossEntropy in binary_cross_entropy, Mean in mean,
        // images: convolution and pooling
        Conv1d in conv1d, Conv2d in conv2d, MaxPool in max_pool, AvgPool in avg_pool,
        AdaptiveAvgPool in adaptive_avg_pool, AdaptiveMaxPool in adaptive_max_pool, GlobalPool in global_pool,

        // shape: the same numbers in another order or shape
        Reshape in reshape, Flatten in flatten, Transpose in transpose, Concat in concat, Slice in slice,

        // normalisation
        LayerNorm in layer_norm, RmsNorm in rms_norm, GroupNorm in group_norm, BatchNorm in batch_norm,

        // recurrence
        Rnn in rnn, Lstm in lstm, Gru in gru, Last in last, First in first, MeanOverTime in mean_over_time,

        // tokens, positions and attention
        Embedding in embedding, Unembedding in unembedding, Positions in positions, Rotary in rotary,
        Attention in attention,

        // tables: numbers as waves or by parts, categories as vectors, curves that each neuron bends
        Periodic in periodic, Piecewise in piecewise, Categories in categories, Parametric in parametric,

        // many networks in one
        Members in members, MemberAffine in member_affine, Heads in heads, Average in average,
}

fn wrap<O>(sample: Sample<O>, into: impl Fn(O) -> Op) -> Sample<Op> {
    Sample {
        op: into(sample.op),
        rows: sample.rows,
        inputs: sample.inputs,
        domain: sample.domain,
        kinks: sample.kinks,
        classes: sample.classes,
        first_class: sample.first_class,
    }
}
