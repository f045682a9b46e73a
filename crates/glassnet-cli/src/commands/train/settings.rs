//! Settings: flags over the config file over defaults, every one checked before any data is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use glassnet::core::Precision;
use glassnet::data::{Header, ReadOptions};
use glassnet::model::augment::Augmentation;
use glassnet::model::fit::ClassWeights;
use glassnet::model::schema::Override;
use glassnet::model::target::TaskChoice;
use glassnet::model::text::MAX_CONTEXT;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::schedule::ScheduleSpec;
use glassnet::nn::spec::toml::{self, RunConfig, TrainConfig};
use glassnet::nn::spec::{Init, NetSpec};
use glassnet::nn::train::Batch;

use super::args::Args;
use super::choices;
use super::recipe::Around;
use crate::error::CliError;
use crate::losses::LossName;
use crate::machine::MOST_THREADS;
use crate::reading;

/// Most epochs that may be asked for: no run lasts as long, and steps are counted without overflow.
const MOST_EPOCHS: u64 = 1_000_000_000;

/// What a person said, checked; what was not said is `None` and gets its default when the data is known.
#[derive(Debug, Clone)]
pub struct Settings {
    pub data: String,
    pub target: Option<String>,
    pub valid: Option<String>,
    pub test: Option<String>,
    pub out: Option<PathBuf>,
    pub net: Option<NetSpec>,
    /// Where the network stands, for messages: `--net` or the config's name.
    pub net_from: String,
    pub init: Option<Init>,
    pub epochs: Option<u64>,
    pub batch: Option<Batch>,
    pub lr: Option<f64>,
    pub optimizer: OptimizerSpec,
    /// Whether the optimizer was said.
    pub optimizer_said: bool,
    pub schedule: ScheduleSpec,
    pub clip: glassnet::nn::clip::Clip,
    /// The weight decay, where it was said.
    pub weight_decay: Option<f64>,
    pub accumulate: usize,
    pub checkpoint_activations: bool,
    pub precision: Precision,
    /// `Some(None)`: off.
    pub early: Option<Option<u64>>,
    pub loss: Option<LossName>,
    pub smoothing: f64,
    pub class_weights: ClassWeights,
    pub validation_share: f64,
    /// Whether the share was said.
    pub share_said: bool,
    pub shuffle: bool,
    pub raw: bool,
    pub augment: Option<Augmentation>,
    pub merge_affine: bool,
    pub seed: u64,
    /// `None`: as many as the work is worth.
    pub threads: Option<usize>,
    pub types: BTreeMap<String, Override>,
    pub weight_column: Option<String>,
    pub task: Option<TaskChoice>,
    /// The data is text, and each next character is the target.
    pub text: bool,
    /// Tokens that a row of text has.
    pub context: Option<usize>,
    /// Optimizer steps after which the run ends.
    pub steps: Option<u64>,
    /// A batch goes on where the one before it ended.
    pub streams: bool,
    /// The recipe, and what is done around the training.
    pub around: Around,
    pub read: ReadOptions,
}

/// A message about a setting: at its place in the config where it stands there, else under the flag's name.
struct Source<'a> {
    config: &'a RunConfig,
    name: String,
}

impl Source<'_> {
    fn error(&self, key: &str, from_flag: bool, what: impl std::fmt::Display) -> CliError {
        let flag = format!("--{}", key.replace('_', "-"));
        let what = what.to_string();
        if from_flag {
            return CliError::Usage(format!("{flag}: {what}"));
        }
        let error = match what.split_once("\n  hint: ") {
            Some((what, hint)) => self.config.error_at(key, what).hint(hint),
            None => self.config.error_at(key, what),
        };
        CliError::Usage(error.named(&self.name).to_string())
    }

    /// A text from the flag or the config, read by `read`.
    fn read<T, E: std::fmt::Display>(
        &self,
        key: &str,
        flag: Option<&String>,
        config: Option<&String>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, CliError> {
        match (flag, config) {
            (Some(text), _) => read(text).map(Some).map_err(|error| self.error(key, true, error)),
            (None, Some(text)) => read(text).map(Some).map_err(|error| self.error(key, false, error)),
            (None, None) => Ok(None),
        }
    }
}

