//! `recalibrate` and `monitor`, by the real program.
#![allow(clippy::unwrap_used, clippy::panic)]

mod claims;
mod made;

use claims::{claims, folder, train_late, train_paid};
use glassnet::model::Model;
use made::{Folder, idx_folder};

fn ece(folder: &Folder, model: &str, data: &str) -> f64 {
    folder.run(&["evaluate", model, data, "--json"]).ok().json()["ece"].as_f64().unwrap()
}

#[test]
fn recalibrating_repairs_a_moved_base_rate_and_leaves_the_weights() {
    let folder = folder("recalibrate");
    let hash = train_late(&folder)["weights_hash"].clone();
    let original = std::fs::read(folder.path("late.glass")).unwrap();
    let before = ece(&folder, "late.glass", "later.csv");
    let text = folder.run(&["evaluate", "late.glass", "later.csv"]).ok().out;
    assert!(text.contains("the calibration does not hold on these rows"), "{text}");
    assert!(text.contains("the base rate moved: late is yes in"), "{text}");

    // To another place: the model itself stays.
    let done = folder.run(&["recalibrate", "late.glass", "moved.csv", "-o", "again.glass", "--json"]).ok().json();
    assert_eq!(done["weights_hash"], hash);
    assert_eq!(
        (done["replaced"].as_bool(), done["rows"].as_u64(), &done["kind"]),
        (Some(false), Some(1500), &"affine".into())
    );
    assert!(done["after"]["ece"].as_f64() < done["before"]["ece"].as_f64(), "{done}");
    assert!(done["after"]["log_loss"].as_f64() < done["before"]["log_loss"].as_f64(), "{done}");
    assert_eq!(std::fs::read(folder.path("late.glass")).unwrap(), original);
    // On rows of a later time than those that it was fitted to.
    let after = ece(&folder, "again.glass", "later.csv");
    assert!(after < before * 2.0 / 3.0, "{after} of {before}");
    let text = folder.run(&["evaluate", "again.glass", "later.csv"]).ok().out;
    assert!(!text.contains("the base rate moved"), "{text}");
    let header = |model: &str| folder.run(&["predict", model, "later.csv"]).ok().out.lines().next().unwrap().to_owned();
    assert_eq!(header("again.glass"), "row,probability_no,probability_yes,class");
    // The training rows that explanations need are still there.
    folder.run(&["explain", "again.glass", "later.csv", "--row", "1"]).ok();

    // Without -o the file is replaced, by the same bytes.
    let done = folder.run(&["recalibrate", "late.glass", "moved.csv"]).ok();
    assert!(done.out.contains("the file of that name was replaced"), "{}", done.out);
    assert!(done.out.contains(&format!("weights {} as before", hash.as_str().unwrap())), "{}", done.out);
    assert!(std::fs::read(folder.path("late.glass")).unwrap() == std::fs::read(folder.path("again.glass")).unwrap());
    assert!(!folder.names().iter().any(|name| name.ends_with(".part")), "{:?}", folder.names());
}

#[test]
fn intervals_are_found_again() {
    let folder = folder("intervals-again");
    let hash = train_paid(&folder)["weights_hash"].clone();
    // What is paid spreads three times as far.
    let wide = claims(600, 8, 0.0);
    let wide: String = wide
        .lines()
        .enumerate()
        .map(|(row, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if row > 0 {
                let (amount, paid): (f64, f64) = (cells[1].parse().unwrap(), cells[5].parse().unwrap());
                let middle = 100.0 + 3.0 * amount;
                cells[5] = format!("{:.2}", middle + 3.0 * (paid - middle));
            }
            cells.join(",") + "\n"
        })
        .collect();
    folder.write("wide.csv", wide);
    let json = folder.run(&["evaluate", "paid.glass", "wide.csv", "--json"]).ok().json();
    assert_eq!(json["interval"]["holds"], false, "{json}");
    let done = folder.run(&["recalibrate", "paid.glass", "wide.csv", "--json"]).ok().json();
    assert_eq!((&done["weights_hash"], done["replaced"].as_bool()), (&hash, Some(true)));
    assert!(done["before"]["coverage"].as_f64().unwrap() < 0.7, "{done}");
    assert!((done["after"]["coverage"].as_f64().unwrap() - 0.9).abs() < 0.05, "{done}");
    assert_eq!(done["after"]["holds"], true);
    let json = folder.run(&["evaluate", "paid.glass", "wide.csv", "--json"]).ok().json();
    assert_eq!(json["interval"]["holds"], true, "{json}");
    folder.run(&["recalibrate", "paid.glass", "wide.csv", "--calibration", "affine"]).fails(2, &["predicts a number"]);
}

