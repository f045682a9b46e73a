//! Folders of pictures that cannot be read, and changes of images that cannot be.

use crate::arrays::idx_bytes;
use crate::case::{Case, case};
use crate::made::png;

fn grey(width: u32, height: u32) -> Vec<u8> {
    png(width, height, 1, &vec![7; (width * height) as usize])
}

/// `train set` on a folder with two good classes and what is added.
fn set(name: &'static str, says: &[&'static str], hint: &'static str) -> Case {
    let good = case(name, &["train", "set"], 3, says, hint);
    good.with("set/cat/1.png", grey(3, 2)).with("set/dog/1.png", grey(3, 2))
}

/// Folders.
pub fn folders() -> Vec<Case> {
    let whole = grey(3, 2);
    let mut damaged = whole.clone();
    damaged[45] ^= 1;
    let alone = |name, says: &[&'static str], hint| case(name, &["train", "set"], 3, says, hint);
    vec![
        set(
            "a picture of another size",
            &["set/dog/2.png: it has 4 x 4 pixels, but set/cat/1.png has 2 x 3"],
            "one size",
        )
        .with("set/dog/2.png", grey(4, 4)),
        set("an empty class", &["set/fox: the class 'fox' has no image"], "or remove it").with("set/fox/", ""),
        alone("no class", &["set: this folder holds nothing that is read (it has 1.png)"], "for each class")
            .with("set/1.png", grey(3, 2)),
        alone("one class", &["only one class, \"cat\""], "check")
            .with("set/cat/1.png", grey(3, 2))
            .with("set/cat/2.png", grey(3, 2)),
        set("a cut PNG", &["set/cat/2.png: broken PNG: it ends too early"], "viewer")
            .with("set/cat/2.png", whole[..60].to_vec()),
        set("a damaged PNG", &["set/cat/2.png: broken PNG: "], "viewer").with("set/cat/2.png", damaged),
        set("a cut JPEG", &["set/cat/2.jpg: broken JPEG: "], "viewer")
            .with("set/cat/2.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF".to_vec()),
        set("text among pictures", &["set/cat/notes.txt: this is neither a PNG nor a JPEG file"], "out of the folder")
            .with("set/cat/notes.txt", "hello"),
        set("an empty picture", &["set/cat/2.png: the file is empty"], "out of the folder").with("set/cat/2.png", ""),
        set(
            "a file beside classes",
            &["set/labels.csv: this file lies beside the folders of the classes"],
            "move it out",
        )
        .with("set/labels.csv", "a,b\n"),
        set("a folder in a class", &["set/cat/old: this folder lies in the folder of the class 'cat'"], "move it out")
            .with("set/cat/old/1.png", grey(3, 2)),
        alone(
            "a class of the test alone",
            &["set/test/fox: the class 'fox' is not among the classes of training"],
            "there are cat, dog",
        )
        .with("set/train/cat/1.png", grey(3, 2))
        .with("set/train/dog/1.png", grey(3, 2))
        .with("set/test/fox/1.png", grey(3, 2)),
        alone(
            "a test of another size",
            &["set/test/cat/1.png: it has 4 x 4 pixels, but set/train/cat/1.png has 2 x 3"],
            "one size",
        )
        .with("set/train/cat/1.png", grey(3, 2))
        .with("set/train/dog/1.png", grey(3, 2))
        .with("set/test/cat/1.png", grey(4, 4)),
        alone("a cut CIFAR-10", &["set/data_batch_1.bin: 4000 bytes are no whole number of records"], "again")
            .with("set/data_batch_1.bin", vec![1; 4000]),
        alone("a label that CIFAR-10 has not", &["record 1 (byte 0) has the label 11, more than 9"], "damaged")
            .with("set/data_batch_1.bin", vec![11; 3073]),
        alone(
            "one picture in place of data",
            &["set: this is an image, which is not read"],
            "a sub-folder of such files",
        )
        .with("set", grey(3, 2)),
    ]
}

/// `--augment`.
pub fn flags() -> Vec<Case> {
    let (images, labels) = (idx_bytes(&[40, 2, 2]), idx_bytes(&[40]));
    let on = |name, text: &str, says: &[&'static str], hint| {
        case(name, &["train", "set", "--augment", text], 2, says, hint)
            .with("set/train-images-idx3-ubyte", images.clone())
            .with("set/train-labels-idx1-ubyte", labels.clone())
    };
    vec![
        on("an unknown change", "flop", &["--augment: no change of images is called \"flop\""], "did you mean flip?"),
        on("a shift without pixels", "shift", &["--augment: \"shift\" is no shift"], "write shift 2"),
        on("a shift that is negative", "shift -2", &["\"shift -2\" is no shift"], "1 or more"),
        on("a flip with a number", "flip 3", &["flip takes no number"], "write flip alone"),
        on("a change twice", "flip, flip", &["flip is said twice"], "say it once"),
        on("an empty change", "", &["--augment: a part of it is empty"], "as in \"flip, shift 2"),
        on(
            "a shift beyond the image",
            "shift 2",
            &["shift 2 may leave nothing of images of 2 x 2 pixels"],
            "less than 2",
        ),
        on("a cut-out beyond the image", "cutout 9", &["--augment: cutout 9 may leave nothing"], "less than 2"),
        case(
            "changes of a table",
            &["train", "t.csv", "--target", "y", "--augment", "flip"],
            2,
            &["--augment: t.csv is a table, not images"],
            "leave it out",
        )
        .with("t.csv", "x,y\n1,a\n2,b\n3,a\n4,b\n"),
        case(
            "a bad change in a config",
            &["train", "--config", "run.toml"],
            2,
            &["run.toml, line 3", "no change of images is called \"turn\""],
            "flip",
        )
        .with("run.toml", "[train]\ndata = \"set\"\naugment = \"turn\"\n"),
    ]
}
