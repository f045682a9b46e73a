//! From a graph to a list of steps: what to fuse, what to leave out, what to compute twice, where each value lies.

use super::analysis::Analysis;
use super::checkpoint;
use super::cuts::StepCuts;
use super::draft::{BufferId, Draft, DraftStep};
use super::place::{Buffer, place};
use super::{Pass, Plan, Purpose, Region, Request, Step};
use crate::graph::{Graph, NodeId};
use crate::ops::{Op, Pass as Way, input::Input, linear::Linear};
use crate::precision::Precision;
use crate::shape::Shape;

fn region(buffers: &[Buffer], id: BufferId) -> Region {
    let buffer = &buffers[id];
    Region { offset: buffer.offset, width: buffer.width, per_batch: buffer.per_batch }
}

pub(super) fn build(graph: &Graph, request: Request, late: &[NodeId]) -> Plan {
    let mut analysis = Analysis::new(graph, &request);
    if request.purpose == Purpose::Train && !request.checkpoint {
        for node in late.iter().filter(|node| matches!(graph.node(**node).op, Op::Linear(Linear { ntk: false, .. }))) {
            analysis.late[node.0] = analysis.attributed[node.0];
        }
    }
    let computed = analysis.computed(graph);
    let whole = checkpoint::Parts::new(graph, &request, &analysis, &computed, &[]);
    let plain = Draft::new(graph, &request, &analysis, &computed, &whole);
    let checkpoint = request.checkpoint && request.purpose == Purpose::Train && request.backward_from.is_some();
    let (mut draft, arena) =
        if checkpoint { checkpoint::smallest(graph, &request, &analysis, &computed, plain) } else { placed(plain) };
    let labels = place(&mut draft.label_buffers);

    let steps: Vec<Step> = draft.steps.iter().map(|step| finish(graph, &request, &analysis, &draft, step)).collect();
    let at = |id: Option<BufferId>| id.map(|id| region(&draft.buffers, id));
    let label_at = |id: Option<BufferId>| id.map(|id| region(&draft.label_buffers, id));
    let values = analysis.resolve.iter().map(|&source| at(draft.values[source]).or(label_at(draft.labels[source])));
    Plan {
        cuts: steps.iter().map(StepCuts::of).collect(),
        steps,
        forward_steps: draft.forward_steps,
        values: values.collect(),
        gradients: analysis.resolve.iter().map(|&source| at(draft.gradients[source])).collect(),
        arena,
        labels,
        parameters: graph.slots().len(),
        state: draft.state,
        dtypes: graph.nodes().iter().map(|node| node.dtype).collect(),
        precision: Precision::default(),
        request,
    }
}

/// The draft with its buffers in the arena, and the arena's length.
pub(super) fn placed(mut draft: Draft<'_>) -> (Draft<'_>, usize) {
    let arena = place(&mut draft.buffers);
    (draft, arena)
}

/// A step with everything that it says: places, costs, shapes.
fn finish(graph: &Graph, request: &Request, analysis: &Analysis, draft: &Draft<'_>, step: &DraftStep) -> Step {
    let node = &graph.nodes()[step.node];
    let at = |id: &Option<BufferId>| id.map(|id| region(&draft.buffers, id));
    let shapes = graph.shapes(&node.inputs);
    let inputs: Vec<Option<Region>> = step.inputs[..node.inputs.len()].iter().map(at).collect();
    let gradients = if step.pass == Pass::Add { 1 } else { node.inputs.len() };
    let input_gradients: Vec<Option<Region>> = step.input_gradients[..gradients].iter().map(at).collect();
    let (output, saved, upstream) = (at(&step.output), at(&step.saved), at(&step.upstream));
    let operands = inputs.iter().chain(&input_gradients).chain([&output, &saved, &upstream]);
    let row_elements = operands.flatten().map(|region| region.width as u64).sum();
    let mut finished = Step {
        pass: step.pass,
        node: NodeId(step.node),
        layer: node.layer.clone(),
        op: node.op.clone(),
        fused: None,
        inputs,
        labels: step.labels.map(|id| region(&draft.label_buffers, id)),
        slots: node.slots.iter().map(|&id| graph.slots().get(id).range()).collect(),
        output,
        saved,
        upstream,
        late: analysis.late[step.node] && matches!(step.pass, Pass::Backward | Pass::Update),
        input_gradients,
        state: step.state,
        scratch: 0,
        input_shapes: shapes.iter().map(|&shape| shape.clone()).collect(),
        shape: node.shape.clone(),
        flops: 0,
        row_elements,
    };
    match step.pass {
        Pass::Forward | Pass::Recompute => {
            let curve = analysis.fused[step.node].map(|curve| &graph.nodes()[curve]);
            let way = if request.backward_from.is_some() { Way::Forward } else { Way::Predict };
            finished.fused = curve.map(|curve| curve.op.clone());
            finished.scratch = node.op.scratch(&shapes, way);
            finished.flops = node.op.cost(&shapes, &node.shape).forward
                + curve.map_or(0, |curve| curve.op.cost(&[&node.shape], &curve.shape).forward);
        }
        Pass::Backward => {
            finished.scratch = node.op.scratch(&shapes, Way::Backward);
            finished.flops = node.op.cost(&shapes, &node.shape).backward;
            if finished.input_gradients.first().is_some_and(Option::is_none) {
                finished.flops = finished.flops.saturating_sub(node.op.input_cost(&shapes, &node.shape));
            }
            if finished.late {
                finished.flops -= late_flops(&finished);
            }
        }
        Pass::Update if finished.late => {
            finished.flops = late_flops(&finished);
            finished.slots.truncate(1);
        }
        Pass::Add => {
            finished.slots.clear();
            finished.flops = node.shape.len() as u64;
        }
        Pass::Update => {
            finished.op = Op::Input(Input);
            finished.layer = "all".into();
            finished.slots = std::iter::once(0..graph.slots().len()).collect();
            finished.shape = Shape::default();
        }
    }
    finished
}

/// FLOPs of one row of the product that makes a weight's gradient.
fn late_flops(step: &Step) -> u64 {
    2 * step.input_shapes.first().map_or(0, Shape::last) as u64 * step.shape.len() as u64
}
