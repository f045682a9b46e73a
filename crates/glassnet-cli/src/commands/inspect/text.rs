//! The text of `inspect`.

use std::fmt::{self, Display, Formatter};

use glassnet::model::file::Features;
use glassnet::nn::inspect::number::{count, significant};
use serde_json::Value;

use super::{About, Inspected, Merged};

impl Display for Inspected<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(about) => headline(f, self.net, about)?,
            None => {
                writeln!(f, "a network, weights {}; the training memory is for the loss {}", self.weights, self.loss)?
            }
        }
        writeln!(f, "{}\n", self.text)?;
        write!(f, "{}", self.summary)?;
        if let Some(about) = &self.model {
            data(f, about)?;
            provenance(f, about)?;
        }
        if let Some(merged) = &self.merged {
            merge(f, merged)?;
        }
        if let Some(plans) = &self.plans {
            write!(f, "\n{}\n{}", plans.train, plans.predict)?;
        }
        Ok(())
    }
}

fn headline(f: &mut Formatter<'_>, path: &str, about: &About<'_>) -> fmt::Result {
    let target = about.document.schema.target.as_ref();
    write!(f, "{path}: a model (format {})", about.format_version)?;
    match target {
        Some(target) => writeln!(f, " that predicts {target}"),
        None => writeln!(f),
    }
}

fn data(f: &mut Formatter<'_>, about: &About<'_>) -> fmt::Result {
    match about.preprocess {
        Features::Images(images) => writeln!(
            f,
            "\nimages of {} x {} pixels{}; a pixel becomes (pixel - {}) / {}",
            images.height,
            images.width,
            if images.channels == 1 { String::new() } else { format!(" x {} channels", images.channels) },
            significant(images.mean, 6),
            significant(images.deviation, 6)
        ),
        Features::Table(preprocess) => {
            write!(f, "\n{}", about.schema)?;
            use glassnet::model::preprocess::Encoding;
            let mut scales = preprocess.columns().iter().filter_map(|column| match &column.encoding {
                Encoding::Number(scale) | Encoding::Boolean { scale, .. } => Some((&column.name, scale)),
                _ => None,
            });
            let width = scales.clone().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            if scales.clone().all(|(_, scale)| scale.shift == 0.0 && scale.scale == 1.0) {
                return if width > 0 { writeln!(f, "\nnumbers are fed as they are") } else { Ok(()) };
            }
            writeln!(f, "\nnumbers become (x - mean) / deviation")?;
            scales.try_for_each(|(name, scale)| {
                let (mean, deviation) = (significant(scale.shift, 6), significant(scale.scale, 6));
                let missing = if scale.indicator { ", and one more input says where it is missing" } else { "" };
                writeln!(f, "  {name:width$}  mean {mean}, deviation {deviation}{missing}")
            })
        }
    }
}

fn provenance(f: &mut Formatter<'_>, about: &About<'_>) -> fmt::Result {
    let from = about.provenance;
    writeln!(f, "\nprovenance")?;
    if !from.data_hash.is_empty() {
        writeln!(f, "  data      {}", from.data_hash)?;
    }
    writeln!(f, "  seed      {}", from.seed)?;
    for (what, version) in &from.versions {
        writeln!(f, "  version   {what} {version}")?;
    }
    let settings: Vec<String> = from.settings.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
    if !settings.is_empty() {
        writeln!(f, "  settings  {}", settings.join(", "))?;
    }
    for (part, values) in about.metrics {
        let values = match values {
            Value::Object(values) => {
                let numbers = values.iter().filter(|(_, value)| value.is_number());
                numbers.map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
            }
            other => plain(other),
        };
        writeln!(f, "  {part:8}  {values}")?;
    }
    if !from.findings.is_empty() {
        writeln!(f, "  findings  {} (--json shows them)", from.findings.len())?;
    }
    Ok(())
}

/// A JSON value for a line of text: numbers shortened, words without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => significant(number.as_f64().unwrap_or(f64::NAN), 6),
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        other => other.to_string(),
    }
}

fn merge(f: &mut Formatter<'_>, merged: &Merged) -> fmt::Result {
    if merged.merges.is_empty() {
        return writeln!(f, "\nnothing to merge: no affine layers stand side by side without a curve between them");
    }
    writeln!(f, "\nmerged")?;
    for merge in &merged.merges {
        writeln!(f, "  {merge}")?;
    }
    writeln!(f, "  {}: {} parameters", merged.text, count(merged.parameters as u64))?;
    for (name, shape, values) in &merged.slots {
        let values: Vec<String> = values.iter().map(|&value| significant(value, 10)).collect();
        writeln!(f, "  {name} {shape:?}  {}", values.join(", "))?;
    }
    Ok(())
}
