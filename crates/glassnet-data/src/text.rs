//! A text, whole: what a language model learns from.

use crate::error::{DataError, Result};
use crate::input::Input;

/// Most bytes of a text, unzipped: 4 GiB.
const MOST_BYTES: usize = 1 << 32;

/// A text as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextFile {
    /// What messages call the source: the file's name, or `standard input`.
    pub source: String,
    /// The text; a byte order mark at its beginning is left out, everything else is as it stands (line ends too).
    pub text: String,
    /// Whether it was compressed with gzip.
    pub gzip: bool,
    /// SHA-256 of the (unzipped) bytes, in hexadecimal.
    pub hash: String,
}

/// Reads a UTF-8 text from a file, through gzip where it is that; `-` is standard input.
///
/// # Errors
/// No such file, nothing in it, a byte that is not UTF-8 (with its place from 0 and its line), UTF-16, damaged gzip data,
/// more than 4 GiB.
pub fn read_text(path: &str) -> Result<TextFile> {
    let mut input = Input::open(path)?;
    let mut bytes = Vec::new();
    input.fill(&mut bytes, MOST_BYTES + 1)?;
    let file = input.name.clone();
    if bytes.len() > MOST_BYTES {
        return Err(DataError::LongText { file, limit: MOST_BYTES as u64 });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(DataError::Utf16 { file });
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        not_utf8(&file, error.as_bytes(), at, 0)
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    if text.is_empty() {
        return Err(DataError::Empty { file });
    }
    Ok(TextFile { source: file, text, gzip: input.gzip, hash: input.hash() })
}

/// The error of the byte at `at`; `before` lines came earlier.
pub(crate) fn not_utf8(file: &str, bytes: &[u8], at: usize, before: u64) -> DataError {
    let line = before + 1 + memchr::memchr_iter(b'\n', &bytes[..at]).count() as u64;
    let byte = bytes.get(at).map_or_else(|| "missing".to_owned(), |byte| format!("{byte:#04x}"));
    DataError::NotUtf8 { file: file.to_owned(), offset: at as u64, line, byte }
}
