//! `[network]`: the text form, or layers one by one with weights where they are given.

use std::collections::BTreeMap;
use std::ops::Range;

use super::read::{Table, Value};
use crate::spec::cursor::check_units;
use crate::spec::items::{ITEMS, item};
use crate::spec::shapes::{Misfit, Part, check, layer_name};
use crate::spec::text::{DEEPEST, parse_activation, parse_init};
use crate::spec::{Activation, LayerSpec, NetSpec, SpecError, names};

/// The keys of `[network]`.
pub(super) const KEYS: &[&str] = &["net", "input", "layer"];

/// Kinds of layer tables, beside the activations' names.
const KINDS: &[&str] = &["linear", "activation", "dropout", "scale", "residual", "gated", "swiglu"];

/// Where a layer and its pieces stand.
struct Place {
    layer: Range<usize>,
    weight: Option<Range<usize>>,
    biases: Option<Range<usize>>,
}

type Places = BTreeMap<Vec<usize>, Place>;

pub(super) fn read(table: &Table<'_>, spots: &mut BTreeMap<String, Range<usize>>) -> Result<NetSpec, SpecError> {
    table.only(KEYS)?;
    let (net, input, layers) = (table.get("net"), table.get("input"), table.get("layer"));
    for (key, value) in [("net", &net), ("input", &input), ("layer", &layers)] {
        spots.extend(value.as_ref().map(|value| (key.to_owned(), value.span())));
    }
    let mut places = Places::new();
    let mut spec = match (&net, &layers) {
        (Some(_), Some(layers)) => {
            return Err(table
                .error(layers.span(), "[network] has both net and layer")
                .hint("keep one of the two: the text form, or the layers one by one"));
        }
        (Some(net), None) => net.parse_with("net", NetSpec::parse)?,
        (None, Some(layers)) => {
            NetSpec { layers: list(table, layers, &mut Vec::new(), &mut places)?, ..NetSpec::default() }
        }
        (None, None) => {
            return Err(table
                .error(table.place.clone(), "[network] names no layer")
                .hint("for instance: net = \"784 -> 256 relu -> 10\""));
        }
    };
    if let Some(value) = &input {
        if spec.input.is_some() {
            return Err(table
                .error(value.span(), "the input size is said twice, in input and in net")
                .hint("take input = ... out"));
        }
        match value.string() {
            // A shape or tokens, as the text form says them.
            Ok(_) => {
                let said = value.parse_with("input", |text| NetSpec::parse(&format!("{text} -> 1")))?;
                spec.set_input(&said.input_shape().unwrap_or_default(), said.vocabulary);
            }
            Err(_) => spec.input = Some(units(table, value)?),
        }
    }
    let fits = check(&spec, spec.row().as_ref(), None, &mut Vec::new());
    fits.map_err(|misfit| {
        let place = spot(&misfit, &places).or_else(|| match misfit.part {
            Part::Input => input.as_ref().map(Value::span),
            _ => net.as_ref().map(Value::span),
        });
        table.error(place.unwrap_or(table.place.clone()), misfit.message).hint(misfit.hint)
    })?;
    Ok(spec)
}

/// The place of a misfit: of the layer itself, or of the block that holds it.
fn spot(misfit: &Misfit, places: &Places) -> Option<Range<usize>> {
    let place = (1..=misfit.path.len()).rev().find_map(|length| places.get(&misfit.path[..length]))?;
    let piece = match misfit.part {
        Part::Weight => place.weight.clone(),
        Part::BiasValues => place.biases.clone(),
        Part::Layer | Part::Input => None,
    };
    Some(piece.unwrap_or(place.layer.clone()))
}

fn list(
    table: &Table<'_>,
    value: &Value<'_>,
    path: &mut Vec<usize>,
    places: &mut Places,
) -> Result<Vec<LayerSpec>, SpecError> {
    let tables = value.array("an array of tables").map_err(|message| {
        table.error(value.span(), format!("layer {message}")).hint("each layer begins with [[network.layer]]")
    })?;
    if path.len() > DEEPEST {
        let message = format!("residual blocks are nested more than {DEEPEST} deep");
        return Err(table.error(value.span(), message).hint("write the blocks one after the other"));
    }
    let mut out = Vec::new();
    for value in tables {
        path.push(out.len());
        let name = format!("layer {}", layer_name(path));
        let inner = value.table(&name).map_err(|message| {
            table.error(value.span(), message).hint("for instance: { kind = \"linear\", units = 256 }")
        })?;
        layer(&inner, path, places, &mut out)?;
        path.pop();
    }
    Ok(out)
}

