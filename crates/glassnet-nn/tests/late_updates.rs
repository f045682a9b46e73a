//! Updates fused with the products that make the gradients: the bytes of the plain way, and nothing changed where a gradient is
//! not finite.

#![allow(clippy::unwrap_used, clippy::panic, reason = "to fail is to fail the test")]

use glassnet_core::Team;
use glassnet_core::plan::Pass;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Place, Rows, TrainSpec, Trainer};

const ROWS: usize = 40;

fn data(width: usize) -> Matrix<f32> {
    let x = (0..ROWS * width).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    Matrix::with_labels(x, width, (0..ROWS as i32).map(|i| i % 3).collect())
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Parameters and moments, losses and norms after some steps.
type Traces = (Vec<(String, Vec<u32>)>, Vec<(u64, u64)>);

fn train(text: &str, optimizer: OptimizerSpec, threads: usize, fused: bool) -> Traces {
    let network = Network::new(&NetSpec::parse(text).unwrap(), Some(&LossSpec::cross_entropy())).unwrap();
    let data = data(network.inputs());
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let part = Rows { source: &data, rows: &rows };
    let spec = TrainSpec { batch: Batch::Rows(16), optimizer, lr: 0.02, ..TrainSpec::default() };
    let start = network.initialise::<f32>(3);
    let mut trainer = Trainer::new(&network, start, part, None, spec, Team::new(threads)).unwrap();
    let late = trainer.runner().plan().steps().iter().filter(|step| step.pass == Pass::Update && step.late).count();
    assert!(late > 0, "{text} has no weight that is updated late");
    if fused {
        trainer = trainer.without_gradients();
    }
    let mut reports = Vec::new();
    for step in 0..4 {
        // Batches of 16, 15, 14, 13 rows.
        let report = trainer.step(&rows[8 * step..16 + 7 * step], 0, 16 * step as u64).unwrap();
        reports.push((report.loss.to_bits(), report.gradient_norm.to_bits()));
    }
    if fused {
        let weight = network.graph.slots().find("0.weight").unwrap().range();
        assert!(trainer.gradients()[weight].iter().all(|&gradient| gradient == 0.0), "the gradient was written");
    }
    let state = trainer.state();
    (state.arrays().map(|(name, values)| (name.to_string(), bits(values))).collect(), reports)
}

#[test]
fn the_bytes_are_those_of_the_plain_way() {
    let decayed = |name: &str| {
        let mut spec: OptimizerSpec = name.parse().unwrap();
        spec.set_weight_decay(0.01);
        spec
    };
    for name in ["sgd", "momentum", "nesterov", "rmsprop"] {
        for text in ["512 -> 513 relu -> 600 tanh -> 3", "30 -> 9000 relu -> 3"] {
            let plain = train(text, decayed(name), 1, false);
            for threads in [1, 2, 3] {
                assert!(train(text, decayed(name), threads, true) == plain, "{name}, {text}, {threads} threads");
                assert!(
                    train(text, decayed(name), threads, false) == plain,
                    "{name}, {text}, {threads} threads, plain"
                );
            }
        }
    }
}

/// A step on rows whose first number is almost the largest there is, in `large` of them, where the weights of that number are 0:
/// values are as ever, gradients are not. The error, or the bits of loss and norm; parameters before and after; moments.
#[allow(clippy::type_complexity)]
fn step_on_large(
    large: usize,
    target: f32,
    fused: bool,
) -> (Result<(u64, u64), Place>, Vec<u32>, Vec<(String, Vec<u32>)>) {
    let spec = NetSpec::parse("600 -> 500 relu -> 1").unwrap();
    let network = Network::new(&spec, Some(&LossSpec::MeanSquared)).unwrap();
    let mut x = data(600).x;
    x.iter_mut().step_by(600).enumerate().for_each(|(row, x)| *x = if row < large { 3e38 } else { 0.0 });
    let data = Matrix::with_values(x, 600, vec![target; ROWS], 1);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let part = Rows { source: &data, rows: &rows };
    let optimizer = "momentum".parse().unwrap();
    let spec = TrainSpec { batch: Batch::Rows(ROWS), optimizer, lr: 1e-3, ..TrainSpec::default() };
    let mut start = network.initialise::<f32>(3);
    start[network.graph.slots().find("0.weight").unwrap().range()].iter_mut().step_by(600).for_each(|w| *w = 0.0);
    let before = bits(&start);
    let mut trainer = Trainer::new(&network, start, part, None, spec, Team::new(2)).unwrap();
    if fused {
        trainer = trainer.without_gradients();
    }
    let result = trainer.step(&rows, 0, 0);
    let result =
        result.map(|report| (report.loss.to_bits(), report.gradient_norm.to_bits())).map_err(|found| found.place);
    let state = trainer.state();
    (result, before, state.arrays().map(|(name, values)| (name.to_string(), bits(values))).collect())
}

#[test]
fn a_gradient_that_overflows_changes_nothing() {
    for fused in [false, true] {
        let (result, before, after) = step_on_large(ROWS, 100.0, fused);
        assert_eq!(result, Err(Place::Gradient), "fused: {fused}");
        let moments = |(name, values): &(String, Vec<u32>)| name.contains("momentum") && values.iter().all(|&x| x == 0);
        assert!(after.iter().any(|(name, values)| name == "parameters" && *values == before));
        assert!(after.iter().any(moments));
    }
}

#[test]
fn a_gradient_that_might_have_overflowed_is_made_the_plain_way() {
    let plain = step_on_large(1, 10.0, false);
    assert!(plain.0.is_ok());
    assert!(step_on_large(1, 10.0, true) == plain);
}
