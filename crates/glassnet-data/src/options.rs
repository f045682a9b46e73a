//! How a table is to be read: everything may be left to detection, everything may be said.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Words that stand for a missing value unless [`ReadOptions::missing`] gives others (blanks around them don't count).
pub const MISSING_WORDS: [&str; 22] = [
    "", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "NAN", "-nan", "NaT", "null", "NULL", "Null", "None",
    "none", "NONE", "?", "-", "--", ".",
];

/// Whether the first line holds the columns' names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// Found out from the values.
    #[default]
    Detect,
    /// It does.
    Yes,
    /// It doesn't: the columns are called c1, c2, ...
    No,
}

/// How bytes stand for letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8, of which ASCII is a part.
    #[serde(rename = "UTF-8")]
    Utf8,
    /// Windows-1252, the superset of Latin-1 that older Western European programs write.
    #[serde(rename = "Windows-1252")]
    Windows1252,
}

/// How to read a table. `ReadOptions::default()` detects everything and keeps every column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// Whether line 1 is a header.
    pub header: Header,
    /// The delimiter: one of `,` `;` tab `|` where detected, any ASCII character where given.
    pub delimiter: Option<char>,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: Option<bool>,
    /// The encoding.
    pub encoding: Option<Encoding>,
    /// Words that stand for a missing value, in place of [`MISSING_WORDS`]. The empty value is always missing.
    pub missing: Option<Vec<String>>,
    /// Columns that are text whatever their values look like.
    pub as_text: BTreeSet<String>,
    /// Columns that must be numbers: any other value is an error.
    pub as_number: BTreeSet<String>,
    /// Only these columns are read, where given.
    pub only: Option<BTreeSet<String>>,
    /// Columns that are not read.
    pub drop: BTreeSet<String>,
}
