//! Vectors of words as text: a line for each word, `word v1 v2 ... vn`, as GloVe has them; a first line with the number of
//! words and of numbers, as word2vec writes it, is passed over.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::{DataError, Result, short};
use crate::input::Input;
use crate::write::{WriteError, write_atomic};

/// Longest line, in bytes.
const MOST_LINE: usize = 1 << 22;

/// Words and their vectors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WordVectors {
    /// The words, each once.
    pub words: Vec<String>,
    /// `[words, width]`, row-major.
    pub vectors: Vec<f32>,
    /// Numbers of a vector.
    pub width: usize,
}

/// Word vectors as read from a file.
#[derive(Debug, Clone, PartialEq)]
pub struct WordVectorFile {
    /// What messages call the source.
    pub source: String,
    /// What it holds.
    pub vectors: WordVectors,
    /// Number of lines whose word was there before; the first of a word is kept.
    pub duplicates: u64,
    /// SHA-256 of the (unzipped) bytes, in hexadecimal.
    pub hash: String,
}

/// Reads word vectors from a file, through gzip where it is that; `-` is standard input.
///
/// # Errors
/// No such file, nothing in it; a line with more or fewer numbers than the first, without a word, with what is no finite
/// number, or that is not UTF-8; each with its line.
pub fn read_word_vectors(path: &str) -> Result<WordVectorFile> {
    let mut input = Input::open(path)?;
    let mut lines = Lines::new(&mut input);
    let mut read = Reading::default();
    while let Some((number, line)) = lines.next()? {
        read.line(number, line).map_err(|(problem, hint)| DataError::Vectors {
            file: lines.file.clone(),
            line: number,
            problem,
            hint,
        })?;
    }
    let source = input.name.clone();
    if read.header.is_none() && read.vectors.words.is_empty() {
        return Err(DataError::Empty { file: source });
    }
    if read.vectors.words.is_empty() {
        let (problem, hint) = ("no word follows the first line".to_owned(), FORM);
        return Err(DataError::Vectors { file: source, line: 1, problem, hint });
    }
    Ok(WordVectorFile { source, vectors: read.vectors, duplicates: read.duplicates, hash: input.hash() })
}

const FORM: &str = "a line is a word and its numbers, with blanks between them: king 0.1 -0.2 0.3";

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    vectors: WordVectors,
    known: BTreeSet<String>,
    duplicates: u64,
    /// What the first line says, where it may be a header: kept until the second shows.
    header: Option<(String, f32, usize)>,
}

type Problem = (String, &'static str);

impl Reading {
    fn line(&mut self, number: u64, line: &str) -> std::result::Result<(), Problem> {
        let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
        let Some(word) = fields.next() else { return Ok(()) };
        if line.starts_with([' ', '\t']) {
            return Err(("it begins with a blank, so that it has no word".to_owned(), FORM));
        }
        let start = self.vectors.vectors.len();
        for (place, field) in fields.enumerate() {
            match field.parse::<f32>() {
                Ok(value) if value.is_finite() => self.vectors.vectors.push(value),
                _ => {
                    let (word, field) = (short(word), short(field));
                    return Err((format!("number {} of '{word}' is '{field}', no finite number", place + 1), FORM));
                }
            }
        }
        let width = self.vectors.vectors.len() - start;
        // "400000 300": so many words, so many numbers each. It is a header where the second line has so many.
        if number == 1 && width == 1 && word.parse::<u64>().is_ok() {
            let claim = self.vectors.vectors.pop().unwrap_or(0.0);
            self.header = Some((word.to_owned(), claim, claim as usize));
            return Ok(());
        }
        if self.vectors.words.is_empty()
            && let Some((first, value, claim)) = self.header.take()
        {
            if claim as f32 == value && width == claim {
                self.header = Some((first, value, claim));
            } else {
                // It was a word with one number.
                self.vectors.vectors.insert(0, value);
                self.vectors.width = 1;
                self.known.insert(first.clone());
                self.vectors.words.push(first);
            }
        }
        if self.vectors.words.is_empty() {
            if width == 0 {
                return Err((format!("'{}' stands alone, without numbers", short(word)), FORM));
            }
            self.vectors.width = width;
        }
        if width != self.vectors.width {
            let (word, wanted) = (short(word), self.vectors.width);
            let hint = "every word has as many numbers, and no word has a blank in it; is the file whole?";
            return Err((format!("'{word}' has {width} numbers, but the first word has {wanted}"), hint));
        }
        if self.known.insert(word.to_owned()) {
            self.vectors.words.push(word.to_owned());
        } else {
            self.duplicates += 1;
            self.vectors.vectors.truncate(start);
        }
        Ok(())
    }
}

/// The lines of an input, one after the other.
struct Lines<'a> {
    input: &'a mut Input,
    file: String,
    buffer: Vec<u8>,
    /// Where in the buffer the next line begins.
    start: usize,
    ended: bool,
    number: u64,
}

