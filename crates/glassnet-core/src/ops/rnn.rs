//! Plain recurrent layer (Elman network): one direction of one layer, all time steps.
//!
//! `h' = f(W_ih x + b_ih + W_hh h + b_hh)` with f = tanh or ReLU; the value at a position is h'. Slots are PyTorch's. Options,
//! order of arithmetic and blocks are those of the LSTM (`ops/recurrence/mod.rs`).
//!
//! Inputs: `x [B, T, F]`; with `initial` `h0 [B, units]`; with `lengths` whole numbers `[B]`: a row's positions
//! from its length on give 0 and change nothing. What x holds there must be finite. Value: `[B, T, units]`.
//!
//! Gradients, from the last step to the first: `d = dh f'`, then `dh = d W_hh`. Over many steps they vanish or grow
//! with the powers of W_hh: what the gates of LSTM and GRU are for. With `carry` no gradient goes back into the window
//! before.
//!
//! Source: Elman 1990; with ReLU: Le, Jaitly & Hinton 2015.

use super::recurrence::{Back, Cell, Layer};
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::{DType, Shape};

/// One direction of one layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rnn {
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
    /// The curve.
    pub activation: RnnCurve,
}

/// The curve of a plain recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RnnCurve {
    /// tanh.
    Tanh,
    /// max(0, z); its slope at 0 is 0.
    Relu,
}

/// The cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RnnCell(RnnCurve);

impl Cell for RnnCell {
    const GATES: usize = 1;
    const KEEPS: bool = false;
    const MEMORY: bool = false;
    const APART: bool = false;

    #[inline(always)]
    fn step<T: Real>(self, gates: &mut [T], _kept: &mut [T], h: &mut [T], _c: &mut [T], y: &mut [T]) {
        match self.0 {
            RnnCurve::Tanh => {
                for z in gates.iter_mut() {
                    *z = z.tanh();
                }
            }
            RnnCurve::Relu => {
                for z in gates.iter_mut() {
                    // A NaN is passed on.
                    *z = if *z < T::ZERO { T::ZERO } else { *z };
                }
            }
        }
        h.copy_from_slice(gates);
        y.copy_from_slice(gates);
    }

    #[inline(always)]
    fn back<T: Real>(self, row: Back<'_, T>) {
        let values = row.d_input.iter_mut().zip(&*row.dh).zip(row.gates);
        match self.0 {
            RnnCurve::Tanh => {
                for ((d, &dh), &y) in values {
                    *d = dh * (T::ONE - y * y);
                }
            }
            RnnCurve::Relu => {
                for ((d, &dh), &y) in values {
                    *d = if y > T::ZERO { dh } else { T::ZERO };
                }
            }
        }
    }
}

impl Rnn {
    fn layer(&self) -> Layer<RnnCell> {
        let Rnn { units, bias, reverse, lengths, initial, carry, activation } = *self;
        Layer { name: "an RNN", cell: RnnCell(activation), units, bias, reverse, lengths, initial, carry }
    }
}

impl Operation for Rnn {
    fn card(&self) -> Card {
        Card {
            name: "rnn",
            family: Family::Sequence,
            formula: "h' = f(W x + b + W h + b), f = tanh or relu",
            derivative: "through time; see the source",
            range: "(-1, 1), with relu [0, inf)",
            used: "short sequences; to see gradients vanish",
            source: "Elman 1990",
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
        self.layer().cost(inputs, 20)
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
        self.layer().reference(operands, |x, hidden, h, _| {
            for ((h, x), hidden) in h.iter_mut().zip(x).zip(hidden) {
                *h = match self.activation {
                    RnnCurve::Tanh => Real::tanh(x + hidden),
                    RnnCurve::Relu => (x + hidden).max(0.0),
                };
            }
        })
    }

    fn samples() -> Vec<Sample<Self>> {
        let plain = |activation| Rnn {
            units: 3,
            bias: true,
            reverse: false,
            lengths: false,
            initial: false,
            carry: false,
            activation,
        };
        let (state, one) = (Shape::row(3), Shape::default());
        let of_each = |activation| {
            let plain = plain(activation);
            [
                Sample::new(Rnn { units: 1, ..plain }, 1, [Shape::from([1, 1])]),
                Sample::new(plain, 3, [Shape::from([5, 2])]),
                Sample::new(Rnn { units: 5, bias: false, ..plain }, 2, [Shape::from([3, 4])]),
                Sample::new(Rnn { reverse: true, ..plain }, 2, [Shape::from([4, 2])]),
                Sample::new(Rnn { carry: true, ..plain }, 2, [Shape::from([3, 2])]),
                Sample::new(Rnn { lengths: true, ..plain }, 5, [Shape::from([4, 2]), one.clone()]).integers(1, 4),
                Sample::new(Rnn { initial: true, ..plain }, 3, [Shape::from([4, 3]), state.clone()]),
                Sample::new(
                    Rnn { reverse: true, lengths: true, initial: true, ..plain },
                    5,
                    [Shape::from([4, 2]), state.clone(), one.clone()],
                )
                .integers(0, 6),
            ]
        };
        let mut samples: Vec<_> = [RnnCurve::Tanh, RnnCurve::Relu].into_iter().flat_map(of_each).collect();
        // More than one block of positions, and more than one group of rows.
        let long = Rnn { units: 1, lengths: true, reverse: true, ..plain(RnnCurve::Tanh) };
        samples.push(Sample::new(long, 33, [Shape::from([35, 1]), one]).integers(1, 35).domain(0, -1.0, 1.0));
        samples
    }
}
