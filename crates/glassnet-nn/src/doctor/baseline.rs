//! The loss of a network that does not look at its input: the same logits for every row.
//!
//! It is computed with the loss's own operation, so class weights, label smoothing and row weights are in it. Logits of 0
//! give ln C for C classes and ln 2 for a binary target (where no weights are given); the mean of the targets gives their
//! variance for the squared error.

use std::sync::Arc;

use glassnet_core::ops::mean::Mean;
use glassnet_core::{Graph, GraphError, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

use crate::functional::total_weight;
use crate::loss::LossSpec;
use crate::network::Network;
use crate::source::Source;

/// What is known of the targets of the sampled rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Baseline {
    /// Loss at logits of 0 for a class target, at the best constant for values.
    pub ignorant: f64,
    /// Loss of the best constant: the classes' shares, or the mean (the median for absolute errors).
    pub constant: f64,
    /// Mean and deviation of the target that is furthest from 0 and 1; 0 and 1 for classes.
    pub target: (f64, f64),
}

/// Computes it over `rows`; `None` without a loss.
pub(super) fn baseline<T: Real>(network: &Network, source: &dyn Source<T>, rows: &[u32]) -> Option<Baseline> {
    let objective = network.objective.as_ref()?;
    let width = network.graph.node(network.logits).shape.len();
    let loss = |logits: &[f64]| constant_loss(network, source, rows, logits).ok().flatten();
    let at_zero = loss(&vec![0.0; width])?;
    let weights: Vec<f64> =
        rows.iter().map(|&row| source.weight(row) * objective.loss.class_weight(source.label(row))).collect();
    if objective.loss.takes_labels() {
        let mut shares = vec![0.0; width];
        for (&row, weight) in rows.iter().zip(&weights) {
            if let Some(share) = usize::try_from(source.label(row)).ok().and_then(|label| shares.get_mut(label)) {
                *share += weight;
            }
        }
        let constant = loss(&log_shares(&shares))?.min(at_zero);
        return Some(Baseline { ignorant: at_zero, constant, target: (0.0, 1.0) });
    }
    let mut values = vec![T::ZERO; width];
    let mut columns = vec![Vec::with_capacity(rows.len()); width];
    for &row in rows {
        source.values(row, &mut values);
        columns.iter_mut().zip(&values).for_each(|(column, value)| column.push(value.to_f64()));
    }
    let moments: Vec<(f64, f64)> = columns.iter().map(|column| weighted_moments(column, &weights)).collect();
    let means: Vec<f64> = moments.iter().map(|moments| moments.0).collect();
    let target = moments.iter().copied().fold((0.0, 1.0), |a, b| if a.0.abs() + a.1 > b.0.abs() + b.1 { a } else { b });
    match &objective.loss {
        LossSpec::CrossEntropy { .. } | LossSpec::SoftCrossEntropy { .. } => {
            let constant = loss(&log_shares(&means))?.min(at_zero);
            Some(Baseline { ignorant: at_zero, constant, target: (0.0, 1.0) })
        }
        LossSpec::BinaryCrossEntropy { positive_weight, .. } => {
            let logit = |&p: &f64| {
                let (yes, no) = ((p * positive_weight).max(TINY), (1.0 - p).max(TINY));
                Real::ln(yes) - Real::ln(no)
            };
            let constant = loss(&means.iter().map(logit).collect::<Vec<_>>())?.min(at_zero);
            Some(Baseline { ignorant: at_zero, constant, target: (0.0, 1.0) })
        }
        LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. } => {
            let medians: Vec<f64> = columns.iter_mut().map(|column| median(column)).collect();
            let constant = loss(&means)?.min(loss(&medians)?);
            Some(Baseline { ignorant: constant, constant, target })
        }
    }
}

/// A share that no row has still needs a logarithm.
const TINY: f64 = 1e-9;

fn log_shares(shares: &[f64]) -> Vec<f64> {
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| Real::ln((share / sum).max(TINY))).collect()
}

fn weighted_moments(column: &[f64], weights: &[f64]) -> (f64, f64) {
    let sum: f64 = weights.iter().sum();
    let mean = column.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>() / sum;
    let variance = column.iter().zip(weights).map(|(x, w)| (x - mean) * (x - mean) * w).sum::<f64>() / sum;
    (mean, variance.sqrt())
}

fn median(column: &mut [f64]) -> f64 {
    column.sort_by(f64::total_cmp);
    column.get(column.len() / 2).copied().unwrap_or(0.0)
}

