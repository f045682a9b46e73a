//! What the recurrent layers share: options, shapes, the walk along the time axis forward and backward. A layer's own file
//! holds its cell: what happens to one row at one time step.
//!
//! One node is one direction of one layer. Positions are walked upwards, or downwards with `reverse`; a row takes part at
//! the positions below its length. So a reversed row is read from its own end (PyTorch's packed sequences), rows need not
//! be sorted, and every step is one product over runs of live rows.
//!
//! Arithmetic. An element before its gate is `((x chain + h chain) + b_ih) + b_hh`, with `x chain` and `h chain` one chain of
//! fused multiply-adds from +0 each, over the inputs and over the units. (A GRU's candidate keeps `x chain + b_ih` and
//! `h chain + b_hh` apart.) None of it depends on other rows. Gradients of the parameters are sums over blocks of
//! E examples by C positions, added in order: E = min(B, max(32, 1024 / T)), C = min(T, 1024 / E), so at most 1,024
//! pairs a block, one chain a block in (example, position) order; groups of examples in order, in each the positions' blocks
//! in backward's order.
//!
//! Memory: forward saves the gates and, but for the plain RNN, `units` more for each row and position. Backward works in
//! blocks, so that its scratch does not grow with the batch or the sequence.

mod backward;
mod forward;

use glassnet_kernels::product::packed::packed_len;

use super::last::live;
use super::{Cost, Needs, Operands, Pass, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};
use crate::slots::Role;

/// Most pairs of row and position in a block.
const BLOCK: usize = 1024;
/// Rows that go through the time steps together where the sequence is long enough to fill a block.
const GROUP: usize = 32;
/// Rows that forward has room for, for each thread, where the gates are saved.
const FORWARD_GROUP: usize = 64;
/// Multiply-adds that are worth a thread.
const PART_WORK: usize = 1 << 18;

/// One row at one step of backward.
pub(crate) struct Back<'a, T> {
    /// The gates, as [`Cell::step`] left them.
    pub gates: &'a [T],
    /// What the cell kept (empty where it keeps nothing).
    pub kept: &'a [T],
    /// The cell's memory before the step where it has one, else h before the step.
    pub before: &'a [T],
    /// Gradient of h after the step: in; where [`Cell::APART`], out: the part of the gradient of h before the step that does
    /// not go through the recurrent product (which is then added; else it replaces this).
    pub dh: &'a mut [T],
    /// Gradient of the cell's memory: after the step in, before it out. Empty where it has none.
    pub dc: &'a mut [T],
    /// Out: gradient of the input product's elements.
    pub d_input: &'a mut [T],
    /// Out: gradient of the recurrent product's elements where they differ ([`Cell::APART`]), else empty.
    pub d_hidden: &'a mut [T],
}

/// What happens to one row at one time step.
pub(crate) trait Cell: Copy + Send + Sync {
    /// Blocks of `units` in a weight.
    const GATES: usize;
    /// Whether it keeps `units` numbers for backward besides the gates.
    const KEEPS: bool;
    /// Whether it has a memory besides h.
    const MEMORY: bool;
    /// Whether the last gate's recurrent part stays apart from its input part: in `kept`.
    const APART: bool;

    /// From the gates' arguments (biases included) to the gates, in place; h and c to their next values; `y` = h.
    fn step<T: Real>(self, gates: &mut [T], kept: &mut [T], h: &mut [T], c: &mut [T], y: &mut [T]);

    /// The gradients of the step.
    fn back<T: Real>(self, row: Back<'_, T>);
}

/// A recurrent layer but for its cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer<C> {
    pub name: &'static str,
    pub cell: C,
    pub units: usize,
    pub bias: bool,
    pub reverse: bool,
    pub lengths: bool,
    pub initial: bool,
    pub carry: bool,
}

/// The sizes that a pass works with.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Length of the time axis.
    time: usize,
    /// Numbers of a step's input.
    features: usize,
    units: usize,
    /// Elements of a row's gates: gates x units.
    gates: usize,
    /// `units` where the cell keeps something, else 0.
    kept: usize,
    /// `units` where the cell has a memory, else 0.
    memory: usize,
    /// Elements of a row's saved start, with carry.
    start: usize,
}

/// A plan's parts of the scratch, cut one after the other.
struct Room<'a, T>(&'a mut [T]);

impl<'a, T> Room<'a, T> {
    fn cut(&mut self, len: usize) -> &'a mut [T] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(len);
        self.0 = rest;
        piece
    }
}

/// Rows and positions of a block.
fn block_of(rows: usize, time: usize) -> (usize, usize) {
    let examples = rows.min(largest_group(time)).max(1);
    (examples, time.min(BLOCK / examples).max(1))
}

