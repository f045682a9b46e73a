//! The runner: it owns the arena that a plan describes and runs the plan's steps in it. A step allocates nothing.

use std::ops::Range;
use std::sync::Arc;

use crate::graph::NodeId;
use crate::ops::{Backward, Context, Forward, MAX_INPUTS, MAX_SLOTS};
use crate::plan::{Pass, Plan, Region, Step};
use crate::{Real, Team};

/// Most regions that one step touches: inputs, their gradients, output, saved, upstream.
const MAX_REGIONS: usize = 2 * MAX_INPUTS + 3;

/// What a step is told besides its data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepInfo {
    /// Seed of the run.
    pub seed: u64,
    /// Epoch, from 0.
    pub epoch: u32,
    /// Place in the epoch of the batch's first row.
    pub position: u64,
    /// What the mean loss divides by: the sum of weights of the whole, accumulated batch.
    pub denominator: f64,
    /// Time steps that the states hold already; 0 starts a sequence anew.
    pub time: usize,
}

impl Default for StepInfo {
    fn default() -> Self {
        StepInfo { seed: 0, epoch: 0, position: 0, denominator: 1.0, time: 0 }
    }
}

/// Runs a plan.
#[derive(Debug)]
pub struct Runner<T> {
    plan: Arc<Plan>,
    team: Team,
    arena: Vec<T>,
    labels: Vec<i32>,
    state: Vec<T>,
    scratch: Vec<T>,
    rows: usize,
}

impl<T: Real> Runner<T> {
    /// Takes the memory that the plan forecasts, and a handle to the threads.
    pub fn new(plan: Arc<Plan>, team: Team) -> Self {
        let arena = vec![T::ZERO; plan.arena_len()];
        let labels = vec![0; plan.labels_len()];
        let state = vec![T::ZERO; plan.state_len()];
        let scratch = vec![T::ZERO; plan.scratch_len() * team.threads()];
        Runner { plan, team, arena, labels, state, scratch, rows: 0 }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Sets the number of live rows; at most the plan's capacity.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows.min(self.plan.request().rows);
    }

    /// Live rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where an input's values go (live rows); empty where the plan does not read that input.
    pub fn input_mut(&mut self, input: NodeId) -> &mut [T] {
        match self.plan.value(input) {
            Some(region) => &mut self.arena[region.range(self.rows)],
            None => &mut [],
        }
    }

    /// Where an integer input's values go (live rows).
    pub fn labels_mut(&mut self, input: NodeId) -> &mut [i32] {
        match self.plan.label_region(input) {
            Some(region) => &mut self.labels[region.range(self.rows)],
            None => &mut [],
        }
    }

    /// What the operations keep from step to step (caches, carries), all nodes' one after the other: to save and to set.
    pub fn state_mut(&mut self) -> &mut [T] {
        &mut self.state
    }

    /// The same, to look at.
    pub fn state(&self) -> &[T] {
        &self.state
    }

    /// A node's value after forward (live rows). In a plan that is not for inspection, memory is used again: only the
    /// requested outputs can be relied on.
    pub fn value(&self, node: NodeId) -> Option<&[T]> {
        self.plan.value(node).map(|region| &self.arena[region.range(self.rows)])
    }

    /// The gradient of a node's value after backward (live rows); the same caution.
    pub fn gradient(&self, node: NodeId) -> Option<&[T]> {
        self.plan.gradient(node).map(|region| &self.arena[region.range(self.rows)])
    }

    /// The gradient that backward starts from, to be set before [`Runner::backward_from_seed`].
    pub fn seed_mut(&mut self) -> &mut [T] {
        match self.plan.request().backward_from.and_then(|node| self.plan.gradient(node)) {
            Some(region) => &mut self.arena[region.range(self.rows)],
            None => &mut [],
        }
    }

    /// Runs the forward steps. `parameters` is the flat buffer.
    pub fn forward(&mut self, parameters: &[T], info: &StepInfo) {
        let plan = Arc::clone(&self.plan);
        for step in &plan.steps()[..plan.forward_steps()] {
            self.run_forward(step, parameters, info);
        }
    }