/// The mean loss of `rows` where every row has these logits; `None` where it is not finite.
fn constant_loss<T: Real>(
    network: &Network,
    source: &dyn Source<T>,
    rows: &[u32],
    logits: &[f64],
) -> Result<Option<f64>, GraphError> {
    let Some(objective) = &network.objective else { return Ok(None) };
    let shape = network.graph.node(network.logits).shape.clone();
    let width = shape.len().max(1);
    let mut graph = Graph::new();
    let z = graph.input("logits", shape.clone());
    let labels = objective.loss.takes_labels();
    let target = if labels { graph.labels("target") } else { graph.input("target", shape) };
    let weight = graph.input("row weight", []);
    let each = graph.push("loss", objective.loss.op(), &[z, target])?;
    let mean = graph.push("loss", Op::Mean(Mean), &[each, weight])?;
    let request = Request {
        purpose: Purpose::Predict,
        rows: rows.len(),
        backward_from: None,
        outputs: vec![mean],
        training: false,
        checkpoint: false,
    };
    let mut runner = Runner::<T>::new(Arc::new(Plan::new(&graph, request)), Team::single());
    runner.set_rows(rows.len());
    for row in runner.input_mut(z).chunks_exact_mut(width) {
        row.iter_mut().zip(logits).for_each(|(out, &value)| *out = T::from_f64(value));
    }
    runner.labels_mut(target).iter_mut().zip(rows).for_each(|(label, &row)| *label = source.label(row));
    if !labels {
        runner.input_mut(target).chunks_exact_mut(width).zip(rows).for_each(|(out, &row)| source.values(row, out));
    }
    runner.input_mut(weight).iter_mut().zip(rows).for_each(|(out, &row)| *out = T::from_f64(source.weight(row)));
    let denominator = total_weight(network, source, rows);
    runner.forward(&[], &StepInfo { denominator, ..StepInfo::default() });
    let loss = runner.value(mean).and_then(|value| value.first()).map(|value| value.to_f64());
    Ok(loss.filter(|loss| loss.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Matrix;

    fn of(loss: LossSpec, data: &Matrix<f64>, outputs: usize) -> Baseline {
        let network = Network::for_data(&"linear".parse().unwrap(), data.width, outputs, Some(&loss)).unwrap();
        let rows: Vec<u32> = (0..data.rows() as u32).collect();
        baseline(&network, data, &rows).unwrap()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn classes() {
        let data = Matrix::with_labels(vec![0.0; 8], 1, vec![0, 0, 0, 0, 0, 0, 1, 2]);
        let got = of(LossSpec::cross_entropy(), &data, 3);
        near(got.ignorant, Real::ln(3.0));
        near(got.constant, -(0.75 * Real::ln(0.75) + 0.25 * Real::ln(0.125)));
        // Weights that even the classes out make ln 3 the best constant, and smoothing changes nothing in that.
        let even = |smoothing| LossSpec::CrossEntropy { smoothing, class_weights: vec![1.0, 6.0, 6.0] };
        let got = of(even(0.0), &data, 3);
        near(got.ignorant, Real::ln(3.0));
        near(got.constant, Real::ln(3.0));
        near(of(LossSpec::CrossEntropy { smoothing: 0.1, class_weights: vec![] }, &data, 3).ignorant, Real::ln(3.0));
    }

    #[test]
    fn binary_and_values() {
        let data = Matrix::with_values(vec![0.0; 4], 1, vec![1.0, 0.0, 0.0, 0.0], 1);
        let got = of(LossSpec::binary_cross_entropy(), &data, 1);
        near(got.ignorant, Real::ln(2.0));
        near(got.constant, -(0.25 * Real::ln(0.25) + 0.75 * Real::ln(0.75)));
        near(
            of(LossSpec::BinaryCrossEntropy { positive_weight: 3.0, class_weights: Vec::new() }, &data, 1).ignorant,
            1.5 * Real::ln(2.0),
        );

        let data = Matrix::with_values(vec![0.0; 4], 1, vec![10.0, 12.0, 14.0, 16.0], 1);
        let got = of(LossSpec::MeanSquared, &data, 1);
        near(got.constant, 5.0);
        near(got.target.0, 13.0);
        near(got.target.1, 5.0_f64.sqrt());
        near(of(LossSpec::MeanAbsolute, &data, 1).constant, 2.0);
    }
}
