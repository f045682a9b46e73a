//! What may follow a layer's name: numbers, sizes and named settings, read by one set of rules.

use super::SpecError;
use super::cursor::{Cursor, MOST_UNITS, Token, check_units, named, shorten, strange};
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
        check_units(self.slice(span.clone())).map_err(|(message, hint)| self.error(span, message).hint(hint))
    }

    /// Reads a whole number that may be 0.
    pub fn whole(&mut self, whose: &str, example: &str) -> Result<usize, SpecError> {
        if self.peek() != Some(Token::Number) {
            let error = self.error(self.last_span(), format!("{whose} needs a whole number"));
            return Err(error.hint(format!("for instance: {example}")));
        }
        let span = self.take();
        match self.slice(span.clone()).parse::<usize>() {
            Ok(value) if value <= MOST_UNITS => Ok(value),
            _ => {
                let word = shorten(self.slice(span.clone()));
                Err(self
                    .error(span, format!("{word} is no whole number from 0"))
                    .hint(format!("for instance: {example}")))
            }
        }
    }

    /// Reads `1x28x28`: positive whole numbers.
    pub fn sizes(&mut self) -> Result<Vec<usize>, SpecError> {
        let span = self.take();
        let text = self.slice(span.clone());
        let mut sizes = Vec::new();
        for part in text.split(['x', 'X']) {
            let size = check_units(part).map_err(|(message, hint)| self.error(span.clone(), message).hint(hint))?;
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
        if self.peek() != Some(Token::Sizes) {
            let side = self.count(whose, what, example)?;
            return Ok([side, side]);
        }
        let span = self.span();
        match self.sizes()?.as_slice() {
            [lines, columns] => Ok([*lines, *columns]),
            other => {
                let message = format!("{whose} takes {what} of two sides, got {}", other.len());
                Err(self.error(span, message).hint(format!("for instance: {example}")))
            }
        }
    }

    /// As [`Cursor::sides`], and 0 is allowed.
    pub fn whole_sides(&mut self, whose: &str, what: &str, example: &str) -> Result<[usize; 2], SpecError> {
        if self.peek() == Some(Token::Sizes) {
            return self.sides(whose, what, example);
        }
        let side = self.whole(whose, example)?;
        Ok([side, side])
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
