//! Convolutional networks on MNIST and Fashion-MNIST: all 60,000 images, the last epoch's weights, the test images looked at
//! once at the end. The settings are usual ones; MNIST's rate lies between 0.001, at which the training loss ended
//! higher, and 0.004, at which the doctor named dead units. Test accuracies of those two were printed, and not chosen by.

use std::time::Instant;

use glassnet::core::Team;
use glassnet::data::{IdxFolder, read_idx_folder};
use glassnet::model::augment::Augmentation;
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::schedule::ScheduleSpec;
use glassnet::nn::train::{Batch, Silent, TrainSpec, Trainer};

use super::{Verdict, shared};

/// What is trained on which images, and the bar.
struct Task {
    name: &'static str,
    folder: &'static str,
    net: &'static str,
    epochs: u64,
    batch: usize,
    lr: f64,
    schedule: &'static str,
    augment: &'static str,
    seeds: &'static [u64],
    /// Test accuracy to reach with every seed.
    bar: f64,
}

const TASKS: [Task; 2] = [
    Task {
        name: "MNIST",
        folder: "data/mnist",
        net: "conv 32 5x5 same relu -> maxpool 2 -> conv 64 5x5 same relu -> maxpool 2 -> 128 relu -> dropout 0.5",
        epochs: 5,
        batch: 128,
        lr: 0.003,
        schedule: "onecycle",
        augment: "shift 2",
        seeds: &[1, 2, 3],
        bar: 0.992,
    },
    Task {
        name: "Fashion-MNIST",
        folder: "data/fashion-mnist",
        net: "conv 32 3x3 same no bias -> batchnorm -> relu -> maxpool 2 -> conv 64 3x3 same no bias -> batchnorm -> relu -> \
              maxpool 2 -> 128 relu -> dropout 0.5",
        epochs: 8,
        batch: 128,
        lr: 0.001,
        schedule: "onecycle",
        augment: "flip",
        seeds: &[1],
        bar: 0.915,
    },
];

/// Prints a line for each run; fails where one is below its bar.
pub fn run() -> Result<Verdict, String> {
    let team = Team::new(std::thread::available_parallelism().map_or(1, usize::from));
    let mut missed = Vec::new();
    for task in &TASKS {
        let path = match shared(task.folder) {
            Ok(path) => path,
            Err(skipped) => return Ok(skipped),
        };
        let folder = read_idx_folder(&path.to_string_lossy()).map_err(|error| error.to_string())?;
        println!("{}: {}", task.name, task.net);
        let Task { epochs, batch, lr, schedule, augment, .. } = task;
        println!("  {epochs} epochs, batch {batch}, adam, lr {lr}, {schedule}, augmented by {augment}");
        println!("  {:>4} {:>11} {:>9} {:>9}", "seed", "last loss", "accuracy", "seconds");
        for &seed in task.seeds {
            let (loss, accuracy, seconds) = train(task, &folder, seed, &team)?;
            println!("  {seed:>4} {loss:>11.4} {accuracy:>9.4} {seconds:>9.1}");
            if accuracy < task.bar {
                missed.push(format!("{}, seed {seed}: accuracy {accuracy:.4}, the bar is {}", task.name, task.bar));
            }
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
}

/// One run: the last epoch's training loss, the test accuracy, the seconds of training.
fn train(task: &Task, folder: &IdxFolder, seed: u64, team: &Team) -> Result<(f64, f64, f64), String> {
    let test = folder.test.clone().ok_or("the folder has no test images")?;
    let options = FitOptions { validation_share: None, ..FitOptions::new("label") };
    let mut data = Prepared::images(folder.train.clone(), None, &options).map_err(|error| error.to_string())?;
    let augmentation: Augmentation = task.augment.parse().map_err(|error| format!("{error}"))?;
    data.augment(augmentation).map_err(|error| error.to_string())?;
    let spec = task.net.parse().map_err(|error| format!("{error}"))?;
    let headed = data.network(&spec, None, 0.0).map_err(|error| error.to_string())?;
    let optimizer: OptimizerSpec = "adam".parse().map_err(|error| format!("{error}"))?;
    let schedule: ScheduleSpec = task.schedule.parse().map_err(|error| format!("{error}"))?;
    let batch = Batch::Rows(task.batch);
    let settings =
        TrainSpec { epochs: task.epochs, batch, lr: task.lr, schedule, optimizer, seed, ..TrainSpec::default() };
    let start = Instant::now();
    let parameters = headed.network.initialise(seed);
    let trainer = Trainer::new(&headed.network, parameters, data.train(), None, settings, team.clone())
        .map_err(|error| error.to_string())?;
    let outcome = trainer.run(&mut Silent);
    let seconds = start.elapsed().as_secs_f64();
    let loss = outcome.history.epochs.last().map_or(f64::NAN, |epoch| epoch.train_loss);
    let model = data.model(&headed, outcome.parameters).map_err(|error| error.to_string())?;
    let (encoded, rows) = model.encode_images(test, true).map_err(|error| error.to_string())?;
    let scores = model.evaluate(&encoded, &rows, team).map_err(|error| error.to_string())?.scores;
    Ok((loss, scores.accuracy.ok_or("no accuracy")?, seconds))
}
