//! `glassnet check`: finite differences against the gradients of this very network, in f64.

use glassnet::core::ops::cross_entropy::IGNORED;
use glassnet::core::random::{Draws, Purpose};
use glassnet::model::Model;
use glassnet::model::encoded::Encoded;
use glassnet::model::text::TextPreprocess;
use glassnet::model::windows::Windows;
use glassnet::nn::inspect::{self, Check, CheckOptions};
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::{Matrix, Source, Targets};
use glassnet::nn::spec::Activation;
use serde::Serialize;

use crate::error::CliError;
use crate::model_data::{self, ModelData, Need, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::subject::{self, Net, NetArgs};

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub net: NetArgs,
    /// For a model: data with targets; its first rows are taken
    pub data: Option<String>,
    /// How many rows the loss is a mean over
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rows: u32,
    /// One row, in place of data: the numbers that the network reads
    #[arg(
        long,
        value_name = "NUMBERS",
        value_delimiter = ',',
        allow_hyphen_values = true,
        conflicts_with = "data",
        requires = "y"
    )]
    pub x: Option<Vec<f64>>,
    /// Its target: a class number from 0 (of sequences one for each time step, -1 where none counts), or a value for each
    /// output
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true, requires = "x")]
    pub y: Option<Vec<f64>>,
    /// Largest relative error that passes
    #[arg(long, value_name = "NUMBER", default_value_t = 1e-5, allow_hyphen_values = true)]
    pub tolerance: f64,
    /// Check every parameter, also of a large network (by default a sample of each layer)
    #[arg(long)]
    pub all: bool,
    /// Which images of a folder; test where it has any
    #[arg(long, value_name = "PART", requires = "data")]
    pub part: Option<Part>,
    #[command(flatten)]
    pub reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet check late.glass test.csv
  glassnet check digits.glass mnist/ --rows 4
  glassnet check \"2 -> 4 tanh -> 1\" --x 0.5,-1 --y 1
  glassnet check \"8 -> swiglu 12 -> 3\"
  glassnet check \"tokens 8 vocabulary 5 -> gpt 2 layers 2 heads 8 -> 5\"
  glassnet check play.glass play.txt --rows 2

Each gradient by backward is held against (L(w + h) - L(w - h)) / 2h. Without DATA or --x, rows and targets are drawn from
the seed. Exit code 7 where a gradient is wrong.";

#[derive(Debug, Serialize)]
struct Checked<'a> {
    net: &'a str,
    rows_from: &'a str,
    weights: Option<String>,
    loss_name: &'a str,
    #[serde(flatten)]
    check: &'a Check,
}

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let net = Net::read(&args.net.net)?;
    let (network, matrix, from) = match (&net, &args.data, &args.x) {
        (Net::Model(model), Some(data), _) => {
            let loss = args.net.loss.map(|loss| loss.spec(false));
            let network = net.network(loss.as_ref())?;
            let matrix = of_data(args, model, data, &network)?;
            let from = format!("the first rows of {data}");
            (network, matrix, from)
        }
        (Net::Layers(_), Some(data), _) => {
            return Err(CliError::Usage(format!(
                "{data}: only a model knows what columns become before the network\n  hint: give a model file, or a row with --x \
                 and --y, or no data: then rows are drawn"
            )));
        }
        (_, None, Some(x)) => {
            let y = args.y.clone().unwrap_or_default();
            subject::finite("--x", x)?;
            subject::finite("--y", &y)?;
            let network = net.network(Some(&loss(args, &net, y.len())?))?;
            let matrix = given(&network, x, y)?;
            (network, matrix, "--x and --y".to_string())
        }
        (_, None, None) => {
            let network = net.network(Some(&loss(args, &net, 1)?))?;
            let matrix = drawn(&network, args.rows as usize, args.net.seed);
            (network, matrix, format!("drawn from seed {}", args.net.seed))
        }
    };
    let (parameters, weights) = net.parameters(&network, &args.net)?;
    let default = CheckOptions::default();
    let options = CheckOptions {
        tolerance: args.tolerance,
        all_up_to: if args.all { usize::MAX } else { default.all_up_to },
        ..default
    };
    let rows: Vec<u32> = (0..matrix.rows() as u32).collect();
    let check = inspect::check(&network, &parameters, &matrix, &rows, &options)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let loss_name = network.objective.as_ref().map_or("", |objective| objective.loss.name());
    let mut text = format!("rows {from}, loss {loss_name}\n");
    if let Some(words) = weights.words() {
        text += &format!("{words}\n");
    }
    text += &check.to_string();
    let value = Checked { net: &args.net.net, rows_from: &from, weights: weights.words(), loss_name, check: &check };
    output.result(&text, &value)?;
    if check.passed {
        return Ok(());
    }
    let (what, hint) = match &check.worst {
        None => ("nothing could be compared".to_string(), "every unit lies on a kink there: give other rows"),
        Some(worst) => (
            format!(
                "the gradient of {} is {}, by finite differences {}",
                worst.parameter, worst.analytic, worst.numeric
            ),
            match check.loss.is_finite() {
                true => {
                    "look at this parameter with `glassnet trace`; if its numbers look right, report it with the command"
                }
                false => "the loss itself is not finite there: give rows and weights of the size of those in training",
            },
        ),
    };
    Err(CliError::Check(format!("the check failed: {what}\n  hint: {hint}")))
}

