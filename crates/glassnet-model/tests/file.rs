//! The model file: round trips, and everything that a file can be instead.
#![allow(clippy::unwrap_used, clippy::panic)]

use glassnet_model::file::{Document, FORMAT_VERSION, Tensor, arrange, from_bytes, to_bytes};
use glassnet_model::{Model, ModelError, Value};
use serde_json::json;

/// A document as it stands in a file of format version 1. It must load for ever.
const VERSION_1: &str = r#"{"format_version":1,
"metrics":{"valid":{"accuracy":0.9375,"log_loss":0.1}},
"network":{"head":"softmax","inputs":6,"outputs":2,
  "spec":{"layers":[{"kind":"linear","units":3},{"function":"relu","kind":"activation"},{"kind":"linear","units":2}]}},
"preprocess":{"table":{"columns":[
  {"encoding":{"fill":5.0,"indicator":true,"is":"number","scale":2.0,"shift":5.0},"name":"temp"},
  {"encoding":{"is":"category","levels":["AA","UA"]},"name":"carrier"},
  {"encoding":{"false_word":"no","is":"boolean","scale":{"fill":0.5,"indicator":false,"scale":0.5,"shift":0.5},"true_word":"yes"},"name":"vip"}]}},
"provenance":{"data_hash":"sha256:00","findings":[],"seed":18446744073709551615,"settings":{"lr":0.1},"versions":{"glassnet":"0.1.0"}},
"schema":{"columns":[
  {"constant":false,"kind":{"is":"number"},"missing":1,"name":"temp"},
  {"constant":false,"kind":{"distinct":2,"is":"category","levels":["AA","UA"]},"missing":0,"name":"carrier"},
  {"constant":false,"kind":{"false_word":"no","is":"boolean","true_word":"yes"},"missing":0,"name":"vip"},
  {"constant":true,"kind":{"is":"number"},"left_out":"always 3","missing":0,"name":"k"}],
  "rows":4,"target":{"name":"late","reason":"as asked","task":{"classes":["no","yes"],"is":"classify"}}}}"#;

fn document() -> Document {
    serde_json::from_str(VERSION_1).unwrap()
}

fn tensors() -> Vec<Tensor> {
    let tensor = |name: &str, shape: &[usize]| {
        let n: usize = shape.iter().product();
        Tensor { name: name.to_owned(), shape: shape.to_vec(), data: (0..n).map(|i| i as f32 * 0.1 - 0.3).collect() }
    };
    vec![tensor("0.weight", &[3, 6]), tensor("0.bias", &[3]), tensor("2.weight", &[2, 3]), tensor("2.bias", &[2])]
}

fn file() -> Vec<u8> {
    to_bytes(&document(), &tensors()).unwrap()
}

/// A safetensors file of that header and so many zero bytes.
fn raw(header: &str, values: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + values, 0);
    bytes
}

/// A file with another document.
fn with_document(text: &str) -> Vec<u8> {
    raw(&json!({"__metadata__": {"format": "glassnet", "glassnet": text}}).to_string(), 0)
}

