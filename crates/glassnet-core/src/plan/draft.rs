//! The steps of a plan before anything has a place in memory: their order, and how long each value lives.

use super::analysis::Analysis;
use super::checkpoint::Parts;
use super::place::Buffer;
use super::{Pass, Purpose, Region, Request};
use crate::graph::Graph;
use crate::ops::{MAX_INPUTS, Op};
use crate::shape::DType;

/// Which buffer, while offsets are not known yet.
pub(super) type BufferId = usize;

/// A step whose regions are buffer numbers still.
#[derive(Debug, Clone, Copy)]
pub(super) struct DraftStep {
    pub pass: Pass,
    pub node: usize,
    pub inputs: [Option<BufferId>; MAX_INPUTS],
    pub labels: Option<BufferId>,
    pub output: Option<BufferId>,
    pub saved: Option<BufferId>,
    pub upstream: Option<BufferId>,
    pub input_gradients: [Option<BufferId>; MAX_INPUTS],
    pub state: Option<Region>,
}

impl DraftStep {
    fn new(pass: Pass, node: usize) -> Self {
        DraftStep {
            pass,
            node,
            inputs: [None; MAX_INPUTS],
            labels: None,
            output: None,
            saved: None,
            upstream: None,
            input_gradients: [None; MAX_INPUTS],
            state: None,
        }
    }
}

/// All steps, and the buffers that they read and write.
pub(super) struct Draft<'a> {
    graph: &'a Graph,
    request: &'a Request,
    analysis: &'a Analysis,
    pub steps: Vec<DraftStep>,
    pub forward_steps: usize,
    pub buffers: Vec<Buffer>,
    pub label_buffers: Vec<Buffer>,
    /// By node, as all below: its value; after the recomputation of its part the recomputed one.
    pub values: Vec<Option<BufferId>>,
    saved: Vec<Option<BufferId>>,
    pub labels: Vec<Option<BufferId>>,
    pub gradients: Vec<Option<BufferId>>,
    pub state: usize,
}

impl<'a> Draft<'a> {
    /// Lays out the steps; `computed` are the nodes with a forward step, `parts` says what is computed a second time.
    pub(super) fn new(
        graph: &'a Graph,
        request: &'a Request,
        analysis: &'a Analysis,
        computed: &[usize],
        parts: &Parts,
    ) -> Self {
        let count = graph.nodes().len();
        let mut draft = Draft {
            graph,
            request,
            analysis,
            steps: Vec::with_capacity(4 * count),
            forward_steps: 0,
            buffers: Vec::with_capacity(4 * count),
            label_buffers: Vec::new(),
            values: vec![None; count],
            saved: vec![None; count],
            labels: vec![None; count],
            gradients: vec![None; count],
            state: 0,
        };
        draft.inputs();
        for &number in computed {
            draft.forward(number);
        }
        draft.forward_steps = draft.steps.len();
        if let Some(start) = request.backward_from {
            draft.backward(analysis.resolve[start.0], computed, parts);
        }
        draft.pin();
        draft
    }

    /// Most elements that are alive at one step: what the arena takes at least.
    pub(super) fn peak(&self) -> usize {
        let mut change = vec![0isize; self.steps.len() + 2];
        for buffer in &self.buffers {
            change[buffer.first] += buffer.size as isize;
            change[buffer.last + 1] -= buffer.size as isize;
        }
        let mut alive = 0;
        change.iter().fold(0, |peak: isize, change| {
            alive += change;
            peak.max(alive)
        }) as usize
    }

    fn buffer(&mut self, width: usize, per_batch: bool) -> BufferId {
        let size = width * if per_batch { 1 } else { self.request.rows };
        let now = self.steps.len();
        self.buffers.push(Buffer { width, per_batch, size, first: now, last: now, offset: 0 });
        self.buffers.len() - 1
    }

    fn value_buffer(&mut self, number: usize) -> BufferId {
        let node = &self.graph.nodes()[number];
        self.buffer(node.shape.len(), node.per_batch)
    }

    /// The step that comes next reads or writes `id`.
    fn touch(&mut self, id: BufferId) {
        let now = self.steps.len();
        let buffer = &mut self.buffers[id];
        buffer.first = buffer.first.min(now);
        buffer.last = buffer.last.max(now);
    }

    /// Inputs are there before the first step.
    fn inputs(&mut self) {
        for (number, node) in self.graph.nodes().iter().enumerate() {
            if !self.analysis.needed[number] || !matches!(node.op, Op::Input(_)) {
                continue;
            }
            if node.dtype == DType::I32 {
                let width = node.shape.len();
                let size = width * self.request.rows;
                self.label_buffers.push(Buffer {
                    width,
                    per_batch: false,
                    size,
                    first: 0,
                    last: usize::MAX,
                    offset: 0,
                });
                self.labels[number] = Some(self.label_buffers.len() - 1);
            } else {
                self.values[number] = Some(self.buffer(node.shape.len(), false));
            }
        }
    }

