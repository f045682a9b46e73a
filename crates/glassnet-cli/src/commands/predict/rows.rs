//! Rows of scores as CSV, text or JSON. Numbers are written in the fewest digits that read back to the same f32.

use std::collections::BTreeMap;
use std::fmt::Write;

use glassnet::model::Model;
use glassnet::model::explain::Reason;

use super::Format;
use super::band::Band;
use super::sink::Sink;
use crate::certainty;
use crate::error::CliError;
use crate::model_data::Notices;

/// A threshold and the names of its two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Which of the model's outputs it looks at.
    pub output: usize,
    /// At or above this a row goes above.
    pub threshold: f64,
    /// The name of the queue above.
    pub above: String,
    /// The name of the queue below.
    pub below: String,
}

impl Queue {
    fn of(&self, scores: &[f32]) -> &str {
        // A score that is not a number is not above.
        let high = scores.get(self.output).is_some_and(|&score| f64::from(score) >= self.threshold);
        if high { &self.above } else { &self.below }
    }
}

/// What is written about each row besides its name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shape {
    /// The queues of a threshold.
    pub queue: Option<Queue>,
    /// The interval around a number.
    pub band: Option<Band>,
    /// How many reasons a row has at most.
    pub reasons: usize,
    /// The one output that rows are ranked by: the others are left out.
    pub ranked: Option<usize>,
}

/// A row to write.
pub struct Line<'a> {
    /// Its number, from 1.
    pub row: u64,
    /// Its name, where a column has one.
    pub id: Option<&'a str>,
    /// All its scores.
    pub scores: &'a [f32],
    /// Why, the largest first.
    pub reasons: &'a [Reason],
}

/// Writes rows.
pub struct RowWriter<'a> {
    classes: Option<&'a [String]>,
    target: &'a str,
    /// `probability` or `score`.
    word: &'static str,
    note: Option<String>,
    id: Option<&'a str>,
    shape: Shape,
    format: Format,
    sink: Sink,
    line: String,
    rows: u64,
    counts: BTreeMap<String, u64>,
}

impl<'a> RowWriter<'a> {
    /// For a model's outputs.
    pub fn new(model: &'a Model, id: Option<&'a str>, shape: Shape, format: Format, sink: Sink) -> Self {
        let (classes, target) = (model.classes(), model.target());
        let mut counts = BTreeMap::new();
        if let Some(queue) = &shape.queue {
            counts.insert(queue.above.clone(), 0);
            counts.insert(queue.below.clone(), 0);
        }
        let (word, note) = (certainty::word(model), certainty::note(model));
        RowWriter { classes, target, word, note, id, shape, format, sink, line: String::new(), rows: 0, counts }
    }

    /// Rows written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What stands before the rows.
    pub fn begin(&mut self) -> Result<(), CliError> {
        let mut head = String::new();
        match self.format {
            Format::Csv => {
                let mut names = vec![self.id.unwrap_or("row").to_string()];
                let named = |class: &String| format!("{}_{class}", self.word);
                match (self.classes, self.shape.ranked) {
                    (Some(classes), Some(ranked)) => names.extend(classes.get(ranked).map(named)),
                    (Some(classes), None) => {
                        names.extend(classes.iter().map(named));
                        names.push("class".into());
                    }
                    (None, _) => names.push("prediction".into()),
                }
                if self.shape.band.is_some() {
                    names.extend(["low".into(), "high".into()]);
                }
                if self.shape.queue.is_some() {
                    names.push("queue".into());
                }
                names.extend((1..=self.shape.reasons).map(|reason| format!("reason_{reason}")));
                for (place, name) in names.iter().enumerate() {
                    if place > 0 {
                        head.push(',');
                    }
                    field(&mut head, name);
                }
                head.push('\n');
            }
            Format::Json => {
                head.push_str("{\"target\":");
                string(&mut head, self.target);
                if let Some(classes) = self.classes {
                    head.push_str(",\"classes\":");
                    head.push_str(&serde_json::json!(classes).to_string());
                }
                if let Some(note) = &self.note {
                    head.push_str(",\"note\":");
                    string(&mut head, note);
                }
                if let Some(class) = self.shape.ranked.and_then(|ranked| self.classes?.get(ranked)) {
                    head.push_str(",\"ranked_by\":");
                    string(&mut head, class);
                }
                if let Some(Band { level, half, range }) = &self.shape.band {
                    let interval = serde_json::json!({ "level": level, "half_width": half, "within": range });
                    head.push_str(&format!(",\"interval\":{interval}"));
                }
                if let Some(Queue { output, threshold, .. }) = &self.shape.queue {
                    let class = self.classes.and_then(|classes| classes.get(*output));
                    let threshold = serde_json::json!({ "class": class, "at_least": threshold });
                    head.push_str(&format!(",\"threshold\":{threshold}"));
                }
                head.push_str(",\"predictions\":[");
            }
            Format::Text => {}
        }
        self.sink.write(head.as_bytes())
    }

