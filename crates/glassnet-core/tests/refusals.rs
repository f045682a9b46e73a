//! Attributes and shapes that operations refuse, with a message that says what to change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_core::ops::{
    binary_cross_entropy::BinaryCrossEntropy, cross_entropy::CrossEntropy, dropout::Dropout, elu::Elu, huber::Huber,
    leaky_relu::LeakyRelu, linear::Linear, log_softmax::LogSoftmax, mean::Mean, mean_squared::MeanSquared,
    multiply::Multiply, scale::Scale, soft_cross_entropy::SoftCrossEntropy, softmax::Softmax,
};
use glassnet_core::{Op, Shape};

fn refuse(op: Op, shapes: &[&[usize]], says: &str) {
    let shapes: Vec<Shape> = shapes.iter().map(|axes| Shape(axes.to_vec())).collect();
    let shapes: Vec<&Shape> = shapes.iter().collect();
    let message = op.shape(&shapes).unwrap_err();
    assert!(message.contains(says), "{op:?}: {message}");
}

#[test]
fn shapes_that_do_not_fit() {
    refuse(Op::Multiply(Multiply), &[&[3], &[4]], "[B, 3] and [B, 4]");
    refuse(Op::Linear(Linear { units: 2, bias: true, ntk: false }), &[&[]], "a row of numbers");
    refuse(Op::Linear(Linear { units: 0, bias: true, ntk: false }), &[&[3]], "must be positive");
    refuse(Op::Linear(Linear { units: 3, bias: true, ntk: false }), &[&[0]], "must be positive");
    refuse(Op::Scale(Scale), &[&[0]], "at least one number");
    refuse(Op::Softmax(Softmax), &[&[4, 3]], "one axis, [B, C], but its input is [B, 4, 3]");
    refuse(Op::LogSoftmax(LogSoftmax), &[&[4, 3]], "one axis");
    refuse(Op::MeanSquared(MeanSquared), &[&[3], &[2]], "the outputs are [B, 3] and the targets [B, 2]");
    refuse(Op::BinaryCrossEntropy(BinaryCrossEntropy::default()), &[&[3], &[1]], "as many targets as outputs");
    // One label for rows of members, `[K, C]`, is taken; for more axes it is not known what it labels.
    refuse(Op::CrossEntropy(CrossEntropy::default()), &[&[2, 4, 3], &[]], "[B, 2, 4, 3] and [B]");
    refuse(Op::CrossEntropy(CrossEntropy::default()), &[&[4, 3], &[3]], "a label a position");
    refuse(Op::CrossEntropy(CrossEntropy::default()), &[&[3], &[2]], "one label a row");
    refuse(Op::SoftCrossEntropy(SoftCrossEntropy::default()), &[&[4, 3], &[4, 3]], "one axis");
    refuse(Op::SoftCrossEntropy(SoftCrossEntropy::default()), &[&[3], &[4]], "as many targets as outputs");
    refuse(Op::Mean(Mean), &[&[2], &[]], "one loss and one weight a row");
}

#[test]
fn attributes_out_of_range() {
    for p in [1.0, -0.1, f64::NAN] {
        refuse(Op::Dropout(Dropout { p }), &[&[3]], "at least 0 and below 1");
        let cross_entropy = CrossEntropy { smoothing: p, ..CrossEntropy::default() };
        refuse(Op::CrossEntropy(cross_entropy), &[&[3], &[]], "label smoothing");
        let soft = SoftCrossEntropy { smoothing: p, ..SoftCrossEntropy::default() };
        refuse(Op::SoftCrossEntropy(soft), &[&[3], &[3]], "label smoothing");
    }
    let weights = CrossEntropy { class_weights: vec![1.0; 2], ..CrossEntropy::default() };
    refuse(Op::CrossEntropy(weights), &[&[3], &[]], "3 logits but 2 class weights");
    for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refuse(Op::Huber(Huber { delta }), &[&[3], &[3]], "huber's delta must be positive");
    }
    for alpha in [0.0, -1.0, f64::NAN] {
        refuse(Op::Elu(Elu { alpha }), &[&[3]], "elu's alpha must be positive");
    }
    refuse(Op::LeakyRelu(LeakyRelu { slope: f64::NAN }), &[&[3]], "leaky_relu's slope must be a number");
    for positive_weight in [-1.0, f64::NAN] {
        refuse(Op::BinaryCrossEntropy(BinaryCrossEntropy { positive_weight }), &[&[3], &[3]], "positive class");
    }
    for weight in [-1.0, f64::NAN] {
        let weights = CrossEntropy { class_weights: vec![1.0, weight, 1.0], ..CrossEntropy::default() };
        refuse(Op::CrossEntropy(weights), &[&[3], &[]], "class weights must be");
        let weights = SoftCrossEntropy { class_weights: vec![1.0, weight, 1.0], ..SoftCrossEntropy::default() };
        refuse(Op::SoftCrossEntropy(weights), &[&[3], &[3]], "class weights must be");
    }
}
