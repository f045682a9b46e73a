//! The TOML of a network and of settings.

use serde_json::Value;

use super::train::TrainConfig;
use crate::spec::display::input_text;
use crate::spec::names::{activation_text, init_text};
use crate::spec::{LayerSpec, NetSpec};

pub(super) fn run(network: Option<&NetSpec>, train: &TrainConfig) -> String {
    let mut out = String::new();
    if let Some(spec) = network {
        out.push_str("[network]\n");
        if spec.has_given_weights() {
            if let Some(input) = spec.input {
                match spec.axes.is_empty() && spec.vocabulary.is_none() {
                    true => out.push_str(&format!("input = {input}\n")),
                    false => out.push_str(&format!("input = {}\n", string(&input_text(spec)))),
                }
            }
            let layers: Vec<String> = spec.layers.iter().map(|spec| format!("  {},\n", layer(spec))).collect();
            out.push_str(&format!("layer = [\n{}]\n", layers.concat()));
        } else {
            out.push_str(&format!("net = {}\n", string(&spec.to_string())));
        }
    }
    // Of strings, numbers, lists and maps with string keys only: it cannot fail, and would give no line if it did.
    if let Ok(Value::Object(fields)) = serde_json::to_value(train)
        && !fields.is_empty()
    {
        out.push_str(if out.is_empty() { "[train]\n" } else { "\n[train]\n" });
        for (key, field) in &fields {
            out.push_str(&format!("{key} = {}\n", value(field)));
        }
    }
    out
}

fn layer(spec: &LayerSpec) -> String {
    let mut fields = Vec::new();
    match spec {
        LayerSpec::Linear { units, bias, init, weight, bias_values } => {
            fields.push(format!("kind = \"linear\", units = {units}"));
            if !bias {
                fields.push("bias = false".to_owned());
            }
            // Weights that are given are not drawn: the two together would not read back.
            fields.extend(init.filter(|_| weight.is_none()).map(|init| format!("init = {}", string(&init_text(init)))));
            fields.extend(weight.as_ref().map(|rows| {
                let rows: Vec<String> = rows.iter().map(|row| numbers(row)).collect();
                format!("weight = [{}]", rows.join(", "))
            }));
            fields.extend(bias_values.as_ref().map(|values| format!("bias_values = {}", numbers(values))));
        }
        LayerSpec::Activation { function } => {
            fields.push(format!("kind = \"activation\", function = {}", string(&activation_text(*function))));
        }
        LayerSpec::Dropout { p } => fields.push(format!("kind = \"dropout\", p = {p:?}")),
        LayerSpec::Scaling => fields.push("kind = \"scale\"".to_owned()),
        LayerSpec::Residual { layers } => {
            let layers: Vec<String> = layers.iter().map(layer).collect();
            fields.push(format!("kind = \"residual\", layer = [{}]", layers.join(", ")));
        }
        LayerSpec::Concat { .. }
        | LayerSpec::Image(_)
        | LayerSpec::Sequence(_)
        | LayerSpec::Norm(_)
        | LayerSpec::Table(_)
        | LayerSpec::Reorder(_) => {
            let text = NetSpec { layers: vec![spec.clone()], ..NetSpec::default() }.to_string();
            fields.push(format!("net = {}", string(&text)));
        }
        LayerSpec::Gated { hidden, bias, activation } => {
            let activation = string(&activation_text(*activation));
            fields.push(format!("kind = \"gated\", hidden = {hidden}, activation = {activation}, bias = {bias}"));
        }
    }
    format!("{{ {} }}", fields.join(", "))
}

fn numbers(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    format!("[{}]", values.join(", "))
}

fn value(field: &Value) -> String {
    match field {
        Value::String(text) => string(text),
        Value::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, field)| format!("{} = {}", string(key), value(field))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// A basic string: quotes, backslashes and control characters escaped.
fn string(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", c as u32),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
