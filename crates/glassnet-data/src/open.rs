//! One door for all data: looks at what a path is and reads it accordingly.

use std::io::Read;
use std::path::Path;

use glassnet_model::table::{Images, Table, Values};

use crate::arrays::{Arrays, read_arrays};
use crate::cifar::{CifarFolder, is_cifar, read_cifar_folder};
use crate::error::{DataError, Result};
use crate::idx::{IdxFolder, is_idx, is_idx_name, read_idx_folder, read_images};
use crate::image_folder::{Entries, ImageFolder, read_image_folder};
use crate::npy::MAGIC;
use crate::options::ReadOptions;
use crate::picture::{JPEG, PNG};
use crate::rows::select;
use crate::understood::{ColumnReport, Kind, Understood, Warning};

/// What was read.
// There is one of it at a time, and what it holds is far larger than itself: a box would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Clone, PartialEq)]
pub enum Dataset {
    /// A table, from CSV, npy or npz.
    Table {
        /// Its columns.
        table: Table,
        /// How it was read.
        understood: Box<Understood>,
    },
    /// Images, from IDX files, CIFAR-10 or pictures.
    Images {
        /// Training images.
        train: Images,
        /// Validation images, where the folder has them.
        valid: Option<Images>,
        /// Test images, where the folder has them.
        test: Option<Images>,
        /// SHA-256 of their files, in hexadecimal.
        hash: String,
    },
}

/// What stands at a path, as far as its first bytes and its name tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table of text, perhaps through gzip; a pipe and standard input count as one.
    Csv,
    /// An npy or npz file.
    Arrays,
    /// One IDX file.
    Idx,
    /// A folder.
    Folder,
}

/// Looks at what `path` is, without reading it.
///
/// # Errors
/// There is nothing there, or a format that is not read (Excel, Parquet, ...), with its name and a hint.
pub fn format_of(path: &str) -> Result<Format> {
    if path == "-" {
        return Ok(Format::Csv);
    }
    let metadata = std::fs::metadata(path).map_err(|error| DataError::from_io(path, false, &error))?;
    if metadata.is_dir() {
        return Ok(Format::Folder);
    }
    if !metadata.is_file() {
        // A pipe cannot be looked at and then read again.
        return Ok(Format::Csv);
    }
    let head = head(path)?;
    if is_idx(&head) {
        return Ok(Format::Idx);
    }
    let ending = Path::new(path).extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let spreadsheet = matches!(ending.as_str(), "xlsx" | "xlsm" | "ods" | "docx");
    if head.starts_with(MAGIC)
        || ending == "npy"
        || ending == "npz"
        || (head.starts_with(b"PK\x03\x04") && !spreadsheet)
    {
        return Ok(Format::Arrays);
    }
    if let Some((what, hint)) = foreign(&head) {
        return Err(DataError::Unsupported { file: path.into(), what: what.into(), hint: hint.into() });
    }
    Ok(Format::Csv)
}

/// Reads whatever `path` is: a folder of IDX files, of CIFAR-10 or of pictures by class; an IDX, npy or npz file, else CSV, each
/// also through gzip; `-` is a CSV on standard input.
///
/// # Errors
/// Whatever the reader says, and for formats that are not read (Excel, Parquet, ...) their name and a hint.
pub fn open(path: &str, options: &ReadOptions) -> Result<Dataset> {
    match format_of(path)? {
        Format::Csv => table(crate::csv::read_csv(path, options)?),
        Format::Arrays => from_arrays(&read_arrays(path)?, options),
        Format::Idx => {
            let (train, hash) = read_images(path)?;
            Ok(Dataset::Images { train, valid: None, test: None, hash })
        }
        Format::Folder => {
            let entries = Entries::of(Path::new(path))?;
            let any = |fits: fn(&str) -> bool| entries.files.iter().any(|name| fits(name));
            if any(is_cifar) {
                let CifarFolder { train, test, hash } = read_cifar_folder(path)?;
                return Ok(Dataset::Images { train, valid: None, test, hash });
            }
            if !any(is_idx_name) && !entries.folders.is_empty() {
                let ImageFolder { train, valid, test, hash } = read_image_folder(path)?;
                return Ok(Dataset::Images { train, valid, test, hash });
            }
            let IdxFolder { train, test, hash } = read_idx_folder(path)?;
            Ok(Dataset::Images { train, valid: None, test, hash })
        }
    }
}

/// Whether a file is one that a folder of images is read from: IDX, CIFAR-10, PNG or JPEG.
pub fn is_image_data(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| is_cifar(&name.to_string_lossy())) {
        return true;
    }
    head(&path.to_string_lossy()).is_ok_and(|head| is_idx(&head) || head.starts_with(PNG) || head.starts_with(JPEG))
}

