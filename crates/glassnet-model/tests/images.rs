//! Images of several channels, classes with names, and changes of training images.
#![allow(clippy::unwrap_used, clippy::panic)]

use glassnet_core::{StepInfo, Team};
use glassnet_model::Model;
use glassnet_model::augment::Augmentation;
use glassnet_model::file::Features;
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::images::{ImagePreprocess, PixelScale};
use glassnet_model::standardise::Standardise;
use glassnet_model::table::Images;
use glassnet_nn::functional::loss_and_gradients;
use glassnet_nn::source::{Draw, Source};
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Silent, TrainSpec, Trainer};

/// Images of 3 x 4 pixels in so many channels, two classes with names, red a little brighter in the second.
fn images(rows: usize, channels: usize) -> Images {
    let size = 12 * channels;
    let pixel = |at: usize| (at * 37 % 201 + if at / size % 2 == 1 && at % size < 12 { 50 } else { 0 }) as u8;
    Images {
        source: "photos".to_owned(),
        pixels: (0..rows * size).map(pixel).collect(),
        labels: (0..rows as u32).map(|row| row % 2).collect(),
        classes: vec!["cat".to_owned(), "dog".to_owned()],
        rows,
        height: 3,
        width: 4,
        channels,
    }
}

fn options() -> FitOptions {
    FitOptions { validation_share: Some(0.25), seed: 1, ..FitOptions::new("label") }
}

fn model(data: &Prepared) -> Model {
    let headed = data.network(&"4 relu".parse::<NetSpec>().unwrap(), None, 0.0).unwrap();
    let parameters = headed.network.initialise(3);
    data.model(&headed, parameters).unwrap()
}

fn fitted(data: &Prepared) -> &ImagePreprocess {
    let Features::Images(images) = &data.features else { panic!("a table") };
    images
}

fn features(source: &dyn Source<f32>, row: u32) -> Vec<f32> {
    let mut out = vec![9.0; source.width()];
    source.features(&[row], &mut out);
    out
}

#[test]
fn each_channel_by_its_own_mean_and_deviation() {
    let mut images = images(2, 3);
    // Red 4 and 6, green 10, 20 and 30, blue 7 everywhere.
    for (at, pixel) in images.pixels.iter_mut().enumerate() {
        *pixel = match at % 36 / 12 {
            0 => [4, 6][at % 2],
            1 => [10, 20, 30][at % 3],
            _ => 7,
        };
    }
    let fitted = ImagePreprocess::fit(&images, &[0, 1], Standardise::Yes).unwrap();
    let green = (200.0f64 / 3.0).sqrt();
    let scale = |mean, deviation| PixelScale { mean, deviation };
    assert_eq!(fitted.scales, [scale(5.0, 1.0), scale(20.0, green), scale(7.0, 1.0)]);
    let mut out = [0f64; 36];
    fitted.encode_rows(&images, &[1], &mut out).unwrap();
    assert_eq!(out[..3], [-1.0, 1.0, -1.0]);
    assert_eq!(out[12..15], [-10.0 / green, 0.0, 10.0 / green]);
    assert_eq!(out[24..], [0.0; 12]);
    let raw = ImagePreprocess::fit(&images, &[0, 1], Standardise::No).unwrap();
    assert_eq!(raw.scales, [scale(0.0, 1.0); 3]);
    images.pixels.iter_mut().enumerate().for_each(|(at, pixel)| *pixel = (at % 36 / 12) as u8);
    let error = ImagePreprocess::fit(&images, &[0, 1], Standardise::Yes).unwrap_err().to_string();
    assert!(error.contains("every pixel of the 2 training images is 0, 1, 2"), "{error}");
}

