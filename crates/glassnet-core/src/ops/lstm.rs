//! Long short-term memory: one direction of one layer, all time steps.
//!
//! `i = s(W_ii x + b_ii + W_hi h + b_hi)`, and so f, o; `g = tanh(...)`; `c' = f c + i g`; `h' = o tanh c'`; the value at a
//! position is h'. Slots and gate order (i, f, g, o) are PyTorch's. What all recurrent layers share (options, order of
//! arithmetic, blocks) is written in `ops/recurrence/mod.rs`.
//!
//! Inputs: `x [B, T, F]`; with `initial` `h0 [B, units]` and `c0 [B, units]`; with `lengths` whole numbers `[B]`: a
//! row's positions from its length on give 0 and change nothing. What x holds there must be finite. Value:
//! `[B, T, units]`.
//!
//! Gradients, from the last step to the first, with dh the gradient of h' and dc that of c': `do = dh tanh c'`,
//! `dc += dh o (1 - tanh^2 c')`, `di = dc g`, `df = dc c`, `dg = dc i`, each times its curve's derivative; then
//! `dh = d W_hh`, `dc = dc f`. With `carry` the state lives from one window to the next, and no gradient goes back into the
//! window before (truncated back-propagation through time).
//!
//! Source: Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000.
//!
//! ```
//! use std::sync::Arc;
//! use glassnet_core::{Graph, Op, Plan, Purpose, Request, Runner, StepInfo, Team, ops::lstm::Lstm};
//!
//! let mut graph = Graph::new();
//! let x = graph.input("x", [5, 3]);
//! let lstm = Lstm { units: 4, bias: true, reverse: false, lengths: false, initial: false, carry: false };
//! let y = graph.push("0", Op::Lstm(lstm), &[x])?;
//! assert_eq!(graph.node(y).shape.to_string(), "[B, 5, 4]");
//! assert_eq!(graph.slots().iter().map(|slot| slot.shape.clone()).next(), Some(vec![16, 3]));
//!
//! // With all weights 0 every gate is 1/2 and g is 0: nothing enters the memory.
//! let (purpose, outputs) = (Purpose::Predict, vec![y]);
//! let request = Request { purpose, rows: 1, backward_from: None, outputs, training: false, checkpoint: false };
//! let mut runner = Runner::<f32>::new(Arc::new(Plan::new(&graph, request)), Team::single());
//! runner.set_rows(1);
//! runner.input_mut(x).fill(1.0);
//! runner.forward(&vec![0.0; graph.slots().len()], &StepInfo::default());
//! assert!(runner.value(y).is_some_and(|y| y.iter().all(|&y| y == 0.0)));
//! # Ok::<(), glassnet_core::GraphError>(())
//! ```

use super::recurrence::{Back, Cell, Layer};
use super::sigmoid::logistic;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};

/// One direction of one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lstm {
    /// Width of h and c.
    pub units: usize,
    /// Whether there are biases (two vectors, as in PyTorch).
    pub bias: bool,
    /// Each row is read from its own end.
    pub reverse: bool,
    /// Whether an integer input gives each row's length.
    pub lengths: bool,
    /// Whether h0 and c0 are inputs; else they are 0.
    pub initial: bool,
    /// Whether the state stays for the next window of the same sequence.
    pub carry: bool,
}

/// The cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LstmCell;

impl Cell for LstmCell {
    const GATES: usize = 4;
    const KEEPS: bool = true;
    const MEMORY: bool = true;
    const APART: bool = false;

    /// Keeps c.
    #[inline(always)]
    fn step<T: Real>(self, gates: &mut [T], kept: &mut [T], h: &mut [T], c: &mut [T], y: &mut [T]) {
        let units = h.len();
        let (input_forget, rest) = gates.split_at_mut(2 * units);
        let (g, o) = rest.split_at_mut(units);
        for z in input_forget.iter_mut() {
            *z = logistic(*z);
        }
        for z in g.iter_mut() {
            *z = z.tanh();
        }
        for z in o.iter_mut() {
            *z = logistic(*z);
        }
        let (i, f) = input_forget.split_at(units);
        for ((((c, kept), &i), &f), &g) in c.iter_mut().zip(kept).zip(i).zip(f).zip(&*g) {
            let next = f.mul_add(*c, i * g);
            (*c, *kept) = (next, next);
        }
        for (((h, y), &o), &c) in h.iter_mut().zip(y).zip(&*o).zip(&*c) {
            let next = o * c.tanh();
            (*h, *y) = (next, next);
        }
    }

