//! Images and arrays that cannot be read.

use crate::case::{Case, case};
use crate::made::{npy, zip};

const IMAGES: &str = "set/train-images-idx3-ubyte";
const LABELS: &str = "set/train-labels-idx1-ubyte";

/// An IDX file of this shape: 0, 1, 0, 1, ...
pub fn idx_bytes(shape: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, shape.len() as u8];
    bytes.extend(shape.iter().flat_map(|side| side.to_be_bytes()));
    bytes.extend((0..shape.iter().product::<u32>()).map(|at| (at % 2) as u8));
    bytes
}

/// `train set/` on these images and labels.
fn set(name: &'static str, images: Vec<u8>, labels: Vec<u8>, says: &[&'static str], hint: &'static str) -> Case {
    case(name, &["train", "set"], 3, says, hint).with(IMAGES, images).with(LABELS, labels)
}

/// MNIST-like folders.
pub fn idx() -> Vec<Case> {
    let (images, labels) = (idx_bytes(&[40, 2, 2]), idx_bytes(&[40]));
    let mut magic = images.clone();
    magic[2] = 9;
    let mut claims = idx_bytes(&[1, 2, 2]);
    claims[4..8].copy_from_slice(&[255; 4]);
    claims[8..12].copy_from_slice(&[255; 4]);
    vec![
        set(
            "images cut",
            images[..100].to_vec(),
            labels.clone(),
            &[IMAGES, "expected 160 bytes", "found 84"],
            "Hint: ",
        ),
        set("an images' header cut", images[..10].to_vec(), labels.clone(), &[IMAGES, "16 bytes, found 10"], "Hint: "),
        set(
            "images too long",
            [&images[..], b"x"].concat(),
            labels.clone(),
            &[IMAGES, "bytes follow the last value"],
            "Hint: ",
        ),
        set("labels cut", images.clone(), labels[..20].to_vec(), &[LABELS, "expected 40 bytes", "found 12"], "Hint: "),
        set(
            "fewer labels than images",
            images.clone(),
            idx_bytes(&[39]),
            &[LABELS, "39 labels, but", "40 images"],
            "same set",
        ),
        set("a wrong magic", magic, labels.clone(), &[IMAGES, "IDX type 09"], "Hint: "),
        set("text for images", b"hello world".to_vec(), labels.clone(), &[IMAGES, "not an IDX file"], "00 00 08 03"),
        set("images without bytes", Vec::new(), labels.clone(), &[IMAGES, "empty"], "Hint: "),
        set(
            "labels in place of images",
            labels.clone(),
            labels.clone(),
            &[IMAGES, "images have 3 dimensions"],
            "Hint: ",
        ),
        set(
            "images of size 0",
            idx_bytes(&[40, 0, 2]),
            labels.clone(),
            &[IMAGES, "a dimension is 0"],
            "dimensions must be positive",
        ),
        set("images that claim too much", claims, labels.clone(), &[IMAGES, "claims"], "Hint: "),
        set(
            "images of one class",
            images.clone(),
            [&labels[..8], &[1; 40]].concat(),
            &["set", "only one class", "\"1\""],
            "check",
        ),
        case("no labels", &["train", "set"], 3, &[IMAGES, "no file of labels"], "train-labels-idx1-ubyte")
            .with(IMAGES, images.clone()),
        case(
            "an empty folder",
            &["train", "set"],
            3,
            &["set: this folder holds nothing that is read (it is empty)"],
            "give one file",
        )
        .with("set/", ""),
        set("test images of another size", images.clone(), labels.clone(), &["4 x 4", "2 x 2"], "Hint: ")
            .with("set/t10k-images-idx3-ubyte", idx_bytes(&[4, 4, 4]))
            .with("set/t10k-labels-idx1-ubyte", idx_bytes(&[4])),
        case(
            "a target for images",
            &["train", "set", "--target", "y"],
            2,
            &["--target y", "set holds images"],
            "leave --target out",
        )
        .with(IMAGES, images.clone())
        .with(LABELS, labels.clone()),
        case(
            "a network for larger images",
            &["train", "set", "--net", "784 -> 2"],
            2,
            &["--net", "784 inputs", "4", "^"],
            "4",
        )
        .with(IMAGES, images)
        .with(LABELS, labels),
    ]
}

/// `train a.npz --target y`.
fn npz(name: &'static str, bytes: Vec<u8>, says: &[&'static str], hint: &'static str) -> Case {
    case(name, &["train", "a.npz", "--target", "y"], 3, &[&["a.npz"], says].concat(), hint).with("a.npz", bytes)
}

/// npy and npz.
pub fn numpy() -> Vec<Case> {
    let values: Vec<f64> = (0..40).map(|row| f64::from(row % 7)).collect();
    let good = zip(&[("x.npy", npy(&[40], &values)), ("y.npy", npy(&[40], &values))]);
    let mut damaged = good.clone();
    damaged[200] ^= 1;
    let mut infinite = values.clone();
    infinite[4] = f64::INFINITY;
    let array = |name, bytes: Vec<u8>, says: &[&'static str], hint| {
        case(name, &["train", "a.npy", "--target", "x1"], 3, &[&["a.npy"], says].concat(), hint).with("a.npy", bytes)
    };
    vec![
        npz("an npz cut", good[..good.len() - 60].to_vec(), &["truncated"], "Hint: "),
        npz("an npz damaged", damaged, &["array 'x.npy'", "CRC-32"], "Hint: "),
        npz(
            "an npz of different rows",
            zip(&[("x.npy", npy(&[39], &values[..39])), ("y.npy", npy(&[40], &values))]),
            &["array 'y': 40 rows, but array 'x' has 39"],
            "Hint: ",
        ),
        npz("an npz without arrays", zip(&[("a.txt", b"hi".to_vec())]), &["no .npy arrays"], "Hint: "),
        npz(
            "an npz with an infinity",
            zip(&[("x.npy", npy(&[40], &infinite)), ("y.npy", npy(&[40], &values))]),
            &["row 5", "'x'", "'inf'"],
            "Hint: ",
        ),
        npz("an npz that is text", b"x,y\n1,2\n".to_vec(), &["neither npy nor npz"], "Hint: "),
        array("an npy cut", npy(&[20, 2], &values)[..200].to_vec(), &["truncated: expected 320 bytes"], "numpy.save"),
        array(
            "an npy of three dimensions",
            npy(&[2, 2, 10], &values),
            &["[2, 2, 10] makes no table"],
            "[rows, columns]",
        ),
        array("an npy without rows", npy(&[0, 2], &[]), &["has a 0"], "dimensions must be positive"),
        array("an empty npy", Vec::new(), &["the file is empty"], "has finished"),
    ]
}
