//! `train --checkpoint`, `--every`, `--resume`: killed anywhere, a run ends with the model that it would have had.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use std::time::Duration;

use made::{Folder, idx_folder, orders};

const FILE: &str = "run/checkpoint.safetensors";

/// Trains once without a stop; then with checkpoints, killed as soon as a second one is seen; then goes on from both, and
/// from the end.
fn killed_and_resumed(folder: &Folder, arguments: &[&str], more: &[&str]) {
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    folder.run(&[&["train"][..], arguments, &["-o", "whole.glass"]].concat()).ok();
    let whole = read("whole.glass");

    let begin = [&["train"][..], arguments, &["-o", "m.glass", "--checkpoint", "run", "--every", "1"]].concat();
    let mut child = folder.command(&begin).spawn().unwrap();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    while seen.len() < 2 && child.try_wait().unwrap().is_none() {
        match std::fs::read(folder.path(FILE)) {
            Ok(bytes) if seen.last() != Some(&bytes) => seen.push(bytes),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    seen.push(read(FILE));
    for bytes in &seen {
        folder.write(FILE, bytes);
        let _ = std::fs::remove_file(folder.path("m.glass"));
        let run = folder.run(&[&["train", "--resume", "run", "--json"][..], more].concat()).ok();
        assert!(read("m.glass") == whole, "the model differs\n{}", run.err);
        assert!(run.json()["checkpoint"]["resumed_from"]["step"].as_u64().is_some(), "{}", run.out);
    }
    // The run is at its end: nothing is left to do but the model.
    std::fs::remove_file(folder.path("m.glass")).unwrap();
    let run = folder.run(&["train", "--resume", "run", "--json"]).ok();
    assert!(read("m.glass") == whole);
    assert_eq!(run.json()["checkpoint"]["written"], 0, "{}", run.out);
    let mut names: Vec<_> = std::fs::read_dir(folder.path("run")).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["checkpoint.safetensors", "lock"]);
}

#[test]
fn a_table_with_plateau_and_early_stopping() {
    let folder = Folder::new("resume-table");
    folder.write("orders.csv", orders(300, 1));
    folder.write("test.csv", orders(50, 2));
    let arguments = [
        "orders.csv",
        "--target",
        "late",
        "--test",
        "test.csv",
        "--net",
        "12 relu -> batchnorm -> dropout 0.2 -> 6 relu",
        "--batch",
        "16",
        "--schedule",
        "plateau 1 0.5",
        "--early-stop",
        "5",
        "--epochs",
        "40",
        "--class-weights",
        "balanced",
    ];
    killed_and_resumed(&folder, &arguments, &["--threads", "2"]);
}

#[test]
fn images_that_are_changed_at_random() {
    let folder = Folder::new("resume-images");
    std::fs::create_dir(folder.path("pictures")).unwrap();
    idx_folder(&folder.path("pictures"), "train", 160, 1);
    let arguments = [
        "pictures",
        "--net",
        "conv 4 3x3 relu -> maxpool 2 -> 8 relu",
        "--augment",
        "flip, shift 1",
        "--optimizer",
        "momentum",
        "--lr",
        "0.05",
        "--epochs",
        "12",
        "--batch",
        "8",
        "--accumulate",
        "2",
    ];
    killed_and_resumed(&folder, &arguments, &[]);
}

#[test]
fn a_text_in_streams() {
    let folder = Folder::new("resume-text");
    folder.write("rhymes.txt", std::fs::read("../../data/rhymes.txt").unwrap());
    let arguments = [
        "rhymes.txt",
        "--task",
        "text",
        "--net",
        "embed 8 -> gru 12 -> lstm 10",
        "--context",
        "12",
        "--batch",
        "6",
        "--streams",
        "--steps",
        "150",
        "--schedule",
        "warmup 10 -> cosine",
    ];
    killed_and_resumed(&folder, &arguments, &[]);
}

#[test]
fn another_run_is_refused_with_all_that_differs() {
    let folder = Folder::new("resume-other");
    folder.write("orders.csv", orders(200, 1));
    folder.write("v.csv", orders(60, 2));
    let arguments = ["train", "orders.csv", "--target", "late", "--valid", "v.csv", "--net", "4 relu", "--epochs", "2"];
    folder.run(&[&arguments[..], &["--checkpoint", "run"]].concat()).ok();
    let again = ["holds a checkpoint of a run already", "--resume run"];
    folder.run(&[&arguments[..], &["--checkpoint", "run"]].concat()).fails(2, &again);

    let kept = std::fs::read(folder.path("orders.glass")).unwrap();
    let resume = ["train", "--resume", "run"];
    let said =
        ["what differs", "lr ", "0.001 in the checkpoint, 0.5 now", "epochs", "2 in the checkpoint, 3 now", "hint: "];
    folder.run(&[&resume[..], &["--lr", "0.5", "--epochs", "3"]].concat()).fails(2, &said);
    let net = [&arguments[..6], &["--net", "5 relu", "--epochs", "2", "--resume", "run"]].concat();
    folder.run(&net).fails(2, &["net ", "parameters "]);
    // One cell of the training data, then one of the validation data.
    let (train, valid) = (orders(200, 1), orders(60, 2));
    let changed = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let last = lines.len() - 1;
        lines.swap(last, last - 1);
        lines.join("\n") + "\n"
    };
    folder.write("orders.csv", changed(&train));
    folder.run(&resume).fails(2, &["training data", "contents "]);
    folder.write("orders.csv", &train);
    folder.write("v.csv", changed(&valid));
    folder.run(&resume).fails(2, &["validation data"]);
    folder.write("v.csv", &valid);
    // The whole command once more, as it was, with threads and the model's place of its own.
    let whole = [&arguments[..], &["--resume", "run", "--threads", "2", "-o", "other.glass"]].concat();
    folder.run(&whole).ok();
    assert!(std::fs::read(folder.path("other.glass")).unwrap() == kept);
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let folder = Folder::new("resume-none");
    folder.write("orders.csv", orders(100, 1));
    std::fs::create_dir(folder.path("empty")).unwrap();
    folder.run(&["train", "--resume", "empty"]).fails(2, &["there is no checkpoint in it", "--checkpoint"]);
    folder.run(&["train", "--resume", "nowhere"]).fails(2, &["there is no such folder"]);
    folder.run(&["train", "--resume", "orders.csv"]).fails(2, &["not a folder"]);
    let base = ["train", "orders.csv", "--target", "late", "--net", "4 relu", "--epochs", "1"];
    let with = |more: &[&str]| folder.run(&[&base[..], more].concat());
    with(&["--every", "3"]).fails(2, &["--every", "--checkpoint"]);
    with(&["--every", "0", "--checkpoint", "run"]).fails(2, &["--every: 0 steps"]);
    with(&["--checkpoint", "run", "--resume", "run"]).fails(2, &["cannot be used with"]);
    with(&["--checkpoint", "orders.csv"]).fails(2, &["the data is read from"]);
    with(&["--checkpoint", "run", "-o", "run/checkpoint.safetensors"]).fails(2, &["would replace the checkpoint"]);
    // A wrong word leaves nothing behind, nor does a folder inside the data.
    with(&["--checkpoint", "new", "--precision", "f16"]).fails(2, &["--precision"]);
    with(&["--checkpoint", "new", "--loss", "nonsense"]).fails(2, &["nonsense"]);
    assert!(!folder.path("new").exists());
    std::fs::create_dir(folder.path("images")).unwrap();
    idx_folder(&folder.path("images"), "train", 40, 3);
    for inside in ["images/run", "images", "images/../images/a/b"] {
        folder.run(&["train", "images", "--checkpoint", inside]).fails(2, &["the data is read from images"]);
    }
    assert!(!folder.path("images/run").exists() && !folder.path("images/a").exists());
    folder.write("file", "");
    with(&["--checkpoint", "file"]).fails(6, &["it is a file, not a folder"]);

    with(&["--checkpoint", "run"]).ok();
    let whole = std::fs::read(folder.path(FILE)).unwrap();
    let damaged = |bytes: &[u8], word: &str| {
        folder.write(FILE, bytes);
        folder.run(&["train", "--resume", "run"]).fails(4, &["checkpoint.safetensors", word, "hint: "]);
    };
    damaged(&[], "cut short");
    damaged(&whole[..whole.len() / 2], "cut short");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    damaged(&changed, "SHA-256");
    damaged(&std::fs::read(folder.path("orders.glass")).unwrap(), "it is a model file, not a checkpoint");
    let mut long = whole.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    damaged(&long, "does not start");
    // A file that claims to be larger than any memory.
    let file = std::fs::OpenOptions::new().write(true).open(folder.path(FILE)).unwrap();
    if file.set_len(1 << 43).is_ok() {
        folder.run(&["train", "--resume", "run"]).fails(2, &["of memory", "is it a checkpoint?"]);
    }
}