    /// What a step reads as its inputs.
    fn read_inputs(&mut self, step: &mut DraftStep) {
        let graph = self.graph;
        for (slot, id) in graph.nodes()[step.node].inputs.iter().enumerate() {
            let source = self.analysis.resolve[id.0];
            if graph.nodes()[source].dtype == DType::I32 {
                step.labels = self.labels[source];
            } else if let Some(buffer) = self.values[source] {
                self.touch(buffer);
                step.inputs[slot] = Some(buffer);
            }
        }
    }

    fn forward(&mut self, number: usize) {
        let node = &self.graph.nodes()[number];
        // A linear layer with a curve fused behind it writes the curve's value.
        let target = self.analysis.target(number);
        let output = self.buffer(node.shape.len(), node.per_batch);
        self.values[target] = Some(output);
        // Without a backward there is nothing to keep it for.
        let saved = self.analysis.needs[number].saved;
        if saved > 0 && self.request.backward_from.is_some() {
            self.saved[number] = Some(self.buffer(saved, false));
        }
        let mut step = DraftStep::new(Pass::Forward, number);
        self.read_inputs(&mut step);
        step.output = Some(output);
        step.saved = self.saved[number];
        let width = node.op.state(&self.graph.shapes(&node.inputs));
        if width > 0 {
            step.state = Some(Region { offset: self.state, width, per_batch: false });
            self.state += width * self.request.rows;
        }
        self.steps.push(step);
    }

    /// Forward once more, into fresh buffers; a value that was kept is written again where it stands (the same bytes),
    /// for what its step saves.
    fn recompute(&mut self, number: usize, kept: bool) {
        let mut step = DraftStep::new(Pass::Recompute, number);
        self.read_inputs(&mut step);
        let target = self.analysis.target(number);
        if !kept {
            self.values[target] = Some(self.value_buffer(target));
        }
        if let Some(output) = self.values[target] {
            self.touch(output);
            step.output = Some(output);
        }
        let saved = self.analysis.needs[number].saved;
        if saved > 0 {
            self.saved[number] = Some(self.buffer(saved, false));
            step.saved = self.saved[number];
        }
        self.steps.push(step);
    }

    fn backward(&mut self, start: usize, computed: &[usize], parts: &Parts) {
        self.gradients[start] = Some(self.value_buffer(start));
        let mut part = parts.of[start];
        for number in (0..=start).rev() {
            if !self.analysis.attributed[number] {
                continue;
            }
            let Some(upstream) = self.gradients[number] else { continue };
            if parts.of[number] < part {
                part = parts.of[number];
                for &number in computed.iter().filter(|&&number| parts.of[number] == part && parts.again[number]) {
                    self.recompute(number, parts.kept[self.analysis.target(number)]);
                }
            }
            self.backward_steps(number, upstream);
        }
        for number in (0..=start).rev().filter(|&number| self.analysis.late[number]) {
            let Some(upstream) = self.gradients[number] else { continue };
            let mut step = DraftStep::new(Pass::Update, number);
            self.read_inputs(&mut step);
            self.touch(upstream);
            step.upstream = Some(upstream);
            self.steps.push(step);
        }
        if self.request.purpose == Purpose::Train {
            self.steps.push(DraftStep::new(Pass::Update, start));
        }
    }

    fn backward_steps(&mut self, number: usize, upstream: BufferId) {
        let (graph, analysis) = (self.graph, self.analysis);
        let nodes = graph.nodes();
        let needs = analysis.needs[number];
        let mut step = DraftStep::new(Pass::Backward, number);
        self.touch(upstream);
        step.upstream = Some(upstream);
        if needs.output
            && let Some(output) = self.values[number]
        {
            self.touch(output);
            step.output = Some(output);
        }
        if let Some(saved) = self.saved[number] {
            self.touch(saved);
            step.saved = Some(saved);
        }
        // Second and later gradients of one value are written aside and added, in node order.
        let mut additions = [None; MAX_INPUTS];
        for (slot, id) in nodes[number].inputs.iter().enumerate() {
            let source = analysis.resolve[id.0];
            if nodes[source].dtype == DType::I32 {
                step.labels = self.labels[source];
                continue;
            }
            if needs.inputs
                && let Some(value) = self.values[source]
            {
                self.touch(value);
                step.inputs[slot] = Some(value);
            }
            if !analysis.flows[source] || !nodes[number].op.differentiable(slot) {
                continue;
            }
            let target = self.value_buffer(source);
            step.input_gradients[slot] = Some(target);
            match self.gradients[source] {
                None => self.gradients[source] = Some(target),
                Some(first) => additions[slot] = Some((source, first, target)),
            }
        }
        self.steps.push(step);
        for (source, first, second) in additions.into_iter().flatten() {
            self.touch(first);
            self.touch(second);
            let mut add = DraftStep::new(Pass::Add, source);
            add.upstream = Some(second);
            add.input_gradients[0] = Some(first);
            self.steps.push(add);
        }
    }

    /// What the caller reads afterwards lives to the end; an inspected plan overwrites nothing.
    fn pin(&mut self) {
        if self.analysis.keep_all {
            for id in 0..self.buffers.len() {
                self.buffers[id].first = 0;
                self.touch(id);
            }
            return;
        }
        let request = self.request;
        for id in request.outputs.iter().chain(&request.backward_from) {
            if let Some(value) = self.values[self.analysis.resolve[id.0]] {
                self.touch(value);
            }
        }
    }
}
