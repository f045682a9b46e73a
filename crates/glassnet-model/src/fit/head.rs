//! Which head and loss a target takes.

use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::NetworkError;
use thiserror::Error;

use crate::file::Head;

/// A network or a loss that does not fit the data.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum HeadError {
    /// Sizes that are not the data's, a layer that does not fit.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A loss for another kind of target.
    #[error("the loss {loss} does not fit: {why}\n  hint: {hint}")]
    Loss {
        /// The loss.
        loss: &'static str,
        /// Why not.
        why: String,
        /// What to do.
        hint: String,
    },
    /// Label smoothing for a loss that has none.
    #[error(
        "label smoothing of {smoothing} is for softmax cross-entropy, but the loss is {loss}\n  hint: leave it out"
    )]
    Smoothing {
        /// The smoothing that was asked for.
        smoothing: f64,
        /// The loss.
        loss: &'static str,
    },
    /// Something said in the loss, and otherwise beside it.
    #[error("the {what} are said in the loss and otherwise beside it\n  hint: say them in one place")]
    Twice {
        /// `class weights` or `smoothing`.
        what: &'static str,
    },
}

/// Head and loss for a target of so many classes (`None`: a number); `single`: the network says itself that it ends in one
/// output.
pub(super) fn head_and_loss(
    classes: Option<usize>,
    single: bool,
    loss: Option<LossSpec>,
    smoothing: f64,
    weights: &[f64],
) -> Result<(Head, LossSpec), HeadError> {
    let loss = loss.unwrap_or(match classes {
        Some(2) if single => LossSpec::binary_cross_entropy(),
        Some(_) => LossSpec::cross_entropy(),
        None => LossSpec::MeanSquared,
    });
    let name = loss.name();
    let refuse =
        |why: &str, hint: &str| Err(HeadError::Loss { loss: name, why: why.to_owned(), hint: hint.to_owned() });
    let (head, loss) = match (loss, classes) {
        (loss @ (LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. }), None) => (Head::Value, loss),
        (_, None) => {
            return refuse(
                "it is for classes, but the target is a number",
                "take mean_squared, mean_absolute or huber, or take the target as classes",
            );
        }
        (LossSpec::CrossEntropy { .. }, Some(2)) if single => {
            return refuse(
                "it needs an output for each of the 2 classes, but the network ends in 1",
                "end the network in 2, or take binary_cross_entropy",
            );
        }
        (LossSpec::CrossEntropy { smoothing: own, class_weights }, Some(_)) => {
            let smoothing = match (own, smoothing) {
                (own, beside) if own == 0.0 || own == beside => beside,
                (own, 0.0) => own,
                _ => return Err(HeadError::Twice { what: "numbers of label smoothing" }),
            };
            let class_weights = one_of_two(class_weights, weights)?;
            return Ok((Head::Softmax, LossSpec::CrossEntropy { smoothing, class_weights }));
        }
        (LossSpec::BinaryCrossEntropy { positive_weight, class_weights }, Some(2)) => {
            let class_weights = one_of_two(class_weights, weights)?;
            (Head::Sigmoid, LossSpec::BinaryCrossEntropy { positive_weight, class_weights })
        }
        (LossSpec::BinaryCrossEntropy { .. }, Some(classes)) => {
            return refuse(&format!("it is for two classes, but the target has {classes}"), "take cross_entropy");
        }
        (LossSpec::SoftCrossEntropy { .. }, Some(_)) => {
            return refuse("it is for shares of classes, but the target names one class a row", "take cross_entropy");
        }
        (LossSpec::MeanSquared | LossSpec::MeanAbsolute | LossSpec::Huber { .. }, Some(_)) => {
            return refuse(
                "it is for numbers, but the target is a class",
                "take cross_entropy, or take the target as a number",
            );
        }
    };
    if smoothing != 0.0 {
        return Err(HeadError::Smoothing { smoothing, loss: name });
    }
    Ok((head, loss))
}

/// Class weights of the loss and of the data, of which one may be empty.
fn one_of_two(own: Vec<f64>, beside: &[f64]) -> Result<Vec<f64>, HeadError> {
    match (own.is_empty(), beside.is_empty()) {
        (true, _) => Ok(beside.to_vec()),
        (false, false) if own != beside => Err(HeadError::Twice { what: "class weights" }),
        _ => Ok(own),
    }
}
