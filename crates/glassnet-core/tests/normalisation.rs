//! What the tests by registration do not see of the norms: statistics, predict mode, threads on large batches, and of the
//! cross-entropy: positions that do not count.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

mod trial;

use std::sync::Arc;

use allocation_counter::measure;
use glassnet_core::ops::{
    Sample, batch_norm::BatchNorm, cross_entropy::CrossEntropy, cross_entropy::IGNORED, group_norm::GroupNorm,
    layer_norm::LayerNorm, rms_norm::RmsNorm, transpose::Transpose,
};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};
use trial::{Operands, Trial, upstream};

const BATCH: BatchNorm = BatchNorm { eps: 1e-5, momentum: 0.25 };

/// Value, gradient of the input, gradients of the parameters.
type Passed<T> = (Vec<T>, Vec<T>, Vec<T>);

/// A layer on the rows `x`, with gradients added to `gradients`.
fn pass<T: Real>(op: &Op, shape: &Shape, x: &[T], parameters: &[T], gradients: &[T], training: bool) -> Passed<T> {
    let mut graph = Graph::new();
    let input = graph.input("x", shape.clone());
    let node = graph.push("norm", op.clone(), &[input]).unwrap();
    let rows = x.len() / shape.len();
    let request = Request {
        purpose: Purpose::Attribute,
        rows,
        backward_from: Some(node),
        outputs: vec![node],
        training,
        checkpoint: false,
    };
    let mut runner = Runner::<T>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    runner.set_rows(rows);
    runner.input_mut(input).copy_from_slice(x);
    runner.forward(parameters, &StepInfo::default());
    let value = runner.value(node).unwrap().to_vec();
    for (seed, up) in runner.seed_mut().iter_mut().zip(upstream(value.len())) {
        *seed = T::from_f64(up);
    }
    let mut gradients = gradients.to_vec();
    runner.backward_from_seed(parameters, &mut gradients, &StepInfo::default());
    (value, runner.gradient(input).unwrap().to_vec(), gradients)
}

fn rows(count: usize) -> Vec<f64> {
    (0..count).map(|i| ((i * 29 + 7) % 31) as f64 / 8.0 - 1.5).collect()
}

/// weight, bias, running mean and running variance of 3 channels.
const START: [f64; 12] = [1.0, -0.5, 2.0, 0.1, 0.2, 0.3, 0.5, -0.5, 0.0, 1.0, 2.0, 0.25];

#[test]
fn running_statistics_move_a_share_of_the_way_to_the_batch() {
    let shape = Shape::from([3, 4]);
    let x = rows(5 * 12);
    let (_, _, change) = pass(&Op::BatchNorm(BATCH), &shape, &x, &START, &[0.0; 12], true);
    for channel in 0..3 {
        let mine: Vec<f64> = x.iter().enumerate().filter(|(i, _)| i % 12 / 4 == channel).map(|(_, x)| *x).collect();
        let mean = mine.iter().sum::<f64>() / 20.0;
        let unbiased = mine.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 19.0;
        assert!((change[6 + channel] - 0.25 * (mean - START[6 + channel])).abs() < 1e-15);
        assert!((change[9 + channel] - 0.25 * (unbiased - START[9 + channel])).abs() < 1e-14);
    }
}

#[test]
fn many_micro_batches_move_as_batches_one_after_the_other_and_never_past_them() {
    let shape = Shape::row(3);
    let mut changes = vec![0.0; 12];
    let mut moved = START;
    for micro in 0..30 {
        let x: Vec<f64> = rows(12 * 40)[micro * 12..][..12].to_vec();
        changes = pass(&Op::BatchNorm(BATCH), &shape, &x, &START, &changes, true).2;
        let step = pass(&Op::BatchNorm(BATCH), &shape, &x, &moved, &[0.0; 12], true).2;
        for place in 6..12 {
            moved[place] += step[place];
        }
    }
    for place in 6..12 {
        let accumulated = START[place] + changes[place];
        assert!((accumulated - moved[place]).abs() < 1e-12, "{accumulated} against {}", moved[place]);
    }
    assert!(moved[9..].iter().all(|&variance| variance > 0.0));
}

