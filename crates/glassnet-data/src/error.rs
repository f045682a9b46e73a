//! What can go wrong while data is read: what, where (file, row, line, column), and what to do about it.

use glassnet_nn::nearest::nearest;
use std::path::Path;

/// Why data could not be read. Each message names the file and ends with a hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no such file.
    #[error("{file}: there is no such file or folder{}. Hint: check the path, as seen from the current folder", near(.nearest))]
    NotFound {
        /// The path as given.
        file: String,
        /// A file of a similar name in the same folder.
        nearest: Option<String>,
    },
    /// The file may not be read.
    #[error(
        "{file}: no permission to read it. Hint: change the file's permissions, or copy it to where it may be read"
    )]
    Permission {
        /// The path as given.
        file: String,
    },
    /// The operating system gave an error.
    #[error(
        "{file}: reading failed: {problem}. Hint: check the disk or the program that feeds the pipe, and try again"
    )]
    Io {
        /// The source's name.
        file: String,
        /// The system's words.
        problem: String,
    },
    /// A folder that holds nothing that is read.
    #[error(
        "{file}: this folder holds nothing that is read ({found}). Hint: give one file (CSV, .csv.gz, .npz, .npy), or a folder with train-images-idx3-ubyte and train-labels-idx1-ubyte, with data_batch_1.bin (CIFAR-10), or with a sub-folder of PNG or JPEG files for each class"
    )]
    Folder {
        /// The path as given.
        file: String,
        /// What is there instead.
        found: String,
    },
    /// A format that is not read.
    #[error("{file}: this is {what}, which is not read. Hint: {hint}")]
    Unsupported {
        /// The source's name.
        file: String,
        /// What it is.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Options that contradict each other or make no sense.
    #[error("{file}: {problem}. Hint: {hint}")]
    Option {
        /// The source's name.
        file: String,
        /// What is wrong with them.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// No bytes, or nothing but blank lines.
    #[error("{file}: the file is empty. Hint: check that whatever writes it has finished")]
    Empty {
        /// The source's name.
        file: String,
    },
    /// A header and no rows.
    #[error(
        "{file}: line 1 is a header of {columns} columns and no row follows it. Hint: add rows, or use --no-header if line 1 is data"
    )]
    HeaderOnly {
        /// The source's name.
        file: String,
        /// Number of names in it.
        columns: usize,
    },
    /// Bytes that no text has.
    #[error(
        "{file}: line {line} holds a zero byte, so this is no text table but binary data (or UTF-16 text). Hint: export it as CSV in UTF-8"
    )]
    Binary {
        /// The source's name.
        file: String,
        /// The line of the byte.
        line: u64,
    },
    /// UTF-16, by its byte order mark.
    #[error(
        "{file}: the file is UTF-16 text (by its first two bytes), which is not read. Hint: save it as 'CSV UTF-8', or convert it with iconv -f UTF-16 -t UTF-8"
    )]
    Utf16 {
        /// The source's name.
        file: String,
    },
    /// Bytes that are not of the file's encoding.
    #[error(
        "{file}: {place}, column '{column}': the bytes {bytes} are not {encoding}. Hint: save the file as UTF-8, or name its encoding"
    )]
    Encoding {
        /// The source's name.
        file: String,
        /// Row and line.
        place: String,
        /// The column.
        column: String,
        /// The first bytes that don't fit, in hexadecimal.
        bytes: String,
        /// What they should be.
        encoding: &'static str,
    },
    /// A quote without its end.
    #[error(
        "{file}: the quote opened on line {line} is never closed. Hint: close it, or write a quote inside a quoted value twice (\"\")"
    )]
    UnclosedQuote {
        /// The source's name.
        file: String,
        /// The line of the opening quote.
        line: u64,
    },
    /// Text between a closing quote and the next delimiter.
    #[error(
        "{file}: line {line}: text follows a closing quote: {text}. Hint: write a quote inside a quoted value twice (\"\")"
    )]
    AfterQuote {
        /// The source's name.
        file: String,
        /// The line of the closing quote.
        line: u64,
        /// What follows it.
        text: String,
    },
    /// A row longer than any table's.
    #[error(
        "{file}: the row that starts on line {line} is longer than {limit} bytes. Hint: check that this is a table, one row a line"
    )]
    LongRow {
        /// The source's name.
        file: String,
        /// The line on which it starts.
        line: u64,
        /// The most that is read.
        limit: usize,
    },
    /// A row with more or fewer fields than the first line.
    #[error(
        "{file}: {place} has {found} fields where {expected} were expected (the delimiter is {delimiter}). Hint: {hint}"
    )]
    Ragged {
        /// The source's name.
        file: String,
        /// Row and line.
        place: String,
        /// Fields of the first line.
        expected: usize,
        /// Fields found.
        found: usize,
        /// The delimiter's name.
        delimiter: String,
        /// What to do.
        hint: String,
    },
    /// Two columns of one name.
    #[error(
        "{file}: columns {first} and {second} are both named '{name}'. Hint: rename one, or use --no-header if line 1 is data"
    )]
    DuplicateColumn {
        /// The source's name.
        file: String,
        /// The name.
        name: String,
        /// Number of the first, from 1.
        first: usize,
        /// Number of the second, from 1.
        second: usize,
    },
    /// An option names a column that is not there.
    #[error("{file}: there is no column '{name}' ({option}){}. Hint: the columns are {available}", near(.nearest))]
    UnknownColumn {
        /// The source's name.
        file: String,
        /// The name asked for.
        name: String,
        /// Which option asked.
        option: &'static str,
        /// The nearest name that exists.
        nearest: Option<String>,
        /// The names there are.
        available: String,
    },
    /// Columns that must be there and are not.
    #[error(
        "{file}: missing columns: {names}. Hint: the file must have the columns that the model was trained on; it has {available}"
    )]
    MissingColumns {
        /// The source's name.
        file: String,
        /// The names, each with the nearest that exists.
        names: String,
        /// The names there are.
        available: String,
    },
    /// No column is left after dropping.
    #[error("{file}: no column is left of {columns}. Hint: drop fewer columns")]
    NoColumns {
        /// The source's name.
        file: String,
        /// How many there were.
        columns: usize,
    },
    /// A value that is not a number in a column of numbers.
    #[error("{file}: {place}, column '{column}': '{value}' is not a number. Hint: {hint}")]
    BadNumber {
        /// The source's name.
        file: String,
        /// Row and line.
        place: String,
        /// The column.
        column: String,
        /// The value, shortened.
        value: String,
        /// What to do.
        hint: &'static str,
    },
    /// An infinity in a column of numbers.
    #[error(
        "{file}: {place}, column '{column}': '{value}' is not a finite number. Hint: correct it, or leave it blank, which is read as missing"
    )]
    NotFinite {
        /// The source's name.
        file: String,
        /// Row and line.
        place: String,
        /// The column.
        column: String,
        /// The value, shortened.
        value: String,
    },
    /// Compressed data that is cut or damaged.
    #[error("{file}: {problem}. Hint: fetch or compress the file again (gzip -t tests it)")]
    Gzip {
        /// The source's name.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// An IDX file that is not right.
    #[error("{file}: {problem}. Hint: {hint}")]
    Idx {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// A picture, a folder of pictures or a CIFAR-10 file that is not right.
    #[error("{file}: {problem}. Hint: {hint}")]
    Picture {
        /// The file or folder.
        file: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
    /// Text that is not UTF-8.
    #[error(
        "{file}: byte {offset} (on line {line}) is {byte}, which is not UTF-8 there. Hint: save the text as UTF-8, or convert it with iconv -t UTF-8"
    )]
    NotUtf8 {
        /// The source's name.
        file: String,
        /// The place of the first bad byte, from 0, in the unzipped bytes.
        offset: u64,
        /// Its line, from 1.
        line: u64,
        /// The byte, in hexadecimal.
        byte: String,
    },
    /// A text larger than is read.
    #[error("{file}: the text has more than {limit} bytes. Hint: take a part of it")]
    LongText {
        /// The source's name.
        file: String,
        /// The most that is read.
        limit: u64,
    },
    /// A line of a file of word vectors that is not right.
    #[error("{file}: line {line}: {problem}. Hint: {hint}")]
    Vectors {
        /// The source's name.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// An npy or npz file that is not right.
    #[error("{file}{}: {problem}. Hint: {hint}", array_words(.array))]
    Npy {
        /// The file.
        file: String,
        /// The array in it; empty where it has but one or the archive itself is meant.
        array: String,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: String,
    },
}

/// The result of reading.
pub type Result<T> = std::result::Result<T, DataError>;

fn near(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

fn array_words(array: &str) -> String {
    if array.is_empty() { String::new() } else { format!(", array '{array}'") }
}

impl DataError {
    /// The error of opening or reading `file`, from the system's error; a gzip stream's errors are told apart by their kind.
    pub(crate) fn from_io(file: &str, gzip: bool, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let file = file.to_string();
        match error.kind() {
            ErrorKind::UnexpectedEof if gzip => {
                DataError::Gzip { file, problem: "the gzip data ends too early".into() }
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidData if gzip => {
                DataError::Gzip { file, problem: format!("the gzip data is damaged ({error})") }
            }
            ErrorKind::NotFound => {
                let nearest = nearest_file(Path::new(&file));
                DataError::NotFound { file, nearest }
            }
            ErrorKind::PermissionDenied => DataError::Permission { file },
            _ => DataError::Io { file, problem: error.to_string() },
        }
    }
}

/// The name most like the last part of `path` among what lies in its folder: what a person may have meant.
pub fn nearest_file(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let wanted = path.file_name()?.to_str()?;
    let mut names: Vec<String> =
        std::fs::read_dir(folder).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_string)
}

/// A value as messages show it: at most 40 characters, control characters escaped.
pub(crate) fn short(value: &str) -> String {
    let mut text: String = value.chars().take(40).flat_map(char::escape_debug).collect();
    if value.chars().nth(40).is_some() {
        text.push_str("...");
    }
    text
}

/// Names in a message: the first twelve, then how many more.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(12).map(|name| short(name)).collect::<Vec<_>>().join(", ");
    if names.len() > 12 {
        text.push_str(&format!(" and {} more", names.len() - 12));
    }
    text
}
