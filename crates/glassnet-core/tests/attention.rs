//! What attention promises besides its formula: causality, decoding with the bytes of the whole sequence, a batch's order,
//! memory that grows with the length.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::attention::{Attention, Mask};
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{DType, Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};

/// One attention as a graph of its own.
struct Trial<T> {
    inputs: Vec<NodeId>,
    y: NodeId,
    runner: Runner<T>,
}

impl<T: Real> Trial<T> {
    /// `steps` queries and `keys` keys; heads are `d` wide, values too.
    fn new(op: Attention, rows: usize, steps: usize, keys: usize, d: usize, backward: bool, team: Team) -> Self {
        let mut graph = Graph::new();
        let mut shapes = vec![
            Shape::from([steps, op.heads * d]),
            Shape::from([keys, op.kv_heads * d]),
            Shape::from([keys, op.kv_heads * d]),
        ];
        match op.mask {
            Mask::None => {}
            Mask::Lengths => shapes.push(Shape::default()),
            Mask::Given => shapes.push(Shape::from([steps, keys])),
        }
        let op = Op::Attention(op);
        let inputs: Vec<NodeId> = shapes
            .into_iter()
            .enumerate()
            .map(|(index, shape)| match op.input_dtype(index) {
                DType::I32 => graph.integers(&format!("{index}"), shape),
                DType::Real => graph.input(&format!("{index}"), shape),
            })
            .collect();
        let y = graph.push("attention", op, &inputs).unwrap();
        let purpose = if backward { Purpose::Attribute } else { Purpose::Predict };
        let backward_from = backward.then_some(y);
        let request = Request { purpose, rows, backward_from, outputs: vec![y], training: backward, checkpoint: false };
        let mut runner = Runner::new(Arc::new(Plan::new(&graph, request)), team);
        runner.set_rows(rows);
        Trial { inputs, y, runner }
    }

    fn set(&mut self, input: usize, values: &[T]) {
        self.runner.input_mut(self.inputs[input]).copy_from_slice(values);
    }

    fn forward(&mut self, time: usize) -> Vec<T> {
        self.runner.forward(&[], &StepInfo { time, ..StepInfo::default() });
        self.runner.value(self.y).unwrap().to_vec()
    }

    fn backward(&mut self, up: &[T], time: usize) -> Vec<Vec<T>> {
        self.runner.seed_mut().copy_from_slice(up);
        self.runner.backward_from_seed(&[], &mut [], &StepInfo { time, ..StepInfo::default() });
        (0..3).map(|input| self.runner.gradient(self.inputs[input]).unwrap().to_vec()).collect()
    }
}

