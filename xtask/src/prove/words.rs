//! Word vectors: sums of words through the command.

use super::{Verdict, command, shared};

/// A sum and its answer.
const SUMS: [(&str, &str); 1] = [("king - man + woman", "queen")];

/// Prints the nearest words of each sum; fails where the first is another.
///
/// # Errors
/// The command failed, or its answer is not the word.
pub fn run() -> Result<Verdict, String> {
    let vectors = match shared("data/glove/glove.6B.50d.top10k.txt.gz") {
        Ok(path) => path.display().to_string(),
        Err(skipped) => return Ok(skipped),
    };
    let mut missed = Vec::new();
    for (sum, wanted) in SUMS {
        let found = command(&["words", &vectors, sum, "--top", "3"])?;
        let answers = found["answers"].as_array().ok_or("no answers")?;
        let words: Vec<&str> = answers.iter().filter_map(|answer| answer["word"].as_str()).collect();
        println!("  {sum} = {}", words.join(", "));
        if words.first() != Some(&wanted) {
            missed.push(format!("{sum} is not {wanted}"));
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
}