/// Grey images keep the keys that they always had; several channels have others, so that an old reader refuses them.
#[test]
fn written_and_read_again() {
    let grey = ImagePreprocess {
        scales: vec![PixelScale { mean: 33.5, deviation: 78.25 }],
        height: 28,
        width: 28,
        channels: 1,
        augmentation: None,
    };
    let text = serde_json::to_string(&grey).unwrap();
    assert_eq!(text, r#"{"mean":33.5,"deviation":78.25,"height":28,"width":28,"channels":1}"#);
    assert_eq!(serde_json::from_str::<ImagePreprocess>(&text).unwrap(), grey);
    let augmentation = Some(Augmentation { flip: true, shift: 2, cutout: 0 });
    let colour = ImagePreprocess {
        scales: [1.0, 2.0, 3.0].map(|mean| PixelScale { mean, deviation: 4.0 }).to_vec(),
        channels: 3,
        augmentation,
        ..grey
    };
    let value = serde_json::to_value(&colour).unwrap();
    assert!(value.get("mean").is_none() && value["scales"][1]["mean"] == 2.0, "{value}");
    assert_eq!(value["augmentation"], serde_json::json!({ "flip": true, "shift": 2, "cutout": 0 }));
    assert_eq!(serde_json::from_value::<ImagePreprocess>(value.clone()).unwrap(), colour);
    for (key, with) in
        [("scales", serde_json::json!([])), ("mean", serde_json::json!(1.0)), ("channels", serde_json::json!(2))]
    {
        let mut broken = value.clone();
        broken[key] = with;
        assert!(serde_json::from_value::<ImagePreprocess>(broken).is_err(), "{key}");
    }
}

/// What an early file had for colour: one mean, and inputs pixel by pixel.
#[test]
fn an_early_colour_model_gives_what_it_gave() {
    let text = r#"{"mean":10.0,"deviation":2.0,"height":1,"width":2,"channels":3}"#;
    let early: ImagePreprocess = serde_json::from_str(text).unwrap();
    let images =
        Images { pixels: vec![10, 12, 14, 16, 18, 20], rows: 1, height: 1, width: 2, channels: 3, ..Images::default() };
    let mut out = [0f32; 6];
    early.encode_rows(&images, &[0], &mut out).unwrap();
    assert_eq!(out, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(serde_json::to_string(&early).unwrap(), text);
}

#[test]
fn names_of_classes_live_in_the_model_file() {
    let data = Prepared::images(images(40, 3), None, &options()).unwrap();
    let model = Model::from_bytes(&model(&data).to_bytes().unwrap()).unwrap();
    assert_eq!(model.classes().unwrap(), ["cat", "dog"]);
    // Another folder may number its classes otherwise: the names count.
    let other = Images { classes: vec!["dog".to_owned()], labels: vec![0; 4], ..images(4, 3) };
    let (encoded, _) = model.encode_images(other, true).unwrap();
    assert_eq!(encoded.labels, [1; 4]);
    let fox = Images { classes: vec!["cat".to_owned(), "fox".to_owned()], ..images(4, 3) };
    let error = model.encode_images(fox, true).unwrap_err().to_string();
    for part in ["the labels of photos", "row 2", "\"fox\" is not one of the classes of training (cat, dog)"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(images(4, 3).label(1).as_deref(), Some("dog"));
    assert_eq!(Images { classes: Vec::new(), ..images(4, 3) }.label(1).as_deref(), Some("1"));
    assert_eq!(images(4, 3).label(4), None);
}

#[test]
fn grey_images_are_colour_images_too() {
    let data = Prepared::images(images(40, 3), Some(images(4, 1)), &options()).unwrap();
    assert_eq!(data.valid_rows.len(), 4);
    let grey = images(4, 1);
    let (encoded, rows) = model(&data).encode_images(grey.clone(), true).unwrap();
    assert_eq!((encoded.rows(), rows.len(), encoded.width()), (4, 4, 36));
    let colour = grey.in_colour();
    assert_eq!(colour.pixels[..12], colour.pixels[12..24]);
    assert_eq!(colour.clone().in_colour(), colour);
    // The other way round something would be lost.
    let data = Prepared::images(images(40, 1), None, &options()).unwrap();
    let error = model(&data).encode_images(images(4, 3), true).unwrap_err().to_string();
    assert!(error.contains("3 x 4 pixels of 3 channels") && error.contains("make them grey"), "{error}");
}

fn augmented(augmentation: &str, channels: usize) -> Prepared {
    let mut data = Prepared::images(images(40, channels), None, &options()).unwrap();
    data.augment(augmentation.parse().unwrap()).unwrap();
    data
}

/// Every image, when it is trained on, is one of the eighteen that a flip and a shift of up to one pixel can make.
#[test]
fn training_images_are_those_that_the_draws_say() {
    let data = augmented("flip, shift 1", 3);
    let augmentation = fitted(&data).augmentation.unwrap();
    let (mut moved, mut same) = (0, 0);
    for place in 0..200u32 {
        let row = place % 40;
        let at = Draw { seed: 5, epoch: 2, position: u64::from(place) };
        let (plain, mut found) = (features(&data.train, row), vec![9.0; 36]);
        data.train.features_at(&[row], at, &mut found);
        let change = augmentation.draw(at, 0, 3, 4);
        for (channel, y, x) in (0..3).flat_map(|c| (0..3).flat_map(move |y| (0..4).map(move |x| (c, y, x)))) {
            let (from_y, from_x) = (y as isize - change.down, x as isize - change.right);
            let inside = (0..3).contains(&from_y) && (0..4).contains(&from_x);
            let column = if change.flip { 3 - from_x } else { from_x };
            let wanted = if inside { plain[channel * 12 + (from_y * 4 + column) as usize] } else { 0.0 };
            assert_eq!(found[channel * 12 + y * 4 + x], wanted, "row {row}, channel {channel}, {y}, {x}: {change:?}");
        }
        if found == plain { same += 1 } else { moved += 1 }
    }
    assert!(moved > 100 && same > 0, "{moved} {same}");
}

#[test]
fn a_cut_out_is_a_square_of_zeros_in_every_channel() {
    let data = augmented("cutout 2", 3);
    let cut: Vec<usize> = (0..40u32)
        .map(|row| {
            let (plain, mut found) = (features(&data.train, row), vec![9.0; 36]);
            data.train.features_at(&[row], Draw { seed: 1, epoch: 0, position: u64::from(row) }, &mut found);
            let changed = |at: usize| found[at] == 0.0 && plain[at] != 0.0;
            assert!((0..36).all(|at| changed(at) || found[at] == plain[at]));
            (0..12).filter(|at| changed(*at) || changed(at + 12) || changed(at + 24)).count()
        })
        .collect();
    // The whole square, or what is left of it at the border.
    assert!(cut.iter().all(|count| [1, 2, 4].contains(count)), "{cut:?}");
    assert!([1, 2, 4].iter().all(|count| cut.contains(count)), "{cut:?}");
}

#[test]
fn nothing_is_done_where_nothing_is_asked_for() {
    let mut data = Prepared::images(images(40, 1), None, &options()).unwrap();
    data.augment(Augmentation::default()).unwrap();
    assert_eq!(fitted(&data).augmentation, None);
    let mut found = vec![9.0; 12];
    data.train.features_at(&[7], Draw::default(), &mut found);
    assert_eq!(found, features(&data.train, 7));
    let error = data.augment("shift 3".parse().unwrap()).unwrap_err().to_string();
    assert!(
        error.contains("shift 3 may leave nothing of images of 3 x 4 pixels\n  hint: write shift with less than 3")
    );
}

#[test]
fn a_table_has_no_images_to_change() {
    use glassnet_model::table::{Column, Table, Values};
    let column = |name: &str, values: Vec<f64>| Column { name: name.to_owned(), values: Values::Number(values) };
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let y = x.iter().map(|x| x % 2.0).collect();
    let table = Table {
        source: "t.csv".into(),
        columns: vec![column("x", x), column("label", y)],
        rows: 40,
        ..Table::default()
    };
    let mut data = Prepared::table(table, None, &options()).unwrap();
    let error = data.augment(Augmentation { flip: true, ..Augmentation::default() }).unwrap_err();
    assert!(error.to_string().contains("the data is a table"), "{error}");
}

fn trained(data: &Prepared, batch: usize, accumulate: usize, threads: usize) -> Vec<f32> {
    let headed = data.network(&"4 relu".parse().unwrap(), None, 0.0).unwrap();
    let spec =
        TrainSpec { epochs: 3, batch: Batch::Rows(batch), accumulate, lr: 0.01, seed: 9, ..TrainSpec::default() };
    let first = headed.network.initialise(9);
    let team = Team::new(threads);
    let trainer = Trainer::new(&headed.network, first, data.train(), data.valid(), spec, team).unwrap();
    trainer.run(&mut Silent).parameters
}

/// What is drawn for a row depends on its place in the epoch alone.
#[test]
fn the_same_images_however_the_epoch_is_cut() {
    let data = augmented("flip, shift 1, cutout 2", 3);
    let plain = Prepared::images(images(40, 3), None, &options()).unwrap();
    let whole = trained(&data, 8, 1, 1);
    assert_eq!(whole, trained(&data, 8, 1, 3), "threads");
    assert_eq!(whole, trained(&data, 8, 1, 1), "again");
    assert_ne!(whole, trained(&plain, 8, 1, 1));
    // Accumulated gradients round otherwise, so the inputs themselves are compared: at the same places they are the same.
    let rows: Vec<u32> = (0..30).collect();
    let at = |position| Draw { seed: 9, epoch: 1, position };
    let mut once = vec![0f32; 30 * 36];
    data.train.features_at(&rows, at(4), &mut once);
    for cut in [1, 7, 8] {
        let mut parts = vec![0f32; 30 * 36];
        for (index, (rows, out)) in rows.chunks(cut).zip(parts.chunks_mut(cut * 36)).enumerate() {
            data.train.features_at(rows, at(4 + (index * cut) as u64), out);
        }
        assert_eq!(once, parts, "{cut}");
    }
    // And the loss of a batch is that of its parts.
    let headed = data.network(&"4 relu".parse().unwrap(), None, 0.0).unwrap();
    let parameters: Vec<f32> = headed.network.initialise(9);
    let loss = |rows: &[u32], position: u64| {
        let info = StepInfo { seed: 9, epoch: 1, position, ..StepInfo::default() };
        let team = Team::single();
        f64::from(loss_and_gradients(&headed.network, &parameters, &data.train, rows, &info, &team).loss)
    };
    let (all, parts) = (loss(&rows, 4), (loss(&rows[..10], 4) + loss(&rows[10..20], 14) + loss(&rows[20..], 24)) / 3.0);
    assert!((all - parts).abs() < 1e-6, "{all} {parts}");
    assert!((all - loss(&rows, 5)).abs() > 1e-6, "another place, other images");
}

#[test]
fn evaluation_never_changes_an_image() {
    let data = augmented("flip, shift 1, cutout 2", 3);
    let plain = Prepared::images(images(40, 3), None, &options()).unwrap();
    for row in 0..40 {
        assert_eq!(features(&data.train, row), features(&plain.train, row));
    }
    let model = model(&data);
    let scores = |data: &Prepared| model.evaluate(&data.train, &data.valid_rows, &Team::single()).unwrap();
    assert_eq!(scores(&data), scores(&plain));
    // The file keeps what was done, and predicts without it.
    let again = Model::from_bytes(&model.to_bytes().unwrap()).unwrap();
    let Features::Images(kept) = &again.document().preprocess else { panic!() };
    assert_eq!(kept.augmentation, Some(Augmentation { flip: true, shift: 1, cutout: 2 }));
    let (encoded, rows) = again.encode_images(images(40, 3), true).unwrap();
    for row in rows {
        assert_eq!(features(&encoded, row), features(&plain.train, row));
    }
}