/// The asked-for loss, a model's own, or what fits the last layer.
fn loss(args: &Args, net: &Net, values: usize) -> Result<LossSpec, CliError> {
    let network = net.network(None)?;
    let outputs = network.outputs();
    let soft = values > 1 && !super::trace::are_labels(&network, values);
    if let Some(loss) = args.net.loss {
        return Ok(loss.spec(soft));
    }
    if let Some(objective) = &network.objective {
        return Ok(objective.loss.clone());
    }
    Ok(match net.last_curve() {
        Some(Activation::Sigmoid) => LossSpec::binary_cross_entropy(),
        Some(Activation::Softmax | Activation::LogSoftmax) if soft => {
            LossSpec::SoftCrossEntropy { smoothing: 0.0, class_weights: Vec::new() }
        }
        _ if outputs > 1 && !soft => LossSpec::cross_entropy(),
        _ => LossSpec::MeanSquared,
    })
}

fn usage(what: String, hint: &str) -> CliError {
    CliError::Usage(format!("{what}\n  hint: {hint}"))
}

/// One row from the command line, its target as the loss takes it.
fn given(network: &Network, x: &[f64], y: Vec<f64>) -> Result<Matrix<f64>, CliError> {
    if x.len() != network.inputs() {
        let what = format!("the network reads {} numbers, but --x has {}", network.inputs(), x.len());
        return Err(usage(what, "give one number for each input"));
    }
    inspect::trace::check_tokens(network, x).map_err(|error| CliError::Usage(format!("--x: {error}")))?;
    let logits = &network.graph.node(network.logits).shape;
    let (outputs, classes) = (logits.len(), logits.last());
    if let Some(bad) = x.iter().chain(&y).find(|value| !value.is_finite()) {
        return Err(usage(format!("--x, --y: {bad} is not finite"), "give numbers"));
    }
    if network.objective.as_ref().is_some_and(|objective| objective.loss.takes_labels()) {
        if network.gives_steps() {
            let steps = logits.0.first().copied().unwrap_or(1);
            let known = |label: &f64| label.fract() == 0.0 && (-1.0..classes as f64).contains(label);
            if y.len() != steps || !y.iter().all(known) {
                let what = format!("--y: the loss compares with {steps} class numbers, one for each time step");
                return Err(usage(
                    what,
                    &format!("give whole numbers from 0 to {}, -1 where none counts", classes - 1),
                ));
            }
            let labels = y.iter().map(|&label| if label < 0.0 { IGNORED } else { label as i32 }).collect();
            return Ok(Matrix::with_labels(x.to_vec(), x.len(), labels));
        }
        let class = match y.as_slice() {
            [class] if (0.0..outputs as f64).contains(class) && class.fract() == 0.0 => *class as i32,
            _ => {
                let what =
                    format!("--y: the loss compares with a class number from 0 to {}", outputs.saturating_sub(1));
                return Err(usage(what, "give one whole number, or --loss mse with a value for each output"));
            }
        };
        return Ok(Matrix::with_labels(x.to_vec(), x.len(), vec![class]));
    }
    if y.len() != outputs {
        let what = format!("the network gives {outputs} outputs, but --y has {} values", y.len());
        return Err(usage(what, "give a value for each output"));
    }
    Ok(Matrix::with_values(x.to_vec(), x.len(), y, outputs))
}

