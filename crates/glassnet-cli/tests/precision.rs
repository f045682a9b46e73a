//! `train --precision bf16`: the accuracy of f32, one answer, and said in the model file.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::Folder;

fn digits(folder: &Folder) {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits.csv.gz");
    folder.write("digits.csv.gz", std::fs::read(data).unwrap());
}

const TRAIN: [&str; 12] = [
    "train",
    "digits.csv.gz",
    "--no-header",
    "--target",
    "c65",
    "--net",
    "128 relu -> 64 relu",
    "--batch",
    "32",
    "--seed",
    "3",
    "--json",
];

#[test]
fn digits_are_learned_as_well_in_bf16() {
    let folder = Folder::new("precision");
    digits(&folder);
    let train = |name: &str, more: &[&str]| {
        let run = folder.run(&[&TRAIN[..], &["--epochs", "12", "-o", name], more].concat()).ok();
        let accuracy = run.json()["valid"]["accuracy"].as_f64();
        (accuracy.unwrap_or_else(|| panic!("{}", run.out)), run)
    };
    let (full, run) = train("f32.glass", &[]);
    assert_eq!(run.json()["settings"]["precision"], "f32");
    let (half, run) = train("bf16.glass", &["--precision", "bf16"]);
    assert_eq!(run.json()["settings"]["precision"], "bf16");
    // Of 359 rows, each 0.28 %.
    assert!(full > 0.95, "{full}");
    assert!((full - half).abs() < 0.012, "f32 {full}, bf16 {half}");
    let file = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(file("f32.glass") != file("bf16.glass"));
    // From a config, with two threads: the same model.
    folder.write("run.toml", "[train]\nprecision = \"bf16\"\n");
    train("again.glass", &["--config", "run.toml", "--threads", "2"]);
    assert!(file("bf16.glass") == file("again.glass"));
    // Prediction is in f32, and the file tells how it was trained.
    let told = folder.run(&["inspect", "bf16.glass", "--json"]).ok();
    assert!(told.out.contains("\"bf16\""), "{}", told.out);
}

#[test]
fn every_instruction_set_trains_the_same_model() {
    let folder = Folder::new("precision-isa");
    digits(&folder);
    let mut files = Vec::new();
    for isa in ["scalar", "avx2", "avx512", "neon"] {
        let mut command =
            folder.command(&[&TRAIN[..], &["--epochs", "1", "--precision", "bf16", "-o", "m.glass"]].concat());
        let run = made::Run::from(command.env("GLASSNET_ISA", isa).output().unwrap());
        // What the machine has not is said and not tried.
        if run.err.contains("this processor has no") {
            continue;
        }
        run.ok();
        files.push((isa, std::fs::read(folder.path("m.glass")).unwrap()));
    }
    assert_eq!(files[0].0, "scalar");
    assert!(files.iter().all(|(_, file)| *file == files[0].1));
}

#[test]
fn an_unknown_precision_is_refused() {
    let folder = Folder::new("precision-unknown");
    digits(&folder);
    let base = ["train", "digits.csv.gz", "--no-header", "--target", "c65"];
    let words = ["--precision: there is no precision \"fp16\"", "hint: use f32 or bf16"];
    folder.run(&[&base[..], &["--precision", "fp16"]].concat()).fails(2, &words);
    folder.write("run.toml", "[train]\nprecision = \"half\"\n");
    let run = folder.run(&[&base[..], &["--config", "run.toml"]].concat());
    run.fails(2, &["run.toml, line 2", "there is no precision \"half\"", "use f32 or bf16"]);
}

/// An instruction set that there is not is an error of every command, not a silent other one.
#[test]
fn an_impossible_instruction_set_is_refused() {
    let folder = Folder::new("precision-no-isa");
    digits(&folder);
    let foreign = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    for (isa, words) in [("sse9", "no such instruction set"), (foreign, "this processor has no")] {
        for arguments in [&TRAIN[..], &["predict", "m.glass", "digits.csv.gz"], &["bench", "tiny"]] {
            let run = made::Run::from(folder.command(arguments).env("GLASSNET_ISA", isa).output().unwrap());
            run.fails(2, &[words, "GLASSNET_ISA", "hint: "]);
        }
    }
    assert!(!folder.path("digits.glass").exists());
}
