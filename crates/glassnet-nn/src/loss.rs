//! Losses by name, and what each means for the network's head.

use glassnet_core::Op;
use glassnet_core::ops::{
    binary_cross_entropy::BinaryCrossEntropy, cross_entropy::CrossEntropy, huber::Huber, mean_absolute::MeanAbsolute,
    mean_squared::MeanSquared, soft_cross_entropy::SoftCrossEntropy,
};
use serde::{Deserialize, Serialize};

use crate::hyperparameter::{Allowed, BadHyperparameters, check};
use crate::spec::Activation;

/// What training lowers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LossSpec {
    /// Softmax cross-entropy on logits, integer labels.
    CrossEntropy {
        /// Label smoothing, in [0, 1).
        #[serde(default)]
        smoothing: f64,
        /// One weight a class; empty: all 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        class_weights: Vec<f64>,
    },
    /// Softmax cross-entropy on logits, soft labels.
    SoftCrossEntropy {
        /// Label smoothing, in [0, 1).
        #[serde(default)]
        smoothing: f64,
        /// One weight a class; empty: all 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        class_weights: Vec<f64>,
    },
    /// Binary cross-entropy on one logit an output.
    BinaryCrossEntropy {
        /// Weight of the positive class in the loss of a row (PyTorch's `pos_weight`); the mean does not divide by it.
        #[serde(default = "one")]
        positive_weight: f64,
        /// Weights of the two classes; they weigh the rows, and the mean divides by them. Empty: both 1.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        class_weights: Vec<f64>,
    },
    /// Mean squared error.
    MeanSquared,
    /// Mean absolute error.
    MeanAbsolute,
    /// Huber loss.
    Huber {
        /// Where the parabola becomes a line.
        #[serde(default = "one")]
        delta: f64,
    },
}

fn one() -> f64 {
    1.0
}

impl LossSpec {
    /// Cross-entropy without smoothing or weights.
    pub fn cross_entropy() -> Self {
        LossSpec::CrossEntropy { smoothing: 0.0, class_weights: Vec::new() }
    }

    /// Binary cross-entropy without weights.
    pub fn binary_cross_entropy() -> Self {
        LossSpec::BinaryCrossEntropy { positive_weight: 1.0, class_weights: Vec::new() }
    }

    /// The name in plans, histories and messages.
    pub fn name(&self) -> &'static str {
        self.op().card().name
    }

    /// The operation that gives one loss a row.
    pub fn op(&self) -> Op {
        match self {
            LossSpec::CrossEntropy { smoothing, class_weights } => {
                Op::CrossEntropy(CrossEntropy { smoothing: *smoothing, class_weights: class_weights.clone() })
            }
            LossSpec::SoftCrossEntropy { smoothing, class_weights } => {
                Op::SoftCrossEntropy(SoftCrossEntropy { smoothing: *smoothing, class_weights: class_weights.clone() })
            }
            LossSpec::BinaryCrossEntropy { positive_weight, .. } => {
                Op::BinaryCrossEntropy(BinaryCrossEntropy { positive_weight: *positive_weight })
            }
            LossSpec::MeanSquared => Op::MeanSquared(MeanSquared),
            LossSpec::MeanAbsolute => Op::MeanAbsolute(MeanAbsolute),
            LossSpec::Huber { delta } => Op::Huber(Huber { delta: *delta }),
        }
    }

    /// Whether targets are class numbers.
    pub fn takes_labels(&self) -> bool {
        matches!(self, LossSpec::CrossEntropy { .. })
    }

    /// Whether the network's last curve is part of the loss, which then reads the logits before it.
    pub fn absorbs(&self, last: Activation) -> bool {
        match self {
            LossSpec::CrossEntropy { .. } | LossSpec::SoftCrossEntropy { .. } => {
                matches!(last, Activation::Softmax | Activation::LogSoftmax)
            }
            LossSpec::BinaryCrossEntropy { .. } => last == Activation::Sigmoid,
            _ => false,
        }
    }

    /// Whether some class may weigh another than 1 in the mean: [`LossSpec::class_weight`] and [`LossSpec::row_factor`] are 1
    /// for every label where it does not.
    pub fn weighs_classes(&self) -> bool {
        match self {
            LossSpec::CrossEntropy { class_weights, .. } | LossSpec::BinaryCrossEntropy { class_weights, .. } => {
                !class_weights.is_empty()
            }
            _ => false,
        }
    }

    /// What a row with this label weighs in the mean, before its own weight.
    pub fn class_weight(&self, label: i32) -> f64 {
        match self {
            LossSpec::CrossEntropy { class_weights, .. } | LossSpec::BinaryCrossEntropy { class_weights, .. } => {
                usize::try_from(label).ok().and_then(|label| class_weights.get(label)).copied().unwrap_or(1.0)
            }
            _ => 1.0,
        }
    }

    /// What a row with this label is weighed with outside the loss: the class weight, where the loss has no place for it.
    pub fn row_factor(&self, label: i32) -> f64 {
        match self {
            LossSpec::BinaryCrossEntropy { .. } => self.class_weight(label),
            _ => 1.0,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Which number is out of its range.
    pub fn check(&self) -> Result<(), BadHyperparameters> {
        let owner = self.name();
        match self {
            LossSpec::CrossEntropy { smoothing, class_weights }
            | LossSpec::SoftCrossEntropy { smoothing, class_weights } => {
                let mut table = vec![("smoothing", *smoothing, Allowed::ShareBelowOne)];
                table.extend(class_weights.iter().map(|&weight| ("class weight", weight, Allowed::NotNegative)));
                check(owner, &table)
            }
            LossSpec::BinaryCrossEntropy { positive_weight, class_weights } => {
                let mut table = vec![("positive_weight", *positive_weight, Allowed::Positive)];
                table.extend(class_weights.iter().map(|&weight| ("class weight", weight, Allowed::NotNegative)));
                check(owner, &table)
            }
            LossSpec::Huber { delta } => check(owner, &[("delta", *delta, Allowed::Positive)]),
            LossSpec::MeanSquared | LossSpec::MeanAbsolute => Ok(()),
        }
    }
}
