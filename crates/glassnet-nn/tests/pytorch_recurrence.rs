//! Recurrent layers against PyTorch: value, gradients, three optimizer steps; a stack of two layers in both directions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "for tests: to fail is to fail the test")]

mod layer_case;
mod oracle;

use std::sync::Arc;

use glassnet_core::ops::first::First;
use glassnet_core::ops::gru::Gru;
use glassnet_core::ops::last::Last;
use glassnet_core::ops::lstm::Lstm;
use glassnet_core::ops::mean_over_time::MeanOverTime;
use glassnet_core::ops::rnn::{Rnn, RnnCurve};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};
use layer_case::compare;
use oracle::{Case, assert_close, assert_counts, load, load_op};

fn operation(case: &Case) -> (Op, Vec<&'static str>, Vec<&'static str>) {
    let lengths = case.flag("lengths");
    let mut inputs = vec!["x"];
    let mut slots = Vec::new();
    let op = match case.op.as_str() {
        "last" => Op::Last(Last { lengths }),
        "first" => Op::First(First),
        "mean_over_time" => Op::MeanOverTime(MeanOverTime { lengths }),
        kind => {
            let (units, carry) = (case.count("units"), false);
            let (bias, reverse, initial) = (case.flag("bias"), case.flag("reverse"), case.flag("initial"));
            slots.extend(["weight_ih", "weight_hh"]);
            if bias {
                slots.extend(["bias_ih", "bias_hh"]);
            }
            if initial {
                inputs.push("h0");
            }
            match kind {
                "lstm" => {
                    if initial {
                        inputs.push("c0");
                    }
                    Op::Lstm(Lstm { units, bias, reverse, lengths, initial, carry })
                }
                "gru" => Op::Gru(Gru { units, bias, reverse, lengths, initial, carry }),
                "rnn" => {
                    let relu = case.attributes["activation"] == "relu";
                    let activation = if relu { RnnCurve::Relu } else { RnnCurve::Tanh };
                    Op::Rnn(Rnn { units, bias, reverse, lengths, initial, carry, activation })
                }
                other => panic!("no operation is called {other}"),
            }
        }
    };
    if lengths {
        inputs.push("labels");
    }
    (op, inputs, slots)
}

#[test]
fn the_cases_are_there() {
    let expected =
        [("rnn", 16), ("lstm", 8), ("gru", 8), ("lstm_stack", 2), ("last", 6), ("first", 6), ("mean_over_time", 6)];
    assert_counts("recurrence", &["f64", "f32"], &expected);
}

#[test]
fn layers_are_pytorchs() {
    let (mut cases, mut numbers) = (0, 0);
    for case in load("recurrence").iter().filter(|case| case.op != "lstm_stack") {
        let (op, inputs, slots) = operation(case);
        numbers += if case.dtype == "f64" {
            compare::<f64>(case, &op, &inputs, &slots, true)
        } else {
            compare::<f32>(case, &op, &inputs, &slots, true)
        };
        cases += 1;
    }
    assert_eq!(cases, 100);
    assert!(numbers > 9_000, "only {numbers} numbers were compared");
}

/// PyTorch's names of a direction's parameters, but for layer and direction.
const NAMES: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

/// One direction of one layer of a stack: a graph of one node.
struct Direction<T> {
    runner: Runner<T>,
    input: NodeId,
    node: NodeId,
    parameters: Vec<T>,
    suffix: String,
}

