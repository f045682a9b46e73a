//! `glassnet train`, the real command: what it reads, what it says, what it leaves.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use glassnet::model::Model;
use made::{Folder, Run, idx_folder, npy, orders, zip};

fn load(folder: &Folder, name: &str) -> Model {
    Model::from_bytes(&std::fs::read(folder.path(name)).unwrap()).unwrap()
}

#[test]
fn a_table_of_classes() {
    let folder = Folder::new("classes");
    folder.write("orders.csv", orders(500, 1));
    folder.write("test.csv", orders(200, 2));
    let run = folder.run(&["train", "orders.csv", "--target", "late", "--drop", "days", "--test", "test.csv"]).ok();
    for word in
        ["train", "valid", "test", "accuracy", "log_loss", "brier", "auc", "best epoch", "orders.glass", "calibrated ("]
    {
        assert!(run.out.contains(word), "{word} is not in\n{}", run.out);
    }
    let said = [
        "500 rows, 6 columns",
        "delimiter comma",
        "left out: ",
        "2 classes (no, yes)",
        "100 of 500 rows (20.0 %)",
        "ntk 256 -> parametric selu -> dropout 0.15",
        "parameters",
        "of 4 members",
        "FLOPs a row",
        "forecast",
        "measured",
    ];
    for word in said {
        assert!(run.err.contains(word), "{word} is not in\n{}", run.err);
    }
    assert!(!run.err.contains('\u{1b}'), "no colours without a terminal");
    let model = load(&folder, "orders.glass");
    assert_eq!(model.classes().unwrap(), ["no", "yes"]);
    let accuracy = model.document().metrics["test"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.9, "{accuracy}");
    assert!(model.document().provenance.data_hash.starts_with("sha256:"));
    assert!(model.document().history.as_ref().unwrap().epochs.len() > 1);
    assert_eq!(folder.names(), ["orders.csv", "orders.glass", "test.csv"], "nothing else is left behind");
}

#[test]
fn json_has_the_promised_keys() {
    let folder = Folder::new("json");
    folder.write("orders.csv", orders(300, 1));
    folder.write("v.csv", orders(100, 3));
    folder.write("t.csv", orders(100, 2));
    let base = [
        "train",
        "orders.csv",
        "--valid",
        "v.csv",
        "--test",
        "t.csv",
        "--epochs",
        "4",
        "--net",
        "8 tanh",
        "--json",
        "-o",
        "m.glass",
    ];
    let value = folder.run(&[&base[..], &["--target", "late"]].concat()).ok().json();
    for part in ["train", "valid", "test"] {
        for score in ["accuracy", "log_loss", "brier", "auc"] {
            assert!(value[part][score].is_f64(), "{part}.{score}: {value}");
        }
        assert!(value[part].get("rmse").is_none());
    }
    assert_eq!((&value["epochs"], &value["model"]), (&4.into(), &"m.glass".into()));
    assert!(value["best_epoch"].is_u64() && value["seconds"].is_f64() && value["findings"].is_array());
    assert_eq!(value["parameters"].as_u64().unwrap() as usize, load(&folder, "m.glass").parameters().len());
    assert!(value["history"]["epochs"].as_array().unwrap().len() == 4 && value["forecast"]["seconds"].is_f64());
    // The first loss of a classifier is that of knowing nothing.
    let first = value["first_loss"].as_f64().unwrap();
    assert!((first / 2f64.ln() - 1.0).abs() < 0.15, "{first}");

    let value = folder.run(&[&base[..], &["--target", "days"]].concat()).ok().json();
    for score in ["rmse", "mae", "r2"] {
        assert!(value["test"][score].is_f64(), "{value}");
    }
    assert!(value["test"].get("accuracy").is_none());
}

#[test]
fn a_number_in_its_own_unit() {
    let folder = Folder::new("regress");
    folder.write("orders.csv", orders(500, 1));
    let value = folder
        .run(&["train", "orders.csv", "--target", "days", "--drop", "late", "--epochs", "100", "--json", "-q"])
        .ok()
        .json();
    assert!(value["valid"]["r2"].as_f64().unwrap() > 0.99, "{}", value["valid"]);
    assert!(value["valid"]["rmse"].as_f64().unwrap() < 0.15, "{}", value["valid"]);
    for loss in ["mae", "huber"] {
        let run = ["train", "orders.csv", "--target", "days", "--epochs", "5", "--json", "-q", "--loss", loss];
        let value = folder.run(&run).ok().json();
        assert!(value["valid"]["r2"].as_f64().unwrap() > 0.5, "{loss}: {}", value["valid"]);
    }
}

