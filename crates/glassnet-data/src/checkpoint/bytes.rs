//! A document and a state to bytes, and back. What is read is checked before it is believed: sizes against the bytes that
//! are there, then the hash, then the document, then the arrays; what is allocated is bounded by the bytes.

use std::io::Write;

use glassnet_core::Real;
use glassnet_model::file::{Header, Info};
use glassnet_nn::train::TrainerState;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Document, VERSION};

/// Longest header: safetensors' own limit. Room for the history of 100 000 epochs.
const MAX_HEADER: usize = 100_000_000;
/// Values that are turned into bytes at a time.
const PIECE: usize = 1 << 14;
/// The array that holds the hash of all bytes before it.
const HASH: &str = "sha256";
/// Bytes of it.
const HASH_BYTES: usize = 32;

/// Bytes that are no checkpoint, or a damaged one: what is wrong, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Damaged(pub String);

fn damaged<T>(what: impl Into<String>) -> Result<T, Damaged> {
    Err(Damaged(what.into()))
}

fn dtype<T: Real>() -> &'static str {
    if T::BYTES == 8 { "F64" } else { "F32" }
}

/// Passes bytes on and hashes them.
struct Hashing<'a> {
    out: &'a mut dyn Write,
    hasher: Sha256,
    count: u64,
}

impl Hashing<'_> {
    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.out.write_all(bytes)?;
        self.hasher.update(bytes);
        self.count += bytes.len() as u64;
        Ok(())
    }
}

/// Writes a checkpoint and gives its number of bytes. `document.record` is replaced by the state's own. The arrays are not
/// copied as a whole.
///
/// # Errors
/// What `out` says; a document too long for a header.
pub fn write_to<T: Real>(
    out: &mut dyn Write,
    document: &Document,
    state: &TrainerState<'_, T>,
) -> std::io::Result<u64> {
    let document = Document { record: state.record(), ..document.clone() };
    let text = serde_json::to_string(&document)?;
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({ "format": "glassnet checkpoint", "checkpoint": text }));
    let mut offset = 0;
    for (name, values) in state.arrays() {
        let end = offset + values.len() * T::BYTES;
        let info = json!({ "dtype": dtype::<T>(), "shape": [values.len()], "data_offsets": [offset, end] });
        header.insert(name.to_owned(), info);
        offset = end;
    }
    let hash = json!({ "dtype": "U8", "shape": [HASH_BYTES], "data_offsets": [offset, offset + HASH_BYTES] });
    header.insert(HASH.into(), hash);
    let mut header = Value::Object(header).to_string();
    // The arrays start at a multiple of 8 bytes, so that a reader may map them.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    if header.len() > MAX_HEADER {
        let what = format!("a checkpoint's header of {} bytes is longer than the {MAX_HEADER} allowed", header.len());
        return Err(std::io::Error::other(what));
    }
    let mut out = Hashing { out, hasher: Sha256::new(), count: 0 };
    out.put(&(header.len() as u64).to_le_bytes())?;
    out.put(header.as_bytes())?;
    let mut piece = Vec::with_capacity(PIECE * T::BYTES);
    for (_, values) in state.arrays() {
        for values in values.chunks(PIECE) {
            piece.clear();
            match T::BYTES {
                8 => values.iter().for_each(|value| piece.extend_from_slice(&value.to_f64().to_le_bytes())),
                _ => values.iter().for_each(|value| piece.extend_from_slice(&(value.to_f64() as f32).to_le_bytes())),
            }
            out.put(&piece)?;
        }
    }
    let hash = out.hasher.clone().finalize();
    out.put(&hash)?;
    Ok(out.count)
}

/// The document and the state of a checkpoint.
///
/// It allocates the arrays' values once and a few bytes for each byte of the header, up to 64 where the document holds any
/// JSON; and recurses no deeper than 128 levels of JSON.
///
/// # Errors
/// What is wrong with the bytes.
pub fn from_bytes<T: Real>(bytes: &[u8]) -> Result<(Document, TrainerState<'static, T>), Damaged> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return damaged(format!("it is cut short: {} bytes are there", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER as u64 || rest.first().is_none_or(|&byte| byte != b'{') {
        return damaged("it does not start as a checkpoint does");
    }
    let Some((header, values)) = rest.split_at_checked(length as usize) else {
        return damaged(format!("it is cut short: its header has {length} bytes, {} are there", rest.len()));
    };
    // The hash says at once whether all is as it was written; where it does not fit, the header may tell why.
    let (before, hash) = bytes.split_at(bytes.len().saturating_sub(HASH_BYTES));
    let whole = Sha256::digest(before)[..] == *hash;
    let header: Header = match serde_json::from_slice(header) {
        Ok(header) => header,
        Err(_) if !whole => return damaged("its bytes are not those that were written (SHA-256)"),
        Err(error) => return damaged(format!("its header cannot be read: {error}")),
    };
    let Some(text) = header.metadata.get("checkpoint") else {
        return damaged(match header.metadata.contains_key("glassnet") {
            true => "it is a model file, not a checkpoint",
            false => "it is a safetensors file, but no checkpoint of glassnet",
        });
    };
    let end = header.tensors.values().map(|info| info.data_offsets.1).max().unwrap_or(0);
    if end > values.len() {
        return damaged(format!("it is cut short: {end} bytes of arrays should be there, {} are", values.len()));
    }
    if !whole {
        return damaged("its bytes are not those that were written (SHA-256)");
    }
    let document: Value =
        serde_json::from_str(text).or_else(|error| damaged(format!("its document cannot be read: {error}")))?;
    match document.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            return damaged(format!("it has version {version}, this glassnet goes on from version {VERSION}"));
        }
        None => return damaged("its document has no version"),
    }
    let document: Document =
        serde_json::from_value(document).or_else(|error| damaged(format!("its document cannot be read: {error}")))?;
    let mut infos: Vec<(String, Info)> = header.tensors.into_iter().collect();
    infos.sort_by_key(|(_, info)| info.data_offsets);
    let mut arrays = Vec::with_capacity(infos.len());
    let mut at = 0;
    for (name, info) in infos {
        let is_hash = name == HASH;
        let (wanted, each) = if is_hash { ("U8", 1) } else { (dtype::<T>(), T::BYTES) };
        if info.dtype != wanted {
            return damaged(format!("its array {name} has type {}, this run's numbers are {wanted}", info.dtype));
        }
        let (start, end) = info.data_offsets;
        let [length] = info.shape[..] else { return damaged(format!("its array {name} is no plain list")) };
        if start != at || end < start || length.checked_mul(each) != Some(end - start) {
            return damaged(format!("its array {name} has bytes {start}..{end}, where {at} and its size should be"));
        }
        let Some(bytes) = values.get(start..end) else { return damaged(format!("its array {name} is cut short")) };
        at = end;
        if is_hash {
            if at != values.len() || length != HASH_BYTES {
                return damaged("its hash is not at its end");
            }
            continue;
        }
        arrays.push((name, bytes.chunks_exact(T::BYTES).map(value).collect::<Vec<T>>()));
    }
    if at != values.len() {
        return damaged(format!("{} bytes follow its last array", values.len() - at));
    }
    let state = TrainerState::from_parts(document.record.clone(), arrays).or_else(|error| damaged(error.what))?;
    Ok((document, state))
}

fn value<T: Real>(bytes: &[u8]) -> T {
    match bytes.try_into() {
        Ok(bytes) => T::from_f64(f64::from_le_bytes(bytes)),
        Err(_) => T::from_f64(bytes.try_into().map_or(f64::NAN, |bytes| f64::from(f32::from_le_bytes(bytes)))),
    }
}
