//! What the model file says about its training: data, seed, versions, every setting, findings, scores, history. Nothing
//! that differs between two equal runs: no time, no threads, no path of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glassnet::model::Model;
use glassnet::model::fit::{ClassWeights, Headed};
use glassnet::nn::doctor::Finding;
use glassnet::nn::history::History;
use glassnet::nn::train::TrainSpec;
use serde_json::{Value, json};

use super::data::{Data, asked_types};
use super::recipe::{Calibrate, Recipe};
use super::report::{Parts, part_json};
use super::settings::Settings;
use crate::error::CliError;

/// Puts it all into the model's document.
///
/// # Errors
/// A part that cannot be written as JSON.
pub fn fill(
    model: &mut Model,
    settings: &Settings,
    data: &Data,
    (headed, spec): (&Headed, &TrainSpec),
    history: History,
    findings: &[Finding],
    parts: &Parts,
) -> Result<(), CliError> {
    let settings = all_settings(settings, data, headed, spec)?;
    let document = model.document_mut();
    document.provenance.data_hash = format!("sha256:{}", data.hash);
    document.provenance.seed = spec.seed;
    document.provenance.settings = settings;
    document.provenance.findings = findings.iter().map(value).collect::<Result<_, _>>()?;
    document.history = Some(history);
    for (name, part) in parts {
        if part.is_some() {
            document.metrics.insert((*name).to_string(), value(&part_json(part.as_ref()))?);
        }
    }
    Ok(())
}

/// As JSON, without the keys of objects that hold nothing: a model file has no null.
pub fn value(of: &impl serde::Serialize) -> Result<Value, CliError> {
    let mut value = serde_json::to_value(of).map_err(|error| CliError::Write(error.to_string()))?;
    without_nulls(&mut value);
    Ok(value)
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// A file by its name alone: where it lay on this machine is nobody's business.
pub fn file_name(path: &str) -> String {
    if path == "-" {
        return "standard input".into();
    }
    Path::new(path).file_name().map_or_else(|| path.to_string(), |name| name.to_string_lossy().into_owned())
}

/// Every setting that the model depends on, by name.
///
/// # Errors
/// One that cannot be written as JSON.
pub fn all_settings(
    settings: &Settings,
    data: &Data,
    headed: &Headed,
    spec: &TrainSpec,
) -> Result<BTreeMap<String, Value>, CliError> {
    let class_weights = match &settings.class_weights {
        ClassWeights::Equal => json!("equal"),
        ClassWeights::Balanced => json!("balanced"),
        ClassWeights::InOrder(weights) => json!(weights),
        ClassWeights::ByName(weights) => json!(weights),
    };
    let loss = headed.network.objective.as_ref().map(|objective| &objective.loss);
    let read = &settings.read;
    let pairs = [
        ("data", json!(file_name(&settings.data))),
        ("target", json!(data.prepared.target().map(|target| &target.name))),
        ("valid", json!(settings.valid.as_deref().map(file_name))),
        ("test", json!(settings.test.as_deref().map(file_name))),
        ("recipe", json!((!data.images).then(|| settings.around.recipe.name()))),
        ("members", json!(super::members(settings, data.images))),
        (
            "members_in_network",
            json!((settings.around.recipe == Recipe::Tabm).then(|| super::tabular::inner(settings))),
        ),
        ("best", json!(settings.around.best.then_some(true))),
        ("calibration", json!(settings.around.calibrate.map(Calibrate::name))),
        ("time", json!(settings.around.time)),
        ("group", json!(settings.around.group)),
        ("background", json!(settings.around.background)),
        ("net", json!(headed.network.spec.to_string())),
        ("init", value(&settings.init)?),
        ("loss", value(&loss)?),
        ("class_weights", class_weights),
        ("resolved_class_weights", json!(data.prepared.class_weights)),
        ("validation_share", json!(settings.validation_share)),
        ("split", json!(data.prepared.split)),
        ("standardise", json!(!settings.raw)),
        ("augment", json!(settings.augment.map(|augmentation| augmentation.to_string()))),
        ("merge_affine", json!(settings.merge_affine)),
        ("types", json!(asked_types(settings))),
        ("weight_column", json!(settings.weight_column)),
        ("header", value(&read.header)?),
        ("delimiter", json!(read.delimiter)),
        ("decimal_comma", json!(read.decimal_comma)),
        ("encoding", value(&read.encoding)?),
        ("missing", json!(read.missing)),
        ("train_rows", json!(data.prepared.train_rows.len())),
        ("valid_rows", json!(data.prepared.valid_rows.len())),
        ("blank_targets", json!(data.prepared.blank)),
        ("blank_valid_targets", json!(data.prepared.blank_valid)),
    ];
    let mut all: BTreeMap<String, Value> = pairs.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    // Epochs, batch, optimizer and the rest, by their own names.
    if let Value::Object(fields) = value(spec)? {
        all.extend(fields);
    }
    // With it or without it, the same bytes: as with the number of threads, the file does not tell.
    all.remove("checkpoint_activations");
    // What was not said has no entry.
    all.retain(|_, value| !value.is_null());
    Ok(all)
}

/// Where the model goes: what was said, or the data's name with .glass in this folder.
pub fn out_path(settings: &Settings) -> PathBuf {
    if let Some(path) = &settings.out {
        return path.clone();
    }
    if settings.data == "-" {
        return PathBuf::from("model.glass");
    }
    let name = std::fs::canonicalize(&settings.data).unwrap_or_else(|_| PathBuf::from(&settings.data));
    let name = name.file_name().map_or_else(|| "model".to_string(), |name| name.to_string_lossy().into_owned());
    let mut stem = name.as_str();
    for ending in [".gz", ".csv", ".tsv", ".txt", ".npz", ".npy", ".data"] {
        stem = stem.strip_suffix(ending).filter(|stem| !stem.is_empty()).unwrap_or(stem);
    }
    PathBuf::from(format!("{stem}.glass"))
}
