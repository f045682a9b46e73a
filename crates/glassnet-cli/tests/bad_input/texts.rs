//! Texts that cannot be learned, models of text that cannot go on, and networks of images and sequences on other data.

use std::sync::OnceLock;

use crate::arrays::idx_bytes;
use crate::case::{Case, case};
use crate::made::Folder;
use crate::models::model;
use crate::settings::train;
use crate::tables::table;

/// A text of twelve different characters.
fn text() -> String {
    "the cat sat on the mat.\n".repeat(12)
}

/// A real model of the text, as the program writes it.
fn text_model() -> &'static [u8] {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let folder = Folder::new("bad-text-model");
        folder.write("t.txt", text());
        let size = ["--net", "embed 4 -> gru 5", "--steps", "2", "--context", "8", "--batch", "4"];
        folder.run(&[&["train", "t.txt", "--task", "text", "-o", "m.glass", "-q"], &size[..]].concat()).ok();
        std::fs::read(folder.path("m.glass")).unwrap()
    })
}

/// `train t.txt --task text` with this text and more arguments.
fn learn(
    name: &'static str,
    bytes: impl Into<Vec<u8>>,
    more: &[&str],
    code: i32,
    says: &[&'static str],
    hint: &'static str,
) -> Case {
    case(name, &[&["train", "t.txt", "--task", "text"], more].concat(), code, says, hint).with("t.txt", bytes)
}

/// Texts and their settings.
pub fn training() -> Vec<Case> {
    let flags = |name, more: &[&str], says: &[&'static str], hint| learn(name, text(), more, 2, says, hint);
    let net = |name, text: &str, says: &[&'static str], hint| {
        let says = [&["--net"], says].concat();
        flags(name, &["--net", text, "--context", "8"], &says, hint)
    };
    vec![
        learn("an empty text", "", &[], 3, &["t.txt: the file is empty"], "Hint: "),
        learn(
            "a text shorter than the context",
            "the cat",
            &[],
            3,
            &["t.txt: 6 characters", "no more than a context of 64"],
            "a smaller --context",
        ),
        learn(
            "a text in no encoding",
            &b"the cat\nsat \xff on"[..],
            &[],
            3,
            &["t.txt: byte 12 (on line 2) is 0xff"],
            "save the text as UTF-8",
        ),
        learn("a text in UTF-16", &b"\xff\xfet\0h\0"[..], &[], 3, &["t.txt: ", "UTF-16"], "Hint: "),
        flags("a context of 0", &["--context", "0"], &["--context: a context is from 1"], "64 is usual"),
        flags("a context beyond all", &["--context", "99999999"], &["--context", "1048576"], "64 is usual"),
        flags("a target of a text", &["--target", "y"], &["--target is not for text"], "leave it out"),
        flags("a loss for a text", &["--loss", "mse"], &["--loss is not for text"], "leave it out"),
        flags("no steps over a text", &["--steps", "0"], &["--steps: 0 steps train nothing"], "1 or more"),
        flags(
            "steps and epochs",
            &["--steps", "5", "--epochs", "1"],
            &["--steps: it ends the run, and so does --epochs"],
            "keep one",
        ),
        flags(
            "streams whose gradients are accumulated",
            &["--streams", "--accumulate", "2", "--net", "embed 4 -> gru 4", "--context", "8"],
            &["streams go on from batch to batch"],
            "accumulate 1",
        ),
        flags(
            "a validation text of other characters",
            &["--valid", "v.txt", "--context", "8"],
            &["v.txt: ", "'?', 'Z'"],
            "train on a text that has them",
        )
        .with("v.txt", "the Zat?")
        .coded(3),
        case("a text without its task", &["train", "t.txt"], 2, &["which column is to be predicted"], "--task text")
            .with("t.txt", text()),
        case(
            "a task for a text misspelt",
            &["train", "t.txt", "--task", "txt"],
            2,
            &["--task: no task is called \"txt\""],
            "for a text: text",
        )
        .with("t.txt", text()),
        train("streams of a table", &["--streams"], &["--streams: it is for text"], "--task text"),
        train("a context of a table", &["--context", "8"], &["--context: it is for text"], "--task text"),
        train("no steps over a table", &["--steps", "0"], &["--steps: 0 steps train nothing"], "1 or more"),
        net("tokens as quantities", "lstm 8", &["layer 0: it is given 8 tokens", "^^^^^^"], "embed 64"),
        net("heads that do not divide", "gpt 1 layers 3 heads 8", &["layer 2.1: 3 heads", "[B, 8, 8]", "^"], "2 heads"),
        net("one vector of a text", "embed 8 -> gru 4 -> last", &["for each time step", "^^^^"], "keep the time axis"),
        net("attention that sees ahead", "embed 8 -> attention 2 heads", &["layer 1 (attention 2 heads)"], "`causal`"),
        net("a reading from the end", "embed 8 -> lstm 4 bidirectional", &["layer 1", "after it"], "one direction"),
        net(
            "another context in the network",
            "tokens 9 vocabulary 12 -> embed 4 -> 12",
            &["9 tokens", "8 tokens", "^"],
            "leave the input out",
        ),
        net("embedded twice", "embed 8 -> embed 4", &["layer 1: it reads tokens", "8x8", "^"], "keep one embed layer"),
        net("tied weights of another width", "embed 8 -> 6 -> unembed", &["layer 2", "6", "8", "^"], "-> 8 -> unembed"),
    ]
}

/// `generate`, and models of text where tables are wanted.
pub fn going_on() -> Vec<Case> {
    let go = |name, more: &[&str], code, says: &[&'static str], hint| {
        case(name, &[&["generate", "m.glass"], more].concat(), code, says, hint).with("m.glass", text_model())
    };
    let with = |name, command: &str, file: &'static str, bytes: String, says: &[&'static str], hint| {
        case(name, &[command, "m.glass", file], 3, says, hint).with("m.glass", text_model()).with(file, bytes)
    };
    vec![
        go(
            "a prompt of unknown characters",
            &["--prompt", "Z?a"],
            2,
            &["--prompt: ", "'?', 'Z'", "12 characters"],
            "train on a text that has them",
        ),
        go("an empty prompt", &["--prompt", ""], 2, &["--prompt: it is empty"], "at least one character"),
        go("top-k 0", &["--top-k", "0"], 2, &["--top-k: none of 0"], "1 or more"),
        go("top-p 2", &["--top-p", "2"], 2, &["--top-p: 2 must be above 0 and at most 1"], "0.9 is usual"),
        go("top-p 0", &["--top-p", "0"], 2, &["--top-p: 0"], "0.9 is usual"),
        go("a temperature below 0", &["--temperature", "-1"], 2, &["--temperature: -1"], "0.8 is usual"),
        go("a temperature that is NaN", &["--temperature", "nan"], 2, &["--temperature: NaN"], "0.8 is usual"),
        go("a text without end", &["-n", "999999999999"], 2, &["--length: 999999999999"], "a smaller number"),
        case(
            "to go on with a table",
            &["generate", "m.glass"],
            4,
            &["m.glass: the model was not trained on text"],
            "--task text",
        )
        .with("m.glass", model()),
        case(
            "to go on without a model",
            &["generate", "n.glass"],
            4,
            &["n.glass: there is no such model file"],
            "glassnet train",
        ),
        with(
            "to predict rows by text",
            "predict",
            "t.csv",
            table(),
            &["t.csv: the model learned from text"],
            "glassnet evaluate",
        ),
        with(
            "to trace rows by text",
            "trace",
            "t.csv",
            table(),
            &["t.csv: the model never saw the character(s)"],
            "leave them out",
        ),
        with(
            "to evaluate a table by text",
            "evaluate",
            "t.csv",
            table(),
            &["t.csv: the model never saw", "','"],
            "train on a text that has them",
        ),
        with(
            "to evaluate unknown characters",
            "evaluate",
            "v.txt",
            "the Zat?".into(),
            &["v.txt: the model never saw", "'?', 'Z'"],
            "leave them out",
        ),
        with("to evaluate an empty text", "evaluate", "v.txt", String::new(), &["v.txt: the file is empty"], "Hint: "),
        case(
            "to evaluate a text by a table",
            &["evaluate", "m.glass", "t.txt"],
            3,
            &["t.txt: there is no column 'y'"],
            "hint",
        )
        .with("m.glass", model())
        .with("t.txt", text()),
    ]
}

/// Networks that do not go with the data.
pub fn shapes() -> Vec<Case> {
    let table = |name, net: &str, says: &[&'static str], hint| {
        let says = [&["--net", "^"], says].concat();
        train(name, &["--net", net], &says, hint)
    };
    let images = |name, net: &str, says: &[&'static str], hint| {
        let says = [&["--net", "^"], says].concat();
        case(name, &["train", "set", "--net", net], 2, &says, hint)
            .with("set/train-images-idx3-ubyte", idx_bytes(&[40, 2, 2]))
            .with("set/train-labels-idx1-ubyte", idx_bytes(&[40]))
    };
    vec![
        table("a convolution of a table", "conv 8 3x3", &["layer 0: it reads an image", "[B, 5]"], "1x28x28"),
        table("a recurrent network on a table", "lstm 8 -> last", &["layer 0: an LSTM", "[B, 5]"], "time steps"),
        table("an embedding of a table", "embed 8", &["layer 0: it reads tokens"], "--task text"),
        table("an image's shape on a table", "1x3x3 -> conv 8 3x3 -> 2", &["1x3x3", "gives 5"], "leave the input out"),
        images(
            "a kernel larger than the images",
            "conv 8 3x3",
            &["layer 0: a kernel of 3 x 3", "[B, 1, 2, 2]"],
            "same",
        ),
        images("images of another shape", "3x2x2 -> conv 8 1x1 -> 2", &["3x2x2", "1x2x2"], "leave the input out"),
        images(
            "groups that do not divide the channels",
            "conv 8 1x1 groups 2",
            &["layer 0: 2 groups", "1 channels"],
            "groups 1",
        ),
        images(
            "pooling of a single pixel",
            "maxpool 2 -> maxpool 2",
            &["layer 1: max_pool's kernel", "[B, 1, 1, 1]"],
            "smaller kernel",
        ),
        images(
            "a branch that changes the channels",
            "residual(conv 2 1x1)",
            &["layer 0", "1x2x2", "2x2x2"],
            "conv 1 3x3 same",
        ),
        images("features of an image", "layernorm", &["layer 0", "[B, 1, 2, 2]"], "batchnorm"),
    ]
}
