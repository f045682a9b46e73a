//! What a reader in a hurry needs: key figures beside a constant guess, what the output may be taken for, what to be careful
//! of; and the tables of scores.

use super::data::{Head, KeyFigure, OutputKind, ScoreTable};
use super::html::{Kind, Section, Table};
use crate::escape::escape;
use crate::number::{NONE, count, number, percent};

/// The key figures.
pub(super) fn head(head: &Head) -> String {
    let mut out = String::new();
    if !head.predicted.is_empty() {
        out += &format!("<p class=\"lead\">{}</p>\n", escape(&head.predicted));
    }
    if !head.rows.is_empty() {
        out += &format!("<p class=\"soft\">Measured on {}</p>\n", escape(&ended(&head.rows)));
    }
    if !head.figures.is_empty() {
        let figures: String = head.figures.iter().map(figure).collect();
        out += &format!("<dl class=\"figures\">\n{figures}</dl>\n");
    }
    out += &head.output.as_ref().map(kind).unwrap_or_default();
    if !head.cautions.is_empty() {
        let items: String = head.cautions.iter().map(|words| format!("<li>{}</li>\n", escape(words))).collect();
        out += &format!(
            "<section class=\"careful\" aria-labelledby=\"careful-h\">\n<h2 id=\"careful-h\">Be careful</h2>\n<ul>\n{items}</ul>\n</section>\n"
        );
    }
    out
}

/// With a full stop.
fn ended(words: &str) -> String {
    let words = words.trim_end();
    if words.ends_with(['.', '!', '?']) { words.into() } else { format!("{words}.") }
}

fn figure(figure: &KeyFigure) -> String {
    let show = |value: f64| if figure.percent { percent(value) } else { number(value) };
    let guess = match (figure.value, figure.guess) {
        (Some(value), Some(guess)) if value.is_finite() && guess.is_finite() => {
            let better = figure.more_is_better.map(|more| if more { value > guess } else { value < guess });
            let (class, words) = match better {
                Some(true) => ("better", "better than a constant guess"),
                Some(false) => ("worse", "no better than a constant guess"),
                None => ("", "a constant guess"),
            };
            format!("<dd class=\"{class}\">{words}: {}</dd>\n", escape(&show(guess)))
        }
        _ => String::new(),
    };
    let meaning = match figure.meaning.as_str() {
        "" => String::new(),
        meaning => format!("<dd>{}</dd>\n", escape(meaning)),
    };
    let value = figure.value.map_or(NONE.to_string(), show);
    format!(
        "<div><dt>{}</dt>\n<dd class=\"value\">{}</dd>\n{meaning}{guess}</div>\n",
        escape(&figure.name),
        escape(&value)
    )
}

fn kind(kind: &OutputKind) -> String {
    let (class, what, why) = match kind {
        OutputKind::Probability { why } => ("kind", "The output is a probability.", why),
        OutputKind::Score { why } => {
            ("kind score", "The output is only a score: it puts rows in order, and is no probability.", why)
        }
        OutputKind::Value { why } => ("kind", "The output is a number in the target’s own unit.", why),
    };
    let why = if why.is_empty() { String::new() } else { format!(" {}", escape(&ended(why))) };
    format!("<div class=\"{class}\"><p><strong>{what}</strong>{why}</p></div>\n")
}

/// The tables of scores.
pub(super) fn scores(tables: &[ScoreTable]) -> Option<Section> {
    let mut body = String::new();
    for scores in tables.iter().filter(|scores| !scores.lines.is_empty()) {
        let mut heads = vec![("rows of", Kind::Name), ("rows", Kind::Number)];
        heads.extend(scores.metrics.iter().map(|metric| (metric.as_str(), Kind::Number)));
        let mut table = Table::new(&scores.caption, &heads);
        for line in &scores.lines {
            let mut cells = vec![line.name.clone(), line.rows.map_or(String::new(), count)];
            let value = |place: usize| line.values.get(place).copied().flatten().map_or(NONE.to_string(), number);
            cells.extend((0..scores.metrics.len()).map(value));
            table.line_of(if line.is_guess { "guess" } else { "" }, cells);
        }
        body += &table.html();
    }
    Section::new("scores", "Scores", body)
}
