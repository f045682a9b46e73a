//! Every registered operation against its slow reference; the same bytes alone and in a batch, and on any number of
//! threads.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

mod trial;

use std::sync::Arc;

use glassnet_core::ops::{self, Context, Sample, linear::Linear};
use glassnet_core::{Graph, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};
use trial::{Gradients, Operands, Trial, upstream};

/// Operands that are exact in f32, so that both types compute on the same numbers.
fn rounded(mut operands: Operands) -> Operands {
    for value in operands.inputs.iter_mut().flatten().chain(&mut operands.parameters) {
        *value = f64::from(*value as f32);
    }
    operands
}

fn drawn(sample: &Sample<Op>) -> Operands {
    rounded(Trial::<f64>::new(&sample.op, &sample.inputs, sample.rows, Team::single()).draw(sample))
}

fn by_reference(sample: &Sample<Op>, operands: &Operands) -> Vec<f64> {
    let trial = Trial::<f64>::new(&sample.op, &sample.inputs, sample.rows, Team::single());
    let team = Team::single();
    let context = Context {
        team: &team,
        training: true,
        seed: trial.info.seed,
        epoch: trial.info.epoch,
        position: trial.info.position,
        denominator: trial.info.denominator,
        node: trial.node.0 as u32,
        time: 0,
        dropout: trial.info.dropout,
        precision: glassnet_core::Precision::F32,
    };
    let inputs: Vec<&[f64]> = operands.inputs.iter().map(Vec::as_slice).collect();
    let slots = trial.graph.slots();
    let parameters: Vec<&[f64]> = slots.iter().map(|slot| &operands.parameters[slot.range()]).collect();
    sample.op.reference(&ops::Operands {
        rows: sample.rows,
        shapes: &sample.inputs,
        inputs: &inputs,
        labels: &operands.labels,
        parameters: &parameters,
        denominator: trial.info.denominator,
        context: &context,
    })
}

fn assert_forward<T: Real>(tolerance: f64) {
    let mut compared = 0;
    for sample in Op::samples() {
        let operands = drawn(&sample);
        let expected = by_reference(&sample, &operands);
        let value =
            Trial::<T>::new(&sample.op, &sample.inputs, sample.rows, Team::single()).forward(sample.rows, &operands);
        assert_eq!(value.len(), expected.len(), "{:?}: numbers of the value", sample.op);
        for (i, (value, expected)) in value.iter().zip(&expected).enumerate() {
            let apart = (value.to_f64() - expected).abs() / expected.abs().max(1.0);
            assert!(
                apart <= tolerance,
                "{:?}, {} rows, {}, element {i}: {value}, reference {expected}, {apart:.2e} apart",
                sample.op,
                sample.rows,
                T::NAME
            );
            compared += 1;
        }
    }
    assert!(compared > 5000, "only {compared} values were compared");
}

#[test]
fn forward_in_f64_agrees_with_the_reference() {
    assert_forward::<f64>(1e-12);
}

#[test]
fn forward_in_f32_agrees_with_the_reference() {
    assert_forward::<f32>(2e-6);
}

/// Bytes of a number, widened: equal exactly where the bytes are, for every value but NaN.
fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn run<T: Real>(sample: &Sample<Op>, operands: &Operands, team: Team) -> (Vec<T>, Gradients<T>) {
    let mut trial = Trial::<T>::new(&sample.op, &sample.inputs, sample.rows, team);
    let value = trial.forward(sample.rows, operands);
    let gradients = trial.backward(&upstream(value.len()));
    (value, gradients)
}

fn assert_rows_alone<T: Real>() {
    let mut rows_compared = 0;
    for sample in Op::samples().into_iter().filter(|sample| !sample.op.per_batch() && !sample.op.mixes_rows()) {
        let operands = drawn(&sample);
        let (value, gradients) = run::<T>(&sample, &operands, Team::single());
        let up = upstream(value.len());
        let width = value.len() / sample.rows;
        let mut alone = Trial::<T>::new(&sample.op, &sample.inputs, 1, Team::single());
        let position = alone.info.position;
        for row in 0..sample.rows {
            let piece = |values: &Vec<f64>| {
                let width = values.len() / sample.rows;
                values[row * width..(row + 1) * width].to_vec()
            };
            let part = Operands {
                inputs: operands.inputs.iter().map(piece).collect(),
                labels: {
                    let width = operands.labels.len() / sample.rows;
                    operands.labels[row * width..(row + 1) * width].to_vec()
                },
                parameters: operands.parameters.clone(),
            };
            // The place in the epoch goes with the row: dropout draws by it.
            alone.info.position = position + row as u64;
            let what = format!("{:?}, row {row} of {}, {}", sample.op, sample.rows, T::NAME);
            assert_eq!(bits(&alone.forward(1, &part)), bits(&value[row * width..][..width]), "{what}");
            let own = alone.backward(&up[row * width..][..width]);
            for (own, batch) in own.inputs.iter().zip(&gradients.inputs) {
                let (Some(own), Some(batch)) = (own, batch) else { continue };
                assert_eq!(bits(own), bits(&batch[row * own.len()..][..own.len()]), "{what}: gradient");
            }
            rows_compared += 1;
        }
    }
    assert!(rows_compared > 2000, "only {rows_compared} rows were compared");
}

