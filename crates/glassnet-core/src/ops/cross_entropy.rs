//! Softmax cross-entropy on logits with integer labels, label smoothing and class weights; one loss a row.
//!
//! With `nll_c = ln sum_j exp(z_j) - z_c`: `l = (1 - eps) w_y nll_y + (eps / C) sum_c w_c nll_c`, as PyTorch's
//! `cross_entropy`. Shapes: `z [B, C]`, labels `[B]`, `l [B]`. In one pass `dz_j = g (S p_j - t_j)` with
//! `t_j = (1 - eps) w_y [j = y] + (eps / C) w_j`, `S = sum_j t_j`, p the softmax that forward kept; without weights and
//! smoothing and averaged over B rows that is `(p - y) / B`. In nats; a loss of ln C is a uniform guess.
//!
//! Sequences: `z [B, T, C]`, labels `[B, T]` (any axes before the classes), `l [B]`. The loss of a row is then the mean over its
//! positions, each as above; a position labelled [`IGNORED`] does not count and gets no gradient, and a row in which none
//! counts has the loss 0. The mean is plain: class weights weigh a position's loss, and are not in what it divides by.
//!
//! Members: `z [B, K, C]`, labels `[B]`: each member is compared with the row's label, and the loss is the mean over members.
//!
//! A label outside 0..C makes the row's loss and the position's gradient NaN: readers refuse such labels before.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::cross_entropy::CrossEntropy};
//!
//! let mut graph = Graph::new();
//! let z = graph.input("logits", [3]);
//! let y = graph.labels("label");
//! let loss = graph.push("loss", Op::CrossEntropy(CrossEntropy::default()), &[z, y])?;
//! let outputs = vec![loss];
//! let request =
//!     Request { purpose: Purpose::Attribute, rows: 2, backward_from: Some(loss), outputs, training: true, checkpoint: false };
//! let mut runner = Runner::<f64>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(2);
//! runner.input_mut(z).copy_from_slice(&[0.0, 0.0, 0.0, 1000.0, -1000.0, -1000.0]);
//! runner.labels_mut(y).copy_from_slice(&[2, 0]);
//! runner.forward(&[], &StepInfo::default());
//! runner.backward(&[], &mut [], &StepInfo::default());
//! // A uniform guess costs ln 3; being sure and right costs nothing and is not corrected.
//! let printed: Vec<String> = runner.value(loss).unwrap_or_default().iter().map(|l| format!("{l:.6}")).collect();
//! assert_eq!(printed, ["1.098612", "0.000000"]);
//! assert_eq!(runner.gradient(z).map(|dz| &dz[3..]), Some(&[0.0; 3][..]));
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

mod few;
mod gradient;

use glassnet_kernels::reduce::{LANES, max_inlined};
use glassnet_kernels::{Kernel, vectorized};

use self::few::block;
use self::gradient::Gradients;
use super::row_norm::{PART, tree};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::{DType, Shape};

/// The label of a position that does not count: padding.
pub const IGNORED: i32 = i32::MIN;

/// Softmax cross-entropy, integer labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrossEntropy {
    /// Label smoothing eps, in [0, 1).
    pub smoothing: f64,
    /// One weight a class; empty: all 1.
    pub class_weights: Vec<f64>,
}

/// `p_j = exp(z_j - top) / sum`; gives the sum.
struct Softmax<'a, T> {
    z: &'a [T],
    top: T,
    p: &'a mut [T],
}

impl<T: Real> Kernel for Softmax<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run(self) -> T {
        for (p, &z) in self.p.iter_mut().zip(self.z) {
            *p = (z - self.top).exp();
        }
        let p = &*self.p;
        let sum = tree(p, p, p, |sum, p, _, _| sum + p);
        for p in self.p.iter_mut() {
            *p /= sum;
        }
        sum
    }
}

/// The sum alone, with the same bytes.
struct SumOfExp<'a, T> {
    z: &'a [T],
    top: T,
}

