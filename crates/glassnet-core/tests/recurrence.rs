//! What recurrent layers promise besides values and gradients: carried windows, lengths, threads, the pass without a
//! backward, refusals.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::gru::Gru;
use glassnet_core::ops::last::Last;
use glassnet_core::ops::lstm::Lstm;
use glassnet_core::ops::mean_over_time::MeanOverTime;
use glassnet_core::ops::rnn::{Rnn, RnnCurve};
use glassnet_core::ops::{Context, Forward, Pass};
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{DType, Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};

/// What all three kinds have.
#[derive(Clone, Copy)]
struct Options {
    units: usize,
    reverse: bool,
    lengths: bool,
    initial: bool,
    carry: bool,
}

const PLAIN: Options = Options { units: 5, reverse: false, lengths: false, initial: false, carry: false };

fn kinds(options: Options) -> [Op; 4] {
    let Options { units, reverse, lengths, initial, carry } = options;
    let bias = true;
    let rnn = |activation| Op::Rnn(Rnn { units, bias, reverse, lengths, initial, carry, activation });
    [
        rnn(RnnCurve::Tanh),
        rnn(RnnCurve::Relu),
        Op::Lstm(Lstm { units, bias, reverse, lengths, initial, carry }),
        Op::Gru(Gru { units, bias, reverse, lengths, initial, carry }),
    ]
}

fn numbers<T: Real>(stream: u32, count: usize, size: f64) -> Vec<T> {
    let draws = Draws::new(7, Stream::Synthetic, stream, 0);
    (0..count as u64).map(|place| T::from_f64(size * (2.0 * draws.uniform(place) - 1.0))).collect()
}

/// One layer behind its inputs.
struct Layer<T> {
    runner: Runner<T>,
    inputs: Vec<NodeId>,
    node: NodeId,
    parameters: Vec<T>,
}

impl<T: Real> Layer<T> {
    fn new(op: &Op, rows: usize, shapes: &[Shape], backward: bool, team: Team) -> Self {
        let mut graph = Graph::new();
        let inputs: Vec<NodeId> = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| match op.input_dtype(index) {
                DType::I32 => graph.integers(&format!("input {index}"), shape.clone()),
                DType::Real => graph.input(&format!("input {index}"), shape.clone()),
            })
            .collect();
        let node = graph.push("layer", op.clone(), &inputs).unwrap();
        let purpose = if backward { Purpose::Attribute } else { Purpose::Predict };
        let backward_from = backward.then_some(node);
        let request =
            Request { purpose, rows, backward_from, outputs: vec![node], training: backward, checkpoint: false };
        let mut runner = Runner::new(Arc::new(Plan::new(&graph, request)), team);
        runner.set_rows(rows);
        let parameters = numbers(1, graph.slots().len(), 0.3);
        Layer { runner, inputs, node, parameters }
    }

    fn forward(&mut self, inputs: &[&[T]], lengths: &[i32], time: usize) -> Vec<T> {
        for (&node, &values) in self.inputs.iter().zip(inputs) {
            self.runner.input_mut(node).copy_from_slice(values);
        }
        if let Some(&last) = self.inputs.last()
            && !lengths.is_empty()
        {
            self.runner.labels_mut(last).copy_from_slice(lengths);
        }
        self.runner.forward(&self.parameters, &StepInfo { time, ..StepInfo::default() });
        self.runner.value(self.node).unwrap().to_vec()
    }

    /// Gradients of the inputs, then of the parameters.
    fn backward(&mut self) -> Vec<Vec<T>> {
        let seeds = numbers(2, self.runner.seed_mut().len(), 1.0);
        self.runner.seed_mut().copy_from_slice(&seeds);
        let mut gradients = vec![T::ZERO; self.parameters.len()];
        self.runner.backward_from_seed(&self.parameters, &mut gradients, &StepInfo::default());
        let mut all: Vec<Vec<T>> =
            self.inputs.iter().filter_map(|&input| self.runner.gradient(input).map(<[T]>::to_vec)).collect();
        all.push(gradients);
        all
    }
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

/// Positions `range` of each row of a `[rows, time, width]`.
fn window<T: Real>(x: &[T], time: usize, width: usize, range: std::ops::Range<usize>) -> Vec<T> {
    x.chunks(time * width).flat_map(|row| row[range.start * width..range.end * width].to_vec()).collect()
}

fn assert_carried<T: Real>(backward: bool) {
    let (rows, time, features) = (3, 7, 2);
    let x = numbers::<T>(3, rows * 2 * time * features, 1.0);
    for (whole, part) in kinds(PLAIN).iter().zip(&kinds(Options { carry: true, ..PLAIN })) {
        let team = Team::single();
        let expected = Layer::<T>::new(whole, rows, &[Shape::from([2 * time, features])], backward, team.clone())
            .forward(&[&x], &[], 0);
        let mut carried = Layer::<T>::new(part, rows, &[Shape::from([time, features])], backward, team);
        // Twice: time 0 begins anew, whatever the state holds.
        for _ in 0..2 {
            for number in 0..2 {
                let range = number * time..(number + 1) * time;
                let y = carried.forward(&[&window(&x, 2 * time, features, range.clone())], &[], range.start);
                assert_eq!(bits(&y), bits(&window(&expected, 2 * time, PLAIN.units, range)), "{part:?}, {number}");
            }
        }
    }
}

