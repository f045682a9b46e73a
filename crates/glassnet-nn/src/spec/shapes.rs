//! Widths, layer by layer: what every layer takes and gives, and whether the layers fit each other and the data.

use super::cursor::MOST_UNITS;
use super::display::render;
use super::fits::{Walk, bad_units, deeper_than, plain};
use super::reorder::sizes_text;
use super::table::ends_in_average;
use super::text::DEEPEST;
use super::{LayerSpec, NetSpec, SequenceLayer, SpecError, TableLayer};

/// What one layer takes and gives, for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerShape {
    /// The layer's name, as PyTorch would count it in a `Sequential` (activations count): "0", "2", and "1.0" for the
    /// first layer inside of the residual block "1".
    pub name: String,
    /// Its text in the canonical form, without the activation behind it: "256", "relu", "residual(...)"; "output" for
    /// the linear layer that is added to the hidden form.
    pub text: String,
    /// Numbers of what it takes.
    pub input: usize,
    /// Numbers of what it gives.
    pub output: usize,
    /// Shape of a row of what it takes.
    pub takes: Vec<usize>,
    /// Shape of a row of what it gives.
    pub gives: Vec<usize>,
}

/// What a row is on its way through the layers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowShape {
    /// Its shape, the batch axis not counted: `[784]`, `[1, 28, 28]`, `[64]` tokens.
    pub axes: Vec<usize>,
    /// Whether it is tokens, whole numbers that only an embedding reads.
    pub tokens: bool,
    /// How many tokens there are, where the input is tokens.
    pub vocabulary: Option<usize>,
}

impl RowShape {
    /// A row of `width` numbers.
    pub fn row(width: usize) -> Self {
        RowShape { axes: vec![width], ..RowShape::default() }
    }

    /// A row of numbers of that shape.
    pub fn of(axes: &[usize]) -> Self {
        RowShape { axes: axes.to_vec(), ..RowShape::default() }
    }

    /// A row of `length` tokens out of `vocabulary`.
    pub fn tokens(length: usize, vocabulary: usize) -> Self {
        RowShape { axes: vec![length], tokens: true, vocabulary: Some(vocabulary) }
    }

    /// Numbers of a row; the largest whole number where there are more.
    pub fn len(&self) -> usize {
        self.axes.iter().fold(1, |size, &axis| size.saturating_mul(axis))
    }