impl<T: Real> Kernel for SumOfExp<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run(self) -> T {
        let top = self.top;
        tree(self.z, self.z, self.z, |sum, z, _, _| sum + (z - top).exp())
    }
}

impl CrossEntropy {
    /// Weight of a class.
    pub fn weight(&self, class: usize) -> f64 {
        self.class_weights.get(class).copied().unwrap_or(1.0)
    }

    /// Target of logit `j` where the label is `label`.
    fn target(&self, j: usize, label: usize, classes: usize) -> f64 {
        let smooth = if self.smoothing > 0.0 { self.smoothing / classes as f64 * self.weight(j) } else { 0.0 };
        if j == label { (1.0 - self.smoothing) * self.weight(label) + smooth } else { smooth }
    }

    /// Whether every class counts the same and no label is smoothed.
    fn is_plain(&self) -> bool {
        self.smoothing == 0.0 && self.class_weights.is_empty()
    }

    /// Loss of one position; the softmax goes to `p`, where there is room for it.
    #[inline(always)]
    fn position<T: Real>(&self, z: &[T], label: i32, p: &mut [T]) -> T {
        let top = max_inlined(z);
        let sum = if p.is_empty() { SumOfExp { z, top }.run() } else { Softmax { z, top, p }.run() };
        let log_sum = sum.ln();
        let nll = |z: T| top - z + log_sum;
        let Some(&chosen) = usize::try_from(label).ok().and_then(|label| z.get(label)) else {
            return T::from_f64(f64::NAN);
        };
        let mut loss = nll(chosen) * T::from_f64((1.0 - self.smoothing) * self.weight(label as usize));
        if self.smoothing > 0.0 {
            let mut sum = T::ZERO;
            for (class, &z) in z.iter().enumerate() {
                sum += nll(z) * T::from_f64(self.weight(class));
            }
            loss += sum * T::from_f64(self.smoothing / z.len() as f64);
        }
        loss
    }
}

/// Positions of a row that count.
#[inline(always)]
fn counted(labels: &[i32]) -> usize {
    labels.iter().filter(|&&label| label != IGNORED).count()
}

/// The mean of a row's losses, in order; 0 where none counts.
#[derive(Clone, Copy)]
struct Mean<T> {
    sum: T,
    count: usize,
}

impl<T: Real> Mean<T> {
    const NONE: Self = Mean { sum: T::ZERO, count: 0 };

    #[inline(always)]
    fn add(&mut self, loss: T) {
        self.sum = if self.count == 0 { loss } else { self.sum + loss };
        self.count += 1;
    }

    #[inline(always)]
    fn value(self) -> T {
        if self.count == 0 { T::ZERO } else { self.sum / T::from_f64(self.count as f64) }
    }
}

/// The positions whose label counts, with it. A label holds for `each` positions.
#[inline(always)]
fn counting(labels: &[i32], each: usize) -> impl Iterator<Item = (usize, i32)> {
    let counts = labels.iter().enumerate().filter(|(_, label)| **label != IGNORED);
    counts.flat_map(move |(first, &label)| (first * each..(first + 1) * each).map(move |place| (place, label)))
}

/// The losses of some rows, with nothing kept.
struct Losses<'a, T> {
    op: &'a CrossEntropy,
    classes: usize,
    /// Labels of a row, and the positions that each holds for.
    positions: usize,
    each: usize,
    z: &'a [T],
    labels: &'a [i32],
    losses: &'a mut [T],
}

impl<T: Real> Kernel for Losses<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Losses { op, classes, positions, each, .. } = self;
        let rows = self.z.chunks_exact(positions * each * classes).zip(self.labels.chunks_exact(positions));
        for (loss, (z, labels)) in self.losses.iter_mut().zip(rows) {
            let mut mean = Mean::NONE;
            for (at, label) in counting(labels, each) {
                mean.add(op.position(&z[at * classes..][..classes], label, &mut []));
            }
            *loss = mean.value();
        }
    }
}

