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
        if let Some(filters) = &self.filters {
            writeln!(f, "\n{}", filters.words())?;
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
    write!(f, "{path}: a model (format {})", about.format_version)?;
    if let Features::Text(text) = about.preprocess {
        return writeln!(f, " of text that predicts the next of {} characters", text.vocabulary());
    }
    let Some(target) = &about.schema.target else { return writeln!(f) };
    match target.classes() {
        Some(classes) => {
            let more = if classes.len() > 10 { ", ..." } else { "" };
            let shown = classes[..classes.len().min(10)].join(", ");
            writeln!(f, " that predicts {}: {} classes ({shown}{more})", target.name, classes.len())
        }
        None => writeln!(f, " that predicts {}: a number", target.name),
    }
}

fn data(f: &mut Formatter<'_>, about: &About<'_>) -> fmt::Result {
    match about.preprocess {
        Features::Text(text) => {
            let (count, context) = (text.vocabulary(), text.context);
            writeln!(f, "\ntext, character by character: {count} characters, a context of {context}")?;
            writeln!(f, "characters, the tokens from 0: {:?}", text.characters)
        }
        Features::Images(images) => {
            let channels =
                if images.channels == 1 { String::new() } else { format!(" x {} channels", images.channels) };
            write!(f, "\nimages of {} x {} pixels{channels}; a pixel", images.height, images.width)?;
            for (channel, scale) in images.scales.iter().enumerate() {
                let (mean, deviation) = (significant(scale.mean, 6), significant(scale.deviation, 6));
                match images.scales.len() {
                    1 => write!(f, " becomes (pixel - {mean}) / {deviation}")?,
                    _ if channel == 0 => write!(f, " of channel 1 becomes (pixel - {mean}) / {deviation}")?,
                    _ => write!(f, ", of channel {} (pixel - {mean}) / {deviation}", channel + 1)?,
                }
            }
            match &images.augmentation {
                Some(augmentation) => writeln!(f, "\ntraining images were changed anew in each epoch: {augmentation}"),
                None => writeln!(f),
            }
        }
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
    let settings = from.settings.iter().filter(|(_, value)| !plain(value).is_empty());
    let settings: Vec<String> = settings.map(|(name, value)| format!("{name} {}", plain(value))).collect();
    let mut line = String::from("  settings  ");
    for (place, setting) in settings.iter().enumerate() {
        let comma = if place + 1 < settings.len() { ", " } else { "" };
        if line.chars().count() + setting.chars().count() > 110 && line.trim() != "settings" {
            writeln!(f, "{}", line.trim_end())?;
            line = " ".repeat(12);
        }
        line.push_str(&format!("{setting}{comma}"));
    }
    if !settings.is_empty() {
        writeln!(f, "{line}")?;
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

/// A JSON value for a line of text: numbers shortened, words without quotes, `adam (beta1 0.9, beta2 0.999)` for an
/// object with a kind; empty lists and objects are empty.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => significant(number.as_f64().unwrap_or(f64::NAN), 6),
        Value::String(text) => text.clone(),
        Value::Null => "none".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(values) => {
            let others = values.iter().filter(|(name, _)| *name != "kind");
            let others: Vec<String> = others.map(|(name, value)| format!("{name} {}", plain(value))).collect();
            match values.get("kind") {
                Some(kind) if others.is_empty() => plain(kind),
                Some(kind) => format!("{} ({})", plain(kind), others.join(", ")),
                None => others.join(", "),
            }
        }
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
