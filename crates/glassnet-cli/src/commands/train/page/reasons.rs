//! What each column is worth, and a few rows explained: as much of it as a few seconds allow.

use std::collections::BTreeMap;
use std::path::Path;

use glassnet::model::encoded::Encoded;
use glassnet::model::explain::{Explainer, Explanation, Importance, Options};
use glassnet::model::file::Features;
use glassnet::model::table::Table;
use glassnet::nn::inspect::number::significant;
use glassnet::nn::source::Source;
use glassnet::report::escape::shorten;
use glassnet::report::number::number;
use glassnet::report::page::{self, Contribution, Explained, Importances};

use super::Page;
use super::judged::{Judged, Which};
use super::results::actual;
use crate::commands::train::record::file_name;
use crate::commands::train::understand;
use crate::error::CliError;
use crate::model_data::{self, ModelData, Wanted};
use crate::numbers::thousands;
use crate::row;

/// Floating-point operations that measuring what columns are worth may take: a few seconds of two cores. A number and not a clock, so that
/// the page of a run is the same on every machine.
const WORTH: f64 = 6e10;
/// The same for one row's explanation.
const A_ROW: f64 = 1e10;
/// Fewest rows that columns' worth is measured on: of fewer, chance is the larger part.
const FEWEST: usize = 100;
/// Most rows that it is measured on.
const MOST: usize = 20_000;
/// Shuffles of a column.
const REPEATS: u32 = 3;
/// Rows that are read at a time where values are looked up.
const CHUNK: usize = 4_096;
/// Letters of a value that are shown.
const LONGEST: usize = 40;

