//! `glassnet explain`, by the real program: one row, all rows, what if, what a column is worth.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, orders};

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("orders.csv", orders(300, 1));
    folder.write("new.csv", orders(40, 2));
    folder
}

fn train(folder: &Folder, target: &str, more: &[&str]) {
    let drop = if target == "late" { "order" } else { "order,late" };
    let arguments = [
        "train",
        "orders.csv",
        "--target",
        target,
        "--drop",
        drop,
        "-o",
        "m.glass",
        "--net",
        "16 tanh",
        "--epochs",
        "12",
    ];
    folder.run(&[&arguments, more].concat()).ok();
}

fn number(cell: &str) -> f64 {
    cell.parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

#[test]
fn one_row_adds_up_to_what_predict_prints() {
    let folder = folder("explain-row");
    train(&folder, "late", &[]);
    let predicted = folder.run(&["predict", "m.glass", "new.csv"]).ok().out;
    let line: Vec<&str> = predicted.lines().nth(3).unwrap().split(',').collect();
    let (no, yes) = (line[1], line[2]);
    let text = folder.run(&["explain", "m.glass", "new.csv", "--row", "3"]).ok().out;
    assert!(text.contains("new.csv, row 3 (line 4)"), "{text}");
    assert!(text.contains(&format!("late: no {no} | yes {yes} -> ")), "{text}");
    for words in
        ["128 training rows, on average", "log-odds of late = yes", "amount", "country", "express", "days", "output"]
    {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(text.contains("exact Shapley values; residual"), "{text}");
    assert!(text.contains("the score of late = yes by"), "{text}");

    let value = folder.run(&["explain", "m.glass", "new.csv", "--row", "3", "--json"]).ok().json();
    let columns = value["columns"].as_array().unwrap();
    assert_eq!(
        columns.iter().map(|c| c["column"].as_str().unwrap()).collect::<Vec<_>>(),
        ["amount", "country", "express", "days"]
    );
    let of = |key: &str| value[key].as_f64().unwrap();
    let sum: f64 = columns.iter().map(|column| column["adds"].as_f64().unwrap()).sum();
    assert!((of("base") + sum - of("output")).abs() < 1e-6 * of("output").abs().max(1.0));
    assert!(of("residual").abs() < 1e-9);
    let points: f64 = columns.iter().map(|column| column["points"].as_f64().unwrap()).sum();
    assert!((of("base_score") + points - of("score")).abs() < 1e-9);
    assert!((of("score") - number(yes)).abs() < 1e-6);
    assert_eq!((value["class"].as_str(), value["background_rows"].as_u64()), (Some("yes"), Some(128)));
    // The values as they stand in the file.
    let file = orders(40, 2);
    let row: Vec<&str> = file.lines().nth(3).unwrap().split(',').collect();
    assert_eq!(columns[1]["value"].as_str(), Some(row[2]));
    assert_eq!(number(columns[0]["value"].as_str().unwrap()), number(row[1]));

    // The other class has the opposite sign.
    let no = folder.run(&["explain", "m.glass", "new.csv", "--row", "3", "--class", "no", "--json"]).ok().json();
    assert!((no["output"].as_f64().unwrap() + of("output")).abs() < 1e-6);
    let against = folder.run(&["explain", "m.glass", "new.csv", "--against", "64", "--json"]).ok().json();
    assert_eq!(against["background_rows"].as_u64(), Some(64));
    assert!(against["residual"].as_f64().unwrap().abs() < 1e-9);
    let few = folder.run(&["explain", "m.glass", "new.csv", "--top", "1"]).ok().out;
    assert!(few.contains("the other 3"), "{few}");
}

#[test]
fn all_rows_are_the_rows_one_by_one() {
    let folder = folder("explain-all");
    train(&folder, "late", &[]);
    let all = folder.run(&["explain", "m.glass", "new.csv", "--all", "--id", "order", "--threads", "2"]).ok().out;
    let once = folder.run(&["explain", "m.glass", "new.csv", "--all", "--id", "order", "--threads", "1"]).ok().out;
    assert_eq!(all, once);
    let lines: Vec<Vec<&str>> = all.lines().map(|line| line.split(',').collect()).collect();
    let header = "order,class,base,output,score,residual,adds_amount,adds_country,adds_express,adds_days";
    assert_eq!(lines[0].join(","), header);
    assert_eq!(lines.len(), 41);
    for line in &lines[1..] {
        let cells: Vec<f64> = line[2..].iter().map(|cell| number(cell)).collect();
        let sum: f64 = cells[0] + cells[4..].iter().sum::<f64>();
        assert!((sum - cells[1]).abs() < 1e-6 * cells[1].abs().max(1.0), "{line:?}");
    }
    for row in ["1", "17", "40"] {
        let one = folder.run(&["explain", "m.glass", "new.csv", "--row", row, "--format", "csv"]).ok().out;
        let one: Vec<&str> = one.lines().nth(1).unwrap().split(',').collect();
        assert_eq!(one[0], row);
        assert_eq!(one[1..], lines[row.parse::<usize>().unwrap()][1..]);
    }
    folder.run(&["explain", "m.glass", "new.csv", "--all", "-o", "why.csv"]).ok();
    let file = std::fs::read_to_string(folder.path("why.csv")).unwrap();
    assert_eq!(file.lines().count(), 41);
    assert!(file.starts_with("row,class,"));
    folder.run(&["explain", "m.glass", "new.csv", "--all", "-o", "why.json"]).ok();
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.path("why.json")).unwrap()).unwrap();
    assert_eq!(file["explanations"].as_array().unwrap().len(), 40);
    let text = folder.run(&["explain", "m.glass", "new.csv", "--all", "--format", "text", "--id", "order"]).ok().out;
    assert!(text.starts_with("o00000: yes ") && text.contains(" the score of late = yes by "), "{text}");
}

