//! Checkpoints as bytes and in their folder: what is written comes back, what is damaged is refused, and whatever call of
//! the disk fails, the old checkpoint stays whole.
#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result as IoResult, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use glassnet_core::{Real, Team};
use glassnet_data::checkpoint::{
    CheckpointError, Disk, DiskFile, Document, Folder, NAME, SystemDisk, VERSION, from_bytes, write_to,
};
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::source::Matrix;
use glassnet_nn::train::{Control, Observer, Rows, StepReport, TrainSpec, Trainer, TrainerState, View};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The state after so many steps of a small run.
fn state<T: Real>(steps: u64) -> TrainerState<'static, T> {
    struct Keep<T: Real>(u64, Option<TrainerState<'static, T>>);
    impl<T: Real> Observer<T> for Keep<T> {
        fn step(&mut self, report: &StepReport, view: &View<'_, T>) -> Control {
            if report.step < self.0 {
                return Control::Continue;
            }
            self.1 = Some(view.state().into_owned());
            Control::Stop
        }
    }
    let x: Vec<T> = (0..12).map(|i| T::from_f64(f64::from(i) * 0.3 - 1.0)).collect();
    let data = Matrix::with_labels(x, 2, vec![0, 1, 1, 0, 1, 0]);
    let network = Network::for_data(&"7 relu".parse().unwrap(), 2, 2, Some(&LossSpec::cross_entropy())).unwrap();
    let rows = Rows { source: &data, rows: &[0, 1, 2, 3] };
    let valid = Rows { source: &data, rows: &[4, 5] };
    let trainer =
        Trainer::new(&network, network.initialise(0), rows, Some(valid), TrainSpec::default(), Team::single());
    let mut keep = Keep(steps, None);
    trainer.unwrap().run(&mut keep);
    keep.1.unwrap()
}

fn document() -> Document {
    let run = [("lr", json!(0.1)), ("net", json!("7 relu"))].map(|(key, value)| (key.to_owned(), value));
    Document { version: VERSION, run: BTreeMap::from(run), more: json!({ "every": 3 }), record: Value::Null }
}

fn bytes<T: Real>(state: &TrainerState<'_, T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let count = write_to(&mut bytes, &document(), state).unwrap();
    assert_eq!(count, bytes.len() as u64);
    bytes
}

#[test]
fn what_is_written_comes_back_in_both_types() {
    let (single, double) = (state::<f32>(3), state::<f64>(3));
    let (kept, back) = from_bytes::<f32>(&bytes(&single)).unwrap();
    assert_eq!(back, single);
    assert_eq!((kept.run, kept.more), (document().run, document().more));
    assert_eq!(from_bytes::<f64>(&bytes(&double)).unwrap().1, double);
    let error = from_bytes::<f64>(&bytes(&single)).unwrap_err().to_string();
    assert!(error.contains("has type F32, this run's numbers are F64"), "{error}");
}

#[test]
fn any_safetensors_reader_opens_it() {
    let state = state::<f32>(3);
    let bytes = bytes(&state);
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names: Vec<&str> = read.names();
    names.sort_unstable();
    assert_eq!(names, ["best", "kept", "moment.exp_avg", "moment.exp_avg_sq", "parameters", "sha256"]);
    let first = state.arrays().find(|(name, _)| *name == "parameters").unwrap().1;
    let wanted: Vec<u8> = first.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(read.tensor("parameters").unwrap().data(), wanted);
}

#[test]
fn no_cut_and_no_changed_byte_goes_unseen() {
    let bytes = bytes(&state::<f32>(3));
    for length in 0..bytes.len() {
        let error = from_bytes::<f32>(&bytes[..length]).unwrap_err().to_string();
        assert!(error.contains("cut short") || error.contains("does not start"), "{length}: {error}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(from_bytes::<f32>(&longer).is_err());
    for place in 0..bytes.len() {
        let bit = place % 8;
        let mut changed = bytes.clone();
        changed[place] ^= 1 << bit;
        assert!(from_bytes::<f32>(&changed).is_err(), "byte {place}, bit {bit}");
    }
}

/// The bytes with their header changed and a hash that fits: what nobody but a forger makes.
fn forged(bytes: &[u8], edit: impl Fn(&mut Value)) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    edit(&mut header);
    let header = header.to_string();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&bytes[8 + length..bytes.len() - 32]);
    let hash = Sha256::digest(&out);
    out.extend_from_slice(&hash);
    out
}

