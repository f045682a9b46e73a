//! Where results go: places that cannot be written, full disks, Ctrl-C; and what is not refused.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use crate::case::{Case, case, faults, interrupt};
use crate::made::{Folder, Run, orders};
use crate::models::model;
use crate::tables::{rows, table};

/// Places.
pub fn places() -> Vec<Case> {
    let train = |name, out: &str, says: &[&'static str], hint| {
        case(name, &["train", "t.csv", "--target", "y", "--epochs", "1", "-o", out], 6, says, hint)
            .with("t.csv", table())
            .with("taken/", "")
    };
    let predict = |name, out: &str, says: &[&'static str], hint| {
        case(name, &["predict", "m.glass", "t.csv", "-o", out], 6, says, hint)
            .with("t.csv", table())
            .with("m.glass", model())
            .with("taken/", "")
    };
    let mut cases = vec![
        train(
            "a model into no folder",
            "none/m.glass",
            &["none/m.glass: there is no folder none"],
            "make the folder first",
        ),
        train("a model in a folder's place", "taken", &["taken: it is a folder"], "inside of it"),
        train("a model below a file", "t.csv/m.glass", &["t.csv/m.glass: there is no folder"], "make the folder first"),
        train("a model without a name", "..", &["cannot write .."], "hint"),
        predict(
            "scores into no folder",
            "none/out.csv",
            &["none/out.csv: there is no folder none"],
            "make the folder first",
        ),
        predict("scores in a folder's place", "taken", &["taken: it is a folder"], "inside of it"),
    ];
    if cfg!(target_os = "linux") {
        cases.extend([
            train("a model where nobody writes", "/proc/m.glass", &["cannot write /proc/m.glass"], "another place"),
            train("a model into a device", "/dev/full", &["/dev/full: it is no ordinary file"], "cannot be replaced"),
            predict("scores where nobody writes", "/proc/out.csv", &["cannot write /proc/out.csv"], "another place"),
        ]);
    }
    cases
}

#[cfg(target_os = "linux")]
fn full() -> std::fs::File {
    std::fs::File::options().write(true).open("/dev/full").unwrap()
}

/// Results that nothing takes: exit 6, whatever the command.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output() {
    let folder = Folder::new("bad-full");
    folder.write("m.glass", model());
    folder.write("t.csv", table());
    let commands: &[&[&str]] = &[
        &["predict", "m.glass", "t.csv"],
        &["predict", "m.glass", "t.csv", "--json"],
        &["evaluate", "m.glass", "t.csv"],
        &["inspect", "m.glass"],
        &["inspect", "m.glass", "--json"],
        &["trace", "m.glass", "t.csv"],
        &["check", "m.glass", "t.csv"],
        &["completions", "bash"],
    ];
    let before = folder.names();
    for command in commands {
        let run = Run::from(folder.command(command).stdout(full()).output().unwrap());
        let found = faults(&run, 6, &["cannot write to standard output", "hint"]);
        assert!(found.is_empty(), "{command:?}: {found:?}\n{}", run.err);
    }
    assert_eq!(folder.names(), before);
}

/// A disk of 16 kB: the scores do not fit. Where this user may not mount one, there is nothing to see.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_scores() {
    let folder = Folder::new("bad-disk");
    folder.write("m.glass", model());
    folder.write("t.csv", rows(9_000));
    let disk = folder.path("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).arg(&disk).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=16k", "tmpfs"]) {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    }
    let run = folder.run(&["predict", "m.glass", "t.csv", "-o", "disk/out.csv"]);
    let left = std::fs::read_dir(&disk).unwrap().count();
    assert!(mount("umount", &[]));
    let found = faults(&run, 6, &["cannot write disk/out.csv: the disk is full", "make room"]);
    assert!(found.is_empty(), "{found:?}\n{}", run.err);
    assert_eq!(left, 0, "nothing half-written");
}

/// A pipe that closes early is no error: exit 0, and not a word.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away() {
    let folder = Folder::new("bad-pipe");
    folder.write("m.glass", model());
    folder.write("t.csv", rows(60_000));
    let mut child = folder.command(&["predict", "m.glass", "t.csv", "-q"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("row,"), "{line}");
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
}

