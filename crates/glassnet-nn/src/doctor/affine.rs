//! Linear layers with nothing between them that bends: together they are one linear layer.

use glassnet_core::{NodeId, Op, Real};

use super::finding::{Finding, Severity};
use super::gather::Look;
use crate::train::View;

pub(super) fn look<T: Real>(view: &View<'_, T>, out: &mut Look) {
    let graph = &view.network.graph;
    let reads = |node: NodeId| graph.nodes().iter().filter(|other| other.inputs.contains(&node)).count();
    for second in &view.network.layers {
        let Some(after) = &second.linear else { continue };
        // Dropout and scales do not help: one is off in prediction, the other is linear itself.
        let mut source = second.source;
        while matches!(graph.node(source).op, Op::Dropout(_) | Op::Scale(_)) && reads(source) == 1 {
            source = graph.node(source).inputs[0];
        }
        // A value that is read elsewhere too (the skip around a residual block) is not swallowed by the second layer.
        if reads(source) != 1 {
            continue;
        }
        let found = view.network.layers.iter().find(|layer| layer.node == source && layer.linear.is_some());
        let Some((first, before)) = found.and_then(|first| Some((first, first.linear.as_ref()?))) else { continue };
        // The last layer of a gated block is as the block is defined; there is nothing that a person could put behind it.
        if first.name.ends_with(".down") {
            continue;
        }
        let narrow = before.fan_out < before.fan_in.min(after.fan_out);
        // A narrow middle limits the rank, which may be what is wanted.
        let severity = if narrow { Severity::Note } else { Severity::Warning };
        let evidence = format!(
            "layers {} ({}) and {} ({}) follow each other with no activation between: together they are one linear layer from {} to {}",
            first.name, first.kind, second.name, second.kind, before.fan_in, after.fan_out
        );
        let advice = format!("an activation behind layer {} (\"{} relu\")", first.name, before.fan_out);
        out.push(Finding::new("affine-side-by-side", severity, evidence, advice).at_layer(first));
    }
}
