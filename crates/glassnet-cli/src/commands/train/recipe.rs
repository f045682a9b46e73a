//! Which recipe a run follows, and what is done around the training: members, time, calibration, honest splits, the report.

use std::path::PathBuf;

use glassnet::model::style::Style;
use glassnet::nn::spec::toml::TrainConfig;

use super::args::Args;
use crate::error::CliError;
use crate::words::one_of;

/// Most members: each holds weights of its own.
const MOST_MEMBERS: usize = 1_000;

/// A recipe by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipe {
    /// The one for tables: embeddings of numbers, members averaged, calibrated.
    Tabular,
    /// TabM: many networks in one that share their large weights, numbers as normal quantiles.
    Tabm,
    /// One network of `--net`, Adam, early stopping.
    Plain,
}

impl Recipe {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Recipe::Tabular => "tabular",
            Recipe::Tabm => "tabm",
            Recipe::Plain => "plain",
        }
    }

    /// How columns become inputs.
    pub fn style(self) -> Style {
        match self {
            Recipe::Tabular => Style::Tabular,
            Recipe::Tabm => Style::Quantile,
            Recipe::Plain => Style::Plain,
        }
    }
}

/// How scores become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calibrate {
    /// What halves of the validation rows tell: as they are, a temperature, or of two classes with enough rows an offset too.
    Auto,
    /// One number that all logits are divided by.
    Temperature,
    /// An offset and a slope, of two classes.
    Affine,
    /// Any monotone map, of two classes.
    Isotonic,
    /// Scores stay scores.
    Off,
}

impl Calibrate {
    const NAMES: [(&'static str, Calibrate); 5] = [
        ("auto", Calibrate::Auto),
        ("temperature", Calibrate::Temperature),
        ("affine", Calibrate::Affine),
        ("isotonic", Calibrate::Isotonic),
        ("off", Calibrate::Off),
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }
}

/// What was said about all this.
#[derive(Debug, Clone)]
pub struct Around {
    /// The recipe for a table.
    pub recipe: Recipe,
    /// What was said that only the plain recipe knows, where that decided: `--net`.
    pub plain_for: Option<&'static str>,
    /// Networks that are averaged; of TabM the members of its network.
    pub members: Option<usize>,
    pub best: bool,
    /// Seconds that training may take.
    pub budget: Option<f64>,
    /// `None`: what the recipe does.
    pub calibrate: Option<Calibrate>,
    pub time: Option<String>,
    pub group: Option<String>,
    pub background: bool,
    pub report: Option<PathBuf>,
}

/// Settings that the plain recipe has and the others fix, where they are said.
fn plain_only(args: &Args, said: &TrainConfig, network: bool, recipe: Option<Recipe>) -> Option<&'static str> {
    let t = &args.training;
    // TabM stops early by itself, so when is a setting of it.
    let early_stop = recipe != Some(Recipe::Tabm) && (t.early_stop.is_some() || said.early_stop.is_some());
    let given = [
        (t.net.is_some() || network, "--net"),
        (t.init.is_some() || said.init.is_some(), "--init"),
        (t.optimizer.is_some() || said.optimizer.is_some(), "--optimizer"),
        (t.momentum.is_some() || said.momentum.is_some(), "--momentum"),
        (t.schedule.is_some() || said.schedule.is_some(), "--schedule"),
        (early_stop, "--early-stop"),
        (t.loss.is_some() || said.loss.is_some(), "--loss"),
        (t.raw || said.raw.unwrap_or(false), "--raw"),
        (t.steps.is_some() || said.steps.is_some(), "--steps"),
        (t.accumulate.is_some() || said.accumulate.is_some(), "--accumulate"),
        (t.clip_norm.is_some() || said.clip_norm.is_some(), "--clip-norm"),
        (t.clip_value.is_some() || said.clip_value.is_some(), "--clip-value"),
        (t.merge_affine || said.merge_affine.unwrap_or(false), "--merge-affine"),
        (t.checkpoint_activations || said.checkpoint_activations.unwrap_or(false), "--checkpoint-activations"),
        (t.precision.as_deref().or(said.precision.as_deref()).is_some_and(|name| name != "f32"), "--precision"),
        (t.no_shuffle || said.shuffle == Some(false), "--no-shuffle"),
    ];
    given.into_iter().find(|(given, _)| *given).map(|(_, flag)| flag)
}

