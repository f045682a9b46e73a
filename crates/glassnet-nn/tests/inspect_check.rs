//! The gradient check: right gradients pass on every layer and loss, a broken one is found, kinks are not errors.
#![allow(clippy::unwrap_used)]

use glassnet_core::{Real, StepInfo};
use glassnet_nn::inspect::check::{CheckOptions, compare, gradients};
use glassnet_nn::inspect::{check, parameters_from_flat};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;

const ROWS: [u32; 5] = [0, 1, 2, 3, 4];

fn network(text: &str, loss: &LossSpec) -> Network {
    Network::new(&text.parse::<NetSpec>().unwrap(), Some(loss)).unwrap()
}

fn features(width: usize) -> Vec<f64> {
    (0..5 * width).map(|i| 2.0 * Real::sin(0.7 * i as f64)).collect()
}

/// Every layer kind with a loss and data for it.
fn cases() -> Vec<(Network, Matrix<f64>)> {
    let labels = |classes: i32| Matrix::with_labels(features(3), 3, (0..5).map(|i| i % classes).collect());
    let values = |outputs: usize| {
        let values = (0..5 * outputs).map(|i| (i % 3) as f64 / 2.0).collect();
        Matrix::with_values(features(3), 3, values, outputs)
    };
    let weighted = LossSpec::CrossEntropy { smoothing: 0.1, class_weights: vec![1.0, 2.0, 0.5] };
    let bce = LossSpec::BinaryCrossEntropy { positive_weight: 3.0, class_weights: Vec::new() };
    vec![
        (network("3 -> 7 relu -> 5 leaky relu -> 3", &weighted), labels(3)),
        (network("3 -> scale -> 6 gelu -> dropout 0.4 -> 3 softmax", &LossSpec::cross_entropy()), labels(3)),
        (network("3 -> 4 elu 0.5 -> residual(6 mish -> 4 selu) -> 2 sigmoid", &bce), values(2)),
        (
            network("3 -> swiglu 5 bias -> 4 tanh -> residual(dropout 0.3 -> 4 softplus) -> 1", &LossSpec::MeanSquared),
            values(1),
        ),
        (network("3 -> 6 sigmoid -> 2", &LossSpec::MeanAbsolute), values(2)),
        (network("3 -> 6 silu -> 2 log softmax", &LossSpec::Huber { delta: 0.5 }), values(2)),
    ]
}

#[test]
fn right_gradients_pass() {
    let options = CheckOptions {
        info: StepInfo { seed: 3, epoch: 2, position: 40, denominator: 1.0, time: 0, dropout: 1.0 },
        ..Default::default()
    };
    for (net, data) in cases() {
        let parameters = net.initialise::<f64>(5);
        let found = check(&net, &parameters, &data, &ROWS, &options).unwrap();
        assert!(found.passed && !found.sampled, "{net:?}\n{found}");
        assert_eq!(found.compared, net.parameters(), "{found}");
        assert_eq!(found.dropout, net.graph.nodes().iter().any(|node| node.op.training_only()));
        assert!(found.to_string().contains("passed: worst is "), "{found}");
        let without = CheckOptions { dropout: false, ..options };
        let without = check(&net, &parameters, &data, &ROWS, &without).unwrap();
        assert!(without.passed && !without.dropout);
        assert_eq!(found.dropout, found.loss != without.loss, "a mask changes the loss");
    }
}

/// One corrupted element in every slot of every network: found, in its slot, by its name, and nowhere else.
#[test]
fn a_broken_gradient_is_found_and_named() {
    let options = CheckOptions::default();
    for (net, data) in cases() {
        let parameters = net.initialise::<f64>(5);
        let right = gradients(&net, &parameters, &data, &ROWS, &options).unwrap();
        for slot in net.graph.slots().iter() {
            let element = slot.len() - 1;
            for broken in [1.01, -1.0, f64::NAN] {
                let mut gradients = right.clone();
                let value = &mut gradients[slot.offset + element];
                // Where the gradient is 0 by nature a factor breaks nothing.
                *value = if *value == 0.0 { 1e-3 * broken } else { *value * broken };
                let found = compare(&net, &parameters, &gradients, &data, &ROWS, &options).unwrap();
                assert!(!found.passed, "{} x {broken}: {found}", slot.name);
                let wrong: Vec<&str> =
                    found.slots.iter().filter(|slot| !slot.passed).map(|slot| slot.name.as_str()).collect();
                assert_eq!(wrong, [slot.name.as_str()]);
                let last: String = slot.shape.iter().map(|axis| format!("[{}]", axis - 1)).collect();
                assert_eq!(found.worst.as_ref().unwrap().parameter, format!("{}{last}", slot.name));
                let text = found.to_string();
                assert!(text.contains("WRONG: 1 of ") && text.contains("FAILED: worst is "), "{text}");
            }
        }
    }
}

