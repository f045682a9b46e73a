//! `predict` and `evaluate` by the real program, on models whose weights are known.
#![allow(clippy::unwrap_used, clippy::panic)]

mod known;

use known::{Folder, RISK_ROWS, glassnet, glassnet_with, images, risk, tenfold};

/// delay_risk_report of the worked examples.
const REPORT: &str = "A-104: score=0.426 -> monitor\nB-208: score=0.981 -> review\nC-311: score=0.732 -> review\n";

#[test]
fn the_worked_report() {
    let folder = Folder::new();
    let (model, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let queues = ["--id", "id", "--threshold", "0.6", "--above", "review", "--below", "monitor"];
    let done = glassnet(&[&["predict", &model, &data, "--format", "text"][..], &queues].concat()).ok();
    assert_eq!(done.out, REPORT);
    assert_eq!(done.err, "");
    let done = glassnet(&[&["predict", &model, &data][..], &queues].concat()).ok();
    let lines: Vec<Vec<&str>> = done.out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0], ["id", "score_monitor", "score_review", "class", "queue"]);
    let exact = [0.425557483188341, 0.9811090380629609, 0.7320405018416317];
    for (line, exact) in lines[1..].iter().zip(exact) {
        let (no, yes): (f32, f32) = (line[1].parse().unwrap(), line[2].parse().unwrap());
        assert!((f64::from(yes) - exact).abs() < 1e-6 && (f64::from(no) - (1.0 - exact)).abs() < 1e-6, "{line:?}");
        assert_eq!(format!("{yes:?}"), line[2], "not the shortest that reads back");
    }
    assert_eq!([lines[1][3], lines[2][3], lines[3][3]], ["monitor", "review", "review"]);
    assert_eq!([lines[1][4], lines[2][4], lines[3][4]], ["monitor", "review", "review"]);
}

#[test]
fn the_same_rows_as_json_from_stdin_and_in_a_file() {
    let folder = Folder::new();
    let (model, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let done = glassnet_with(&["predict", &model, "-", "--id", "id", "--json"], RISK_ROWS.as_bytes()).ok();
    let json = done.json();
    assert_eq!(json["rows"], 3);
    assert_eq!(json["classes"], serde_json::json!(["monitor", "review"]));
    assert_eq!(json["predictions"][2]["id"], "C-311");
    assert_eq!(json["predictions"][1]["class"], "review");
    let done = glassnet(&["predict", &model, &data, "-o", &folder.path("out.csv"), "--json"]).ok();
    assert_eq!(done.json()["rows"], 3);
    assert_eq!(done.json()["ignored_columns"], serde_json::json!(["id"]));
    let out = folder.read("out.csv");
    assert!(out.starts_with("row,score_monitor,score_review,class\n1,0."), "{out}");
    assert_eq!(out.lines().count(), 4);
    // The file's numbers are those of the JSON, digit by digit.
    assert!(out.contains(&json["predictions"][0]["scores"][1].to_string()));
    assert!(done.err.contains("ignored, because the model does not know them: id"), "{}", done.err);
}

#[test]
fn a_number_and_its_categories() {
    let folder = Folder::new();
    let model = tenfold(&folder);
    let data = folder.write("new.csv", "carrier,x,name\nZZ,7,\"Smith, J\"\nUA,,\"say \"\"hi\"\"\"\n,0.5,plain\n");
    let done = glassnet(&["predict", &model, &data, "--id", "name"]).ok();
    assert_eq!(done.out, "name,prediction\n\"Smith, J\",70.0\n\"say \"\"hi\"\"\",26.25\nplain,5.0\n");
    assert!(done.err.contains("column carrier: 1 row has a category without an input of its own (such as \"ZZ\")"));
    assert_eq!(glassnet(&["predict", &model, &data, "--quiet"]).ok().err, "");
    // The chunk's edge is no edge: 10,000 rows are numbered through.
    let many: String = (0..10_000).map(|row| format!("AA,{}\n", row % 5)).collect();
    let data = folder.write("many.csv", &format!("carrier,x\n{many}"));
    let done = glassnet(&["predict", &model, &data]).ok();
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines.len(), 10_001);
    for (row, line) in lines.iter().enumerate().skip(1) {
        let (number, prediction) = line.split_once(',').unwrap();
        assert_eq!(number, row.to_string());
        assert!((prediction.parse::<f64>().unwrap() - 10.0 * ((row - 1) % 5) as f64).abs() < 1e-5, "{line}");
    }
}

