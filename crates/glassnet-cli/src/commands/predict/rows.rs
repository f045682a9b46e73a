//! Rows of scores as CSV, text or JSON. Numbers are written in the fewest digits that read back to the same f32.

use std::collections::BTreeMap;
use std::fmt::Write;

use glassnet::model::Model;

use super::Format;
use super::chunks::Chunk;
use super::sink::Sink;
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

/// Writes rows.
pub struct RowWriter<'a> {
    classes: Option<&'a [String]>,
    target: &'a str,
    id: Option<&'a str>,
    queue: Option<Queue>,
    format: Format,
    sink: Sink,
    line: String,
    rows: u64,
    counts: BTreeMap<String, u64>,
}

impl<'a> RowWriter<'a> {
    /// For a model's outputs.
    pub fn new(model: &'a Model, id: Option<&'a str>, queue: Option<Queue>, format: Format, sink: Sink) -> Self {
        let (classes, target) = (model.classes(), model.target());
        let mut counts = BTreeMap::new();
        if let Some(queue) = &queue {
            counts.insert(queue.above.clone(), 0);
            counts.insert(queue.below.clone(), 0);
        }
        RowWriter { classes, target, id, queue, format, sink, line: String::new(), rows: 0, counts }
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
                match self.classes {
                    Some(classes) => {
                        names.extend(classes.iter().map(|class| format!("score_{class}")));
                        names.push("class".into());
                    }
                    None => names.push("prediction".into()),
                }
                if self.queue.is_some() {
                    names.push("queue".into());
                }
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
                    head.push_str(",\"note\":\"scores, not probabilities: nothing has calibrated them\"");
                }
                if let Some(Queue { output, threshold, .. }) = &self.queue {
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

    /// A chunk's rows.
    pub fn chunk(&mut self, chunk: &Chunk) -> Result<(), CliError> {
        let outputs = self.classes.map_or(1, <[String]>::len).max(1);
        for (place, scores) in chunk.scores.chunks_exact(outputs).enumerate() {
            let row = chunk.first_row + place as u64;
            let id = chunk.ids.as_ref().and_then(|ids| ids.get(place)).map(String::as_str);
            self.line.clear();
            match self.format {
                Format::Csv => self.csv(row, id, scores),
                Format::Text => self.text(row, id, scores),
                Format::Json => self.json(row, id, scores),
            }
            if let Some(queue) = &self.queue
                && let Some(count) = self.counts.get_mut(queue.of(scores))
            {
                *count += 1;
            }
            self.sink.write(self.line.as_bytes())?;
            self.rows += 1;
        }
        // A reader behind a pipe sees whole chunks as they come.
        self.sink.flush()
    }

    /// What stands behind the rows; the number of rows in each queue.
    pub fn finish(mut self, notices: &Notices) -> Result<BTreeMap<String, u64>, CliError> {
        if self.format == Format::Json {
            let ignored = serde_json::json!(notices.ignored_columns);
            let unseen = serde_json::json!(notices.unseen);
            let queues = match self.queue {
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

    fn csv(&mut self, row: u64, id: Option<&str>, scores: &[f32]) {
        match id {
            Some(id) => field(&mut self.line, id),
            None => self.line.push_str(&row.to_string()),
        }
        for score in scores {
            // {:?} is the shortest that reads back, with an exponent where zeros would be many.
            let _ = write!(self.line, ",{score:?}");
        }
        if let Some(class) = self.class(scores) {
            self.line.push(',');
            field(&mut self.line, class);
        }
        if let Some(queue) = &self.queue {
            self.line.push(',');
            field(&mut self.line, queue.of(scores));
        }
        self.line.push('\n');
    }

    fn text(&mut self, row: u64, id: Option<&str>, scores: &[f32]) {
        let name = id.map_or_else(|| format!("row {row}"), str::to_string);
        let class = self.class(scores);
        let shown = match (&self.queue, class) {
            (Some(queue), Some(_)) => scores.get(queue.output),
            (None, Some(_)) if scores.len() == 2 => scores.get(1),
            (_, Some(_)) => scores.iter().max_by(|a, b| a.total_cmp(b)),
            (_, None) => None,
        };
        let _ = match shown {
            Some(score) => write!(self.line, "{name}: score={score:.3}"),
            None => write!(self.line, "{name}: {}", scores.first().copied().unwrap_or(f32::NAN)),
        };
        if let Some(end) = self.queue.as_ref().map(|queue| queue.of(scores)).or(class) {
            let _ = write!(self.line, " -> {end}");
        }
        self.line.push('\n');
    }

    fn json(&mut self, row: u64, id: Option<&str>, scores: &[f32]) {
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
                self.line.push_str(",\"scores\":[");
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
        if let Some(queue) = &self.queue {
            self.line.push_str(",\"queue\":");
            string(&mut self.line, queue.of(scores));
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