#[test]
fn to_predict_the_running_statistics_serve_and_a_row_alone_has_the_same_bytes() {
    for shape in [Shape::row(3), Shape::from([3, 5]), Shape::from([3, 2, 3])] {
        let width = shape.len();
        let x: Vec<f32> = rows(7 * width).iter().map(|&x| x as f32).collect();
        let parameters = START.map(|value| value as f32);
        let op = Op::BatchNorm(BATCH);
        let (value, gradient, slots) = pass(&op, &shape, &x, &parameters, &[0.0; 12], false);
        assert_eq!(slots[6..], [0.0; 6], "nothing moves");
        for (i, &y) in value.iter().enumerate() {
            let c = i % width / (width / 3);
            let h = (f64::from(x[i]) - START[6 + c]) / (START[9 + c] + BATCH.eps).sqrt();
            assert!((f64::from(y) - (h * START[c] + START[3 + c])).abs() < 2e-6);
        }
        for row in 0..7 {
            let own = pass(&op, &shape, &x[row * width..][..width], &parameters, &[0.0; 12], false);
            assert_eq!(own.0, value[row * width..][..width], "{shape}, row {row}");
        }
        // The gradient of a constant scale: the other rows have no part in it.
        let up = upstream(value.len());
        for (i, &dx) in gradient.iter().enumerate() {
            let c = i % width / (width / 3);
            assert!((f64::from(dx) - up[i] * START[c] / (START[9 + c] + BATCH.eps).sqrt()).abs() < 1e-5);
        }
    }
}

#[test]
fn one_number_a_channel_gives_the_bias_and_nothing_flows() {
    let (value, gradient, slots) =
        pass(&Op::BatchNorm(BATCH), &Shape::row(3), &[4.0, 5.0, 6.0], &START, &[0.0; 12], true);
    assert_eq!(value, START[3..6]);
    assert_eq!(gradient, [0.0; 3]);
    assert_eq!(slots[..3], [0.0; 3]);
    assert_eq!(slots[6..9], [0.25 * (4.0 - 0.5), 0.25 * (5.0 + 0.5), 0.25 * 6.0]);
    assert_eq!(slots[9..], [-0.25, -0.5, -0.0625]);
}

#[test]
fn one_group_of_a_plain_row_is_layer_norm() {
    let shape = Shape::row(37);
    let x: Vec<f32> = rows(4 * 37).iter().map(|&x| x as f32).collect();
    let parameters: Vec<f32> = rows(74).iter().map(|&x| x as f32).collect();
    let layer = Op::LayerNorm(LayerNorm { eps: 1e-5, bias: true });
    let group = Op::GroupNorm(GroupNorm { groups: 1, eps: 1e-5 });
    let (one, other) = [layer, group].map(|op| pass(&op, &shape, &x, &parameters, &[0.0; 74], true)).into();
    assert_eq!(one, other);
}

#[test]
fn threads_leave_the_bytes_of_large_batches_alone() {
    let sample = |op: Op, rows, shape: &[usize]| Sample::new(op, rows, [Shape(shape.to_vec())]);
    let samples = [
        sample(Op::LayerNorm(LayerNorm { eps: 1e-5, bias: true }), 53, &[41, 67]),
        sample(Op::RmsNorm(RmsNorm { eps: 1e-5 }), 2077, &[67]),
        sample(Op::GroupNorm(GroupNorm { groups: 3, eps: 1e-5 }), 31, &[33, 7, 19]),
        sample(Op::GroupNorm(GroupNorm { groups: 3, eps: 1e-5 }), 1031, &[66]),
        sample(Op::BatchNorm(BATCH), 31, &[37, 7, 19]),
        sample(Op::BatchNorm(BATCH), 2077, &[67]),
        sample(Op::Transpose(Transpose { axes: [0, 1] }), 53, &[41, 67]),
        Sample::new(
            Op::CrossEntropy(CrossEntropy { smoothing: 0.1, ..CrossEntropy::default() }),
            53,
            [Shape::from([41, 65]), Shape::row(41)],
        )
        .classes(65),
    ];
    for sample in samples {
        let operands = Trial::<f64>::new(&sample.op, &sample.inputs, sample.rows, Team::single()).draw(&sample);
        let run = |team| {
            let mut trial = Trial::<f32>::new(&sample.op, &sample.inputs, sample.rows, team);
            let value = trial.forward(sample.rows, &operands);
            let gradients = trial.backward(&upstream(value.len()));
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let inputs: Vec<_> = gradients.inputs.iter().flatten().map(|gradient| bits(gradient)).collect();
            (bits(&value), inputs, bits(&gradients.parameters))
        };
        let one = run(Team::single());
        for threads in [2, 3] {
            assert!(one == run(Team::new(threads)), "{:?}, {threads} threads", sample.op);
        }
    }
}

