//! Whether a layer goes with what it is given, and what to change where it does not.

use glassnet_core::ops::MAX_INPUTS;

use super::cursor::MOST_UNITS;
use super::names::activation_row;
use super::reorder::sizes_text;
use super::sequence::MOST_LEVELS;
use super::shapes::{Misfit, Part, RowShape, Width, layer_name};
use super::table::{sigma, sigmas};
use super::{ImageLayer, LayerSpec, NormLayer, Padding, ReorderLayer, SequenceLayer, TableLayer};

/// Whether all layers are of the plain network, for which a row is one axis.
pub(super) fn plain(layers: &[LayerSpec]) -> bool {
    layers.iter().all(|layer| match layer {
        LayerSpec::Residual { layers } => plain(layers),
        LayerSpec::Concat { .. }
        | LayerSpec::Image(_)
        | LayerSpec::Sequence(_)
        | LayerSpec::Norm(_)
        | LayerSpec::Reorder(_) => false,
        LayerSpec::Table(layer) => !layer.is_of_members(),
        _ => true,
    })
}

/// The way through the layers: what each takes and gives so far, and the embedding's table.
pub(super) struct Walk<'w> {
    /// One entry a layer, in order.
    pub widths: &'w mut Vec<Width>,
    /// Numbers of a vector of the last embedding, whose table tied weights use.
    pub table: Option<usize>,
    /// Whether the input's shape is not known and layers speak of shapes.
    pub blind: bool,
}

