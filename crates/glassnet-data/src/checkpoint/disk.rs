//! What is asked of the disk.

use std::fs::File;
use std::io::{Result, Write};
use std::path::Path;

/// A file that is being written.
pub trait DiskFile: Write {
    /// Forces all that was written to the disk.
    ///
    /// # Errors
    /// The system's. What was written may or may not be on the disk then, and a second call tells nothing about it.
    fn sync(&mut self) -> Result<()>;
}

/// A disk. [`SystemDisk`] is the real one; tests put one in its place that fails.
pub trait Disk {
    /// Makes a file, or empties the one of that name.
    ///
    /// # Errors
    /// The system's; so with all that follow.
    fn create(&mut self, path: &Path) -> Result<Box<dyn DiskFile>>;

    /// Gives a file another name; a file of that name is replaced, in one step.
    fn rename(&mut self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file.
    fn remove(&mut self, path: &Path) -> Result<()>;

    /// Forces the names in a folder to the disk.
    fn sync_folder(&mut self, folder: &Path) -> Result<()>;
}

/// The disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDisk;

impl DiskFile for File {
    fn sync(&mut self) -> Result<()> {
        self.sync_all()
    }
}

impl Disk for SystemDisk {
    fn create(&mut self, path: &Path) -> Result<Box<dyn DiskFile>> {
        Ok(Box::new(File::create(path)?))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        std::fs::remove_file(path)
    }

    /// Where the system has no such call, as Windows, nothing is done.
    fn sync_folder(&mut self, folder: &Path) -> Result<()> {
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        #[cfg(not(unix))]
        let _ = folder;
        Ok(())
    }
}
