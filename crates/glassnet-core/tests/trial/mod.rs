//! One operation as a graph of its own, run through plan and runner as a user's network is.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "for tests: to fail is to fail the test")]

use std::sync::Arc;

use glassnet_core::ops::Sample;
use glassnet_core::random::{Draws, Purpose as Stream};
use glassnet_core::slots::Role;
use glassnet_core::{DType, Graph, NodeId, Op, Plan, Purpose, Real, Request, Runner, Shape, StepInfo, Team};

/// What the mean divides by where a test has no reason for another number.
pub const DENOMINATOR: f64 = 7.5;

/// What an operation works on. An integer input's values are `labels`; its place in `inputs` is empty.
#[derive(Debug, Clone)]
pub struct Operands {
    pub inputs: Vec<Vec<f64>>,
    pub labels: Vec<i32>,
    pub parameters: Vec<f64>,
}

/// The gradients of one backward pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradients<T> {
    /// Of each input; `None` where none flows.
    pub inputs: Vec<Option<Vec<T>>>,
    /// Of the parameters, flat.
    pub parameters: Vec<T>,
}

/// An operation between its inputs and a gradient seeded from outside.
pub struct Trial<T> {
    pub graph: Graph,
    pub node: NodeId,
    pub info: StepInfo,
    inputs: Vec<NodeId>,
    runner: Runner<T>,
    parameters: Vec<T>,
}

impl<T: Real> Trial<T> {
    /// A graph of the inputs and the operation, with room for `rows` rows.
    pub fn new(op: &Op, shapes: &[Shape], rows: usize, team: Team) -> Self {
        let mut graph = Graph::new();
        let inputs: Vec<NodeId> = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| match op.input_dtype(index) {
                DType::I32 => graph.integers(&format!("input {index}"), shape.clone()),
                DType::Real => graph.input(&format!("input {index}"), shape.clone()),
            })
            .collect();
        let node = graph.push("trial", op.clone(), &inputs).unwrap();
        let request = Request {
            purpose: Purpose::Attribute,
            rows,
            backward_from: Some(node),
            outputs: vec![node],
            training: true,
            checkpoint: false,
        };
        let runner = Runner::new(Arc::new(Plan::new(&graph, request)), team);
        let info = StepInfo { seed: 17, epoch: 3, position: 20, denominator: DENOMINATOR, time: 0, dropout: 0.75 };
        Trial { graph, node, info, inputs, runner, parameters: Vec::new() }
    }

    /// The value on these operands.
    pub fn forward(&mut self, rows: usize, operands: &Operands) -> Vec<T> {
        self.runner.set_rows(rows);
        for (&input, values) in self.inputs.iter().zip(&operands.inputs) {
            if self.graph.node(input).dtype == DType::I32 {
                self.runner.labels_mut(input).copy_from_slice(&operands.labels);
                continue;
            }
            let target = self.runner.input_mut(input);
            assert_eq!(target.len(), values.len(), "numbers of input {input:?}");
            for (target, &value) in target.iter_mut().zip(values) {
                *target = T::from_f64(value);
            }
        }
        self.parameters = operands.parameters.iter().map(|&value| T::from_f64(value)).collect();
        self.runner.forward(&self.parameters, &self.info);
        self.runner.value(self.node).unwrap().to_vec()
    }

    /// The gradients of sum(upstream * value), after [`Trial::forward`].
    pub fn backward(&mut self, upstream: &[f64]) -> Gradients<T> {
        let seed = self.runner.seed_mut();
        assert_eq!(seed.len(), upstream.len(), "numbers of the upstream gradient");
        for (seed, &value) in seed.iter_mut().zip(upstream) {
            *seed = T::from_f64(value);
        }
        let mut parameters = vec![T::ZERO; self.parameters.len()];
        self.runner.backward_from_seed(&self.parameters, &mut parameters, &self.info);
        let inputs = self.inputs.iter().map(|&input| self.runner.gradient(input).map(<[T]>::to_vec)).collect();
        Gradients { inputs, parameters }
    }
}

impl Trial<f64> {
    /// Operands for a sample. Values near a kink are drawn again: 1e-3 away is the rule of [`Sample::kinks`].
    pub fn draw(&self, sample: &Sample<Op>) -> Operands {
        let parameters = self.draw_parameters();
        let edges = self.graph.slots().iter().filter(|slot| slot.role == Role::Edges);
        let edges: Vec<f64> = edges.flat_map(|slot| parameters[slot.range()].to_vec()).collect();
        let near = |value: f64| sample.kinks.iter().chain(&edges).any(|kink| (value - kink).abs() < 1e-3);
        let mut inputs: Vec<Vec<f64>> = Vec::new();
        for (index, (shape, &(low, high))) in sample.inputs.iter().zip(&sample.domain).enumerate() {
            let draws = Draws::new(29, Stream::Synthetic, index as u32, 0);
            let mut place = 0;
            let mut next = || {
                place += 1;
                low + (high - low) * draws.uniform(place)
            };
            let integer = self.graph.node(self.inputs[index]).dtype == DType::I32;
            let count = if integer { 0 } else { sample.rows * shape.len() };
            let mut values = Vec::with_capacity(count);
            while values.len() < count {
                let value = next();
                // With two inputs the kink is in their difference.
                let tested =
                    if index == 1 { inputs[0].get(values.len()).map_or(value, |first| first - value) } else { value };
                let tested = if index == 0 && sample.inputs.len() > 1 { None } else { Some(tested) };
                if !tested.is_some_and(near) {
                    values.push(value);
                }
            }
            inputs.push(values);
        }
        let labels = Draws::new(29, Stream::Synthetic, 90, 0);
        let integers: usize = sample
            .inputs
            .iter()
            .zip(&self.inputs)
            .filter(|(_, input)| self.graph.node(**input).dtype == DType::I32)
            .map(|(shape, _)| sample.rows * shape.len())
            .sum();
        let labels = (0..integers as u64)
            .map(|place| sample.first_class + labels.below(place, sample.classes.max(1) as u64) as i32)
            .collect();
        Operands { inputs, labels, parameters }
    }

    /// Parameters in [-1, 1]; the edges of bins in their order.
    fn draw_parameters(&self) -> Vec<f64> {
        let draws = Draws::new(29, Stream::Synthetic, 91, 0);
        let mut parameters: Vec<f64> =
            (0..self.graph.slots().len() as u64).map(|place| 2.0 * draws.uniform(place) - 1.0).collect();
        for slot in self.graph.slots().iter().filter(|slot| slot.role == Role::Edges) {
            let edges = slot.shape.last().copied().unwrap_or(1);
            parameters[slot.range()].chunks_mut(edges).for_each(|edges| edges.sort_by(f64::total_cmp));
        }
        parameters
    }
}

/// A gradient from above that is different for each element.
pub fn upstream(count: usize) -> Vec<f64> {
    let draws = Draws::new(31, Stream::Synthetic, 92, 0);
    (0..count as u64).map(|place| 3.0 * draws.uniform(place) - 1.5).collect()
}
