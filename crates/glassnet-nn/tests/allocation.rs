//! A whole training step (gathering, forward, backward, clipping, the optimizer) allocates nothing, and a trainer takes
//! the memory that it forecasts.

#![allow(clippy::unwrap_used, reason = "to fail is to fail the test")]

use allocation_counter::measure;
use glassnet_core::Team;
use glassnet_nn::clip::Clip;
use glassnet_nn::loss::LossSpec;
use glassnet_nn::network::Network;
use glassnet_nn::optimizer::OptimizerSpec;
use glassnet_nn::source::Matrix;
use glassnet_nn::spec::NetSpec;
use glassnet_nn::train::{Batch, Rows, TrainSpec, Trainer};

fn data() -> Matrix<f32> {
    let x = (0..96 * 12).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    let mut data = Matrix::with_labels(x, 12, (0..96).map(|i| i % 3).collect());
    data.weights = (0..96).map(|i| 1.0 + f64::from(i % 2)).collect();
    data
}

fn network() -> Network {
    let spec: NetSpec = "24 relu -> residual(16 gelu -> 24) -> dropout 0.2 -> swiglu 20 -> scale".parse().unwrap();
    let loss = LossSpec::CrossEntropy { smoothing: 0.1, class_weights: vec![1.0, 2.0, 0.5] };
    Network::for_data(&spec, 12, 3, Some(&loss)).unwrap()
}

#[test]
fn a_training_step_allocates_nothing() {
    let (data, network) = (data(), network());
    let rows: Vec<u32> = (0..96).collect();
    for optimizer in ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] {
        let optimizer: OptimizerSpec = optimizer.parse().unwrap();
        let spec = TrainSpec {
            batch: Batch::Rows(32),
            accumulate: 2,
            clip: Clip::Norm { max: 1.0 },
            schedule: "warmup 3 -> cosine".parse().unwrap(),
            optimizer,
            ..TrainSpec::default()
        };
        let start = network.initialise(1);
        let part = Rows { source: &data, rows: &rows };
        let mut trainer = Trainer::new(&network, start, part, None, spec, Team::single()).unwrap();
        // Packing buffers of the kernels grow in the first step.
        trainer.step(&rows[..64], 0, 0).unwrap();
        let used = measure(|| {
            for step in 0..5 {
                trainer.step(&rows[..64], step, 0).unwrap();
                trainer.step(&rows[64..], step, 64).unwrap();
            }
        });
        assert_eq!((used.count_total, used.bytes_total), (0, 0), "{optimizer:?}");
    }
}

#[test]
fn a_trainer_takes_the_memory_that_it_forecasts() {
    let data = data();
    let spec: NetSpec = "300 relu -> 300 gelu -> residual(200 silu -> 300)".parse().unwrap();
    let network = Network::for_data(&spec, 12, 3, Some(&LossSpec::cross_entropy())).unwrap();
    let rows: Vec<u32> = (0..96).collect();
    let (train, valid) = rows.split_at(64);
    let spec = TrainSpec { batch: Batch::Rows(48), epochs: 3, ..TrainSpec::default() };
    let mut forecast = 0;
    let used = measure(|| {
        let start = network.initialise::<f32>(1);
        let (train, valid) = (Rows { source: &data, rows: train }, Rows { source: &data, rows: valid });
        let trainer = Trainer::new(&network, start, train, Some(valid), spec.clone(), Team::single()).unwrap();
        forecast = trainer.memory();
        trainer.run(&mut glassnet_nn::train::Silent);
    });
    let measured = used.bytes_max as f64;
    // Besides buffers there are the plans themselves, packing panels, the order of rows and the validation's outputs.
    let share = measured / forecast as f64;
    assert!((0.99..1.05).contains(&share), "measured {measured}, forecast {forecast}: {share}");
    println!("forecast {forecast}, measured {measured}");
}

#[test]
fn checkpointing_cuts_what_a_deep_residual_network_allocates_and_trains_the_same() {
    let x = (0..256 * 64).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
    let data = Matrix::with_labels(x, 64, (0..256).map(|i| i % 3).collect());
    let rows: Vec<u32> = (0..256).collect();
    let deep = vec!["residual(64 relu -> 64)"; 50].join(" -> ");
    let network =
        Network::for_data(&deep.parse::<NetSpec>().unwrap(), 64, 3, Some(&LossSpec::cross_entropy())).unwrap();
    let run = |checkpoint_activations: bool| {
        let spec = TrainSpec { batch: Batch::Rows(128), epochs: 2, checkpoint_activations, ..TrainSpec::default() };
        let (mut activations, mut forecast, mut end) = (0, 0, Vec::new());
        let used = measure(|| {
            let start = network.initialise::<f32>(1);
            let part = Rows { source: &data, rows: &rows };
            let trainer = Trainer::new(&network, start, part, None, spec, Team::single()).unwrap();
            activations = trainer.runner().plan().memory::<f32>().arena;
            forecast = trainer.memory();
            end = trainer.run(&mut glassnet_nn::train::Silent).parameters;
        });
        (used.bytes_max as usize, activations, forecast, end)
    };
    let (kept, again) = (run(false), run(true));
    println!("peak {} and {} bytes, activations {} and {}", kept.0, again.0, kept.1, again.1);
    assert!(kept.1 >= 3 * again.1, "{} against {}", kept.1, again.1);
    // What was allocated falls by as much: parameters, gradients and moments are the same.
    let (less, promised) = ((kept.0 - again.0) as f64, (kept.1 - again.1) as f64);
    assert_eq!(kept.2 - again.2, kept.1 - again.1);
    assert!((0.95..1.05).contains(&(less / promised)), "{less} bytes less, {promised} promised");
    assert_eq!(kept.3, again.3);
}
