//! What `glassnet train` refuses: a message that says what, where and what to do, an exit code, and nothing written.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, orders};

#[test]
fn wrong_settings() {
    let folder = Folder::new("settings");
    folder.write("orders.csv", orders(100, 1));
    let cases: &[(&[&str], &[&str])] = &[
        (&["--target", "lat"], &["no column 'lat'", "did you mean late?"]),
        (&[], &["which column", "--target COL", "amount"]),
        (&["--target", "late", "--lr", "0"], &["--lr: 0", "above 0"]),
        (&["--target", "late", "--lr", "-0.1"], &["--lr: -0.1", "above 0"]),
        (&["--target", "late", "--batch", "0"], &["batch of 0 rows"]),
        (&["--target", "late", "--batch", "lots"], &["\"lots\"", "128"]),
        (&["--target", "late", "--epochs", "0"], &["0 epochs"]),
        (&["--target", "late", "--accumulate", "0"], &["--accumulate"]),
        (&["--target", "late", "--threads", "0"], &["--threads"]),
        (&["--target", "late", "--optimizer", "adma"], &["adma", "did you mean \"adam\"?"]),
        (&["--target", "late", "--momentum", "0.9"], &["adam has no momentum"]),
        (&["--target", "late", "--weight-decay", "-1"], &["--weight-decay: -1", "0 or more"]),
        (&["--target", "late", "--schedule", "cosin"], &["cosin", "did you mean \"cosine\"?"]),
        (&["--target", "late", "--clip-norm", "0"], &["--clip-norm: 0"]),
        (&["--target", "late", "--loss", "mea"], &["mea", "did you mean mae?"]),
        (&["--target", "late", "--loss", "mse"], &["mse is for numbers"]),
        (&["--target", "days", "--loss", "bce"], &["bce is for classes"]),
        (&["--target", "country", "--loss", "bce"], &["two classes", "3"]),
        (&["--target", "days", "--class-weights", "balanced"], &["--class-weights", "a number"]),
        (&["--target", "late", "--class-weights", "maybe=2"], &["no class \"maybe\"", "no, yes"]),
        (&["--target", "late", "--class-weights", "1,2,3"], &["3 weights", "2 classes"]),
        (&["--target", "late", "--label-smoothing", "1"], &["--label-smoothing"]),
        (&["--target", "late", "--validation-share", "1"], &["--validation-share"]),
        (&["--target", "late", "--validation-share", "0", "--early-stop", "3"], &["no validation rows"]),
        (&["--target", "late", "--early-stop", "0"], &["--early-stop", "off"]),
        (&["--target", "late", "--net", "25 rleu"], &["rleu", "^^^^", "did you mean relu?"]),
        (&["--target", "late", "--net", "0 relu"], &["dense dimensions must be positive"]),
        (&["--target", "late", "--net", "9 -> 4 relu -> 2"], &["--net", "9 inputs", "^"]),
        (&["--target", "late", "--init", "he_norml"], &["he_norml", "did you mean he normal?"]),
        (&["--target", "late", "--init", "he normal 2"], &["takes no number"]),
        (&["--target", "late", "--init", "constant -1"], &["must be a number above 0"]),
        (&["--target", "late", "--drop", "amont"], &["--drop", "did you mean amount?"]),
        (&["--target", "late", "--drop", "late"], &["the target"]),
        (&["--target", "late", "--type", "amount"], &["zip=category"]),
        (&["--target", "late", "--type", "amount=nummer"], &["nummer", "did you mean number?"]),
        (&["--target", "late", "--weight-column", "dais"], &["did you mean days?"]),
        (&["--target", "late", "--task", "classfy"], &["did you mean classify?"]),
        (&["--target", "late", "--test", "-"], &["standard input"]),
        (&["--target", "late", "--delimiter", "abc"], &["delimiter"]),
    ];
    for (arguments, words) in cases {
        folder.run(&[&["train", "orders.csv"], *arguments].concat()).fails(2, words);
    }
    folder.run(&["train"]).fails(2, &["no data", "glassnet train DATA"]);
    assert_eq!(folder.names(), ["orders.csv"], "nothing is written");
}

#[test]
fn data_that_cannot_be_used() {
    let folder = Folder::new("baddata");
    let good = orders(60, 1);
    let files: &[(&str, String, &str, &[&str])] = &[
        (
            "abc.csv",
            good.replacen("o00011,", "o00011,abc", 1),
            "late",
            &["row 12 (line 13)", "'amount'", "--type amount=category"],
        ),
        ("one.csv", good.replace(",no\n", ",yes\n"), "late", &["only one class"]),
        (
            "inf.csv",
            good.replacen("o00002,", "o00002,inf,de,yes,1,no\nx,", 1),
            "late",
            &["row 3 (line 4)", "amount", "inf"],
        ),
        ("ragged.csv", good.replacen("o00004,", "o00004,1,", 1), "late", &["row 5 (line 6)"]),
        ("empty.csv", String::new(), "late", &["empty"]),
        ("header.csv", "a,b\n".into(), "b", &["row"]),
        ("few.csv", "a,b\n1,x\n2,y\n".into(), "b", &["few.csv", "validation"]),
    ];
    for (name, text, target, words) in files {
        folder.write(name, text);
        folder.run(&["train", name, "--target", target]).fails(3, words);
    }
    folder.run(&["train", "none.csv", "--target", "late"]).fails(3, &["none.csv", "no such file"]);
    // What --test lacks is said before training, not after it.
    folder.write("good.csv", &good);
    folder.write("test.csv", good.replacen("amount", "amnt", 1));
    let run = folder
        .run(&["train", "good.csv", "--target", "late", "--test", "test.csv"])
        .fails(3, &["test.csv", "amount", "amnt"]);
    assert!(!run.err.contains("epoch"), "{}", run.err);
    assert!(folder.names().iter().all(|name| !name.ends_with(".glass")), "{:?}", folder.names());
}

