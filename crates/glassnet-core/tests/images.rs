//! Convolutions and poolings: what they refuse and how they say it; equal elements, NaN; large sizes on several threads; fused curves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod trial;

use glassnet_core::ops::global_pool::{GlobalPool, Kind};
use glassnet_core::ops::padding::Padding;
use glassnet_core::ops::relu::Relu;
use glassnet_core::ops::{
    Sample, adaptive_avg_pool::AdaptiveAvgPool, adaptive_max_pool::AdaptiveMaxPool, avg_pool::AvgPool, conv1d::Conv1d,
    conv2d::Conv2d, max_pool::MaxPool,
};
use glassnet_core::{Graph, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};
use std::sync::Arc;
use trial::{Operands, Trial, upstream};

fn refuse(op: Op, shape: &[usize], says: &[&str]) {
    let message = op.shape(&[&Shape(shape.to_vec())]).unwrap_err();
    for part in says {
        assert!(message.contains(part), "{op:?} on {shape:?}: {message}: nothing of {part}");
    }
}

#[test]
fn convolutions_refuse_what_does_not_fit() {
    let conv = |channels, kernel| Conv2d::new(channels, kernel);
    let two = |op| Op::Conv2d(op);
    refuse(two(conv(3, [3, 3])), &[784], &["needs images [B, C, H, W]", "[B, 784]", "reshape"]);
    refuse(two(conv(3, [5, 5])), &[1, 4, 9], &["kernel of 5 x 5", "[B, 1, 4, 9]", "which is 4 x 9", "smaller kernel"]);
    let spread = Conv2d { dilation: [3, 1], padding: Padding::Zeros([1, 0]), ..conv(3, [3, 3]) };
    refuse(two(spread), &[1, 4, 9], &["spread to 7 x 3", "which is 6 x 9"]);
    let grouped = Conv2d { groups: 4, ..conv(8, [1, 1]) };
    refuse(two(grouped), &[6, 5, 5], &["4 groups", "6 channels of the input [B, 6, 5, 5]", "8 channels"]);
    refuse(two(Conv2d { groups: 3, ..conv(8, [1, 1]) }), &[6, 5, 5], &["3 groups", "8 channels of the output"]);
    let strided = Conv2d { padding: Padding::Same, stride: [2, 1], ..conv(8, [3, 3]) };
    refuse(two(strided), &[1, 5, 5], &["`same`", "stride is 2 x 1"]);
    for zero in [
        conv(0, [3, 3]),
        conv(1, [0, 3]),
        Conv2d { stride: [1, 0], ..conv(1, [1, 1]) },
        Conv2d { dilation: [0, 1], ..conv(1, [1, 1]) },
        Conv2d { groups: 0, ..conv(1, [1, 1]) },
    ] {
        refuse(two(zero), &[1, 5, 5], &["must be positive"]);
    }
    refuse(two(conv(1, [1, 1])), &[1, 0, 5], &["[B, 1, 0, 5] has no element"]);
    for large in [
        conv(usize::MAX, [1, 1]),
        Conv2d { padding: Padding::Zeros([usize::MAX, 0]), ..conv(1, [1, 1]) },
        Conv2d { padding: Padding::Zeros([usize::MAX / 64, usize::MAX / 64]), ..conv(1, [1, 1]) },
        Conv2d { dilation: [usize::MAX, 1], ..conv(1, [3, 1]) },
        Conv2d { padding: Padding::Same, dilation: [usize::MAX, 1], ..conv(1, [3, 1]) },
        Conv2d { stride: [usize::MAX, 1], ..conv(1, [1, 1]) },
    ] {
        refuse(two(large), &[1, 5, 5], &["more memory than can be addressed"]);
    }
    refuse(Op::Conv1d(Conv1d::new(3, 3)), &[1, 5, 5], &["needs sequences [B, C, L]", "[B, 1, 5, 5]"]);
    refuse(Op::Conv1d(Conv1d::new(3, 7)), &[2, 5], &["a kernel of 7 does", "[B, 2, 5], which is 5"]);
}

