//! Numbers at the edge: where curves saturate, jump, meet NaN, or have their minimum. What the book prints is in
//! `crates/glassnet/tests/golden/worked_examples.json`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod trial;

use glassnet_core::ops::{
    binary_cross_entropy::BinaryCrossEntropy, cross_entropy::CrossEntropy, elu::Elu, gelu::Gelu, leaky_relu::LeakyRelu,
    relu::Relu, selu, selu::Selu, sigmoid::Sigmoid, silu::Silu, soft_cross_entropy::SoftCrossEntropy, softmax::Softmax,
};
use glassnet_core::{Op, Real, Shape, Team};
use serde_json::Value;
use trial::{Operands, Trial};

/// Values and derivatives of a curve.
fn curve<T: Real>(op: &Op, z: &[f64]) -> (Vec<T>, Vec<T>) {
    let mut trial = Trial::<T>::new(op, &[Shape::row(z.len())], 1, Team::single());
    let value = trial.forward(1, &Operands { inputs: vec![z.to_vec()], labels: Vec::new(), parameters: Vec::new() });
    let gradient = trial.backward(&vec![1.0; z.len()]).inputs.remove(0).unwrap();
    (value, gradient)
}

fn golden(section: &str) -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../glassnet/tests/golden/worked_examples.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all[section].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn assert_sigmoid_prints<T: Real>() {
    let expected = golden("stable_sigmoid");
    let (value, _) = curve::<T>(&Op::Sigmoid(Sigmoid), &numbers(&expected["z"]));
    let printed: Vec<String> = value.iter().map(|value| format!("{value:.6}")).collect();
    let wanted: Vec<&str> = expected["printed"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(printed, wanted, "{}", T::NAME);
}

#[test]
fn the_sigmoid_is_stable_at_a_thousand() {
    assert_sigmoid_prints::<f32>();
    assert_sigmoid_prints::<f64>();
}

/// `epsilon` is the distance from 1 to the next number: 1 + exp(-z) is 1 or 1 + epsilon around the place.
fn assert_saturates<T: Real>(from: f64, epsilon: f64) {
    let (value, derivative) = curve::<T>(&Op::Sigmoid(Sigmoid), &[from - 0.01, from, from + 0.01, 20.0 * from, -from]);
    assert_eq!(value[0].to_f64(), 1.0 - epsilon, "{}: at {}", T::NAME, from - 0.01);
    assert!(derivative[0] > T::ZERO, "{}: at {}", T::NAME, from - 0.01);
    assert_eq!(value[1..4], [T::ONE; 3], "{}", T::NAME);
    assert_eq!(derivative[1..4], [T::ZERO; 3], "{}: saturated", T::NAME);
    assert!(value[4] > T::ZERO && derivative[4] > T::ZERO, "{}: zero is not reached as soon", T::NAME);
}

#[test]
fn the_sigmoid_saturates_where_the_book_says() {
    let expected = golden("sigmoid_saturates");
    assert_saturates::<f32>(expected["f32_exactly_one_from"].as_f64().unwrap(), f64::from(f32::EPSILON));
    assert_saturates::<f64>(expected["f64_exactly_one_from"].as_f64().unwrap(), f64::EPSILON);
}

#[test]
fn the_book_s_activations() {
    let expected = golden("activations");
    for (op, name) in [(Op::Relu(Relu), "relu"), (Op::Sigmoid(Sigmoid), "sigmoid"), (Op::Gelu(Gelu), "gelu")] {
        let (value, _) = curve::<f64>(&op, &numbers(&expected["z"]));
        for (value, wanted) in value.iter().zip(numbers(&expected[name])) {
            assert!((value - wanted).abs() < 1e-15, "{name}: {value} against {wanted}");
        }
    }
    let expected = golden("softmax");
    let (value, _) = curve::<f64>(&Op::Softmax(Softmax), &numbers(&expected["z"]));
    for (value, wanted) in value.iter().zip(numbers(&expected["p"])) {
        assert!((value - wanted).abs() < 1e-15, "softmax: {value} against {wanted}");
    }
}

#[test]
fn slopes_at_zero_are_pytorch_s() {
    let cases = [
        (Op::Relu(Relu), 0.0),
        (Op::LeakyRelu(LeakyRelu { slope: 0.01 }), 0.01),
        (Op::LeakyRelu(LeakyRelu { slope: -0.5 }), -0.5),
        (Op::Elu(Elu { alpha: 1.0 }), 1.0),
        (Op::Elu(Elu { alpha: 0.5 }), 0.5),
        (Op::Selu(Selu), selu::LAMBDA * selu::ALPHA),
    ];
    for (op, slope) in cases {
        let (value, derivative) = curve::<f64>(&op, &[0.0, -0.0]);
        assert_eq!(value, [0.0, 0.0], "{op:?}");
        assert_eq!(derivative, [slope; 2], "{op:?} in f64");
        assert_eq!(curve::<f32>(&op, &[0.0, -0.0]).1, [slope as f32; 2], "{op:?} in f32");
    }
}

#[test]
fn nan_passes_through_every_curve() {
    for op in Op::curves() {
        let mut trial = Trial::<f32>::new(&op, &[Shape::row(2)], 1, Team::single());
        let z = vec![f64::NAN, 1.0];
        let value = trial.forward(1, &Operands { inputs: vec![z], labels: Vec::new(), parameters: Vec::new() });
        assert!(value[0].is_nan() && value[1].is_finite(), "{op:?}: {value:?}");
    }
}

fn assert_losses_are_finite<T: Real>() {
    let z = vec![1000.0, -1000.0, 0.0, -1000.0, 1000.0, -1000.0];
    let operands = |target: Vec<f64>, labels: Vec<i32>| Operands {
        inputs: vec![z.clone(), target],
        labels,
        parameters: Vec::new(),
    };
    let hard = Op::CrossEntropy(CrossEntropy::default());
    let soft = Op::SoftCrossEntropy(SoftCrossEntropy::default());
    let binary = Op::BinaryCrossEntropy(BinaryCrossEntropy::default());
    let one_hot = vec![0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let cases = [
        (hard, operands(Vec::new(), vec![1, 1]), [2000.0, 0.0]),
        (soft, operands(one_hot.clone(), Vec::new()), [2000.0, 0.0]),
        // Row 1 is wrong by 1000 twice and by ln 2 once, row 2 right everywhere.
        (binary, operands(one_hot, Vec::new()), [(2000.0 + std::f64::consts::LN_2) / 3.0, 0.0]),
    ];
    for (op, operands, expected) in cases {
        let shapes = [Shape::row(3), if operands.labels.is_empty() { Shape::row(3) } else { Shape::default() }];
        let mut trial = Trial::<T>::new(&op, &shapes, 2, Team::single());
        let value = trial.forward(2, &operands);
        for (value, expected) in value.iter().zip(expected) {
            assert!((value.to_f64() - expected).abs() <= 1e-4, "{op:?}: {value} against {expected}");
        }
        let gradient = trial.backward(&[1.0, 1.0]).inputs.remove(0).unwrap();
        assert!(gradient.iter().all(|gradient| gradient.is_finite()), "{op:?}: {gradient:?}");
        assert!(gradient[1].to_f64() < -0.3, "{op:?}: the wrong logit is still pulled: {gradient:?}");
        assert_eq!(gradient[3..], [T::ZERO; 3], "{op:?}: nothing to learn from the row that is right");
    }
}

#[test]
fn losses_are_finite_on_confident_logits() {
    assert_losses_are_finite::<f32>();
    assert_losses_are_finite::<f64>();
}

#[test]
fn a_label_outside_the_classes_shows_as_nan() {
    let op = Op::CrossEntropy(CrossEntropy::default());
    let mut trial = Trial::<f64>::new(&op, &[Shape::row(3), Shape::default()], 3, Team::single());
    let inputs = vec![vec![0.5; 9], Vec::new()];
    let value = trial.forward(3, &Operands { inputs, labels: vec![3, -1, 2], parameters: Vec::new() });
    assert!(value[0].is_nan() && value[1].is_nan());
    assert!((value[2] - 3.0_f64.ln()).abs() < 1e-15);
    let gradient = trial.backward(&[1.0; 3]).inputs.remove(0).unwrap();
    assert!(gradient[..6].iter().all(|gradient| gradient.is_nan()), "nothing is learned from such a row: {gradient:?}");
    assert!(gradient[6..].iter().all(|gradient| gradient.is_finite()));
}

#[test]
fn gelu_and_silu_have_their_minimum_where_the_book_says() {
    let expected = golden("activation_minima");
    for (op, name) in [(Op::Gelu(Gelu), "gelu"), (Op::Silu(Silu), "silu")] {
        let (at, least) = (expected[name]["at"].as_f64().unwrap(), expected[name]["value"].as_f64().unwrap());
        // The whole of [-4, 4] coarsely, then a millionth apart around the place.
        let coarse: Vec<f64> = (0..=8000).map(|i| -4.0 + f64::from(i) * 1e-3).collect();
        let fine: Vec<f64> = (-2000..=2000).map(|i| at + f64::from(i) * 1e-6).collect();
        let lowest = |z: &[f64]| {
            let value = curve::<f64>(&op, z).0;
            let index = (0..z.len()).min_by(|&a, &b| value[a].total_cmp(&value[b])).unwrap();
            (z[index], value[index])
        };
        assert!((lowest(&coarse).0 - at).abs() < 1.1e-3, "{name}: {:?}", lowest(&coarse));
        let (place, value) = lowest(&fine);
        assert!((place - at).abs() < 1.1e-6, "{name}: at {place}");
        assert!((value - least).abs() < 1e-6, "{name}: {value} against {least}");
        let slope = curve::<f64>(&op, &[at]).1[0];
        assert!(slope.abs() < 1e-6, "{name}: slope {slope} at the minimum");
    }
}
