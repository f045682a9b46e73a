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
//! | `recipe`, `tabular`, `members` | the recipes for tables, several networks side by side |
//! | `calibrate` | from scores to probabilities, after training |
//! | `report` | scores |
//! | `baseline` | what knowing nothing would score |
//! | `text` | the same for a text: windows, perplexity |
//! | `record` | what the model file says about its training |
//! | `page` | the report: one page that shows all of it |

pub(super) mod args;
pub(super) mod baseline;
pub(super) mod calibrate;
mod checkpoint;
mod choices;
pub(super) mod data;
pub(super) mod forecast;
pub(super) mod interrupt;
mod members;
pub(super) mod network;
mod page;
mod progress;
pub(super) mod recipe;
mod record;
mod report;
pub(super) mod settings;
pub(super) mod tabular;
mod text;
pub(super) mod understand;

use std::path::Path;

use glassnet::core::{Precision, Team, bf16_accelerated};
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::file::Features;
use glassnet::model::fit::Headed;
use glassnet::nn::doctor::Doctor;
use glassnet::nn::early::EarlySpec;
use glassnet::nn::history::History;
use glassnet::nn::inspect::{MergeOptions, merge_affine};
use glassnet::nn::train::members::Member;
use glassnet::nn::train::{BestBy, Outcome, Stop, TrainSpec, Trainer};
use serde_json::json;

pub use args::Args;
use baseline::{Constant, Guesses};
use checkpoint::Checkpoints;
use data::{Data, Part};
use forecast::{Forecast, Measured};
use interrupt::Interrupt;
pub use network::worth_threads;
use progress::Progress;
use recipe::{Calibrate, Recipe};
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
        page::none_of_text(&settings)?;
        return text::run(args, &settings, interrupt, checkpoints, output);
    }
    let out = record::out_path(&settings);
    let config = args.config.as_ref().map(|path| path.display().to_string());
    let read = [Some(&settings.data), settings.valid.as_ref(), settings.test.as_ref(), config.as_ref()];
    let read: Vec<&str> = read.into_iter().flatten().map(String::as_str).filter(|path| *path != "-").collect();
    keep_inputs(&out, &read)?;
    check_writable(&out)?;
    page::check(&settings, &out, &read)?;

    let mut data = data::read(&settings)?;
    let told = !output.is_json();
    if told {
        output.message(&understand::data(&data));
    }
    let tabular = settings.around.recipe != Recipe::Plain && !data.images;
    let (headed, mut spec) = match tabular {
        true => {
            let headed = tabular::network(&settings, &data.prepared)?;
            let spec = tabular::train_spec(&settings, &data.prepared, &headed)?;
            (headed, spec)
        }
        false => {
            let spec = network::train_spec(&settings, &data.prepared, data.images)?;
            (network::network(&settings, &data.prepared, data.images)?, spec)
        }
    };
    let members = members(&settings, data.images);
    let test = test(&mut data, &headed, &spec)?;
    if let Some(checkpoints) = &mut checkpoints {
        let all = record::all_settings(&settings, &data, &headed, &spec)?;
        checkpoints.describe(all, data.hashes(), headed.network.parameters())?;
    }
    let threads = settings.threads.unwrap_or_else(|| match members {
        1 => network::threads(&headed, &spec, &data.prepared),
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    });
    let team = Team::new(threads);
    // Of several members each works on one thread.
    let of_one = if members >= threads { Team::single() } else { Team::new(threads / members.max(1)) };
    // The trial has no validation rows where every member has a fold of its own.
    let timed = match data.folds.is_empty() {
        true => spec.clone(),
        false => TrainSpec { early: EarlySpec::default(), best_by: BestBy::Loss, ..spec.clone() },
    };
    let mut forecast = forecast::forecast(&headed, &data.prepared, &timed, &of_one)?;
    if let Some(budget) = settings.around.budget {
        spec.epochs =
            tabular::epochs_for(budget, forecast.seconds_per_epoch, members, threads).min(spec.epochs.max(256));
        let (epochs, budget) = (spec.epochs, crate::numbers::duration(budget));
        output.message(&format!(
            "time budget {budget}: {epochs} epochs; --epochs {epochs} in its place gives this very model again"
        ));
    }
    forecast.of_members(members, threads, &spec);
    if let Some(flag) = settings.around.plain_for.filter(|_| told && !data.images) {
        output.message(&format!(
            "recipe  plain, because of {flag}; without it the recipe for tables is followed (--recipe tabular)"
        ));
    }
    if told {
        output.message(&understand::network(&headed));
        output.message(understand::training(&spec, &headed, data.prepared.train_rows.len(), &team).trim_end());
        output.message(&forecast.words(&spec));
    }

    let whole = Whole { data: &data, headed: &headed, spec: &spec, tabular, members, threads };
    let trained = train(&whole, &team, (interrupt, checkpoints), output)?;
    let Trained { outcome, histories, doctor, seconds, checkpoints } = trained;
    if outcome.parameters.iter().any(|value| !value.is_finite()) {
        return Err(CliError::NonFinite(format!(
            "{}\n  the weights themselves are not finite any more, so no model is written\n  hint: take a smaller --lr, or --clip-norm 1",
            stop_message(&outcome.stop)
        )));
    }
    let finished = Finished {
        args,
        settings: &settings,
        headed: &headed,
        spec: &spec,
        forecast,
        out: &out,
        seconds,
        checkpoints,
        tabular,
    };
    finished.close(data, test, (outcome, histories), &doctor, &team, output)
}