#[test]
fn nothing_is_half_written() {
    let folder = Folder::new();
    let model = tenfold(&folder);
    // Row 6,000 is bad, in the second chunk: after the first was written.
    let rows: String =
        (1..=7000).map(|row| if row == 6000 { "AA,oops\n".into() } else { format!("AA,{row}\n") }).collect();
    let data = folder.write("bad.csv", &format!("carrier,x\n{rows}"));
    folder.write("out.csv", "what was there before");
    let before = folder.names();
    let done = glassnet(&["predict", &model, &data, "-o", &folder.path("out.csv")]);
    done.fails(3, &["row 6000 (line 6001)", "'x'", "'oops'"]);
    assert_eq!(folder.read("out.csv"), "what was there before");
    assert_eq!(folder.names(), before);
    // One JSON document at most: what was begun is not followed by another.
    let done = glassnet(&["predict", &model, &data, "--json"]);
    done.fails(3, &["row 6000 (line 6001)"]);
    assert!(!done.out.contains("\"error\""));
    glassnet(&["predict", &model, &data, "-o", &data]).fails(2, &["this is the file", "would be replaced"]);
    glassnet(&["predict", &model, &folder.path("none.csv"), "-o", &folder.path("n.csv")]).fails(3, &["no such file"]);
    let good = folder.write("good.csv", "carrier,x\nAA,1\n");
    glassnet(&["predict", &model, &good, "-o", &folder.path("no/such/out.csv")]).fails(6, &["no folder"]);
    glassnet(&["predict", &model, &good, "-o", &folder.path("")]).fails(6, &["folder"]);
}

