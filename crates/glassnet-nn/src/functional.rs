//! The functional form: calls that take everything, return the result, and change nothing.

use glassnet_core::ops::embedding::PADDING;
use glassnet_core::{Purpose, Real, Runner, StepInfo, Team};

use crate::network::Network;
use crate::source::{Draw, Source};

/// Puts rows, targets and weights into a runner's inputs and returns the sum of weights (row weight times class weight).
/// Rows beyond the plan's capacity are not taken; [`Runner::rows`] says how many were.
pub fn load<T: Real>(network: &Network, runner: &mut Runner<T>, source: &dyn Source<T>, rows: &[u32]) -> f64 {
    fill(network, runner, source, rows, None);
    total_weight(network, source, &rows[..runner.rows()])
}

/// The same for a training step: the rows as they are drawn at this place of the run ([`Source::features_at`]).
pub fn load_at<T: Real>(
    network: &Network,
    runner: &mut Runner<T>,
    source: &dyn Source<T>,
    rows: &[u32],
    info: &StepInfo,
) -> f64 {
    fill_at(network, runner, source, rows, info);
    total_weight(network, source, &rows[..runner.rows()])
}

/// As [`load_at`] where the sum of weights is known.
pub(crate) fn fill_at<T: Real>(
    network: &Network,
    runner: &mut Runner<T>,
    source: &dyn Source<T>,
    rows: &[u32],
    info: &StepInfo,
) {
    let at = Draw { seed: info.seed, epoch: info.epoch, position: info.position };
    fill(network, runner, source, rows, Some(at));
}

fn fill<T: Real>(network: &Network, runner: &mut Runner<T>, source: &dyn Source<T>, rows: &[u32], at: Option<Draw>) {
    runner.set_rows(rows.len());
    let rows = &rows[..runner.rows()];
    match at {
        _ if network.reads_tokens() => source.tokens(rows, runner.labels_mut(network.x)),
        at => features(network, runner, source, rows, at),
    }
    if let Some(lengths) = network.lengths {
        let steps = network.graph.node(network.x).shape.0.first().copied().unwrap_or(0);
        for (length, &row) in runner.labels_mut(lengths).iter_mut().zip(rows) {
            let length_of_row = source.length(row).min(steps);
            *length = i32::try_from(length_of_row).unwrap_or(i32::MAX);
        }
        clear_behind(network, runner, source, rows);
    }
    let Some(objective) = &network.objective else { return };
    if objective.loss.takes_labels() {
        let width = network.graph.node(objective.target).shape.len().max(1);
        let labels = runner.labels_mut(objective.target);
        if width == source.labels_width() {
            source.labels_of(rows, labels);
        } else {
            for (labels, &row) in labels.chunks_exact_mut(width).zip(rows) {
                source.labels(row, labels);
            }
        }
    } else {
        let width = network.graph.node(objective.target).shape.len().max(1);
        for (values, &row) in runner.input_mut(objective.target).chunks_exact_mut(width).zip(rows) {
            source.values(row, values);
        }
    }
    let weights = runner.input_mut(objective.weight);
    if source.weighs_equally() && !objective.loss.weighs_classes() {
        return weights.fill(T::ONE);
    }
    for (weight, &row) in weights.iter_mut().zip(rows) {
        *weight = T::from_f64(source.weight(row) * objective.loss.row_factor(source.label(row)));
    }
}

/// Numbers that are worth a thread: so many come from memory in some microseconds.
const PART: usize = 1 << 14;

/// The features of the rows into the network's input, on the runner's threads: each row by itself, so that it is all the same
/// who fetches it.
fn features<T: Real>(
    network: &Network,
    runner: &mut Runner<T>,
    source: &dyn Source<T>,
    rows: &[u32],
    at: Option<Draw>,
) {
    let fetch = |first: usize, rows: &[u32], out: &mut [T]| match at {
        Some(at) => source.features_at(rows, Draw { position: at.position + first as u64, ..at }, out),
        None => source.features(rows, out),
    };
    let width = source.width();
    if runner.team().threads() == 1 || width == 0 || rows.len() * width < 2 * PART {
        return fetch(0, rows, runner.input_mut(network.x));
    }
    let team = runner.team().clone();
    team.split_rows(runner.input_mut(network.x), width, PART.div_ceil(width), &|first, out| {
        fetch(first, &rows[first..first + out.len() / width], out);
    });
}

/// Whatever a source leaves behind a row's end, even NaN, is nothing: no token, features of 0. The products of a layer run
/// over all time steps, and 0 times NaN would be NaN.
fn clear_behind<T: Real>(network: &Network, runner: &mut Runner<T>, source: &dyn Source<T>, rows: &[u32]) {
    let shape = &network.graph.node(network.x).shape;
    let steps = shape.0.first().copied().unwrap_or(1).max(1);
    let size = shape.len().max(1);
    let live = |row: u32| source.length(row).min(steps) * (size / steps);
    if network.reads_tokens() {
        for (tokens, &row) in runner.labels_mut(network.x).chunks_exact_mut(size).zip(rows) {
            tokens[live(row)..].fill(PADDING);
        }
    } else {
        for (features, &row) in runner.input_mut(network.x).chunks_exact_mut(size).zip(rows) {
            features[live(row)..].fill(T::ZERO);
        }
    }
}