    /// Runs the forward steps up to and including the one that computes `node`: a prefix of the plan.
    pub fn forward_to(&mut self, node: NodeId, parameters: &[T], info: &StepInfo) {
        let plan = Arc::clone(&self.plan);
        for step in plan.steps()[..plan.forward_steps()].iter().take_while(|step| step.node <= node) {
            self.run_forward(step, parameters, info);
        }
    }

    /// Runs the backward steps from gradient 1 of the node that the plan starts from; adds to `gradients` (flat, the
    /// parameters' layout).
    pub fn backward(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        self.seed_mut().fill(T::ONE);
        self.backward_from_seed(parameters, gradients, info);
    }

    /// Runs the backward steps (and before them what they read and forward did not keep) from the gradient in [`Runner::seed_mut`].
    pub fn backward_from_seed(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        let plan = Arc::clone(&self.plan);
        for step in &plan.steps()[plan.forward_steps()..] {
            match step.pass {
                Pass::Recompute => self.run_forward(step, parameters, info),
                Pass::Backward => self.run_backward(step, parameters, gradients, info),
                Pass::Add => self.run_add(step),
                Pass::Forward | Pass::Update => {}
            }
        }
    }

    fn context<'a>(team: &'a Team, training: bool, step: &Step, info: &StepInfo) -> Context<'a> {
        Context {
            team,
            training,
            seed: info.seed,
            epoch: info.epoch,
            position: info.position,
            denominator: info.denominator,
            node: step.node.0 as u32,
            time: info.time,
        }
    }

    fn run_forward(&mut self, step: &Step, parameters: &[T], info: &StepInfo) {
        let rows = self.rows;
        let context = Self::context(&self.team, self.plan.request().training, step, info);
        let mut reads: [Option<Region>; MAX_REGIONS] = [None; MAX_REGIONS];
        reads[..step.inputs.len()].copy_from_slice(&step.inputs);
        let (inputs, writes) = carve(&mut self.arena, rows, &reads, &[step.output, step.saved]);
        let [output, saved, ..] = writes;
        let slots = slot_views(parameters, step);
        let labels = step.labels.map_or(&[][..], |region| &self.labels[region.range(rows)]);
        let state = step.state.map_or(&mut [][..], |region| &mut self.state[region.range(rows)]);
        let io = Forward {
            rows,
            shapes: &step.input_shapes,
            inputs: &inputs[..step.inputs.len()],
            labels,
            parameters: &slots[..step.slots.len()],
            output,
            saved,
            curve: step.fused.as_ref(),
            state,
            scratch: &mut self.scratch[..step.scratch * self.team.threads()],
            context: &context,
        };
        step.op.forward(io);
    }

    fn run_backward(&mut self, step: &Step, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        let rows = self.rows;
        let context = Self::context(&self.team, self.plan.request().training, step, info);
        let mut reads: [Option<Region>; MAX_REGIONS] = [None; MAX_REGIONS];
        let count = step.inputs.len();
        reads[..count].copy_from_slice(&step.inputs);
        reads[count..count + 3].copy_from_slice(&[step.output, step.saved, step.upstream]);
        let (values, writes) = carve(&mut self.arena, rows, &reads, &step.input_gradients);
        let mut input_gradients: [Option<&mut [T]>; MAX_REGIONS] = [const { None }; MAX_REGIONS];
        for ((slot, wanted), piece) in input_gradients.iter_mut().zip(&step.input_gradients).zip(writes) {
            *slot = wanted.map(|_| piece);
        }
        let slots = slot_views(parameters, step);
        let mut slot_gradients = slot_views_mut(gradients, step);
        step.op.backward(Backward {
            rows,
            shapes: &step.input_shapes,
            inputs: &values[..count],
            labels: step.labels.map_or(&[][..], |region| &self.labels[region.range(rows)]),
            parameters: &slots[..step.slots.len()],
            output: values[count],
            saved: values[count + 1],
            upstream: values[count + 2],
            input_gradients: &mut input_gradients[..step.input_gradients.len()],
            parameter_gradients: &mut slot_gradients[..step.slots.len()],
            scratch: &mut self.scratch[..step.scratch * self.team.threads()],
            context: &context,
        });
    }

    fn run_add(&mut self, step: &Step) {
        let target = step.input_gradients.first().copied().flatten();
        let (reads, [total, ..]) = carve(&mut self.arena, self.rows, &[step.upstream], &[target]);
        for (total, &more) in total.iter_mut().zip(reads[0]) {
            *total += more;
        }
    }

    /// Fills the arena with a pattern that [`Runner::touched`] recognises: to measure what a step really uses.
    pub fn mark(&mut self) {
        self.arena.fill(T::from_f64(MARK));
    }

    /// One past the last arena element that changed since [`Runner::mark`].
    pub fn touched(&self) -> usize {
        self.arena.iter().rposition(|&value| value != T::from_f64(MARK)).map_or(0, |last| last + 1)
    }
}

