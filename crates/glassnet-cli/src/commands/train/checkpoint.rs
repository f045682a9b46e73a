//! `--checkpoint FOLDER`, `--every N`, `--resume FOLDER`: when a run's state is written, and from which one it goes on.
//!
//! What makes a run what it is (every setting, the hashes of the data, the number of parameters, the version) is kept with the
//! state and must be the same where it goes on. How the run was begun is kept too, so that `train --resume FOLDER` needs no
//! other word. The number of threads and the place of the model may differ: the bytes do not depend on them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glassnet::data::checkpoint::{CheckpointError, Difference, Document, Folder, NAME, VERSION};
use glassnet::nn::doctor::{Doctor, DoctorState};
use glassnet::nn::train::{Trainer, TrainerState, View};
use serde_json::{Value, json};

use super::args::Args;
use crate::error::CliError;
use crate::machine;

/// Without `--every` the checkpoints of short epochs take at most one part in so many of the time.
const SHARE: u32 = 20;

/// Longest text of a value in the list of what differs.
const LONGEST: usize = 60;

/// The checkpoints of a run.
pub struct Checkpoints {
    path: PathBuf,
    /// Made where everything else about the run is in order; there from the beginning of one that goes on.
    folder: Option<Folder>,
    document: Document,
    args: Value,
    every: Option<u64>,
    /// What the run goes on from.
    kept: Option<(TrainerState<'static, f32>, Document)>,
    /// Epoch and step that it went on from.
    from: Option<(u64, u64)>,
    /// When the last one was written, and how long that took.
    last: Option<(Instant, Duration)>,
    written: u64,
    failed: u64,
    /// Step of the last one.
    step: Option<u64>,
    /// The last failure that was told.
    told: String,
}

impl From<CheckpointError> for CliError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Exists { .. } | CheckpointError::Missing { .. } | CheckpointError::Taken { .. } => {
                CliError::Usage(error.to_string())
            }
            CheckpointError::Damaged { .. } => CliError::Model(error.to_string()),
            CheckpointError::Write(_) => CliError::Write(error.to_string()),
        }
    }
}

/// The arguments of the run, those of its beginning where it goes on with them, and its checkpoints where it has some.
///
/// # Errors
/// The folder holds a checkpoint where it should not, or none where it should; it is damaged; another run is at work there.
pub fn open(args: &Args) -> Result<(Args, Option<Checkpoints>), CliError> {
    if args.every == Some(0) {
        return Err(CliError::Usage(
            "--every: 0 steps are no distance\n  hint: write 1 or more, or leave it out".into(),
        ));
    }
    let Some(path) = args.resume.as_ref().or(args.checkpoint.as_ref()) else {
        return match args.every {
            Some(_) => {
                let hint = "add --checkpoint FOLDER";
                Err(CliError::Usage(format!(
                    "--every says how often a checkpoint is written, but not where\n  hint: {hint}"
                )))
            }
            None => Ok((args.clone(), None)),
        };
    };
    let (folder, kept, args) = match args.resume {
        None => (None, None, args.clone()),
        Some(_) => {
            let folder = Folder::resume(path)?;
            let needed = folder.size()?.saturating_mul(3);
            machine::has(&format!("{}: reading it", folder.file().display()), needed, "is it a checkpoint?")?;
            let (document, state) = folder.read::<f32>()?;
            let mut whole = args.clone();
            if args.data.is_none() && args.config.is_none() {
                whole = joined(&document.more["args"], args)?;
            }
            whole.every = args.every.or(document.more["every"].as_u64());
            (Some(folder), Some((state, document)), whole)
        }
    };
    keep_apart(path, &args)?;
    if folder.is_none() && path.join(NAME).exists() {
        // The refusal, before the data is read for nothing.
        Folder::begin(path)?;
    }
    let said = serde_json::to_value(&args).map_err(|error| CliError::Usage(error.to_string()))?;
    let document = Document { version: VERSION, run: BTreeMap::new(), more: Value::Null, record: Value::Null };
    let checkpoints = Checkpoints {
        path: path.clone(),
        folder,
        document,
        args: said,
        every: args.every,
        from: kept.as_ref().map(|(state, _)| (state.epochs(), state.steps())),
        step: kept.as_ref().map(|(state, _)| state.steps()),
        kept,
        last: None,
        written: 0,
        failed: 0,
        told: String::new(),
    };
    Ok((args, Some(checkpoints)))
}

