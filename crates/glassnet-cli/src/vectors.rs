//! Word vectors by a path: what `glassnet words` looks into.

use std::path::Path;

use glassnet::data::{WordVectorFile, WordVectors, read_word_vectors};

use crate::error::CliError;
use crate::model_data::load_model;

/// Words and their vectors, wherever they come from.
pub struct Vectors {
    /// What messages call the source.
    pub source: String,
    /// What it holds.
    pub vectors: WordVectors,
    /// Lines whose word was there before.
    pub duplicates: u64,
}

/// Loads VECTORS: a text of word vectors (GloVe's or word2vec's), through gzip where it is that, `-` for standard input; or
/// the table of the embedding of a model of text (`.glass`), whose words are its characters.
/// The one place that knows where words with vectors can come from.
///
/// # Errors
/// What the reader says, with the file, the line and what to do; a model that has no vectors of characters.
pub fn load(path: &str) -> Result<Vectors, CliError> {
    if Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("glass")) {
        return of_model(path);
    }
    let WordVectorFile { source, vectors, duplicates, .. } = read_word_vectors(path)?;
    Ok(Vectors { source, vectors, duplicates })
}

fn of_model(path: &str) -> Result<Vectors, CliError> {
    let model = load_model(path)?;
    let none = |what: &str, hint: &str| CliError::Model(format!("{path}: {what}\n  hint: {hint}"));
    let text = model.text().ok_or_else(|| {
        let hint = "train one on text, whose characters get vectors: glassnet train text.txt --task text";
        none("the model was not trained on text, so it has no vectors of characters", hint)
    })?;
    let (table, width) = model.embedding().ok_or_else(|| {
        none(
            "no layer of the model has a vector for each character",
            "begin the network with embed, as in \"embed 16\"",
        )
    })?;
    let vectors = WordVectors { words: text.names(), vectors: table.to_vec(), width };
    Ok(Vectors { source: path.to_owned(), vectors, duplicates: 0 })
}
