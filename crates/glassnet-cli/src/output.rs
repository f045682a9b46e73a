//! Where things go: results to stdout (text, or one JSON object with `--json`), messages to stderr (none with `--quiet`).

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::error::CliError;

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
pub struct GlobalArgs {
    /// Print one JSON object on stdout instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no messages; results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The two streams.
#[derive(Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    /// A bar at most.
    brief: bool,
    /// Whether the one JSON object is out: a failure after it must not add another.
    printed: bool,
}

impl Output {
    /// As the options say.
    pub fn new(args: &GlobalArgs) -> Self {
        Output { json: args.json, quiet: args.quiet, brief: false, printed: false }
    }

    /// The same with a bar where there is one and no lines: for work of many parts that are told one by one.
    pub fn brief(&self) -> Output {
        Output { json: self.json, quiet: self.quiet, brief: true, printed: self.printed }
    }

    /// Whether results are JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether messages are wanted.
    pub fn is_quiet(&self) -> bool {
        self.quiet || self.brief
    }

    /// Whether progress can be drawn: a person looks at stderr.
    pub fn draws(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// Says that the one JSON object is written elsewhere: row by row.
    pub fn streams_json(&mut self) {
        self.printed = true;
    }

    /// A message for a person, on stderr.
    pub fn message(&self, text: &str) {
        if !self.is_quiet() {
            // A closed stderr must not end the work.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Text to stdout, as it is.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub fn text(&mut self, text: &str) -> Result<(), CliError> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| stdout_error(&error))
    }

    /// The result: `text` for a person, or `value` as one JSON object.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub fn result(&mut self, text: &str, value: &impl Serialize) -> Result<(), CliError> {
        if !self.json {
            return self.text(text);
        }
        self.printed = true;
        let json = serde_json::to_string_pretty(value).map_err(|error| CliError::Write(error.to_string()))?;
        self.text(&format!("{json}\n"))
    }

    /// An error, on stderr; with `--json` as an object on stdout too, unless a result is there.
    pub fn failure(&mut self, error: &CliError) {
        if matches!(error, CliError::Closed) {
            return;
        }
        let _ = writeln!(std::io::stderr(), "error: {error}");
        if self.json && !self.printed {
            let _ = self.text(&format!("{:#}\n", error.as_json()));
        }
    }
}

/// A failure to write to stdout: a closed pipe is no error of ours.
pub fn stdout_error(error: &std::io::Error) -> CliError {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        CliError::Closed
    } else {
        let (what, hint) = match error.kind() {
            std::io::ErrorKind::StorageFull => ("the disk is full".to_string(), "make room, or send it elsewhere"),
            _ => (error.to_string(), "look at where standard output goes"),
        };
        CliError::Write(format!("cannot write to standard output: {what}\n  hint: {hint}"))
    }
}
