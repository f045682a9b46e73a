//! Sequence layers to nodes.

use glassnet_core::ops::{
    attention::{Attention, Mask},
    embedding::Embedding,
    first::First,
    gru::Gru,
    last::Last,
    lstm::Lstm,
    mean_over_time::MeanOverTime,
    positions::{self, Positions},
    rnn::{Rnn, RnnCurve},
    rotary::Rotary,
    unembedding::Unembedding,
};
use glassnet_core::{GraphError, NodeId, Op};

use super::{Builder, DrawInfo, LinearInfo};
use crate::spec::sequence::ROTARY_BASE;
use crate::spec::{Cell, Init, PositionKind, SequenceLayer};

/// What a layer says of one recurrent network.
struct Recurrent {
    cell: Cell,
    units: usize,
    bias: bool,
}

impl Builder<'_> {
    /// Adds a layer of sequences; `ends_branch` says whether it ends a residual branch.
    pub(super) fn time(
        &mut self,
        name: &str,
        layer: &SequenceLayer,
        from: NodeId,
        depth: usize,
        ends_branch: bool,
    ) -> Result<NodeId, GraphError> {
        let kind = layer.to_string();
        match layer {
            SequenceLayer::Embedding { width, init } => {
                let entries = self.vocabulary.unwrap_or(0);
                let op = Op::Embedding(Embedding { entries, width: *width });
                let node = self.plain(name, op, kind, from, depth)?;
                let init = init.unwrap_or(Init::Constant { std: 1.0 });
                self.table = self.graph.node(node).slots.first().copied();
                self.drawn(DrawInfo {
                    fan_in: 1,
                    fan_out: *width,
                    init,
                    head: false,
                    ends_branch: false,
                    by_default: false,
                });
                Ok(node)
            }
            SequenceLayer::Unembedding => {
                let Some(table) = self.table else {
                    return Err(GraphError {
                        layer: name.to_string(),
                        op: "unembedding",
                        message: "there is no embed layer before it, whose table it could use".into(),
                    });
                };
                let op = Op::Unembedding(Unembedding { entries: self.vocabulary.unwrap_or(0) });
                let node = self.graph.push_tied(name, op, &[from], &[table])?;
                let mut info = self.info(name, "unembed (the embedding's table)".into(), from, node, depth);
                info.slots.clear();
                self.layers.push(info);
                Ok(node)
            }
            SequenceLayer::Positions { kind: which } => {
                let of = match which {
                    PositionKind::Learned => positions::Kind::Learned,
                    PositionKind::Sinusoidal => positions::Kind::Sinusoidal,
                };
                // One step at a time counts on to the context; a whole sequence is as long as it is here.
                let steps = self.axes(from).first().copied().unwrap_or(0);
                let capacity = if self.decode { self.context } else { steps };
                let op = Op::Positions(Positions { kind: of, capacity });
                let node = self.plain(name, op, kind, from, depth)?;
                let (width, init) = (self.graph.node(node).shape.last(), Init::Constant { std: 0.02 });
                self.drawn(DrawInfo {
                    fan_in: 1,
                    fan_out: width,
                    init,
                    head: false,
                    ends_branch: false,
                    by_default: false,
                });
                Ok(node)
            }
            SequenceLayer::Attention { heads, kv_heads, causal, rotary, bias, init } => {
                let attention = Attention {
                    heads: *heads,
                    kv_heads: *kv_heads,
                    causal: *causal,
                    mask: if self.lengths.is_some() { Mask::Lengths } else { Mask::None },
                    cache: if self.decode { self.context } else { 0 },
                };
                self.attention(name, attention, (*rotary, *bias, *init), kind, from, depth, ends_branch)
            }
            SequenceLayer::Recurrent { cell, units, layers, bidirectional, bias } => {
                let net = Recurrent { cell: *cell, units: *units, bias: *bias };
                if *layers == 1 && !bidirectional {
                    return self.one_way(name, &net, kind, from, depth, false);
                }
                let at = self.layers.len();
                let mut node = from;
                for level in 0..*layers {
                    let label = format!("{name}.l{level}");
                    let word = format!("{kind}, layer {level}");
                    let onward = self.one_way(&label, &net, word.clone(), node, depth + 1, false)?;
                    node = onward;
                    if *bidirectional {
                        let (label, word) = (format!("{label}_reverse"), format!("{word}, from the end"));
                        let source = self.layers.last().map_or(from, |info| info.source);
                        let back = self.one_way(&label, &net, word, source, depth + 1, true)?;
                        node = self.join(name, &[onward, back])?;
                        self.both_ways = Some((node, onward, back));
                    }
                }
                let mut info = self.info(name, kind, from, node, depth);
                info.slots.clear();
                self.layers.insert(at, info);
                Ok(node)
            }
            SequenceLayer::Last => {
                let lengths = self.lengths.is_some();
                if let Some((_, onward, back)) = self.both_ways.filter(|(joined, _, _)| *joined == from) {
                    let inputs = self.with_lengths(onward);
                    let end = self.graph.push(name, Op::Last(Last { lengths }), &inputs)?;
                    let start = self.graph.push(name, Op::First(First), &[back])?;
                    let node = self.join(name, &[end, start])?;
                    let info = self.info(name, kind, from, node, depth);
                    self.layers.push(info);
                    return Ok(node);
                }
                self.over_time(name, Op::Last(Last { lengths }), kind, from, depth)
            }
            SequenceLayer::MeanOverTime => {
                let op = Op::MeanOverTime(MeanOverTime { lengths: self.lengths.is_some() });
                self.over_time(name, op, kind, from, depth)
            }
        }
    }

    /// Says how the layer that was added last is drawn.
    fn drawn(&mut self, draw: DrawInfo) {
        if let Some(info) = self.layers.last_mut() {
            info.draw = Some(draw);
        }
    }

    fn with_lengths(&self, from: NodeId) -> Vec<NodeId> {
        std::iter::once(from).chain(self.lengths).collect()
    }

    fn over_time(
        &mut self,
        name: &str,
        op: Op,
        kind: String,
        from: NodeId,
        depth: usize,
    ) -> Result<NodeId, GraphError> {
        let inputs = self.with_lengths(from);
        let node = self.graph.push(name, op, &inputs)?;
        let info = self.info(name, kind, from, node, depth);
        self.layers.push(info);
        Ok(node)
    }

    fn one_way(
        &mut self,
        name: &str,
        net: &Recurrent,
        kind: String,
        from: NodeId,
        depth: usize,
        reverse: bool,
    ) -> Result<NodeId, GraphError> {
        let (units, bias, lengths) = (net.units, net.bias, self.lengths.is_some());
        // Tokens come as one stream: a window may go on where the one before it ended.
        let carry = self.vocabulary.is_some() && !reverse && !lengths;
        let op = match net.cell {
            Cell::Lstm => Op::Lstm(Lstm { units, bias, reverse, lengths, initial: false, carry }),
            Cell::Gru => Op::Gru(Gru { units, bias, reverse, lengths, initial: false, carry }),
            Cell::Rnn | Cell::RnnRelu => {
                let activation = if net.cell == Cell::Rnn { RnnCurve::Tanh } else { RnnCurve::Relu };
                Op::Rnn(Rnn { units, bias, reverse, lengths, initial: false, carry, activation })
            }
        };
        let node = self.over_time(name, op, kind, from, depth)?;
        // As PyTorch: uniform in +-1/sqrt(units), weights and biases.
        self.drawn(DrawInfo {
            fan_in: units,
            fan_out: units,
            init: Init::Pytorch,
            head: false,
            ends_branch: false,
            by_default: false,
        });
        Ok(node)
    }

    #[allow(clippy::too_many_arguments)]
    fn attention(
        &mut self,
        name: &str,
        attention: Attention,
        (rotary, bias, init): (bool, bool, Option<Init>),
        kind: String,
        from: NodeId,
        depth: usize,
        ends_branch: bool,
    ) -> Result<NodeId, GraphError> {
        let error = |message: String| GraphError { layer: name.to_string(), op: "attention", message };
        let &[_, width] = self.axes(from) else {
            let shape = &self.graph.node(from).shape;
            return Err(error(format!("it reads a sequence [B, T, features], but its input is {shape}")));
        };
        let (heads, kv_heads) = (attention.heads, attention.kv_heads);
        if heads == 0 || width % heads != 0 {
            return Err(error(format!(
                "{heads} heads do not divide the width {width} of its input {}; take a divisor of {width}",
                self.graph.node(from).shape
            )));
        }
        if kv_heads == 0 || heads % kv_heads != 0 {
            return Err(error(format!(
                "{kv_heads} heads of keys and values do not divide the {heads} heads; take a divisor of {heads}"
            )));
        }
        let narrow = width / heads * kv_heads;
        let linear = |units: usize, ends_branch: bool| LinearInfo {
            fan_in: 0,
            fan_out: units,
            init: init.unwrap_or(Init::XavierNormal),
            head: false,
            followed_by: None,
            ends_branch,
            by_default: init.is_none(),
            given: (None, None),
        };
        let at = self.layers.len();
        let mut parts = Vec::with_capacity(3);
        for (part, units) in [("query", width), ("key", narrow), ("value", narrow)] {
            let label = format!("{name}.{part}");
            let mut node = self.linear(&label, units, bias, from, depth + 1, linear(units, false))?;
            if rotary && part != "value" {
                let turned = if part == "query" { heads } else { kv_heads };
                let op = Op::Rotary(Rotary { heads: turned, base: ROTARY_BASE });
                node = self.plain(&format!("{label}.rotary"), op, "rotary".into(), node, depth + 1)?;
            }
            parts.push(node);
        }
        parts.extend(self.lengths);
        let mixed = self.graph.push(&format!("{name}.heads"), Op::Attention(attention), &parts)?;
        let words = format!("{heads} heads: softmax(q k / sqrt d) v");
        let info = self.info(&format!("{name}.heads"), words, parts[0], mixed, depth + 1);
        self.layers.push(info);
        let out = self.linear(&format!("{name}.out"), width, bias, mixed, depth + 1, linear(width, ends_branch))?;
        let mut info = self.info(name, kind, from, out, depth);
        info.slots.clear();
        self.layers.insert(at, info);
        Ok(out)
    }
}
