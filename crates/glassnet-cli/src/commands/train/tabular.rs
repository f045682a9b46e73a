//! The recipes for tables, `tabular` and `tabm`: the network for these columns, the settings, and how many epochs are worth their time.

use glassnet::core::Team;
use glassnet::model::file::Features;
use glassnet::model::fit::{Headed, Prepared};
use glassnet::nn::recipe;
use glassnet::nn::train::members::{Member, seed};
use glassnet::nn::train::{Batch, BestBy, Rows, TrainSpec, tabular_batch};

use super::recipe::Recipe;
use super::settings::Settings;
use crate::error::CliError;
use crate::machine;

/// Members where nobody says how many.
pub const MEMBERS: usize = 4;

/// Folds of `--best`.
pub const FOLDS: usize = 5;

/// Epochs of the recipe; of TabM at most, for it stops where 16 bring nothing.
const EPOCHS: u64 = 256;

/// Fewest epochs that the default takes, however large the table is.
const FEWEST: u64 = 16;

/// Epochs of TabM where no validation rows say when to stop: about as many as it runs where they do.
const UNSTOPPED: u64 = 32;

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
            "the recipes for tables are for tables, and this is images\n  hint: leave --recipe out; --net says the network".into(),
        ));
    };
    let layout = preprocess.layout();
    let layout = recipe::TableLayout { numbers: layout.numbers, others: layout.others, categories: layout.categories };
    let classes = prepared.target().and_then(|target| target.classes()).map(<[String]>::len);
    let (outputs, regression) = (classes.unwrap_or(1), classes.is_none());
    let spec = match settings.around.recipe {
        Recipe::Tabm => recipe::tabm(&layout, outputs, regression, inner(settings), recipe::TABM_WIDTH),
        Recipe::Tabular | Recipe::Plain => recipe::tabular(&layout, outputs, regression),
    };
    let headed =
        prepared.network(&spec, None, settings.smoothing).map_err(|error| CliError::Usage(error.to_string()))?;
    let members = networks(settings);
    machine::holds("the recipe's network", headed.network.parameters().saturating_mul(members), 12)?;
    Ok(headed)
}

/// How many networks are trained.
pub fn networks(settings: &Settings) -> usize {
    let around = &settings.around;
    match around.recipe {
        _ if around.best => FOLDS,
        Recipe::Tabm => 1,
        Recipe::Tabular | Recipe::Plain => around.members.unwrap_or(MEMBERS),
    }
}

/// How many members TabM's one network has.
pub fn inner(settings: &Settings) -> usize {
    settings.around.members.unwrap_or(recipe::TABM_MEMBERS)
}

/// The settings of the recipe for this data; what was said goes before.
///
/// # Errors
/// Settings out of range.
pub fn train_spec(settings: &Settings, prepared: &Prepared, headed: &Headed) -> Result<TrainSpec, CliError> {
    let rows = prepared.train_rows.len();
    let classification = prepared.target().is_some_and(|target| target.classes().is_some());
    let validated = prepared.valid().is_some() || settings.around.best;
    let (mut spec, default_epochs) = match settings.around.recipe {
        Recipe::Tabm => (TrainSpec::tabm(classification), if validated { EPOCHS } else { UNSTOPPED }),
        Recipe::Tabular | Recipe::Plain => {
            (TrainSpec::tabular(classification), epochs(prepared, headed, networks(settings)))
        }
    };
    spec.batch = settings.batch.unwrap_or(Batch::Rows(tabular_batch(rows)));
    spec.epochs = settings.epochs.unwrap_or(default_epochs);
    if let Some(patience) = settings.early.filter(|_| settings.around.recipe == Recipe::Tabm) {
        spec.early.patience = patience;
    }
    spec.lr = settings.lr.unwrap_or(spec.lr);
    spec.seed = settings.seed;
    if !validated {
        if let Some(Some(_)) = settings.early {
            let hint = "leave it out, or give validation rows: --valid FILE or a --validation-share above 0";
            let what = "--early-stop: there are no validation rows to stop by";
            return Err(CliError::Usage(format!("{what}\n  hint: {hint}")));
        }
        // Nothing to choose or to stop by: the last epoch is kept.
        spec.best_by = BestBy::Loss;
        spec.early.patience = None;
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