impl Page<'_> {
    /// Importances and explained rows; nothing of images.
    ///
    /// # Errors
    /// Rows that do not fit the model.
    pub(super) fn reasons(&self, judged: &Judged<'_>) -> Result<(Option<Importances>, Vec<Explained>), CliError> {
        if !matches!(self.data.prepared.features, Features::Table(_)) || judged.rows.is_empty() {
            return Ok((None, Vec::new()));
        }
        Ok((self.importances(judged)?, self.explained(judged)?))
    }

    fn importances(&self, judged: &Judged<'_>) -> Result<Option<Importances>, CliError> {
        let (model, rows) = (&judged.alone.0, &judged.alone.1);
        let (forward, _) = understand::flops(self.headed);
        let pass = forward as f64 * model.members().len() as f64 * model.columns().len().max(1) as f64;
        let fit = |repeats: u32| ((WORTH / (pass * f64::from(repeats)).max(1.0)) as usize).min(MOST);
        let (repeats, most) = if fit(REPEATS) >= FEWEST { (REPEATS, fit(REPEATS)) } else { (1, fit(1)) };
        if most < FEWEST && most < rows.len() {
            return Ok(None);
        }
        let rows = evenly(rows, most);
        let found = Importance::of(model, judged.encoded, &rows, repeats, self.spec.seed, self.team)?;
        let what = match judged.which {
            Which::Test => "test rows",
            Which::Valid => "validation rows",
            Which::Folds => "rows that the first member has not learned from, by this member alone",
            Which::Train => "rows that the network learned from",
        };
        let columns = found.ranked().into_iter().map(|one| page::Importance {
            name: one.column.clone(),
            value: one.increase,
            spread: (repeats > 1).then_some(one.spread),
        });
        Ok(Some(Importances {
            method: format!(
                "How much the {} ({} as it is) rises when a column's values are shuffled between {} {what}: {}. Columns that tell the same \
                 look worth less than they are, for the model can go by the other; below 0 is chance.",
                found.measure,
                number(found.loss),
                thousands(found.rows as u64),
                if repeats == 1 { "one shuffle".to_string() } else { format!("mean of {repeats} shuffles") }
            ),
            label: format!("rise of {}", found.measure),
            columns: columns.collect(),
        }))
    }

    fn explained(&self, judged: &Judged<'_>) -> Result<Vec<Explained>, CliError> {
        let chosen = chosen(judged, self.model.classes().map(<[String]>::len));
        let drawn;
        let background = match self.model.background() {
            Some(background) => background,
            None => {
                drawn = self.data.prepared.background(self.spec.seed)?;
                let Some(drawn) = &drawn else { return Ok(Vec::new()) };
                drawn
            }
        };
        let explainer = Explainer::new(self.model, background, self.options(background.rows()))?;
        let rows: Vec<u32> = chosen.iter().filter_map(|&(_, place)| judged.rows.get(place).copied()).collect();
        let explanations = explainer.explain(judged.encoded, &rows, None, self.team)?;
        let values = self.values(judged.file(self), &rows, judged.encoded);
        let one = |((why, place), explanation): (&(&str, usize), &Explanation)| {
            let row = judged.rows.get(*place).copied().unwrap_or_default();
            self.one(judged, (why, row), explanation, values.get(&row))
        };
        Ok(chosen.iter().zip(&explanations).map(one).collect())
    }

    /// Exact values of as many columns as a row's share of the time allows; integrated gradients where not even permutations fit.
    fn options(&self, background: usize) -> Options {
        let (forward, _) = understand::flops(self.headed);
        let pass = forward as f64 * self.model.members().len() as f64 * background as f64;
        let default = Options::default();
        let exact = (0..=default.exact).rev().find(|&columns| pass * (1u64 << columns) as f64 <= A_ROW).unwrap_or(0);
        let permutations = 2.0 * pass * self.model.columns().len() as f64;
        Options { exact, fast: permutations > 3.0 * A_ROW, ..default }
    }

    fn one(
        &self,
        judged: &Judged<'_>,
        (why, row): (&str, u32),
        explanation: &Explanation,
        values: Option<&Vec<Option<String>>>,
    ) -> Explained {
        let (target, names) = (self.model.target(), self.model.columns());
        let points = explanation.points();
        let class =
            |class: usize| self.model.classes().and_then(|classes| classes.get(class)).map_or("", String::as_str);
        let contributions = explanation.ranked().into_iter().filter_map(|place| {
            let value = match values.and_then(|values| values.get(place)) {
                Some(Some(value)) => shorten(&rounded(value), LONGEST),
                Some(None) => "(missing)".to_string(),
                None => String::new(),
            };
            Some(Contribution {
                name: (*names.get(place)?).to_string(),
                value,
                amount: *explanation.contributions.get(place)?,
                points: explanation.class.and_then(|_| points.get(place).copied()),
            })
        });
        let file = match judged.file(self) == self.settings.data {
            true => String::new(),
            false => format!(", in {}", file_name(judged.file(self))),
        };
        let held = self.model.calibration().and_then(|calibration| calibration.held.as_ref());
        let kind = if held.is_some_and(|held| held.holds) { "probability" } else { "score" };
        let (scale, predicted, actual) = match (explanation.class, explanation.scores()) {
            (Some(explained), Some((_, score))) => {
                let label = usize::try_from(judged.encoded.label(row)).map_or("", class);
                let name = class(explained);
                (
                    format!("log-odds of {target} = {name}"),
                    format!("a {kind} of {} for {target} = {name}", number(score)),
                    format!("{target} = {label}"),
                )
            }
            _ => (target.to_string(), number(explanation.output), number(actual(judged, row))),
        };
        Explained {
            why: format!("{why}{file}"),
            row: u64::from(row) + 1,
            predicted,
            actual,
            scale,
            base: explanation.base,
            contributions: contributions.collect(),
            output: explanation.output,
            residual: Some(explanation.residual),
        }
    }

    /// The values of some rows as they stand in their file, in the order of the model's columns. Of a file that cannot be read a second
    /// time, and of a row that is not the same there any more, none.
    fn values(&self, path: &str, rows: &[u32], encoded: &Encoded<f32>) -> BTreeMap<u32, Vec<Option<String>>> {
        let mut found = BTreeMap::new();
        if !Path::new(path).is_file() {
            return found;
        }
        let read = model_data::open(self.model, path, &self.settings.read, None, Wanted::default());
        let Some(last) = rows.iter().copied().max() else { return found };
        match read {
            Ok(ModelData::Stream(mut stream)) => {
                while let Ok(Some(table)) = stream.next_chunk(CHUNK) {
                    self.values_in(&table, rows, encoded, &mut found);
                    if table.first_row.max(1) + table.rows as u64 > u64::from(last) + 1 {
                        break;
                    }
                }
            }
            Ok(ModelData::Table(table, _)) => self.values_in(&table, rows, encoded, &mut found),
            Ok(ModelData::Images(..)) | Err(_) => {}
        }
        found
    }

    fn values_in(
        &self,
        table: &Table,
        rows: &[u32],
        encoded: &Encoded<f32>,
        found: &mut BTreeMap<u32, Vec<Option<String>>>,
    ) {
        let start = table.first_row.max(1) - 1;
        let here = |&row: &u32| u64::from(row).checked_sub(start).filter(|&place| place < table.rows as u64);
        if !rows.iter().any(|row| here(row).is_some()) {
            return;
        }
        let Ok((again, _, _)) = self.model.encode_table(table, false) else { return };
        let (mut own, mut other) = (vec![0.0; encoded.width()], vec![0.0; again.width()]);
        for row in rows {
            let Some(place) = here(row) else { continue };
            encoded.features(&[*row], &mut own);
            again.features(&[place as u32], &mut other);
            if own == other {
                let values = self.model.columns().into_iter().map(|name| row::raw(table, name, place as usize));
                found.insert(*row, values.collect());
            }
        }
    }
}