    /// Whether a row has no number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn words(&self) -> String {
        match self.tokens {
            true => format!("{} tokens", self.len()),
            false if self.axes.len() == 1 => self.axes[0].to_string(),
            false => sizes_text(&self.axes),
        }
    }
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
        self.shapes_of(input.into().map(RowShape::row).as_ref(), output.into(), false)
    }

    /// As [`NetSpec::shapes`] for data whose rows have a shape. `steps` says that the target has a value for every time
    /// step, as the next character has.
    ///
    /// # Errors
    ///
    /// As [`NetSpec::shapes`]; and layers that do not go with the shape they are given: a convolution of a table.
    pub fn shapes_of(
        &self,
        input: Option<&RowShape>,
        output: Option<usize>,
        steps: bool,
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
        let Some(row) = input.cloned().or_else(|| self.row()) else {
            let message = "the input size is not known".to_owned();
            let hint = match plain(&self.layers) {
                true => "write it first: 784 -> 256 relu -> 10",
                false => "write it first: 1x28x28 -> ... for images, 100x2 -> ... for sequences, tokens 64 vocabulary 65 -> ... for tokens",
            }
            .to_owned();
            return Err(point(Misfit { path: Vec::new(), part: Part::Input, message, hint }));
        };
        let mut widths = Vec::new();
        let last =
            check(self, Some(&row), output.map(|outputs| Target { outputs, steps }), &mut widths).map_err(point)?;
        let row = self.row().unwrap_or(row);
        let mut shapes: Vec<LayerShape> = widths
            .into_iter()
            .zip(&rendered.layers)
            .map(|((path, takes, gives), place)| {
                let (takes, gives) = (takes.unwrap_or(row.clone()), gives.unwrap_or(row.clone()));
                LayerShape {
                    name: layer_name(&path),
                    text: place.own.clone(),
                    input: takes.len(),
                    output: gives.len(),
                    takes: takes.axes,
                    gives: gives.axes,
                }
            })
            .collect();
        if let (None, Some(units), false) =
            (self.input, output, ends_in_unembedding(&self.layers) || ends_in_average(&self.layers))
        {
            let takes = last.unwrap_or(row);
            let gives = match takes.axes.as_slice() {
                [steps_, _] if steps => vec![*steps_, units],
                _ => vec![units],
            };
            shapes.push(LayerShape {
                name: self.layers.len().to_string(),
                text: "output".to_owned(),
                input: takes.len(),
                output: gives.iter().product(),
                takes: takes.axes,
                gives,
            });
        }
        Ok(shapes)
    }

    /// What a row is, where the spec says it.
    pub fn row(&self) -> Option<RowShape> {
        let axes = self.input_shape()?;
        Some(RowShape { axes, tokens: self.vocabulary.is_some(), vocabulary: self.vocabulary })
    }

    /// Width of what the layers give, where it is known without data: that of the last linear layer.
    pub fn output(&self) -> Option<usize> {
        let last = check(self, self.row().as_ref(), None, &mut Vec::new()).ok().flatten();
        last.and_then(|row| row.axes.last().copied())
    }
}

/// The name of the layer at this path: "1.0".
pub(super) fn layer_name(path: &[usize]) -> String {
    path.iter().map(usize::to_string).collect::<Vec<_>>().join(".")
}

/// Path, input and output of a layer; `None` where only the data would say it.
pub(super) type Width = (Vec<usize>, Option<RowShape>, Option<RowShape>);

/// What the target needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    /// Outputs for a row, or for each of its time steps.
    pub outputs: usize,
    /// Whether it is for each time step.
    pub steps: bool,
}

/// Whether the last layer gives logits by the embedding's table, so that none is added.
pub(crate) fn ends_in_unembedding(layers: &[LayerSpec]) -> bool {
    matches!(layers.last(), Some(LayerSpec::Sequence(SequenceLayer::Unembedding)))
}

