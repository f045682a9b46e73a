//! The same function with fewer layers: linear and scale layers without a curve between them are one affine map.
//!
//! `W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)`; a scale layer is a diagonal W without a bias. So stacked linear
//! layers without a curve can do no more than one. This is done only on request, and for prediction: trained further,
//! the two forms move differently (and a bottleneck such as 784 -> 10 -> 784 has fewer parameters than the map it makes).

use glassnet_core::Real;
use serde::Serialize;

use super::InspectError;
use crate::network::Network;
use crate::spec::{LayerSpec, NetSpec};

/// What may be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeOptions {
    /// Whether layers on both sides of a dropout are merged too, and the dropout left out. Off by default: at prediction
    /// dropout is the identity and the result is the same, but trained further the network would lack its dropout.
    pub through_dropout: bool,
}

/// A network with fewer layers that computes the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged<T> {
    /// The network; its loss is the old one's.
    pub network: Network,
    /// Its parameters.
    pub parameters: Vec<T>,
    /// What was merged, in order; empty: there was nothing to merge and the network is the old one.
    pub merges: Vec<Merge>,
}

impl<T> Merged<T> {
    /// The specification of the merged network.
    pub fn spec(&self) -> &NetSpec {
        &self.network.spec
    }
}

/// Layers that became one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Merge {
    /// Their names in the old network.
    pub layers: Vec<String>,
    /// The name of the one in the new network.
    pub into: String,
    /// Parameters of all of them.
    pub parameters_before: usize,
    /// Parameters of the one.
    pub parameters_after: usize,
    /// Dropouts between them that were left out.
    pub dropouts: Vec<String>,
}

impl std::fmt::Display for Merge {
    /// `layers 0, 1 became layer 0: 12 -> 3 parameters`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (before, after) = (self.parameters_before, self.parameters_after);
        write!(f, "layers {} became layer {}: {before} -> {after} parameters", self.layers.join(", "), self.into)?;
        match self.dropouts.is_empty() {
            true => Ok(()),
            false => write!(f, "; dropout {} left out", self.dropouts.join(", ")),
        }
    }
}

/// Merges affine layers that have no curve between them, also inside residual blocks.
///
/// Sums are computed in f64 in the order of the inputs and rounded once to `T`. Given weights of merged layers are dropped from the
/// specification: they are those of layers that are gone.
///
/// ```
/// use glassnet_nn::inspect::{MergeOptions, merge_affine, parameters_from_flat};
/// use glassnet_nn::{network::Network, spec::NetSpec};
/// let network = Network::new(&"1 -> 1 -> 1".parse::<NetSpec>()?, None)?;
/// let parameters: Vec<f64> = parameters_from_flat(&network, &[2.0, 3.0], &[0.5, 0.1])?;
/// let merged = merge_affine(&network, &parameters, MergeOptions::default())?;
/// assert_eq!(merged.parameters, [6.0, 1.6]);
/// assert_eq!(merged.merges[0].to_string(), "layers 0, 1 became layer 0: 4 -> 2 parameters");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Parameters of another network.
pub fn merge_affine<T: Real>(
    network: &Network,
    parameters: &[T],
    options: MergeOptions,
) -> Result<Merged<T>, InspectError> {
    let (wanted, found) = (network.parameters(), parameters.len());
    if wanted != found {
        return Err(InspectError::Parameters { what: "parameters", wanted, found });
    }
    let mut merges = Vec::new();
    let pieces = sequence(network, parameters, &network.spec.layers, "", "", options, &mut merges);
    let spec = NetSpec { layers: pieces.iter().map(|piece| piece.spec.clone()).collect(), ..network.spec.clone() };
    let loss = network.objective.as_ref().map(|objective| &objective.loss);
    let merged = Network::new(&spec, loss)?;
    let mut values = vec![T::ZERO; merged.parameters()];
    fill(&merged, &pieces, &mut values);
    Ok(Merged { network: merged, parameters: values, merges })
}

/// A layer of the new network with its tensors by their new names.
struct Piece<T> {
    spec: LayerSpec,
    old: Vec<String>,
    dropouts: Vec<String>,
    tensors: Vec<(String, Vec<T>)>,
    affine: Option<Affine>,
    inside: Vec<Piece<T>>,
}