impl Settings {
    /// Joins flags and config and checks all that can be checked without the data.
    ///
    /// # Errors
    /// The first setting that cannot be, with what to write instead.
    pub fn new(args: &Args) -> Result<Self, CliError> {
        let (config, name) = read_config(args)?;
        let said = &config.train;
        let from = Source { config: &config, name: name.clone() };
        let t = &args.training;

        let net = match &t.net {
            Some(text) => {
                Some(NetSpec::parse(text).map_err(|error| CliError::Usage(error.named("--net").to_string()))?)
            }
            None => config.network.clone(),
        };
        let net_from = if t.net.is_some() { "--net".to_string() } else { name };
        if t.net.as_ref().is_some_and(|text| text.trim().is_empty()) {
            let hint = "write \"linear\" for no hidden layer, or \"256 relu\" for one; or leave --net out";
            return Err(CliError::Usage(format!("--net: nothing is written there\n  hint: {hint}")));
        }
        let init = from.read("init", t.init.as_ref(), said.init.as_ref(), choices::init)?;

        let mut optimizer = from
            .read("optimizer", t.optimizer.as_ref(), said.optimizer.as_ref(), str::parse::<OptimizerSpec>)?
            .unwrap_or_default();
        if let Some(momentum) = t.momentum.or(said.momentum) {
            if !(0.0..1.0).contains(&momentum) {
                let what = format!("{momentum} must be from 0 to below 1\n  hint: 0.9 is usual");
                return Err(from.error("momentum", t.momentum.is_some(), what));
            }
            choices::set_momentum(&mut optimizer, momentum)
                .map_err(|error| from.error("momentum", t.momentum.is_some(), error))?;
        }
        if let Some(decay) = t.weight_decay.or(said.weight_decay) {
            if !(decay >= 0.0 && decay.is_finite()) {
                let what = format!("{decay} must be a number of 0 or more\n  hint: 0.01 is usual for adamw, 0 is none");
                return Err(from.error("weight_decay", t.weight_decay.is_some(), what));
            }
            optimizer.set_weight_decay(decay);
        }
        optimizer.checked().map_err(|error| CliError::Usage(error.to_string()))?;
        let schedule = from
            .read("schedule", t.schedule.as_ref(), said.schedule.as_ref(), str::parse::<ScheduleSpec>)?
            .unwrap_or_default();
        let epochs = match &t.epochs {
            Some(text) => Some(choices::epochs(text).map_err(|error| from.error("epochs", true, error))?),
            None => said.epochs.map(|epochs| epochs as u64),
        };
        if let Some(many) = epochs.filter(|&epochs| epochs > MOST_EPOCHS) {
            let what = format!(
                "{many} epochs are more than the {MOST_EPOCHS} allowed\n  hint: Ctrl-C ends a long run and keeps its best epoch"
            );
            return Err(from.error("epochs", t.epochs.is_some(), what));
        }
        let batch = match &t.batch {
            Some(text) => Some(choices::batch(text).map_err(|error| from.error("batch", true, error))?),
            None => said.batch.map(|batch| match batch {
                toml::Batch::Rows(rows) => Batch::Rows(rows),
                toml::Batch::All => Batch::All,
            }),
        };
        let early = match &t.early_stop {
            Some(text) => Some(choices::early_stop(text).map_err(|error| from.error("early_stop", true, error))?),
            None => said.early_stop.map(|epochs| Some(epochs as u64)),
        };
        let positive = |name: &str, value: Option<f64>| match value {
            Some(x) if !(x > 0.0 && x.is_finite()) => {
                Err(from.error(name, true, format!("{x} must be a number above 0\n  hint: {}", choices::hint_of(name))))
            }
            value => Ok(value),
        };
        let lr = positive("lr", t.lr)?.or(said.lr);
        let clip = choices::clip(
            positive("clip_norm", t.clip_norm)?.or(said.clip_norm.filter(|_| t.clip_value.is_none())),
            positive("clip_value", t.clip_value)?.or(said.clip_value.filter(|_| t.clip_norm.is_none())),
        )?;
        let accumulate = t.accumulate.or(said.accumulate).unwrap_or(1);
        if accumulate == 0 {
            return Err(from.error("accumulate", true, "0 batches make no step\n  hint: write 1 or more"));
        }
        let precision = from.read("precision", t.precision.as_ref(), said.precision.as_ref(), choices::precision)?;
        let augment = from.read("augment", t.augment.as_ref(), said.augment.as_ref(), str::parse::<Augmentation>)?;
        let loss = from.read("loss", t.loss.as_ref(), said.loss.as_ref(), LossName::parse)?;
        let smoothing = t.label_smoothing.or(said.label_smoothing).unwrap_or(0.0);
        if !(0.0..1.0).contains(&smoothing) {
            let what = format!("{smoothing} must be from 0 to below 1\n  hint: 0.1 is usual");
            return Err(from.error("label_smoothing", true, what));
        }
        let class_weights = match (&t.class_weights, &said.class_weights) {
            (Some(text), _) => {
                choices::class_weights(text).map_err(|error| from.error("class_weights", true, error))?
            }
            (None, Some(toml::ClassWeights::Balanced)) => ClassWeights::Balanced,
            (None, Some(toml::ClassWeights::InOrder(weights))) => ClassWeights::InOrder(weights.clone()),
            (None, Some(toml::ClassWeights::ByName(weights))) => ClassWeights::ByName(weights.clone()),
            (None, None) => ClassWeights::Equal,
        };
        let validation_share = t.validation_share.or(said.validation_share).unwrap_or(0.2);
        if !(0.0..1.0).contains(&validation_share) {
            let what =
                format!("{validation_share} must be from 0 to below 1\n  hint: 0.2 keeps a fifth of the rows, 0 none");
            return Err(from.error("validation_share", true, what));
        }
        let threads = args.threads.or(said.threads);
        if threads == Some(0) {
            return Err(from.error("threads", true, "0 threads do no work\n  hint: leave it out to use every core"));
        }
        if let Some(many) = threads.filter(|&threads| threads > MOST_THREADS) {
            let what = format!(
                "{many} threads are more than the {MOST_THREADS} allowed\n  hint: leave it out to use every core"
            );
            return Err(from.error("threads", args.threads.is_some(), what));
        }
        let data = args.data.clone().or_else(|| said.data.clone()).ok_or_else(|| {
            CliError::Usage(
                "there is no data to train on\n  hint: glassnet train DATA --target COL, or data = \"...\" under [train] of the config".into(),
            )
        })?;
        let (valid, test) =
            (args.valid.clone().or_else(|| said.valid.clone()), args.test.clone().or_else(|| said.test.clone()));
        for (key, path) in [("valid", &valid), ("test", &test)] {
            if path.as_deref() == Some("-") {
                let what = "only DATA can come from standard input\n  hint: write the rows to a file first";
                return Err(from.error(key, true, what));
            }
        }
        let is_text = |text: &String| text.eq_ignore_ascii_case("text");
        let text = args.columns.task.as_ref().or(said.task.as_ref()).is_some_and(is_text);
        let task = match text {
            true => None,
            false => from.read("task", args.columns.task.as_ref(), said.task.as_ref(), choices::task)?,
        };
        let context = t.context.or(said.context);
        if context.is_some_and(|context| !(1..=MAX_CONTEXT).contains(&context)) {
            let what =
                format!("a context is from 1 to {MAX_CONTEXT} characters\n  hint: 64 is usual for small networks");
            return Err(from.error("context", t.context.is_some(), what));
        }
        let steps = t.steps.or(said.steps.map(|steps| steps as u64));
        if steps == Some(0) {
            return Err(from.error("steps", t.steps.is_some(), "0 steps train nothing\n  hint: write 1 or more"));
        }
        if steps.is_some() && t.epochs.is_some() {
            let what = "it ends the run, and so does --epochs\n  hint: keep one of the two";
            return Err(from.error("steps", true, what));
        }
        let streams = t.streams || said.streams.unwrap_or(false);
        for (flag, given) in [("context", context.is_some()), ("streams", streams)] {
            if given && !text {
                return Err(from.error(flag, true, "it is for text\n  hint: add --task text, or leave it out"));
            }
        }
        Ok(Settings {
            data,
            target: args.target.clone().or_else(|| said.target.clone()),
            valid,
            test,
            out: args.out.clone().or_else(|| said.out.as_ref().map(PathBuf::from)),
            net,
            net_from,
            init,
            epochs,
            batch,
            lr,
            optimizer,
            optimizer_said: t.optimizer.is_some() || said.optimizer.is_some(),
            schedule,
            clip,
            weight_decay: t.weight_decay.or(said.weight_decay),
            accumulate,
            checkpoint_activations: t.checkpoint_activations || said.checkpoint_activations.unwrap_or(false),
            precision: precision.unwrap_or_default(),
            early,
            loss,
            smoothing,
            class_weights,
            validation_share,
            share_said: t.validation_share.or(said.validation_share).is_some(),
            shuffle: !t.no_shuffle && said.shuffle.unwrap_or(true),
            augment,
            raw: t.raw || said.raw.unwrap_or(false),
            merge_affine: t.merge_affine || said.merge_affine.unwrap_or(false),
            seed: t.seed.or(said.seed).unwrap_or(0),
            threads,
            types: types(args, said, &from)?,
            weight_column: args.columns.weight_column.clone().or_else(|| said.weight_column.clone()),
            task,
            text,
            context,
            steps,
            streams,
            around: Around::new(args, said, config.network.is_some())?,
            read: read_options(args, said, &from)?,
        })
    }
}

