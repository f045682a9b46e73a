//! The names of a category's levels or of a target's classes: ordered, and found by text or by number.

use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Distinct names in a fixed order: as numbers, ascending, where all of them are numbers and no two are the same
/// number; else by name (byte order).
///
/// A number is written in its shortest form (`2`, not `2.0`; `0.5`; `-0` is `0`), and so it finds the level of that
/// text. Where all levels are numbers they are compared as numbers: `2`, `2.0` and `02` are the same level.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Levels {
    names: Vec<String>,
    numbers: Option<Vec<f64>>,
}

impl Levels {
    /// Levels of these names; repeated names count once.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let mut keyed: Vec<(f64, String)> = Vec::with_capacity(names.len());
        for name in &names {
            match plain_number(name) {
                Some(number) => keyed.push((number, name.clone())),
                None => return Levels { names, numbers: None },
            }
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        if keyed.is_empty() || keyed.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Levels { names, numbers: None };
        }
        let (numbers, names) = keyed.into_iter().unzip();
        Levels { names, numbers: Some(numbers) }
    }

    /// The names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of levels.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no level.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether levels are compared as numbers.
    pub fn is_numeric(&self) -> bool {
        self.numbers.is_some()
    }

    /// The place of a level given as text. Allocates nothing.
    pub fn find_text(&self, text: &str) -> Option<usize> {
        match &self.numbers {
            Some(numbers) => find_in(numbers, plain_number(text)?),
            None => self.names.binary_search_by(|name| name.as_str().cmp(text)).ok(),
        }
    }

    /// The place of a level given as a number. Allocates nothing.
    pub fn find_number(&self, number: f64) -> Option<usize> {
        match &self.numbers {
            Some(numbers) => find_in(numbers, number),
            None => {
                let mut text = Digits { bytes: [0; 352], len: 0 };
                write!(text, "{}", number + 0.0).ok()?;
                self.find_text(std::str::from_utf8(text.bytes.get(..text.len)?).ok()?)
            }
        }
    }
}

impl TryFrom<Vec<String>> for Levels {
    type Error = String;

    fn try_from(names: Vec<String>) -> Result<Self, String> {
        let levels = Levels::new(names.iter().cloned());
        if levels.names == names { Ok(levels) } else { Err("levels are not distinct and in order".to_owned()) }
    }
}

impl From<Levels> for Vec<String> {
    fn from(levels: Levels) -> Self {
        levels.names
    }
}

fn find_in(numbers: &[f64], number: f64) -> Option<usize> {
    // + 0.0 makes -0 into 0, so that the total order agrees with equality.
    numbers.binary_search_by(|level| level.total_cmp(&(number + 0.0))).ok()
}

/// A number's shortest text: `2`, `0.5`, `0` for -0.
pub fn number_text(number: f64) -> String {
    format!("{}", number + 0.0)
}

/// The finite number that a text is: digits, sign, point, exponent; not the words `nan`, `inf`.
pub fn plain_number(text: &str) -> Option<f64> {
    let number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let value: f64 = if number { text.parse().ok()? } else { return None };
    value.is_finite().then_some(value + 0.0)
}

/// A number's text without the heap; the longest shortest form of an f64 has 327 bytes.
struct Digits {
    bytes: [u8; 352],
    len: usize,
}

impl std::fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(names: &[&str]) -> Levels {
        Levels::new(names.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn numbers_are_ordered_as_numbers_and_found_in_any_form() {
        let levels = levels(&["10", "2", "1"]);
        assert_eq!(levels.names(), ["1", "2", "10"]);
        assert_eq!(levels.find_text("2.0"), Some(1));
        assert_eq!(levels.find_text("02"), Some(1));
        assert_eq!(levels.find_number(10.0), Some(2));
        assert_eq!(levels.find_text("x"), None);
        assert_eq!(levels.find_number(f64::NAN), None);
    }

    #[test]
    fn texts_are_ordered_by_name_and_numbers_match_their_shortest_form() {
        let levels = levels(&["b", "2", "a", "0.5"]);
        assert_eq!(levels.names(), ["0.5", "2", "a", "b"]);
        assert_eq!(levels.find_number(2.0), Some(1));
        assert_eq!(levels.find_number(0.5), Some(0));
        assert_eq!(levels.find_text("2.0"), None);
        assert_eq!(levels.find_number(f64::MIN), None);
        assert_eq!(levels.find_number(-5e-324), None);
    }

    #[test]
    fn numbers_that_are_the_same_stay_apart_as_text() {
        let levels = levels(&["007", "7"]);
        assert!(!levels.is_numeric());
        assert_eq!(levels.find_text("007"), Some(0));
        assert_eq!(levels.find_text("7"), Some(1));
    }

    #[test]
    fn minus_zero_is_zero() {
        assert_eq!(levels(&["-1", "0"]).find_number(-0.0), Some(1));
        assert_eq!(levels(&["0", "x"]).find_number(-0.0), Some(0));
        assert_eq!(number_text(-0.0), "0");
    }

    #[test]
    fn a_file_with_levels_out_of_order_is_refused() {
        assert!(serde_json::from_str::<Levels>(r#"["a","b"]"#).is_ok());
        assert!(serde_json::from_str::<Levels>(r#"["b","a"]"#).is_err());
        assert!(serde_json::from_str::<Levels>(r#"["a","a"]"#).is_err());
    }
}