/// A second run finds the folder taken; Ctrl-C keeps the state at the step where it stopped.
#[cfg(unix)]
#[test]
fn one_run_a_folder_and_an_interrupt_keeps_its_state() {
    let folder = Folder::new("resume-interrupt");
    folder.write("orders.csv", orders(3_000, 1));
    let base =
        ["train", "orders.csv", "--target", "late", "--net", "64 relu -> 32 relu", "--epochs", "20", "--batch", "8"];
    let child = folder.command(&[&base[..], &["--checkpoint", "run", "--every", "1000000"]].concat()).spawn().unwrap();
    // The first checkpoint is written before the first step.
    while !folder.path(FILE).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    folder.run(&["train", "--resume", "run"]).fails(2, &["another run is writing its checkpoints there now"]);
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let stopped = made::Run::from(child.wait_with_output().unwrap());
    stopped.fails(130, &["go on with: glassnet train --resume run (from step "]);
    let half = std::fs::read(folder.path("orders.glass")).unwrap();
    let run = folder.run(&["train", "--resume", "run", "--json"]).ok();
    assert!(run.json()["checkpoint"]["resumed_from"]["step"].as_u64().unwrap() > 0, "{}", run.out);
    let resumed = std::fs::read(folder.path("orders.glass")).unwrap();
    assert!(resumed != half, "the model so far is no model of the whole run");
    folder.run(&[&base[..], &["-o", "whole.glass"]].concat()).ok();
    assert!(std::fs::read(folder.path("whole.glass")).unwrap() == resumed);
}
