//! A row that is served alone: the bytes of the row in a table, calibrated or not, without an allocation.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use allocation_counter::measure;
use glassnet_core::Team;
use glassnet_model::calibration::Knots;
use glassnet_model::fit::{FitOptions, Prepared};
use glassnet_model::{Calibration, Model, Value};
use glassnet_nn::spec::NetSpec;
use made::{numbers, table, words};

const ROWS: usize = 40;
const CARRIERS: [&str; 4] = ["AA", "B6", "DL", "UA"];

fn number(row: usize) -> f64 {
    ((row * 37 % 23) as f64 - 11.0) / 3.0
}

fn data(classes: usize) -> glassnet_model::table::Table {
    let temp: Vec<f64> = (0..ROWS).map(|row| if row % 7 == 3 { f64::NAN } else { number(row) }).collect();
    let carrier: Vec<&str> = (0..ROWS).map(|row| CARRIERS[row * 5 % 4]).collect();
    let kind: Vec<&str> = (0..ROWS).map(|row| ["a", "b", "c"][row % classes]).collect();
    table(vec![numbers("temp", &temp), words("carrier", &carrier), words("kind", &kind)])
}

fn model(classes: usize, net: &str) -> Model {
    let prepared = Prepared::table(data(classes), None, &FitOptions::new("kind")).unwrap();
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    let first = headed.network.initialise(5);
    prepared.model(&headed, first).unwrap()
}

/// Three networks whose scores are averaged.
fn members(classes: usize, net: &str) -> Model {
    let prepared = Prepared::table(data(classes), None, &FitOptions::new("kind")).unwrap();
    let headed = prepared.network(&NetSpec::parse(net).unwrap(), None, 0.0).unwrap();
    let all: Vec<f32> = [5, 6, 7].into_iter().flat_map(|seed| headed.network.initialise::<f32>(seed)).collect();
    prepared.model(&headed, all).unwrap()
}

/// Everything that a calibration can do.
fn bent(model: Model, classes: usize) -> Model {
    let mut calibration = Calibration { slope: 0.7, mix: 0.01, ..Calibration::default() };
    if classes == 2 {
        calibration.offset = -0.3;
        calibration.knots = Some(Knots { x: vec![0.1, 0.5, 0.9], y: vec![0.0, 0.4, 1.0] });
    }
    model.with_calibration(Some(calibration)).unwrap()
}

#[test]
fn the_scores_of_members_are_averaged() {
    for classes in [2, 3] {
        let (together, first) = (members(classes, "7 tanh"), model(classes, "7 tanh"));
        let alone: Vec<Model> = [5, 6, 7]
            .into_iter()
            .map(|seed| {
                let prepared = Prepared::table(data(classes), None, &FitOptions::new("kind")).unwrap();
                let headed = prepared.network(&NetSpec::parse("7 tanh").unwrap(), None, 0.0).unwrap();
                prepared.model(&headed, headed.network.initialise(seed)).unwrap()
            })
            .collect();
        assert_eq!(
            (together.parameters(), together.parameter_count()),
            (first.parameters(), 3 * first.parameter_count())
        );
        let scores = |model: &Model| {
            let (encoded, rows, _) = model.encode_table(&data(classes), false).unwrap();
            model.scores(&mut model.runner(Team::single()), &encoded, &rows).unwrap()
        };
        let each: Vec<Vec<f32>> = alone.iter().map(scores).collect();
        for (place, mean) in scores(&together).into_iter().enumerate() {
            let wanted: f64 = each.iter().map(|scores| f64::from(scores[place])).sum::<f64>() / 3.0;
            assert!((f64::from(mean) - wanted).abs() < 1e-6, "{mean} {wanted}");
        }
        let file = together.to_bytes().unwrap();
        let again = Model::from_bytes(&file).unwrap();
        assert_eq!((scores(&again), again.members().len()), (scores(&together), 3));
        assert_eq!(again.to_bytes().unwrap(), file);
        assert!(safetensors::SafeTensors::deserialize(&file).unwrap().tensor("member3.0.weight").is_ok());
        let at = file.windows(11).position(|part| part == b"members\\\":3").unwrap();
        for digit in [b'0', b'2', b'9'] {
            let mut forged = file.clone();
            forged[at + 10] = digit;
            assert!(Model::from_bytes(&forged).is_err(), "{} members", digit as char);
        }
    }
}

fn row(number_of_row: usize) -> [Value<'static>; 2] {
    let temp = if number_of_row % 7 == 3 { Value::Missing } else { Value::Number(number(number_of_row)) };
    [temp, Value::Text(CARRIERS[number_of_row * 5 % 4])]
}

#[test]
fn alone_and_in_a_table_a_row_has_the_same_scores() {
    for classes in [2, 3] {
        for net in ["64 relu -> 64 relu", "7 tanh"] {
            let plain = model(classes, net);
            let warm = plain.clone().with_calibration(Some(Calibration::temperature(1.7))).unwrap();
            let models = vec![plain.clone(), warm, members(classes, net), bent(members(classes, net), classes)];
            let mut first_scores = Vec::new();
            for model in &models {
                let (encoded, rows, _) = model.encode_table(&data(classes), false).unwrap();
                let together = model.scores(&mut model.runner(Team::new(2)), &encoded, &rows).unwrap();
                let (mut scratch, mut out) = (model.scratch(), vec![0.0; classes]);
                assert_eq!(model.columns(), ["temp", "carrier"]);
                for at in 0..ROWS {
                    let values = row(at);
                    let counted = measure(|| model.predict_into(&values, &mut scratch, &mut out).unwrap());
                    assert_eq!(counted.count_total, 0, "it allocates");
                    assert_eq!(out, together[at * classes..][..classes], "{classes} classes, {net}, row {at}");
                    assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                }
                first_scores.push(together);
            }
            assert!(first_scores.windows(2).all(|pair| pair[0] != pair[1]), "a calibration changes the scores");
        }
    }
}
