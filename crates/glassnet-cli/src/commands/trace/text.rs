//! A piece of text before a model of text: its tokens, the characters that follow, and what the model expects.

use glassnet::data::read_text;
use glassnet::model::text::TextPreprocess;
use glassnet::nn::inspect::Trace;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::row::Row;

/// Time steps whose expectations are listed.
const LISTED: usize = 16;
/// Characters that are listed for each.
const LIKELIEST: usize = 3;

/// One row of a text.
pub struct TextRow {
    /// The row as the network reads it.
    pub row: Row,
    /// The characters of the row.
    pub characters: Vec<char>,
    /// The token that follows each character; -1 where none does.
    pub labels: Vec<f64>,
    /// Characters that did not fit the context.
    pub cut: usize,
}

/// The row of `--text`: its first characters, as many as the context has.
///
/// # Errors
/// No character at all, characters that the model does not know.
pub fn given(text: &TextPreprocess, words: &str) -> Result<TextRow, CliError> {
    let tokens = text.encode(words).map_err(|error| CliError::Usage(format!("--text: {error}")))?;
    if tokens.is_empty() {
        return Err(CliError::Usage("--text: it is empty\n  hint: write at least one character".into()));
    }
    Ok(row(text, &tokens, 1, format!("--text {words:?}")))
}

/// Row `number` of a text file: windows of the context side by side.
///
/// # Errors
/// A file that cannot be read, characters that the model does not know, no such row.
pub fn read(text: &TextPreprocess, path: &str, number: u64) -> Result<TextRow, CliError> {
    let file = read_text(path)?;
    let tokens = text.encode(&file.text).map_err(|error| CliError::Data(format!("{}: {error}", file.source)))?;
    let rows = tokens.len().saturating_sub(1).div_ceil(text.context.max(1)) as u64;
    if number > rows {
        return Err(CliError::Data(format!(
            "{}: there is no row {number}; it has {rows} rows of {} characters\n  hint: rows are counted from 1",
            file.source, text.context
        )));
    }
    let start = (number as usize - 1) * text.context;
    let end = (start + text.context + 1).min(tokens.len());
    let place = format!("{}, characters {} to {}", file.source, start + 1, (start + text.context).min(tokens.len()));
    let mut row = row(text, &tokens[start..end], number, place);
    row.cut = 0;
    Ok(row)
}

/// The first tokens as a row, padded with -1; the label of a character is the next one.
fn row(text: &TextPreprocess, tokens: &[i32], number: u64, place: String) -> TextRow {
    let context = text.context;
    let own = &tokens[..tokens.len().min(context)];
    let padded = |tokens: &mut dyn Iterator<Item = i32>| -> Vec<i32> {
        tokens.chain(std::iter::repeat(-1)).take(context).collect()
    };
    let inputs = padded(&mut own.iter().copied()).into_iter().map(|token| token as f32).collect();
    let labels = padded(&mut tokens.iter().skip(1).copied()).into_iter().map(f64::from).collect();
    let row = Row { number, place, columns: Vec::new(), inputs, target: None, truth: None, picture: String::new() };
    TextRow { row, characters: text.decode(own).chars().collect(), labels, cut: tokens.len().saturating_sub(context) }
}

/// What the model expects behind each character, in words and as JSON.
pub fn expected(text: &TextPreprocess, characters: &[char], trace: &Trace) -> Option<(String, Value)> {
    let scores = trace.scores.as_ref().filter(|scores| scores.width > 0 && !characters.is_empty())?;
    let known: Vec<char> = text.characters.chars().collect();
    let mut lines = String::new();
    let mut steps = Vec::new();
    let first = characters.len().saturating_sub(LISTED);
    for (step, (&character, scores)) in characters.iter().zip(scores.values.chunks(scores.width)).enumerate() {
        let mut order: Vec<usize> = (0..scores.len().min(known.len())).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.truncate(LIKELIEST);
        let likely: Vec<String> =
            order.iter().map(|&token| format!("{:?} {:.3}", known[token], scores[token])).collect();
        if step >= first {
            lines += &format!("  {:>6} -> {}\n", format!("{character:?}"), likely.join(" | "));
        }
        let likely: Vec<Value> =
            order.iter().map(|&token| json!({ "character": known[token], "score": scores[token] })).collect();
        steps.push(json!({ "character": character, "next": likely }));
    }
    let which = if first > 0 { format!("each of the last {LISTED} characters") } else { "each character".into() };
    Some((
        format!("what the model expects behind {which}\n{}", lines.trim_end_matches('\n')),
        json!({ "steps": steps }),
    ))
}