impl Walk<'_> {
    /// Walks the layers from an input that may be unknown, and gives what comes out.
    pub(super) fn through(
        &mut self,
        layers: &[LayerSpec],
        path: &mut Vec<usize>,
        input: Option<RowShape>,
    ) -> Result<Option<RowShape>, Misfit> {
        let mut row = input;
        for (index, layer) in layers.iter().enumerate() {
            path.push(index);
            let slot = self.widths.len();
            self.widths.push((path.clone(), row.clone(), None));
            row = self.one(layer, path, row)?;
            self.widths[slot].2 = row.clone();
            path.pop();
        }
        Ok(row)
    }

    fn one(
        &mut self,
        layer: &LayerSpec,
        path: &mut Vec<usize>,
        row: Option<RowShape>,
    ) -> Result<Option<RowShape>, Misfit> {
        let name = layer_name(path);
        let place = path.clone();
        let misfit = |part, (message, hint): (String, String)| {
            Err(Misfit { path: place.clone(), part, message: format!("layer {name}: {message}"), hint })
        };
        if let Some((part, words)) = alone(layer) {
            return misfit(part, words);
        }
        let reads_tokens =
            matches!(layer, LayerSpec::Sequence(SequenceLayer::Embedding { .. }) | LayerSpec::Concat { .. });
        if let Some(row) = row.as_ref().filter(|row| row.tokens && !reads_tokens) {
            let message = format!("it is given {}, which are names and not quantities", row.words());
            return misfit(Part::Layer, (message, "make vectors of them first: embed 64 -> ...".to_owned()));
        }
        if let Some(words) = row.as_ref().and_then(|row| self.tied(layer, row)) {
            return misfit(Part::Layer, words);
        }
        // What a linear layer reads: one time step of a sequence, all of an image.
        let width = row.as_ref().map(|row| if row.axes.len() == 2 { row.axes[1] } else { row.len() });
        match layer {
            LayerSpec::Linear { units, bias, init, weight, bias_values } => {
                if let Some(words) = weight.as_ref().and_then(|rows| bad_weight(rows, *units, width)) {
                    return misfit(Part::Weight, words);
                }
                if let Some(words) = bias_values.as_ref().and_then(|values| bad_biases(values, *units, *bias)) {
                    return misfit(Part::BiasValues, words);
                }
                match row {
                    None if self.blind => Ok(None),
                    None => Ok(Some(RowShape::row(*units))),
                    Some(row) => {
                        let bare = LayerSpec::Linear {
                            units: *units,
                            bias: *bias,
                            init: *init,
                            weight: None,
                            bias_values: None,
                        };
                        self.built(&bare, &row).or_else(|words| misfit(Part::Layer, words))
                    }
                }
            }
            LayerSpec::Residual { layers } => {
                let inside = self.through(layers, path, row.clone())?;
                match (row, inside) {
                    (Some(taken), Some(given)) if taken.axes != given.axes => {
                        let (takes, gives) = (taken.words(), given.words());
                        let message = format!(
                            "the residual block takes {takes} and its branch gives {gives}; x + f(x) needs equal {}",
                            if taken.axes.len().max(given.axes.len()) > 1 { "shapes" } else { "widths" }
                        );
                        let hint = match (taken.axes.as_slice(), given.axes.as_slice()) {
                            ([takes], [gives]) => format!(
                                "end the branch with {takes}: residual(... -> {takes}), or put -> {gives} before the block"
                            ),
                            ([_, takes], [_, gives]) => {
                                format!("end the branch with {takes} features, or put -> {gives} before the block")
                            }
                            ([channels, _, _], [_, _, _]) => format!(
                                "let the branch keep the shape, with stride 1 and same, and end it so: residual(... -> conv {channels} 3x3 same)"
                            ),
                            _ => "let the branch keep the shape".to_owned(),
                        };
                        misfit(Part::Layer, (message, hint))
                    }
                    (row, inside) => Ok(row.or(inside)),
                }
            }
            LayerSpec::Concat { branches } => {
                let table = self.table;
                for (branch, layers) in branches.iter().enumerate() {
                    path.push(branch);
                    let walked = self.through(layers, path, row.clone());
                    path.pop();
                    walked?;
                }
                let inside = std::mem::replace(&mut self.table, table);
                let Some(row) = row else { return Ok(None) };
                let joined = self.built(layer, &row).or_else(|words| misfit(Part::Layer, words));
                self.table = inside;
                joined
            }
            _ => {
                let given = match row {
                    None if !self.blind
                        && let LayerSpec::Table(TableLayer::Ntk { units, .. }) = layer =>
                    {
                        Some(RowShape::row(*units))
                    }
                    Some(row) => self.built(layer, &row).or_else(|words| misfit(Part::Layer, words))?,
                    None => None,
                };
                if let LayerSpec::Sequence(SequenceLayer::Embedding { width, .. }) = layer {
                    self.table = Some(*width);
                }
                Ok(given)
            }
        }
    }

    /// What is wrong with an embedding or with tied weights.
    fn tied(&self, layer: &LayerSpec, row: &RowShape) -> Option<(String, String)> {
        match (layer, self.table) {
            (LayerSpec::Sequence(SequenceLayer::Embedding { .. }), Some(width)) if !row.tokens => Some((
                format!("it reads tokens, but an embed before it made vectors of them: {}", row.words()),
                format!(
                    "keep one embed layer; another width than {width} is made by a linear layer: embed {width} -> 64"
                ),
            )),
            (LayerSpec::Sequence(SequenceLayer::Embedding { .. }), None) if !row.tokens => Some((
                format!("it reads tokens, but it is given numbers: {}", row.words()),
                "leave embed out for numbers; a text is read with --task text, or as tokens 64 vocabulary 65 -> ..."
                    .to_owned(),
            )),
            (LayerSpec::Sequence(SequenceLayer::Unembedding), None) => Some((
                "there is no embed layer before it, whose table it could use".to_owned(),
                "write one of the same width: embed 64 -> ... -> unembed; or take a linear layer".to_owned(),
            )),
            (LayerSpec::Sequence(SequenceLayer::Unembedding), Some(width)) if row.axes.last() != Some(&width) => {
                let given = row.axes.last().copied().unwrap_or(0);
                Some((
                    format!("it is given vectors of {given} numbers, but those of the embedding's table have {width}"),
                    format!("put a linear layer before it: ... -> {width} -> unembed"),
                ))
            }
            _ => None,
        }
    }

    /// What the layer gives for such a row, by building it as the network does; or the operation's words and a hint.
    fn built(&self, layer: &LayerSpec, row: &RowShape) -> Result<Option<RowShape>, (String, String)> {
        crate::layers::gives(layer, row, self.table).map(Some).map_err(|message| (message, hint(layer, row)))
    }
}

