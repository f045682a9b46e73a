//! What can go wrong with a table, a schema or a model file: what, where, and what to do.

use thiserror::Error;

/// An error of this crate. Every message ends with what to do about it.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ModelError {
    /// A column that was asked for by name is not in the table.
    #[error("{source_name} has no column {column:?} for the {role}{}\n  hint: give the name as the header has it", did_you_mean(.nearest))]
    NoColumn {
        /// Where the table came from.
        source_name: String,
        /// The name that was asked for.
        column: String,
        /// What the column was to be: target, weights, override.
        role: &'static str,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// Columns that the model needs are not in the table.
    #[error(
        "{source_name} lacks {count} column{s} that the model needs: {names}\n  hint: add {them} (order does not matter; a \
         column without values may be all blank)",
        s = if *.count == 1 { "" } else { "s" }, them = if *.count == 1 { "it" } else { "them" }
    )]
    ColumnsMissing {
        /// Where the table came from.
        source_name: String,
        /// How many are missing.
        count: usize,
        /// Their names, each with the nearest name of the table.
        names: String,
    },
    /// Two columns have one name.
    #[error("{source_name} has two columns named {column:?}\n  hint: rename one of them in the header")]
    DuplicateColumn {
        /// Where the table came from.
        source_name: String,
        /// The name.
        column: String,
    },
    /// A value that cannot be what its column is.
    #[error(transparent)]
    BadValue(Box<BadValue>),
    /// The table, or what is left of it, has no rows.
    #[error("{source_name} has no usable row{because}\n  hint: {hint}")]
    NoRows {
        /// Where the table came from.
        source_name: String,
        /// Why there is none, starting with a comma or a colon; may be empty.
        because: String,
        /// What to do.
        hint: &'static str,
    },
    /// Every row has the same class.
    #[error(
        "the target {column:?} has only one class, {class:?}, in all {rows} rows; a classifier needs two\n  hint: check the \
         column, or the rows that were kept"
    )]
    OneClass {
        /// The target's name.
        column: String,
        /// The class.
        class: String,
        /// Number of rows.
        rows: usize,
    },
    /// More classes than a classifier can have.
    #[error(
        "the target {column:?} has {classes} different values in {rows} rows, more than the {limit} classes that a classifier \
         may have\n  hint: is it an identifier or free text? For a number choose the task regress"
    )]
    TooManyClasses {
        /// The target's name.
        column: String,
        /// Number of different values.
        classes: usize,
        /// Number of rows.
        rows: usize,
        /// Most classes allowed.
        limit: usize,
    },
    /// A regression's target is always the same.
    #[error(
        "the target {column:?} is {value} in all {rows} rows; there is nothing to learn\n  hint: check the column, or the rows \
         that were kept"
    )]
    ConstantTarget {
        /// The target's name.
        column: String,
        /// The value.
        value: String,
        /// Number of rows.
        rows: usize,
    },
    /// No column is left to learn from.
    #[error(
        "{source_name} has no column left to learn from: {reasons}\n  hint: keep one with an override (number, category, boolean or date)"
    )]
    NoInputs {
        /// Where the table came from.
        source_name: String,
        /// Why each was left out.
        reasons: String,
    },
    /// A column cannot be what an override says.
    #[error("column {column:?} cannot be {kind}: {why}\n  hint: choose otherwise, or leave that out")]
    BadOverride {
        /// The column's name.
        column: String,
        /// The kind that was asked for.
        kind: &'static str,
        /// Why not.
        why: String,
    },
    /// The weights of the rows add up to nothing.
    #[error("the weights in column {column:?} are 0 in all {rows} rows\n  hint: at least one must be positive")]
    ZeroWeights {
        /// The column's name.
        column: String,
        /// Number of rows.
        rows: usize,
    },
    /// Rows cannot be split as asked.
    #[error("cannot set rows aside for validation: {why}\n  hint: {hint}")]
    Split {
        /// Why not.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// A row given to the runtime does not fit.
    #[error("column {column:?}: {error}")]
    Row {
        /// The column's name; empty where the row as a whole does not fit.
        column: String,
        /// What is wrong.
        error: crate::value::RowError,
    },
    /// A buffer or a list of rows has the wrong size.
    #[error("{what}: expected {expected}, got {found}; size it by width() times the number of rows")]
    Size {
        /// What has the wrong size.
        what: &'static str,
        /// What it should be.
        expected: usize,
        /// What it is.
        found: usize,
    },
    /// Another number of labels than of images.
    #[error("{source_name} has {labels} labels for {images} images; give one label for each image, in their order")]
    Labels {
        /// Where the images came from.
        source_name: String,
        /// Number of labels.
        labels: usize,
        /// Number of images.
        images: usize,
    },
    /// A row that is to be evaluated has no target of the model's kind.
    #[error(
        "encoded row {row} (from 0) has no target that the model knows; encode the rows with their targets, and evaluate \
         only those that have one"
    )]
    NoTarget {
        /// The row's number among the encoded rows, from 0.
        row: u32,
    },
    /// Something that was made for another model.
    #[error("{what}; make it with this model's {maker}")]
    Foreign {
        /// What.
        what: &'static str,
        /// The function that makes it.
        maker: &'static str,
    },
    /// Characters that the model has no token for.
    #[error(
        "the model never saw the character(s) {} in training: it knows {known} characters\n  hint: leave them out, or train on a text that has them",
        crate::text::shown(characters)
    )]
    UnknownCharacters {
        /// All of them, each once.
        characters: String,
        /// How many the model knows.
        known: usize,
    },
    /// A model that cannot do this.
    #[error("{what}\n  hint: {hint}")]
    Unfit {
        /// What it cannot do.
        what: String,
        /// What to do.
        hint: &'static str,
    },
    /// Not a model file, or a damaged one.
    #[error("not a readable model file: {what}\n  hint: {hint}")]
    File {
        /// What is wrong, and where in the file.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The model file comes from a later version.
    #[error(
        "the model file has format version {found}, written by a later glassnet; this one reads up to {known}\n  hint: update glassnet"
    )]
    LaterVersion {
        /// The file's version.
        found: u64,
        /// The last version known here.
        known: u32,
    },
    /// Tensors and network do not go together.
    #[error(
        "tensors of the model file do not fit its network: {what}; the file was damaged or put together by hand\n  hint: train again or repair it"
    )]
    Tensors {
        /// Each tensor that is missing, extra, or of another shape.
        what: String,
    },
    /// Something that a model file cannot hold.
    #[error("cannot write the model: {what}\n  hint: {hint}")]
    Unwritable {
        /// What, and where in the document.
        what: String,
        /// What to do.
        hint: &'static str,
    },
}

/// A value that cannot be what its column is.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{source_name}, {place}, column {column:?}: {value:?} is not {wanted}\n  hint: {hint}")]
pub struct BadValue {
    /// Where the table came from.
    pub source_name: String,
    /// Row and line.
    pub place: String,
    /// The column's name.
    pub column: String,
    /// The value as it stood.
    pub value: String,
    /// What the column holds.
    pub wanted: String,
    /// What to do.
    pub hint: String,
}

impl From<BadValue> for ModelError {
    fn from(value: BadValue) -> Self {
        // Boxed, so that a result that can be an error stays small.
        ModelError::BadValue(Box::new(value))
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!(" (did you mean {name:?}?)"),
        None => String::new(),
    }
}
