//! Groups, thresholds and moved base rates in `evaluate`, by the real program.
#![allow(clippy::unwrap_used, clippy::panic)]

mod claims;
mod made;

use claims::{claims, folder, train_late, train_paid};

fn close(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-9
}

/// Each group's figures are those of its rows alone.
#[test]
fn a_group_is_as_good_as_its_rows_alone() {
    let folder = folder("by");
    train_late(&folder);
    let text = claims(1500, 2, 0.0);
    let json = folder.run(&["evaluate", "late.glass", "new.csv", "--by", "office", "--json"]).ok().json();
    assert_eq!(json["by"]["by"], "office");
    assert!(!json["ignored_columns"].as_array().unwrap().iter().any(|name| name == "office"), "{json}");
    let groups = json["by"]["groups"].as_array().unwrap();
    assert_eq!(groups.iter().map(|group| group["rows"].as_u64().unwrap()).sum::<u64>(), 1500);
    assert_eq!(groups.len(), 3);
    for group in groups {
        let name = group["name"].as_str().unwrap();
        let own: Vec<&str> = text.lines().filter(|line| line.split(',').nth(4) == Some(name)).collect();
        assert_eq!(group["rows"], own.len());
        assert_eq!(group["small"], own.len() < 100, "{name}");
        folder.write("own.csv", format!("{}\n{}\n", text.lines().next().unwrap(), own.join("\n")));
        let alone = folder.run(&["evaluate", "late.glass", "own.csv", "--json"]).ok().json();
        for figure in ["log_loss", "brier", "auc", "accuracy", "ece"] {
            assert!(close(&group[figure], &alone[figure]), "{name} {figure}: {group} {alone}");
        }
        let late = own.iter().filter(|line| line.ends_with("yes")).count() as f64 / own.len() as f64;
        assert!((group["share"].as_f64().unwrap() - late).abs() < 1e-9);
    }
    assert!(groups.iter().any(|group| group["small"] == true), "the west has few rows: {groups:?}");
    let words = folder.run(&["evaluate", "late.glass", "new.csv", "--by", "office"]).ok().out;
    for word in ["by office", "share of yes", "north", "south", "west", "  small", "fewer than 100 rows"] {
        assert!(words.contains(word), "{word:?} is not in\n{words}");
    }
    // Numbers go into quartiles: also those of an input, and of a column that is none.
    for column in ["amount", "paid"] {
        let json = folder.run(&["evaluate", "late.glass", "new.csv", "--by", column, "--json"]).ok().json();
        let groups = json["by"]["groups"].as_array().unwrap().clone();
        assert_eq!(groups.iter().map(|g| g["rows"].as_u64().unwrap()).collect::<Vec<_>>(), [375; 4], "{column}");
        let shares: Vec<f64> = groups.iter().map(|group| group["share"].as_f64().unwrap()).collect();
        assert!(shares.windows(2).all(|pair| pair[0] < pair[1]), "{shares:?}");
    }
    // Also of a number that is predicted, with its intervals.
    train_paid(&folder);
    let json = folder.run(&["evaluate", "paid.glass", "new.csv", "--by", "region", "--json"]).ok().json();
    let groups = json["by"]["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["rmse"].is_f64() && group["interval"]["coverage"].is_f64()), "{groups:?}");
    folder
        .run(&["evaluate", "late.glass", "new.csv", "--by", "ofice"])
        .fails(3, &["no column 'ofice'", "did you mean 'office'?"]);
}

#[test]
fn thresholds_by_cost_and_by_review() {
    let folder = folder("thresholds");
    train_late(&folder);
    let run = ["evaluate", "late.glass", "new.csv", "--cost-fp", "1", "--cost-fn", "5", "--review-share", "10%"];
    let json = folder.run(&[&run[..], &["--json"]].concat()).ok().json();
    assert_eq!(json["thresholds"]["class"], "yes");
    let out = folder.run(&["predict", "late.glass", "new.csv"]).ok().out;
    let truth = claims(1500, 2, 0.0);
    let rows: Vec<(f64, bool)> = out
        .lines()
        .zip(truth.lines())
        .skip(1)
        .map(|(line, truth)| {
            let score: f32 = line.split(',').nth(2).unwrap().parse().unwrap();
            (f64::from(score), truth.ends_with("yes"))
        })
        .collect();
    let count = |threshold: f64| {
        let of = |late: bool, above: bool| {
            rows.iter().filter(|(s, y)| *y == late && (*s >= threshold) == above).count() as f64
        };
        (of(true, true), of(false, true), of(true, false), of(false, false))
    };
    let cost = |threshold: f64| (count(threshold).1 + 5.0 * count(threshold).2) / 1500.0;
    let choices = json["thresholds"]["choices"].as_array().unwrap();
    let named = |by: &str| choices.iter().find(|choice| choice["by"] == by).unwrap();
    for by in ["default", "cheapest", "costs", "review"] {
        let choice = named(by);
        let (tp, fp, fn_, tn) = count(choice["threshold"].as_f64().unwrap());
        let number = |key: &str| choice[key].as_f64().unwrap();
        assert_eq!([number("true_positive"), number("false_positive")], [tp, fp], "{by}");
        assert_eq!([number("false_negative"), number("true_negative")], [fn_, tn], "{by}");
        assert!(
            (number("precision") - tp / (tp + fp)).abs() < 1e-12 && (number("recall") - tp / (tp + fn_)).abs() < 1e-12
        );
        assert!((number("cost_per_row") - cost(number("threshold"))).abs() < 1e-12, "{by}");
    }
    let least = rows.iter().map(|(score, _)| cost(*score)).fold(cost(2.0), f64::min);
    assert!((named("cheapest")["cost_per_row"].as_f64().unwrap() - least).abs() < 1e-12);
    assert!(least < named("default")["cost_per_row"].as_f64().unwrap());
    assert!((named("costs")["threshold"].as_f64().unwrap() - 1.0 / 6.0).abs() < 1e-12);
    let called = named("review")["called"].as_f64().unwrap();
    assert!(called <= 0.1 && called > 0.09, "{called}");
    // The number that is printed calls the same rows in predict.
    let text = folder.run(&run).ok().out;
    for word in [
        "thresholds of late = yes: a false alarm costs 1, a miss 5",
        "cheapest on these rows",
        "review of 10 %",
        "cost a row",
    ] {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
    let line = text.lines().find(|line| line.starts_with("cheapest")).unwrap();
    let shown = line.trim_start_matches("cheapest on these rows").split_whitespace().next().unwrap();
    let queued = folder.run(&["predict", "late.glass", "new.csv", "--threshold", shown]).ok().out;
    let above = queued.lines().filter(|line| line.ends_with(",above")).count() as f64;
    let wanted =
        named("cheapest")["true_positive"].as_f64().unwrap() + named("cheapest")["false_positive"].as_f64().unwrap();
    assert_eq!(above, wanted);
    // Nothing of it where nobody asks.
    assert!(folder.run(&["evaluate", "late.glass", "new.csv", "--json"]).ok().json()["thresholds"].is_null());
}

#[test]
fn what_thresholds_refuse() {
    let folder = folder("thresholds-refuse");
    train_late(&folder);
    train_paid(&folder);
    let run = |model: &str, more: &[&str]| folder.run(&[&["evaluate", model, "new.csv"][..], more].concat());
    run("late.glass", &["--cost-fp", "1"]).fails(2, &["--cost-fn"]);
    run("late.glass", &["--cost-fp", "-1", "--cost-fn", "2"]).fails(2, &["0 or more"]);
    run("late.glass", &["--cost-fp", "0", "--cost-fn", "0"]).fails(2, &["nothing costs"]);
    run("late.glass", &["--review-share", "10"]).fails(2, &["10%"]);
    run("late.glass", &["--review-share", "10%", "--class", "ye"]).fails(2, &["no such class", "yes"]);
    run("late.glass", &["--class", "yes"]).fails(2, &["--review-share"]);
    run("paid.glass", &["--review-share", "10%"]).fails(2, &["predicts a number"]);
}

#[test]
fn a_moved_base_rate_is_named_and_an_unmoved_one_is_not() {
    let folder = folder("base-rate");
    train_late(&folder);
    let json = folder.run(&["evaluate", "late.glass", "moved.csv", "--json"]).ok().json();
    assert_eq!((&json["base_rate"]["sort"], &json["base_rate"]["column"]), (&"base_rate".into(), &"late".into()));
    assert!(json["before"]["ece"].is_f64() && json["ece"].is_f64(), "before and after the calibration: {json}");
    assert_eq!(json["held"]["holds"], false);
    let json = folder.run(&["evaluate", "late.glass", "new.csv", "--json"]).ok().json();
    assert!(json["base_rate"].is_null(), "{json}");
    assert_eq!(json["held"]["holds"], true, "{json}");
}
