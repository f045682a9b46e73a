//! The cross-entropy of sequences against PyTorch's: the loss of each row and its gradient, ignored positions included.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod oracle;
mod trial;

use glassnet_core::ops::cross_entropy::{CrossEntropy, IGNORED};
use glassnet_core::{Op, Real, Shape, Team};
use oracle::{Case, assert_close, assert_counts, load};
use trial::{Operands, Trial};

fn compare<T: Real>(case: &Case) -> usize {
    let class_weights = if case.flag("weighted") { case.input("class_weight").to_vec() } else { Vec::new() };
    let op = Op::CrossEntropy(CrossEntropy { smoothing: case.number("label_smoothing"), class_weights });
    let [rows, positions, classes] = case.shape("x").try_into().unwrap();
    let ignored = case.count("ignored");
    let labels =
        case.labels.iter().map(|&label| if label == ignored { IGNORED } else { i32::try_from(label).unwrap() });
    let operands = Operands {
        inputs: vec![case.input("x").to_vec(), Vec::new()],
        labels: labels.collect(),
        parameters: Vec::new(),
    };
    let mut trial =
        Trial::<T>::new(&op, &[Shape::from([positions, classes]), Shape::row(positions)], rows, Team::single());
    let tolerance = if T::NAME == "f32" { 1e-5 } else { 1e-10 };
    let wide = |values: &[T]| values.iter().map(|value| value.to_f64()).collect::<Vec<f64>>();
    let label = format!("{} as {}", case.label(), T::NAME);
    assert_close(&wide(&trial.forward(rows, &operands)), case.output("y"), tolerance, &format!("{label}: y"));
    let gradient = trial.backward(&case.upstream).inputs.remove(0).unwrap();
    assert_close(&wide(&gradient), case.gradient("x"), tolerance, &format!("{label}: gradient"));
    rows + gradient.len()
}

#[test]
fn losses_of_sequences_are_pytorch_s() {
    assert_counts("sequence_losses", &["f64", "f32"], &[("sequence_cross_entropy", 7)]);
    let compared: usize = load("sequence_losses")
        .iter()
        .map(|case| if case.dtype == "f32" { compare::<f32>(case) } else { compare::<f64>(case) })
        .sum();
    assert_eq!(compared, 3836, "numbers compared");
}
