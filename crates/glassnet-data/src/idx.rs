//! IDX files, as MNIST comes in: two zero bytes, a type byte, the number of dimensions, the dimensions as big-endian
//! 32-bit numbers, then the values. Source: yann.lecun.com/exdb/mnist. Only bytes (type 0x08) are read.

use std::path::{Path, PathBuf};

use glassnet_model::table::Images;

use crate::error::{DataError, Result};
use crate::input::Input;

/// More than any set of images has; a header that claims more is damaged.
const MOST_BYTES: u64 = 1 << 36;

/// The content of one IDX file of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    /// Its dimensions, each at least 1.
    pub shape: Vec<usize>,
    /// As many bytes as their product.
    pub values: Vec<u8>,
}

/// Training images of a folder, and its test images where it has them.
#[derive(Debug, Clone, PartialEq)]
pub struct IdxFolder {
    /// `train-images...` with `train-labels...`.
    pub train: Images,
    /// `t10k-images...` (or `test-images...`) with its labels.
    pub test: Option<Images>,
    /// SHA-256 over the SHA-256 of each file's uncompressed bytes, in the order train images, train labels, test images,
    /// test labels; in hexadecimal.
    pub hash: String,
}

fn wrong(file: &str, problem: impl Into<String>, hint: &str) -> DataError {
    DataError::Idx { file: file.to_string(), problem: problem.into(), hint: hint.to_string() }
}

const AGAIN: &str = "fetch the file again";

/// Reads one IDX file, gzip or not.
///
/// # Errors
/// A wrong first number, another type than bytes, a dimension of 0, a product that no file holds, too few or too many
/// bytes (with both numbers), gzip data that is cut or damaged.
pub fn read_idx(path: &str) -> Result<IdxArray> {
    read_hashed(path).map(|(array, _)| array)
}

fn read_hashed(path: &str) -> Result<(IdxArray, String)> {
    let mut input = Input::open(path)?;
    let size = if input.gzip { None } else { std::fs::metadata(path).ok().filter(|m| m.is_file()).map(|m| m.len()) };
    let array = read_array(&mut input, size)?;
    Ok((array, input.hash()))
}

/// Reads the array; `size` is the file's size where that is known before reading.
fn read_array(input: &mut Input, size: Option<u64>) -> Result<IdxArray> {
    let file = input.name.clone();
    let mut data = Vec::new();
    input.fill(&mut data, 4)?;
    if data.is_empty() {
        return Err(DataError::Empty { file });
    }
    let [zero, nil, kind, dimensions] = data[..] else {
        return Err(wrong(
            &file,
            format!("truncated: an IDX header has at least 4 bytes, found {}", data.len()),
            AGAIN,
        ));
    };
    if zero != 0 || nil != 0 || !(1..=4).contains(&dimensions) || !matches!(kind, 0x08 | 0x09 | 0x0b..=0x0e) {
        let magic = format!("not an IDX file: it begins with {zero:02X} {nil:02X} {kind:02X} {dimensions:02X}");
        return Err(wrong(&file, magic, "IDX images begin with 00 00 08 03, labels with 00 00 08 01"));
    }
    if kind != 0x08 {
        let problem = format!("its values are of IDX type {kind:02X}; only bytes (type 08) are read");
        return Err(wrong(&file, problem, "store pixels and labels as bytes 0-255"));
    }
    let header = 4 + 4 * dimensions as usize;
    input.fill(&mut data, header)?;
    if data.len() < header {
        return Err(wrong(&file, format!("truncated: its header has {header} bytes, found {}", data.len()), AGAIN));
    }
    let shape: Vec<usize> =
        data[4..].chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
    let words = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
    if shape.contains(&0) {
        return Err(wrong(&file, format!("a dimension is 0 (its header says {words})"), "dimensions must be positive"));
    }
    let claim = shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size as u64));
    let Some(claim) = claim.filter(|bytes| *bytes <= MOST_BYTES) else {
        return Err(wrong(&file, format!("its header claims {words} bytes, more than any such file has"), AGAIN));
    };
    // Compared before anything of that size is allocated; from gzip the buffer grows with what really comes.
    let found = size.map(|size| size.saturating_sub(header as u64));
    let mut values = Vec::new();
    if found.is_none_or(|found| found >= claim) {
        input.fill(&mut values, claim as usize)?;
    }
    let found = found.filter(|found| *found < claim).unwrap_or(values.len() as u64);
    if found < claim {
        let problem = format!("truncated: expected {claim} bytes of values ({words}), found {found}");
        return Err(wrong(&file, problem, AGAIN));
    }
    let mut rest = Vec::new();
    input.fill(&mut rest, 1)?;
    if !rest.is_empty() {
        let problem = format!("bytes follow the last value: expected {claim} bytes of values ({words}), found more");
        return Err(wrong(&file, problem, "the header's dimensions don't fit the file; fetch it again"));
    }
    Ok(IdxArray { shape, values })
}

