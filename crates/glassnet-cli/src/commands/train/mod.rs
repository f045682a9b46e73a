//! `glassnet train`: from a file to a model file.
//!
//! | file | what |
//! |---|---|
//! | `args` | what the command line takes |
//! | `choices` | words to what they mean |
//! | `settings` | flags over config over defaults, checked |
//! | `data` | reading, splitting, encoding |
//! | `network` | the network and the training settings for this data |
//! | `understand` | what was understood, in words and as JSON |
//! | `forecast` | time and memory, before and after |
//! | `progress`, `interrupt` | while it runs |
//! | `checkpoint` | when its state is kept, and from which one it goes on |
//! | `report` | scores |
//! | `baseline` | what knowing nothing would score |
//! | `text` | the same for a text: windows, perplexity |
//! | `record` | what the model file says about its training |

mod args;
mod baseline;
mod checkpoint;
mod choices;
mod data;
mod forecast;
mod interrupt;
mod network;
mod progress;
mod record;
mod report;
mod settings;
mod text;
mod understand;

use std::path::Path;

use glassnet::core::{Precision, Team, bf16_accelerated};
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::file::Features;
use glassnet::model::fit::Headed;
use glassnet::nn::doctor::Doctor;
use glassnet::nn::inspect::{MergeOptions, merge_affine};
use glassnet::nn::train::{Outcome, Stop, TrainSpec, Trainer};
use serde_json::json;

pub use args::Args;
use baseline::{Constant, Guesses};
use checkpoint::Checkpoints;
use data::{Data, Part};
use forecast::{Forecast, Measured};
use interrupt::Interrupt;
pub use network::worth_threads;
use progress::Progress;
use report::Parts;
use settings::Settings;

use crate::error::CliError;
use crate::hash;
use crate::inputs::keep_inputs;
use crate::numbers::{bytes, thousands};
use crate::output::Output;

/// Rows that the last test is made on.
struct Test {
    encoded: Encoded<f32>,
    rows: Vec<u32>,
}

/// Runs it.
///
/// # Errors
/// Wrong settings, data that cannot be used, a place that cannot be written to, a value that is not finite, Ctrl-C.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let interrupt = Interrupt::listen()?;
    let (args, mut checkpoints) = checkpoint::open(args)?;
    let args = &args;
    let settings = Settings::new(args)?;
    if settings.precision == Precision::Bf16 && !bf16_accelerated() {
        output.message("bf16: no instruction for it here, so its products are made of f32 steps: the same bytes, many times slower");
    }
    if settings.text {
        return text::run(args, &settings, interrupt, checkpoints, output);
    }
    let out = record::out_path(&settings);
    let config = args.config.as_ref().map(|path| path.display().to_string());
    let read = [Some(&settings.data), settings.valid.as_ref(), settings.test.as_ref(), config.as_ref()];
    let read: Vec<&str> = read.into_iter().flatten().map(String::as_str).filter(|path| *path != "-").collect();
    keep_inputs(&out, &read)?;
    check_writable(&out)?;

    let mut data = data::read(&settings)?;
    let told = !output.is_json();
    if told {
        output.message(&understand::data(&data));
    }
    let headed = network::network(&settings, &data.prepared, data.images)?;
    let spec = network::train_spec(&settings, &data.prepared, data.images)?;
    let test = test(&mut data, &headed, &spec)?;
    if let Some(checkpoints) = &mut checkpoints {
        let all = record::all_settings(&settings, &data, &headed, &spec)?;
        checkpoints.describe(all, data.hashes(), headed.network.parameters())?;
    }
    let team = Team::new(settings.threads.unwrap_or_else(|| network::threads(&headed, &spec, &data.prepared)));
    let forecast = forecast::forecast(&headed, &data.prepared, &spec, &team)?;
    if told {
        output.message(&understand::network(&headed));
        output.message(understand::training(&spec, &headed, data.prepared.train_rows.len(), &team).trim_end());
        output.message(&forecast.words(&spec));
    }

    let trained = train(&data, &headed, &spec, &team, (interrupt, checkpoints), output)?;
    let Trained { outcome, doctor, seconds, checkpoints } = trained;
    if outcome.parameters.iter().any(|value| !value.is_finite()) {
        return Err(CliError::NonFinite(format!(
            "{}\n  the weights themselves are not finite any more, so no model is written\n  hint: take a smaller --lr, or --clip-norm 1",
            stop_message(&outcome.stop)
        )));
    }
    let finished =
        Finished { settings: &settings, headed: &headed, spec: &spec, forecast, out: &out, seconds, checkpoints };
    finished.close(data, test, outcome, &doctor, &team, output)
}

