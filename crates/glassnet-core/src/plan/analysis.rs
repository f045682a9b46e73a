//! What is known of a graph before any step is laid: which nodes are needed, where values really stand, where gradients
//! flow, what is fused.

use super::{Purpose, Request};
use crate::graph::Graph;
use crate::ops::{Needs, Op};
use crate::shape::DType;

/// Facts by node number.
pub(super) struct Analysis {
    /// The outputs or the loss depend on it.
    pub needed: Vec<bool>,
    /// Where its value really is: a view stands where its input stands, and operations that only act while training are
    /// taken out elsewhere.
    pub resolve: Vec<usize>,
    /// A gradient can flow through it.
    pub flows: Vec<bool>,
    /// It has a backward step: a gradient flows through it and reaches it from where backward starts.
    pub attributed: Vec<bool>,
    /// The curve that is computed with it.
    pub fused: Vec<Option<usize>>,
    /// What its backward reads.
    pub needs: Vec<Needs>,
    /// The gradient of its first slot is made by an update line after all of backward.
    pub late: Vec<bool>,
    /// Every value is kept.
    pub keep_all: bool,
}

impl Analysis {
    pub(super) fn new(graph: &Graph, request: &Request) -> Self {
        let keep_all = matches!(request.purpose, Purpose::Inspect | Purpose::Attribute);
        let needed = needed(graph, request, keep_all);
        let resolve = aliases(graph, request);
        let flows = flows(graph, request, &needed, &resolve);
        let attributed = attributed(graph, request, &resolve, &flows);
        let fused = fusions(graph, request, &needed, &resolve, &flows, keep_all);
        let needs = graph.nodes().iter().map(|node| node.op.needs(&graph.shapes(&node.inputs))).collect();
        let late = vec![false; graph.nodes().len()];
        Analysis { needed, resolve, flows, attributed, fused, needs, late, keep_all }
    }

    /// The nodes that have a forward step, in order: neither inputs, nor views, nor curves that another node computes.
    pub(super) fn computed(&self, graph: &Graph) -> Vec<usize> {
        let mut with_another = vec![false; self.fused.len()];
        for &curve in self.fused.iter().flatten() {
            with_another[curve] = true;
        }
        let input = |number: usize| matches!(graph.nodes()[number].op, Op::Input(_));
        (0..self.needed.len())
            .filter(|&number| {
                self.needed[number] && !input(number) && self.resolve[number] == number && !with_another[number]
            })
            .collect()
    }

    /// The node whose value the forward step of `number` writes.
    pub(super) fn target(&self, number: usize) -> usize {
        self.fused[number].unwrap_or(number)
    }
}

/// Nodes that the outputs or the loss depend on.
fn needed(graph: &Graph, request: &Request, keep_all: bool) -> Vec<bool> {
    let nodes = graph.nodes();
    let mut needed = vec![keep_all && request.backward_from.is_some(); nodes.len()];
    for id in request.outputs.iter().chain(&request.backward_from) {
        needed[id.0] = true;
    }
    for number in (0..nodes.len()).rev() {
        if needed[number] {
            for input in &nodes[number].inputs {
                needed[input.0] = true;
            }
        }
    }
    needed
}

fn aliases(graph: &Graph, request: &Request) -> Vec<usize> {
    let mut resolve: Vec<usize> = Vec::with_capacity(graph.nodes().len());
    for (number, node) in graph.nodes().iter().enumerate() {
        let out = node.op.is_view() || (node.op.training_only() && !request.training);
        resolve.push(if out { resolve[node.inputs[0].0] } else { number });
    }
    resolve
}

fn flows(graph: &Graph, request: &Request, needed: &[bool], resolve: &[usize]) -> Vec<bool> {
    let nodes = graph.nodes();
    let mut flows = vec![false; nodes.len()];
    let Some(start) = request.backward_from else { return flows };
    for (number, node) in nodes.iter().enumerate() {
        if !needed[number] || number > start.0 {
            continue;
        }
        let from_input =
            node.inputs.iter().enumerate().any(|(slot, id)| flows[resolve[id.0]] && node.op.differentiable(slot));
        let input = matches!(node.op, Op::Input(_)) && node.dtype == DType::Real;
        flows[number] = from_input || !node.slots.is_empty() || (input && request.purpose == Purpose::Attribute);
    }
    flows
}

fn attributed(graph: &Graph, request: &Request, resolve: &[usize], flows: &[bool]) -> Vec<bool> {
    let nodes = graph.nodes();
    let mut attributed = vec![false; nodes.len()];
    let Some(start) = request.backward_from.map(|start| resolve[start.0]) else { return attributed };
    let mut reached = vec![false; nodes.len()];
    reached[start] = true;
    for number in (0..=start).rev() {
        let node = &nodes[number];
        if !reached[number] || !flows[number] || resolve[number] != number || matches!(node.op, Op::Input(_)) {
            continue;
        }
        attributed[number] = true;
        for (slot, id) in node.inputs.iter().enumerate() {
            let source = resolve[id.0];
            reached[source] |= nodes[source].dtype == DType::Real && flows[source] && node.op.differentiable(slot);
        }
    }
    attributed
}

/// For each node that can compute a curve with its value (linear, convolution) the curve that is computed with it. Where
/// a gradient flows only curves whose derivative is known from their output are fused: the pre-activation is not kept.
fn fusions(
    graph: &Graph,
    request: &Request,
    needed: &[bool],
    resolve: &[usize],
    flows: &[bool],
    keep_all: bool,
) -> Vec<Option<usize>> {
    let nodes = graph.nodes();
    let mut fused = vec![None; nodes.len()];
    if keep_all {
        return fused;
    }
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (number, node) in nodes.iter().enumerate() {
        if needed[number] && resolve[number] == number {
            for input in &node.inputs {
                readers[resolve[input.0]].push(number);
            }
        }
    }
    let read_later =
        |number: usize| request.outputs.iter().chain(&request.backward_from).any(|id| resolve[id.0] == number);
    for (number, node) in nodes.iter().enumerate() {
        if !needed[number] || !node.op.fuses_curve() || read_later(number) {
            continue;
        }
        if let [curve] = readers[number][..] {
            let op = &nodes[curve].op;
            // What reads the node may be no curve and read more than it: only a curve is asked what it needs.
            let kept = || flows[curve] && op.needs(&[&node.shape]).inputs;
            if op.is_curve() && !kept() {
                fused[number] = Some(curve);
            }
        }
    }
    fused
}