/// Reads images, with their labels where `labels` names a file. Gives the files' hashes too.
fn read_pair(images: &str, labels: Option<&str>) -> Result<(Images, Vec<String>)> {
    let (array, hash) = read_hashed(images)?;
    let mut hashes = vec![hash];
    let (rows, height, width, channels) = match array.shape[..] {
        [rows, height, width] => (rows, height, width, 1),
        [rows, height, width, channels @ (1 | 3)] => (rows, height, width, channels),
        _ => {
            let problem = format!("images have 3 dimensions (or 4, the last 1 or 3), found {:?}", array.shape);
            return Err(wrong(images, problem, "give the file of images; labels have 1 dimension"));
        }
    };
    let source = images.to_string();
    let pixels = if channels == 1 { array.values } else { channels_first(&array.values, height * width, channels) };
    let (labels_of, classes) = (Vec::new(), Vec::new());
    let mut read = Images { source, pixels, labels: labels_of, classes, rows, height, width, channels };
    if let Some(labels) = labels {
        let (array, hash) = read_hashed(labels)?;
        hashes.push(hash);
        if array.shape.len() != 1 {
            let problem = format!("labels have 1 dimension, found {:?}", array.shape);
            return Err(wrong(labels, problem, "give the file of labels"));
        }
        if array.values.len() != rows {
            let problem = format!("{} labels, but {images} has {rows} images", array.values.len());
            return Err(wrong(labels, problem, "take both files from the same set"));
        }
        read.labels = array.values.into_iter().map(u32::from).collect();
    }
    Ok((read, hashes))
}

/// Images that lie pixel by pixel, as channel by channel.
fn channels_first(values: &[u8], plane: usize, channels: usize) -> Vec<u8> {
    let image = |image: &[u8]| -> Vec<u8> {
        (0..channels).flat_map(|channel| image.iter().skip(channel).step_by(channels).copied()).collect()
    };
    values.chunks_exact((plane * channels).max(1)).flat_map(image).collect()
}

/// Whether a file's name is one that IDX files have.
pub(crate) fn is_idx_name(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("idx") || name.contains("ubyte")
}

/// Whether a file's (unzipped) first bytes are an IDX header's.
pub(crate) fn is_idx(head: &[u8]) -> bool {
    matches!(head, [0, 0, 0x08 | 0x09 | 0x0b..=0x0e, 1..=4, ..])
}

/// Reads a folder of IDX files as MNIST's: train-images..., train-labels..., t10k-images... (or test-...), t10k-labels...
///
/// # Errors
/// A folder without training images, images without labels, and whatever [`read_idx`] finds.
pub fn read_idx_folder(folder: &str) -> Result<IdxFolder> {
    let names = file_names(folder)?;
    let pick = |parts: &[&str], what: &str| -> Option<PathBuf> {
        let fits = |name: &&String| {
            let name = name.to_lowercase();
            parts.iter().any(|part| name.contains(part)) && name.contains(what) && is_idx_name(&name)
        };
        // Sorted, so that the plain file comes before its .gz.
        names.iter().find(fits).map(|name| Path::new(folder).join(name))
    };
    let pair = |parts: &[&str]| -> Result<Option<(Images, Vec<String>)>> {
        let Some(images) = pick(parts, "images") else { return Ok(None) };
        let images = images.to_string_lossy().into_owned();
        let Some(labels) = pick(parts, "labels") else {
            let hint = format!("put {}-labels-idx1-ubyte beside them", parts[0]);
            return Err(wrong(&images, "there is no file of labels for these images", &hint));
        };
        read_pair(&images, Some(&labels.to_string_lossy())).map(Some)
    };
    let Some((train, mut hashes)) = pair(&["train"])? else {
        let found = if names.is_empty() {
            "it is empty".to_string()
        } else {
            format!("it has {}", crate::error::listed(names.iter().map(String::as_str)))
        };
        return Err(DataError::Folder { file: folder.to_string(), found });
    };
    let test = pair(&["t10k", "test"])?;
    if let Some((images, more)) = &test {
        if (images.height, images.width, images.channels) != (train.height, train.width, train.channels) {
            let problem = format!(
                "test images are {} x {} x {}, training images {} x {} x {}",
                images.height, images.width, images.channels, train.height, train.width, train.channels
            );
            return Err(wrong(folder, problem, "take both from the same set"));
        }
        hashes.extend_from_slice(more);
    }
    Ok(IdxFolder { train, test: test.map(|(images, _)| images), hash: crate::input::hash_of(&hashes) })
}

/// Reads one file of images, with its labels where their file lies beside it (`images` and `idx3` replaced in its name).
pub(crate) fn read_images(path: &str) -> Result<(Images, String)> {
    let name = Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let sibling = name.replace("images", "labels").replace("idx3", "idx1");
    let labels = Path::new(path).with_file_name(&sibling);
    let labels = (sibling != name && labels.is_file()).then(|| labels.to_string_lossy().into_owned());
    let (images, hashes) = read_pair(path, labels.as_deref())?;
    Ok((images, crate::input::hash_of(&hashes)))
}

fn file_names(folder: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(|error| DataError::from_io(folder, false, &error))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}
