//! The data of a training workload in a file, and the command of `train` that leaves the same weights.

use std::io::{BufWriter, Write};
use std::path::Path;

use glassnet::core::{Precision, Team};
use glassnet::data::write::AtomicFile;
use glassnet::nn::source::Targets;
use serde_json::json;

use super::workloads::{Kind, Rows, TrainWork, Workload};
use super::{Options, data, train_steps};
use crate::error::CliError;
use crate::output::Output;

/// Writes the files and prints the commands.
///
/// # Errors
/// A workload that does not train, a file that cannot be written.
pub fn write(
    folder: &Path,
    workloads: &[Workload],
    all: bool,
    options: &Options,
    output: &mut Output,
) -> Result<(), CliError> {
    if options.seconds.is_some() {
        let hint = "say the number of steps with --steps, or leave it out";
        return Err(CliError::Usage(format!("--write: --seconds says no number of steps\n  hint: {hint}")));
    }
    let cannot = |path: &Path, error: &std::io::Error| {
        CliError::Write(format!("cannot write {}: {error}\n  hint: check the folder", path.display()))
    };
    let untrained = |workload: &&Workload| !matches!(workload.kind, Kind::Train(_));
    if let Some(workload) = workloads.iter().find(untrained).filter(|_| !all) {
        let hint = "tiny, mnist, wide, cnn, lstm and gpt train";
        return Err(CliError::Usage(format!("--write: {} does not train on data\n  hint: {hint}", workload.name)));
    }
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    let (mut text, mut objects) = (String::new(), Vec::new());
    for workload in workloads {
        let Kind::Train(work) = workload.kind else { continue };
        let ending = if matches!(work.rows, Rows::Numbers { .. }) { "npy" } else { "txt" };
        let path = folder.join(format!("{}.{ending}", workload.name));
        let replaced = if path.exists() { " (the file of that name is replaced)" } else { "" };
        output.message(&format!("{} ...{replaced}", path.display()));
        file(&path, &work)?;
        let (_, steps) = train_steps::steps(&work, options);
        let words = command(
            &work,
            options,
            &path.display().to_string(),
            steps,
            &folder.join(workload.name).display().to_string(),
        );
        text += &format!("glassnet {}\n", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        objects.push(json!({ "workload": workload.name, "file": path.display().to_string(), "steps": steps,
            "arguments": words }));
    }
    output.result(&text, &json!({ "written": objects }))
}

/// The whole file or none: what was there stays until all is written.
fn file(path: &Path, work: &TrainWork) -> Result<(), CliError> {
    let mut file = AtomicFile::create(path).map_err(|error| CliError::Write(error.to_string()))?;
    let mut out = BufWriter::new(&mut file);
    if let Err(error) = rows(&mut out, work).and_then(|()| out.flush()) {
        drop(out);
        return Err(CliError::Write(file.explain(&error).to_string()));
    }
    drop(out);
    file.commit().map_err(|error| CliError::Write(error.to_string()))
}

fn rows(out: &mut impl Write, work: &TrainWork) -> std::io::Result<()> {
    match work.rows {
        Rows::Text { characters, .. } => out.write_all(data::text(characters, work.classes).as_bytes()),
        Rows::Numbers { rows, width } => {
            let threads = std::thread::available_parallelism().map_or(1, usize::from);
            let made = data::rows(rows, width, work.classes, &Team::new(threads));
            out.write_all(&npy_head(rows, width + 1))?;
            let Targets::Labels(labels) = &made.targets else { return Ok(()) };
            for (row, &label) in made.x.chunks(width).zip(labels) {
                for value in row.iter().chain([&(label as f32)]) {
                    out.write_all(&value.to_le_bytes())?;
                }
            }
            Ok(())
        }
    }
}

/// The head of an npy file of `rows` rows of `columns` f32 each (numpy.lib.format, version 1.0): padded so that the values
/// begin at a multiple of 64 bytes.
fn npy_head(rows: usize, columns: usize) -> Vec<u8> {
    let mut words = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    while !(10 + words.len() + 1).is_multiple_of(64) {
        words.push(' ');
    }
    words.push('\n');
    let mut head = b"\x93NUMPY\x01\x00".to_vec();
    head.extend((words.len() as u16).to_le_bytes());
    head.extend(words.as_bytes());
    head
}

/// The words behind `glassnet`.
fn command(work: &TrainWork, options: &Options, path: &str, steps: u64, out: &str) -> Vec<String> {
    let number = |x: f64| x.to_string();
    let own = match work.rows {
        // The last column is the class.
        Rows::Numbers { width, .. } => {
            vec!["--target".into(), format!("x{}", width + 1), "--task".into(), "classify".into(), "--raw".into()]
        }
        Rows::Text { context, .. } => vec!["--task".into(), "text".into(), "--context".into(), context.to_string()],
    };
    let mut words = vec!["train".to_owned(), path.to_owned()];
    words.extend(own);
    for (flag, value) in [
        ("--validation-share", "0".to_owned()),
        ("--net", work.net.to_owned()),
        ("--optimizer", work.optimizer.to_owned()),
        ("--lr", number(work.lr)),
        ("--batch", work.batch.to_string()),
        ("--steps", steps.to_string()),
        ("--seed", "0".to_owned()),
        ("--out", format!("{out}.glass")),
    ] {
        words.extend([flag.to_owned(), value]);
    }
    if options.precision != Precision::F32 {
        words.extend(["--precision".to_owned(), options.precision.to_string()]);
    }
    words
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_an_npy_file() {
        let head = npy_head(1024, 5);
        assert_eq!(head.len() % 64, 0);
        assert_eq!(usize::from(u16::from_le_bytes([head[8], head[9]])), head.len() - 10);
        assert!(head.ends_with(b"\n"));
    }

    #[test]
    fn words_of_a_shell() {
        assert_eq!(["16 relu", "a.npy", "it's"].map(quoted), ["'16 relu'", "a.npy", "'it'\\''s'"]);
    }
}
