//! What `glassnet train` says about its result and its data, and what it chooses by itself.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, Numbers, orders};

/// Two numbers, and a class that has nothing to do with them: `yes` in a share of the rows.
fn noise(rows: usize, yes: f64) -> String {
    let mut numbers = Numbers(7);
    let mut text = String::from("a,b,n,y\n");
    for _ in 0..rows {
        let (a, b, n) = (numbers.next(), numbers.next(), numbers.next());
        text += &format!("{a:.4},{b:.4},{n:.4},{}\n", if numbers.next() < yes { "yes" } else { "no" });
    }
    text
}

#[test]
fn a_model_beside_the_constant_guess() {
    let folder = Folder::new("constant");
    // 3 of 4 training rows are no; of the test rows 1 of 2.
    folder.write("d.csv", format!("x,y\n{}", "1,no\n2,no\n3,no\n4,yes\n".repeat(20)));
    folder.write("t.csv", "x,y\n1,no\n4,yes\n");
    let base = ["train", "d.csv", "--test", "t.csv", "--net", "8 relu", "--epochs", "30"];
    let run = folder.run(&[&base[..], &["--target", "y", "--lr", "0.05"]].concat()).ok();
    assert!(run.out.contains("constant guess") && run.out.contains("always saying \"no\""), "{}", run.out);
    assert!(!run.out.contains("no better than"), "{}", run.out);
    let value = folder.run(&[&base[..], &["--target", "y", "--lr", "0.05", "--json"]].concat()).ok().json();
    let base_line = &value["baseline"];
    assert_eq!((&base_line["class"], &base_line["test"]["accuracy"]), (&"no".into(), &0.5.into()));
    assert_eq!(base_line["valid"]["accuracy"], 0.75);
    let near = |value: &serde_json::Value, by_hand: f64| (value.as_f64().unwrap() - by_hand).abs() < 1e-12;
    assert!(near(&base_line["train"]["log_loss"], -(0.75 * 0.75f64.ln() + 0.25 * 0.25f64.ln())), "{base_line}");
    assert!(near(&base_line["test"]["log_loss"], -(0.75f64.ln() + 0.25f64.ln()) / 2.0), "{base_line}");
    assert_eq!(base_line["valid"]["model_is_better"], true);

    // A number: half of the training rows have 1, half 4.
    folder.write("n.csv", format!("x,n\n{}", "5,1\n6,4\n".repeat(20)));
    folder.write("nt.csv", "x,n\n5,1\n6,1\n");
    let run = ["train", "n.csv", "--test", "nt.csv", "--valid", "n.csv", "--target", "n", "--epochs", "2", "--json"];
    let value = folder.run(&[&run[..], &["--task", "regress"]].concat()).ok().json();
    let base_line = &value["baseline"];
    assert!(near(&base_line["mean"], 2.5) && near(&base_line["test"]["rmse"], 1.5), "{base_line}");
    assert!(near(&base_line["valid"]["mae"], 1.5), "{base_line}");
}

