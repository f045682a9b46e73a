//! `glassnet train TEXT --task text`: a model that predicts each next character.

use std::collections::BTreeMap;
use std::sync::Arc;

use glassnet::core::{Real, Team};
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::data::{TextFile, read_text};
use glassnet::model::Model;
use glassnet::model::file::Head;
use glassnet::model::fit::Headed;
use glassnet::model::text::TextPreprocess;
use glassnet::model::text_evaluation::TextEvaluation;
use glassnet::model::windows::Windows;
use glassnet::nn::clip::Clip;
use glassnet::nn::doctor::Doctor;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::source::Source;
use glassnet::nn::spec::NetSpec;
use glassnet::nn::spec::shapes::RowShape;
use glassnet::nn::train::{Batch, Rows, TrainSpec, Trainer};
use serde_json::{Value, json};

use super::args::Args;
use super::checkpoint::Checkpoints;
use super::forecast::{self, Measured};
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::settings::Settings;
use super::{Trained, record, report, run_trainer, stop_message, understand};
use crate::error::CliError;
use crate::hash;
use crate::inputs::keep_inputs;
use crate::numbers::{bytes, thousands};
use crate::output::Output;

/// What is trained where no network is named.
const DEFAULT_NET: &str = "gpt 4 layers 4 heads 128";
/// Characters of a row where nothing else is said.
const DEFAULT_CONTEXT: usize = 64;
/// Rows of a step where nothing else is said.
const DEFAULT_BATCH: usize = 32;
/// Steps where nothing else is said.
const DEFAULT_STEPS: u64 = 2_000;
/// Share of the text, its end, that is kept for validation where nothing else is said.
const DEFAULT_SHARE: f64 = 0.1;

/// The text of a run, cut in parts.
struct Data {
    file: TextFile,
    preprocess: TextPreprocess,
    train: Windows,
    valid: Option<Windows>,
    valid_text: String,
    test_text: Option<String>,
    /// Mean -ln p on the validation text if each character is as likely as it is frequent in the training text.
    constant: Option<f64>,
    characters: usize,
    split: String,
    /// Hashes of what was read, by name.
    hashes: Vec<(String, Value)>,
}

