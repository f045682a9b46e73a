//! `glassnet monitor`: what has moved in new rows since the training.

use std::fmt::{self, Display, Formatter};

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::file::Features;
use glassnet::model::preprocess::Preprocess;
use glassnet::model::shift::{Finding, Reference, Sort, watched};
use glassnet::model::table::Table;
use glassnet::model::target::TargetSchema;
use serde::Serialize;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, ModelData, Need, Notices, Wanted, extra_columns};
use crate::numbers::thousands;
use crate::output::Output;
use crate::reading::ReadArgs;

/// Arguments of `monitor`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model file that `train -o` wrote
    pub model: String,
    /// New rows: a table with the training's columns (CSV, .csv.gz, npy, npz; - is standard input)
    pub data: String,
    /// Threads; the numbers do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    pub threads: u16,
    #[command(flatten)]
    pub reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet monitor late.glass week.csv
  glassnet monitor late.glass week.csv --json > monitor.json
  glassnet monitor late.glass week.csv --quiet || glassnet recalibrate late.glass labelled.csv

New rows are compared with what the model file holds of its training rows: the base rate where the target is there (after
recalibrate: that of the rows it was calibrated on), missing values, levels that training did not know, each column and the
model's scores before calibration. Differences that chance makes are none; how large one must be is in docs/guide/weekly.md.
The gravest come first. Exit code 0: nothing moved. 8: something did.";

/// Rows of which only large moves can be told.
const FEW: usize = 200;

/// What is found.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    data: String,
    rows: usize,
    training_rows: usize,
    /// Whether the rows have the target, so that the base rate is compared.
    target_known: bool,
    /// Whether the model file knows the scores of held-out rows.
    scores_known: bool,
    columns: usize,
    /// The gravest first.
    findings: Vec<Finding>,
    #[serde(flatten)]
    notices: Notices,
}

/// Runs it.
///
/// # Errors
/// Data that cannot be used, a model file that knows nothing of its training rows; something that moved.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    let document = model.document();
    let Features::Table(preprocess) = &document.preprocess else {
        let what = "monitor compares the columns of tables, but this model learned from something else";
        return Err(CliError::Usage(format!("{}: {what}\n  hint: give the model of a table", args.model)));
    };
    let Some(reference) = &document.reference else {
        let what = "the model file holds nothing of its training rows to compare with";
        let hint = "train it again with this version of glassnet: it keeps their shares";
        return Err(CliError::Model(format!("{}: {what}\n  hint: {hint}", args.model)));
    };
    let wanted = Wanted { target: Need::May, ..Wanted::default() };
    let data = model_data::open(&model, &args.data, &args.reading.options(), None, wanted)?;
    let mut notices = Notices::default();
    let table = match data {
        ModelData::Stream(mut stream) => {
            notices.ignored_columns = extra_columns(&model, stream.columns(), None);
            stream.next_chunk(usize::MAX)?.unwrap_or_default()
        }
        ModelData::Table(table, _) => {
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            notices.ignored_columns = extra_columns(&model, &names, None);
            table
        }
        ModelData::Images(..) => Table::default(),
    };
    if table.rows == 0 {
        return Err(CliError::Data(format!(
            "{}: there are no rows\n  hint: give the rows of a day or a week",
            args.data
        )));
    }
    let team = Team::new(usize::from(args.threads));
    let (findings, target_known) = findings(&model, (reference, preprocess), &table, &team, &mut notices)?;
    let report = Report {
        model: args.model.clone(),
        data: args.data.clone(),
        rows: table.rows,
        training_rows: reference.rows,
        target_known,
        scores_known: reference.scores.is_some(),
        columns: reference.columns.len(),
        findings,
        notices,
    };
    report.notices.say(output);
    output.result(&report.to_string(), &report)?;
    report.verdict()
}

fn findings(
    model: &Model,
    (reference, preprocess): (&Reference, &Preprocess),
    table: &Table,
    team: &Team,
    notices: &mut Notices,
) -> Result<(Vec<Finding>, bool), CliError> {
    let (encoded, rows, noticed) = model.encode_table(table, false)?;
    notices.add(&noticed);
    let scores = model.raw_scores(&mut model.runner(team.clone()), &encoded, &rows)?;
    let scores = watched(&scores, model.outputs());
    let target = model.document().schema.target.as_ref().filter(|target| has_values(table, target));
    let targets = target.map(|target| target.read(table)).transpose()?;
    let all: Vec<usize> = (0..table.rows).collect();
    let known = target.zip(targets.as_ref());
    Ok((reference.compare(preprocess, table, &all, known, Some(&scores))?, known.is_some()))
}

/// Whether any row has a target.
fn has_values(table: &Table, target: &TargetSchema) -> bool {
    let column = table.column(&target.name);
    column.is_some_and(|column| (0..table.rows).any(|row| !column.values.is_missing(row)))
}

impl Report {
    fn far(&self) -> usize {
        self.findings.iter().filter(|finding| finding.strong).count()
    }

    /// The error that something moved.
    fn verdict(&self) -> Result<(), CliError> {
        let things = match self.findings.len() {
            0 => return Ok(()),
            1 => "1 thing moved".to_owned(),
            many => format!("{many} things moved"),
        };
        let has = |sort: Sort| self.findings.iter().any(|finding| finding.sort == sort);
        let hint = match (has(Sort::BaseRate), self.target_known) {
            (true, _) => {
                "glassnet recalibrate MODEL LABELLED.csv with recent rows; train again where columns moved far"
            }
            (false, false) => "look at the columns named; with the target in the data the base rate is compared too",
            (false, true) => {
                "look at the columns named; glassnet evaluate says whether the scores are as good as they were"
            }
        };
        Err(CliError::Moved(format!("{things} since training, {} far\n  hint: {hint}", self.far())))
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (rows, trained) = (thousands(self.rows as u64), thousands(self.training_rows as u64));
        writeln!(f, "{} on {}: {rows} rows against {trained} of training", self.model, self.data)?;
        for finding in &self.findings {
            let far = if finding.strong { "far" } else { "" };
            writeln!(f, "{far:4}{}", finding.words)?;
        }
        let mut looked = vec![format!("missing values, levels and values of {} columns", self.columns)];
        if self.scores_known {
            looked.push("scores".into());
        }
        if self.target_known {
            looked.push("base rate".into());
        }
        let looked = looked.join(", ");
        match self.findings.is_empty() {
            true => writeln!(f, "nothing moved: {looked}")?,
            false => writeln!(f, "looked at: {looked}")?,
        }
        if !self.target_known {
            writeln!(f, "the base rate is not known: no row has the target")?;
        }
        if self.rows < FEW {
            writeln!(f, "so few rows tell of large moves only")?;
        }
        Ok(())
    }
}
