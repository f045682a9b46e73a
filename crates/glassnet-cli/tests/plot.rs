//! `glassnet plot` and `glassnet compare` by the real program: what is drawn, what is said, what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod known;

use known::{Folder, glassnet, glassnet_with};
use serde_json::{Value, json};

/// A run as `train --json` prints it: `losses` are (train, validation) by epoch.
fn run(losses: &[(f64, f64)], lr: f64, best: u64) -> Value {
    let epochs: Vec<Value> = losses
        .iter()
        .enumerate()
        .map(|(place, (train, valid))| {
            json!({
                "epoch": place + 1, "steps": 10 * (place + 1), "learning_rate": lr, "train_loss": train, "valid_loss": valid,
                "gradient_norm": 1.5, "valid": { "accuracy": 0.5 + 0.1 * place as f64 },
            })
        })
        .collect();
    json!({
        "history": { "slots": [], "epochs": epochs, "best_epoch": best },
        "settings": { "lr": lr, "batch": 32, "loss": { "kind": "cross_entropy" } },
        "valid": { "rows": 100, "loss": losses[best as usize - 1].1, "log_loss": losses[best as usize - 1].1, "accuracy": 0.7 },
        "parameters": 1234,
    })
}

fn svg(text: &str) -> &str {
    assert!(text.starts_with("<svg xmlns=") && text.trim_end().ends_with("</svg>"), "{text}");
    assert!(
        text.contains("role=\"img\"") && text.contains("<desc") && !text.contains("<script") && !text.contains("NaN")
    );
    text
}

const TABLE: &str = "size,price,kind,late\n1,10,<b>,1\n2,40,a,0\n3,90,a,0\n4,160,<b>,1\n5,,a,0\n";

#[test]
fn a_run_is_drawn_with_its_chosen_epoch() {
    let folder = Folder::new();
    let path = folder.write("first.json", &run(&[(0.9, 0.8), (0.6, 0.5), (0.4, 0.55)], 0.1, 2).to_string());
    let out = folder.path("loss.svg");
    let done = glassnet(&["plot", &path, "-o", &out]).ok();
    assert_eq!(done.out, format!("{out}: first: loss by epoch\n"));
    let text = folder.read("loss.svg");
    for words in ["kept: epoch 2", ">train<", ">validation<", ">cross-entropy<", "lowest 0.5 at 2"] {
        assert!(svg(&text).contains(words), "{words} is not in {text}");
    }
    // The same to standard output, and the same bytes again.
    assert_eq!(glassnet(&["plot", &path]).ok().out, text);
    let value = glassnet(&["plot", &path, "--kind", "learning-rate", "--title", "Rate <1>", "--json"]).ok().json();
    assert_eq!((value["kind"].as_str(), value["title"].as_str()), (Some("learning-rate"), Some("Rate <1>")));
    assert!(svg(value["svg"].as_str().unwrap()).contains("Rate &lt;1&gt;"));
    for (kind, words) in [("accuracy", "validation"), ("gradient-norm", "largest norm of the gradients")] {
        assert!(svg(&glassnet(&["plot", &path, "--kind", kind]).ok().out).contains(words), "{kind}");
    }
}

#[test]
fn a_model_file_has_its_curves_too() {
    let folder = Folder::new();
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i % 7, if i % 7 > 3 { "yes" } else { "no" })).collect();
    let data = folder.write("rows.csv", &format!("a,b,y\n{rows}"));
    let model = folder.path("m.glass");
    let args = ["train", &data, "--target", "y", "--net", "4 tanh", "--epochs", "3", "-o", &model, "--json"];
    let json = folder.write("m2.json", &glassnet(&args).ok().out);
    let done = glassnet(&["plot", &model]).ok();
    assert!(svg(&done.out).contains("m: loss by epoch"), "{}", done.out);
    // The model and what was printed beside it are the same run.
    let done = glassnet(&["compare", &model, &json, "-o", &folder.path("both.svg")]).ok();
    assert!(done.out.contains("no setting differs"), "{}", done.out);
    assert!(svg(&folder.read("both.svg")).contains(">m2<"));
    let value = glassnet(&["compare", &model, &json, "--json"]).ok().json();
    assert_eq!(value["runs"][0]["metrics"], value["runs"][1]["metrics"]);
    assert_eq!(value["runs"][0]["parameters"], value["runs"][1]["parameters"]);
    assert_eq!(value["settings_that_differ"], json!({}));
}

