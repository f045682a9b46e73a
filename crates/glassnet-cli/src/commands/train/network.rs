//! The network and the training settings for this data: what was said, checked against it, and the defaults.

use glassnet::model::file::Head;
use glassnet::model::fit::{Headed, Prepared};
use glassnet::nn::early::EarlySpec;
use glassnet::nn::schedule::Shape;
use glassnet::nn::spec::{LayerSpec, NetSpec};
use glassnet::nn::train::{Batch, TrainSpec};

use super::choices::draw_all;
use super::settings::Settings;
use crate::error::CliError;
use crate::losses::LossName;
use crate::machine;

/// Tables with fewer training rows than this are small: epochs cost nothing, and one of them says little.
const SMALL: usize = 5_000;

/// The network with its loss.
///
/// # Errors
/// A loss that is not for this target, sizes that do not fit the data: with a caret where the text has a place.
pub fn network(settings: &Settings, prepared: &Prepared, images: bool) -> Result<Headed, CliError> {
    let classes = prepared.target().and_then(|target| target.classes()).map(<[String]>::len);
    let mut spec = match &settings.net {
        Some(spec) => spec.clone(),
        None => default_network(images),
    };
    if let Some(init) = settings.init {
        draw_all(&mut spec, init);
    }
    let single = spec.is_full() && spec.output() == Some(1);
    check_loss(settings, classes, single)?;
    let outputs = match classes {
        Some(2) if single || settings.loss == Some(LossName::Bce) => 1,
        Some(classes) => classes,
        None => 1,
    };
    let named = |error: glassnet::nn::spec::SpecError| CliError::Usage(error.named(&settings.net_from).to_string());
    spec.shapes_of(Some(&prepared.row()), Some(outputs), false).map_err(named)?;
    // Cross-entropy is what the library takes for classes by itself, with their weights and the smoothing.
    let loss = settings.loss.filter(|&loss| loss != LossName::CrossEntropy).map(|loss| loss.spec(false));
    let headed = prepared
        .network(&spec, loss, settings.smoothing)
        .map_err(|error| CliError::Usage(format!("{}: {error}", settings.net_from)))?;
    if headed.network.parameters() == 0 {
        let hint = "add a linear layer: a number of units such as 256";
        return Err(CliError::Usage(format!(
            "{}: the network has no parameters to train\n  hint: {hint}",
            settings.net_from
        )));
    }
    // The weights, their gradients and the best epoch's weights.
    machine::holds(&settings.net_from, headed.network.parameters(), 12)?;
    Ok(headed)
}

fn default_network(images: bool) -> NetSpec {
    use glassnet::nn::spec::Activation::Relu;
    let units: &[usize] = if images { &[256] } else { &[256, 128] };
    let layers = units.iter().flat_map(|&units| [LayerSpec::linear(units), LayerSpec::Activation { function: Relu }]);
    NetSpec { input: None, layers: layers.collect(), ..NetSpec::default() }
}

fn check_loss(settings: &Settings, classes: Option<usize>, single: bool) -> Result<(), CliError> {
    let refuse = |what: String| Err(CliError::Usage(what));
    if let Some(loss) = settings.loss {
        let name = loss.name();
        match classes {
            None if loss.of_classes() => {
                return refuse(format!(
                    "--loss {name} is for classes, but the target is a number\n  hint: take mse, mae or huber, or --task classify"
                ));
            }
            Some(_) if !loss.of_classes() => {
                return refuse(format!(
                    "--loss {name} is for numbers, but the target is a class\n  hint: take cross-entropy, or --task regress where the target is a number"
                ));
            }
            Some(classes) if loss == LossName::Bce && classes != 2 => {
                return refuse(format!(
                    "--loss bce is for two classes, but the target has {classes}\n  hint: take cross-entropy"
                ));
            }
            Some(classes) if loss == LossName::CrossEntropy && single => {
                return refuse(format!(
                    "--loss cross-entropy needs an output for each class, but the network ends in 1\n  hint: end it in {classes}, or take bce"
                ));
            }
            _ => {}
        }
    }
    let softmax = classes.is_some() && !single && settings.loss != Some(LossName::Bce);
    if settings.smoothing > 0.0 && !softmax {
        return refuse(
            "--label-smoothing is for softmax cross-entropy, with an output for each class\n  hint: leave it out"
                .into(),
        );
    }
    Ok(())
}