/// Runs it.
///
/// # Errors
/// Wrong settings, a text that cannot be used, a place that cannot be written to, a value that is not finite, Ctrl-C.
pub fn run(
    args: &Args,
    settings: &Settings,
    interrupt: Interrupt,
    mut checkpoints: Option<Checkpoints>,
    output: &mut Output,
) -> Result<(), CliError> {
    refuse_table_flags(args, settings)?;
    let out = record::out_path(settings);
    let read = [Some(&settings.data), settings.valid.as_ref(), settings.test.as_ref()];
    let read: Vec<&str> = read.into_iter().flatten().map(String::as_str).filter(|path| *path != "-").collect();
    keep_inputs(&out, &read)?;
    check_writable(&out)?;
    let data = data(settings)?;
    let headed = network(settings, &data)?;
    let train_rows: Vec<u32> = (0..Source::<f32>::rows(&data.train) as u32).collect();
    let valid_rows: Vec<u32> = (0..data.valid.as_ref().map_or(0, Source::<f32>::rows) as u32).collect();
    let spec = train_spec(args, settings, &data)?;
    if let Some(checkpoints) = &mut checkpoints {
        let all = all_settings(settings, &data, &headed, &spec)?;
        checkpoints.describe(all, data.hashes.clone(), headed.network.parameters())?;
    }
    let flops = headed.network.plan(glassnet::core::Purpose::Train, 1).flops(spec.batch_rows(train_rows.len()));
    let team = Team::new(settings.threads.unwrap_or_else(|| super::network::worth_threads(flops)));
    let train = Rows { source: &data.train, rows: &train_rows };
    let valid = data.valid.as_ref().map(|source| Rows { source: source as &dyn Source<f32>, rows: &valid_rows });
    let held = data.train.bytes() + data.valid.as_ref().map_or(0, Windows::bytes);
    let forecast = forecast::of(&headed.network, train, valid, held, &spec, &team)?;
    if !output.is_json() {
        output.message(&words(&data));
        output.message(&understand::network(&headed));
        output.message(understand::training(&spec, &headed, train_rows.len(), &team).trim_end());
        output.message(&forecast.words(&spec));
    }

    let doctor = Doctor::new().with_team(team.clone());
    let progress = Progress::new(output.draws(), output.is_quiet(), interrupt, doctor);
    let first = headed.network.initialise::<f32>(spec.seed);
    let trainer = Trainer::new(&headed.network, first, train, valid, spec.clone(), team.clone())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let Trained { outcome, doctor, seconds, checkpoints, .. } = run_trainer(trainer, progress, checkpoints)?;
    if outcome.parameters.iter().any(|value| !value.is_finite()) {
        return Err(CliError::NonFinite(format!(
            "{}\n  the weights themselves are not finite any more, so no model is written\n  hint: take a smaller --lr, or --clip-norm 1",
            stop_message(&outcome.stop)
        )));
    }

    let mut model = model(&headed, &data, outcome.parameters)?;
    let scores: Vec<(&str, Option<TextEvaluation>)> = vec![
        (
            "valid",
            match data.valid_text.is_empty() {
                true => None,
                false => Some(model.evaluate_text(&data.valid_text, &team)?),
            },
        ),
        ("test", data.test_text.as_ref().map(|text| model.evaluate_text(text, &team)).transpose()?),
    ];
    let document = model.document_mut();
    document.provenance.data_hash = format!("sha256:{}", data.file.hash);
    document.provenance.seed = spec.seed;
    document.provenance.settings = all_settings(settings, &data, &headed, &spec)?;
    document.provenance.findings = doctor.findings().iter().map(record::value).collect::<Result<_, _>>()?;
    document.history = Some(outcome.history.clone());
    for (name, part) in &scores {
        if let Some(part) = part {
            document.metrics.insert((*name).to_string(), record::value(part)?);
        }
    }
    let file = model.to_bytes()?;
    let weights = hash::weights(model.members());
    let replaced = out.exists();
    write_atomic(&out, &file)?;

    let peak_bytes = forecast::process_memory().map(|(_, peak)| peak);
    let measured = Measured { seconds, peak_bytes };
    let (history, stop) = (&outcome.history, &outcome.stop);
    // The share of a whole epoch, or the epochs, that were gone through.
    let steps = history.epochs.last().map_or(0, |epoch| epoch.steps);
    let share = steps as f64 / spec.steps_per_epoch(train_rows.len()).max(1) as f64;
    if !output.is_json() {
        output.message(&format!("\n{}\n", measured.words(&forecast, share)));
    }
    let mut text = table(&scores, data.constant);
    let epochs = history.epochs.len();
    let patience = spec.early.patience;
    text += &format!("\n{}\n", report::stop_words(stop, history.best_epoch, epochs, data.valid.is_some(), patience));
    text += &format!(
        "model {} ({}, {} parameters){}\nweights {weights}\n",
        out.display(),
        bytes(file.len() as u64),
        thousands(headed.network.graph.slots().trained() as u64),
        if replaced { "; the file of that name was replaced" } else { "" }
    );
    text += &format!("go on with a text: glassnet generate {} --prompt \"...\"\n", out.display());
    let failure = super::failure(stop, &out, checkpoints.as_ref());
    let part = |at: usize| json!(scores[at].1);
    let mut value = json!({
        "valid": part(0),
        "test": part(1),
        "baseline": data.constant.map(|loss| TextEvaluation::new(0, loss)).map(|guess| json!({ "valid": { "loss": guess.loss,
            "perplexity": guess.perplexity, "bits_per_character": guess.bits_per_character } })),
        "epochs": epochs,
        "best_epoch": history.best_epoch,
        "seconds": seconds,
        "parameters": headed.network.graph.slots().trained(),
        "weights_hash": weights,
        "model": out.display().to_string(),
        "replaced": replaced,
        "findings": doctor.findings(),
        "stopped": report::stop_word(stop),
        "first_loss": history.first_loss,
        "understood": { "characters": data.characters, "vocabulary": data.preprocess.vocabulary(),
            "context": data.preprocess.context, "split": data.split },
        "network": understand::network_json(&headed),
        "settings": model.document().provenance.settings,
        "history": history,
        "forecast": forecast,
        "measured": measured,
        "checkpoint": checkpoints.as_ref().map(Checkpoints::as_json),
    });
    if let (Some(failure), Some(object)) = (&failure, value.as_object_mut())
        && let Value::Object(error) = failure.as_json()
    {
        object.extend(error);
    }
    output.result(&text, &value)?;
    failure.map_or(Ok(()), Err)
}

/// Settings of tables and images that mean nothing for a text.
fn refuse_table_flags(args: &Args, settings: &Settings) -> Result<(), CliError> {
    let t = &args.training;
    let given = [
        ("--target", settings.target.is_some()),
        ("--loss", settings.loss.is_some()),
        ("--class-weights", t.class_weights.is_some()),
        ("--weight-column", settings.weight_column.is_some()),
        ("--type", !settings.types.is_empty()),
        ("--augment", settings.augment.is_some()),
        ("--raw", settings.raw),
        ("--merge-affine", settings.merge_affine),
    ];
    match given.iter().find(|(_, given)| *given) {
        Some((flag, _)) => {
            Err(CliError::Usage(format!("{flag} is not for text\n  hint: leave it out, or leave --task text out")))
        }
        None => Ok(()),
    }
}

