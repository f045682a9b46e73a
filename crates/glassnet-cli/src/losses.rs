//! Losses by the names that every command knows.

use glassnet::nn::loss::LossSpec;

use crate::words::one_of;

/// A loss as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossName {
    /// Mean squared error.
    Mse,
    /// Mean absolute error.
    Mae,
    /// Huber's, with delta 1.
    Huber,
    /// Softmax cross-entropy on logits.
    CrossEntropy,
    /// Binary cross-entropy on one logit.
    Bce,
}

const LOSSES: [(&str, LossName); 5] = [
    ("mse", LossName::Mse),
    ("mae", LossName::Mae),
    ("huber", LossName::Huber),
    ("cross-entropy", LossName::CrossEntropy),
    ("bce", LossName::Bce),
];

impl LossName {
    /// A loss by its name; `_` and `-` alike.
    ///
    /// # Errors
    /// No loss is called so: all names, the nearest first.
    pub fn parse(text: &str) -> Result<LossName, String> {
        let known = match text.trim().to_lowercase().replace('_', "-").as_str() {
            "ce" | "crossentropy" => "cross-entropy",
            "binary-cross-entropy" => "bce",
            "mean-squared" => "mse",
            "mean-absolute" => "mae",
            _ => text,
        };
        one_of("loss", known, &LOSSES)
    }

    /// Whether it is for classes.
    pub fn of_classes(self) -> bool {
        matches!(self, LossName::CrossEntropy | LossName::Bce)
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        LOSSES.iter().find(|(_, loss)| *loss == self).map_or("", |(name, _)| name)
    }

    /// The library's form; `soft` where targets are shares and no class number.
    pub fn spec(self, soft: bool) -> LossSpec {
        match self {
            LossName::Mse => LossSpec::MeanSquared,
            LossName::Mae => LossSpec::MeanAbsolute,
            LossName::Huber => LossSpec::Huber { delta: 1.0 },
            LossName::CrossEntropy if soft => LossSpec::SoftCrossEntropy { smoothing: 0.0, class_weights: Vec::new() },
            LossName::CrossEntropy => LossSpec::cross_entropy(),
            LossName::Bce => LossSpec::binary_cross_entropy(),
        }
    }
}
