//! Initialisation that looks at the training rows: every linear layer in NTK form starts with outputs of deviation 1 and biases
//! that put its kinks where rows are; and numbers by parts get the edges of their bins.
//!
//! Edges of `bins` bins of a number are its quantiles at 0, 1/bins, .., 1 over the rows (with linear interpolation, as NumPy's
//! default and `compute_bins` of rtdl_num_embeddings), each once: where there are fewer the last is repeated, and the bins
//! without an extent have no effect. Numbers that are not finite are left out. The first and the last bin go on beyond their edges, so
//! they are not narrow: at least 1/64 of the distance of the quartiles (1/256 of the whole, where those are equal), by leaving out what lies nearer to
//! the ends. A row a little outside of what was seen cannot become a number of any size.
//!
//! Layer by layer, first to last, dropout off: weights are N(0, 1); each neuron's are then divided by the population deviation
//! of its output before the bias, `z_j = (1/sqrt(d)) w_j . x`, over the rows (one that does not vary keeps its weights). The bias
//! is "he+5": `b_j = -sum_{k=1..5} u_jk z_j(row_jk)`, five rows drawn with replacement for each neuron, `u_jk` five draws of Exp(1)
//! divided by their sum: a random point among five of the neuron's outputs, which the neuron then is 0 at. The next layer sees what
//! the layers before it give with these values. The last layer is included. Source: RealMLP (Holzmueller et al. 2024).
//!
//! Of more than [`MOST_ROWS`] rows so many are drawn by the seed, without replacement. (Their code takes all rows that fit into
//! a limit of memory, and a random part of them otherwise.) An estimate of a deviation from 16,384 rows is off by about 0.6 %.

use std::sync::Arc;

