//! What can go wrong, and the exit code that says so.

use glassnet::data::DataError;
use glassnet::data::write::WriteError;
use glassnet::model::ModelError;

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
            CliError::Interrupted(_) => 130,
        }
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
