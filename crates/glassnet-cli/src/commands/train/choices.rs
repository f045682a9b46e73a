//! Words of the command line: from text to what they mean, or to what to write instead.

use std::collections::BTreeMap;

use glassnet::core::Precision;
use glassnet::model::fit::ClassWeights;
use glassnet::model::schema::Override;
use glassnet::model::target::TaskChoice;
use glassnet::nn::clip::Clip;
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::spec::{Init, LayerSpec, NetSpec, names};
use glassnet::nn::train::Batch;

use crate::error::CliError;
use crate::words::one_of;

const KINDS: [(&str, Override); 7] = [
    ("number", Override::Number),
    ("category", Override::Category),
    ("boolean", Override::Boolean),
    ("date", Override::Date),
    ("day-first", Override::DayFirst),
    ("month-first", Override::MonthFirst),
    ("drop", Override::Drop),
];

/// A column's type by its name.
pub fn kind(text: &str) -> Result<Override, String> {
    one_of("type of column", text, &KINDS)
}

/// The name of a column's type.
pub fn kind_name(kind: Override) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| name)
}

/// `COL=TYPE`.
pub fn column_type(text: &str) -> Result<(String, Override), String> {
    match text.rsplit_once('=') {
        Some((name, word)) if !name.is_empty() => Ok((name.to_string(), kind(word)?)),
        _ => Err(format!("\"{text}\" names no column and type\n  hint: write --type zip=category")),
    }
}

/// classify or regress.
pub fn task(text: &str) -> Result<TaskChoice, String> {
    // A text is another road, taken before: here it is named only.
    one_of("task", text, &[("classify", TaskChoice::Classify), ("regress", TaskChoice::Regress)])
        .map_err(|error| format!("{error}; for a text: text"))
}

/// 1 or more.
pub fn epochs(text: &str) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(0) => Err("0 epochs train nothing\n  hint: write 1 or more".into()),
        Ok(epochs) => Ok(epochs),
        Err(_) => Err(format!("\"{text}\" is no number of epochs\n  hint: write a whole number, 1 or more")),
    }
}

/// A number of rows, or all.
pub fn batch(text: &str) -> Result<Batch, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Batch::All);
    }
    match text.parse::<usize>() {
        Ok(0) => Err("a batch of 0 rows makes no step\n  hint: write 1 or more, or all".into()),
        Ok(rows) => Ok(Batch::Rows(rows)),
        Err(_) => Err(format!("\"{text}\" is no number of rows\n  hint: write a whole number such as 128, or all")),
    }
}

/// The precision of products.
pub fn precision(text: &str) -> Result<Precision, String> {
    text.trim().parse().map_err(|error: String| error.replace("; use ", "\n  hint: use "))
}

/// A number of epochs, or off.
pub fn early_stop(text: &str) -> Result<Option<u64>, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    match text.parse::<u64>() {
        Ok(epochs) if epochs > 0 => Ok(Some(epochs)),
        _ => Err(format!("\"{text}\" is no patience\n  hint: write a number of epochs, 1 or more, or off")),
    }
}

/// `balanced`, `a=2,b=1` or `1,2`.
pub fn class_weights(text: &str) -> Result<ClassWeights, String> {
    if text.trim().eq_ignore_ascii_case("balanced") {
        return Ok(ClassWeights::Balanced);
    }
    let weight = |word: &str| match word.trim().parse::<f64>() {
        Ok(weight) if weight >= 0.0 && weight.is_finite() => Ok(weight),
        _ => Err(format!("\"{word}\" is no weight\n  hint: write balanced, yes=2,no=1 or 1,2 (numbers, 0 or more)")),
    };
    if !text.contains('=') {
        let weights: Vec<f64> = text.split(',').map(weight).collect::<Result<_, _>>()?;
        if weights.iter().all(|&weight| weight == 0.0) {
            return Err("all weights are 0, so that no row counts\n  hint: leave it out, or write balanced".into());
        }
        return Ok(ClassWeights::InOrder(weights));
    }
    let mut named = BTreeMap::new();
    for part in text.split(',') {
        let Some((name, value)) = part.rsplit_once('=') else {
            return Err(format!("\"{part}\" has no weight\n  hint: write yes=2,no=1"));
        };
        named.insert(name.trim().to_string(), weight(value)?);
    }
    Ok(ClassWeights::ByName(named))
}