/// Rows of standard normal numbers, or of tokens; targets that the loss can take.
fn drawn(network: &Network, rows: usize, seed: u64) -> Matrix<f64> {
    let draws = Draws::new(seed, Purpose::Synthetic, 0, 0);
    let width = network.inputs();
    let number = |place: usize| match network.spec.vocabulary.filter(|_| network.reads_tokens()) {
        Some(vocabulary) => draws.below(place as u64, vocabulary as u64) as f64,
        None => draws.normal(place as u64),
    };
    let x: Vec<f64> = (0..rows * width).map(number).collect();
    let logits = &network.graph.node(network.logits).shape;
    let (outputs, classes) = (logits.len(), logits.last().max(1));
    let steps = if network.gives_steps() { outputs / classes } else { 1 };
    match network.objective.as_ref().map(|objective| &objective.loss) {
        Some(loss) if loss.takes_labels() => {
            Matrix::with_labels(x, width, (0..rows * steps).map(|place| (place % classes) as i32).collect())
        }
        Some(LossSpec::BinaryCrossEntropy { .. }) => {
            Matrix::with_values(x, width, (0..rows * outputs).map(|place| (place % 2) as f64).collect(), outputs)
        }
        Some(LossSpec::SoftCrossEntropy { .. }) => {
            Matrix::with_values(x, width, vec![1.0 / classes as f64; rows * outputs], outputs)
        }
        _ => {
            let after = (rows * width) as u64;
            let values = (0..rows * outputs).map(|place| draws.normal(after + place as u64)).collect();
            Matrix::with_values(x, width, values, outputs)
        }
    }
}

/// The first rows of the data that have a target, in f64.
fn of_data(args: &Args, model: &Model, path: &str, network: &Network) -> Result<Matrix<f64>, CliError> {
    if let Some(text) = model.text() {
        return of_text(args, text, path, network);
    }
    let wanted = Wanted { target: Need::Must, ..Wanted::default() };
    let data = model_data::open(model, path, &args.reading.options(), args.part, wanted)?;
    let (encoded, rows) = match data {
        ModelData::Stream(mut stream) => {
            let table = stream.next_chunk(4096.max(args.rows as usize))?.unwrap_or_default();
            let (encoded, rows, _) = model.encode_table(&table, true)?;
            (encoded, rows)
        }
        data => {
            let labelled = super::evaluate::encode(model, data, None)?;
            (labelled.encoded, labelled.rows)
        }
    };
    let rows = &rows[..rows.len().min(args.rows as usize)];
    let width = encoded.width();
    let mut x = vec![0.0f32; rows.len() * width];
    encoded.features(rows, &mut x);
    let targets = targets(&encoded, rows, network);
    let weights = rows.iter().map(|&row| encoded.weight(row)).collect();
    Ok(Matrix { x: x.into_iter().map(f64::from).collect(), width, targets, weights })
}

/// The first windows of a text, with the next characters.
fn of_text(args: &Args, text: &TextPreprocess, path: &str, network: &Network) -> Result<Matrix<f64>, CliError> {
    let file = glassnet::data::read_text(path)?;
    let tokens = text.encode(&file.text).map_err(|error| CliError::Data(format!("{}: {error}", file.source)))?;
    let windows = Windows::side_by_side(tokens.into(), text.context);
    let rows = Source::<f64>::rows(&windows).min(args.rows as usize);
    if rows == 0 {
        let what = format!("{}: a text of one character has no next one", file.source);
        return Err(CliError::Data(format!("{what}\n  hint: give a longer text")));
    }
    let rows: Vec<u32> = (0..rows as u32).collect();
    let width = network.inputs();
    let (mut x, mut labels) = (vec![0; rows.len() * width], vec![0; rows.len() * width]);
    Source::<f64>::tokens(&windows, &rows, &mut x);
    for (labels, &row) in labels.chunks_exact_mut(width.max(1)).zip(&rows) {
        Source::<f64>::labels(&windows, row, labels);
    }
    let mut matrix = Matrix::with_labels(x.into_iter().map(f64::from).collect(), width, labels);
    matrix.weights = rows.iter().map(|&row| Source::<f64>::weight(&windows, row)).collect();
    Ok(matrix)
}

fn targets(encoded: &Encoded<f32>, rows: &[u32], network: &Network) -> Targets<f64> {
    if network.objective.as_ref().is_some_and(|objective| objective.loss.takes_labels()) {
        return Targets::Labels(rows.iter().map(|&row| encoded.label(row)).collect());
    }
    let outputs = network.graph.node(network.logits).shape.len().max(1);
    let mut values = vec![0.0f32; rows.len() * outputs];
    for (&row, out) in rows.iter().zip(values.chunks_exact_mut(outputs)) {
        encoded.values(row, out);
    }
    Targets::Values(values.into_iter().map(f64::from).collect(), outputs)
}
