//! What was understood, said before training begins: data, columns, classes, rows set aside, network.

use glassnet::core::{Purpose, Team};
use glassnet::model::fit::{Headed, Prepared};
use glassnet::model::images::PixelScale;
use glassnet::nn::train::{Batch, TrainSpec};
use serde_json::{Value, json};

use super::data::Data;
use super::network::head_words;
use crate::numbers::thousands;

/// The data in words.
pub fn data(data: &Data) -> String {
    let prepared = &data.prepared;
    let mut text = String::new();
    match &data.understood {
        Some(understood) => {
            text += &format!("{}: {}", understood.source, understood.format);
            text += if understood.gzip { " (gzip)" } else { "" };
            let (rows, columns) = (understood.rows, understood.columns.len());
            let plural = |many: bool| if many { "s" } else { "" };
            text += &format!(", {} row{}", thousands(rows), plural(rows != 1));
            text += &format!(", {columns} column{}\n", plural(columns != 1));
            if let Some(dialect) = &understood.dialect {
                text += &format!("  {dialect}\n");
            }
            text += &format!("\n{}", indented(&prepared.schema.to_string()));
        }
        None => {
            if let glassnet::model::file::Features::Images(images) = &prepared.features {
                let rows =
                    prepared.train_rows.len() + if prepared.valid.is_none() { prepared.valid_rows.len() } else { 0 };
                text += &format!("{} images of {} x {} pixels", thousands(rows as u64), images.height, images.width);
                if images.channels > 1 {
                    text += &format!(", {} channels", images.channels);
                }
                let of = |value: fn(&PixelScale) -> f64| {
                    let values: Vec<String> =
                        images.scales.iter().map(|scale| format!("{:.2}", value(scale))).collect();
                    values.join(", ")
                };
                text +=
                    &format!("; pixels: mean {}, deviation {}\n", of(|scale| scale.mean), of(|scale| scale.deviation));
                if let Some(augmentation) = &images.augmentation {
                    text += &format!("training images are changed anew in each epoch: {augmentation}\n");
                }
            }
        }
    }
    if let Some(counts) = class_counts(prepared) {
        text += "\nclasses of the training rows\n";
        let total: u64 = counts.iter().map(|(_, count)| count).sum();
        let (shown, hidden) = most_frequent(&counts);
        let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(24);
        for (name, count) in &shown {
            let share = 100.0 * *count as f64 / total.max(1) as f64;
            text += &format!("  {name:<width$}  {:>9}  {share:>5.1} %\n", thousands(*count));
        }
        if hidden > 0 {
            text += &format!("  ... and {hidden} more\n");
        }
    }
    text += "\n";
    if prepared.blank > 0 {
        let rows = if prepared.blank == 1 { "row has" } else { "rows have" };
        text += &format!("{} {rows} no target: set aside\n", thousands(prepared.blank as u64));
    }
    text += &format!("{}\n", prepared.split);
    if prepared.blank_valid > 0 {
        let rows = if prepared.blank_valid == 1 { "row has" } else { "rows have" };
        text += &format!("validation: {} {rows} no target: set aside\n", thousands(prepared.blank_valid as u64));
    }
    for unseen in &prepared.unseen {
        text += &format!(
            "validation: {} row{} whose {} has no input of its own, such as {}: counted as unknown\n",
            thousands(unseen.rows as u64),
            if unseen.rows == 1 { "" } else { "s" },
            unseen.column,
            unseen.example
        );
    }
    if !prepared.extra.is_empty() {
        text += &format!("validation: columns that training has not are ignored: {}\n", prepared.extra.join(", "));
    }
    for note in &data.notes {
        text += &format!("{note}\n");
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}

/// All classes in their order up to 20, else the 10 most frequent (ties in their order); and how many are left.
fn most_frequent(counts: &[(String, u64)]) -> (Vec<&(String, u64)>, usize) {
    let mut shown: Vec<_> = counts.iter().collect();
    if counts.len() > 20 {
        shown.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        shown.truncate(10);
    }
    let hidden = counts.len() - shown.len();
    (shown, hidden)
}

/// A note where classes have fewer than 1 % of the training rows.
pub fn rare_classes(prepared: &Prepared) -> Option<String> {
    let counts = class_counts(prepared)?;
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let rare: Vec<String> =
        counts.iter().filter(|(_, count)| count * 100 < total).map(|(name, _)| format!("{name:?}")).collect();
    let (first, more) = (rare.first()?, rare.len() - 1);
    let who = match more {
        0 => format!("class {first} has"),
        1 => format!("class {first} and 1 more have"),
        _ => format!("class {first} and {more} more have"),
    };
    Some(format!(
        "{who} fewer than 1 % of the training rows: accuracy says little about so few; look at the recall \
         (glassnet evaluate), or try --class-weights balanced"
    ))
}

/// Training rows by class.
pub fn class_counts(prepared: &Prepared) -> Option<Vec<(String, u64)>> {
    let classes = prepared.target()?.classes()?;
    let mut counts = vec![0u64; classes.len()];
    for &row in &prepared.train_rows {
        let label = prepared.train.labels.get(row as usize).copied().and_then(|label| usize::try_from(label).ok());
        if let Some(count) = label.and_then(|label| counts.get_mut(label)) {
            *count += 1;
        }
    }
    Some(classes.iter().cloned().zip(counts).collect())
}

/// Floating-point operations of a row: in a prediction and in a training step.
pub fn flops(headed: &Headed) -> (u64, u64) {
    let of = |purpose| headed.network.plan(purpose, 1).flops(1);
    (of(Purpose::Predict), of(Purpose::Train))
}

/// The network in words.
pub fn network(headed: &Headed) -> String {
    let network = &headed.network;
    let slots = network.graph.slots();
    let mut text = format!("network  {}\n", network.spec);
    let rows: Vec<[String; 4]> = network
        .layers
        .iter()
        .map(|layer| {
            let count = slots.trained_of(&layer.slots);
            let count = if count == 0 { String::new() } else { thousands(count as u64) };
            let shape = format!("{} -> {}", layer.input, layer.output);
            [format!("{}{}", "  ".repeat(layer.depth), layer.name), layer.kind.clone(), shape, count]
        })
        .collect();
    let header = ["layer", "kind", "shape", "parameters"].map(str::to_string);
    let width = |at: usize| rows.iter().chain([&header]).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let (a, b, c, d) = (width(0), width(1), width(2), width(3));
    for [name, kind, shape, count] in [&header].into_iter().chain(&rows) {
        text += format!("  {name:<a$}  {kind:<b$}  {shape:<c$}  {count:>d$}").trim_end();
        text += "\n";
    }
    let (predict, train) = flops(headed);
    text += &format!(
        "  {} parameters; {} FLOPs a row to predict, {} to train\n",
        thousands(network.graph.slots().trained() as u64),
        thousands(predict),
        thousands(train)
    );
    text += &format!("  output: {}\n", head_words(headed.head));
    text
}

/// The settings in a sentence.
pub fn training(spec: &TrainSpec, headed: &Headed, rows: usize, team: &Team) -> String {
    let batch = match spec.batch {
        Batch::All => "all rows at once".to_string(),
        Batch::Rows(_) => format!("batches of {}", spec.batch_rows(rows)),
    };
    let loss = headed.network.objective.as_ref().map_or("", |objective| objective.loss.name());
    let mut text =
        format!("training {loss} by {}, lr {}, schedule {}, {batch}", spec.optimizer.name(), spec.lr, spec.schedule);
    if spec.accumulate > 1 {
        text += &format!(" ({} of them a step)", spec.accumulate);
    }
    match spec.early.patience {
        Some(1) => text += &format!(", at most {} epochs, stopping after 1 without gain", spec.epochs),
        Some(patience) => text += &format!(", at most {} epochs, stopping after {patience} without gain", spec.epochs),
        None if spec.steps.is_some() => text += &format!(", {} steps", spec.steps.unwrap_or(0)),
        None => text += &format!(", {} epoch{}", spec.epochs, if spec.epochs == 1 { "" } else { "s" }),
    }
    if !spec.shuffle {
        text += ", rows in the file's order";
    }
    let threads = team.threads();
    text + &format!(", seed {}, {threads} thread{}\n", spec.seed, if threads == 1 { "" } else { "s" })
}

/// The same for `--json`.
pub fn as_json(data: &Data) -> Value {
    let prepared = &data.prepared;
    let columns: Vec<Value> = prepared
        .schema
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name, "kind": column.kind.word(), "missing": column.missing,
                "inputs": column.inputs(), "left_out": column.left_out, "note": column.note,
            })
        })
        .collect();
    let images = match &prepared.features {
        glassnet::model::file::Features::Images(images) => Some(images),
        glassnet::model::file::Features::Table(_) | glassnet::model::file::Features::Text(_) => None,
    };
    let classes: Option<Vec<Value>> = class_counts(prepared)
        .map(|counts| counts.into_iter().map(|(name, rows)| json!({ "name": name, "rows": rows })).collect());
    json!({
        "read": data.understood,
        "columns": columns,
        "target": prepared.target(),
        "classes": classes,
        "train_rows": prepared.train_rows.len(),
        "valid_rows": prepared.valid_rows.len(),
        "blank_targets": prepared.blank,
        "blank_valid_targets": prepared.blank_valid,
        "split": prepared.split,
        "inputs": prepared.inputs(),
        "images": images,
        "notes": data.notes,
    })
}

/// The network for `--json`.
pub fn network_json(headed: &Headed) -> Value {
    let (predict, train) = flops(headed);
    let layers: Vec<Value> = headed
        .network
        .layers
        .iter()
        .map(|layer| json!({ "name": layer.name, "kind": layer.kind, "input": layer.input.to_string(), "output": layer.output.to_string() }))
        .collect();
    json!({
        "text": headed.network.spec.to_string(),
        "layers": layers,
        "parameters": headed.network.graph.slots().trained(),
        "flops_per_row": { "predict": predict, "train": train },
    })
}