fn data(settings: &Settings) -> Result<Data, CliError> {
    let file = read_text(&settings.data)?;
    let context = settings.context.unwrap_or(DEFAULT_CONTEXT);
    let preprocess = TextPreprocess::fit(&file.text, context);
    let named = |source: &str, error: glassnet::model::ModelError| CliError::Data(format!("{source}: {error}"));
    let tokens = preprocess.encode(&file.text).map_err(|error| named(&file.source, error))?;
    let characters = tokens.len();
    let share = match (&settings.valid, settings.share_said) {
        (Some(_), _) => 0.0,
        (None, true) => settings.validation_share,
        (None, false) => DEFAULT_SHARE,
    };
    let kept = (characters as f64 * (1.0 - share)) as usize;
    let (learned, held) = tokens.split_at(kept);
    let hash = |name: &str, hash: &str| (name.to_owned(), Value::from(format!("sha256:{hash}")));
    let mut hashes = vec![hash("data_hash", &file.hash)];
    let mut other = |path: &Option<String>, name: &str| -> Result<Option<String>, CliError> {
        let Some(path) = path else { return Ok(None) };
        let TextFile { text, hash: of, .. } = read_text(path)?;
        hashes.push(hash(name, &of));
        // What the model does not know is said now, not after an hour.
        preprocess.encode(&text).map_err(|error| named(path, error))?;
        Ok(Some(text))
    };
    let valid_text = match other(&settings.valid, "valid_hash")? {
        Some(text) => text,
        None => preprocess.decode(held),
    };
    let test_text = other(&settings.test, "test_hash")?;
    let valid_tokens = preprocess.encode(&valid_text).map_err(|error| named(&file.source, error))?;
    if learned.len() <= context {
        return Err(CliError::Data(format!(
            "{}: {} characters to train on are no more than a context of {context}\n  hint: give more text, or a smaller --context",
            file.source,
            learned.len()
        )));
    }
    if !valid_text.is_empty() && valid_tokens.len() < 2 {
        return Err(CliError::Data(format!(
            "{}: a validation text of {} character has nothing to predict\n  hint: give more text, or a larger --validation-share",
            file.source,
            valid_tokens.len()
        )));
    }
    let split = match (&settings.valid, held.len()) {
        (Some(path), _) => format!("{path} for validation"),
        (None, 0) => "no text kept for validation".to_owned(),
        (None, held) => format!("the last {} characters kept for validation", thousands(held as u64)),
    };
    let constant = constant(learned, &valid_tokens, preprocess.vocabulary());
    let learned: Arc<[i32]> = learned.into();
    let train = match settings.streams {
        true => Windows::whole_side_by_side(learned, context),
        false => Windows::every(learned, context),
    };
    let valid = (valid_tokens.len() > 1).then(|| Windows::side_by_side(valid_tokens.into(), context));
    Ok(Data { file, preprocess, train, valid, valid_text, test_text, constant, characters, split, hashes })
}

/// The loss of a model that knows only how often each character is; a character that the training text has not counts as
/// one of its characters.
fn constant(learned: &[i32], valid: &[i32], vocabulary: usize) -> Option<f64> {
    let mut counts = vec![0u64; vocabulary];
    for &token in learned {
        counts[token as usize] += 1;
    }
    let predicted = valid.get(1..).filter(|rest| !rest.is_empty())?;
    let total = learned.len() as f64;
    let sum: f64 = predicted.iter().map(|&token| -Real::ln(counts[token as usize].max(1) as f64 / total)).sum();
    // A sum of -0 is 0.
    Some(sum / predicted.len() as f64 + 0.0)
}

fn words(data: &Data) -> String {
    format!(
        "text     {}: {} characters, {} different; rows of {}\nsplit    {}\n",
        data.file.source,
        thousands(data.characters as u64),
        data.preprocess.vocabulary(),
        data.preprocess.context,
        data.split
    )
}