fn draw<T: Real>(stream: u32, count: usize) -> Vec<T> {
    let draws = Draws::new(5, Stream::Synthetic, stream, 0);
    (0..count as u64).map(|place| T::from_f64(4.0 * draws.uniform(place) - 2.0)).collect()
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn decoding_has_the_bytes_of_the_whole<T: Real>(op: Attention, d: usize, chunk: usize) {
    let (rows, steps) = (2, 150);
    let widths = [op.heads * d, op.kv_heads * d, op.kv_heads * d];
    let whole_inputs: Vec<Vec<T>> = (0..3).map(|i| draw(i as u32, rows * steps * widths[i])).collect();
    let lengths = [131, 40];
    let mut whole = Trial::<T>::new(op, rows, steps, steps, d, false, Team::single());
    for (i, values) in whole_inputs.iter().enumerate() {
        whole.set(i, values);
    }
    if op.mask == Mask::Lengths {
        whole.runner.labels_mut(whole.inputs[3]).copy_from_slice(&lengths);
    }
    let expected = whole.forward(0);

    let cached = Attention { cache: steps, ..op };
    let mut decoder = Trial::<T>::new(cached, rows, chunk, chunk, d, false, Team::single());
    for t in (0..steps).step_by(chunk) {
        for (i, values) in whole_inputs.iter().enumerate() {
            let piece: Vec<T> = (0..rows)
                .flat_map(|row| values[(row * steps + t) * widths[i]..][..chunk * widths[i]].to_vec())
                .collect();
            decoder.set(i, &piece);
        }
        if op.mask == Mask::Lengths {
            decoder.runner.labels_mut(decoder.inputs[3]).copy_from_slice(&lengths);
        }
        let value = decoder.forward(t);
        for row in 0..rows {
            let size = chunk * widths[0];
            let own = &value[row * size..][..size];
            let of_whole = &expected[(row * steps + t) * widths[0]..][..size];
            assert_eq!(bits(own), bits(of_whole), "{op:?}, {}, row {row}, step {t}", T::NAME);
        }
    }
    // Past the cache there is no answer, and it says so.
    assert!(decoder.forward(steps).iter().all(|o| o.is_nan()));
}

#[test]
fn decoding_one_token_at_a_time_has_the_bytes_of_the_whole_sequence() {
    let grouped = Attention { heads: 4, kv_heads: 2, causal: true, mask: Mask::None, cache: 0 };
    decoding_has_the_bytes_of_the_whole::<f32>(grouped, 5, 1);
    decoding_has_the_bytes_of_the_whole::<f64>(grouped, 8, 1);
    decoding_has_the_bytes_of_the_whole::<f32>(Attention::new(2, true), 32, 1);
    // A prompt in pieces, and rows of different lengths.
    decoding_has_the_bytes_of_the_whole::<f32>(grouped, 3, 50);
    let lengths = Attention { mask: Mask::Lengths, ..grouped };
    decoding_has_the_bytes_of_the_whole::<f32>(lengths, 3, 1);
}

#[test]
fn a_sequence_that_starts_anew_sees_nothing_of_the_one_before() {
    let op = Attention { cache: 10, ..Attention::new(2, true) };
    let mut trial = Trial::<f32>::new(op, 1, 4, 4, 3, false, Team::single());
    for input in 0..3 {
        trial.set(input, &draw(input as u32, 24));
    }
    let first = trial.forward(0);
    trial.forward(4);
    assert_eq!(bits(&trial.forward(0)), bits(&first));
}

#[test]
fn a_changed_token_changes_no_output_before_it() {
    let (rows, steps, heads, d) = (2, 140, 3, 4);
    let width = heads * d;
    let mut trial = Trial::<f32>::new(Attention::new(heads, true), rows, steps, steps, d, false, Team::single());
    let values: Vec<Vec<f32>> = (0..3).map(|i| draw(i, rows * steps * width)).collect();
    for (i, values) in values.iter().enumerate() {
        trial.set(i, values);
    }
    let before = trial.forward(0);
    for t in [0, 1, 63, 64, 65, 100, 127, 128, 139] {
        for (i, values) in values.iter().enumerate() {
            let mut changed = values.clone();
            for row in 0..rows {
                changed[(row * steps + t) * width..][..width].iter_mut().for_each(|x| *x = 5.0 - *x);
            }
            trial.set(i, &changed);
        }
        let after = trial.forward(0);
        for row in 0..rows {
            let of = |values: &[f32], steps_of: std::ops::Range<usize>| {
                bits(&values[(row * steps + steps_of.start) * width..(row * steps + steps_of.end) * width])
            };
            assert_eq!(of(&before, 0..t), of(&after, 0..t), "before step {t}");
            assert_ne!(of(&before, t..t + 1), of(&after, t..t + 1), "step {t} itself");
            assert_ne!(of(&before, steps - 1..steps), of(&after, steps - 1..steps), "the last step sees step {t}");
        }
    }
}

#[test]
fn padding_on_the_right_changes_no_byte_of_what_is_there() {
    // 70 keys alone, and 70 of 150 by their length.
    let (queries, d) = (9, 6);
    let op = Attention { heads: 2, kv_heads: 1, causal: false, mask: Mask::Lengths, cache: 0 };
    let run = |keys: usize| {
        let mut trial = Trial::<f32>::new(op, 1, queries, keys, d, true, Team::single());
        trial.set(0, &draw(0, queries * 2 * d));
        trial.set(1, &draw(1, keys * d));
        trial.set(2, &draw(2, keys * d));
        trial.runner.labels_mut(trial.inputs[3]).fill(70);
        let value = trial.forward(0);
        (value, trial.backward(&draw(3, queries * 2 * d), 0))
    };
    let ((short, short_gradients), (long, long_gradients)) = (run(70), run(150));
    assert_eq!(bits(&short), bits(&long));
    assert_eq!(bits(&short_gradients[0]), bits(&long_gradients[0]), "dq");
    for input in [1, 2] {
        let (own, padding) = long_gradients[input].split_at(70 * d);
        assert_eq!(bits(own), bits(&short_gradients[input]), "input {input}");
        assert!(padding.iter().all(|g| *g == 0.0), "padding has no gradient");
    }
}

#[test]
fn a_permuted_batch_and_more_threads_give_the_same_bytes() {
    let (rows, steps, d) = (3, 130, 16);
    let op = Attention { heads: 4, kv_heads: 2, causal: true, mask: Mask::Lengths, cache: 0 };
    let widths = [4 * d, 2 * d, 2 * d];
    let values: Vec<Vec<f32>> = (0..3).map(|i| draw(i as u32, rows * steps * widths[i])).collect();
    let up = draw::<f32>(7, rows * steps * widths[0]);
    let lengths = [130, 0, 77];
    let pick = |values: &[f32], order: [usize; 3]| -> Vec<f32> {
        let size = values.len() / rows;
        order.iter().flat_map(|&row| values[row * size..][..size].to_vec()).collect()
    };
    let run = |order: [usize; 3], threads: usize| {
        let mut trial = Trial::<f32>::new(op, rows, steps, steps, d, true, Team::new(threads));
        for (i, values) in values.iter().enumerate() {
            trial.set(i, &pick(values, order));
        }
        trial.runner.labels_mut(trial.inputs[3]).copy_from_slice(&order.map(|row| lengths[row]));
        let value = trial.forward(0);
        (value, trial.backward(&pick(&up, order), 0))
    };
    let (value, gradients) = run([0, 1, 2], 1);
    // Four threads for three rows: the way by tiles instead of by rows.
    for (order, threads) in [([0, 1, 2], 2), ([0, 1, 2], 4), ([2, 0, 1], 1), ([2, 0, 1], 4)] {
        let (other, others) = run(order, threads);
        assert_eq!(bits(&pick(&value, order)), bits(&other), "{order:?}, {threads} threads");
        for (input, (gradient, other)) in gradients.iter().zip(&others).enumerate() {
            assert_eq!(bits(&pick(gradient, order)), bits(other), "{order:?}, {threads} threads, input {input}");
        }
    }
    // The row of length 0 sees nothing: 0, and no gradient.
    let size = steps * widths[0];
    assert!(value[size..2 * size].iter().all(|o| *o == 0.0));
    assert!(gradients[0][size..2 * size].iter().all(|g| *g == 0.0));
}

#[test]
fn one_key_is_its_value_whatever_the_score() {
    let mut trial = Trial::<f32>::new(Attention::new(1, false), 1, 2, 1, 3, true, Team::single());
    trial.set(0, &[1e18, -1e18, 3.0, 0.0, 0.0, 0.0]);
    trial.set(1, &[1e18, 1.0, 2.0]);
    trial.set(2, &[0.1, -0.2, 1e30]);
    assert_eq!(trial.forward(0), [0.1, -0.2, 1e30, 0.1, -0.2, 1e30]);
}

#[test]
fn backward_past_the_start_of_a_cached_sequence_is_refused_by_nan() {
    let op = Attention { cache: 8, ..Attention::new(1, true) };
    let mut trial = Trial::<f64>::new(op, 1, 2, 2, 2, true, Team::single());
    for input in 0..3 {
        trial.set(input, &draw(input as u32, 4));
    }
    trial.forward(2);
    assert!(trial.backward(&[1.0; 4], 2).iter().flatten().all(|g| g.is_nan()));
}

#[test]
fn memory_grows_with_the_length_and_8192_steps_train() {
    let of = |steps: usize| Trial::<f32>::new(Attention::new(2, true), 1, steps, steps, 16, true, Team::single());
    let memory = |trial: &Trial<f32>| trial.runner.plan().memory::<f32>();
    let (half, mut whole) = (of(4096), of(8192));
    assert_eq!(memory(&whole).arena, 2 * memory(&half).arena);
    assert_eq!(memory(&whole).scratch, memory(&half).scratch);
    // 8 values and gradients of 8,192 x 32, and two numbers a query and head.
    assert_eq!(memory(&whole).arena, 4 * 8192 * (8 * 32 + 4));
    for input in 0..3 {
        whole.set(input, &draw(input as u32, 8192 * 32));
    }
    let value = whole.forward(0);
    // The first query sees one key only: the first value.
    assert_eq!(value[..32], draw::<f32>(2, 32)[..]);
    let gradients = whole.backward(&vec![1.0; 8192 * 32], 0);
    // Weights sum to 1, so that values get a gradient of T together.
    let total: f64 = gradients[2].iter().step_by(32).map(|&g| f64::from(g)).sum();
    assert!((total - 8192.0).abs() < 0.05, "{total}");
    // With the same gradient for all values of a head's numbers the scores still matter.
    assert!(gradients[0].iter().all(|g| g.is_finite()) && gradients[0].iter().any(|g| *g != 0.0));
}
