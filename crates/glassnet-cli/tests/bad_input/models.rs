//! Files that are no model, or a model no more.

use std::sync::OnceLock;

use crate::case::{Case, case};
use crate::made::{Folder, npy, zip};
use crate::tables::table;

/// A real model of the table's classes, as the program writes it.
pub fn model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = Folder::new("bad-model");
        folder.write("t.csv", table());
        let run = ["train", "t.csv", "--target", "y", "--net", "3 relu", "--epochs", "1", "-o", "m.glass", "-q"];
        // Weights alone, so that the first tensor and the last one are of the network.
        folder.run(&[&run[..], &["--no-background"]].concat()).ok();
        std::fs::read(folder.path("m.glass")).unwrap()
    })
}

/// `predict m.glass t.csv -o out.csv` with this file for the model.
pub fn predict(name: &'static str, bytes: impl Into<Vec<u8>>, says: &[&'static str], hint: &'static str) -> Case {
    let says = [&["m.glass: "], says].concat();
    case(name, &["predict", "m.glass", "t.csv", "-o", "out.csv"], 4, &says, hint)
        .with("m.glass", bytes)
        .with("t.csv", table())
}

/// Other files in the model's place.
pub fn foreign() -> Vec<Case> {
    let torch = zip(&[("archive/data.pkl", b"\x80\x02".to_vec())]);
    let with = |command: &[&str], name: &'static str, says: &[&'static str], hint| {
        case(name, command, 4, says, hint).with("m.glass", torch.clone()).with("t.csv", table())
    };
    let mut huge = 10_000_000_000u64.to_le_bytes().to_vec();
    huge.extend(b"{\"__metadata__\":");
    let plain = b"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}      ";
    let safetensors = [&(plain.len() as u64).to_le_bytes()[..], plain, &[0; 4]].concat();
    vec![
        predict("a zip", torch.clone(), &["a zip archive"], "safetensors or npz"),
        predict(
            "a model's pickle",
            &b"\x80\x04\x95\x10\0\0\0\0\0\0\0}."[..],
            &["a Python pickle"],
            "safetensors or npz",
        ),
        predict("ONNX", &b"\x08\x07\x12\x07pytorch\x1a\x032.1"[..], &["an ONNX model"], "import it"),
        predict("HDF5", &b"\x89HDF\r\n\x1a\n\0\0\0\0"[..], &["an HDF5 file"], "safetensors or npz"),
        predict("JSON for a model", "{\"layers\": []}", &["JSON text"], "header in 8 bytes"),
        predict("a table for a model", table(), &["text (a CSV"], "the model first, then the data"),
        predict(
            "a compressed model",
            &b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..],
            &["compressed by gzip"],
            "uncompress it first",
        ),
        predict("an array for a model", npy(&[1], &[1.0]), &["a NumPy array"], "the model first"),
        predict("images for a model", crate::arrays::idx_bytes(&[1, 2, 2]), &["an IDX file"], "the model first"),
        predict("weights alone", safetensors, &["without glassnet's document"], "import them"),
        predict("an empty model", Vec::new(), &["it is empty"], "train again"),
        predict("zeros for a model", vec![0; 64], &["does not start as safetensors does"], "train again"),
        predict("a header of 10 GB", huge, &["header of 10.0 GB", "64 MB allowed"], "train again"),
        predict("a header of all there is", vec![255; 64], &["header of 18446744073709551615 bytes"], "train again"),
        case(
            "no such model",
            &["predict", "n.glass", "t.csv"],
            4,
            &["n.glass: there is no such model file"],
            "glassnet train",
        )
        .with("t.csv", table()),
        case(
            "a folder for a model",
            &["predict", "m.glass", "t.csv"],
            4,
            &["m.glass", "a folder, not a model"],
            ".glass file",
        )
        .with("m.glass/", "")
        .with("t.csv", table()),
        case(
            "model and data the wrong way round",
            &["predict", "t.csv", "m.glass"],
            4,
            &["t.csv: "],
            "the model first, then the data",
        )
        .with("m.glass", model())
        .with("t.csv", table()),
        with(&["evaluate", "m.glass", "t.csv"], "to evaluate a zip", &["m.glass: ", "a zip archive"], "safetensors"),
        with(&["inspect", "m.glass"], "to inspect a zip", &["m.glass: ", "a zip archive"], "safetensors"),
        with(&["trace", "m.glass", "t.csv"], "to trace a zip", &["m.glass: ", "a zip archive"], "safetensors"),
        with(&["check", "m.glass", "t.csv"], "to check a zip", &["m.glass: ", "a zip archive"], "safetensors"),
    ]
}

/// A real model's bytes, cut and spoilt.
pub fn damaged() -> Vec<Case> {
    let whole = model();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut letters = whole.to_vec();
    letters[30] = 0xff;
    let mut json = whole.to_vec();
    json[8 + 1] = b'!';
    let mut nan = whole.to_vec();
    nan[header..header + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let mut infinite = whole.to_vec();
    let last = infinite.len() - 4;
    infinite[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let cut =
        |name, length: usize, says: &[&'static str]| predict(name, &whole[..length], says, "download the file again");
    vec![
        cut("a model of 3 bytes", 3, &["too short"]),
        cut("a model of 7 bytes", 7, &["too short"]),
        cut("a model of its length alone", 8, &["truncated", "its header has", "0 are there"]),
        cut("a model cut in its header", header / 2, &["truncated", "its header has"]),
        cut("a model cut a byte before its values", header - 1, &["truncated", "its header has"]),
        cut("a model without values", header, &["truncated", "tensor \"0.", "0 are there"]),
        cut("a model cut in its values", (header + whole.len()) / 2, &["truncated: tensor \""]),
        cut("a model without its last byte", whole.len() - 1, &["truncated: tensor \"2."]),
        predict("bytes behind a model", [whole, b"more"].concat(), &["4 bytes follow its last tensor"], "again"),
        predict("a model's header in no encoding", letters, &["its header is not UTF-8 at byte 30"], "again"),
        predict("a model's header in no JSON", json, &["its header cannot be read", "column 2"], "again"),
        predict("a weight that is NaN", nan, &["\"0.", "holds NaN at place 0"], "train again"),
        predict("a weight that is infinite", infinite, &["\"2.", "holds inf at place"], "train again"),
    ]
}