#[test]
fn two_carried_windows_have_the_bytes_of_one_sequence() {
    assert_carried::<f32>(true);
    assert_carried::<f32>(false);
    assert_carried::<f64>(true);
}

#[test]
fn no_gradient_flows_into_the_carried_state() {
    // The gradients of a window that starts from a state are those of a layer with that state as an input, and the state's
    // own is left out.
    let (rows, time, features) = (2, 4, 3);
    let x = numbers::<f64>(3, 2 * rows * time * features, 1.0);
    let (before, after) = x.split_at(rows * time * features);
    let carried = kinds(Options { carry: true, ..PLAIN });
    for (carry, given) in carried.iter().zip(&kinds(Options { initial: true, ..PLAIN })) {
        let sequence = Shape::from([time, features]);
        let mut layer = Layer::<f64>::new(carry, rows, std::slice::from_ref(&sequence), true, Team::single());
        layer.forward(&[before], &[], 0);
        let states = layer.runner.state_mut().to_vec();
        let y = layer.forward(&[after], &[], time);
        let gradients = layer.backward();

        let per_row = states.len() / rows;
        let state = Shape::row(PLAIN.units);
        let shapes = if per_row > PLAIN.units { vec![sequence, state.clone(), state] } else { vec![sequence, state] };
        let part = |first: usize| -> Vec<f64> {
            states.chunks(per_row).flat_map(|state| state[first..][..PLAIN.units].to_vec()).collect()
        };
        let (h, c) = (part(0), if per_row > PLAIN.units { part(PLAIN.units) } else { Vec::new() });
        assert!(h.iter().any(|&h| h != 0.0));
        let mut other = Layer::<f64>::new(given, rows, &shapes, true, Team::single());
        let inputs: Vec<&[f64]> = [after, &h, &c].into_iter().take(shapes.len()).collect();
        assert_eq!(bits(&other.forward(&inputs, &[], 0)), bits(&y), "{carry:?}");
        let others = other.backward();
        assert_eq!(gradients.len(), 2);
        assert_eq!(bits(&gradients[0]), bits(&others[0]), "{carry:?}: gradient of x");
        assert_eq!(bits(&gradients[1]), bits(&others[shapes.len()]), "{carry:?}: gradient of the parameters");
    }
}

#[test]
fn a_padded_row_is_the_short_row_and_its_padding_is_silent() {
    let (rows, time, features) = (6, 9, 2);
    // Below 1 and above 9 count as 0 and 9.
    let lengths = [4, 9, -3, 1, 12, 0];
    let x = numbers::<f64>(3, rows * time * features, 1.0);
    for reverse in [false, true] {
        let options = Options { reverse, ..PLAIN };
        for (padded, plain) in kinds(Options { lengths: true, ..options }).iter().zip(&kinds(options)) {
            let sequence = Shape::from([time, features]);
            let mut layer = Layer::<f64>::new(padded, rows, &[sequence, Shape::default()], true, Team::single());
            let y = layer.forward(&[&x], &lengths, 0);
            let gradients = layer.backward();
            for (row, &length) in lengths.iter().enumerate() {
                let live = length.clamp(0, time as i32) as usize;
                let own = &y[row * time * PLAIN.units..][..time * PLAIN.units];
                assert!(own[live * PLAIN.units..].iter().all(|&y| y == 0.0), "{padded:?}, row {row}");
                let own_gradient = &gradients[0][row * time * features..][..time * features];
                assert!(own_gradient[live * features..].iter().all(|&g| g == 0.0), "{padded:?}, row {row}");
                if live == 0 {
                    continue;
                }
                let x = &x[row * time * features..][..live * features];
                let alone = Layer::<f64>::new(plain, 1, &[Shape::from([live, features])], true, Team::single())
                    .forward(&[x], &[], 0);
                assert_eq!(bits(&alone), bits(&own[..live * PLAIN.units]), "{padded:?}, row {row}");
            }
        }
    }
}

#[test]
fn threads_leave_the_bytes_alone_where_they_are_used() {
    // Large enough for several threads, several groups of rows, several blocks of positions; no side is round.
    let (rows, time, features, units) = (37, 41, 19, 67);
    let x = numbers::<f32>(3, rows * time * features, 1.0);
    let lengths: Vec<i32> = (0..rows as i32).map(|row| 1 + row * 29 % time as i32).collect();
    for options in [
        Options { units, ..PLAIN },
        Options { units, lengths: true, ..PLAIN },
        Options { units, lengths: true, reverse: true, ..PLAIN },
    ] {
        let mut shapes = vec![Shape::from([time, features])];
        if options.lengths {
            shapes.push(Shape::default());
        }
        let lengths = if options.lengths { &lengths[..] } else { &[] };
        for op in kinds(options) {
            let run = |threads: usize| {
                let mut layer = Layer::<f32>::new(&op, rows, &shapes, true, Team::new(threads));
                let mut all = vec![layer.forward(&[&x], lengths, 0)];
                all.extend(layer.backward());
                all.iter().map(|values| bits(values)).collect::<Vec<_>>()
            };
            let one = run(1);
            for threads in [2, 3] {
                assert!(run(threads) == one, "{op:?}, {threads} threads");
            }
        }
    }
}

