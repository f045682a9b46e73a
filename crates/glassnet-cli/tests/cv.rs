//! Cross-validation by the real program: what it prints is what its out-of-fold predictions say, and no fold learns from the rows that
//! judge it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use made::{Folder, orders};
use serde_json::Value;

const FAST: [&str; 6] = ["--members", "1", "--epochs", "2", "--folds", "3"];

/// A run over `orders.csv` with these flags; its JSON and the lines of its predictions.
fn cv(folder: &Folder, flags: &[&str]) -> (Value, Vec<Vec<String>>) {
    let run = folder.run(&[&["cv", "orders.csv", "-o", "oof.csv", "--json"][..], flags, &FAST].concat()).ok();
    let text = std::fs::read_to_string(folder.path("oof.csv")).unwrap();
    let lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    (run.json(), lines)
}

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
}

fn numbers(lines: &[Vec<String>], column: usize) -> Vec<f64> {
    lines.iter().map(|line| line[column].parse().unwrap()).collect()
}

#[test]
fn scores_are_those_of_the_predictions_and_each_row_is_judged_once() {
    let folder = Folder::new("cv-classes");
    folder.write("orders.csv", orders(151, 3));
    let (found, lines) = cv(&folder, &["--target", "late", "--id", "order"]);
    assert_eq!(lines[0], ["order", "fold", "score_no", "score_yes", "class", "target"]);
    let rows = &lines[1..];
    let names: Vec<String> = (0..151).map(|row| format!("o{row:05}")).collect();
    assert_eq!(rows.iter().map(|line| line[0].clone()).collect::<Vec<_>>(), names, "each row once, in its order");

    let folds = found["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 3);
    let mut all: Vec<(f64, f64)> = Vec::new();
    for (at, fold) in folds.iter().enumerate() {
        let own: Vec<Vec<String>> = rows.iter().filter(|line| line[1] == (at + 1).to_string()).cloned().collect();
        assert_eq!(fold["rows"]["judged"], own.len());
        let parts = ["fitted", "calibrated", "judged"].map(|part| fold["rows"][part].as_u64().unwrap());
        assert_eq!(parts.iter().sum::<u64>(), 151);
        assert!(own.len().abs_diff(50) <= 1, "{}", own.len());
        let right = own.iter().filter(|line| line[4] == line[5]).count() as f64 / own.len() as f64;
        close(fold["scores"]["accuracy"].as_f64().unwrap(), right);
        let scores = numbers(&own, 3);
        let loss: f64 =
            own.iter().zip(&scores).map(|(line, &p)| -if line[5] == "yes" { p.ln() } else { (1.0 - p).ln() }).sum();
        let loss = loss / own.len() as f64;
        assert!((fold["scores"]["log_loss"].as_f64().unwrap() - loss).abs() < 1e-5, "{loss}");
        all.push((right, fold["scores"]["ece"].as_f64().unwrap()));
    }
    let mean = all.iter().map(|fold| fold.0).sum::<f64>() / 3.0;
    let spread = (all.iter().map(|fold| (fold.0 - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    close(found["mean"]["accuracy"].as_f64().unwrap(), mean);
    close(found["spread"]["accuracy"].as_f64().unwrap(), spread);
    close(found["mean"]["ece"].as_f64().unwrap(), all.iter().map(|fold| fold.1).sum::<f64>() / 3.0);
    let held = folds.iter().filter(|fold| fold["calibration"]["holds"] == true).count();
    assert_eq!(found["calibration"]["held"], held);
    assert_eq!(found["calibration"]["fitted"], 3);
}

#[test]
fn a_fold_learns_nothing_from_the_rows_that_judge_it() {
    let folder = Folder::new("cv-apart");
    let table = orders(120, 5);
    folder.write("orders.csv", &table);
    let flags = ["--target", "late", "--drop", "order,days", "--threads", "1"];
    let (_, before) = cv(&folder, &flags);
    // A row whose amount and country are like no other's.
    let changed: Vec<String> = table
        .lines()
        .enumerate()
        .map(|(at, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            if at == 8 { format!("{},1e9,mars,no,{},{}", cells[0], cells[4], cells[5]) } else { line.to_owned() }
        })
        .collect();
    folder.write("orders.csv", changed.join("\n") + "\n");
    let (_, after) = cv(&folder, &flags);
    let fold = &before[8][1];
    assert_ne!(before[8], after[8], "the row itself is another");
    let own = |line: &&Vec<String>| line[1] == *fold && line[0] != "8";
    let same = |lines: &[Vec<String>]| lines.iter().filter(own).cloned().collect::<Vec<_>>();
    assert!(same(&before).len() > 30);
    assert_eq!(same(&before), same(&after), "the model of its fold has not seen it");
    let others = |lines: &[Vec<String>]| lines[1..].iter().filter(|line| line[1] != *fold).cloned().collect::<Vec<_>>();
    assert_ne!(others(&before), others(&after), "the other models have");
}

#[test]
fn a_number_and_any_threads() {
    let folder = Folder::new("cv-number");
    folder.write("orders.csv", orders(120, 7));
    let flags = ["--target", "days", "--drop", "order,late"];
    let (found, lines) = cv(&folder, &[&flags[..], &["--threads", "1"]].concat());
    assert_eq!(lines[0], ["row", "fold", "prediction", "target"]);
    let (again, more) = cv(&folder, &[&flags[..], &["--threads", "3"]].concat());
    assert_eq!(lines, more);
    assert_eq!(found["mean"], again["mean"]);
    for fold in found["folds"].as_array().unwrap() {
        let own: Vec<Vec<String>> =
            lines.iter().filter(|line| fold["fold"] == line[1].parse::<u64>().unwrap_or(0)).cloned().collect();
        let errors = numbers(&own, 2).into_iter().zip(numbers(&own, 3)).map(|(said, own)| (said - own).abs());
        let mae = errors.sum::<f64>() / own.len() as f64;
        assert!((fold["scores"]["mae"].as_f64().unwrap() - mae).abs() < 1e-5, "{mae}");
        assert!((0.0..=1.0).contains(&fold["scores"]["coverage_90"].as_f64().unwrap()));
        assert!(fold["scores"].get("accuracy").is_none());
    }
}

#[test]
fn by_time_later_rows_judge_and_by_group_whole_groups_do() {
    let folder = Folder::new("cv-time");
    let table = orders(120, 9);
    let lines = table.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line},day,who\n"),
        // The last row is the earliest.
        _ => format!("{line},{},w{}\n", 1_000 - at, at % 17),
    });
    folder.write("orders.csv", lines.collect::<String>());
    let flags = ["--target", "late", "--drop", "order,days"];
    let (found, lines) = cv(&folder, &[&flags[..], &["--time", "day"]].concat());
    assert_eq!(found["time"], "day");
    let mut last = [121u64; 4];
    let mut judged = [0; 4];
    for line in &lines[1..] {
        let (row, fold) = (line[0].parse::<u64>().unwrap(), line[1].parse::<usize>().unwrap());
        last[fold] = last[fold].min(row);
        judged[fold] += 1;
    }
    assert_eq!(judged, [0, 30, 30, 30], "the earliest quarter is never judged");
    assert_eq!(&last[1..], [61, 31, 1], "each fold is later than the one before");
    let sizes = |part: &str| -> Vec<u64> {
        found["folds"].as_array().unwrap().iter().map(|fold| fold["rows"][part].as_u64().unwrap()).collect()
    };
    let seen: Vec<u64> = sizes("fitted").iter().zip(sizes("calibrated")).map(|(a, b)| a + b).collect();
    assert_eq!(seen, [30, 60, 90]);

    let (_, lines) = cv(&folder, &[&flags[..], &["--group", "who"]].concat());
    assert_eq!(lines.len(), 121);
    let mut fold_of = std::collections::BTreeMap::new();
    for line in &lines[1..] {
        let group = line[0].parse::<u64>().unwrap() % 17;
        assert_eq!(fold_of.entry(group).or_insert_with(|| line[1].clone()), &line[1], "group {group} is on two sides");
    }
}

#[test]
fn the_table_for_a_person() {
    let folder = Folder::new("cv-words");
    folder.write("orders.csv", orders(90, 2));
    let run = folder.run(&[&["cv", "orders.csv", "--target", "late"][..], &FAST].concat()).ok();
    for words in
        ["fold", "log_loss", "mean", "spread", "constant guess", "the calibration held in", "of 3 folds", "measured"]
    {
        assert!(run.out.contains(words), "{words:?} is not in\n{}", run.out);
    }
    for words in ["forecast about", "for 3 folds of 2 epochs", "fold 1 of 3: accuracy", "fold 3 of 3", "left out"] {
        assert!(run.err.contains(words), "{words:?} is not in\n{}", run.err);
    }
    assert_eq!(folder.names(), ["orders.csv"], "no model is written");
    let plain = ["cv", "orders.csv", "--target", "late", "--recipe", "plain", "--net", "8 relu", "--json", "-q"];
    let run = folder.run(&[&plain[..], &["--epochs", "2", "--folds", "2"]].concat()).ok();
    assert_eq!(run.json()["recipe"], "plain");
    assert_eq!(run.err, "");
    let timed = ["cv", "orders.csv", "--target", "late", "--time-budget", "1s", "--members", "2", "--folds", "2"];
    let run = folder.run(&timed).ok();
    assert!(run.err.contains("epochs in each fold; --epochs "), "{}", run.err);
}

#[test]
fn what_cannot_be() {
    let folder = Folder::new("cv-refuses");
    folder.write("orders.csv", orders(60, 2));
    folder.write("few.csv", "x,y\n1,yes\n2,no\n3,yes\n");
    folder.write("one.csv", "x,y\n1,yes\n2,yes\n3,yes\n");
    made::idx_folder(&folder.0, "train", 4, 1);
    let cases: [(&[&str], i32, &[&str]); 11] = [
        (&["orders.csv"], 2, &["which column is to be predicted?", "--target"]),
        (&["orders.csv", "--target", "lat"], 2, &["no column 'lat'", "did you mean late?"]),
        (&["orders.csv", "--target", "late", "--folds", "1"], 2, &["--folds"]),
        (&["orders.csv", "--target", "late", "--folds", "61"], 3, &["60 rows with a target are too few for 61 folds"]),
        (&["few.csv", "--target", "y", "--folds", "3"], 3, &["fold 1: few.csv", "hint"]),
        (&["one.csv", "--target", "y"], 3, &["one.csv", "only one class", "check the column"]),
        (&["orders.csv", "--target", "late", "--time", "country"], 3, &["\"country\"", "neither numbers nor dates"]),
        (&["orders.csv", "--target", "late", "--group", "country"], 3, &["3 groups are too few for 5 folds"]),
        (&["orders.csv", "--target", "late", "--task", "text"], 2, &["--task text", "hint"]),
        (&["orders.csv", "--target", "late", "-o", "orders.csv"], 2, &["orders.csv", "it would be replaced"]),
        (&["."], 2, &["folds are of a table's rows", "hint"]),
    ];
    for (arguments, code, words) in cases {
        let run = folder.run(&[&["cv"][..], arguments].concat()).fails(code, words);
        assert!(run.out.is_empty() && !run.err.contains("panicked"), "{}", run.err);
    }
}

#[test]
fn interrupted_it_reports_the_finished_folds() {
    let folder = Folder::new("cv-interrupted");
    folder.write("orders.csv", orders(300, 4));
    let arguments = ["cv", "orders.csv", "--target", "late", "--members", "1", "--epochs", "60", "--folds", "60"];
    let mut child = folder.command(&[&arguments[..], &["-o", "oof.csv", "--json"]].concat()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.starts_with("fold 2 of 60: ")));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said: Vec<String> = lines.collect();
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said:?}");
    let found: Value = serde_json::from_str(&out).unwrap();
    let folds = found["folds"].as_array().unwrap().len();
    assert!((2..60).contains(&folds), "{folds}");
    assert_eq!(found["exit_code"], 130);
    assert!(found["error"].as_str().unwrap().contains("of 60 folds"));
    let rows = std::fs::read_to_string(folder.path("oof.csv")).unwrap().lines().count();
    let judged: u64 =
        found["folds"].as_array().unwrap().iter().map(|fold| fold["rows"]["judged"].as_u64().unwrap()).sum();
    assert_eq!(rows as u64, judged + 1);
}
