//! What one look finds, put in order: causes before what follows from them, and one finding where many layers have the same.

use super::finding::{Finding, Severity, count};
use crate::layers::LayerInfo;
use crate::network::Network;

/// Most layers that are told one by one of the same code in one look; more are gathered into one finding.
pub(super) const ONE_BY_ONE: usize = 3;

/// Codes in the order in which they explain each other; those that are not listed (the data, the layers, the init) come
/// behind the first.
const ORDER: &[&[&str]] = &[
    &["non-finite"],
    &[],
    &["vanishing-gradients", "exploding-gradients", "zero-gradients"],
    &["dead-units", "saturated-units"],
    &["loss-climbs", "steps-too-large", "steps-too-small"],
    &["underfit", "overfit"],
];

fn rank(code: &str) -> usize {
    ORDER.iter().position(|codes| codes.contains(&code)).unwrap_or(1)
}

/// The findings of one look, each with how bad it is beside others of its code.
#[derive(Debug, Default)]
pub(super) struct Look(Vec<(Finding, f64)>);

impl Look {
    pub fn push(&mut self, finding: Finding) {
        self.push_rated(finding, 0.0);
    }

    /// `rate`: larger is worse, on a scale that the code's findings share.
    pub fn push_rated(&mut self, finding: Finding, rate: f64) {
        self.0.push((finding, rate));
    }

    pub fn has(&self, codes: &[&str]) -> bool {
        self.0.iter().any(|(finding, _)| codes.contains(&finding.code.as_str()))
    }

    /// Leaves out what follows from a fault that is named already.
    pub fn forget(&mut self, codes: &[&str]) {
        self.0.retain(|(finding, _)| !codes.contains(&finding.code.as_str()));
    }

    /// What is to be told, in order, and the codes that were gathered. `known` says what was told before; layers count in
    /// the network's order.
    pub fn tell(self, network: &Network, known: impl Fn(&Finding) -> bool) -> (Vec<Finding>, Vec<String>) {
        let place =
            |finding: &Finding| network.layers.iter().position(|layer| Some(&layer.name) == finding.layer.as_ref());
        let mut codes: Vec<String> = Vec::new();
        for (finding, _) in &self.0 {
            if !codes.contains(&finding.code) {
                codes.push(finding.code.clone());
            }
        }
        codes.sort_by_key(|code| rank(code));
        let (mut told, mut gathered) = (Vec::new(), Vec::new());
        for code in codes {
            let mut same: Vec<&(Finding, f64)> = self.0.iter().filter(|(finding, _)| finding.code == code).collect();
            same.sort_by_key(|(finding, _)| place(finding));
            let fresh: Vec<&Finding> =
                same.iter().map(|(finding, _)| finding).filter(|finding| !known(finding)).collect();
            let Some(first) = fresh.first() else { continue };
            if same.len() <= ONE_BY_ONE {
                told.extend(fresh.into_iter().cloned());
                continue;
            }
            told.push(one(network, first, &same));
            gathered.push(code);
        }
        (told, gathered)
    }
}

/// One finding for many layers, at the first, with the numbers of the worst.
fn one(network: &Network, first: &Finding, same: &[&(Finding, f64)]) -> Finding {
    let layer_of = |finding: &Finding| network.layers.iter().find(|layer| Some(&layer.name) == finding.layer.as_ref());
    let sort = |layer: &LayerInfo| (layer.linear.is_some(), layer.activation);
    let sorts: Vec<_> = same.iter().filter_map(|(finding, _)| layer_of(finding)).map(sort).collect();
    // Of how many: layers of these kinds, without what the network gives, unless that has it too.
    let found = |layer: &LayerInfo| same.iter().any(|(finding, _)| finding.layer.as_ref() == Some(&layer.name));
    let last = |layer: &LayerInfo| layer.node == network.output || layer.node == network.logits;
    let all = network.layers.iter().filter(|layer| sorts.contains(&sort(layer)) && (found(layer) || !last(layer)));
    let names: Vec<&str> =
        same.iter().take(ONE_BY_ONE).map(|(finding, _)| finding.layer.as_deref().unwrap_or("?")).collect();
    let worst = same.iter().copied().reduce(|worst, other| if other.1 > worst.1 { other } else { worst });
    let (worst, rate) = worst.map_or((first, 0.0), |(worst, rate)| (worst, *rate));
    let even = same.iter().all(|(_, other)| *other == rate);
    let evidence = format!(
        "{} of {} layers ({}, ...): {} layer {}, {}",
        count(same.len()),
        count(all.count()),
        names.join(", "),
        if even { "as in" } else { "worst in" },
        worst.layer.as_deref().unwrap_or("?"),
        worst.evidence
    );
    let severity = same.iter().map(|(finding, _)| finding.severity).max().unwrap_or(Severity::Warning);
    Finding { severity, evidence, advice: worst.advice.clone(), ..first.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(network: &Network, code: &str, name: &str, evidence: &str) -> Finding {
        let layer = network.layers.iter().find(|layer| layer.name == name).unwrap();
        Finding::new(code, Severity::Warning, evidence.into(), "a try").at_layer(layer)
    }

    #[test]
    fn causes_come_first_and_many_layers_are_one() {
        let network = Network::for_data(&["4 relu"; 6].join(" -> ").parse().unwrap(), 2, 3, None).unwrap();
        let mut look = Look::default();
        look.push(Finding::new("loss-climbs", Severity::Error, "it climbs".into(), "less"));
        for (name, rate) in [("9", 0.9), ("3", 0.6), ("5", 1.0), ("7", 0.7)] {
            look.push_rated(at(&network, "dead-units", name, &format!("share {rate}")), rate);
        }
        for name in ["4", "0", "2"] {
            look.push(at(&network, "zero-gradients", name, "none"));
        }
        look.push(Finding::new("sorted-rows", Severity::Warning, "in order".into(), "shuffle"));
        // Layer 3 was told before: the next is named, and all are counted.
        let known = |finding: &Finding| finding.code == "dead-units" && finding.layer.as_deref() == Some("3");
        let (told, gathered) = look.tell(&network, known);
        let texts: Vec<(&str, Option<&str>, &str)> =
            told.iter().map(|f| (f.code.as_str(), f.layer.as_deref(), f.evidence.as_str())).collect();
        assert_eq!(
            texts,
            [
                ("sorted-rows", None, "in order"),
                ("zero-gradients", Some("0"), "none"),
                ("zero-gradients", Some("2"), "none"),
                ("zero-gradients", Some("4"), "none"),
                ("dead-units", Some("5"), "4 of 6 layers (3, 5, 7, ...): worst in layer 5, share 1"),
                ("loss-climbs", None, "it climbs"),
            ]
        );
        assert_eq!(gathered, ["dead-units"]);
    }
}
