//! Writing a file whole or not at all.
//!
//! The bytes go to a temporary file in the same folder, are forced to the disk, and then take the name in one step
//! (rename), so that whoever opens the name sees the old file or the new one, never a part of it. Where anything fails
//! the temporary file is removed and what was there before stays.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("cannot write {path}: {what}\n  hint: {hint}")]
pub struct WriteError {
    /// The file.
    pub path: String,
    /// Why not.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// Writes `bytes` to `path`, whole or not at all; a file of that name is replaced.
///
/// # Errors
/// The folder is missing or cannot be written to, the disk is full, the path is a folder. Nothing is left behind.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), WriteError> {
    let mut file = AtomicFile::create(&path)?;
    file.write_all(bytes).map_err(|error| explain(path.as_ref(), &error))?;
    file.commit()
}

/// A file that is written piece by piece and takes its name only when it is whole ([`AtomicFile::commit`]). Dropped
/// before that it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    target: PathBuf,
    temporary: PathBuf,
    file: File,
    done: bool,
}

impl AtomicFile {
    /// Begins a file that is to stand at `path`.
    ///
    /// # Errors
    /// As [`write_atomic`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, WriteError> {
        let path = path.as_ref();
        let target = whole_target(path)?;
        let (temporary, file) = create_beside(&target).map_err(|error| explain(path, &error))?;
        Ok(AtomicFile { path: path.to_path_buf(), target, temporary, file, done: false })
    }

    /// An error of writing a piece, in the words of a [`WriteError`].
    pub fn explain(&self, error: &std::io::Error) -> WriteError {
        explain(&self.path, error)
    }

    /// Forces the bytes to the disk and gives the file its name.
    ///
    /// # Errors
    /// As [`write_atomic`]; what was there before stays.
    pub fn commit(mut self) -> Result<(), WriteError> {
        keep_permissions(&self.target, &self.file)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| std::fs::rename(&self.temporary, &self.target))
            .map_err(|error| explain(&self.path, &error))?;
        self.done = true;
        sync_folder(folder_of(&self.target));
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.done {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// Whether `path` could be written now: said before long work, not after it. Makes and removes an empty file beside it.
///
/// # Errors
/// As [`write_atomic`], but for a disk that is full.
pub fn check_writable(path: impl AsRef<Path>) -> Result<(), WriteError> {
    let path = path.as_ref();
    let target = whole_target(path)?;
    let (temporary, file) = create_beside(&target).map_err(|error| explain(path, &error))?;
    drop(file);
    std::fs::remove_file(&temporary).map_err(|error| explain(path, &error))
}

/// The file that is to be replaced: of a link, what it points to, so that the link stays.
fn whole_target(path: &Path) -> Result<PathBuf, WriteError> {
    let refuse = |what: &str, hint: &str| {
        Err(WriteError { path: path.display().to_string(), what: what.into(), hint: hint.into() })
    };
    if path.as_os_str().is_empty() || path.file_name().is_none() {
        return refuse("this names no file", "give a file's name, such as model.glass");
    }
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.is_dir() {
        return refuse("it is a folder", "give a file's name inside of it");
    }
    if target.exists() && !target.is_file() {
        return refuse("it is no ordinary file", "give the name of a file; a device or pipe cannot be replaced");
    }
    let folder = folder_of(&target);
    if !folder.is_dir() {
        return refuse(
            &format!("there is no folder {}", folder.display()),
            "make the folder first, or give another place",
        );
    }
    Ok(target)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A new file in the folder of `target`, under a name that nobody has.
fn create_beside(target: &Path) -> std::io::Result<(PathBuf, File)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for attempt in 0..100u32 {
        let temporary = folder_of(target).join(format!(".{name}.{}-{attempt}.part", std::process::id()));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::new(ErrorKind::AlreadyExists, "a hundred unfinished files of this name stand in the folder"))
}

/// A file that is replaced keeps who may read it.
fn keep_permissions(target: &Path, file: &File) -> std::io::Result<()> {
    match std::fs::metadata(target) {
        Ok(metadata) => file.set_permissions(metadata.permissions()),
        Err(_) => Ok(()),
    }
}

/// Forces the new name to the disk where the system knows how; where it does not, the file is written all the same.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

pub(crate) fn explain(path: &Path, error: &std::io::Error) -> WriteError {
    let (what, hint) = match error.kind() {
        ErrorKind::PermissionDenied => {
            ("permission denied".to_string(), "give a folder that you may write to (-o elsewhere/model.glass)")
        }
        ErrorKind::StorageFull => ("the disk is full".to_string(), "make room, or give a place on another disk"),
        ErrorKind::QuotaExceeded => {
            ("your share of the disk is used up".to_string(), "make room, or give another place")
        }
        ErrorKind::ReadOnlyFilesystem => ("the disk is read-only".to_string(), "give a place on another disk"),
        ErrorKind::NotFound => ("its folder is gone".to_string(), "make the folder first, or give another place"),
        ErrorKind::InvalidFilename => ("the name is too long or not allowed".to_string(), "give a shorter name"),
        _ => (error.to_string(), "look at the folder and its disk, or give another place"),
    };
    WriteError { path: path.display().to_string(), what, hint: hint.into() }
}