#[test]
fn poolings_refuse_what_does_not_fit() {
    let max = MaxPool::new([2, 2]);
    refuse(Op::MaxPool(max), &[784], &["max_pool needs images", "[B, 784]", "reshape"]);
    refuse(Op::MaxPool(max), &[3, 7], &["max_pool's kernel of 2 x 2 does not fit the input [B, 3, 7]"]);
    refuse(
        Op::MaxPool(MaxPool { padding: [2, 0], ..max }),
        &[3, 7, 7],
        &["padding of 2 x 0", "half of its kernel of 2 x 2"],
    );
    refuse(Op::MaxPool(MaxPool { stride: [0, 1], ..max }), &[3, 7, 7], &["must be positive"]);
    let blind = MaxPool { padding: [1, 0], dilation: [2, 1], stride: [1, 1], ..max };
    refuse(Op::MaxPool(blind), &[1, 1, 2], &["position 1", "nothing but padding", "[B, 1, 1, 2]"]);
    refuse(Op::MaxPool(MaxPool { dilation: [usize::MAX, 1], ..MaxPool::new([3, 1]) }), &[1, 4, 4], &["does not fit"]);
    refuse(Op::MaxPool(MaxPool::new([1 << 20, 1 << 20])), &[1, 4, 4], &["more than 2^24"]);
    let wide = AvgPool { padding: [1 << 19, 1 << 19], ..AvgPool::new([1 << 20, 1 << 20]) };
    refuse(Op::AvgPool(wide), &[1, 4, 4], &["more than 2^24"]);
    refuse(Op::AvgPool(AvgPool::new([3, 3])), &[1, 2, 5], &["avg_pool's kernel of 3 x 3", "[B, 1, 2, 5]"]);
    refuse(Op::AvgPool(AvgPool::new([1, 1])), &[0, 2, 5], &["at least one element", "[B, 0, 2, 5]"]);
    refuse(Op::AdaptiveAvgPool(AdaptiveAvgPool { output: [0, 1] }), &[1, 2, 5], &["must be positive"]);
    refuse(Op::AdaptiveAvgPool(AdaptiveAvgPool { output: [2, 4] }), &[1, 9], &["ask for 1 x 4", "[B, 1, 9]"]);
    refuse(Op::AdaptiveMaxPool(AdaptiveMaxPool { output: [usize::MAX, 1] }), &[1, 2, 5], &["too large to count"]);
    refuse(Op::GlobalPool(GlobalPool { kind: Kind::Max }), &[9], &["[B, C, ...]", "[B, 9]"]);
}

fn gradient(op: Op, shape: Shape, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut trial = Trial::<f64>::new(&op, &[shape], 1, Team::single());
    let operands = Operands { inputs: vec![x.to_vec()], labels: Vec::new(), parameters: Vec::new() };
    let y = trial.forward(1, &operands);
    let up: Vec<f64> = (1..=y.len()).map(|i| i as f64).collect();
    let gradients = trial.backward(&up);
    (y, gradients.inputs[0].clone().unwrap())
}

