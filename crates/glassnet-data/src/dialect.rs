//! How a file writes its table: delimiter, header, decimal mark, encoding, found in its first 256 KiB.
//!
//! *Delimiter*: the candidate that gives most records the first record's number of fields (two or more) and whose cells
//! hold fewest other candidates; where none gives two fields, single blanks between numbers.
//! *Header*: line 1 is one where a word stands over a column of numbers; it is none where
//! its own numbers stand over columns of numbers; among words only, it is one unless its words come again in their
//! columns. *Decimal comma*: only with another delimiter, where some numbers have a comma and none a point.

use std::fmt;

use serde::Serialize;

use crate::cells::{Cell, Cells, Decoder, detect_encoding};
use crate::error::{DataError, Result};
use crate::options::{Encoding, Header, ReadOptions};
use crate::records::{Record, Records};

/// How a file writes its table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dialect {
    /// Whether line 1 holds the columns' names.
    pub header: bool,
    /// What stands between fields.
    pub delimiter: char,
    /// Whether numbers have a decimal comma.
    pub decimal_comma: bool,
    /// Whether any value is quoted.
    pub quotes: bool,
    /// Whether the file begins with UTF-8's byte order mark.
    pub bom: bool,
    /// How bytes stand for letters.
    pub encoding: Encoding,
    /// How lines end: `LF`, `CRLF` or `CR`.
    pub line_end: &'static str,
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, delimiter {}, decimal {}, {}, {}{}, lines end with {}",
            if self.header { "header on the first line" } else { "no header (columns are named c1, c2, ...)" },
            delimiter_name(self.delimiter),
            if self.decimal_comma { "comma" } else { "point" },
            if self.quotes { "quoted values" } else { "no quotes" },
            if self.encoding == Encoding::Utf8 { "UTF-8" } else { "Windows-1252" },
            if self.bom { " with a byte order mark" } else { "" },
            self.line_end
        )
    }
}

/// A delimiter in words.
pub(crate) fn delimiter_name(delimiter: char) -> String {
    match delimiter {
        ',' => "comma".into(),
        ';' => "semicolon".into(),
        '\t' => "tab".into(),
        '|' => "pipe".into(),
        ' ' => "space".into(),
        other => format!("'{}'", other.escape_debug()),
    }
}

/// What the first bytes of a file tell.
#[derive(Debug)]
pub(crate) struct Opening {
    pub dialect: Dialect,
    /// The columns' names.
    pub names: Vec<String>,
    /// Bytes before the table: those of the byte order mark.
    pub skip: usize,
    /// The byte that ends a line.
    pub newline: u8,
    pub cells: Cells,
    pub decoder: Decoder,
}

/// In order of preference among equals: a comma is the one that text holds most often by itself.
const CANDIDATES: [u8; 4] = [b'\t', b';', b'|', b','];

/// How many records are looked at.
const SAMPLE: usize = 1000;

type Sample = Vec<Vec<Vec<u8>>>;

