//! `glassnet train --report`: one page that says what the run said, of every kind of data, and nothing of this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use made::{Folder, Numbers, idx_folder, orders};
use roxmltree::{Document, Node};
use serde_json::Value;

/// A page as XML: its void elements closed, the doctype off.
fn xml(folder: &Folder, name: &str) -> String {
    let html = std::fs::read_to_string(folder.path(name)).unwrap();
    assert!(!html.contains("NaN") && !html.contains("inf "), "a number that is none");
    let html = html.strip_prefix("<!doctype html>").expect("a doctype");
    let closed = |line: &str| match line.trim_start().starts_with("<meta ") {
        true => line.replace("\">", "\"/>"),
        false => line.to_string(),
    };
    html.lines().map(closed).collect::<Vec<_>>().join("\n")
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect::<Vec<_>>().join(" ")
}

/// Sections by their ids.
fn sections(page: &Document<'_>) -> Vec<String> {
    let all = page.descendants().filter(|node| node.has_tag_name("section"));
    all.filter_map(|node| node.attribute("id")).map(str::to_owned).collect()
}

fn section<'a>(page: &'a Document<'_>, id: &str) -> Node<'a, 'a> {
    page.descendants().find(|node| node.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no section {id}"))
}

/// The cells of the line of that name in the table of that caption, by the names of their columns.
fn line(page: &Document<'_>, caption: &str, name: &str) -> Vec<(String, String)> {
    let named = |node: &Node<'_, '_>| {
        node.has_tag_name("table")
            && node.children().any(|child| child.has_tag_name("caption") && text(child) == caption)
    };
    let table = page.descendants().find(named).unwrap_or_else(|| panic!("no table {caption}"));
    let cells = |line: Node<'_, '_>| -> Vec<String> { line.children().filter(Node::is_element).map(text).collect() };
    let lines: Vec<Vec<String>> = table.descendants().filter(|node| node.has_tag_name("tr")).map(cells).collect();
    let own = lines.iter().find(|line| line[0] == name).unwrap_or_else(|| panic!("no line {name} in {lines:?}"));
    lines[0].iter().cloned().zip(own.iter().cloned()).collect()
}

/// What a number is on the page: rounded, with the sign of its own kind.
fn near(shown: &str, value: &Value) {
    let plain: String = shown.replace([',', '\u{2009}', '\u{a0}', '\u{202f}'], "").replace('\u{2212}', "-");
    let (shown, value) =
        (plain.parse::<f64>().unwrap_or_else(|_| panic!("{shown} is no number")), value.as_f64().unwrap());
    assert!((shown - value).abs() <= 5e-3 * value.abs().max(1e-3), "{shown} on the page, {value} in JSON");
}

fn train(folder: &Folder, more: &[&str]) -> Value {
    let mut arguments = vec!["train"];
    arguments.extend(more);
    arguments.extend(["--report", "report.html", "--json", "--threads", "2"]);
    let value = folder.run(&arguments).ok().json();
    assert_eq!(value["report"], "report.html");
    value
}

/// The scores of a part are those that the run printed.
fn same_scores(page: &Document<'_>, value: &Value, part: &str, names: &[(&str, &str)]) {
    let cells = line(page, "Scores by part of the data", part);
    for (shown, key) in names {
        let cell = cells.iter().find(|(name, _)| name == shown).unwrap_or_else(|| panic!("no {shown} in {cells:?}"));
        near(&cell.1, &value[part][key]);
    }
}

const CLASSES: [(&str, &str); 4] =
    [("log-loss", "log_loss"), ("AUC", "auc"), ("accuracy", "accuracy"), ("Brier", "brier")];