/// `y = W x + b`, or `y = s x`.
#[derive(Debug, Clone)]
enum Affine {
    /// `W [units, inputs]`, `b [units]` (empty: no bias).
    Dense { units: usize, weight: Vec<f64>, bias: Vec<f64> },
    /// s.
    Scale(Vec<f64>),
}

impl Affine {
    fn parameters(&self) -> usize {
        match self {
            Affine::Dense { weight, bias, .. } => weight.len() + bias.len(),
            Affine::Scale(scale) => scale.len(),
        }
    }

    /// `self` first, then `next`.
    fn then(&self, next: &Affine) -> Affine {
        match (self, next) {
            (Affine::Scale(first), Affine::Scale(second)) => {
                Affine::Scale(first.iter().zip(second).map(|(a, b)| a * b).collect())
            }
            (Affine::Scale(scale), Affine::Dense { units, weight, bias }) => {
                let columns = scale.iter().cycle();
                let weight = weight.iter().zip(columns).map(|(w, s)| w * s).collect();
                Affine::Dense { units: *units, weight, bias: bias.clone() }
            }
            (Affine::Dense { units, weight, bias }, Affine::Scale(scale)) => {
                let inputs = (weight.len() / units).max(1);
                let rows = weight.chunks(inputs).zip(scale);
                let weight = rows.flat_map(|(row, s)| row.iter().map(move |w| w * s)).collect();
                let bias = bias.iter().zip(scale).map(|(b, s)| b * s).collect();
                Affine::Dense { units: *units, weight, bias }
            }
            (Affine::Dense { units: middle, weight: w1, bias: b1 }, Affine::Dense { units, weight: w2, bias: b2 }) => {
                let inputs = w1.len() / middle;
                let mut weight = vec![0.0; units * inputs];
                let mut bias = if b2.is_empty() { vec![0.0; *units] } else { b2.clone() };
                for (unit, row) in w2.chunks(*middle).enumerate() {
                    let out = &mut weight[unit * inputs..(unit + 1) * inputs];
                    for (&w, first) in row.iter().zip(w1.chunks(inputs)) {
                        out.iter_mut().zip(first).for_each(|(out, first)| *out += w * first);
                    }
                    bias[unit] += row.iter().zip(b1).map(|(w, b)| w * b).sum::<f64>();
                }
                if b1.is_empty() && b2.is_empty() {
                    bias.clear();
                }
                Affine::Dense { units: *units, weight, bias }
            }
        }
    }

    fn spec(&self) -> LayerSpec {
        match self {
            Affine::Scale(_) => LayerSpec::Scaling,
            Affine::Dense { units, bias, .. } => {
                LayerSpec::Linear { units: *units, bias: !bias.is_empty(), init: None, weight: None, bias_values: None }
            }
        }
    }

    fn tensors<T: Real>(&self) -> Vec<(&'static str, Vec<T>)> {
        let round = |values: &[f64]| values.iter().map(|&value| T::from_f64(value)).collect();
        match self {
            Affine::Scale(scale) => vec![("scale", round(scale))],
            Affine::Dense { weight, bias, .. } if bias.is_empty() => vec![("weight", round(weight))],
            Affine::Dense { weight, bias, .. } => vec![("weight", round(weight)), ("bias", round(bias))],
        }
    }
}

fn inside(prefix: &str, index: usize) -> String {
    if prefix.is_empty() { index.to_string() } else { format!("{prefix}.{index}") }
}

/// The new layers of a sequence; `old` and `new` are the names of the block that they stand in.
fn sequence<T: Real>(
    network: &Network,
    parameters: &[T],
    layers: &[LayerSpec],
    old: &str,
    new: &str,
    options: MergeOptions,
    merges: &mut Vec<Merge>,
) -> Vec<Piece<T>> {
    let mut pieces: Vec<Piece<T>> = Vec::new();
    for (index, spec) in layers.iter().enumerate() {
        let old_name = inside(old, index);
        if let Some(affine) = affine(network, parameters, spec, &old_name) {
            if let Some(merged) = merge_into_last(&mut pieces, &affine, &old_name, options) {
                let into = inside(new, pieces.len() - 1);
                report(merges, &pieces, into, merged, &affine);
                continue;
            }
            let own = tensors(network, parameters, &old_name, &inside(new, pieces.len()));
            pieces.push(Piece::new(spec.clone(), old_name, own, Some(affine)));
            continue;
        }
        let new_name = inside(new, pieces.len());
        match spec {
            LayerSpec::Residual { layers } => {
                let inner = sequence(network, parameters, layers, &old_name, &new_name, options, merges);
                let spec = LayerSpec::Residual { layers: inner.iter().map(|piece| piece.spec.clone()).collect() };
                let mut piece = Piece::new(spec, old_name, Vec::new(), None);
                piece.inside = inner;
                pieces.push(piece);
            }
            other => {
                let own = tensors(network, parameters, &old_name, &new_name);
                pieces.push(Piece::new(other.clone(), old_name, own, None));
            }
        }
    }
    pieces
}