/// Finds the dialect in a file's first bytes (`complete`: they are all there are).
pub(crate) fn detect(file: &str, prefix: &[u8], complete: bool, options: &ReadOptions) -> Result<Opening> {
    check_options(file, options)?;
    if prefix.starts_with(&[0xff, 0xfe]) || prefix.starts_with(&[0xfe, 0xff]) {
        return Err(DataError::Utf16 { file: file.to_string() });
    }
    let bom = prefix.starts_with(&[0xef, 0xbb, 0xbf]);
    let skip = if bom { 3 } else { 0 };
    let body = &prefix[skip..];
    if let Some(zero) = memchr::memchr(0, body) {
        let line = 1 + memchr::memchr_iter(b'\n', &body[..zero]).count() as u64;
        return Err(DataError::Binary { file: file.to_string(), line });
    }
    if complete && body.iter().all(u8::is_ascii_whitespace) {
        return Err(DataError::Empty { file: file.to_string() });
    }
    let feed = memchr::memchr(b'\n', body);
    let newline = if feed.is_none() && memchr::memchr(b'\r', body).is_some() { b'\r' } else { b'\n' };
    let line_end = match feed {
        None if newline == b'\r' => "CR",
        Some(at) if at > 0 && body[at - 1] == b'\r' => "CRLF",
        _ => "LF",
    };
    // A multi-byte letter may be cut at the prefix's end, so the last line doesn't count.
    let whole_lines = if complete { body } else { &body[..memchr::memrchr(newline, body).unwrap_or(0)] };
    let encoding = options.encoding.or(if bom { Some(Encoding::Utf8) } else { detect_encoding(whole_lines) });

    let delimiter = match options.delimiter {
        Some(given) => given as u8,
        None => best_delimiter(body, complete, newline),
    };
    let (sample, quotes, error) = sample(file, body, complete, delimiter, newline);
    let Some(first) = sample.first() else {
        return Err(error.unwrap_or_else(|| DataError::Empty { file: file.to_string() }));
    };
    let decimal_comma =
        options.decimal_comma.unwrap_or_else(|| delimiter != b',' && has_decimal_comma(&sample, delimiter));
    let cells = Cells::new(options.missing.as_deref(), decimal_comma);
    let header = match options.header {
        Header::Yes => true,
        Header::No => false,
        Header::Detect => has_header(&sample, &cells),
    };
    let mut decoder = Decoder::new(encoding);
    let names = if header { header_names(file, first, &mut decoder)? } else { numbered(first.len()) };
    if header && sample.len() == 1 && complete && error.is_none() {
        return Err(DataError::HeaderOnly { file: file.to_string(), columns: names.len() });
    }
    let dialect = Dialect {
        header,
        delimiter: delimiter as char,
        decimal_comma,
        quotes,
        bom,
        encoding: decoder.encoding(),
        line_end,
    };
    Ok(Opening { dialect, names, skip, newline, cells, decoder })
}

fn check_options(file: &str, options: &ReadOptions) -> Result<()> {
    let problem = match options.delimiter {
        Some(given) if !given.is_ascii() || matches!(given, '"' | '\n' | '\r' | '\0') => Some((
            format!("the delimiter {given:?} cannot be used"),
            "give one ASCII character, such as ',' or ';' or a tab",
        )),
        Some(',') if options.decimal_comma == Some(true) => Some((
            "a comma cannot be both the delimiter and the decimal mark".to_string(),
            "name another delimiter, or leave one of the two to detection",
        )),
        _ => None,
    };
    let both = options.as_text.intersection(&options.as_number).next();
    let problem = problem.or_else(|| {
        both.map(|name| (format!("column '{name}' is asked for both as text and as numbers"), "choose one of the two"))
    });
    match problem {
        Some((problem, hint)) => Err(DataError::Option { file: file.to_string(), problem, hint: hint.to_string() }),
        None => Ok(()),
    }
}

/// The first records; whether one has quotes; the error that ended them, if any.
fn sample(file: &str, body: &[u8], complete: bool, delimiter: u8, newline: u8) -> (Sample, bool, Option<DataError>) {
    let mut records = Records::new(body, file, delimiter, newline);
    let mut record = Record::default();
    let mut sample = Vec::new();
    loop {
        match records.next(&mut record) {
            Ok(true) if sample.len() < SAMPLE => sample.push(record.iter().map(<[u8]>::to_vec).collect()),
            Ok(true) => break,
            Ok(false) => {
                // The last record of a cut prefix may be cut itself.
                if !complete && sample.len() > 1 {
                    sample.pop();
                }
                break;
            }
            Err(error) => return (sample, records.quotes, Some(error)),
        }
    }
    (sample, records.quotes, None)
}

fn best_delimiter(body: &[u8], complete: bool, newline: u8) -> u8 {
    let mut best = (0.0, 0, b',');
    for candidate in CANDIDATES {
        let (sample, _, _) = sample("", body, complete, candidate, newline);
        let fields = sample.first().map_or(0, Vec::len);
        if fields < 2 {
            continue;
        }
        let even = sample.iter().filter(|record| record.len() == fields).count() as f64 / sample.len() as f64;
        let cells = sample.iter().map(Vec::len).sum::<usize>() as f64;
        let clean = sample.iter().flatten().filter(|cell| is_clean(cell, candidate)).count() as f64 / cells;
        if even * clean > best.0 || (even * clean == best.0 && fields > best.1) {
            best = (even * clean, fields, candidate);
        }
    }
    if best.1 == 0 && is_spaced(&sample("", body, complete, b' ', newline).0) {
        return b' ';
    }
    best.2
}

