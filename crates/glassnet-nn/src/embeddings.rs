//! Arithmetic with vectors that stand for words: cosine similarity, neighbours, and sums such as king - man + woman.
//!
//! Every vector is first divided by its length, so that a frequent word, whose vector is long, does not drown the others.
//! A sum of such unit vectors is compared with every word by the cosine of their angle, `u . v / (|u| |v|)`. Source:
//! Mikolov, Yih, Zweig, "Linguistic regularities in continuous space word representations" (2013), where the words that
//! make up the sum are left out of the answers (they would nearly always be the nearest).
//!
//! ```
//! use glassnet_nn::embeddings::{UnitVectors, parse};
//!
//! let words = ["king", "queen", "man", "woman", "apple"];
//! let vectors = [0.9, 0.8, 0.0, 0.9, 0.0, 0.8, 0.1, 0.8, 0.0, 0.1, 0.0, 0.8, -0.5, 0.1, 0.1];
//! let unit = UnitVectors::new(&vectors, 3);
//! let terms = parse("king - man + woman")?;
//! let terms: Vec<(usize, bool)> = terms
//!     .iter()
//!     .map(|term| (words.iter().position(|word| *word == term.word).unwrap(), term.minus))
//!     .collect();
//! let sum = unit.sum(&terms);
//! let used: Vec<usize> = terms.iter().map(|(word, _)| *word).collect();
//! assert_eq!(words[unit.near(&sum, &used, 1)[0].word], "queen");
//! # Ok::<(), glassnet_nn::embeddings::ExpressionError>(())
//! ```

use std::cmp::Ordering;

use glassnet_core::Real;

/// Vectors of length 1, one for each word, by the words' numbers. Sums are made in f64, one element after the other, so
/// that the answers are the same everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVectors {
    values: Vec<f64>,
    width: usize,
}

/// A word near to a vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The word's number.
    pub word: usize,
    /// The cosine of the angle between them, -1 to 1; 0 where a vector is 0 in every place.
    pub similarity: f64,
}

impl UnitVectors {
    /// Divides each vector by its length; one that is 0 in every place stays so.
    ///
    /// # Shapes
    /// `vectors`: [words, width], row-major; what is left behind the last whole row is not taken.
    pub fn new<T: Real>(vectors: &[T], width: usize) -> Self {
        let mut values = Vec::with_capacity(vectors.len());
        for row in vectors.chunks_exact(width.max(1)) {
            let start = values.len();
            values.extend(row.iter().map(|value| value.to_f64()));
            normalise(&mut values[start..]);
        }
        UnitVectors { values, width }
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are no words.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The unit vector of a word; `None` where there is no such word.
    pub fn get(&self, word: usize) -> Option<&[f64]> {
        self.values.get(word.checked_mul(self.width)?..)?.get(..self.width)
    }

    /// The sum of unit vectors, those marked `true` taken off, as a unit vector again. It is 0 in every place where the
    /// words cancel out (`king - king`) or there are none. A word that is not there adds nothing.
    pub fn sum(&self, terms: &[(usize, bool)]) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for &(word, minus) in terms {
            let Some(vector) = self.get(word) else { continue };
            for (sum, value) in sum.iter_mut().zip(vector) {
                *sum += if minus { -value } else { *value };
            }
        }
        normalise(&mut sum);
        sum
    }

