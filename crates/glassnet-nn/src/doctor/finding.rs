//! What the doctor says, and how it reads.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::layers::LayerInfo;

/// The codes with a line each. A code is never renamed: scripts match on it.
pub const CODES: &[(&str, &str)] = &[
    ("first-loss", "the first loss is far above that of a network that knows nothing"),
    ("target-scale", "the target's numbers are far larger than what a fresh network gives"),
    ("non-finite", "a value became inf or NaN; the run stopped within that step"),
    ("loss-climbs", "the loss is far above where it began"),
    ("steps-too-large", "each step changes the weights by a tenth or more, and the loss does not fall"),
    ("steps-too-small", "the loss stands still because the steps hardly change the weights"),
    ("dead-units", "units of a ReLU layer give 0 for every row"),
    ("saturated-units", "units of a tanh or sigmoid layer sit at their bounds for nearly every row"),
    ("zero-gradients", "a layer's weights get a gradient of exactly 0"),
    ("vanishing-gradients", "the gradient shrinks by many orders from the last hidden layer to the first"),
    ("exploding-gradients", "the gradient grows by many orders from the last hidden layer to the first"),
    ("symmetric-weights", "units of a layer have equal weights and equal gradients, so they stay equal"),
    ("columns-scale", "input columns of very different scale, or far from 0, are fed as they are"),
    ("affine-side-by-side", "two linear layers follow each other with no activation between"),
    ("sorted-rows", "the rows are sorted by class and are not shuffled"),
    ("underfit", "at the end both curves are flat and no better than a constant guess"),
    ("overfit", "the validation loss rises well above its best while the training loss falls"),
];

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Costs little; good to know.
    Note,
    /// The result is probably worse than it need be.
    Warning,
    /// The run is of no use like this.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is, one of [`CODES`].
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// The layer, by its name in the network (`2`, `3.1`, `4.gate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// What the layer is (`relu`, `linear 64`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_kind: Option<String>,
    /// Epoch in which it was seen, from 1; none before training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Steps that had been taken when it was seen; none before training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// What was measured.
    pub evidence: String,
    /// One thing to try.
    pub advice: String,
}

impl Finding {
    pub(super) fn new(code: &str, severity: Severity, evidence: String, advice: impl Into<String>) -> Self {
        Finding {
            code: code.to_string(),
            severity,
            layer: None,
            layer_kind: None,
            epoch: None,
            step: None,
            evidence,
            advice: advice.into(),
        }
    }

    pub(super) fn at_layer(mut self, layer: &LayerInfo) -> Self {
        self.layer = Some(layer.name.clone());
        self.layer_kind = Some(layer.kind.clone());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "doctor: ")?;
        if let Some(layer) = &self.layer {
            write!(f, "layer {layer}")?;
            if let Some(kind) = &self.layer_kind {
                write!(f, " ({kind})")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}. Try: {}.", self.evidence, self.advice)
    }
}

/// Three significant digits, without a tail of zeros or of rounding: `0.0316`, `2.3e-8`, `1,230`.
pub(super) fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    match rounded.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e7).contains(&size) => format!("{rounded:e}"),
        size if size >= 1000.0 => {
            let sign = if rounded < 0.0 { "-" } else { "" };
            format!("{sign}{}", count(size as usize))
        }
        _ => format!("{rounded}"),
    }
}

/// A whole number with commas at the thousands.
pub(super) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let table = [(0.0, "0"), (0.03, "0.03"), (0.1 * 3.0, "0.3"), (1.0986, "1.1"), (5336.4, "5,340")];
        for (value, text) in table {
            assert_eq!(short(value), text);
        }
        assert_eq!(short(3e-8), "3e-8");
        assert_eq!(short(-2000.0), "-2,000");
        assert_eq!(short(1.5e9), "1.5e9");
        assert_eq!((count(7), count(1024), count(1_234_567)), ("7".into(), "1,024".into(), "1,234,567".into()));
    }

    #[test]
    fn it_reads_as_a_sentence_and_goes_through_json() {
        let finding = Finding {
            layer: Some("2".into()),
            layer_kind: Some("relu".into()),
            epoch: Some(3),
            ..Finding::new(
                "dead-units",
                Severity::Warning,
                "61 of 64 units are dead (gave 0 for all 1,024 sampled rows)".into(),
                "a smaller learning rate (--lr 0.01)",
            )
        };
        assert_eq!(
            finding.to_string(),
            "doctor: layer 2 (relu): 61 of 64 units are dead (gave 0 for all 1,024 sampled rows). Try: a smaller learning rate (--lr 0.01)."
        );
        let json = serde_json::to_string(&finding).unwrap();
        assert!(
            json.contains(r#""code":"dead-units","severity":"warning","layer":"2""#) && !json.contains("step"),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Finding>(&json).unwrap(), finding);
    }

    #[test]
    fn codes_are_kebab_case_and_stand_once() {
        for (place, (code, _)) in CODES.iter().enumerate() {
            assert!(code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{code}");
            assert!(CODES[..place].iter().all(|(other, _)| other != code), "{code} twice");
        }
    }
}