#[test]
fn what_if_is_the_changed_row_predicted() {
    let folder = folder("explain-what-if");
    train(&folder, "late", &[]);
    let mut lines: Vec<String> = orders(40, 2).lines().map(str::to_string).collect();
    let cells: Vec<&str> = lines[1].split(',').collect();
    let changed = [cells[0], "7.5", "us", cells[3], "", cells[5]].join(",");
    lines[1] = changed;
    folder.write("changed.csv", lines.join("\n") + "\n");
    let set = ["--set", "amount=7.5", "--set", "country=us", "--set", "days="];
    let value =
        folder.run(&[&["explain", "m.glass", "new.csv", "--row", "1", "--json"][..], &set].concat()).ok().json();
    let other = folder.run(&["explain", "m.glass", "changed.csv", "--row", "1", "--json"]).ok().json();
    assert_eq!(value["what_if"]["output"], other["output"]);
    assert_eq!(value["what_if"]["scores"], other["scores"]);
    assert_eq!(value["what_if"]["columns"], other["columns"]);
    let change = other["output"].as_f64().unwrap() - value["output"].as_f64().unwrap();
    assert_eq!(value["what_if"]["change"].as_f64(), Some(change));
    assert_eq!(value["what_if"]["set"][2]["to"], serde_json::Value::Null);
    let text = folder.run(&[&["explain", "m.glass", "new.csv"][..], &set].concat()).ok().out;
    assert!(text.contains("what if amount = 7.5 (it is ") && text.contains("days = missing (it is "), "{text}");
    assert!(text.contains("percentage points; log-odds"), "{text}");
}

#[test]
fn a_number_is_explained_in_its_unit() {
    let folder = folder("explain-number");
    train(&folder, "days", &[]);
    let predicted = folder.run(&["predict", "m.glass", "new.csv"]).ok().out;
    for fast in [&[][..], &["--fast"]] {
        let value =
            folder.run(&[&["explain", "m.glass", "new.csv", "--row", "5", "--json"][..], fast].concat()).ok().json();
        let of = |key: &str| value[key].as_f64().unwrap();
        let sum: f64 = value["columns"].as_array().unwrap().iter().map(|column| column["adds"].as_f64().unwrap()).sum();
        assert!((of("base") + sum + of("residual") - of("output")).abs() < 1e-9);
        assert!(of("residual").abs() < 1e-3, "{value}");
        assert_eq!(of("output"), number(predicted.lines().nth(5).unwrap().split(',').nth(1).unwrap()) as f32 as f64);
        assert!(value["columns"][0].get("points").is_none() && value.get("class").is_none());
    }
    let text = folder.run(&["explain", "m.glass", "new.csv", "--fast"]).ok().out;
    assert!(text.contains("a typical row of the training") && text.contains("integrated gradients"), "{text}");
    let text = folder.run(&["explain", "m.glass", "new.csv", "--global"]).ok().out;
    assert!(text.contains("RMSE") && text.contains("amount"), "{text}");
}

