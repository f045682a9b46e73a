//! A look: the sampled rows run forward and backward at the present parameters, with every value kept.

use std::sync::Arc;

use glassnet_core::{NodeId, Plan, Purpose, Real, Request, Runner, StepInfo, Team};

use super::baseline::Baseline;
use crate::functional::load;
use crate::layers::LayerInfo;
use crate::network::Network;
use crate::train::{TrainSpec, View};

/// Most training rows of a look.
///
/// With 1,024 rows a unit that is active for 1 row in 200 is taken for dead once in 170 looks
/// ((1 - 1/200)^1024 = 0.0059), and the layer's verdict needs more than half of its units.
pub const SAMPLE_ROWS: usize = 1024;

/// Fewest rows of a look (if there are so many). No verdict hangs on one unit or one row: each asks for more than half of
/// a layer's units.
const LEAST_ROWS: usize = 64;

/// Most numbers that the values of one look may take (two of them: values and gradients).
const MOST_VALUES: usize = 1 << 23;

/// Where the looks' share of all rows that pass through the network is to stay below: 1 in 100.
const SHARE: u64 = 100;

/// What the whole run is judged against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Losses of constant guesses.
    pub baseline: Baseline,
    /// Loss of the sampled rows before the first step.
    pub first: f64,
}

/// What one look sees.
pub(super) struct Picture<'a, T> {
    pub network: &'a Network,
    pub spec: &'a TrainSpec,
    pub parameters: &'a [T],
    /// Gradients of the mean loss of the sampled rows.
    pub gradients: &'a [T],
    pub runner: &'a Runner<T>,
    /// Mean loss of the sampled rows, dropout off.
    pub loss: f64,
    pub rows: usize,
    /// Steps taken so far.
    pub step: u64,
}

impl<T: Real> Picture<'_, T> {
    /// A node's values, [rows, width].
    pub fn value(&self, node: NodeId) -> &[T] {
        self.runner.value(node).unwrap_or(&[])
    }

    /// The gradient of a node's values.
    pub fn gradient(&self, node: NodeId) -> &[T] {
        self.runner.gradient(node).unwrap_or(&[])
    }

    /// The range of a linear layer's weight in the flat buffers.
    pub fn weight(&self, layer: &LayerInfo) -> Option<std::ops::Range<usize>> {
        layer.linear.as_ref()?;
        layer.slots.first().map(|&slot| self.network.graph.slots().get(slot).range())
    }
}

/// The rows that are looked at, and the room to do it.
pub(super) struct Camera<T> {
    pub rows: Vec<u32>,
    runner: Runner<T>,
    gradients: Vec<T>,
}

impl<T: Real> Camera<T> {
    /// Picks rows that stand evenly in the training rows. `None` for a network without a loss.
    pub fn new(view: &View<'_, T>, looks: u64, team: &Team) -> Option<Self> {
        let objective = view.network.objective.as_ref()?;
        let all = view.train.rows;
        let passed = view.spec.epochs.saturating_mul(all.len() as u64);
        let affordable = usize::try_from(passed / (SHARE * looks.max(1))).unwrap_or(SAMPLE_ROWS);
        let width: usize = view.network.graph.nodes().iter().map(|node| node.shape.len()).sum();
        let room = (MOST_VALUES / width.max(1)).max(1);
        let wanted = affordable.clamp(LEAST_ROWS, SAMPLE_ROWS).min(room).min(all.len());
        // Evenly: the middle of each of `wanted` equal stretches, so sorted rows give every class its share.
        let rows: Vec<u32> = (0..wanted).map(|i| all[(2 * i + 1) * all.len() / (2 * wanted)]).collect();
        let request = Request {
            purpose: Purpose::Inspect,
            rows: rows.len(),
            backward_from: Some(objective.lowered().1),
            outputs: Vec::new(),
            training: false,
            checkpoint: false,
        };
        let plan = Arc::new(Plan::new(&view.network.graph, request));
        let gradients = vec![T::ZERO; view.network.parameters()];
        Some(Camera { rows, runner: Runner::new(plan, team.clone()), gradients })
    }

    /// Looks. `None` where the loss is not finite: the training loop says where that comes from.
    pub fn look<'a>(&'a mut self, view: &View<'a, T>, step: u64) -> Option<Picture<'a, T>> {
        let objective = view.network.objective.as_ref()?;
        let denominator = load(view.network, &mut self.runner, view.train.source, &self.rows);
        let info = StepInfo { denominator, ..StepInfo::default() };
        self.gradients.fill(T::ZERO);
        self.runner.forward(view.parameters, &info);
        let loss = self.runner.value(objective.lowered().1)?.first()?.to_f64();
        if !loss.is_finite() {
            return None;
        }
        self.runner.backward(view.parameters, &mut self.gradients, &info);
        Some(Picture {
            network: view.network,
            spec: view.spec,
            parameters: view.parameters,
            gradients: &self.gradients,
            runner: &self.runner,
            loss,
            rows: self.rows.len(),
            step,
        })
    }
}
