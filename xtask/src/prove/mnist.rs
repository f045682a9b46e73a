//! MNIST, 784 -> 256 relu -> 10, batch 128, 5 epochs over all 60,000 rows, three seeds each.

use std::time::Instant;

use glassnet::core::Team;
use glassnet::data::{IdxFolder, read_idx_folder};
use glassnet::model::fit::{FitOptions, Prepared};
use glassnet::nn::optimizer::OptimizerSpec;
use glassnet::nn::train::{Batch, Silent, TrainSpec, Trainer};

use super::{Verdict, shared};

const EPOCHS: u64 = 5;
const SEEDS: [u64; 3] = [1, 2, 3];
/// Optimizer, learning rate (`None`: its default), test accuracy to reach.
const BARS: [(&str, Option<f64>, f64); 2] = [("sgd", Some(0.1), 0.965), ("adam", None, 0.975)];
/// How far the first loss may be from ln 10, as a share of it.
const FIRST_LOSS: f64 = 0.15;

struct Run {
    accuracy: f64,
    first_loss: f64,
    last_loss: f64,
    seconds: f64,
}

/// Prints a line for each run; fails where one is below its bar.
pub fn run() -> Result<Verdict, String> {
    let path = match shared("data/mnist") {
        Ok(path) => path,
        Err(skipped) => return Ok(skipped),
    };
    let folder = read_idx_folder(&path.to_string_lossy()).map_err(|error| error.to_string())?;
    let team = Team::new(std::thread::available_parallelism().map_or(1, usize::from));
    let ln10 = glassnet::core::Real::ln(10.0_f64);
    println!(
        "{:<10} {:>6} {:>5} {:>11} {:>11} {:>9} {:>9}",
        "optimizer", "lr", "seed", "first loss", "last loss", "accuracy", "seconds"
    );
    let mut missed = Vec::new();
    for (name, lr, bar) in BARS {
        let optimizer: OptimizerSpec = name.parse().map_err(|error| format!("{error}"))?;
        let lr = lr.unwrap_or(optimizer.default_lr());
        for seed in SEEDS {
            let run = train(&folder, optimizer, lr, seed, &team)?;
            let Run { accuracy, first_loss, last_loss, seconds } = run;
            println!(
                "{name:<10} {lr:>6} {seed:>5} {first_loss:>11.4} {last_loss:>11.4} {accuracy:>9.4} {seconds:>9.1}"
            );
            if accuracy < bar {
                missed.push(format!("{name}, seed {seed}: accuracy {accuracy:.4}, the bar is {bar}"));
            }
            if (first_loss - ln10).abs() > FIRST_LOSS * ln10 {
                missed.push(format!("{name}, seed {seed}: first loss {first_loss:.4} is not within 15 % of ln 10"));
            }
        }
    }
    if missed.is_empty() { Ok(Verdict::Proved) } else { Err(missed.join("; ")) }
}

/// One run over all training rows; nothing is set aside and nothing chosen by the test rows.
fn train(folder: &IdxFolder, optimizer: OptimizerSpec, lr: f64, seed: u64, team: &Team) -> Result<Run, String> {
    let test = folder.test.clone().ok_or("the folder has no test images")?;
    // No rows are set aside: the last epoch's weights count.
    let options = FitOptions { validation_share: None, ..FitOptions::new("label") };
    let data = Prepared::images(folder.train.clone(), None, &options).map_err(|error| error.to_string())?;
    let spec = "784 -> 256 relu -> 10".parse().map_err(|error| format!("{error}"))?;
    let headed = data.network(&spec, None, 0.0).map_err(|error| error.to_string())?;
    let settings = TrainSpec { epochs: EPOCHS, batch: Batch::Rows(128), lr, optimizer, seed, ..TrainSpec::default() };
    let start = Instant::now();
    let parameters = headed.network.initialise(seed);
    let trainer = Trainer::new(&headed.network, parameters, data.train(), data.valid(), settings, team.clone())
        .map_err(|error| error.to_string())?;
    let outcome = trainer.run(&mut Silent);
    let seconds = start.elapsed().as_secs_f64();
    let model = data.model(&headed, outcome.parameters).map_err(|error| error.to_string())?;
    let (encoded, rows) = model.encode_images(test, true).map_err(|error| error.to_string())?;
    let scores = model.evaluate(&encoded, &rows, team).map_err(|error| error.to_string())?.scores;
    Ok(Run {
        accuracy: scores.accuracy.ok_or("no accuracy")?,
        first_loss: outcome.history.first_loss.ok_or("no step was taken")?,
        last_loss: outcome.history.epochs.last().map_or(f64::NAN, |epoch| epoch.train_loss),
        seconds,
    })
}