#[test]
fn forged_sizes_and_documents_are_refused() {
    let bytes = bytes(&state::<f32>(3));
    assert!(from_bytes::<f32>(&forged(&bytes, |_| {})).is_ok());
    let said = |edit: &dyn Fn(&mut Value), word: &str| {
        let error = from_bytes::<f32>(&forged(&bytes, edit)).unwrap_err().to_string();
        assert!(error.contains(word), "{word}: {error}");
    };
    let huge = u64::MAX;
    said(&|header| header["kept"]["data_offsets"] = json!([0, huge]), "cut short");
    said(&|header| header["kept"]["shape"] = json!([huge]), "its size should be");
    said(&|header| header["kept"]["shape"] = json!([1u64 << 62, 4]), "no plain list");
    said(&|header| header["kept"]["data_offsets"] = json!([8, 4]), "its size should be");
    said(&|header| header["kept"]["dtype"] = json!("BF16"), "has type BF16");
    said(&|header| header["sha256"]["shape"] = json!([31]), "its size should be");
    said(&|header| header["__metadata__"] = json!({ "glassnet": "{}" }), "a model file");
    said(&|header| header["__metadata__"] = json!({}), "no checkpoint of glassnet");
    said(&|header| header["__metadata__"]["checkpoint"] = json!("[]"), "no version");
    said(&|header| header["__metadata__"]["checkpoint"] = json!("{\"version\":2}"), "version 2");
    said(&|header| header["__metadata__"]["checkpoint"] = json!("{\"version\":1}"), "cannot be read");
    said(&|header| header["__metadata__"]["checkpoint"] = json!("[".repeat(100_000)), "cannot be read");
    let mut long = bytes.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(from_bytes::<f32>(&long).unwrap_err().to_string().contains("does not start"));
}

#[test]
fn differences_are_named_with_both_sides() {
    let mut now = document().run;
    now.insert("lr".into(), json!(0.2));
    now.insert("clip".into(), json!(1));
    now.remove("net");
    let found = document().differences(&now);
    let names: Vec<(&str, bool, bool)> =
        found.iter().map(|d| (d.name.as_str(), d.kept.is_some(), d.now.is_some())).collect();
    assert_eq!(names, [("clip", false, true), ("lr", true, true), ("net", true, false)]);
    assert!(document().differences(&document().run).is_empty());
}

#[test]
fn a_folder_is_one_runs_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("deep/er");
    assert!(matches!(Folder::resume(&path), Err(CheckpointError::Missing { .. })));
    let mut folder = Folder::begin(&path).unwrap();
    assert!(matches!(Folder::begin(&path), Err(CheckpointError::Taken { .. })));
    assert!(matches!(Folder::resume(&path), Err(CheckpointError::Missing { .. })), "nothing is written yet");
    folder.write(&document(), &state::<f32>(3)).unwrap();
    assert!(matches!(Folder::resume(&path), Err(CheckpointError::Taken { .. })));
    drop(folder);
    assert!(matches!(Folder::begin(&path), Err(CheckpointError::Exists { .. })));
    std::fs::write(path.join("checkpoint.part"), "half of one").unwrap();
    let folder = Folder::resume(&path).unwrap();
    assert!(!path.join("checkpoint.part").exists(), "what a killed run left is gone");
    assert_eq!(folder.read::<f32>().unwrap().1, state::<f32>(3));
    drop(folder);
    assert!(matches!(Folder::begin(path.join(NAME)), Err(CheckpointError::Write(_))));
    assert!(matches!(Folder::resume(path.join(NAME)), Err(CheckpointError::Missing { .. })));
    std::fs::write(path.join(NAME), "").unwrap();
    assert!(matches!(Folder::resume(&path).unwrap().read::<f32>(), Err(CheckpointError::Damaged { .. })));
    std::fs::remove_file(path.join(NAME)).unwrap();
    std::fs::create_dir(path.join(NAME)).unwrap();
    assert!(matches!(Folder::resume(&path).unwrap().read::<f32>(), Err(CheckpointError::Damaged { .. })));
}

