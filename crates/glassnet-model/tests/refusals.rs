//! What does not go together is refused, and what counts for the loss alone stays out of the metrics.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use glassnet_core::Team;
use glassnet_model::encoded::Encoded;
use glassnet_model::fit::{ClassWeights, FitOptions, HeadError, Prepared};
use glassnet_model::schema::Override;
use glassnet_model::table::{Images, Table};
use glassnet_model::value::RowError;
use glassnet_model::{Model, ModelError, Value};
use glassnet_nn::history::History;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::source::Source;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Silent, TrainSpec, Trainer};
use made::{numbers, table, words};

const ROWS: usize = 80;

fn options() -> FitOptions {
    FitOptions { validation_share: Some(0.25), seed: 1, ..FitOptions::new("y") }
}

fn weighted(weights: &[f64]) -> FitOptions {
    FitOptions { class_weights: ClassWeights::InOrder(weights.to_vec()), ..options() }
}

/// Two columns of numbers and a target of so many classes.
fn classes(classes: usize) -> Table {
    let x: Vec<f64> = (0..ROWS).map(|i| (i * 37 % 17) as f64).collect();
    let z: Vec<f64> = (0..ROWS).map(|i| (i * 11 % 23) as f64).collect();
    let y: Vec<&str> = (0..ROWS).map(|i| ["a", "b", "c"][(i * 7 + i / 5) % classes]).collect();
    table(vec![numbers("x", &x), numbers("z", &z), words("y", &y)])
}

fn targets() -> Vec<f64> {
    (0..ROWS).map(|i| (i * i % 41) as f64 * 1000.0 + 0.5).collect()
}

/// One column and a target in thousands.
fn regression() -> Table {
    let y = targets();
    table(vec![numbers("x", &y.iter().map(|y| y * y).collect::<Vec<_>>()), numbers("y", &y)])
}

fn spec(text: &str) -> NetSpec {
    text.parse().unwrap()
}

fn bce() -> LossSpec {
    LossSpec::binary_cross_entropy()
}

fn soft() -> LossSpec {
    LossSpec::SoftCrossEntropy { smoothing: 0.0, class_weights: Vec::new() }
}

fn train(data: &Prepared, net: &str) -> (Model, History) {
    let headed = data.network(&spec(net), None, 0.0).unwrap();
    let settings = TrainSpec { epochs: 5, batch: Batch::Rows(16), ..TrainSpec::default() };
    let start = headed.network.initialise(1);
    let trainer = Trainer::new(&headed.network, start, data.train(), data.valid(), settings, Team::single()).unwrap();
    let outcome = trainer.run(&mut Silent);
    (data.model(&headed, outcome.parameters).unwrap(), outcome.history)
}

fn model(net: &str) -> Model {
    train(&Prepared::table(classes(2), None, &options()).unwrap(), net).0
}

#[test]
fn the_scratch_of_another_model_is_refused() {
    let (small, large) = (model("4 relu"), model("16 relu"));
    let row = [Value::Number(1.0), Value::Number(2.0)];
    let mut out = [9.0; 2];
    let mut of_small = small.scratch();
    small.predict_into(&row, &mut of_small, &mut out).unwrap();
    let wanted = out;
    assert_eq!(large.predict_into(&row, &mut of_small, &mut out), Err(RowError::Scratch));
    assert_eq!(small.predict_into(&row, &mut large.scratch(), &mut out), Err(RowError::Scratch));
    assert_eq!(out, wanted);
    // A clone is the same model.
    small.clone().predict_into(&row, &mut of_small, &mut out).unwrap();
    assert_eq!(out, wanted);
}

#[test]
fn runners_and_rows_of_another_model_are_refused() {
    let (small, large) = (model("4 relu"), model("16 relu"));
    let (encoded, rows, _) = small.encode_table(&classes(2), true).unwrap();
    let error = small.scores(&mut large.runner(Team::single()), &encoded, &rows).unwrap_err().to_string();
    assert_eq!(error, "the runner was made by another model; make it with this model's runner()");
    let (number, _) = train(&Prepared::table(regression(), None, &options()).unwrap(), "4 relu");
    let foreign = ModelError::Foreign {
        what: "the rows were encoded for another model",
        maker: "encode_table() or encode_images()",
    };
    assert_eq!(number.scores(&mut number.runner(Team::single()), &encoded, &rows).unwrap_err(), foreign);
    assert_eq!(number.evaluate(&encoded, &rows, &Team::single()).unwrap_err(), foreign);
    // Its own rows: the same bytes as one row at a time.
    let scores = small.scores(&mut small.runner(Team::single()), &encoded, &rows).unwrap();
    let (mut scratch, mut out) = (small.scratch(), [0.0; 2]);
    small.predict_into(&[Value::Number(0.0), Value::Number(0.0)], &mut scratch, &mut out).unwrap();
    assert_eq!(out, scores[..2]);
}

