//! `--recipe tabm`, by the real program: one network of many members that every command takes as it takes any other.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, idx_folder, orders};

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("orders.csv", orders(400, 1));
    folder.write("new.csv", orders(60, 2));
    folder.write("later.csv", orders(400, 3));
    folder
}

const LATE: [&str; 9] = ["train", "orders.csv", "--target", "late", "--drop", "order", "--recipe", "tabm", "--json"];

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

#[test]
fn one_run_through_all_commands() {
    let folder = folder("tabm");
    let small = ["--members", "3", "--epochs", "12", "-o", "m.glass", "--report", "m.html", "--threads", "1"];
    let trained = folder.run(&[&LATE[..], &small].concat()).ok().json();
    let text = trained["network"]["text"].as_str().unwrap();
    for layer in ["piecewise 48 16", "-> members 3 -> shared 512 -> relu -> dropout 0.1 ->", "-> heads 2 -> average"] {
        assert!(text.contains(layer), "{layer:?} is not in {text}");
    }
    let settings = &trained["settings"];
    assert_eq!((&settings["recipe"], &settings["members_in_network"]), (&"tabm".into(), &3.into()));
    assert_eq!((&settings["early"]["patience"], &trained["members"]), (&16.into(), &1.into()));
    assert!(trained["calibration"].is_object(), "{trained}");
    // The report says how to do it again, and that gives the same bytes, whatever the threads.
    let page = std::fs::read_to_string(folder.path("m.html")).unwrap();
    assert!(page.contains("--recipe tabm") && page.contains("--members 3"));
    let again = ["--members", "3", "--epochs", "12", "-o", "again.glass", "--threads", "2"];
    folder.run(&[&LATE[..], &again].concat()).ok();
    assert!(std::fs::read(folder.path("m.glass")).unwrap() == std::fs::read(folder.path("again.glass")).unwrap());

    let judged = folder.run(&["evaluate", "m.glass", "new.csv", "--json"]).ok().json();
    assert_eq!(judged["rows"].as_u64(), Some(60));
    assert!(judged["log_loss"].as_f64().unwrap() < 0.4, "{judged}");

    // One row alone and in the table: the same line.
    let all = folder.run(&["predict", "m.glass", "new.csv"]).ok().out;
    let file = orders(60, 2);
    let lines: Vec<&str> = file.lines().collect();
    for row in [1, 17, 60] {
        folder.write("one.csv", format!("{}\n{}\n", lines[0], lines[row]));
        let one = folder.run(&["predict", "m.glass", "one.csv"]).ok().out;
        let cells = |text: &str, line: usize| text.lines().nth(line).unwrap().split_once(',').unwrap().1.to_owned();
        assert_eq!(cells(&one, 1), cells(&all, row));
    }

    let value = folder.run(&["explain", "m.glass", "new.csv", "--row", "3", "--json"]).ok().json();
    let of = |key: &str| value[key].as_f64().unwrap();
    let columns = value["columns"].as_array().unwrap();
    let sum: f64 = columns.iter().map(|column| column["adds"].as_f64().unwrap()).sum();
    assert_eq!(columns.len(), 4);
    assert!((of("base") + sum - of("output")).abs() < 1e-6 * of("output").abs().max(1.0), "{value}");
    let printed: Vec<&str> = all.lines().nth(3).unwrap().split(',').collect();
    assert!((of("score") - number(printed[2])).abs() < 1e-6);

    folder.run(&["monitor", "m.glass", "later.csv"]).ok();
    let done = folder.run(&["recalibrate", "m.glass", "later.csv", "-o", "c.glass", "--json"]).ok().json();
    assert_eq!(done["weights_hash"], trained["weights_hash"]);
    let shown = folder.run(&["inspect", "m.glass"]).ok().out;
    assert!(shown.contains("members 3") && shown.contains("amount"), "{shown}");
    let traced = folder.run(&["trace", "m.glass", "new.csv", "--row", "1"]).ok().out;
    assert!(traced.contains("the share of training rows below"), "{traced}");
}

