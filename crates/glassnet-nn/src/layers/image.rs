//! Image layers to nodes.

use glassnet_core::ops::{
    adaptive_avg_pool::AdaptiveAvgPool, avg_pool::AvgPool, conv1d::Conv1d, conv2d::Conv2d, global_pool,
    max_pool::MaxPool, padding,
};
use glassnet_core::{GraphError, NodeId, Op};

use super::{Builder, DrawInfo};
use crate::init::recommended;
use crate::spec::{Activation, ImageLayer, Init, Padding, Pooling};

/// How filters are drawn: their taps, how many they are, groups of channels, and what was said.
type Drawn = (usize, usize, usize, Option<Init>);

impl Builder<'_> {
    /// Adds a layer of images; `next` is the curve that follows, `ends_branch` whether it ends a residual branch.
    pub(super) fn image(
        &mut self,
        name: &str,
        layer: &ImageLayer,
        from: NodeId,
        depth: usize,
        next: Option<Activation>,
        ends_branch: bool,
    ) -> Result<NodeId, GraphError> {
        let sequence = self.axes(from).len() == 2;
        let channels = self.axes(from).get(usize::from(sequence)).copied().unwrap_or(0);
        // Along time a window is one line high.
        let flat = |sides: [usize; 2], height: usize| if sequence { [height, sides[1]] } else { sides };
        let (op, draw): (Op, Option<Drawn>) = match layer {
            ImageLayer::Conv { channels: filters, kernel, stride, padding, dilation, groups, bias, init } => {
                let op = Conv2d {
                    channels: *filters,
                    kernel: *kernel,
                    stride: *stride,
                    padding: around(*padding),
                    dilation: *dilation,
                    groups: *groups,
                    bias: *bias,
                };
                (Op::Conv2d(op), Some((kernel[0].saturating_mul(kernel[1]), *filters, *groups, *init)))
            }
            ImageLayer::Conv1d { channels: filters, kernel, stride, padding, dilation, groups, bias, init } => {
                let op = Conv1d {
                    channels: *filters,
                    kernel: *kernel,
                    stride: *stride,
                    padding: match *padding {
                        Padding::Zeros([_, steps]) => padding::Padding::Zeros([steps]),
                        Padding::Same => padding::Padding::Same,
                    },
                    dilation: *dilation,
                    groups: *groups,
                    bias: *bias,
                };
                (Op::Conv1d(op), Some((*kernel, *filters, *groups, *init)))
            }
            ImageLayer::Pool { pooling, kernel, stride, padding } => {
                let (kernel, stride, padding) = (flat(*kernel, 1), flat(*stride, 1), flat(*padding, 0));
                let op = match pooling {
                    Pooling::Max => Op::MaxPool(MaxPool { kernel, stride, padding, dilation: [1, 1] }),
                    Pooling::Average => Op::AvgPool(AvgPool { kernel, stride, padding, count_padding: true }),
                };
                (op, None)
            }
            ImageLayer::AdaptivePool { output } => {
                (Op::AdaptiveAvgPool(AdaptiveAvgPool { output: flat(*output, 1) }), None)
            }
            ImageLayer::GlobalPool { pooling } => {
                let kind = match pooling {
                    Pooling::Max => global_pool::Kind::Max,
                    Pooling::Average => global_pool::Kind::Average,
                };
                (Op::GlobalPool(global_pool::GlobalPool { kind }), None)
            }
        };
        let axes = self.axes(from).len();
        let (wanted, reads) = match layer {
            ImageLayer::Conv { .. } => (axes == 3, "an image [B, channels, height, width]"),
            ImageLayer::Conv1d { .. } => (axes == 2, "a sequence [B, time, features]"),
            _ => (axes == 2 || axes == 3, "an image [B, channels, height, width] or a sequence [B, time, features]"),
        };
        if !wanted {
            let message = format!("it reads {reads}, but its input is {}", self.graph.node(from).shape);
            return Err(GraphError { layer: name.to_string(), op: op.card().name, message });
        }
        let mut slots = Vec::new();
        let node = self.on_channels(name, from, |builder, from| {
            let node = builder.graph.push(name, op, &[from])?;
            slots = builder.graph.node(node).slots.clone();
            Ok(node)
        })?;
        let mut info = self.info(name, layer.to_string(), from, node, depth);
        info.slots = slots;
        info.draw = draw.map(|(taps, filters, groups, init)| DrawInfo {
            fan_in: (channels / groups.max(1)).saturating_mul(taps),
            fan_out: (filters / groups.max(1)).saturating_mul(taps),
            init: init.unwrap_or_else(|| recommended(next)),
            head: false,
            ends_branch,
            by_default: init.is_none(),
        });
        self.layers.push(info);
        Ok(node)
    }
}

fn around(padding: Padding) -> padding::Padding<2> {
    match padding {
        Padding::Zeros(zeros) => padding::Padding::Zeros(zeros),
        Padding::Same => padding::Padding::Same,
    }
}