/// What is wrong with a layer whatever it is given; the text form refuses it, but a spec from elsewhere can hold it.
fn alone(layer: &LayerSpec) -> Option<(Part, (String, String))> {
    let words = match layer {
        LayerSpec::Linear { units, .. } if *units == 0 || *units > MOST_UNITS => bad_units(*units),
        LayerSpec::Table(
            TableLayer::Ntk { units, .. } | TableLayer::Shared { units } | TableLayer::Heads { units },
        ) if *units == 0 || *units > MOST_UNITS => bad_units(*units),
        LayerSpec::Table(TableLayer::Parametric { function }) if sigma(*function).is_none() => (
            format!("parametric does not bend {}", activation_row(*function).0),
            format!("it bends one of {}", sigmas()),
        ),
        LayerSpec::Gated { hidden, .. } if *hidden == 0 || *hidden > MOST_UNITS => bad_units(*hidden),
        LayerSpec::Sequence(SequenceLayer::Recurrent { units, .. }) if *units == 0 || *units > MOST_UNITS => {
            bad_units(*units)
        }
        LayerSpec::Sequence(SequenceLayer::Recurrent { layers, .. }) if *layers == 0 || *layers > MOST_LEVELS => (
            format!("a recurrent network has 1 to {MOST_LEVELS} layers, got {layers}"),
            "for instance: lstm 128 2 layers".to_owned(),
        ),
        LayerSpec::Activation { function } => match activation_row(*function) {
            (curve, Some(number)) if !number.is_finite() => {
                (format!("{curve} {number}: its number must be finite"), format!("write {curve}"))
            }
            _ => return None,
        },
        LayerSpec::Dropout { p } if !(0.0..1.0).contains(p) => {
            (format!("a dropout probability is from 0 to below 1, got {p}"), "for instance: dropout 0.5".to_owned())
        }
        LayerSpec::Residual { layers } if layers.is_empty() => {
            ("residual() has no layer inside".to_owned(), "for instance: residual(256 relu -> 256)".to_owned())
        }
        LayerSpec::Concat { branches } if !(2..=MAX_INPUTS).contains(&branches.len()) => (
            format!("concat joins 2 to {MAX_INPUTS} branches, got {}", branches.len()),
            "for instance: concat(conv 8 3x3 same, conv 8 5x5 same)".to_owned(),
        ),
        _ => return None,
    };
    Some((Part::Layer, words))
}

