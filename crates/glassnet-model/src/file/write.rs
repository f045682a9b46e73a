//! A document and tensors to bytes.

use super::canonical::canonical;
use super::{Document, FORMAT_VERSION, MAX_HEADER, Tensor};
use crate::ModelError;
use serde_json::Value;
use std::collections::BTreeSet;

/// The bytes of a model file. The same document and tensors give the same bytes; tensors stay in the given order.
///
/// # Errors
/// [`ModelError::Unwritable`]: a value that is not finite in the document or in a tensor (with its path or place), a tensor
/// whose values do not fill its shape, two tensors of one name, a document whose parts do not go together.
pub fn to_bytes(document: &Document, tensors: &[Tensor]) -> Result<Vec<u8>, ModelError> {
    let refuse = |what: String, hint: &'static str| ModelError::Unwritable { what, hint };
    if document.format_version != FORMAT_VERSION {
        let what = format!("format version {}, but this library writes {FORMAT_VERSION}", document.format_version);
        return Err(refuse(what, "set format_version to FORMAT_VERSION"));
    }
    document.check().map_err(|what| refuse(what, "fit schema, preprocessing and network together"))?;
    let value = serde_json::to_value(document).map_err(|error| refuse(error.to_string(), "simplify the document"))?;
    let hint = "leave the key out, or write the number as text";
    let document = canonical(&value).map_err(|what| refuse(what, hint))?;

    // Written by hand, not by way of a map: the order of the tensors is theirs.
    let text = |text: &str| Value::from(text).to_string();
    let mut header = format!("{{\"__metadata__\":{{\"format\":\"glassnet\",\"glassnet\":{}}}", text(&document));
    let (mut names, mut offset) = (BTreeSet::new(), 0usize);
    for tensor in tensors {
        let Tensor { name, shape, data } = tensor;
        if name == "__metadata__" || name.is_empty() || !names.insert(name) {
            return Err(refuse(format!("a tensor named {name:?}"), "give every tensor a name of its own"));
        }
        let size = shape.iter().try_fold(1usize, |size, &side| size.checked_mul(side));
        if size != Some(data.len()) {
            let what = format!("tensor {name:?} has shape {shape:?} and {} values", data.len());
            return Err(refuse(what, "give as many values as the shape has places"));
        }
        if let Some(place) = data.iter().position(|value| !value.is_finite()) {
            let what = format!("tensor {name:?} holds {} at place {place}", data[place]);
            return Err(refuse(what, "keep the last weights that were finite"));
        }
        let end = offset + data.len() * 4;
        header.push_str(&format!(
            ",{}:{{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[{offset},{end}]}}",
            text(name),
            Value::from(shape.clone())
        ));
        offset = end;
    }
    header.push('}');
    // The values start at a multiple of 8 bytes, so that a reader may map them.
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    if header.len() as u64 > MAX_HEADER {
        let what = format!("a header of {} bytes, more than {MAX_HEADER}", header.len());
        return Err(refuse(what, "shorten the document: settings, findings, given weights"));
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + offset);
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    for value in tensors.iter().flat_map(|tensor| &tensor.data) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    Ok(bytes)
}
