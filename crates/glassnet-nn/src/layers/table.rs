//! Layers for tables to nodes.

use glassnet_core::ops::{
    average::Average, categories::Categories, flatten::Flatten, heads::Heads, linear::Linear,
    member_affine::MemberAffine, members::Members, parametric::Parametric, periodic::Periodic, piecewise::Piecewise,
};
use glassnet_core::{GraphError, NodeId, Op};

use super::{Builder, DrawInfo, LinearInfo};
use crate::spec::Init;
use crate::spec::names::activation_text;
use crate::spec::table::{TableLayer, sigma, sigmas};

impl Builder<'_> {
    /// Adds a layer for tables; `behind_members` where the layer before it is `members`, whose factors a shared layer takes for its own.
    pub(super) fn table_layer(
        &mut self,
        name: &str,
        layer: &TableLayer,
        from: NodeId,
        depth: usize,
        behind_members: bool,
    ) -> Result<NodeId, GraphError> {
        let (op, from, draw) = match layer {
            TableLayer::Periodic { frequencies, width } => {
                let op = Periodic { frequencies: *frequencies, width: *width };
                (Op::Periodic(op), from, None)
            }
            TableLayer::Categories { sizes, width } => {
                let op = Categories { sizes: sizes.clone(), width: *width };
                (Op::Categories(op), from, Some((1, *width)))
            }
            TableLayer::Ntk { units, bias } => {
                // As a linear layer: all of an image, and each time step of a sequence by itself.
                let from = match self.axes(from).len() {
                    0..=2 => from,
                    _ => self.graph.push(name, Op::Flatten(Flatten), &[from])?,
                };
                let fan_in = self.graph.node(from).shape.last();
                (Op::Linear(Linear { units: *units, bias: *bias, ntk: true }), from, Some((fan_in, *units)))
            }
            TableLayer::Parametric { function } => {
                let Some(sigma) = sigma(*function) else {
                    let message =
                        format!("it does not bend {}; it bends one of {}", activation_text(*function), sigmas());
                    return Err(GraphError { layer: name.to_string(), op: "parametric", message });
                };
                (Op::Parametric(Parametric { sigma }), from, None)
            }
            TableLayer::Piecewise { bins, width } => {
                (Op::Piecewise(Piecewise { bins: *bins, width: *width }), from, None)
            }
            TableLayer::Members { members } => (Op::Members(Members { members: *members }), from, None),
            TableLayer::Shared { units } => return self.shared(name, *units, from, depth, behind_members),
            TableLayer::Heads { units } => return self.heads(name, *units, from, depth),
            TableLayer::Average { probabilities } => {
                (Op::Average(Average { probabilities: *probabilities }), from, None)
            }
        };
        let node = self.plain(name, op, layer.to_string(), from, depth)?;
        if let (Some(info), Some((fan_in, fan_out))) = (self.layers.last_mut(), draw) {
            // Vectors of categories and weights in NTK form are normal with deviation 1.
            let init = Init::Constant { std: 1.0 };
            info.draw = Some(DrawInfo { fan_in, fan_out, init, head: false, ends_branch: false, by_default: false });
        }
        Ok(node)
    }

    /// `y_k = s_k (W (r_k x_k)) + b_k`, three layers in one: `NAME.in` (r), `NAME.linear` (W), `NAME.out` (s, b).
    fn shared(
        &mut self,
        name: &str,
        units: usize,
        from: NodeId,
        depth: usize,
        behind_members: bool,
    ) -> Result<NodeId, GraphError> {
        let at = self.layers.len();
        let read = match behind_members {
            true => from,
            false => {
                let op = Op::MemberAffine(MemberAffine { bias: false });
                self.plain(&format!("{name}.in"), op, "factors of the members".into(), from, depth + 1)?
            }
        };
        let fan_in = self.graph.node(read).shape.last();
        let linear = LinearInfo {
            fan_in,
            fan_out: units,
            init: Init::Pytorch,
            head: false,
            followed_by: None,
            ends_branch: false,
            by_default: false,
            given: (None, None),
        };
        let product = self.linear(&format!("{name}.linear"), units, false, read, depth + 1, linear)?;
        let op = Op::MemberAffine(MemberAffine { bias: true });
        let kind = "factors and biases of the members".into();
        let node = self.plain(&format!("{name}.out"), op, kind, product, depth + 1)?;
        self.draw_as_pytorch(fan_in, units);
        let kind = format!("shared {units}: s * W(r * x) + b");
        let mut info = self.info(name, kind, from, node, depth);
        info.slots.clear();
        self.layers.insert(at, info);
        Ok(node)
    }

    fn heads(&mut self, name: &str, units: usize, from: NodeId, depth: usize) -> Result<NodeId, GraphError> {
        let fan_in = self.graph.node(from).shape.last();
        let node = self.plain(name, Op::Heads(Heads { units }), format!("heads {units}"), from, depth)?;
        self.draw_as_pytorch(fan_in, units);
        Ok(node)
    }

    /// The layer added last draws weights and biases uniformly in +-1/sqrt(fan_in), as TabM's code does.
    fn draw_as_pytorch(&mut self, fan_in: usize, fan_out: usize) {
        if let Some(info) = self.layers.last_mut() {
            let init = Init::Pytorch;
            info.draw = Some(DrawInfo { fan_in, fan_out, init, head: false, ends_branch: false, by_default: false });
        }
    }
}
