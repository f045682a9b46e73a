//! Word vectors by a path: what `glassnet words` looks into.

use glassnet::data::{WordVectorFile, read_word_vectors};

use crate::error::CliError;

/// Loads VECTORS: a text of word vectors (GloVe's or word2vec's), through gzip where it is that, `-` for standard input.
/// The one place that knows where words with vectors can come from.
///
/// # Errors
/// What the reader says, with the file, the line and what to do.
pub fn load(path: &str) -> Result<WordVectorFile, CliError> {
    Ok(read_word_vectors(path)?)
}