#[test]
fn runs_beside_each_other() {
    let folder = Folder::new();
    let first = folder.write("first.json", &run(&[(0.9, 0.8), (0.6, 0.5)], 0.1, 2).to_string());
    let second = folder.write("second.json", &run(&[(0.7, 0.6), (0.65, 0.61), (0.6, 0.59)], 0.01, 3).to_string());
    let out = folder.path("both.svg");
    let done = glassnet(&["compare", &first, &second, "-o", &out]).ok();
    let lines: Vec<&str> = done.out.lines().collect();
    let cells = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
    assert_eq!(cells(lines[1]), ["first", "2", "2", "1,234", "0.7000", "0.5000"], "{}", done.out);
    assert_eq!(cells(lines[2]), ["second", "3", "3", "1,234", "0.7000", "0.5900"]);
    assert!(lines.iter().any(|line| cells(line) == ["lr", "0.1", "0.01"]), "{}", done.out);
    assert!(!done.out.contains("batch"), "{}", done.out);
    let text = folder.read("both.svg");
    for words in [">first<", ">second<", "dashed: train", "solid: validation"] {
        assert!(svg(&text).contains(words), "{words}");
    }
    let value = glassnet(&["compare", &first, &second, "--json"]).ok().json();
    assert_eq!(value["settings_that_differ"], json!({ "lr": [0.1, 0.01] }));
    // Runs of one name keep apart.
    let value = glassnet(&["compare", &first, &first, "--json"]).ok().json();
    assert_ne!(value["runs"][0]["name"], value["runs"][1]["name"]);
    // Several members are one curve here, and all of them in a plot.
    let mut members = run(&[(0.9, 0.8), (0.6, 0.5)], 0.1, 2);
    let history = members["history"].clone();
    members["history"] = json!([history, history]);
    let members = folder.write("members.json", &members.to_string());
    glassnet(&["compare", &first, &members, "-o", &out]).ok();
    assert!(svg(&folder.read("both.svg")).contains("members (mean of 2)"));
    assert!(svg(&glassnet(&["plot", &members]).ok().out).contains(">members 2<"));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = Folder::new();
    let first = folder.write("first.json", &run(&[(0.9, 0.8)], 0.1, 1).to_string());
    let mut other = run(&[(0.7, 0.6)], 0.1, 1);
    other["settings"]["loss"]["kind"] = json!("mean_squared");
    other["valid"]["rows"] = json!(7);
    let second = folder.write("second.json", &other.to_string());
    let done = glassnet(&["compare", &first, &second]).ok();
    assert!(
        done.out.contains("different losses") && done.out.contains("different numbers of valid rows"),
        "{}",
        done.out
    );
}