/// z = 0 exactly: ReLU's slope is 0 from below and 1 from above, so there is no derivative to compare with.
#[test]
fn a_point_on_a_kink_is_counted_and_one_beside_it_is_compared() {
    let net = network("1 -> 1 relu -> 1", &LossSpec::MeanSquared);
    let data = Matrix::with_values(vec![2.0], 1, vec![3.0], 1);
    let options = CheckOptions::default();
    let on: Vec<f64> = parameters_from_flat(&net, &[0.5, 1.5], &[-1.0, 0.25]).unwrap();
    let found = check(&net, &on, &data, &[0], &options).unwrap();
    let counts: Vec<_> = found.slots.iter().map(|slot| (slot.compared, slot.on_kinks)).collect();
    assert_eq!(counts, [(0, 1), (0, 1), (1, 0), (1, 0)]);
    assert!(found.passed, "{found}");
    assert!(found.to_string().contains("1 on a kink, not comparable"), "{found}");
    // 1e-6 above the kink: the first step crosses it, a smaller one does not.
    let beside: Vec<f64> = parameters_from_flat(&net, &[0.5, 1.5], &[-1.0 + 1e-6, 0.25]).unwrap();
    let found = check(&net, &beside, &data, &[0], &options).unwrap();
    let counts: Vec<_> = found.slots.iter().map(|slot| (slot.compared, slot.near_kinks, slot.on_kinks)).collect();
    assert_eq!(counts, [(1, 1, 0), (1, 1, 0), (1, 0, 0), (1, 0, 0)]);
    assert!(found.passed, "{found}");
    // The kink is no excuse for a wrong gradient.
    let mut broken = gradients(&net, &beside, &data, &[0], &options).unwrap();
    broken[0] *= 0.5;
    assert!(!compare(&net, &beside, &broken, &data, &[0], &options).unwrap().slots[0].passed);
    // 1e-13 above the kink only the side away from it can be measured.
    let close: Vec<f64> = parameters_from_flat(&net, &[0.5, 1.5], &[-1.0 + 1e-13, 0.25]).unwrap();
    let found = check(&net, &close, &data, &[0], &options).unwrap();
    assert!(found.passed && found.compared == 4, "{found}");
    let mut broken = gradients(&net, &close, &data, &[0], &options).unwrap();
    broken[1] *= 0.5;
    assert!(!compare(&net, &close, &broken, &data, &[0], &options).unwrap().slots[1].passed);
}

#[test]
fn nothing_to_compare_is_no_pass() {
    let net = network("1 -> 1 relu", &LossSpec::MeanSquared);
    let data = Matrix::with_values(vec![2.0], 1, vec![3.0], 1);
    let found = check(&net, &[0.0, 0.0], &data, &[0], &CheckOptions::default()).unwrap();
    assert!(!found.passed && found.compared == 0 && found.worst.is_none());
    assert!(found.to_string().contains("FAILED: nothing could be compared"), "{found}");
}

#[test]
fn a_large_network_is_sampled_in_every_slot() {
    let net = network("3 -> 40 tanh -> 40 tanh -> 3", &LossSpec::cross_entropy());
    let (parameters, data) = (net.initialise::<f64>(1), Matrix::with_labels(features(3), 3, vec![0, 1, 2, 0, 1]));
    let options = CheckOptions { all_up_to: 500, sample: 20, ..Default::default() };
    let found = check(&net, &parameters, &data, &ROWS, &options).unwrap();
    assert!(found.passed && found.sampled);
    let counts: Vec<usize> = found.slots.iter().map(|slot| slot.compared).collect();
    assert_eq!(counts, [20, 20, 20, 20, 20, 3]);
    assert_eq!(found, check(&net, &parameters, &data, &ROWS, &options).unwrap());
    // A slot whose gradients are all wrong does not slip through the sample.
    let mut broken = gradients(&net, &parameters, &data, &ROWS, &options).unwrap();
    let slot = net.graph.slots().find("2.weight").unwrap();
    broken[slot.range()].iter_mut().for_each(|gradient| *gradient *= 1.1);
    let found = compare(&net, &parameters, &broken, &data, &ROWS, &options).unwrap();
    assert!(!found.passed && found.slots[2].wrong == 20, "{found}");
}

