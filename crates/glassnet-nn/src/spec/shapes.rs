//! Widths, layer by layer: what every layer takes and gives, and whether the layers fit each other and the data.

use super::cursor::MOST_UNITS;
use super::display::render;
use super::names::activation_row;
use super::text::DEEPEST;
use super::{LayerSpec, NetSpec, SpecError};

/// What one layer takes and gives, for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerShape {
    /// The layer's name, as PyTorch would count it in a `Sequential` (activations count): "0", "2", and "1.0" for the
    /// first layer inside of the residual block "1".
    pub name: String,
    /// Its text in the canonical form, without the activation behind it: "256", "relu", "residual(...)"; "output" for
    /// the linear layer that is added to the hidden form.
    pub text: String,
    /// Width of what it takes.
    pub input: usize,
    /// Width of what it gives.
    pub output: usize,
}

/// The piece of a layer that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The network's input size.
    Input,
    /// The layer as a whole.
    Layer,
    /// Its given weights.
    Weight,
    /// Its given biases.
    BiasValues,
}

/// Something that does not fit, before it has a place in a text.
pub(super) struct Misfit {
    /// Index of the layer, index inside of the residual block, and so on.
    pub path: Vec<usize>,
    /// Its piece.
    pub part: Part,
    /// What does not fit, with both numbers.
    pub message: String,
    /// What to change.
    pub hint: String,
}

impl NetSpec {
    /// Checks the widths and gives each layer's, in order; a residual block stands before the layers inside of it.
    ///
    /// `input` and `output` are the data's sizes; `None` takes what the network says. To the hidden form a linear
    /// layer of `output` units is added, named "output" in its text; in the full form both sizes are held against
    /// the data's.
    ///
    /// # Errors
    ///
    /// With the layer, both numbers and what to change; the error points into the canonical text. Errors are: no input
    /// size at all; sizes that are not the data's; a residual branch that changes the width; given weights of another
    /// shape than their layer, or not finite; and what the text form refuses but a spec from elsewhere can hold (zero
    /// units, a dropout of 1, nesting deeper than 32).
    ///
    /// ```
    /// use glassnet_nn::spec::NetSpec;
    ///
    /// let net = NetSpec::parse("256 relu").unwrap();
    /// let widths: Vec<_> = net.shapes(784, 10).unwrap().iter().map(|layer| (layer.input, layer.output)).collect();
    /// assert_eq!(widths, [(784, 256), (256, 256), (256, 10)]);
    /// ```
    pub fn shapes(
        &self,
        input: impl Into<Option<usize>>,
        output: impl Into<Option<usize>>,
    ) -> Result<Vec<LayerShape>, SpecError> {
        if deeper_than(&self.layers, DEEPEST) {
            let message = format!("residual blocks are nested more than {DEEPEST} deep");
            return Err(SpecError::new("", 0..0, message).hint("write the blocks one after the other"));
        }
        let rendered = render(self);
        let point = |misfit: Misfit| {
            let place = match misfit.part {
                Part::Input => Some(&rendered.input),
                _ => rendered.layers.iter().find(|place| place.path == misfit.path).map(|place| &place.span),
            };
            SpecError::new(&rendered.text, place.cloned().unwrap_or(0..0), misfit.message).hint(misfit.hint)
        };
        let (given, wanted) = (input.into(), output.into());
        let Some(width) = given.or(self.input) else {
            let message = "the input size is not known".to_owned();
            let hint = "write it first: 784 -> 256 relu -> 10".to_owned();
            return Err(point(Misfit { path: Vec::new(), part: Part::Input, message, hint }));
        };
        let mut widths = Vec::new();
        check(self, Some(width), wanted, &mut widths).map_err(point)?;
        let mut shapes: Vec<LayerShape> = widths
            .iter()
            .zip(&rendered.layers)
            .map(|((path, input, output), place)| LayerShape {
                name: layer_name(path),
                text: place.own.clone(),
                input: input.unwrap_or(width),
                output: output.unwrap_or(width),
            })
            .collect();
        if let (None, Some(units)) = (self.input, wanted) {
            let last = widths.iter().rfind(|(path, _, _)| path.len() == 1).and_then(|(_, _, output)| *output);
            shapes.push(LayerShape {
                name: self.layers.len().to_string(),
                text: "output".to_owned(),
                input: last.unwrap_or(width),
                output: units,
            });
        }
        Ok(shapes)
    }

