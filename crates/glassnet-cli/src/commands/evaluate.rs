//! `glassnet evaluate`: how good a model is on data whose true values are known.

mod report;

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, ModelData, Need, Notices, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use report::Report;

/// Arguments of `evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The model file that `train -o` wrote
    pub model: String,
    /// A table with the training's columns (CSV, .csv.gz, npy, npz; - is standard input) or a folder of images
    pub data: String,
    /// Which images of a folder; test where it has any
    #[arg(long, value_name = "PART")]
    pub part: Option<Part>,
    /// Threads; the numbers do not depend on it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS as i64))]
    pub threads: u16,
    #[command(flatten)]
    pub reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet evaluate late.glass test.csv
  glassnet evaluate digits.glass mnist/ --part test
  glassnet evaluate late.glass test.csv.gz --json

Columns may stand in any order; columns that the model does not know are ignored, categories that it has not seen count
as unknown, rows with a blank target are set aside: each with a word. The scores are those that training reports.";

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    if model.text().is_some() {
        return text(args, &model, output);
    }
    let wanted = Wanted { target: Need::Must, id: None };
    let data = model_data::open(&model, &args.data, &args.reading.options(), args.part, wanted)?;
    let rows = encode(&model, data)?;
    rows.notices.say(output);
    if rows.blank > 0 {
        let (blank, target) = (rows.blank, model.target());
        let rows = if blank == 1 { "row" } else { "rows" };
        output.message(&format!("set aside: {blank} {rows} whose {target} is blank"));
    }
    let team = Team::new(usize::from(args.threads));
    let evaluation = model.evaluate(&rows.encoded, &rows.rows, &team)?;
    let held = match model.calibration() {
        Some(calibration) => {
            let judged =
                model.judged(&rows.encoded, &rows.rows, &team).map_err(|error| CliError::Data(error.to_string()))?;
            Some(judged.with(calibration).held("these rows"))
        }
        None => None,
    };
    let report = Report::new(args, &model, &rows, evaluation, held);
    output.result(&report.to_string(), &report)
}

/// A model of text on a text: how well each next character is predicted.
fn text(args: &Args, model: &Model, output: &mut Output) -> Result<(), CliError> {
    let file = glassnet::data::read_text(&args.data)?;
    let team = Team::new(usize::from(args.threads));
    let named = |error| CliError::Data(format!("{}: {error}", file.source));
    let found = model.evaluate_text(&file.text, &team).map_err(named)?;
    if model.document().provenance.data_hash.strip_prefix("sha256:") == Some(&file.hash) {
        output.message("this is the text of the training itself: a text that the model has not seen says more");
    }
    let words = format!(
        "{} characters of {}\nloss                {:.4} nats a character\nperplexity          {:.3}\nbits per character  {:.4}\n",
        crate::numbers::thousands(found.characters as u64),
        file.source,
        found.loss,
        found.perplexity,
        found.bits_per_character
    );
    output.result(&words, &found)
}

/// Rows with targets.
pub struct Labelled {
    /// All of them.
    pub encoded: Encoded<f32>,
    /// Those that have a target.
    pub rows: Vec<u32>,
    /// How many have none.
    pub blank: usize,
    /// What they are: `rows`, `test images`.
    pub what: &'static str,
    /// Whether the data is the very data of the training, by its hash.
    pub seen: bool,
    /// What was noticed.
    pub notices: Notices,
}

/// Reads and encodes all rows, with their targets.
pub fn encode(model: &Model, data: ModelData) -> Result<Labelled, CliError> {
    let learned = &model.document().provenance.data_hash;
    let trained_on = |hash: &str| learned.strip_prefix("sha256:") == Some(hash);
    let (table, ignored, seen) = match data {
        ModelData::Stream(mut stream) => {
            let ignored = model_data::extra_columns(model, stream.columns(), None);
            let table = stream.next_chunk(usize::MAX)?.unwrap_or_default();
            // The hash is the file's when the reader has met its end.
            let seen = stream.next_chunk(1)?.is_none() && trained_on(&stream.understood().hash);
            (table, ignored, seen)
        }
        ModelData::Table(table, hash) => {
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            (table, model_data::extra_columns(model, &names, None), trained_on(&hash))
        }
        ModelData::Images(images, what, hash) => {
            if images.labels.is_empty() {
                let hint = "put the labels' file (train-labels-idx1-ubyte) beside the images and give the folder";
                let source = &images.source;
                return Err(CliError::Data(format!("{source}: these images have no labels\n  hint: {hint}")));
            }
            let (encoded, rows) = model.encode_images(images, true)?;
            let seen = hash.is_some_and(|hash| trained_on(&hash));
            return Ok(Labelled { encoded, rows, blank: 0, what, seen, notices: Notices::default() });
        }
    };
    let (encoded, rows, noticed) = model.encode_table(&table, true)?;
    let mut notices = Notices { ignored_columns: ignored, ..Notices::default() };
    notices.add(&noticed);
    Ok(Labelled { blank: table.rows - rows.len(), encoded, rows, what: "rows", seen, notices })
}