#[test]
fn questions_that_do_not_fit() {
    let net = network("3 -> 2", &LossSpec::cross_entropy());
    let (parameters, data) = (net.initialise::<f64>(1), Matrix::with_labels(features(3), 3, vec![0, 1, 1, 0, 1]));
    let default = CheckOptions::default();
    let ask = |net: &Network, rows: &[u32], options: CheckOptions| {
        check(net, &parameters, &data, rows, &options).unwrap_err().to_string()
    };
    assert!(ask(&net, &[], default).contains("none is given"));
    assert!(ask(&net, &[5], default).contains("row 6 is asked for"));
    assert!(ask(&net, &[0], CheckOptions { step: 0.0, ..default }).contains("step must be greater than 0"));
    assert!(ask(&net, &[0], CheckOptions { tolerance: f64::NAN, ..default }).contains("tolerance must be"));
    let plain = Network::new(&net.spec, None).unwrap();
    assert!(ask(&plain, &[0], default).contains("no loss"));
    assert!(
        compare(&net, &parameters, &[0.0; 3], &data, &[0], &default).unwrap_err().to_string().contains("3 gradients")
    );
}

/// Thousands of ReLU values: some change sides within any first step, and none of that is an error. Raw, large columns too.
#[test]
fn many_rows_of_relu_pass() {
    for (scale, loss) in [(1.0, LossSpec::cross_entropy()), (300.0, LossSpec::MeanSquared)] {
        let net = network("4 -> 12 relu -> 8 relu -> 2", &loss);
        let x: Vec<f64> = (0..4 * 150).map(|i| scale * Real::sin(1.3 * f64::from(i) + 0.1)).collect();
        let data = match loss.takes_labels() {
            true => Matrix::with_labels(x, 4, (0..150).map(|i| i % 2).collect()),
            false => Matrix::with_values(x, 4, (0..300).map(|i| f64::from(i % 5)).collect(), 2),
        };
        let rows: Vec<u32> = (0..150).collect();
        let options = CheckOptions { step: 1e-3, ..CheckOptions::default() };
        let parameters = net.initialise::<f64>(2);
        let found = check(&net, &parameters, &data, &rows, &options).unwrap();
        assert!(found.passed, "{found}");
        assert!(found.slots.iter().any(|slot| slot.near_kinks > 0), "{found}");
        assert_eq!(found.slots.iter().map(|slot| slot.on_kinks).sum::<usize>(), 0, "{found}");
        // A hundredth off everywhere is found in every slot all the same.
        let mut broken = gradients(&net, &parameters, &data, &rows, &options).unwrap();
        broken.iter_mut().for_each(|gradient| *gradient *= 1.01);
        let found = compare(&net, &parameters, &broken, &data, &rows, &options).unwrap();
        assert!(found.slots.iter().all(|slot| !slot.passed), "{found}");
    }
}

/// What is read by parts changes its bin within a step, and what lies on an edge has no one slope: no gradient is wrong for that.
#[test]
fn numbers_that_change_their_bin_pass() {
    let net = network("4 -> 6 tanh -> piecewise 8 3 -> 2", &LossSpec::cross_entropy());
    let x: Vec<f64> = (0..4 * 150).map(|i| 3.0 * Real::sin(1.3 * f64::from(i) + 0.1)).collect();
    let data = Matrix::with_labels(x, 4, (0..150).map(|i| i % 2).collect());
    let rows: Vec<u32> = (0..150).collect();
    let options = CheckOptions { step: 1e-3, ..CheckOptions::default() };
    let mut parameters = net.initialise::<f64>(2);
    let [weight, edges] = ["2.weight", "2.edges"].map(|name| net.graph.slots().find(name).unwrap().range());
    parameters[weight].iter_mut().enumerate().for_each(|(i, w)| *w = Real::sin(2.1 * i as f64));
    // A tanh stays within +-1.
    parameters[edges].iter_mut().for_each(|edge| *edge /= 3.0);
    let found = check(&net, &parameters, &data, &rows, &options).unwrap();
    assert!(found.passed, "{found}");
    assert!(found.slots.iter().any(|slot| slot.near_kinks > 0), "{found}");
    let mut broken = gradients(&net, &parameters, &data, &rows, &options).unwrap();
    broken.iter_mut().for_each(|gradient| *gradient *= 1.01);
    let found = compare(&net, &parameters, &broken, &data, &rows, &options).unwrap();
    assert!(found.slots.iter().all(|slot| !slot.passed), "{found}");
}
