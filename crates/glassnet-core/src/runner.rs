//! The runner: it owns the arena that a plan describes and runs the plan's steps in it. A step allocates nothing.

mod carve;

use std::sync::Arc;

use glassnet_kernels::lanes::update;

use crate::graph::NodeId;
use crate::ops::add::Add;
use crate::ops::{Backward, Context, Forward, MAX_INPUTS, MAX_SLOTS};
use crate::plan::{Pass, Plan, Region, Step};
use crate::precision::Precision;
use crate::{Real, Team};
use carve::Cuts;

/// What a backward step may read: its inputs, its output, what forward saved, the upstream gradient.
const MAX_READS: usize = MAX_INPUTS + 3;
/// Elements of a sum of gradients that are worth a thread.
const ADD_PART: usize = 1 << 15;

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
    /// Where each step cuts the arena, and where the gradients of its slots.
    cuts: Arc<[(Cuts, Cuts)]>,
}

/// What a step works on besides the arena.
struct At<'a, 'p, T> {
    rows: usize,
    training: bool,
    precision: Precision,
    team: &'a Team,
    info: &'a StepInfo,
    parameters: &'p [T],
}

/// The buffers of a runner.
struct Buffers<'a, T> {
    arena: &'a mut [T],
    labels: &'a [i32],
    state: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Real> Runner<T> {
    /// Takes the memory that the plan forecasts, and a handle to the threads.
    pub fn new(plan: Arc<Plan>, team: Team) -> Self {
        let arena = vec![T::ZERO; plan.arena_len()];
        let labels = vec![0; plan.labels_len()];
        let state = vec![T::ZERO; plan.state_len()];
        let scratch = vec![T::ZERO; plan.scratch_len() * team.threads()];
        let cuts = plan.steps().iter().map(|step| (arena_cuts(step), slot_cuts(step))).collect();
        Runner { plan, team, arena, labels, state, scratch, rows: 0, cuts }
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The threads that it runs on.
    pub fn team(&self) -> &Team {
        &self.team
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
        let forward = self.plan.forward_steps();
        self.run(0..forward, None, parameters, &mut [], info);
    }

    /// Runs the forward steps up to and including the one that computes `node`: a prefix of the plan.
    pub fn forward_to(&mut self, node: NodeId, parameters: &[T], info: &StepInfo) {
        let forward = self.plan.forward_steps();
        self.run(0..forward, Some(node), parameters, &mut [], info);
    }

    /// Runs the backward steps from gradient 1 of the node that the plan starts from; adds to `gradients` (flat, the
    /// parameters' layout).
    pub fn backward(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        self.seed_mut().fill(T::ONE);
        self.backward_from_seed(parameters, gradients, info);
    }

    /// Runs the backward steps (and before them what they read and forward did not keep) from the gradient in [`Runner::seed_mut`].
    pub fn backward_from_seed(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        let steps = self.plan.forward_steps()..self.plan.steps().len();
        self.run(steps, None, parameters, gradients, info);
    }

    /// Forward and backward (from gradient 1, as [`Runner::backward`]), step by step: `seen` is called after each one. To
    /// measure what each takes.
    pub fn run_seen(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo, seen: &mut dyn FnMut(&Step)) {
        for number in 0..self.plan.steps().len() {
            if number == self.plan.forward_steps() {
                self.seed_mut().fill(T::ONE);
            }
            self.run(number..number + 1, None, parameters, gradients, info);
            seen(&self.plan.steps()[number]);
        }
    }

    /// Runs those steps, up to the one that computes `last` where one is given.
    fn run(
        &mut self,
        steps: std::ops::Range<usize>,
        last: Option<NodeId>,
        parameters: &[T],
        gradients: &mut [T],
        info: &StepInfo,
    ) {
        let Runner { plan, team, arena, labels, state, scratch, rows, cuts } = self;
        let training = plan.request().training;
        let precision = plan.precision();
        let at = At { rows: *rows, training, precision, team, info, parameters };
        for (step, (cuts, slot_cuts)) in plan.steps()[steps.clone()].iter().zip(&cuts[steps]) {
            if last.is_some_and(|last| step.node > last) {
                break;
            }
            let buffers = Buffers { arena, labels, state, scratch };
            match step.pass {
                Pass::Forward | Pass::Recompute => at.forward(step, cuts, buffers),
                Pass::Backward => at.backward(step, cuts, slot_cuts, buffers, gradients),
                Pass::Add => at.add(cuts, buffers),
                Pass::Update => {}
            }
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

/// Where a step cuts the arena: a forward step reads its inputs and writes its output and what it saves; a backward step
/// reads inputs, output, saved and upstream, and writes the gradients of the inputs; an addition reads one and writes one.
fn arena_cuts(step: &Step) -> Cuts {
    match step.pass {
        Pass::Forward | Pass::Recompute => Cuts::new(&step.inputs, &[step.output, step.saved]),
        Pass::Backward => {
            let mut reads = [None; MAX_READS];
            reads[..step.inputs.len()].copy_from_slice(&step.inputs);
            reads[MAX_INPUTS..].copy_from_slice(&[step.output, step.saved, step.upstream]);
            Cuts::new(&reads, &step.input_gradients)
        }
        Pass::Add => Cuts::new(&[step.upstream], &step.input_gradients[..step.input_gradients.len().min(1)]),
        Pass::Update => Cuts::new(&[], &[]),
    }
}

/// Where a step cuts the flat buffer of gradients: its slots, which stand there in any order.
fn slot_cuts(step: &Step) -> Cuts {
    let region = |range: &std::ops::Range<usize>| Region { offset: range.start, width: range.len(), per_batch: true };
    let slots: Vec<Option<Region>> = step.slots.iter().map(|range| Some(region(range))).collect();
    match step.pass {
        Pass::Backward => Cuts::new(&[], &slots),
        _ => Cuts::new(&[], &[]),
    }
}

impl<T: Real> At<'_, '_, T> {
    fn context(&self, step: &Step) -> Context<'_> {
        Context {
            team: self.team,
            training: self.training,
            seed: self.info.seed,
            epoch: self.info.epoch,
            position: self.info.position,
            denominator: self.info.denominator,
            node: step.node.0 as u32,
            time: self.info.time,
            precision: self.precision,
        }
    }

    fn slots(&self, step: &Step) -> [&[T]; MAX_SLOTS] {
        let mut views: [&[T]; MAX_SLOTS] = [&[]; MAX_SLOTS];
        for (view, range) in views.iter_mut().zip(&step.slots) {
            *view = &self.parameters[range.clone()];
        }
        views
    }

    fn forward(&self, step: &Step, cuts: &Cuts, buffers: Buffers<'_, T>) {
        let context = self.context(step);
        let (inputs, [output, saved]) = cuts.carve::<T, MAX_INPUTS, 2>(buffers.arena, self.rows);
        let slots = self.slots(step);
        step.op.forward(Forward {
            rows: self.rows,
            shapes: &step.input_shapes,
            inputs: &inputs[..step.inputs.len()],
            labels: step.labels.map_or(&[][..], |region| &buffers.labels[region.range(self.rows)]),
            parameters: &slots[..step.slots.len()],
            output,
            saved,
            curve: step.fused.as_ref(),
            state: step.state.map_or(&mut [][..], |region| &mut buffers.state[region.range(self.rows)]),
            scratch: &mut buffers.scratch[..step.scratch * self.team.threads()],
            context: &context,
        });
    }

    fn backward(&self, step: &Step, cuts: &Cuts, slot_cuts: &Cuts, buffers: Buffers<'_, T>, gradients: &mut [T]) {
        let context = self.context(step);
        let (values, pieces) = cuts.carve::<T, MAX_READS, MAX_INPUTS>(buffers.arena, self.rows);
        let mut input_gradients: [Option<&mut [T]>; MAX_INPUTS] = [const { None }; MAX_INPUTS];
        for ((slot, wanted), piece) in input_gradients.iter_mut().zip(&step.input_gradients).zip(pieces) {
            *slot = wanted.map(|_| piece);
        }
        let slots = self.slots(step);
        let (_, mut slot_gradients) = slot_cuts.carve::<T, 0, MAX_SLOTS>(gradients, 1);
        let [output, saved, upstream] = [values[MAX_INPUTS], values[MAX_INPUTS + 1], values[MAX_INPUTS + 2]];
        step.op.backward(Backward {
            rows: self.rows,
            shapes: &step.input_shapes,
            inputs: &values[..step.inputs.len()],
            labels: step.labels.map_or(&[][..], |region| &buffers.labels[region.range(self.rows)]),
            parameters: &slots[..step.slots.len()],
            output,
            saved,
            upstream,
            input_gradients: &mut input_gradients[..step.input_gradients.len()],
            parameter_gradients: &mut slot_gradients[..step.slots.len()],
            scratch: &mut buffers.scratch[..step.scratch * self.team.threads()],
            context: &context,
        });
    }

    fn add(&self, cuts: &Cuts, buffers: Buffers<'_, T>) {
        let ([more], [total]) = cuts.carve::<T, 1, 1>(buffers.arena, self.rows);
        self.team.split_rows(total, 1, ADD_PART, &|first, total| {
            update(Add, &more[first..][..total.len()], total);
        });
    }
}
