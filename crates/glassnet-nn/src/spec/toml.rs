//! The TOML form: a network (`[network]`) and a run's settings (`[train]`).
//!
//! ```toml
//! [network]
//! net = "784 -> 256 relu -> 10"      # the text form, hidden or full
//!
//! [train]
//! epochs = 5
//! lr = 0.1
//! ```
//!
//! In place of `net`, layers can be written one by one, which says more: weights and biases that are given.
//!
//! ```toml
//! [network]
//! input = 2                          # the full form; without it the hidden form
//!
//! [[network.layer]]
//! units = 1                          # kind = "linear" goes without saying
//! activation = "sigmoid"
//! weight = [[0.7, 0.3]]              # [units, inputs]: a row for each unit
//! bias_values = [-4.0]
//! ```
//!
//! | kind | keys |
//! |---|---|
//! | `linear` | `units` (or `weight`), `activation`, `bias`, `init`, `weight`, `bias_values` |
//! | `activation` | `function`; the activation's name alone, as the kind, does too |
//! | `dropout` | `p` |
//! | `scale` | |
//! | `residual` | `layer` (an array of such tables) or `net` (the text form) |
//! | `gated` | `hidden`, `activation`, `bias` |
//! | `swiglu` | `hidden`, `bias` |
//!
//! Only text is read here: opening the file is the caller's.

mod network;
mod read;
mod train;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;

use ::toml::de::DeTable;

use super::{NetSpec, SpecError};
use read::{Table, Value};
pub use train::{Batch, ClassWeights, TRAIN_KEYS, TrainConfig, TrainKey, guide};

/// Longest TOML that is read, in bytes (64 MiB: given weights may be many).
pub const LONGEST_TOML: usize = 64 << 20;

/// What a TOML says: a network, settings, or both.
#[derive(Debug, Clone, Default)]
pub struct RunConfig {
    /// The network, where there is a `[network]`.
    pub network: Option<NetSpec>,
    /// The settings of `[train]`; those that are not said are `None`.
    pub train: TrainConfig,
    text: String,
    places: BTreeMap<String, Range<usize>>,
}

impl RunConfig {
    /// Reads a TOML text.
    ///
    /// # Errors
    ///
    /// What is no TOML, an unknown key (with the nearest), a value of the wrong type or outside of its range, a text
    /// form that does not parse, layers whose widths or given weights do not fit each other; each with line and
    /// column.
    ///
    /// ```
    /// use glassnet_nn::spec::toml::RunConfig;
    ///
    /// let run = RunConfig::parse("[network]\nnet = '256 relu'\n[train]\nepochs = 5\n").unwrap();
    /// assert_eq!(run.network.unwrap().to_string(), "256 relu");
    /// assert_eq!(run.train.epochs, Some(5));
    ///
    /// let error = RunConfig::parse("[train]\nepoch = 5\n").unwrap_err().named("run.toml");
    /// let shown = "run.toml, line 2, column 1: unknown key \"epoch\" in [train]\n  epoch = 5\n  ^^^^^\ndid you mean epochs?";
    /// assert_eq!(error.to_string(), shown);
    /// ```
    pub fn parse(text: &str) -> Result<RunConfig, SpecError> {
        if text.len() > LONGEST_TOML {
            let message = format!("the TOML has {} bytes, more than {LONGEST_TOML}", text.len());
            return Err(SpecError::new("", 0..0, message).hint("is this a settings file?"));
        }
        let parsed = DeTable::parse(text).map_err(|error| {
            SpecError::new(text, error.span().unwrap_or(0..0), format!("this is no TOML: {}", error.message())).hint(
                "a line is `key = value`, each key once, text in quotes; a section begins with [train] or [network]",
            )
        })?;
        let top = Table::new(text, parsed.get_ref(), parsed.span(), "the file");
        if let Some((key, place)) = top.first_unknown(&["network", "train"]) {
            let error = top.unknown(key, place, &["network", "train"]);
            let of_train = TRAIN_KEYS.iter().find(|row| row.name == key);
            let of_network = network::KEYS.contains(&key);
            return Err(match (of_train, of_network) {
                (Some(_), _) => error.hint(format!("{key} belongs under [train]")),
                (None, true) => error.hint(format!("{key} belongs under [network]")),
                _ => error,
            });
        }
        let mut run = RunConfig { text: text.to_owned(), ..RunConfig::default() };
        if let Some(value) = top.get("network") {
            let table = section(&top, &value, "[network]")?;
            run.network = Some(network::read(&table, &mut run.places)?);
        }
        if let Some(value) = top.get("train") {
            let table = section(&top, &value, "[train]")?;
            run.train = train::read(&table, &mut run.places)?;
        }
        Ok(run)
    }

    /// An error about a setting, pointing at its value: for what only the caller can check (an optimizer's name, a
    /// column that the data has not). `key` is a key of `[train]`, or "net", "input" or "layer" of `[network]`; where
    /// the text does not say it, the error points at the text's beginning.
    pub fn error_at(&self, key: &str, message: impl Into<String>) -> SpecError {
        SpecError::new(&self.text, self.places.get(key).cloned().unwrap_or(0..0), message)
    }

    /// The TOML that reads back to the same network and settings.
    pub fn to_toml(&self) -> String {
        write::run(self.network.as_ref(), &self.train)
    }

    /// A config of these, as if it was read from its own TOML.
    pub fn new(network: Option<NetSpec>, train: TrainConfig) -> RunConfig {
        RunConfig { network, train, ..RunConfig::default() }
    }
}

fn section<'a>(top: &Table<'a>, value: &Value<'a>, name: &str) -> Result<Table<'a>, SpecError> {
    let hint = format!("write {name} on a line of its own, and its keys below");
    value.table(name).map_err(|message| top.error(value.span(), message).hint(hint))
}