/// Counts the calls; one of them fails. What was not forced to the disk is thought lost where `lose` says so.
#[derive(Default)]
struct Plan {
    call: u64,
    fails: u64,
    kind: Option<ErrorKind>,
    names: Vec<&'static str>,
}

impl Plan {
    fn call(&mut self, name: &'static str) -> IoResult<()> {
        self.call += 1;
        self.names.push(name);
        if self.call == self.fails { Err(Error::from(self.kind.unwrap_or(ErrorKind::Other))) } else { Ok(()) }
    }
}

#[derive(Clone, Default)]
struct Faulty(Arc<Mutex<Plan>>);

struct FaultyFile(Box<dyn DiskFile>, Arc<Mutex<Plan>>, Cell<bool>);

impl Write for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.1.lock().unwrap().call("write")?;
        // A part of it only, as a nearly full disk takes it.
        let some = if self.2.replace(false) { bytes.len().div_ceil(2) } else { bytes.len() };
        self.0.write(&bytes[..some])
    }

    fn flush(&mut self) -> IoResult<()> {
        self.1.lock().unwrap().call("flush")?;
        self.0.flush()
    }
}

impl DiskFile for FaultyFile {
    fn sync(&mut self) -> IoResult<()> {
        self.1.lock().unwrap().call("sync")?;
        self.0.sync()
    }
}

impl Disk for Faulty {
    fn create(&mut self, path: &Path) -> IoResult<Box<dyn DiskFile>> {
        self.0.lock().unwrap().call("create")?;
        Ok(Box::new(FaultyFile(SystemDisk.create(path)?, Arc::clone(&self.0), Cell::new(true))))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> IoResult<()> {
        self.0.lock().unwrap().call("rename")?;
        SystemDisk.rename(from, to)
    }

    fn remove(&mut self, path: &Path) -> IoResult<()> {
        SystemDisk.remove(path)
    }

    fn sync_folder(&mut self, folder: &Path) -> IoResult<()> {
        self.0.lock().unwrap().call("sync_folder")?;
        SystemDisk.sync_folder(folder)
    }
}

#[test]
fn whatever_call_fails_the_old_checkpoint_stays_whole() {
    let home = tempfile::tempdir().unwrap();
    let (old, new) = (state::<f32>(2), state::<f32>(3));
    let faulty = Faulty::default();
    let mut folder = Folder::begin(home.path()).unwrap().with_disk(faulty.clone());
    let names = |folder: &Folder| {
        let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    folder.write(&document(), &old).unwrap();
    let calls = faulty.0.lock().unwrap().names.clone();
    assert_eq!(calls.first(), Some(&"create"));
    assert_eq!(calls[calls.len() - 4..], ["flush", "sync", "rename", "sync_folder"]);
    assert!(calls[1..calls.len() - 4].iter().all(|name| *name == "write") && calls.len() > 8, "{calls:?}");
    let kinds = [
        (ErrorKind::StorageFull, "the disk is full"),
        (ErrorKind::QuotaExceeded, "your share of the disk"),
        (ErrorKind::PermissionDenied, "permission denied"),
        (ErrorKind::ReadOnlyFilesystem, "read-only"),
        (ErrorKind::Other, "other error"),
    ];
    for (place, name) in calls.iter().enumerate() {
        for (kind, word) in kinds {
            folder.write(&document(), &old).unwrap();
            *faulty.0.lock().unwrap() = Plan { fails: place as u64 + 1, kind: Some(kind), ..Plan::default() };
            let error = folder.write(&document(), &new).unwrap_err();
            assert!(matches!(error, CheckpointError::Write(_)) && error.to_string().contains(word), "{name}: {error}");
            // Only when the names are forced to the disk is the new one in its place already.
            let wanted = if *name == "sync_folder" { &new } else { &old };
            assert_eq!(folder.read::<f32>().unwrap().1, *wanted, "{name} fails");
            assert_eq!(names(&folder), [NAME, "lock"], "{name} fails: nothing else is left behind");
            *faulty.0.lock().unwrap() = Plan::default();
        }
    }
    folder.write(&document(), &new).unwrap();
    assert_eq!(folder.read::<f32>().unwrap().1, new);
}
