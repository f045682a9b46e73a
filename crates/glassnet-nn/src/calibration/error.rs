//! Why scores cannot be calibrated.

/// Rows that no calibration can be fitted to.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// Too few rows.
    #[error(
        "{rows} rows are too few to calibrate on; {needed} are needed\n  hint: set more rows aside, or leave the scores as they are"
    )]
    TooFew {
        /// Rows with a weight above 0.
        rows: usize,
        /// The least number.
        needed: usize,
    },
    /// All rows of one class.
    #[error(
        "all rows are of class {class}, so nothing can be told about the other\n  hint: set rows of each class aside"
    )]
    OneClass {
        /// The class, from 0.
        class: usize,
    },
    /// Scores, labels and weights that are not as many.
    #[error("{rows} rows of scores come with {labels} labels and {weights} weights")]
    Sizes {
        /// Rows of scores.
        rows: usize,
        /// Labels.
        labels: usize,
        /// Weights.
        weights: usize,
    },
    /// A label that no logit stands for.
    #[error("row {row} has class number {label}, but there are {classes} classes")]
    Label {
        /// The row, from 1.
        row: u64,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A score that is NaN or infinite.
    #[error(
        "row {row} has a score that is not finite\n  hint: look for the row's non-finite input, or for the layer that overflows"
    )]
    NotFinite {
        /// The row, from 1.
        row: u64,
    },
    /// A weight below 0, or not finite.
    #[error("row {row} has weight {weight}; weights must be finite and 0 or more")]
    Weight {
        /// The row, from 1.
        row: u64,
        /// Its weight.
        weight: f64,
    },
    /// Scores that say nothing.
    #[error("all rows have the same score, so there is nothing to calibrate")]
    Constant,
    /// Scores that fall where they should rise.
    #[error(
        "the higher the score, the rarer the class: the scores are worse than a guess on these rows\n  hint: do not calibrate, look for swapped labels or for rows of another kind"
    )]
    Reversed,
}
