//! `glassnet evaluate`: how good a model is on data whose true values are known.

mod groups;
pub mod interval;
pub mod report;
mod thresholds;

use glassnet::core::Team;
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::shift::Finding;
use glassnet::model::table::{Column, Table};
use glassnet::model::target::Targets;
use glassnet::nn::metrics::Costs;
use glassnet::nn::nearest::nearest;
use glassnet::nn::source::Source;

use crate::error::CliError;
use crate::machine::MOST_THREADS;
use crate::model_data::{self, ModelData, Need, Notices, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::share::share;
use groups::Groups;
use interval::Interval;
use report::{More, Report};
use thresholds::{Thresholds, Wish};

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
    /// The same scores for each group of a column of DATA, which need not be an input; numbers in quartiles
    #[arg(long, value_name = "COL")]
    pub by: Option<String>,
    /// What a false alarm costs: with --cost-fn, the threshold that would have been cheapest on these rows
    #[arg(long, value_name = "COST", requires = "cost_fn", value_parser = cost, allow_hyphen_values = true)]
    pub cost_fp: Option<f64>,
    /// What a miss costs
    #[arg(long, value_name = "COST", requires = "cost_fp", value_parser = cost, allow_hyphen_values = true)]
    pub cost_fn: Option<f64>,
    /// The share of rows that can be looked at: the threshold that calls no more
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub review_share: Option<f64>,
    /// The class that thresholds are for; of two classes the second
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,
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
  glassnet evaluate late.glass test.csv --by country
  glassnet evaluate late.glass test.csv --cost-fp 1 --cost-fn 8 --review-share 10%
  glassnet evaluate late.glass test.csv.gz --json

Columns may stand in any order; columns that the model does not know are ignored, categories that it has not seen count
as unknown, rows with a blank target are set aside: each with a word. The scores are those that training reports. Of a model that
is calibrated they are given with and without the calibration, and whether it holds on these rows; of a number, how many true
values lie in the 90 % intervals. Where the target is distributed otherwise than in training, that is said.";

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let model = model_data::load_model(&args.model)?;
    if model.text().is_some() {
        return text(args, &model, output);
    }
    let wish = wish(args, &model)?;
    let by = args.by.as_deref();
    let wanted = Wanted { target: Need::Must, by, ..Wanted::default() };
    let data = model_data::open(&model, &args.data, &args.reading.options(), args.part, wanted)?;
    let rows = encode(&model, data, by)?;
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
    let more = more(&model, &rows, wish, &team)?;
    let report = Report::new(args, &model, &rows, evaluation, (held, more));
    output.result(&report.to_string(), &report)
}

/// A cost: a number that is not negative.
fn cost(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(cost) if cost.is_finite() && cost >= 0.0 => Ok(cost),
        _ => Err("a cost is a number of 0 or more".to_owned()),
    }
}

/// The thresholds that are asked for, with the class they are for; `None` where none are.
fn wish(args: &Args, model: &Model) -> Result<Option<(usize, Wish)>, CliError> {
    let usage = |what: String, hint: String| Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
    let costs = args.cost_fp.zip(args.cost_fn);
    let costs = costs.map(|(false_positive, false_negative)| Costs { false_positive, false_negative });
    if costs.is_some_and(|costs| !costs.are_sound()) {
        return usage(
            "--cost-fp 0 --cost-fn 0: where nothing costs, no threshold is best".into(),
            "give one of them a cost".into(),
        );
    }
    let wish = Wish { costs, review: args.review_share };
    let flag = match (&wish.costs, &wish.review, &args.class) {
        (Some(_), ..) => "--cost-fp",
        (None, Some(_), _) => "--review-share",
        (None, None, Some(_)) => {
            let hint = "add --cost-fp and --cost-fn, or --review-share; or leave --class out";
            return usage("--class says whose thresholds are meant, but none are asked for".into(), hint.into());
        }
        (None, None, None) => return Ok(None),
    };
    let Some(classes) = model.classes() else {
        return usage(
            format!("{flag}: this model predicts a number, which needs no threshold"),
            format!("leave {flag} out"),
        );
    };
    let class = match &args.class {
        Some(name) => classes.iter().position(|class| class == name).ok_or_else(|| {
            let all = format!("its classes are {}", classes.join(", "));
            let near = nearest(name, classes.iter().map(String::as_str));
            let hint = near.map_or(all.clone(), |near| format!("did you mean '{near}'? ({all})"));
            CliError::Usage(format!("--class {name}: the model has no such class\n  hint: {hint}"))
        })?,
        None if classes.len() == 2 => 1,
        None => {
            return usage(
                format!("{flag}: the model has {} classes; whose score is meant?", classes.len()),
                format!("name one with --class: {}", classes.join(", ")),
            );
        }
    };
    Ok(Some((class, wish)))
}