/// The training settings for so many training rows.
///
/// # Errors
/// Settings out of range.
pub fn train_spec(settings: &Settings, prepared: &Prepared, images: bool) -> Result<TrainSpec, CliError> {
    let rows = prepared.train_rows.len();
    let validated = prepared.valid().is_some();
    let small = !images && rows < SMALL;
    // A schedule that falls to a fixed end is run whole: an early stop would leave its best steps, the small ones, out.
    let falls = matches!(settings.schedule.shape, Shape::Cosine { .. } | Shape::OneCycle { .. });
    let patience = match (settings.early, settings.epochs) {
        (Some(early), _) => early,
        // Who asks for a number of epochs gets that number; a time is one, and the `--epochs` that it names gives this model again.
        (None, Some(_)) => None,
        (None, None) if settings.around.budget.is_some() => None,
        (None, None) if images || !validated || falls => None,
        (None, None) => Some(default_patience(small, settings.schedule.shape)),
    };
    if patience.is_some() && !validated {
        let hint = "leave it out, or give validation rows: --valid FILE or a --validation-share above 0";
        return Err(CliError::Usage(format!("--early-stop: there are no validation rows to stop by\n  hint: {hint}")));
    }
    let epochs = settings.epochs.unwrap_or(match (images, validated) {
        (true, _) => 10,
        (false, _) if falls && patience.is_none() => 30,
        (false, true) if small => 300,
        (false, true) => 100,
        (false, false) if small => 100,
        (false, false) => 20,
    });
    let spec = TrainSpec {
        epochs,
        batch: settings.batch.unwrap_or(Batch::Rows(default_batch(rows, images))),
        accumulate: settings.accumulate,
        lr: settings.lr.unwrap_or_else(|| settings.optimizer.default_lr()),
        schedule: settings.schedule,
        optimizer: settings.optimizer,
        clip: settings.clip,
        early: EarlySpec { patience, ..EarlySpec::default() },
        shuffle: settings.shuffle,
        checkpoint_activations: settings.checkpoint_activations,
        precision: settings.precision,
        seed: settings.seed,
        steps: settings.steps,
        epoch_rows: None,
        streams: false,
        ..TrainSpec::default()
    };
    spec.check().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(spec)
}

/// Epochs without gain that are borne: 20 for small tables; 16 for others, the patience that Gorishniy, Kotelnikov and
/// Babenko (2024, TabM) train tables with. Where the rate falls when the loss stands still: enough for two falls.
fn default_patience(small: bool, shape: Shape) -> u64 {
    let patience = if small { 20 } else { 16 };
    match shape {
        Shape::Plateau { patience: borne, .. } => patience.max(borne.saturating_add(1).saturating_mul(2)),
        _ => patience,
    }
}

/// 128 for images, 256 for tables; less where an epoch would have fewer than about 40 steps, but at least 16.
fn default_batch(rows: usize, images: bool) -> usize {
    let mut batch = if images { 128 } else { 256 };
    while batch > 16 && rows / batch < 40 {
        batch /= 2;
    }
    batch
}

/// Floating-point operations of a step below which a second thread brings nothing: `docs/measurements/threads.md`.
const WORTH_A_THREAD: u64 = 4_000_000;

/// Threads where none are asked for: one for each core, or one where a step is too small to share.
pub fn threads(headed: &Headed, spec: &TrainSpec, prepared: &Prepared) -> usize {
    let rows = spec.batch_rows(prepared.train_rows.len());
    worth_threads(headed.network.plan(glassnet::core::Purpose::Train, 1).flops(rows))
}

/// Threads for a step of so many floating-point operations.
pub fn worth_threads(flops: u64) -> usize {
    if flops < WORTH_A_THREAD {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the head's outputs are called in messages.
pub fn head_words(head: Head) -> &'static str {
    match head {
        Head::Softmax => "a logit for each class; softmax makes scores of them",
        Head::Sigmoid => "one logit; sigmoid makes the second class's score of it",
        Head::Value => "one number",
    }
}
