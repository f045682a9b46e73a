//! Layers for tables to nodes.

use glassnet_core::ops::{
    categories::Categories, flatten::Flatten, linear::Linear, parametric::Parametric, periodic::Periodic,
};
use glassnet_core::{GraphError, NodeId, Op};

use super::{Builder, DrawInfo};
use crate::spec::Init;
use crate::spec::names::activation_text;
use crate::spec::table::{TableLayer, sigma, sigmas};

impl Builder<'_> {
    /// Adds a layer for tables.
    pub(super) fn table_layer(
        &mut self,
        name: &str,
        layer: &TableLayer,
        from: NodeId,
        depth: usize,
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
            TableLayer::Piecewise { .. }
            | TableLayer::Members { .. }
            | TableLayer::Shared { .. }
            | TableLayer::Heads { .. }
            | TableLayer::Average { .. } => {
                let message = "this build does not have it".to_owned();
                return Err(GraphError { layer: name.to_string(), op: "table", message });
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
}