/// Whether single blanks stand between values, most of which are numbers: only then are they taken for a delimiter.
fn is_spaced(sample: &Sample) -> bool {
    let fields = sample.first().map_or(0, Vec::len);
    let plain = Cells::new(None, false);
    let numbers = sample.iter().flatten().filter(|cell| matches!(plain.tell(cell), Cell::Number(_))).count();
    fields >= 2 && sample.iter().all(|record| record.len() == fields) && 2 * numbers >= fields * sample.len()
}

/// Whether a cell holds no other candidate; a decimal comma and a comma before a blank are no delimiters.
fn is_clean(cell: &[u8], delimiter: u8) -> bool {
    (0..cell.len()).all(|at| {
        let byte = cell[at];
        let comma = byte == b','
            && delimiter != b','
            && (cell.get(at + 1) == Some(&b' ') || comma_number(cell.trim_ascii()).is_some());
        byte == delimiter || comma || !CANDIDATES.contains(&byte)
    })
}

/// Whether a cell is a number with one comma in it; the inner value says if that could as well be a thousands separator.
fn comma_number(cell: &[u8]) -> Option<bool> {
    let digits = cell.strip_prefix(b"-").or(cell.strip_prefix(b"+")).unwrap_or(cell);
    let comma = memchr::memchr(b',', digits)?;
    let (whole, part) = (&digits[..comma], &digits[comma + 1..]);
    let mantissa = &part[..part.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(part.len())];
    let is_number = !part.is_empty()
        && whole.iter().chain(mantissa).all(u8::is_ascii_digit)
        && part[mantissa.len()..].iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'+' | b'-'));
    is_number.then(|| (1..=3).contains(&whole.len()) && whole[0] != b'0' && part.len() == 3)
}

fn has_decimal_comma(sample: &Sample, delimiter: u8) -> bool {
    let (mut commas, mut surely, mut points) = (false, delimiter == b';', false);
    for cell in sample.iter().flatten() {
        let cell = cell.trim_ascii();
        if let Some(thousands) = comma_number(cell) {
            commas = true;
            surely |= !thousands;
        } else if memchr::memchr(b'.', cell).is_some() {
            points |= matches!(Cells::new(Some(&[]), false).tell(cell), Cell::Number(_));
        }
    }
    commas && surely && !points
}

fn has_header(sample: &Sample, cells: &Cells) -> bool {
    let Some((first, rows)) = sample.split_first() else { return false };
    let (mut words_over_numbers, mut numbers_over_numbers, mut numbers, mut again) = (false, false, false, false);
    for (index, name) in first.iter().enumerate() {
        let name_is = cells.tell(name);
        numbers |= matches!(name_is, Cell::Number(_));
        let mut values = rows.iter().filter_map(|row| row.get(index)).peekable();
        let mut seen = false;
        let mut numeric = true;
        let alone = values.peek().is_none();
        for value in values {
            match cells.tell(value) {
                Cell::Missing(_) => {}
                Cell::Number(_) | Cell::NotFinite => seen = true,
                Cell::Text => {
                    numeric = false;
                    again |= value == name;
                }
            }
        }
        match name_is {
            Cell::Number(_) if (seen && numeric) || alone => numbers_over_numbers = true,
            Cell::Text if seen && numeric => words_over_numbers = true,
            _ => {}
        }
    }
    words_over_numbers || !(numbers_over_numbers || numbers || again)
}

fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|number| format!("c{number}")).collect()
}

fn header_names(file: &str, first: &[Vec<u8>], decoder: &mut Decoder) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(first.len());
    let mut seen = std::collections::BTreeMap::new();
    for (index, bytes) in first.iter().enumerate() {
        let number = index + 1;
        let name = decoder.decode(bytes).map_err(|bad| DataError::Encoding {
            file: file.to_string(),
            place: "the header (line 1)".into(),
            column: format!("c{number}"),
            bytes: hex(bad),
            encoding: "UTF-8",
        })?;
        let name = if name.trim().is_empty() { format!("c{number}") } else { name.trim().to_string() };
        if let Some(first) = seen.insert(name.clone(), number) {
            return Err(DataError::DuplicateColumn { file: file.to_string(), name, first, second: number });
        }
        names.push(name);
    }
    Ok(names)
}

/// Bytes in hexadecimal for a message.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}
