//! What knowing nothing would score: the guess that is the same for every row, made of the training targets alone. A
//! model that does not beat it has learned nothing that holds on other rows.

use glassnet::core::Real;
use glassnet::model::encoded::Encoded;
use glassnet::model::evaluation::Evaluation;
use glassnet::model::fit::Prepared;
use glassnet::model::target::{TargetSchema, Task};
use glassnet::nn::metrics::Scores;
use glassnet::nn::source::Source;
use serde_json::{Map, Value, json};

use super::report::Parts;
use crate::numbers::number;

/// The guess.
pub enum Constant {
    /// Shares of the classes among the training rows, by their weights; the first largest is the class that is always said.
    Shares { names: Vec<String>, shares: Vec<f64>, class: usize },
    /// Mean of the training targets, by the rows' weights, in the target's unit.
    Mean { target: Box<TargetSchema>, mean: f64 },
}

/// The guess's scores on train, valid and test.
pub type Guesses = [Option<Scores>; 3];

impl Constant {
    /// From the training rows; `None` where they have no target or no weight.
    pub fn new(prepared: &Prepared) -> Option<Constant> {
        let target = prepared.target()?;
        let train = &prepared.train;
        let mut total = 0.0;
        match &target.task {
            Task::Classify { classes } => {
                let mut shares = vec![0.0; classes.names().len()];
                for &row in &prepared.train_rows {
                    let share = usize::try_from(train.label(row)).ok().and_then(|label| shares.get_mut(label))?;
                    *share += train.weight(row);
                    total += train.weight(row);
                }
                shares.iter_mut().for_each(|share| *share /= total);
                let largest = |best: usize, at: usize| if shares[at] > shares[best] { at } else { best };
                let class = (0..shares.len()).fold(0, largest);
                (total > 0.0).then(|| Constant::Shares { names: classes.names().to_vec(), shares, class })
            }
            Task::Regress { .. } => {
                let mut sum = 0.0;
                for &row in &prepared.train_rows {
                    sum += train.weight(row) * target.restore(*train.values.get(row as usize)?);
                    total += train.weight(row);
                }
                (total > 0.0).then(|| Constant::Mean { target: Box::new(target.clone()), mean: sum / total })
            }
        }
    }

    /// Accuracy of always saying the commonest class and log-loss of the shares; or errors of the mean. By the rows'
    /// weights, as the model's own scores. A score that is infinite is absent: a class that training never saw.
    pub fn scores(&self, encoded: &Encoded<f32>, rows: &[u32]) -> Scores {
        let (mut first, mut second, mut total) = (0.0, 0.0, 0.0);
        for &row in rows {
            let weight = encoded.weight(row);
            // A row of weight 0 is not there, even where its loss is infinite.
            if weight <= 0.0 {
                continue;
            }
            total += weight;
            match self {
                Constant::Shares { shares, class, .. } => {
                    let label = usize::try_from(encoded.label(row)).unwrap_or(usize::MAX);
                    first += if label == *class { weight } else { 0.0 };
                    second -= weight * Real::ln(shares.get(label).copied().unwrap_or(0.0));
                }
                Constant::Mean { target, mean } => {
                    let value = encoded.values.get(row as usize).copied().unwrap_or(f64::NAN);
                    let error = target.restore(value) - mean;
                    first += weight * error * error;
                    second += weight * error.abs();
                }
            }
        }
        let share = |sum: f64| Some(sum / total).filter(|share: &f64| share.is_finite());
        match self {
            Constant::Shares { .. } => Scores { accuracy: share(first), log_loss: share(second), ..Scores::default() },
            Constant::Mean { .. } => {
                Scores { rmse: share(first).map(f64::sqrt), mae: share(second), ..Scores::default() }
            }
        }
    }

    /// What the guess is, for the line below the table.
    pub fn words(&self) -> String {
        match self {
            Constant::Shares { names, class, .. } => format!(
                "constant guess: accuracy of always saying {:?}, log_loss of the training rows' class shares",
                names[*class]
            ),
            Constant::Mean { mean, .. } => format!("constant guess: the mean of the training rows, {}", number(*mean)),
        }
    }

    /// The same for `--json`, with the scores by part and whether the model is better.
    pub fn as_json(&self, parts: &Parts, guesses: &Guesses) -> Value {
        let mut object = Map::new();
        match self {
            Constant::Shares { names, class, .. } => object.insert("class".into(), json!(names[*class])),
            Constant::Mean { mean, .. } => object.insert("mean".into(), json!(mean)),
        };
        for ((name, part), guess) in parts.iter().zip(guesses) {
            let mut value = json!(guess);
            if let (Some(part), Some(guess), Some(value)) = (part, guess, value.as_object_mut()) {
                value.insert(
                    "model_is_better".into(),
                    json!(compared(part, guess).map(|(_, model, guess)| model < guess)),
                );
            }
            object.insert((*name).into(), value);
        }
        Value::Object(object)
    }
}

/// Of the score that is compared its name, the model's and the guess's: log-loss, or root of the mean squared error.
fn compared(part: &Evaluation, guess: &Scores) -> Option<(&'static str, f64, f64)> {
    let log_loss = part.scores.log_loss.zip(guess.log_loss).map(|(model, guess)| ("log_loss", model, guess));
    log_loss.or_else(|| part.scores.rmse.zip(guess.rmse).map(|(model, guess)| ("rmse", model, guess)))
}

/// A sentence for each part of other rows than the training's on which the model is not better than the guess.
pub fn warnings(parts: &Parts, guesses: &Guesses) -> Vec<String> {
    let mut found = Vec::new();
    for ((name, part), guess) in parts.iter().zip(guesses).skip(1) {
        let Some((score, model, guess)) = part.as_ref().zip(guess.as_ref()).and_then(|(p, g)| compared(p, g)) else {
            continue;
        };
        // Not a number is no gain either.
        if model.partial_cmp(&guess) != Some(std::cmp::Ordering::Less) {
            let rows = if *name == "valid" { "validation" } else { "test" };
            // A classifier may rank rows well and still be surer than it should be, as class weights make it.
            let but = match score {
                "log_loss" => "these scores tell less than the class shares do, whatever the accuracy",
                _ => "the mean does as well",
            };
            let (model, guess) = (number(model), number(guess));
            found.push(format!(
                "no better than a constant guess on the {rows} rows: {score} {model}, the guess's {guess}; {but}"
            ));
        }
    }
    found
}