impl<T> Piece<T> {
    fn new(spec: LayerSpec, old: String, tensors: Vec<(String, Vec<T>)>, affine: Option<Affine>) -> Self {
        Piece { spec, old: vec![old], dropouts: Vec::new(), tensors, affine, inside: Vec::new() }
    }
}

/// Merges `next` into the last piece, where that is affine (behind dropouts, where the options say so); gives the
/// parameters that the piece had before.
fn merge_into_last<T: Real>(
    pieces: &mut Vec<Piece<T>>,
    next: &Affine,
    name: &str,
    options: MergeOptions,
) -> Option<usize> {
    let at = pieces
        .iter()
        .rposition(|piece| !(options.through_dropout && matches!(piece.spec, LayerSpec::Dropout { .. })))?;
    let before = pieces[at].affine.as_ref()?;
    let affine = before.then(next);
    let parameters = before.parameters();
    let prefix = pieces[at].tensors.first().and_then(|(name, _)| name.rsplit_once('.'))?.0.to_string();
    let dropped: Vec<String> = pieces.drain(at + 1..).flat_map(|piece| piece.old).collect();
    let piece = &mut pieces[at];
    piece.spec = affine.spec();
    piece.tensors = affine.tensors().into_iter().map(|(kind, values)| (format!("{prefix}.{kind}"), values)).collect();
    piece.affine = Some(affine);
    piece.old.push(name.to_string());
    piece.dropouts.extend(dropped);
    Some(parameters)
}

/// Notes a merge, or adds to the note of the same piece.
fn report<T>(merges: &mut Vec<Merge>, pieces: &[Piece<T>], into: String, before: usize, next: &Affine) {
    let Some(piece) = pieces.last() else { return };
    let sum = match merges.pop_if(|last| last.into == into) {
        Some(last) => last.parameters_before,
        None => before,
    };
    merges.push(Merge {
        layers: piece.old.clone(),
        into,
        parameters_before: sum + next.parameters(),
        parameters_after: piece.affine.as_ref().map_or(0, Affine::parameters),
        dropouts: piece.dropouts.clone(),
    });
}

/// A linear or scale layer as an affine map in f64.
fn affine<T: Real>(network: &Network, parameters: &[T], spec: &LayerSpec, name: &str) -> Option<Affine> {
    let slot = |kind: &str| -> Vec<f64> {
        let slot = network.graph.slots().find(&format!("{name}.{kind}"));
        slot.map_or(Vec::new(), |slot| parameters[slot.range()].iter().map(|value| value.to_f64()).collect())
    };
    match spec {
        LayerSpec::Linear { units, .. } => {
            Some(Affine::Dense { units: *units, weight: slot("weight"), bias: slot("bias") })
        }
        LayerSpec::Scaling => Some(Affine::Scale(slot("scale"))),
        _ => None,
    }
}

/// A layer's tensors under its new name.
fn tensors<T: Real>(network: &Network, parameters: &[T], old: &str, new: &str) -> Vec<(String, Vec<T>)> {
    let slots = network.graph.slots().iter().filter_map(|slot| {
        let rest = slot.name.strip_prefix(old)?.strip_prefix('.')?;
        Some((format!("{new}.{rest}"), parameters[slot.range()].to_vec()))
    });
    slots.collect()
}

fn fill<T: Real>(network: &Network, pieces: &[Piece<T>], values: &mut [T]) {
    for piece in pieces {
        for (name, tensor) in &piece.tensors {
            if let Some(slot) = network.graph.slots().find(name) {
                values[slot.range()].copy_from_slice(tensor);
            }
        }
        fill(network, &piece.inside, values);
    }
}
