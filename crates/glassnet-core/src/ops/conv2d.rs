//! Convolution over images: every position of a window over the image is the same linear map of what lies under it.
//!
//! `y[o, i, j] = b[o] + sum over c, p, q of W[o, c, p, q] x[g C/groups + c, i stride + p dilation - padding, ...]` where g is the group
//! of output channel o, and x is 0 outside of the image.
//!
//! Shapes: `x [B, C, H, W]`, `W [channels, C / groups, kh, kw]`, `b [channels]`, `y [B, channels, H', W']` with
//! H' = floor((H + padding - dilation (kh - 1) - 1) / stride) + 1, padding that of both sides; W' likewise. PyTorch's layout.
//!
//! The order of arithmetic is written down in `convolution.rs`. Cost of one row: 2 channels (C / groups) kh kw H' W' for each of the
//! three products.
//!
//! Source: LeCun et al. 1989, Backpropagation Applied to Handwritten Zip Code Recognition.

use super::convolution::{Attributes, Convolution};
use super::padding::Padding;
use super::{Backward, Card, Cost, Family, Forward, Needs, Operands, Operation, Pass, Sample, SlotSpec};
use crate::Real;
use crate::shape::Shape;

/// A convolution over `[C, H, W]`; pairs are height, width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2d {
    /// Channels of the output.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Rows and columns from a position to the next.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub padding: Padding<2>,
    /// Rows and columns from a tap of the kernel to the next.
    pub dilation: [usize; 2],
    /// Channels are split in so many groups, each convolved by itself; as many as channels is depthwise.
    pub groups: usize,
    /// Whether there is a bias.
    pub bias: bool,
}

impl Conv2d {
    /// `channels` outputs of a `kernel`, stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(channels: usize, kernel: [usize; 2]) -> Self {
        let padding = Padding::Zeros([0, 0]);
        Conv2d { channels, kernel, stride: [1, 1], padding, dilation: [1, 1], groups: 1, bias: true }
    }

    fn sized(&self, input: &Shape) -> Result<Convolution, String> {
        let &Conv2d { channels, kernel, stride, padding, dilation, groups, bias } = self;
        let [c, h, w] = input.0[..] else {
            return Err(format!(
                "conv2d needs images [B, C, H, W], but its input is {input}; reshape it to channels, height and width first"
            ));
        };
        let attributes = Attributes { channels, kernel, stride, padding, dilation, groups, bias };
        Convolution::new(&attributes, [c, h, w], input, false)
    }
}

impl Operation for Conv2d {
    fn card(&self) -> Card {
        Card {
            name: "conv2d",
            family: Family::Image,
            formula: "y[o, i, j] = b[o] + sum W[o, c, p, q] x[c, i + p, j + q]",
            derivative: "dx = sum W g, dW = sum x g over examples and positions, db = sum g",
            range: "(-inf, inf)",
            used: "images: the same small pattern looked for everywhere",
            source: "LeCun et al. 1989",
        }
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        Ok(Shape::from(self.sized(inputs[0])?.output()))
    }

    fn slots(&self, inputs: &[&Shape]) -> Vec<SlotSpec> {
        self.sized(inputs[0]).map_or_else(|_| Vec::new(), |sized| sized.slots(false))
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
        let of = Conv2d::new;
        let zeros = Padding::Zeros;
        [
            (3, [1, 5, 6], of(2, [3, 3])),
            (2, [3, 5, 7], Conv2d { padding: Padding::Same, ..of(4, [3, 4]) }),
            (2, [2, 7, 9], Conv2d { stride: [2, 3], padding: zeros([1, 2]), ..of(3, [3, 5]) }),
            (2, [2, 6, 5], Conv2d { stride: [3, 2], bias: false, ..of(2, [2, 1]) }),
            (3, [4, 5, 5], Conv2d { groups: 2, padding: zeros([1, 0]), ..of(6, [3, 2]) }),
            (2, [3, 6, 5], Conv2d { groups: 3, stride: [2, 1], padding: zeros([1, 1]), ..of(3, [3, 3]) }),
            (2, [1, 9, 8], Conv2d { dilation: [2, 3], stride: [1, 2], padding: zeros([2, 1]), ..of(2, [3, 3]) }),
            (2, [2, 8, 7], Conv2d { dilation: [2, 2], stride: [4, 3], padding: zeros([4, 0]), ..of(1, [3, 2]) }),
            (3, [5, 3, 3], of(7, [1, 1])),
            (1, [1, 1, 1], Conv2d { padding: zeros([3, 3]), ..of(1, [2, 2]) }),
            (1, [1, 40, 33], of(9, [2, 2])),
        ]
        .into_iter()
        .map(|(rows, shape, op)| Sample::new(op, rows, [Shape::from(shape)]))
        .collect()
    }
}
