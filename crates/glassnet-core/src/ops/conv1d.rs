//! Convolution along one axis: signals and sequences, `[C, L]`.
//!
//! `y[o, i] = b[o] + sum over c, p of W[o, c, p] x[g C/groups + c, i stride + p dilation - padding]` where g is the group of output
//! channel o, and x is 0 outside of the signal.
//!
//! Shapes: `x [B, C, L]`, `W [channels, C / groups, k]`, `b [channels]`, `y [B, channels, L']` with
//! L' = floor((L + padding - dilation (k - 1) - 1) / stride) + 1, padding that of both sides. PyTorch's layout.
//!
//! It is [`super::conv2d`] on an image of one row, with its order of arithmetic (`convolution.rs`). Cost of one row: 2 channels (C /
//! groups) k L' for each of the three products. Source: Waibel et al. 1989, time-delay neural networks.

use super::convolution::{Attributes, Convolution};
use super::padding::Padding;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;

/// A convolution over `[C, L]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv1d {
    /// Channels of the output.
    pub channels: usize,
    /// Length of the kernel.
    pub kernel: usize,
    /// From a position to the next.
    pub stride: usize,
    /// Zeros at both ends.
    pub padding: Padding<1>,
    /// From a tap of the kernel to the next.
    pub dilation: usize,
    /// Channels are split in so many groups, each convolved by itself; as many as channels is depthwise.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Conv1d {
    /// `channels` outputs of a `kernel`, stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(channels: usize, kernel: usize) -> Self {
        Conv1d { channels, kernel, stride: 1, padding: Padding::Zeros([0]), dilation: 1, groups: 1, bias: true }
    }

    fn sized(&self, input: &Shape) -> Result<Convolution, String> {
        let &Conv1d { channels, kernel, stride, padding, dilation, groups, bias } = self;
        let [c, l] = input.0[..] else {
            return Err(format!(
                "conv1d needs sequences [B, C, L], but its input is {input}; reshape it to channels and length first"
            ));
        };
        let padding = match padding {
            Padding::Zeros([zeros]) => Padding::Zeros([0, zeros]),
            Padding::Same => Padding::Same,
        };
        let attributes = Attributes {
            channels,
            kernel: [1, kernel],
            stride: [1, stride],
            padding,
            dilation: [1, dilation],
            groups,
            bias,
        };
        Convolution::new(&attributes, [c, 1, l], input, true)
    }
}

impl Operation for Conv1d {
    fn card(&self) -> Card {
        Card {
            name: "conv1d",
            family: Family::Image,
            formula: "y[o, i] = b[o] + sum W[o, c, p] x[c, i + p]",
            derivative: "dx = sum W g, dW = sum x g over examples and positions, db = sum g",
            range: "(-inf, inf)",
            used: "signals and sequences",
            source: "Waibel et al. 1989",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        let [channels, _, length] = self.sized(inputs[0])?.output();
        Ok(Shape::from([channels, length]))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        self.sized(inputs[0]).map_or_else(|_| Vec::new(), |sized| sized.slots(true))
    }

    fn needs(&self, _inputs: &[&Shape]) -> Needs {
        Needs { inputs: true, ..Needs::default() }
    }

    fn fuses_curve(&self) -> bool {
        true
    }

    fn scratch(&self, inputs: &[&Shape], pass: Pass) -> usize {
        self.sized(inputs[0]).map_or(0, |sized| sized.scratch(pass))
    }

    fn cost(&self, inputs: &[&Shape], _output: &Shape) -> Cost {
        self.sized(inputs[0]).map_or_else(|_| Cost::default(), |sized| sized.cost())
    }

    fn input_cost(&self, inputs: &[&Shape], _output: &Shape) -> u64 {
        self.sized(inputs[0]).map_or(0, |sized| sized.product_cost())
    }

    fn forward<T: Real>(&self, io: Forward<'_, T>) {
        if let Ok(sized) = self.sized(&io.shapes[0]) {
            sized.forward(io);
        }
    }

    fn backward<T: Real>(&self, io: Backward<'_, '_, T>) {
        if let Ok(sized) = self.sized(&io.shapes[0]) {
            sized.backward(io);
        }
    }

    fn reference(&self, operands: &Operands<'_>) -> Vec<f64> {
        self.sized(&operands.shapes[0]).map_or_else(|_| Vec::new(), |sized| sized.reference(operands))
    }

    fn samples() -> Vec<Sample<Self>> {
        let of = Conv1d::new;
        let zeros = |zeros| Padding::Zeros([zeros]);
        [
            (3, [1, 9], of(2, 3)),
            (2, [3, 7], Conv1d { padding: Padding::Same, ..of(5, 4) }),
            (2, [2, 11], Conv1d { stride: 2, padding: zeros(2), ..of(3, 5) }),
            (2, [4, 10], Conv1d { groups: 2, stride: 3, bias: false, ..of(2, 2) }),
            (2, [3, 8], Conv1d { groups: 3, padding: zeros(1), dilation: 2, ..of(6, 3) }),
            (3, [5, 4], of(3, 1)),
            (2, [1, 1100], Conv1d { bias: false, ..of(1, 2) }),
        ]
        .into_iter()
        .map(|(rows, shape, op)| Sample::new(op, rows, [Shape::from(shape)]))
        .collect()
    }
}