#[test]
fn a_step_allocates_nothing() {
    let mut graph = Graph::new();
    let x = graph.input("x", [6, 4, 3]);
    let mut last = x;
    for (number, op) in [
        Op::BatchNorm(BATCH),
        Op::GroupNorm(GroupNorm { groups: 2, eps: 1e-5 }),
        Op::LayerNorm(LayerNorm { eps: 1e-5, bias: true }),
        Op::Transpose(Transpose { axes: [0, 2] }),
        Op::RmsNorm(RmsNorm { eps: 1e-5 }),
    ]
    .into_iter()
    .enumerate()
    {
        last = graph.push(&number.to_string(), op, &[last]).unwrap();
    }
    let request = Request {
        purpose: Purpose::Train,
        rows: 9,
        backward_from: Some(last),
        outputs: vec![last],
        training: true,
        checkpoint: false,
    };
    let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    runner.set_rows(9);
    for (i, x) in runner.input_mut(x).iter_mut().enumerate() {
        *x = (i * 7 % 11) as f32;
    }
    let parameters = vec![1.0; graph.slots().len()];
    let mut gradients = vec![0.0; parameters.len()];
    let used = measure(|| {
        runner.forward(&parameters, &StepInfo::default());
        runner.backward(&parameters, &mut gradients, &StepInfo::default());
    });
    assert_eq!(used.count_total, 0);
    assert!(gradients.iter().all(|g| g.is_finite()) && gradients.iter().any(|&g| g != 0.0));
}

fn sequence_loss(op: &CrossEntropy, logits: &[f64], labels: &[i32], shape: [usize; 2]) -> (Vec<f64>, Vec<f64>) {
    let [positions, classes] = shape;
    let rows = labels.len() / positions;
    let mut trial = Trial::<f64>::new(
        &Op::CrossEntropy(op.clone()),
        &[Shape::from([positions, classes]), Shape::row(positions)],
        rows,
        Team::single(),
    );
    let operands =
        Operands { inputs: vec![logits.to_vec(), Vec::new()], labels: labels.to_vec(), parameters: Vec::new() };
    let value = trial.forward(rows, &operands);
    let gradient = trial.backward(&[2.0, -1.0, 0.5][..rows]).inputs.remove(0).unwrap();
    (value, gradient)
}

#[test]
fn positions_that_are_ignored_do_not_count() {
    let op = CrossEntropy { smoothing: 0.1, class_weights: vec![0.5, 1.0, 2.0, 1.5] };
    let logits = rows(3 * 5 * 4);
    let labels = [0, IGNORED, 3, IGNORED, 1, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, 2, 2, 1, 0, 3];
    let (losses, gradient) = sequence_loss(&op, &logits, &labels, [5, 4]);
    // The first row is that of its three positions alone.
    let kept: Vec<f64> = [0, 2, 4].into_iter().flat_map(|at: usize| logits[at * 4..][..4].to_vec()).collect();
    let (short, short_gradient) = sequence_loss(&op, &kept, &[0, 3, 1], [3, 4]);
    assert_eq!(losses[0], short[0]);
    for (place, at) in [0, 2, 4].into_iter().enumerate() {
        assert_eq!(gradient[at * 4..][..4], short_gradient[place * 4..][..4]);
    }
    for at in [1, 3, 5, 6, 7, 8, 9] {
        assert_eq!(gradient[at * 4..][..4], [0.0; 4], "position {at}");
    }
    assert_eq!(losses[1], 0.0, "a row in which nothing counts");
    assert!(losses[2] > 0.0);
}

#[test]
fn a_label_outside_the_classes_spoils_its_row_and_position_only() {
    for label in [-1, 4, i32::MAX] {
        let (losses, gradient) =
            sequence_loss(&CrossEntropy::default(), &rows(3 * 2 * 4), &[0, 1, label, 3, 2, 0], [2, 4]);
        assert!(losses[0].is_finite() && losses[1].is_nan() && losses[2].is_finite());
        let spoilt: Vec<bool> = gradient.chunks(4).map(|position| position.iter().all(|g| g.is_nan())).collect();
        assert_eq!(spoilt, [false, false, true, false, false, false]);
    }
}

#[test]
fn a_sequence_of_one_has_the_bytes_of_a_row() {
    let op = Op::CrossEntropy(CrossEntropy { smoothing: 0.2, class_weights: vec![0.5, 1.0, 2.0] });
    let run = |shapes: [Shape; 2]| {
        let mut trial = Trial::<f32>::new(&op, &shapes, 4, Team::single());
        let operands =
            Operands { inputs: vec![rows(12), Vec::new()], labels: vec![2, 0, 1, 1], parameters: Vec::new() };
        let value = trial.forward(4, &operands);
        (value, trial.backward(&upstream(4)))
    };
    assert_eq!(run([Shape::row(3), Shape::default()]), run([Shape::from([1, 3]), Shape::row(1)]));
}

