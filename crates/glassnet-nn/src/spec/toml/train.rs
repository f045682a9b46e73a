//! `[train]`: a run's settings, as a table of keys.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Serialize, Serializer};

use super::read::{Table, Value};
use crate::spec::SpecError;
use crate::spec::cursor::shorten;

/// Rows of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// So many.
    Rows(usize),
    /// All of them: one step an epoch.
    All,
}

/// Weights of the classes in the loss.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// Each class counts the same: rows / (classes x rows of the class).
    Balanced,
    /// One for each class, in the classes' order.
    InOrder(Vec<f64>),
    /// By the class's name; a class that is not named has 1.
    ByName(BTreeMap<String, f64>),
}

/// The number, or "all".
impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Batch::Rows(rows) => rows.serialize(serializer),
            Batch::All => "all".serialize(serializer),
        }
    }
}

/// "balanced", a list, or a map.
impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Balanced => "balanced".serialize(serializer),
            ClassWeights::InOrder(weights) => weights.serialize(serializer),
            ClassWeights::ByName(weights) => weights.serialize(serializer),
        }
    }
}

/// One key of `[train]`.
#[derive(Debug)]
pub struct TrainKey {
    /// The key.
    pub name: &'static str,
    /// A value for it, as TOML.
    pub example: &'static str,
    /// What it says, in one line.
    pub doc: &'static str,
    read: fn(&Value<'_>, &mut TrainConfig) -> Result<(), String>,
}

macro_rules! train_keys {
    ($($name:ident: $type:ty, $example:literal, $doc:literal, $read:expr;)*) => {
        /// The settings that a TOML says; `None` is what it does not say.
        #[derive(Debug, Clone, PartialEq, Default, Serialize)]
        pub struct TrainConfig {
            $(
                #[doc = $doc]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )*
        }

        /// All keys of `[train]`.
        pub const TRAIN_KEYS: &[TrainKey] = &[$(TrainKey {
            name: stringify!($name),
            example: $example,
            doc: $doc,
            read: |value, into| {
                let read: fn(&Value<'_>) -> Result<$type, String> = $read;
                into.$name = Some(read(value)?);
                Ok(())
            },
        }),*];
    };
}

train_keys! {
    data: String, "\"orders.csv\"", "the table or folder to train on", |value| value.word();
    target: String, "\"late\"", "the column to predict", |value| value.word();
    valid: String, "\"valid.csv\"", "rows for validation", |value| value.word();
    test: String, "\"test.csv\"", "rows for the last test", |value| value.word();
    validation_share: f64, "0.2", "share of the rows kept for validation, from 0 to below 1",
        |value| value.number("from 0 to below 1", |share| (0.0..1.0).contains(&share));
    drop: Vec<String>, "[\"id\", \"comment\"]", "columns left out", strings;
    types: BTreeMap<String, String>, "{ zip = \"category\" }", "types of columns, in place of the inferred ones", types;
    weight_column: String, "\"weight\"", "the column of row weights", |value| value.word();
    task: String, "\"classify\"", "classify or regress, where the target does not tell; text", |value| value.word();
    raw: bool, "true", "inputs (and a regression's target) are not standardised", |value| value.boolean();
    augment: String, "\"flip, shift 2\"", "how training images are changed anew in each epoch: flip, shift N, cutout N",
        |value| value.word();
    no_header: bool, "true", "the first line is a row", |value| value.boolean();
    delimiter: String, "\";\"", "what separates the fields", |value| value.string();
    epochs: usize, "20", "times over the data", |value| value.count(1);
    steps: usize, "2000", "optimizer steps after which the run ends, in place of epochs", |value| value.count(1);
    context: usize, "64", "characters that a row of text has", |value| value.count(1);
    streams: bool, "true", "a batch of text goes on where the one before it ended", |value| value.boolean();
    batch: Batch, "128", "rows of one step, or \"all\"", batch;
    lr: f64, "0.1", "the learning rate, above 0", |value| value.number("a number above 0", |lr| lr > 0.0);
    optimizer: String, "\"adam\"", "how gradients become steps", |value| value.word();
    momentum: f64, "0.9", "share of the last step that is kept, from 0 to below 1",
        |value| value.number("from 0 to below 1", |momentum| (0.0..1.0).contains(&momentum));
    weight_decay: f64, "0.01", "pull of the weights towards 0, not negative",
        |value| value.number("a number that is not negative", |decay| decay >= 0.0);
    schedule: String, "\"cosine\"", "how the learning rate changes", |value| value.word();
    clip_norm: f64, "1.0", "longest gradient, above 0", |value| value.number("a number above 0", |norm| norm > 0.0);
    clip_value: f64, "0.5", "largest element of a gradient, above 0",
        |value| value.number("a number above 0", |value| value > 0.0);
    shuffle: bool, "false", "whether the rows are put in a new order for each epoch", |value| value.boolean();
    init: String, "\"he uniform\"", "how the weights of linear layers are drawn, where a layer does not say it",
        |value| value.word();
    merge_affine: bool, "true", "linear layers with nothing between them are merged after training",
        |value| value.boolean();
    accumulate: usize, "4", "batches whose gradients make one step", |value| value.count(1);
    checkpoint_activations: bool, "true",
        "values are computed a second time for the gradients instead of being kept: less memory, more time",
        |value| value.boolean();
    precision: String, "\"bf16\"", "what the products of linear maps multiply while training: f32 or bf16", |value| value.word();
    early_stop: usize, "5", "epochs without a better validation loss after which training stops", |value| value.count(1);
    loss: String, "\"mse\"", "what is made small", |value| value.word();
    label_smoothing: f64, "0.1", "share of a label spread over all classes, from 0 to below 1",
        |value| value.number("from 0 to below 1", |share| (0.0..1.0).contains(&share));
    class_weights: ClassWeights, "\"balanced\"", "weights of the classes: \"balanced\", a list, or { name = weight }",
        class_weights;
    seed: u64, "7", "what all random numbers follow from", |value| value.whole(0);
    threads: usize, "4", "threads that work", |value| value.count(1);
    out: String, "\"model.glass\"", "the model file to write", |value| value.word();
}

/// The guide's list of keys, in Markdown.
pub fn guide() -> String {
    let rows = TRAIN_KEYS.iter().map(|key| format!("| `{} = {}` | {} |\n", key.name, key.example, key.doc));
    format!("| key | what it says |\n|---|---|\n{}", rows.collect::<String>())
}

pub(super) fn read(table: &Table<'_>, spots: &mut BTreeMap<String, Range<usize>>) -> Result<TrainConfig, SpecError> {
    let known: Vec<&str> = TRAIN_KEYS.iter().map(|key| key.name).collect();
    table.only(&known)?;
    let mut config = TrainConfig::default();
    for (name, _) in table.keys() {
        let (Some(key), Some(value)) = (TRAIN_KEYS.iter().find(|key| key.name == name), table.get(name)) else {
            continue;
        };
        (key.read)(&value, &mut config).map_err(|message| {
            table
                .error(value.span(), format!("{name} {message}"))
                .hint(format!("for instance: {name} = {}", key.example))
        })?;
        spots.insert(name.to_owned(), value.span());
    }
    Ok(config)
}

fn batch(value: &Value<'_>) -> Result<Batch, String> {
    if value.string().is_ok_and(|word| word.eq_ignore_ascii_case("all")) {
        return Ok(Batch::All);
    }
    value.count(1).map(Batch::Rows).map_err(|message| format!("{message}; or write \"all\""))
}

fn strings(value: &Value<'_>) -> Result<Vec<String>, String> {
    let items = value.array("an array of strings")?;
    let one = |(at, item): (usize, &Value<'_>)| item.word().map_err(|message| format!("item {} {message}", at + 1));
    items.iter().enumerate().map(one).collect()
}

fn types(value: &Value<'_>) -> Result<BTreeMap<String, String>, String> {
    named(value, |value| value.word())
}

fn class_weights(value: &Value<'_>) -> Result<ClassWeights, String> {
    let weight = |value: &Value<'_>| value.number("a number that is not negative", |weight| weight >= 0.0);
    if value.is_table() {
        return named(value, weight).map(ClassWeights::ByName);
    }
    if value.string().is_ok_and(|word| word == "balanced") {
        return Ok(ClassWeights::Balanced);
    }
    let items = value.array("\"balanced\", a list or a table")?;
    let one = |(at, item): (usize, &Value<'_>)| weight(item).map_err(|message| format!("item {} {message}", at + 1));
    items.iter().enumerate().map(one).collect::<Result<_, _>>().map(ClassWeights::InOrder)
}

/// A table whose keys are names of the data's and whose values are all of one kind.
fn named<T>(value: &Value<'_>, read: impl Fn(&Value<'_>) -> Result<T, String>) -> Result<BTreeMap<String, T>, String> {
    let table = value.table("")?;
    let one = |(name, _): (&str, _)| Some((name.to_owned(), table.get(name)?));
    let read = |(name, value): (String, Value<'_>)| match read(&value) {
        Ok(read) => Ok((name, read)),
        Err(message) => Err(format!("\"{}\" {message}", shorten(&name))),
    };
    table.keys().into_iter().filter_map(one).map(read).collect()
}