/// How a layer that does not fit such a row is usually mended.
fn hint(layer: &LayerSpec, row: &RowShape) -> String {
    let image =
        "say the shape of a row first, 1x28x28 -> ..., or write reshape 1x28x28 -> ... (channels, height, width)";
    let sequence = "say the shape of a row first, 100x2 -> ..., or write reshape 100x2 -> ... (time steps, features)";
    match (layer, row.axes.as_slice()) {
        (LayerSpec::Image(ImageLayer::Conv1d { .. }), [_, _, ..]) if row.axes.len() > 2 => {
            "for an image write conv 32 5x5".to_owned()
        }
        (LayerSpec::Image(ImageLayer::Conv1d { .. }), [_]) => sequence.to_owned(),
        (LayerSpec::Image(ImageLayer::Conv1d { .. }), _) => "for instance: conv1d 32 3 same".to_owned(),
        (LayerSpec::Image(_), [_]) => image.to_owned(),
        (LayerSpec::Image(ImageLayer::Conv { .. }), [_, _]) => "for a sequence write conv1d 32 5".to_owned(),
        (LayerSpec::Image(ImageLayer::Conv { stride, padding: Padding::Same, kernel, .. }), _) if *stride != [1, 1] => {
            format!("for instance: padding {}", sizes_text(&kernel.map(|side| side / 2)))
        }
        (LayerSpec::Image(ImageLayer::Conv { channels, groups, .. }), [inputs, ..])
            if inputs % groups.max(&1) != 0 || channels % groups.max(&1) != 0 =>
        {
            let fits = |groups: &usize| inputs.is_multiple_of(*groups) && channels.is_multiple_of(*groups);
            format!("for instance: groups {}", (1..=*groups.min(inputs)).rev().find(fits).unwrap_or(1))
        }
        (LayerSpec::Image(ImageLayer::Conv { .. }), _) => "for instance: conv 32 3x3 same".to_owned(),
        (LayerSpec::Image(ImageLayer::Pool { .. }), _) => "for instance: maxpool 2".to_owned(),
        (LayerSpec::Image(_), _) => "for instance: global avgpool".to_owned(),
        (LayerSpec::Sequence(SequenceLayer::Embedding { .. } | SequenceLayer::Unembedding), _) => {
            "take a smaller width".to_owned()
        }
        (LayerSpec::Sequence(SequenceLayer::Attention { heads, kv_heads, rotary, .. }), [_, width]) => {
            let fits = |heads: &usize| width.is_multiple_of(*heads) && !(*rotary && width / heads % 2 == 1);
            match (1..=*heads.min(width)).rev().find(fits) {
                None => format!("with rotary take an even width, such as {}", width + 1),
                Some(near) if near == *heads && kv_heads != heads => {
                    let divides = |kv: &usize| heads.is_multiple_of(*kv);
                    let kv = (1..=*kv_heads.min(heads)).rev().find(divides).unwrap_or(1);
                    format!("for instance: attention {heads} heads {kv} kv heads")
                }
                Some(near) => format!("for instance: attention {near} heads"),
            }
        }
        (LayerSpec::Sequence(SequenceLayer::Positions { .. }), [_, _]) => "make the sequence shorter".to_owned(),
        (LayerSpec::Sequence(_), [channels, height, width]) => {
            let (steps, width) = (channels.saturating_mul(*height), width);
            format!("to read an image line by line, write reshape {steps}x{width} -> ... (time steps, features)")
        }
        (LayerSpec::Sequence(_), _) => sequence.to_owned(),
        (LayerSpec::Norm(NormLayer::Group { groups, .. }), axes) => {
            let channels = if axes.len() == 2 { axes[1] } else { axes.first().copied().unwrap_or(1) };
            let near = (1..=*groups.min(&channels)).rev().find(|groups| channels.is_multiple_of(*groups));
            format!("for instance: groupnorm {}", near.unwrap_or(1))
        }
        (LayerSpec::Norm(NormLayer::Layer { .. } | NormLayer::Rms { .. }), [_, _, ..]) => {
            "for instance: batchnorm".to_owned()
        }
        (LayerSpec::Reorder(ReorderLayer::Reshape { .. }), _) => {
            format!("choose sizes whose product is {}", row.len())
        }
        (LayerSpec::Reorder(ReorderLayer::Transpose { .. }), [_]) => sequence.to_owned(),
        (LayerSpec::Reorder(ReorderLayer::Transpose { .. }), axes) => {
            format!("a row of {} has the axes 0 to {}", row.words(), axes.len() - 1)
        }
        (LayerSpec::Reorder(ReorderLayer::Slice { .. }), axes) => {
            let size = if axes.len() == 2 { axes[1] } else { axes.first().copied().unwrap_or(1) };
            format!("the largest slice is slice 0 {size}")
        }
        (LayerSpec::Table(TableLayer::Periodic { .. }), [_]) => {
            "for instance: periodic frequencies 16 width 4".to_owned()
        }
        (LayerSpec::Table(TableLayer::Categories { sizes, .. }), [columns]) if sizes.len() != *columns => {
            let (first, all) = (columns.saturating_sub(sizes.len()), sizes.len());
            match sizes.len() < *columns {
                true => format!("cut their columns out first: slice {first} {columns} -> categories ..."),
                false => format!("name one number of codes for each of the {columns} columns, not {all}"),
            }
        }
        (LayerSpec::Table(TableLayer::Piecewise { .. }), [_]) => "for instance: piecewise 48 16".to_owned(),
        (LayerSpec::Table(TableLayer::Members { .. }), [_]) => "for instance: members 32".to_owned(),
        (LayerSpec::Table(TableLayer::Average { probabilities: true }), [_, 1]) => {
            "write average, which takes the mean of the values".to_owned()
        }
        (LayerSpec::Table(TableLayer::Shared { .. } | TableLayer::Heads { .. } | TableLayer::Average { .. }), [_]) => {
            "make members of the row first: members 32 -> shared 512 relu -> heads 2 -> average".to_owned()
        }
        (LayerSpec::Table(TableLayer::Members { .. }), [_, _]) => {
            "it has members, or time steps, already: write members once, where the input is one row of numbers"
                .to_owned()
        }
        (
            LayerSpec::Table(
                TableLayer::Periodic { .. }
                | TableLayer::Categories { .. }
                | TableLayer::Piecewise { .. }
                | TableLayer::Members { .. },
            ),
            _,
        ) => "write flatten -> ... before it: it reads one row of numbers".to_owned(),
        (LayerSpec::Concat { .. }, [_, _, _]) => "let all branches keep height and width: same, stride 1".to_owned(),
        (LayerSpec::Concat { .. }, _) => "let all branches give as many axes, and as many time steps".to_owned(),
        _ => "take a smaller layer, or change the shapes before it".to_owned(),
    }
}

pub(super) fn bad_units(units: usize) -> (String, String) {
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

pub(super) fn deeper_than(layers: &[LayerSpec], depth: usize) -> bool {
    layers.iter().any(|layer| match layer {
        LayerSpec::Residual { layers } => depth == 0 || deeper_than(layers, depth - 1),
        LayerSpec::Concat { branches } => depth == 0 || branches.iter().any(|layers| deeper_than(layers, depth - 1)),
        _ => false,
    })
}
