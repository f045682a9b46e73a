//! The runner: it owns the arena that a plan describes and runs the plan's steps in it. A step allocates nothing.

use std::sync::Arc;

use glassnet_kernels::lanes::update;

use crate::graph::NodeId;
use crate::ops::add::Add;
use crate::ops::linear::Linear;
use crate::ops::{Backward, Context, Forward, MAX_INPUTS, MAX_SLOTS, Op};
use crate::plan::{MAX_READS, Pass, Plan, Region, Step, StepCuts};
use crate::prepared::Prepared;
use crate::{Real, Team};

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
    /// What every dropout's probability is multiplied by, in [0, 1]: its schedule's value.
    pub dropout: f64,
}

impl Default for StepInfo {
    fn default() -> Self {
        StepInfo { seed: 0, epoch: 0, position: 0, denominator: 1.0, time: 0, dropout: 1.0 }
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

/// What a step works on besides the arena.
struct At<'a, 'p, T> {
    rows: usize,
    /// What an operation is told; the node changes from step to step.
    context: Context<'a>,
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
        Runner { plan, team, arena, labels, state, scratch, rows: 0 }
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

    /// Runs the forward steps with parameters that were prepared for one row at a time; more rows go the way of
    /// [`Runner::forward`]. Both give the same bytes.
    pub fn forward_prepared(&mut self, prepared: &Prepared<T>, info: &StepInfo) {
        if self.rows != 1 || !std::ptr::eq(prepared.plan(), Arc::as_ptr(&self.plan)) {
            return self.forward(prepared.parameters(), info);
        }
        let Runner { plan, team, arena, labels, state, scratch, rows } = self;
        let mut at = At::new(*rows, plan, team, info, prepared.parameters());
        let forward = plan.forward_steps();
        for ((step, cuts), weights) in plan.steps()[..forward].iter().zip(plan.cuts()).zip(prepared.weights()) {
            match weights {
                Some(weights) => {
                    let ([x], [y]) = cuts.arena.carve::<T, 1, 1>(arena, 1);
                    weights.multiply(team, x, y);
                    if let Op::Linear(linear @ Linear { ntk: true, .. }) = &step.op {
                        let bias = step.slots.get(1).filter(|_| linear.bias);
                        linear.finish(x.len(), bias.map(|range| &prepared.parameters()[range.clone()]), y);
                    }
                    if let Some(curve) = &step.fused {
                        curve.apply_in_place(y);
                    }
                }
                None => {
                    at.begin(step);
                    at.forward(step, cuts, Buffers { arena, labels, state, scratch });
                }
            }
        }
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

    /// As [`Runner::backward`], but for the weights that have update lines of their own: their places in `gradients` are left
    /// alone, and [`Runner::late`] has what their gradients are made of.
    pub fn backward_but_late(&mut self, parameters: &[T], gradients: &mut [T], info: &StepInfo) {
        self.seed_mut().fill(T::ONE);
        let (start, steps) = (self.plan.forward_steps(), self.plan.steps());
        let end = steps.iter().position(|step| step.pass == Pass::Update).unwrap_or(steps.len());
        self.run(start..end, None, parameters, gradients, info);
    }

    /// The weights that have update lines of their own, in the order of the lines, after [`Runner::backward_but_late`].
    pub fn late(&self) -> impl Iterator<Item = Late<'_, T>> {
        let lines = self.plan.steps().iter().filter(|step| step.pass == Pass::Update && step.late);
        lines.filter_map(|step| {
            let at = |region: Option<Region>| region.map(|region| &self.arena[region.range(self.rows)]);
            let (x, upstream) = (at(step.inputs.first().copied().flatten())?, at(step.upstream)?);
            Some(Late { slot: step.slots.first()?.clone(), x, upstream, width: step.input_shapes.first()?.last() })
        })
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
        let Runner { plan, team, arena, labels, state, scratch, rows } = self;
        let mut at = At::new(*rows, plan, team, info, parameters);
        for (step, cuts) in plan.steps()[steps.clone()].iter().zip(&plan.cuts()[steps]) {
            if last.is_some_and(|last| step.node > last) {
                break;
            }
            let buffers = Buffers { arena, labels, state, scratch };
            at.begin(step);
            match step.pass {
                Pass::Forward | Pass::Recompute => at.forward(step, cuts, buffers),
                Pass::Backward => at.backward(step, cuts, buffers, gradients),
                Pass::Add => at.add(cuts, buffers),
                Pass::Update if step.late => at.late(step, cuts, buffers, gradients),
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

/// What the gradient of a weight `[units, width]` is made of: `upstream^T x`, a sum over the rows.
#[derive(Debug, Clone)]
pub struct Late<'a, T> {
    /// The weight's place in the flat buffer.
    pub slot: std::ops::Range<usize>,
    /// Numbers of a row of the input.
    pub width: usize,
    /// The input, `[rows, width]`.
    pub x: &'a [T],
    /// The gradient of the output, `[rows, units]`.
    pub upstream: &'a [T],
}

/// A value that no step computes by chance.
const MARK: f64 = 1.234_567_890_123_456e-30;

impl<'a, 'p, T: Real> At<'a, 'p, T> {
    fn new(rows: usize, plan: &Plan, team: &'a Team, info: &StepInfo, parameters: &'p [T]) -> Self {
        let context = Context {
            team,
            training: plan.request().training,
            seed: info.seed,
            epoch: info.epoch,
            position: info.position,
            denominator: info.denominator,
            node: 0,
            time: info.time,
            dropout: info.dropout,
            precision: plan.precision(),
        };
        At { rows, context, parameters }
    }

    /// A step begins: random draws are its node's.
    fn begin(&mut self, step: &Step) {
        self.context.node = step.node.0 as u32;
    }

    fn slots(&self, step: &Step) -> [&[T]; MAX_SLOTS] {
        let mut views: [&[T]; MAX_SLOTS] = [&[]; MAX_SLOTS];
        for (view, range) in views.iter_mut().zip(&step.slots) {
            *view = &self.parameters[range.clone()];
        }
        views
    }

    fn forward(&self, step: &Step, cuts: &StepCuts, buffers: Buffers<'_, T>) {
        let mut inputs: [&[T]; MAX_INPUTS] = [&[]; MAX_INPUTS];
        let mut written: [&mut [T]; 2] = [&mut [], &mut []];
        cuts.arena.carve_into(buffers.arena, self.rows, &mut inputs, &mut written);
        let [output, saved] = written;
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
            scratch: &mut buffers.scratch[..step.scratch * self.context.team.threads()],
            context: &self.context,
        });
    }

    fn backward(&self, step: &Step, cuts: &StepCuts, buffers: Buffers<'_, T>, gradients: &mut [T]) {
        let mut values: [&[T]; MAX_READS] = [&[]; MAX_READS];
        let mut pieces: [&mut [T]; MAX_INPUTS] = std::array::from_fn(|_| Default::default());
        cuts.arena.carve_into(buffers.arena, self.rows, &mut values, &mut pieces);
        let mut input_gradients: [Option<&mut [T]>; MAX_INPUTS] = [const { None }; MAX_INPUTS];
        for ((slot, wanted), piece) in input_gradients.iter_mut().zip(&step.input_gradients).zip(pieces) {
            *slot = wanted.map(|_| piece);
        }
        let slots = self.slots(step);
        let mut slot_gradients: [&mut [T]; MAX_SLOTS] = std::array::from_fn(|_| Default::default());
        cuts.gradients.carve_into(gradients, 1, &mut [], &mut slot_gradients);
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
            scratch: &mut buffers.scratch[..step.scratch * self.context.team.threads()],
            context: &self.context,
        });
    }

    /// The gradient of a weight that its backward step left for later.
    fn late(&self, step: &Step, cuts: &StepCuts, buffers: Buffers<'_, T>, gradients: &mut [T]) {
        let ([x, upstream], []) = cuts.arena.carve::<T, 2, 0>(buffers.arena, self.rows);
        let (_, [weight]) = cuts.gradients.carve::<T, 0, 1>(gradients, 1);
        let width = step.input_shapes.first().map_or(0, crate::Shape::last);
        if let (Some(units), Some(rows)) = (weight.len().checked_div(width), x.len().checked_div(width)) {
            self.context.product_tn(units, width, rows, upstream, x, weight);
        }
    }

    fn add(&self, cuts: &StepCuts, buffers: Buffers<'_, T>) {
        let ([more], [total]) = cuts.arena.carve::<T, 1, 1>(buffers.arena, self.rows);
        self.context.team.split_rows(total, 1, ADD_PART, &|first, total| {
            update(Add, &more[first..][..total.len()], total);
        });
    }
}
