//! Factors of the learning rate and the weight decay for some of the parameters: `scale=6,bias=0.1`.
//!
//! A rule is `KEY=RATE` or `KEY=RATE:DECAY`. KEY is the name of an operation (`linear`, `scale`, `periodic`), or of a part of a layer (`weight`,
//! `bias`, `scale`; `bias` fits every slot that is added), or a whole slot (`0.weight`). Of the rules that fit a slot the last one decides; without
//! DECAY it leaves the decay as it is (1 for weights and tables, 0 for biases and factors).
//!
//! What a step of AdamW does to a slot with rate factor f and decay factor d: `p <- p (1 - lr f decay d)`. RealMLP's rule shrinks by
//! `1 - lr f decay f` where it decays at all, so that its d is f.

use std::fmt;
use std::str::FromStr;

use glassnet_core::Graph;
use glassnet_core::slots::{Role, SlotId, Slots};
use serde::{Deserialize, Serialize};

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorRule {
    /// Operation, part or slot.
    pub key: String,
    /// Factor of the learning rate, 0 or more; 0 keeps the slot as it is.
    pub rate: f64,
    /// Factor of the weight decay, 0 or more; `None`: as it is.
    pub decay: Option<f64>,
}

/// Rules in their order. Its text form is also its form in files.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Factors(pub Vec<FactorRule>);

/// A text that says no factors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "factors \"{text}\": {what}\n  hint: write \"scale=6,bias=0.1\", or \"scale=6:2\" for the weight decay's factor too"
)]
pub struct FactorsError {
    /// The whole text.
    pub text: String,
    /// What is wrong.
    pub what: String,
}

impl Factors {
    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The graph's layout with these factors.
    pub fn apply(&self, graph: &Graph) -> Slots {
        let mut slots = graph.slots().clone();
        for number in 0..graph.slots().iter().len() {
            let id = SlotId(number);
            if let Some(rule) = self.0.iter().rfind(|rule| rule.fits(graph, id)) {
                let slot = slots.get_mut(id);
                slot.lr_factor = rule.rate;
                slot.decay_factor = rule.decay.unwrap_or(slot.decay_factor);
            }
        }
        slots
    }

    /// Keys of the rules that fit no slot of the graph: nothing wrong in a recipe for many networks, perhaps a slip in one person's rules.
    pub fn unused(&self, graph: &Graph) -> Vec<&str> {
        let count = graph.slots().iter().len();
        let idle = |rule: &&FactorRule| !(0..count).any(|number| rule.fits(graph, SlotId(number)));
        self.0.iter().filter(idle).map(|rule| rule.key.as_str()).collect()
    }
}

impl FactorRule {
    fn fits(&self, graph: &Graph, id: SlotId) -> bool {
        let slot = graph.slots().get(id);
        let part = slot.name.rsplit('.').next();
        let of_operation =
            || graph.nodes().iter().any(|node| node.slots.contains(&id) && node.op.card().name == self.key);
        part == Some(&self.key)
            || (self.key == "bias" && slot.role == Role::Bias)
            || slot.name == self.key
            || (!slot.role.is_statistic() && of_operation())
    }
}

impl FromStr for Factors {
    type Err = FactorsError;

    /// Reads the text form; the empty text has no rule.
    ///
    /// ```
    /// use glassnet_nn::train::Factors;
    /// let factors: Factors = "scale=6, bias=0.1:0".parse()?;
    /// assert_eq!(factors.to_string(), "scale=6,bias=0.1:0");
    /// assert_eq!((factors.0[0].rate, factors.0[1].decay), (6.0, Some(0.0)));
    /// # Ok::<(), glassnet_nn::train::FactorsError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, FactorsError> {
        let error = |what: String| FactorsError { text: text.trim().to_owned(), what };
        let number = |word: &str| match word.trim().parse::<f64>() {
            Ok(factor) if factor.is_finite() && factor >= 0.0 => Ok(factor),
            _ => Err(error(format!("\"{}\" is no number of 0 or more", word.trim()))),
        };
        let rule = |part: &str| {
            let Some((key, factors)) = part.split_once('=') else {
                return Err(error(format!("\"{}\" has no \"=\"", part.trim())));
            };
            let key = key.trim().to_lowercase();
            let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ' ' | '-');
            if key.is_empty() || !key.chars().all(plain) {
                return Err(error(format!("\"{key}\" names no part of a network")));
            }
            let (rate, decay) = match factors.split_once(':') {
                Some((rate, decay)) => (rate, Some(number(decay)?)),
                None => (factors, None),
            };
            Ok(FactorRule { key, rate: number(rate)?, decay })
        };
        if text.trim().is_empty() {
            return Ok(Factors::default());
        }
        text.split(',').map(rule).collect::<Result<_, _>>().map(Factors)
    }
}

impl fmt::Display for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, FactorRule { key, rate, decay }) in self.0.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            write!(f, "{comma}{key}={rate}")?;
            if let Some(decay) = decay {
                write!(f, ":{decay}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Factors {
    type Error = FactorsError;

    fn try_from(text: String) -> Result<Self, FactorsError> {
        text.parse()
    }
}

impl From<Factors> for String {
    fn from(factors: Factors) -> String {
        factors.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    #[test]
    fn the_last_rule_that_fits_decides() {
        let network = Network::new(&"3 -> 4 relu -> layernorm -> 2".parse().unwrap(), None).unwrap();
        let factors: Factors = "linear=2, bias=0.1, 0.weight=5:3, layer_norm=7:1, 3.bias=0".parse().unwrap();
        let found = |factors: &Factors| -> Vec<(String, f64, f64)> {
            factors.apply(&network.graph).iter().map(|s| (s.name.clone(), s.lr_factor, s.decay_factor)).collect()
        };
        let all = found(&factors);
        let of = |name: &str| all.iter().find(|(other, ..)| other == name).map(|&(_, rate, decay)| (rate, decay));
        assert_eq!(of("0.weight"), Some((5.0, 3.0)));
        assert_eq!(of("0.bias"), Some((0.1, 0.0)));
        assert_eq!(of("2.weight"), Some((7.0, 1.0)));
        assert_eq!(of("3.bias"), Some((0.0, 0.0)));
        assert_eq!(of("3.weight"), Some((2.0, 1.0)));
        assert_eq!(found(&Factors::default()).iter().filter(|slot| slot.1 != 1.0).count(), 0);
        let unused: Factors = "bias=0.1,periodic=0.1,bais=3".parse().unwrap();
        assert_eq!(unused.unused(&network.graph), ["periodic", "bais"]);
    }

    #[test]
    fn each_mistake_has_its_message() {
        for (text, what) in [
            ("scale", "\"scale\" has no \"=\""),
            ("scale=6,", "\"\" has no \"=\""),
            ("scale=six", "\"six\" is no number of 0 or more"),
            ("scale=-1", "\"-1\" is no number of 0 or more"),
            ("scale=1:inf", "\"inf\" is no number of 0 or more"),
            ("=1", "\"\" names no part of a network"),
        ] {
            assert_eq!(text.parse::<Factors>().unwrap_err().what, what);
        }
        let json = serde_json::to_string(&"Scale=6:6,bias=0.1".parse::<Factors>().unwrap()).unwrap();
        assert_eq!(json, "\"scale=6:6,bias=0.1\"");
        assert_eq!(serde_json::from_str::<Factors>(&json).unwrap().to_string(), "scale=6:6,bias=0.1");
        assert!("".parse::<Factors>().unwrap().is_empty());
    }
}
