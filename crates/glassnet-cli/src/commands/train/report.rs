//! What a run gave: the table of scores, and the same as JSON.

use glassnet::model::evaluation::Evaluation;
use glassnet::nn::metrics::Scores;
use glassnet::nn::train::Stop;
use serde_json::{Value, json};

use super::baseline::Guesses;
use crate::numbers::{number, thousands};

/// The scores of each part: train, valid, test.
pub type Parts = [(&'static str, Option<Evaluation>); 3];

type Column = (&'static str, fn(&Scores) -> Option<f64>);

const COLUMNS: [Column; 7] = [
    ("accuracy", |scores| scores.accuracy),
    ("log_loss", |scores| scores.log_loss),
    ("brier", |scores| scores.brier),
    ("auc", |scores| scores.auc),
    ("rmse", |scores| scores.rmse),
    ("mae", |scores| scores.mae),
    ("r2", |scores| scores.r2),
];

/// A table with a line for each part, one below it for the constant guess, and a column for each score that applies.
pub fn table(parts: &Parts, guesses: &Guesses) -> String {
    let known = parts.iter().zip(guesses).filter_map(|((name, part), guess)| Some((name, part.as_ref()?, guess)));
    let known: Vec<_> = known.collect();
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|(_, of)| known.iter().any(|(_, part, _)| of(&part.scores).is_some())).collect();
    let mut lines = vec![vec![String::new(), "rows".to_string()]];
    lines[0].extend(columns.iter().map(|(name, _)| name.to_string()));
    for (name, part, guess) in known {
        let mut line = vec![name.to_string(), thousands(part.rows as u64)];
        line.extend(columns.iter().map(|(_, of)| of(&part.scores).map_or("-".to_string(), number)));
        lines.push(line);
        if let Some(guess) = guess {
            let mut line = vec!["  constant guess".to_string(), String::new()];
            line.extend(columns.iter().map(|(_, of)| of(guess).map_or(String::new(), number)));
            lines.push(line);
        }
    }
    let mut widths = vec![0; columns.len() + 2];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for line in &lines {
        let mut shown = format!("{:<width$}", line[0], width = widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            shown += &format!("  {cell:>width$}");
        }
        text += shown.trim_end();
        text += "\n";
    }
    text
}

/// One part's scores.
pub fn part_json(part: Option<&Evaluation>) -> Value {
    let Some(part) = part else { return Value::Null };
    let mut object = serde_json::Map::new();
    object.insert("rows".into(), json!(part.rows));
    object.insert("loss".into(), json!(part.loss));
    for (name, of) in COLUMNS {
        if let Some(value) = of(&part.scores) {
            object.insert(name.into(), json!(value));
        }
    }
    Value::Object(object)
}

/// Why it ended, in a word.
pub fn stop_word(stop: &Stop) -> &'static str {
    match stop {
        Stop::Finished => "finished",
        Stop::Early { .. } => "early",
        Stop::NonFinite(_) => "non-finite",
        Stop::Asked => "interrupted",
    }
}

/// Which epoch was kept and why training ended.
pub fn stop_words(stop: &Stop, best: Option<u64>, epochs: usize, validated: bool, patience: Option<u64>) -> String {
    let kept = match best {
        Some(best) if validated => format!("best epoch {best} of {epochs}"),
        Some(best) if matches!(stop, Stop::Asked | Stop::NonFinite(_)) => {
            format!("weights after epoch {best} and the steps since")
        }
        Some(best) => format!("weights of epoch {best}, the last (there were no validation rows to choose by)"),
        None => "no epoch was finished; the weights are those of the last step".to_string(),
    };
    let why = match stop {
        Stop::Finished => String::new(),
        Stop::Early { .. } => {
            let epochs = patience.unwrap_or(0);
            format!(
                " (stopped early: {epochs} epoch{} without a better validation loss)",
                if epochs == 1 { "" } else { "s" }
            )
        }
        Stop::NonFinite(_) => " (stopped at a value that is not finite)".to_string(),
        Stop::Asked => " (interrupted)".to_string(),
    };
    format!("{kept}{why}")
}
