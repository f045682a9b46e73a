//! One cell: missing, a number, no finite number, or text.

use std::borrow::Cow;

use crate::options::{Encoding, MISSING_WORDS};

/// What a cell's bytes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// A missing-value word, by its index in the list.
    Missing(usize),
    /// A finite number.
    Number(f64),
    /// A word for infinity, or a number too large for 64 bits.
    NotFinite,
    /// Anything else.
    Text,
}

/// Tells cells apart in one dialect.
#[derive(Debug, Clone)]
pub(crate) struct Cells {
    words: Vec<String>,
    first: [bool; 256],
    longest: usize,
    decimal_comma: bool,
}

impl Cells {
    /// Cells with these missing-value words (the empty one comes by itself).
    pub fn new(words: Option<&[String]>, decimal_comma: bool) -> Self {
        let mut all = vec![String::new()];
        match words {
            Some(words) => all.extend(words.iter().map(|word| word.trim().to_string())),
            None => all.extend(MISSING_WORDS.iter().map(|word| word.to_string())),
        }
        let mut words: Vec<String> = Vec::new();
        for word in all {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let mut first = [false; 256];
        for byte in words.iter().filter_map(|word| word.as_bytes().first()) {
            first[*byte as usize] = true;
        }
        let longest = words.iter().map(String::len).max().unwrap_or(0);
        Cells { words, first, longest, decimal_comma }
    }

    /// The missing-value words.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The index of the missing-value word that the cell is.
    pub fn missing(&self, bytes: &[u8]) -> Option<usize> {
        let bytes = bytes.trim_ascii();
        let Some(first) = bytes.first() else { return Some(0) };
        if !self.first[*first as usize] || bytes.len() > self.longest {
            return None;
        }
        self.words.iter().position(|word| word.as_bytes() == bytes)
    }

    /// What the cell is.
    pub fn tell(&self, bytes: &[u8]) -> Cell {
        match self.missing(bytes) {
            Some(word) => Cell::Missing(word),
            None => number(bytes.trim_ascii(), self.decimal_comma),
        }
    }
}

/// A number in digits with an optional sign, decimal mark and exponent; thousands separators are text.
fn number(bytes: &[u8], decimal_comma: bool) -> Cell {
    let mark = if decimal_comma { b',' } else { b'.' };
    let (negative, digits) = match bytes.first() {
        Some(b'-') => (true, &bytes[1..]),
        Some(b'+') => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let Some(first) = digits.first() else { return Cell::Text };
    if !first.is_ascii_digit() && *first != mark {
        let infinity = [&b"inf"[..], b"infinity", b"1.#inf"].iter().any(|word| digits.eq_ignore_ascii_case(word));
        return if infinity || digits == "\u{221e}".as_bytes() { Cell::NotFinite } else { Cell::Text };
    }
    // Up to 15 digits are exact in 53 bits.
    if digits.len() <= 15 && digits.iter().all(u8::is_ascii_digit) {
        let value = digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0')) as f64;
        return Cell::Number(if negative { -value } else { value });
    }
    if digits.eq_ignore_ascii_case(b"1.#inf") {
        return Cell::NotFinite;
    }
    if !digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'+' | b'-') || *byte == mark) {
        return Cell::Text;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Cell::Text };
    let parsed = if decimal_comma { text.replace(',', ".").parse::<f64>() } else { text.parse::<f64>() };
    match parsed {
        Ok(value) if value.is_finite() => Cell::Number(value),
        Ok(_) => Cell::NotFinite,
        Err(_) => Cell::Text,
    }
}

/// Whether text is probably a number in another notation: with thousands separators (`1,234.5`, `1 234`, `1'234`), or with
/// one comma in it.
pub(crate) fn looks_numeric(bytes: &[u8]) -> bool {
    let bytes = bytes.trim_ascii();
    let digits = bytes.strip_prefix(b"-").or(bytes.strip_prefix(b"+")).unwrap_or(bytes);
    let run = |from: usize| digits[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let first = run(0);
    let Some(separator) = digits.get(first).filter(|mark| first > 0 && matches!(mark, b',' | b'.' | b' ' | b'\''))
    else {
        return false;
    };
    let mut at = first;
    while first <= 3 && digits.get(at) == Some(separator) && run(at + 1) == 3 {
        at += 4;
    }
    match digits.get(at) {
        None => at > first,
        Some(mark @ (b',' | b'.')) if at > first => mark != separator && at + 1 + run(at + 1) == digits.len(),
        Some(b',') => run(at + 1) > 0 && at + 1 + run(at + 1) == digits.len(),
        Some(_) => false,
    }
}

/// Turns bytes into text. Where the encoding is not yet known, the first bytes outside ASCII decide.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    known: Option<Encoding>,
}

impl Decoder {
    /// A decoder of a known encoding, or of one that is still to be found out.
    pub fn new(known: Option<Encoding>) -> Self {
        Decoder { known }
    }

    /// The encoding, ASCII counting as UTF-8.
    pub fn encoding(&self) -> Encoding {
        self.known.unwrap_or(Encoding::Utf8)
    }