#[test]
fn columns_of_a_table() {
    let folder = Folder::new();
    let path = folder.write("t.csv", TABLE);
    let cases: [(&[&str], &[&str]); 9] = [
        (&["-x", "size", "-y", "price"], &["price by size", "4 points", "highest 160 at 4"]),
        (&["--kind", "scatter", "-x", "size", "-y", "price", "--by", "kind"], &[">a<", "&lt;b&gt;"]),
        (&["--kind", "step", "-y", "price"], &["row"]),
        (&["-y", "size"], &["Distribution of size", "the tallest 1"]),
        (&["-y", "size", "--by", "late"], &["late = 0", "late = 1"]),
        (&["-y", "kind"], &["rows by kind", "&lt;b&gt;"]),
        (&["-x", "kind", "-y", "price"], &["mean of price by kind", "the tallest 85"]),
        (&["-x", "kind", "--by", "late", "--stacked"], &["late = 0"]),
        (&["-x", "size", "-y", "price", "--log-x", "--log-y", "--y-label", "euro"], &[">euro<", ">100<"]),
    ];
    for (arguments, words) in cases {
        let done = glassnet(&[&["plot", &path], arguments].concat()).ok();
        for word in words {
            assert!(svg(&done.out).contains(word), "{arguments:?}: {word} is not in {}", done.out);
        }
        assert!(!done.out.contains("<b>"), "{arguments:?}");
    }
    let piped = glassnet_with(&["plot", "-", "-y", "size"], TABLE.as_bytes()).ok();
    assert_eq!(svg(&piped.out), glassnet(&["plot", &path, "-y", "size"]).ok().out);
}

#[test]
fn refused_with_what_to_do() {
    let folder = Folder::new();
    let table = folder.write("t.csv", TABLE);
    let good = folder.write("run.json", &run(&[(0.9, 0.8)], 0.1, 1).to_string());
    let empty = folder.write("empty.json", "{}");
    let broken = folder.write("broken.json", "{ not json");
    let failed = folder.write("failed.json", r#"{"error": "no such column", "exit_code": 3}"#);
    let epochs = folder.write("odd.json", r#"{"history": {"epochs": [{"epoch": "one"}]}}"#);
    let infinite = folder.write(
        "inf.json",
        &json!({ "history": { "slots": [], "epochs": [
        { "epoch": 1, "steps": 1, "learning_rate": 0.1, "train_loss": null, "gradient_norm": null },
    ] } })
        .to_string(),
    );
    let none = folder.path("none.json");
    let no_rows = folder.write("no_rows.csv", "a,b\n");
    let cases: [(&[&str], i32, &[&str]); 18] = [
        (&["plot", &table, "-y", "prise"], 3, &["no column 'prise'", "did you mean 'price'?"]),
        (&["plot", &table, "--kind", "loss"], 2, &["for runs", "scatter"]),
        (&["plot", &table, "--kind", "line", "-x", "kind"], 3, &["holds text", "--kind bars"]),
        (&["plot", &table, "--kind", "line", "-y", "kind"], 3, &["'kind' holds text", "hint"]),
        (&["plot", &table, "--kind", "bars"], 2, &["of one column", "-x COL"]),
        (&["plot", &table, &table], 2, &["one is drawn at a time"]),
        (&["plot", &no_rows, "-y", "a"], 3, &["no_rows.csv", "no row follows"]),
        (&["plot", &good, "-x", "epoch"], 2, &["no columns", "leave -x out"]),
        (&["plot", &good, "--kind", "hist"], 2, &["for tables", "learning-rate"]),
        (&["plot", &good, "-o", &good], 2, &["would be replaced"]),
        (&["plot", &infinite], 3, &["no loss that is a finite number"]),
        (&["plot", &none], 3, &["none.json", "hint"]),
        (&["compare", &good, &empty], 3, &["no history", "train --json"]),
        (&["compare", &good, &broken], 3, &["not JSON", "hint"]),
        (&["compare", &good, &failed], 3, &["this run failed: no such column"]),
        (&["compare", &good, &epochs], 3, &["history cannot be read"]),
        (&["compare", &good, &table], 3, &["neither a model nor JSON"]),
        (&["compare", &good], 2, &["2 values required"]),
    ];
    for (arguments, code, words) in cases {
        let done = glassnet(arguments);
        assert_eq!(done.code, code, "{arguments:?}: {done:?}");
        for word in words {
            assert!(done.err.contains(word), "{arguments:?}: {word} is not in {}", done.err);
        }
    }
    let out = folder.path("no/such/folder.svg");
    glassnet(&["plot", &good, "-o", &out]).fails(6, &["folder.svg"]);
}