#[test]
fn class_weights_are_of_the_loss_and_not_of_the_metrics() {
    for net in ["2 -> 4 relu -> 1", "2 -> 4 relu -> 2"] {
        let data = Prepared::table(classes(2), None, &weighted(&[1.0, 50.0])).unwrap();
        let (model, history) = train(&data, net);
        let (fresh, _, _) = model.encode_table(&classes(2), true).unwrap();
        let prepared = model.evaluate(&data.train, &data.valid_rows, &Team::single()).unwrap();
        assert_eq!(prepared, model.evaluate(&fresh, &data.valid_rows, &Team::single()).unwrap(), "{net}");
        // With that weight nearly every row is called b: about half of them are, and that is what accuracy says.
        let accuracy = prepared.scores.accuracy.unwrap();
        assert!(accuracy < 0.7, "{net}: {accuracy}");
        assert_eq!(history.best().unwrap().valid.accuracy, Some(accuracy), "{net}");
        assert!(data.valid_rows.iter().all(|&row| data.train.weight(row) == 1.0));
    }
}

#[test]
fn class_weights_and_smoothing_reach_every_loss() {
    let data = Prepared::table(classes(2), None, &weighted(&[1.0, 50.0])).unwrap();
    let loss = |net: &str, loss, smoothing| {
        data.network(&spec(net), loss, smoothing).map(|headed| headed.network.objective.unwrap().loss)
    };
    let softmax = |smoothing| LossSpec::CrossEntropy { smoothing, class_weights: vec![1.0, 50.0] };
    let binary = LossSpec::BinaryCrossEntropy { positive_weight: 1.0, class_weights: vec![1.0, 50.0] };
    assert_eq!(loss("4 relu", None, 0.1), Ok(softmax(0.1)));
    assert_eq!(loss("4 relu", Some(LossSpec::cross_entropy()), 0.1), Ok(softmax(0.1)));
    assert_eq!(loss("4 relu", Some(softmax(0.1)), 0.0), Ok(softmax(0.1)));
    assert_eq!(loss("2 -> 1", None, 0.0), Ok(binary.clone()));
    assert_eq!(loss("4 relu", Some(bce()), 0.0), Ok(binary));
    let other = LossSpec::CrossEntropy { smoothing: 0.0, class_weights: vec![2.0, 1.0] };
    assert_eq!(loss("4 relu", Some(other), 0.0), Err(HeadError::Twice { what: "class weights" }));
    assert_eq!(loss("4 relu", Some(softmax(0.2)), 0.1), Err(HeadError::Twice { what: "numbers of label smoothing" }));
    assert_eq!(loss("2 -> 1", None, 0.1), Err(HeadError::Smoothing { smoothing: 0.1, loss: "binary_cross_entropy" }));
}