#[test]
fn places_that_cannot_be_written() {
    let folder = Folder::new("badout");
    folder.write("orders.csv", orders(60, 1));
    std::fs::create_dir_all(folder.path("taken")).unwrap();
    let out = |path: &str, words: &[&str]| {
        let run = folder.run(&["train", "orders.csv", "--target", "late", "--epochs", "1", "-o", path]).fails(6, words);
        assert!(!run.err.contains("epoch 1"), "it is said before training: {}", run.err);
    };
    out("none/m.glass", &["no folder none", "hint"]);
    out("taken", &["it is a folder"]);
    out("orders.csv/m.glass", &["no folder"]);
    assert_eq!(folder.names(), ["orders.csv", "taken"]);
}

#[test]
fn an_error_is_one_json_object_too() {
    let folder = Folder::new("jsonerror");
    let value = folder.run(&["train", "none.csv", "--target", "x", "--json"]).fails(3, &["none.csv"]).json();
    assert_eq!(value["exit_code"], 3);
    assert!(value["error"].as_str().unwrap().contains("none.csv"));
}

/// A disk of 64 kB: the model does not fit. Where this user may not mount one, there is nothing to see.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let folder = Folder::new("fulldisk");
    folder.write("orders.csv", orders(60, 1));
    let disk = folder.path("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        std::process::Command::new(program)
            .args(arguments)
            .arg(&disk)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        eprintln!("skipped: this user may not mount a small disk");
        return;
    }
    let run = folder.run(&["train", "orders.csv", "--target", "late", "--epochs", "1", "-o", "disk/m.glass"]);
    let left = std::fs::read_dir(&disk).unwrap().count();
    assert!(mount("umount", &[]));
    run.fails(6, &["disk/m.glass", "the disk is full", "hint"]);
    assert_eq!(left, 0, "nothing half-written");
}

#[test]
fn an_input_is_not_overwritten() {
    let folder = Folder::new("keepinputs");
    let images = folder.path("tiny");
    std::fs::create_dir_all(&images).unwrap();
    made::idx_folder(&images, "train", 40, 1);
    let config = "[train]\ntarget = \"late\"\nepochs = 1\n";
    let files = [("orders.csv", orders(60, 1)), ("v.csv", orders(30, 2)), ("t.csv", orders(30, 3))];
    for (name, text) in &files {
        folder.write(name, text);
    }
    folder.write("run.toml", config);
    let base = ["train", "orders.csv", "--config", "run.toml", "--valid", "v.csv", "--test", "t.csv"];
    for out in ["orders.csv", "./v.csv", "tiny/../t.csv", "run.toml"] {
        let said = ["this is the file", "would be replaced", "hint: give another name"];
        folder.run(&[&base[..], &["-o", out]].concat()).fails(2, &said);
    }
    let image = std::fs::read_dir(&images).unwrap().next().unwrap().unwrap().file_name();
    let image = format!("tiny/{}", image.to_string_lossy());
    folder
        .run(&["train", "tiny", "--epochs", "1", "--output", &image])
        .fails(2, &["one of the files of the folder tiny"]);
    for (name, text) in &files {
        assert_eq!(&std::fs::read_to_string(folder.path(name)).unwrap(), text, "{name}");
    }
    assert_eq!(std::fs::read_to_string(folder.path("run.toml")).unwrap(), config);
    // Another file may be replaced, and it is said.
    let good = [&base[..], &["--net", "4 relu", "--output", "m.glass"]].concat();
    assert!(!folder.run(&good).ok().out.contains("replaced"));
    assert!(folder.run(&good).ok().out.contains("replaced"));
}

#[test]
fn arguments_that_cannot_be_read_are_json_too() {
    let folder = Folder::new("jsonargs");
    folder.write("orders.csv", orders(60, 1));
    let json = |arguments: &[&str]| folder.run(arguments).fails(2, &["error: "]).json();
    let value = json(&["train", "--json", "orders.csv", "--targett", "late"]);
    assert_eq!(value["exit_code"], 2);
    assert!(value["error"].as_str().unwrap().contains("--targett"), "{value}");
    assert!(value["hint"].as_str().unwrap().contains("--target"), "{value}");
    let value = json(&["evaluate", "--json"]);
    assert!(value["error"].as_str().unwrap().contains("<MODEL>") && value["hint"].is_string(), "{value}");
    let value = json(&["train", "orders.csv", "--target", "lat", "--json"]);
    assert!(!value["error"].as_str().unwrap().contains("hint"), "{value}");
    assert!(value["hint"].as_str().unwrap().contains("did you mean late?"), "{value}");
    // After -- it is a file's name.
    assert_eq!(folder.run(&["evaluate", "--", "--json"]).fails(2, &["error: "]).out, "");
    let value = json(&["train", "orders.csv", "--target", "late", "--net", " ", "--json"]);
    assert!(value["hint"].as_str().unwrap().contains("linear"), "{value}");
    let value = json(&["train", "orders.csv", "--target", "late", "--net", "25 rleu", "--json"]);
    assert!(value["error"].as_str().unwrap().ends_with("^^^^"), "{value}");
    assert!(value["hint"].as_str().unwrap().contains("did you mean relu?"), "{value}");
    folder.run(&["train", "orders.csv", "--target", "late", "--net", "linear", "--epochs", "1"]).ok();
}
