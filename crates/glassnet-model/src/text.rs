//! Text to tokens: one token a character, those of the training text, in the order of their code points.

use glassnet_core::Op;
use glassnet_nn::network::Network;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::file::{self, Document, Features, Head};
use crate::model::Model;
use crate::schema::Schema;

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

    /// A name for each token that can stand as a word in a line: the character, or what it is called (`<space>`). Each
    /// once, as no name of one character is like a name of several.
    pub fn names(&self) -> Vec<String> {
        self.characters.chars().map(name).collect()
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

/// A character's name where it cannot stand for itself in a line of words: `<space>`, `<newline>`, `<tab>`, `<return>`, of
/// other blanks and control characters `<U+00A0>`.
fn name(character: char) -> String {
    match character {
        ' ' => "<space>".to_owned(),
        '\n' => "<newline>".to_owned(),
        '\t' => "<tab>".to_owned(),
        '\r' => "<return>".to_owned(),
        // The mark of byte order is no blank, but readers take it off the beginning of a file.
        c if c.is_whitespace() || c.is_control() || c == '\u{feff}' => format!("<U+{:04X}>", c as u32),
        c => c.to_string(),
    }
}

impl Model {
    /// The model of a network that was trained on the tokens of a text: one that gives a score of each next token.
    ///
    /// # Errors
    /// Parts that do not go together: another number of tokens, another context, another number of parameters.
    pub fn of_text(network: &Network, text: TextPreprocess, parameters: Vec<f32>) -> Result<Self, ModelError> {
        let part = file::Network {
            spec: network.spec.clone(),
            inputs: network.inputs(),
            outputs: network.outputs(),
            head: Head::Softmax,
            members: 1,
        };
        let mut document = Document::new(Schema::default(), Features::Text(text), part);
        document.provenance.versions = Model::versions();
        Model::new(document, parameters)
    }

    /// The learned table of tokens, `[vocabulary, width]` row-major, and its width; `None` where no layer has one.
    pub fn embedding(&self) -> Option<(&[f32], usize)> {
        let graph = &self.network().graph;
        let node = graph.nodes().iter().find(|node| matches!(node.op, Op::Embedding(_)))?;
        let slot = graph.slots().get(*node.slots.first()?);
        Some((self.parameters().get(slot.range())?, *slot.shape.last()?))
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
    fn names_can_stand_in_a_line() {
        let names = TextPreprocess::fit("a b\t<\r\n\u{a0}\u{7}\u{feff}\u{2028}", 1).names();
        let wanted = [
            "<U+0007>",
            "<tab>",
            "<newline>",
            "<return>",
            "<space>",
            "<",
            "a",
            "b",
            "<U+00A0>",
            "<U+2028>",
            "<U+FEFF>",
        ];
        assert_eq!(names, wanted);
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