impl<T: Real> Direction<T> {
    /// Runs it forward on `x`.
    fn new(case: &Case, layer: usize, reverse: bool, x: &[T]) -> Self {
        let (shape, units) = (case.shape("x"), case.count("units"));
        let (rows, time) = (shape[0], shape[1]);
        let lengths = !case.labels.is_empty();
        let suffix = format!("_l{layer}{}", if reverse { "_reverse" } else { "" });
        let mut graph = Graph::new();
        let input = graph.input("x", Shape::from([time, x.len() / rows / time]));
        let mut inputs = vec![input];
        if lengths {
            inputs.push(graph.integers("lengths", Shape::default()));
        }
        let op = Op::Lstm(Lstm { units, bias: true, reverse, lengths, initial: false, carry: false });
        let node = graph.push("lstm", op, &inputs).unwrap();
        let request = Request {
            purpose: Purpose::Attribute,
            rows,
            backward_from: Some(node),
            outputs: vec![node],
            training: true,
            checkpoint: false,
        };
        let mut runner = Runner::<T>::new(Arc::new(Plan::new(&graph, request)), Team::single());
        runner.set_rows(rows);
        runner.input_mut(input).copy_from_slice(x);
        if lengths {
            for (target, &length) in runner.labels_mut(inputs[1]).iter_mut().zip(&case.labels) {
                *target = i32::try_from(length).unwrap();
            }
        }
        let parameters: Vec<T> = NAMES
            .iter()
            .flat_map(|name| case.parameter(&format!("{name}{suffix}")))
            .map(|&value| T::from_f64(value))
            .collect();
        runner.forward(&parameters, &StepInfo::default());
        Direction { runner, input, node, parameters, suffix }
    }

    fn value(&self) -> &[T] {
        self.runner.value(self.node).unwrap()
    }

    /// Runs it backward, compares the parameters' gradients, and gives the input's.
    fn backward(&mut self, case: &Case, upstream: &[T], tolerance: f64) -> Vec<T> {
        self.runner.seed_mut().copy_from_slice(upstream);
        let mut gradients = vec![T::ZERO; self.parameters.len()];
        self.runner.backward_from_seed(&self.parameters, &mut gradients, &StepInfo::default());
        let mut rest = wide(&gradients);
        for name in NAMES {
            let name = format!("{name}{}", self.suffix);
            let expected = case.gradient(&name);
            let own: Vec<f64> = rest.drain(..expected.len()).collect();
            assert_close(&own, expected, tolerance, &format!("{}: gradient of {name}", case.label()));
        }
        assert!(rest.is_empty());
        self.runner.gradient(self.input).unwrap().to_vec()
    }
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

/// Two sequences side by side, vector by vector.
fn joined<T: Real>(a: &[T], b: &[T], units: usize) -> Vec<T> {
    a.chunks(units).zip(b.chunks(units)).flat_map(|(a, b)| [a, b].concat()).collect()
}

/// The two halves of each vector.
fn halves<T: Real>(both: &[T], units: usize) -> (Vec<T>, Vec<T>) {
    let half = |which: usize| both.chunks(2 * units).flat_map(|pair| pair[which * units..][..units].to_vec()).collect();
    (half(0), half(1))
}

fn added<T: Real>(a: &[T], b: &[T]) -> Vec<T> {
    a.iter().zip(b).map(|(&a, &b)| a + b).collect()
}

fn assert_stack<T: Real>(case: &Case, tolerance: f64) {
    let units = case.count("units");
    let convert = |values: &[f64]| -> Vec<T> { values.iter().map(|&value| T::from_f64(value)).collect() };
    let x = convert(case.input("x"));
    let mut first = [false, true].map(|reverse| Direction::<T>::new(case, 0, reverse, &x));
    let between = joined(first[0].value(), first[1].value(), units);
    let mut second = [false, true].map(|reverse| Direction::<T>::new(case, 1, reverse, &between));
    let y = joined(second[0].value(), second[1].value(), units);
    assert_close(&wide(&y), case.output("y"), tolerance, &format!("{}: y", case.label()));

    let (forward, reverse) = halves(&convert(&case.upstream), units);
    let between = added(&second[0].backward(case, &forward, tolerance), &second[1].backward(case, &reverse, tolerance));
    let (forward, reverse) = halves(&between, units);
    let of_x = added(&first[0].backward(case, &forward, tolerance), &first[1].backward(case, &reverse, tolerance));
    assert_close(&wide(&of_x), case.gradient("x"), tolerance, &format!("{}: gradient of x", case.label()));
}

#[test]
fn two_layers_in_both_directions_are_pytorchs_stack() {
    let (single, double) = (load_op("recurrence", "lstm_stack", "f32"), load_op("recurrence", "lstm_stack", "f64"));
    assert_eq!((single.len(), double.len()), (2, 2));
    single.iter().for_each(|case| assert_stack::<f32>(case, 1e-5));
    double.iter().for_each(|case| assert_stack::<f64>(case, 1e-10));
}