#[test]
fn a_row_alone_has_the_bytes_of_the_row_in_the_batch() {
    assert_rows_alone::<f32>();
    assert_rows_alone::<f64>();
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let mut samples = Op::samples();
    // The samples are too small to be worth a second thread; this one is not, and no side is a round number.
    let large = Linear { units: 131, bias: true, ntk: false };
    samples.push(Sample::new(Op::Linear(large), 2053, [Shape::row(67)]));
    for sample in samples {
        let operands = drawn(&sample);
        let (value, gradients) = run::<f32>(&sample, &operands, Team::new(1));
        for threads in [2, 3] {
            let (other, others) = run::<f32>(&sample, &operands, Team::new(threads));
            let what = format!("{:?}, {} rows, {threads} threads", sample.op, sample.rows);
            assert_eq!(bits(&value), bits(&other), "{what}");
            assert_eq!(bits(&gradients.parameters), bits(&others.parameters), "{what}: gradient of the parameters");
            assert_eq!(gradients, others, "{what}: gradients");
        }
    }
}

#[test]
fn room_for_more_rows_changes_nothing_and_no_rows_are_no_work() {
    for sample in Op::samples() {
        let operands = drawn(&sample);
        let (value, gradients) = run::<f32>(&sample, &operands, Team::single());
        let mut roomy = Trial::<f32>::new(&sample.op, &sample.inputs, sample.rows + 5, Team::single());
        assert_eq!(bits(&value), bits(&roomy.forward(sample.rows, &operands)), "{:?}", sample.op);
        assert_eq!(gradients, roomy.backward(&upstream(value.len())), "{:?}", sample.op);

        let nothing = Operands {
            inputs: vec![Vec::new(); operands.inputs.len()],
            labels: Vec::new(),
            parameters: operands.parameters.clone(),
        };
        let value = roomy.forward(0, &nothing);
        assert_eq!(value, vec![0.0; usize::from(sample.op.per_batch())], "{:?}", sample.op);
        let gradients = roomy.backward(&upstream(value.len()));
        assert!(gradients.inputs.iter().flatten().all(Vec::is_empty), "{:?}", sample.op);
        assert!(gradients.parameters.iter().all(|gradient| *gradient == 0.0), "{:?}", sample.op);
    }
}

/// Loss of one pass, the gradients of the parameters, and the plan as text.
fn behind_a_linear_layer(curve: &Op, purpose: Purpose) -> (Vec<f32>, Vec<f32>, String) {
    let mut graph = Graph::new();
    let x = graph.input("x", [9]);
    let z = graph.push("0", Op::Linear(Linear { units: 21, bias: true, ntk: false }), &[x]).unwrap();
    let y = graph.push("1", curve.clone(), &[z]).unwrap();
    let last = graph.push("2", Op::Linear(Linear { units: 3, bias: false, ntk: false }), &[y]).unwrap();
    let backward_from = (purpose != Purpose::Predict).then_some(last);
    let request = Request { purpose, rows: 6, backward_from, outputs: vec![last], training: true, checkpoint: false };
    let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    runner.set_rows(6);
    let numbers: Vec<f32> = upstream(6 * 9 + graph.slots().len()).iter().map(|&value| value as f32).collect();
    let (input, parameters) = numbers.split_at(6 * 9);
    runner.input_mut(x).copy_from_slice(input);
    let mut gradients = vec![0.0; parameters.len()];
    runner.forward(parameters, &StepInfo::default());
    runner.backward(parameters, &mut gradients, &StepInfo::default());
    (runner.value(last).unwrap().to_vec(), gradients, runner.plan().to_string())
}

#[test]
fn a_curve_fused_behind_a_linear_layer_has_the_same_bytes() {
    let curves: Vec<Op> = Op::samples().into_iter().map(|sample| sample.op).filter(Op::is_curve).collect();
    let (mut fused_in_training, mut fused) = (0, 0);
    for curve in &curves {
        let train = behind_a_linear_layer(curve, Purpose::Train);
        let inspect = behind_a_linear_layer(curve, Purpose::Inspect);
        let predict = behind_a_linear_layer(curve, Purpose::Predict);
        assert_eq!(bits(&train.0), bits(&inspect.0), "{curve:?}");
        assert_eq!(bits(&train.0), bits(&predict.0), "{curve:?}");
        assert_eq!(bits(&train.1), bits(&inspect.1), "{curve:?}: gradients");
        let name = format!("linear + {}", curve.card().name);
        fused_in_training += usize::from(train.2.contains(&name));
        fused += usize::from(predict.2.contains(&name));
        assert!(!inspect.2.contains(&name));
    }
    assert_eq!(fused, curves.len(), "every curve is fused where there is no backward");
    assert!(fused_in_training > 0 && fused_in_training < fused, "{fused_in_training} of {fused} in training");
}