/// Encodes the test rows before training: what is wrong with them is said now, not after an hour.
fn test(data: &mut Data, headed: &Headed, spec: &TrainSpec) -> Result<Option<Test>, CliError> {
    let Some(part) = data.test.take() else { return Ok(None) };
    let fresh = data.prepared.model(headed, headed.network.initialise(spec.seed))?;
    let (encoded, rows) = match part {
        Part::Table(table) => {
            let source = table.source.clone();
            let (encoded, rows, noticed) = fresh.encode_table(&table, true)?;
            if !noticed.extra.is_empty() {
                data.notes
                    .push(format!("{source}: columns that training has not are ignored: {}", noticed.extra.join(", ")));
            }
            (encoded, rows)
        }
        Part::Images(images) => fresh.encode_images(images, true)?,
    };
    Ok(Some(Test { encoded, rows }))
}

/// What training leaves.
struct Trained {
    outcome: Outcome<f32>,
    doctor: Doctor<f32>,
    seconds: f64,
    checkpoints: Option<Checkpoints>,
}

fn train(
    data: &Data,
    headed: &Headed,
    spec: &TrainSpec,
    team: &Team,
    (interrupt, checkpoints): (Interrupt, Option<Checkpoints>),
    output: &Output,
) -> Result<Trained, CliError> {
    let prepared = &data.prepared;
    let names = match &prepared.features {
        Features::Table(preprocess) => preprocess.input_names(),
        Features::Images(_) | Features::Text(_) => Vec::new(),
    };
    let doctor = Doctor::new().with_team(team.clone()).with_columns(names);
    let task = prepared.target().map(|target| &target.task);
    let first = headed.network.initialise::<f32>(spec.seed);
    let trainer = Trainer::new(&headed.network, first, prepared.train(), prepared.valid(), spec.clone(), team.clone())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let progress = Progress::new(output.draws(), output.is_quiet(), interrupt, doctor, task);
    run_trainer(trainer, progress, checkpoints)
}

/// Runs it from its beginning or from its checkpoint.
fn run_trainer(
    mut trainer: Trainer<'_, f32>,
    mut progress: Progress,
    mut checkpoints: Option<Checkpoints>,
) -> Result<Trained, CliError> {
    if let Some(checkpoints) = &mut checkpoints {
        progress.doctor = checkpoints.restore(&mut trainer, progress.doctor)?;
        if let Some(words) = checkpoints.words() {
            progress.line(&words);
        }
    }
    progress.checkpoints = checkpoints;
    let interrupt = progress.interrupt.clone();
    interrupt.training();
    let outcome = trainer.run(&mut progress);
    interrupt.after();
    if let Some(failure) = progress.failure {
        return Err(failure);
    }
    let (doctor, seconds) = (progress.doctor, progress.elapsed.as_secs_f64());
    Ok(Trained { outcome, doctor, seconds, checkpoints: progress.checkpoints })
}

/// Everything about a run that is over.
struct Finished<'a> {
    settings: &'a Settings,
    headed: &'a Headed,
    spec: &'a TrainSpec,
    forecast: Forecast,
    out: &'a Path,
    seconds: f64,
    checkpoints: Option<Checkpoints>,
}