fn table((table, understood): (Table, Understood)) -> Result<Dataset> {
    Ok(Dataset::Table { table, understood: Box::new(understood) })
}

/// The first bytes, unzipped where they are gzip. Damage is left for the reader to name.
fn head(path: &str) -> Result<Vec<u8>> {
    let open = || std::fs::File::open(path).map_err(|error| DataError::from_io(path, false, &error));
    let mut head = Vec::new();
    open()?.take(16).read_to_end(&mut head).map_err(|error| DataError::from_io(path, false, &error))?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let mut inner = Vec::new();
        let read = flate2::read::MultiGzDecoder::new(open()?).take(16).read_to_end(&mut inner);
        return Ok(if read.is_ok() { inner } else { Vec::new() });
    }
    Ok(head)
}

/// The first bytes of formats that are not read, their names, and what to do.
const FOREIGN: [(&[u8], &str, &str); 15] = [
    (b"PK\x03\x04", "a spreadsheet or document (.xlsx, .ods)", EXPORT),
    (&[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook (.xls)", EXPORT),
    (b"PAR1", "a Parquet file", "write it as CSV: pandas.read_parquet(path).to_csv('data.csv', index=False)"),
    (
        b"ARROW1",
        "an Arrow or Feather file",
        "write it as CSV: pandas.read_feather(path).to_csv('data.csv', index=False)",
    ),
    (b"\x89HDF", "an HDF5 file", "write its arrays with numpy.savez"),
    (
        b"SQLite format 3",
        "an SQLite database",
        "export one table: sqlite3 -header -csv FILE 'select * from TABLE' > data.csv",
    ),
    (b"%PDF", "a PDF document", EXPORT),
    (PNG, "an image", SINGLE),
    (JPEG, "an image", SINGLE),
    (b"BZh", "bzip2 data", "unpack it with bunzip2; gzip is read as it is"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz data", "unpack it with unxz; gzip is read as it is"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd data", "unpack it with unzstd; gzip is read as it is"),
    (&[b'7', b'z', 0xbc, 0xaf], "a 7z archive", "unpack it"),
    (b"{", "JSON, or something like it", "write it as CSV, one row a line"),
    (&[0x80, 0x04], "a Python pickle", "write it as CSV, or with numpy.savez; pickles run code and are never read"),
];

const SINGLE: &str = "give a table, or a folder with a sub-folder of such files for each class";

const EXPORT: &str = "export the sheet as CSV UTF-8";

fn foreign(head: &[u8]) -> Option<(&'static str, &'static str)> {
    FOREIGN.iter().find(|(magic, _, _)| head.starts_with(magic)).map(|(_, what, hint)| (*what, *hint))
}

/// Arrays as a table, with the columns that the options keep. They hold numbers; those asked for as text become text.
fn from_arrays(arrays: &Arrays, options: &ReadOptions) -> Result<Dataset> {
    let mut whole = arrays.to_table()?;
    let names: Vec<String> = whole.columns.iter().map(|column| column.name.clone()).collect();
    let (kept, ignored) = select(&arrays.source, &names, options)?;
    let mut index = 0;
    whole.columns.retain(|_| {
        index += 1;
        kept.contains(&(index - 1))
    });
    let mut reports = Vec::new();
    let mut warnings = Vec::new();
    for column in &mut whole.columns {
        let missing = (0..whole.rows).filter(|row| column.values.is_missing(*row)).count();
        if missing == whole.rows {
            warnings.push(Warning::NoValues { column: column.name.clone() });
        }
        let as_text = options.as_text.contains(&column.name);
        if as_text && let Values::Number(numbers) = &column.values {
            let mut text = glassnet_model::table::Text::default();
            for number in numbers {
                text.push((!number.is_nan()).then(|| number.to_string()).as_deref());
            }
            column.values = Values::Text(text);
        }
        reports.push(ColumnReport {
            name: column.name.clone(),
            kind: if as_text { Kind::Text } else { Kind::Number },
            asked: as_text || options.as_number.contains(&column.name),
            missing: missing as u64,
            missing_words: std::collections::BTreeMap::new(),
        });
    }
    let understood = Understood {
        source: arrays.source.clone(),
        format: arrays.format,
        gzip: arrays.gzip,
        dialect: None,
        rows: whole.rows as u64,
        columns: reports,
        ignored,
        warnings,
        bytes: arrays.bytes,
        hash: arrays.hash.clone(),
    };
    table((whole, understood))
}
