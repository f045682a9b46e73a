//! Values of a TOML with their places, and what is said when they are not what is wanted.

use std::ops::Range;

use ::toml::Spanned;
use ::toml::de::{DeTable, DeValue};

use crate::spec::SpecError;
use crate::spec::cursor::shorten;
use crate::spec::names::nearest;

/// A table with its place and its name in messages.
pub(super) struct Table<'a> {
    pub text: &'a str,
    pub name: String,
    pub place: Range<usize>,
    table: &'a DeTable<'a>,
}

/// A value with its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    text: &'a str,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Table<'a> {
    pub fn new(text: &'a str, table: &'a DeTable<'a>, place: Range<usize>, name: impl Into<String>) -> Table<'a> {
        Table { text, table, place, name: name.into() }
    }

    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let value = self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)?;
        Some(Value { text: self.text, value })
    }

    /// The keys in the order of the text, with their places.
    pub fn keys(&self) -> Vec<(&'a str, Range<usize>)> {
        let mut keys: Vec<_> = self.table.iter().map(|(key, _)| (key.get_ref().as_ref(), key.span())).collect();
        keys.sort_by_key(|(_, span)| span.start);
        keys
    }

    /// The first key that is none of these.
    pub fn first_unknown(&self, known: &[&str]) -> Option<(&'a str, Range<usize>)> {
        self.keys().into_iter().find(|(key, _)| !known.contains(key))
    }

    /// Refuses a key that is none of these.
    pub fn only(&self, known: &[&str]) -> Result<(), SpecError> {
        match self.first_unknown(known) {
            Some((key, place)) => Err(self.unknown(key, place, known)),
            None => Ok(()),
        }
    }

    pub fn unknown(&self, key: &str, place: Range<usize>, known: &[&str]) -> SpecError {
        let error = self.error(place, format!("unknown key \"{}\" in {}", shorten(key), self.name));
        match nearest(key, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint(format!("known keys: {}", known.join(", "))),
        }
    }

    pub fn error(&self, place: Range<usize>, message: impl Into<String>) -> SpecError {
        SpecError::new(self.text, place, message)
    }
}

impl<'a> Value<'a> {
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The value in a message.
    pub fn shown(&self) -> String {
        match self.value.get_ref() {
            DeValue::String(value) => format!("the string \"{}\"", shorten(value)),
            DeValue::Integer(value) => shorten(&value.to_string()),
            DeValue::Float(value) => shorten(&value.to_string()),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(_) => "a date".to_owned(),
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }

    fn not(&self, wanted: &str) -> String {
        format!("must be {wanted}, got {}", self.shown())
    }

    pub fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub fn string(&self) -> Result<String, String> {
        self.value.get_ref().as_str().map(str::to_owned).ok_or_else(|| self.not("a string in quotes"))
    }

    /// A string that is not blank.
    pub fn word(&self) -> Result<String, String> {
        match self.string()? {
            blank if blank.trim().is_empty() => Err("must not be empty".to_owned()),
            word => Ok(word),
        }
    }

    pub fn boolean(&self) -> Result<bool, String> {
        self.value.get_ref().as_bool().ok_or_else(|| self.not("true or false"))
    }

    /// A whole number from `least` on.
    pub fn whole(&self, least: u64) -> Result<u64, String> {
        let integer = self.value.get_ref().as_integer();
        let value =
            integer.and_then(|value| u64::from_str_radix(value.as_str().trim_start_matches('+'), value.radix()).ok());
        value.filter(|value| *value >= least).ok_or_else(|| match least {
            0 => self.not("a whole number that is not negative"),
            _ => self.not(&format!("a whole number of at least {least}")),
        })
    }

    pub fn count(&self, least: usize) -> Result<usize, String> {
        let value = self.whole(least as u64)?;
        usize::try_from(value).map_err(|_| self.not("a whole number that fits this machine"))
    }

    /// A finite number for which `fits` holds; `wanted` says in words which do.
    pub fn number(&self, wanted: &str, fits: impl Fn(f64) -> bool) -> Result<f64, String> {
        self.float().filter(|value| value.is_finite() && fits(*value)).ok_or_else(|| self.not(wanted))
    }

    /// A number of either kind, which may be infinite or no number.
    pub fn float(&self) -> Option<f64> {
        match self.value.get_ref() {
            DeValue::Float(value) => value.as_str().parse().ok(),
            DeValue::Integer(value) if value.radix() == 10 => value.as_str().parse().ok(),
            DeValue::Integer(value) => {
                i64::from_str_radix(value.as_str(), value.radix()).ok().map(|value| value as f64)
            }
            _ => None,
        }
    }

    pub fn array(&self, wanted: &str) -> Result<Vec<Value<'a>>, String> {
        let array = self.value.get_ref().as_array().ok_or_else(|| self.not(wanted))?;
        Ok(array.iter().map(|value| Value { text: self.text, value }).collect())
    }

    pub fn table(&self, name: &str) -> Result<Table<'a>, String> {
        match self.value.get_ref().as_table() {
            Some(table) => Ok(Table::new(self.text, table, self.span(), name)),
            None if name.is_empty() => Err(self.not("a table")),
            None => Err(format!("{name} {}", self.not("a table"))),
        }
    }

    /// Reads the string with a parser of the text form; its errors are moved to their spot in this TOML.
    pub fn parse_with<R>(&self, key: &str, parse: impl FnOnce(&str) -> Result<R, SpecError>) -> Result<R, SpecError> {
        let place = self.span();
        let value = self.string().map_err(|message| {
            SpecError::new(self.text, place.clone(), format!("{key} {message}")).hint("write it as text: in quotes")
        })?;
        parse(&value).map_err(|error| {
            error.moved(self.text, |spot| {
                // Where the string holds escapes its bytes are not the text's: the whole value is shown.
                match self.text.get(place.clone()).and_then(|raw| raw.find(&value)) {
                    Some(offset) if !value.is_empty() => {
                        place.start + offset + spot.start..place.start + offset + spot.end
                    }
                    _ => place,
                }
            })
        })
    }
}