fn layer(
    table: &Table<'_>,
    path: &mut Vec<usize>,
    places: &mut Places,
    out: &mut Vec<LayerSpec>,
) -> Result<(), SpecError> {
    let place = Place {
        layer: header(table),
        weight: table.get("weight").map(|value| value.span()),
        biases: table.get("bias_values").map(|value| value.span()),
    };
    places.insert(path.clone(), place);
    let kind = match table.get("kind") {
        Some(value) => {
            let kind = value.string().map_err(|message| {
                table.error(value.span(), format!("kind {message}")).hint("for instance: kind = \"linear\"")
            })?;
            match (item(&kind), names::activation(&kind)) {
                (Some(row), _) if KINDS.contains(&row.name) => row.name,
                (None, None) if kind == "activation" => "activation",
                (_, Some(_)) => {
                    table.only(&["kind"])?;
                    out.push(LayerSpec::Activation { function: value.parse_with("kind", parse_activation)? });
                    return Ok(());
                }
                _ => return Err(unknown_kind(table, &value, &kind)),
            }
        }
        // Any layers, as the text form writes them.
        None if table.get("net").is_some() && table.keys().len() == 1 => {
            let value = needed(table, "net", "net = \"conv 32 5x5 relu\"")?;
            out.extend(value.parse_with("net", branch)?);
            return Ok(());
        }
        None if table.get("units").is_some() || table.get("weight").is_some() => ITEMS[0].name,
        None => {
            return Err(table
                .error(header(table), format!("{} says no kind", table.name))
                .hint(format!("kind is one of {}, or an activation's name", KINDS.join(", "))));
        }
    };
    match kind {
        "linear" => linear(table, path, places, out),
        "activation" => {
            table.only(&["kind", "function"])?;
            let function =
                needed(table, "function", "function = \"relu\"")?.parse_with("function", parse_activation)?;
            out.push(LayerSpec::Activation { function });
            Ok(())
        }
        "dropout" => {
            table.only(&["kind", "p"])?;
            let value = needed(table, "p", "p = 0.5")?;
            let p = value.number("a probability from 0 to below 1", |p| (0.0..1.0).contains(&p));
            let p =
                p.map_err(|message| table.error(value.span(), format!("p {message}")).hint("for instance: p = 0.5"))?;
            out.push(LayerSpec::Dropout { p });
            Ok(())
        }
        "residual" => {
            table.only(&["kind", "layer", "net"])?;
            let layers = match (table.get("layer"), table.get("net")) {
                (Some(value), None) => list(table, &value, path, places)?,
                (None, Some(value)) => value.parse_with("net", branch)?,
                _ => {
                    return Err(table
                        .error(header(table), format!("{} needs the layers of its branch, once", table.name))
                        .hint("for instance: net = \"256 relu -> 256\""));
                }
            };
            out.push(LayerSpec::Residual { layers });
            Ok(())
        }
        "gated" | "swiglu" => {
            let allowed: &[&str] =
                if kind == "gated" { &["kind", "hidden", "bias", "activation"] } else { &["kind", "hidden", "bias"] };
            table.only(allowed)?;
            let hidden = units(table, &needed(table, "hidden", "hidden = 512")?)?;
            let activation =
                table.get("activation").map(|value| value.parse_with("activation", parse_activation)).transpose()?;
            let bias = flag(table, "bias")?.unwrap_or(false);
            out.push(LayerSpec::Gated { hidden, bias, activation: activation.unwrap_or(Activation::Silu) });
            Ok(())
        }
        _ => {
            table.only(&["kind"])?;
            out.push(LayerSpec::Scaling);
            Ok(())
        }
    }
}

/// The layers of a branch from their text. A number alone is a layer in it, as inside of residual( ).
fn branch(text: &str) -> Result<Vec<LayerSpec>, SpecError> {
    let spec = NetSpec::parse(text)?;
    Ok(spec.input.map(LayerSpec::linear).into_iter().chain(spec.layers).collect())
}