    #[inline(always)]
    fn back<T: Real>(self, row: Back<'_, T>) {
        let units = row.dh.len();
        let (i, rest) = row.gates.split_at(units);
        let (f, rest) = rest.split_at(units);
        let (g, o) = rest.split_at(units);
        let (d_i, rest) = row.d_input.split_at_mut(units);
        let (d_f, rest) = rest.split_at_mut(units);
        let (d_g, d_o) = rest.split_at_mut(units);
        // The output gate and the memory.
        let values = row.kept.iter().zip(o).zip(&*row.dh);
        for (((&c, &o), &dh), (dc, d_o)) in values.zip(row.dc.iter_mut().zip(d_o)) {
            let t = c.tanh();
            *d_o = dh * t * (o * (T::ONE - o));
            *dc += dh * o * (T::ONE - t * t);
        }
        let values = i.iter().zip(f).zip(g).zip(row.before);
        let gradients = row.dc.iter_mut().zip(d_i).zip(d_f).zip(d_g);
        for ((((&i, &f), &g), &before), (((dc, d_i), d_f), d_g)) in values.zip(gradients) {
            let d = *dc;
            *d_i = d * g * (i * (T::ONE - i));
            *d_f = d * before * (f * (T::ONE - f));
            *d_g = d * i * (T::ONE - g * g);
            *dc = d * f;
        }
    }
}

impl Lstm {
    fn layer(&self) -> Layer<LstmCell> {
        let Lstm { units, bias, reverse, lengths, initial, carry } = *self;
        Layer { name: "an LSTM", cell: LstmCell, units, bias, reverse, lengths, initial, carry }
    }
}

impl Operation for Lstm {
    fn card(&self) -> Card {
        Card {
            name: "lstm",
            family: Family::Sequence,
            formula: "i, f, o = s(W x + b + W h + b), g = tanh(...), c' = f c + i g, h' = o tanh c'",
            derivative: "through time; see the source",
            range: "(-1, 1)",
            used: "sequences with long gaps",
            source: "Hochreiter & Schmidhuber 1997",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        self.layer().shape(inputs)
    }

    fn arity(&self) -> usize {
        self.layer().arity()
    }

    fn input_dtype(&self, index: usize) -> DType {
        self.layer().input_dtype(index)
    }

    fn differentiable(&self, index: usize) -> bool {
        self.layer().differentiable(index)
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        self.layer().slots(inputs)
    }

    fn needs(&self, inputs: &[&Shape]) -> Needs {
        self.layer().needs(inputs)
    }

    fn state(&self, inputs: &[&Shape]) -> usize {
        self.layer().state(inputs)
    }

    fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        self.layer().scratch(inputs, pass)
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        self.layer().cost(inputs, 80)
    }

    fn input_cost(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        self.layer().input_cost(inputs)
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        self.layer().forward(io);
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        self.layer().backward(io);
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        let sigmoid = |z: f64| 1.0 / (1.0 + Real::exp(-z));
        self.layer().reference(operands, |x, hidden, h, c| {
            let units = h.len();
            for j in 0..units {
                let z = |gate: usize| x[gate * units + j] + hidden[gate * units + j];
                c[j] = sigmoid(z(1)) * c[j] + sigmoid(z(0)) * Real::tanh(z(2));
                h[j] = sigmoid(z(3)) * Real::tanh(c[j]);
            }
        })
    }

    fn samples() -> Vec<Sample<Self>> {
        let plain = Lstm { units: 3, bias: true, reverse: false, lengths: false, initial: false, carry: false };
        let (state, one) = (Shape::row(3), Shape::default());
        vec![
            Sample::new(Lstm { units: 1, ..plain }, 1, [Shape::from([1, 1])]),
            Sample::new(plain, 3, [Shape::from([5, 2])]),
            Sample::new(Lstm { units: 5, bias: false, ..plain }, 2, [Shape::from([3, 4])]),
            Sample::new(Lstm { reverse: true, ..plain }, 2, [Shape::from([4, 2])]),
            Sample::new(Lstm { carry: true, ..plain }, 2, [Shape::from([3, 2])]),
            Sample::new(Lstm { lengths: true, ..plain }, 5, [Shape::from([4, 2]), one.clone()]).integers(1, 4),
            Sample::new(Lstm { lengths: true, carry: true, ..plain }, 4, [Shape::from([3, 1]), one.clone()])
                .integers(0, 5),
            Sample::new(Lstm { initial: true, ..plain }, 3, [Shape::from([4, 3]), state.clone(), state.clone()]),
            Sample::new(
                Lstm { reverse: true, lengths: true, initial: true, ..plain },
                5,
                [Shape::from([4, 2]), state.clone(), state, one],
            )
            .integers(1, 4),
            // More than one block of positions, and more than one group of rows.
            Sample::new(Lstm { units: 1, lengths: true, ..plain }, 33, [Shape::from([35, 1]), Shape::default()])
                .integers(1, 35)
                .domain(0, -1.0, 1.0),
        ]
    }
}
