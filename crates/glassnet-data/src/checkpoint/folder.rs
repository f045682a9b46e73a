//! The folder of a run's checkpoint.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use glassnet_core::Real;
use glassnet_nn::train::TrainerState;

use super::Document;
use super::bytes::{from_bytes, write_to};
use super::disk::{Disk, SystemDisk};
use crate::write::{WriteError, explain};

/// Name of the checkpoint in its folder.
pub const NAME: &str = "checkpoint.safetensors";
/// Name that it has while it is being written. One suffices: the lock keeps others out.
const UNFINISHED: &str = "checkpoint.part";
/// The file that is locked.
const LOCK: &str = "lock";

/// What can be wrong with a folder of checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// There is one already, and the run is to begin anew.
    #[error(
        "{folder} holds a checkpoint of a run already\n  hint: go on with it (--resume {folder}), give another folder, or remove \
         this one"
    )]
    Exists {
        /// The folder.
        folder: String,
    },
    /// There is none to go on from.
    #[error("{folder}: {what}\n  hint: {hint}")]
    Missing {
        /// The folder.
        folder: String,
        /// What is not there.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Another run is at work there.
    #[error(
        "{folder}: another run is writing its checkpoints there now\n  hint: wait for its end or stop it, or give another folder"
    )]
    Taken {
        /// The folder.
        folder: String,
    },
    /// What is there is no checkpoint, or a damaged one.
    #[error("{path}: {what}\n  hint: {hint}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A folder that this process has for itself.
pub struct Folder {
    path: PathBuf,
    disk: Box<dyn Disk + Send>,
    /// Held until the folder is dropped.
    _lock: Option<File>,
}

impl Folder {
    /// The folder of a run that begins: made where it is not there.
    ///
    /// # Errors
    /// It cannot be made or written to, another run is at work there, it holds a checkpoint already.
    pub fn begin(path: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let path = path.into();
        let folder = path.display().to_string();
        if path.exists() && !path.is_dir() {
            let (what, hint) = ("it is a file, not a folder".into(), "give the name of a folder".into());
            return Err(WriteError { path: folder, what, hint }.into());
        }
        let new = !path.exists();
        std::fs::create_dir_all(&path).map_err(|error| in_words(&path, &error))?;
        if let (true, Some(parent)) = (new, path.parent()) {
            // The folder's own name must be on the disk before what is in it; some file systems cannot do this.
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            let _ = File::open(parent).and_then(|parent| parent.sync_all());
        }
        let folder = Folder::locked(path)?;
        if folder.file().exists() {
            return Err(CheckpointError::Exists { folder: folder.path.display().to_string() });
        }
        Ok(folder)
    }

    /// The folder of a run that goes on.
    ///
    /// # Errors
    /// It is not there or holds no checkpoint, another run is at work there, it cannot be written to.
    pub fn resume(path: impl Into<PathBuf>) -> Result<Self, CheckpointError> {
        let path = path.into();
        let missing = |what: &str| CheckpointError::Missing {
            folder: path.display().to_string(),
            what: what.into(),
            hint: "checkpoints are written by train --checkpoint FOLDER; give the folder that was named there".into(),
        };
        match std::fs::metadata(&path) {
            Ok(metadata) if !metadata.is_dir() => return Err(missing("it is a file, not a folder of checkpoints")),
            Ok(_) if !path.join(NAME).exists() => return Err(missing("there is no checkpoint in it")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing("there is no such folder")),
            Err(error) => return Err(missing(&format!("it cannot be looked into: {error}"))),
        }
        Folder::locked(path)
    }

    /// The same with another disk in the place of the real one.
    pub fn with_disk(mut self, disk: impl Disk + Send + 'static) -> Self {
        self.disk = Box::new(disk);
        self
    }

    fn locked(path: PathBuf) -> Result<Self, CheckpointError> {
        let name = path.join(LOCK);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&name);
        let lock = lock.map_err(|error| in_words(&path, &error))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => {
                return Err(CheckpointError::Taken { folder: path.display().to_string() });
            }
            // A file system without locks: the run goes on without.
            Err(TryLockError::Error(_)) => None,
        };
        // What a run left that was killed while it wrote; where it cannot be removed, creating it anew says why.
        let _ = std::fs::remove_file(path.join(UNFINISHED));
        Ok(Folder { path, disk: Box::new(SystemDisk), _lock: lock })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint's file.
    pub fn file(&self) -> PathBuf {
        self.path.join(NAME)
    }

    /// Bytes of the checkpoint: what reading it takes twice.
    ///
    /// # Errors
    /// It is not there, or is no file.
    pub fn size(&self) -> Result<u64, CheckpointError> {
        match std::fs::metadata(self.file()) {
            Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
            Ok(_) => Err(self.damaged("it is no ordinary file")),
            Err(error) => Err(self.damaged(format!("it cannot be read: {error}"))),
        }
    }

    fn damaged(&self, what: impl Into<String>) -> CheckpointError {
        let hint = "begin the run anew, with another folder or after removing this one";
        CheckpointError::Damaged { path: self.file().display().to_string(), what: what.into(), hint: hint.into() }
    }

    /// Reads the checkpoint.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or is something else.
    pub fn read<T: Real>(&self) -> Result<(Document, TrainerState<'static, T>), CheckpointError> {
        self.size()?;
        let bytes = std::fs::read(self.file()).map_err(|error| self.damaged(format!("it cannot be read: {error}")))?;
        from_bytes(&bytes).map_err(|damage| self.damaged(damage.0))
    }

    /// Writes a checkpoint in the place of the last one, whole or not at all; gives its bytes.
    ///
    /// # Errors
    /// What the disk says. The last checkpoint stays whole. Only where the very last thing failed, forcing the folder to the
    /// disk, the new one has taken its place already, whole too.
    pub fn write<T: Real>(&mut self, document: &Document, state: &TrainerState<'_, T>) -> Result<u64, CheckpointError> {
        let (unfinished, file) = (self.path.join(UNFINISHED), self.file());
        let written = self.fill(&unfinished, document, state);
        let count = match written.and_then(|count| self.disk.rename(&unfinished, &file).map(|()| count)) {
            Ok(count) => count,
            Err(error) => {
                // The first error is the one to tell.
                let _ = self.disk.remove(&unfinished);
                return Err(in_words(&file, &error).into());
            }
        };
        self.disk.sync_folder(&self.path).map_err(|error| in_words(&file, &error))?;
        Ok(count)
    }

    fn fill<T: Real>(&mut self, path: &Path, document: &Document, state: &TrainerState<'_, T>) -> std::io::Result<u64> {
        let mut file = self.disk.create(path)?;
        let count = write_to(&mut file, document, state)?;
        file.flush()?;
        file.sync()?;
        Ok(count)
    }
}

/// As for other files; that a model could go elsewhere is no help here.
fn in_words(path: &Path, error: &std::io::Error) -> WriteError {
    let words = explain(path, error);
    match error.kind() {
        ErrorKind::PermissionDenied => WriteError { hint: "give a folder that you may write to".into(), ..words },
        _ => words,
    }
}