/// The arguments that the run was begun with, with what is said now in their place where something is.
fn joined(kept: &Value, said: &Args) -> Result<Args, CliError> {
    fn join(kept: &Value, said: &Value) -> Value {
        match (kept, said) {
            (Value::Object(kept), Value::Object(said)) => {
                let both =
                    |(key, said): (&String, &Value)| (key.clone(), join(kept.get(key).unwrap_or(&Value::Null), said));
                Value::Object(said.iter().map(both).collect())
            }
            (kept, Value::Null | Value::Bool(false)) => kept.clone(),
            (kept, Value::Array(items)) if items.is_empty() => kept.clone(),
            (_, said) => said.clone(),
        }
    }
    let now = serde_json::to_value(said).map_err(|error| CliError::Usage(error.to_string()))?;
    let joined: Args = serde_json::from_value(join(kept, &now)).map_err(|error| {
        CliError::Model(format!(
            "the checkpoint does not say how its run was begun: {error}\n  hint: say it again, DATA and all flags"
        ))
    })?;
    Ok(joined)
}

/// A path without links and dots, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for there in whole.ancestors() {
        if let Ok(real) = std::fs::canonicalize(there) {
            return whole.strip_prefix(there).map_or(real.clone(), |rest| real.join(rest));
        }
    }
    whole
}

/// Neither the data nor the model may lie where the checkpoint does, nor the checkpoint in a folder of data.
fn keep_apart(folder: &Path, args: &Args) -> Result<(), CliError> {
    let refuse = |what: String| {
        let hint = "give the checkpoints a folder of their own";
        Err(CliError::Usage(format!("{}: {what}\n  hint: {hint}", folder.display())))
    };
    let place = real(folder);
    for read in [&args.data, &args.valid, &args.test].into_iter().flatten() {
        if place.starts_with(real(Path::new(read))) {
            return refuse(format!("the data is read from {read}"));
        }
    }
    match &args.out {
        Some(out) if real(&place.join(NAME)) == real(out) => {
            refuse(format!("the model {} would replace the checkpoint", out.display()))
        }
        _ => Ok(()),
    }
}

impl Checkpoints {
    /// Says what makes the run what it is: its settings, and more by name.
    ///
    /// # Errors
    /// The run goes on, and its checkpoint is another run's: all that differs, each with both sides.
    pub fn describe(
        &mut self,
        settings: BTreeMap<String, Value>,
        more: impl IntoIterator<Item = (String, Value)>,
        parameters: usize,
    ) -> Result<(), CliError> {
        let mut run = settings;
        run.extend(more);
        run.insert("parameters".into(), parameters.into());
        run.insert("glassnet".into(), env!("CARGO_PKG_VERSION").into());
        self.document.run = run;
        if self.folder.is_none() {
            self.folder = Some(Folder::begin(&self.path)?);
        }
        let Some((_, kept)) = &self.kept else { return Ok(()) };
        let differences = kept.differences(&self.document.run);
        if differences.is_empty() {
            return Ok(());
        }
        let folder = self.path.display();
        let width = differences.iter().map(|difference| spoken(&difference.name).len()).max().unwrap_or(0);
        let lines: Vec<String> = differences.iter().map(|difference| line(difference, width)).collect();
        Err(CliError::Usage(format!(
            "{folder} is the checkpoint of another run; what differs:\n{}\n  hint: a run goes on with the data and the settings that \
             it was begun with (glassnet train --resume {folder} alone takes its settings); for another run give another folder \
             to --checkpoint",
            lines.join("\n")
        )))
    }