#[test]
fn of_equal_elements_the_first_wins_and_a_nan_wins_over_all() {
    let nan = f64::NAN;
    let x = [2.0, 2.0, nan, 1.0, 2.0, 1.0, 5.0, nan];
    let infinite = [f64::NEG_INFINITY; 8];
    let shape = || Shape::from([1, 2, 4]);
    for op in [Op::MaxPool(MaxPool::new([2, 2])), Op::AdaptiveMaxPool(AdaptiveMaxPool { output: [1, 2] })] {
        let (y, dx) = gradient(op.clone(), shape(), &x);
        assert!(y[0] == 2.0 && y[1].is_nan());
        // PyTorch's rule: each NaN takes over, so the last one has the gradient.
        assert_eq!(dx, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
        let (y, dx) = gradient(op, shape(), &infinite);
        assert_eq!((y[0], y[1]), (f64::NEG_INFINITY, f64::NEG_INFINITY));
        assert_eq!(dx, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
    // A window of the general kind, with padding: the first element that is there.
    let padded = MaxPool { stride: [2, 3], padding: [1, 1], ..MaxPool::new([3, 3]) };
    let (_, dx) = gradient(Op::MaxPool(padded), shape(), &infinite);
    assert_eq!(dx, [1.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let (y, dx) =
        gradient(Op::GlobalPool(GlobalPool { kind: Kind::Max }), shape(), &[1.0, 3.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!((y[0], dx[1], dx[2]), (3.0, 1.0, 0.0));
}

/// Large enough that work is split, with sizes that no number of threads divides.
fn large() -> Vec<Sample<Op>> {
    let conv = |op| Op::Conv2d(op);
    let of = |op, rows, shape: [usize; 3]| Sample::new(op, rows, [Shape::from(shape)]);
    let same = |channels, kernel| Conv2d { padding: Padding::Same, ..Conv2d::new(channels, kernel) };
    vec![
        of(conv(same(17, [5, 5])), 7, [9, 14, 13]),
        of(conv(same(40, [3, 3])), 1, [20, 19, 17]),
        of(conv(Conv2d { stride: [2, 3], ..Conv2d::new(19, [4, 3]) }), 5, [10, 31, 29]),
        of(conv(Conv2d { groups: 2, ..same(22, [3, 3]) }), 21, [6, 17, 9]),
        of(conv(Conv2d { groups: 33, ..same(33, [3, 3]) }), 5, [33, 23, 37]),
        of(conv(same(9, [3, 3])), 3, [2, 40, 37]),
        of(Op::MaxPool(MaxPool::new([2, 2])), 5, [7, 45, 47]),
        of(Op::MaxPool(MaxPool { stride: [2, 2], ..MaxPool::new([3, 3]) }), 5, [7, 45, 47]),
        of(Op::AvgPool(AvgPool::new([2, 2])), 5, [7, 45, 47]),
        of(Op::GlobalPool(GlobalPool { kind: Kind::Average }), 9, [7, 45, 47]),
    ]
}

fn bits<T: Real>(values: &[T]) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn threads_and_batches<T: Real>() {
    for sample in large() {
        let drawn = Trial::<f64>::new(&sample.op, &sample.inputs, sample.rows, Team::single()).draw(&sample);
        let run = |rows: usize, operands: &Operands, up: Option<&[f64]>, team: Team| {
            let mut trial = Trial::<T>::new(&sample.op, &sample.inputs, rows, team);
            let y = trial.forward(rows, operands);
            let up = up.map_or_else(|| upstream(y.len()), <[f64]>::to_vec);
            let gradients = trial.backward(&up);
            (bits(&y), bits(gradients.inputs[0].as_ref().unwrap()), bits(&gradients.parameters), up)
        };
        let one = run(sample.rows, &drawn, None, Team::single());
        for threads in [2, 3, 4] {
            assert!(run(sample.rows, &drawn, None, Team::new(threads)) == one, "{:?}, {threads} threads", sample.op);
        }
        let row = sample.rows - 1;
        let piece = |values: &[f64]| values[values.len() / sample.rows * row..].to_vec();
        let alone = Operands { inputs: vec![piece(&drawn.inputs[0])], ..drawn.clone() };
        let (y, dx, _, _) = run(1, &alone, Some(&piece(&one.3)), Team::new(2));
        assert!(y == one.0[one.0.len() - y.len()..], "{:?}: the last row alone", sample.op);
        assert!(dx == one.1[one.1.len() - dx.len()..], "{:?}: gradient of the last row alone", sample.op);
    }
}

#[test]
fn neither_threads_nor_the_batch_change_a_byte() {
    threads_and_batches::<f32>();
    threads_and_batches::<f64>();
}

#[test]
fn max_pooling_that_keeps_no_places_gives_the_same_bytes() {
    let overlapping = MaxPool { stride: [1, 2], padding: [1, 0], ..MaxPool::new([3, 2]) };
    for (pool, shape) in [
        (MaxPool::new([2, 2]), [2, 5, 7]),
        (MaxPool::new([2, 2]), [1, 2, 1100]),
        (MaxPool::new([3, 3]), [2, 7, 200]),
        (overlapping, [2, 5, 200]),
    ] {
        let run = |backward: bool| {
            let mut graph = Graph::new();
            let x = graph.input("x", shape);
            let y = graph.push("0", Op::MaxPool(pool), &[x]).unwrap();
            let purpose = if backward { Purpose::Attribute } else { Purpose::Predict };
            let backward_from = backward.then_some(y);
            let request =
                Request { purpose, rows: 3, backward_from, outputs: vec![y], training: false, checkpoint: false };
            let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::new(2));
            runner.set_rows(3);
            runner.input_mut(x).iter_mut().enumerate().for_each(|(i, x)| *x = (i as f32 * 0.37).fract() - 0.5);
            runner.forward(&[], &StepInfo::default());
            runner.value(y).unwrap().to_vec()
        };
        assert_eq!(run(false), run(true), "{pool:?}");
        assert!(run(false).iter().all(|y| y.is_finite()));
    }
}

#[test]
fn a_fused_curve_gives_the_bytes_of_one_that_is_not() {
    let mut graph = Graph::new();
    let x = graph.input("x", [3, 9, 7]);
    let conv = graph.push("0", Op::Conv2d(Conv2d { groups: 3, ..Conv2d::new(15, [3, 2]) }), &[x]).unwrap();
    let y = graph.push("1", Op::Relu(Relu), &[conv]).unwrap();
    let parameters: Vec<f32> = (0..graph.slots().len()).map(|i| (i as f32 * 0.7).fract() - 0.5).collect();
    let run = |purpose, outputs: Vec<_>| {
        let request = Request { purpose, rows: 4, backward_from: None, outputs, training: false, checkpoint: false };
        let plan = Plan::new(&graph, request);
        let fused = plan.steps().iter().any(|step| step.fused.is_some());
        let mut runner = Runner::<f32>::new(Arc::new(plan), Team::new(2));
        runner.set_rows(4);
        runner.input_mut(x).iter_mut().enumerate().for_each(|(i, x)| *x = (i as f32 * 0.37).fract() - 0.5);
        runner.forward(&parameters, &StepInfo::default());
        (runner.value(y).unwrap().to_vec(), fused)
    };
    let (fused, was) = run(Purpose::Predict, vec![y]);
    let (apart, is) = run(Purpose::Predict, vec![conv, y]);
    assert_eq!((was, is), (true, false));
    assert_eq!(fused, apart);
    assert!(fused.contains(&0.0) && fused.iter().any(|&y| y > 0.0));
}
