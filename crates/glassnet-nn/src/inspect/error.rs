//! What an inspector cannot do, and what to give it instead.

use crate::hyperparameter::BadHyperparameters;
use crate::network::NetworkError;

/// A question that does not fit the network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InspectError {
    /// A row of another width.
    #[error("the network reads {wanted} numbers, but the row has {found}\n  hint: give {wanted} numbers")]
    Row {
        /// Numbers that the network reads.
        wanted: usize,
        /// Numbers given.
        found: usize,
    },
    /// A number that is no token.
    #[error(
        "number {place} of the row is {value}, but the network reads tokens, whole numbers from 0 to {last}\n  hint: {hint}"
    )]
    Token {
        /// Its place in the row, from 1.
        place: usize,
        /// What was given.
        value: f64,
        /// The last token of the vocabulary.
        last: usize,
        /// What to give.
        hint: &'static str,
    },
    /// Rows that the data does not have, or none at all.
    #[error("the check needs at least one row that the data has, but {what}\n  hint: name rows from 1 to {rows}")]
    Rows {
        /// What is wrong.
        what: String,
        /// Rows of the data.
        rows: usize,
    },
    /// Parameters (or gradients) of another network.
    #[error("the network has {wanted} parameters, but {found} {what} are given\n  hint: use those of this network")]
    Parameters {
        /// `parameters` or `gradients`.
        what: &'static str,
        /// Parameters of the network.
        wanted: usize,
        /// Numbers given.
        found: usize,
    },
    /// A list of weights or biases of another length; names the layer where it does not fit.
    #[error("{message}\n  hint: {hint}")]
    Flat {
        /// Layer, numbers needed by each layer, numbers given.
        message: String,
        /// What to give.
        hint: String,
    },
    /// A target, but nothing that compares with it.
    #[error("there is a target, but the network has no loss to compare with it\n  hint: build the network with a loss")]
    NoLoss,
    /// A step without a target.
    #[error("a step needs gradients, and gradients need a target\n  hint: give the target of this row too")]
    NoTarget,
    /// A target of another size, or a class that there is not.
    #[error("{message}\n  hint: {hint}")]
    Target {
        /// What is wrong.
        message: String,
        /// What to give.
        hint: String,
    },
    /// A learning rate that is no learning rate.
    #[error("the step's learning rate must be a positive number, but it is {lr}\n  hint: try 0.1")]
    Step {
        /// What was given.
        lr: f64,
    },
    /// No layer of that name.
    #[error("the network has no layer \"{name}\"\n  hint: {hint}")]
    Layer {
        /// What was given.
        name: String,
        /// The names that there are.
        hint: String,
    },
    /// A setting out of its range.
    #[error("{name} must be {allowed}, but it is {value}\n  hint: leave it out to use {default}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it may be.
        allowed: &'static str,
        /// What was given.
        value: f64,
        /// Its default.
        default: f64,
    },
    /// An optimizer's hyperparameters.
    #[error(transparent)]
    Hyperparameters(#[from] BadHyperparameters),
    /// The network that was made does not fit together.
    #[error(transparent)]
    Network(#[from] NetworkError),
}