/// What is asked for besides the scores.
fn more(model: &Model, rows: &Labelled, wish: Option<(usize, Wish)>, team: &Team) -> Result<More, CliError> {
    let mut more = More { base_rate: moved(model, rows), ..More::default() };
    let intervals = model.document().intervals.is_some();
    if wish.is_none() && rows.by.is_none() && !intervals {
        return Ok(more);
    }
    let scores = model.scores(&mut model.runner(team.clone()), &rows.encoded, &rows.rows)?;
    more.interval = Interval::of(model, &rows.encoded, &rows.rows, &scores);
    if let Some(column) = &rows.by {
        let scored = groups::Scored { model, encoded: &rows.encoded, rows: &rows.rows, scores: &scores };
        more.by = Some(Groups::new(&scored, column));
    }
    if let Some(((class, wish), classes)) = wish.zip(model.classes()) {
        let own = scores.chunks_exact(model.outputs().max(1)).filter_map(|row| row.get(class));
        let own: Vec<f64> = own.map(|&score| f64::from(score)).collect();
        let positive: Vec<bool> = rows.rows.iter().map(|&row| rows.encoded.label(row) == class as i32).collect();
        let weights: Vec<f64> = rows.rows.iter().map(|&row| rows.encoded.weight(row)).collect();
        let class = classes.get(class).map_or("", String::as_str);
        let scored = thresholds::Scored {
            target: model.target(),
            class,
            scores: &own,
            positive: &positive,
            weights: Some(&weights),
        };
        more.thresholds = Thresholds::new(&scored, wish);
    }
    Ok(more)
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
    /// The targets as they stand in the table; `None` of images.
    pub targets: Option<Targets>,
    /// The column that groups the rows.
    pub by: Option<Column>,
}

/// Reads and encodes all rows, with their targets; `by` is a column that groups them.
pub fn encode(model: &Model, data: ModelData, by: Option<&str>) -> Result<Labelled, CliError> {
    let learned = &model.document().provenance.data_hash;
    let trained_on = |hash: &str| learned.strip_prefix("sha256:") == Some(hash);
    let (table, ignored, seen) = match data {
        ModelData::Stream(mut stream) => {
            let ignored = model_data::extra_columns(model, stream.columns(), by);
            let table = stream.next_chunk(usize::MAX)?.unwrap_or_default();
            // The hash is the file's when the reader has met its end.
            let seen = stream.next_chunk(1)?.is_none() && trained_on(&stream.understood().hash);
            (table, ignored, seen)
        }
        ModelData::Table(table, hash) => {
            let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
            (table, model_data::extra_columns(model, &names, by), trained_on(&hash))
        }
        ModelData::Images(images, what, hash) => {
            if images.labels.is_empty() {
                let hint = "put the labels' file (train-labels-idx1-ubyte) beside the images and give the folder";
                let source = &images.source;
                return Err(CliError::Data(format!("{source}: these images have no labels\n  hint: {hint}")));
            }
            if let Some(by) = by {
                let hint = "leave --by out: the confusion table goes by class";
                return Err(CliError::Usage(format!("--by {by}: images have no columns\n  hint: {hint}")));
            }
            let (encoded, rows) = model.encode_images(images, true)?;
            let seen = hash.is_some_and(|hash| trained_on(&hash));
            let notices = Notices::default();
            return Ok(Labelled { encoded, rows, blank: 0, what, seen, notices, targets: None, by: None });
        }
    };
    let (encoded, rows, noticed) = model.encode_table(&table, true)?;
    let mut notices = Notices { ignored_columns: ignored, ..Notices::default() };
    notices.add(&noticed);
    let target = model.document().schema.target.as_ref();
    let targets = target.map(|target| target.read(&table)).transpose()?;
    let blank = table.rows - rows.len();
    let by = by.map(|by| column(table, by)).transpose()?;
    Ok(Labelled { blank, encoded, rows, what: "rows", seen, notices, targets, by })
}

/// How far the target has moved since training, where the model file can tell.
fn moved(model: &Model, rows: &Labelled) -> Option<Finding> {
    let document = model.document();
    let (reference, target) = (document.reference.as_ref()?, document.schema.target.as_ref()?);
    let targets = rows.targets.as_ref()?;
    reference.base_rate(target, targets, &targets.rows)
}

/// A column of a table.
fn column(mut table: Table, name: &str) -> Result<Column, CliError> {
    match table.columns.iter().position(|column| column.name == name) {
        Some(place) => Ok(table.columns.swap_remove(place)),
        None => {
            let near = nearest(name, table.columns.iter().map(|column| column.name.as_str()));
            let near = near.map_or("check the name".to_owned(), |near| format!("did you mean '{near}'?"));
            Err(CliError::Data(format!("{}: there is no column '{name}' for --by\n  hint: {near}", table.source)))
        }
    }
}