#[test]
fn a_column_that_decides_is_worth_most() {
    let folder = folder("explain-global");
    // Only the amount tells the days.
    let csv = |rows: usize, seed| {
        let mut numbers = made::Numbers(seed);
        let mut text = String::from("amount,noise,days\n");
        for _ in 0..rows {
            let (amount, noise) = (numbers.next() * 100.0, numbers.next());
            text += &format!("{amount:.2},{noise:.3},{:.3}\n", amount / 20.0);
        }
        text
    };
    folder.write("train.csv", csv(300, 1));
    folder.write("test.csv", csv(100, 2));
    let arguments = [
        "train",
        "train.csv",
        "--target",
        "days",
        "-o",
        "m.glass",
        "--net",
        "16 tanh",
        "--epochs",
        "30",
        "--lr",
        "0.01",
    ];
    folder.run(&arguments).ok();
    let value = folder.run(&["explain", "m.glass", "test.csv", "--global", "--json"]).ok().json();
    let columns = value["importance"]["columns"].as_array().unwrap();
    let of = |place: usize, key: &str| columns[place][key].as_f64().unwrap();
    assert_eq!(columns[0]["column"], "amount");
    assert!(of(0, "increase") > 1.0 && of(0, "increase") > 10.0 * of(1, "increase").abs(), "{value}");
    assert!(of(0, "spread") > 0.0 && value["importance"]["repeats"] == 5);
    let csv = folder.run(&["explain", "m.glass", "test.csv", "--global", "--format", "csv"]).ok().out;
    assert!(csv.starts_with("column,increase,spread\namount,"), "{csv}");
    let seen = folder.run(&["explain", "m.glass", "train.csv", "--global"]).ok();
    assert!(seen.err.contains("the data of the training itself"), "{}", seen.err);
}

#[test]
fn without_a_background_one_is_asked_for() {
    let folder = folder("explain-background");
    train(&folder, "late", &["--no-background"]);
    let without = std::fs::metadata(folder.path("m.glass")).unwrap().len();
    folder
        .run(&["explain", "m.glass", "new.csv"])
        .fails(2, &["m.glass: the model file holds no training rows", "--background DATA", "--no-background"]);
    // A column is worth what it is without any.
    folder.run(&["explain", "m.glass", "new.csv", "--global"]).ok();
    let one = folder.run(&["explain", "m.glass", "new.csv", "--background", "orders.csv"]).ok().out;
    assert!(one.contains("128 training rows"), "{one}");
    let other = folder.run(&["explain", "m.glass", "new.csv", "--background", "orders.csv", "--seed", "1"]).ok().out;
    assert_ne!(one, other);
    train(&folder, "late", &[]);
    let with = std::fs::metadata(folder.path("m.glass")).unwrap().len();
    // 128 rows of amount, three countries and unknown, express, days: 7 numbers of 4 bytes.
    assert!((with - without).abs_diff(128 * 7 * 4) < 200, "{with} {without}");
}

#[test]
fn models_of_images_and_text_are_refused() {
    let folder = Folder::new("explain-others");
    std::fs::create_dir_all(folder.path("images")).unwrap();
    made::idx_folder(&folder.path("images"), "train", 60, 1);
    folder.write("play.txt", "to be or not to be, that is the question. ".repeat(40));
    folder.write("new.csv", orders(4, 2));
    let net = ["--net", "3 relu", "--epochs", "1", "-q"];
    folder.run(&[&["train", "images", "-o", "i.glass"][..], &net].concat()).ok();
    let net = ["--net", "embed 4 -> gru 3", "--context", "8", "--batch", "4", "--steps", "2", "-q"];
    folder.run(&[&["train", "play.txt", "--task", "text", "-o", "t.glass"][..], &net].concat()).ok();
    for more in [&[][..], &["--all"], &["--global"], &["--fast", "--set", "amount=3"]] {
        let run = |model: &str| folder.run(&[&["explain", model, "new.csv"], more].concat());
        run("i.glass")
            .fails(2, &["i.glass: explain goes by the columns of a table", "images", "hint: glassnet trace --maps"]);
        run("t.glass")
            .fails(2, &["t.glass: explain goes by the columns of a table", "text", "hint: glassnet trace --text"]);
    }
}
