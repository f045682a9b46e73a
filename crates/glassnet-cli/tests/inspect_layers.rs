//! `inspect`, `trace` and `check` by the real program on images, sequences and text; the pictures that they draw.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use made::{Folder, idx_folder, photos};
use serde_json::Value;

const NETS: [&str; 7] = [
    "1x8x8 -> conv 4 3x3 same relu -> maxpool 2 -> 10",
    "3x6x6 -> conv 4 3x3 -> batchnorm -> relu -> conv 4 1x1 -> groupnorm 2 -> global avgpool -> 3",
    "1x4x4 -> concat(conv 2 3x3 same relu, conv 1 1x1) -> residual(conv 3 3x3 same) -> 2",
    "5x3 -> gru 4 bidirectional -> last -> 2",
    "tokens 6 vocabulary 5 -> embed 4 -> lstm 3 -> last -> 2",
    "tokens 6 vocabulary 5 -> embed 4 -> positions -> attention 2 heads -> rmsnorm -> swiglu 6 -> unembed",
    "tokens 8 vocabulary 5 -> gpt 2 layers 2 heads 8 -> 5",
];

/// Height, width and the colour of each pixel.
fn picture(folder: &Folder, name: &str) -> (usize, usize, Vec<[u8; 3]>) {
    let bytes = std::fs::read(folder.path(name)).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let colours = pixels.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    (frame.height as usize, frame.width as usize, colours)
}

fn numbers(count: usize, tokens: bool) -> String {
    let one = |i: usize| if tokens { (i % 5).to_string() } else { format!("{}", (i * 7 % 11) as f64 / 4.0 - 1.0) };
    (0..count).map(one).collect::<Vec<_>>().join(",")
}

