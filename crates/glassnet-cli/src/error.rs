//! What can go wrong, and the exit code that says so.

use glassnet::data::DataError;
use glassnet::data::write::WriteError;
use glassnet::model::ModelError;
use serde_json::{Value, json};

/// Wrong use of the command or its settings.
pub const USAGE: u8 = 2;

/// An error of the command: a message that says what, where and what to do, and an exit code.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Wrong settings.
    #[error("{0}")]
    Usage(String),
    /// The data cannot be used.
    #[error("{0}")]
    Data(String),
    /// The model file cannot be used.
    #[error("{0}")]
    Model(String),
    /// Training stopped at a value that is not finite.
    #[error("{0}")]
    NonFinite(String),
    /// The output cannot be written.
    #[error("{0}")]
    Write(String),
    /// A check failed.
    #[error("{0}")]
    Check(String),
    /// Something has moved since training.
    #[error("{0}")]
    Moved(String),
    /// Interrupted; what could be kept is kept.
    #[error("{0}")]
    Interrupted(String),
    /// The reader of stdout went away: not a failure of ours.
    #[error("standard output was closed")]
    Closed,
}

impl CliError {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Closed => 0,
            CliError::Usage(_) => USAGE,
            CliError::Data(_) => 3,
            CliError::Model(_) => 4,
            CliError::NonFinite(_) => 5,
            CliError::Write(_) => 6,
            CliError::Check(_) => 7,
            CliError::Moved(_) => 8,
            CliError::Interrupted(_) => 130,
        }
    }
}

impl CliError {
    /// The object that `--json` prints: `error`, `hint` where the message has one, `exit_code`.
    pub fn as_json(&self) -> Value {
        failure_json(&self.to_string(), self.exit_code())
    }

    /// What the reader of the command line found, in the same words as its text form has.
    pub fn of_arguments(error: &clap::Error) -> CliError {
        let text = error.render().to_string();
        // Paragraphs: what is wrong, perhaps a tip, the usage, where to read more.
        let mut paragraphs = text.trim_end().split("\n\n");
        let what = paragraphs.next().unwrap_or_default().trim().trim_start_matches("error: ");
        let tip = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: "));
        let hint = match tip {
            _ if what.contains(HINT) => String::new(),
            Some(tip) => format!("{HINT}{tip}"),
            None => format!("{HINT}glassnet --help, or --help after the command"),
        };
        CliError::Usage(format!("{what}{hint}"))
    }
}

/// What stands between a message and what to do.
const HINT: &str = "\n  hint: ";

/// Whether the last line has nothing but carets.
fn carets(text: &str) -> bool {
    text.lines().last().is_some_and(|line| line.trim_start().chars().all(|letter| letter == '^'))
}

fn failure_json(text: &str, exit_code: u8) -> Value {
    // Where a place in a text is marked with carets, the line below them says what to do.
    let below_carets = || {
        text.match_indices("^\n").find(|(at, _)| carets(&text[..=*at])).map(|(at, _)| (&text[..=at], &text[at + 2..]))
    };
    let marked = [HINT, "\nHint: ", "Hint: "].iter().find_map(|mark| text.split_once(mark));
    let parts = marked.or_else(below_carets);
    match parts {
        Some((what, hint)) => json!({ "error": what.trim_end(), "hint": hint, "exit_code": exit_code }),
        None => json!({ "error": text, "exit_code": exit_code }),
    }
}

impl From<DataError> for CliError {
    fn from(error: DataError) -> Self {
        CliError::Data(error.to_string())
    }
}

impl From<WriteError> for CliError {
    fn from(error: WriteError) -> Self {
        CliError::Write(error.to_string())
    }
}

impl From<ModelError> for CliError {
    fn from(error: ModelError) -> Self {
        CliError::Data(error.to_string())
    }
}
