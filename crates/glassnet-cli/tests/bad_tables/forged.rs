//! A model file whose columns were changed by hand: codes that the network's tables do not have.

use serde_json::Value;

use crate::case::{made, word};
use crate::made::Folder;

/// Adds a level wherever the column's levels are listed.
fn with_a_level(value: &mut Value) -> usize {
    match value {
        Value::Array(items) if items.iter().any(|item| item == "k07") => {
            items.push("k99".into());
            1
        }
        Value::Array(items) => items.iter_mut().map(with_a_level).sum(),
        Value::Object(map) => map.values_mut().map(with_a_level).sum(),
        _ => 0,
    }
}

#[test]
fn codes_and_tables_must_be_of_one_size() {
    let folder = Folder::new("tables-forged");
    folder.write("t.csv", made("x,kind,y", 80, |row| format!("{},k{:02},{}", row % 10, row % 20, word(row))));
    let train = ["train", "t.csv", "--target", "y", "-o", "m.glass", "--epochs", "1", "--members", "1", "-q"];
    folder.run(&train).ok();
    folder.run(&["predict", "m.glass", "t.csv"]).ok();

    let whole = std::fs::read(folder.path("m.glass")).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (header, values) = whole[8..].split_at(length);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    let mut document: Value = serde_json::from_str(header["__metadata__"]["glassnet"].as_str().unwrap()).unwrap();
    // What is kept of the training data to compare with would be refused first.
    for part in ["schema", "preprocess"] {
        assert!(with_a_level(&mut document[part]) > 0, "{part} lists no levels");
    }
    header["__metadata__"]["glassnet"] = document.to_string().into();
    let header = header.to_string();
    folder.write("n.glass", [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), values].concat());
    let run = folder.run(&["predict", "n.glass", "t.csv"]);
    run.fails(4, &["n.glass", "tables of 20 rows", "codes for tables of 21"]);
}
