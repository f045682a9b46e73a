//! Bytes to a document and tensors; every way in which they can be damaged or foreign has its own message.

use super::foreign::recognise;
use super::header::{Header, Info};
use super::{Document, FORMAT_VERSION, MAX_HEADER, Tensor};
use crate::ModelError;
use serde::Deserialize;
use std::collections::BTreeMap;

const AGAIN: &str = "copy or download the file again, or train again";

/// The document and the tensors of a model file, the tensors in the order of their values.
///
/// What it allocates is bounded by the bytes: the tensors' values once; for each byte of the header (at most
/// [`MAX_HEADER`]) a few bytes, but up to 64 in the parts of the document that hold any JSON (settings, metrics,
/// findings), where a `0,` becomes a value. It recurses no deeper than 128 levels of JSON.
///
/// # Errors
/// [`ModelError::File`] for what is not a model file, or a damaged one; [`ModelError::LaterVersion`];
/// [`ModelError::Tensors`] for values that are not finite.
pub fn from_bytes(bytes: &[u8]) -> Result<(Document, Vec<Tensor>), ModelError> {
    let (header, values) = frame(bytes)?;
    let text = std::str::from_utf8(header)
        .map_err(|error| file(format!("its header is not UTF-8 at byte {}", 8 + error.valid_up_to()), AGAIN))?;
    let header: Header =
        serde_json::from_str(text).map_err(|error| file(format!("its header cannot be read: {error}"), AGAIN))?;
    let document = document(&header.metadata)?;
    let tensors = tensors(header.tensors, values)?;
    Ok((document, tensors))
}

/// Header and values.
fn frame(bytes: &[u8]) -> Result<(&[u8], &[u8]), ModelError> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        let what = format!("{} bytes are too short for one", bytes.len());
        return Err(if bytes.is_empty() { file("it is empty".to_owned(), AGAIN) } else { bad(bytes, what) });
    };
    let length = u64::from_le_bytes(*length);
    // A header starts with a brace; without it the length is none.
    let plausible = rest.first().is_none_or(|&byte| byte == b'{');
    if length > MAX_HEADER {
        let size = match length {
            ..10_000_000_000_000 => format!("{:.1} GB", length as f64 / 1e9),
            _ => format!("{length} bytes"),
        };
        return Err(bad(
            bytes,
            format!("it claims a header of {size}, more than the {} MB allowed", MAX_HEADER / 1_000_000),
        ));
    }
    let length = length as usize;
    match rest.split_at_checked(length) {
        Some(parts) if plausible && length > 0 => Ok(parts),
        None if plausible => {
            let what = format!("it is truncated: its header has {length} bytes, {} are there", rest.len());
            Err(file(what, AGAIN))
        }
        _ => Err(bad(bytes, "it does not start as safetensors does".to_owned())),
    }
}

/// A file that is no safetensors file: named, where it is known.
fn bad(bytes: &[u8], what: String) -> ModelError {
    match recognise(bytes) {
        Some((kind, hint)) => file(format!("it is {kind}"), hint),
        None => file(what, AGAIN),
    }
}

fn file(what: String, hint: &str) -> ModelError {
    ModelError::File { what, hint: hint.to_owned() }
}

/// The version alone; whatever else there is is passed over without being kept.
#[derive(Deserialize)]
struct Versioned {
    format_version: Option<u64>,
}

fn document(metadata: &BTreeMap<String, String>) -> Result<Document, ModelError> {
    let Some(text) = metadata.get("glassnet") else {
        let what = "it is a safetensors file without glassnet's document in its metadata".to_owned();
        return Err(file(what, "it holds weights alone: import them into a network that you name"));
    };
    let broken = |error: serde_json::Error| file(format!("its document cannot be read ({error})"), AGAIN);
    // The version first: a later document may look otherwise.
    let version = serde_json::from_str::<Versioned>(text).map_err(broken)?.format_version;
    match version {
        Some(found) if found > u64::from(FORMAT_VERSION) => {
            return Err(ModelError::LaterVersion { found, known: FORMAT_VERSION });
        }
        Some(1..) => {}
        _ => return Err(file("its document has no format_version".to_owned(), AGAIN)),
    }
    let document: Document = serde_json::from_str(text).map_err(broken)?;
    document.check().map_err(|what| file(format!("its document contradicts itself: {what}"), AGAIN))?;
    Ok(document)
}

fn tensors(entries: BTreeMap<String, Info>, values: &[u8]) -> Result<Vec<Tensor>, ModelError> {
    let mut infos = Vec::with_capacity(entries.len());
    for (name, info) in entries {
        if info.dtype != "F32" {
            let what = format!("tensor {name:?} has type {}, glassnet keeps F32", info.dtype);
            return Err(file(what, "convert the weights to 32-bit floats"));
        }
        infos.push((name, info));
    }
    infos.sort_by_key(|(_, info)| info.data_offsets);
    let mut tensors = Vec::with_capacity(infos.len());
    let mut at = 0;
    for (name, Info { shape, data_offsets: (start, end), .. }) in infos {
        let size = shape.iter().try_fold(4usize, |size, &side| size.checked_mul(side));
        if start != at || end < start || size != Some(end - start) {
            let what = format!(
                "tensor {name:?} of shape {shape:?} has bytes {start}..{end}, where {at} and its size should be"
            );
            return Err(file(what, AGAIN));
        }
        let Some(bytes) = values.get(start..end) else {
            let what = format!(
                "it is truncated: tensor {name:?} ends at byte {end} of the values, {} are there",
                values.len()
            );
            return Err(file(what, AGAIN));
        };
        let read = |four: &[u8]| four.try_into().map_or(f32::NAN, f32::from_le_bytes);
        let data: Vec<f32> = bytes.chunks_exact(4).map(read).collect();
        if let Some(place) = data.iter().position(|value| !value.is_finite()) {
            return Err(ModelError::Tensors { what: format!("{name:?} holds {} at place {place}", data[place]) });
        }
        tensors.push(Tensor { name, shape, data });
        at = end;
    }
    if at != values.len() {
        let what = format!("{} bytes follow its last tensor", values.len() - at);
        return Err(file(what, AGAIN));
    }
    Ok(tensors)
}

/// The tensors in the order of the network's parameters (name and shape of each).
///
/// # Errors
/// [`ModelError::Tensors`] names every tensor that is missing, that is extra, or whose shape differs, with both shapes.
pub fn arrange(tensors: Vec<Tensor>, expected: &[(&str, &[usize])]) -> Result<Vec<Tensor>, ModelError> {
    let mut by_name: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut wrong = Vec::new();
    for tensor in tensors {
        if let Some(twice) = by_name.insert(tensor.name.clone(), tensor) {
            wrong.push(format!("{:?} is there twice", twice.name));
        }
    }
    let mut arranged = Vec::with_capacity(expected.len());
    for (name, shape) in expected {
        match by_name.remove(*name) {
            Some(tensor) if tensor.shape == *shape => arranged.push(tensor),
            Some(tensor) => {
                wrong.push(format!("{name:?} has shape {:?}, the network needs {shape:?}", tensor.shape));
            }
            None => wrong.push(format!("{name:?} of shape {shape:?} is missing")),
        }
    }
    wrong.extend(by_name.into_values().map(|tensor| format!("{:?} of shape {:?} is extra", tensor.name, tensor.shape)));
    if wrong.is_empty() { Ok(arranged) } else { Err(ModelError::Tensors { what: wrong.join("; ") }) }
}
