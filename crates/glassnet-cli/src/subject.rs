//! NET of `inspect`, `trace` and `check`: a model file, a TOML, or a text form with sizes; and its parameters.

use std::path::Path;

use glassnet::model::Model;
use glassnet::nn::inspect::parameters_from_flat;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::spec::toml::{LONGEST_TOML, RunConfig};
use glassnet::nn::spec::{Activation, LayerSpec, NetSpec};

use crate::error::CliError;
use crate::losses::LossName;
use crate::model_data::load_model;

/// Which network, with which parameters.
#[derive(Debug, Clone, clap::Args)]
pub struct NetArgs {
    /// A model file, a TOML with a [network], or a text form with sizes, such as "2 -> 4 tanh -> 1"
    #[arg(value_name = "NET")]
    pub net: String,
    /// Weights of all linear layers, in order; of each layer row by row, a row for each unit
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    pub w: Option<Vec<f64>>,
    /// Biases of all linear layers, in order; 0 where only --w is given
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', allow_hyphen_values = true)]
    pub b: Option<Vec<f64>>,
    /// The loss: mse, mae, huber, cross-entropy or bce; otherwise what fits the network and its target
    #[arg(long, value_name = "NAME", value_parser = LossName::parse)]
    pub loss: Option<LossName>,
    /// What weights are drawn from where none are given
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// What NET is.
pub enum Net {
    /// A trained model.
    Model(Box<Model>),
    /// Layers with all sizes, from a TOML or the text form.
    Layers(NetSpec),
}

/// Where parameters came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weights {
    /// The model's.
    Trained,
    /// Given in the TOML, or by --w and --b.
    Given,
    /// Drawn from a seed, some or all.
    Drawn(u64),
}

impl Net {
    /// Finds out what NET is and reads it.
    ///
    /// # Errors
    /// No such file; a model or a TOML that cannot be read; a text form that does not parse, or without an input size.
    pub fn read(text: &str) -> Result<Net, CliError> {
        let path = Path::new(text);
        if is_toml(text) && (path.exists() || looks_like_path(text)) {
            return toml(text);
        }
        if path.is_file() || looks_like_path(text) {
            return Ok(Net::Model(Box::new(load_model(text)?)));
        }
        let spec = NetSpec::parse(text).map_err(|error| CliError::Usage(error.named("NET").to_string()))?;
        sized(spec, "NET")
    }

    /// The network with this loss; without one a model's own, and none for layers.
    ///
    /// # Errors
    /// A loss that does not fit.
    pub fn network(&self, loss: Option<&LossSpec>) -> Result<Network, CliError> {
        let usage = |error: glassnet::nn::network::NetworkError| CliError::Usage(error.to_string());
        match (self, loss) {
            (Net::Model(model), None) => Ok(model.network().clone()),
            (Net::Model(model), loss) => Network::new(&model.document().network.spec, loss).map_err(usage),
            (Net::Layers(spec), loss) => Network::new(spec, loss).map_err(usage),
        }
    }

    /// The last layer's curve, where it has one.
    pub fn last_curve(&self) -> Option<Activation> {
        let Net::Layers(spec) = self else { return None };
        match spec.layers.last() {
            Some(LayerSpec::Activation { function }) => Some(*function),
            _ => None,
        }
    }

    /// The parameters: --w and --b, the model's, those in the TOML, or drawn.
    ///
    /// # Errors
    /// Too few or too many numbers, or one that is not finite.
    pub fn parameters(&self, network: &Network, args: &NetArgs) -> Result<(Vec<f64>, Weights), CliError> {
        if args.w.is_some() || args.b.is_some() {
            let w = args.w.clone().unwrap_or_default();
            let biases = network.graph.slots().iter().filter(|slot| slot.role == glassnet::core::slots::Role::Bias);
            let b = args.b.clone().unwrap_or_else(|| vec![0.0; biases.map(|slot| slot.len()).sum()]);
            let parameters = parameters_from_flat(network, &w, &b);
            let parameters = parameters.map_err(|error| CliError::Usage(format!("--w, --b: {error}")))?;
            return Ok((parameters, Weights::Given));
        }
        match self {
            Net::Model(model) => {
                let parameters = model.parameters().iter().map(|&value| f64::from(value)).collect();
                Ok((parameters, Weights::Trained))
            }
            Net::Layers(_) => {
                let all_given = network.layers.iter().all(|layer| match &layer.linear {
                    Some(linear) => linear.given.0.is_some() && (layer.slots.len() < 2 || linear.given.1.is_some()),
                    None => true,
                });
                crate::machine::holds("NET", network.parameters(), 8)?;
                let weights = if all_given { Weights::Given } else { Weights::Drawn(args.seed) };
                Ok((network.initialise(args.seed), weights))
            }
        }
    }
}

impl Weights {
    /// In words, where they are not what a person would take for granted.
    pub fn words(&self) -> Option<String> {
        match self {
            Weights::Drawn(seed) => Some(format!("weights drawn from seed {seed}; --w and --b give others")),
            Weights::Trained | Weights::Given => None,
        }
    }
}

/// Whether --w or --b replace a model's own weights: then the f32 arithmetic of the model is not what is asked for.
pub fn replaces(args: &NetArgs) -> bool {
    args.w.is_some() || args.b.is_some()
}

fn toml(path: &str) -> Result<Net, CliError> {
    let usage = |what: String, hint: &str| CliError::Usage(format!("{path}: {what}\n  hint: {hint}"));
    let text = match std::fs::metadata(path) {
        Ok(data) if data.len() > LONGEST_TOML as u64 => {
            return Err(usage(format!("{} bytes are too many for a settings file", data.len()), "is it a TOML?"));
        }
        _ => std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => usage("there is no such file".into(), "check the path"),
            _ => usage(format!("it cannot be read: {error}"), "give a TOML with a [network]"),
        })?,
    };
    let run = RunConfig::parse(&text).map_err(|error| CliError::Usage(error.named(path).to_string()))?;
    match run.network {
        Some(spec) => sized(spec, path),
        None => Err(usage("it has no [network]".into(), "add a [network] with net = \"2 -> 4 tanh -> 1\"")),
    }
}

/// Checks all widths, so that an error points into the text.
fn sized(spec: NetSpec, name: &str) -> Result<Net, CliError> {
    spec.shapes(None, None).map_err(|error| CliError::Usage(error.named(name).to_string()))?;
    Ok(Net::Layers(spec))
}

fn is_toml(text: &str) -> bool {
    Path::new(text).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
}

/// No text form has a slash or a file's ending; numbers such as 0.5 have no letters behind the point.
fn looks_like_path(text: &str) -> bool {
    if text.contains("->") || text.contains('→') || text.contains(char::is_whitespace) {
        return Path::new(text).exists() && !text.contains("->");
    }
    let ending = Path::new(text).extension().and_then(|ending| ending.to_str()).unwrap_or("");
    text.contains(['/', '\\']) || ending.chars().next().is_some_and(char::is_alphabetic)
}

/// Numbers of a row, all of them finite.
///
/// # Errors
/// The first that is not, by its place.
pub fn finite(flag: &str, numbers: &[f64]) -> Result<(), CliError> {
    match numbers.iter().position(|number| !number.is_finite()) {
        None => Ok(()),
        Some(place) => Err(CliError::Usage(format!(
            "{flag}: number {} is {}, which is not finite\n  hint: give a number such as 0.5",
            place + 1,
            numbers[place]
        ))),
    }
}