/// Softmax and loss of some positions, `classes + 1` numbers each.
struct Kept<'a, T> {
    op: &'a CrossEntropy,
    classes: usize,
    /// Positions that a label holds for.
    each: usize,
    z: &'a [T],
    labels: &'a [i32],
    kept: &'a mut [T],
}

impl<T: Real> Kernel for Kept<'_, T> {
    type Output = ();

    // Not by calling itself: a function that does is not inlined, and so not made of vector instructions.
    #[inline(always)]
    fn run(self) {
        let Kept { op, classes, each, z, labels, kept } = self;
        if each == 1 {
            return op.keep(classes, z, labels, kept);
        }
        let rows = z.chunks_exact(each * classes).zip(labels);
        for ((z, &label), kept) in rows.zip(kept.chunks_exact_mut(each * (classes + 1))) {
            for (z, kept) in z.chunks(LANES * classes).zip(kept.chunks_mut(LANES * (classes + 1))) {
                op.keep(classes, z, &[label; LANES][..z.len() / classes], kept);
            }
        }
    }
}

impl CrossEntropy {
    /// Softmax and loss of positions with a label each.
    #[inline(always)]
    fn keep<T: Real>(&self, classes: usize, z: &[T], labels: &[i32], kept: &mut [T]) {
        if self.is_plain() && classes <= LANES {
            let labels = labels.chunks(LANES);
            let blocks = z.chunks(LANES * classes).zip(labels).zip(kept.chunks_mut(LANES * (classes + 1)));
            for ((z, labels), kept) in blocks {
                match classes {
                    2 => block::<T, 2>(classes, z, labels, kept),
                    3 => block::<T, 3>(classes, z, labels, kept),
                    10 => block::<T, 10>(classes, z, labels, kept),
                    _ => block::<T, LANES>(classes, z, labels, kept),
                }
            }
            return;
        }
        let positions = z.chunks_exact(classes).zip(labels);
        for (kept, (z, &label)) in kept.chunks_exact_mut(classes + 1).zip(positions) {
            let (p, loss) = kept.split_at_mut(classes);
            loss[0] = if label == IGNORED { T::ZERO } else { self.position(z, label, p) };
        }
    }
}

/// Positions that a label holds for: 1, or the number of members where a row of theirs has one label.
fn each(shapes: &[Shape]) -> usize {
    let positions = shapes[0].len() / shapes[0].last().max(1);
    (positions / shapes[1].len().max(1)).max(1)
}

