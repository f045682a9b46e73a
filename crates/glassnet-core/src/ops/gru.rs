//! Gated recurrent unit: one direction of one layer, all time steps.
//!
//! `r = s(W_ir x + b_ir + W_hr h + b_hr)`, `z` likewise, `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`,
//! `h' = n + z (h - n)`; the value at a position is h'. Slots, gate order (r, z, n) and the place of b_hn inside the product
//! with r are PyTorch's. Options, order of arithmetic and blocks are those of the LSTM (`ops/recurrence/mod.rs`).
//!
//! Inputs: `x [B, T, F]`; with `initial` `h0 [B, units]`; with `lengths` whole numbers `[B]`: a row's positions
//! from its length on give 0 and change nothing. What x holds there must be finite. Value: `[B, T, units]`.
//!
//! Gradients, from the last step to the first, with dh that of h': `dn = dh (1 - z)(1 - n^2)` (before its curve),
//! `dz = dh (h - n) z (1 - z)`, `dr = dn (W_hn h + b_hn) r (1 - r)`; the recurrent product sees `dn r` in place of dn; then
//! `dh = dh z + d W_hh`. With `carry` no gradient goes back into the window before.
//!
//! Source: Cho et al. 2014; with the reset gate after the product, as cuDNN and PyTorch have it.

use super::recurrence::{Back, Cell, Layer};
use super::sigmoid::logistic;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};

/// One direction of one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gru {
    /// Width of h.
    pub units: usize,
    /// Whether there are biases (two vectors, as in PyTorch).
    pub bias: bool,
    /// Each row is read from its own end.
    pub reverse: bool,
    /// Whether an integer input gives each row's length.
    pub lengths: bool,
    /// Whether h0 is an input; else it is 0.
    pub initial: bool,
    /// Whether the state stays for the next window of the same sequence.
    pub carry: bool,
}

/// The cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GruCell;

impl Cell for GruCell {
    const GATES: usize = 3;
    const KEEPS: bool = true;
    const MEMORY: bool = false;
    const APART: bool = true;

    /// Keeps `W_hn h + b_hn`.
    #[inline(always)]
    fn step<T: Real>(self, gates: &mut [T], kept: &mut [T], h: &mut [T], _c: &mut [T], y: &mut [T]) {
        let (reset_update, n) = gates.split_at_mut(2 * h.len());
        for z in reset_update.iter_mut() {
            *z = logistic(*z);
        }
        let (r, z) = reset_update.split_at(h.len());
        for ((n, &r), &hidden) in n.iter_mut().zip(r).zip(&*kept) {
            *n = r.mul_add(hidden, *n).tanh();
        }
        for (((h, y), &z), &n) in h.iter_mut().zip(y).zip(z).zip(&*n) {
            let next = z.mul_add(*h - n, n);
            (*h, *y) = (next, next);
        }
    }

    #[inline(always)]
    fn back<T: Real>(self, row: Back<'_, T>) {
        let units = row.dh.len();
        let (r, rest) = row.gates.split_at(units);
        let (z, n) = rest.split_at(units);
        let (d_r, rest) = row.d_input.split_at_mut(units);
        let (d_z, d_n) = rest.split_at_mut(units);
        let values = z.iter().zip(n).zip(row.before);
        for (((&z, &n), &before), ((dh, d_z), d_n)) in values.zip(row.dh.iter_mut().zip(&mut *d_z).zip(&mut *d_n)) {
            *d_n = *dh * (T::ONE - z) * (T::ONE - n * n);
            *d_z = *dh * (before - n) * (z * (T::ONE - z));
            *dh *= z;
        }
        for (((d_r, &d_n), &r), &hidden) in d_r.iter_mut().zip(&*d_n).zip(r).zip(row.kept) {
            *d_r = d_n * hidden * (r * (T::ONE - r));
        }
        let (same, hidden_n) = row.d_hidden.split_at_mut(2 * units);
        let (hidden_r, hidden_z) = same.split_at_mut(units);
        hidden_r.copy_from_slice(d_r);
        hidden_z.copy_from_slice(d_z);
        for ((hidden, &d_n), &r) in hidden_n.iter_mut().zip(&*d_n).zip(r) {
            *hidden = d_n * r;
        }
    }
}

impl Gru {
    fn layer(&self) -> Layer<GruCell> {
        let Gru { units, bias, reverse, lengths, initial, carry } = *self;
        Layer { name: "a GRU", cell: GruCell, units, bias, reverse, lengths, initial, carry }
    }
}

impl Operation for Gru {
    fn card(&self) -> Card {
        Card {
            name: "gru",
            family: Family::Sequence,
            formula: "r, z = s(W x + b + W h + b), n = tanh(W x + b + r (W h + b)), h' = n + z (h - n)",
            derivative: "through time; see the source",
            range: "(-1, 1)",
            used: "sequences; three quarters of an LSTM's work",
            source: "Cho et al. 2014",
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
        self.layer().cost(inputs, 60)
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
        self.layer().reference(operands, |x, hidden, h, _| {
            let units = h.len();
            for j in 0..units {
                let z = |gate: usize| x[gate * units + j] + hidden[gate * units + j];
                let n = Real::tanh(x[2 * units + j] + sigmoid(z(0)) * hidden[2 * units + j]);
                h[j] = (1.0 - sigmoid(z(1))) * n + sigmoid(z(1)) * h[j];
            }
        })
    }

    fn samples() -> Vec<Sample<Self>> {
        let plain = Gru { units: 3, bias: true, reverse: false, lengths: false, initial: false, carry: false };
        let (state, one) = (Shape::row(3), Shape::default());
        vec![
            Sample::new(Gru { units: 1, ..plain }, 1, [Shape::from([1, 1])]),
            Sample::new(plain, 3, [Shape::from([5, 2])]),
            Sample::new(Gru { units: 5, bias: false, ..plain }, 2, [Shape::from([3, 4])]),
            Sample::new(Gru { reverse: true, ..plain }, 2, [Shape::from([4, 2])]),
            Sample::new(Gru { carry: true, ..plain }, 2, [Shape::from([3, 2])]),
            Sample::new(Gru { lengths: true, ..plain }, 5, [Shape::from([4, 2]), one.clone()]).integers(1, 4),
            Sample::new(Gru { lengths: true, carry: true, ..plain }, 4, [Shape::from([3, 1]), one.clone()])
                .integers(0, 5),
            Sample::new(Gru { initial: true, ..plain }, 3, [Shape::from([4, 3]), state.clone()]),
            Sample::new(
                Gru { reverse: true, lengths: true, initial: true, ..plain },
                5,
                [Shape::from([4, 2]), state, one],
            )
            .integers(1, 4),
            // More than one block of positions, and more than one group of rows.
            Sample::new(Gru { units: 1, lengths: true, ..plain }, 33, [Shape::from([35, 1]), Shape::default()])
                .integers(1, 35)
                .domain(0, -1.0, 1.0),
        ]
    }
}