/// Walks the layers from an input that may be unknown. Gives what comes out; `widths` has one entry a layer.
pub(super) fn check(
    spec: &NetSpec,
    input: Option<&RowShape>,
    output: Option<Target>,
    widths: &mut Vec<Width>,
) -> Result<Option<RowShape>, Misfit> {
    let at_input = |message, hint| Misfit { path: Vec::new(), part: Part::Input, message, hint };
    let said = spec.row();
    if let Some(said) = &said {
        if let Some(&bad) = said.axes.iter().find(|&&size| size == 0 || size > MOST_UNITS) {
            let (message, hint) = bad_units(bad);
            return Err(at_input(message, hint));
        }
        if said.len() > MOST_UNITS || spec.input != Some(said.len()) {
            let message = match said.len() > MOST_UNITS {
                true => format!("a row of {} has more than {MOST_UNITS} numbers", said.words()),
                false => {
                    format!("an input of {} numbers is no row of {}", spec.input.unwrap_or_default(), said.words())
                }
            };
            return Err(at_input(message, format!("a row has at most {MOST_UNITS} numbers, the product of its sizes")));
        }
        if let Some(given) = input.filter(|given| given.len() != said.len() || given.tokens != said.tokens) {
            let (takes, gives) = (said.words(), given.words());
            let (message, hint) = match (said.tokens, given.tokens) {
                (true, true) => (
                    format!("the network takes {takes}, but the data gives {gives}"),
                    "leave the input out: the data says it".to_owned(),
                ),
                (true, false) => (
                    format!("the network takes {takes}, but the data gives rows of {gives} numbers"),
                    "leave tokens and embed out for numbers; a text is read with --task text".to_owned(),
                ),
                (false, true) => (
                    format!("the network takes {takes} numbers, but the data gives {gives}"),
                    "leave the input out: the data says it".to_owned(),
                ),
                (false, false) if said.axes.len() > 1 => (
                    format!("the network takes {takes} inputs, but the data gives {gives}"),
                    format!("write {gives} -> ..., or leave the input out: the data says it"),
                ),
                (false, false) => (
                    format!("the network takes {takes} inputs, but the data gives {gives}"),
                    format!(
                        "write {gives} -> ..., or name only the hidden layers (a first number without activation is the \
                         input size; `linear {takes}` is a layer)"
                    ),
                ),
            };
            return Err(at_input(message, hint));
        }
        if let Some(given) = input.and_then(|given| given.vocabulary).filter(|given| Some(*given) != said.vocabulary) {
            let message =
                format!("the network knows {} tokens, but the data has {given}", said.vocabulary.unwrap_or_default());
            return Err(at_input(message, "leave the input out: the data says it".to_owned()));
        }
    }
    if input.is_some_and(RowShape::is_empty) {
        return Err(at_input("the data gives no input".to_owned(), "keep at least one column".to_owned()));
    }
    // A full form's own shape counts: the data may say the same numbers as one axis.
    let row = said.or_else(|| input.cloned());
    // Without the input's shape a linear layer's output is known only where no layer speaks of shapes.
    let blind = row.is_none() && !plain(&spec.layers);
    let last = Walk { widths, table: None, blind }.through(&spec.layers, &mut Vec::new(), row)?;
    let at_last = |message, hint| {
        // The layer that set the last width is the one to change.
        let at = spec.layers.iter().rposition(|layer| {
            let of_table = |layer: &TableLayer| {
                matches!(layer, TableLayer::Ntk { .. } | TableLayer::Shared { .. } | TableLayer::Heads { .. })
            };
            matches!(layer, LayerSpec::Linear { .. }) || matches!(layer, LayerSpec::Table(layer) if of_table(layer))
        });
        let at = at.unwrap_or(0);
        Misfit { path: vec![at], part: Part::Layer, message, hint }
    };
    let (Some(row), Some(target)) = (&last, output) else { return Ok(last) };
    let wanted = target.outputs;
    if row.axes.len() == 2 && !target.steps {
        let members = spec.layers.iter().any(|layer| matches!(layer, LayerSpec::Table(TableLayer::Members { .. })));
        let (each, hint) = match members {
            true => (
                "member",
                "add -> average, or -> average probabilities for classes, which make one output of the members",
            ),
            false => ("time step", "add -> last or -> mean, which make one vector of the sequence"),
        };
        let mut misfit = at_last(
            format!("the network ends in {}, a vector for each {each}, but the target is one value a row", row.words()),
            hint.to_owned(),
        );
        misfit.path = vec![spec.layers.len().saturating_sub(1)];
        return Err(misfit);
    }
    if row.axes.len() != 2 && target.steps {
        let mut misfit = at_last(
            format!("the network ends in {}, but the target has a value for each time step", row.words()),
            "keep the time axis: leave out what makes one vector of the sequence (last, mean, flatten)".to_owned(),
        );
        misfit.path = vec![spec.layers.len().saturating_sub(1)];
        return Err(misfit);
    }
    let given = row.axes.last().copied().unwrap_or(1);
    let complete = spec.input.is_some() || ends_in_average(&spec.layers);
    if complete && (given != wanted || row.axes.len() > 2) {
        return Err(at_last(
            format!("the network gives {} outputs, but the data needs {wanted}", row.words()),
            format!("end the network with a linear layer of {wanted}: ... -> {wanted}"),
        ));
    }
    Ok(last)
}
