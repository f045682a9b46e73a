//! What `predict` calls its numbers, intervals, the highest rows and their reasons, by the real program.
#![allow(clippy::unwrap_used, clippy::panic)]

mod claims;
mod known;
mod made;

use claims::{train_late, train_paid};
use glassnet::model::Model;
use glassnet::model::calibration::{Calibration, Held};
use glassnet::model::interval::Intervals;
use known::{Folder, RISK_ROWS, glassnet, images, risk, tenfold};

fn changed(path: &str, to: &str, change: impl FnOnce(Model) -> Model) -> String {
    let model = change(Model::from_bytes(&std::fs::read(path).unwrap()).unwrap());
    std::fs::write(to, model.to_bytes().unwrap()).unwrap();
    to.to_owned()
}

fn calibrated(path: &str, to: &str, held: Option<bool>) -> String {
    changed(path, to, |model| {
        let held = held.map(|holds| Held {
            holds,
            on: "the test rows".into(),
            rows: 900,
            ece: 0.0123,
            limit: 0.02,
            reasons: if holds { vec![] } else { vec!["its calibration error is 0.0123".into()] },
        });
        model.with_calibration(Some(Calibration { held, ..Calibration::affine(0.5, 0.8) })).unwrap()
    })
}

#[test]
fn only_what_was_seen_to_hold_is_called_a_probability() {
    let folder = Folder::new();
    let (plain, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let holds = calibrated(&plain, &folder.path("holds.glass"), Some(true));
    let fails = calibrated(&plain, &folder.path("fails.glass"), Some(false));
    let unseen = calibrated(&plain, &folder.path("unseen.glass"), None);
    let note = |model: &str| glassnet(&["predict", model, &data, "--json"]).ok().json();
    for (model, word, keys, words) in [
        (&plain, "score", "scores", "scores, not probabilities: nothing has calibrated them"),
        (&holds, "probability", "probabilities", "probabilities: the calibration held on the test rows (ECE 0.0123"),
        (&fails, "score", "scores", "scores, not probabilities: the calibration did not hold on the test rows: its"),
        (&unseen, "score", "scores", "scores, not probabilities: the calibration was not seen to hold"),
    ] {
        let out = glassnet(&["predict", model, &data]).ok().out;
        assert_eq!(out.lines().next().unwrap(), format!("row,{word}_monitor,{word}_review,class"));
        let out = glassnet(&["predict", model, &data, "--format", "text"]).ok().out;
        assert!(out.starts_with(&format!("row 1: {word}=")), "{out}");
        let json = note(model);
        assert!(json["note"].as_str().unwrap().starts_with(words), "{json}");
        assert_eq!(json["predictions"][0][keys].as_array().unwrap().len(), 2, "{json}");
    }
    // softmax(0.5 + 0.8 z) of z = ln(p / (1 - p)), by hand.
    let p = |json: &serde_json::Value, keys: &str| json["predictions"][0][keys][1].as_f64().unwrap();
    let raw = p(&note(&plain), "scores");
    let wanted = 1.0 / (1.0 + (-(0.5 + 0.8 * (raw / (1.0 - raw)).ln())).exp());
    assert!((p(&note(&holds), "probabilities") - wanted).abs() < 1e-6);
}

#[test]
fn intervals_around_a_number() {
    let folder = Folder::new();
    let plain = tenfold(&folder);
    let data = folder.write("new.csv", "carrier,x\nAA,1\nUA,4\n");
    glassnet(&["predict", &plain, &data, "--interval", "90%"]).fails(2, &["does not know", "recalibrate"]);
    let widths = vec![(0.5, 1.0), (0.9, 12.0)];
    let wide = changed(&plain, &folder.path("wide.glass"), |mut model| {
        model.document_mut().intervals = Some(Intervals { rows: 40, widths: widths.clone() });
        model
    });
    let done = glassnet(&["predict", &wide, &data, "--interval", "90%"]).ok();
    let cells: Vec<Vec<&str>> = done.out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(cells[0], ["row", "prediction", "low", "high"]);
    for (line, wanted) in cells[1..].iter().zip([[10.0, -2.0, 22.0], [40.0, 28.0, 52.0]]) {
        for (cell, wanted) in line[1..].iter().zip(wanted) {
            assert!((cell.parse::<f64>().unwrap() - wanted).abs() < 1e-4, "{line:?}");
        }
    }
    // Within the numbers of training, where the model keeps them.
    let kept = changed(&wide, &folder.path("kept.glass"), |mut model| {
        model.document_mut().schema.target.as_mut().unwrap().range = Some([5.0, 45.0]);
        model
    });
    let json = glassnet(&["predict", &kept, &data, "--interval", "0.9", "--json"]).ok().json();
    assert_eq!(
        (json["predictions"][0]["low"].as_f64(), json["predictions"][1]["high"].as_f64()),
        (Some(5.0), Some(45.0))
    );
    assert_eq!(json["interval"], serde_json::json!({ "level": 0.9, "half_width": 12.0, "within": [5.0, 45.0] }));
    let text = glassnet(&["predict", &kept, &data, "--interval", "0.9", "--format", "text"]).ok().out;
    assert!(text.ends_with("row 2: 40 (28 to 45)\n"), "{text}");
    glassnet(&["predict", &wide, &data, "--interval", "95%"]).fails(2, &["the 40 rows", "90 %"]);
    glassnet(&["predict", &wide, &data, "--interval", "90"]).fails(2, &["90%"]);
    let rows = folder.write("rows.csv", RISK_ROWS);
    glassnet(&["predict", &risk(&folder), &rows, "--interval", "90%"]).fails(2, &["a class, not a number"]);
}

#[test]
fn nine_of_ten_new_rows_lie_in_their_interval() {
    let folder = claims::folder("nine-of-ten");
    train_paid(&folder);
    let out = folder.run(&["predict", "paid.glass", "new.csv", "--interval", "90%"]).ok().out;
    let truth = claims::claims(1500, 2, 0.0);
    let inside = out.lines().zip(truth.lines()).skip(1).filter(|(line, truth)| {
        let ends: Vec<f64> = line.split(',').skip(2).map(|cell| cell.parse().unwrap()).collect();
        let paid: f64 = truth.split(',').nth(5).unwrap().parse().unwrap();
        ends[0] <= paid && paid <= ends[1]
    });
    let share = inside.count() as f64 / 1500.0;
    // 600 rows fix the width, 1,500 are counted: a deviation of 0.0145.
    assert!((share - 0.9).abs() < 4.0 * 0.0145, "{share}");
    let json = folder.run(&["evaluate", "paid.glass", "new.csv", "--json"]).ok().json();
    assert!((json["interval"]["coverage"].as_f64().unwrap() - share).abs() < 1e-9, "{json}");
    assert_eq!(json["interval"]["holds"], true);
}

#[test]
fn the_highest_rows_in_their_order() {
    let folder = Folder::new();
    let model = tenfold(&folder);
    // Over more than one chunk; 7,919 is prime, so that the numbers 0 to 9,999 come in a mixed order.
    let rows: String = (0..10_000).map(|row| format!("r{row},AA,{}\n", row * 7919 % 10_000 / 10)).collect();
    let data = folder.write("many.csv", &format!("name,carrier,x\n{rows}"));
    let out = glassnet(&["predict", &model, &data, "--id", "name", "--top", "25"]).ok().out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (26, "name,prediction"));
    let mut wanted: Vec<(usize, usize)> = (0..10_000).map(|row| (row * 7919 % 10_000 / 10, row)).collect();
    // Of equals the earlier row first.
    wanted.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (line, (x, row)) in lines[1..].iter().zip(&wanted) {
        let (name, prediction) = line.split_once(',').unwrap();
        assert_eq!(name, format!("r{row}"));
        assert!((prediction.parse::<f64>().unwrap() - 10.0 * *x as f64).abs() < 1e-2, "{line}");
    }
    // More than there are: all.
    let few = folder.write("few.csv", "carrier,x\nAA,1\nAA,3\nAA,2\n");
    let out = glassnet(&["predict", &model, &few, "--top", "200"]).ok().out;
    assert_eq!(out.lines().map(|line| line.split(',').next().unwrap()).collect::<Vec<_>>(), ["row", "2", "3", "1"]);

    let (model, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let queues = ["--threshold", "0.8", "--above", "review", "--below", "monitor"];
    let out = glassnet(&[&["predict", &model, &data, "--id", "id", "--top", "2"][..], &queues].concat()).ok().out;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "id,score_review,queue");
    assert!(lines[1].starts_with("B-208,0.98") && lines[1].ends_with(",review"), "{out}");
    assert!(lines[2].starts_with("C-311,0.73") && lines[2].ends_with(",monitor"), "{out}");
    assert_eq!(lines.len(), 3);
    // The other class turns the order round.
    let out = glassnet(&["predict", &model, &data, "--id", "id", "--top", "1", "--class", "monitor"]).ok().out;
    assert!(out.starts_with("id,score_monitor\nA-104,0.57"), "{out}");
    let json = glassnet(&["predict", &model, &data, "--id", "id", "--top", "1", "--json"]).ok().json();
    assert_eq!(
        (&json["ranked_by"], &json["predictions"][0]["id"], &json["rows"]),
        (&"review".into(), &"B-208".into(), &1.into())
    );
    let to = folder.path("work.csv");
    let done = glassnet(&["predict", &model, &data, "--top", "2", "-o", &to]).ok();
    assert!(done.err.contains("2 rows of 3 -> "), "{}", done.err);
}