#[test]
fn text_forms_of_every_kind() {
    let folder = Folder::new("inspect-forms");
    for net in NETS {
        let value = folder.run(&["inspect", net, "--json"]).ok().json();
        let summary = &value["summary"];
        let inputs: u64 =
            summary["layers"][0]["input"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product();
        assert!(folder.run(&["inspect", net]).ok().out.contains("activations"), "{net}");
        let value = folder.run(&["check", net, "--rows", "2", "--json"]).ok().json();
        assert_eq!(value["passed"], true, "{net}\n{value}");
        let x = numbers(inputs as usize, net.starts_with("tokens"));
        let steps = match net {
            net if net.ends_with("unembed") => 6,
            net if net.contains("gpt") => 8,
            _ => 1,
        };
        let y = numbers(steps, true);
        let run = folder.run(&["trace", net, "--x", &x]).ok();
        assert!(!run.out.contains("gradients"), "{}", run.out);
        let run = folder.run(&["trace", net, "--x", &x, "--y", &y, "--step", "0.01"]).ok();
        for words in ["loss: cross_entropy", "gradients, from the loss back", "again, with the new parameters"] {
            assert!(run.out.contains(words), "{net}: {words:?} is not in\n{}", run.out);
        }
        let value = folder.run(&["trace", net, "--x", &x, "--y", &y, "--json"]).ok().json();
        let layers = value["trace"]["layers"].as_array().unwrap();
        assert_eq!(layers.len(), summary["layers"].as_array().unwrap().len(), "{net}");
        assert!(layers.iter().all(|layer| layer["gradient"]["flows"].is_boolean()), "{net}");
        folder.run(&["check", net, "--x", &x, "--y", &y]).ok();
    }
    let value = folder.run(&["inspect", NETS[1], "--json"]).ok().json();
    assert_eq!(value["summary"]["statistics"], 8);
    assert!(folder.run(&["inspect", NETS[1]]).ok().out.contains("\n+ 8 running statistics\n"));
}

#[test]
fn what_is_no_row_of_such_a_network() {
    let folder = Folder::new("inspect-refuses");
    let trace = |x: &str, more: &[&str]| folder.run(&[&["trace", NETS[6], "--x", x][..], more].concat());
    let hint = "the tokens' numbers; -1 pads";
    trace("0,1,2,3,4,5,1,1", &[]).fails(2, &["number 6 of the row is 5", "whole numbers from 0 to 4", hint]);
    trace("0,1,0.5,3,4,1,1,1", &[]).fails(2, &["number 3 of the row is 0.5", hint]);
    trace("0,1,2", &[]).fails(2, &["reads 8 numbers, but the row has 3"]);
    trace("0,1,2,3,4,1,1,1", &["--y", "0,1,2,3,4,0,1,7"]).fails(2, &["label 7 of time step 7", "the 5 classes"]);
    trace("0,1,2,3,4,1,1,1", &["--y", "2"]).fails(2, &["has 8 time steps, but the target has 1 labels"]);
    folder
        .run(&["check", NETS[6], "--x", "0,1,2,3,4,1,1,1", "--y", "0,1"])
        .fails(2, &["8 class numbers, one for each time step"]);
    folder.run(&["check", NETS[6], "--x", "0,1,2,3,4,1,1,9", "--y", "0"]).fails(2, &["number 8 of the row is 9"]);
    folder.run(&["trace", NETS[0], "--text", "a"]).fails(2, &["--text: the network was not trained on text"]);
    folder.run(&["inspect", NETS[4], "--filters", "f.png"]).fails(2, &["0 (embed 4), which looks at no image"]);
    folder
        .run(&["inspect", "4 -> 2", "--filters", "f.png"])
        .fails(2, &["its 4 inputs are no image", "--filters draws"]);
    folder
        .run(&["trace", "2 -> 1", "--x", "1,2", "--maps", "f.png"])
        .fails(2, &["no layer of the network gives an image"]);
    folder.run(&["inspect", NETS[0], "--filters", "no/f.png"]).fails(6, &["no/f.png"]);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn filters_and_maps_of_a_convolution() {
    let folder = Folder::new("inspect-pictures");
    std::fs::create_dir_all(folder.path("set")).unwrap();
    idx_folder(&folder.path("set"), "train", 60, 1);
    let train =
        ["train", "set", "--net", "conv 3 3x3 same relu -> maxpool 2", "--epochs", "2", "--seed", "1", "-o", "m.glass"];
    folder.run(&train).ok();
    let run = folder.run(&["inspect", "m.glass", "--filters", "f.png"]).ok();
    assert!(
        run.out.contains("filters: f.png, 3 filters of layer 0 (conv 3 3x3 same), 3 x 3; one channel"),
        "{}",
        run.out
    );
    let value = folder.run(&["inspect", "m.glass", "--filters", "f.png", "--json"]).ok().json();
    let filters = &value["filters"];
    assert_eq!((filters["file"].as_str(), filters["count"].as_u64()), (Some("f.png"), Some(3)));
    let (height, width, colours) = picture(&folder, "f.png");
    assert_eq!(filters["picture"], serde_json::json!([height, width]));
    // The first weight of the first filter, by the scale that is said.
    let model = glassnet::model::Model::from_bytes(&std::fs::read(folder.path("m.glass")).unwrap()).unwrap();
    let weight = f64::from(model.parameters()[0]);
    let scale = filters["scale"].as_f64().unwrap();
    let level = (255.0 * (weight / scale + 1.0) / 2.0).round() as u8;
    assert_eq!(colours[2 * width + 2], [level; 3]);
    let trace =
        |more: &[&str]| folder.run(&[&["trace", "m.glass", "set", "--row", "3", "--maps", "maps.png"], more].concat());
    let run = trace(&[]).ok();
    for words in ["maps: maps.png, 4 bands from the top", "input: the row ", "0: conv 3 3x3 same", "3 maps, black "] {
        assert!(run.out.contains(words), "{words:?} is not in\n{}", run.out);
    }
    let maps = trace(&["--json"]).ok().json()["maps"].clone();
    let (height, width, colours) = picture(&folder, "maps.png");
    assert_eq!(maps["picture"], serde_json::json!([height, width]));
    let names: Vec<&str> =
        maps["bands"].as_array().unwrap().iter().map(|band| band["layer"].as_str().unwrap()).collect();
    assert_eq!(names, ["input", "0", "1", "2"]);
    assert_eq!(maps["bands"][1]["shape"], serde_json::json!([3, 4, 4]));
    // ReLU's smallest value is black: 0.
    assert_eq!(maps["bands"][2]["black"], 0.0);
    assert!(colours.contains(&[0; 3]) && colours.contains(&[255; 3]));
    // A plain network on images: what each unit looks at.
    folder.run(&["train", "set", "--net", "5 relu", "--epochs", "1", "--seed", "1", "-o", "p.glass"]).ok();
    let run = folder.run(&["inspect", "p.glass", "--filters", "f.png"]).ok();
    assert!(run.out.contains("5 units of layer 0 (linear 5), 4 x 4; one channel"), "{}", run.out);
    folder.run(&["trace", "p.glass", "set", "--maps", "maps.png"]).ok();
    folder
        .run(&["inspect", "p.glass", "--filters", "p.glass"])
        .fails(2, &["--filters p.glass", "it would be replaced"]);
    folder.run(&["trace", "m.glass", "set", "--maps", "m.glass"]).fails(2, &["--maps m.glass", "it would be replaced"]);
    folder.run(&["check", "m.glass", "set", "--rows", "3"]).ok();
}

#[test]
fn coloured_pictures_have_coloured_filters() {
    let folder = Folder::new("inspect-colours");
    photos(&folder.path("set/train"), 10, 1);
    folder.run(&["train", "set", "--net", "conv 2 3x3 relu -> batchnorm", "--epochs", "1", "--seed", "1"]).ok();
    let run = folder.run(&["inspect", "set.glass", "--filters", "f.png"]).ok();
    assert!(run.out.contains("red, green and blue are the three channels"), "{}", run.out);
    assert!(run.out.contains("\n+ 4 running statistics\n"), "{}", run.out);
    assert!(picture(&folder, "f.png").2.iter().any(|[r, g, b]| r != g && g != b));
    folder.run(&["check", "set.glass", "set", "--rows", "4"]).ok();
    folder.run(&["trace", "set.glass", "set", "--row", "5", "--step", "0.01"]).ok();
}

#[test]
fn a_model_of_text() {
    let folder = Folder::new("inspect-text");
    folder.write("play.txt", "to be or not to be, that is the question\n".repeat(12));
    for (name, net) in [("gpt.glass", "gpt 1 layers 2 heads 8"), ("lstm.glass", "embed 6 -> lstm 8")] {
        let train =
            ["train", "play.txt", "--task", "text", "--net", net, "--context", "8", "--steps", "20", "--seed", "1"];
        folder.run(&[&train[..], &["-o", name]].concat()).ok();
        let run = folder.run(&["inspect", name]).ok();
        for words in
            ["a model (format ", " of text that predicts the next of 15 characters", "a context of 8", "\\n ,abeh"]
        {
            assert!(run.out.contains(words), "{name}: {words:?} is not in\n{}", run.out);
        }
        let run = folder.run(&["trace", name, "--text", "to be"]).ok();
        for words in ["--text \"to be\"", "target 9, 1, 4, 5, -1, -1, -1, -1", "behind each character", "   't' -> '"] {
            assert!(run.out.contains(words), "{name}: {words:?} is not in\n{}", run.out);
        }
        let value = folder.run(&["trace", name, "--text", "to be", "--json"]).ok().json();
        let steps = value["prediction"]["steps"].as_array().unwrap();
        assert_eq!((steps.len(), steps[4]["character"].as_str()), (5, Some("e")));
        assert_eq!(value["trace"]["input"].as_array().unwrap()[5..], vec![Value::from(-1.0); 3]);
        // What follows does not change what is expected: the file's first row and the same eight characters alone.
        let file = folder.run(&["trace", name, "play.txt", "--row", "1", "--json"]).ok().json();
        let alone = folder.run(&["trace", name, "--text", "to be or", "--json"]).ok().json();
        assert_eq!(file["prediction"], alone["prediction"]);
        assert_eq!(file["trace"]["loss"]["target"][7], 1.0);
        let forward = folder.run(&["trace", name, "play.txt", "--row", "2", "--forward"]).ok().out;
        assert!(!forward.contains("target "), "{forward}");
        let run = folder.run(&["trace", name, "--text", "to be or not", "--maps", "maps.png"]).ok();
        assert!(run.err.contains("4 characters do not fit the context"), "{}", run.err);
        assert!(run.out.contains("time to the right, features down"), "{}", run.out);
        let value = folder.run(&["check", name, "play.txt", "--rows", "2", "--json"]).ok().json();
        assert_eq!((value["passed"].as_bool(), value["rows"].as_u64()), (Some(true), Some(2)));
        folder.run(&["trace", name, "--text", "to Be!"]).fails(2, &["--text: ", "'!', 'B'"]);
        folder.run(&["trace", name, "--text", ""]).fails(2, &["--text: it is empty"]);
        folder.run(&["trace", name]).fails(2, &["no row to trace", "or --text, or a text file"]);
        folder.run(&["trace", name, "play.txt", "--row", "900"]).fails(3, &["there is no row 900; it has 62 rows"]);
    }
}
