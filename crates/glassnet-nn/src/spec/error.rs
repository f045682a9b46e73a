//! An error that points into the text it is about.

use std::fmt;
use std::ops::Range;

/// Longest stretch of a line that is shown, in characters.
const SHOWN: usize = 100;
/// How much of a long line is shown before the spot, in characters.
const BEFORE: usize = 40;

/// What is wrong with a text or a TOML, where, and what to do.
///
/// Its `Display` prints the message, the line, a caret line under the spot, and the hint:
///
/// ```
/// use glassnet_nn::spec::NetSpec;
///
/// let error = NetSpec::parse("784 -> 256 rleu -> 10").unwrap_err().named("--net");
/// let shown = r#"--net: unknown activation "rleu"
///   784 -> 256 rleu -> 10
///              ^^^^
/// did you mean relu?"#;
/// assert_eq!(error.to_string(), shown);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    text: String,
    span: Range<usize>,
    message: String,
    hint: Option<String>,
    source: Option<String>,
}

impl SpecError {
    /// An error about the bytes `span` of `text`. A span outside of the text, or inside of a character, is moved to
    /// the nearest boundary.
    pub fn new(text: &str, span: Range<usize>, message: impl Into<String>) -> SpecError {
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end.max(start));
        SpecError { text: text.to_owned(), span: start..end, message: message.into(), hint: None, source: None }
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> SpecError {
        self.hint = Some(hint.into());
        self
    }

    /// Adds "did you mean ...?" where there is a near name.
    pub fn did_you_mean(self, near: Option<&str>) -> SpecError {
        match near {
            Some(near) => self.hint(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// Says where the text stood: an option (`--net`) or a file's name.
    pub fn named(mut self, source: impl Into<String>) -> SpecError {
        self.source = Some(source.into());
        self
    }

    /// The same error with its spot moved into a longer text that holds this one: `place` gives the byte range.
    #[cfg(feature = "toml")]
    pub(super) fn moved(self, text: &str, place: impl FnOnce(Range<usize>) -> Range<usize>) -> SpecError {
        let span = place(self.span.clone());
        SpecError { hint: self.hint, ..SpecError::new(text, span, self.message) }
    }

    /// What is wrong, without place and hint.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The spot, as a byte range of the text.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Line and column of the spot's beginning, from 1, in characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.text[..self.span.start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl std::error::Error for SpecError {}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        if let Some(source) = &self.source {
            write!(f, "{source}")?;
        }
        if self.text.contains('\n') {
            write!(f, "{}line {line}, column {column}", if self.source.is_some() { ", " } else { "" })?;
            write!(f, ": ")?;
        } else if self.source.is_some() {
            write!(f, ": ")?;
        }
        writeln!(f, "{}", self.message)?;

        let row = self.text.split('\n').nth(line - 1).unwrap_or("").trim_end_matches('\r');
        let from = if row.chars().count() > SHOWN { (column - 1).saturating_sub(BEFORE) } else { 0 };
        let (lead, shown) = (if from > 0 { "..." } else { "" }, row.chars().skip(from).take(SHOWN));
        // A control character (a tab, an escape) takes one column and moves nothing.
        let shown: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
        let tail = if row.chars().count() > from + SHOWN { "..." } else { "" };
        writeln!(f, "  {lead}{}{tail}", shown.trim_end())?;

        let spot = self.text[self.span.clone()].split('\n').next().unwrap_or("").chars().count();
        let room = (from + SHOWN + 1).saturating_sub(column);
        write!(f, "  {}{}", " ".repeat(lead.len() + column - 1 - from), "^".repeat(spot.min(room).max(1)))?;
        match &self.hint {
            Some(hint) => write!(f, "\n{hint}"),
            None => Ok(()),
        }
    }
}