use glassnet_core::ops::linear::Linear;
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::{NodeId, Op, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

use crate::network::Network;
use crate::train::Rows;

/// Most rows that are looked at.
pub const MOST_ROWS: usize = 1 << 14;
/// Numbers of one layer's outputs that are kept at a time.
const MOST_NUMBERS: usize = 1 << 26;
/// Outputs that a bias is a mixture of.
const POINTS: usize = 5;
/// The stream that chooses rows: no slot has this number.
const ROW_STREAM: u32 = 0x00ff_ffff;
/// A first or last bin is at least this part of the distance of the quartiles.
const NARROW_OF_QUARTILES: f64 = 64.0;
/// The same of all rows' extent, where the quartiles are equal.
const NARROW_OF_WHOLE: f64 = 256.0;
/// A deviation below this share of the mean is rounding: the neuron does not vary.
const ROUNDING: f64 = 1e-6;

impl Network {
    /// Draws all parameters as [`Network::initialise`] does, then fits the linear layers in NTK form and the edges of bins to `rows`
    /// ([the module](crate::from_data) says how). A network without such layers, or no rows: what `initialise` draws. The same
    /// bytes on any number of threads.
    pub fn initialise_from_data<T: Real>(&self, seed: u64, rows: Rows<'_, T>, team: &Team) -> Vec<T> {
        let mut parameters = self.initialise(seed);
        let layers: Vec<NodeId> = (0..self.graph.nodes().len())
            .map(NodeId)
            .filter(|&node| matches!(self.graph.node(node).op, Op::Linear(Linear { ntk: true, .. }) | Op::Piecewise(_)))
            .collect();
        let widest = layers.iter().map(|&node| self.graph.node(node).shape.len()).max().unwrap_or(1);
        let most = MOST_ROWS.min(MOST_NUMBERS / widest.max(1)).max(1);
        let mut chosen = rows.rows.to_vec();
        if chosen.len() > most {
            Draws::new(seed, Stream::Init, ROW_STREAM, 0).shuffle(&mut chosen);
            chosen.truncate(most);
        }
        if chosen.is_empty() {
            return parameters;
        }
        for node in layers {
            if let Op::Piecewise(piecewise) = &self.graph.node(node).op {
                let Some(&read) = self.graph.node(node).inputs.first() else { continue };
                let values = self.values(read, &parameters, Rows { rows: &chosen, ..rows }, team);
                let Some(&slot) = self.graph.node(node).slots.first() else { continue };
                edges(&values, piecewise.bins, &mut parameters[self.graph.slots().get(slot).range()]);
                continue;
            }
            // Its biases are 0 still: what the node gives is z.
            let values = self.values(node, &parameters, Rows { rows: &chosen, ..rows }, team);
            self.fit(node, seed, &values, &mut parameters);
        }
        parameters
    }

    /// The values of a node for all rows.
    fn values<T: Real>(&self, node: NodeId, parameters: &[T], rows: Rows<'_, T>, team: &Team) -> Vec<T> {
        let at_once = self.evaluation_rows();
        let request = Request {
            purpose: Purpose::Predict,
            rows: at_once,
            backward_from: None,
            outputs: vec![node],
            training: false,
            checkpoint: false,
        };
        let mut runner = Runner::<T>::new(Arc::new(Plan::new(&self.graph, request)), team.clone());
        let mut values = Vec::with_capacity(rows.rows.len() * self.graph.node(node).shape.len());
        for batch in rows.rows.chunks(at_once) {
            runner.set_rows(batch.len());
            match self.reads_tokens() {
                true => rows.source.tokens(batch, runner.labels_mut(self.x)),
                false => rows.source.features(batch, runner.input_mut(self.x)),
            }
            if let Some(lengths) = self.lengths {
                for (length, &row) in runner.labels_mut(lengths).iter_mut().zip(batch) {
                    *length = i32::try_from(rows.source.length(row)).unwrap_or(i32::MAX);
                }
            }
            runner.forward(parameters, &StepInfo::default());
            values.extend_from_slice(runner.value(node).unwrap_or_default());
        }
        values
    }

    /// Makes the outputs of a layer vary by 1 and draws its biases; `values` is z, row by row.
    fn fit<T: Real>(&self, node: NodeId, seed: u64, values: &[T], parameters: &mut [T]) {
        let (slots, node) = (self.graph.slots(), self.graph.node(node));
        let units = node.shape.last().max(1);
        let deviations = deviations(values, units);
        let Some(&weight) = node.slots.first() else { return };
        let weights = &mut parameters[slots.get(weight).range()];
        let fan_in = (weights.len() / units).max(1);
        for (weights, deviation) in weights.chunks_exact_mut(fan_in).zip(&deviations) {
            for weight in weights {
                *weight = T::from_f64(weight.to_f64() / deviation);
            }
        }
        let Some(&bias) = node.slots.get(1) else { return };
        let positions = (values.len() / units) as u64;
        let which = Draws::new(seed, Stream::Init, bias.0 as u32, 0);
        let shares = Draws::new(seed, Stream::Init, bias.0 as u32, 1);
        for (unit, bias) in parameters[slots.get(bias).range()].iter_mut().enumerate() {
            let points = (0..POINTS).map(|point| {
                let place = (unit * POINTS + point) as u64;
                let row = which.below(place, positions) as usize;
                (values[row * units + unit].to_f64() / deviations[unit], shares.uniform(place))
            });
            *bias = T::from_f64(mixture(points));
        }
    }
}

/// The edges of the bins of each column: its distinct quantiles, but for those too near to the ends; the last one repeated.
fn edges<T: Real>(values: &[T], bins: usize, out: &mut [T]) {
    let columns = out.len() / (bins + 1);
    for (column, out) in out.chunks_exact_mut(bins + 1).enumerate() {
        let own = values.iter().skip(column).step_by(columns.max(1)).map(|value| value.to_f64());
        let mut sorted: Vec<f64> = own.filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { continue };
        let quantile = |k: usize| {
            let place = last as f64 * k as f64 / bins as f64;
            let below = (place as usize).min(last);
            let above = (below + 1).min(last);
            T::from_f64(sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64))
        };
        let (bottom, top) = (quantile(0), quantile(bins));
        let whole = top.to_f64() - bottom.to_f64();
        let quartiles = sorted[3 * last / 4] - sorted[last / 4];
        let least = if quartiles > 0.0 { quartiles / NARROW_OF_QUARTILES } else { whole / NARROW_OF_WHOLE };
        out[0] = bottom;
        let mut found = 1;
        for edge in (1..bins).map(quantile) {
            let ends = (edge.to_f64() - bottom.to_f64()).min(top.to_f64() - edge.to_f64());
            if edge > out[found - 1] && ends >= least {
                out[found] = edge;
                found += 1;
            }
        }
        out[found..].fill(top);
    }
}

/// Minus the mixture of outputs by shares that are Exp(1) draws, made of uniform ones, over their sum.
fn mixture(points: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (output, uniform) in points {
        let share = -Real::ln_1p(-uniform);
        sum += share * output;
        total += share;
    }
    // Shares that are all zero are possible, though nobody will see them.
    if total > 0.0 { -sum / total } else { 0.0 }
}