#[test]
fn numbers_get_intervals() {
    let folder = folder("tabm-numbers");
    let words = ["train", "orders.csv", "--target", "days", "--drop", "order,late", "--recipe", "tabm", "--json"];
    let small = ["--members", "2", "--epochs", "20", "-o", "m.glass"];
    let trained = folder.run(&[&words[..], &small].concat()).ok().json();
    assert!(trained["network"]["text"].as_str().unwrap().ends_with("heads 1 -> average"), "{}", trained["network"]);
    assert!(trained["intervals"].is_object());
    let judged = folder.run(&["evaluate", "m.glass", "new.csv", "--json"]).ok().json();
    // The days are a line of amount and express, and spread by 1.6.
    assert!(judged["rmse"].as_f64().unwrap() < 0.5, "{judged}");
    let out = folder.run(&["predict", "m.glass", "new.csv", "--interval", "90%"]).ok().out;
    assert_eq!(out.lines().count(), 61);
}

#[test]
fn folds_and_five_networks() {
    let folder = folder("tabm-folds");
    let words = ["cv", "orders.csv", "--target", "late", "--drop", "order", "--recipe", "tabm", "--members", "2"];
    let report = folder.run(&[&words[..], &["--folds", "2", "--epochs", "1", "--json"]].concat()).ok().json();
    assert_eq!(report["recipe"], "tabm");
    assert_eq!(report["folds"].as_array().unwrap().len(), 2);
    let best = ["--best", "--members", "2", "--epochs", "1", "-o", "b.glass"];
    let trained = folder.run(&[&LATE[..], &best].concat()).ok().json();
    assert_eq!((&trained["members"], &trained["settings"]["members_in_network"]), (&5.into(), &2.into()));
    folder.run(&["predict", "b.glass", "new.csv"]).ok();
}

/// A time chooses the epochs, and the epochs that it prints give the same model; without rows to stop by all are run.
#[test]
fn epochs_are_the_most_that_are_run() {
    let folder = folder("tabm-time");
    let run = |more: &[&str]| folder.run(&[&LATE[..], &["--members", "1"], more].concat()).ok();
    let timed = run(&["--time-budget", "1s", "-o", "a.glass"]);
    let epochs = timed.err.split("--epochs ").nth(1).unwrap().split(' ').next().unwrap();
    let again = run(&["--epochs", epochs, "-o", "b.glass"]);
    assert_eq!(timed.json()["weights_hash"], again.json()["weights_hash"]);
    let soon = run(&["--epochs", "40", "--early-stop", "1", "--lr", "0.2", "-o", "c.glass"]).json();
    assert_eq!(soon["stopped"], "early", "{}", soon["history"]);
    let whole = run(&["--epochs", "2", "--validation-share", "0", "-o", "d.glass"]).json();
    assert_eq!((&whole["epochs"], &whole["settings"]["early"]["patience"]), (&2.into(), &serde_json::Value::Null));
}

#[test]
fn what_it_fixes_is_refused() {
    let folder = folder("tabm-refuses");
    for more in [
        &["--net", "8 relu"][..],
        &["--raw"],
        &["--optimizer", "sgd"],
        &["--schedule", "cosine"],
        &["--loss", "bce"],
        &["--steps", "4"],
        &["--clip-norm", "1"],
        &["--precision", "bf16"],
    ] {
        let wanted = format!("{}: the tabm recipe has its own\n  hint: leave it out, or take --recipe plain", more[0]);
        folder.run(&[&LATE[..8], more].concat()).fails(2, &[&wanted]);
    }
    folder.write("run.toml", "[train]\noptimizer = \"sgd\"\n");
    folder
        .run(&[&LATE[..8], &["--config", "run.toml"]].concat())
        .fails(2, &["--optimizer: the tabm recipe has its own"]);
    folder.run(&[&LATE[..8], &["--members", "0"]].concat()).fails(2, &["--members: 0"]);
    folder.run(&[&LATE[..8], &["--members", "1001"]].concat()).fails(2, &["more than the 1000", "32 are usual"]);
    let no_rows = ["--early-stop", "3", "--validation-share", "0"];
    folder.run(&[&LATE[..8], &no_rows].concat()).fails(2, &["--early-stop: there are no validation rows to stop by"]);
    folder.run(&["train", "orders.csv", "--target", "late", "--recipe", "tabn"]).fails(2, &["tabm"]);
    let images = folder.path("images");
    std::fs::create_dir_all(&images).unwrap();
    idx_folder(&images, "train", 40, 3);
    let refused = folder.run(&["train", "images", "--recipe", "tabm"]);
    refused.fails(2, &["--recipe tabm: ", "holds images, and it is for tables"]);
    assert!(!folder.names().iter().any(|name| name.ends_with(".glass")), "{:?}", folder.names());
}
