//! How data is read: the options that every command which reads data has, and the one door to it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use glassnet::data::{self, Dataset, Encoding, Header, ReadOptions};

use crate::error::CliError;

/// How a table is written. Everything that is not said is found out and reported.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Reading the data")]
pub struct ReadArgs {
    /// The first line is a row: columns are called c1, c2, ...
    #[arg(long, conflicts_with = "header")]
    pub no_header: bool,
    /// The first line holds the columns' names, whatever it looks like
    #[arg(long)]
    pub header: bool,
    /// What separates the fields: a character, or comma, semicolon, tab, pipe, space
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<char>,
    /// Numbers have a decimal comma: 1,5
    #[arg(long, conflicts_with = "decimal_point")]
    pub decimal_comma: bool,
    /// Numbers have a decimal point: 1.5
    #[arg(long)]
    pub decimal_point: bool,
    /// How bytes stand for letters: utf-8 or windows-1252
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<Encoding>,
    /// Words that stand for a missing value, in place of the usual ones (NA, null, ?, ...); a blank always does
    #[arg(long, value_name = "WORDS", value_delimiter = ',')]
    pub missing: Option<Vec<String>>,
}

impl ReadArgs {
    /// The same as the reader takes it; every column is kept.
    pub fn options(&self) -> ReadOptions {
        ReadOptions {
            header: match (self.no_header, self.header) {
                (true, _) => Header::No,
                (_, true) => Header::Yes,
                _ => Header::Detect,
            },
            delimiter: self.delimiter,
            decimal_comma: (self.decimal_comma || self.decimal_point).then_some(self.decimal_comma),
            encoding: self.encoding,
            missing: self.missing.clone(),
            as_text: BTreeSet::new(),
            as_number: BTreeSet::new(),
            only: None,
            drop: BTreeSet::new(),
        }
    }
}

/// Reads a table or images.
///
/// # Errors
/// What the reader says, with the file, the place and what to do.
pub fn open(path: &str, options: &ReadOptions) -> Result<Dataset, CliError> {
    Ok(data::open(path, options)?)
}

/// A delimiter by its character or its name.
pub fn delimiter(text: &str) -> Result<char, String> {
    let named = match text.to_lowercase().as_str() {
        "comma" => Some(','),
        "semicolon" => Some(';'),
        "tab" | "\\t" => Some('\t'),
        "pipe" => Some('|'),
        "space" | "blank" => Some(' '),
        _ => None,
    };
    let mut letters = text.chars();
    match (named, letters.next(), letters.next()) {
        (Some(named), _, _) => Ok(named),
        (None, Some(letter), None) if letter.is_ascii() && !letter.is_ascii_alphanumeric() && letter != '"' => {
            Ok(letter)
        }
        _ => Err("a delimiter is one character such as ; or one of comma, semicolon, tab, pipe, space".to_string()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    match text.to_lowercase().replace(['-', '_'], "").as_str() {
        "utf8" | "ascii" => Ok(Encoding::Utf8),
        "windows1252" | "cp1252" | "latin1" | "iso88591" => Ok(Encoding::Windows1252),
        _ => Err("utf-8 and windows-1252 are read".to_string()),
    }
}
