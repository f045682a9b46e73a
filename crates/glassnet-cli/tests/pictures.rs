//! Folders of pictures by the real program: trained on, evaluated, predicted, looked at.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet::model::Model;
use glassnet::model::augment::Augmentation;
use glassnet::model::file::Features;
use made::{Folder, photos, png};

fn folder(name: &str) -> Folder {
    let folder = Folder::new(&format!("pictures-{name}"));
    photos(&folder.path("set/train"), 40, 1);
    photos(&folder.path("set/valid"), 10, 2);
    photos(&folder.path("set/test"), 15, 3);
    folder
}

#[test]
fn from_a_folder_to_names_of_classes() {
    let folder = folder("whole");
    let run = folder.run(&["train", "set", "--net", "8 relu", "--epochs", "20", "--seed", "1"]).ok();
    for words in [
        "80 images of 4 x 4 pixels, 3 channels; pixels: mean ",
        "day ",
        "night ",
        "20 images of set/valid for validation",
        "30 images of set/test are kept for the last test",
    ] {
        assert!(run.err.contains(words), "{words:?} is not in\n{}", run.err);
    }
    let value = folder.run(&["evaluate", "set.glass", "set", "--json"]).ok().json();
    assert_eq!((value["rows"].as_u64(), value["accuracy"].as_f64()), (Some(30), Some(1.0)), "{value}");
    let text = folder.run(&["evaluate", "set.glass", "set", "--part", "valid"]).ok().out;
    assert!(text.contains("20 validation images") && text.contains("night"), "{text}");
    let text = folder.run(&["predict", "set.glass", "set/test"]).ok().out;
    assert_eq!(text.lines().count(), 31, "{text}");
    assert!(text.lines().next().unwrap().contains("day"), "{text}");
    let value = folder.run(&["trace", "set.glass", "set/test", "--row", "30", "--json"]).ok().json();
    assert_eq!(value["row"]["truth"], "night", "{value}");
    let text = folder.run(&["inspect", "set.glass"]).ok().out;
    for words in [
        "2 classes (day, night)",
        "4 x 4 pixels x 3 channels; a pixel of channel 1 becomes (pixel - ",
        ", of channel 3 (pixel",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    // Grey pictures, for a model of colours.
    std::fs::create_dir_all(folder.path("grey/any")).unwrap();
    folder.write("grey/any/1.png", png(4, 4, 1, &[90; 16]));
    assert_eq!(folder.run(&["predict", "set.glass", "grey"]).ok().out.lines().count(), 2);
    folder
        .run(&["evaluate", "set.glass", "grey"])
        .fails(3, &["the labels of grey", "\"any\" is not one of the classes"]);
    std::fs::create_dir_all(folder.path("wide/day")).unwrap();
    folder.write("wide/day/1.png", png(5, 4, 3, &[90; 60]));
    folder.run(&["predict", "set.glass", "wide"]).fails(3, &["wide", "4 x 5 pixels of 3 channels", "scale the images"]);
    let picture = "set/train/day/000.png";
    folder.run(&["train", "set", "-o", picture]).fails(2, &[picture, "would be replaced"]);
}

#[test]
fn changed_while_training_and_never_after() {
    let folder = folder("augmented");
    let train = |out: &str, more: &[&str]| {
        let start = ["train", "set", "--net", "8 relu", "--epochs", "3", "--seed", "1", "-o", out];
        let run = folder.run(&[&start[..], more].concat()).ok();
        (run.err, std::fs::read(folder.path(out)).unwrap())
    };
    let (said, plain) = train("plain.glass", &[]);
    assert!(!said.contains("changed anew"), "{said}");
    let (said, changed) = train("a.glass", &["--augment", "cutout 2, flip , shift 1"]);
    assert!(said.contains("training images are changed anew in each epoch: flip, shift 1, cutout 2\n"), "{said}");
    assert_eq!(changed, train("b.glass", &["--augment", "flip, shift 1, cutout 2", "--threads", "3"]).1);
    let (plain, changed) = (Model::from_bytes(&plain).unwrap(), Model::from_bytes(&changed).unwrap());
    assert_ne!(plain.parameters(), changed.parameters());
    let Features::Images(images) = &changed.document().preprocess else { panic!() };
    assert_eq!(images.augmentation, Some(Augmentation { flip: true, shift: 1, cutout: 2 }));
    assert_eq!(changed.document().provenance.settings["augment"], "flip, shift 1, cutout 2");
    assert!(!plain.document().provenance.settings.contains_key("augment"));
    let text = folder.run(&["inspect", "a.glass"]).ok().out;
    assert!(text.contains("training images were changed anew in each epoch: flip, shift 1, cutout 2"), "{text}");
    // The same from a TOML; a flag wins over it.
    folder.write("run.toml", "[train]\ndata = \"set\"\naugment = \"flip, shift 1, cutout 2\"\nepochs = 3\nseed = 1\n");
    let run = folder.run(&["train", "--config", "run.toml", "--net", "8 relu", "-o", "c.glass"]).ok();
    assert!(run.err.contains("each epoch: flip, shift 1, cutout 2"), "{}", run.err);
    let again = Model::from_bytes(&std::fs::read(folder.path("c.glass")).unwrap()).unwrap();
    assert_eq!(again.parameters(), changed.parameters());
    let value = folder.run(&["train", "--config", "run.toml", "--augment", "flip", "--json"]).ok().json();
    assert_eq!(value["understood"]["images"]["augmentation"]["shift"], 0);
    assert_eq!(value["settings"]["augment"], "flip");
}

#[test]
fn cifar_10_with_its_names() {
    let folder = Folder::new("pictures-cifar");
    std::fs::create_dir_all(folder.path("cifar")).unwrap();
    let records = |count: usize, seed: u64| -> Vec<u8> {
        let mut numbers = made::Numbers(seed);
        let mut record = |label: usize| {
            let mut bytes = vec![label as u8];
            bytes.extend((0..3072).map(|at| (numbers.next() * 50.0) as u8 + if at / 300 == label { 150 } else { 0 }));
            bytes
        };
        (0..count).flat_map(|at| record(at % 10)).collect()
    };
    folder.write("cifar/data_batch_1.bin", records(60, 1));
    folder.write("cifar/data_batch_2.bin", records(40, 2));
    folder.write("cifar/test_batch.bin", records(20, 3));
    folder.write("cifar/batches.meta.txt", "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n");
    let run = folder.run(&["train", "cifar", "--net", "linear", "--epochs", "5", "--seed", "1"]).ok();
    for words in
        ["100 images of 32 x 32 pixels, 3 channels", "airplane", "20 images of cifar are kept for the last test"]
    {
        assert!(run.err.contains(words), "{words:?} is not in\n{}", run.err);
    }
    let value = folder.run(&["evaluate", "cifar.glass", "cifar", "--json"]).ok().json();
    assert_eq!((value["rows"].as_u64(), value["accuracy"].as_f64()), (Some(20), Some(1.0)), "{value}");
}