    /// Takes the run up where its checkpoint stands; a run that begins stays as it is. Gives the doctor back what it knew.
    ///
    /// # Errors
    /// The state does not fit the run, though its description does: a forged file.
    pub fn restore(&mut self, trainer: &mut Trainer<'_, f32>, doctor: Doctor<f32>) -> Result<Doctor<f32>, CliError> {
        let Some((state, document)) = self.kept.take() else { return Ok(doctor) };
        let unfit = |what: String| {
            let hint = "begin the run anew";
            CliError::Model(format!("{}: {what}\n  hint: {hint}", self.path.join(NAME).display()))
        };
        trainer.restore(&state).map_err(|error| unfit(error.what))?;
        let known: DoctorState = serde_json::from_value(document.more["doctor"].clone())
            .map_err(|error| unfit(format!("what the doctor found cannot be read: {error}")))?;
        Ok(doctor.with_state(known))
    }

    /// Where the run goes on from, in words.
    pub fn words(&self) -> Option<String> {
        let (epochs, step) = self.from?;
        let epochs = if epochs == 1 { "1 whole epoch".into() } else { format!("{epochs} whole epochs") };
        Some(format!("resumed  {}: step {step} is done ({epochs})\n", self.path.display()))
    }

    /// Whether a checkpoint is due after this step.
    pub fn due_after_step(&self, step: u64) -> bool {
        self.every.is_some_and(|every| step.is_multiple_of(every))
    }

    /// Whether one is due after an epoch: without `--every` after each, but of short epochs not so many that they take
    /// more than a [`SHARE`]th of the time.
    pub fn due_after_epoch(&self) -> bool {
        let rested = |(at, took): (Instant, Duration)| at.elapsed() >= took.saturating_mul(SHARE);
        self.every.is_none() && self.last.is_none_or(rested)
    }

    /// Writes one.
    ///
    /// # Errors
    /// It cannot be written, or not safely. What is in the folder is whole: the last one, or this one.
    pub fn write(&mut self, view: &View<'_, f32>, doctor: &Doctor<f32>) -> Result<(), CliError> {
        let begun = Instant::now();
        let state = view.state();
        self.document.more = json!({ "args": self.args, "every": self.every, "doctor": doctor.state() });
        let Some(folder) = &mut self.folder else { return Ok(()) };
        let written = folder.write(&self.document, &state);
        let now = Instant::now();
        self.last = Some((now, now - begun));
        match written {
            Ok(_) => {
                self.written += 1;
                self.step = Some(state.steps());
                Ok(())
            }
            Err(error) => {
                self.failed += 1;
                Err(error.into())
            }
        }
    }

    /// What to tell of a failure while training goes on; `None` where it was told before.
    pub fn trouble(&mut self, error: &CliError) -> Option<String> {
        let text = error.to_string();
        if self.told == text {
            return None;
        }
        // Where only the folder's own fsync failed, the new one is in place already: whole, but perhaps not after a power cut.
        let last = self.step.map_or("none before it".into(), |step| format!("before it the one of step {step}"));
        let words = format!("warning: a checkpoint could not be made safe ({last}), training goes on: {text}");
        self.told = text;
        Some(words)
    }

    /// How to go on, where the run was interrupted.
    pub fn go_on(&self) -> String {
        let step = self.step.map_or(String::new(), |step| format!(" (from step {step})"));
        format!("go on with: glassnet train --resume {}{step}", self.path.display())
    }

    /// What was written, as JSON.
    pub fn as_json(&self) -> Value {
        json!({
            "folder": self.path.display().to_string(),
            "written": self.written,
            "failed": self.failed,
            "step": self.step,
            "resumed_from": self.from.map(|(epochs, step)| json!({ "epochs": epochs, "step": step })),
        })
    }
}

/// A name as a person reads it.
fn spoken(name: &str) -> &str {
    match name {
        "data_hash" => "training data",
        "valid_hash" => "validation data",
        "test_hash" => "test data",
        "glassnet" => "version of glassnet",
        name => name,
    }
}

fn line(difference: &Difference, width: usize) -> String {
    let side = |value: &Option<Value>| {
        let text = match value {
            None => return "nothing".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        let text = match difference.name.ends_with("_hash") {
            true => format!("contents {}", text.trim_start_matches("sha256:").chars().take(12).collect::<String>()),
            false => text,
        };
        let short: String = text.chars().take(LONGEST).collect();
        if short.len() < text.len() { format!("{short}...") } else { text }
    };
    let name = spoken(&difference.name);
    format!("  {name:width$}  {} in the checkpoint, {} now", side(&difference.kept), side(&difference.now))
}
