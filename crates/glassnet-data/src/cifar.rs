//! CIFAR-10 in its binary form: records of a label and 3,072 pixels (1,024 of red, then green, then blue, line by line).
//! Source: cs.toronto.edu/~kriz/cifar.html.

use std::path::Path;

use glassnet_model::table::Images;

use crate::error::{DataError, Result};
use crate::image_folder::Entries;
use crate::input::{Input, hash_of};
use crate::picture::wrong;

const SIDE: usize = 32;
const PIXELS: usize = 3 * SIDE * SIDE;
const RECORD: usize = 1 + PIXELS;
const CLASSES: usize = 10;

/// Largest file that is read: a million records.
const MOST_BYTES: usize = RECORD * 1_000_000;

/// The parts of a CIFAR-10 folder.
#[derive(Debug, Clone, PartialEq)]
pub struct CifarFolder {
    /// The records of `data_batch_1.bin` and so on, in the order of their names.
    pub train: Images,
    /// Those of `test_batch.bin`.
    pub test: Option<Images>,
    /// SHA-256 over the SHA-256 of each file, training first; in hexadecimal.
    pub hash: String,
}

/// A file's name without `.gz`.
fn plain(name: &str) -> &str {
    name.strip_suffix(".gz").unwrap_or(name)
}

fn is_train(name: &str) -> bool {
    plain(name).strip_prefix("data_batch_").and_then(|rest| rest.strip_suffix(".bin")).is_some()
}

fn is_test(name: &str) -> bool {
    plain(name) == "test_batch.bin"
}

/// Whether a file's name is one of CIFAR-10's.
pub(crate) fn is_cifar(name: &str) -> bool {
    is_train(name) || is_test(name)
}

/// Reads a folder of CIFAR-10: `data_batch_1.bin` ..., `test_batch.bin`, and the classes' names from `batches.meta.txt`
/// where it is there (else they are 0 to 9).
///
/// # Errors
/// No file to train on, a size that is no number of records, a label above 9, other than ten names.
pub fn read_cifar_folder(folder: &str) -> Result<CifarFolder> {
    let root = Path::new(folder);
    let mut names = Entries::of(root)?.files;
    // A file and its .gz are one.
    names.dedup_by(|later, earlier| plain(later) == plain(earlier));
    let of = |fits: fn(&str) -> bool| -> Vec<&String> { names.iter().filter(|name| fits(name)).collect() };
    let (train, test) = (of(is_train), of(is_test));
    if train.is_empty() {
        let hint = "put data_batch_1.bin to data_batch_5.bin beside it";
        return Err(wrong(folder, "there are test images of CIFAR-10 but none to train on", hint));
    }
    let classes = class_names(root)?;
    let mut hashes = Vec::new();
    let mut read = |names: &[&String]| -> Result<Images> {
        let mut images = Images {
            source: folder.to_owned(),
            classes: classes.clone(),
            height: SIDE,
            width: SIDE,
            channels: 3,
            ..Images::default()
        };
        for name in names {
            hashes.push(add(&mut images, &root.join(name).to_string_lossy())?);
        }
        images.rows = images.labels.len();
        Ok(images)
    };
    let train = read(&train)?;
    let test = if test.is_empty() { None } else { Some(read(&test)?) };
    Ok(CifarFolder { train, test, hash: hash_of(&hashes) })
}

/// Adds the records of a file; gives its hash.
fn add(images: &mut Images, file: &str) -> Result<String> {
    let mut input = Input::open(file)?;
    let mut bytes = Vec::new();
    input.fill(&mut bytes, MOST_BYTES + 1)?;
    if bytes.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    if bytes.len() > MOST_BYTES {
        let problem = format!("it has more than the {MOST_BYTES} bytes that are read of one CIFAR-10 file");
        return Err(wrong(file, problem, "CIFAR-10 has 10,000 records a file"));
    }
    let left = bytes.len() % RECORD;
    if left != 0 {
        let (count, whole) = (bytes.len(), bytes.len() / RECORD);
        let problem =
            format!("{count} bytes are no whole number of records: {whole} of {RECORD} bytes, and {left} bytes more");
        let hint = "fetch the binary version of CIFAR-10 again; a record is a label and 3 x 32 x 32 pixels";
        return Err(wrong(file, problem, hint));
    }
    for (at, record) in bytes.chunks_exact(RECORD).enumerate() {
        let label = record[0];
        if usize::from(label) >= CLASSES {
            let problem = format!("record {} (byte {}) has the label {label}, more than 9", at + 1, at * RECORD);
            return Err(wrong(
                file,
                problem,
                "CIFAR-10 has labels from 0 to 9; this is another file, or a damaged one",
            ));
        }
        images.labels.push(u32::from(label));
        images.pixels.extend_from_slice(&record[1..]);
    }
    Ok(input.hash())
}

/// The names of the classes; none where there is no file of them.
fn class_names(folder: &Path) -> Result<Vec<String>> {
    let path = folder.join("batches.meta.txt");
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let file = path.to_string_lossy().into_owned();
    let text = crate::text::read_text(&file)?.text;
    let names: Vec<String> = text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.len() != CLASSES {
        let hint = "write one name a line, in the labels' order, or remove the file";
        return Err(wrong(&file, format!("it names {} classes, not {CLASSES}", names.len()), hint));
    }
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    if let Some((at, name)) = twice {
        return Err(wrong(&file, format!("two classes are called '{name}' (the second is label {at})"), "rename one"));
    }
    Ok(names)
}
