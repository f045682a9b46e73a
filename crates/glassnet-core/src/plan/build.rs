//! From a graph to a list of steps: what to fuse, what to leave out, in which order gradients are added, how long each
//! value lives.

use super::place::{Buffer, place};
use super::{Pass, Plan, Purpose, Region, Request, Step};
use crate::graph::{Graph, Node, NodeId};
use crate::ops::{Op, Pass as Way, input::Input};
use crate::shape::{DType, Shape};

/// Which buffer, while offsets are not known yet.
type BufferId = usize;

#[derive(Default)]
struct Draft {
    buffers: Vec<Buffer>,
    labels: Vec<Buffer>,
    state: usize,
}

/// A step whose regions are buffer numbers still.
struct DraftStep {
    step: Step,
    inputs: Vec<Option<BufferId>>,
    labels: Option<BufferId>,
    output: Option<BufferId>,
    saved: Option<BufferId>,
    upstream: Option<BufferId>,
    input_gradients: Vec<Option<BufferId>>,
}

impl Draft {
    fn buffer(&mut self, width: usize, per_batch: bool, rows: usize, step: usize) -> BufferId {
        let size = width * if per_batch { 1 } else { rows };
        self.buffers.push(Buffer { width, per_batch, size, first: step, last: step, offset: 0 });
        self.buffers.len() - 1
    }

    fn touch(&mut self, id: BufferId, step: usize) {
        let buffer = &mut self.buffers[id];
        buffer.first = buffer.first.min(step);
        buffer.last = buffer.last.max(step);
    }
}

fn region(buffers: &[Buffer], id: BufferId) -> Region {
    let buffer = &buffers[id];
    Region { offset: buffer.offset, width: buffer.width, per_batch: buffer.per_batch }
}

