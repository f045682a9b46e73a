//! Splits bytes into records of fields: RFC 4180 with any one-byte delimiter.
//!
//! Own code and not the `csv` crate, which cannot say that a quote is never closed, drops a carriage return from the
//! count of lines, and passes text after a closing quote; a test holds both against each other on tables without
//! such faults. Blank lines are skipped, a quote in the middle of an unquoted field is an ordinary character,
//! blanks after a closing quote don't count.

use std::ops::Range;

use crate::error::{DataError, Result, short};

/// The longest record that is read: a quote that is never closed must not swallow a file larger than memory.
pub(crate) const LONGEST: usize = 16 << 20;

/// Something that gives bytes; 0 at its end.
pub(crate) trait Bytes {
    /// Reads some bytes.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

impl Bytes for &[u8] {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.len().min(buffer.len());
        let (now, later) = self.split_at(count);
        buffer[..count].copy_from_slice(now);
        *self = later;
        Ok(count)
    }
}

/// One record: the bytes of its fields, quotes taken off.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    fields: Vec<Range<u32>>,
    /// The line on which it starts, from 1.
    pub line: u64,
}

impl Record {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Field `index`; empty where there is none.
    pub fn field(&self, index: usize) -> &[u8] {
        match self.fields.get(index) {
            Some(range) => &self.bytes[range.start as usize..range.end as usize],
            None => &[],
        }
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> + '_ {
        (0..self.len()).map(|index| self.field(index))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
    }

    fn end_field(&mut self, start: usize) {
        self.fields.push(start as u32..self.bytes.len() as u32);
    }
}

/// Splits a source of bytes into records, in constant memory.
pub(crate) struct Records<B> {
    source: B,
    file: String,
    delimiter: u8,
    newline: u8,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    line: u64,
    /// Whether a quoted field has been seen.
    pub quotes: bool,
}

impl<B: Bytes> Records<B> {
    /// Records of `source`, whose lines end with `newline` (a carriage return before a line feed is dropped).
    pub fn new(source: B, file: &str, delimiter: u8, newline: u8) -> Self {
        Records {
            source,
            file: file.to_string(),
            delimiter,
            newline,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            ended: false,
            line: 1,
            quotes: false,
        }
    }

    /// The source.
    pub fn source(&self) -> &B {
        &self.source
    }

    /// Reads the next record; false at the end.
    pub fn next(&mut self, record: &mut Record) -> Result<bool> {
        loop {
            record.clear();
            record.line = self.line;
            let length = self.line_length(0, self.line)?;
            if length == 0 {
                return Ok(false);
            }
            let line = &self.buffer[self.start..self.start + length];
            let text = without_newline(line, self.newline);
            if text.is_empty() {
                self.start += length;
                self.line += 1;
                continue;
            }
            if memchr::memchr(b'"', text).is_some() {
                self.quoted(length, record)?;
                return Ok(true);
            }
            record.bytes.extend_from_slice(text);
            let mut from = 0;
            for at in memchr::memchr_iter(self.delimiter, text) {
                record.fields.push(from..at as u32);
                from = at as u32 + 1;
            }
            record.fields.push(from..text.len() as u32);
            self.start += length;
            self.line += 1;
            return Ok(true);
        }
    }

    /// Splits a record that has quotes, whose first line is `length` bytes long.
    fn quoted(&mut self, length: usize, record: &mut Record) -> Result<()> {
        let mut length = length;
        let mut at = 0;
        let mut line = self.line;
        loop {
            // A field starts at `at`.
            let field = record.bytes.len();
            if at < length && self.buffer[self.start + at] == b'"' {
                self.quotes = true;
                let opened = line;
                at += 1;
                loop {
                    let rest = &self.buffer[self.start + at..self.start + length];
                    match memchr::memchr(b'"', rest) {
                        Some(quote) if rest.get(quote + 1) == Some(&b'"') => {
                            record.bytes.extend_from_slice(&rest[..=quote]);
                            at += quote + 2;
                        }
                        Some(quote) => {
                            record.bytes.extend_from_slice(&rest[..quote]);
                            at += quote + 1;
                            break;
                        }
                        None => {
                            // The value goes on in the next line.
                            record.bytes.extend_from_slice(rest);
                            at = length;
                            let more = self.line_length(length, opened).map_err(|error| match error {
                                DataError::LongRow { file, .. } => DataError::UnclosedQuote { file, line: opened },
                                other => other,
                            })?;
                            if more == 0 {
                                return Err(DataError::UnclosedQuote { file: self.file.clone(), line: opened });
                            }
                            length += more;
                            line += 1;
                        }
                    }
                }
                record.end_field(field);
                let rest = without_newline(&self.buffer[self.start + at..self.start + length], self.newline);
                let blanks = rest.iter().take_while(|byte| **byte == b' ' && self.delimiter != b' ').count();
                match rest.get(blanks) {
                    None => break,
                    Some(byte) if *byte == self.delimiter => at += blanks + 1,
                    Some(_) => {
                        return Err(DataError::AfterQuote {
                            file: self.file.clone(),
                            line,
                            text: short(&String::from_utf8_lossy(&rest[..rest.len().min(80)])),
                        });
                    }
                }
            } else {
                let rest = without_newline(&self.buffer[self.start + at..self.start + length], self.newline);
                let found = memchr::memchr(self.delimiter, rest);
                record.bytes.extend_from_slice(&rest[..found.unwrap_or(rest.len())]);
                record.end_field(field);
                match found {
                    Some(delimiter) => at += delimiter + 1,
                    None => break,
                }
            }
        }
        self.start += length;
        self.line = line + 1;
        Ok(())
    }

    /// Length of the line that starts `from` bytes after the record's start, its newline included; 0 at the end.
    fn line_length(&mut self, from: usize, line: u64) -> Result<usize> {
        let mut searched = from;
        loop {
            if let Some(found) = memchr::memchr(self.newline, &self.buffer[self.start + searched..self.end]) {
                return Ok(searched + found + 1 - from);
            }
            searched = self.end - self.start;
            if self.ended {
                return Ok(searched - from);
            }
            if searched > LONGEST {
                return Err(DataError::LongRow { file: self.file.clone(), line, limit: LONGEST });
            }
            self.refill()?;
        }
    }

    fn refill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + (64 << 10) {
            self.buffer.resize((self.end * 2).max(256 << 10), 0);
        }
        let count = self.source.read(&mut self.buffer[self.end..])?;
        let new = &self.buffer[self.end..self.end + count];
        if let Some(zero) = memchr::memchr(0, new) {
            let before = memchr::memchr_iter(self.newline, &self.buffer[..self.end + zero]).count() as u64;
            return Err(DataError::Binary { file: self.file.clone(), line: self.line + before });
        }
        self.ended = count == 0;
        self.end += count;
        Ok(())
    }
}

fn without_newline(line: &[u8], newline: u8) -> &[u8] {
    let Some(text) = line.strip_suffix(&[newline]) else {
        // The last line of a file without a newline at its end.
        return line.strip_suffix(b"\r").unwrap_or(line);
    };
    if newline == b'\n' { text.strip_suffix(b"\r").unwrap_or(text) } else { text }
}