/// Sum of weights of some rows, in their order: what the mean loss over them divides by.
pub fn total_weight<T: Real>(network: &Network, source: &dyn Source<T>, rows: &[u32]) -> f64 {
    let Some(objective) = &network.objective else { return rows.len() as f64 };
    if source.weighs_equally() && !objective.loss.weighs_classes() {
        return rows.len() as f64;
    }
    rows.iter().map(|&row| source.weight(row) * objective.loss.class_weight(source.label(row))).sum()
}

/// Loss and gradients of some rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LossAndGradients<T> {
    /// The mean loss.
    pub loss: T,
    /// Its gradient, flat, in the parameters' layout.
    pub gradients: Vec<T>,
}

/// Loss and gradients of `rows` at `parameters`; nothing is changed. `info` says seed, epoch and place for dropout and for
/// rows that are changed at random; its denominator is replaced by the rows' sum of weights. A network without a loss gives loss 0 and gradients 0.
///
/// ```
/// use glassnet_core::{StepInfo, Team};
/// use glassnet_nn::{functional, loss::LossSpec, network::Network, source::Matrix, spec::NetSpec};
/// let spec: NetSpec = "2 -> 3 tanh -> 2".parse()?;
/// let network = Network::new(&spec, Some(&LossSpec::cross_entropy()))?;
/// let parameters: Vec<f64> = network.initialise(1);
/// let data = Matrix::with_labels(vec![0.0, 1.0, 1.0, 0.0], 2, vec![0, 1]);
/// let got = functional::loss_and_gradients(&network, &parameters, &data, &[0, 1], &StepInfo::default(), &Team::single());
/// assert_eq!(got.gradients.len(), network.parameters());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn loss_and_gradients<T: Real>(
    network: &Network,
    parameters: &[T],
    source: &dyn Source<T>,
    rows: &[u32],
    info: &StepInfo,
    team: &Team,
) -> LossAndGradients<T> {
    let mut runner = Runner::new(network.plan(Purpose::Train, rows.len()), team.clone());
    let mut gradients = vec![T::ZERO; parameters.len()];
    let Some(objective) = &network.objective else { return LossAndGradients { loss: T::ZERO, gradients } };
    let denominator = load_at(network, &mut runner, source, rows, info);
    let info = StepInfo { denominator, ..*info };
    runner.forward(parameters, &info);
    runner.backward(parameters, &mut gradients, &info);
    let loss = runner.value(objective.lowered().1).and_then(|loss| loss.first().copied()).unwrap_or(T::ZERO);
    LossAndGradients { loss, gradients }
}

/// What a network gives for some rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs<T> {
    /// The value before a last softmax or sigmoid that belongs to the loss, `[rows, outputs]`; empty where the plan does not
    /// keep it, as [`Network::evaluation_plan`] of a vector for each time step.
    pub logits: Vec<T>,
    /// The last layer's value, `[rows, outputs]`; empty as above.
    pub output: Vec<T>,
    /// One loss a row, unweighted (empty without a loss or targets).
    pub losses: Vec<T>,
}

/// Runs rows through the network, `runner.plan().request().rows` at a time (see [`Network::evaluation_plan`]). Logits and
/// outputs are given where the plan has them among its outputs: elsewhere their memory is used again by what comes after.
pub fn evaluate<T: Real>(
    network: &Network,
    runner: &mut Runner<T>,
    parameters: &[T],
    source: &dyn Source<T>,
    rows: &[u32],
) -> Outputs<T> {
    let mut all = Outputs { logits: Vec::new(), output: Vec::new(), losses: Vec::new() };
    let kept = |node| runner.plan().request().outputs.contains(&node);
    let (logits, output) = (kept(network.logits), kept(network.output));
    for batch in rows.chunks(runner.plan().request().rows.max(1)) {
        load(network, runner, source, batch);
        runner.forward(parameters, &StepInfo::default());
        if logits {
            all.logits.extend_from_slice(runner.value(network.logits).unwrap_or(&[]));
        }
        if output {
            all.output.extend_from_slice(runner.value(network.output).unwrap_or(&[]));
        }
        if let Some(objective) = &network.objective {
            all.losses.extend_from_slice(runner.value(objective.rows).unwrap_or(&[]));
        }
    }
    all
}

/// Weighted mean of the rows' losses, in f64, in the rows' order. A row of weight 0 is not there, whatever its loss.
pub fn mean_loss<T: Real>(network: &Network, losses: &[T], source: &dyn Source<T>, rows: &[u32]) -> f64 {
    weighted_sum(network, losses, source, rows, 0.0) / total_weight(network, source, rows)
}

/// `sum` plus the weighted losses of the rows, one after the other in f64: the same however the rows are cut in batches.
pub(crate) fn weighted_sum<T: Real>(
    network: &Network,
    losses: &[T],
    source: &dyn Source<T>,
    rows: &[u32],
    sum: f64,
) -> f64 {
    let Some(objective) = &network.objective else { return sum };
    if source.weighs_equally() && !objective.loss.weighs_classes() {
        return losses.iter().zip(rows).fold(sum, |sum, (loss, _)| sum + loss.to_f64());
    }
    losses.iter().zip(rows).fold(sum, |sum, (loss, &row)| {
        let weight = source.weight(row) * objective.loss.row_factor(source.label(row));
        if weight == 0.0 { sum } else { sum + loss.to_f64() * weight }
    })
}
