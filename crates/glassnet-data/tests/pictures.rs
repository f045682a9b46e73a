//! Folders of PNG and JPEG files and CIFAR-10: what is read, and what is refused with which words.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use std::path::Path;

use glassnet_data::{Dataset, ImageFolder, ReadOptions, open, read_cifar_folder, read_image_folder};
use made::gzip;
use png::{BitDepth, ColorType};

const GREY_JPEG: &[u8] = include_bytes!("pictures/grey.jpg");
const COLOUR_JPEG: &[u8] = include_bytes!("pictures/colour.jpg");
const PROGRESSIVE_JPEG: &[u8] = include_bytes!("pictures/progressive.jpg");
const SUBSAMPLED_JPEG: &[u8] = include_bytes!("pictures/subsampled.jpg");
const CMYK_JPEG: &[u8] = include_bytes!("pictures/cmyk.jpg");

/// A PNG of `width` columns; the number of lines follows from the bytes.
fn png_of(width: u32, height: u32, colour: ColorType, depth: BitDepth, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 250, 20, 30]);
    }
    encoder.write_header().unwrap().write_image_data(data).unwrap();
    bytes
}

/// A grey PNG of 2 lines of 3 pixels.
fn grey(first: u8) -> Vec<u8> {
    let data: Vec<u8> = (0..6).map(|at| first + at).collect();
    png_of(3, 2, ColorType::Grayscale, BitDepth::Eight, &data)
}

/// A colour PNG of 2 lines of 3 pixels: red 0 to 5, green 10 to 15, blue 20 to 25.
fn colour() -> Vec<u8> {
    let data: Vec<u8> = (0..6).flat_map(|at| [at, 10 + at, 20 + at]).collect();
    png_of(3, 2, ColorType::Rgb, BitDepth::Eight, &data)
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A folder of these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| put(folder.path(), name, bytes));
    folder
}

fn read(folder: &tempfile::TempDir) -> ImageFolder {
    read_image_folder(folder.path().to_str().unwrap()).unwrap()
}

