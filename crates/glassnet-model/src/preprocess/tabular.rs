//! What the styles `tabular` and `quantile` make of a column, and whether a file's account of it can be.

use super::Encoding;
use crate::dates::DatePart;
use crate::measure::Measure;
use crate::schema::{Kind, MAX_CODES, MAX_PEAKS};
use serde::{Deserialize, Serialize};

#[cfg(feature = "fit")]
mod fitted;
#[cfg(feature = "fit")]
pub(super) use fitted::{date, tabular};

/// A category of more levels than this is a code: with id 0 (missing, unseen) it counts 9 (the recipe's `cat_size <= 9`).
pub const MOST_ONE_HOT: usize = 8;

/// A number that is made of a date, and its scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DateInput {
    /// Which.
    pub part: DatePart,
    /// How it becomes an input.
    pub scale: Measure,
}

impl Encoding {
    /// Whether the encoding is one of a column of that kind, with numbers that can be used: what a model file says is not
    /// believed.
    pub(crate) fn fits(&self, kind: &Kind) -> bool {
        // Clipped numbers are within 3; unscaled ones are 0 or 1 in size.
        let sound = |inputs: &[f64]| inputs.iter().all(|input| input.abs() <= 3.0);
        let optional = |missing: &Option<[f64; 2]>| missing.as_ref().is_none_or(|inputs| sound(inputs));
        match (self, kind) {
            (Encoding::Number(scale), Kind::Number) => scale.is_sound(),
            (Encoding::Boolean { false_word, true_word, scale }, Kind::Boolean { false_word: no, true_word: yes }) => {
                scale.is_sound() && false_word == no && true_word == yes
            }
            (Encoding::Presence, Kind::Number | Kind::Boolean { .. } | Kind::Date { .. }) => true,
            (Encoding::Category { levels }, Kind::Category { levels: known, .. }) => levels == known,
            (Encoding::Scaled { number, missing, levels }, Kind::Number) => {
                let codes =
                    levels.as_ref().is_none_or(|levels| levels.is_numeric() && (1..=MAX_PEAKS).contains(&levels.len()));
                number.is_sound() && optional(missing) && codes
            }
            (Encoding::Given { inputs }, Kind::Number | Kind::Boolean { .. } | Kind::Date { .. }) => sound(inputs),
            (Encoding::Pair { false_word, true_word, inputs }, Kind::Boolean { false_word: no, true_word: yes }) => {
                sound(inputs) && false_word == no && true_word == yes
            }
            (Encoding::Sign { levels, inputs }, Kind::Category { levels: known, .. }) => {
                levels == known && levels.len() <= 2 && inputs.len() == levels.len() + 1 && sound(inputs)
            }
            (Encoding::OneHot { levels, inputs }, Kind::Category { levels: known, .. }) => {
                let few = (3..=MOST_ONE_HOT).contains(&levels.len()) && inputs.len() == levels.len();
                levels == known && few && inputs.iter().all(|inputs| sound(inputs))
            }
            (Encoding::Code { levels }, Kind::Category { levels: known, .. }) => {
                levels == known && (1..=MAX_CODES).contains(&levels.len())
            }
            (Encoding::Date { format, parts, missing }, Kind::Date { format: known, parts: named }) => {
                let same = parts.iter().map(|input| input.part).eq(named.iter().copied());
                let distinct = named.iter().enumerate().all(|(i, part)| !named[..i].contains(part));
                let scales = parts.iter().all(|input| input.scale.is_sound());
                format == known && !parts.is_empty() && same && distinct && scales && optional(missing)
            }
            _ => false,
        }
    }
}