fn error(bytes: &[u8]) -> String {
    from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn round_trip() {
    let bytes = file();
    let (document, tensors) = from_bytes(&bytes).unwrap();
    assert_eq!((&document, &tensors), (&self::document(), &self::tensors()));
    assert_eq!(to_bytes(&document, &tensors).unwrap(), bytes);
    assert_eq!(bytes, file());
    // The preprocessing works as it did.
    let glassnet_model::file::Features::Table(preprocess) = &document.preprocess else { panic!("no table") };
    let mut out = [9f32; 6];
    preprocess.encode_row(&[Value::Number(8.0), Value::Text("UA"), Value::Text("Yes")], &mut out).unwrap();
    assert_eq!(out, [1.5, 0.0, 0.0, 1.0, 0.0, 1.0]);
    preprocess.encode_row(&[Value::Missing, Value::Number(2.0), Value::Missing], &mut out).unwrap();
    assert_eq!(out, [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
}

/// The document has no input size in its specification: the network's stands in.
#[test]
fn version_1_is_a_model() {
    let model = Model::from_bytes(&file()).unwrap();
    assert_eq!((model.columns(), model.outputs()), (vec!["temp", "carrier", "vip"], 2));
    let (mut scratch, mut out) = (model.scratch(), [0f32; 2]);
    let row = [Value::Number(8.0), Value::Text("UA"), Value::Text("Yes")];
    model.predict_into(&row, &mut scratch, &mut out).unwrap();
    // By hand, from the inputs (1.5, 0, 0, 1, 0, 1) that `round_trip` finds: the hidden units are
    // -0.3 * 1.5 + 0.0 * 1 + 0.2 * 1 - 0.3 = -0.55, so 0; 0.3 * 1.5 + 0.6 + 0.8 - 0.2 = 1.65; 1.35 + 1.2 + 1.4 - 0.1 = 3.85;
    // the logits -0.2 * 1.65 - 0.1 * 3.85 - 0.3 = -1.015 and 0.1 * 1.65 + 0.2 * 3.85 - 0.2 = 0.735, 1.75 apart:
    // the second score is 1 / (1 + exp(-1.75)).
    assert!((out[1] - 0.851_952_8).abs() < 1e-6 && (out[0] + out[1] - 1.0).abs() < 1e-6, "{out:?}");
    let again = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    assert_eq!(again.document().network.spec.input, Some(6));
    let (mut scratch, mut same) = (again.scratch(), [0f32; 2]);
    again.predict_into(&row, &mut scratch, &mut same).unwrap();
    assert_eq!(same, out);
}

#[test]
fn models_that_cannot_be_run() {
    let parameters = |value: f32| vec![value; 6 * 3 + 3 + 3 * 2 + 2];
    assert!(Model::new(document(), parameters(0.5)).is_ok());
    for bad in [f32::NAN, f32::INFINITY] {
        let mut parameters = parameters(0.5);
        parameters[7] = bad;
        let error = Model::new(document(), parameters).unwrap_err().to_string();
        assert!(error.contains(&format!("parameter 7 (from 0) of its network is {bad}")), "{error}");
    }
    // A document put together in a program is held to what a file's is.
    let mut changed = document();
    changed.network.head = glassnet_model::file::Head::Value;
    assert!(Model::new(changed, parameters(0.5)).unwrap_err().to_string().contains("contradicts itself"));

    // Without a target nothing says what classes there are.
    let without_target = |head: &str, outputs: usize| {
        let mut document: serde_json::Value = serde_json::from_str(VERSION_1).unwrap();
        document["schema"].as_object_mut().unwrap().remove("target");
        document["network"]["head"] = json!(head);
        document["network"]["outputs"] = json!(outputs);
        from_bytes(&with_document(&document.to_string())).map_err(|error| error.to_string())
    };
    for (head, outputs) in [("softmax", 2), ("softmax", 3), ("sigmoid", 1)] {
        let error = without_target(head, outputs).unwrap_err();
        assert!(error.contains("needs a target with classes"), "{error}");
    }
    assert!(without_target("value", 2).unwrap_err().contains("the network has 2 outputs, its target needs 1"));
    assert!(without_target("value", 1).is_ok());
}

#[test]
fn images_that_no_memory_holds() {
    for (side, refused) in [(1u64 << 40, true), ((1 << 24) + 1, true), (1 << 24, false)] {
        let document = json!({
            "format_version": 1,
            "schema": {"columns": [], "rows": 0},
            "preprocess": {"images": {"mean": 1.0, "deviation": 1.0, "height": side, "width": 1, "channels": 1}},
            "network": {"spec": {"input": side, "layers": [{"kind": "linear", "units": 1}]}, "inputs": side, "outputs": 1,
                "head": "value"},
        });
        match from_bytes(&with_document(&document.to_string())) {
            Ok(_) => assert!(!refused),
            Err(error) => {
                let words = format!("its images have {side} numbers each, more than the 16777216 allowed");
                assert!(refused && error.to_string().contains(&words), "{error}");
            }
        }
    }
}

#[test]
fn headers_hold_nothing_but_tensors_and_texts() {
    let sides = "1,".repeat(8);
    let entry = |sides: &str| format!(r#"{{"w":{{"dtype":"F32","shape":[{sides}1],"data_offsets":[0,4]}}}}"#);
    assert!(error(&raw(&entry(&sides), 4)).contains("a shape of at most 8 sides"));
    assert!(error(&raw(&entry(&sides[2..]), 4)).contains("safetensors file without glassnet's document"));
    assert!(error(&raw(r#"{"x":[0,0]}"#, 0)).contains("the entry of tensor \"x\" cannot be read"));
    assert!(
        error(&raw(r#"{"__metadata__":{"glassnet":[0,0]}}"#, 0)).contains("__metadata__ does not map texts to texts")
    );
}

#[test]
fn the_reference_reader_opens_it() {
    let bytes = file();
    let (n, metadata) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!((n + 8) % 8, 0);
    let text = metadata.metadata().as_ref().unwrap();
    assert_eq!(text["format"], "glassnet");
    assert_eq!(serde_json::from_str::<Document>(&text["glassnet"]).unwrap(), document());
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(read.len(), 4);
    for tensor in tensors() {
        let view = read.tensor(&tensor.name).unwrap();
        assert_eq!(view.shape(), tensor.shape);
        let data: Vec<u8> = tensor.data.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(view.data(), data);
    }
}

#[test]
fn what_the_reference_writer_wrote_is_read() {
    let data: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1, 2], &data).unwrap();
    let metadata = [("glassnet".to_owned(), VERSION_1.to_owned())].into_iter().collect();
    let bytes = safetensors::serialize([("0.weight", view)], Some(metadata)).unwrap();
    let (_, tensors) = from_bytes(&bytes).unwrap();
    assert_eq!(tensors, [Tensor { name: "0.weight".to_owned(), shape: vec![1, 2], data: vec![1.5, -2.0] }]);
}

#[test]
fn truncated_anywhere_is_an_error() {
    let bytes = file();
    for end in 0..bytes.len() {
        let ModelError::File { what, .. } = from_bytes(&bytes[..end]).unwrap_err() else { panic!("another error") };
        match end {
            0 => assert_eq!(what, "it is empty"),
            1..8 => assert!(what.contains("too short"), "{what}"),
            _ => assert!(what.contains("truncated"), "{end}: {what}"),
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert!(error(&longer).contains("1 bytes follow its last tensor"));
}

/// A flipped bit may be one of a weight or of a word: then there is a model; otherwise there is an error, never a panic.
#[test]
fn flips_anywhere_do_not_panic() {
    let bytes = file();
    let (mut read, mut refused) = (0, 0);
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << bit;
            match from_bytes(&flipped) {
                Ok((document, tensors)) => {
                    read += 1;
                    let again = to_bytes(&document, &tensors).unwrap();
                    assert_eq!(from_bytes(&again).unwrap(), (document, tensors), "byte {place}, bit {bit}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty());
                }
            }
        }
    }
    assert!(read > 500 && refused > 5_000, "{read} {refused}");
}

#[test]
fn lengths_are_not_believed() {
    let mut bytes = 10_000_000_000u64.to_le_bytes().to_vec();
    bytes.extend_from_slice(b"{}");
    assert!(error(&bytes).contains("claims a header of 10.0 GB, more than the 64 MB allowed"), "{}", error(&bytes));
    bytes[..8].fill(0xff);
    assert!(error(&bytes).contains("claims a header of 18446744073709551615 bytes"));
    bytes[..8].copy_from_slice(&60_000_000u64.to_le_bytes());
    assert!(error(&bytes).contains("truncated: its header has 60000000 bytes, 2 are there"));
    bytes[..8].fill(0);
    assert!(error(&bytes).contains("does not start as safetensors does"));
    // Sizes that overflow, and tensors larger than the file.
    let entry = |shape: &str, end: &str| {
        let document = json!(VERSION_1);
        format!(
            r#"{{"__metadata__":{{"glassnet":{document}}},"w":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#
        )
    };
    let whole = "18446744073709551612";
    assert!(error(&raw(&entry("[4611686018427387903]", whole), 8)).contains("truncated: tensor \"w\" ends"));
    assert!(error(&raw(&entry("[4611686018427387904,4]", "0"), 8)).contains("tensor \"w\" of shape"));
    assert!(error(&raw(&entry("[3]", "8"), 8)).contains("has bytes 0..8"));
    assert!(error(&raw(&entry("[-2]", "8"), 8)).contains("entry of tensor \"w\" cannot be read"));
    assert!(from_bytes(&raw(&entry("[2]", "8"), 8)).is_ok());
    assert!(from_bytes(&raw(&entry("[0,7]", "0"), 0)).is_ok());
}

#[test]
fn foreign_files_are_named() {
    for (bytes, kind) in [
        (&b"PK\x03\x04\x14\0\0\0\0\0archive/data.pkl"[..], "zip archive (a PyTorch .pt"),
        (b"\x80\x02}q\0(X\x08\0\0\0", "pickle"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0", "HDF5"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc", "gzip"),
        (b"\x93NUMPY\x01\0v\0{'descr'", "NumPy"),
        (b"PAR1\x15\x04\x15\x10\x15", "Parquet"),
        (b"GGUF\x03\0\0\0\0\0", "GGUF"),
        (b"\x08\x08\x12\x07pytorch\x1a\x05", "ONNX"),
        (b"\0\0\x08\x03\0\0\xea\x60\0\0", "IDX"),
        (b"{\"layers\": []}", "JSON text"),
        (b"a,b\n1,2\n", "text (a CSV"),
        (b"a,b", "text (a CSV"),
    ] {
        let error = error(bytes);
        assert!(error.starts_with("not a readable model file: it is ") && error.contains(kind), "{error}");
    }
    let bare = raw(r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4);
    assert!(error(&bare).contains("safetensors file without glassnet's document"));
    assert!(error(&raw("{\"a\":", 0)).contains("its header cannot be read: "));
    assert!(error(&raw("{]", 0)).contains("its header cannot be read: "));
    let mut broken = raw("{\"aa\": 1}", 0);
    broken[10] = 0xff;
    assert!(error(&broken).contains("its header is not UTF-8 at byte 10"));
}

#[test]
fn documents_that_cannot_be_used() {
    let changed = |path: &str, value: serde_json::Value| {
        let mut document: serde_json::Value = serde_json::from_str(VERSION_1).unwrap();
        *document.pointer_mut(path).unwrap() = value;
        error(&with_document(&document.to_string()))
    };
    let later = from_bytes(&with_document(r#"{"format_version": 7, "shape": "unknown"}"#)).unwrap_err();
    assert_eq!(later, ModelError::LaterVersion { found: 7, known: FORMAT_VERSION });
    assert!(later.to_string().contains("written by a later glassnet"));
    assert!(error(&with_document("{}")).contains("no format_version"));
    assert!(changed("/format_version", json!(0)).contains("no format_version"));
    assert!(error(&with_document("{\"format_version\": 1")).contains("document cannot be read"));
    assert!(error(&with_document("{\"format_version\": 1}")).contains("missing field `schema`"));
    assert!(changed("/network/inputs", json!(7)).contains("the network has 7 inputs, its preprocessing gives 6"));
    assert!(changed("/network/outputs", json!(3)).contains("the network has 3 outputs, its target needs 2"));
    assert!(changed("/network/head", json!("value")).contains("does not fit a target of 2 classes"));
    let column = "/preprocess/table/columns/0";
    assert!(changed(&format!("{column}/encoding/scale"), json!(0.0)).contains("disagree on column \"temp\""));
    assert!(changed(&format!("{column}/encoding/fill"), json!(1e300)).contains("disagree on column \"temp\""));
    assert!(changed(&format!("{column}/encoding/scale"), json!(null)).contains("cannot be read"));
    assert!(changed(&format!("{column}/name"), json!("k")).contains("\"k\", which its schema does not use"));
    assert!(changed("/schema/columns/1/kind/levels", json!(["AA"])).contains("disagree on column \"carrier\""));
    assert!(changed("/schema/columns/1/kind/levels", json!(["UA", "AA"])).contains("not distinct and in order"));
    assert!(changed("/schema/columns/2/kind/true_word", json!("ja")).contains("disagree on column \"vip\""));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    for n in [1_000, 1_000_000] {
        let deep = "[".repeat(n);
        let closed = format!("{deep}{}", "]".repeat(n));
        let settings = format!("{{\"format_version\":1,\"provenance\":{{\"settings\":{{\"x\":{closed}}}}}}}");
        assert!(error(&with_document(&settings)).contains("recursion limit"));
        // Where nothing that nests is kept, nobody follows it down.
        assert!(error(&with_document(&deep)).contains("its document cannot be read"));
        assert!(error(&with_document(&format!("{{\"format_version\":1,\"x\":{deep}"))).contains("EOF"));
        assert!(error(&with_document(&format!("{{\"format_version\":1,\"x\":{closed}}}"))).contains("missing field"));
        // A header has no place for nesting: nobody follows it.
        assert!(error(&raw(&format!("{{\"x\":{deep}"), 0)).contains("the entry of tensor \"x\" cannot be read"));
    }
    // Residual blocks inside one another, as deep as the reader lets them be.
    let mut layers = json!([{"kind": "linear", "units": 2}]);
    for _ in 0..55 {
        layers = json!([{"kind": "residual", "layers": layers}]);
    }
    let mut document: serde_json::Value = serde_json::from_str(VERSION_1).unwrap();
    document["network"]["spec"]["layers"] = layers;
    assert!(from_bytes(&with_document(&document.to_string())).is_ok());
}

#[test]
fn tensors_that_cannot_be_used() {
    let metadata = json!({"glassnet": VERSION_1});
    let typed = |dtype: &str, end: usize| {
        let entry = json!({"__metadata__": metadata, "w": {"dtype": dtype, "shape": [2], "data_offsets": [0, end]}});
        error(&raw(&entry.to_string(), end))
    };
    assert!(typed("F16", 4).contains("tensor \"w\" has type F16, glassnet keeps F32"));
    assert!(typed("BF16", 4).contains("type BF16"));
    let mut bytes = file();
    let end = bytes.len();
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(error(&bytes).contains("\"2.bias\" holds NaN at place 1"), "{}", error(&bytes));
}

#[test]
fn tensors_are_held_against_the_network() {
    let shapes: [(&str, &[usize]); 4] =
        [("2.bias", &[2]), ("0.weight", &[3, 6]), ("0.bias", &[3]), ("2.weight", &[2, 3])];
    let names: Vec<String> = arrange(tensors(), &shapes).unwrap().into_iter().map(|tensor| tensor.name).collect();
    assert_eq!(names, ["2.bias", "0.weight", "0.bias", "2.weight"]);
    let shapes: [(&str, &[usize]); 4] =
        [("0.weight", &[6, 3]), ("0.bias", &[3]), ("2.weight", &[2, 3]), ("4.bias", &[1])];
    let error = arrange(tensors(), &shapes).unwrap_err().to_string();
    assert!(
        error.contains(
            "\"0.weight\" has shape [3, 6], the network needs [6, 3]; \"4.bias\" of shape [1] is missing; \
             \"2.bias\" of shape [2] is extra"
        ),
        "{error}"
    );
    let twice = [tensors(), tensors()].concat();
    assert!(arrange(twice, &[]).unwrap_err().to_string().contains("\"0.weight\" is there twice"));
}

#[test]
fn what_cannot_be_written() {
    let refused = |change: &dyn Fn(&mut Document, &mut Vec<Tensor>)| {
        let (mut document, mut tensors) = (document(), tensors());
        change(&mut document, &mut tensors);
        to_bytes(&document, &tensors).unwrap_err().to_string()
    };
    let says = |error: String, part: &str| assert!(error.contains(part), "{error}");
    says(
        refused(&|document, _| drop(document.metrics.insert("test".to_owned(), json!({"rmse": f64::NAN})))),
        "metrics.test.rmse is null",
    );
    says(refused(&|document, _| document.format_version = 2), "format version 2, but this library writes 1");
    says(refused(&|document, _| document.network.inputs = 5), "5 inputs");
    says(refused(&|_, tensors| tensors[1].data[2] = f32::INFINITY), "tensor \"0.bias\" holds inf at place 2");
    says(refused(&|_, tensors| tensors[1].shape = vec![4]), "\"0.bias\" has shape [4] and 3 values");
    says(refused(&|_, tensors| tensors[1].shape = vec![usize::MAX, 2]), "3 values");
    says(refused(&|_, tensors| tensors[1].name = "0.weight".to_owned()), "a tensor named \"0.weight\"");
    says(refused(&|_, tensors| tensors[1].name = "__metadata__".to_owned()), "a tensor named \"__metadata__\"");
}

#[test]
fn a_model_of_images() {
    let mut document: serde_json::Value = serde_json::from_str(VERSION_1).unwrap();
    document["schema"]["columns"] = json!([]);
    document["preprocess"] =
        json!({"images": {"mean": 33.5, "deviation": 78.5, "height": 2, "width": 3, "channels": 1}});
    let document: Document = serde_json::from_value(document).unwrap();
    let bytes = to_bytes(&document, &tensors()).unwrap();
    assert_eq!(from_bytes(&bytes).unwrap().0, document);
    for (key, value) in [("deviation", 0.0), ("mean", 1e300)] {
        let mut changed = serde_json::to_value(&document).unwrap();
        changed["preprocess"]["images"][key] = json!(value);
        assert!(error(&with_document(&changed.to_string())).contains("mean, deviation or size cannot be used"));
    }
}

#[test]
fn a_calibration_is_kept_and_applied() {
    use glassnet_model::Calibration;
    let row = [Value::Number(8.0), Value::Text("UA"), Value::Text("Yes")];
    let score = |model: &Model| {
        let mut out = [0f32; 2];
        model.predict_into(&row, &mut model.scratch(), &mut out).unwrap();
        out
    };
    let plain = Model::from_bytes(&file()).unwrap();
    assert_eq!(plain.calibration(), None);
    assert!(!String::from_utf8_lossy(&plain.to_bytes().unwrap()).contains("calibration"), "no key where there is none");
    let halved = plain.clone().with_calibration(Some(Calibration::temperature(2.0))).unwrap();
    // The logits are 1.75 apart (`version_1_is_a_model`), so at temperature 2 half of that.
    assert!((score(&halved)[1] - 1.0 / (1.0 + (-0.875f32).exp())).abs() < 1e-6, "{:?}", score(&halved));
    let again = Model::from_bytes(&halved.to_bytes().unwrap()).unwrap();
    assert_eq!((again.calibration().cloned(), score(&again)), (halved.calibration().cloned(), score(&halved)));
    assert_eq!(score(&again.with_calibration(None).unwrap()), score(&plain));
    for (offset, slope, wrong) in [
        (0.0, 0.0, "slope is 0"),
        (0.0, -1.0, "slope is -1"),
        (0.0, f64::NAN, "slope is NaN"),
        (0.0, 1e300, "slope is"),
        (1e300, 1.0, "offset is"),
    ] {
        let error = plain.clone().with_calibration(Some(Calibration::affine(offset, slope))).unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
        let mut document = document();
        document.calibration = Some(Calibration::affine(offset, slope));
        assert!(to_bytes(&document, &tensors()).is_err(), "{wrong}");
    }
}