/// A value that no step computes by chance.
const MARK: f64 = 1.234_567_890_123_456e-30;

/// Splits the arena into the regions that a step reads (the same region may be read twice) and those that it writes.
/// The plan never lets a written region overlap another; should it, the later piece comes out empty.
#[allow(clippy::type_complexity)]
fn carve<'a, T>(
    arena: &'a mut [T],
    rows: usize,
    reads: &[Option<Region>],
    writes: &[Option<Region>],
) -> ([&'a [T]; MAX_REGIONS], [&'a mut [T]; MAX_REGIONS]) {
    let mut shared: [&'a [T]; MAX_REGIONS] = [&[]; MAX_REGIONS];
    let mut exclusive: [&'a mut [T]; MAX_REGIONS] = std::array::from_fn(|_| Default::default());
    // (range, place in `reads`, or in `writes` when past MAX_REGIONS), sorted by insertion: there are few.
    let mut order: [(Range<usize>, usize); 2 * MAX_REGIONS] = [const { (0..0, usize::MAX) }; 2 * MAX_REGIONS];
    let mut count = 0;
    let numbered = reads.iter().enumerate().chain(writes.iter().enumerate().map(|(i, w)| (i + MAX_REGIONS, w)));
    for (place, region) in numbered {
        let Some(range) = region.map(|region| region.range(rows)).filter(|range| !range.is_empty()) else { continue };
        let mut at = count;
        while at > 0 && order[at - 1].0.start > range.start {
            order.swap(at - 1, at);
            at -= 1;
        }
        order[at] = (range, place);
        count += 1;
    }
    let mut rest = arena;
    let mut consumed = 0;
    let mut last: (Range<usize>, &'a [T]) = (0..0, &[]);
    for (range, place) in &order[..count] {
        if *range == last.0 && *place < MAX_REGIONS {
            shared[*place] = last.1;
            continue;
        }
        if range.start < consumed {
            debug_assert!(false, "regions of a step overlap");
            continue;
        }
        let (_, tail) = rest.split_at_mut(range.start - consumed);
        let (piece, tail) = tail.split_at_mut(range.len());
        rest = tail;
        consumed = range.end;
        if *place < MAX_REGIONS {
            let piece: &'a [T] = piece;
            shared[*place] = piece;
            last = (range.clone(), piece);
        } else {
            exclusive[*place - MAX_REGIONS] = piece;
        }
    }
    (shared, exclusive)
}

fn slot_views<'a, T>(parameters: &'a [T], step: &Step) -> [&'a [T]; MAX_SLOTS] {
    let mut views: [&[T]; MAX_SLOTS] = [&[]; MAX_SLOTS];
    for (view, range) in views.iter_mut().zip(&step.slots) {
        *view = &parameters[range.clone()];
    }
    views
}

/// Views of the gradients of a step's slots, which stand in the flat buffer in any order.
fn slot_views_mut<'a, T>(gradients: &'a mut [T], step: &Step) -> [&'a mut [T]; MAX_SLOTS] {
    let mut regions: [Option<Region>; MAX_SLOTS] = [None; MAX_SLOTS];
    for (region, range) in regions.iter_mut().zip(&step.slots) {
        *region = Some(Region { offset: range.start, width: range.len(), per_batch: true });
    }
    let (_, pieces) = carve(gradients, 1, &[], &regions);
    let mut views: [&mut [T]; MAX_SLOTS] = std::array::from_fn(|_| Default::default());
    for (view, piece) in views.iter_mut().zip(pieces) {
        *view = piece;
    }
    views
}
