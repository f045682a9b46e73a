//! The reference vectors are there: every operation has its cases in both dtypes, and the comparison can fail.

mod oracle;

use oracle::{assert_close, assert_counts, load, load_op};

const BOTH: &[&str] = &["f64", "f32"];

#[test]
fn every_operation_has_its_cases() {
    assert_counts(
        "elementwise",
        BOTH,
        &[
            ("relu", 4),
            ("leaky_relu", 8),
            ("elu", 8),
            ("selu", 4),
            ("gelu", 4),
            ("gelu_tanh", 4),
            ("silu", 4),
            ("mish", 4),
            ("tanh", 4),
            ("sigmoid", 4),
            ("softplus", 4),
            ("step", 4),
        ],
    );
    assert_counts("softmax", BOTH, &[("softmax", 5), ("log_softmax", 5)]);
    assert_counts("linear", BOTH, &[("linear", 8)]);
    assert_counts("combine", BOTH, &[("add", 3), ("multiply", 3), ("scale", 3)]);
}

#[test]
fn every_loss_has_its_cases() {
    let losses = [("mse", 5), ("l1", 5), ("huber", 10), ("cross_entropy", 33), ("bce_with_logits", 12)];
    assert_counts("losses", BOTH, &losses);
}

#[test]
fn the_vectors_differ_from_case_to_case() {
    // A generator that repeats itself would make twenty cases into one.
    let cases = load_op("elementwise", "tanh", "f64");
    let first: Vec<f64> = cases.iter().map(|case| case.input("x")[0]).collect();
    for (i, x) in first.iter().enumerate() {
        assert!(!first[..i].contains(x), "two cases start with {x}");
    }
}

#[test]
fn a_hand_computed_case_is_as_pytorch_has_it() {
    for case in load_op("elementwise", "relu", "f64") {
        let by_hand: Vec<f64> =
            case.input("x").iter().zip(&case.upstream).map(|(&x, &up)| if x > 0.0 { up } else { 0.0 }).collect();
        assert_close(case.gradient("x"), &by_hand, 0.0, &case.label());
    }
    for case in load("losses").iter().filter(|case| case.op == "mse") {
        let k = case.shape("x")[1];
        let squares: Vec<f64> =
            case.input("x").iter().zip(case.input("target")).map(|(&x, &t)| (x - t) * (x - t)).collect();
        let rows: Vec<f64> = squares.chunks(k).map(|row| row.iter().sum::<f64>() / k as f64).collect();
        let tolerance = if case.dtype == "f32" { 1e-6 } else { 1e-14 };
        assert_close(case.output("rows"), &rows, tolerance, &case.label());
    }
}

#[test]
fn minus_zero_keeps_its_sign() {
    let extremes =
        load_op("elementwise", "relu", "f32").into_iter().find(|case| case.name.starts_with("kinks")).unwrap();
    assert_eq!(extremes.input("x")[1].to_bits(), (-0.0f64).to_bits());
}

#[test]
fn close_is_relative_above_one_and_absolute_below() {
    assert_close(&[1000.001, 0.0005], &[1000.0, 0.0], 1e-3, "inside");
    assert_close(&[f64::INFINITY], &[f64::INFINITY], 0.0, "equal infinities");
}

#[test]
#[should_panic(expected = "worst at [1]")]
fn the_worst_place_is_named() {
    assert_close(&[1.1, 3.0, 2.0], &[1.0, 2.0, 2.0], 1e-6, "apart");
}

#[test]
#[should_panic(expected = "worst at [1]")]
fn nan_is_never_close() {
    assert_close(&[1.0, f64::NAN], &[1.0, 1.0], 1e3, "NaN");
}
