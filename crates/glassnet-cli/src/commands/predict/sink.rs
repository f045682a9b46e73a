//! Where rows go: standard output, or a file that takes its name when it is whole.

use std::io::{BufWriter, Write};

use glassnet::data::write::AtomicFile;

use crate::error::CliError;
use crate::inputs::keep_inputs;
use crate::output::stdout_error;

/// An open destination.
pub enum Sink {
    /// Standard output.
    Stdout(BufWriter<std::io::Stdout>),
    /// A file.
    File(Box<BufWriter<AtomicFile>>),
}

/// Bytes that are collected before they are written.
const BUFFER: usize = 1 << 16;

impl Sink {
    /// Standard output.
    pub fn stdout() -> Self {
        Sink::Stdout(BufWriter::with_capacity(BUFFER, std::io::stdout()))
    }

    /// A file, which must be none of `inputs`.
    pub fn file(path: &str, inputs: &[&str]) -> Result<Self, CliError> {
        keep_inputs(std::path::Path::new(path), inputs)?;
        Ok(Sink::File(Box::new(BufWriter::with_capacity(BUFFER, AtomicFile::create(path)?))))
    }

    /// Whether it is a file.
    pub fn is_file(&self) -> bool {
        matches!(self, Sink::File(_))
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        match self {
            Sink::Stdout(out) => out.write_all(bytes).map_err(|error| stdout_error(&error)),
            Sink::File(out) => match out.write_all(bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(out.get_ref().explain(&error).into()),
            },
        }
    }

    /// Hands on what is collected.
    pub fn flush(&mut self) -> Result<(), CliError> {
        match self {
            Sink::Stdout(out) => out.flush().map_err(|error| stdout_error(&error)),
            Sink::File(_) => Ok(()),
        }
    }

    /// Everything is there: the file takes its name.
    pub fn finish(self) -> Result<(), CliError> {
        match self {
            Sink::Stdout(mut out) => out.flush().map_err(|error| stdout_error(&error)),
            Sink::File(mut out) => {
                if let Err(error) = out.flush() {
                    return Err(out.get_ref().explain(&error).into());
                }
                let (file, _) = out.into_parts();
                Ok(file.commit()?)
            }
        }
    }
}