/// Population deviation of each column; 1 where a column does not vary.
fn deviations<T: Real>(values: &[T], width: usize) -> Vec<f64> {
    let rows = (values.len() / width).max(1) as f64;
    let mut means = vec![0.0; width];
    for row in values.chunks_exact(width) {
        for (mean, value) in means.iter_mut().zip(row) {
            *mean += value.to_f64();
        }
    }
    means.iter_mut().for_each(|mean| *mean /= rows);
    let mut squares = vec![0.0; width];
    for row in values.chunks_exact(width) {
        for ((square, value), mean) in squares.iter_mut().zip(row).zip(&means) {
            let apart = value.to_f64() - mean;
            *square += apart * apart;
        }
    }
    let deviation = |(square, mean): (f64, f64)| {
        let deviation = (square / rows).sqrt();
        if deviation > ROUNDING * mean.abs() && deviation.is_finite() { deviation } else { 1.0 }
    };
    squares.into_iter().zip(means).map(deviation).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

    use serde_json::Value;

    use super::*;

    fn numbers(case: &Value, group: &str, name: &str) -> Vec<f64> {
        case[group][name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    }

    /// The first bin of a column that noise begins, or the last of one that it ends, is not narrow: what is a little outside stays small.
    #[test]
    fn bins_that_go_on_beyond_their_edges_are_not_narrow() {
        let mostly_zero = |row: usize| if row.is_multiple_of(3) { row as f64 / 100.0 } else { 0.0 };
        let mut noisy: Vec<f64> = (0..300).map(mostly_zero).collect();
        noisy[7] = -5.55e-17;
        let dense = |row: usize| (row as f64 / 300.0).powi(9);
        let columns =
            [noisy.clone(), noisy.iter().map(|x| -x).collect(), (0..300).map(dense).collect(), vec![2.0; 300]];
        for (column, values) in columns.iter().enumerate() {
            let mut out = [0.0; 49];
            edges(values, 48, &mut out);
            let live = out.windows(2).filter(|pair| pair[1] > pair[0]).count();
            assert!(
                out[..=live].is_sorted_by(|a, b| a < b) && out[live..].iter().all(|edge| *edge == out[48]),
                "{out:?}"
            );
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            assert_eq!((out[0], out[48]), (sorted[0], sorted[299]), "column {column}");
            if live == 0 {
                assert_eq!(column, 3);
                continue;
            }
            let quartiles = sorted[224] - sorted[74];
            let least = if quartiles > 0.0 { quartiles / 64.0 } else { (out[48] - out[0]) / 256.0 };
            assert!(
                out[1] - out[0] >= least && out[live] - out[live - 1] >= least && live > 4,
                "column {column}: {out:?}"
            );
        }
    }

    /// Against NumPy's numbers (`tests/oracle/tables.py`).
    #[test]
    fn deviations_and_mixtures_are_numpy_s() {
        let file: Value = serde_json::from_str(include_str!("../tests/vectors/table_init.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 3);
        for case in cases {
            let (x, weight) = (numbers(case, "inputs", "x"), numbers(case, "parameters", "weight"));
            let (which, uniform) = (numbers(case, "inputs", "which"), numbers(case, "inputs", "uniform"));
            let (fitted, bias) = (numbers(case, "outputs", "fitted"), numbers(case, "outputs", "bias"));
            let units = bias.len();
            let fan_in = weight.len() / units;
            let output = |row: &[f64], unit: usize| {
                let product: f64 = row.iter().zip(&weight[unit * fan_in..]).map(|(x, w)| x * w).sum();
                product / (fan_in as f64).sqrt()
            };
            let values: Vec<f64> = x
                .chunks(fan_in)
                .flat_map(|row| (0..units).map(move |unit| (row, unit)))
                .map(|(r, u)| output(r, u))
                .collect();
            let deviations = deviations(&values, units);
            for unit in 0..units {
                for i in 0..fan_in {
                    let place = unit * fan_in + i;
                    let found = weight[place] / deviations[unit];
                    assert!((found - fitted[place]).abs() < 1e-10 * fitted[place].abs().max(1.0), "weight {place}");
                }
                let points = (unit * POINTS..(unit + 1) * POINTS)
                    .map(|place| (values[which[place] as usize * units + unit] / deviations[unit], uniform[place]));
                let found = mixture(points);
                assert!((found - bias[unit]).abs() < 1e-10, "bias {unit}: {found}, NumPy {}", bias[unit]);
            }
        }
    }
}