/// How many networks are trained and averaged; the members of TabM are parts of one.
pub(super) fn members(settings: &Settings, images: bool) -> usize {
    match settings.around.recipe {
        Recipe::Tabular | Recipe::Tabm if !images => tabular::networks(settings),
        _ => settings.around.members.unwrap_or(1),
    }
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
pub(super) struct Trained {
    /// Of several members the weights of all, and the first one's history.
    pub outcome: Outcome<f32>,
    /// The histories of the other members.
    histories: Vec<History>,
    doctor: Doctor<f32>,
    pub seconds: f64,
    checkpoints: Option<Checkpoints>,
}

/// All that a training needs to know.
pub(super) struct Whole<'a> {
    pub data: &'a Data,
    pub headed: &'a Headed,
    pub spec: &'a TrainSpec,
    pub tabular: bool,
    pub members: usize,
    pub threads: usize,
}

/// Trains it; what a checkpoint or the doctor has to say is said by the progress.
///
/// # Errors
/// Settings or rows that cannot be trained on, a checkpoint that cannot be written.
pub(super) fn train(
    whole: &Whole<'_>,
    team: &Team,
    (interrupt, checkpoints): (Interrupt, Option<Checkpoints>),
    output: &Output,
) -> Result<Trained, CliError> {
    let Whole { headed, spec, .. } = *whole;
    let prepared = &whole.data.prepared;
    let names = match &prepared.features {
        Features::Table(preprocess) => preprocess.input_names(),
        Features::Images(_) | Features::Text(_) => Vec::new(),
    };
    let doctor = Doctor::new().with_team(team.clone()).with_columns(names);
    let mut progress = Progress::new(output.draws(), output.is_quiet(), interrupt, doctor);
    // A run that may end soon shows each epoch.
    progress.sparse = whole.tabular && spec.early.patience.is_none();
    let initial: &(dyn Fn(usize, &Member<'_, f32>) -> Vec<f32> + Sync) = match whole.tabular {
        true => &tabular::initial,
        false => &|_, member| member.network.initialise(member.spec.seed),
    };
    let mut all = match whole.data.folds.as_slice() {
        [] => tabular::side_by_side(headed, prepared, spec, whole.members),
        folds => tabular::in_folds(headed, prepared, spec, folds),
    };
    if whole.members > 1 {
        let trained = members::train(&all, whole.threads, initial, progress)?;
        let (parameters, mut histories, stop, progress, seconds) = trained.joined();
        let history = histories.remove(0);
        let outcome = Outcome { parameters, history, stop };
        return Ok(Trained { outcome, histories, doctor: progress.doctor, seconds, checkpoints: None });
    }
    let member = all.remove(0);
    let first = initial(0, &member);
    let trainer = Trainer::new(&headed.network, first, member.train, member.valid, member.spec, team.clone())
        .map_err(|error| CliError::Usage(error.to_string()))?;
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
    Ok(Trained { outcome, histories: Vec::new(), doctor, seconds, checkpoints: progress.checkpoints })
}

/// Everything about a run that is over.
struct Finished<'a> {
    args: &'a Args,
    settings: &'a Settings,
    headed: &'a Headed,
    spec: &'a TrainSpec,
    forecast: Forecast,
    out: &'a Path,
    seconds: f64,
    checkpoints: Option<Checkpoints>,
    tabular: bool,
}