/// Most rows of a block.
fn largest_group(time: usize) -> usize {
    GROUP.max(BLOCK / time.max(1))
}

/// Live positions of each row.
#[derive(Clone, Copy)]
struct Lengths<'a> {
    labels: &'a [i32],
    time: usize,
}

impl Lengths<'_> {
    /// Of row `row`; all where there are no lengths. What is out of range is the nearest that is in it.
    fn of(&self, row: usize) -> usize {
        live(self.labels, row, self.time)
    }

    /// The longest of these rows.
    fn longest(&self, rows: std::ops::Range<usize>) -> usize {
        rows.map(|row| self.of(row)).max().unwrap_or(0)
    }

    /// Calls `f` with each run of rows, counted from the first of `rows`, that are alive at `position`.
    fn runs(&self, rows: std::ops::Range<usize>, position: usize, mut f: impl FnMut(std::ops::Range<usize>)) {
        let first = rows.start;
        let mut row = rows.start;
        while row < rows.end {
            let start = row;
            while row < rows.end && self.of(row) > position {
                row += 1;
            }
            if row > start {
                f(start - first..row - first);
            }
            row += 1;
        }
    }
}

/// The positions 0..`time` in blocks of `size`, upwards or, where `down`, downwards; only blocks with a position below
/// `longest`.
fn blocks(longest: usize, time: usize, size: usize, down: bool) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = longest.div_ceil(size);
    (0..count).map(move |i| {
        let block = if down { count - 1 - i } else { i };
        block * size..((block + 1) * size).min(time)
    })
}

impl<C: Cell> Layer<C> {
    fn sizes(&self, input: &Shape) -> Sizes {
        let (time, features) = (input.0.first().copied().unwrap_or(0), input.last());
        let memory = if C::MEMORY { self.units } else { 0 };
        Sizes {
            time,
            features,
            units: self.units,
            gates: C::GATES * self.units,
            kept: if C::KEEPS { self.units } else { 0 },
            memory,
            start: if self.carry { self.units + memory } else { 0 },
        }
    }

    /// Initial states among the inputs.
    fn initials(&self) -> usize {
        if self.initial { 1 + usize::from(C::MEMORY) } else { 0 }
    }

    pub fn arity(&self) -> usize {
        1 + self.initials() + usize::from(self.lengths)
    }

    fn is_lengths(&self, index: usize) -> bool {
        self.lengths && index == 1 + self.initials()
    }

    pub fn input_dtype(&self, index: usize) -> DType {
        if self.is_lengths(index) { DType::I32 } else { DType::Real }
    }

    pub fn differentiable(&self, index: usize) -> bool {
        !self.is_lengths(index)
    }

