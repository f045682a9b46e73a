//! A value that is not finite: the training loop stops within the step and names the layer; here it becomes a finding.

use super::finding::{Finding, Severity, short};
use crate::network::Network;
use crate::train::{NonFinite, Place, TrainSpec};

pub(super) fn finding(found: &NonFinite, network: &Network, spec: &TrainSpec) -> Finding {
    let what = match found.place {
        Place::Input => format!("the input {}", found.layer),
        Place::Parameter => format!("the parameter {}", found.layer),
        Place::Activation => format!("the value of layer {}", found.layer),
        Place::Loss => "the loss".to_string(),
        Place::Gradient => format!("the gradient of layer {}", found.layer),
    };
    let row = found.row.map(|row| format!(", row {row} of the data")).unwrap_or_default();
    let evidence =
        format!("{what} became {} in step {} (epoch {}{row}), first of all", found.value, found.step, found.epoch);
    let advice = match found.place {
        Place::Input => "mend or leave out the rows that hold it, or fill in missing values".to_string(),
        _ if found.step == 1 => {
            "standardised inputs and target (leave out --raw): the first step already overflows".to_string()
        }
        _ => format!("a smaller learning rate (--lr {})", short(spec.lr / 10.0)),
    };
    let mut finding = Finding::new("non-finite", Severity::Error, evidence, advice);
    let layer = network.layers.iter().find(|layer| {
        // A parameter's slot has its layer's name in front.
        layer.name == found.layer || found.layer.rsplit_once('.').is_some_and(|(name, _)| name == layer.name)
    });
    finding = match layer {
        Some(layer) => finding.at_layer(layer),
        // The data, the loss, or all gradients together: no layer of the network.
        None => finding,
    };
    Finding { epoch: Some(found.epoch), step: Some(found.step), ..finding }
}
