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
    let (data, network) = (data(), network());
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
    // Besides buffers there are the plans themselves, the order of rows and the validation's outputs.
    assert!(measured >= forecast as f64 * 0.99, "measured {measured}, forecast {forecast}");
    assert!(measured <= forecast as f64 + 120_000.0, "measured {measured}, forecast {forecast}");
    println!("forecast {forecast}, measured {measured}");
}