/// A number with more digits than can be read, in six of them.
pub(super) fn rounded(value: &str) -> String {
    match value.parse::<f64>() {
        Ok(number) if value.len() > 9 && value.contains('.') => significant(number, 6),
        _ => value.to_string(),
    }
}

/// At most so many of some rows, at even steps.
fn evenly(rows: &[u32], most: usize) -> Vec<u32> {
    let count = rows.len().min(most);
    (0..count).filter_map(|place| rows.get(place * rows.len() / count).copied()).collect()
}

/// The rows that are worth a look, each once: why, and its place among the judged.
fn chosen(judged: &Judged<'_>, classes: Option<usize>) -> Vec<(&'static str, usize)> {
    let places = 0..judged.rows.len();
    let lowest = |of: &dyn Fn(usize) -> Option<f64>| {
        let known = places.clone().filter_map(|place| Some((place, of(place).filter(|value| value.is_finite())?)));
        known.fold(None, |best: Option<(usize, f64)>, (place, value)| match best {
            Some((_, least)) if least <= value => best,
            _ => Some((place, value)),
        })
    };
    let label = |place: usize| judged.labels.get(place).copied().unwrap_or(0);
    // What was said of the true class.
    let truth = |place: usize| judged.scores_of(place).get(label(place)).map(|&score| f64::from(score));
    let miss = |place: usize| {
        let row = judged.rows.get(place).copied()?;
        Some((actual(judged, row) - f64::from(*judged.scores_of(place).first()?)).abs())
    };
    let largest = |place: usize| judged.scores_of(place).iter().copied().reduce(f32::max).map(f64::from);
    let found = match classes {
        None => vec![
            ("the nearest prediction", lowest(&miss)),
            ("the worst prediction", lowest(&|place| Some(-miss(place)?))),
            ("the highest prediction", lowest(&|place| judged.scores_of(place).first().map(|&y| -f64::from(y)))),
            ("the lowest prediction", lowest(&|place| judged.scores_of(place).first().map(|&y| f64::from(y)))),
        ],
        Some(2) => {
            let best = |class: usize| lowest(&|place| Some(-truth(place)?).filter(|_| label(place) == class));
            vec![
                ("the highest score that was right", best(1)),
                ("the lowest score that was right", best(0)),
                ("the worst, furthest from the truth", lowest(&truth)),
                ("the most uncertain", lowest(&largest)),
            ]
        }
        Some(_) => vec![
            ("the best, surest of the truth", lowest(&|place| Some(-truth(place)?))),
            ("the worst, furthest from the truth", lowest(&truth)),
            ("the most uncertain", lowest(&largest)),
        ],
    };
    let mut once: Vec<(&'static str, usize)> = Vec::new();
    for (why, place) in found.into_iter().filter_map(|(why, found)| Some((why, found?.0))) {
        if once.iter().all(|(_, known)| *known != place) {
            once.push((why, place));
        }
    }
    once
}