    /// Width of what the layers give, where it is known without data: that of the last linear layer.
    pub fn output(&self) -> Option<usize> {
        check(self, self.input, None, &mut Vec::new()).ok().flatten()
    }
}

/// The name of the layer at this path: "1.0".
pub(super) fn layer_name(path: &[usize]) -> String {
    path.iter().map(usize::to_string).collect::<Vec<_>>().join(".")
}

/// Path, input and output width of a layer; a width is `None` where only the data would say it.
pub(super) type Width = (Vec<usize>, Option<usize>, Option<usize>);

/// Walks the layers from an input width that may be unknown. Gives the last width; `widths` has one entry a layer.
pub(super) fn check(
    spec: &NetSpec,
    input: Option<usize>,
    output: Option<usize>,
    widths: &mut Vec<Width>,
) -> Result<Option<usize>, Misfit> {
    let at_input = |message, hint| Misfit { path: Vec::new(), part: Part::Input, message, hint };
    if let Some(said) = spec.input {
        if said == 0 || said > MOST_UNITS {
            let (message, hint) = bad_units(said);
            return Err(at_input(message, hint));
        }
        if let Some(given) = input.filter(|given| *given != said) {
            return Err(at_input(
                format!("the network takes {said} inputs, but the data gives {given}"),
                format!(
                    "write {given} -> ..., or name only the hidden layers (a first number without activation is the \
                         input size; `linear {said}` is a layer)"
                ),
            ));
        }
    }
    if input == Some(0) {
        return Err(at_input("the data gives no input".to_owned(), "keep at least one column".to_owned()));
    }
    let last = walk(&spec.layers, &mut Vec::new(), input, widths)?;
    match (spec.input, last, output) {
        (Some(_), Some(last), Some(wanted)) if last != wanted => {
            // The layer that set the last width is the one to change.
            let at = spec.layers.iter().rposition(|layer| matches!(layer, LayerSpec::Linear { .. })).unwrap_or(0);
            Err(Misfit {
                path: vec![at],
                part: Part::Layer,
                message: format!("the network gives {last} outputs, but the data needs {wanted}"),
                hint: format!("end the network with a linear layer of {wanted}: ... -> {wanted}"),
            })
        }
        _ => Ok(last),
    }
}

fn walk(
    layers: &[LayerSpec],
    path: &mut Vec<usize>,
    input: Option<usize>,
    widths: &mut Vec<Width>,
) -> Result<Option<usize>, Misfit> {
    let mut width = input;
    for (index, layer) in layers.iter().enumerate() {
        path.push(index);
        let slot = widths.len();
        widths.push((path.clone(), width, width));
        width = one(layer, path, width, widths)?;
        widths[slot].2 = width;
        path.pop();
    }
    Ok(width)
}

