//! Runs that can be looked at afterwards: a model file, or what `train --json` printed.

use std::collections::BTreeMap;
use std::path::Path;

use glassnet::model::Model;
use glassnet::nn::history::{Epoch, History};
use glassnet::report::page::{EpochLine, Member};
use serde_json::Value;

use crate::error::CliError;
use crate::model_data::load_model;

/// What a training left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The file's name without its ending.
    pub name: String,
    /// Histories of its members, one or more.
    pub histories: Vec<History>,
    /// Scores by part (`train`, `valid`, `test`) and name.
    pub metrics: BTreeMap<String, BTreeMap<String, f64>>,
    /// Settings by name.
    pub settings: BTreeMap<String, Value>,
    /// Number of parameters.
    pub parameters: Option<u64>,
}

/// What a file is, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A model file.
    Model,
    /// JSON.
    Json,
    /// Something else: a table, or nothing that can be read.
    Other,
}

/// Looks at a file without reading all of it.
pub fn content(path: &str) -> Content {
    use std::io::Read;
    let ends = |ending: &str| path.to_lowercase().ends_with(ending);
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    if read.is_err() || head.is_empty() {
        return match () {
            () if ends(".glass") => Content::Model,
            () if ends(".json") => Content::Json,
            () => Content::Other,
        };
    }
    // safetensors: eight bytes of length, then JSON.
    if ends(".glass") || (head.get(8) == Some(&b'{') && head.get(6..8) == Some(&[0, 0])) {
        return Content::Model;
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
    if ends(".json") || first == Some(&b'{') { Content::Json } else { Content::Other }
}

impl Run {
    /// Reads a model file or the JSON of a training.
    ///
    /// # Errors
    /// No such file, neither of the two, or one without a history.
    pub fn read(path: &str) -> Result<Run, CliError> {
        let name = Path::new(path).file_stem().map_or_else(|| path.to_string(), |name| name.to_string_lossy().into());
        let run = match content(path) {
            Content::Json => Run::of_json(path, name, &json(path)?)?,
            Content::Other if Path::new(path).is_file() => {
                return Err(CliError::Data(format!(
                    "{path}: this is no run: neither a model nor JSON\n  hint: give a model (.glass), or the object that `glassnet train --json` printed"
                )));
            }
            Content::Model | Content::Other => {
                let model = load_model(path)?;
                Run::of_model(path, name, &model)?
            }
        };
        if run.histories.iter().all(|history| history.epochs.is_empty()) {
            return Err(CliError::Data(format!(
                "{path}: this run has no history of its epochs\n  hint: give a model that `glassnet train` made, or what its --json printed"
            )));
        }
        Ok(run)
    }

    fn of_model(path: &str, name: String, model: &Model) -> Result<Run, CliError> {
        let document =
            serde_json::to_value(model.document()).map_err(|error| CliError::Model(format!("{path}: {error}")))?;
        let mut run = Run::of_json(path, name, &document)?;
        run.parameters = Some(model.parameter_count() as u64);
        Ok(run)
    }

    /// From what `train --json` prints, from a model's document, or from a history alone.
    fn of_json(path: &str, name: String, value: &Value) -> Result<Run, CliError> {
        let not_a_run = |what: String| {
            CliError::Data(format!(
                "{path}: {what}\n  hint: give a model (.glass), or the object that `glassnet train --json` printed"
            ))
        };
        if let Some(error) = value.get("error").and_then(Value::as_str)
            && value.get("history").is_none()
        {
            return Err(not_a_run(format!("this run failed: {error}")));
        }
        let mut found: Vec<&Value> = Vec::new();
        match value.get("history") {
            Some(Value::Array(all)) => found.extend(all),
            Some(one) => found.push(one),
            None if value.get("epochs").is_some_and(Value::is_array) => found.push(value),
            None => {}
        }
        if found.is_empty()
            && let Some(members) = value.get("members").and_then(Value::as_array)
        {
            found.extend(members.iter().filter_map(|member| member.get("history")));
        }
        if found.is_empty() {
            return Err(not_a_run("there is no history of a training in it".into()));
        }
        let histories = found.into_iter().map(|history| serde_json::from_value::<History>(history.clone()));
        let histories = histories.collect::<Result<Vec<_>, _>>();
        let histories = histories.map_err(|error| not_a_run(format!("its history cannot be read: {error}")))?;
        let parts = value.get("metrics").unwrap_or(value);
        let mut metrics = BTreeMap::new();
        for part in ["train", "valid", "calibrate", "test"] {
            let Some(scores) = parts.get(part).and_then(Value::as_object) else { continue };
            let scores = scores.iter().filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)));
            metrics.insert(part.to_string(), scores.collect());
        }
        let settings = value.get("settings").or_else(|| value.pointer("/provenance/settings"));
        let settings = settings.and_then(Value::as_object).map_or_else(BTreeMap::new, |settings| {
            settings.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        });
        let parameters = value.get("parameters").and_then(Value::as_u64);
        Ok(Run { name, histories, metrics, settings, parameters })
    }

    /// Its members' curves of some value of an epoch and, beside it, another.
    pub fn members(&self, curves: &Curves) -> Vec<Member> {
        let several = self.histories.len() > 1;
        let named = |(place, history): (usize, &History)| {
            let name = if several { format!("{} {}", self.name, place + 1) } else { self.name.clone() };
            Member {
                name,
                epochs: history.epochs.iter().map(|epoch| curves.line(epoch)).collect(),
                best_epoch: history.best_epoch,
            }
        };
        self.histories.iter().enumerate().map(named).collect()
    }

    /// One curve for the run: of several members the mean over those that reached the epoch, without a chosen epoch.
    pub fn one(&self, curves: &Curves) -> Member {
        let mut members = self.members(curves);
        if members.len() == 1
            && let Some(member) = members.pop()
        {
            return member;
        }
        let last = members.iter().flat_map(|member| member.epochs.last()).map(|epoch| epoch.epoch).max().unwrap_or(0);
        let epochs = (1..=last).map(|number| {
            let here: Vec<&EpochLine> =
                members.iter().filter_map(|member| member.epochs.iter().find(|epoch| epoch.epoch == number)).collect();
            let mean = |of: fn(&EpochLine) -> Option<f64>| {
                let values: Vec<f64> = here.iter().filter_map(|epoch| of(epoch)).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            };
            EpochLine {
                epoch: number,
                train: mean(|epoch| epoch.train),
                valid: mean(|epoch| epoch.valid),
                learning_rate: mean(|epoch| epoch.learning_rate),
            }
        });
        Member {
            name: format!("{} (mean of {})", self.name, members.len()),
            epochs: epochs.collect(),
            best_epoch: None,
        }
    }

    /// The number of the chosen epoch of each member.
    pub fn best_epochs(&self) -> Vec<Option<u64>> {
        self.histories.iter().map(|history| history.best_epoch).collect()
    }

    /// The loss that was trained, by its name in the settings.
    pub fn loss(&self) -> Option<String> {
        let loss = self.settings.get("loss")?;
        let kind = loss.get("kind").or_else(|| loss.get("name")).unwrap_or(loss);
        Some(kind.as_str().map_or_else(|| kind.to_string(), |name| name.replace('_', "-")))
    }
}

/// Which values of an epoch are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Curves {
    /// Of the training rows.
    pub train: fn(&Epoch) -> Option<f64>,
    /// Of the validation rows.
    pub valid: fn(&Epoch) -> Option<f64>,
}

impl Curves {
    /// The loss.
    pub const LOSS: Curves = Curves { train: |epoch| Some(epoch.train_loss), valid: |epoch| epoch.valid_loss };

    fn line(&self, epoch: &Epoch) -> EpochLine {
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        EpochLine {
            epoch: epoch.epoch,
            train: finite((self.train)(epoch)),
            valid: finite((self.valid)(epoch)),
            learning_rate: finite(Some(epoch.learning_rate)),
        }
    }
}

fn json(path: &str) -> Result<Value, CliError> {
    let bytes = std::fs::read(path).map_err(|error| {
        let near = glassnet::data::nearest_file(Path::new(path));
        let hint =
            near.map_or("check the path and its permissions".to_string(), |near| format!("did you mean '{near}'?"));
        CliError::Data(format!("{path}: cannot be read: {error}\n  hint: {hint}"))
    })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        CliError::Data(format!(
            "{path}: this is not JSON: {error}\n  hint: write what `glassnet train --json` prints to a file, nothing else"
        ))
    })
}