impl Around {
    /// Whether rows are kept apart by time or by group.
    pub fn splits(&self) -> bool {
        self.time.is_some() || self.group.is_some()
    }

    /// Reads what was said; `network`: the config has one.
    ///
    /// # Errors
    /// A word that is not known, a number out of its range, two words that contradict each other.
    pub fn new(args: &Args, said: &TrainConfig, network: bool) -> Result<Self, CliError> {
        let usage = |what: String| CliError::Usage(what);
        let r = &args.recipe;
        let named = [("tabular", Recipe::Tabular), ("tabm", Recipe::Tabm), ("plain", Recipe::Plain)];
        let recipe = r
            .recipe
            .as_deref()
            .map(|name| one_of("recipe", name, &named))
            .transpose()
            .map_err(|error| usage(format!("--recipe: {error}")))?;
        let plain_for = plain_only(args, said, network, recipe);
        if let (Some(fixed @ (Recipe::Tabular | Recipe::Tabm)), Some(flag)) = (recipe, plain_for) {
            let name = fixed.name();
            return Err(usage(format!(
                "{flag}: the {name} recipe has its own\n  hint: leave it out, or take --recipe plain"
            )));
        }
        // Its members are parts of one network.
        let tabm = recipe == Some(Recipe::Tabm);
        let members = match r.members {
            Some(0) => return Err(usage("--members: 0 networks predict nothing\n  hint: write 1 or more".into())),
            Some(many) if many > MOST_MEMBERS => {
                let hint = if tabm { "32 are usual" } else { "4 are usual" };
                return Err(usage(format!(
                    "--members: {many} are more than the {MOST_MEMBERS} allowed\n  hint: {hint}"
                )));
            }
            members => members,
        };
        if r.best && members.is_some() && !tabm {
            return Err(usage(
                "--members: --best has five members, one for each fold\n  hint: keep one of the two".into(),
            ));
        }
        let calibrate = r
            .calibration
            .as_deref()
            .map(|name| one_of("calibration", name, &Calibrate::NAMES))
            .transpose()
            .map_err(|error| usage(format!("--calibration: {error}")))?;
        let budget = r.time_budget.as_deref().map(seconds).transpose()?;
        // Only one network's run is kept in a checkpoint, so one network is trained where that is asked for.
        let kept = (args.checkpoint.is_some() || args.resume.is_some()).then_some("--checkpoint");
        let plain_for = plain_for.or(kept).filter(|_| recipe.is_none());
        if let (Some(flag), Some(many)) = (kept, members.filter(|&members| members > 1 && !tabm)) {
            return Err(usage(format!(
                "{flag} keeps the run of one network, but {many} members are asked for\n  hint: --members 1, or no {flag}"
            )));
        }
        let recipe = recipe.unwrap_or(if plain_for.is_some() { Recipe::Plain } else { Recipe::Tabular });
        let members = if kept.is_some() && !tabm { Some(1) } else { members };
        Ok(Around {
            recipe,
            plain_for,
            members,
            best: r.best,
            budget,
            calibrate,
            time: r.time.clone(),
            group: r.group.clone(),
            background: !r.no_background,
            report: r.report.clone(),
        })
    }
}

/// `60s`, `5m`, `1h` or seconds.
fn seconds(text: &str) -> Result<f64, CliError> {
    let bad = || CliError::Usage(format!("--time-budget: \"{text}\" is no time above 0\n  hint: write 60s, 5m or 1h"));
    let trimmed = text.trim();
    let (number, unit) = match trimmed.char_indices().next_back() {
        Some((at, 's')) => (&trimmed[..at], 1.0),
        Some((at, 'm')) => (&trimmed[..at], 60.0),
        Some((at, 'h')) => (&trimmed[..at], 3_600.0),
        _ => (trimmed, 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| bad())?;
    let time = number * unit;
    if time > 0.0 && time <= 1e7 { Ok(time) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, wanted) in [("60s", 60.0), ("5m", 300.0), ("1.5h", 5_400.0), ("20", 20.0), (" 2 m", 120.0)] {
            assert_eq!(seconds(text).ok(), Some(wanted), "{text}");
        }
        for text in ["", "s", "-3s", "0", "nan", "1e99h", "five"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