/// The epoch's line has the error that the history has, which is in the target's unit (a plain network's last epoch is its scores).
#[test]
fn an_epochs_error_is_in_the_targets_unit() {
    let folder = Folder::new("unit");
    let rows: String = (0..200).map(|i| format!("{},{}\n", f64::from(i % 17) + 0.5, 100 * (i % 17) + i % 5)).collect();
    folder.write("n.csv", format!("x,n\n{rows}"));
    for recipe in [&["--net", "4 relu"][..], &["--recipe", "tabular", "--members", "1"]] {
        let base = [&["train", "n.csv", "--target", "n", "--task", "regress", "--epochs", "1"], recipe].concat();
        let run = folder.run(&base).ok();
        let line = run.err.lines().find(|line| line.starts_with("epoch 1/1")).unwrap();
        let said: f64 = line.split("rmse ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        let value = folder.run(&[&base[..], &["--json"]].concat()).ok().json();
        let rmse = value["history"]["epochs"][0]["valid"]["rmse"].as_f64().unwrap();
        assert!((said / rmse - 1.0).abs() < 1e-3, "{line}, {rmse}");
        if recipe[0] == "--net" {
            // The scores at the end go through the f32 predictions in the target's unit, the epoch's do not.
            let last = value["valid"]["rmse"].as_f64().unwrap();
            assert!((last / rmse - 1.0).abs() < 1e-6, "{last} {rmse}");
        }
    }
}

#[test]
fn a_model_that_learned_nothing() {
    let folder = Folder::new("nothing");
    folder.write("noise.csv", noise(200, 0.5));
    // Far too large steps: it is worse than guessing on rows that it has not seen.
    for (target, score) in [("y", "log_loss"), ("n", "rmse")] {
        let run = ["train", "noise.csv", "--target", target, "--lr", "0.5", "--epochs", "1", "--drop"];
        let run = [&run[..], &[if target == "y" { "n" } else { "y" }]].concat();
        let out = folder.run(&run).ok().out;
        let said = format!("no better than a constant guess on the validation rows: {score}");
        assert!(out.contains(&said), "{out}");
        let value = folder.run(&[&run[..], &["--json"]].concat()).ok().json();
        assert_eq!(value["baseline"]["valid"]["model_is_better"], false);
    }
}

#[test]
fn rare_classes_and_many() {
    let folder = Folder::new("rare");
    folder.write("rare.csv", noise(1_000, 0.005));
    let run = folder.run(&["train", "rare.csv", "--target", "y", "--net", "4 relu", "--epochs", "1"]).ok();
    assert!(run.err.contains("class \"yes\" has fewer than 1 % of the training rows"), "{}", run.err);
    let mut text = String::from("x,y\n");
    for class in 0..30 {
        text += &format!("{class},k{class:02}\n").repeat(if class < 20 { 10 } else { 20 + class });
    }
    folder.write("many.csv", text);
    let run = folder.run(&["train", "many.csv", "--target", "y", "--net", "4 relu", "--epochs", "1"]).ok();
    let lines: Vec<&str> = run.err.lines().skip_while(|line| !line.starts_with("classes of")).collect();
    assert!(lines[1].starts_with("  k29 ") && lines[10].starts_with("  k20 "), "{}", run.err);
    assert_eq!(lines[11], "  ... and 20 more");
}

#[test]
fn the_training_rows_given_to_judge_by() {
    let folder = Folder::new("samerows");
    folder.write("orders.csv", orders(100, 1));
    folder.write("copy.csv", orders(100, 1));
    folder.write("other.csv", orders(100, 2));
    let base = ["train", "orders.csv", "--target", "late", "--net", "4 relu", "--epochs", "1"];
    for flag in ["--valid", "--test"] {
        let run = folder.run(&[&base[..], &[flag, "copy.csv"]].concat()).ok();
        assert!(run.err.contains("copy.csv holds the very rows of orders.csv"), "{}", run.err);
        let run = folder.run(&[&base[..], &[flag, "other.csv"]].concat()).ok();
        assert!(!run.err.contains("very rows"), "{}", run.err);
    }
}

#[test]
fn how_long_a_schedule_is_run() {
    let folder = Folder::new("long");
    folder.write("small.csv", orders(60, 1));
    folder.write("large.csv", noise(6_300, 0.5));
    let spec = |data: &str, more: &[&str]| {
        let target = if data == "small.csv" { "late" } else { "y" };
        // Few units and large batches: how long it takes is chosen by rows alone.
        let base = ["train", data, "--target", target, "--net", "2 relu", "--batch", "4096", "--json", "-q"];
        let value = folder.run(&[&base[..], more].concat()).ok().json();
        let settings = value["settings"].clone();
        (
            settings["epochs"].as_u64().unwrap(),
            settings["early"]["patience"].as_u64(),
            value["epochs"].as_u64().unwrap(),
        )
    };
    let large = spec("large.csv", &[]);
    assert_eq!((large.0, large.1), (100, Some(16)));
    for schedule in ["cosine", "onecycle", "warmup 5 -> cosine"] {
        assert_eq!(spec("small.csv", &["--schedule", schedule]), (30, None, 30), "{schedule}");
    }
    assert_eq!(spec("small.csv", &["--schedule", "cosine", "--early-stop", "3"]).1, Some(3));
    let small = spec("small.csv", &["--schedule", "constant"]);
    assert_eq!((small.0, small.1), (300, Some(20)));
    let plateau = spec("small.csv", &["--schedule", "plateau"]);
    assert_eq!((plateau.0, plateau.1), (300, Some(22)), "twice its patience of 10 and one more");
}

#[test]
fn evaluation_says_its_weights_and_whose_rows_they_are() {
    let folder = Folder::new("whose");
    let base = ["--net", "4 relu", "--epochs", "1", "-o", "m.glass", "-q"];
    folder.write("orders.csv", orders(100, 1));
    folder.write("other.csv", orders(50, 2));
    folder.write("days.csv", orders(50, 2).replace("days", "weeks"));
    folder.run(&[&["train", "orders.csv", "--target", "late", "--weight-column", "days"], &base[..]].concat()).ok();
    let evaluate = |data: &str| folder.run(&["evaluate", "m.glass", data]).ok().out;
    let (own, other, without) = (evaluate("orders.csv"), evaluate("other.csv"), evaluate("days.csv"));
    assert!(
        own.contains("weighted by days") && own.contains("rows include those that the model was trained on"),
        "{own}"
    );
    assert!(other.contains("weighted by days") && !other.contains("trained on"), "{other}");
    assert!(without.contains("weight column days is not in the data: unweighted"), "{without}");
    assert!(own.contains("mean (score of \"yes\" - truth)^2"), "{own}");
    let json = |data: &str| folder.run(&["evaluate", "m.glass", data, "--json"]).ok().json();
    assert_eq!(json("orders.csv")["holds_training_rows"], true);
    assert_eq!(json("days.csv")["weighting"], "weight column days is not in the data: unweighted");

    folder.run(&[&["train", "orders.csv", "--target", "country"], &base[..]].concat()).ok();
    let out = evaluate("other.csv");
    assert!(out.contains("sum over classes of (score - truth)^2") && !out.contains("weight"), "{out}");

    // Of a folder the test images are not the training's.
    let images = folder.path("tiny");
    std::fs::create_dir_all(&images).unwrap();
    made::idx_folder(&images, "train", 60, 1);
    made::idx_folder(&images, "t10k", 20, 2);
    folder.run(&[&["train", "tiny"], &base[..]].concat()).ok();
    assert!(!evaluate("tiny").contains("trained on"));
    let out = folder.run(&["evaluate", "m.glass", "tiny", "--part", "train"]).ok().out;
    assert!(out.contains("rows include those that the model was trained on"), "{out}");
}

/// Of the plain recipe too: the time's epochs are all run (noise would stop early), so that the number that is printed gives the model again.
#[test]
fn a_time_budget_is_a_number_of_epochs() {
    let folder = Folder::new("budget");
    folder.write("noise.csv", noise(200, 0.5));
    let run = ["train", "noise.csv", "--target", "y", "--drop", "n", "--net", "8 relu", "--lr", "0.05", "--json"];
    let timed = folder.run(&[&run[..], &["--time-budget", "1s", "-o", "a.glass"]].concat()).ok();
    let epochs = timed.err.split("--epochs ").nth(1).unwrap().split(' ').next().unwrap();
    let again = folder.run(&[&run[..], &["--epochs", epochs, "-o", "b.glass"]].concat()).ok().json();
    assert_eq!(timed.json()["weights_hash"], again["weights_hash"]);
    assert_eq!(again["epochs"].to_string(), epochs);
}

/// What the layers have adds up to what the network has, in the text, in the JSON and in `inspect`; edges of bins are told apart.
#[test]
fn parameters_of_the_layers_add_up() {
    let folder = Folder::new("parameters");
    folder.write("orders.csv", orders(300, 1));
    let run = [
        "train",
        "orders.csv",
        "--target",
        "late",
        "--drop",
        "days",
        "--members",
        "1",
        "--epochs",
        "2",
        "-o",
        "m.glass",
    ];
    let said = folder.run(&run).ok();
    let number = |text: &str| text.replace(',', "").parse::<u64>().ok();
    let lines = said.err.lines().chain(said.out.lines());
    let lines: Vec<&str> = lines.skip_while(|line| !line.trim_start().starts_with("layer ")).skip(1).collect();
    let total = lines.iter().position(|line| line.contains(" parameters; ")).unwrap();
    // A layer without parameters ends with its shape.
    let count = |line: &&str| match line.split_whitespace().collect::<Vec<_>>()[..] {
        [.., "->", _] => None,
        [.., last] => number(last),
        [] => None,
    };
    let layers: u64 = lines[..total].iter().filter_map(count).sum();
    let whole = number(lines[total].split_whitespace().next().unwrap()).unwrap();
    assert_eq!(layers, whole, "{lines:#?}");
    let inspected = folder.run(&["inspect", "m.glass", "--json"]).ok().json();
    assert_eq!(inspected.pointer("/summary/parameters").or(inspected.get("parameters")).unwrap(), whole, "{inspected}");
    let text = folder.run(&["inspect", "m.glass"]).ok().out;
    assert!(text.contains("\n+ 49 edges of bins, told by the training rows\n") && !text.contains("running"), "{text}");
}