fn one(
    layer: &LayerSpec,
    path: &mut Vec<usize>,
    width: Option<usize>,
    widths: &mut Vec<Width>,
) -> Result<Option<usize>, Misfit> {
    let name = layer_name(path);
    let place = path.clone();
    let misfit = |part, message: String, hint: String| {
        Err(Misfit { path: place.clone(), part, message: format!("layer {name}: {message}"), hint })
    };
    match layer {
        LayerSpec::Linear { units, bias, weight, bias_values, .. } => {
            if *units == 0 || *units > MOST_UNITS {
                let (message, hint) = bad_units(*units);
                return misfit(Part::Layer, message, hint);
            }
            if let Some(rows) = weight
                && let Some((message, hint)) = bad_weight(rows, *units, width)
            {
                return misfit(Part::Weight, message, hint);
            }
            if let Some(values) = bias_values
                && let Some((message, hint)) = bad_biases(values, *units, *bias)
            {
                return misfit(Part::BiasValues, message, hint);
            }
            Ok(Some(*units))
        }
        LayerSpec::Activation { function } => match activation_row(*function) {
            (curve, Some(number)) if !number.is_finite() => {
                misfit(Part::Layer, format!("{curve} {number}: its number must be finite"), format!("write {curve}"))
            }
            _ => Ok(width),
        },
        LayerSpec::Dropout { p } if !(0.0..1.0).contains(p) => misfit(
            Part::Layer,
            format!("a dropout probability is from 0 to below 1, got {p}"),
            "for instance: dropout 0.5".to_owned(),
        ),
        LayerSpec::Dropout { .. } | LayerSpec::Scaling => Ok(width),
        LayerSpec::Residual { layers } if layers.is_empty() => misfit(
            Part::Layer,
            "residual() has no layer inside".to_owned(),
            "for instance: residual(256 relu -> 256)".to_owned(),
        ),
        LayerSpec::Residual { layers } => {
            let inside = walk(layers, path, width, widths)?;
            match (width, inside) {
                (Some(taken), Some(given)) if taken != given => misfit(
                    Part::Layer,
                    format!(
                        "the residual block takes {taken} and its branch gives {given}; x + f(x) needs equal widths"
                    ),
                    format!(
                        "end the branch with {taken}: residual(... -> {taken}), or put -> {given} before the block"
                    ),
                ),
                _ => Ok(width.or(inside)),
            }
        }
        LayerSpec::Gated { hidden, .. } if *hidden == 0 || *hidden > MOST_UNITS => {
            let (message, hint) = bad_units(*hidden);
            misfit(Part::Layer, message, hint)
        }
        LayerSpec::Gated { .. } => Ok(width),
    }
}

fn bad_units(units: usize) -> (String, String) {
    if units == 0 {
        return ("dense dimensions must be positive, got 0".to_owned(), "give the layer one unit or more".to_owned());
    }
    (format!("{units} is too large for a layer"), format!("a layer has at most {MOST_UNITS} units"))
}

/// Given weights [units, fan_in]: as many rows as units, each as long as the input is wide, all finite.
fn bad_weight(rows: &[Vec<f64>], units: usize, fan_in: Option<usize>) -> Option<(String, String)> {
    let columns = fan_in.or(rows.first().map(Vec::len)).unwrap_or(0);
    let wanted = match fan_in {
        Some(fan_in) => format!("[{units}, {fan_in}]"),
        None => format!("[{units}, inputs]"),
    };
    if let Some(row) = rows.iter().position(|row| row.len() != rows[0].len()) {
        return Some((
            format!(
                "row {} of the given weights has {} numbers, row 1 has {}",
                row + 1,
                rows[row].len(),
                rows[0].len()
            ),
            format!("the layer's weight is {wanted}: one row for each unit, one number in it for each input"),
        ));
    }
    let shape = (rows.len(), rows.first().map_or(0, Vec::len));
    if shape != (units, columns) || columns == 0 {
        let turned = if shape == (columns, units) { "; turn it over: rows are units, columns are inputs" } else { "" };
        return Some((
            format!("the given weights have shape [{}, {}], the layer needs {wanted}", shape.0, shape.1),
            format!("give one row for each of the {units} units, one number in it for each input{turned}"),
        ));
    }
    rows.iter().enumerate().find_map(|(r, row)| {
        let c = row.iter().position(|value| !value.is_finite())?;
        let message = format!("the given weight in row {}, column {} is {}", r + 1, c + 1, row[c]);
        Some((message, "give finite numbers".to_owned()))
    })
}

fn bad_biases(values: &[f64], units: usize, bias: bool) -> Option<(String, String)> {
    if !bias {
        return Some(("biases are given for a layer without bias".to_owned(), "take bias = false out".to_owned()));
    }
    if values.len() != units {
        return Some((
            format!("the given biases have shape [{}], the layer needs [{units}]", values.len()),
            format!("give one number for each of the {units} units"),
        ));
    }
    let at = values.iter().position(|value| !value.is_finite())?;
    Some((format!("the given bias {} is {}", at + 1, values[at]), "give finite numbers".to_owned()))
}

fn deeper_than(layers: &[LayerSpec], depth: usize) -> bool {
    layers.iter().any(|layer| match layer {
        LayerSpec::Residual { layers } => depth == 0 || deeper_than(layers, depth - 1),
        _ => false,
    })
}
