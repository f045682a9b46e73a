//! The canonical text of a network: what parses back to the same spec.

use std::fmt;
use std::ops::Range;

use super::names::{activation_text, init_text};
use super::reorder::sizes_text;
use super::{Activation, ImageLayer, LayerSpec, NetSpec};

/// The text with the place of every layer in it.
pub(super) struct Rendered {
    /// The canonical text.
    pub text: String,
    /// The place of the input size, where there is one.
    pub input: Range<usize>,
    /// Every layer, in order.
    pub layers: Vec<Place>,
}

/// One layer in the canonical text.
pub(super) struct Place {
    /// Index, index inside of the residual, ...
    pub path: Vec<usize>,
    /// Where its item stands; a linear layer's holds the activation behind it.
    pub span: Range<usize>,
    /// Its own text, without the activation behind it.
    pub own: String,
}

/// Given weights and biases have no text; everything else parses back to an equal spec.
impl fmt::Display for NetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&render(self).text)
    }
}

pub(super) fn render(spec: &NetSpec) -> Rendered {
    let mut out = Rendered { text: String::new(), input: 0..0, layers: Vec::new() };
    match spec.input {
        None if spec.layers.is_empty() => out.text.push_str("linear"),
        Some(_) if spec.layers.is_empty() && spec.vocabulary.is_none() => {
            out.text.push_str(&format!("input {}", input_text(spec)));
        }
        Some(_) => out.text.push_str(&input_text(spec)),
        // A number alone in front of an arrow would be read as the input size.
        None if spec.layers.len() > 1 && starts_bare(&spec.layers) => out.text.push_str("linear "),
        None => {}
    }
    out.input = 0..out.text.len();
    if spec.input.is_some() && !spec.layers.is_empty() {
        out.text.push_str(" -> ");
    }
    list(&mut out, &spec.layers, &mut Vec::new());
    out
}

/// `784`, `1x28x28`, `tokens 64 vocabulary 65`.
pub(super) fn input_text(spec: &NetSpec) -> String {
    let shape = sizes_text(&spec.input_shape().unwrap_or_default());
    match spec.vocabulary {
        Some(vocabulary) => format!("tokens {shape} vocabulary {vocabulary}"),
        None => shape,
    }
}

fn starts_bare(layers: &[LayerSpec]) -> bool {
    let plain = matches!(layers[0], LayerSpec::Linear { bias: true, init: None, .. });
    plain && !matches!(layers[1], LayerSpec::Activation { .. })
}

fn list(out: &mut Rendered, layers: &[LayerSpec], path: &mut Vec<usize>) {
    let mut index = 0;
    while index < layers.len() {
        if index > 0 {
            out.text.push_str(" -> ");
        }
        let start = out.text.len();
        let slot = out.layers.len();
        path.push(index);
        out.layers.push(Place { path: path.clone(), span: start..start, own: String::new() });
        let mut own = None;
        match &layers[index] {
            LayerSpec::Image(layer @ (ImageLayer::Conv { .. } | ImageLayer::Conv1d { .. })) => {
                out.text.push_str(&layer.to_string());
                own = Some(layer.to_string());
                if let Some(LayerSpec::Activation { function }) = layers.get(index + 1) {
                    index += 1;
                    let (curve, from) = (activation_text(*function), out.text.len() + 1);
                    out.text.push_str(&format!(" {curve}"));
                    let mut place = path.clone();
                    place.pop();
                    place.push(index);
                    out.layers.push(Place { path: place, span: from..out.text.len(), own: curve });
                }
            }
            LayerSpec::Image(layer) => out.text.push_str(&layer.to_string()),
            LayerSpec::Sequence(layer) => out.text.push_str(&layer.to_string()),
            LayerSpec::Norm(layer) => out.text.push_str(&layer.to_string()),
            LayerSpec::Table(layer) => out.text.push_str(&layer.to_string()),
            LayerSpec::Reorder(layer) => out.text.push_str(&layer.to_string()),
            LayerSpec::Concat { branches } => {
                out.text.push_str("concat(");
                for (branch, layers) in branches.iter().enumerate() {
                    out.text.push_str(if branch > 0 { ", " } else { "" });
                    path.push(branch);
                    list(out, layers, path);
                    path.pop();
                }
                out.text.push(')');
            }
            LayerSpec::Linear { units, bias, init, .. } => {
                let bias = if *bias { "" } else { " no bias" };
                let init = init.map_or(String::new(), |init| format!(" init {}", init_text(init)));
                out.text.push_str(&units.to_string());
                if let Some(LayerSpec::Activation { function }) = layers.get(index + 1) {
                    index += 1;
                    let (curve, from) = (activation_text(*function), out.text.len() + 1);
                    out.text.push_str(&format!(" {curve}"));
                    let mut place = path.clone();
                    place.pop();
                    place.push(index);
                    out.layers.push(Place { path: place, span: from..out.text.len(), own: curve });
                }
                out.text.push_str(&format!("{bias}{init}"));
                own = Some(format!("{units}{bias}{init}"));
            }
            LayerSpec::Activation { function } => out.text.push_str(&activation_text(*function)),
            LayerSpec::Dropout { p } => out.text.push_str(&format!("dropout {p}")),
            LayerSpec::Scaling => out.text.push_str("scale"),
            LayerSpec::Residual { layers } => {
                out.text.push_str("residual(");
                list(out, layers, path);
                out.text.push(')');
            }
            LayerSpec::Gated { hidden, bias, activation } => {
                match activation {
                    Activation::Silu => out.text.push_str(&format!("swiglu {hidden}")),
                    other => out.text.push_str(&format!("gated {hidden} {}", activation_text(*other))),
                }
                if *bias {
                    out.text.push_str(" bias");
                }
            }
        }
        out.layers[slot].span = start..out.text.len();
        out.layers[slot].own = own.unwrap_or_else(|| out.text[start..].to_owned());
        path.pop();
        index += 1;
    }
}