    /// The text; `Err` gives the bytes that don't fit.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> std::result::Result<Cow<'a, str>, &'a [u8]> {
        if self.known != Some(Encoding::Windows1252) {
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    if self.known.is_none() && !text.is_ascii() {
                        self.known = Some(Encoding::Utf8);
                    }
                    return Ok(Cow::Borrowed(text));
                }
                Err(error) if self.known.is_some() => {
                    let from = error.valid_up_to();
                    return Err(&bytes[from..(from + 3).min(bytes.len())]);
                }
                Err(_) => {}
            }
        }
        let text = windows_1252(bytes)?;
        self.known = Some(Encoding::Windows1252);
        Ok(Cow::Owned(text))
    }
}

/// Finds the encoding of `bytes`: `None` where all is ASCII. `Some(Utf8)` for a mixture, so that its bad bytes are reported.
pub(crate) fn detect_encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.is_ascii() {
        return None;
    }
    let (mut good, mut bad, mut undefined) = (0usize, 0usize, false);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
        undefined |= windows_1252(chunk.invalid()).is_err();
    }
    // By chance a pair of Windows-1252 letters may look like UTF-8; a text's worth of them does not.
    if bad == 0 || undefined || good >= bad { Some(Encoding::Utf8) } else { Some(Encoding::Windows1252) }
}

/// Letters of the bytes 0x80 to 0x9f (the others are Latin-1's); 0 where Windows-1252 has none. Source: WHATWG Encoding.
const HIGH: [u16; 32] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0,
    0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178,
];

fn windows_1252(bytes: &[u8]) -> std::result::Result<String, &[u8]> {
    let mut text = String::with_capacity(bytes.len() + 8);
    for (at, byte) in bytes.iter().enumerate() {
        let code = if (0x80..0xa0).contains(byte) { HIGH[(*byte - 0x80) as usize] } else { u16::from(*byte) };
        match char::from_u32(u32::from(code)) {
            Some(letter) if code != 0 || *byte == 0 => text.push(letter),
            _ => return Err(&bytes[at..=at]),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_what_only_looks_like_them() {
        let cells = Cells::new(None, false);
        for (text, value) in [("1", 1.0), ("-2.5", -2.5), ("+.5", 0.5), ("5.", 5.0), (" 1e3 ", 1000.0), ("007", 7.0)] {
            assert_eq!(cells.tell(text.as_bytes()), Cell::Number(value), "{text}");
        }
        assert!(matches!(cells.tell(b"12345678901234567890"), Cell::Number(value) if value == 12345678901234567890.0));
        for text in
            ["1,000", "1_000", "0x10", "e5", "1e", "-e", "1-2", "2013-01-01", "1.2.3", "$5", "5%", "infinite", "+"]
        {
            assert_eq!(cells.tell(text.as_bytes()), Cell::Text, "{text}");
        }
        for text in ["inf", "-Inf", "INFINITY", "1e999", "-1.#INF", "\u{221e}"] {
            assert_eq!(cells.tell(text.as_bytes()), Cell::NotFinite, "{text}");
        }
        for text in MISSING_WORDS {
            assert!(matches!(cells.tell(text.as_bytes()), Cell::Missing(_)), "{text}");
        }
        let comma = Cells::new(None, true);
        assert_eq!(comma.tell(b"-1,5e2"), Cell::Number(-150.0));
        assert_eq!(comma.tell(b"1.5"), Cell::Text);
        assert_eq!(comma.tell(b"1,5,5"), Cell::Text);
    }

    #[test]
    fn numbers_in_another_notation_are_recognised() {
        for text in ["1,234", "-1,234,567.8", "1.234,5", "1 234", "1'234'567", "0,5", "12345,6", "1.234.567"] {
            assert!(looks_numeric(text.as_bytes()), "{text}");
        }
        for text in
            ["", "-", "12", "1,2,3", "192.168.0.1", "12.05.2020", "2013-01-01", "1,", ",5", "1,234 apples", "a,b"]
        {
            assert!(!looks_numeric(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_list_of_missing_words_replaces_the_usual_one() {
        let cells = Cells::new(Some(&["-999".to_string()]), false);
        assert_eq!(cells.tell(b"-999"), Cell::Missing(1));
        assert_eq!(cells.tell(b""), Cell::Missing(0));
        assert_eq!(cells.tell(b"NA"), Cell::Text);
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(detect_encoding(b"plain"), None);
        assert_eq!(detect_encoding("caf\u{e9}".as_bytes()), Some(Encoding::Utf8));
        assert_eq!(detect_encoding(b"caf\xe9 \x80"), Some(Encoding::Windows1252));
        assert_eq!(detect_encoding(b"caf\x81"), Some(Encoding::Utf8));
        let mut decoder = Decoder::new(None);
        assert_eq!(decoder.decode(b"caf\xe9 \x80").as_deref(), Ok("caf\u{e9} \u{20ac}"));
        assert_eq!(decoder.encoding(), Encoding::Windows1252);
        assert_eq!(Decoder::new(Some(Encoding::Utf8)).decode(b"caf\xe9"), Err(&b"\xe9"[..]));
    }
}
