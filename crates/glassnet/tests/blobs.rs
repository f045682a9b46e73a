//! 2,000 steps beside an independent program: its data, its start, its batches, and every loss on the way.

use std::path::Path;

use glassnet::core::Team;
use glassnet::data::{Arrays, read_arrays};
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::spec::NetSpec;
use glassnet::nn::train::{Batch, Rows, TrainSpec, Trainer};

/// A weight written [in, out] as a network has it, [out, in].
fn weight(arrays: &Arrays, name: &str) -> Vec<f64> {
    let array = arrays.get(name).unwrap_or_else(|| panic!("no array {name}"));
    let [rows, columns] = array.shape[..] else { panic!("{name} is {:?}", array.shape) };
    (0..columns).flat_map(|column| (0..rows).map(move |row| array.values[row * columns + column])).collect()
}

/// The largest distance of two lists.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|value| value.is_finite()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn two_thousand_losses_and_the_final_weights() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = std::fs::read_to_string(golden.join("worked_examples.json")).unwrap();
    let settings = &serde_json::from_str::<serde_json::Value>(&text).unwrap()["blobs_4_16_3"];
    let arrays = read_arrays(golden.join(settings["file"].as_str().unwrap()).to_str().unwrap()).unwrap();
    let values = |name: &str| arrays.get(name).unwrap_or_else(|| panic!("no array {name}")).values.clone();

    let network =
        Network::new(&"4 -> 16 relu -> 3".parse::<NetSpec>().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
    let (first, second) = (weight(&arrays, "W1"), weight(&arrays, "W2"));
    let start: [(&str, &[f64]); 4] =
        [("0.weight", &first), ("0.bias", &[0.0; 16]), ("2.weight", &second), ("2.bias", &[0.0; 3])];
    let parameters: Vec<f64> = network.parameters_from(&start).unwrap();
    let data = Matrix::with_labels(values("X"), 4, values("y").iter().map(|&y| y as i32).collect());
    let rows: Vec<u32> = (0..1024).collect();
    let spec = TrainSpec {
        batch: Batch::Rows(settings["batch"].as_u64().unwrap() as usize),
        lr: settings["lr"].as_f64().unwrap(),
        optimizer: "sgd".parse().unwrap(),
        ..TrainSpec::default()
    };
    let part = Rows { source: &data, rows: &rows };
    let mut trainer = Trainer::new(&network, parameters, part, None, spec, Team::single()).unwrap();

    let batches: Vec<u32> = values("batches").iter().map(|&row| row as u32).collect();
    let losses: Vec<f64> = batches.chunks(32).map(|batch| trainer.step(batch, 0, 0).unwrap().loss).collect();
    assert_eq!(losses.len(), 2000);
    let distance = apart(&losses, &values("losses"));
    println!("losses: {distance:e} apart");
    assert!(distance <= 1e-9, "{distance:e}");
    let ends = [
        ("0.weight", weight(&arrays, "W1_final")),
        ("0.bias", values("b1_final")),
        ("2.weight", weight(&arrays, "W2_final")),
        ("2.bias", values("b2_final")),
    ];
    for (slot, end) in ends {
        let distance = apart(network.slot(slot, trainer.parameters()).unwrap(), &end);
        println!("{slot}: {distance:e} apart");
        assert!(distance <= 1e-8, "{slot}: {distance:e}");
    }
}