#[test]
fn classes_by_the_names_of_sub_folders() {
    let set = folder(&[
        ("dog/b.png", &grey(10)),
        ("dog/a.png", &grey(20)),
        ("cat/z.PNG", &grey(30)),
        ("cat/.hidden", b"x"),
        (".git/config", b"x"),
        (".DS_Store", b"x"),
    ]);
    let found = read(&set);
    let train = &found.train;
    assert_eq!((train.rows, train.height, train.width, train.channels), (3, 2, 3, 1));
    assert_eq!(
        (train.classes.as_slice(), train.labels.as_slice()),
        (&["cat".to_owned(), "dog".to_owned()][..], &[0, 1, 1][..])
    );
    let wanted: Vec<u8> = [30, 20, 10].iter().flat_map(|first| *first..first + 6).collect();
    assert_eq!(train.pixels, wanted);
    assert_eq!((train.label(0), train.label(2)), (Some("cat".to_owned()), Some("dog".to_owned())));
    assert!(found.valid.is_none() && found.test.is_none());
    assert_eq!((read(&set).hash, found.hash.len()), (found.hash.clone(), 64));
    // Another class for the same bytes is other data.
    let other = folder(&[("dog/b.png", &grey(10)), ("dog/z.PNG", &grey(30)), ("cat/a.png", &grey(20))]);
    assert_ne!(read(&other).hash, found.hash);
    let opened = open(set.path().to_str().unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!(opened, Dataset::Images { train: found.train, valid: None, test: None, hash: found.hash });
}

#[test]
fn one_colour_picture_makes_all_colour() {
    // Stored as colour, but grey in every pixel.
    let data: Vec<u8> = (40..46).flat_map(|value| [value; 3]).collect();
    let stored = png_of(3, 2, ColorType::Rgb, BitDepth::Eight, &data);
    let train = read(&folder(&[("a/1.png", &grey(1)), ("b/2.png", &stored)])).train;
    assert_eq!((train.channels, train.pixels), (1, [1, 2, 3, 4, 5, 6, 40, 41, 42, 43, 44, 45].to_vec()));
    let train = read(&folder(&[("a/1.png", &grey(1)), ("a/2.png", &colour()), ("b/3.png", &grey(7))])).train;
    assert_eq!((train.channels, train.rows), (3, 3));
    let three = |values: [u8; 6]| values.repeat(3);
    let channels: Vec<u8> = (0..6).chain(10..16).chain(20..26).collect();
    let wanted = [three([1, 2, 3, 4, 5, 6]), channels, three([7, 8, 9, 10, 11, 12])].concat();
    assert_eq!(train.pixels, wanted);
}

#[test]
fn every_form_of_png() {
    let pixels = |bytes: &[u8]| read(&folder(&[("a/1.png", bytes), ("b/2.png", bytes)])).train;
    // 16 bits to their upper 8.
    let train = pixels(&png_of(2, 1, ColorType::Grayscale, BitDepth::Sixteen, &[0x12, 0xff, 0xab, 0x00]));
    assert_eq!((train.channels, &train.pixels[..2]), (1, &[0x12, 0xab][..]));
    // One bit to 0 and 255.
    let train = pixels(&png_of(3, 1, ColorType::Grayscale, BitDepth::One, &[0b1010_0000]));
    assert_eq!(train.pixels[..3], [255, 0, 255]);
    // Over black.
    let train = pixels(&png_of(3, 1, ColorType::GrayscaleAlpha, BitDepth::Eight, &[200, 255, 200, 128, 200, 0]));
    assert_eq!((train.channels, &train.pixels[..3]), (1, &[200, 100, 0][..]));
    let rgba = [255, 100, 0, 255, 255, 100, 0, 51];
    let train = pixels(&png_of(2, 1, ColorType::Rgba, BitDepth::Eight, &rgba));
    assert_eq!((train.channels, &train.pixels[..6]), (3, &[255, 51, 100, 20, 0, 0][..]));
    let train = pixels(&png_of(2, 1, ColorType::Rgb, BitDepth::Sixteen, &[1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9]));
    assert_eq!(train.pixels[..6], [1, 4, 2, 5, 3, 6]);
    // A palette of black and red.
    let train = pixels(&png_of(2, 1, ColorType::Indexed, BitDepth::One, &[0b0100_0000]));
    assert_eq!((train.channels, &train.pixels[..6]), (3, &[0, 250, 0, 20, 0, 30][..]));
}

/// The committed pictures have 7 lines of 9 pixels of smooth colours: what is decoded is near to what they were made from.
#[test]
fn every_form_of_jpeg() {
    let decoded = |bytes: &[u8]| read(&folder(&[("a/1.jpg", bytes), ("b/2.jpeg", bytes)])).train;
    let near = |found: &[u8], wanted: &dyn Fn(usize, usize) -> usize, most: i64| {
        for (at, value) in found.iter().enumerate() {
            let wanted = wanted(at % 9, at / 9) as i64;
            assert!((i64::from(*value) - wanted).abs() <= most, "place {at}: {value} {wanted}");
        }
    };
    let train = decoded(GREY_JPEG);
    assert_eq!((train.height, train.width, train.channels, train.rows), (7, 9, 1, 2));
    near(&train.pixels[..63], &|x, y| 20 + x * 20 + y * 7, 2);
    for (bytes, most) in [(COLOUR_JPEG, 4), (PROGRESSIVE_JPEG, 4), (SUBSAMPLED_JPEG, 16)] {
        let train = decoded(bytes);
        assert_eq!((train.height, train.width, train.channels), (7, 9, 3));
        near(&train.pixels[..63], &|x, _| 20 + x * 20, most);
        near(&train.pixels[63..126], &|_, y| 200 - y * 20, most);
        near(&train.pixels[126..189], &|x, y| 30 + x * 5 + y * 9, most);
    }
    // The two ways of storing the same numbers decode alike.
    assert_eq!(decoded(COLOUR_JPEG).pixels, decoded(PROGRESSIVE_JPEG).pixels);
}

#[test]
fn parts_of_a_folder() {
    let set = folder(&[
        ("train/a/1.png", &grey(1)),
        ("train/b/1.png", &grey(2)),
        ("val/b/1.png", &grey(3)),
        ("test/a/1.png", &colour()),
        ("test/b/1.png", &grey(4)),
    ]);
    let found = read(&set);
    let (valid, test) = (found.valid.unwrap(), found.test.unwrap());
    assert_eq!((found.train.rows, valid.rows, test.rows), (2, 1, 2));
    assert_eq!((valid.label(0).unwrap(), test.label(0).unwrap()), ("b".to_owned(), "a".to_owned()));
    // One picture of the test is colour: so are all.
    assert!([&found.train, &valid, &test].iter().all(|part| part.channels == 3 && part.pixels.len() == part.rows * 18));
    // A class may be called train.
    let vehicles = read(&folder(&[("train/1.png", &grey(1)), ("car/1.png", &grey(2))]));
    assert_eq!(vehicles.train.classes, ["car", "train"]);
}

#[test]
fn damaged_pictures_never_panic() {
    for (name, whole) in [("x.png", colour()), ("x.jpg", COLOUR_JPEG.to_vec()), ("p.jpg", PROGRESSIVE_JPEG.to_vec())] {
        let path = |bytes: &[u8]| folder(&[(&format!("a/{name}"), bytes), ("b/1.png", &grey(1))]);
        let refused = |bytes: &[u8]| {
            let set = path(bytes);
            read_image_folder(set.path().to_str().unwrap()).map(|_| ()).map_err(|error| error.to_string())
        };
        for cut in 0..whole.len() {
            let error = refused(&whole[..cut]).expect_err(&format!("{name} cut at {cut}"));
            assert!(error.contains(name) && error.contains("Hint: "), "{error}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x15;
            // It may be another picture then, which is refused for its size; a panic is what must not be.
            let _ = refused(&bytes);
        }
    }
    // A checksum tells every change of a PNG.
    let mut bytes = colour();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    let set = folder(&[("a/1.png", &bytes), ("b/1.png", &grey(1))]);
    let error = read_image_folder(set.path().to_str().unwrap()).unwrap_err().to_string();
    assert!(error.contains("a/1.png: broken PNG: "), "{error}");
}

/// Files of a folder, and the words of the message.
type Case<'a> = (&'a str, Vec<(&'a str, Vec<u8>)>, &'a [&'a str]);

#[test]
fn bad_folders() {
    let wide = png_of(2, 3, ColorType::Grayscale, BitDepth::Eight, &[0; 6]);
    let mut claims = grey(1);
    // Width and height in the header, with its checksum.
    claims[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let sum = made::crc32(&claims[12..29]);
    claims[29..33].copy_from_slice(&sum.to_be_bytes());
    let cases: Vec<Case<'_>> = vec![
        (
            "another size",
            vec![("a/1.png", grey(1)), ("a/2.png", grey(1)), ("b/1.png", wide.clone()), ("b/2.png", wide.clone())],
            &["b/1.png: it has 3 x 2 pixels, but", "a/1.png has 2 x 3", "scale all images to one size"],
        ),
        (
            "another size in the test",
            vec![("train/a/1.png", grey(1)), ("train/b/1.png", grey(1)), ("test/a/1.png", wide)],
            &["test/a/1.png: it has 3 x 2 pixels", "train/a/1.png has 2 x 3"],
        ),
        (
            "an empty class",
            vec![("a/1.png", grey(1)), ("b/.keep", Vec::new())],
            &["/b: the class 'b' has no image", "or remove it"],
        ),
        ("no class", vec![("1.png", grey(1))], &["holds nothing that is read (it has 1.png)", "a sub-folder of PNG"]),
        (
            "no class in the test",
            vec![("train/a/1.png", grey(1)), ("test/1.png", grey(1))],
            &["test: this folder holds nothing that is read (it has no sub-folder, only 1.png)"],
        ),
        (
            "a file that is no picture",
            vec![("a/1.png", grey(1)), ("a/notes.txt", b"hello".to_vec())],
            &["a/notes.txt: this is neither a PNG nor a JPEG file", "take it out of the folder"],
        ),
        ("an empty file", vec![("a/1.png", Vec::new())], &["a/1.png: the file is empty"]),
        ("a GIF", vec![("a/1.gif", b"GIF89a".to_vec())], &["a/1.gif: this is neither a PNG nor a JPEG"]),
        (
            "a file beside the classes",
            vec![("a/1.png", grey(1)), ("labels.csv", b"x".to_vec())],
            &["labels.csv: this file lies beside the folders of the classes", "move it out"],
        ),
        (
            "a folder in a class",
            vec![("a/1.png", grey(1)), ("a/deeper/1.png", grey(1))],
            &["a/deeper: this folder lies in the folder of the class 'a'"],
        ),
        (
            "another folder beside the parts",
            vec![("train/a/1.png", grey(1)), ("extra/a/1.png", grey(1))],
            &["extra: this folder is no part of the data", "valid and test"],
        ),
        (
            "two for validation",
            vec![("train/a/1.png", grey(1)), ("val/a/1.png", grey(1)), ("valid/a/1.png", grey(1))],
            &["two folders for validation", "keep one"],
        ),
        (
            "a class of the test alone",
            vec![("train/a/1.png", grey(1)), ("train/b/1.png", grey(1)), ("test/c/1.png", grey(1))],
            &["test/c: the class 'c' is not among the classes of training", "there are a, b"],
        ),
        (
            "too large",
            vec![("a/1.png", claims)],
            &["a/1.png: 65536 x 65536 pixels are more than", "scale all images down"],
        ),
        ("a truncated PNG", vec![("a/1.png", grey(1)[..50].to_vec())], &["a/1.png: broken PNG: it ends too early"]),
        ("a PNG without its end", vec![("a/1.png", grey(1)[..grey(1).len() - 12].to_vec())], &["a/1.png: broken PNG"]),
        ("a truncated JPEG", vec![("a/1.jpg", COLOUR_JPEG[..300].to_vec())], &["a/1.jpg: broken JPEG: ", "viewer"]),
        ("CMYK", vec![("a/1.jpg", CMYK_JPEG.to_vec())], &["a/1.jpg: this JPEG has the four colours of printing"]),
    ];
    for (name, files, parts) in cases {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let set = folder(&files);
        let error = open(set.path().to_str().unwrap(), &ReadOptions::default()).expect_err(name).to_string();
        for part in [parts, &["Hint: "][..], &[set.path().to_str().unwrap()][..]].concat() {
            assert!(error.contains(part), "{name}: no {part:?} in {error}");
        }
    }
}

/// A record whose pixels are their places, plus `more`.
fn record(label: u8, more: usize) -> Vec<u8> {
    std::iter::once(label).chain((0..3072).map(|at| ((at + more) % 251) as u8)).collect()
}

#[test]
fn cifar_10() {
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    let set = folder(&[
        ("data_batch_2.bin", &[record(3, 2), record(4, 3)].concat()),
        ("data_batch_1.bin", &record(9, 1)),
        ("test_batch.bin.gz", &gzip(&record(0, 4))),
        ("batches.meta.txt", names.as_bytes()),
        ("readme.html", b"<html>"),
    ]);
    let path = set.path().to_str().unwrap();
    let found = read_cifar_folder(path).unwrap();
    let (train, test) = (&found.train, found.test.as_ref().unwrap());
    assert_eq!((train.rows, train.height, train.width, train.channels), (3, 32, 32, 3));
    assert_eq!((train.labels.as_slice(), train.label(0).unwrap()), (&[9, 3, 4][..], "truck".to_owned()));
    assert_eq!(train.pixels[3072..6144], record(3, 2)[1..]);
    assert_eq!((test.rows, test.label(0).unwrap()), (1, "airplane".to_owned()));
    let opened = open(path, &ReadOptions::default()).unwrap();
    assert_eq!(opened, Dataset::Images { train: found.train, valid: None, test: found.test, hash: found.hash });
    // Without names the labels name themselves.
    std::fs::remove_file(set.path().join("batches.meta.txt")).unwrap();
    assert_eq!(read_cifar_folder(path).unwrap().train.label(0).unwrap(), "9");
}

#[test]
fn bad_cifar_folders() {
    let good = record(1, 0);
    let cases: [Case<'_>; 6] = [
        (
            "a cut record",
            vec![("data_batch_1.bin", good[..3000].to_vec())],
            &["data_batch_1.bin: 3000 bytes are no whole number of records: 0 of 3073 bytes, and 3000 bytes more"],
        ),
        (
            "a label above 9",
            vec![("data_batch_1.bin", [record(1, 0), record(10, 0)].concat())],
            &["record 2 (byte 3073) has the label 10, more than 9"],
        ),
        ("an empty file", vec![("data_batch_1.bin", Vec::new())], &["data_batch_1.bin: the file is empty"]),
        ("a test alone", vec![("test_batch.bin", good.clone())], &["none to train on", "data_batch_1.bin to"]),
        (
            "nine names",
            vec![("data_batch_1.bin", good.clone()), ("batches.meta.txt", b"a\nb\n".to_vec())],
            &["batches.meta.txt: it names 2 classes, not 10", "one name a line"],
        ),
        (
            "a name twice",
            vec![("data_batch_1.bin", good), ("batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\na\nj\n".to_vec())],
            &["two classes are called 'a' (the second is label 8)"],
        ),
    ];
    for (name, files, parts) in cases {
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let set = folder(&files);
        let error = open(set.path().to_str().unwrap(), &ReadOptions::default()).expect_err(name).to_string();
        for part in [parts, &["Hint: "][..]].concat() {
            assert!(error.contains(part), "{name}: no {part:?} in {error}");
        }
    }
}
