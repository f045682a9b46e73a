//! Losses against PyTorch's numbers: each row's, their weighted mean, both gradients, and the mean over micro-batches.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

mod oracle;

use std::sync::Arc;

use glassnet_core::ops::{
    binary_cross_entropy::BinaryCrossEntropy, cross_entropy::CrossEntropy, huber::Huber, mean::Mean,
    mean_absolute::MeanAbsolute, mean_squared::MeanSquared, soft_cross_entropy::SoftCrossEntropy,
};
use glassnet_core::{Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};
use oracle::{Case, assert_close, load};

fn tolerance<T: Real>() -> f64 {
    if T::NAME == "f32" { 1e-6 } else { 1e-12 }
}

fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.to_f64()).collect()
}

fn fill<T: Real>(target: &mut [T], values: &[f64]) {
    assert_eq!(target.len(), values.len());
    for (target, &value) in target.iter_mut().zip(values) {
        *target = T::from_f64(value);
    }
}

/// A loss and its mean as a graph, on some of a case's rows.
struct Part {
    op: Op,
    rows: usize,
    width: usize,
    x: Vec<f64>,
    target: Vec<f64>,
    labels: Vec<i32>,
    weights: Vec<f64>,
}

struct Results {
    rows: Vec<f64>,
    mean: f64,
    x_of_mean: Vec<f64>,
    x_of_rows: Vec<f64>,
}

impl Part {
    fn run<T: Real>(&self, upstream: &[f64], denominator: f64) -> Results {
        let mut graph = Graph::new();
        let x = graph.input("x", [self.width]);
        let target = if self.labels.is_empty() { graph.input("target", [self.width]) } else { graph.labels("labels") };
        let weights = graph.input("row weight", []);
        let rows = graph.push("loss", self.op.clone(), &[x, target]).unwrap();
        let mean = graph.push("mean", Op::Mean(Mean), &[rows, weights]).unwrap();
        let info = StepInfo { denominator, ..StepInfo::default() };
        let ready = |from: NodeId| {
            let outputs = vec![rows, mean];
            let request = Request {
                purpose: Purpose::Attribute,
                rows: self.rows,
                backward_from: Some(from),
                outputs,
                training: true,
                checkpoint: false,
            };
            let mut runner = Runner::<T>::new(Arc::new(Plan::new(&graph, request)), Team::single());
            runner.set_rows(self.rows);
            fill(runner.input_mut(x), &self.x);
            fill(runner.input_mut(target), if self.labels.is_empty() { &self.target } else { &[] });
            runner.labels_mut(target).copy_from_slice(&self.labels);
            fill(runner.input_mut(weights), &self.weights);
            runner.forward(&[], &info);
            runner
        };
        let mut of_mean = ready(mean);
        of_mean.backward(&[], &mut [], &info);
        let mut of_rows = ready(rows);
        fill(of_rows.seed_mut(), upstream);
        of_rows.backward_from_seed(&[], &mut [], &info);
        Results {
            rows: wide(of_mean.value(rows).unwrap()),
            mean: of_mean.value(mean).unwrap()[0].to_f64(),
            x_of_mean: wide(of_mean.gradient(x).unwrap()),
            x_of_rows: wide(of_rows.gradient(x).unwrap()),
        }
    }

    /// The rows from `first` up to `end`.
    fn cut(&self, first: usize, end: usize) -> Part {
        let piece = |values: &[f64], width: usize| values.get(first * width..end * width).unwrap_or(&[]).to_vec();
        Part {
            op: self.op.clone(),
            rows: end - first,
            width: self.width,
            x: piece(&self.x, self.width),
            target: piece(&self.target, self.width),
            labels: self.labels.get(first..end).unwrap_or(&[]).to_vec(),
            weights: piece(&self.weights, 1),
        }
    }

    /// What the mean divides by: row weights, times the label's class weight where there are labels.
    fn denominator(&self) -> f64 {
        let class = |row: usize| match &self.op {
            Op::CrossEntropy(op) => op.weight(self.labels[row] as usize),
            _ => 1.0,
        };
        self.weights.iter().enumerate().map(|(row, weight)| weight * class(row)).sum()
    }
}

fn optional(case: &Case, name: &str) -> Option<Vec<f64>> {
    case.inputs.contains_key(name).then(|| case.input(name).to_vec())
}

fn part(case: &Case) -> Part {
    let class_weights = optional(case, "class_weight").unwrap_or_default();
    let op = match case.op.as_str() {
        "mse" => Op::MeanSquared(MeanSquared),
        "l1" => Op::MeanAbsolute(MeanAbsolute),
        "huber" => Op::Huber(Huber { delta: case.number("delta") }),
        "bce_with_logits" => Op::BinaryCrossEntropy(BinaryCrossEntropy::default()),
        "cross_entropy" if case.labels.is_empty() => {
            Op::SoftCrossEntropy(SoftCrossEntropy { smoothing: case.number("label_smoothing"), class_weights })
        }
        "cross_entropy" => Op::CrossEntropy(CrossEntropy { smoothing: case.number("label_smoothing"), class_weights }),
        other => panic!("no loss for {other}"),
    };
    let (rows, width) = (case.shape("x")[0], case.shape("x")[1]);
    Part {
        op,
        rows,
        width,
        x: case.input("x").to_vec(),
        target: optional(case, "target").unwrap_or_default(),
        labels: case.labels.iter().map(|&label| label as i32).collect(),
        weights: optional(case, "row_weight").unwrap_or_else(|| vec![1.0; rows]),
    }
}

