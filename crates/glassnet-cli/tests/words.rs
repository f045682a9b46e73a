//! `glassnet words` by the real program.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use std::path::PathBuf;

use made::Folder;
use serde_json::Value;

const VECTORS: &str = include_str!("made/vectors.txt");

fn folder() -> Folder {
    let folder = Folder::new(&format!("words-{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    folder.write("v.txt", VECTORS);
    folder
}

fn words(value: &Value) -> Vec<String> {
    value["answers"].as_array().unwrap().iter().map(|answer| answer["word"].as_str().unwrap().to_string()).collect()
}

#[test]
fn king_minus_man_plus_woman_is_queen() {
    let folder = folder();
    let run = folder.run(&["words", "v.txt", "king - man + woman", "--top", "2"]).ok();
    assert!(run.out.starts_with("queen      0.9"), "{}", run.out);
    assert_eq!((run.out.lines().count(), run.err.as_str()), (2, ""));
    let value = folder.run(&["words", "v.txt", "king - man + woman", "--json"]).ok().json();
    let found = words(&value);
    assert_eq!((found[0].as_str(), found.len()), ("queen", 6), "{found:?}");
    assert!(!found.iter().any(|word| ["king", "man", "woman"].contains(&word.as_str())));
    assert_eq!((value["words"].as_u64(), value["width"].as_u64()), (Some(9), Some(4)));
    assert_eq!(value["terms"][1], serde_json::json!({ "word": "man", "minus": true }));
}

#[test]
fn near_and_signs_in_front() {
    let folder = folder();
    let value = folder.run(&["words", "v.txt", "--near", "apple", "--top", "1", "--json"]).ok().json();
    assert_eq!(words(&value), ["pear"]);
    // (0.04 + 0.81) / (|apple| |pear|), by hand.
    let length = |squares: f64| squares.sqrt();
    let wanted = (0.04 + 0.81) / (length(0.04 + 0.81 + 0.01) * length(0.04 + 0.01 + 0.81));
    assert!((value["answers"][0]["similarity"].as_f64().unwrap() - wanted).abs() < 1e-7);
    let run = folder.run(&["words", "v.txt", "- man + woman"]).ok();
    assert!(run.out.starts_with("princess") || run.out.starts_with("queen"), "{}", run.out);
    let run = folder.run(&["words", "v.txt", "--near", "well-known"]).ok();
    assert_eq!(run.out.lines().count(), 8);
    // Standard input, and a header of word2vec.
    let header = format!("9 4\n{VECTORS}");
    let mut child = folder.command(&["words", "-", "--near", "king", "--top", "1"]);
    let mut child = child.stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), header.as_bytes()).unwrap();
    let run = made::Run::from(child.wait_with_output().unwrap()).ok();
    assert!(run.out.starts_with("prince "), "{}", run.out);
}

#[test]
fn vectors_are_written_once_each_and_the_same() {
    let folder = folder();
    folder.write("twice.txt", format!("{VECTORS}king 9 9 9 9\n"));
    let run = folder.run(&["words", "twice.txt", "-o", "out.txt"]).ok();
    assert!(run.err.contains("twice.txt: 1 line has a word that was there before"), "{}", run.err);
    assert!(run.out.contains("out.txt (9 words of 4 numbers)"), "{}", run.out);
    let text = std::fs::read_to_string(folder.path("out.txt")).unwrap();
    assert!(text.starts_with("king 0.9 0.8 0.1 0\nqueen 0.9 -0.8 0.1 0\n"), "{text}");
    folder.run(&["words", "out.txt", "-o", "again.txt"]).ok();
    assert_eq!(std::fs::read_to_string(folder.path("again.txt")).unwrap(), text);
    folder.run(&["words", "out.txt", "-o", "out.txt"]).fails(2, &["out.txt", "would be replaced"]);
}

/// On the real vectors, where they lie beside the repository (or where GLASSNET_SHARED says).
#[test]
fn glove() {
    let root = std::env::var_os("GLASSNET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = root.join("data/glove/glove.6B.50d.top10k.txt.gz");
    if !path.exists() {
        println!("skipped: glove.6B.50d.top10k.txt.gz is not there");
        return;
    }
    let folder = folder();
    let path = path.to_str().unwrap();
    let first = |arguments: &[&str]| {
        let value = folder.run(&[&["words", path, "--json"], arguments].concat()).ok().json();
        words(&value)[0].clone()
    };
    assert_eq!(first(&["king - man + woman"]), "queen");
    assert_eq!(first(&["paris - france + italy"]), "rome");
    assert_eq!(first(&["--near", "monday"]), "tuesday");
    folder.run(&["words", path, "--near", "quen"]).fails(2, &["no word 'quen' among 10,000", "did you mean 'queen'?"]);
}

/// A model of text has a vector for each character; blanks and line ends go by their names.
#[test]
fn a_models_characters() {
    let folder = folder();
    folder.write("rhyme.txt", "Jack and Jill went up the hill\nTo fetch a pail of water;\n".repeat(8));
    let train = |net: &str, out: &str| {
        folder
            .run(&["train", "rhyme.txt", "--task", "text", "--net", net, "--context", "8", "--steps", "5", "-o", out])
            .ok()
    };
    train("embed 6 -> gru 8", "rhyme.glass");
    let value = folder.run(&["words", "rhyme.glass", "--near", "<space>", "--top", "100", "--json"]).ok().json();
    let mut found = words(&value);
    assert_eq!((value["words"].as_u64(), value["width"].as_u64()), (Some(found.len() as u64 + 1), Some(6)));
    found.sort();
    assert_eq!(&found[..5], [";", "<newline>", "J", "T", "a"]);

    // What is written is the model's table, and reads back to it.
    let run = folder.run(&["words", "rhyme.glass", "-o", "characters.txt"]).ok();
    assert!(run.out.contains(&format!("characters.txt ({} words of 6 numbers)", found.len() + 1)), "{}", run.out);
    let written = glassnet::data::read_word_vectors(folder.path("characters.txt").to_str().unwrap()).unwrap().vectors;
    let model = glassnet::model::Model::from_bytes(&std::fs::read(folder.path("rhyme.glass")).unwrap()).unwrap();
    assert_eq!(written.words[..2], ["<newline>", "<space>"]);
    assert_eq!(model.embedding(), Some((&written.vectors[..], 6)));
    for sum in [["--near", "a"], ["a - <space> + T", "--json"]] {
        let run = |file: &str| folder.run(&[&["words", file], &sum[..]].concat()).ok().out;
        assert_eq!(run("rhyme.glass").replace("rhyme.glass", "characters.txt"), run("characters.txt"));
    }

    // The model file is not replaced by its own vectors, and what is no model of text has none.
    folder.run(&["words", "rhyme.glass", "-o", "rhyme.glass"]).fails(2, &["rhyme.glass", "would be replaced"]);
    folder.run(&["words", "rhyme.glass", "--near", "z"]).fails(2, &["there is no word 'z'"]);
    folder.write("orders.csv", made::orders(60, 1));
    folder.run(&["train", "orders.csv", "--target", "late", "--epochs", "1", "-o", "orders.glass"]).ok();
    let says = ["orders.glass: the model was not trained on text", "--task text"];
    folder.run(&["words", "orders.glass", "--near", "a"]).fails(4, &says);
    folder.run(&["words", "none.glass", "--near", "a"]).fails(4, &["there is no such model file"]);
}