#[test]
fn the_reasons_are_those_of_explain() {
    let folder = claims::folder("reasons");
    train_late(&folder);
    folder.write("some.csv", claims::claims(40, 9, 0.0));
    let all = folder.run(&["predict", "late.glass", "some.csv", "--id", "claim", "--reasons", "2"]).ok().out;
    let lines: Vec<&str> = all.lines().collect();
    assert!(lines[0].ends_with(",class,reason_1,reason_2"), "{}", lines[0]);
    assert_eq!(lines.len(), 41);
    let why = folder
        .run(&["explain", "late.glass", "some.csv", "--all", "--id", "claim", "--format", "text", "--top", "2"])
        .ok()
        .out;
    for (line, why) in lines[1..].iter().zip(why.lines()) {
        let id = line.split(',').next().unwrap();
        let reasons: Vec<&str> = why.rsplit_once(": ").unwrap().1.split("; ").collect();
        assert!(why.starts_with(id), "{why}");
        assert_eq!(reasons.len(), 2, "{why}");
        assert!(line.ends_with(&format!(",{},{}", reasons[0], reasons[1])), "{line}\n{why}");
        assert!(reasons[0].contains("percentage points"), "{why}");
    }
    // The same rows of the list of the highest have the same reasons, in whatever place they come.
    let top =
        folder.run(&["predict", "late.glass", "some.csv", "--id", "claim", "--top", "7", "--reasons", "2"]).ok().out;
    let top: Vec<&str> = top.lines().collect();
    assert_eq!(top[0].split(',').count(), 4);
    assert!(top[0].starts_with("claim,") && top[0].ends_with("_yes,reason_1,reason_2"), "{}", top[0]);
    assert_eq!(top.len(), 8);
    let scores: Vec<f64> = top[1..].iter().map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]), "{scores:?}");
    for line in &top[1..] {
        let cells: Vec<&str> = line.split(',').collect();
        let same = lines.iter().find(|other| other.starts_with(cells[0])).unwrap();
        assert!(same.ends_with(&format!(",{},{}", cells[2], cells[3])), "{line}\n{same}");
        assert!(same.split(',').any(|cell| cell == cells[1]), "{line}\n{same}");
    }
    let json = folder.run(&["predict", "late.glass", "some.csv", "--top", "2", "--reasons", "3", "--json"]).ok().json();
    let reasons = json["predictions"][0]["reasons"].as_array().unwrap();
    assert_eq!(reasons.len(), 3);
    assert!(reasons[0]["contribution"].as_f64().unwrap().abs() >= reasons[1]["contribution"].as_f64().unwrap().abs());
    // A table from arrays has no stream: the values in the words are there all the same.
    train_paid(&folder);
    let out =
        folder.run(&["predict", "paid.glass", "some.csv", "--top", "3", "--reasons", "1", "--format", "text"]).ok().out;
    assert!(out.lines().all(|line| line.contains("amount = ") && line.contains("raises paid by")), "{out}");
}

#[test]
fn what_cannot_be_ranked_or_explained() {
    let folder = Folder::new();
    let (data, many) = images(&folder);
    let (model, rows) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    glassnet(&["predict", &many, &data, "--top", "2"]).fails(2, &["3 classes", "--class"]);
    glassnet(&["predict", &many, &data, "--top", "2", "--class", "1"]).ok();
    glassnet(&["predict", &many, &data, "--reasons", "2"]).fails(2, &["the columns of a table"]);
    glassnet(&["predict", &model, &rows, "--reasons", "2"]).fails(2, &["no training rows", "--no-background"]);
    glassnet(&["predict", &model, &rows, "--top", "0"]).fails(2, &["--top"]);
    glassnet(&["predict", &model, &rows, "--class", "review"]).fails(2, &["--class", "leave --class out"]);
    glassnet(&["predict", &model, &rows, "--top", "3", "--class", "reviw"]).fails(2, &["did you mean 'review'?"]);
}