fn linear(
    table: &Table<'_>,
    path: &mut Vec<usize>,
    places: &mut Places,
    out: &mut Vec<LayerSpec>,
) -> Result<(), SpecError> {
    table.only(&["kind", "units", "activation", "bias", "init", "weight", "bias_values"])?;
    let weight = table.get("weight").map(|value| matrix(table, &value)).transpose()?;
    let bias_values = table.get("bias_values").map(|value| vector(table, &value, "bias_values", None)).transpose()?;
    let units = match (table.get("units"), &weight) {
        (Some(value), _) => units(table, &value)?,
        (None, Some(weight)) => weight.len(),
        (None, None) => units(table, &needed(table, "units", "units = 256")?)?,
    };
    let bias = flag(table, "bias")?.unwrap_or(true);
    let init = table.get("init").map(|value| value.parse_with("init", parse_init)).transpose()?;
    if let (Some(_), Some(value)) = (&weight, table.get("init")) {
        return Err(table
            .error(value.span(), format!("{} has both given weights and an init", table.name))
            .hint("keep one of the two"));
    }
    out.push(LayerSpec::Linear { units, bias, init, weight, bias_values });
    if let Some(value) = table.get("activation") {
        let none = value.string().is_ok_and(|name| ["none", "linear", "identity"].contains(&name.as_str()));
        if !none {
            let function = value.parse_with("activation", parse_activation)?;
            let last = path.pop().unwrap_or(0);
            path.push(last + 1);
            places.insert(path.clone(), Place { layer: value.span(), weight: None, biases: None });
            out.push(LayerSpec::Activation { function });
        }
    }
    Ok(())
}

/// The first key of a layer's table stands for the table in an error: the table itself may be long.
fn header(table: &Table<'_>) -> Range<usize> {
    match table.keys().first() {
        Some((_, first)) => first.clone(),
        None => table.place.clone(),
    }
}

fn needed<'a>(table: &Table<'a>, key: &str, example: &str) -> Result<Value<'a>, SpecError> {
    table.get(key).ok_or_else(|| {
        table.error(header(table), format!("{} needs {key}", table.name)).hint(format!("for instance: {example}"))
    })
}

fn flag(table: &Table<'_>, key: &str) -> Result<Option<bool>, SpecError> {
    let Some(value) = table.get(key) else { return Ok(None) };
    value.boolean().map(Some).map_err(|message| {
        let error = table.error(value.span(), format!("{key} {message}"));
        if value.array("").is_ok() {
            error.hint("given biases are written bias_values = [...]")
        } else {
            error.hint(format!("for instance: {key} = false"))
        }
    })
}

fn units(table: &Table<'_>, value: &Value<'_>) -> Result<usize, SpecError> {
    if value.float().is_none() {
        let message = format!("a number of units is wanted, got {}", value.shown());
        return Err(table.error(value.span(), message).hint("write a whole number without quotes"));
    }
    let said = value.whole(0).map_or_else(|_| value.shown(), |whole| whole.to_string());
    check_units(&said).map_err(|(message, hint)| table.error(value.span(), message).hint(hint))
}

fn matrix(table: &Table<'_>, value: &Value<'_>) -> Result<Vec<Vec<f64>>, SpecError> {
    let rows = value.array("an array of rows").map_err(|message| {
        table.error(value.span(), format!("weight {message}")).hint("for instance: weight = [[0.7, 0.3]]")
    })?;
    rows.iter().enumerate().map(|(row, value)| vector(table, value, "weight", Some(row + 1))).collect()
}

fn vector(table: &Table<'_>, value: &Value<'_>, key: &str, row: Option<usize>) -> Result<Vec<f64>, SpecError> {
    let values = value.array("an array of numbers").map_err(|message| {
        let row = row.map_or(String::new(), |row| format!(" row {row}"));
        let example = if key == "weight" { "weight = [[0.7, 0.3]]" } else { "bias_values = [-4.0]" };
        table.error(value.span(), format!("{key}{row} {message}")).hint(format!("for instance: {example}"))
    })?;
    let one = |(column, value): (usize, &Value<'_>)| {
        value.number("a finite number", |_| true).map_err(|message| {
            let place = row.map_or(String::new(), |row| format!("row {row}, "));
            let message = format!("{}: {key} {place}column {} {message}", table.name, column + 1);
            table.error(value.span(), message).hint("give finite numbers")
        })
    };
    values.iter().enumerate().map(one).collect()
}

fn unknown_kind(table: &Table<'_>, value: &Value<'_>, kind: &str) -> SpecError {
    let error = table.error(value.span(), format!("unknown kind \"{}\"", crate::spec::cursor::shorten(kind)));
    match names::nearest(kind, KINDS.iter().copied().chain(names::activation_names())) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("kind is one of {}, or an activation's name", KINDS.join(", "))),
    }
}