#[test]
fn without_room_for_the_gates_the_value_has_the_same_bytes() {
    let (rows, time, features, units) = (35, 70, 3, 6);
    let x = numbers::<f32>(3, rows * time * features, 1.0);
    let ragged: Vec<i32> = (0..rows as i32).map(|row| 1 + row * 31 % time as i32).collect();
    let short = vec![5; rows];
    let zeros = vec![0.0_f32; rows * time * units];
    for (reverse, lengths) in
        [(false, None), (true, None), (false, Some(&ragged)), (true, Some(&ragged)), (true, Some(&short))]
    {
        for op in kinds(Options { units, reverse, lengths: lengths.is_some(), ..PLAIN }) {
            let mut shapes = vec![Shape::from([time, features])];
            if lengths.is_some() {
                shapes.push(Shape::default());
            }
            let labels = lengths.map_or(&[][..], Vec::as_slice);
            let team = Team::new(2);
            let mut layer = Layer::<f32>::new(&op, rows, &shapes, true, team.clone());
            let expected = layer.forward(&[&x], labels, 0);
            assert_ne!(expected, zeros);

            let views: Vec<&Shape> = shapes.iter().collect();
            let mut scratch = vec![f32::NAN; op.scratch(&views, Pass::Predict) * team.threads()];
            let mut parameters: Vec<&[f32]> = Vec::new();
            let mut rest = &layer.parameters[..];
            for slot in op.slots(&views) {
                let (own, others) = rest.split_at(slot.shape.iter().product());
                parameters.push(own);
                rest = others;
            }
            let mut output = vec![f32::NAN; expected.len()];
            let context = Context {
                team: &team,
                training: false,
                seed: 0,
                epoch: 0,
                position: 0,
                denominator: 1.0,
                node: 0,
                time: 0,
                dropout: 1.0,
                precision: glassnet_core::Precision::F32,
            };
            op.forward(Forward {
                rows,
                shapes: &shapes,
                inputs: &[x.as_slice(), &[]][..shapes.len()],
                labels,
                parameters: &parameters,
                output: &mut output,
                saved: &mut [],
                curve: None,
                state: &mut [],
                scratch: &mut scratch,
                context: &context,
            });
            assert_eq!(bits(&output), bits(&expected), "{op:?}");
        }
    }
}

fn refusal(op: Op, shapes: &[Shape]) -> String {
    op.shape(&shapes.iter().collect::<Vec<_>>()).unwrap_err()
}

#[test]
fn refusals_name_the_shapes_and_what_to_change() {
    let [_, _, lstm, gru] = kinds(PLAIN);
    assert_eq!(
        refusal(lstm.clone(), &[Shape::row(8)]),
        "an LSTM reads a sequence of vectors, [B, T, F], but its input is [B, 8]; give it two axes, time first"
    );
    assert_eq!(
        refusal(gru, &[Shape::from([0, 8])]),
        "a GRU needs at least one time step, one input and one unit, but its input is [B, 0, 8] and it has 5 units"
    );
    let [rnn, .., both] = kinds(Options { carry: true, reverse: true, ..PLAIN });
    assert_eq!(
        refusal(both, &[Shape::from([3, 8])]),
        "a GRU can't carry its state from window to window and have the reverse direction as well; leave out one of them"
    );
    assert!(refusal(rnn, &[Shape::from([3, 8])]).starts_with("an RNN can't carry"));
    let [.., started, _] = kinds(Options { initial: true, ..PLAIN });
    assert_eq!(
        refusal(started, &[Shape::from([3, 8]), Shape::row(5), Shape::row(4)]),
        "an LSTM has 5 units, so its initial state c0 must be [B, 5], but it is [B, 4]"
    );
    let [.., padded] = kinds(Options { lengths: true, ..PLAIN });
    assert_eq!(
        refusal(padded, &[Shape::from([3, 8]), Shape::row(3)]),
        "a GRU reads one length a row, [B], but the lengths are [B, 3]"
    );
    assert_eq!(
        refusal(Op::Last(Last { lengths: false }), &[Shape::row(8)]),
        "last reads a sequence of vectors, [B, T, C], but its input is [B, 8]"
    );
    assert_eq!(
        refusal(Op::MeanOverTime(MeanOverTime { lengths: true }), &[Shape::from([3, 8]), Shape::row(1)]),
        "mean over time reads one length a row, [B], but the lengths are [B, 1]"
    );
}