    /// The `top` words nearest to a vector, the nearest first (of equally near ones that with the smaller number),
    /// without the words `except`.
    pub fn near(&self, vector: &[f64], except: &[usize], top: usize) -> Vec<Neighbour> {
        let mut query = vector.to_vec();
        normalise(&mut query);
        let mut all: Vec<Neighbour> = self
            .values
            .chunks_exact(self.width.max(1))
            .enumerate()
            .filter(|(word, _)| !except.contains(word))
            .map(|(word, unit)| Neighbour { word, similarity: dot(unit, &query).clamp(-1.0, 1.0) })
            .collect();
        let nearer = |a: &Neighbour, b: &Neighbour| match b.similarity.total_cmp(&a.similarity) {
            Ordering::Equal => a.word.cmp(&b.word),
            order => order,
        };
        if top < all.len() {
            all.select_nth_unstable_by(top, nearer);
            all.truncate(top);
        }
        all.sort_unstable_by(nearer);
        all
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

/// Divides by the length. The largest element is divided out first, so that no square overflows or underflows.
fn normalise(vector: &mut [f64]) {
    let largest = vector.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    if largest == 0.0 || !largest.is_finite() {
        vector.fill(0.0);
        return;
    }
    vector.iter_mut().for_each(|value| *value /= largest);
    let length = dot(vector, vector).sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
}

/// One word of a sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The word.
    pub word: String,
    /// Whether it is taken off.
    pub minus: bool,
}

/// A sum of words that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\": {what}\n  hint: {hint}")]
pub struct ExpressionError {
    /// The sum as it was written.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub hint: String,
}

/// Longest sum, in words.
const MOST_TERMS: usize = 1_000;

/// Reads words joined by `+` and `-`: `king - man + woman`, `paris`, `- bad + good`. The signs stand between blanks, so
/// that a word may have a hyphen in it (`well-known`).
///
/// # Errors
/// No word at all, two words without a sign between them, two signs together, a sign at the end.
pub fn parse(text: &str) -> Result<Vec<Term>, ExpressionError> {
    const FORM: &str = "write words with + or - between them, as in \"king - man + woman\"";
    let bad =
        |what: String| Err(ExpressionError { text: text.chars().take(80).collect(), what, hint: FORM.to_owned() });
    let mut terms: Vec<Term> = Vec::new();
    let mut sign: Option<&str> = None;
    for piece in text.split_whitespace() {
        match (piece, sign) {
            ("+" | "-", None) => sign = Some(piece),
            ("+" | "-", Some(first)) => return bad(format!("{first} and {piece} stand side by side")),
            (word, None) if !terms.is_empty() => {
                let before = terms.last().map_or("", |term| term.word.as_str());
                return bad(format!("there is no sign between {before} and {word}"));
            }
            (word, _) if terms.len() == MOST_TERMS => {
                return bad(format!("more than {MOST_TERMS} words; {word} is one too many"));
            }
            (word, _) => {
                terms.push(Term { word: word.to_owned(), minus: sign == Some("-") });
                sign = None;
            }
        }
    }
    match sign {
        Some(sign) => bad(format!("no word follows the last {sign}")),
        None if terms.is_empty() => bad("there is no word".to_owned()),
        None => Ok(terms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_vectors_by_hand() {
        let unit = UnitVectors::new(&[3.0f32, 4.0, 0.0, 0.0, -6.0, 8.0], 2);
        assert_eq!((unit.len(), unit.width(), unit.is_empty()), (3, 2, false));
        let close = |a: &[f64], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-15);
        assert!(close(unit.get(0).unwrap(), [0.6, 0.8]));
        assert_eq!(unit.get(1).unwrap(), [0.0, 0.0]);
        assert!(close(unit.get(2).unwrap(), [-0.6, 0.8]));
        assert_eq!(unit.get(3), None);
        // 0.36 x -1 + 0.64
        let near = unit.near(&[3.0, 4.0], &[0], 5);
        assert_eq!(near.iter().map(|near| near.word).collect::<Vec<_>>(), [2, 1]);
        assert!((near[0].similarity - 0.28).abs() < 1e-15, "{near:?}");
        assert_eq!(near[1].similarity, 0.0);
    }

    #[test]
    fn lengths_beyond_the_squares_of_f64() {
        let unit = UnitVectors::new(&[3e300f64, 4e300, 3e-300, 4e-300], 2);
        assert_eq!(unit.get(0), unit.get(1));
        assert!((unit.near(&[3.0, 4.0], &[], 1)[0].similarity - 1.0).abs() < 1e-15);
    }

    #[test]
    fn sums_cancel_and_ties_go_by_number() {
        let unit = UnitVectors::new(&[1.0f32, 0.0, 2.0, 0.0, 0.0, 5.0], 2);
        assert_eq!(unit.sum(&[(0, false), (1, true)]), [0.0, 0.0]);
        assert_eq!(unit.sum(&[(7, false)]), [0.0, 0.0]);
        let diagonal = unit.sum(&[(0, false), (2, false)]);
        assert!((diagonal[0] - diagonal[1]).abs() < 1e-16 && (diagonal[0] * diagonal[0] - 0.5).abs() < 1e-15);
        let words = |top| unit.near(&[1.0, 0.0], &[], top).iter().map(|near| near.word).collect::<Vec<_>>();
        assert_eq!((words(1), words(2), words(3), words(9)), (vec![0], vec![0, 1], vec![0, 1, 2], vec![0, 1, 2]));
        assert_eq!(words(0), [0usize; 0]);
    }

    #[test]
    fn expressions() {
        let term = |word: &str, minus| Term { word: word.to_owned(), minus };
        assert_eq!(
            parse(" king - man  + well-known ").unwrap(),
            [term("king", false), term("man", true), term("well-known", false)]
        );
        assert_eq!(parse("- bad + good").unwrap(), [term("bad", true), term("good", false)]);
        for (text, says) in [
            ("", "there is no word"),
            ("  ", "there is no word"),
            ("king man", "no sign between king and man"),
            ("king - + man", "- and + stand side by side"),
            ("king -", "no word follows the last -"),
            ("+", "no word follows the last +"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && error.contains("hint: write words with + or -"), "{text}: {error}");
        }
        assert!(parse(&"a + ".repeat(2_000)).unwrap_err().to_string().contains("more than 1000 words"));
    }
}