impl Finished<'_> {
    /// Scores, model file, report, and the exit code that fits how it ended.
    fn close(
        self,
        data: Data,
        test: Option<Test>,
        outcome: Outcome<f32>,
        doctor: &Doctor<f32>,
        team: &Team,
        output: &mut Output,
    ) -> Result<(), CliError> {
        let Outcome { parameters, history, stop } = outcome;
        let mut merged = None;
        let mut parameters = parameters;
        if self.settings.merge_affine {
            let done = merge_affine(&self.headed.network, &parameters, MergeOptions::default())
                .map_err(|error| CliError::Usage(format!("--merge-affine: {error}")))?;
            let words: Vec<String> = done.merges.iter().map(ToString::to_string).collect();
            output.message(&format!(
                "merged: {}",
                if words.is_empty() { "nothing to merge".into() } else { words.join("; ") }
            ));
            parameters = done.parameters;
            merged = Some(Headed { network: done.network, head: self.headed.head });
        }
        let headed = merged.as_ref().unwrap_or(self.headed);
        let mut model = data.prepared.model(headed, parameters)?;
        let parts = scores(&data, test.as_ref(), &model, team)?;
        let constant = Constant::new(&data.prepared);
        let guesses = guesses(&data, test.as_ref(), constant.as_ref());
        record::fill(
            &mut model,
            self.settings,
            &data,
            (headed, self.spec),
            history.clone(),
            doctor.findings(),
            &parts,
        )?;
        let file = model.to_bytes()?;
        let weights = hash::weights(model.members());
        let replaced = self.out.exists();
        write_atomic(self.out, &file)?;

        let measured = Measured { seconds: self.seconds, peak_bytes: forecast::process_memory().map(|(_, peak)| peak) };
        let epochs = history.epochs.len();
        let share = history.epochs.len().max(1) as f64;
        if !output.is_json() {
            output.message(&format!("\n{}\n", measured.words(&self.forecast, share)));
        }

        let best = history.best_epoch;
        let mut text = report::table(&parts, &guesses);
        if let Some(constant) = &constant {
            text += &format!("{}\n", constant.words());
        }
        for warning in baseline::warnings(&parts, &guesses) {
            text += &format!("{warning}\n");
        }
        let validated = data.prepared.valid().is_some();
        text += &format!("\n{}\n", report::stop_words(&stop, best, epochs, validated, self.spec.early.patience));
        text += &format!(
            "model {} ({}, {} parameters){}\nweights {weights}\n",
            self.out.display(),
            bytes(file.len() as u64),
            thousands(model.parameter_count() as u64),
            if replaced { "; the file of that name was replaced" } else { "" }
        );
        if model.classes().is_some() {
            text += "these are scores, not probabilities: nothing has checked them as such\n";
        }
        let failure = failure(&stop, self.out, self.checkpoints.as_ref());
        let mut value = json!({
            "train": report::part_json(parts[0].1.as_ref()),
            "valid": report::part_json(parts[1].1.as_ref()),
            "test": report::part_json(parts[2].1.as_ref()),
            "baseline": constant.as_ref().map(|constant| constant.as_json(&parts, &guesses)),
            "epochs": epochs,
            "best_epoch": best,
            "seconds": self.seconds,
            "parameters": model.parameter_count(),
            "weights_hash": weights,
            "model": self.out.display().to_string(),
            "replaced": replaced,
            "findings": doctor.findings(),
            "stopped": report::stop_word(&stop),
            "first_loss": history.first_loss,
            "understood": understand::as_json(&data),
            "network": understand::network_json(headed),
            "settings": model.document().provenance.settings,
            "history": history,
            "forecast": self.forecast,
            "measured": measured,
            "checkpoint": self.checkpoints.as_ref().map(Checkpoints::as_json),
        });
        if let (Some(failure), Some(object)) = (&failure, value.as_object_mut())
            && let serde_json::Value::Object(error) = failure.as_json()
        {
            object.extend(error);
        }
        output.result(&text, &value)?;
        failure.map_or(Ok(()), Err)
    }
}

/// The exit that fits how the run ended.
fn failure(stop: &Stop, out: &Path, checkpoints: Option<&Checkpoints>) -> Option<CliError> {
    let out = out.display();
    match stop {
        Stop::Finished | Stop::Early { .. } => None,
        Stop::NonFinite(_) => Some(CliError::NonFinite(format!(
            "{}\n  the last good weights are in {out}\n  hint: take a smaller --lr, or --clip-norm 1",
            stop_message(stop)
        ))),
        Stop::Asked => {
            let hint = checkpoints.map_or(String::new(), |checkpoints| format!("\n  hint: {}", checkpoints.go_on()));
            Some(CliError::Interrupted(format!("interrupted; the model so far is in {out}{hint}")))
        }
    }
}

fn stop_message(stop: &Stop) -> String {
    match stop {
        Stop::NonFinite(found) => format!("training stopped: {found}"),
        _ => "training stopped".to_string(),
    }
}

/// The kept model's scores on each part.
fn scores(data: &Data, test: Option<&Test>, model: &Model, team: &Team) -> Result<Parts, CliError> {
    let prepared = &data.prepared;
    let train = model.evaluate(&prepared.train, &prepared.train_rows, team)?;
    let valid = match prepared.valid_rows.is_empty() {
        true => None,
        false => {
            let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
            Some(model.evaluate(valid, &prepared.valid_rows, team)?)
        }
    };
    let test = test.map(|test| model.evaluate(&test.encoded, &test.rows, team)).transpose()?;
    Ok([("train", Some(train)), ("valid", valid), ("test", test)])
}

/// The constant guess's scores on the same rows.
fn guesses(data: &Data, test: Option<&Test>, constant: Option<&Constant>) -> Guesses {
    let Some(constant) = constant else { return [None; 3] };
    let prepared = &data.prepared;
    let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
    let valid = (!prepared.valid_rows.is_empty()).then(|| constant.scores(valid, &prepared.valid_rows));
    let test = test.map(|test| constant.scores(&test.encoded, &test.rows));
    [Some(constant.scores(&prepared.train, &prepared.train_rows)), valid, test]
}
