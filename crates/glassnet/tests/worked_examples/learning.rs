//! Losses, gradients and steps.

use glassnet::core::{Real, StepInfo, Team};
use glassnet::data::read_arrays;
use glassnet::nn::functional::loss_and_gradients;
use glassnet::nn::loss::LossSpec;
use glassnet::nn::network::Network;
use glassnet::nn::source::Matrix;
use glassnet::nn::spec::NetSpec;
use glassnet::nn::train::{Batch, Rows, TrainSpec, Trainer};

use crate::net::{Net, typed};
use crate::reader::Entry;

/// A matrix the other way round: the file writes weights [in, out], a network has them [out, in].
fn turned<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    assert_eq!(values.len(), rows * columns);
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

fn norm<T: Real>(values: &[T]) -> T {
    let squares: Vec<T> = values.iter().map(|&value| value * value).collect();
    glassnet::core::sum(&squares).sqrt()
}

pub fn gradient_descent<T: Real>(entry: &Entry<'_>) {
    let (rows, columns) = (4, 3);
    assert_eq!(entry.at("loss").text(), "mean squared error over all 3 outputs");
    let text = format!("{rows} -> {columns} {}", entry.at("activation").text());
    let network = Network::new(&text.parse::<NetSpec>().unwrap(), Some(&LossSpec::MeanSquared)).unwrap();
    let start = turned(&entry.at("W").numbers(), rows, columns);
    let bias = entry.at("b").numbers();
    let parameters: Vec<T> = network.parameters_from(&[("0.weight", &start), ("0.bias", &bias)]).unwrap();
    let weight = |buffer: &[T]| turned(network.slot("0.weight", buffer).unwrap(), columns, rows);
    let bias = |buffer: &[T]| network.slot("0.bias", buffer).unwrap().to_vec();
    let x: Vec<T> = typed(&entry.at("x").numbers());
    let data = Matrix::with_values(x.clone(), rows, typed(&entry.at("target").numbers()), columns);

    // The first step in the functional form, which changes nothing.
    let first = entry.at("first");
    let values = network.layer_values(&parameters, &x).unwrap();
    first.at("z").is(&values[0]);
    first.at("a").is(&values[1]);
    let z: Vec<f64> = values[0].iter().map(|z| z.to_f64()).collect();
    first.at("softmax_of_z").is(&Net::<T>::new("3 -> softmax", &[]).run(&z));
    let got = loss_and_gradients(&network, &parameters, &data, &[0], &StepInfo::default(), &Team::single());
    first.at("mse").is(&[got.loss]);
    first.at("dW").is(&weight(&got.gradients));
    first.at("db").is(&bias(&got.gradients));

    let lr = entry.at("lr").number();
    let spec =
        TrainSpec { epochs: 5, batch: Batch::All, lr, optimizer: "sgd".parse().unwrap(), ..TrainSpec::default() };
    let part = Rows { source: &data, rows: &[0] };
    let mut trainer = Trainer::new(&network, parameters, part, None, spec, Team::single()).unwrap();
    let (epochs, steps) = (entry.at("epochs").items(), entry.at("steps").items());
    assert_eq!((epochs.len(), steps.len()), (5, 5));
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for (number, (epoch, step)) in (1..).zip(epochs.iter().zip(&steps)) {
        assert_eq!((epoch.at("epoch").count(), step.at("epoch").count()), (number, number));
        let old = weight(trainer.parameters());
        step.at("old_W").is(&old);
        let report = trainer.step(&[0], number as u32 - 1, 0).unwrap();
        let gradient = weight(trainer.gradients());
        losses.push(report.loss);
        norms.push(norm(&gradient));
        epoch.at("loss").is(&[T::from_f64(report.loss)]);
        epoch.at("grad_norm_of_W").is(&norms[norms.len() - 1..]);
        step.at("dW").is(&gradient);
        step.at("db").is(&bias(trainer.gradients()));
        let new = weight(trainer.parameters());
        step.at("new_W").is(&new);
        // lr times the gradient is what was taken off.
        step.at("step_W").is(&old.iter().zip(&new).map(|(&old, &new)| old - new).collect::<Vec<T>>());
        step.at("step_W").is(&gradient.iter().map(|&g| T::from_f64(lr) * g).collect::<Vec<T>>());
    }
    entry.at("final_W").is(&weight(trainer.parameters()));
    entry.at("final_b").is(&bias(trainer.parameters()));
    let printed = entry.at("printed");
    printed.at("losses").is_printed(&losses);
    printed.at("grad_norms").is_printed(&norms);
    let row: Vec<f64> = weight(trainer.parameters())[..columns].iter().map(|w| w.to_f64()).collect();
    printed.at("final_W_row0").is_within(&row, 1e-6);
    if T::BYTES == 8 {
        let shown: Vec<f64> = row.iter().map(|w| format!("{w:.8}").parse().unwrap()).collect();
        assert_eq!(shown, printed.at("final_W_row0").numbers());
    }
}

/// A network that knows nothing yet, all its logits equal, loses ln C.
pub fn baseline_losses<T: Real>(entry: &Entry<'_>) {
    for (classes, key) in [(3, "ln3"), (10, "ln10")] {
        let text = format!("4 -> {classes} init zeros");
        let network = Network::new(&text.parse::<NetSpec>().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
        let data = Matrix::with_labels(typed(&[0.1, -2.0, 3.0, 0.5, 7.0, 0.0, 1.0, -1.0]), 4, vec![0, classes - 1]);
        let parameters = network.initialise::<T>(1);
        let got = loss_and_gradients(&network, &parameters, &data, &[0, 1], &StepInfo::default(), &Team::single());
        entry.at(key).is(&[got.loss]);
    }
}

/// The settings, and that the arrays are there; the run itself is `tests/blobs.rs`.
pub fn blobs_4_16_3<T: Real>(entry: &Entry<'_>) {
    let path = format!("{}/tests/golden/{}", env!("CARGO_MANIFEST_DIR"), entry.at("file").text());
    let arrays = read_arrays(&path).unwrap();
    let get = |name: &str| arrays.get(name).unwrap();
    let text = format!("4 -> 16 {} -> 3", entry.at("activation").text());
    let network = Network::new(&text.parse::<NetSpec>().unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
    assert_eq!(network.parameters(), entry.at("parameters").count());
    let settings = ["biases", "weights", "loss", "batches"].map(|key| entry.at(key).text());
    let loss = "mean cross-entropy on logits, natural log, no epsilon";
    assert_eq!(settings, ["zero at the start", "[in, out]", loss, "2000 x 32 row numbers"]);
    assert_eq!((entry.at("lr").number(), entry.at("batch").count()), (0.05, 32));
    // The loss of the first batch.
    let weights = [turned(&get("W1").values, 4, 16), turned(&get("W2").values, 16, 3)];
    let given: [(&str, &[f64]); 4] =
        [("0.weight", &weights[0]), ("0.bias", &[0.0; 16]), ("2.weight", &weights[1]), ("2.bias", &[0.0; 3])];
    let parameters: Vec<T> = network.parameters_from(&given).unwrap();
    let labels = get("y").values.iter().map(|&y| y as i32).collect();
    let data = Matrix::with_labels(typed(&get("X").values), 4, labels);
    let batch: Vec<u32> = get("batches").values[..32].iter().map(|&row| row as u32).collect();
    let got = loss_and_gradients(&network, &parameters, &data, &batch, &StepInfo::default(), &Team::single());
    let apart = (got.loss.to_f64() - get("losses").values[0]).abs();
    assert!(apart < if T::BYTES == 8 { 1e-12 } else { 1e-6 }, "{apart:e}");
}
