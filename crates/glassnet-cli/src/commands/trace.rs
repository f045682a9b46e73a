//! `glassnet trace`: one row through a network, every number shown; with a target every gradient too.

mod maps;
mod text;

use std::fmt::Write;

use glassnet::core::Real;
use glassnet::model::Model;
use glassnet::model::file::Head;
use glassnet::nn::inspect::number::significant;
use glassnet::nn::inspect::{self, InspectError, Target, Trace, TraceOptions};
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::spec::Activation;
use serde::Serialize;

use crate::error::CliError;
use crate::inputs::keep_inputs_from;
use crate::model_data::{self, Need, Part, Wanted};
use crate::output::Output;
use crate::reading::ReadArgs;
use crate::row::{self, Row, RowTarget};
use crate::subject::{self, Net, NetArgs};

/// Arguments of `trace`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub net: NetArgs,
    /// For a model: the data that the row is taken from
    pub data: Option<String>,
    /// Which row of DATA, counted from 1
    #[arg(long, value_name = "K", default_value_t = 1, requires = "data", value_parser = clap::value_parser!(u64).range(1..))]
    pub row: u64,
    /// The row itself: the numbers that the network reads
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true, conflicts_with = "data")]
    pub x: Option<Vec<f64>>,
    /// For a model of text: a piece of text, cut or padded to the context; each character's target is the next one
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["data", "x", "y"])]
    pub text: Option<String>,
    /// The target: loss and gradients are traced too. Numbers (one for each time step, -1 where none counts), or a model's
    /// class by name
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true)]
    pub y: Option<String>,
    /// One plain gradient step with this learning rate: old - lr x gradient = new, then the score again
    #[arg(long, value_name = "LR", allow_hyphen_values = true)]
    pub step: Option<f64>,
    /// A layer to show in full, whatever its size
    #[arg(long, value_name = "NAME")]
    pub layer: Option<String>,
    /// Draw the row and what every layer gives for it to this PNG: images and sequences, a band for each layer
    #[arg(long, value_name = "FILE.png")]
    pub maps: Option<std::path::PathBuf>,
    /// Values only, although the data says the target
    #[arg(long, conflicts_with_all = ["y", "step"])]
    pub forward: bool,
    /// Which images of a folder; test where it has any
    #[arg(long, value_name = "PART", requires = "data")]
    pub part: Option<Part>,
    #[command(flatten)]
    pub reading: ReadArgs,
}

const EXAMPLES: &str = "\
Examples:
  glassnet trace \"2 -> 1 sigmoid\" --w 0.7,0.3 --b -4 --x 6,8
  glassnet trace \"2 -> 1 sigmoid\" --w 0.7,0.3 --b -4 --x 6,8 --y 1 --step 0.1
  glassnet trace \"2 -> 4 tanh -> 1\" --x 0,1 --y 1 --seed 7
  glassnet trace late.glass new.csv --row 3
  glassnet trace digits.glass mnist/ --row 7 --layer 2
  glassnet trace digits.glass mnist/ --row 7 --maps maps.png
  glassnet trace play.glass --text \"ROMEO:\"
  glassnet trace \"tokens 3 vocabulary 5 -> embed 4 -> gru 3 -> 5\" --x 0,4,2 --y 4,2,-1

Every number is the engine's own. A text form or a TOML is worked in f64, a model in f32, as it predicts. The loss is the
model's own; otherwise it follows from the network and its target: cross-entropy for a softmax or a class number, binary
cross-entropy for a sigmoid, mean squared error for the rest; --loss says another. Layers of more than 16 units are
summarised; --layer opens one. Tokens are whole numbers from 0, -1 is padding. --maps scales each layer from its smallest
number (black) to its largest (white) and says both.";