impl Finished<'_> {
    /// Scores, model file, report, and the exit code that fits how it ended.
    fn close(
        self,
        data: Data,
        test: Option<Test>,
        (outcome, histories): (Outcome<f32>, Vec<History>),
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
        let mut calibrated = String::new();
        let asked = self.settings.around.calibrate;
        let tested = tested(&data, test.as_ref());
        let wanted = if self.tabular {
            asked != Some(Calibrate::Off)
        } else {
            asked.is_some_and(|asked| asked != Calibrate::Off)
        };
        if wanted {
            let held_out = calibrate::HeldOut { data: &data, headed, tested };
            (model, calibrated) = calibrate::calibrate(model, asked, &held_out, team)?;
        }
        model.document_mut().reference = data.prepared.reference(&model, team)?;
        model.document_mut().other_histories = histories;
        if self.settings.around.background {
            let background = data.prepared.background(self.spec.seed)?;
            model = model.with_background(background)?;
        }
        let parts = scores(&data, tested, &model, team)?;
        let constant = Constant::new(&data.prepared);
        let guesses = guesses(&data, tested, constant.as_ref());
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
        if !calibrated.is_empty() {
            text += &format!("{calibrated}\n");
        } else if model.classes().is_some() {
            text += "these are scores, not probabilities: nothing has checked them as such\n";
        }
        let failure = failure(&stop, self.out, self.checkpoints.as_ref());
        let page = page::Page {
            args: self.args,
            settings: self.settings,
            data: &data,
            headed,
            spec: self.spec,
            model: &model,
            parts: &parts,
            guesses: &guesses,
            constant: constant.as_ref(),
            tested,
            stop: &stop,
            forecast: &self.forecast,
            measured: &measured,
            findings: doctor.findings(),
            weights: &weights,
            team,
        };
        // The model is there: what the run gave is told even where the page cannot be written.
        let reported =
            self.settings.around.report.as_deref().map(|path| page.write(path).map(|()| path.display().to_string()));
        if let Some(Ok(path)) = &reported {
            text += &format!("report {path}\n");
        }
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
            "members": model.members().len(),
            "calibration": model.calibration(),
            "intervals": model.document().intervals.as_ref().map(|intervals| json!({ "rows": intervals.rows, "half_width_90": intervals.half_width(0.9) })),
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
            "report": reported.as_ref().and_then(|reported| reported.as_ref().ok()),
        });
        if let (Some(failure), Some(object)) = (&failure, value.as_object_mut())
            && let serde_json::Value::Object(error) = failure.as_json()
        {
            object.extend(error);
        }
        output.result(&text, &value)?;
        failure.map_or(Ok(()), Err)?;
        reported.transpose().map(|_| ())
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

/// The rows of the last test: those of a file of their own, or those of the training data that were set aside.
fn tested<'a>(data: &'a Data, test: Option<&'a Test>) -> Option<calibrate::Part<'a>> {
    match test {
        Some(test) => Some((&test.encoded, test.rows.as_slice())),
        None => data.prepared.test().map(|_| (&data.prepared.train, data.prepared.test_rows.as_slice())),
    }
}

/// The kept model's scores on each part.
fn scores(data: &Data, test: Option<calibrate::Part<'_>>, model: &Model, team: &Team) -> Result<Parts, CliError> {
    let prepared = &data.prepared;
    let train = model.evaluate(&prepared.train, &prepared.train_rows, team)?;
    let valid = match prepared.valid_rows.is_empty() {
        true => None,
        false => {
            let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
            Some(model.evaluate(valid, &prepared.valid_rows, team)?)
        }
    };
    let test = test.map(|(encoded, rows)| model.evaluate(encoded, rows, team)).transpose()?;
    Ok([("train", Some(train)), ("valid", valid), ("test", test)])
}

/// The constant guess's scores on the same rows.
fn guesses(data: &Data, test: Option<calibrate::Part<'_>>, constant: Option<&Constant>) -> Guesses {
    let Some(constant) = constant else { return [None; 3] };
    let prepared = &data.prepared;
    let valid = prepared.valid.as_ref().unwrap_or(&prepared.train);
    let valid = (!prepared.valid_rows.is_empty()).then(|| constant.scores(valid, &prepared.valid_rows));
    let test = test.map(|(encoded, rows)| constant.scores(encoded, rows));
    [Some(constant.scores(&prepared.train, &prepared.train_rows)), valid, test]
}