/// The peak of memory, read when all rows but the last few have been taken from the pipe.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_data() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let folder = Folder::new();
    let model = risk(&folder);
    let peak = |rows: usize| -> usize {
        let out = folder.path("out.csv");
        let args = ["predict", &model, "-", "--id", "id", "-o", &out, "--quiet"];
        let mut child = Command::new(env!("CARGO_BIN_EXE_glassnet")).args(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = std::io::BufWriter::new(child.stdin.take().unwrap());
        writeln!(input, "id,backlog,route disruption,weather severity").unwrap();
        for row in 0..rows {
            writeln!(input, "row-{row},{},{},{}", row % 10, row % 7, row % 3).unwrap();
        }
        input.flush().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        drop(input);
        assert!(child.wait().unwrap().success());
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let (few, many) = (peak(20_000), peak(400_000));
    assert_eq!(folder.read("out.csv").lines().count(), 400_001);
    // Held in memory, 380,000 more rows with their names would take far more than 8 MB.
    assert!(many < few + 8 * 1024, "{few} kB for 20,000 rows, {many} kB for 400,000");
}

#[test]
fn what_is_wrong_is_named() {
    let folder = Folder::new();
    let (model, data) = (risk(&folder), folder.write("new.csv", RISK_ROWS));
    let predict = |more: &[&str]| glassnet(&[&["predict", &model, &data][..], more].concat());
    predict(&["--threshold", "1.5"]).fails(2, &["between 0 and 1"]);
    predict(&["--threshold", "0.5", "--class", "reviews"]).fails(2, &["no such class", "did you mean 'review'?"]);
    predict(&["--id", "ids"]).fails(3, &["no column 'ids'", "did you mean 'id'?"]);
    predict(&["--part", "test"]).fails(2, &["no folder"]);
    assert_eq!(predict(&["--above", "x"]).code, 2);
    let lacking = folder.write("lacking.csv", "id,backlogs,route disruption\nA,1,2\n");
    let done = glassnet(&["predict", &model, &lacking]);
    done.fails(3, &["lacking.csv", "'backlog' (did you mean 'backlogs'?)", "weather severity"]);
    glassnet(&["predict", &folder.path("none.glass"), &data]).fails(4, &["no such model file"]);
    glassnet(&["predict", &data, &data]).fails(4, &["new.csv", "not a readable model file"]);
    let whole = std::fs::read(&model).unwrap();
    std::fs::write(folder.path("cut.glass"), &whole[..whole.len() / 2]).unwrap();
    glassnet(&["predict", &folder.path("cut.glass"), &data]).fails(4, &["cut.glass", "truncated"]);
    let mut huge = 10_000_000_000u64.to_le_bytes().to_vec();
    huge.extend(b"{}");
    std::fs::write(folder.path("huge.glass"), huge).unwrap();
    glassnet(&["predict", &folder.path("huge.glass"), &data]).fails(4, &["header of 10.0 GB"]);
    let json = glassnet(&["predict", &folder.path("none.glass"), &data, "--json"]).json();
    assert_eq!(json["exit_code"], 4);
}

#[test]
fn evaluate_a_classifier() {
    let folder = Folder::new();
    let model = risk(&folder);
    let data = "queue,backlog,route disruption,weather severity,note\nmonitor,3,2,1,a\nreview,7,8,9,b\nmonitor,9,5,4,c\n,1,1,1,d\n";
    let data = folder.write("test.csv", data);
    let done = glassnet(&["evaluate", &model, &data]).ok();
    for line in [
        "3 rows, target queue",
        "accuracy  0.6667   (always \"monitor\": 0.6667)",
        "AUC       1.0000",
        "monitor                 1       1",
        "review                  0       1",
        "scores, not probabilities: nothing has calibrated them",
    ] {
        assert!(done.out.contains(line), "{line:?} is missing in\n{}", done.out);
    }
    assert!(done.err.contains("ignored, because the model does not know them: note"), "{}", done.err);
    assert!(done.err.contains("set aside: 1 row whose queue is blank"), "{}", done.err);
    let json = glassnet(&["evaluate", &model, &data, "--json", "--threads", "2"]).ok().json();
    assert_eq!(json["accuracy"].as_f64().unwrap(), 2.0 / 3.0);
    assert_eq!((json["auc"].as_f64(), json["rows"].as_u64()), (Some(1.0), Some(3)));
    assert_eq!(json["confusion"]["table"], serde_json::json!([[1.0, 1.0], [0.0, 1.0]]));
    assert_eq!(json["classes"][1]["precision"], 0.5);
    assert_eq!(json["classes"][1]["recall"], 1.0);
    // By hand from the worked scores: -(ln(1 - .4256) + ln(.9811) + ln(1 - .7320)) / 3, and the squares.
    let scores: [f64; 3] = [0.425557483188341, 0.9811090380629609, 0.7320405018416317];
    let log_loss = -((1.0 - scores[0]).ln() + scores[1].ln() + (1.0 - scores[2]).ln()) / 3.0;
    let brier = (scores[0].powi(2) + (1.0 - scores[1]).powi(2) + scores[2].powi(2)) / 3.0;
    assert!((json["log_loss"].as_f64().unwrap() - log_loss).abs() < 1e-6);
    assert!((json["brier"].as_f64().unwrap() - brier).abs() < 1e-6);
    let lacking = folder.write("lacking.csv", "backlog,route disruption,weather severity,que\n1,2,3,monitor\n");
    glassnet(&["evaluate", &model, &lacking]).fails(3, &["no column 'queue'", "model's target"]);
    let strange = folder.write("strange.csv", "queue,backlog,route disruption,weather severity\nreviw,1,2,3\n");
    glassnet(&["evaluate", &model, &strange]).fails(3, &["row 1 (line 2)", "did you mean \"review\"?"]);
}

#[test]
fn evaluate_a_regression() {
    let folder = Folder::new();
    let model = tenfold(&folder);
    let data = folder.write("test.csv", "x,carrier,y\n1,AA,11\n2,AA,19\n4,ZZ,43\n");
    let json = glassnet(&["evaluate", &model, &data, "--json"]).ok().json();
    assert!((json["rmse"].as_f64().unwrap() - (11.0f64 / 3.0).sqrt()).abs() < 1e-5, "{json}");
    assert!((json["mae"].as_f64().unwrap() - 5.0 / 3.0).abs() < 1e-5);
    assert!(json["accuracy"].is_null() && json["note"].is_null());
    assert_eq!(json["unseen"]["carrier"]["rows"], 1);
    let text = glassnet(&["evaluate", &model, &data]).ok().out;
    assert!(text.contains("RMSE      1.9149") && text.contains("MAE       1.6667"), "{text}");
    assert!(!text.contains("probabilities"));
}

#[test]
fn images_by_part() {
    let folder = Folder::new();
    let (data, model) = images(&folder);
    let json = glassnet(&["evaluate", &model, &data, "--json"]).ok().json();
    assert_eq!((json["rows"].as_u64(), json["accuracy"].as_f64()), (Some(2), Some(0.5)));
    let json = glassnet(&["evaluate", &model, &data, "--part", "train", "--json"]).ok().json();
    assert_eq!((json["rows"].as_u64(), json["accuracy"].as_f64()), (Some(3), Some(1.0)));
    let done = glassnet(&["predict", &model, &data, "--part", "test"]).ok();
    let classes: Vec<&str> = done.out.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(classes, ["class", "1", "2"]);
    glassnet(&["predict", &model, &data, "--threshold", "0.5"]).fails(2, &["3 classes", "--class"]);
    let table = folder.write("table.csv", "a,b\n1,2\n");
    glassnet(&["evaluate", &model, &table]).fails(3, &["learned from images", "a table"]);
    glassnet(&["evaluate", &risk(&folder), &data]).fails(3, &["learned from a table", "images"]);
}

/// Ctrl-C while the file is being written: nothing of it stays, exit code 130.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing() {
    use std::io::Write;
    use std::process::{Command, Stdio};

    let folder = Folder::new();
    let model = risk(&folder);
    let before = folder.names();
    let out = folder.path("out.csv");
    let mut child = Command::new(env!("CARGO_BIN_EXE_glassnet"))
        .args(["predict", &model, "-", "--id", "id", "-o", &out])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = std::io::BufWriter::new(child.stdin.take().unwrap());
    writeln!(input, "id,backlog,route disruption,weather severity").unwrap();
    // Enough that the temporary file is there before the end.
    for row in 0..100_000 {
        writeln!(input, "row-{row},1,2,3").unwrap();
    }
    input.flush().unwrap();
    assert!(folder.names().iter().any(|name| name.ends_with(".part")), "{:?}", folder.names());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    // More rows, until nobody reads them: it stops by itself, not at the data's end.
    while writeln!(input, "more,1,2,3").is_ok() {}
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(folder.names(), before);
}
