//! npy and npz files as named arrays, and arrays as a table: a row is an example.

use std::path::Path;

use glassnet_model::table::{Column, Table, Values};

use crate::error::{DataError, Result};
use crate::input::Input;
use crate::npy::{Array, MAGIC, from_bytes};
use crate::zip;

/// Arrays of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrays {
    /// The file.
    pub source: String,
    /// `npy` or `npz`.
    pub format: &'static str,
    /// Whether the file was compressed with gzip.
    pub gzip: bool,
    /// The arrays in the file's order.
    pub arrays: Vec<Array>,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal.
    pub hash: String,
}

/// Reads an .npy or .npz file, told apart by their first bytes.
///
/// # Errors
/// [`DataError::Npy`] names the array and what is wrong with it: another type than numbers, too few or too many bytes (with
/// both numbers), a damaged archive.
pub fn read_arrays(path: &str) -> Result<Arrays> {
    let mut input = Input::open(path)?;
    let mut bytes = Vec::new();
    input.fill(&mut bytes, usize::MAX)?;
    let source = input.name.clone();
    if bytes.is_empty() {
        return Err(DataError::Empty { file: source });
    }
    let (format, arrays) = if bytes.starts_with(MAGIC) {
        let stem = Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let mut array = from_bytes(&source, "", &bytes)?;
        array.name = stem;
        ("npy", vec![array])
    } else if bytes.starts_with(b"PK") {
        ("npz", from_archive(&source, &bytes)?)
    } else {
        return Err(DataError::Npy {
            file: source,
            array: String::new(),
            problem: "neither npy nor npz: it begins with neither \\x93NUMPY nor PK".into(),
            hint: "write it with numpy.save or numpy.savez".into(),
        });
    };
    Ok(Arrays { source, format, gzip: input.gzip, arrays, bytes: input.bytes(), hash: input.hash() })
}

/// What a zip with such a file in it is: spreadsheets are zips too, whatever they are called.
const OTHERS: [(&str, &str, &str); 4] = [
    ("xl/", "a spreadsheet (.xlsx)", "export the sheet as CSV UTF-8"),
    ("word/", "a document (.docx)", "write its table as CSV UTF-8"),
    ("content.xml", "a spreadsheet or document (.ods, .odt)", "export the sheet as CSV UTF-8"),
    ("archive/data.pkl", "a PyTorch file", "give the data: a CSV, an .npz, a folder of IDX files"),
];

fn from_archive(file: &str, bytes: &[u8]) -> Result<Vec<Array>> {
    let mut arrays = Vec::new();
    let entries = zip::entries(file, bytes)?;
    for entry in &entries {
        if let Some(name) = entry.name.strip_suffix(".npy") {
            arrays.push(from_bytes(file, name, &zip::unpack(file, bytes, entry)?)?);
        }
    }
    if arrays.is_empty() {
        let is = |mark: &str| entries.iter().any(|entry| entry.name.starts_with(mark));
        if let Some((_, what, hint)) = OTHERS.iter().find(|(mark, _, _)| is(mark)) {
            return Err(DataError::Unsupported { file: file.into(), what: (*what).into(), hint: (*hint).into() });
        }
        return Err(DataError::Npy {
            file: file.into(),
            array: String::new(),
            problem: "the archive holds no .npy arrays".into(),
            hint: "give an .npz written by numpy.savez; unpack other archives first".into(),
        });
    }
    Ok(arrays)
}

impl Arrays {
    /// The array of that name.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.arrays.iter().find(|array| array.name == name)
    }

    /// The arrays as a table: X of shape `[n, d]` becomes columns x1 ... xd (its name in lower case and a number), an array of
    /// shape `[n]` or `[n, 1]` one column of its name; all must have the same n. An npy file's own array is called x.
    ///
    /// # Errors
    /// Arrays of other shapes, of different numbers of rows, without rows, of clashing names, and infinities.
    pub fn to_table(&self) -> Result<Table> {
        let wrong = |array: &str, problem: String, hint: &str| DataError::Npy {
            file: self.source.clone(),
            array: array.to_string(),
            problem,
            hint: hint.to_string(),
        };
        let mut columns: Vec<Column> = Vec::new();
        let mut rows: Option<(usize, &str)> = None;
        for array in &self.arrays {
            let (count, width) = match array.shape[..] {
                [count] => (count, 1),
                [count, width] => (count, width),
                _ => {
                    let problem = format!("its shape {:?} makes no table", array.shape);
                    return Err(wrong(&array.name, problem, "give arrays of shape [rows] or [rows, columns]"));
                }
            };
            if count == 0 || width == 0 {
                let problem = format!("its shape {:?} has a 0: no values", array.shape);
                return Err(wrong(&array.name, problem, "dimensions must be positive"));
            }
            match rows {
                Some((other, name)) if other != count => {
                    let problem = format!("{count} rows, but array '{name}' has {other}");
                    return Err(wrong(&array.name, problem, "all arrays of a table must have the same number of rows"));
                }
                _ => rows = Some((count, &array.name)),
            }
            let name = if self.format == "npy" { "x".to_string() } else { array.name.to_lowercase() };
            for column in 0..width {
                let name = if width == 1 { name.clone() } else { format!("{name}{}", column + 1) };
                let values: Vec<f64> = array.values.iter().skip(column).step_by(width).copied().collect();
                if let Some(row) = values.iter().position(|value| value.is_infinite()) {
                    return Err(DataError::NotFinite {
                        file: self.source.clone(),
                        place: format!("row {}", row + 1),
                        column: name,
                        value: values[row].to_string(),
                    });
                }
                if let Some(first) = columns.iter().position(|other| other.name == name) {
                    let second = columns.len() + 1;
                    return Err(DataError::DuplicateColumn {
                        file: self.source.clone(),
                        name,
                        first: first + 1,
                        second,
                    });
                }
                columns.push(Column { name, values: Values::Number(values) });
            }
        }
        let rows = rows.map_or(0, |(count, _)| count);
        Ok(Table { source: self.source.clone(), columns, rows, first_row: 1, lines: Vec::new() })
    }
}