fn network(settings: &Settings, data: &Data) -> Result<Headed, CliError> {
    let spec = match &settings.net {
        Some(spec) => spec.clone(),
        None => NetSpec::parse(DEFAULT_NET).map_err(|error| CliError::Usage(error.to_string()))?,
    };
    let vocabulary = data.preprocess.vocabulary();
    let row = RowShape::tokens(data.preprocess.context, vocabulary);
    spec.shapes_of(Some(&row), Some(vocabulary), true)
        .map_err(|error| CliError::Usage(error.named(&settings.net_from).to_string()))?;
    spec.check_causal().map_err(|ahead| {
        CliError::Usage(format!(
            "{}: layer {} ({}) lets a character see those after it, which it shall predict\n  hint: take attention with \
             `causal`, recurrent layers of one direction, and layers that work on each time step by itself",
            settings.net_from, ahead.layer, ahead.text
        ))
    })?;
    let loss = LossSpec::CrossEntropy { smoothing: settings.smoothing, class_weights: Vec::new() };
    let network = Network::for_rows(&spec, &row, vocabulary, Some(&loss))
        .map_err(|error| CliError::Usage(format!("{}: {error}", settings.net_from)))?;
    crate::machine::holds(&settings.net_from, network.parameters(), 12)?;
    Ok(Headed { network, head: Head::Softmax })
}

fn train_spec(args: &Args, settings: &Settings, data: &Data) -> Result<TrainSpec, CliError> {
    let rows = Source::<f32>::rows(&data.train);
    let steps = match (settings.steps, settings.epochs) {
        (Some(steps), _) => Some(steps),
        (None, Some(_)) => None,
        (None, None) => Some(DEFAULT_STEPS),
    };
    let mut optimizer = settings.optimizer;
    // What language models are usually trained with, where nothing else is said.
    if !settings.optimizer_said {
        optimizer = "adamw".parse::<OptimizerSpec>().unwrap_or(optimizer);
        optimizer.set_weight_decay(args.training.weight_decay.unwrap_or(0.1));
    }
    // Without a word gradients are clipped, as language models' usually are; --clip-norm says another length.
    let clip = if settings.clip == Clip::None { Clip::Norm { max: 1.0 } } else { settings.clip };
    let spec = TrainSpec {
        epochs: settings.epochs.unwrap_or(1),
        batch: settings.batch.unwrap_or(Batch::Rows(DEFAULT_BATCH.min(rows.max(1)))),
        accumulate: settings.accumulate,
        lr: settings.lr.unwrap_or_else(|| optimizer.default_lr()),
        schedule: settings.schedule,
        optimizer,
        clip,
        early: glassnet::nn::early::EarlySpec { patience: settings.early.flatten(), ..Default::default() },
        shuffle: settings.shuffle && !settings.streams,
        seed: settings.seed,
        steps,
        // An epoch sees as many characters as the text has.
        epoch_rows: (!settings.streams).then(|| rows.div_ceil(data.preprocess.context)),
        streams: settings.streams,
        checkpoint_activations: settings.checkpoint_activations,
        precision: settings.precision,
        ..TrainSpec::default()
    };
    spec.check().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(spec)
}

fn model(headed: &Headed, data: &Data, parameters: Vec<f32>) -> Result<Model, CliError> {
    Ok(Model::of_text(&headed.network, data.preprocess.clone(), parameters)?)
}

fn all_settings(
    settings: &Settings,
    data: &Data,
    headed: &Headed,
    spec: &TrainSpec,
) -> Result<BTreeMap<String, Value>, CliError> {
    let pairs = [
        ("data", json!(record::file_name(&settings.data))),
        ("task", json!("text")),
        ("valid", json!(settings.valid.as_deref().map(record::file_name))),
        ("test", json!(settings.test.as_deref().map(record::file_name))),
        ("net", json!(headed.network.spec.to_string())),
        ("context", json!(data.preprocess.context)),
        ("split", json!(data.split)),
        ("label_smoothing", json!(settings.smoothing)),
    ];
    let mut all: BTreeMap<String, Value> = pairs.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    if let Value::Object(fields) = record::value(spec)? {
        all.extend(fields);
    }
    all.remove("checkpoint_activations");
    all.retain(|_, value| !value.is_null());
    Ok(all)
}

/// A line for each part, and one for the constant guess.
fn table(scores: &[(&str, Option<TextEvaluation>)], constant: Option<f64>) -> String {
    let mut lines = String::new();
    for (name, part) in scores {
        let Some(part) = part else { continue };
        lines += &line(name, &thousands(part.characters as u64), part);
        if let (&"valid", Some(loss)) = (name, constant) {
            lines += &line("  constant guess", "", &TextEvaluation::new(0, loss));
        }
    }
    if lines.is_empty() {
        return "no text was kept for validation, so there are no scores\n".into();
    }
    format!("{:<16}  {:>12}  {:>8}  {:>10}  {:>8}\n{lines}", "", "characters", "loss", "perplexity", "bits/ch")
}

fn line(name: &str, characters: &str, part: &TextEvaluation) -> String {
    let TextEvaluation { loss, perplexity, bits_per_character, .. } = part;
    format!("{name:<16}  {characters:>12}  {loss:>8.4}  {perplexity:>10.3}  {bits_per_character:>8.4}\n")
}
