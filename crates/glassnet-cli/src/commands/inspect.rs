//! `glassnet inspect`: what a network or a model is made of and where it comes from.

mod filters;
mod text;

use glassnet::core::{Plan, Purpose};
use glassnet::model::Model;
use glassnet::model::file::Provenance;
use glassnet::nn::inspect::merge_affine::Merge;
use glassnet::nn::inspect::{self, MergeOptions, Summary, merge_affine};
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::spec::Activation;
use serde::Serialize;

use crate::error::CliError;
use crate::inputs::keep_inputs_from;
use crate::model_data::image_shape;
use crate::output::Output;
use crate::subject::{Net, NetArgs, Weights};

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub net: NetArgs,
    /// Rows at once that the memory is for
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// The optimizer that the training memory is for
    #[arg(long, value_name = "NAME", default_value = "adam")]
    pub optimizer: OptimizerSpec,
    /// Print the plans, step by step: training, then predicting
    #[arg(long)]
    pub plan: bool,
    /// Show what is left when affine layers without a curve between them are made one
    #[arg(long)]
    pub merge: bool,
    /// Draw the first layer's weights to this PNG: a convolution's filters, or what each unit looks at in an image
    #[arg(long, value_name = "FILE.png")]
    pub filters: Option<std::path::PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  glassnet inspect late.glass
  glassnet inspect \"784 -> 256 relu -> 128 relu -> 10\" --batch 64
  glassnet inspect net.toml --plan
  glassnet inspect \"2 -> 2 -> 1\" --w 1,-2,0.5,1,0.4,-0.8 --b -0.5,0.25,0.1 --merge
  glassnet inspect digits.glass --filters filters.png
  glassnet inspect late.glass --json | jq .summary.parameters

--filters draws each filter with its channels side by side (three channels as red, green and blue), enlarged: grey is a
weight of 0, white and black are the largest weight of all filters and its negative.";

/// What `inspect` says with `--json`.
#[derive(Debug, Serialize)]
pub struct Inspected<'a> {
    net: &'a str,
    text: String,
    loss: &'static str,
    weights: &'static str,
    summary: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<About<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plans: Option<Plans>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<Merged>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filters: Option<filters::Filters>,
}

/// What only a model has.
#[derive(Debug, Serialize)]
struct About<'a> {
    format_version: u32,
    schema: &'a glassnet::model::Schema,
    preprocess: &'a glassnet::model::file::Features,
    head: glassnet::model::file::Head,
    provenance: &'a Provenance,
    metrics: &'a std::collections::BTreeMap<String, serde_json::Value>,
}

/// The plans, as text.
#[derive(Debug, Serialize)]
struct Plans {
    train: String,
    predict: String,
}

/// What merging affine layers leaves.
#[derive(Debug, Serialize)]
struct Merged {
    merges: Vec<Merge>,
    text: String,
    parameters: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slots: Vec<(String, Vec<usize>, Vec<f64>)>,
}

/// Runs it.
pub fn run(args: &Args, output: &mut Output) -> Result<(), CliError> {
    let net = Net::read(&args.net.net)?;
    let model = match &net {
        Net::Model(model) => Some(model.as_ref()),
        Net::Layers(_) => None,
    };
    let loss = match args.net.loss {
        Some(loss) => Some(loss.spec(false)),
        None if model.is_some() => None,
        None => Some(default_loss(&net)?),
    };
    let network = net.network(loss.as_ref())?;
    let (parameters, weights) = net.parameters(&network, &args.net)?;
    let shown = match weights {
        Weights::Drawn(_) => None,
        Weights::Trained | Weights::Given => Some(parameters.iter().map(|&value| value as f32).collect::<Vec<f32>>()),
    };
    let batch = args.batch as usize;
    let usage = |error: inspect::InspectError| CliError::Usage(error.to_string());
    let summary = inspect::summary::<f32>(&network, shown.as_deref(), batch, &args.optimizer).map_err(usage)?;
    let filters = match &args.filters {
        Some(file) => {
            keep_inputs_from("--filters", file, &[&args.net.net])?;
            Some(filters::draw(&network, &parameters, model.and_then(image_shape), file)?)
        }
        None => None,
    };
    let inspected = Inspected {
        net: &args.net.net,
        text: network.spec.to_string(),
        loss: network.objective.as_ref().map_or("none", |objective| objective.loss.name()),
        weights: match weights {
            Weights::Trained => "trained",
            Weights::Given => "given",
            Weights::Drawn(_) => "not given",
        },
        summary,
        model: model.map(about),
        plans: args.plan.then(|| Plans {
            train: plan(&network, Purpose::Train, batch).to_string(),
            predict: plan(&network, Purpose::Predict, batch).to_string(),
        }),
        merged: if args.merge { Some(merged(&network, &parameters, &weights)?) } else { None },
        filters,
    };
    output.result(&inspected.to_string(), &inspected)
}

fn plan(network: &Network, purpose: Purpose, rows: usize) -> std::sync::Arc<Plan> {
    network.plan(purpose, rows)
}

fn about(model: &Model) -> About<'_> {
    let document = model.document();
    About {
        format_version: document.format_version,
        schema: &document.schema,
        preprocess: &document.preprocess,
        head: document.network.head,
        provenance: &document.provenance,
        metrics: &document.metrics,
    }
}

/// The loss that a training of these layers would have: the plan and its memory are for it.
fn default_loss(net: &Net) -> Result<LossSpec, CliError> {
    let outputs = net.network(None)?.outputs();
    Ok(match net.last_curve() {
        Some(Activation::Sigmoid) => LossSpec::binary_cross_entropy(),
        _ if outputs > 1 => LossSpec::cross_entropy(),
        _ => LossSpec::MeanSquared,
    })
}

fn merged(network: &Network, parameters: &[f64], weights: &Weights) -> Result<Merged, CliError> {
    let merged = merge_affine(network, parameters, MergeOptions::default())
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let slots = merged.network.graph.slots();
    // Drawn numbers say nothing; many are for --json of a network that says them.
    let small = slots.len() <= 64 && !matches!(weights, Weights::Drawn(_));
    let values = slots.iter().filter(|_| small);
    let values = values.map(|slot| (slot.name.clone(), slot.shape.clone(), merged.parameters[slot.range()].to_vec()));
    Ok(Merged {
        text: merged.spec().to_string(),
        parameters: merged.parameters.len(),
        slots: values.collect(),
        merges: merged.merges,
    })
}