/// What `trace` says with `--json`.
#[derive(Debug, Serialize)]
struct Traced<'a> {
    net: &'a str,
    weights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<&'a Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [String]>,
    trace: &'a Trace,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maps: Option<maps::Maps>,
}

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let net = Net::read(&args.net.net)?;
    let model = match &net {
        Net::Model(model) => Some(model.as_ref()),
        Net::Layers(_) => None,
    };
    let of_text = model.and_then(Model::text);
    let piece = match (&args.text, &args.data, of_text) {
        (Some(words), _, Some(text)) => Some(text::given(text, words)?),
        (Some(_), _, None) => {
            return Err(CliError::Usage(
                "--text: the network was not trained on text\n  hint: give a model that `train --task text` wrote, or a row with --x"
                    .into(),
            ));
        }
        (None, Some(path), Some(text)) => Some(text::read(text, path, args.row)?),
        _ => None,
    };
    if let Some(piece) = piece.as_ref().filter(|piece| piece.cut > 0) {
        output.message(&format!("--text: {} characters do not fit the context and are left out", piece.cut));
    }
    let row = match (&args.data, model) {
        _ if piece.is_some() => None,
        (Some(data), Some(model)) => {
            let wanted = Wanted { target: if args.forward { Need::No } else { Need::May }, ..Wanted::default() };
            let data = model_data::open(model, data, &args.reading.options(), args.part, wanted)?;
            Some(row::read(model, data, args.row)?)
        }
        (Some(data), None) => {
            return Err(CliError::Usage(format!(
                "{data}: only a model knows what columns become before the network\n  hint: give a model file, or the row itself \
                 with --x"
            )));
        }
        (None, _) => None,
    };
    let target = match &piece {
        Some(piece) => {
            let counts = !args.forward && piece.labels.iter().any(|&label| label >= 0.0);
            counts.then(|| Goal::Values(piece.labels.clone()))
        }
        None => target(args, model, row.as_ref())?,
    };
    let row = piece.as_ref().map(|piece| &piece.row).or(row.as_ref());
    if args.step.is_some() && target.is_none() {
        return Err(CliError::Usage(
            "--step: a step needs gradients, and gradients need a target\n  hint: give it with --y, as in --y 1".into(),
        ));
    }
    let loss = match (&args.net.loss, &target) {
        (Some(loss), target) => {
            let soft = match target {
                Some(Goal::Values(values)) => values.len() > 1 && !are_labels(&net.network(None)?, values.len()),
                _ => false,
            };
            Some(loss.spec(soft))
        }
        (None, Some(Goal::Values(values))) if model.is_none() => Some(default_loss(&net, values.len())?),
        (None, _) => None,
    };
    let network = net.network(loss.as_ref())?;
    let x = match (&args.x, row) {
        (Some(x), _) => {
            subject::finite("--x", x)?;
            x.clone()
        }
        (None, Some(row)) => row.inputs.iter().map(|&x| f64::from(x)).collect(),
        (None, None) => {
            let most = network.spec.vocabulary.unwrap_or(usize::MAX).max(1);
            let example: Vec<String> = (1..=network.inputs().min(8)).map(|x| (x % most).to_string()).collect();
            let dots = if network.inputs() > 8 { ",..." } else { "" };
            return Err(CliError::Usage(format!(
                "there is no row to trace\n  hint: give the {} numbers that the network reads, as in --x {}{dots}{}",
                network.inputs(),
                example.join(","),
                match (of_text.is_some(), model.is_some()) {
                    (true, _) => ", or --text, or a text file and --row",
                    (_, true) => ", or the data and --row",
                    _ => "",
                }
            )));
        }
    };
    let options = TraceOptions {
        target: target.as_ref().map(|target| match target {
            Goal::Class(class) => Target::Class(*class),
            Goal::Values(values) => Target::Values(values),
        }),
        step: args.step,
        layer: args.layer.as_deref(),
    };
    let (parameters, weights) = net.parameters(&network, &args.net)?;
    let traced = match model.is_some() && !subject::replaces(&args.net) {
        true => through::<f32>(&network, &parameters, &x, &options),
        false => through::<f64>(&network, &parameters, &x, &options),
    };
    let trace = traced.map_err(|error| CliError::Usage(error.to_string()))?;
    let prediction = match (&piece, of_text, model) {
        (Some(piece), Some(text), _) => text::expected(text, &piece.characters, &trace),
        (_, _, Some(model)) => predicted(model, &trace),
        _ => None,
    };
    let maps = match &args.maps {
        Some(file) => {
            let read: Vec<&str> = [Some(args.net.net.as_str()), args.data.as_deref()].into_iter().flatten().collect();
            keep_inputs_from("--maps", file, &read)?;
            // As the trace: a model in f32, as it predicts.
            let values = match model.is_some() && !subject::replaces(&args.net) {
                true => {
                    let own = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<f32>>();
                    inspect::layer_values(&network, &own(&parameters), &own(&x))
                }
                false => inspect::layer_values(&network, &parameters, &x),
            };
            let values = values.map_err(|error| CliError::Usage(error.to_string()))?;
            Some(maps::draw(values, model.and_then(model_data::image_shape), file)?)
        }
        None => None,
    };
    let mut text = String::new();
    if let Some(words) = weights.words() {
        let _ = writeln!(text, "{words}");
    }
    if let Some(row) = row {
        let _ = writeln!(text, "{}", row.text());
    }
    if let (Some(model), Some(target), None) = (model, &target, of_text) {
        let _ = writeln!(text, "{}\n", target_words(model, target, row));
    }
    // What the model says belongs to the values; an empty line stands before the gradients.
    text.push_str(&trace.forward_text());
    if let Some((words, _)) = &prediction {
        let _ = writeln!(text, "{words}");
    }
    text.push_str(&trace.backward_text());
    if let Some(maps) = &maps {
        let _ = write!(text, "\n{}", maps.words());
    }
    let value = Traced {
        net: &args.net.net,
        weights: weights.words(),
        row,
        classes: model.and_then(Model::classes),
        trace: &trace,
        prediction: prediction.map(|(_, value)| value),
        maps,
    };
    output.result(&text, &value)
}

fn through<T: Real>(
    network: &Network,
    parameters: &[f64],
    x: &[f64],
    options: &TraceOptions<'_>,
) -> Result<Trace, InspectError> {
    let own = |values: &[f64]| -> Vec<T> { values.iter().map(|&value| T::from_f64(value)).collect() };
    inspect::trace(network, &own(parameters), &own(x), options)
}

