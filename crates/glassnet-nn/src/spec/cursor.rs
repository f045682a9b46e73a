//! The words of a text, and a cursor that the items' parsers read them with.

use std::ops::Range;

use super::SpecError;
use super::names::key;

/// Most units that a layer may have: 2^24.
pub(super) const MOST_UNITS: usize = 1 << 24;

/// Most words that one name has ("log soft max").
const NAME_WORDS: usize = 3;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// `->`
    Arrow,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// Digits, with a sign, a point or an exponent.
    Number,
    /// Whole numbers joined by x: `5x5`, `1x28x28`.
    Sizes,
    /// Letters, with digits, `_` or `-` inside.
    Word,
}

/// Reads tokens one after the other.
pub(super) struct Cursor<'t> {
    text: &'t str,
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    /// Residual blocks that are open.
    pub depth: usize,
    /// The input, once it was read.
    pub input: Option<InputText>,
}

/// What a text says of the rows that the network reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputText {
    /// Shape of a row.
    pub shape: Vec<usize>,
    /// Number of tokens that there are, where a row is tokens.
    pub vocabulary: Option<usize>,
}

impl<'t> Cursor<'t> {
    /// Splits the text.
    pub fn new(text: &'t str) -> Result<Cursor<'t>, SpecError> {
        let mut tokens = Vec::new();
        let mut rest = text.char_indices().peekable();
        while let Some((start, c)) = rest.next() {
            let after = &text[start + c.len_utf8()..];
            let (token, length) = match c {
                _ if c.is_whitespace() => continue,
                '→' => (Token::Arrow, c.len_utf8()),
                '-' if after.starts_with('>') => (Token::Arrow, 2),
                '(' => (Token::Open, 1),
                ')' => (Token::Close, 1),
                ',' => (Token::Comma, 1),
                _ if c.is_alphabetic() => (Token::Word, word_length(&text[start..])),
                _ if sizes_length(&text[start..]) > 0 => (Token::Sizes, sizes_length(&text[start..])),
                _ => match number_length(&text[start..]) {
                    0 => return Err(strange(text, start, c)),
                    length => (Token::Number, length),
                },
            };
            tokens.push((token, start..start + length));
            while rest.peek().is_some_and(|(next, _)| *next < start + length) {
                rest.next();
            }
        }
        Ok(Cursor { text, tokens, at: 0, depth: 0, input: None })
    }

    /// The whole text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The next token.
    pub fn peek(&self) -> Option<Token> {
        self.peek_at(0)
    }

    /// The token after `ahead` others.
    pub fn peek_at(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).map(|(token, _)| *token)
    }

    /// The place of the next token; the text's end where there is none.
    pub fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.text.len()..self.text.len(), |(_, span)| span.clone())
    }

    /// The place of the token read last.
    pub fn last_span(&self) -> Range<usize> {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0..0, |(_, span)| span.clone())
    }

    /// Whether this is the place of the text's first token.
    pub fn is_first(&self, span: &Range<usize>) -> bool {
        self.tokens.first().is_some_and(|(_, first)| first == span)
    }

    /// Whether the token read last is an arrow.
    pub fn after_arrow(&self) -> bool {
        self.at > 0 && self.tokens[self.at - 1].0 == Token::Arrow
    }

    /// Steps over the next token and gives its place.
    pub fn take(&mut self) -> Range<usize> {
        let span = self.span();
        self.at += 1;
        span
    }

    /// Steps over the next token if it is this one.
    pub fn take_if(&mut self, token: Token) -> bool {
        let is = self.peek() == Some(token);
        self.at += usize::from(is);
        is
    }

    /// The text at a place.
    pub fn slice(&self, span: Range<usize>) -> &'t str {
        &self.text[span]
    }

    /// The longest name that the next words make and that `find` knows: what it found and how many words it has.
    /// Words stand together in any spelling: "log softmax", "log_softmax", "LogSoftmax".
    pub fn find_name<R>(&self, find: impl Fn(&str) -> Option<R>) -> Option<(R, usize)> {
        let words = (0..NAME_WORDS).take_while(|ahead| self.peek_at(*ahead) == Some(Token::Word)).count();
        (1..=words).rev().find_map(|count| find(&self.words(count)).map(|found| (found, count)))
    }

    /// The key of the next `count` words together.
    pub fn words(&self, count: usize) -> String {
        self.tokens[self.at..].iter().take(count).map(|(_, span)| key(&self.text[span.clone()])).collect()
    }

    /// Steps over `count` tokens and gives their place.
    pub fn take_many(&mut self, count: usize) -> Range<usize> {
        let start = self.span().start;
        self.at += count;
        start..self.last_span().end
    }

    /// An error at a place.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> SpecError {
        SpecError::new(self.text, span, message)
    }

    /// An error about the next word, which is none of `candidates`: names the nearest of them, or gives the hint
    /// `otherwise` where none is near.
    pub fn unknown<'a>(
        &self,
        what: &str,
        candidates: impl Iterator<Item = &'a str>,
        otherwise: impl FnOnce() -> String,
    ) -> SpecError {
        let candidates: Vec<&str> = candidates.collect();
        let span = self.span();
        let word = self.slice(span.clone());
        let near = super::names::nearest(word, candidates.iter().copied());
        if near.is_none() && self.peek_at(1) == Some(Token::Word) {
            // The name may have two words, one of them misspelt.
            let (_, second) = &self.tokens[self.at + 1];
            let both = span.start..second.end;
            if let Some(near) = super::names::nearest(&self.words(2), candidates) {
                let message = format!("unknown {what} \"{}\"", shorten(self.slice(both.clone())));
                return self.error(both, message).did_you_mean(Some(near));
            }
        }
        let error = self.error(span, format!("unknown {what} \"{}\"", shorten(word)));
        match near {
            Some(_) => error.did_you_mean(near),
            None => error.hint(otherwise()),
        }
    }

    /// Reads a number of units, 1 to 2^24. `whose` is named where the number is missing.
    pub fn units(&mut self, whose: &str) -> Result<usize, SpecError> {
        if self.peek() != Some(Token::Number) {
            let (span, message) = (self.last_span(), format!("{whose} needs a number of units"));
            return Err(self.error(span, message).hint(format!("for instance: {whose} 64")));
        }
        let span = self.take();
        check_units(self.slice(span.clone())).map_err(|(message, hint)| self.error(span, message).hint(hint))
    }

    /// Reads a finite number.
    pub fn number(&mut self) -> Result<f64, SpecError> {
        let span = self.take();
        let word = self.slice(span.clone());
        match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(self.error(span, format!("{} is too large", shorten(word))).hint("write a smaller number")),
        }
    }
}