fn read_config(args: &Args) -> Result<(RunConfig, String), CliError> {
    let Some(path) = &args.config else { return Ok((RunConfig::default(), String::new())) };
    let name = path.display().to_string();
    let cannot = |what: &str, hint: &str| CliError::Usage(format!("--config {name}: {what}\n  hint: {hint}"));
    if path.is_dir() {
        return Err(cannot("it is a folder", "give a TOML file inside of it"));
    }
    let size = std::fs::metadata(path).map_or(0, |data| data.len());
    if size > toml::LONGEST_TOML as u64 {
        return Err(cannot(&format!("{size} bytes are too many for a settings file"), "is it a TOML?"));
    }
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let near =
                glassnet::data::nearest_file(path).map_or(String::new(), |near| format!("did you mean '{near}'? "));
            cannot("there is no such file", &format!("{near}check the path, as seen from the current folder"))
        }
        _ => cannot(&format!("it cannot be read: {error}"), "check its permissions"),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| cannot("it is not UTF-8 text", "save it as UTF-8"))?;
    let config = RunConfig::parse(&text).map_err(|error| CliError::Usage(error.named(&name).to_string()))?;
    Ok((config, name))
}

/// Kinds of columns by name, `--drop` included.
fn types(args: &Args, said: &TrainConfig, from: &Source<'_>) -> Result<BTreeMap<String, Override>, CliError> {
    let mut types = BTreeMap::new();
    for (name, kind) in said.types.iter().flatten() {
        types.insert(name.clone(), choices::kind(kind).map_err(|error| from.error("types", false, error))?);
    }
    for text in &args.columns.types {
        let (name, kind) = choices::column_type(text).map_err(|error| from.error("type", true, error))?;
        types.insert(name, kind);
    }
    let dropped =
        if args.columns.drop.is_empty() { said.drop.clone().unwrap_or_default() } else { args.columns.drop.clone() };
    types.extend(dropped.into_iter().map(|name| (name, Override::Drop)));
    Ok(types)
}

fn read_options(args: &Args, said: &TrainConfig, from: &Source<'_>) -> Result<ReadOptions, CliError> {
    let mut options = args.read.options();
    if let (None, Some(text)) = (options.delimiter, &said.delimiter) {
        options.delimiter = Some(reading::delimiter(text).map_err(|error| from.error("delimiter", false, error))?);
    }
    if options.header == Header::Detect && said.no_header == Some(true) {
        options.header = Header::No;
    }
    Ok(options)
}