#[test]
fn losses_that_mean_nothing_for_the_target_are_refused() {
    let refused = |data: &Prepared, net: &str, loss: LossSpec, why: &str| {
        let error = data.network(&spec(net), Some(loss), 0.0).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    let three = Prepared::table(classes(3), None, &options()).unwrap();
    refused(&three, "4 relu", LossSpec::MeanSquared, "it is for numbers, but the target is a class");
    refused(&three, "4 relu", LossSpec::Huber { delta: 1.0 }, "it is for numbers");
    refused(&three, "4 relu", soft(), "the target names one class a row");
    refused(&three, "4 relu", bce(), "it is for two classes, but the target has 3");
    let two = Prepared::table(classes(2), None, &options()).unwrap();
    refused(&two, "2 -> 1", LossSpec::cross_entropy(), "the network ends in 1");
    let number = Prepared::table(regression(), None, &options()).unwrap();
    for loss in [LossSpec::cross_entropy(), soft(), bce()] {
        refused(&number, "4 relu", loss, "it is for classes, but the target is a number");
    }
    for loss in [LossSpec::MeanSquared, LossSpec::MeanAbsolute, LossSpec::Huber { delta: 1.0 }] {
        assert!(number.network(&spec("4 relu"), Some(loss), 0.0).is_ok());
    }
}

#[test]
fn rows_without_targets_are_not_evaluated() {
    let model = model("4 relu");
    let (encoded, rows, _) = model.encode_table(&classes(2), false).unwrap();
    assert_eq!(encoded.label(3), -1);
    let error = model.evaluate(&encoded, &rows, &Team::single()).unwrap_err();
    assert_eq!(error, ModelError::NoTarget { row: 0 });
    let (mut encoded, rows, _) = model.encode_table(&classes(2), true).unwrap();
    assert!(model.evaluate(&encoded, &rows, &Team::single()).is_ok());
    // A class that this model does not have, a blank target, a row beyond the table.
    for (row, label) in [(5, 2), (7, -1)] {
        let right = std::mem::replace(&mut encoded.labels[row], label);
        let error = model.evaluate(&encoded, &rows, &Team::single()).unwrap_err();
        assert_eq!(error, ModelError::NoTarget { row: row as u32 });
        encoded.labels[row] = right;
    }
    let beyond = model.evaluate(&encoded, &[ROWS as u32], &Team::single()).unwrap_err();
    assert_eq!(beyond, ModelError::NoTarget { row: ROWS as u32 });

    let (number, _) = train(&Prepared::table(regression(), None, &options()).unwrap(), "4 relu");
    let (encoded, rows, _) = number.encode_table(&regression(), false).unwrap();
    let mut value = [0f32];
    encoded.values(3, &mut value);
    assert!(value[0].is_nan());
    assert_eq!(number.evaluate(&encoded, &rows, &Team::single()).unwrap_err(), ModelError::NoTarget { row: 0 });
}

fn images(rows: usize, labels: Vec<u32>) -> Images {
    let pixels = (0..rows * 4).map(|i| (i * 31 % 256) as u8).collect();
    let classes = Vec::new();
    Images { source: "digits".to_owned(), pixels, labels, classes, rows, height: 2, width: 2, channels: 1 }
}

#[test]
fn every_image_has_its_label() {
    let train_images = || images(20, (0..20).map(|i| i % 2).collect());
    let error = Prepared::images(train_images(), Some(images(10, vec![1, 1, 1])), &options()).unwrap_err();
    assert_eq!(error, ModelError::Labels { source_name: "digits".to_owned(), labels: 3, images: 10 });
    assert!(Prepared::images(images(20, vec![0, 1]), None, &options()).is_err());
    let (model, _) = train(&Prepared::images(train_images(), None, &options()).unwrap(), "4 relu");
    assert!(matches!(model.encode_images(images(10, vec![1]), true), Err(ModelError::Labels { labels: 1, .. })));
    assert!(model.encode_images(images(10, Vec::new()), false).is_ok());
    let short = Images { pixels: vec![0; 39], ..images(10, vec![0; 10]) };
    let error = model.encode_images(short, true).unwrap_err().to_string();
    assert!(error.starts_with("pixels of the images: expected 40, got 39"), "{error}");
}

#[test]
fn one_role_for_a_column() {
    let says = |options: FitOptions, part: &str| {
        let mut data = classes(2);
        data.columns.push(numbers("w", &[1.0; ROWS]));
        let error = Prepared::table(data, None, &options).unwrap_err();
        assert!(matches!(error, ModelError::BadOverride { .. }), "{error}");
        assert!(error.to_string().contains(part), "{error}");
    };
    let number = FitOptions { weight_column: Some("y".into()), ..options() };
    let error = Prepared::table(regression(), None, &number).unwrap_err().to_string();
    assert!(error.starts_with("column \"y\" cannot be the row weights: it is the target\n  hint: "), "{error}");
    for (kind, word) in [(Override::Drop, "dropped"), (Override::Category, "category")] {
        let mut with = options();
        with.overrides.insert("y".into(), kind);
        says(with.clone(), &format!("column \"y\" cannot be {word}: it is the target"));
        with = FitOptions { weight_column: Some("w".into()), ..options() };
        with.overrides.insert("w".into(), kind);
        says(with, &format!("column \"w\" cannot be {word}: it holds the row weights"));
    }
}

#[test]
fn blank_targets_of_validation_rows_are_counted() {
    let mut y = targets();
    let valid = || table(vec![numbers("x", &targets()), numbers("y", &y)]);
    assert_eq!(Prepared::table(regression(), Some(valid()), &options()).unwrap().blank_valid, 0);
    y[..70].fill(f64::NAN);
    let valid = table(vec![numbers("x", &targets()), numbers("y", &y)]);
    let data = Prepared::table(regression(), Some(valid), &options()).unwrap();
    assert_eq!((data.blank, data.blank_valid, data.valid_rows.len()), (0, 70, 10));
}

#[test]
fn history_and_evaluation_have_one_unit() {
    let data = Prepared::table(regression(), None, &options()).unwrap();
    let (model, history) = train(&data, "4 relu");
    let scores = model.evaluate(&data.train, &data.valid_rows, &Team::single()).unwrap().scores;
    let (told, found) = (history.best().unwrap().valid.rmse.unwrap(), scores.rmse.unwrap());
    // In the target's unit, thousands; the same to the rounding of a 32-bit target.
    assert!(found > 1000.0 && (told - found).abs() < 1e-5 * found, "{told} {found}");
    let encoded: &Encoded<f32> = &data.train;
    let mut value = [0f32];
    encoded.values(3, &mut value);
    assert!((encoded.restore(f64::from(value[0])) - targets()[3]).abs() < 0.01);
}
