//! `--report FILE`: the run as one page that needs nothing besides itself.
//!
//! What is shown was measured on rows that training did not learn from, and the page says which: test rows where there are some, else
//! the validation rows, which chose the epoch and the calibration; of `--best` each row by the member that did not see it.
//!
//! | file | what |
//! |---|---|
//! | `judged` | which rows the figures are from, and the model's scores on them |
//! | `results` | key figures, tables of scores, the pictures of a classifier or of a regression |
//! | `reasons` | what each column is worth, a few rows explained |
//! | `about` | the data, the training, the network, what it cost |
//! | `repeat` | the command that gives the same weights again |

mod about;
mod judged;
mod reasons;
mod repeat;
mod results;

use std::path::{Path, PathBuf};

use glassnet::core::Team;
use glassnet::data::write::{check_writable, write_atomic};
use glassnet::model::Model;
use glassnet::model::fit::Headed;
use glassnet::nn::doctor::Finding;
use glassnet::nn::train::{Stop, TrainSpec};
use glassnet::report::page::{ReportData, render};

use super::args::Args;
use super::baseline::{Constant, Guesses};
use super::calibrate::Part;
use super::data::Data;
use super::forecast::{Forecast, Measured};
use super::record::file_name;
use super::report::Parts;
use super::settings::Settings;
use crate::error::CliError;
use crate::inputs::keep_inputs_from;
use judged::Judged;

/// All that is known of a run that is over.
pub struct Page<'a> {
    pub args: &'a Args,
    pub settings: &'a Settings,
    pub data: &'a Data,
    pub headed: &'a Headed,
    pub spec: &'a TrainSpec,
    /// The model as it was written.
    pub model: &'a Model,
    pub parts: &'a Parts,
    pub guesses: &'a Guesses,
    pub constant: Option<&'a Constant>,
    /// The rows of the last test, where there are some.
    pub tested: Option<Part<'a>>,
    pub stop: &'a Stop,
    pub forecast: &'a Forecast,
    pub measured: &'a Measured,
    pub findings: &'a [Finding],
    /// Hash of the weights.
    pub weights: &'a str,
    pub team: &'a Team,
}

/// Whether the page can be written where it is to go, before anything is trained.
///
/// # Errors
/// It would take the place of an input or of the model; nothing can be written there; the data is text.
pub fn check(settings: &Settings, model: &Path, read: &[&str]) -> Result<(), CliError> {
    let Some(path) = &settings.around.report else { return Ok(()) };
    keep_inputs_from("--report", path, read)?;
    if place(path) == place(model) {
        return Err(CliError::Usage(format!(
            "--report {}: the model is written there\n  hint: give another name",
            path.display()
        )));
    }
    Ok(check_writable(path)?)
}

/// Of text there is no report.
///
/// # Errors
/// One was asked for.
pub fn none_of_text(settings: &Settings) -> Result<(), CliError> {
    match &settings.around.report {
        None => Ok(()),
        Some(_) => Err(CliError::Usage(
            "--report: it shows tables and images, but this is text\n  hint: leave it out; glassnet plot MODEL draws the curves of a text's training".into(),
        )),
    }
}

/// A path that two names of one place have in common, whether or not there is a file.
fn place(path: &Path) -> PathBuf {
    if let Ok(whole) = std::fs::canonicalize(path) {
        return whole;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    path.file_name().map_or_else(|| path.to_path_buf(), |name| folder.join(name))
}

impl Page<'_> {
    /// Makes the page and writes it, whole or not at all.
    ///
    /// # Errors
    /// The model cannot be judged; the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CliError> {
        write_atomic(path, render(&self.content()?).as_bytes())?;
        Ok(())
    }

    /// What the page shows.
    fn content(&self) -> Result<ReportData, CliError> {
        let judged = Judged::of(self)?;
        let (importances, explained) = self.reasons(&judged)?;
        let target = self.model.target();
        Ok(ReportData {
            title: format!("{target} in {}", file_name(&self.settings.data)),
            made_by: Some(format!("glassnet {}", env!("CARGO_PKG_VERSION"))),
            head: Some(self.head(&judged)),
            scores: vec![self.scores(&judged)],
            classification: self.classification(&judged),
            regression: self.regression(&judged),
            importances,
            explained,
            data: Some(self.about_data()),
            training: Some(self.training()),
            network: Some(self.network()),
            costs: self.costs(),
            findings: Some(self.findings.to_vec()),
            repeat: Some(self.repeat()),
        })
    }

    /// A sentence without the folders of this machine: files by their names alone.
    fn plain(&self, words: &str) -> String {
        let settings = self.settings;
        let paths = [Some(&settings.data), settings.valid.as_ref(), settings.test.as_ref()];
        paths.into_iter().flatten().filter(|path| *path != "-").fold(words.to_string(), |words, path| {
            let name = file_name(path);
            if name == *path { words } else { words.replace(path.as_str(), &name) }
        })
    }
}
