//! Softmax cross-entropy on logits with soft labels (a distribution over the classes); one loss a row.
//!
//! `l = sum_c w_c q_c (ln sum_j exp(z_j) - z_c)`, `q = (1 - eps) t + eps / C`, as PyTorch's `cross_entropy` with class
//! probabilities. Shapes: `z [B, C]`, `t [B, C]`, `l [B]`. Gradient: `dz_j = g (S p_j - w_j q_j)`, `S = sum_j w_j q_j`.
//! Class weights do not enter the mean's denominator here, as PyTorch's.

use super::softmax::softmax_row;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample};
use crate::Real;
use crate::shape::Shape;

/// Softmax cross-entropy, soft labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SoftCrossEntropy {
    /// Label smoothing eps, in [0, 1).
    pub smoothing: f64,
    /// One weight a class; empty: all 1.
    pub class_weights: Vec<f64>,
}

impl SoftCrossEntropy {
    fn target<T: Real>(&self, t: T, class: usize, classes: usize) -> T {
        let weight = self.class_weights.get(class).copied().unwrap_or(1.0);
        let q = if self.smoothing > 0.0 {
            t * T::from_f64(1.0 - self.smoothing) + T::from_f64(self.smoothing / classes as f64)
        } else {
            t
        };
        q * T::from_f64(weight)
    }
}

impl Operation for SoftCrossEntropy {
    fn card(&self) -> Card {
        Card {
            name: "soft_cross_entropy",
            family: Family::Loss,
            formula: "l = sum_c t_c (ln sum_j exp(z_j) - z_c)",
            derivative: "dz = p - t",
            range: "[0, inf)",
            used: "labels that are distributions; distillation",
            source: "Hinton, Vinyals & Dean 2015",
        }
    }

    fn arity(&self) -> usize {
        2
    }

    fn differentiable(&self, index: usize) -> bool {
        index == 0
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        super::one_axis("soft_cross_entropy", inputs[0])?;
        super::check_class_weights("soft_cross_entropy", inputs[0].len(), &self.class_weights)?;
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(format!("label smoothing must be at least 0 and below 1, but it is {}", self.smoothing));
        }
        super::regression_shape("soft_cross_entropy", inputs)
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, output: false, saved: inputs[0].len() }
    }

    fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        // Room for one row's softmax where none is kept.
        if pass == Pass::Predict { inputs[0].len() } else { 0 }
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        Cost { forward: 16 * inputs[0].len() as u64, backward: 4 * inputs[0].len() as u64 }
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        let classes = (io.inputs[0].len() / io.rows.max(1)).max(1);
        let rows = io.inputs[0].chunks(classes).zip(io.inputs[1].chunks(classes));
        for (row, (loss, (z, t))) in io.output.iter_mut().zip(rows).enumerate() {
            let p = match io.saved.get_mut(row * classes..(row + 1) * classes) {
                Some(kept) => kept,
                None => &mut io.scratch[..classes],
            };
            let (top, log_sum) = softmax_row(z, p);
            let mut sum = T::ZERO;
            for (class, (&z, &t)) in z.iter().zip(t).enumerate() {
                sum += self.target(t, class, classes) * (top - z + log_sum);
            }
            *loss = sum;
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        let Some(dz) = &mut io.input_gradients[0] else { return };
        let classes = (io.saved.len() / io.rows.max(1)).max(1);
        let rows = io.saved.chunks(classes).zip(io.inputs[1].chunks(classes)).zip(io.upstream);
        for (dz, ((p, t), &upstream)) in dz.chunks_mut(classes).zip(rows) {
            let mut total = T::ZERO;
            for (class, &t) in t.iter().enumerate() {
                total += self.target(t, class, classes);
            }
            for (class, ((dz, &p), &t)) in dz.iter_mut().zip(p).zip(t).enumerate() {
                *dz = upstream * (total * p - self.target(t, class, classes));
            }
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let classes = operands.inputs[0].len() / operands.rows;
        let row = |(z, t): (&[f64], &[f64])| {
            let log_sum = Real::ln(z.iter().map(|&z| Real::exp(z)).sum::<f64>());
            z.iter().zip(t).enumerate().map(|(c, (z, &t))| self.target(t, c, classes) * (log_sum - z)).sum()
        };
        operands.inputs[0].chunks(classes).zip(operands.inputs[1].chunks(classes)).map(row).collect()
    }

    fn samples() -> Vec<Sample<Self>> {
        let ops = [(0.0, vec![]), (0.1, vec![]), (0.1, vec![0.5, 2.0, 1.5])];
        let sample = |(smoothing, class_weights): (f64, Vec<f64>), rows: usize| {
            Sample::new(SoftCrossEntropy { smoothing, class_weights }, rows, [Shape::row(3), Shape::row(3)])
                .domain(1, 0.0, 1.0)
        };
        ops.into_iter().flat_map(|op| [1, 3, 5].map(|rows| sample(op.clone(), rows))).collect()
    }
}
