//! `glassnet words`: words near to a word, or to a sum of words, by the cosine of their vectors.

use std::path::PathBuf;

use glassnet::data::write::check_writable;
use glassnet::nn::embeddings::{Neighbour, Term, UnitVectors, parse};
use glassnet::nn::nearest::nearest;
use serde_json::{Value, json};

use crate::error::CliError;
use crate::inputs::keep_inputs;
use crate::numbers::thousands;
use crate::output::Output;
use crate::vectors::{self, Vectors};

/// Arguments of `words`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Word vectors as text, a line for each word (GloVe's or word2vec's, also .gz; - is standard input); or a model of text
    /// (.glass): the learned vectors of its characters
    #[arg(value_name = "VECTORS")]
    pub vectors: String,
    /// A sum of words: "king - man + woman", with blanks around + and -
    #[arg(value_name = "SUM", allow_hyphen_values = true, conflicts_with = "near")]
    pub sum: Option<String>,
    /// The words nearest to this one
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    pub near: Option<String>,
    /// How many words are shown
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub top: u32,
    /// Write the vectors as text to this file: each word once, each number in the fewest digits
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  glassnet words glove.6B.50d.txt.gz \"king - man + woman\"
  glassnet words glove.6B.50d.txt.gz --near frog --top 5
  glassnet words vectors.txt --near frog --json
  glassnet words play.glass --near a
  glassnet words play.glass -o characters.txt

Every vector is divided by its length; a sum of them is compared with each word by the cosine of the angle between them, from
-1 to 1. The words of the sum itself are no answers.";

/// Runs it.
///
/// # Errors
/// Nothing to look for, a sum that cannot be read, vectors that cannot be read, a word that has none, words that cancel out.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let terms = terms(args)?;
    if let Some(out) = &args.out {
        keep_inputs(out, &[args.vectors.as_str()])?;
        check_writable(out)?;
    }
    let file = vectors::load(&args.vectors)?;
    let Vectors { source, vectors, duplicates } = &file;
    if *duplicates > 0 {
        let lines = if *duplicates == 1 { "line has" } else { "lines have" };
        output.message(&format!(
            "{source}: {} {lines} a word that was there before; the first of each is kept",
            thousands(*duplicates)
        ));
    }
    let found = terms.as_deref().map(|terms| look_up(&file, terms)).transpose()?;
    let mut text = String::new();
    let mut value = json!({
        "vectors": source, "words": vectors.words.len(), "width": vectors.width, "duplicates": duplicates,
    });
    if let (Some(terms), Some(found)) = (&terms, &found) {
        let unit = UnitVectors::new(&vectors.vectors, vectors.width);
        let sum = unit.sum(found);
        if sum.iter().all(|value| *value == 0.0) {
            let what = format!("{}: nothing is left of \"{}\"", file.source, shown(terms));
            return Err(CliError::Usage(format!("{what}\n  hint: give words that do not cancel out")));
        }
        let used: Vec<usize> = found.iter().map(|(word, _)| *word).collect();
        let answers = unit.near(&sum, &used, args.top as usize);
        text = table(&file, &answers);
        value["terms"] = terms.iter().map(|term| json!({ "word": term.word, "minus": term.minus })).collect();
        value["answers"] = answers.iter().map(|answer| as_json(&file, answer)).collect();
    }
    if let Some(out) = &args.out {
        vectors.write(out)?;
        let (words, width) = (thousands(vectors.words.len() as u64), vectors.width);
        text += &format!("vectors {} ({words} words of {width} numbers)\n", out.display());
        value["out"] = json!(out.display().to_string());
    }
    output.result(&text, &value)
}

/// What is looked for; `None` where vectors are only written.
fn terms(args: &Args) -> Result<Option<Vec<Term>>, CliError> {
    match (&args.sum, &args.near) {
        (Some(sum), _) => parse(sum).map(Some).map_err(|error| CliError::Usage(error.to_string())),
        (None, Some(word)) if word.trim().is_empty() => {
            Err(CliError::Usage("--near: there is no word\n  hint: give one, as in --near frog".into()))
        }
        (None, Some(word)) => Ok(Some(vec![Term { word: word.trim().to_owned(), minus: false }])),
        (None, None) if args.out.is_some() => Ok(None),
        (None, None) => Err(CliError::Usage(
            "there is nothing to look for\n  hint: give a sum, as \"king - man + woman\", or --near WORD".into(),
        )),
    }
}

fn shown(terms: &[Term]) -> String {
    let mut text = String::new();
    for term in terms {
        let sign = if term.minus { "- " } else { "+ " };
        let sign = if text.is_empty() && !term.minus { "" } else { sign };
        text += &format!("{}{sign}{}", if text.is_empty() { "" } else { " " }, term.word);
    }
    text
}

/// The numbers of the words.
fn look_up(file: &Vectors, terms: &[Term]) -> Result<Vec<(usize, bool)>, CliError> {
    let words = &file.vectors.words;
    let find = |term: &Term| match file.vectors.find(&term.word) {
        Some(word) => Ok((word, term.minus)),
        None => {
            let near = nearest(&term.word, words.iter().map(String::as_str));
            let near = near.map_or(String::new(), |near| format!("did you mean '{near}'? "));
            let what =
                format!("{}: there is no word '{}' among {}", file.source, term.word, thousands(words.len() as u64));
            let hint = "words count with their capitals; signs of a sum have blanks on both sides";
            Err(CliError::Usage(format!("{what}\n  hint: {near}{hint}")))
        }
    };
    terms.iter().map(find).collect()
}

fn word<'a>(file: &'a Vectors, answer: &Neighbour) -> &'a str {
    file.vectors.words.get(answer.word).map_or("", String::as_str)
}

fn table(file: &Vectors, answers: &[Neighbour]) -> String {
    if answers.is_empty() {
        return "there is no other word\n".into();
    }
    let width = answers.iter().map(|answer| word(file, answer).chars().count()).max().unwrap_or(0).min(40);
    answers.iter().map(|answer| format!("{:<width$}  {:>7.4}\n", word(file, answer), answer.similarity)).collect()
}

fn as_json(file: &Vectors, answer: &Neighbour) -> Value {
    json!({ "word": word(file, answer), "similarity": answer.similarity })
}
