//! Running statistics of batch norm in a model of images: kept in the file, used by evaluate and predict.
#![allow(clippy::unwrap_used, clippy::panic)]

use glassnet_core::Team;
use glassnet_model::Model;
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::table::Images;
use glassnet_nn::source::Source;
use glassnet_nn::train::{Batch, Silent, TrainSpec, Trainer};

const NET: &str = "conv 4 3x3 same no bias -> batchnorm -> relu -> maxpool 2 -> 8 relu -> batchnorm";

/// Two classes: bright above, or bright below.
fn images(rows: usize) -> Images {
    let pixel = |at: usize| {
        let (row, place) = (at / 24, at % 24);
        let bright = (place < 12) == row.is_multiple_of(2);
        (at * 37 % 101 + if bright { 120 } else { 0 }) as u8
    };
    Images {
        source: "photos".to_owned(),
        pixels: (0..rows * 24).map(pixel).collect(),
        labels: (0..rows as u32).map(|row| row % 2).collect(),
        classes: vec!["above".to_owned(), "below".to_owned()],
        rows,
        height: 6,
        width: 4,
        channels: 1,
    }
}

fn trained() -> (Prepared, Model) {
    let options = FitOptions { validation_share: Some(0.25), seed: 1, ..FitOptions::new("label") };
    let data = Prepared::images(images(60), None, &options).unwrap();
    let headed = data.network(&NET.parse().unwrap(), None, 0.0).unwrap();
    let spec = TrainSpec { epochs: 20, batch: Batch::Rows(10), lr: 0.01, ..TrainSpec::default() };
    let start = headed.network.initialise(1);
    let trainer = Trainer::new(&headed.network, start, data.train(), data.valid(), spec, Team::single()).unwrap();
    let outcome = trainer.run(&mut Silent);
    let model = data.model(&headed, outcome.parameters).unwrap();
    (data, model)
}

#[test]
fn statistics_are_in_the_file_and_what_predicts() {
    let (_, model) = trained();
    let slots = model.network().graph.slots();
    let moved: Vec<_> = slots.iter().filter(|slot| slot.role.is_statistic()).collect();
    let names: Vec<&str> = moved.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for slot in moved {
        let values = &model.parameters()[slot.range()];
        assert!(values.iter().any(|value| *value != 0.0 && *value != 1.0), "{}: {values:?}", slot.name);
    }
    let bytes = model.to_bytes().unwrap();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert_eq!(read.parameters(), model.parameters());

    // One row alone as in a batch: the statistics are the file's, not the batch's.
    let (encoded, rows) = read.encode_images(images(24), true).unwrap();
    let mut runner = read.runner(Team::new(2));
    let all = read.scores(&mut runner, &encoded, &rows).unwrap();
    for (place, &row) in rows.iter().enumerate() {
        let alone = read.scores(&mut runner, &encoded, &[row]).unwrap();
        assert_eq!(alone, all[place * 2..place * 2 + 2]);
    }
    let accuracy = read.evaluate(&encoded, &rows, &Team::single()).unwrap().scores.accuracy.unwrap();
    assert!(accuracy > 0.95, "{accuracy}");

    // With the statistics of the start it is another model.
    let mut parameters = read.parameters().to_vec();
    for slot in read.network().graph.slots().iter().filter(|slot| slot.role.is_statistic()) {
        parameters[slot.range()].fill(if slot.name.ends_with("mean") { 0.0 } else { 1.0 });
    }
    let other = Model::new(read.document().clone(), parameters).unwrap();
    let (encoded, rows) = other.encode_images(images(24), true).unwrap();
    assert_ne!(other.scores(&mut other.runner(Team::single()), &encoded, &rows).unwrap(), all);
}

#[test]
fn a_file_without_a_statistic_is_refused() {
    let (_, model) = trained();
    let bytes = model.to_bytes().unwrap();
    let (document, mut tensors) = glassnet_model::file::from_bytes(&bytes).unwrap();
    let place = tensors.iter().position(|tensor| tensor.name.contains("running_var")).unwrap();
    let gone = tensors.remove(place);
    let file = glassnet_model::file::to_bytes(&document, &tensors).unwrap();
    let error = Model::from_bytes(&file).unwrap_err().to_string();
    assert!(error.contains(&gone.name) && error.contains("missing"), "{error}");
}

/// What the trainer calls its validation loss is what the model's own evaluation gives: both use the statistics.
#[test]
fn the_model_evaluates_as_the_training_validated() {
    let (data, model) = trained();
    let rows = data.valid().unwrap().rows.to_vec();
    let (encoded, _) = model.encode_images(images(60), true).unwrap();
    assert_eq!(Source::<f32>::rows(&encoded), 60);
    let found = model.evaluate(&encoded, &rows, &Team::single()).unwrap();
    let valid = data.valid().unwrap();
    let mut runner = model.runner(Team::single());
    let again = model.scores(&mut runner, valid.source, valid.rows).unwrap();
    let right = again
        .chunks(2)
        .zip(valid.rows)
        .filter(|(scores, row)| usize::from(scores[1] > scores[0]) == valid.source.label(**row) as usize);
    let share = right.count() as f64 / rows.len() as f64;
    assert_eq!(found.scores.accuracy, Some(share));
}