impl<'a> Lines<'a> {
    fn new(input: &'a mut Input) -> Self {
        let file = input.name.clone();
        Lines { input, file, buffer: Vec::new(), start: 0, ended: false, number: 0 }
    }

    /// The next line with its number, without its end.
    fn next(&mut self) -> Result<Option<(u64, &str)>> {
        let mut searched = self.start;
        let end = loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                break searched + at;
            }
            if self.ended {
                break self.buffer.len();
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            if searched > MOST_LINE {
                let problem = format!("it is longer than {MOST_LINE} bytes");
                return Err(DataError::Vectors { file: self.file.clone(), line: self.number + 1, problem, hint: FORM });
            }
            let wanted = searched + (1 << 16);
            self.ended = self.input.fill(&mut self.buffer, wanted)?;
        };
        if self.start >= self.buffer.len() {
            return Ok(None);
        }
        self.number += 1;
        let line = &self.buffer[self.start..end];
        self.start = (end + 1).min(self.buffer.len());
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        match std::str::from_utf8(line) {
            Ok(line) => Ok(Some((self.number, line))),
            Err(error) => {
                let byte = line.get(error.valid_up_to()).copied().unwrap_or(0);
                let problem =
                    format!("byte {} of it is {byte:#04x}, which is not UTF-8 there", error.valid_up_to() + 1);
                let hint = "save the file as UTF-8; is it a binary file of word2vec?";
                Err(DataError::Vectors { file: self.file.clone(), line: self.number, problem, hint })
            }
        }
    }
}

impl WordVectors {
    /// The vector of word `word` (from 0).
    pub fn vector(&self, word: usize) -> Option<&[f32]> {
        self.vectors.get(word.checked_mul(self.width)?..)?.get(..self.width)
    }

    /// The number of a word.
    pub fn find(&self, word: &str) -> Option<usize> {
        self.words.iter().position(|known| known == word)
    }

    /// The text form: a line for each word, each number in the fewest digits that read back to it. The same vectors give
    /// the same bytes.
    ///
    /// # Errors
    /// A word that a line cannot hold: an empty one, one with a blank or a line's end in it; a vector without numbers, or
    /// with one that is not finite. The message says which, without a file's name.
    pub fn to_text(&self) -> std::result::Result<String, String> {
        if self.width == 0 || self.vectors.len() != self.words.len() * self.width {
            let (words, numbers, width) = (self.words.len(), self.vectors.len(), self.width);
            return Err(format!("{words} words of {width} numbers each have {numbers} numbers"));
        }
        let mut text = String::new();
        for (word, vector) in self.words.iter().zip(self.vectors.chunks_exact(self.width)) {
            if word.is_empty() || word.contains([' ', '\t', '\n', '\r']) {
                return Err(format!("the word {word:?} is empty, or has a blank or a line's end in it"));
            }
            if vector.iter().any(|value| !value.is_finite()) {
                return Err(format!("the vector of {word:?} has a number that is not finite"));
            }
            text.push_str(word);
            vector.iter().for_each(|value| text.push_str(&format!(" {value}")));
            text.push('\n');
        }
        Ok(text)
    }

    /// Writes the text form, whole or not at all.
    ///
    /// # Errors
    /// As [`WordVectors::to_text`], and what [`write_atomic`] says.
    pub fn write(&self, path: impl AsRef<Path>) -> std::result::Result<(), WriteError> {
        let text = self.to_text().map_err(|what| WriteError {
            path: path.as_ref().display().to_string(),
            what,
            hint: "give each word a name without blanks, such as <space>".to_owned(),
        })?;
        write_atomic(path, text.as_bytes())
    }
}
