//! One value of a row, and how a row can fail to fit.

use thiserror::Error;

/// One value of a row that is given to the runtime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// A number; `NaN` is a missing value.
    Number(f64),
    /// Text.
    Text(&'a str),
    /// No value.
    Missing,
}

/// The words that make a column of text boolean, false first; capitals do not count.
pub const BOOLEAN_WORDS: [(&str, &str); 5] = [("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), ("off", "on")];

/// What a boolean word says; `None` where it is none.
pub fn boolean_word(word: &str) -> Option<bool> {
    BOOLEAN_WORDS.iter().find_map(|(no, yes)| {
        if word.eq_ignore_ascii_case(no) {
            Some(false)
        } else if word.eq_ignore_ascii_case(yes) {
            Some(true)
        } else {
            None
        }
    })
}

/// What `word` says in a column whose words are `false_word` and `true_word`: one of these two, or, where they are a
/// pair of [`BOOLEAN_WORDS`], any word of that set.
pub(crate) fn boolean_of(word: &str, false_word: &str, true_word: &str) -> Option<bool> {
    if word.eq_ignore_ascii_case(false_word) {
        Some(false)
    } else if word.eq_ignore_ascii_case(true_word) {
        Some(true)
    } else if boolean_word(false_word) == Some(false) && boolean_word(true_word) == Some(true) {
        boolean_word(word)
    } else {
        None
    }
}

/// What is wrong with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    /// Text where a number belongs.
    #[error("text where a number belongs; give a number, or no value")]
    NotANumber,
    /// Neither of the two words, nor 0 or 1.
    #[error("neither of the column's two words; give one of them, 0 or 1, or no value")]
    NotABoolean,
    /// No date as its column writes them.
    #[error("no date as the training rows write them; give one in their form, or no value")]
    NotADate,
    /// Infinite, or so far from the training rows that the network's type cannot hold it.
    #[error("too large for the network's numbers; give a finite number near the training rows, or no value")]
    NotFinite,
}

/// Why a row was refused. It holds no text, so that refusing a row allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RowError {
    /// The row has another number of values than the model has columns.
    #[error(
        "the row has {found} values, the model has {expected} columns; give one value for each, in the schema's order"
    )]
    Length {
        /// Columns of the model.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The output has another size than the network has inputs.
    #[error("the output has {found} places, the network {expected} inputs; size it by width()")]
    Output {
        /// Inputs of the network.
        expected: usize,
        /// Places given.
        found: usize,
    },
    /// The scratch was made by another model.
    #[error("the scratch was made by another model; make it with this model's scratch()")]
    Scratch,
    /// A value does not fit its column.
    #[error("value {} of the row is {fault}", column + 1)]
    Value {
        /// The column's place among the model's columns, from 0.
        column: usize,
        /// What is wrong.
        fault: Fault,
    },
}