pub(super) fn build(graph: &Graph, request: Request) -> Plan {
    let nodes = graph.nodes();
    let keep_all = matches!(request.purpose, Purpose::Inspect | Purpose::Attribute);
    let needed = needed(graph, &request, keep_all);
    let resolve = aliases(graph, &request);
    let backward = backward_set(graph, &request, &needed, &resolve);
    let fused_into = fusions(graph, &request, &needed, &resolve, &backward, keep_all);

    let mut draft = Draft::default();
    let mut steps: Vec<DraftStep> = Vec::new();
    let mut values: Vec<Option<BufferId>> = vec![None; nodes.len()];
    let mut saved: Vec<Option<BufferId>> = vec![None; nodes.len()];
    let mut label_values: Vec<Option<BufferId>> = vec![None; nodes.len()];

    // Inputs are there before the first step.
    for (number, node) in nodes.iter().enumerate() {
        if !needed[number] || !matches!(node.op, Op::Input(_)) {
            continue;
        }
        if node.dtype == DType::I32 {
            let size = node.shape.len() * request.rows;
            let width = node.shape.len();
            draft.labels.push(Buffer { width, per_batch: false, size, first: 0, last: usize::MAX, offset: 0 });
            label_values[number] = Some(draft.labels.len() - 1);
        } else {
            values[number] = Some(draft.buffer(node.shape.len(), false, request.rows, 0));
        }
    }

    for (number, node) in nodes.iter().enumerate() {
        let input = matches!(node.op, Op::Input(_));
        if !needed[number] || input || resolve[number] != number || values[number].is_some() {
            continue;
        }
        let now = steps.len();
        // A linear layer with a curve fused behind it writes the curve's value.
        let (target, fused) = match fused_into[number] {
            Some(curve) => (curve, Some(nodes[curve].op.clone())),
            None => (number, None),
        };
        let shapes = graph.shapes(&node.inputs);
        let needs = node.op.needs(&shapes);
        let output = draft.buffer(node.shape.len(), node.per_batch, request.rows, now);
        values[target] = Some(output);
        if needs.saved > 0 {
            saved[number] = Some(draft.buffer(needs.saved, false, request.rows, now));
        }
        let mut step = draft_step(graph, Pass::Forward, number);
        step.step.fused = fused;
        step.step.flops = node.op.cost(&shapes, &node.shape).forward
            + fused_into[number].map_or(0, |curve| nodes[curve].op.cost(&[&node.shape], &nodes[curve].shape).forward);
        for (slot, id) in node.inputs.iter().enumerate() {
            let source = resolve[id.0];
            if nodes[source].dtype == DType::I32 {
                step.labels = label_values[source];
            } else if let Some(buffer) = values[source] {
                draft.touch(buffer, now);
                step.inputs[slot] = Some(buffer);
            }
        }
        step.output = Some(output);
        step.saved = saved[number];
        let state = node.op.state(&shapes);
        if state > 0 {
            step.step.state = Some(Region { offset: draft.state, width: state, per_batch: false });
            draft.state += state * request.rows;
        }
        let way = if request.backward_from.is_some() { Way::Forward } else { Way::Predict };
        step.step.scratch = node.op.scratch(&shapes, way);
        steps.push(step);
    }
    let forward_steps = steps.len();

    let mut gradients: Vec<Option<BufferId>> = vec![None; nodes.len()];
    if let Some(start) = request.backward_from {
        let start = resolve[start.0];
        gradients[start] =
            Some(draft.buffer(nodes[start].shape.len(), nodes[start].per_batch, request.rows, forward_steps));
        for number in (0..=start).rev() {
            let node = &nodes[number];
            if resolve[number] != number || matches!(node.op, Op::Input(_)) {
                continue;
            }
            let Some(upstream) = gradients[number].filter(|_| backward[number]) else { continue };
            backward_steps(
                graph,
                &request,
                number,
                upstream,
                &resolve,
                &backward,
                &Values { values: &values, saved: &saved, labels: &label_values },
                &mut gradients,
                &mut draft,
                &mut steps,
            );
        }
        if request.purpose == Purpose::Train {
            let mut step = draft_step(graph, Pass::Update, start);
            step.step.op = Op::Input(Input);
            step.step.layer = "all".into();
            step.step.slots = std::iter::once(0..graph.slots().len()).collect();
            step.step.shape = Shape::default();
            steps.push(step);
        }
    }

    // What the caller reads afterwards lives to the end; an inspected plan overwrites nothing.
    let end = steps.len();
    let pinned = request.outputs.iter().chain(&request.backward_from);
    let mut pinned: Vec<BufferId> = pinned.filter_map(|id| values[resolve[id.0]]).collect();
    if keep_all {
        pinned = (0..draft.buffers.len()).collect();
    }
    for id in pinned {
        draft.buffers[id].first = if keep_all { 0 } else { draft.buffers[id].first };
        draft.touch(id, end);
    }

    let arena = place(&mut draft.buffers);
    let labels = place(&mut draft.labels);
    for number in 0..nodes.len() {
        let source = resolve[number];
        values[number] = values[source];
        gradients[number] = gradients[source];
        label_values[number] = label_values[source];
    }
    let at = |id: &Option<BufferId>| id.map(|id| region(&draft.buffers, id));
    let finished = steps
        .into_iter()
        .map(|draft_step| {
            let mut step = draft_step.step;
            step.inputs = draft_step.inputs.iter().map(at).collect();
            step.labels = draft_step.labels.map(|id| region(&draft.labels, id));
            step.output = at(&draft_step.output);
            step.saved = at(&draft_step.saved);
            step.upstream = at(&draft_step.upstream);
            step.input_gradients = draft_step.input_gradients.iter().map(at).collect();
            let operands =
                step.inputs.iter().chain(&step.input_gradients).chain([&step.output, &step.saved, &step.upstream]);
            step.row_elements = operands.flatten().map(|region| region.width as u64).sum();
            step
        })
        .collect();
    let values = (0..nodes.len())
        .map(|number| at(&values[number]).or(label_values[number].map(|id| region(&draft.labels, id))))
        .collect();
    Plan {
        steps: finished,
        forward_steps,
        values,
        gradients: gradients.iter().map(at).collect(),
        arena,
        labels,
        parameters: graph.slots().len(),
        state: draft.state,
        dtypes: nodes.iter().map(|node| node.dtype).collect(),
        request,
    }
}

struct Values<'a> {
    values: &'a [Option<BufferId>],
    saved: &'a [Option<BufferId>],
    labels: &'a [Option<BufferId>],
}

