//! What may follow a layer's name: numbers, sizes and named settings, read by one set of rules.

use super::SpecError;
use super::cursor::{Cursor, MOST_UNITS, Token, named, shorten, strange};
use super::items::item;
use super::names;

/// Most axes that a shape may have.
const MOST_AXES: usize = 6;

impl Cursor<'_> {
    /// Reads a positive whole number: `what` of the layer `whose`.
    pub fn count(&mut self, whose: &str, what: &str, example: &str) -> Result<usize, SpecError> {
        if self.peek() != Some(Token::Number) {
            let error = self.error(self.last_span(), format!("{whose} needs {what}"));
            return Err(error.hint(format!("for instance: {example}")));
        }
        let span = self.take();
        size(self.slice(span.clone()), 1).map_err(|fault| {
            self.error(span, format!("{whose}: {what} {fault}")).hint(format!("for instance: {example}"))
        })
    }

    /// Reads a whole number that may be 0.
    pub fn whole(&mut self, whose: &str, what: &str, example: &str) -> Result<usize, SpecError> {
        if self.peek() != Some(Token::Number) {
            let error = self.error(self.last_span(), format!("{whose} needs {what}"));
            return Err(error.hint(format!("for instance: {example}")));
        }
        let span = self.take();
        size(self.slice(span.clone()), 0).map_err(|fault| {
            self.error(span, format!("{whose}: {what} {fault}")).hint(format!("for instance: {example}"))
        })
    }

    /// Reads `1x28x28`: whole numbers from `least`.
    pub fn sizes(&mut self, least: usize) -> Result<Vec<usize>, SpecError> {
        let span = self.take();
        let text = self.slice(span.clone());
        let mut sizes = Vec::new();
        for part in text.split(['x', 'X', '×']) {
            let size = size(part, least).map_err(|fault| {
                self.error(span.clone(), format!("{}: a size {fault}", shorten(text))).hint("for instance: 1x28x28")
            })?;
            sizes.push(size);
        }
        if sizes.len() > MOST_AXES {
            let message = format!("{} has {} axes, more than {MOST_AXES}", shorten(text), sizes.len());
            return Err(self.error(span, message).hint("for instance: 1x28x28"));
        }
        Ok(sizes)
    }

    /// Reads lines and columns: `5x3`, or `5` for both.
    pub fn sides(&mut self, whose: &str, what: &str, example: &str) -> Result<[usize; 2], SpecError> {
        self.sides_from(1, whose, what, example)
    }

    /// As [`Cursor::sides`], and 0 is allowed.
    pub fn whole_sides(&mut self, whose: &str, what: &str, example: &str) -> Result<[usize; 2], SpecError> {
        self.sides_from(0, whose, what, example)
    }

    fn sides_from(&mut self, least: usize, whose: &str, what: &str, example: &str) -> Result<[usize; 2], SpecError> {
        let span = self.span();
        if self.peek() != Some(Token::Sizes) {
            let side = if least == 0 { self.whole(whose, what, example)? } else { self.count(whose, what, example)? };
            // "5 5" and "5 x 5" mean one thing, and nothing else can follow that begins so.
            let apart = self.peek() == Some(Token::Number) || self.peek() == Some(Token::Word) && self.words(1) == "x";
            if apart {
                let rest = self.take();
                let all = if self.slice(rest.clone()).parse::<f64>().is_ok() { rest } else { self.span() };
                let error =
                    self.error(span.start..all.end, format!("{whose}: {what} of two sides is written in one word"));
                return Err(error.hint(format!("for instance: {side}x{side}")));
            }
            return Ok([side, side]);
        }
        match self.sizes(least)?.as_slice() {
            [lines, columns] => Ok([*lines, *columns]),
            other => {
                let message = format!("{whose}: {what} has two sides, got {}", other.len());
                Err(self.error(span, message).hint(format!("for instance: {example}")))
            }
        }
    }

    /// Reads a probability from 0 to below 1.
    pub fn probability(&mut self, whose: &str) -> Result<f64, SpecError> {
        if self.peek() != Some(Token::Number) {
            let error = self.error(self.last_span(), format!("{whose} needs a probability"));
            return Err(error.hint(format!("for instance: {whose} 0.1")));
        }
        let span = self.span();
        let p = self.number()?;
        if (0.0..1.0).contains(&p) {
            return Ok(p);
        }
        let message = format!("a {whose} probability is from 0 to below 1, got {p}");
        Err(self.error(span, message).hint(format!("for instance: {whose} 0.1")))
    }

    /// Reads the name of a setting of the layer `whose`.
    pub fn setting<S: Copy>(&mut self, whose: &str, known: &[(&'static str, S)]) -> Result<S, SpecError> {
        if let Some((setting, words)) = self.find_name(|name| named(known, name)) {
            self.take_many(words);
            return Ok(setting);
        }
        let next = self.find_name(|name| item(name).map(|row| row.name));
        let curve = self.find_name(|name| names::activation(name).map(|row| row.name));
        if let Some((name, _)) = next.or(curve) {
            let message = format!("a -> is missing before {name}");
            return Err(self.error(self.span(), message).hint(format!("write -> {name}")));
        }
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        Err(self.unknown(&format!("setting of {whose}"), names.iter().copied(), || {
            format!("{whose} takes: {}", names.join(", "))
        }))
    }

    /// An error about a comma outside of concat( ).
    pub fn stray_comma(&self) -> SpecError {
        strange(self.text(), self.span().start, ',')
    }
}

/// A whole number from `least` from its text, or what is wrong with it.
fn size(word: &str, least: usize) -> Result<usize, String> {
    let value = match word.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 || !value.is_finite() => value,
        _ => return Err(format!("must be a whole number, got {}", shorten(word))),
    };
    if value < least as f64 {
        return Err(format!("must be at least {least}, got {}", shorten(word)));
    }
    if value > MOST_UNITS as f64 {
        return Err(format!("must be at most {MOST_UNITS}, got {}", shorten(word)));
    }
    Ok(value as usize)
}