    pub fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let (name, units) = (self.name, self.units);
        let &[time, features] = inputs[0].0.as_slice() else {
            return Err(format!(
                "{name} reads a sequence of vectors, [B, T, F], but its input is {}; give it two axes, time first",
                inputs[0]
            ));
        };
        if time == 0 || features == 0 || units == 0 {
            return Err(format!(
                "{name} needs at least one time step, one input and one unit, but its input is {} and it has {units} units",
                inputs[0]
            ));
        }
        if self.carry && (self.initial || self.reverse) {
            let other = if self.initial { "an initial state as its input" } else { "the reverse direction" };
            return Err(format!(
                "{name} can't carry its state from window to window and have {other} as well; leave out one of them"
            ));
        }
        for (index, shape) in inputs.iter().enumerate().skip(1) {
            if self.is_lengths(index) && !shape.0.is_empty() {
                return Err(format!("{name} reads one length a row, [B], but the lengths are {shape}"));
            }
            if !self.is_lengths(index) && shape.0 != [units] {
                let which = if index == 1 { "h0" } else { "c0" };
                return Err(format!(
                    "{name} has {units} units, so its initial state {which} must be [B, {units}], but it is {shape}"
                ));
            }
        }
        Ok(Shape::from([time, units]))
    }

    pub fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        let Sizes { features, units, gates, .. } = self.sizes(inputs[0]);
        let mut slots = vec![
            SlotSpec { name: "weight_ih", shape: vec![gates, features], role: Role::Weight },
            SlotSpec { name: "weight_hh", shape: vec![gates, units], role: Role::Weight },
        ];
        if self.bias {
            slots.push(SlotSpec { name: "bias_ih", shape: vec![gates], role: Role::Bias });
            slots.push(SlotSpec { name: "bias_hh", shape: vec![gates], role: Role::Bias });
        }
        slots
    }

    pub fn needs(&self, inputs: &[&Shape]) -> Needs {
        let Sizes { time, gates, kept, start, .. } = self.sizes(inputs[0]);
        Needs { inputs: true, output: true, saved: time * (gates + kept) + start }
    }

    pub fn state(&self, inputs: &[&Shape]) -> usize {
        self.sizes(inputs[0]).start
    }

    /// The type is not known here: the larger room of the two.
    pub fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        let Sizes { time, features, units, gates, kept, memory, .. } = self.sizes(inputs[0]);
        let group = largest_group(time);
        match pass {
            Pass::Forward => self.packed_room(gates) + FORWARD_GROUP * (units + memory),
            Pass::Predict => {
                let gathered = if time > GROUP { features } else { 0 };
                self.packed_room(gates) + group * (units + memory) + BLOCK * (gates + kept + gathered)
            }
            Pass::Backward => {
                let gathered = if time > GROUP { features } else { 0 };
                let apart = if C::APART { gates } else { 0 };
                packed_len::<f32>(units, gates)
                    + units
                    + gates
                    + group * (units + memory)
                    + BLOCK * (gates + apart + units + gathered)
            }
        }
    }

    /// Room for the recurrent weight in panels, the last gate's apart or not.
    fn packed_room(&self, gates: usize) -> usize {
        if C::APART {
            packed_len::<f32>(gates - self.units, self.units) + packed_len::<f32>(self.units, self.units)
        } else {
            packed_len::<f32>(gates, self.units)
        }
    }

    /// `curve`: operations of one unit's gates and state at one step.
    pub fn cost(&self, inputs: &[&Shape], curve: u64) -> Cost {
        let Sizes { time, features, units, gates, .. } = self.sizes(inputs[0]);
        let products = 2 * gates as u64 * (features + units) as u64;
        let forward = time as u64 * (products + curve * units as u64);
        Cost { forward, backward: time as u64 * (2 * products + curve * units as u64) }
    }

    /// Of that what only the gradient of the input takes: the product with the input's weights at each step.
    pub fn input_cost(&self, inputs: &[&Shape]) -> u64 {
        let Sizes { time, features, gates, .. } = self.sizes(inputs[0]);
        2 * (time * gates * features) as u64
    }

    /// The fewest rows that are worth a thread for `positions` steps.
    fn min_rows(&self, sizes: &Sizes, positions: usize) -> usize {
        PART_WORK.div_ceil((positions * sizes.gates * sizes.units).max(1))
    }

    /// The slow reference: `step(x part, h part, h, c)` makes one row's next h and c from `W_ih x + b_ih` and
    /// `W_hh h + b_hh`.
    pub fn reference(
        &self,
        operands: &Operands<'_>,
        step: impl Fn(&[f64], &[f64], &mut [f64], &mut [f64]),
    ) -> Vec<f64> {
        let Sizes { time, features, units, gates, .. } = self.sizes(&operands.shapes[0]);
        let parameters = operands.parameters;
        let part = |weight: &[f64], bias: usize, values: &[f64]| -> Vec<f64> {
            let dot = |gate: usize| (0..values.len()).map(|i| weight[gate * values.len() + i] * values[i]).sum::<f64>();
            (0..gates).map(|gate| dot(gate) + if self.bias { parameters[bias][gate] } else { 0.0 }).collect()
        };
        let mut y = vec![0.0; operands.rows * time * units];
        for row in 0..operands.rows {
            let start = |index: usize| match self.initials() > index {
                true => operands.inputs[1 + index][row * units..][..units].to_vec(),
                false => vec![0.0; units],
            };
            let (mut h, mut c) = (start(0), start(1));
            let length = if self.lengths { operands.labels[row].clamp(0, time as i32) as usize } else { time };
            for number in 0..length {
                let position = if self.reverse { length - 1 - number } else { number };
                let x = &operands.inputs[0][(row * time + position) * features..][..features];
                let (x_part, h_part) = (part(parameters[0], 2, x), part(parameters[1], 3, &h));
                step(&x_part, &h_part, &mut h, &mut c);
                y[(row * time + position) * units..][..units].copy_from_slice(&h);
            }
        }
        y
    }
}

/// State before the first step: rows of h and of the memory, `row` apart (0: the same zeros for all).
#[derive(Clone, Copy)]
struct Start<'a, T> {
    h: &'a [T],
    c: &'a [T],
    row: usize,
}

impl<'a, T: Real> Start<'a, T> {
    fn h(&self, row: usize, units: usize) -> &'a [T] {
        &self.h[row * self.row..][..units]
    }

    fn c(&self, row: usize, memory: usize) -> &'a [T] {
        if memory == 0 { &[] } else { &self.c[row * self.row..][..memory] }
    }
}