/// Ctrl-C while training: the best epoch so far is a whole model, which predicts.
#[cfg(unix)]
#[test]
fn an_interrupt_while_training() {
    let folder = Folder::new("bad-interrupt");
    folder.write("orders.csv", orders(300, 1));
    let command =
        ["train", "orders.csv", "--target", "late", "--epochs", "1000000", "--net", "8 relu", "-o", "m.glass"];
    let mut child = folder.command(&command).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch ") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first epoch");
    }
    interrupt(child.id());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130), "{rest}");
    assert!(rest.contains("keeping the best epoch") && rest.contains("m.glass"), "{rest}");
    assert_eq!(folder.names(), ["m.glass", "orders.csv"]);
    let run = folder.run(&["predict", "m.glass", "orders.csv"]).ok();
    assert_eq!(run.out.lines().count(), 301);
}

/// Ctrl-C while scores are written: nothing of them stays, and what was there before does.
#[cfg(unix)]
#[test]
fn an_interrupt_while_predicting() {
    let folder = Folder::new("bad-interrupt-predict");
    folder.write("m.glass", model());
    folder.write("out.csv", "what was there before");
    let mut command = folder.command(&["predict", "m.glass", "-", "-o", "out.csv"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(rows(60_000).as_bytes()).unwrap();
    assert!(folder.names().iter().any(|name| name.ends_with(".part")), "{:?}", folder.names());
    interrupt(child.id());
    while input.write_all(b"1,a,no\n").is_ok() {}
    let run = Run::from(child.wait_with_output().unwrap());
    let found = faults(&run, 130, &["interrupted", "nothing was written"]);
    assert!(found.is_empty(), "{found:?}\n{}", run.err);
    assert_eq!(folder.names(), ["m.glass", "out.csv"]);
    assert_eq!(std::fs::read_to_string(folder.path("out.csv")).unwrap(), "what was there before");
}

/// Order is free, more columns are ignored with a word, new categories go to the unknown input, blanks are imputed.
#[test]
fn what_is_not_refused() {
    let folder = Folder::new("bad-fine");
    folder.write("m.glass", model());
    folder.write("plain.csv", "x,kind\n1,a\n8,b\n,c\n");
    folder.write("turned.csv", "note,kind,y,x\nhi,a,no,1\nho,b,,8\nhm,c,who knows,\n");
    folder.write("new.csv", "x,kind\n1,zebra\n8,\n");
    let plain = folder.run(&["predict", "m.glass", "plain.csv"]).ok();
    let turned = folder.run(&["predict", "m.glass", "turned.csv"]).ok();
    assert_eq!(plain.out, turned.out, "order is free");
    assert_eq!(plain.err, "");
    assert!(turned.err.contains("ignored, because the model does not know them: note"), "{}", turned.err);
    assert_eq!(turned.err.lines().count(), 1, "the target is no stranger: {}", turned.err);
    let new = folder.run(&["predict", "m.glass", "new.csv", "--json"]).ok();
    assert!(new.err.contains("column kind: 1 row has a category") && new.err.contains("\"zebra\""), "{}", new.err);
    assert!(new.err.contains("counts as unknown"), "{}", new.err);
    let json = new.json();
    assert_eq!((&json["rows"], &json["unseen"]["kind"]["rows"]), (&2.into(), &1.into()));
    let score = json["predictions"][0]["scores"][1].as_f64().unwrap();
    assert!(score > 0.0 && score < 1.0);
}

/// An error with --json is one object on stdout, and the words on stderr all the same.
#[test]
fn an_error_as_json() {
    let folder = Folder::new("bad-json");
    folder.write("m.glass", &model()[..100]);
    folder.write("t.csv", table());
    let commands: &[(&[&str], i32)] = &[
        (&["predict", "m.glass", "t.csv", "--json"], 4),
        (&["evaluate", "m.glass", "t.csv", "--json"], 4),
        (&["train", "t.csv", "--target", "z", "--json"], 2),
        (&["trace", "2 -> 1", "--json"], 2),
        (&["inspect", "2 -> 1 rleu", "--json"], 2),
    ];
    for (command, code) in commands {
        let run = folder.run(command);
        assert_eq!(run.code, Some(*code), "{command:?} {}", run.err);
        let json = run.json();
        assert_eq!(json["exit_code"], *code, "{command:?}");
        let error = json["error"].as_str().unwrap();
        assert!(!error.is_empty() && run.err.contains(error), "{command:?}: {error}");
    }
    assert_eq!(folder.names(), ["m.glass", "t.csv"]);
}
