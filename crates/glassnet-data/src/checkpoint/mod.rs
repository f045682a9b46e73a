//! Checkpoints: a run's state in a folder, so that a run that was stopped, killed or cut off can go on.
//!
//! A folder holds one checkpoint, the last that was written whole, and a lock that the run at work holds (the system lets
//! go of it when the process ends, however it ends). A new checkpoint goes to a temporary file, is forced to the disk, takes
//! the name in one step (rename), and then the folder is forced to the disk: whoever looks, whenever the power went, finds the
//! old checkpoint or the new one, whole.
//!
//! The file is a safetensors file, as a model file is, and never runs code:
//!
//! ```text
//! 8 bytes   n, the header's length, little-endian
//! n bytes   the header, JSON: {"__metadata__": {"format": "glassnet checkpoint", "checkpoint": DOCUMENT as a string},
//!           "parameters": {"dtype": "F32", "shape": [...], "data_offsets": [...]}, "moment.exp_avg": ..., "sha256": ...}
//! the rest  the arrays, little-endian, without gaps; the last one, "sha256", is the hash of all bytes before it
//! ```
//!
//! | file | what |
//! |---|---|
//! | `bytes` | a document and a state to bytes and back |
//! | `folder` | the folder: lock, reading, writing whole or not at all |
//! | `disk` | what is asked of the disk, so that tests can let each of it fail |

mod bytes;
mod disk;
mod folder;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use bytes::{Damaged, from_bytes, write_to};
pub use disk::{Disk, DiskFile, SystemDisk};
pub use folder::{CheckpointError, Folder, NAME};

/// The version of the document that this library writes. It reads no other: what a later or earlier library would make of
/// a half-done run need not be the same bytes.
pub const VERSION: u32 = 1;

/// What a checkpoint says besides the state's arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`VERSION`] of the library that wrote it.
    pub version: u32,
    /// What makes the run what it is, by name: settings, hashes of the data. A run goes on only where all of it is the same.
    pub run: BTreeMap<String, Value>,
    /// What else its writer wants back: how the run was begun, what its observers have seen.
    pub more: Value,
    /// The state's record.
    pub record: Value,
}

/// Something that is not the same in a run and in its checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What the checkpoint says; `None`: nothing.
    pub kept: Option<Value>,
    /// What it is now; `None`: nothing.
    pub now: Option<Value>,
}

impl Document {
    /// What differs from a run that is now described so, by name.
    pub fn differences(&self, now: &BTreeMap<String, Value>) -> Vec<Difference> {
        let names: std::collections::BTreeSet<&String> = self.run.keys().chain(now.keys()).collect();
        let differs = |name: &&&String| self.run.get(**name) != now.get(**name);
        let difference = |name: &String| Difference {
            name: name.clone(),
            kept: self.run.get(name).cloned(),
            now: now.get(name).cloned(),
        };
        names.iter().filter(differs).map(|name| difference(name)).collect()
    }
}