#[test]
fn what_recalibrate_refuses_leaves_the_file() {
    let folder = folder("recalibrate-refuses");
    train_late(&folder);
    let original = std::fs::read(folder.path("late.glass")).unwrap();
    folder.write("few.csv", claims(99, 5, 0.0));
    let one: String =
        claims(400, 5, 0.0).lines().filter(|line| !line.ends_with("yes")).map(|l| format!("{l}\n")).collect();
    folder.write("one.csv", one);
    folder.write("blank.csv", claims(300, 5, 0.0).replace(",yes\n", ",\n").replace(",no\n", ",\n"));
    folder.write("lacking.csv", "claim,amount,age,region\nx,1,2,a\n");
    folder.write(
        "swapped.csv",
        claims(1500, 2, 0.0).replace(",yes\n", ",?\n").replace(",no\n", ",yes\n").replace(",?\n", ",no\n"),
    );
    let run = |data: &str, more: &[&str]| folder.run(&[&["recalibrate", "late.glass", data][..], more].concat());
    run("few.csv", &[]).fails(3, &["few.csv: 99 rows", "100 are needed"]);
    run("one.csv", &[]).fails(3, &["one.csv", "all rows are of class"]);
    run("blank.csv", &[]).fails(3, &["blank"]);
    run("lacking.csv", &[]).fails(3, &["no column 'late'"]);
    run("swapped.csv", &[]).fails(3, &["the scores are worse than a guess"]);
    run("train.csv", &[]).fails(3, &["rows that the model was trained on"]);
    run("new.csv", &["--calibration", "affin"]).fails(2, &["affine"]);
    run("new.csv", &["-o", "new.csv"]).fails(2, &["that is read"]);
    run("new.csv", &["-o", "no/such/m.glass"]).fails(6, &["no folder"]);
    run("none.csv", &[]).fails(3, &["none.csv"]);
    folder.run(&["recalibrate", "train.csv", "new.csv"]).fails(4, &["train.csv"]);
    assert_eq!(std::fs::read(folder.path("late.glass")).unwrap(), original);
}

#[test]
fn nothing_moved() {
    let folder = folder("still");
    train_late(&folder);
    let done = folder.run(&["monitor", "late.glass", "new.csv"]).ok();
    assert!(done.out.contains("1,500 rows against 2,400 of training"), "{}", done.out);
    assert!(
        done.out.contains("nothing moved: missing values, levels and values of 3 columns, scores, base rate"),
        "{}",
        done.out
    );
    let json = folder.run(&["monitor", "late.glass", "new.csv", "--json"]).ok().json();
    assert_eq!(json["findings"], serde_json::json!([]));
    assert_eq!((json["target_known"].as_bool(), json["scores_known"].as_bool()), (Some(true), Some(true)));
    // Rows without the target, or with a blank one, say nothing about it.
    let without: String =
        claims(1500, 2, 0.0).lines().map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0)).collect();
    folder.write("without.csv", without);
    folder.write("blank.csv", claims(1500, 2, 0.0).replace(",yes\n", ",\n").replace(",no\n", ",\n"));
    for data in ["without.csv", "blank.csv"] {
        let done = folder.run(&["monitor", "late.glass", data]).ok();
        assert!(done.out.contains("the base rate is not known"), "{}", done.out);
    }
}

