//! Text to tokens: one token a character, those of the training text, in the order of their code points.

use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// Longest context: tokens of a row.
pub const MAX_CONTEXT: usize = 1 << 20;

/// Fitted preprocessing of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPreprocess {
    /// The characters of the training text, each once, in the order of their code points: token i is the i-th.
    pub characters: String,
    /// Tokens of a row.
    pub context: usize,
}

impl TextPreprocess {
    /// The characters of a text.
    pub fn fit(text: &str, context: usize) -> Self {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters.dedup();
        TextPreprocess { characters: characters.into_iter().collect(), context }
    }

    /// Number of tokens that there are.
    pub fn vocabulary(&self) -> usize {
        self.characters.chars().count()
    }

    /// Whether the characters are as [`TextPreprocess::fit`] leaves them and the context is one that can be.
    pub fn is_sound(&self) -> bool {
        let sorted = self.characters.chars().zip(self.characters.chars().skip(1)).all(|(one, next)| one < next);
        sorted && !self.characters.is_empty() && (1..=MAX_CONTEXT).contains(&self.context)
    }

    /// The tokens of a text.
    ///
    /// # Errors
    /// Characters that training never saw: all of them, each once.
    pub fn encode(&self, text: &str) -> Result<Vec<i32>, ModelError> {
        let known: Vec<char> = self.characters.chars().collect();
        let mut unknown: Vec<char> = Vec::new();
        let mut tokens = Vec::with_capacity(text.len());
        for character in text.chars() {
            match known.binary_search(&character) {
                Ok(token) => tokens.push(token as i32),
                Err(_) => unknown.push(character),
            }
        }
        if unknown.is_empty() {
            return Ok(tokens);
        }
        unknown.sort_unstable();
        unknown.dedup();
        Err(ModelError::UnknownCharacters { characters: unknown.iter().collect(), known: known.len() })
    }

    /// The text of tokens; a token that there is not gives U+FFFD.
    pub fn decode(&self, tokens: &[i32]) -> String {
        let known: Vec<char> = self.characters.chars().collect();
        let one = |&token: &i32| usize::try_from(token).ok().and_then(|token| known.get(token).copied());
        tokens.iter().map(|token| one(token).unwrap_or('\u{fffd}')).collect()
    }
}

/// Characters as they are shown in a message: quoted, control characters by their number; at most 20.
pub(crate) fn shown(characters: &str) -> String {
    let one = |c: char| if c.is_control() { format!("U+{:04X}", c as u32) } else { format!("'{c}'") };
    let mut words: Vec<String> = characters.chars().take(20).map(one).collect();
    let rest = characters.chars().count() - words.len();
    if rest > 0 {
        words.push(format!("and {rest} more"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_numbered_in_their_order() {
        let text = TextPreprocess::fit("banana \n", 4);
        assert_eq!(text.characters, "\n abn");
        assert!(text.is_sound());
        let tokens = text.encode("ban\n").unwrap();
        assert_eq!(tokens, [3, 2, 4, 0]);
        assert_eq!(text.decode(&tokens), "ban\n");
        assert_eq!(text.decode(&[-1, 9]), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn unknown_characters_are_all_listed_once() {
        let text = TextPreprocess::fit("abc", 4);
        let message = text.encode("aZb?Z\t").unwrap_err().to_string();
        assert!(message.contains("U+0009, '?', 'Z'"), "{message}");
    }

    #[test]
    fn a_forged_table_is_seen() {
        for (characters, context) in [("ba", 4), ("aa", 4), ("", 4), ("ab", 0), ("ab", MAX_CONTEXT + 1)] {
            assert!(!TextPreprocess { characters: characters.into(), context }.is_sound(), "{characters:?} {context}");
        }
    }
}
