//! A row that is served alone: the bytes of the row in a table, calibrated or not, without an allocation.
#![allow(clippy::unwrap_used, clippy::panic)]

mod made;

use allocation_counter::measure;
use glassnet_core::Team;
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
            let models = vec![plain.clone(), warm];
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