#[test]
fn each_thing_that_moves_is_named() {
    let folder = folder("moves");
    train_late(&folder);
    let found = |name: &str, data: String| {
        folder.write(name, data);
        let done = folder.run(&["monitor", "late.glass", name, "--json"]);
        assert_eq!(done.code, Some(8), "{}\n{}", done.out, done.err);
        done.json()["findings"].as_array().unwrap().clone()
    };
    let has = |findings: &[serde_json::Value], sort: &str, column: Option<&str>| {
        findings.iter().any(|finding| finding["sort"] == sort && finding["column"].as_str() == column)
    };
    let base = found("base.csv", claims(1500, 3, 1.2));
    assert_eq!(base.len(), 1, "only the base rate moved: {base:?}");
    assert!(has(&base, "base_rate", Some("late")) && base[0]["strong"] == true);

    let rows: Vec<Vec<String>> =
        claims(1500, 6, 0.0).lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let changed = |change: &dyn Fn(usize, &mut Vec<String>)| {
        let line = |(row, cells): (usize, &Vec<String>)| {
            let mut cells = cells.clone();
            if row > 0 {
                change(row, &mut cells);
            }
            cells.join(",") + "\n"
        };
        rows.iter().enumerate().map(line).collect::<String>()
    };
    let missing = found(
        "missing.csv",
        changed(&|row, cells| {
            if row % 4 == 0 {
                cells[2].clear()
            }
        }),
    );
    assert!(has(&missing, "missing", Some("age")), "{missing:?}");
    let unseen = found(
        "unseen.csv",
        changed(&|row, cells| {
            if row % 8 == 0 {
                cells[3] = "new".into()
            }
        }),
    );
    assert!(has(&unseen, "unseen", Some("region")), "{unseen:?}");
    let older = found("older.csv", changed(&|row, cells| cells[2] = format!("{}", 60 + row % 18)));
    assert!(has(&older, "drift", Some("age")), "{older:?}");
    // Half the amounts again: the scores move too, and all of it stands in the order of its gravity.
    let more = |_: usize, cells: &mut Vec<String>| {
        let amount: f64 = cells[1].parse().unwrap();
        cells[1] = format!("{:.2}", 1.5 * amount);
    };
    let higher = found("higher.csv", changed(&more));
    assert!(has(&higher, "drift", Some("amount")) && has(&higher, "scores", None), "{higher:?}");
    let strong: Vec<bool> = higher.iter().map(|finding| finding["strong"].as_bool().unwrap()).collect();
    assert!(strong.windows(2).all(|pair| pair[0] >= pair[1]), "{higher:?}");
    folder
        .run(&["monitor", "late.glass", "base.csv"])
        .fails(8, &["1 thing moved since training, 1 far", "glassnet recalibrate"]);

    // Once it is calibrated on the new base rate, that is what later rows are compared with.
    folder.run(&["recalibrate", "late.glass", "moved.csv"]).ok();
    folder.run(&["monitor", "late.glass", "later.csv"]).ok();
    let done = folder.run(&["monitor", "late.glass", "new.csv"]).fails(8, &[]);
    assert!(done.out.contains("of the rows of its last calibration"), "{}", done.out);
}

#[test]
fn what_monitor_refuses() {
    let folder = folder("monitor-refuses");
    train_late(&folder);
    folder.write("empty.csv", "claim,amount,age,region,office,paid,late\n");
    folder.write("lacking.csv", "claim,amount,region\nx,1,a\n");
    folder.write("strange.csv", "claim,amount,age,region,late\nx,1,2,a,perhaps\n");
    let run = |data: &str| folder.run(&["monitor", "late.glass", data]);
    run("empty.csv").fails(3, &["no row follows it"]);
    run("lacking.csv").fails(3, &["age"]);
    run("strange.csv").fails(3, &["perhaps"]);
    // A file of before, which knows nothing of its training rows.
    let mut model = Model::from_bytes(&std::fs::read(folder.path("late.glass")).unwrap()).unwrap();
    model.document_mut().reference = None;
    folder.write("old.glass", model.to_bytes().unwrap());
    folder.run(&["monitor", "old.glass", "new.csv"]).fails(4, &["old.glass", "train it again"]);
    // A reference that cannot be is refused with the file.
    let bytes = std::fs::read(folder.path("late.glass")).unwrap();
    let said = br#"\"missing\":0.0,\"name\":\"age\""#;
    let place = bytes.windows(said.len()).position(|part| part == said).unwrap();
    let mut bad = bytes.clone();
    bad[place + said.iter().position(|&byte| byte == b'0').unwrap()] = b'7';
    folder.write("bad.glass", bad);
    folder.run(&["monitor", "bad.glass", "new.csv"]).fails(4, &["the reference of column"]);
    std::fs::create_dir(folder.path("pictures")).unwrap();
    idx_folder(&folder.path("pictures"), "train", 60, 1);
    folder.run(&["train", "pictures", "--net", "4 relu", "--epochs", "2", "-o", "pictures.glass"]).ok();
    folder.run(&["monitor", "pictures.glass", "new.csv"]).fails(2, &["the columns of tables"]);
}