/// What `name`, as a key, means in a table of spellings.
pub(super) fn named<S: Copy>(known: &[(&'static str, S)], name: &str) -> Option<S> {
    known.iter().find(|(spelling, _)| key(spelling) == name).map(|(_, setting)| *setting)
}

/// Length of `digits x digits [x digits ..]` at the beginning of the text; 0 where there is none.
fn sizes_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    let mut parts = usize::from(length > 0);
    while length > 0 {
        let times = match text[length..].chars().next() {
            Some(c @ ('x' | 'X' | '×')) => c.len_utf8(),
            _ => break,
        };
        let more = digits(length + times);
        if more == 0 {
            break;
        }
        length += times + more;
        parts += 1;
    }
    if parts > 1 { length } else { 0 }
}

/// A number of units from its text, or what is wrong with it and what to do.
pub(super) fn check_units(word: &str) -> Result<usize, (String, String)> {
    let value = match word.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 || !value.is_finite() => value,
        _ => return Err((format!("{} is no whole number of units", shorten(word)), "write a whole number".to_owned())),
    };
    if value <= 0.0 {
        return Err((
            format!("dense dimensions must be positive, got {}", shorten(word)),
            "give the layer one unit or more".to_owned(),
        ));
    }
    if value > MOST_UNITS as f64 {
        return Err((
            format!("{} is too large for a layer", shorten(word)),
            format!("a layer has at most {MOST_UNITS} units"),
        ));
    }
    Ok(value as usize)
}

/// A word as it is shown in a message: on one line, and not longer than one.
pub(super) fn shorten(word: &str) -> String {
    let mut rest = word.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut shown: String = rest.by_ref().take(40).collect();
    if rest.next().is_some() {
        shown.push_str("...");
    }
    shown
}

fn word_length(text: &str) -> usize {
    let mut length = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // A dash belongs to the word where a letter follows: "log-softmax", but "relu->10".
        let inside = c.is_alphanumeric() || c == '_' || (c == '-' && rest.peek().is_some_and(|c| c.is_alphabetic()));
        if !inside {
            break;
        }
        length += c.len_utf8();
    }
    length
}

/// Length of `[+-] digits [. digits] [e [+-] digits]` at the beginning of the text; 0 where there is no number.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut length = sign + whole;
    let mut fraction = 0;
    if bytes.get(length) == Some(&b'.') {
        fraction = digits(length + 1);
        length += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let from = (length + 1 + sign).min(bytes.len());
        let exponent = digits(from);
        if exponent > 0 {
            length = from + exponent;
        }
    }
    length
}

pub(super) fn strange(text: &str, start: usize, c: char) -> SpecError {
    let span = start..start + c.len_utf8();
    let shown = if c.is_control() { format!("U+{:04X}", c as u32) } else { c.to_string() };
    let error = SpecError::new(text, span, format!("unexpected character \"{shown}\""));
    match c {
        ',' | ';' | '|' | '/' | '>' | '=' | '-' | '–' | '—' | '+' | ':' | '&' => {
            error.hint("layers are separated by ->, for instance: 256 relu -> 128 relu")
        }
        '%' => error.hint("write a share as a fraction: 0.5 for 50 %"),
        '[' | ']' | '{' | '}' => error.hint("a block is written residual(256 relu -> 256)"),
        _ => error.hint("a network is written with words, numbers, -> and ( )"),
    }
}