impl Operation for CrossEntropy {
    fn card(&self) -> Card {
        Card {
            name: "cross_entropy",
            family: Family::Loss,
            formula: "l = ln sum_j exp(z_j) - z_y, the mean over a row's positions",
            derivative: "dz = p - y",
            range: "[0, inf)",
            used: "classification, next tokens; log-loss in nats",
            source: "Bridle 1989; Szegedy et al. 2015 (label smoothing)",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn input_dtype(&self, index: usize) -> DType {
        if index == 1 { DType::I32 } else { DType::Real }
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (z, labels) = (inputs[0], inputs[1]);
        let before = z.0.split_last().map_or(&[][..], |(_, before)| before);
        let of_members = before.len() == 1 && labels.0.is_empty();
        let fits = labels.0 == before || (before.is_empty() && labels.len() == 1) || of_members;
        if z.is_empty() || !fits {
            return Err(format!(
                "cross_entropy needs logits [B, C] and one label a row, or [B, T, C] and a label a position, [B, T], but its inputs are {z} and {labels}"
            ));
        }
        super::check_class_weights("cross_entropy", z.last(), &self.class_weights)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(format!("label smoothing must be at least 0 and below 1, but it is {}", self.smoothing));
        }
        Ok(Shape::default())
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        // The softmax and the loss of each position.
        Needs { saved: inputs[0].len() + inputs[0].len() / inputs[0].last().max(1), ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 14 * inputs[0].len() as u64, backward: 2 * inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let (team, z, labels) = (io.context.team, io.inputs[0], io.labels);
        let (classes, positions) = (io.shapes[0].last(), io.shapes[1].len());
        let each = each(io.shapes);
        if io.saved.is_empty() {
            team.split_rows(io.output, 1, PART.div_ceil(classes * positions * each), &|first, losses| {
                let (z, labels) = (&z[first * positions * each * classes..], &labels[first * positions..]);
                vectorized(Losses { op: self, classes, positions, each, z, labels, losses });
            });
            return;
        }
        team.split_rows(io.saved, each * (classes + 1), PART.div_ceil(each * classes), &|first, kept| {
            let own = kept.len() / (each * (classes + 1));
            let (z, labels) = (&z[first * each * classes..][..own * each * classes], &labels[first..][..own]);
            vectorized(Kept { op: self, classes, each, z, labels, kept });
        });
        if positions * each == 1 {
            for (loss, kept) in io.output.iter_mut().zip(io.saved.chunks_exact(classes + 1)) {
                *loss = kept[classes];
            }
            return;
        }
        let rows = labels.chunks_exact(positions).zip(io.saved.chunks_exact(positions * each * (classes + 1)));
        for (loss, (labels, kept)) in io.output.iter_mut().zip(rows) {
            let mut mean = Mean::NONE;
            for (at, _) in counting(labels, each) {
                mean.add(kept[at * (classes + 1) + classes]);
            }
            *loss = mean.value();
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let (classes, positions, each) = (io.shapes[0].last(), io.shapes[1].len(), each(io.shapes));
        let (saved, labels, upstream) = (io.saved, io.labels, io.upstream);
        io.context.team.split_rows(dz, classes, PART.div_ceil(classes), &|first, dz| {
            vectorized(Gradients { op: self, classes, positions, each, first, saved, labels, upstream, dz });
        });
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let (classes, positions, each) = (operands.shapes[0].last(), operands.shapes[1].len(), each(operands.shapes));
        let position = |z: &[f64], label: i32| -> f64 {
            let log_sum = Real::ln(z.iter().map(|&z| Real::exp(z)).sum::<f64>());
            let terms = z.iter().enumerate().map(|(j, z)| self.target(j, label as usize, classes) * (log_sum - z));
            terms.sum()
        };
        let row = |(z, labels): (&[f64], &[i32])| {
            let counted: Vec<f64> = z
                .chunks(classes)
                .enumerate()
                .map(|(at, z)| (z, labels[at / each]))
                .filter(|(_, label)| *label != IGNORED)
                .map(|(z, label)| position(z, label))
                .collect();
            counted.iter().sum::<f64>() / counted.len().max(1) as f64
        };
        operands.inputs[0].chunks(classes * positions * each).zip(operands.labels.chunks(positions)).map(row).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let ops = [(0.0, false), (0.1, false), (0.0, true), (0.1, true)];
        let sample = |(smoothing, weighted): (f64, bool), rows: usize, logits: &[usize]| {
            let (classes, labels) = (Shape(logits.to_vec()).last(), Shape(logits[..logits.len() - 1].to_vec()));
            let class_weights =
                if weighted { (0..classes).map(|class| 0.5 + class as f64 * 0.3).collect() } else { vec![] };
            let op = CrossEntropy { smoothing, class_weights };
            Sample::new(op, rows, [Shape(logits.to_vec()), labels]).classes(classes)
        };
        let shapes: [(usize, &[usize]); 6] =
            [(1, &[2]), (5, &[3]), (4, &[33]), (3, &[5, 3]), (1, &[1, 2]), (2, &[2, 3, 4])];
        let of_members = |op: (f64, bool)| {
            let shapes: [(usize, &[usize]); 3] = [(3, &[4, 2]), (2, &[19, 3]), (2, &[3, 18])];
            shapes.map(|(rows, logits)| {
                let mut sample = sample(op, rows, logits);
                sample.inputs[1] = Shape::default();
                sample
            })
        };
        let all = |op| shapes.map(|(rows, logits)| sample(op, rows, logits)).into_iter().chain(of_members(op));
        ops.into_iter().flat_map(all).collect()
    }
}
