//! Every registered operation against its slow reference; the same bytes alone and in a batch, and on any number of
//! threads.

mod trial;

use glassnet_core::ops::{self, Context, Sample, linear::Linear};
use glassnet_core::{Op, Real, Shape, Team};
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
    };
    let inputs: Vec<&[f64]> = operands.inputs.iter().map(Vec::as_slice).collect();
    let slots = trial.graph.slots();
    let parameters: Vec<&[f64]> = slots.iter().map(|slot| &operands.parameters[slot.range()]).collect();
    sample.op.reference(&ops::Operands {
        rows: sample.rows,
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
    for sample in Op::samples().into_iter().filter(|sample| !sample.op.per_batch()) {
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
                labels: vec![operands.labels[row]],
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
    let large = Linear { units: 131, bias: true };
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