/// An initialisation by its name, with its number where it takes one: `constant 0.02`.
pub fn init(text: &str) -> Result<Init, String> {
    let text = text.trim();
    let (name, number) = match text.rsplit_once(|c: char| c.is_whitespace() || c == '=') {
        Some((name, word)) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.') => {
            (name.trim(), Some(word.parse::<f64>()))
        }
        _ => (text, None),
    };
    let Some(row) = names::init(name) else {
        let near =
            names::nearest(name, names::init_names()).map_or(String::new(), |near| format!("did you mean {near}? "));
        let all: Vec<&str> = names::init_names().collect();
        return Err(format!("no initialisation is called \"{name}\"\n  hint: {near}({})", all.join(", ")));
    };
    let default = row.number.map_or(0.0, |(_, default)| default);
    match (number, row.number) {
        (None, _) => Ok((row.make)(default)),
        (Some(Ok(number)), Some(_)) if number > 0.0 && number.is_finite() => Ok((row.make)(number)),
        (Some(_), Some((what, default))) => {
            Err(format!("\"{text}\": {what} must be a number above 0\n  hint: write {} {default}", row.name))
        }
        (Some(_), None) => Err(format!("{} takes no number\n  hint: write {}", row.name, row.name)),
    }
}

/// Gives every linear layer that does not say how it is drawn this initialisation. The last one keeps its small draw, so
/// that the first loss is that of knowing nothing.
pub fn draw_all(net: &mut NetSpec, init: Init) {
    fn draw(layers: &mut [LayerSpec], chosen: Init) {
        for layer in layers {
            match layer {
                LayerSpec::Linear { init, weight: None, .. } if init.is_none() => *init = Some(chosen),
                LayerSpec::Residual { layers } => draw(layers, chosen),
                _ => {}
            }
        }
    }
    let last = match net.is_full() {
        true => net.layers.iter().rposition(|layer| matches!(layer, LayerSpec::Linear { .. })),
        false => None,
    };
    let kept = last.map(|at| (at, net.layers[at].clone()));
    draw(&mut net.layers, init);
    if let Some((at, layer)) = kept {
        net.layers[at] = layer;
    }
}

/// Sets the momentum of an optimizer that has one.
pub fn set_momentum(optimizer: &mut OptimizerSpec, momentum: f64) -> Result<(), String> {
    match optimizer {
        OptimizerSpec::Sgd(sgd) => sgd.momentum = momentum,
        OptimizerSpec::RmsProp(rmsprop) => rmsprop.momentum = momentum,
        OptimizerSpec::Adam(_) | OptimizerSpec::AdamW(_) => {
            return Err(format!(
                "{} has no momentum of its own to set\n  hint: leave it out, or take sgd, nesterov or rmsprop",
                optimizer.name()
            ));
        }
    }
    Ok(())
}

/// By norm, by value or not at all.
pub fn clip(norm: Option<f64>, value: Option<f64>) -> Result<Clip, CliError> {
    match (norm, value) {
        (Some(_), Some(_)) => Err(CliError::Usage(
            "clip_norm and clip_value cannot both be used\n  hint: clip_norm 1 is usual; leave the other out".into(),
        )),
        (Some(max), None) => Ok(Clip::Norm { max }),
        (None, Some(max)) => Ok(Clip::Value { max }),
        (None, None) => Ok(Clip::None),
    }
}

/// A usual value of a setting.
pub fn hint_of(name: &str) -> &'static str {
    match name {
        "lr" => "0.001 is usual for adam, 0.1 for sgd",
        "clip_norm" => "1 is usual",
        _ => "0.5 is usual",
    }
}