#[allow(clippy::too_many_arguments)]
fn backward_steps(
    graph: &Graph,
    request: &Request,
    number: usize,
    upstream: BufferId,
    resolve: &[usize],
    backward: &[bool],
    known: &Values<'_>,
    gradients: &mut [Option<BufferId>],
    draft: &mut Draft,
    steps: &mut Vec<DraftStep>,
) {
    let node: &Node = &graph.nodes()[number];
    let now = steps.len();
    let shapes = graph.shapes(&node.inputs);
    let needs = node.op.needs(&shapes);
    let mut step = draft_step(graph, Pass::Backward, number);
    step.step.flops = node.op.cost(&shapes, &node.shape).backward;
    step.step.scratch = node.op.scratch(&shapes, Way::Backward);
    draft.touch(upstream, now);
    step.upstream = Some(upstream);
    if needs.output
        && let Some(output) = known.values[number]
    {
        draft.touch(output, now);
        step.output = Some(output);
    }
    if let Some(saved) = known.saved[number] {
        draft.touch(saved, now);
        step.saved = Some(saved);
    }
    // Second and later gradients of one value are written aside and added, in node order.
    let mut additions = Vec::new();
    for (slot, id) in node.inputs.iter().enumerate() {
        let source = resolve[id.0];
        if graph.nodes()[source].dtype == DType::I32 {
            step.labels = known.labels[source];
            continue;
        }
        if needs.inputs
            && let Some(value) = known.values[source]
        {
            draft.touch(value, now);
            step.inputs[slot] = Some(value);
        }
        if !backward[source] || !node.op.differentiable(slot) {
            continue;
        }
        let width = graph.nodes()[source].shape.len();
        let target = draft.buffer(width, graph.nodes()[source].per_batch, request.rows, now);
        step.input_gradients[slot] = Some(target);
        match gradients[source] {
            None => gradients[source] = Some(target),
            Some(first) => additions.push((source, first, target)),
        }
    }
    steps.push(step);
    for (source, first, second) in additions {
        let now = steps.len();
        draft.touch(first, now);
        draft.touch(second, now);
        let mut add = draft_step(graph, Pass::Add, source);
        add.step.slots.clear();
        add.step.flops = graph.nodes()[source].shape.len() as u64;
        add.upstream = Some(second);
        add.input_gradients = vec![Some(first)];
        steps.push(add);
    }
}

fn draft_step(graph: &Graph, pass: Pass, number: usize) -> DraftStep {
    let node = &graph.nodes()[number];
    DraftStep {
        step: Step {
            pass,
            node: NodeId(number),
            layer: node.layer.clone(),
            op: node.op.clone(),
            fused: None,
            inputs: Vec::new(),
            labels: None,
            slots: node.slots.iter().map(|&id| graph.slots().get(id).range()).collect(),
            output: None,
            saved: None,
            upstream: None,
            input_gradients: Vec::new(),
            state: None,
            scratch: 0,
            input_shapes: graph.shapes(&node.inputs).into_iter().cloned().collect(),
            shape: node.shape.clone(),
            flops: 0,
            row_elements: 0,
        },
        inputs: vec![None; node.inputs.len()],
        labels: None,
        output: None,
        saved: None,
        upstream: None,
        input_gradients: vec![None; node.inputs.len()],
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

/// Where each node's value really is: a view stands where its input stands, and operations that only act while training
/// are taken out elsewhere.
fn aliases(graph: &Graph, request: &Request) -> Vec<usize> {
    let mut resolve: Vec<usize> = Vec::with_capacity(graph.nodes().len());
    for (number, node) in graph.nodes().iter().enumerate() {
        let out = node.op.is_view() || (node.op.training_only() && !request.training);
        resolve.push(if out { resolve[node.inputs[0].0] } else { number });
    }
    resolve
}

/// Nodes through which a gradient flows.
fn backward_set(graph: &Graph, request: &Request, needed: &[bool], resolve: &[usize]) -> Vec<bool> {
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

/// For each node that can compute a curve with its value (linear, convolution) the curve that is computed with it. Where a gradient flows only curves whose derivative is known
/// from their output are fused: the pre-activation is not kept.
fn fusions(
    graph: &Graph,
    request: &Request,
    needed: &[bool],
    resolve: &[usize],
    backward: &[bool],
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
            let kept = backward[curve] && op.needs(&[&node.shape]).inputs;
            if op.is_curve() && !kept {
                fused[number] = Some(curve);
            }
        }
    }
    fused
}
