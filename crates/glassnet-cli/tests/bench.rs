//! `glassnet bench`: what it measures, and that the weights it trains are `train`'s.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::Folder;
use serde_json::Value;

fn one<'a>(value: &'a Value, workload: &str) -> &'a Value {
    let all = value["workloads"].as_array().unwrap();
    all.iter().find(|found| found["workload"] == workload).unwrap_or_else(|| panic!("{value}"))
}

/// The words of the command that `--write` gives.
fn command(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let written = folder.run(&[&["bench", "--write", "data", "--json"], arguments].concat()).ok().json();
    let words = written["written"][0]["arguments"].as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_weights_are_those_of_train_on_the_same_data() {
    let folder = Folder::new("bench-train");
    // Steps that end an epoch (of 32) and steps that do not; f32 and bf16.
    for (steps, precision) in [("100", "f32"), ("64", "f32"), ("100", "bf16")] {
        let asked = ["tiny", "--steps", steps, "--precision", precision];
        let words = command(&folder, &asked);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let trained = folder.run(&[&words[..], &["--json"]].concat()).ok().json();
        let hash = trained["weights_hash"].as_str().unwrap();
        assert!(hash.starts_with("sha256:") && hash.len() == 7 + 64, "{hash}");
        for threads in ["1", "2"] {
            let value = folder.run(&[&["bench", "--json", "--threads", threads], &asked[..]].concat()).ok().json();
            let tiny = one(&value, "tiny");
            assert_eq!((tiny["weights_hash"].as_str(), tiny["steps"].as_u64()), (Some(hash), steps.parse().ok()));
            assert_eq!(tiny["first_loss"], trained["first_loss"]);
            assert_eq!(tiny["precision"], precision);
        }
    }
    let text = folder.run(&["bench", "tiny", "--steps", "100"]).ok().out;
    let hash = folder.run(&["bench", "tiny", "--steps", "100", "--json"]).ok().json();
    let hash = one(&hash, "tiny")["weights_hash"].as_str().unwrap()[..19].to_owned();
    assert!(text.contains(&hash) && text.contains("after 100"), "{hash}: {text}");
}

/// What `train` prints for people has the same hash as its JSON and as the model's own weights.
#[test]
fn a_text_is_trained_the_same_way() {
    let folder = Folder::new("bench-text");
    let words = command(&folder, &["gpt", "--steps", "1"]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let hash = folder.run(&[&words[..], &["--json"]].concat()).ok().json()["weights_hash"].clone();
    let value = folder.run(&["bench", "gpt", "--steps", "1", "--json"]).ok().json();
    assert_eq!(one(&value, "gpt")["weights_hash"], hash);
    let said = folder.run(&words).ok().out;
    assert!(said.contains(&format!("weights {}", hash.as_str().unwrap())), "{said}");
}

#[test]
fn shares_are_of_a_peak_that_nothing_exceeds() {
    let folder = Folder::new("bench-shares");
    let value = folder.run(&["bench", "tiny", "serve-row", "peak", "--seconds", "0.02", "--threads", "1", "--json"]);
    let value = value.ok().json();
    let number = |value: &Value| value.as_f64().unwrap();
    let peak = &value["peaks"][0];
    assert_eq!(peak["threads"], 1);
    for figure in ["f32_gflops", "bf16_gflops", "read_gb_per_s"] {
        assert!(number(&peak[figure]) > 0.0, "{figure}");
    }
    for (name, what) in [("tiny", "step"), ("serve-row", "row")] {
        let found = one(&value, name);
        let (micros, flops) = (number(&found[format!("us_per_{what}")]), number(&found[format!("flops_per_{what}")]));
        let (gflops, share) = (number(&found["gflops"]), number(&found["share_of_peak"]));
        assert!((gflops - flops / micros / 1e3).abs() < 1e-9 * gflops, "{found}");
        assert!((share - gflops / number(&peak["f32_gflops"])).abs() < 1e-9 && share > 0.0 && share <= 1.0, "{found}");
        assert!(number(&found["spread"]) >= 0.0);
    }
    // 2 x 32 x (2 x 4 x 16 + 3 x 16 x 3): no gradient of the input.
    assert_eq!(one(&value, "tiny")["flops_per_step"], 17_408);
    assert!(number(&one(&value, "serve-row")["p99_us_per_row"]) > 0.0);
}

#[test]
fn what_is_refused() {
    let folder = Folder::new("bench-refused");
    let cases: &[(&[&str], &[&str])] = &[
        (&["mnits"], &["no workload is called \"mnits\"", "did you mean mnist?", "serve-row, peak"]),
        (&["tiny", "--precision", "f16"], &["--precision", "f16", "bf16"]),
        (&["infer", "--precision", "bf16"], &["--precision bf16", "infer", "f32"]),
        (&["tiny", "--threads", "0"], &["--threads"]),
        (&["tiny", "--threads", "5000"], &["--threads", "1024"]),
        (&["tiny", "--seconds", "0"], &["--seconds: 0", "above 0"]),
        (&["tiny", "--seconds", "nan"], &["--seconds: NaN"]),
        (&["tiny", "--steps", "0"], &["--steps: 0"]),
        (&["tiny", "--steps", "5", "--seconds", "1"], &["--seconds", "--steps"]),
        (&["infer", "--write", "d"], &["--write: infer", "tiny, mnist"]),
        (&["tiny", "--write", "d", "--seconds", "1"], &["--write", "--steps"]),
    ];
    for (arguments, words) in cases {
        folder.run(&[&["bench"], *arguments].concat()).fails(2, words);
    }
    let mut command = folder.command(&["bench", "tiny", "--steps", "1"]);
    let run = made::Run::from(command.env("GLASSNET_ISA", "sse9").output().unwrap());
    run.fails(2, &["GLASSNET_ISA=sse9", "no such instruction set"]);
    folder.write("taken", "");
    folder.run(&["bench", "tiny", "--write", "taken"]).fails(6, &["taken"]);
}
