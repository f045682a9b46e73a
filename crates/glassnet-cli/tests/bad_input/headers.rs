//! A real model whose header was changed by hand.

use serde_json::Value;

use crate::case::Case;
use crate::models::{model, predict};

/// The model with another header: `change` gets the tensors' entries and the document.
fn with_header(change: impl Fn(&mut Value, &mut Value)) -> Vec<u8> {
    let whole = model();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (header, values) = whole[8..].split_at(length);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let mut document: Value = serde_json::from_str(header["__metadata__"]["glassnet"].as_str().unwrap()).unwrap();
    change(&mut header, &mut document);
    header["__metadata__"]["glassnet"] = document.to_string().into();
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), values].concat()
}

/// Each change and what is said of it.
pub fn edited() -> Vec<Case> {
    let tensors = |name, change: fn(&mut Value), says: &[&'static str], hint| {
        predict(name, with_header(|header, _| change(header)), says, hint)
    };
    let document = |name, change: fn(&mut Value), says: &[&'static str], hint| {
        predict(name, with_header(|_, document| change(document)), says, hint)
    };
    vec![
        tensors(
            "a tensor turned over",
            |header| {
                let shape = header["0.weight"]["shape"].as_array_mut().unwrap();
                shape.reverse();
            },
            &["\"0.weight\" has shape [5, 3], the network needs [3, 5]"],
            "train again",
        ),
        tensors(
            "a tensor under another name",
            |header| {
                let tensor = header.as_object_mut().unwrap().remove("0.bias").unwrap();
                header["0.bais"] = tensor;
            },
            &["\"0.bias\" of shape [3] is missing", "\"0.bais\" of shape [3] is extra"],
            "train again",
        ),
        tensors(
            "a tensor whose size is not its shape's",
            |header| header["0.weight"]["shape"] = serde_json::json!([3, 6]),
            &["\"0.weight\"", "[3, 6]", "bytes"],
            "again",
        ),
        tensors(
            "a tensor that overflows",
            |header| header["0.weight"]["shape"] = serde_json::json!([u64::MAX, 4]),
            &["\"0.weight\""],
            "again",
        ),
        tensors(
            "a tensor of halves",
            |header| header["0.weight"]["dtype"] = "F16".into(),
            &["\"0.weight\" has type F16"],
            "32-bit floats",
        ),
        tensors(
            "tensors that overlap",
            |header| header["2.weight"]["data_offsets"] = header["0.weight"]["data_offsets"].clone(),
            &["tensor \""],
            "again",
        ),
        document(
            "a later format",
            |document| document["format_version"] = 99.into(),
            &["format version 99", "a later glassnet", "up to 1"],
            "update glassnet",
        ),
        document(
            "no format",
            |document| drop(document.as_object_mut().unwrap().remove("format_version")),
            &["no format_version"],
            "again",
        ),
        document(
            "no network",
            |document| drop(document.as_object_mut().unwrap().remove("network")),
            &["document cannot be read", "network"],
            "again",
        ),
        document("a network of other inputs", |document| document["network"]["inputs"] = 7.into(), &["7"], "again"),
        document(
            "an activation of tomorrow",
            |document| {
                let text = document.to_string().replacen("relu", "telu", 1);
                *document = serde_json::from_str(&text).unwrap();
            },
            &["telu"],
            "again",
        ),
    ]
}
