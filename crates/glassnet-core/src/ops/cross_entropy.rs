//! Softmax cross-entropy on logits with integer labels, label smoothing and class weights; one loss a row.
//!
//! With `nll_c = ln sum_j exp(z_j) - z_c`: `l = (1 - eps) w_y nll_y + (eps / C) sum_c w_c nll_c`, as PyTorch's
//! `cross_entropy`. Shapes: `z [B, C]`, labels `[B]`, `l [B]`. In one pass `dz_j = g (S p_j - t_j)` with
//! `t_j = (1 - eps) w_y [j = y] + (eps / C) w_j`, `S = sum_j t_j`, p the softmax that forward kept; without weights and
//! smoothing and averaged over B rows that is `(p - y) / B`. In nats; a loss of ln C is a uniform guess.
//!
//! A label outside 0..C makes the row's loss and gradient NaN: readers refuse such labels before.
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

use super::softmax::softmax_row;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Sample};
use crate::Real;
use crate::shape::{DType, Shape};

/// Softmax cross-entropy, integer labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrossEntropy {
    /// Label smoothing eps, in [0, 1).
    pub smoothing: f64,
    /// One weight a class; empty: all 1.
    pub class_weights: Vec<f64>,
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
}

impl Operation for CrossEntropy {
    fn card(&self) -> Card {
        Card {
            name: "cross_entropy",
            family: Family::Loss,
            formula: "l = ln sum_j exp(z_j) - z_y",
            derivative: "dz = p - y",
            range: "[0, inf)",
            used: "classification; log-loss in nats",
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
        super::one_axis("cross_entropy", inputs[0])?;
        if inputs[0].is_empty() || inputs[1].len() != 1 {
            return Err(format!(
                "cross_entropy needs logits [B, C] and one label a row, but its inputs are {} and {}",
                inputs[0], inputs[1]
            ));
        }
        super::check_class_weights("cross_entropy", inputs[0].len(), &self.class_weights)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(format!("label smoothing must be at least 0 and below 1, but it is {}", self.smoothing));
        }
        Ok(Shape::default())
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        Needs { saved: inputs[0].len(), ..Needs::default() }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 14 * inputs[0].len() as u64, backward: 2 * inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let classes = (io.inputs[0].len() / io.rows.max(1)).max(1);
        let rows = io.inputs[0].chunks(classes).zip(io.labels).zip(io.saved.chunks_mut(classes));
        for (loss, ((z, &label), p)) in io.output.iter_mut().zip(rows) {
            let (top, log_sum) = softmax_row(z, p);
            let nll = |z: T| top - z + log_sum;
            let Some(&chosen) = usize::try_from(label).ok().and_then(|label| z.get(label)) else {
                *loss = T::from_f64(f64::NAN);
                continue;
            };
            *loss = nll(chosen) * T::from_f64((1.0 - self.smoothing) * self.weight(label as usize));
            if self.smoothing > 0.0 {
                let mut sum = T::ZERO;
                for (class, &z) in z.iter().enumerate() {
                    sum += nll(z) * T::from_f64(self.weight(class));
                }
                *loss += sum * T::from_f64(self.smoothing / classes as f64);
            }
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let classes = (io.saved.len() / io.rows.max(1)).max(1);
        let smooth_sum: f64 =
            (0..classes).map(|class| self.weight(class)).sum::<f64>() * self.smoothing / classes as f64;
        let rows = io.saved.chunks(classes).zip(io.labels).zip(io.upstream);
        for (dz, ((p, &label), &upstream)) in dz.chunks_mut(classes).zip(rows) {
            let Some(label) = usize::try_from(label).ok().filter(|&label| label < classes) else {
                dz.fill(T::from_f64(f64::NAN));
                continue;
            };
            let hard = (1.0 - self.smoothing) * self.weight(label);
            let total = T::from_f64(hard + smooth_sum);
            for (j, (dz, &p)) in dz.iter_mut().zip(p).enumerate() {
                *dz = upstream * (total * p - T::from_f64(self.target(j, label, classes)));
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let classes = operands.inputs[0].len() / operands.rows;
        let row = |(z, &label): (&[f64], &i32)| {
            let log_sum = Real::ln(z.iter().map(|&z| Real::exp(z)).sum::<f64>());
            let terms = z.iter().enumerate().map(|(j, z)| self.target(j, label as usize, classes) * (log_sum - z));
            terms.sum()
        };
        operands.inputs[0].chunks(classes).zip(operands.labels).map(row).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let ops = [(0.0, false), (0.1, false), (0.0, true), (0.1, true)];
        let sample = |(smoothing, weighted): (f64, bool), (rows, classes): (usize, usize)| {
            let class_weights =
                if weighted { (0..classes).map(|class| 0.5 + class as f64 * 0.3).collect() } else { vec![] };
            let op = CrossEntropy { smoothing, class_weights };
            Sample::new(op, rows, [Shape::row(classes), Shape::default()]).classes(classes)
        };
        ops.into_iter().flat_map(|op| [(1, 2), (5, 3), (4, 33)].map(|shape| sample(op, shape))).collect()
    }
}