/// Ours has one weight of the positive class. PyTorch's has one an output: each output is then a loss of its own, and the
/// row's loss their mean.
fn by_columns<T: Real>(whole: &Part, positive_weights: &[f64], upstream: &[f64], denominator: f64) -> Results {
    let outputs = whole.width;
    let column = |values: &[f64], k: usize| values.iter().skip(k).step_by(outputs).copied().collect::<Vec<f64>>();
    let mut total =
        Results { rows: vec![0.0; whole.rows], mean: 0.0, x_of_mean: whole.x.clone(), x_of_rows: whole.x.clone() };
    for (k, &positive_weight) in positive_weights.iter().enumerate() {
        let op = Op::BinaryCrossEntropy(BinaryCrossEntropy { positive_weight });
        let (x, target) = (column(&whole.x, k), column(&whole.target, k));
        let part =
            Part { op, rows: whole.rows, width: 1, x, target, labels: Vec::new(), weights: whole.weights.clone() };
        let own = part.run::<T>(upstream, denominator);
        let share = 1.0 / outputs as f64;
        total.mean += own.mean * share;
        for row in 0..whole.rows {
            total.rows[row] += own.rows[row] * share;
            total.x_of_mean[row * outputs + k] = own.x_of_mean[row] * share;
            total.x_of_rows[row * outputs + k] = own.x_of_rows[row] * share;
        }
    }
    total
}

fn compare<T: Real>(case: &Case) {
    let whole = part(case);
    let close = |actual: &[f64], expected: &[f64], what: &str| {
        assert_close(actual, expected, tolerance::<T>(), &format!("{}: {what}", case.label()));
    };
    let denominator = whole.denominator();
    close(&[denominator], case.output("denominator"), "denominator");
    let results = match optional(case, "pos_weight") {
        Some(weights) => {
            assert_eq!(weights.len(), whole.width);
            by_columns::<T>(&whole, &weights, &case.upstream, denominator)
        }
        None => whole.run::<T>(&case.upstream, denominator),
    };
    close(&results.rows, case.output("rows"), "rows");
    close(&[results.mean], case.output("mean"), "mean");
    close(&results.x_of_mean, case.gradient("x_of_mean"), "x_of_mean");
    close(&results.x_of_rows, case.gradient("x_of_rows"), "x_of_rows");
    assert_eq!(case.gradients.len(), 2, "{}: all gradients are compared", case.label());
}

/// Gradient accumulation: both parts divide by the whole batch's denominator, so their means add up to that of the whole.
fn compare_micro_batches<T: Real>(case: &Case) {
    let whole = part(case);
    let split = case.count("first_micro_batch");
    let (mut mean, mut gradient, mut sums, mut denominators) = (0.0, Vec::new(), Vec::new(), Vec::new());
    for (first, end) in [(0, split), (split, whole.rows)] {
        let micro = whole.cut(first, end);
        let results = micro.run::<T>(&case.upstream[first..end], whole.denominator());
        mean += results.mean;
        gradient.extend(results.x_of_mean);
        sums.push(micro.run::<T>(&case.upstream[first..end], 1.0).mean);
        denominators.push(micro.denominator());
    }
    let close = |actual: &[f64], expected: &[f64], what: &str| {
        assert_close(actual, expected, tolerance::<T>(), &format!("{}: {what} of micro-batches", case.label()));
    };
    close(&[mean], case.output("mean"), "mean");
    close(&gradient, case.gradient("x_of_mean"), "x_of_mean");
    close(&sums, case.output("micro_sums"), "sums");
    close(&denominators, case.output("micro_denominators"), "denominators");
}

#[test]
fn losses_of_rows_their_mean_and_gradients() {
    let (mut compared, mut weighted_rows, mut soft, mut smoothed, mut positive) = (0, 0, 0, 0, 0);
    for case in load("losses") {
        if case.dtype == "f32" {
            compare::<f32>(&case)
        } else {
            compare::<f64>(&case)
        }
        compared += 1;
        weighted_rows += usize::from(case.inputs.contains_key("row_weight"));
        positive += usize::from(case.inputs.contains_key("pos_weight"));
        soft += usize::from(case.op == "cross_entropy" && case.labels.is_empty());
        smoothed += usize::from(case.op == "cross_entropy" && case.number("label_smoothing") > 0.0);
    }
    let counts = [compared, weighted_rows, soft, smoothed, positive];
    assert_eq!(
        counts,
        [2 * 65, 2 * 12, 2 * 11, 2 * 10, 2 * 6],
        "cases, with row weights, soft, smoothed, positive weights"
    );
}

#[test]
fn micro_batches_add_up_to_the_whole() {
    let cases: Vec<Case> =
        load("losses").into_iter().filter(|case| case.attributes.contains_key("first_micro_batch")).collect();
    assert_eq!(cases.len(), 2 * 3);
    for case in &cases {
        if case.dtype == "f32" { compare_micro_batches::<f32>(case) } else { compare_micro_batches::<f64>(case) }
    }
}
