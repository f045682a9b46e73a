//! Why a run cannot begin.

use glassnet_core::Precision;

use crate::hyperparameter::BadHyperparameters;

/// A run that cannot begin.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// Settings out of range.
    #[error(transparent)]
    Settings(#[from] BadHyperparameters),
    /// Nothing to train on.
    #[error("there are no rows to train on")]
    NoRows,
    /// A network without a loss.
    #[error("the network has no loss, so there is nothing to lower")]
    NoLoss,
    /// Streams whose gradients would be accumulated.
    #[error(
        "streams go on from batch to batch, so their gradients cannot be accumulated\n  hint: take accumulate 1 and a larger batch"
    )]
    Streams,
    /// Streams through a layer whose positions end with the window.
    #[error(
        "streams go on from window to window, but the positions of layer {layer} end with the window of {context}\n  hint: leave \
         streams out; they are for recurrent layers, which need no positions"
    )]
    Positions {
        /// The layer.
        layer: String,
        /// Time steps of a window.
        context: usize,
    },
    /// Products of a precision that the type of computation does not have.
    #[error(
        "products in {precision} are for a computation in f32, but this one is in {computation}\n  hint: compute in f32, or leave \
         the precision at f32, which means that of the computation"
    )]
    Precision {
        /// What was asked for.
        precision: Precision,
        /// The type of computation.
        computation: &'static str,
    },
    /// The rows have another width than the network reads.
    #[error("the network reads {wanted} numbers a row, but the rows have {found}")]
    Width {
        /// What the network reads.
        wanted: usize,
        /// What the rows have.
        found: usize,
    },
    /// Weights that add to nothing.
    #[error("the weights of the {part} rows add to {sum}; at least one must be greater than 0")]
    Weights {
        /// `training` or `validation`.
        part: &'static str,
        /// What they add to.
        sum: f64,
    },
    /// A row that the source does not have.
    #[error("row {row} of the {part} rows is not there: the source has {rows} rows")]
    NoSuchRow {
        /// `training` or `validation`.
        part: &'static str,
        /// The row, from 1.
        row: u64,
        /// Rows of the source.
        rows: usize,
    },
    /// Rows without targets, or with another number of them than the network gives.
    #[error("the network gives {wanted} outputs a row, but the {part} rows have {found} target values")]
    Targets {
        /// `training` or `validation`.
        part: &'static str,
        /// Outputs of the network.
        wanted: usize,
        /// Target values of a row.
        found: usize,
    },
    /// Parameters of another network.
    #[error("the network has {wanted} parameters, but {found} are given")]
    Parameters {
        /// Parameters of the network.
        wanted: usize,
        /// Parameters that are given.
        found: usize,
    },
    /// A setting that looks at the validation loss, without validation rows.
    #[error("{0} looks at the validation loss, but there are no validation rows; give some, or leave it out")]
    NeedsValidation(&'static str),
    /// A schedule that cannot be that of dropout or decay.
    #[error(
        "{0} cannot follow the plateau schedule, which lowers learning rates\n  hint: take constant, cosine, flat_cos or another one"
    )]
    Plateau(&'static str),
    /// A metric that the network's outputs do not have.
    #[error(
        "the best epoch cannot be chosen by {0}, which this network's loss does not go with\n  hint: classes have loss, calibrated_log_loss and error, values have loss and rmse"
    )]
    BestBy(&'static str),
    /// A label that no logit stands for.
    #[error("row {row} has class number {label}, but the network has {classes} outputs")]
    Label {
        /// The row, from 1.
        row: u32,
        /// Its label.
        label: i32,
        /// Number of logits.
        classes: usize,
    },
}
