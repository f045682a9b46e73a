//! The recipe for tables: its network for these columns, its settings, and how many epochs are worth their time.

use glassnet::core::Team;
use glassnet::model::file::Features;
use glassnet::model::fit::{Headed, Prepared};
use glassnet::nn::recipe;
use glassnet::nn::train::members::{Member, seed};
use glassnet::nn::train::{Batch, BestBy, Rows, TrainSpec, tabular_batch};

use super::settings::Settings;
use crate::error::CliError;
use crate::machine;

/// Members where nobody says how many.
pub const MEMBERS: usize = 4;

/// Folds of `--best`.
pub const FOLDS: usize = 5;

/// Epochs of the recipe.
const EPOCHS: u64 = 256;

/// Fewest epochs that the default takes, however large the table is.
const FEWEST: u64 = 16;

/// Floating-point operations that a training may take by default: what two cores do in three to six minutes. A number, not a clock, so that the
/// same table gives the same epochs, and so the same model, on every machine. See `docs/measurements/tables.md`.
const WORTH: f64 = 4e13;

/// The network of the recipe for these columns, with its loss.
///
/// # Errors
/// A network that this machine cannot hold.
pub fn network(settings: &Settings, prepared: &Prepared) -> Result<Headed, CliError> {
    let Features::Table(preprocess) = &prepared.features else {
        return Err(CliError::Usage(
            "--recipe tabular is for tables, and this is images\n  hint: leave it out; --net says the network".into(),
        ));
    };
    let layout = preprocess.layout();
    let layout = recipe::TableLayout { numbers: layout.numbers, others: layout.others, categories: layout.categories };
    let classes = prepared.target().and_then(|target| target.classes()).map(<[String]>::len);
    let spec = recipe::tabular(&layout, classes.unwrap_or(1), classes.is_none());
    let headed =
        prepared.network(&spec, None, settings.smoothing).map_err(|error| CliError::Usage(error.to_string()))?;
    let members = members(settings);
    machine::holds("the recipe's network", headed.network.parameters().saturating_mul(members), 12)?;
    Ok(headed)
}

/// How many networks are trained.
pub fn members(settings: &Settings) -> usize {
    let around = &settings.around;
    if around.best { FOLDS } else { around.members.unwrap_or(MEMBERS) }
}

/// The settings of the recipe for this data; what was said goes before.
///
/// # Errors
/// Settings out of range.
pub fn train_spec(settings: &Settings, prepared: &Prepared, headed: &Headed) -> Result<TrainSpec, CliError> {
    let rows = prepared.train_rows.len();
    let mut spec = TrainSpec::tabular(prepared.target().is_some_and(|target| target.classes().is_some()));
    spec.batch = settings.batch.unwrap_or(Batch::Rows(tabular_batch(rows)));
    spec.epochs = settings.epochs.unwrap_or_else(|| epochs(prepared, headed, members(settings)));
    spec.lr = settings.lr.unwrap_or(spec.lr);
    spec.seed = settings.seed;
    if prepared.valid().is_none() && !settings.around.best {
        // Nothing to choose by: the last epoch is kept.
        spec.best_by = BestBy::Loss;
    }
    if let Some(decay) = settings.weight_decay {
        spec.optimizer.set_weight_decay(decay);
    }
    spec.check().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(spec)
}

/// 256, or fewer where so many would take more than [`WORTH`].
fn epochs(prepared: &Prepared, headed: &Headed, members: usize) -> u64 {
    let (_, row) = super::understand::flops(headed);
    let epoch = row as f64 * prepared.train_rows.len() as f64 * members as f64;
    ((WORTH / epoch.max(1.0)) as u64).clamp(FEWEST, EPOCHS)
}

/// Epochs that fit into a time, from how long one member's epoch takes on one thread.
pub fn epochs_for(budget: f64, seconds_per_epoch: f64, members: usize, threads: usize) -> u64 {
    let waves = members.div_ceil(threads.max(1)) as f64;
    ((budget / (seconds_per_epoch * waves).max(1e-9)) as u64).clamp(1, EPOCHS)
}

/// The members of a run without folds: the same rows, other seeds.
pub fn side_by_side<'a>(
    headed: &'a Headed,
    prepared: &'a Prepared,
    spec: &TrainSpec,
    members: usize,
) -> Vec<Member<'a, f32>> {
    let member = |number| Member {
        network: &headed.network,
        train: prepared.train(),
        valid: prepared.valid(),
        spec: TrainSpec { seed: seed(spec.seed, number), ..spec.clone() },
        state: None,
    };
    (0..members).map(member).collect()
}

/// The members of `--best`: each is fitted to four folds and validated by the fifth.
pub fn in_folds<'a>(
    headed: &'a Headed,
    prepared: &'a Prepared,
    spec: &TrainSpec,
    folds: &'a [(Vec<u32>, Vec<u32>)],
) -> Vec<Member<'a, f32>> {
    let rows = |rows: &'a [u32]| Rows { source: &prepared.train, rows };
    let member = |(number, (train, valid)): (usize, &'a (Vec<u32>, Vec<u32>))| Member {
        network: &headed.network,
        train: rows(train),
        valid: Some(rows(valid)),
        spec: TrainSpec { seed: seed(spec.seed, number), ..spec.clone() },
        state: None,
    };
    folds.iter().enumerate().map(member).collect()
}

/// A member's first weights: drawn by the training rows.
pub fn initial(_: usize, member: &Member<'_, f32>) -> Vec<f32> {
    member.network.initialise_from_data(member.spec.seed, member.train, &Team::single())
}