#[test]
fn two_classes_on_test_rows() {
    let folder = Folder::new("report-two");
    folder.write("orders.csv", orders(700, 1));
    folder.write("june.csv", orders(300, 2));
    let data = folder.path("orders.csv").display().to_string();
    let june = folder.path("june.csv").display().to_string();
    let more = ["--drop", "days", "--epochs", "6", "--members", "2", "--test", &june, "--target", "late", &data];
    let value = train(&folder, &more);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    let wanted = ["scores", "classes", "importances", "rows", "data", "training", "network", "doctor", "repeat"];
    assert_eq!(sections(&page).into_iter().filter(|id| wanted.contains(&id.as_str())).count(), wanted.len());
    // The recipe's own start is nothing to warn of.
    let found = value["findings"].as_array().unwrap();
    assert!(found.iter().all(|finding| finding["code"] != "first-loss"), "{found:?}");
    for part in ["train", "valid", "test"] {
        same_scores(&page, &value, part, &CLASSES);
    }
    let header = page.descendants().find(|node| node.has_tag_name("header")).unwrap();
    assert!(text(header).contains("300 test rows of june.csv"), "{}", text(header));
    // Nothing chose by the test rows, so nothing says so.
    assert!(!text(header).contains("chose the epoch"));
    // The table of what was confused counts the test rows.
    let confused = ["no", "yes"].map(|class| line(&page, "confusion table", class));
    let rows: f64 = confused.iter().flat_map(|cells| &cells[1..]).map(|(_, rows)| rows.parse::<f64>().unwrap()).sum();
    assert_eq!(rows, 300.0);
    // Both members are there, with the epochs that were kept.
    let cells = line(&page, "The members", "member 1");
    assert_eq!((cells[1].1.as_str(), cells[2].1.clone()), ("6", value["history"]["best_epoch"].to_string()));
    assert!(text(section(&page, "training")).contains("member 2"));
    // What was left out, with the reason; what is seen.
    let left = text(section(&page, "data"));
    assert!(left.contains("order") && left.contains("days") && left.contains("Columns that were left out"), "{left}");
    // The most important columns are those that decide, and the rows are shown with their values.
    let important = text(section(&page, "importances"));
    assert!(important.contains("300 test rows"), "{important}");
    let rows = text(section(&page, "rows"));
    assert!(rows.contains("in june.csv") && rows.contains("country = "), "{rows}");
    // The command is whole and names files by their names alone.
    let repeat = text(section(&page, "repeat"));
    for words in
        ["glassnet train orders.csv", "--target late", "--test june.csv", "--epochs 6", "--members 2", "--drop days"]
    {
        assert!(repeat.contains(words), "{words} is not in {repeat}");
    }
    assert!(repeat.contains(value["weights_hash"].as_str().unwrap()));
    let here = folder.0.display().to_string();
    assert!(!xml.contains(&here), "a folder of this machine is in the page");
}

#[test]
fn validation_rows_are_named_as_what_they_are() {
    let folder = Folder::new("report-valid");
    folder.write("orders.csv", orders(500, 3));
    let value = train(&folder, &["orders.csv", "--target", "late", "--epochs", "3", "--members", "1"]);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap();
    let header = text(page.descendants().find(|node| node.has_tag_name("header")).unwrap());
    assert!(header.contains("100 validation rows") && header.contains("chose the epoch"), "{header}");
    assert!(header.contains("--test FILE"), "{header}");
    same_scores(&page, &value, "valid", &CLASSES);
    // A row's contributions add up to its output.
    let rows = section(&page, "rows");
    let tables = rows.descendants().filter(|node| node.has_tag_name("tbody"));
    let mut seen = 0;
    for table in tables {
        let number = |cell: &str| {
            let plain = cell.replace(',', "").replace('\u{2212}', "-").replace('+', "");
            plain.parse::<f64>().unwrap_or(0.0)
        };
        let lines: Vec<Vec<String>> = table
            .children()
            .filter(|node| node.has_tag_name("tr"))
            .map(|line| line.children().filter(Node::is_element).map(text).collect())
            .collect();
        let (last, parts) = lines.split_last().unwrap();
        assert_eq!(last[0], "output");
        let sum: f64 = parts.iter().map(|cells| number(&cells[2])).sum();
        assert!((sum - number(&last[2])).abs() < 0.01 * number(&last[2]).abs().max(1.0), "{lines:?}");
        seen += 1;
    }
    assert!(seen >= 3, "{seen} rows are explained");
}

#[test]
fn a_number_has_its_own_pictures() {
    let folder = Folder::new("report-number");
    folder.write("orders.csv", orders(600, 4));
    let more = ["orders.csv", "--target", "days", "--drop", "late", "--epochs", "5", "--members", "2"];
    let value = train(&folder, &more);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap();
    let found = sections(&page);
    assert!(found.contains(&"values".to_string()) && !found.contains(&"classes".to_string()), "{found:?}");
    same_scores(&page, &value, "valid", &[("RMSE", "rmse"), ("MAE", "mae"), ("R²", "r2")]);
    let cells = line(&page, "How often intervals held", "90 %");
    let width = cells.iter().find(|(name, _)| name == "mean width").unwrap();
    near(&width.1, &serde_json::json!(2.0 * value["intervals"]["half_width_90"].as_f64().unwrap()));
    let words = text(section(&page, "values"));
    assert!(words.contains("Residuals") && words.contains("120 validation rows"), "{words}");
}