    /// One row.
    pub fn row(&mut self, line: &Line<'_>) -> Result<(), CliError> {
        self.line.clear();
        match self.format {
            Format::Csv => self.csv(line),
            Format::Text => self.text(line),
            Format::Json => self.json(line),
        }
        if let Some(queue) = &self.shape.queue
            && let Some(count) = self.counts.get_mut(queue.of(line.scores))
        {
            *count += 1;
        }
        self.rows += 1;
        self.sink.write(self.line.as_bytes())
    }

    /// Hands on what is written so far: a reader behind a pipe sees whole chunks as they come.
    pub fn flush(&mut self) -> Result<(), CliError> {
        self.sink.flush()
    }

    /// What stands behind the rows; the number of rows in each queue.
    pub fn finish(mut self, notices: &Notices) -> Result<BTreeMap<String, u64>, CliError> {
        if self.format == Format::Json {
            let ignored = serde_json::json!(notices.ignored_columns);
            let unseen = serde_json::json!(notices.unseen);
            let queues = match self.shape.queue {
                Some(_) => format!(",\"queues\":{}", serde_json::json!(self.counts)),
                None => String::new(),
            };
            let rows = self.rows;
            let tail = format!("\n],\"rows\":{rows}{queues},\"ignored_columns\":{ignored},\"unseen\":{unseen}}}\n");
            self.sink.write(tail.as_bytes())?;
        }
        self.sink.finish()?;
        Ok(self.counts)
    }