#[test]
fn shapes_and_settings_that_do_not_fit_are_named() {
    use glassnet_core::ops::{concat::Concat, flatten::Flatten, reshape::Reshape, slice::Slice};
    let cases: [(Op, &[&[usize]], &str); 16] = [
        (Op::LayerNorm(LayerNorm { eps: 0.0, bias: true }), &[&[3]], "eps"),
        (Op::RmsNorm(RmsNorm { eps: f64::NAN }), &[&[3]], "eps"),
        (Op::LayerNorm(LayerNorm { eps: 1e-5, bias: true }), &[&[]], "input is [B]"),
        (
            Op::GroupNorm(GroupNorm { groups: 4, eps: 1e-5 }),
            &[&[6, 5]],
            "6 channels of its input [B, 6, 5] into 4 equal groups; use 1, 2, 3, 6",
        ),
        (Op::GroupNorm(GroupNorm { groups: 0, eps: 1e-5 }), &[&[6]], "into 0 equal groups"),
        (Op::BatchNorm(BatchNorm { eps: 1e-5, momentum: 1.5 }), &[&[3]], "momentum is 1.5"),
        (Op::BatchNorm(BATCH), &[&[]], "[B, C] or [B, C, H, W]"),
        (Op::Reshape(Reshape { shape: vec![4, 2] }), &[&[9]], "its input [B, 9] has 9 a row and [B, 4, 2] has 8"),
        (Op::Reshape(Reshape { shape: vec![usize::MAX, 2] }), &[&[9]], "more than any row holds"),
        (Op::Flatten(Flatten), &[&[3, 0]], "at least one number"),
        (Op::Transpose(Transpose { axes: [0, 2] }), &[&[3, 4]], "axes 0 and 2, but its input [B, 3, 4] has 2"),
        (Op::Concat(Concat { axis: 1, parts: 2 }), &[&[3], &[3]], "axis 1, but its first input [B, 3] has 1"),
        (
            Op::Concat(Concat { axis: 0, parts: 2 }),
            &[&[3, 2], &[3, 4]],
            "input 0 is [B, 3, 2] and input 1 is [B, 3, 4]",
        ),
        (Op::Concat(Concat { axis: 0, parts: 5 }), &[&[3], &[3], &[3], &[3], &[3]], "2 to 4 inputs, but is given 5"),
        (Op::Slice(Slice { axis: 1, start: 2, end: 6 }), &[&[3, 5]], "2..6 of axis 1, but its input [B, 3, 5] has 5"),
        (Op::Slice(Slice { axis: 2, start: 0, end: 1 }), &[&[3, 5]], "axis 2, but its input [B, 3, 5] has 2"),
    ];
    for (op, shapes, says) in cases {
        let shapes: Vec<Shape> = shapes.iter().map(|axes| Shape(axes.to_vec())).collect();
        let message = op.shape(&shapes.iter().collect::<Vec<_>>()).unwrap_err();
        assert!(message.contains(says), "{op:?}: {message}");
    }
}

#[test]
fn values_of_another_size_do_not_reach_beyond_their_row() {
    // Changing a row changes no other row of what does not mix them.
    let shape = Shape::from([4, 3]);
    for op in [
        Op::LayerNorm(LayerNorm { eps: 1e-5, bias: false }),
        Op::RmsNorm(RmsNorm { eps: 1e-5 }),
        Op::GroupNorm(GroupNorm { groups: 2, eps: 1e-5 }),
    ] {
        assert!(!op.mixes_rows());
        let mut graph = Graph::new();
        let input: NodeId = graph.input("x", shape.clone());
        graph.push("norm", op.clone(), &[input]).unwrap();
        let parameters = rows(graph.slots().len());
        let zeros = vec![0.0; parameters.len()];
        let x = rows(3 * 12);
        let mut moved = x.clone();
        moved[13] = 1e6;
        let (before, after) = (
            pass(&op, &shape, &x, &parameters, &zeros, true).0,
            pass(&op, &shape, &moved, &parameters, &zeros, true).0,
        );
        assert_eq!(before[..12], after[..12]);
        assert_eq!(before[24..], after[24..]);
        assert_ne!(before[12..24], after[12..24]);
    }
    assert!(Op::BatchNorm(BATCH).mixes_rows());
}