#[test]
fn a_folder_of_images_with_its_test_part() {
    let folder = Folder::new("idx");
    let images = folder.path("tiny");
    std::fs::create_dir_all(&images).unwrap();
    idx_folder(&images, "train", 200, 1);
    idx_folder(&images, "t10k", 50, 2);
    let run = folder.run(&["train", "tiny", "--net", "16 -> 8 relu -> 2", "--epochs", "10"]).ok();
    assert!(run.err.contains("50 images of") && run.err.contains("kept for the last test"), "{}", run.err);
    let model = load(&folder, "tiny.glass");
    assert_eq!(model.document().metrics["test"]["accuracy"], 1.0);
    assert_eq!(model.document().metrics["test"]["rows"], 50);
}

#[test]
fn arrays_and_standard_input() {
    let folder = Folder::new("npz");
    let x: Vec<f64> = (0..400).map(|i| f64::from(i % 20)).collect();
    let y: Vec<f64> = x.chunks(2).map(|row| f64::from(row[0] + row[1] > 18.0)).collect();
    folder.write("d.npz", zip(&[("X.npy", npy(&[200, 2], &x)), ("y.npy", npy(&[200], &y))]));
    folder.run(&["train", "d.npz", "--target", "y", "--epochs", "3"]).ok();
    assert_eq!(load(&folder, "d.glass").columns(), ["x1", "x2"]);

    let mut child =
        folder.command(&["train", "-", "--target", "late", "--epochs", "2"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(orders(120, 1).as_bytes()).unwrap();
    Run::from(child.wait_with_output().unwrap()).ok();
    assert_eq!(load(&folder, "model.glass").target(), "late");
}

#[test]
fn the_same_bytes_whatever_the_threads() {
    let folder = Folder::new("threads");
    folder.write("orders.csv", orders(400, 1));
    folder.write("other.csv", orders(100, 2));
    let train = |out: &str, threads: &str, seed: &str| {
        let net = "32 relu -> dropout 0.2 -> 16 tanh";
        let base = [
            "train",
            "orders.csv",
            "--target",
            "late",
            "--test",
            "other.csv",
            "--epochs",
            "3",
            "--batch",
            "150",
            "--net",
            net,
        ];
        folder.run(&[&base[..], &["-o", out, "--threads", threads, "--seed", seed]].concat()).ok();
        std::fs::read(folder.path(out)).unwrap()
    };
    let one = train("a.glass", "1", "5");
    assert!(
        train("b.glass", "2", "5") == one && train("c.glass", "3", "5") == one && train("a.glass", "1", "5") == one
    );
    assert!(train("d.glass", "1", "6") != one, "another seed, another model");
}

#[test]
fn a_config_file_and_flags_over_it() {
    let folder = Folder::new("config");
    folder.write("orders.csv", orders(200, 1));
    folder.write(
        "run.toml",
        "[network]\nnet = \"4 relu\"\n[train]\ndata = \"orders.csv\"\ntarget = \"late\"\nepochs = 2\nlr = 0.02\nbatch = 32\n\
         class_weights = \"balanced\"\ndrop = [\"days\"]\nschedule = \"cosine\"\n",
    );
    let value = folder.run(&["train", "--config", "run.toml", "--epochs", "3", "--json"]).ok().json();
    let settings = &value["settings"];
    assert_eq!(
        (&settings["epochs"], &settings["lr"], &settings["schedule"]),
        (&3.into(), &0.02.into(), &"cosine".into())
    );
    assert_eq!(settings["types"]["days"], "drop");
    assert_eq!(settings["class_weights"], "balanced");

    folder.write("bad.toml", "[train]\ntarget = \"late\"\noptimizer = \"adma\"\n");
    let words = ["bad.toml, line 3, column 13", "adma", "^^^^", "adam"];
    folder.run(&["train", "orders.csv", "--config", "bad.toml"]).fails(2, &words);
    folder.write("bad.toml", "[train]\nepoch = 3\n");
    folder.run(&["train", "orders.csv", "--config", "bad.toml"]).fails(2, &["line 2", "did you mean epochs?"]);
    folder.run(&["train", "--config", "none.toml"]).fails(2, &["none.toml"]);
}

#[test]
fn early_stopping_keeps_the_best_epoch() {
    let folder = Folder::new("early");
    // Nothing can be learned: the validation loss soon rises.
    let mut numbers = made::Numbers(7);
    let mut text = String::from("a,b,y\n");
    for _ in 0..120 {
        text += &format!("{:.4},{:.4},{}\n", numbers.next(), numbers.next(), (numbers.next() * 2.0) as u8);
    }
    folder.write("noise.csv", text);
    let run = ["train", "noise.csv", "--target", "y", "--early-stop", "2", "--epochs", "200", "--lr", "0.01", "--json"];
    let value = folder.run(&run).ok().json();
    let (epochs, best) = (value["epochs"].as_u64().unwrap(), value["best_epoch"].as_u64().unwrap());
    assert_eq!(value["stopped"], "early");
    assert!(epochs < 200 && best + 2 <= epochs, "{best} of {epochs}");
    let losses: Vec<f64> =
        value["history"]["epochs"].as_array().unwrap().iter().map(|e| e["valid_loss"].as_f64().unwrap()).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(losses[best as usize - 1], least);
    assert!((value["valid"]["loss"].as_f64().unwrap() - least).abs() < 1e-6, "the kept model is the best epoch's");
}

#[test]
fn a_value_that_is_not_finite_ends_the_run() {
    let folder = Folder::new("nan");
    folder.write("orders.csv", orders(200, 1));
    let run =
        ["train", "orders.csv", "--target", "late", "--optimizer", "sgd", "--lr", "1e30", "--epochs", "3", "--json"];
    let run = folder.run(&run).fails(5, &["epoch 1, step 2", "layer", "--lr"]);
    let value = run.json();
    assert_eq!((&value["stopped"], &value["exit_code"]), (&"non-finite".into(), &5.into()));
    assert!(value["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "non-finite"), "{value}");
    assert!(load(&folder, "orders.glass").parameters().iter().all(|value| value.is_finite()));
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_best_epoch_so_far() {
    let folder = Folder::new("interrupt");
    folder.write("orders.csv", orders(400, 1));
    let mut child = folder
        .command(&["train", "orders.csv", "--target", "late", "--epochs", "1000000", "--net", "16 relu"])
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch ") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "it ended before its first epoch");
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut rest = String::new();
    err.read_to_string(&mut rest).unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(130), "{rest}");
    assert!(rest.contains("interrupted") && rest.contains("orders.glass"), "{rest}");
    assert!(run.out.contains("best epoch") && run.out.contains("valid"), "{}", run.out);
    let model = load(&folder, "orders.glass");
    assert!(model.document().history.as_ref().unwrap().best_epoch.is_some());
}

#[test]
fn other_ways_to_train() {
    let folder = Folder::new("ways");
    folder.write("orders.csv", orders(200, 1));
    let ways: [&[&str]; 8] = [
        &["--batch", "all", "--optimizer", "momentum", "--lr", "0.05"],
        &["--batch", "1", "--epochs", "1", "--no-shuffle"],
        &["--accumulate", "4", "--clip-norm", "1", "--optimizer", "adamw", "--weight-decay", "0.01"],
        &["--clip-value", "0.5", "--schedule", "warmup 5 -> cosine", "--init", "constant 0.05"],
        &["--validation-share", "0", "--label-smoothing", "0.1"],
        &["--loss", "bce", "--class-weights", "yes=2"],
        &["--net", "8 tanh -> 4 tanh", "--raw", "--optimizer", "rmsprop", "--momentum", "0.5"],
        &["--type", "amount=category", "--weight-column", "days", "--task", "classify"],
    ];
    for way in ways {
        let base = ["train", "orders.csv", "--target", "late", "--net", "8 relu", "--epochs", "2", "--json", "-q"];
        let mut all: Vec<&str> = base.to_vec();
        // A flag that is said twice is refused: the way's own replaces the base's.
        for flag in way.iter().filter(|word| word.starts_with("--")) {
            if let Some(at) = all.iter().position(|word| word == flag) {
                all.drain(at..at + 2);
            }
        }
        all.extend(way);
        let value = folder.run(&all).ok().json();
        assert!(value["train"]["accuracy"].is_f64(), "{way:?}");
    }
}

#[test]
fn merging_affine_layers_on_request() {
    let folder = Folder::new("merge");
    folder.write("orders.csv", orders(200, 1));
    let base = [
        "train",
        "orders.csv",
        "--target",
        "late",
        "--net",
        "linear 4 -> linear 3 -> 8 relu",
        "--epochs",
        "2",
        "--json",
    ];
    let plain = folder.run(&base).ok().json();
    assert!(
        plain["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "affine-side-by-side"),
        "{plain}"
    );
    let run = folder.run(&[&base[..], &["--merge-affine"]].concat()).ok();
    assert!(run.err.contains("merged: "), "{}", run.err);
    let merged = run.json();
    assert!(merged["parameters"].as_u64() < plain["parameters"].as_u64());
    let loss = |value: &serde_json::Value| value["valid"]["log_loss"].as_f64().unwrap();
    assert!((loss(&merged) - loss(&plain)).abs() < 1e-5, "it computes the same");
}