    fn class(&self, scores: &[f32]) -> Option<&'a str> {
        let classes = self.classes?;
        let mut best = 0;
        for (place, score) in scores.iter().enumerate() {
            // Of equals the first, as evaluate counts.
            if *score > scores[best] {
                best = place;
            }
        }
        classes.get(best).map(String::as_str)
    }

    /// The ends of the interval around a prediction, where there is one.
    fn ends(&self, scores: &[f32]) -> Option<[f32; 2]> {
        let band = self.shape.band.as_ref()?;
        Some(band.around(scores.first().copied().unwrap_or(f32::NAN)))
    }

    fn csv(&mut self, line: &Line<'_>) {
        let Line { row, id, scores, reasons } = *line;
        match id {
            Some(id) => field(&mut self.line, id),
            None => self.line.push_str(&row.to_string()),
        }
        let shown = match self.shape.ranked {
            Some(ranked) => scores.get(ranked..=ranked).unwrap_or(&[]),
            None => scores,
        };
        // {:?} is the shortest that reads back, with an exponent where zeros would be many.
        for number in shown.iter().chain(self.ends(scores).iter().flatten()) {
            let _ = write!(self.line, ",{number:?}");
        }
        if let Some(class) = self.class(scores).filter(|_| self.shape.ranked.is_none()) {
            self.line.push(',');
            field(&mut self.line, class);
        }
        if let Some(queue) = &self.shape.queue {
            self.line.push(',');
            field(&mut self.line, queue.of(scores));
        }
        for place in 0..self.shape.reasons {
            self.line.push(',');
            field(&mut self.line, reasons.get(place).map_or("", |reason| reason.words.as_str()));
        }
        self.line.push('\n');
    }

    fn text(&mut self, line: &Line<'_>) {
        let Line { row, id, scores, reasons } = *line;
        let name = id.map_or_else(|| format!("row {row}"), str::to_string);
        let class = self.class(scores);
        let shown = match (self.shape.ranked, &self.shape.queue, class) {
            (Some(ranked), _, Some(_)) => scores.get(ranked),
            (None, Some(queue), Some(_)) => scores.get(queue.output),
            (None, None, Some(_)) if scores.len() == 2 => scores.get(1),
            (_, _, Some(_)) => scores.iter().max_by(|a, b| a.total_cmp(b)),
            (_, _, None) => None,
        };
        let _ = match shown {
            Some(score) => write!(self.line, "{name}: {}={score:.3}", self.word),
            None => write!(self.line, "{name}: {}", scores.first().copied().unwrap_or(f32::NAN)),
        };
        if let Some([low, high]) = self.ends(scores) {
            let _ = write!(self.line, " ({low} to {high})");
        }
        if let Some(end) = self.shape.queue.as_ref().map(|queue| queue.of(scores)).or(class) {
            let _ = write!(self.line, " -> {end}");
        }
        for (place, reason) in reasons.iter().enumerate() {
            let _ = write!(self.line, "{} {}", if place == 0 { ":" } else { ";" }, reason.words);
        }
        self.line.push('\n');
    }

    fn json(&mut self, line: &Line<'_>) {
        let Line { row, id, scores, reasons } = *line;
        self.line.push_str(if self.rows == 0 { "\n" } else { ",\n" });
        let _ = write!(self.line, "{{\"row\":{row}");
        if let Some(id) = id {
            self.line.push_str(",\"id\":");
            string(&mut self.line, id);
        }
        let number = |line: &mut String, value: f32| {
            let _ = if value.is_finite() { write!(line, "{value:?}") } else { write!(line, "null") };
        };
        match self.class(scores) {
            Some(class) => {
                let words = if self.word == "score" { ",\"scores\":[" } else { ",\"probabilities\":[" };
                self.line.push_str(words);
                for (place, &score) in scores.iter().enumerate() {
                    if place > 0 {
                        self.line.push(',');
                    }
                    number(&mut self.line, score);
                }
                self.line.push_str("],\"class\":");
                string(&mut self.line, class);
            }
            None => {
                self.line.push_str(",\"prediction\":");
                number(&mut self.line, scores.first().copied().unwrap_or(f32::NAN));
            }
        }
        if let Some([low, high]) = self.ends(scores) {
            self.line.push_str(",\"low\":");
            number(&mut self.line, low);
            self.line.push_str(",\"high\":");
            number(&mut self.line, high);
        }
        if let Some(queue) = &self.shape.queue {
            self.line.push_str(",\"queue\":");
            string(&mut self.line, queue.of(scores));
        }
        if self.shape.reasons > 0 {
            let _ = write!(self.line, ",\"reasons\":{}", serde_json::json!(reasons));
        }
        self.line.push('}');
    }
}

/// A CSV field, quoted where it must be.
pub fn field(line: &mut String, text: &str) {
    let blank_ends = text.starts_with(' ') || text.ends_with(' ');
    if !text.contains([',', '"', '\n', '\r']) && !blank_ends {
        line.push_str(text);
        return;
    }
    line.push('"');
    line.push_str(&text.replace('"', "\"\""));
    line.push('"');
}

/// A JSON string.
pub fn string(line: &mut String, text: &str) {
    line.push_str(&serde_json::Value::from(text).to_string());
}
