//! A predictor gives the bytes of the trainer's own evaluation, whatever company a row is in, and allocates nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "to fail is to fail the test")]

use allocation_counter::measure;
use glassnet_core::random::{Draws, Purpose};
use glassnet_core::{Real, Runner, StepInfo, Team};
use glassnet_nn::network::Network;
use glassnet_nn::predictor::{Predictor, PredictorError};
use glassnet_nn::spec::NetSpec;

const NETWORKS: [&str; 7] = [
    "3 -> 3 tanh -> 1",
    "3 -> 3 relu -> 1 sigmoid",
    "20 -> 64 relu -> 64 relu -> 1",
    "5 -> 7 gelu -> layernorm -> 130 silu -> 4 softmax",
    "1x6x6 -> conv 3 3x3 pad 1 -> relu -> flatten -> 10",
    "4 -> residual(4 tanh -> 4) -> 2",
    "784 -> 256 relu -> 10",
];

fn network(text: &str) -> Network {
    let spec: NetSpec = text.parse().expect("a specification of the list");
    Network::new(&spec, None).expect("a network of the list")
}

fn numbers<T: Real>(stream: u32, len: usize) -> Vec<T> {
    let draws = Draws::new(5, Purpose::Synthetic, stream, 0);
    (0..len as u64).map(|place| T::from_f64(draws.normal(place))).collect()
}

/// The plain way: the plan's forward steps on all rows at once.
fn plainly<T: Real>(network: &Network, parameters: &[T], rows: &[T]) -> Vec<T> {
    let count = rows.len() / network.inputs();
    let mut runner = Runner::new(network.plan(glassnet_core::Purpose::Predict, count), Team::single());
    runner.set_rows(count);
    runner.input_mut(network.x).copy_from_slice(rows);
    runner.forward(parameters, &StepInfo::default());
    runner.value(network.output).expect("the output is kept").to_vec()
}

fn same_bytes<T: Real>(text: &str) {
    let network = network(text);
    let parameters: Vec<T> = network.initialise(3);
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let rows: Vec<T> = numbers(0, 11 * inputs);
    let wanted = plainly(&network, &parameters, &rows);
    for capacity in [1, 4, 11, 50] {
        let predictor = Predictor::new(&network, parameters.clone(), capacity).expect("it fits");
        for threads in [1, 2] {
            let mut scratch = predictor.scratch_with(Team::new(threads));
            let mut together = vec![T::ZERO; 11 * outputs];
            predictor.predict_into(&mut scratch, &rows, &mut together).expect("whole rows");
            assert!(together == wanted, "{text}: together, {capacity}, {threads}");
            for (row, wanted) in rows.chunks(inputs).zip(wanted.chunks(outputs)) {
                let mut alone = vec![T::ZERO; outputs];
                predictor.predict_into(&mut scratch, row, &mut alone).expect("a row");
                assert!(alone == wanted, "{text}: alone, {capacity}, {threads}");
            }
        }
    }
}

#[test]
fn a_row_has_the_same_bytes_alone_and_in_any_batch() {
    for text in NETWORKS {
        same_bytes::<f32>(text);
        same_bytes::<f64>(text);
    }
}

#[test]
fn predicting_allocates_nothing() {
    for text in NETWORKS {
        let network = network(text);
        let predictor = Predictor::<f32>::new(&network, network.initialise(3), 4).expect("it fits");
        let rows: Vec<f32> = numbers(1, 9 * network.inputs());
        let mut out = vec![0.0; 9 * network.outputs()];
        let mut scratch = predictor.scratch();
        // The first products of a thread grow its room for panels.
        predictor.predict_into(&mut scratch, &rows, &mut out).expect("whole rows");
        let counted = measure(|| {
            predictor.predict_into(&mut scratch, &rows, &mut out).expect("whole rows");
            predictor
                .predict_into(&mut scratch, &rows[..network.inputs()], &mut out[..network.outputs()])
                .expect("a row");
        });
        assert_eq!(counted.count_total, 0, "{text}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_both_sizes() {
    let network = network(NETWORKS[0]);
    let parameters: Vec<f32> = network.initialise(1);
    let refused = Predictor::new(&network, vec![0.0_f32; 3], 1).expect_err("3 parameters");
    assert_eq!(refused, PredictorError::Parameters { expected: 16, found: 3 });
    assert_eq!(Predictor::new(&network, parameters.clone(), 0).expect_err("0 rows"), PredictorError::NoRows);
    let predictor = Predictor::new(&network, parameters.clone(), 2).expect("it fits");
    let mut scratch = predictor.scratch();
    let mut out = [0.0; 2];
    let mut refused = |rows: &[f32], out: &mut [f32]| predictor.predict_into(&mut scratch, rows, out).unwrap_err();
    assert_eq!(refused(&[0.0; 4], &mut out[..1]), PredictorError::Row { expected: 3, found: 4 });
    assert_eq!(refused(&[0.0; 3], &mut out), PredictorError::Output { expected: 1, found: 2 });
    let other = Predictor::new(&network, parameters, 2).expect("it fits");
    let foreign = predictor.predict_into(&mut other.scratch(), &[0.0; 3], &mut out[..1]);
    assert_eq!(foreign, Err(PredictorError::Scratch));
}