#[test]
fn more_classes_and_the_plain_recipe() {
    let folder = Folder::new("report-plain");
    let mut numbers = Numbers(9);
    let mut rows = String::from("a,b,kind\n");
    for _ in 0..400 {
        let (a, b) = (numbers.next(), numbers.next());
        let kind = if a > 0.66 {
            "ash"
        } else if b > 0.5 {
            "birch"
        } else {
            "elm"
        };
        rows += &format!("{a:.4},{b:.4},{kind}\n");
    }
    folder.write("trees.csv", rows);
    let more = ["trees.csv", "--target", "kind", "--net", "16 relu", "--epochs", "20", "--no-background"];
    let value = train(&folder, &more);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap();
    same_scores(&page, &value, "valid", &CLASSES);
    let header = text(page.descendants().find(|node| node.has_tag_name("header")).unwrap());
    assert!(header.contains("one of 3 classes") && header.contains("only a score"), "{header}");
    let words = text(section(&page, "classes"));
    assert!(words.contains("The most frequent mistakes") && !words.contains("What a threshold brings"), "{words}");
    // Rows are explained although the model file holds no rows to compare with.
    assert!(text(section(&page, "rows")).contains("log-odds of kind = "));
    assert!(text(section(&page, "repeat")).contains("--net '16 relu'"));
}

#[test]
fn images_have_no_columns() {
    let folder = Folder::new("report-images");
    std::fs::create_dir(folder.path("set")).unwrap();
    idx_folder(&folder.path("set"), "train", 120, 1);
    idx_folder(&folder.path("set"), "t10k", 40, 2);
    let value = train(&folder, &["set", "--epochs", "3"]);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap();
    same_scores(&page, &value, "test", &[("log-loss", "log_loss"), ("accuracy", "accuracy")]);
    let found = sections(&page);
    assert!(!found.contains(&"importances".to_string()) && !found.contains(&"rows".to_string()), "{found:?}");
    let header = text(page.descendants().find(|node| node.has_tag_name("header")).unwrap());
    assert!(header.contains("40 test images") && header.contains("images of 4 x 4 pixels"), "{header}");
}

#[test]
fn names_are_only_names() {
    let folder = Folder::new("report-names");
    let bad = "<script>alert('x')</script>&amp;";
    let mut numbers = Numbers(5);
    let mut rows = format!("{bad},\"b\"\"onload=\"\"x\",y<\n");
    for _ in 0..200 {
        let (a, b) = (numbers.next(), numbers.next());
        rows +=
            &format!("{a:.3},{},{}\n", ["<b>", "]]>", "--"][(b * 3.0) as usize], if a > 0.5 { "<i>" } else { "o'k" });
    }
    folder.write("it's $(x).csv", rows);
    train(&folder, &["it's $(x).csv", "--target", "y<", "--epochs", "2", "--members", "1"]);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    for tag in ["script", "b", "i"] {
        assert_eq!(page.descendants().filter(|node| node.has_tag_name(tag)).count(), 0, "<{tag}>");
    }
    let repeat = text(section(&page, "repeat"));
    assert!(repeat.contains(r"glassnet train 'it'\''s $(x).csv' ") && repeat.contains("--target 'y<'"), "{repeat}");
    assert!(text(section(&page, "importances")).contains("alert('x')"));
}

#[test]
fn a_page_takes_no_other_files_place() {
    let folder = Folder::new("report-place");
    folder.write("orders.csv", orders(100, 6));
    let train = ["train", "orders.csv", "--target", "late", "--epochs", "1"];
    let with = |more: &[&str]| folder.run(&[&train[..], more].concat());
    with(&["--report", "./orders.csv"]).fails(2, &["--report ./orders.csv", "give another name"]);
    with(&["--report", "./late.html", "-o", "late.html"]).fails(2, &["the model is written there"]);
    with(&["--report", "no/such/report.html"]).fails(6, &["no/such"]);
    folder.write("play.txt", "to be or not to be ".repeat(60));
    folder.run(&["train", "play.txt", "--task", "text", "--report", "r.html"]).fails(2, &["--report", "text"]);
    assert_eq!(folder.names(), ["orders.csv", "play.txt"]);
}

#[test]
fn of_folds_each_row_is_judged_by_who_has_not_seen_it() {
    let folder = Folder::new("report-folds");
    folder.write("orders.csv", orders(300, 7));
    train(&folder, &["orders.csv", "--target", "late", "--epochs", "2", "--best"]);
    let xml = xml(&folder, "report.html");
    let page = Document::parse(&xml).unwrap();
    let header = text(page.descendants().find(|node| node.has_tag_name("header")).unwrap());
    assert!(header.contains("all 300 rows, each by the one of 5 members"), "{header}");
    let cells = line(&page, "Scores by part of the data", "out of fold");
    assert_eq!(cells[1].1, "300");
    assert!(text(section(&page, "training")).contains("member 5"));
}