/// What the row should give.
enum Goal {
    Class(usize),
    Values(Vec<f64>),
}

fn target(args: &Args, model: Option<&Model>, row: Option<&Row>) -> Result<Option<Goal>, CliError> {
    let Some(y) = &args.y else {
        return Ok(row.and_then(|row| row.target).map(|target| match target {
            RowTarget::Class(class) => Goal::Class(class),
            RowTarget::Value(value) => Goal::Values(vec![value]),
        }));
    };
    if let Some(classes) = model.and_then(Model::classes) {
        let Some(class) = classes.iter().position(|class| class == y.trim()) else {
            let all = classes.join(", ");
            return Err(CliError::Usage(format!(
                "--y {y}: the model has no such class\n  hint: its classes are {all}"
            )));
        };
        return Ok(Some(Goal::Class(class)));
    }
    let number = |word: &str| match word.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(CliError::Usage(format!("--y: {word:?} is no finite number\n  hint: as in --y 1 or --y 0,1,0"))),
    };
    let mut values = y.split(',').map(number).collect::<Result<Vec<f64>, _>>()?;
    if let Some(target) = model.and_then(|model| model.document().schema.target.as_ref()) {
        values.iter_mut().for_each(|value| *value = target.standardise(*value));
    }
    Ok(Some(Goal::Values(values)))
}

/// Whether so many target values are to be class numbers, one for each time step, and not a value for each output.
pub fn are_labels(network: &Network, values: usize) -> bool {
    let shape = &network.graph.node(network.logits).shape;
    network.gives_steps() && shape.last() > 1 && values != shape.len()
}

/// The loss that a network of these layers has for a target of so many values.
fn default_loss(net: &Net, values: usize) -> Result<LossSpec, CliError> {
    let network = net.network(None)?;
    let outputs = network.outputs();
    let labels = are_labels(&network, values);
    let softmax = matches!(net.last_curve(), Some(Activation::Softmax | Activation::LogSoftmax));
    Ok(match net.last_curve() {
        Some(Activation::Sigmoid) => LossSpec::binary_cross_entropy(),
        _ if labels || (outputs > 1 && values == 1) => LossSpec::cross_entropy(),
        _ if softmax => LossSpec::SoftCrossEntropy { smoothing: 0.0, class_weights: Vec::new() },
        _ => LossSpec::MeanSquared,
    })
}

fn target_words(model: &Model, target: &Goal, row: Option<&Row>) -> String {
    let name = model.target();
    match (target, model.classes()) {
        (Goal::Class(class), Some(classes)) => {
            format!("target: {name} is {} (class {class}, from 0)", classes.get(*class).map_or("?", String::as_str))
        }
        (Goal::Values(values), _) => {
            let value = values.first().copied().unwrap_or(f64::NAN);
            let schema = model.document().schema.target.as_ref();
            let own = schema.map_or(value, |target| target.restore(value));
            let own = row.and_then(|row| row.truth.clone()).unwrap_or_else(|| significant(own, 8));
            format!("target: {name} is {own}, standardised {}", significant(value, 6))
        }
        (Goal::Class(class), None) => format!("target: {name} is class {class}"),
    }
}

/// What the model says about the row, in words and as JSON.
fn predicted(model: &Model, trace: &Trace) -> Option<(String, serde_json::Value)> {
    let scores = trace.scores.as_ref().map(|scores| scores.values.as_slice());
    let scores: Vec<f64> = match (model.document().network.head, scores) {
        (Head::Softmax, Some(scores)) => scores.to_vec(),
        (Head::Sigmoid, Some([yes])) => vec![1.0 - yes, *yes],
        (Head::Value, _) => {
            let z = trace.output.first().copied()?;
            let target = model.document().schema.target.as_ref()?;
            let (mean, value) = (target.restore(0.0), target.restore(z));
            let deviation = target.restore(1.0) - mean;
            let shown = significant(value, 7);
            let words = match mean == 0.0 && deviation == 1.0 {
                true => format!("{}: {shown}", target.name),
                false => format!(
                    "{}: {} x {} + {} = {shown}",
                    target.name,
                    significant(z, 6),
                    significant(deviation, 6),
                    significant(mean, 6)
                ),
            };
            return Some((words, serde_json::json!({ "value": value })));
        }
        _ => return None,
    };
    let classes = model.classes()?;
    let best =
        scores.iter().enumerate().fold(0, |best, (place, score)| if *score > scores[best] { place } else { best });
    let mut order: Vec<usize> = (0..scores.len().min(classes.len())).collect();
    if order.len() > 10 {
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        order.truncate(5);
    }
    let parts: Vec<String> = order.iter().map(|&place| format!("{} {:.3}", classes[place], scores[place])).collect();
    let class = classes.get(best)?;
    let words = format!("{}: {} -> {class}", model.target(), parts.join(" | "));
    Some((words, serde_json::json!({ "scores": scores, "class": class })))
}
